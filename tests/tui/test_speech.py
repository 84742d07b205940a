"""What is no text has a look of its own."""

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from lgwatch.records import Part
from lgwatch.runner.messages import pieces
from lgwatch.tui.messages.speech import said


def parts(*messages: AIMessage) -> list[Part]:
    return [Part(piece.kind, [piece.text], piece.tool_call) for message in messages for piece in pieces(message)]


def shown(*messages: AIMessage) -> str:
    return "".join(one.prefix + one.text for one in said(parts(*messages)))


def test_a_refusal_that_streams_in_pieces_is_one_sentence_under_one_sign() -> None:
    chunks = [AIMessageChunk(content=[{"type": "refusal", "refusal": text}]) for text in ("I would ", "rather not.")]
    assert shown(*chunks) == "⊘ I would rather not."
    assert len({one.key for one in said(parts(*chunks))}) == 1
    assert {one.style for one in said(parts(*chunks))} == {"warn"}


def test_a_refusal_of_a_chat_completion_is_shown_too() -> None:
    assert shown(AIMessage(content="", additional_kwargs={"refusal": "No."})) == "⊘ No."


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"type": "image", "base64": "A" * 4000, "mime_type": "image/png"}, "▣ image · image/png · 3.0 kB"),
        ({"type": "image_url", "image_url": {"url": "https://a.example/cat.png"}}, "▣ image · https://a.example/cat.png"),
        ({"type": "image_url", "image_url": {"url": "data:image/gif;base64," + "A" * 400}}, "▣ image · image/gif · 300 B"),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "A" * 8}},
            "▣ image · image/webp · 6 B",
        ),
        ({"type": "input_audio", "input_audio": {"data": "A" * 4000, "format": "wav"}}, "▣ audio · wav · 3.0 kB"),
        ({"type": "web_search_call", "id": "w1"}, '▣ web_search_call  {"type": "web_search_call", "id": "w1"}'),
    ],
)  # fmt: skip
def test_a_content_block_is_told_by_what_it_is(block: dict, told: str) -> None:
    assert shown(AIMessage(content=[block])) == told


def test_a_block_that_was_cut_is_shown_as_it_came() -> None:
    (one,) = said([Part("other", ['{"type": "image", "base64": "AAA…'])])
    assert one.text == '{"type": "image", "base64": "AAA…'

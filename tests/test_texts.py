"""Texts: what nobody writes any more leaves memory, and says the same."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch import texts
from lgwatch.filter import Filter
from lgwatch.session import Session
from lgwatch.tui.messages.blocks import MessageBlocks
from tests.factories import play, run, token


@pytest.fixture(autouse=True)
def _no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "ROOM", 0)
    monkeypatch.setattr(texts, "SHORT", 1)


def tell(session: Session, name: int, *pieces: str, last: bool = True, **more: object) -> None:
    """Let a message say these pieces."""
    for number, piece in enumerate(pieces, 1):
        session.apply(token(piece, name, node="a", last=last and number == len(pieces), **more))


def rows_of(blocks: MessageBlocks) -> list[str]:
    """All rows, as they are shown."""
    blocks.rows.resize(30)
    return ["".join(text for text, _ in blocks.rows.row(index, 30)) for index in range(len(blocks.rows))]


said = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(said, min_size=1, max_size=6))
def test_messages_say_and_show_the_same_wherever_their_texts_are(messages: list[list[str]]):
    def watched() -> tuple[list[str], list[str]]:
        session, blocks = play(run(), start=False), MessageBlocks()
        for number, pieces in enumerate(messages):
            tell(session, number, *pieces)
            blocks.update(session, Filter(), 0.0)
        return [one.text for one in session.message_list], rows_of(blocks)

    away = watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "ROOM", 1 << 20)
        assert watched() == away
    assert away[0] == ["".join(pieces) for pieces in messages]


def test_a_message_that_goes_on_after_its_text_was_laid_away_says_all_of_it():
    session, blocks = play(run(), start=False), MessageBlocks()
    for number in range(3):
        tell(session, number, f"message {number}")
        blocks.update(session, Filter(), 0.0)
    first = session.message_list[0]
    assert not first.parts[0].pieces
    tell(session, 0, " goes on", last=False)
    blocks.update(session, Filter(), 0.0)
    assert first.text == "message 0 goes on"
    assert "message 0 goes on" in rows_of(blocks)


def test_a_text_that_is_laid_away_is_found():
    session, blocks = play(run(), start=False), MessageBlocks()
    for number in range(5):
        tell(session, number, f"word{number} and more")
    blocks.update(session, Filter(), 0.0)
    rows_of(blocks)
    assert blocks.rows.find("word1", 0, 1, len(blocks.rows), 30) == rows_of(blocks).index("word1 and more")


def test_an_answer_that_is_said_again_is_known_by_its_text_wherever_it_is():
    session = play(run(), start=False)
    tell(session, 1, "the answer is ", "42")
    tell(session, 2, "something else")
    tell(session, 3, "the answer is 42", whole=True)
    assert [one.repeats for one in session.message_list] == ["", "", session.message_list[0].id]


def test_a_disk_without_room_leaves_texts_in_memory(monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lgwatch.columns.os.pwrite", full)
    session = play(run(), start=False)
    for number in range(5):
        tell(session, number, f"message {number}")
    assert [one.text for one in session.message_list] == [f"message {number}" for number in range(5)]


def test_finished_messages_take_less_memory_than_their_text(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(texts, "SHORT", 256)
    session, blocks = play(run(), start=False), MessageBlocks()
    piece = "four " * 100
    tracemalloc.start()
    try:
        for number in range(40):
            tell(session, number, *[piece] * 100)
            blocks.update(session, Filter(), 0.0)
            len(blocks.rows)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(one.text) for one in session.message_list) == 2_000_000
    assert taken < 600_000

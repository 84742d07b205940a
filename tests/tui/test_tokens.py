import pytest

from lgwatch.events import SpanEnded, SpanStarted
from lgwatch.filter import Filter, parse
from lgwatch.filter.mix import choices
from lgwatch.session import Session
from lgwatch.tui.messages.blocks import GROUPS, MessageBlocks
from lgwatch.tui.messages.pane import message_subject
from tests.factories import call, called, custom, play, result, run, said, task, token
from tests.tui.stage import drawn, played


def rows_of(session, width=80, keep=None, blocks=None):
    blocks = blocks or MessageBlocks()
    blocks.update(session, keep or Filter(), session.now)
    blocks.rows.resize(width)
    return ["".join(text for text, _ in blocks.rows.row(index, width)).rstrip() for index in range(len(blocks.rows))]


def test_parallel_calls_have_blocks_of_their_own_and_are_never_mixed():
    session = play(
        task("a"), task("b"), call(1, node="a"), call(2, node="b"), token("One ", 1, node="a"), token("Two ", 2, node="b"),
        token("cat.", 1, node="a"), token("dogs.", 2, node="b"), called(1), called(2),
    )  # fmt: skip
    lines = rows_of(session)
    assert "One cat." in lines
    assert "Two dogs." in lines


def test_a_header_tells_node_model_tags_step_first_token_and_rate():
    session = play(
        task("writer"), call(1), token("a", 1, tags=("draft",), model="gpt-4o"), token("b", 1), token("c", 1),
        called(1, usage={"input_tokens": 9, "output_tokens": 3}),
    )  # fmt: skip
    header = rows_of(session, 100)[0]
    for word in ("✓ writer", "gpt-4o", "#draft", "s1", "first 0.10s", "3 tok", "/s"):
        assert word in header, word
    assert "~" not in header


def test_tokens_are_estimated_until_the_provider_reports_them():
    session = play(task("writer"), call(1), token("a", 1), token("b", 1))
    assert "~2 tok" in rows_of(session)[0]


@pytest.mark.parametrize(
    ("usage", "told"),
    [({"input_tokens": 5}, "↑5 ↓~2 tok"), ({"input_tokens": 5, "output_tokens": 0}, "↑5 ↓0 tok"), (None, "no usage")],
)
def test_no_zero_stands_for_what_nobody_reported(usage, told):
    session = play(task("writer"), call(1), token("a", 1), token("b", 1), called(1, usage=usage))
    width = 40 if usage is None else 80
    assert told in rows_of(session, width)[0]


def test_reasoning_calls_and_results_begin_rows_of_their_own_with_a_sign():
    session = play(
        task("agent"), token("Let me see.", node="agent"), token("hm", node="agent", kind="reasoning"),
        token('{"q"', node="agent", kind="tool_call", tool_call={"index": 0, "name": "search", "id": "c1"}),
        token(": 1}", node="agent", kind="tool_call", tool_call={"index": 0}), result("agent"),
    )  # fmt: skip
    assert rows_of(session)[1:] == ["Let me see.", "∴ hm", '⚙ search {"q": 1}']


def test_a_message_that_is_being_written_has_a_caret_and_loses_it_at_its_end():
    session = play(task("writer"), call(1), token("Hello", 1))
    blocks = MessageBlocks()
    assert rows_of(session, blocks=blocks)[-1] == "Hello▌"
    session.apply(SpanEnded(span=call(1).span, at=9.0))
    assert rows_of(session, blocks=blocks)[-1] == "Hello"


def test_a_stream_that_has_gone_silent_says_for_how_long_and_no_rate():
    session = play(task("writer"), call(1), token("a", 1), token("b", 1))
    assert "/s" in rows_of(session)[0]
    blocks = MessageBlocks()
    blocks.update(session, Filter(), session.message_list[0].last_token + 12)
    header = "".join(text for text, _ in blocks.rows.row(0, 100))
    assert "silent 12.0s" in header
    assert "/s" not in header


def test_what_broke_off_says_so():
    session = play(
        task("writer"), call(1), token("Hel", 1), result("writer", error={"type": "E", "message": "", "traceback": ""})
    )
    assert "broke off" in rows_of(session)[0]


def test_a_call_that_failed_names_its_error():
    session = play(task("writer"), call(1), token("Hel", 1), called(1, status="error", error={"type": "ConnectError"}))
    assert "✗ writer failed ConnectError" in rows_of(session, 100)[0]


def test_a_model_that_works_in_a_tool_call_is_told_with_the_agent_that_the_call_names():
    asked = SpanStarted(span="t1", kind="tool", name="task", task="tools", input={"subagent_type": "critic"})
    inner = ("tools:tools",)
    session = play(task("tools"), asked, task("model", ns=inner), token("Too short.", node="model", ns=inner))
    assert rows_of(session, 100)[0].split()[1:3] == ["tools/model", "critic"]


def test_an_answer_that_is_said_again_is_marked():
    session = play(task("writer"), call(1), token("Hello", 1), called(1), said("Hello", message="other"))
    assert "said again" in "\n".join(rows_of(session))


def test_a_filter_keeps_whole_messages_by_tag_and_by_text():
    session = play(
        task("w"), token("Cats ", 1, tags=("joke",), node="w"), token("sleep.", 1, tags=("joke",), node="w"),
        token("Dogs run.", 2, node="w", tags=("poem",)),
    )  # fmt: skip
    assert "Dogs" not in "".join(rows_of(session, keep=parse("tag:joke")))
    assert "Cats sleep." in "".join(rows_of(session, keep=parse('"cats sleep"')))
    assert "Dogs" not in "".join(rows_of(session, keep=parse('"cats sleep"')))


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("type:message", "abc"), ("!type:message", ""), ("type=message !type=message", ""), ("type:custom", ""), ("!type:custom", "abc"),
        ("kind:text", "ac"), ("kind:tool_call", "bc"), ("!kind:tool_call", "ac"), ("!kind:text,tool_call", ""), ("kind:text !kind:text", ""), ("kind:llm", ""),
        ("state.messages=3", ""), ("!state.messages=3", "abc"), ("data.url:x", ""), ("tok>=2", "c"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("live", [False, True])
def test_a_message_is_kept_as_its_events_are(group, live, expression, kept):
    search = {"index": 0, "name": "search", "id": "c1"}
    session, blocks, keep = Session(), MessageBlocks(), parse(expression)
    blocks.show_by(group)
    events = [
        run(), task("writer"), custom({"url": "y"}),
        token("Hello", message="a"), token("{}", message="b", kind="tool_call", tool_call=search),
        token("One", message="c"), token("{}", message="c", kind="tool_call", tool_call={**search, "id": "c2"}), result("writer"),
    ]  # fmt: skip
    for event in events:
        session.apply(event)
        if live:
            rows_of(session, keep=keep, blocks=blocks)
    rows_of(session, keep=keep, blocks=blocks)
    assert "".join(sorted(str(block.key) for rows in blocks._all_rows() for block in rows._shown)) == kept
    assert blocks.kept == len(kept)
    assert sum(one.kept for one in choices(session, keep) if one.field == "path") == len(kept)


def test_what_comes_later_is_appended_and_nothing_is_written_twice():
    session, blocks = Session(), MessageBlocks()
    session.apply(run())
    session.apply(task("w"))
    text = ""
    for number in range(50):
        session.apply(token(f"{number} ", 1, node="w", message="m"))
        text += f"{number} "
        rows_of(session, blocks=blocks)
    assert blocks.rows.blocks[0].text == text
    assert not blocks.update(Session(), Filter(), 0)
    assert not blocks.rows.blocks


def test_a_messages_page_has_its_text_and_its_calls():
    session = play(task("a"), said("Hello", message="m", node="a"))
    subject = message_subject(session.messages["m"])
    assert (subject.text, subject.facts["role"], subject.seqs) == ("Hello", "ai", (session.messages["m"].seq,))
    assert "parts" not in subject.facts


async def test_a_call_that_keeps_one_waiting_is_told_in_the_border(tmp_path):
    app = played(tmp_path, run(), task("writer"), call(1))
    async with app.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        assert "silent" not in str(app.pane("tokens").border_subtitle)
        app.source.at += 9
        await drawn(pilot)
        assert str(app.pane("tokens").border_subtitle).strip() == "writer silent 9.00s"


@pytest.mark.parametrize("group", GROUPS)
def test_a_text_is_looked_for_in_the_messages_that_grew_and_in_no_others(group, monkeypatch):
    session, blocks, looked = (
        play(task("writer"), *(said(f"cat {n}", message=f"m{n}") for n in range(300))),
        MessageBlocks(),
        [],
    )
    blocks.show_by(group)
    keep = parse("text:cat")
    rows_of(session, keep=keep, blocks=blocks)
    keeps = MessageBlocks._keeps
    monkeypatch.setattr(MessageBlocks, "_keeps", lambda self, one: looked.append(one) or keeps(self, one))
    for event in (call(1), token("A d", 1), token("og.", 1)):
        session.apply(event)
        rows_of(session, keep=keep, blocks=blocks)
    assert looked
    assert {one.text for one in looked} == {"A dog."}
    assert blocks.kept == 300
    session.apply(token(" A cat.", 1))
    rows_of(session, keep=keep, blocks=blocks)
    assert blocks.kept == 301


@pytest.mark.parametrize("group", GROUPS)
def test_messages_that_come_and_go_with_their_texts_stand_as_if_they_were_filtered_now(group):
    session, blocks, keep = play(task("w"), task("v")), MessageBlocks(), parse("text:cat !text:dog")
    blocks.show_by(group)
    words = ["ca", "t ", "do", "g ", "x ", "y "]
    for number in range(60):
        node = "wv"[number % 2]
        session.apply(token(words[number * 7 % 6], number * 5 % 13, node=node))
        if number % 9 == 8:
            session.apply(called(number % 13))
        rows_of(session, 30, keep, blocks)
    fresh = MessageBlocks()
    fresh.show_by(group)
    rows_of(session, 30, keep, fresh)
    shown = [[one.key for one in rows._shown] for rows in blocks._all_rows()]
    assert shown == [[one.key for one in rows._shown] for rows in fresh._all_rows()]
    assert any(shown)
    if group == "call":
        assert rows_of(session, 30, keep, blocks) == rows_of(session, 30, keep, fresh)
        assert [block.place for block in blocks.rows._shown] == list(range(len(blocks.rows._shown)))

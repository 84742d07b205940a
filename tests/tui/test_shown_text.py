"""What the token pane shows for a filter is what the journal says for it, however nodes, calls and frames interleave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.events import Event, MessageChunk, RunStarted, TaskEnded, TaskStarted, path
from lgwatch.filter import Filter, parse
from lgwatch.filter.mix import choices, clear, mute, solo, toggle
from lgwatch.index import facet
from lgwatch.session import Session
from lgwatch.text import clean
from lgwatch.tui.messages.blocks import MessageBlocks
from lgwatch.tui.messages.flow import CARET, Level, Wrapped

PIECES = st.sampled_from(
    ["a", "word ", "two words ", "\n", "\n\n", "你好", "e\u0301", "\x1b[31m", "\t", "[bold]", "x" * 30, "…", ""]
)
PATHS = [
    ((), "writer"),
    ((), "critic"),
    (("team:p1",), "writer"),
    (("team:p1",), "web"),
    (("team:p1", "web:p2"), "get"),
]
TAGS = [(), ("draft",), ("final",), ("draft", "deep one")]
FILTERS = [
    "", "node:writer", "!node:team", "path:writer", "path:team/*", "tag:draft", "!tag:final", 'tag:"deep one"',
    "model:gpt-4o", "!model:claude", "role:ai", "!role:human", "step:2", "step>1 tag:draft", "run:r1", "type:message",
    "word", "!word", '"two words"', "node:writer,web tag:draft,final a", "re:/w.rd/", "path=writer !tag=final", "tag=none",
]  # fmt: skip


@dataclass
class Call:
    """One call as it will be told: what is common to its chunks, and the pieces of each of its parts."""

    chunk: MessageChunk
    parts: list[tuple[str, list[str]]] = field(default_factory=list)

    def events(self) -> list[Event]:
        told: list[MessageChunk] = []
        for number, (kind, pieces) in enumerate(self.parts):
            for first, piece in zip([True, *[False] * len(pieces)], pieces, strict=False):
                call = {"index": number, **({"name": "search", "id": f"c{number}"} if first else {})}
                told.append(replace(self.chunk, text=piece, kind=kind, tool_call=call if kind == "tool_call" else None))
        if told:
            told[-1] = replace(told[-1], last=True)
        return list(told)


def calls(number: int) -> st.SearchStrategy[Call]:
    return st.builds(
        lambda where, tags, model, role, step, parts: Call(
            MessageChunk(
                ns=where[0], node=where[1], message=f"m{number}", task=f"t{number}", role=role, tags=tags, step=step,
                model=model if role == "ai" else "",
            ),
            parts,
        ),
        st.sampled_from(PATHS), st.sampled_from(TAGS), st.sampled_from(["gpt-4o", "claude"]),
        st.sampled_from(["ai", "ai", "human", "system"]), st.integers(1, 3),
        st.lists(
            st.tuples(st.sampled_from(["text", "text", "reasoning", "tool_call"]), st.lists(PIECES, min_size=1, max_size=6)),
            min_size=1, max_size=4,
        ),
    )  # fmt: skip


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """The events of a run in which calls go on side by side, some of them unfinished."""
    told: list[Event] = [RunStarted(run="r1", thread="1")]
    waiting: list[list[Event]] = []
    for number in range(draw(st.integers(1, 6))):
        call = draw(calls(number))
        chunk = call.chunk
        events = call.events()[: draw(st.integers(1, 30))]
        start = TaskStarted(task=chunk.task, node=chunk.node, ns=chunk.ns, step=chunk.step)
        end = TaskEnded(task=chunk.task, node=chunk.node, ns=chunk.ns, step=chunk.step)
        if draw(st.booleans()):  # LangGraph may tell a task's end before the last of its tokens
            events.insert(draw(st.integers(len(events) // 2, len(events))), end)
        waiting.append([start, *events])
    while waiting := [events for events in waiting if events]:
        told.append(waiting[draw(st.integers(0, len(waiting) - 1))].pop(0))
    return [replace(event, at=number / 100) for number, event in enumerate(told)]


def letters(text: str) -> str:
    return "".join(text.split())


def journal_says(events: list[Event], keep: Filter) -> list[tuple[str, str]]:
    """Message id and text of what is kept, in order of start, from nothing but the events."""
    chunks: dict[str, list[MessageChunk]] = {}
    for event in events:
        if isinstance(event, MessageChunk):
            chunks.setdefault(event.message, []).append(event)
    found = []
    for message, told in chunks.items():
        said = ""
        for (kind, _), part in groupby(
            (chunk for chunk in told if chunk.text or chunk.tool_call),
            key=lambda chunk: (chunk.kind, (chunk.tool_call or {}).get("index")),
        ):
            said += {"tool_call": "⚙ search ", "reasoning": "∴ "}.get(kind, "")
            said += "".join(chunk.text for chunk in part)
        if keep(facet(told[0], "r1")._replace(kind=None)) and keep.text("".join(chunk.text for chunk in told)):
            found.append((message, letters(clean(said, newlines=True))))
    return found


def pane_shows(blocks: MessageBlocks, width: int) -> list[tuple[str, str]]:
    """Message id and text of each block that is shown, read off its rows."""
    return rows_show(blocks.rows, width)


def rows_show(rows: Wrapped, width: int) -> list[tuple[str, str]]:
    rows.show_level(Level.ALL)
    while rows.resize(width):
        pass
    found = []
    for block in rows.blocks:
        first = rows.first_row(block)
        if first is not None:
            spans = [span for row in range(first + 1, rows.last_row(block) + 1) for span, _ in rows.row(row, width)]
            found.append((str(block.key), letters("".join(spans).replace(CARET, ""))))
    return found


@settings(max_examples=100, deadline=None)
@given(runs(), st.data())
def test_the_text_shown_for_a_filter_is_the_text_of_the_journal_for_it(
    events: list[Event], data: st.DataObject
) -> None:
    session, blocks = Session(), MessageBlocks()
    keep = parse(data.draw(st.sampled_from(FILTERS), label="filter"))
    for event in events:
        session.apply(event)
        if data.draw(st.integers(0, 3), label="frame") == 0:
            blocks.update(session, keep, event.at)
            if data.draw(st.booleans(), label="another filter"):
                keep = parse(data.draw(st.sampled_from(FILTERS), label="filter"))
    blocks.update(session, keep, 9.0)
    assert pane_shows(blocks, data.draw(st.integers(12, 60), label="width")) == journal_says(events, keep)


@settings(max_examples=75, deadline=None)
@given(runs(), st.data())
def test_solo_mute_and_ticks_show_what_the_journal_says_for_what_they_write(
    events: list[Event], data: st.DataObject
) -> None:
    session, blocks = Session(), MessageBlocks()
    for event in events:
        session.apply(event)
    keep = parse(data.draw(st.sampled_from(FILTERS), label="filter"))
    for _ in range(data.draw(st.integers(1, 4), label="presses")):
        kept = [message for message in session.message_list if keep(message)]
        press = data.draw(st.sampled_from([solo, mute, toggle, clear]) if kept else st.just(clear), label="press")
        if press is clear:
            keep = parse(clear(keep))
        elif press is toggle:
            choice = data.draw(st.sampled_from(choices(session, keep)), label="choice")
            keep = parse(toggle(keep, choice.field, choice.value))
        else:
            keep = parse(press(keep, data.draw(st.sampled_from(kept), label="message")))
        blocks.update(session, keep, 9.0)
        assert pane_shows(blocks, 40) == journal_says(events, keep)


@settings(max_examples=100, deadline=None)
@given(runs(), st.data())
def test_columns_hold_what_the_journal_says_and_in_each_one_message_ends_before_the_next_begins(
    events: list[Event], data: st.DataObject
) -> None:
    chunks = [event for event in events if isinstance(event, MessageChunk)]
    paths = {event.message: path(event.ns, event.node) for event in chunks}
    session, blocks = Session(), MessageBlocks()
    blocks.show_by("node")
    keep = parse(data.draw(st.sampled_from(FILTERS), label="filter"))
    for event in events:
        session.apply(event)
        if data.draw(st.integers(0, 3), label="frame") == 0:
            blocks.update(session, keep, event.at)
    blocks.update(session, keep, 9.0)
    width = data.draw(st.integers(12, 60), label="width")
    shown = {place: rows_show(column.rows, width) for place, column in blocks.columns.items()}
    assert sorted(one for column in shown.values() for one in column) == sorted(journal_says(events, keep))
    for (where, _), column in shown.items():
        assert {paths[message] for message, _ in column} <= {where}
        told = [chunk.message for chunk in chunks if any(chunk.message == message for message, _ in column)]
        if all(chunk.task not in ended(events) for chunk in chunks if chunk.message in told):  # nothing after an end
            assert [message for message, _ in groupby(told)] == [message for message, _ in column]


def ended(events: list[Event]) -> set[str]:
    return {event.task for event in events if isinstance(event, TaskEnded)}


@settings(max_examples=50, deadline=None)
@given(runs(), st.data())
def test_one_stream_says_what_is_meant_for_the_other_side_in_order_of_start_and_waits_for_whoever_speaks(
    events: list[Event], data: st.DataObject
) -> None:
    session, blocks = Session(), MessageBlocks()
    blocks.show_by("stream")
    keep = parse(data.draw(st.sampled_from(FILTERS), label="filter"))
    for event in events:
        session.apply(event)
        if data.draw(st.integers(0, 3), label="frame") == 0:
            blocks.update(session, keep, event.at)
    blocks.update(session, keep, 9.0)
    texts = [event for event in events if not isinstance(event, MessageChunk) or event.kind == "text"]
    kept = {message for message, _ in journal_says(events, keep)}
    roles = {event.message: event.role for event in events if isinstance(event, MessageChunk)}
    meant = [message for message in session.messages if message in kept and roles[message] in ("ai", "human")]
    said, shown = dict(journal_says(texts, Filter())), rows_show(blocks.rows, 40)
    assert [message for message, _ in shown] == meant[: len(shown)]
    assert all(text == said.get(message, "") for message, text in shown)
    assert all(session.messages[message].finished for message, _ in shown[:-1])
    assert len(shown) == len(meant) or not session.messages[shown[-1][0]].finished

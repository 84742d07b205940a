"""The index: a few bytes for each event, and one verdict for all that are alike."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.events import (
    CustomWritten,
    Event,
    MessageChunk,
    Output,
    RunEnded,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Unknown,
    ValueStored,
)  # fmt: skip
from lgwatch.filter import parse
from lgwatch.index import EventIndex, Facet, Selection, facet, shown
from tests.factories import custom, ended, failed, play, result, task, token

names = st.sampled_from(["a", "b", ""])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        MessageChunk, ns=st.sampled_from([(), ("s:1",), ("s:2",)]), message=names, node=names, task=names, model=names,
        name=names, step=st.integers(0, 1), kind=st.sampled_from(["text", "reasoning"]),
        role=st.sampled_from(["ai", "tool"]), tags=st.sampled_from([(), ("x",)]),
    ),
    st.builds(CustomWritten, node=names, task=names),
    st.builds(TaskStarted, node=names, task=names, step=st.integers(0, 2)),
    st.builds(Unknown, kind=names),
)  # fmt: skip


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (token("x", ns=("s:1",), node="a", tags=("t",), model="m"),
         Facet("message", "s/a", "a", 1, "r1", ("t",), "text", "ai", "m", None)),
        (SpanStarted(kind="tool", name="add", node="a"), Facet("span_start", "a", "a", None, "r1", kind="tool", name="add")),
        (SpanEnded(status="error"), Facet("span_end", "", "", None, "r1", status="error")),
        (failed("a"), Facet("task_result", "a", "a", 1, "r1", status="failed")),
        (result("a", interrupts=("i",)), Facet("task_result", "a", "a", 1, "r1", status="interrupted")),
        (TaskEnded(node="a"), Facet("task_result", "a", "a", 0, "r1", status="done")),
        (RunEnded(status="crashed"), Facet("run_result", "", "", None, "r1", status="crashed")),
        (Output(stream="log", level="INFO"), Facet("output", "", "", None, "r1", level="INFO", stream="log")),
        (Unknown(kind="weather"), Facet("weather", "", "", None, "r1")),
    ],
    ids=lambda one: getattr(one, "type", None),
)  # fmt: skip
def test_a_facet_is_what_can_be_asked_without_the_line(event: Event, expected: Facet):
    assert facet(event, "r1") == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(events, st.sampled_from(["r1", "r2"])), max_size=25))
def test_each_event_has_its_own_facet_however_they_alternate(told: list[tuple[Event, str]]):
    index = EventIndex()
    for seq, (event, run) in enumerate(told, 1):
        assert index.add(event, run) == seq
        assert index.facet_of(seq) == facet(event, run)
        assert index.task_of(seq) == getattr(event, "task", "")
    assert len(index) == len(told) + 1
    assert len(set(index.facets)) == len(index.facets)


def test_events_that_are_alike_share_a_facet():
    session = play(task("a"), (token(str(n), node="a") for n in range(100)), (custom(n, "a") for n in range(100)))
    assert len(session.index) == 203
    assert len(session.index.facets) == 5


def test_the_header_is_in_no_selection():
    assert list(Selection(EventIndex(), lambda _: True)) == []


def test_a_selection_grows_with_the_index():
    index = EventIndex()
    index.add(task("a"), "r1")
    selection = Selection(index, lambda one: one.node == "a")
    assert list(selection) == [1]
    index.add(task("b"), "r1")
    index.add(custom(1, "a"), "r1")
    assert list(selection) == [1]
    assert selection.update() == 1
    assert (list(selection), len(selection)) == ([1, 3], 2)
    assert selection.update() == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(events, max_size=6), max_size=5),
    st.sampled_from(["node:a", "!node:a", "type:custom step:1", "tag:x"]),
)
def test_a_grown_selection_is_the_one_made_at_once(batches: list[list[Event]], expression: str):
    index, keep = EventIndex(), parse(expression)
    grown = Selection(index, keep)
    for batch in batches:
        for event in batch:
            index.add(event, "r1")
        before = len(grown)
        assert grown.update() == len(grown) - before
    expected = [seq for seq in range(1, len(index)) if keep(index.facet_of(seq))]
    assert list(grown) == list(Selection(index, keep)) == expected


def test_a_question_is_asked_once_for_all_events_that_are_alike():
    index, asked = EventIndex(), []

    def keep(one: Facet) -> bool:
        asked.append(one)
        return True

    selection = Selection(index, keep)
    for _ in range(10):
        for n in range(100):
            index.add(token(str(n), n % 3, node="a"), "r1")
            index.add(custom(n, "b"), "r1")
        selection.update()
    assert len(selection) == 2000
    assert [one.type for one in asked] == ["message", "custom"]


def test_stored_values_are_plumbing():
    session = play(ValueStored(id="v1"), custom(1), ended())
    assert [session.index.facet_of(seq).type for seq in Selection(session.index, shown)] == [
        "run",
        "custom",
        "run_result",
    ]


def test_a_token_costs_fewer_than_forty_bytes():
    index = EventIndex()
    tokens = [token(f" {n}", n % 4, node="writer", tags=("draft",)) for n in range(100)]
    tracemalloc.start()
    try:
        for _ in range(2_000):
            for event in tokens:
                index.add(event, "r1")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(index) == 200_001
    assert size / 200_000 < 40


def test_a_question_about_time_or_task_is_asked_of_every_event() -> None:
    session = play(CustomWritten(task="t1", at=1.0), CustomWritten(task="t2", at=2.0))
    late = parse("t>1.5")
    assert [session.index.at[seq] for seq in Selection(session.index, late, late)] == [2.0]
    own = parse("task:t1")
    assert {session.index.task_of(seq) for seq in Selection(session.index, own, own)} == {"t1"}

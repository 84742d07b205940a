"""The index: a few bytes for each event, and one verdict for all that are alike."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.events import (
    CustomWritten,
    Event,
    MessageChunk,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Unknown,
    ValueStored,
)  # fmt: skip
from lgwatch.filter import parse
from lgwatch.filter.kept import kept
from lgwatch.index import EventIndex, Facet, facet, shown
from lgwatch.selection import Selection
from tests.factories import (
    attempt,
    call,
    called,
    checkpoint,
    custom,
    ended,
    failed,
    play,
    result,
    resumed,
    span_end,
    task,
    token,
)  # fmt: skip

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
        step = index.facet_of(seq).step
        assert index.facet_of(seq) == facet(event, run, step=step)
        assert step == getattr(event, "step", step)
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


@settings(max_examples=100, deadline=None)
@given(
    st.lists(events, max_size=20),
    st.sampled_from(
        [
            "node:a",
            "!node:a,s",
            "path:s/a",
            "type:custom,message",
            "tag:x step:1",
            "kind:text model:a",
            "tool:a",
            "name:b role:ai",
            "run:r1",
        ]
    ),
)
def test_what_is_remembered_of_a_condition_is_what_it_says(told: list[Event], expression: str):
    session, keep = play(told), parse(expression)
    expected = [seq for seq in range(1, len(session.index)) if keep(session.index.facet_of(seq))]
    assert list(kept(session, keep, lambda _: True)) == expected


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


def test_what_many_events_know_together_is_asked_of_their_task_and_the_rest_of_each():
    session = play(CustomWritten(task="t1", at=1.0), CustomWritten(task="t2", at=2.0), CustomWritten(task="t2", at=3.0))
    assert [session.index.at[seq] for seq in found(session, "t>1.5")] == [2.0, 3.0]
    assert [session.index.at[seq] for seq in found(session, "t=1.5..2.5,2.9")] == [2.0, 3.0]
    assert [session.index.at[seq] for seq in found(session, "!t<2.9")] == [3.0]
    assert {session.index.task_of(seq) for seq in found(session, "task:t1")} == {"t1"}


def found(session, expression):
    return list(kept(session, parse(expression), lambda one: one.type != "run"))


def test_an_events_step_is_its_tasks():
    session = play(task("a", step=3), custom(1, "a"), custom(2, "b"))
    assert [session.index.facet_of(seq).step for seq in (2, 3, 4)] == [3, 3, None]


def test_the_end_of_a_span_knows_what_and_whose_it_was():
    session = play(task("a", step=2), attempt("a"), span_end("a-1", status="error"), span_end("nobodys"))
    one = session.index.facet_of(4)
    assert (one.type, one.path, one.step, one.kind, one.name, one.status) == ("span_end", "a", 2, "node", "a", "error")
    assert session.index.task_of(4) == "a"
    assert session.index.facet_of(5).path == ""


def test_a_task_is_asked_for_with_all_that_ran_inside_of_it():
    inside = ("team:t1", "ask:t2")
    session = play(
        task("team", id="t1"), task("ask", id="t2", ns=inside[:1]), custom(1, "x", ns=inside), checkpoint("c1", ns=inside[:1]),
        task("other"), custom(2, "other"), checkpoint("c2"),
    )  # fmt: skip
    kept_types = [(session.index.facet_of(seq).type, session.index.task_of(seq)) for seq in found(session, "task:t1")]
    assert kept_types == [("task", "t1"), ("task", "t2"), ("custom", "x"), ("checkpoint", "")]


def test_how_long_a_task_took_decides_on_its_events_once_it_has_ended():
    session = play(task("a"), attempt("a"), custom(1, "a"), task("b"), attempt("b"), custom(2, "b"))
    selection = kept(session, parse("dur>1s type:custom"), lambda _: True)
    assert len(selection) == 2  # nobody knows yet
    session.apply(replace(result("a"), at=5.0))
    session.apply(replace(result("b"), at=5.0 - 4.2))
    assert (selection.update(), len(selection)) == (-1, 1)
    assert session.index.task_of(next(iter(selection))) == "a"
    assert selection.update() == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(events, max_size=8), max_size=5),
    st.sampled_from(["node:a", "!type:task", "tag:x", ""]),
    st.sampled_from(["", "custom", "message"]),
    st.integers(1, 7),
)
def test_a_selection_taken_in_by_and_by_is_the_one_made_at_once(
    batches: list[list[Event]], expression: str, kind: str, at_once: int
):
    index, keep = EventIndex(), parse(expression)
    for event in batches[0] if batches else ():
        index.add(event, "r1")
    grown = Selection(index, keep, kind=kind, at_once=at_once)
    for batch in batches[1:]:
        for event in batch:
            index.add(event, "r1")
        before = list(grown)
        grown.update()
        assert list(grown)[: grown.stable] == before[: grown.stable]
    for _ in range(len(index) + 1):
        grown.update()
    assert not grown.behind
    assert list(grown) == list(Selection(index, keep, kind=kind))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("tcr"), st.floats(0.1, 2)), max_size=30),
    st.integers(1, 9),
    st.sampled_from(["", "custom"]),
)
def test_what_a_task_did_after_all_decides_on_its_events_and_on_no_others(told, at_once: int, kind: str):
    keep, session, at = parse("dur>1s"), play(), 0.0
    grown = kept(session, keep, lambda _: True, kind=kind, at_once=at_once)
    ended_ones = set()
    for name, what, later in told:
        if name in ended_ones:  # what has ended goes on in another run, if ever
            continue
        at += later
        ended_ones |= {name} if what == "r" else set()
        event = {"t": task(name), "c": custom(1, name), "r": result(name)}[what]
        session.apply(replace(event, at=at))
        before = list(grown)
        grown.update()
        assert list(grown)[: grown.stable] == before[: grown.stable]
    while grown.behind:
        grown.update()
    assert list(grown) == list(kept(session, keep, lambda _: True, kind=kind))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("tsclrRE"), st.floats(0.1, 2)), max_size=40),
    st.sampled_from(["attempt>1", "dur>1s", "tok>1", "attempt=1 dur<1s"]),
    st.integers(1, 9),
    st.sampled_from(["", "custom"]),
)
def test_what_a_task_does_after_its_end_decides_anew_on_its_events(told, expression: str, at_once: int, kind: str):
    keep, session, at, runs = parse(expression), play(), 0.0, 1
    grown = kept(session, keep, lambda _: True, kind=kind, at_once=at_once)
    for number, (name, what, later) in enumerate(told):
        at += later
        runs += what == "R"
        event = {
            "t": task(name), "s": attempt(name, number), "c": custom(1, name), "l": token("x", number, node=name),
            "r": result(name), "R": RunStarted(run=f"r{runs}", thread="1"), "E": ended("interrupted", f"r{runs}"),
        }[what]  # fmt: skip
        session.apply(replace(event, at=at))
        before = list(grown)
        grown.update()
        assert list(grown)[: grown.stable] == before[: grown.stable]
    while grown.behind:
        grown.update()
    assert list(grown) == list(kept(session, keep, lambda _: True, kind=kind))


@pytest.mark.parametrize("expression", ["attempt>1", "dur>1s", "tok>2"])
def test_a_task_that_goes_on_after_an_answer_is_asked_about_again(expression: str):
    session, keep = play(task("a"), attempt("a"), custom(1, "a")), parse(expression)
    grown = kept(session, keep, lambda _: True)
    for event in (
        result("a", interrupts=("i",), at=0.5), *resumed({"i": 1}), task("a", at=5.0), attempt("a", 2, at=5.0),
        call(1, node="a", at=5.0), *(token("x", 1, node="a", at=6.0) for _ in range(5)), called(1, at=9.0),
        result("a", at=9.0),
    ):  # fmt: skip
        session.apply(event)
        grown.update()
    assert 3 in grown.seqs  # of its first visit
    assert list(grown) == list(kept(session, keep, lambda _: True))


def test_a_task_that_ends_is_no_reason_to_look_at_what_came_before_it():
    session = play((custom(n) for n in range(50)), task("a"), attempt("a"), custom(1, "a"))
    selection, before = kept(session, parse("dur>1s"), lambda _: True), session.index.firsts[-1]
    seqs, asked = selection.seqs, len(selection)
    session.apply(replace(result("a"), at=0.5))
    assert (selection.update(), selection.stable) == (before - 1 - asked, before - 1)
    assert selection.seqs is seqs


def test_the_newest_events_are_looked_at_first():
    session = play(*(custom(n) for n in range(20)))
    selection = kept(session, parse("type:custom"), lambda _: True, at_once=5)
    assert list(selection) == list(range(17, 22))
    assert selection.behind
    selection.update()
    assert list(selection) == list(range(12, 22))


def test_tokens_and_attempts_are_asked_of_the_task():
    session = play(
        task("a"), call(1, node="a"), (token(str(n), 1, node="a") for n in range(5)), called(1), result("a"), task("b"), custom(1, "b"),
        result("b"),
    )  # fmt: skip
    assert {session.index.task_of(seq) for seq in found(session, "tok>=5")} == {"a"}
    assert {session.index.task_of(seq) for seq in found(session, "tok<5")} == {"b"}
    assert not found(session, "attempt>1 task:a,b")


def test_a_selection_of_one_type_looks_at_no_other_and_takes_in_so_many_at_once():
    session = play(*(one for n in range(10) for one in (custom(n), token(str(n)))))
    selection = kept(session, parse("t>0.5"), lambda _: True, kind="custom", at_once=4)
    sizes = [len(selection)]
    while selection.behind:
        selection.update()
        sizes.append(len(selection))
    assert len(sizes) == 3
    assert list(selection) == found(session, "t>0.5 type:custom")
    assert not kept(session, parse(""), lambda _: True, kind="output").behind


def test_steps_that_go_on_and_on_do_not_keep_every_facet_in_mind(monkeypatch):
    monkeypatch.setattr("lgwatch.index.KNOWN", 8)
    index = EventIndex()
    for step in range(500):
        index.add(task(f"node{step % 3}", step=step, id=f"t{step}"), "r1")
        index.add(custom(step, f"node{step % 3}"), "r1")
    assert len(index._facet_ids) <= max(8, len(index) >> 4)
    assert [index.facet_of(seq).step for seq in range(1, len(index), 2)] == list(range(500))
    selection = Selection(index, parse("node:node1"))
    assert len(selection) == 167 * 2


def test_chunks_in_ever_new_namespaces_are_not_all_kept_in_mind(monkeypatch):
    monkeypatch.setattr("lgwatch.index.KNOWN", 8)
    index = EventIndex()
    for number in range(500):
        index.add(token("x", ns=(f"team:{number}",)), "r1")
        assert len(index._token_facets) <= max(8, len(index) >> 4)
    assert {index.facet_of(seq).path for seq in range(1, len(index))} == {"team/writer"}

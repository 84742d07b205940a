from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgwatch.events import GraphLoaded, SpanStarted
from lgwatch.filter import Filter, parse
from lgwatch.tui.nodes import lanes
from lgwatch.tui.nodes.pane import NodeRows, outcome
from tests.factories import attempt, ended, failed, interrupted, play, result, resumed, run, span_end, task

ERROR = {"type": "ValueError", "message": "boom", "traceback": ""}


def drawn(session, width=60, keep=None):
    rows = NodeRows()
    rows.update(session, keep or Filter(), session.now)
    return ["".join(text for text, _ in rows.row(index, width)).rstrip() for index in range(len(rows))]


def test_tasks_stand_by_superstep_and_those_of_one_step_are_lanes():
    session = play(task("plan"), result("plan"), *(task(name, step=2) for name in "abc"))
    assert [line[:8].rstrip() for line in drawn(session)] == [" 1 ✓ pla", " 2 ╭ · a", "   ├ · b", "   ╰ · c"]


def test_what_runs_inside_a_node_is_nested_below_it():
    session = play(task("outer"), task("inner", ns=("outer:outer",)), task("core", ns=("outer:outer", "inner:inner")))
    assert [line.index(name) for line, name in zip(drawn(session), ("outer", "inner", "core"), strict=True)] == [
        5,
        7,
        9,
    ]


def test_the_first_of_a_step_says_what_set_it_off():
    session = play(
        task("plan", triggers=("branch:to:plan",)), result("plan"),
        task("a", step=2, triggers=("__pregel_push",)), task("b", step=2, triggers=("__pregel_push",)),
        result("a", step=2), result("b", step=2), task("join", step=3, triggers=("branch:to:join",)),
    )  # fmt: skip
    lines = drawn(session)
    assert "← START" in lines[0]
    assert "← plan · Send" in lines[1]
    assert "←" not in lines[2]
    assert "← a + b" in lines[3]


@pytest.mark.parametrize(
    ("goto", "told"),
    [
        ("bob", "→ bob"), (["bob", "carol"], "→ bob, carol"), ("__end__", "→ END"),
        ([{"$type": "Send", "fields": {"node": "bob", "arg": 1}}], "→ bob"), (None, "hand_over"), ([], "hand_over"), ([7], "hand_over"),
    ],
)  # fmt: skip
def test_a_tool_that_hands_over_says_to_whom(goto, told):
    call = SpanStarted(span="s", kind="tool", name="hand_over", task="tools", node="tools")
    command = {"$type": "Command", "fields": {"graph": "__parent__", "goto": goto}}
    for output in (command, [{"$type": "ToolMessage", "fields": {}}, command]):
        session = play(task("tools"), call, span_end("s", output=output))
        assert drawn(session)[0].rpartition("  ")[0].rstrip().endswith(told)
    assert "hand_over" in drawn(session)[0]


def test_states_are_told_in_words_where_the_sign_is_not_enough():
    session = play(
        task("cached"), result("cached", cached=True), task("broken"), failed("broken"), task("silent"), attempt("silent"),
        result("silent"), task("again"), attempt("again", 1), span_end("again-1", status="error", error=ERROR), attempt("again", 2),
    )  # fmt: skip
    lines = drawn(session)
    for line, words in zip(
        lines, ("cached cached", "broken ValueError", "silent wrote nothing", "again ×2 retrying"), strict=True
    ):
        assert words in line


def test_a_note_that_does_not_fit_is_left_out_whole():
    session = play(task("silent"), attempt("silent"), result("silent"))
    assert "wrote" not in drawn(session, width=24)[0]


def test_several_runs_have_headings_and_an_interrupt_that_was_answered_is_no_longer_waiting():
    session = play(task("ask"), *interrupted("ask"), *resumed({"ask-ask": "yes"}), task("ask"))
    lines = drawn(session)
    assert lines[0].startswith("✓ r1 answered")
    assert "r2 running · resumed" in lines[2]
    assert outcome(session.runs[0], session) == "answered"


def test_an_interrupt_on_another_thread_was_not_answered():
    session = play(task("ask"), *interrupted("ask"), ended("interrupted"), run("r2", thread="2"))
    assert outcome(session.runs[0], session) == "interrupted"


def test_a_filter_keeps_a_task_with_all_that_it_is_inside_of():
    session = play(task("outer"), task("inner", ns=("outer:outer",)), task("other"))
    lines = drawn(session, keep=parse("path:outer/inner"))
    assert ["outer" in lines[0], "inner" in lines[1], len(lines)] == [True, True, 2]


def test_a_task_is_found_again_whatever_its_state_is():
    session = play(task("a"), task("b"))
    rows = NodeRows()
    rows.update(session, Filter(), 0)
    key = rows.key(1)
    session.apply(result("b", id="b"))
    rows.update(session, Filter(), 1)
    assert rows.index_of(key) == 1
    assert rows.key(1) != key


def test_only_what_runs_is_redrawn_with_the_time():
    session = play(task("a"), attempt("a"), result("a"), task("b", step=2), attempt("b"))
    rows = NodeRows()
    rows.update(session, Filter(), 1.0)
    before = [rows.key(0), rows.key(1)]
    assert not rows.update(session, Filter(), 2.0)
    assert [rows.key(0) == before[0], rows.key(1) == before[1]] == [True, False]


def test_a_cause_is_the_same_whatever_a_filter_keeps():
    session = play(
        task("plan", triggers=("branch:to:plan",)), result("plan"), task("write", step=2, triggers=("branch:to:write",))
    )  # fmt: skip
    assert "← plan" in drawn(session, keep=parse("node:write"))[0]


def test_a_step_says_which_branch_was_taken_and_which_were_not():
    links = [{"source": "plan", "target": target, "conditional": True} for target in ("write", "search", "ask")]
    told = GraphLoaded(nodes=[{"id": name, "name": name} for name in ("plan", "write", "search", "ask")], edges=links)
    session = play(told, run(), task("plan"), result("plan"), task("search", step=2), start=False)
    assert "→ search  (not: write, ask)" in drawn(session)[0]
    assert "→" not in drawn(session, width=24)[0]
    links += [{"source": "plan", "target": name, "conditional": True} for name in ("one_more", "and_another")]
    assert "→ search  (not: 4 others)" in drawn(session, width=48)[0]


def test_a_step_says_who_chose_the_branch():
    told = GraphLoaded(
        nodes=[{"id": name, "name": name} for name in ("plan", "write")],
        edges=[{"source": "plan", "target": "write", "conditional": True, "router": "route_by_depth", "label": "deep"}],
    )
    session = play(told, run(), task("plan"), result("plan"), task("write", step=2), start=False)
    assert '→ write  why: route_by_depth → "deep"' in drawn(session, width=80)[0]
    assert "why" not in drawn(session, width=40)[0]


def narrow(session, width=24, now=None):
    rows = NodeRows()
    rows.resize(width)
    rows.update(session, Filter(), session.now if now is None else now)
    return rows


def test_where_there_is_little_room_the_last_transition_and_its_reason_stand_below():
    told = GraphLoaded(
        nodes=[{"id": name, "name": name} for name in ("plan", "write", "ask")],
        edges=[{"source": "plan", "target": name, "conditional": True, "router": "route"} for name in ("write", "ask")],
    )
    session = play(told, run(), task("plan"), result("plan"), task("write", step=2), start=False)
    rows = narrow(session)
    shown = ["".join(text for text, _ in rows.row(index, 24)) for index in range(len(rows))]
    assert shown[-2:] == [" ─ plan → write", "   plan → write: route"]
    wide = narrow(session, 40)
    assert "".join(text for text, _ in wide.row(3, 40)) == "   plan chose write, not ask: route"
    assert rows.of(len(rows) - 1) is session.task("write")
    assert rows.index_of(rows.key(len(rows) - 1)) == len(rows) - 1
    assert len(narrow(session, 80)) == 2
    session.apply(task("later", step=3))
    later = narrow(session)
    shown = ["".join(text for text, _ in later.row(index, 24)) for index in range(len(later))]
    assert shown[-2:] == [" ─ write → later", "   plan → write: route"]  # the last choice is still that


def test_the_last_transition_is_bright_and_then_calms_down():
    session = play(task("plan"), result("plan"), task("write", step=2))
    at_once, later = narrow(session), narrow(session, now=session.now + 5)
    assert [rows.row(2, 24)[-1] for rows in (at_once, later)] == [
        ("plan → write", "bold accent"), ("plan → write", "faint"),
    ]  # fmt: skip


def test_a_visit_with_the_same_input_is_flagged_in_whatever_room_there_is():
    events = [task("critique", id=f"c{step}", step=step, input={"n": 1}) for step in range(1, 4)]
    session = play(*events, *(result("critique", id=f"c{step}", step=step) for step in range(1, 4)))
    assert "⚠ same input ×3" in drawn(session)[2]
    assert "⚠ same" not in drawn(session)[0]
    assert "⚠×3" in drawn(session, width=24)[2]


def test_a_breakpoint_stands_beside_the_step():
    rows = NodeRows()
    rows.marks = frozenset({"b"})
    session = play(task("a"), result("a"), task("b", step=2))
    rows.update(session, Filter(), 0)
    assert rows.row(1, 60)[1] == ("●", "error")
    assert rows.row(0, 60)[1] == (" ", "")


def test_a_task_names_the_tools_that_it_calls():
    call = SpanStarted(span="s", kind="tool", name="web_search", task="tools", node="tools")
    row = drawn(play(task("tools"), call))[0]
    assert "tools ⚙ web_search" in row
    assert row.count("⚙") == 1
    call = replace(call, name="transfer_to_research_expert")
    assert "⚙ transfer_to_r…" in drawn(play(task("tools"), call), width=40)[0]


def test_a_failure_is_named_even_where_there_is_little_room():
    error = {"type": "openai.RateLimitError", "message": "", "traceback": ""}
    session = play(
        task("plan"), result("plan"), task("fetch_rates", step=2, triggers=("branch:to:fetch_rates",)),
        attempt("fetch_rates"), result("fetch_rates", step=2, error=error),
    )  # fmt: skip
    assert "RateLimitError" in drawn(session, width=44)[1]
    assert "←" not in drawn(session, width=44)[1]
    assert "RateLimitError" in drawn(session, width=32)[1]
    assert "RateLimit" in drawn(session, width=28)[1]
    assert "← plan" in drawn(session)[1]


def test_a_task_that_another_one_calls_names_its_caller():
    session = play(task("entry"), task("double", triggers=("__pregel_push",)))
    assert "← entry · call" in drawn(session)[1]


def many(number, **more):
    return [task("work", id=f"w{at}", step=2, triggers=("__pregel_push",), **more) for at in range(number)]


def test_many_lanes_of_a_node_are_one_row_with_their_states():
    events = [task("plan"), result("plan"), *many(300), *(attempt(f"w{at}") for at in range(12))]
    events += [failed("work", id=f"w{at}", step=2) for at in range(20, 23)]
    rows = drawn(play(*events), width=70)
    assert len(rows) == 2
    assert "work ×300  12 running  3 failed  285 waiting" in rows[1]
    assert len(drawn(play(task("plan"), result("plan"), *many(50)))) == 51


def test_a_fan_out_that_is_opened_has_its_lanes_below_and_keeps_its_place_while_more_come():
    session = play(task("plan"), result("plan"), *many(60))
    rows = NodeRows()
    rows.update(session, Filter(), 0)
    key = rows.key(1)
    assert not rows.fold(0)
    assert rows.fold(1)
    rows.update(session, Filter(), 0)
    assert len(rows) == 62
    assert rows.index_of(key) == 1
    assert rows.index_of(rows.key(7)) == 7
    rows.fold(1)
    rows.update(session, Filter(), 0)
    assert len(rows) == 2


def grown(rows, session, *events):
    """The steps whose lines were made anew for these events."""
    made = []
    for event in events:
        session.apply(replace(event, at=session.now + 0.1))
    rows._tree._add, add = lambda step, *rest: made.append(step) or add(step, *rest), rows._tree._add
    rows.update(session, Filter(), session.now)
    del rows._tree._add
    return made


def test_only_the_steps_that_something_came_to_are_made_anew():
    session, rows = play(*(task("a", id=f"a{step}", step=step) for step in range(500))), NodeRows()
    rows.update(session, Filter(), session.now)
    assert grown(rows, session, task("b", step=500)) == [500]
    assert grown(rows, session, attempt("b")) == []
    assert grown(rows, session, task("c", step=7), task("inner", ns=("a:a3",))) == [3, 7]
    assert grown(rows, session, *(task("w", id=f"w{n}", step=9) for n in range(60))) == [9]
    assert grown(rows, session, result("w", id="w1", step=9)) == [9]
    assert grown(rows, session, *(result("w", id=f"w{n}", step=9) for n in range(60))) == [9]
    assert grown(rows, session, result("b", step=500)) == []


def test_many_lanes_rest_after_they_were_made_anew_and_are_right_at_the_end(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: clock.__setitem__(0, clock[0] + 0.001) or clock[0])
    monkeypatch.setattr(lanes, "CROWD", 100)
    session, rows = play(*(task("w", id=f"w{n}") for n in range(200))), NodeRows()
    rows.update(session, Filter(), session.now)
    made = [step for n in range(10) for step in grown(rows, session, result("w", id=f"w{n}"))]
    assert made == []
    clock[0] += 10
    assert grown(rows, session, result("w", id="w11")) == [1]
    assert rows.lines[0].of.states["done"] == 11
    grown(rows, session, result("w", id="w12"), ended())
    assert sum(rows.lines[0].of.states.values()) == rows.lines[0].of.states["done"] == 200


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12), st.integers(0, 5)), max_size=60), st.booleans())
@settings(deadline=None, max_examples=40)
@example([(0, 1, 1), (2, 0, 0), (8, 0, 0), (0, 0, 0), (7, 0, 0)], False)  # a run ends after a later one began
def test_lines_that_grew_are_those_that_are_made_of_all(story, opened):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "MANY", 2)
        session, rows = play(task("w", id="t0")), NodeRows()
        rows.update(session, Filter(), session.now)
        if opened:
            rows._opened.add(("r1", "t0"))
        for what, number, step in story:
            inside = (f"w:t{number // 2}",) if step % 2 else ()
            one = f"t{number}"
            event = [
                task("w", id=one, step=step), task("v", id=one, step=step), task("w", id=f"i{number}", ns=inside, step=1),
                attempt(one), result("w", id=one, step=step), failed("w", id=one), result("h", id=f"h{number}", ns=inside),
                ended(), run(f"r{number}", resume="yes" if step else None),
            ][what]  # fmt: skip
            session.apply(replace(event, at=session.now + 0.1))
            rows.update(session, Filter(), session.now)
        fresh = NodeRows()
        fresh._opened |= rows._opened
        fresh.update(session, Filter(), session.now)
        assert rows.lines == fresh.lines

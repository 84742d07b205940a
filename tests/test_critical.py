"""The critical path: whose end the run waited for, and who had time to spare."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgwatch.critical import critical_path
from lgwatch.tui.timeline.shares import share_rows
from tests.factories import attempt, ended, failed, play, result, run, task

NS = ("team:team",)


def at(moment, event):
    return replace(event, at=moment)


def lasted(node, start, end, triggers=(), **more):
    """A task that began at once, and ended."""
    begun = replace(attempt(node), task=more.get("id", node))
    return [at(start, task(node, triggers=triggers, **more)), at(start, begun), at(end, result(node, **more))]


def played(*events):
    told = sorted(
        (one for each in events for one in (each if isinstance(each, list) else [each])), key=lambda one: one.at
    )
    return play(*told)


def test_of_each_step_the_task_that_ended_last_held_the_run_up():
    session = played(
        at(0.001, run()), lasted("plan", 0.01, 1.0), lasted("web", 1.0, 6.0, step=2), lasted("wiki", 1.0, 3.0, step=2),
        lasted("write", 6.0, 8.0, step=3), at(8.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert [one.node for one in found.chain] == ["plan", "web", "write"]
    assert found.slack[session.task("wiki")] == pytest.approx(3.0)
    assert [one.path for one in found.shares()] == ["web", "write", "plan", "wiki"]
    assert found.nodes["web"].seconds == pytest.approx(5.0)
    assert found.nodes["wiki"].seconds == 0
    assert found.between == pytest.approx(0.01, abs=0.01)


def test_a_task_that_runs_a_graph_has_only_what_its_own_tasks_left_over():
    session = played(
        at(0.001, run()), lasted("team", 0.01, 5.0), lasted("ask", 0.5, 2.0, ns=NS), lasted("read", 2.0, 4.5, ns=NS, step=2),
        at(5.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert {task.node for task in found.chain} == {"team", "ask", "read"}
    assert found.nodes["team"].seconds == pytest.approx(0.99)
    assert sum(found.chain.values()) + found.between == pytest.approx(found.total)


def test_what_runs_inside_a_task_with_time_to_spare_can_spare_that_too():
    session = played(
        at(0.001, run()), lasted("slow", 0.01, 9.0), lasted("team", 0.01, 5.0), lasted("ask", 0.5, 5.0, ns=NS),
        lasted("look", 0.5, 4.0, ns=NS), at(9.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert [one.node for one in found.chain] == ["slow"]
    assert found.slack[session.task("ask")] == pytest.approx(4.0)
    assert found.slack[session.task("look")] == pytest.approx(5.0)


def test_a_task_that_another_one_calls_is_inside_of_it():
    push = ("__pregel_push",)
    session = played(
        at(0.001, run()), lasted("main", 0.01, 6.0), lasted("one", 1.0, 2.0, triggers=push), lasted("two", 2.5, 5.5, triggers=push),
        at(6.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert found.nodes["two"].seconds == pytest.approx(3.0)
    assert found.nodes["main"].seconds == pytest.approx(5.99 - 1.0 - 3.0)
    assert found.shares()[0].path == "two"


def test_calls_that_run_side_by_side_are_not_inside_of_each_other():
    push = ("__pregel_push",)
    session = played(
        at(0.001, run()), lasted("main", 0.01, 6.0), lasted("t0", 1.0, 5.0, triggers=push), lasted("t1", 1.1, 2.0, triggers=push),
        lasted("t2", 1.2, 3.0, triggers=push), at(6.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert found.nodes["t0"].seconds == pytest.approx(4.0)
    assert found.nodes["t2"].seconds == 0
    assert found.slack[session.task("t2")] == pytest.approx(2.0 + found.slack[session.task("t0")])
    assert found.nodes["main"].seconds == pytest.approx(5.99 - 4.0)


def opened(node, start, inside=None):
    """A call that has not ended, in the task named `inside`."""
    begun = replace(attempt(node), parent=f"{inside}-1" if inside else "")
    return [at(start, task(node, triggers=("__pregel_push",) if inside else ())), at(start, begun)]


def test_a_call_is_inside_of_the_task_in_whose_span_it_ran():
    session = played(
        at(0.001, run()),
        opened("main", 0.01),
        opened("a", 1.0, "main"),
        opened("b", 1.1, "main"),
        opened("a1", 2.0, "a"),
    )
    found = critical_path(session.runs, 10.0)
    assert found.nodes["a1"].seconds == pytest.approx(8.0)
    assert found.nodes["a"].seconds == pytest.approx(1.0)
    assert found.nodes["b"].seconds == 0


def test_calls_can_be_nested_deeper_than_functions_can():
    many = 1_500
    calls = [opened(f"n{number}", float(number), f"n{number - 1}") for number in range(1, many)]
    session = played(at(0.001, run()), opened("n0", 0.01), *calls)
    found = critical_path(session.runs, float(many))
    assert len(found.chain) == many
    assert found.nodes[f"n{many - 1}"].seconds == pytest.approx(1.0)


def test_tasks_that_were_sent_for_together_are_peers():
    push = ("__pregel_push",)
    session = played(
        at(0.001, run()), lasted("ask", 0.01, 3.0, id="a1", triggers=push), lasted("ask", 0.01, 5.0, id="a2", triggers=push),
        at(5.0, ended()),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert [one.id for one in found.chain] == ["a2"]


def test_what_runs_ends_now_and_a_run_without_tasks_has_no_chain():
    session = played(at(0.001, run()), at(0.01, task("a")), at(0.01, attempt("a")))
    found = critical_path(session.runs, 4.0)
    assert found.nodes["a"].seconds == pytest.approx(3.99)
    assert not critical_path(play().runs, 1.0).chain
    assert not critical_path([], 1.0).shares()


def shown(session, width):
    return ["".join(text for text, _ in row) for row in share_rows(critical_path(session.runs, session.now), width)]


def test_the_table_tells_shares_and_slack_in_the_room_that_it_has():
    session = played(
        at(0.001, run()), lasted("plan", 0.01, 1.0), lasted("web", 1.0, 6.0, step=2), lasted("wiki", 1.0, 3.0, step=2),
        at(8.0, ended()),
    )  # fmt: skip
    for width in (30, 48):
        head, first, second, between, spare = shown(session, width)
        assert head.split() == ["critical", "path", "took", "slack"]
        assert first.split()[0] == "63%"
        assert "web" in first
        assert "plan" in second
        assert "between" in between
        assert spare.split() == ["wiki", "+3.00s"]
        assert all(len(line) == width for line in (head, first, second, between, spare))
    assert "█" not in shown(session, 30)[1]


def test_a_path_that_has_no_room_is_its_node():
    session = played(
        at(0.001, run()), lasted("team", 0.001, 5.0), lasted("a_rather_long_name", 0.001, 5.0, ns=NS), at(5.0, ended())
    )  # fmt: skip
    assert shown(session, 34)[1].split()[1].startswith("a_rather")
    assert shown(session, 60)[1].split()[2] == "team/a_rather_long_name"
    assert "slack" not in shown(session, 60)[0]


def test_who_was_cancelled_because_another_task_failed_did_not_hold_the_run_up():
    cancelled = {"type": "CancelledError", "message": "", "traceback": ""}
    session = played(
        at(0.001, run()), at(0.01, task("web")), at(0.01, attempt("web")), at(0.01, task("wiki")),
        at(0.01, attempt("wiki")), at(4.0, failed("web")), at(4.1, result("wiki", error=cancelled)), at(4.1, ended("failed")),
    )  # fmt: skip
    found = critical_path(session.runs, session.now)
    assert [one.node for one in found.chain] == ["web"]
    assert found.slack[session.task("wiki")] == 0.0
    assert found.between == pytest.approx(0.1, abs=0.02)


def test_who_was_cancelled_with_the_run_held_it_up():
    session = played(
        at(0.001, run()),
        lasted("web", 0.01, 1.0),
        at(0.01, task("wiki")),
        at(0.01, attempt("wiki")),
        at(4.0, ended("stopped")),
    )
    assert [one.node for one in critical_path(session.runs, session.now).chain] == ["wiki"]

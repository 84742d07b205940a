"""Tasks that end at the same time in threads: each update and each interrupt is told with its own task."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.types import Interrupt

from lgwatch.events import Interrupted, TaskEnded, Updated
from tests.runner.runs import Recorded, parts


def began(task: str) -> tuple[Any, str, Any]:
    payload = {"id": task, "name": "work", "input": None, "triggers": ()}
    return (), "debug", {"type": "task", "step": 1, "payload": payload}


def ended(task: str, result: Any, *asked: Interrupt) -> tuple[Any, str, Any]:
    told = [{"value": one.value, "id": one.id} for one in asked]
    payload = {"id": task, "name": "work", "error": None, "result": result, "interrupts": told}
    return (), "debug", {"type": "task_result", "step": 1, "payload": payload}


def updated(update: Any) -> tuple[Any, str, Any]:
    return (), "updates", {"work": update}


def pins(events: Recorded) -> dict[str, Any]:
    return {event.task: event.writes for event in events.of(Updated)}


@pytest.mark.parametrize(
    ("one", "other", "results"),
    [
        ({"log": [1]}, {"log": [2]}, None),
        ("one", "two", [{"__return__": "one"}, {"__return__": "two"}]),
        (None, {"log": [2]}, [{}, None]),
    ],
)
def test_updates_that_come_before_both_results_are_each_pinned_to_their_own_task(
    one: Any, other: Any, results: Any
) -> None:
    first, second = (given or update for given, update in zip(results or (None, None), (one, other), strict=True))
    first = {} if first is None else first
    events = parts(began("a"), began("b"), updated(one), updated(other), ended("b", second), ended("a", first))
    assert pins(events) == {"a": one, "b": other}
    assert {event.task: event.writes for event in events.of(TaskEnded)} == {"a": first, "b": second}


def test_interrupts_that_come_before_both_results_are_each_their_own_tasks() -> None:
    one, other = Interrupt(value="one?", id="i1"), Interrupt(value="other?", id="i2")
    asked = [((), "updates", {"__interrupt__": (question,)}) for question in (one, other)]
    events = parts(began("a"), began("b"), *asked, ended("b", {}, other), ended("a", {}, one))
    assert {event.task: event.value for event in events.of(Interrupted)} == {"a": "one?", "b": "other?"}


def test_an_update_waits_while_other_graphs_go_on() -> None:
    inner = (("sub:s",), "debug", {"type": "task", "step": 1, "payload": {**began("x")[2]["payload"], "name": "other"}})
    one, other = {"log": [1]}, {"log": [2]}
    events = parts(began("a"), began("b"), updated(other), inner, ended("b", other), updated(one), ended("a", one))
    assert pins(events) == {"a": one, "b": other}


def test_an_update_that_no_result_follows_is_told_when_its_graph_goes_on() -> None:
    events = parts(began("a"), updated({"log": [1]}), began("b"))
    assert [type(event).__name__ for event in events] == ["TaskStarted", "Updated", "TaskStarted"]
    assert pins(events) == {"a": {"log": [1]}}

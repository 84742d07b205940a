"""Breakpoints after a node, which LangGraph before 1.2 tells of before the checkpoint that says what is next."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from lgwatch.events import CheckpointSaved, Interrupted
from lgwatch.runner.pending import breakpoints, state_of
from tests.runner.runs import MODES, Recorded, line, parts


def saved(*following: str, step: int = 0) -> tuple[Any, str, Any]:
    config = {"configurable": {"checkpoint_id": str(step)}}
    payload = {"config": config, "metadata": {"step": step, "source": "loop"}, "next": following, "values": {}}
    return (), "debug", {"type": "checkpoint", "step": step, "payload": payload}


def began(node: str) -> tuple[Any, str, Any]:
    payload = {"id": node, "name": node, "input": None, "triggers": ()}
    return (), "debug", {"type": "task", "step": 1, "payload": payload}


def ended(node: str) -> tuple[Any, str, Any]:
    payload = {"id": node, "name": node, "error": None, "result": {}, "interrupts": []}
    return (), "debug", {"type": "task_result", "step": 1, "payload": payload}


STOP = ((), "updates", {"__interrupt__": ()})


def told(events: Recorded) -> list[str]:
    return [event.node for event in events.of(Interrupted)]


def test_a_breakpoint_before_the_next_checkpoint_is_looked_up_and_not_guessed() -> None:
    events = parts(saved("a"), began("a"), ended("a"), STOP)
    assert told(events) == []
    assert events.decoder.stopped_after


def test_a_breakpoint_behind_a_checkpoint_is_at_what_is_next() -> None:
    events = parts(saved("a"), began("a"), ended("a"), saved("b", step=1), STOP)
    assert told(events) == ["b"]
    assert not events.decoder.stopped_after
    assert len(events.of(CheckpointSaved)) == 2


async def test_what_is_next_is_where_the_thread_stands_in_every_graph() -> None:
    def a(state: Any) -> Any:
        return {"log": ["a"]}

    def b(state: Any) -> Any:
        return {"log": ["b"]}

    inner = line(a, b, interrupt_after=["a"])
    graph = line(inner, b, names=["sub", "end"], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke({"log": []}, config)
    state = await state_of(graph, config)
    assert state.values["log"] == []
    (event,) = breakpoints(state)
    assert (event.interrupt, event.node, event.ns[0].partition(":")[0]) == ("breakpoint:b", "b", "sub")


@pytest.mark.parametrize("nested", [False, True])
def test_the_checkpoint_that_the_stream_has_not_told_is_told_in_the_end(nested: bool) -> None:
    def a(state: Any) -> Any:
        return {"log": ["a"]}

    saver: dict[str, Any] = {"checkpointer": InMemorySaver()}
    inner = line(a, interrupt_after=["a"], **({} if nested else saver))
    graph = line(inner, a, names=["sub", "end"], **saver) if nested else inner
    config: Any = {"configurable": {"thread_id": "1"}}
    told = list(graph.stream({"log": []}, config, stream_mode=MODES, subgraphs=True))
    over = max(
        number for number, (_, mode, part) in enumerate(told) if mode == "debug" and part["type"] == "task_result"
    )
    as_before = [part for number, part in enumerate(told) if number <= over or part[1] != "debug"]
    state = graph.get_state(config, subgraphs=True)
    for stream in (as_before, told):
        events = parts(*stream)
        events.decoder.stands_at(state)
        saved = events.of(CheckpointSaved)
        assert [event.next for event in saved if event.ns] == ([("__start__",), ("a",), ()] if nested else [])
        assert len({event.checkpoint for event in saved}) == len(saved), "one is told twice"
        assert saved[-1].values == {"log": ["a"], "messages": []}

"""What a thread waits at where the stream does not tell: after a run that failed, and at some breakpoints. And how an
answer of a run that failed is taken back.

Only the public interface of checkpointers is used: what a task wrote last is read, and its answers are written anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lgwatch.events import Interrupted, Json
from lgwatch.runner.decode import interrupt_id

PATIENCE = 5.0
"""Seconds that a checkpointer has to tell what waits."""
_INTERRUPT, _RESUME = "__interrupt__", "__resume__"
_NO_RESULTS = {_INTERRUPT, _RESUME, "__error__", "__error_source_node__", "__scheduled__"}
"""Channels that a task may have written to without having ended well."""


async def still_asked(
    graph: Any, config: Mapping[str, Any], asked: Mapping[str, Interrupted]
) -> dict[str, Interrupted]:
    """Return those of the interrupts, by id, that the thread waits at: their tasks have no result yet."""

    async def waits() -> dict[str, Interrupted]:
        events = {name: event for name, event in asked.items() if not name.startswith("breakpoint:")}
        return {name: event for name, event in events.items() if await _writers(graph, config, event)}

    return await asyncio.wait_for(waits(), PATIENCE)


async def state_of(graph: Any, config: Mapping[str, Any]) -> Any:
    """Return the state that a thread stands at, in which a task holds that of the graph that it runs."""

    async def look() -> Any:
        try:
            return await graph.aget_state(config, subgraphs=True)
        except NotImplementedError:
            return await asyncio.to_thread(graph.get_state, config, subgraphs=True)

    return await asyncio.wait_for(look(), PATIENCE)


def breakpoints(state: Any, ns: tuple[str, ...] = ()) -> Iterator[Interrupted]:
    """Yield the breakpoints that a thread stands at: before the nodes that are next."""
    for task in state.tasks:
        inner = list(breakpoints(task.state, (*ns, f"{task.name}:{task.id}"))) if hasattr(task.state, "tasks") else []
        yield from inner or [Interrupted(ns=ns, interrupt=f"breakpoint:{task.name}", node=task.name)]


async def take_back(graph: Any, config: Mapping[str, Any], answered: Iterable[tuple[Interrupted, Json]]) -> None:
    """Take back answers that a run has failed of: LangGraph keeps what was answered once, and would give it again."""
    saver = graph.checkpointer
    for event, answer in answered:
        for task, (found, writes) in (await _writers(graph, config, event)).items():
            given = next((value for channel, value in writes if channel == _RESUME), None)
            # Not there, or another: the run did not come as far as to use the answer.
            if isinstance(given, list) and given and given[-1] == answer:
                await _call(saver, "put_writes", found.config, [(_RESUME, given[:-1])], task)


async def _writers(
    graph: Any, config: Mapping[str, Any], event: Interrupted
) -> dict[str, tuple[Any, list[tuple[str, Any]]]]:
    """Return the tasks that wait at an interrupt: by id, their checkpoint and what they wrote."""
    saver = getattr(graph, "checkpointer", None)
    if not hasattr(saver, "get_tuple"):
        return {}
    place = {"configurable": {**config["configurable"], "checkpoint_ns": "|".join(event.ns)}}
    found = await _call(saver, "get_tuple", place)
    writes: dict[str, list[tuple[str, Any]]] = {}
    for task, channel, value in (found.pending_writes or ()) if found is not None else ():
        writes.setdefault(task, []).append((channel, value))
    return {
        task: (found, own)
        for task, own in writes.items()
        if all(channel in _NO_RESULTS for channel, _ in own)
        and any(channel == _INTERRUPT and event.interrupt in _ids(value) for channel, value in own)
    }


def _ids(value: Any) -> list[str]:
    return [interrupt_id(one) for one in (value if isinstance(value, list | tuple) else [value])]


async def _call(saver: Any, name: str, *arguments: Any) -> Any:
    """Call the asynchronous form of a checkpointer's method, or where there is none, the other."""
    try:
        return await getattr(saver, f"a{name}")(*arguments)
    except NotImplementedError:
        return await asyncio.to_thread(getattr(saver, name), *arguments)

"""What a journal tells, as an account: the form in which the runner tells what a graph does when nobody watches.

An account is plain JSON: `{"runs": […], "state": …}`, where a run has its end and, by their kind, its facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike

import lgwatch
from lgwatch.errors import JournalError
from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    Interrupted,
    Json,
    MessageChunk,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
    path,
)  # fmt: skip
from lgwatch.records import Message, Run, Task

SECTIONS: dict[str, tuple[str, ...]] = {
    "tasks": ("triggers", "input", "writes", "error", "asked", "end"),
    "updates": ("node", "writes", "own"),
    "messages": (
        "path", "role", "name", "model", "text", "thought", "calls", "others", "usage", "tags", "whole", "status",
    ),
    "custom": ("path", "data"),
    "order": ("kind",),
    "interrupts": ("path", "value", "schema"),
    "breakpoints": (),
    "checkpoints": ("step", "source", "next", "values", "parent"),
    "attempts": ("path", "status", "error"),
    "calls": ("path", "status", "error", "given"),
    "tools": ("path", "name", "status", "error", "input"),
}  # fmt: skip
"""What is compared: the kinds of facts, and what each of them tells."""


def account_of(journal: str | PathLike[str]) -> dict[str, Json]:
    """Return what a journal tells, in the form in which the runner takes an account.

    Raises JournalError, also where a run has no beginning, as that of a graph that does not load, or no end.
    """
    session = lgwatch.read_journal(journal)
    told: list[list[Event]] = []
    for event in lgwatch.events(journal):
        if isinstance(event, RunStarted):
            told.append([])
        if told:
            told[-1].append(event)
    ends = (_end(events) for events in told)
    if len(told) != len(session.runs) or not all(ends):
        raise JournalError(f"{journal} does not tell of whole runs", "one that has begun and come to its end is needed")
    runs = [
        _run(run, events, [message for message in session.message_list if message.run == run.id])
        for run, events in zip(session.runs, told, strict=True)
    ]
    state: Json = None
    for event in (event for events in told for event in events):
        if isinstance(event, CheckpointSaved) and not event.ns:
            state = {"values": event.values, "next": list(event.next)}
    return {"runs": runs, "state": state}


def _end(events: Iterable[Event]) -> RunEnded | None:
    return next((event for event in events if isinstance(event, RunEnded)), None)


def _run(run: Run, events: Sequence[Event], messages: Iterable[Message]) -> dict[str, Json]:
    result = _end(events)
    assert result is not None, "only whole runs are told of"
    begun = {event.task: event for event in events if isinstance(event, TaskStarted)}
    over = {event.task: event for event in events if isinstance(event, TaskEnded)}
    spans = list(_spans(events))
    asked = [event for event in events if isinstance(event, Interrupted)]
    messages = list(messages)
    return {
        "status": run.status,
        "error": _error(result.error),
        "output": result.output,
        "tasks": [_task(task, begun.get(task.id), over.get(task.id)) for task in run.tasks.values()],
        "updates": [_update(event, over.values()) for event in events if isinstance(event, Updated)],
        "messages": [_message(message) for message in messages],
        "custom": [
            {"task": event.task, "path": path(event.ns, event.node), "data": event.data}
            for event in events
            if isinstance(event, CustomWritten)
        ],
        "order": list(_order(events)),
        "interrupts": [
            {"task": event.task, "path": path(event.ns, event.node), "value": event.value, "schema": event.schema}
            for event in asked
            if not event.interrupt.startswith("breakpoint:")
        ],
        "breakpoints": [path(event.ns, event.node) for event in asked if event.interrupt.startswith("breakpoint:")],
        "checkpoints": [_checkpoint(event) for event in events if isinstance(event, CheckpointSaved)],
        "attempts": [told for kind, told in spans if kind == "node"],
        "calls": [told | {"given": told["input"]} for kind, told in spans if kind == "llm"],
        "tools": [told for kind, told in spans if kind == "tool"],
        "concurrent": [],
    }


def _task(task: Task, begun: TaskStarted | None, over: TaskEnded | None) -> dict[str, Json]:
    return {
        "task": task.id, "parent": task.parent.id if task.parent is not None else "", "node": task.node,
        "step": task.step, "triggers": list(task.triggers), "input": begun.input if begun is not None else None,
        "writes": over.writes if over is not None else None, "error": _error(over.error if over is not None else None),
        "asked": len(task.interrupts), "end": "" if task.closed_by else task.status,
    }  # fmt: skip


def _update(event: Updated, results: Iterable[TaskEnded]) -> dict[str, Json]:
    """Return an update; it is its task's `own` unless only the result of another task of this node says the same."""
    alike = [
        one.task
        for one in results
        if (one.ns, one.node) == (event.ns, event.node) and _returned(one.writes) == _returned(event.writes)
    ]
    return {
        "ns": list(event.ns), "node": event.node, "writes": event.writes, "own": not alike or event.task in alike
    }  # fmt: skip


def _returned(writes: Json) -> Json:
    """Return the value of a task that wrote nothing else: a `@task`'s, an entrypoint's."""
    if isinstance(writes, dict) and len(writes) == 1 and (key := next(iter(writes))) in {"__return__", "__end__"}:
        return writes[key]
    return writes


def _order(events: Iterable[Event]) -> Iterator[dict[str, Json]]:
    begun: set[str] = set()
    for event in events:
        if isinstance(event, CustomWritten):
            yield {"task": event.task, "kind": "custom"}
        elif isinstance(event, MessageChunk) and event.message not in begun:
            begun.add(event.message)
            yield {"task": event.task, "kind": "message"}


def _message(message: Message) -> dict[str, Json]:
    texts = dict.fromkeys(("text", "reasoning", "tool_result"), "")
    calls: list[Json] = []
    for part in message.parts:
        if part.kind in texts:
            texts[part.kind] += part.text
        if part.tool_call is None:
            continue
        call: dict[str, Json] = {key: part.tool_call[key] for key in ("name", "id", "status") if key in part.tool_call}
        if part.kind == "tool_call":
            call = {"name": "", "id": "", **call, "args": _arguments(part.text)}
        calls.append(call)
    return {
        "task": message.task, "role": message.role, "name": message.name, "text": texts["text"] + texts["tool_result"],
        "thought": texts["reasoning"], "calls": calls, "others": sum(part.kind == "other" for part in message.parts),
        "usage": message.usage, "tags": sorted(message.tags), "whole": message.whole, "path": message.path,
        "model": message.model, "status": message.status,
    }  # fmt: skip


def _arguments(text: str) -> Json:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _checkpoint(event: CheckpointSaved) -> dict[str, Json]:
    return {
        "ns": list(event.ns), "id": event.checkpoint, "parent": event.parent, "step": event.step,
        "source": event.source, "next": list(event.next), "values": event.values,
    }  # fmt: skip


def _spans(events: Iterable[Event]) -> Iterator[tuple[str, dict[str, Json]]]:
    open_: dict[str, dict[str, Json]] = {}
    kinds: dict[str, str] = {}
    for event in events:
        if isinstance(event, SpanStarted):
            kinds[event.span] = event.kind
            open_[event.span] = {
                "task": event.task, "path": path(event.ns, event.node), "name": event.name, "status": "open",
                "error": None, "input": event.input,
            }  # fmt: skip
        elif isinstance(event, SpanEnded) and event.span in open_:
            open_[event.span].update(status=event.status, error=_error(event.error))
    for name, told in open_.items():
        yield kinds[name], told


def _error(error: Mapping[str, Json] | None) -> dict[str, Json] | None:
    return {"type": error.get("type"), "message": error.get("message")} if error else None

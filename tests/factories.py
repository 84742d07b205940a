"""Events as tests write them: one short call each, and `play` to fold them into a session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

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
)  # fmt: skip
from lgwatch.session import Session

CALL = "01a1b2c3-0000-4000-8000-{:012}"
"""Run ids of LLM calls, as LangChain makes them."""


def play(*events: Event | Iterable[Event], start: bool = True) -> Session:
    """Return the session of these events, a tenth of a second apart where none says when it was.

    A run "r1" on thread "1" is begun first, unless the events do it or `start` is False.
    """
    told = [one for event in events for one in ((event,) if isinstance(event, Event) else event)]
    if start and not (told and isinstance(told[0], RunStarted)):
        told.insert(0, run())
    session, at = Session(), 0.0
    for event in told:
        at = event.at or round(at + 0.1, 6)
        session.apply(replace(event, at=at))
    return session


def run(name: str = "r1", *, thread: str = "1", input: Json = None, **more: Any) -> RunStarted:  # noqa: A002  its name
    return RunStarted(run=name, thread=thread, input=input, **more)


def resumed(answers: Json = None, *, name: str = "r2", thread: str = "1", ended: str = "interrupted") -> list[Event]:
    """The first run ends waiting, and another goes on with the answers."""
    return [RunEnded(run="r1", status=ended), RunStarted(run=name, thread=thread, resume=answers)]


def ended(status: str = "done", name: str = "r1", **more: Any) -> RunEnded:
    return RunEnded(run=name, status=status, **more)


def task(node: str, *, id: str = "", ns: tuple[str, ...] = (), step: int = 1, **more: Any) -> TaskStarted:  # noqa: A002
    """A task of the node; its id is the node's name unless told."""
    return TaskStarted(task=id or node, node=node, ns=ns, step=step, **more)


def result(node: str, *, id: str = "", ns: tuple[str, ...] = (), step: int = 1, **more: Any) -> TaskEnded:  # noqa: A002
    return TaskEnded(task=id or node, node=node, ns=ns, step=step, **more)


def failed(node: str, message: str = "boom", **more: Any) -> TaskEnded:
    return result(node, error={"type": "ValueError", "message": message, "traceback": ""}, **more)


def interrupted(node: str, value: Json = "go on?", *, id: str = "", ns: tuple[str, ...] = ()) -> list[Event]:  # noqa: A002
    """The node asks, and its task ends there; the interrupt's id is `ask-NODE` unless told."""
    name = id or f"ask-{node}"
    return [Interrupted(interrupt=name, value=value, task=node, node=node, ns=ns), result(node, interrupts=(name,))]


def update(node: str, writes: Json, **more: Any) -> Updated:
    return Updated(task=node, node=node, writes=writes, **more)


def attempt(node: str, number: int = 1, **more: Any) -> SpanStarted:
    """The node's function is really entered."""
    return SpanStarted(span=f"{node}-{number}", kind="node", name=node, task=node, node=node, **more)


def call(number: int = 1, *, node: str = "writer", model: str = "gpt-4o", **more: Any) -> SpanStarted:
    """An LLM call begins."""
    return SpanStarted(
        span=CALL.format(number), kind="llm", name="ChatOpenAI", task=node, node=node, model=model, **more
    )


def called(number: int = 1, **more: Any) -> SpanEnded:
    """An LLM call ends."""
    return SpanEnded(span=CALL.format(number), **more)


def span_end(span: str, **more: Any) -> SpanEnded:
    return SpanEnded(span=span, **more)


def token(text: str = "", number: int = 1, *, node: str = "writer", message: str = "", **more: Any) -> MessageChunk:
    """A chunk of the message of the LLM call with this number."""
    name = message or "lc_run--" + CALL.format(number)
    return MessageChunk(message=name, node=node, task=node, step=1, text=text, **more)


def said(text: str, *, message: str = "m1", node: str = "writer", role: str = "ai", **more: Any) -> MessageChunk:
    """A message in one piece, as a node returns it."""
    return MessageChunk(
        message=message, node=node, task=node, step=1, role=role, text=text, whole=True, last=True, **more
    )


def custom(data: Json, node: str = "writer", **more: Any) -> CustomWritten:
    return CustomWritten(task=node, node=node, data=data, **more)


def checkpoint(name: str, *, step: int = 0, **more: Any) -> CheckpointSaved:
    return CheckpointSaved(checkpoint=name, step=step, **more)

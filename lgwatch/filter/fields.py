"""What can be asked of a record: one table, and how each field is got from events, tasks, messages and facets.

A field that a record does not have (`None`, or no such attribute) says nothing about it, neither for nor against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from lgwatch.events import path
from lgwatch.filter import payloads

Of = Literal["kind", "task", "moment", "size", "line"]
"""What has to be looked at: what an event has in common with others, its task, its time, how long its line is, or the line."""


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked: `get` gives a record's values (None: the record has no such thing)."""

    get: Callable[[Any], Iterable[Any] | None]
    help: str
    number: bool = False
    of: Of = "kind"


def _one(name: str) -> Callable[[Any], Iterable[Any] | None]:
    def get(record: Any) -> Iterable[Any] | None:
        value = getattr(record, name, None)
        return None if value is None else (value,)

    return get


def _some(name: str) -> Callable[[Any], Iterable[Any] | None]:
    """Where an empty string means that there is none: what a person says has no model, for or against."""

    def get(record: Any) -> Iterable[Any] | None:
        value = getattr(record, name, None)
        return (value,) if value else None

    return get


_ALIKE = {"failed": ("failed", "error"), "error": ("error", "failed"), "crashed": ("crashed", "failed", "error")}
"""Tasks and runs that fail are `failed`, spans `error`, a run whose process died `crashed`: one word finds them all."""


def _status(record: Any) -> Iterable[str] | None:
    value = getattr(record, "status", None)
    return None if value is None else _ALIKE.get(value, (value,))


def _level(record: Any) -> Iterable[str] | None:
    """Who asks the console for a level does not mean prints, which have none; a warning's own level is its class."""
    value, stream = getattr(record, "level", None), getattr(record, "stream", None)
    if stream == "warning":
        return (value or "", "WARNING")
    return (value,) if value else None if stream is None else ()


def _path(record: Any) -> Iterable[str] | None:
    where = getattr(record, "path", None)
    if where is None and getattr(record, "ns", None) is not None:
        where = path(record.ns, getattr(record, "node", ""))
    return None if where is None else (where,)


def _node(record: Any) -> Iterable[str] | None:
    """Its node, and the nodes around it: whoever asks for `research` means what happens inside it too."""
    own = getattr(record, "node", None)
    around = getattr(record, "ns", None)
    if around is None:
        around = getattr(record, "around", None)
    if around is not None:
        names = [segment.rpartition(":")[0] or segment for segment in around if not segment.isdecimal()]
        return [own, *names] if own else names
    where = _path(record)
    if where is None:
        return None if own is None else (own,)
    return [*([own] if own else []), *(name for whole in where for name in whole.split("/"))]


def _tasks(record: Any) -> Iterable[str] | None:
    """Its task, and the tasks around it."""
    own = getattr(record, "task", None)
    if own is None or isinstance(own, tuple):
        return own
    ns = getattr(record, "ns", ())
    return (own, *(segment.rpartition(":")[2] for segment in ns if ":" in segment)) if ns else (own,)


def _tokens(record: Any) -> Iterable[int] | None:
    value = getattr(record, "tokens", None)
    return None if value is None else (value[0] if isinstance(value, tuple) else value,)


FIELDS: dict[str, Field] = {
    "node": Field(_node, "node that produced it, or that it happened inside of"),
    "path": Field(_path, "node path from the root graph, such as research/web"),
    "tag": Field(lambda record: getattr(record, "tags", None), "tag of the model, the call, the node or the run"),
    "type": Field(_one("type"), "event type: message custom task task_result update checkpoint span_start …"),
    "kind": Field(_one("kind"), "message: text reasoning tool_call tool_result; span: node llm tool"),
    "role": Field(_one("role"), "message role: ai human system tool"),
    "model": Field(_some("model"), "model name"),
    "name": Field(_some("name"), "name of a tool, a span or a message's author"),
    "tool": Field(lambda record: getattr(record, "tools", None) or _tool(record), "tool that was called"),
    "status": Field(_status, "how it ended, or running: done failed interrupted stopped ok error"),
    "level": Field(_level, "level of a log line, which a print has not: INFO WARNING ERROR"),
    "stream": Field(_one("stream"), "stdout stderr log warning"),
    "run": Field(_one("run"), "run id: r1, r2 …"),
    "task": Field(_tasks, "task id: what belongs to the task or happened inside of it", of="task"),
    "step": Field(_one("step"), "superstep: step=3, step>=2, step=3..7", number=True),
    "attempt": Field(_one("attempts"), "attempts of the task: attempt>1", number=True, of="task"),
    "dur": Field(_one("took"), "seconds that the task, or the message's call, took: dur>1s", number=True, of="task"),
    "tok": Field(_tokens, "output tokens of the task, or of the message: tok>=100", number=True, of="task"),
    "t": Field(_one("at"), "seconds that the run had run, as the header tells them: t>5", number=True, of="moment"),
    "size": Field(_one("size"), "bytes of the event's line: size>1MB", number=True, of="size"),
    "state": Field(
        payloads.state, "the state as tasks saw and wrote it: state.route=deep, state.count>3, state:cats", of="line"
    ),
    "data": Field(payloads.data, "what a custom event holds: data.url:*arxiv*", of="line"),
    "text": Field(_one("text"), "text of a token, a payload, a line; a bare word means the same"),
}
"""Everything that can be asked, in the order in which help shows it."""


def _tool(record: Any) -> Iterable[str] | None:
    if getattr(record, "kind", "") not in ("tool", "tool_call", "tool_result"):
        return None
    return (record.name,) if record.name else ()

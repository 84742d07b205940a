"""The vocabulary: what can happen in a run, as frozen, JSON-safe facts.

Every class is one line type of the journal; `type` is the name on the line, the fields are the keys. A field that
equals its default is left out on the line. Nothing here reads a clock, a file or a LangChain object.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeAlias

Json: TypeAlias = Any
"""A value of the JSON data model: None, bool, int, float, str, list, or dict with str keys. Python's type system
cannot say this in a way that is of use to its readers; `values.py` is what makes it true."""

Namespace: TypeAlias = tuple[str, ...]
"""Where a graph runs: segments `node:task_id`, outermost first; () is the root graph. A further graph that is called
inside the same task appends a bare number (`"1"`, `"2"` …), so a segment need not hold a colon."""


def path(ns: Namespace, node: str = "") -> str:
    """Return where something happened in names that a person reads: `research/web`."""
    names = [segment.rpartition(":")[0] or segment for segment in ns if not segment.isdecimal()]
    return "/".join([*names, node] if node else names)


def parent_task(ns: Namespace) -> str:
    """Return the id of the task that runs the graph of this namespace, "" for the root graph or if nothing tells it."""
    for segment in reversed(ns):
        if not segment.isdecimal():
            return segment.rpartition(":")[2] if ":" in segment else ""
    return ""


def error_text(error: Mapping[str, Json]) -> str:
    """Return an error in words: its type, what it says, and in parentheses what it came from if it does not say so."""
    text = ": ".join(part for part in (str(error.get("type") or ""), str(error.get("message") or "")) if part)
    return f"{text} ({error['cause']})" if error.get("cause") else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The journal's first line; `started` is wall-clock time in ISO 8601, UTC; `extra` holds keys of other versions."""

    version: int = 1
    target: str = ""
    started: str = ""
    python: str = ""
    langgraph: str = ""
    extra: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in the graph's process.

    `at` is in seconds since the header's `started`, and never goes backwards; `ns` is the graph that emitted it.
    """

    type: ClassVar[str] = ""
    at: float = 0.0
    ns: Namespace = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLoaded(Event):
    """The target was loaded.

    A node is `{id, name, kind, file?, line?, subgraph?, router?}` with `kind` one of `start end node subgraph tool`; an
    edge is `{source, target, conditional, label?, router?}`. A `router` is the name of the function that chooses: of one
    edge, or of all of a node's that are not told. Schemas are JSON Schemas, None when the graph cannot tell.
    `channels` has the keys of each graph's state, with the name of what joins several writes to one: `{"": {"notes":
    "add", "topic": ""}}`; a graph is called by the `subgraph` of its node, the root "", and a key without such a
    reducer keeps what was written last.
    """

    type: ClassVar[str] = "graph"
    target: str = ""
    nodes: list[dict[str, Json]] = field(default_factory=list)
    edges: list[dict[str, Json]] = field(default_factory=list)
    input_schema: Json = None
    output_schema: Json = None
    context_schema: Json = None
    channels: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """One invocation of the graph began: a fresh `input`, answers in `resume` (interrupt id → answer), or a `fork`
    (checkpoint id)."""

    type: ClassVar[str] = "run"
    run: str = ""
    thread: str = ""
    input: Json = None
    resume: Json = None
    fork: str | None = None
    config: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(Event):
    """A node was scheduled in a step; the same task id again is another visit of the same task (after a resume)."""

    type: ClassVar[str] = "task"
    task: str = ""
    node: str = ""
    step: int = 0
    triggers: tuple[str, ...] = ()
    input: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded(Event):
    """A task ended: with `writes`, with an `error` (`{type, message, traceback}`, and `cause` where the message does not
    tell what it came from), or at `interrupts` (their ids)."""

    type: ClassVar[str] = "task_result"
    task: str = ""
    node: str = ""
    step: int = 0
    writes: Json = None
    error: dict[str, Json] | None = None
    interrupts: tuple[str, ...] = ()
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(Event):
    """The `updates` part: what a node returned; None when it returned nothing."""

    type: ClassVar[str] = "update"
    task: str = ""
    node: str = ""
    writes: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChunk(Event):
    """One chunk of a message.

    `message` is the same for all chunks of one LLM call. `kind` is `text`, `reasoning`, `tool_call`, `tool_result` or
    `other`; for a `tool_call`, `text` is the next piece of its JSON arguments and `tool_call` is `{index, id?, name?}`;
    for a `tool_result`, `tool_call` is `{id, status?}` and `name` the tool's name; for `other`, `tool_call` is None and
    `text` a one-line JSON of the content block. `whole` marks a message that came in one piece, `last` its final
    chunk. `usage` holds `input_tokens`, `output_tokens` and whatever else the provider reports; the usage of a message
    is the sum over its chunks. `tags` are the model's and the node's together.
    """

    type: ClassVar[str] = "message"
    message: str = ""
    role: str = "ai"
    node: str = ""
    task: str = ""
    step: int = 0
    tags: tuple[str, ...] = ()
    model: str = ""
    text: str = ""
    kind: str = "text"
    last: bool = False
    whole: bool = False
    usage: dict[str, Json] | None = None
    name: str = ""
    tool_call: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Event):
    """A chunk of text that differs from another one, `like`, in time and text alone: no line of its own, but what a line of
    the journal may be told as, to whoever asked for that. Tokens are most of a journal, and this is half the work."""

    like: MessageChunk
    text: str = ""

    def chunk(self) -> MessageChunk:
        """Return the chunk itself."""
        return replace(self.like, at=self.at, text=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomWritten(Event):
    """A node wrote `data` with the stream writer. `task` is empty when the writer could not be told."""

    type: ClassVar[str] = "custom"
    task: str = ""
    node: str = ""
    data: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved(Event):
    """The state was saved between two steps; `source` is `input`, `loop`, `update` or `fork`."""

    type: ClassVar[str] = "checkpoint"
    checkpoint: str = ""
    parent: str | None = None
    step: int = 0
    source: str = ""
    next: tuple[str, ...] = ()
    values: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """A node asks for an answer; once per interrupt id in a run. `schema` is the JSON Schema of the answer, if there is one.

    A run that failed tells again, before its end, what its thread still waits at.

    A static breakpoint has no id of its own: `interrupt` is `breakpoint:NODE` and `value` is None.
    """

    type: ClassVar[str] = "interrupt"
    interrupt: str = ""
    value: Json = None
    task: str = ""
    node: str = ""
    schema: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanStarted(Event):
    """Work inside a task really began, as the run's callbacks tell: one attempt of a node, an LLM call, a tool …

    `kind` is `node`, `llm`, `tool`, `retriever` or `chain`.
    """

    type: ClassVar[str] = "span_start"
    span: str = ""
    parent: str = ""
    kind: str = ""
    name: str = ""
    task: str = ""
    node: str = ""
    model: str = ""
    input: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEnded(Event):
    """A span ended; `status` is `ok` or `error`."""

    type: ClassVar[str] = "span_end"
    span: str = ""
    status: str = "ok"
    error: dict[str, Json] | None = None
    usage: dict[str, Json] | None = None
    output: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Event):
    """What the graph's process printed or logged; `stream` is `stdout`, `stderr`, `log` or `warning`."""

    type: ClassVar[str] = "output"
    stream: str = "stdout"
    text: str = ""
    task: str = ""
    node: str = ""
    level: str = ""
    logger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueStored(Event):
    """A value that later events refer to as `{"$ref": id}`."""

    type: ClassVar[str] = "value"
    id: str = ""
    data: Json = None


NOTICES = {
    "blocked": "a node blocks the event loop, and where",
    "breakpoint": "a breakpoint that stops nothing, or from which nothing can go on; a `breakpoint()` that was passed over",
    "checkpointer": "what checkpoints are kept in, where that is not the graph's own",
    "close": "what the target opened was closed, and had something to say",
    "command": "a command to the runner that it does not know",
    "compiled": "the target was compiled for the run",
    "custom": "the nodes of custom events are inferred: this LangGraph does not tell them",
    "cut": "the journal became shorter while it was read; its reader says so, and the journal does not have it",
    "doctor": "a finding of `lgwatch doctor`; behind a colon, how bad it is",
    "interpreter": "which interpreter the graph runs in, where it is not lgwatch's",
    "gone": "the journal was removed or replaced while it was read; its reader says so, and the journal does not have it",
    "internal": "a fault of lgwatch; what came before it and after it stands",
    "interrupt": "a question that nobody can answer",
    "loading": "the target's imports take long",
    "loop": "the graph stopped the event loop",
    "lost": "events that could not be written",
    "needs_input": "the run was started without input, and needs one",
    "old": "the langgraph in use is older than what is tested",
    "process_died": "the graph's process ended after the run",
    "python310": "what Python 3.10 does not tell",
    "torn": "a line of the journal that is damaged",
    "unknown_key": "a node wrote a key that the state does not have",
    "veil": "what is left out of the journal, on request",
    "waiting": "what is next, or what waits for an answer, cannot be told",
}
"""Every code of a notice, and what it means. More may come; none takes another meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something lgwatch itself has to say, of a task where it is about one; `code` is one of `NOTICES`."""

    type: ClassVar[str] = "notice"
    code: str = ""
    text: str = ""
    task: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopDelayed(Event):
    """The event loop of an async run did not turn for a while: a fact about the process, of no task and no node.

    `delay` is the longest time, in seconds, that something had to wait for its turn within the `window`: the seconds up
    to `at`. Only delays that are felt are told (of 0.05 s and more), and at most two a second.
    """

    type: ClassVar[str] = "loop"
    delay: float = 0.0
    window: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """The run's last event; `status` is `done`, `interrupted`, `failed`, `stopped` or `crashed`."""

    type: ClassVar[str] = "run_result"
    run: str = ""
    status: str = "done"
    error: dict[str, Json] | None = None
    output: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """A line of a type that this version does not know: kept, shown, never an error."""

    kind: str = ""
    data: dict[str, Json] = field(default_factory=dict)


EVENTS: dict[str, type[Event]] = {
    cls.type: cls
    for cls in (
        GraphLoaded, RunStarted, TaskStarted, TaskEnded, Updated, MessageChunk, CustomWritten, CheckpointSaved,
        Interrupted, SpanStarted, SpanEnded, Output, ValueStored, Notice, LoopDelayed, RunEnded,
    )
}  # fmt: skip
"""Line type → class, in the order of the table in the documentation."""


def defaults(cls: type[Event]) -> dict[str, Json]:
    """Return the fields of an event class with the value that each has when it is left out, in their order."""
    empty = cls()
    return {f.name: getattr(empty, f.name) for f in fields(cls)}


def _quick(cls: type[Event]) -> None:
    """Let events be made by the setters of their slots, with the same arguments.

    A frozen dataclass sets each field by name, by way of `object`, and that is a good part of what an event costs.
    """
    if any(one.default is MISSING for one in fields(cls)):  # made anew for each event: a list
        return
    known = defaults(cls)
    space: dict[str, Any] = {f"_{name}": value for name, value in known.items()}
    space |= {f"_set_{name}": getattr(cls, name).__set__ for name in known}
    arguments = ", ".join(f"{name}=_{name}" for name in known)
    lines = [f"def __init__(self, *, {arguments}):", *(f"_set_{name}(self, {name})" for name in known)]
    exec("\n ".join(lines), space)  # noqa: S102 - of our own names only
    cls.__init__ = space["__init__"]  # type: ignore[method-assign]


for _cls in EVENTS.values():
    _quick(_cls)


class _Callable(ModuleType):
    """What `lgwatch.events` is: this module, and the function of the public API that reads the events of a journal."""

    def __call__(self, path: str | PathLike[str]) -> Iterator[Event]:
        from lgwatch.journal import resolved_events

        return resolved_events(Path(path))


sys.modules[__name__].__class__ = _Callable

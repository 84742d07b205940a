"""The index of a session's events: a few bytes for each, in columns. The journal holds the rest.

What events have in common (type, node, tags, step …) is a Facet, kept once; an event is its facet's number, its time
and its task. A filter is asked once per facet, not once per event.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import NamedTuple

from lgwatch.columns import TAIL, Column
from lgwatch.events import (
    Event,
    Json,
    MessageChunk,
    Namespace,
    Output,
    RunEnded,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Unknown,
    ValueStored,
    path,
)  # fmt: skip

KNOWN = 4_096
"""Facets that are looked for before another is made, or one for every 16 events, where these are more: what was alike long
ago seldom comes again, as steps go on, and then has two numbers."""


class Facet(NamedTuple):
    """What a filter can ask of an event without reading its line; None where the event's type has no such thing."""

    type: str
    path: str
    node: str
    step: int | None
    run: str
    tags: tuple[str, ...] | None = None
    kind: str | None = None
    role: str | None = None
    model: str | None = None
    name: str | None = None
    status: str | None = None
    level: str | None = None
    stream: str | None = None
    around: tuple[str, ...] | None = None
    """Its namespace without the ids of tasks, where a name has a slash in it and `path` does not tell the nodes."""


def facet(event: Event, run: str, tool: str = "", step: int | None = None) -> Facet:
    """Return what the event is to a filter; `tool` names the tool that the pieces of a call belong to, `step` is the
    step of its task, for events that do not tell it."""
    found = _facet(event, run, tool, step)
    if event.ns and any("/" in segment for segment in event.ns):
        return found._replace(around=tuple(segment[: segment.rfind(":") + 1] or segment for segment in event.ns))
    return found


def _facet(event: Event, run: str, tool: str, step: int | None) -> Facet:
    node = getattr(event, "node", "")
    where = path(event.ns, node)
    step = getattr(event, "step", step)
    if type(event) is MessageChunk:
        name = tool or event.name or None
        return Facet(
            event.type, where, node, step, run, event.tags, event.kind, event.role, event.model or None, name
        )  # fmt: skip
    if type(event) is SpanStarted:
        return Facet(event.type, where, node, step, run, kind=event.kind, name=event.name, model=event.model or None)
    if type(event) is TaskEnded:
        status = "failed" if event.error else "interrupted" if event.interrupts else "done"
        return Facet(event.type, where, node, step, run, status=status)
    if isinstance(event, (SpanEnded, RunEnded)):
        return Facet(event.type, where, node, step, run, status=event.status)
    if type(event) is Output:
        return Facet(event.type, where, node, step, run, level=event.level or None, stream=event.stream)
    return Facet(event.kind if type(event) is Unknown else event.type, where, node, step, run)


class EventIndex:
    """Columns over all events by sequence number; number 0 is the journal's header, which is no event."""

    def __init__(self) -> None:
        self.at = Column("d", [0.0])
        self.facet = Column("I", [0])
        self.task = Column("I", [0])
        self.facets: list[Facet] = [Facet("", "", "", None, "")]
        self.of_type: dict[str, Column[int]] = {}
        """The events of each type."""
        self.tasks: list[str] = [""]
        self.around: list[tuple[str, ...]] = [()]
        """Ids of the tasks around each of `tasks`, innermost last."""
        self.firsts = array("I", [1])
        """The first event of each of `tasks`; none of its events is before."""
        self._steps: dict[int, int] = {}
        self._spans: dict[str, tuple[int, int]] = {}  # those that have not ended: facet and task
        self._facet_ids: dict[Facet, int] = {self.facets[0]: 0}
        self._size = 1
        self._add = self.at.append, self.facet.append, self.task.append
        self._types: list[Callable[[int], None]] = [Column[int]("I").append]  # by facet: what takes an event's number
        self._task_ids: dict[str | Namespace, int] = {"": 0, (): 0}
        self._token_facets: dict[tuple[object, ...], int] = {}
        self._tools: dict[tuple[str, str], str] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, event: Event, run: str) -> int:
        """Note the event; return its sequence number."""
        if type(event) is MessageChunk:
            number = self._token(event, run)
            task = self._task_ids.get(event.task)
            if task is None or not task:
                task = self._intern_task(event.task, event.ns)
        elif type(event) is SpanEnded:
            number, task = self._ended(event, run)
        else:
            task = self._intern_task(getattr(event, "task", ""), event.ns)
            if type(event) is TaskStarted:
                self._steps[task] = event.step
            number = self._intern(facet(event, run, step=self._steps.get(task)))
            if type(event) is SpanStarted:
                self._spans[event.span] = (number, task)
        return self.go_on(number, task, event.at)

    def go_on(self, number: int, task: int, at: float) -> int:
        """Note an event with the facet and of the task that have these numbers; return its sequence number."""
        seq = self._size
        self._size = seq + 1
        self._types[number](seq)
        add_at, add_facet, add_task = self._add
        add_at(at)
        add_facet(number)
        add_task(task)
        if not seq % TAIL:
            self._settle()
        return seq

    def _settle(self) -> None:
        """Let what is old go out of memory."""
        self.at.settle()
        for column in (self.facet, self.task, *self.of_type.values()):
            column.settle()

    def _ended(self, event: SpanEnded, run: str) -> tuple[int, int]:
        """The end of a span says only which one; what and whose it was is known since its start."""
        ended = facet(event, run)
        if event.span not in self._spans:
            return self._intern(ended), 0
        number, task = self._spans.pop(event.span)
        return self._intern(self.facets[number]._replace(type=ended.type, run=run, status=ended.status)), task

    def _token(self, event: MessageChunk, run: str) -> int:
        """Tokens are many and alike: their facets are found without being built."""
        tool = self._tool(event, event.tool_call) if event.tool_call else ""
        key = (
            event.ns, event.node, event.step, run, event.tags, event.kind, event.role, event.model, event.name, tool
        )  # fmt: skip
        number = self._token_facets.get(key)
        if number is None:
            if len(self._token_facets) >= max(KNOWN, self._size >> 4):
                self._token_facets.clear()
            number = self._token_facets[key] = self._intern(facet(event, run, tool))
        return number

    def _tool(self, event: MessageChunk, call: dict[str, Json]) -> str:
        """Only the first piece of a tool call names the tool."""
        key = (event.message, repr(call.get("index")))
        if name := call.get("name"):
            self._tools[key] = str(name)
        return self._tools.get(key, "")

    def _intern(self, new: Facet) -> int:
        number = self._facet_ids.get(new)
        if number is None:
            if len(self._facet_ids) >= max(KNOWN, self._size >> 4):
                self._facet_ids.clear()
                self._token_facets.clear()
            number = self._facet_ids[new] = len(self.facets)
            self.facets.append(new)
            self._types.append(self.of_type.setdefault(new.type, Column("I")).append)
        return number

    def _intern_task(self, task: str, ns: Namespace) -> int:
        number = self._task_ids.get(task or ns)
        if number is None:
            number = self._task_ids[task or ns] = len(self.tasks)
            self.tasks.append(task)
            self.firsts.append(len(self.at))
            self.around.append(tuple(segment.rpartition(":")[2] for segment in ns if ":" in segment))
        return number

    def number_of(self, task: str) -> int | None:
        """Return the number that a task has in the column, None when no event is its."""
        return self._task_ids.get(task)

    def facet_of(self, seq: int) -> Facet:
        """Return the facet of an event."""
        return self.facets[self.facet[seq]]

    def task_of(self, seq: int) -> str:
        """Return the id of an event's task, "" when it has none."""
        return self.tasks[self.task[seq]]


def shown(facet: Facet) -> bool:
    """Whether an event is one that people count: stored values are plumbing."""
    return facet.type != ValueStored.type

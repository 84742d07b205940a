"""The index of a session's events: a few bytes for each, in columns. The journal holds the rest.

What events have in common (type, node, tags, step …) is a Facet, kept once; an event is its facet's number, its time
and its task. A filter is asked once per facet, not once per event.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import compress
from typing import NamedTuple

from lgwatch.events import (
    Event,
    Json,
    MessageChunk,
    Output,
    RunEnded,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    Unknown,
    ValueStored,
    path,
)  # fmt: skip


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


def facet(event: Event, run: str, tool: str = "") -> Facet:
    """Return what the event is to a filter; `tool` names the tool that the pieces of a call belong to."""
    node = getattr(event, "node", "")
    where = path(event.ns, node)
    step = getattr(event, "step", None)
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
        self.at = array("d", [0.0])
        self.facet = array("I", [0])
        self.task = array("I", [0])
        self.facets: list[Facet] = [Facet("", "", "", None, "")]
        self.tasks: list[str] = [""]
        self._facet_ids: dict[Facet, int] = {self.facets[0]: 0}
        self._task_ids: dict[str, int] = {"": 0}
        self._token_facets: dict[tuple[object, ...], int] = {}
        self._tools: dict[tuple[str, str], str] = {}

    def __len__(self) -> int:
        return len(self.at)

    def add(self, event: Event, run: str) -> int:
        """Note the event; return its sequence number."""
        if type(event) is MessageChunk:
            number = self._token(event, run)
            task = event.task
        else:
            number = self._intern(facet(event, run))
            task = getattr(event, "task", "")
        seq = len(self.at)
        self.at.append(event.at)
        self.facet.append(number)
        self.task.append(self._intern_task(task))
        return seq

    def _token(self, event: MessageChunk, run: str) -> int:
        """Tokens are many and alike: their facets are found without being built."""
        tool = self._tool(event, event.tool_call) if event.tool_call else ""
        key = (
            event.ns, event.node, event.step, run, event.tags, event.kind, event.role, event.model, event.name, tool
        )  # fmt: skip
        number = self._token_facets.get(key)
        if number is None:
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
            number = self._facet_ids[new] = len(self.facets)
            self.facets.append(new)
        return number

    def _intern_task(self, task: str) -> int:
        number = self._task_ids.get(task)
        if number is None:
            number = self._task_ids[task] = len(self.tasks)
            self.tasks.append(task)
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


class Moment(NamedTuple):
    """What a filter can ask of a single event: when it was, and whose. Everything else is in its facet."""

    at: float
    task: str


class Selection:
    """The sequence numbers of the events that a question keeps; grows with the index, asked once per facet.

    `each` is asked of every event whose facet is kept, for questions about its moment.
    """

    def __init__(
        self, index: EventIndex, keep: Callable[[Facet], bool], each: Callable[[Moment], bool] | None = None
    ) -> None:
        self._index = index
        self._keep = keep
        self._each = each
        self._verdicts = bytearray()
        self._seen = 1
        self.seqs = array("I")
        self.update()

    def update(self) -> int:
        """Take in the events that came since; return how many of them are kept."""
        index = self._index
        for number in range(len(self._verdicts), len(index.facets)):
            self._verdicts.append(number > 0 and bool(self._keep(index.facets[number])))
        before, end = len(self.seqs), len(index)
        if self._seen < end:
            verdicts = map(self._verdicts.__getitem__, index.facet[self._seen : end])
            kept = compress(range(self._seen, end), verdicts)
            each = self._each
            self.seqs.extend(
                kept if each is None else (seq for seq in kept if each(Moment(index.at[seq], index.task_of(seq))))
            )
            self._seen = end
        return len(self.seqs) - before

    def __len__(self) -> int:
        return len(self.seqs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.seqs)


def shown(facet: Facet) -> bool:
    """Whether an event is one that people count: stored values are plumbing."""
    return facet.type != ValueStored.type

"""Where a front end's events come from: what every source can do, and the recording, a journal of somebody else.

A source reads a journal and never keeps what it read; what the events mean is the session's business. The source that
runs a graph of its own is `LiveRun`, in `live`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Protocol

from lgwatch.events import Event, Header, Json, Notice, RunEnded, RunStarted
from lgwatch.journal import JournalReader, encode
from lgwatch.store import being_written

GRACE = 2.0
"""Seconds that a journal nobody writes to may still get its last line: from the watcher of a process that died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run a graph with. `input` counts when `has_input`; `timeout` is in seconds; None is the graph's default.

    A run without `thread` gets a new one.
    """

    input: Json = None
    has_input: bool = False
    message: str | None = None
    thread: str | None = None
    config: dict[str, Json] = field(default_factory=dict)
    context: Json = None
    recursion_limit: int | None = None
    interrupt_before: tuple[str, ...] = ()
    interrupt_after: tuple[str, ...] = ()
    timeout: float | None = None


class Source(Protocol):
    """What a front end needs. `path` is the journal's, `label` what is watched, as the user named it."""

    path: Path
    label: str
    brief: bool
    """Whether `poll` may tell a chunk as `Again`; False at first."""

    @property
    def live(self) -> bool:
        """Whether commands have an effect."""

    @property
    def header(self) -> Header | None:
        """The journal's first line; None until it is there."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will come, and everything has been polled."""

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the new events, for at most about `budget` seconds of work. Never waits."""

    def now(self) -> float:
        """Seconds since the journal's start; the last event's when nothing more will come."""

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, without the newline; 0 is the header."""

    def size(self, seq: int) -> int:
        """Return how many bytes the line with this number has."""

    def block(self, seq: int, size: int) -> tuple[bytes, array[int]]:
        """Return the lines from this number on that begin in the next `size` bytes, and where each of them begins."""

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""

    def value(self, ref: str) -> Json:
        """Return a stored value, its own references unresolved. Raises KeyError when there is none."""

    def value_seq(self, ref: str) -> int:
        """Return the number of the line that stores a value. Raises KeyError."""

    def spawn(self) -> None:
        """Begin to load what is to be run."""

    def start(self, request: RunRequest) -> None:
        """Run the graph."""

    def resume(self, answers: dict[str, Json] | None) -> None:
        """Go on after interrupts with answers by interrupt id, or after a breakpoint with None."""

    def stop(self) -> str:
        """Stop the run by the next rung of the ladder; return its name, "" when nothing runs."""

    def close(self) -> None:
        """Let go; the graph's process, if any, has ended afterwards."""


class Tail:
    """A journal that is being read: what both kinds of sources have in common."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        self.brief = False
        self.reader: JournalReader | None = None
        self.zero: float | None = None
        self.last = 0.0

    @property
    def header(self) -> Header | None:
        """The journal's first line; None until it is there."""
        if self.reader is None:
            self.open()
        return self.reader.header if self.reader is not None else None

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, without the newline; 0 is the header."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.raw(seq)

    def size(self, seq: int) -> int:
        """Return how many bytes the line with this number has."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.size(seq)

    def block(self, seq: int, size: int) -> tuple[bytes, array[int]]:
        """Return the lines from this number on that begin in the next `size` bytes, and where each of them begins."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.block(seq, size)

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.line(seq)

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.resolved(seq)

    def value(self, ref: str) -> Json:
        """Return a stored value, its own references unresolved. Raises KeyError when there is none."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.value(ref)

    def value_seq(self, ref: str) -> int:
        """Return the number of the line that stores a value. Raises KeyError."""
        assert self.reader is not None, "no line was polled yet"
        return self.reader.value_seq(ref)

    def open(self) -> bool:
        """Open the journal once its header is complete."""
        try:
            with self.path.open("rb") as file:
                if not file.readline().endswith(b"\n"):
                    return False
        except OSError:
            return False
        self.reader = JournalReader(self.path)
        try:
            started = datetime.fromisoformat(self.reader.header.started.replace("Z", "+00:00"))
            self.zero = monotonic() - (datetime.now(timezone.utc) - started).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a zone
            self.zero = None
        return True

    def read(self, budget: float | None = None) -> list[Event]:
        """Return the events that were appended since the last call."""
        if self.reader is None and not self.open():
            return []
        assert self.reader is not None
        events = self.reader.poll(budget, brief=self.brief)
        if events:
            self.last = max(self.last, events[-1].at)
        return events

    def ticking(self) -> float:
        """Seconds since the journal's start, by the clock."""
        return self.last if self.zero is None else max(self.last, monotonic() - self.zero)


class Recording(Tail):
    """A journal that somebody else writes or wrote; with `follow`, what is still being written is waited for."""

    live = False

    def __init__(self, path: Path, *, follow: bool = False) -> None:
        """Raises JournalError when there is no journal at `path`."""
        super().__init__(path, path.name)
        if not self.open() and not (follow and path.is_file()):
            self.reader = JournalReader(path)
        self._follow = follow
        self._ended = False  # the last run's result was read
        self._quiet_since = monotonic()
        self._finished = False
        self._torn: Notice | None = None
        self._torn_seq = 0
        if self.reader is not None and self.reader.header.target:
            self.label = self.reader.header.target

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self._finished

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the new events; with the last of them a notice when the file ends in the middle of a line."""
        if self._finished:
            return []
        written = self._follow and being_written(self.path)  # asked first: what is written before is read below
        events = self.read(budget)
        if events:
            self._quiet_since = monotonic()
            ends = [type(event) is RunEnded for event in events if isinstance(event, (RunStarted, RunEnded))]
            self._ended = ends[-1] if ends else self._ended
        elif not written and (not self._follow or self._ended or monotonic() - self._quiet_since > GRACE):
            self._finished = True
            return self._cut()
        return events

    def _cut(self) -> list[Event]:
        if self.reader is None or not self.reader.torn:
            return []
        self._torn_seq = len(self.reader.offsets)
        self._torn = Notice(at=self.last, code="torn", text="the last line was cut off and is left out")
        return [self._torn]

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, or that of the notice about a torn line."""
        if self._torn is not None and seq == self._torn_seq:
            return encode(self._torn).rstrip(b"\n")
        return super().raw(seq)

    def size(self, seq: int) -> int:
        """Return how many bytes the line with this number has."""
        return len(self.raw(seq)) if self._torn is not None and seq == self._torn_seq else super().size(seq)

    def block(self, seq: int, size: int) -> tuple[bytes, array[int]]:
        """Return the lines from this number on that begin in the next `size` bytes, and where each of them begins."""
        if self._torn is not None and seq == self._torn_seq:
            return self.raw(seq), array("Q", [0])
        return super().block(seq, size)

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""
        if self._torn is not None and seq == self._torn_seq:
            return {"type": self._torn.type, "at": self._torn.at, "code": self._torn.code, "text": self._torn.text}
        return super().line(seq)

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""
        return self.line(seq) if self._torn is not None and seq == self._torn_seq else super().resolved(seq)

    def now(self) -> float:
        """Seconds since the journal's start: ticking while it is followed, else the last event's."""
        return self.ticking() if self._follow and not self._finished else self.last

    def spawn(self) -> None:
        """Do nothing."""

    def start(self, request: RunRequest) -> None:
        """Do nothing: a recording cannot be told anything."""

    def resume(self, answers: dict[str, Json] | None) -> None:
        """Do nothing."""

    def stop(self) -> str:
        """Return "": whoever started the run stops it."""
        return ""

    def close(self) -> None:
        """Let go of the file."""
        self._finished = True
        if self.reader is not None:
            self.reader.close()

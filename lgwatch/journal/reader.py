"""Reads journals, finished or growing: what is new in order, what is old by its number. Writes nothing."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from itertools import accumulate, takewhile
from pathlib import Path
from time import monotonic
from typing import TypeVar

import orjson

from lgwatch.columns import Column
from lgwatch.errors import JournalError
from lgwatch.events import Event, Json, Notice, ValueStored
from lgwatch.journal.extents import Extents
from lgwatch.journal.lines import Decoder, decode, decode_header, encode
from lgwatch.refs import resolve

CHUNK = 1 << 20
"""Bytes that are read from the file at a time."""
SOME, LONG = 64, 4096
"""Lines that are decoded between two looks at the clock, and bytes of a line after which there is one."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


class JournalReader:
    """Reads a journal, finished or growing: `poll` what is new, `line` what is old.

    `header` is there from the start; `offsets` holds the position of each line by sequence number, in bytes; `torn`
    tells that the file ends in the middle of a line. What happens to the file itself is told by a notice, as if it stood
    in it: that it was cut, or that its name was taken away. What was read before stays, and what comes then is read.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the journal. Raises JournalError when it cannot be read or is of a newer major version."""
        self.path = Path(path)
        self._fd = -1
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            first = self._first_line()
            self.header = decode_header(first, self.path)
        except OSError as error:
            self.close()
            raise cannot("read", self.path, error) from None
        except JournalError:
            self.close()
            raise
        self._decode = Decoder()
        self.offsets = Column("Q", [0])
        self._extents = Extents()
        self._gone = False  # whether the file has lost its name
        self._at = 0.0
        self._stored = Column("I", [0])  # the lines of the values v1, v2 …
        self._values: dict[str, int] = {}  # those of others
        self._position = len(first)  # in the file: the first byte that was not read yet
        self._pending: list[bytes] = []  # complete lines, read and not yet decoded, last first
        self._tail = bytearray()
        self._next = len(first)  # where the next line to decode begins

    @property
    def torn(self) -> bool:
        """Whether bytes follow the last complete line that was read."""
        return bool(self._tail)

    @property
    def position(self) -> tuple[int, int]:
        """Bytes decoded so far, and bytes in the file."""
        return self._extents.in_file(self._next), os.fstat(self._fd).st_size

    def poll(self, budget: float | None = None, *, brief: bool = False) -> list[Event]:
        """Return the events that were appended since the last call and before this one, oldest first.

        With a `budget` (seconds) it stops decoding when that time is used up; the rest comes with the next call. When
        `brief`, a chunk may be told as `Again`.
        """
        self._decode.brief = brief
        file = os.fstat(self._fd)
        end = file.st_size  # a file that grows faster than it is read would never let go
        events: list[Event] = []
        deadline = None if budget is None else monotonic() + budget
        while self._pending or self._fill(end) or self._lost_name(file):
            while some := self._some():
                self._place(some)
                read = list(map(self._decode, some))
                for place, event in enumerate(read, len(self.offsets) - len(read)):
                    if type(event) is ValueStored:
                        self._store(event.id, place)
                events += read
                self._at = read[-1].at
                if deadline is not None and monotonic() > deadline:
                    return events
        return events

    def _some(self) -> list[bytes]:
        """Take the next lines: so many that it makes no difference, or a long one alone."""
        pending = self._pending
        if pending and len(pending[-1]) > LONG:
            return [pending.pop()]
        some = pending[: -SOME - 1 : -1]
        if some and len(max(some, key=len)) > LONG:
            some = [*takewhile(lambda line: len(line) <= LONG, some)]
        del pending[len(pending) - len(some) :]
        return some

    def _place(self, lines: list[bytes]) -> None:
        """Note where lines begin."""
        *begins, self._next = accumulate(lines, lambda at, line: at + len(line) + 1, initial=self._next)
        self.offsets.extend(begins)

    def read(self) -> Iterator[Event]:
        """Yield the events that `poll` would return, without holding them all in memory."""
        end = os.fstat(self._fd).st_size
        while self._extents.in_file(self._next) < end and (events := self.poll(0.05)):
            yield from events

    def _store(self, ref: str, seq: int) -> None:
        if ref == f"v{len(self._stored)}":
            self._stored.append(seq)
            self._stored.settle()
        else:
            self._values[ref] = seq

    def _fill(self, end: int) -> bool:
        if end < self._position:
            told = f"the journal was cut to {end} bytes: what is not there any more cannot be looked at"
            self._tell("cut", told, end)
            return True
        # Not beyond the end that is known: what was appended since would look like a file that has become shorter.
        while self._position < end and (data := os.pread(self._fd, min(CHUNK, end - self._position), self._position)):
            self._position += len(data)
            self.offsets.settle()
            first, *more = data.split(b"\n")
            self._tail += first
            if more:
                self._pending = [*reversed(more[:-1]), bytes(self._tail)]
                self._tail = bytearray(more[-1])
                return True
        return False

    def _lost_name(self, file: os.stat_result) -> bool:
        if file.st_nlink or self._gone:
            return False
        self._gone = True
        self._tell(
            "gone",
            f"{self.path.name} was removed or replaced: what comes is read, and will not be kept",
            self._position - len(self._tail),  # what is torn comes after the notice
        )
        return True

    def _tell(self, code: str, text: str, size: int) -> None:
        """Let a notice be the next line; after it comes what the file has from `size` on."""
        line = encode(Notice(at=self._at, code=code, text=text))
        self._extents.tell(line, self._next, size)
        self._pending = [line[:-1]]
        if size < self._position:
            self._position = size
            self._tail.clear()

    def end(self) -> tuple[float, bool]:
        """Return the time of the newest event and whether a torn line follows it, without reading what is before."""
        size, span, last = os.fstat(self._fd).st_size, 1 << 16, 0.0
        first = self._extents.in_file(self._next)
        while True:
            start = max(first, size - span)
            *lines, rest = os.pread(self._fd, size - start, start).split(b"\n")
            if start > first:
                lines = lines[1:]  # begins anywhere
            # The last line may be damaged, or larger than what was read.
            last = max((decode(line).at for line in lines), default=0.0)
            if last or start == first:
                return last, bool(rest)
            span *= 8

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this sequence number as it stands, references unresolved; {} when it is damaged."""
        try:
            data = orjson.loads(self.raw(seq))
        except orjson.JSONDecodeError:
            return {}
        return data if isinstance(data, dict) else {}

    def size(self, seq: int) -> int:
        """Return how many bytes the line with this sequence number has, without the newline."""
        end = self.offsets[seq + 1] if seq + 1 < len(self.offsets) else self._next
        return end - self.offsets[seq] - 1

    def block(self, seq: int, size: int) -> tuple[bytes, array[int]]:
        """Return the lines from this sequence number on that begin in the next `size` bytes, and where each of them begins."""
        start = self.offsets[seq]
        last = max(bisect_right(self.offsets, start + size) - 1, seq)
        end = self.offsets[last + 1] if last + 1 < len(self.offsets) else self._next
        begins = array("Q", (offset - start for offset in self.offsets[seq : last + 1]))
        return self._extents.read(self._fd, start, end), begins

    def raw(self, seq: int) -> bytes:
        """Return the bytes of the line with this sequence number, without the newline."""
        start = self.offsets[seq]
        end = self.offsets[seq + 1] if seq + 1 < len(self.offsets) else self._next
        return self._extents.read(self._fd, start, end).rstrip(b"\n")

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with every reference replaced by the value it stands for."""
        found = resolve(self.line(seq), self.value)
        return found if isinstance(found, dict) else {}

    def value(self, ref: str) -> Json:
        """Return the stored value, its own references unresolved. Raises KeyError when there is none."""
        return self.line(self.value_seq(ref)).get("data")

    def value_seq(self, ref: str) -> int:
        """Return the number of the line that stores a value. Raises KeyError."""
        number = int(ref[1:]) if ref[:1] == "v" and ref[1:].isdecimal() and len(ref) < 12 else 0
        if ref in self._values or not 0 < number < len(self._stored):
            return self._values[ref]
        return self._stored[number]

    def _first_line(self) -> bytes:
        line = b""
        while b"\n" not in line and len(line) < CHUNK:  # a file that is no journal may have no lines at all
            data = os.pread(self._fd, 1 << 16, len(line))
            if not data:
                break
            line += data
        return line[: line.find(b"\n") + 1] or line

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, -1  # the number may soon be another file's
        with suppress(OSError):
            os.close(fd)


def resolved_events(path: Path | str) -> Iterator[Event]:
    """Yield the events of a journal with references resolved; `value` events themselves are left out.

    Raises JournalError like JournalReader.
    """
    reader = JournalReader(path)
    known: dict[str, Json] = {}
    try:
        for event in reader.read():
            if type(event) is ValueStored:
                known[event.id] = resolve(event.data, known.__getitem__)
            else:
                yield resolve_event(event, known.__getitem__)
    finally:
        reader.close()


def resolve_event(event: AnyEvent, lookup: Callable[[str], Json]) -> AnyEvent:
    """Return the event with the references in its payload fields replaced by what `lookup(id)` gives."""
    changed = {}
    for one in fields(event):
        value = getattr(event, one.name)
        if type(value) in (dict, list) and value:
            changed[one.name] = resolve(value, lookup)
    return replace(event, **changed) if changed else event


def cannot(verb: str, path: Path, error: OSError) -> JournalError:
    """Return what to raise when a journal's file cannot be read or written."""
    return JournalError(f"cannot {verb} {path}: {error.strerror}", "check the path and its permissions")

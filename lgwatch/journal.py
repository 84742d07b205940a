"""The journal: one JSON line per event, appended by whoever saw it. The only place where events become JSON.

The format, version 1, is described in the README ("The journal"). The header is line 0; a line's number is the
sequence number of its event.
"""

from __future__ import annotations

import fcntl
import os
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timezone
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import TypeVar

import orjson

from lgwatch.errors import JournalError
from lgwatch.events import EVENTS, Event, Header, Json, MessageChunk, Notice, Unknown, ValueStored, defaults
from lgwatch.refs import resolve
from lgwatch.values import snapshot

VERSION = 1
CHUNK = 1 << 20
"""Bytes that are read from the file at a time."""

AnyEvent = TypeVar("AnyEvent", bound=Event)

_DEFAULTS = {
    cls: [(name, value) for name, value in defaults(cls).items() if name != "at"] for cls in (*EVENTS.values(), Unknown)
}
# Lines are written at the rate of tokens and steps: one call for all of an event's values.
_FIELDS = {cls: (fields, attrgetter(*(name for name, _ in fields))) for cls, fields in _DEFAULTS.items()}
_KINDS = {cls: orjson.dumps(cls.type) for cls in EVENTS.values()}
_TEXT = "\0text\0"


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode_fields(event: Event) -> bytes:
    """Return the line's JSON object without `type` and `at`: b"{…}", fields that equal their default left out."""
    if type(event) is Unknown:
        return _dumps({"ns": event.ns, **event.data} if event.ns else event.data)
    fields, values = _FIELDS[type(event)]
    return _dumps({
        name: value
        for (name, default), value in zip(fields, values(event), strict=True)
        if value is not default and value != default
    })


def _dumps(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a lone surrogate or a huge integer in a name; payloads were made safe before
        return orjson.dumps(snapshot(value))


def encode(event: Event) -> bytes:
    """Return the event as one line of a journal, newline included."""
    return _line(event, event.at, encode_fields(event))


def _line(event: Event, at: float, rest: bytes) -> bytes:
    kind = _dumps(event.kind) if type(event) is Unknown else _KINDS[type(event)]
    if rest == b"{}":
        return b'{"type":%b,"at":%.6f}\n' % (kind, at)
    return b'{"type":%b,"at":%.6f,%b\n' % (kind, at, rest[1:])


class JournalWriter:
    """Appends events to a file: one `write` with O_APPEND each, so that what was seen survives any death.

    Safe to use from several threads, and beside another process that appends to the same file. A write that fails
    (disk full) is remembered in `failure` and never raised: watching must not end the run.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        target: str,
        python: str = "",
        langgraph: str = "",
        extra: dict[str, Json] | None = None,
    ) -> None:
        """Create `path` (mode 0600; its folder 0700 when missing) and write the header.

        Raises JournalError when the file exists already or cannot be created.
        """
        path = Path(path)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if isinstance(error, FileExistsError) and path.exists():
                raise JournalError(f"{path} exists already", "name another file with --journal, or remove it") from None
            raise _cannot("write", path, error) from None
        self._begin(fd, zero=monotonic())
        started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        header = {"lgwatch": VERSION, "target": target, "started": started, "python": python, "langgraph": langgraph}
        self._write(_dumps({**header, **(extra or {})}) + b"\n")

    def _begin(self, fd: int, *, zero: float, last: float = 0.0, torn: bool = False) -> None:
        self._fd = fd
        with suppress(OSError):  # a limit of fewer descriptors
            # High numbers: user code that closes "all" descriptors usually means the first few.
            self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
            os.close(fd)
        with suppress(OSError):  # tells the store of past runs that this one is being written
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._zero = zero
        self._last = last
        # Reentrant: a signal handler, or a `__del__` that the garbage collector runs in here, may print.
        self._lock = threading.RLock()
        self._torn = torn
        self.failure: OSError | None = None

    @classmethod
    def attach(cls, path: Path | str) -> JournalWriter:
        """Return a writer that goes on with an existing journal, on a fresh line. Raises JournalError."""
        reader = JournalReader(path)
        last = max((event.at for event in reader.read()), default=0.0)
        writer = cls.__new__(cls)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot("write", Path(path), error) from None
        try:
            started = datetime.fromisoformat(reader.header.started.replace("Z", "+00:00"))
            elapsed = (datetime.now(timezone.utc) - started).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a time zone
            elapsed = last
        zero = monotonic() - max(elapsed, last)
        writer._begin(fd, zero=zero, last=last, torn=reader.torn)  # noqa: SLF001  another way to construct itself
        reader.close()
        return writer

    def now(self) -> float:
        """Seconds since the header's `started`."""
        return monotonic() - self._zero

    def append(self, event: Event) -> None:
        """Write the event, stamped with the present moment whatever its `at` says."""
        rest = encode_fields(event)
        with self._lock:
            self._write(_line(event, self._stamp(), rest))

    def repeat(self, event: MessageChunk) -> Callable[[str], None]:
        """Return a function that appends `event` with another `text` each time: everything else is encoded once."""
        before, mark, after = encode_fields(replace(event, text=_TEXT)).partition(b'"text":' + _dumps(_TEXT))
        before = b"," + before[1:] + b'"text":'
        after += b"\n"

        def append_text(text: str) -> None:
            if not text or not mark:
                self.append(replace(event, text=text))
                return
            encoded = _dumps(text)
            with self._lock:
                self._write(b'{"type":"message","at":%.6f%b%b%b' % (self._stamp(), before, encoded, after))

        return append_text

    def _stamp(self) -> float:
        at = monotonic() - self._zero
        if at < self._last:  # another process's stamps may be ahead by a hair
            return self._last
        self._last = at
        return at

    def _write(self, line: bytes) -> None:
        if self._fd < 0:
            return
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self.failure = self.failure or error
            return
        self._torn = written < len(line)

    def close(self) -> None:
        """Stop writing; later events are lost silently."""
        with self._lock:
            fd, self._fd = self._fd, -1  # the number may soon be another file's
        with suppress(OSError):
            os.close(fd)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def decode(line: bytes) -> Event:
    """Return the event of one line. A line that is no JSON object becomes a `notice`, an unknown type an `Unknown`.

    A field that is not of its type counts as left out, and unknown fields are not part of the event; the line keeps
    them.
    """
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        data = None
    if type(data) is not dict:
        return Notice(code="torn", text=f"a damaged line of {len(line)} bytes was left out")
    kind = data.pop("type", "")
    cls = EVENTS.get(kind) if type(kind) is str else None
    if cls is None:
        at, ns = data.pop("at", None), data.pop("ns", None)
        return Unknown(at=at if type(at) in _TYPES["float"] else 0.0, ns=_strings(ns), kind=str(kind), data=data)
    event = _new(cls)
    for name, put, default, types in _SLOTS[cls]:
        if name not in data:
            put(event, default)
            continue
        value = data[name]
        if types is None or type(value) in types:
            put(event, value)
        else:
            put(event, _strings(value) if type(default) is tuple else default)
    return event


def _strings(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if type(value) is list else ()


_TYPES: dict[str, frozenset[type]] = {
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({float, int}),
    "bool": frozenset({bool}),
    "dict": frozenset({dict}),
    "list": frozenset({list}),
    "None": frozenset({type(None)}),
    "Namespace": frozenset(),
    "tuple": frozenset(),
}
"""JSON types of a field by the words of its annotation; a list becomes a tuple where one is meant."""


def _slots(cls: type[Event]) -> list[tuple[str, Callable[[Event, Json], None], Json, frozenset[type] | None]]:
    """Return name, setter, default and JSON types (None: any) of each field of an event class."""
    plan = []
    for one in fields(cls):
        words = [word.partition("[")[0].strip() for word in str(one.type).split("|")]
        types = None if words == ["Json"] else frozenset[type]().union(*(_TYPES[word] for word in words))
        plan.append((one.name, getattr(cls, one.name).__set__, defaults(cls)[one.name], types))
    return plan


# Frozen dataclasses are slow to build by their `__init__`, and this runs once for every token: the slots are set.
_new: Callable[[type[Event]], Event] = object.__new__
_SLOTS = {cls: _slots(cls) for cls in EVENTS.values()}


class JournalReader:
    """Reads a journal, finished or growing: `poll` what is new, `line` what is old.

    `header` is there from the start; `offsets` holds the byte position of each line by sequence number; `torn` tells
    that the file ends in the middle of a line.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the journal. Raises JournalError when it cannot be read or is of a newer major version."""
        self.path = Path(path)
        self._fd = -1
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            first = self._first_line()
            self.header = _header(first, self.path)
        except OSError as error:
            self.close()
            raise _cannot("read", self.path, error) from None
        except JournalError:
            self.close()
            raise
        self.offsets = array("Q", [0])
        self._values: dict[str, int] = {}
        self._position = len(first)  # of the first byte that no complete line was made of yet
        self._pending: list[bytes] = []  # complete lines, read and not yet decoded, last first
        self._tail = bytearray()
        self._next = len(first)  # byte offset of the next line to decode

    @property
    def torn(self) -> bool:
        """Whether bytes follow the last complete line that was read."""
        return bool(self._tail)

    @property
    def position(self) -> tuple[int, int]:
        """Bytes decoded so far, and bytes in the file."""
        return self._next, os.fstat(self._fd).st_size

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the events that were appended since the last call and before this one, oldest first.

        With a `budget` (seconds) it stops decoding when that time is used up; the rest comes with the next call.
        """
        end = os.fstat(self._fd).st_size  # a file that grows faster than it is read would never let go
        events: list[Event] = []
        deadline = None if budget is None else monotonic() + budget
        while self._pending or self._fill(end):
            pending = self._pending
            while pending:
                line = pending.pop()
                event = decode(line)
                if type(event) is ValueStored:
                    self._values[event.id] = len(self.offsets)
                self.offsets.append(self._next)
                self._next += len(line) + 1
                events.append(event)
                if deadline is not None and (len(line) > 4096 or not len(events) & 63) and monotonic() > deadline:
                    return events
        return events

    def read(self) -> Iterator[Event]:
        """Yield the events that `poll` would return, without holding them all in memory."""
        end = os.fstat(self._fd).st_size
        while self._next < end and (events := self.poll(0.05)):
            yield from events

    def _fill(self, end: int) -> bool:
        while self._position < end and (data := os.pread(self._fd, CHUNK, self._position)):
            self._position += len(data)
            first, *more = data.split(b"\n")
            self._tail += first
            if more:
                self._pending = [*reversed(more[:-1]), bytes(self._tail)]
                self._tail = bytearray(more[-1])
                return True
        return False

    def truncated(self) -> bool:
        """Whether the file has become shorter than what was read of it."""
        return os.fstat(self._fd).st_size < self._position

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this sequence number as it stands, references unresolved; {} when it is damaged."""
        try:
            data = orjson.loads(self.raw(seq))
        except orjson.JSONDecodeError:
            return {}
        return data if isinstance(data, dict) else {}

    def raw(self, seq: int) -> bytes:
        """Return the bytes of the line with this sequence number, without the newline."""
        start = self.offsets[seq]
        end = self.offsets[seq + 1] if seq + 1 < len(self.offsets) else self._next
        return os.pread(self._fd, end - start, start).rstrip(b"\n")

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with every reference replaced by the value it stands for."""
        found = resolve(self.line(seq), self._value)
        return found if isinstance(found, dict) else {}

    def _value(self, ref: str) -> Json:
        seq = self._values[ref]
        return self.line(seq).get("data")

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
    for name, _ in _DEFAULTS[type(event)]:
        value = getattr(event, name)
        if type(value) in (dict, list) and value:
            changed[name] = resolve(value, lookup)
    return replace(event, **changed) if changed else event


def _header(line: bytes, path: Path) -> Header:
    try:
        data = orjson.loads(line)
        version = int(data["lgwatch"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        what = f"{path} is not a journal of lgwatch" if line else f"{path} is empty"
        raise JournalError(what, "name a file that `lgwatch runs` lists") from None
    if not line.endswith(b"\n"):
        raise JournalError(f"{path} ends in the middle of its first line", "name a file that `lgwatch runs` lists")
    if version > VERSION:
        raise JournalError(
            f"{path} was written by a newer lgwatch (journal version {version}, this one reads {VERSION})",
            "upgrade lgwatch to open it: pip install -U lgwatch",
        )
    known = {name: str(data.pop(name, None) or "") for name in ("target", "started", "python", "langgraph")}
    return Header(version=version, extra={k: v for k, v in data.items() if k != "lgwatch"}, **known)


def _cannot(verb: str, path: Path, error: OSError) -> JournalError:
    return JournalError(f"cannot {verb} {path}: {error.strerror}", "check the path and its permissions")

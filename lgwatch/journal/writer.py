"""Appends to a journal: one `write` per event, and never an exception. Watching must not end the run."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic

import orjson

from lgwatch.errors import JournalError
from lgwatch.events import Event, Header, Json, MessageChunk, Notice, RunEnded
from lgwatch.journal.lines import encode_header, halves, to_json
from lgwatch.journal.reader import JournalReader, cannot

_TEXT = "\0text\0"

LOST_RESULT = 74
"""How a process exits whose journal could not take the result of a run: as the system's headers have it for failed I/O."""


class Gate:
    """What the events of one run come through: once it is `shut`, none of them is written any more."""

    __slots__ = ("shut",)

    def __init__(self) -> None:
        self.shut = False


class JournalWriter:
    """Appends events to a file: one `write` with O_APPEND each, so that what was seen survives any death.

    Safe to use from several threads, and beside another process that appends to the same file. A write that fails
    (disk full) is remembered in `failure` and never raised; once there is room again, a notice says what is missing.
    """

    on_lost_result: Callable[[], None] | None = None
    """Called where the result of a run could not be written: nobody who reads the journal would learn of its end."""

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
            raise cannot("write", path, error) from None
        self._begin(fd, zero=monotonic())
        started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        header = Header(target=target, started=started, python=python, langgraph=langgraph, extra=extra or {})
        self._write(encode_header(header))

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
        self.lock = threading.RLock()
        self._torn = torn
        self._lost = 0  # events that could not be written since one could
        self.failure: OSError | None = None

    @classmethod
    def attach(cls, path: Path | str, *, shared: bool = False) -> JournalWriter:
        """Return a writer that goes on with an existing journal, on a fresh line. Raises JournalError.

        Where it is `shared` somebody else still writes: what looks like a torn line then is one that is being written.
        """
        reader = JournalReader(path)
        try:
            last, torn = reader.end()
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise cannot("write", Path(path), error) from None
        finally:
            reader.close()
        try:
            started = datetime.fromisoformat(reader.header.started.replace("Z", "+00:00"))
            elapsed = (datetime.now(timezone.utc) - started).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a time zone
            elapsed = last
        writer = cls.__new__(cls)
        writer._begin(fd, zero=monotonic() - max(elapsed, last), last=last, torn=torn and not shared)  # noqa: SLF001  another way to construct itself
        return writer

    def now(self) -> float:
        """Seconds since the header's `started`."""
        return monotonic() - self._zero

    def append(self, event: Event, gate: Gate | None = None) -> None:
        """Write the event, stamped with the present moment whatever its `at` says, unless its `gate` is shut.

        Who shuts it while holding `lock` knows what the last line before that was.
        """
        before, after = halves(event)
        with self.lock:
            if gate is not None and gate.shut:
                return
            written = self._stamped(before, after)
        if not written and self.on_lost_result is not None and type(event) is RunEnded:
            self.on_lost_result()

    def repeat(self, event: MessageChunk) -> Callable[[str], None]:
        """Return a function that appends `event` with another `text` each time: everything else is encoded once."""
        before, after = halves(replace(event, text=_TEXT))
        head, _, tail = after.partition(to_json(_TEXT))
        stamped, dumps = self._stamped, orjson.dumps

        def append_text(text: str) -> None:
            if not text:
                self.append(replace(event, text=""))
                return
            try:
                told = dumps(text)
            except TypeError:
                told = to_json(text)
            with self.lock:
                stamped(before, head, told, tail)

        return append_text

    def _stamped(self, before: bytes, after: bytes, text: bytes = b"", rest: bytes = b"") -> bool:
        """Write a line, in four parts of which all but the first follow the present moment; return whether it is there.

        To be called under the lock.
        """
        if self._lost:
            self._tell_lost()
        at = monotonic() - self._zero
        if at < self._last:  # noqa: PLR1730 - a call costs; another process's stamps may be ahead by a hair
            at = self._last
        self._last = at
        line = b"%b%.6f%b%b%b" % (before, at, after, text, rest)
        if self._torn:
            return self._write(line)
        try:  # as `_write` does, without the call: lines come at the rate of tokens
            if os.write(self._fd, line) == len(line):
                return True
        except OSError as error:
            self._note(error)
            return False
        self._torn = True
        return False

    def _tell_lost(self) -> None:
        reason = self.failure.strerror if self.failure is not None else ""
        before, after = halves(Notice(code="lost", text=f"events that could not be written: {self._lost} ({reason})"))
        lost = self._lost
        self._lost = 0 if self._write(b"%b%.6f%b" % (before, self._last, after)) else lost

    def _write(self, line: bytes) -> bool:
        if self._torn:
            line = b"\n" + line
        try:
            self._torn = os.write(self._fd, line) < len(line)
        except OSError as error:
            self._note(error)
            return False
        return not self._torn

    def _note(self, error: OSError) -> None:
        if self._fd >= 0:  # else it was closed
            self.failure = self.failure or error
            self._lost += 1

    def forked(self) -> None:
        """In the child of a fork: leave the journal to the parent."""
        # Another thread of the parent may have held the lock.
        self._fd, self.lock = -1, threading.RLock()

    def close(self) -> None:
        """Stop writing; later events are lost silently."""
        with self.lock:
            fd, self._fd = self._fd, -1  # the number may soon be another file's
        with suppress(OSError):
            os.close(fd)

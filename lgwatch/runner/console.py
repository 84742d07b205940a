"""What the graph's process prints, logs and warns, as `output` events pinned to the task that did it. User code gets
streams that behave like a pipe's, and nothing that it does to them can stop the run."""

from __future__ import annotations

import builtins
import codecs
import io
import logging
import os
import select
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import get_ident
from time import sleep  # by name: user code may patch what the module `time` has
from typing import Any, NoReturn, TextIO

from lgwatch.events import Event, Namespace, Notice, Output

LIMIT = 65_536
"""Characters of one `output` event."""
PATIENCE = 0.25
"""Seconds after which a line that has no end yet is shown as it is."""
PIPE_SIZE = 1 << 20

Place = tuple[Namespace, str, str]
"""Where something was printed: namespace, node, task id; empty outside of any task."""
NOWHERE: Place = ((), "", "")
Writer = tuple[str, int]
"""Who writes a line: the task, and the thread, since `print` writes a line in pieces."""


class Console:
    """Turns everything the process says into `output` events.

    `locate` turns a `langgraph_checkpoint_ns` into a place, `sole` gives the only place that can be at work: raw
    output, of C code or of subprocesses, has no other way to be attributed.
    """

    def __init__(self, append: Callable[[Event], None]) -> None:
        self._append = append
        self.locate: Callable[[str], Place] = lambda path: NOWHERE
        self.sole: Callable[[], Place] = lambda: NOWHERE
        self.stdout = Printed(self, "stdout", 1)
        self.stderr = Printed(self, "stderr", 2)
        self._within = threading.local()  # `log`: a record is being handled in this thread
        self._partial = threading.Event()
        self._pid = os.getpid()
        self._raw: list[RawReader] = []

    def install(self, stdout_fd: int | None = None, stderr_fd: int | None = None) -> None:
        """Take over the process' streams; the arguments are the read ends of the pipes at 1 and 2."""
        sys.stdout = self.stdout
        sys.stderr = self.stderr
        self._install_input()
        self._install_logging()
        warnings.showwarning = self._show_warning
        sys.breakpointhook = self._breakpoint
        os.register_at_fork(after_in_child=self._forked)
        for stream, fd in (("stdout", stdout_fd), ("stderr", stderr_fd)):
            if fd is not None:
                self._raw.append(RawReader(self, stream, fd))
        threading.Thread(target=self._flush_partial, name="lgwatch-lines", daemon=True).start()

    def place(self) -> Place:
        """Return the task that is running here, as LangChain's context tells."""
        # Nothing can run in a task before this is imported, and the console is older than the import.
        module = sys.modules.get("langchain_core.runnables.config")
        variable = getattr(module, "var_child_runnable_config", None)
        config = variable.get() if variable is not None else None
        if not config:
            return NOWHERE
        path = (config.get("metadata") or {}).get("langgraph_checkpoint_ns")
        path = path or (config.get("configurable") or {}).get("checkpoint_ns")
        return self.locate(path) if isinstance(path, str) and path else NOWHERE

    @property
    def alive(self) -> bool:
        """Whether this is the process that owns the journal, and not a fork of it."""
        return self._pid == os.getpid()

    def say(self, stream: str, text: str, place: Place, *, level: str = "", logger: str = "") -> None:
        """Append an `output` event, in pieces when the text is very long."""
        ns, node, task = place
        for start in range(0, max(len(text), 1), LIMIT):
            piece = text[start : start + LIMIT].encode("utf-8", "replace").decode("utf-8")
            self._append(Output(ns=ns, stream=stream, text=piece, task=task, node=node, level=level, logger=logger))

    def flush(self, task: str | None = None) -> None:
        """Show the unfinished lines, those of one task or all."""
        for stream in (self.stdout, self.stderr):
            if stream.unfinished:
                stream.show_partial(task)

    def close(self) -> None:
        """Show what is left, raw output included."""
        self.flush()
        for reader in self._raw:
            reader.drain()

    # ── unfinished lines ─────────────────────────────────────────────────────────────────────────────────────────

    def expect_more(self) -> None:
        """A line has begun: show it soon even if it does not end."""
        if not self._partial.is_set():
            self._partial.set()

    def _flush_partial(self) -> None:
        while self._partial.wait():
            sleep(PATIENCE)
            self._partial.clear()
            with suppress(Exception):
                # Not what began a moment ago: its newline is on the way.
                left = [stream.show_stale() for stream in (self.stdout, self.stderr)]
                if any(left):
                    self._partial.set()

    # ── input, breakpoints ───────────────────────────────────────────────────────────────────────────────────────

    def _install_input(self) -> None:
        def nobody(prompt: object = "", /) -> NoReturn:
            if prompt:
                self.stdout.write(f"{prompt}\n")
            raise EOFError("input() has nobody to answer it while the graph is watched; ask with interrupt() instead")

        builtins.input = nobody
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - it stays for the life of the process

    def _breakpoint(self, *args: Any, **kwargs: Any) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - the caller's line is the whole point
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        # Not the line itself: the notice is also in journals that have nothing of what the graph's author wrote.
        text = f"breakpoint() at {where} was passed over: there is no terminal for a debugger here"
        self._append(Notice(code="breakpoint", text=text))

    # ── logging, warnings ────────────────────────────────────────────────────────────────────────────────────────

    def _install_logging(self) -> None:
        # A handler on the root logger would make the user's `basicConfig()` a no-op; records that pass the user's own
        # levels are seen here whatever handlers there are.
        original = logging.Logger.callHandlers
        console = self

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            if not console.alive:
                original(logger, record)
                return
            console._log(record)
            outer, console._within.log = console.logging_now, True
            try:
                original(logger, record)
            finally:
                console._within.log = outer

        logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign,assignment]

    def _log(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
        except Exception as error:  # whether the caller sees it is for the record's own handlers to say
            text = _untold(record, error)
        self.say("log", text, self.place(), level=record.levelname, logger=record.name)

    @property
    def logging_now(self) -> bool:
        """Whether a stream handler writes, in this thread, what the record's own event has already told."""
        return getattr(self._within, "log", False)

    def _show_warning(  # noqa: PLR0917 - the signature is that of `warnings.showwarning`
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is not None:
            file.write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        text = f"{message} ({filename}:{lineno})"
        self.say("warning", text, self.place(), level=category.__name__)

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────

    def _forked(self) -> None:
        """In the child of a fork: the journal belongs to the parent; what the child prints goes down the real pipe."""
        self._append = lambda event: None


def _untold(record: logging.LogRecord, error: Exception) -> str:
    """Tell of a record that has no text; its message is any object, and its `str` may be what failed."""
    from lgwatch.runner.failure import message_of

    if type(record.msg) is not str:
        return f"a record without a text: {message_of(error)}"
    return f"{record.msg} (its arguments do not fit: {message_of(error)})"


class Printed(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of user code: text comes out as `output` events, a line or more at a time."""

    def __init__(self, console: Console, stream: str, fd: int) -> None:
        super().__init__()
        self._console = console
        self._stream = stream
        self._fd = fd
        self._lock = threading.RLock()
        self.unfinished: dict[Writer, tuple[Place, list[str]]] = {}
        """Lines that have not ended."""
        self._arrived: list[tuple[Place, str]] = []
        self._busy = False
        self._stale: list[list[str]] = []  # those of them that were there at the last look
        self._shown: set[Writer] = set()  # those of which the beginning of a line was shown
        self._forked = ""  # in the child of a fork: a line that has not ended
        self.buffer = _Buffer(self)
        self.mode = "w"
        self.name = f"<{stream}>"
        self.line_buffering = True
        self.write_through = False

    encoding = "utf-8"
    errors = "replace"
    newlines = None

    def write(self, text: str, /) -> int:
        """Take text; what has no newline yet waits for the rest of its line."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        console = self._console
        if not console.alive:
            head, newline, self._forked = (self._forked + text).rpartition("\n")
            self._write_raw(head + newline)
            return len(text)
        if console.logging_now:
            return len(text)
        with self._lock:
            self._arrived.append((console.place(), text))
            # A signal handler can print, and so can a `__del__`, inside of what this does: that comes after it.
            while self._arrived and not self._busy:
                self._busy = True
                try:
                    self._take(*self._arrived.pop(0))
                finally:
                    self._busy = False
        if not text.endswith("\n"):
            console.expect_more()
        return len(text)

    def _take(self, place: Place, text: str) -> None:
        writer = place[2], get_ident()
        _, waiting = self.unfinished.setdefault(writer, (place, []))
        head, newline, tail = text.rpartition("\n")
        if newline:
            done = "".join((*waiting, head))
            del self.unfinished[writer]
            if tail:
                self.unfinished[writer] = (place, [tail])
            if done or writer not in self._shown:
                self._console.say(self._stream, done, place)
            self._shown.discard(writer)
        else:
            waiting.append(text)
            if len(waiting) > 1024:
                self._show(writer)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Write each of the strings."""
        for line in lines:
            self.write(line)

    def show_partial(self, task: str | None = None) -> None:
        """Show lines that have not ended: those of one task, or all."""
        if not self.unfinished:
            return
        with self._lock:
            for writer in list(self.unfinished):
                if task is None or writer[0] == task:
                    self._show(writer)

    def _show(self, writer: Writer) -> None:
        place, waiting = self.unfinished.pop(writer, (NOWHERE, []))
        if text := "".join(waiting):
            self._shown.add(writer)
            self._console.say(self._stream, text, place)

    def show_stale(self) -> bool:
        """Show the lines that were unfinished at the last call and still are; return whether any are left."""
        with self._lock:
            for writer, (_, waiting) in list(self.unfinished.items()):
                if any(waiting is known for known in self._stale):
                    self._show(writer)
            self._stale = [waiting for _, waiting in self.unfinished.values()]
            return bool(self._stale)

    def flush(self) -> None:
        """Do nothing: a line is written when it ends, or after a moment. A progress bar flushes all the time.

        The child of a fork has nobody who would come back to a line; it writes what there is.
        """
        if not self._console.alive:
            text, self._forked = self._forked, ""
            self._write_raw(text)

    def _write_raw(self, text: str) -> None:
        with suppress(OSError):
            data = text.encode("utf-8", "replace")
            while data:
                data = data[os.write(self._fd, data) :]

    def fileno(self) -> int:
        """Return the descriptor of the real pipe, for subprocesses and C code."""
        return self._fd

    def isatty(self) -> bool:
        """Return False."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return False."""
        return False

    def reconfigure(self, **options: Any) -> None:
        """Accept what a text stream accepts; the text becomes JSON all the same."""

    def close(self) -> None:
        """Stay open: what is printed after it belongs to the run too."""

    @property
    def closed(self) -> bool:
        """Return False."""
        return False

    def detach(self) -> Any:
        """Return the byte stream, as a text stream does."""
        return self.buffer


class _Buffer(io.RawIOBase):
    """The bytes below a `Printed`."""

    def __init__(self, text: Printed) -> None:
        super().__init__()
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.raw = self

    def write(self, data: Any, /) -> int:
        held = bytes(data)
        self._text.write(self._decoder.decode(held))
        return len(held)

    def fileno(self) -> int:
        return self._text.fileno()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        pass


class RawReader:
    """Reads what arrives at descriptor 1 or 2 past Python's streams: C code, subprocesses, `os.write`."""

    def __init__(self, console: Console, stream: str, fd: int) -> None:
        self._console = console
        self._stream = stream
        self._fd = fd
        self._rest = b""
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name=f"lgwatch-{stream}", daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._fd], [], [], PATIENCE if self._rest else None)
                if not self.take(final=not ready):
                    return
            except (OSError, ValueError):
                return

    def take(self, *, final: bool) -> bool:
        """Read what is there; show the lines, and the unfinished one too when `final`. False at the end of the pipe."""
        with self._lock:
            # The other thread may have read it meanwhile, and the descriptor is shared with the watcher: it must block.
            data = os.read(self._fd, LIMIT) if select.select([self._fd], [], [], 0)[0] else None
            head, newline, tail = (self._rest + (data or b"")).rpartition(b"\n")
            if final or data == b"" or len(tail) > LIMIT:
                head, newline, tail = head + newline + tail, b"", b""
                head = head.removesuffix(b"\n")
            self._rest = tail
            if head or newline:
                self._console.say(self._stream, head.decode("utf-8", "replace"), self._console.sole())
            return data != b""

    def drain(self) -> None:
        """Show everything that has arrived."""
        with suppress(OSError, ValueError):
            while select.select([self._fd], [], [], 0)[0] and self.take(final=False):
                pass
            self.take(final=True)

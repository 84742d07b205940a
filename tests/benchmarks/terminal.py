"""A terminal for tests: runs a program in a pseudo-terminal, answers it, types, and measures from key to picture.

Standard library only; `screen` alone needs pyte. A thread reads all the time, so that the program never waits for the
test, unless `throttle` makes the terminal a slow one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from typing_extensions import Self

ANSWERS = (
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),  # synchronized output: known, off
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),  # resizes in band: not known
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),  # primary device attributes
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),  # where is the cursor
    (re.compile(rb"\x1b\[\?u"), b"\x1b[?0u"),  # kitty keyboard flags
)
QUERY = 16
"""Bytes that a query can have: so much of the end of one read is looked at again with the next."""
PATIENCE = 60.0
"""Seconds to wait for what comes at once when the machine is not busy."""
_FIFTH = 0.2
# pyte takes the marks of private modes with an intermediate byte for text.
_UNKNOWN = re.compile(rb"\x1b\[[?>=<][\d;]*(\$p|u|m|c)|\x1b\[=\d+;\d+u")
_UNFINISHED = re.compile(rb"(?:\x1b(?:\[[\d;:?<=>$]*)?)?\Z")


class Terminal:
    """A program in a pseudo-terminal of `cols` x `rows` cells.

    `throttle` is how many bytes a second the terminal takes; None means all. `raw` is everything it got.
    """

    def __init__(
        self,
        argv: Sequence[str],
        cols: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        *,
        cwd: str | os.PathLike[str] | None = None,
        throttle: float | None = None,
    ) -> None:
        self.cols, self.rows = cols, rows
        self.throttle = throttle
        self.raw = bytearray()
        self.reads: list[tuple[float, int]] = []  # when (perf_counter), and how many bytes there were then
        self._picture: Any = None  # what the first `_drawn` bytes have made of the screen
        self._pen: Any = None
        self._drawn = 0
        self._news = threading.Condition()
        self._ended = False
        self._master, slave = pty.openpty()
        self._resize_pty()
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
            preexec_fn=_own_terminal,
            close_fds=True,
        )
        os.close(slave)
        self._wake_read, self._wake_write = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the user --------------------------------------------------------------------------------------------------

    def send(self, keys: str | bytes) -> None:
        """Type; special keys are their escape sequences."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            data = data[os.write(self._master, data) :]

    def resize(self, cols: int, rows: int) -> None:
        """Change the size of the window; the program is told."""
        self.cols, self.rows = cols, rows
        self._resize_pty()

    def wait_for(self, text: str | bytes, timeout: float = PATIENCE, *, since: int = 0) -> float:
        """Wait until the output after byte `since` contains `text`; return when that was (perf_counter).

        A text is found only where the program writes it in one run, without a cursor movement or a change of style
        inside; `wait_for_screen` has no such limit.
        """
        sought = text.encode() if isinstance(text, str) else text
        deadline = time.perf_counter() + timeout
        start = since
        with self._news:
            while True:
                at = self.raw.find(sought, start)
                if at >= 0:
                    return self._time_of(at + len(sought))
                start = max(since, len(self.raw) - len(sought) + 1)
                left = deadline - time.perf_counter()
                if left <= 0 or self._ended:
                    raise TimeoutError(
                        f"no {text!r} in {len(self.raw) - since} bytes; the screen:\n{self._screen_or_tail()}"
                    )
                self._news.wait(min(left, _FIFTH))

    def wait_for_screen(self, text: str, timeout: float = PATIENCE) -> list[str]:
        """Wait until the screen shows `text`; return its lines."""
        self.wait_until(lambda: any(text in line for line in self.screen()), timeout, f"no {text!r} on the screen")
        return self.screen()

    def wait_until(
        self, condition: Callable[[], bool], timeout: float = PATIENCE, complaint: str = "it never came"
    ) -> None:
        """Wait until `condition` holds; it is asked again whenever there is more output."""
        deadline = time.perf_counter() + timeout
        while True:
            size, ended = len(self.raw), self._ended
            if condition():
                return
            if ended or time.perf_counter() > deadline:
                raise TimeoutError(f"{complaint}; the screen:\n{self._screen_or_tail()}")
            with self._news:
                if len(self.raw) == size and not self._ended:
                    self._news.wait(_FIFTH)

    def wait_for_exit(self, timeout: float = PATIENCE) -> int:
        """Wait for the end of the program and of its output; return the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def screen(self) -> list[str]:
        """Return the lines of the screen as a terminal would show them now."""
        import pyte

        if self._picture is None:
            self._picture = pyte.Screen(self.cols, self.rows)
            self._pen = pyte.ByteStream(self._picture)
        if (self._picture.columns, self._picture.lines) != (self.cols, self.rows):
            self._picture.resize(self.rows, self.cols)
        data = bytes(self.raw[self._drawn :])
        data = data[: len(data) - len(_UNFINISHED.search(data)[0])]  # type: ignore[index]  it matches the empty end
        self._drawn += len(data)
        self._pen.feed(_UNKNOWN.sub(b"", data))
        return [line.rstrip() for line in self._picture.display]

    def latency(self, key: str | bytes, marker: str | bytes, timeout: float = PATIENCE) -> float:
        """Type `key`; return the seconds until output that came after it contains `marker`."""
        with self._news:
            since = len(self.raw)
        began = time.perf_counter()
        self.send(key)
        return self.wait_for(marker, timeout, since=since) - began

    # --- the measurer ----------------------------------------------------------------------------------------------

    def cpu(self) -> float:
        """Return the seconds of processor time that the program has used."""
        stat = open(f"/proc/{self.process.pid}/stat", encoding="ascii").read()  # noqa: SIM115, PTH123  a one-line read
        user, system = stat.rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def hang_up(self) -> None:
        """Close the window while the program runs."""
        self._stop_reading()
        os.close(self._master)

    def close(self) -> None:
        """End the program, whatever it does, and the terminal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._stop_reading()
        for fd in (self._master, self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _stop_reading(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")
        self._reader.join(2)

    def _resize_pty(self) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.cols, 0, 0))

    def _read(self) -> None:
        tail = b""
        while not self._ended:
            ready, _, _ = select.select([self._master, self._wake_read], [], [])
            if self._master not in ready:
                break
            try:
                data = os.read(self._master, 1024 if self.throttle else 65536)
            except OSError:  # the program closed its side
                data = b""
            if not data:
                break
            now = time.perf_counter()
            with self._news:
                self.raw += data
                self.reads.append((now, len(self.raw)))
                self._news.notify_all()
            for query, answer in ANSWERS:
                # Counted in both, a query that stood in the tail before is not answered twice.
                for _ in range(len(query.findall(tail + data)) - len(query.findall(tail))):
                    with contextlib.suppress(OSError):
                        os.write(self._master, answer)
            tail = (tail + data)[-QUERY:]
            if self.throttle:
                time.sleep(len(data) / self.throttle)
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _time_of(self, size: int) -> float:
        low, high = 0, len(self.reads) - 1
        while low < high:
            middle = (low + high) // 2
            if self.reads[middle][1] >= size:
                high = middle
            else:
                low = middle + 1
        return self.reads[low][0]

    def _screen_or_tail(self) -> str:
        try:
            return "\n".join(self.screen())
        except ImportError:
            return repr(bytes(self.raw[-2000:]))


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value that `part` (0 to 1) of `values` are not above."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]

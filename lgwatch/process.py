"""The graph's process, seen from outside: started, told things by lines on a pipe, ended. Knows neither events nor journals."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from lgwatch.events import Json

RUNNER = Path(__file__).parent / "runner" / "__main__.py"
"""Started by its path, so that nothing of the watcher's site-packages is importable in the graph's process."""


STUCK = 0.5
"""Seconds after which a process that does not read its own output pipe is helped."""


class GraphProcess:
    """A child in a session of its own. Its stdin takes commands; what it leaves in its output pipes is not lost."""

    def __init__(self, python: str, env: Mapping[str, str], *, runner: Path = RUNNER) -> None:
        """Start `python`; `env` gives defaults for variables that the environment does not have.

        Raises OSError when there is no such interpreter or it cannot be started.
        """
        pipes = [os.pipe(), os.pipe()]
        self._outputs = {"stdout": pipes[0][0], "stderr": pipes[1][0]}
        ours = {f"LGWATCH_{stream.upper()}_FD": str(fd) for stream, fd in self._outputs.items()}
        self._unsent = bytearray()
        self._full: dict[str, float] = {}  # since when a pipe has been more than half full
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in self._outputs}
        try:
            self._popen = subprocess.Popen(
                [python, str(runner)],
                stdin=subprocess.PIPE,
                stdout=pipes[0][1],
                stderr=pipes[1][1],
                pass_fds=tuple(self._outputs.values()),
                start_new_session=True,
                bufsize=0,
                env={**env, **os.environ, **ours, "PYTHONUNBUFFERED": "1"},
            )
        except BaseException:
            self._close_outputs()
            raise
        finally:
            for _, write_end in pipes:
                os.close(write_end)
        assert self._popen.stdin is not None
        self._stdin = self._popen.stdin
        # The process reads no commands while it imports; the screen must not wait for it.
        os.set_blocking(self._stdin.fileno(), False)

    @property
    def pid(self) -> int:
        """Its process id, and that of its process group."""
        return self._popen.pid

    def code(self) -> int | None:
        """Return how it ended: an exit code, or a signal's number negated; None while it lives."""
        return self._popen.poll()

    def send(self, command: dict[str, Json]) -> None:
        """Queue a command and write as much as the pipe takes; `flush` goes on with the rest."""
        if not self._stdin.closed:
            self._unsent += json.dumps(command).encode() + b"\n"
            self.flush()

    def flush(self) -> None:
        """Write what the pipe takes of the queued commands. A process that listens no more is not told anything."""
        try:
            while self._unsent:
                del self._unsent[: os.write(self._stdin.fileno(), self._unsent[: 1 << 16])]
        except BlockingIOError:
            pass
        except (OSError, ValueError):
            self._unsent.clear()

    def hang_up(self) -> None:
        """Close the command pipe: the process ends its run and exits."""
        self._unsent.clear()
        with suppress(OSError):
            self._stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end at most so long; return whether it has ended."""
        deadline = monotonic() + seconds
        while self.code() is None:
            if monotonic() > deadline:
                return False
            sleep(0.005)
        return True

    def end(self) -> None:
        """End it, by force if need be, and whatever it started; takes about a second at most."""
        self.hang_up()
        if self.wait(0.5):
            self.signal(signal.SIGKILL)  # what it started and left behind
            return
        for number, patience in ((signal.SIGTERM, 0.3), (signal.SIGKILL, 1.0)):
            self.signal(number)
            if self.wait(patience):
                break
        self.signal(signal.SIGKILL)

    def overflow(self) -> Iterator[tuple[str, str]]:
        """Yield what stands in a pipe that nobody reads, as stream and text.

        The process reads its own pipes, but for a C extension that prints and holds the interpreter's lock: the pipe
        fills, the extension waits for a reader, and every reader for the lock. To be asked while nothing comes from
        the process; a pipe is taken from when it has been filled for a while, and never emptied.
        """
        for stream, fd in self._outputs.items():
            if (surplus := _waiting(fd) - _capacity(fd) // 2) <= 0:
                self._full.pop(stream, None)
            elif monotonic() - self._full.setdefault(stream, monotonic()) > STUCK and (data := _read_now(fd, surplus)):
                yield stream, self._decoders[stream].decode(data).removesuffix("\n")

    def left_over(self) -> Iterator[tuple[str, str]]:
        """Yield what a dead process has printed and nobody has read, as stream and text; then let go of the pipes."""
        for stream, fd in self._outputs.items():
            data = b""
            # A process that it left behind may keep the pipe open: only what is there now is read.
            while len(data) < 1 << 22 and (chunk := _read_now(fd, 1 << 16)):
                data += chunk
            if text := data.decode("utf-8", "replace").removesuffix("\n"):
                yield stream, text
        self._close_outputs()

    def _close_outputs(self) -> None:
        for fd in self._outputs.values():
            os.close(fd)
        self._outputs.clear()


def _waiting(pipe: int) -> int:
    """Bytes that are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def _read_now(pipe: int, size: int) -> bytes:
    """Read at most so many bytes of what is in a pipe; never wait: its other reader may have taken them by now."""
    try:
        # That a descriptor does not block is true of all its copies, also of the one in the other process: so another
        # one is opened, where the system can.
        own = os.open(f"/proc/self/fd/{pipe}", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        return os.read(pipe, size) if poll.poll(0) else b""
    try:
        return os.read(own, size)
    except BlockingIOError:
        return b""
    finally:
        os.close(own)


def _capacity(pipe: int) -> int:
    """Bytes that a pipe can hold."""
    try:
        return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)  # type: ignore[attr-defined,unused-ignore]
    except (AttributeError, OSError):  # only Linux can be asked
        return 1 << 16

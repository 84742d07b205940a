"""The life of the graph's process: descriptors, journal, console, load, commands, end. No run outlives its watcher."""

from __future__ import annotations

import asyncio
import faulthandler
import fcntl
import gc
import importlib.metadata
import json
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lgwatch.errors import LgwatchError, TargetError
from lgwatch.events import Json, Notice, RunEnded
from lgwatch.journal import LOST_RESULT
from lgwatch.journal.veil import new_writer, veil_of
from lgwatch.runner import surroundings
from lgwatch.runner.console import PIPE_SIZE, Console
from lgwatch.runner.guardian import guard

if TYPE_CHECKING:
    from lgwatch.runner.driver import Driver

PRIVATE = 200
"""Descriptors from here on: user code that closes "all" of them usually means the first few."""
LOW = 64
"""Descriptors up to here are left to user code."""
FAREWELL = 1.0
"""Seconds that user code gets to end when the watcher is gone."""
SLOW_IMPORT = (5.0, 30.0, 120.0)
"""Seconds of importing after which it is said where the import is."""


def main() -> NoReturn:
    """Serve one watcher: read commands from descriptor 0 until it closes."""
    told = _private(0)
    guard(told, 5 * FAREWELL)
    commands = Commands(told)
    raw = [_claimed(name) for name in ("LGWATCH_STDOUT_FD", "LGWATCH_STDERR_FD")]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    load = commands.first()
    if load is None:
        os._exit(0)
    try:
        process = Process(load, commands, raw)
    except LgwatchError as error:
        print(error, file=sys.stderr)
        os._exit(2)
    leave(process.live())


def leave(code: int) -> NoReturn:
    """End the process as Python does, but not later than a moment from now, and take its subprocesses along."""
    if os.getpgrp() == os.getpid():  # else it was started by hand, and the group is the shell's
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTERM)
    # A node that never returns would keep its thread, and its thread the process.
    timer = threading.Timer(FAREWELL, os._exit, (code,))
    timer.daemon = True
    timer.start()
    raise SystemExit(code)


def settle() -> None:
    """Take what has been imported so far out of garbage collection.

    What lgwatch allocates makes full collections come sooner, each of which would walk through everything that the
    graph's imports left behind: in bursts that costs more than all of the recording.
    """
    gc.freeze()


class Process:
    """Owns the journal, the console and the loop."""

    def __init__(self, load: dict[str, Json], commands: Commands, raw: list[int | None]) -> None:
        self._load = load
        self._commands = commands
        self._lost = False  # a result: the watcher learns of it by how this process ends
        label = str(load.get("label") or load["target"])
        langgraph = _version("langgraph")
        veil = veil_of(load.get("redact"), content=bool(load.get("content", True)))
        self._journal = new_writer(
            load["journal"], veil, target=label, python=platform.python_version(), langgraph=langgraph,
            extra={"langchain_core": _version("langchain-core"), "pid": os.getpid(), "interpreter": sys.executable},
        )  # fmt: skip
        self._journal.on_lost_result = self._lose
        for code, text in surroundings.about(str(load.get("why") or ""), langgraph):
            self._journal.append(Notice(code=code, text=text))
        if veil is not None:
            self._journal.append(Notice(code="veil", text=veil.told))
        self._label = label
        self._console = Console(self._journal.append)
        self._console.install(*raw)
        with suppress(Exception):
            faulthandler.enable(2)
        for fd in (1, 2):
            with suppress(OSError, AttributeError):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)  # type: ignore[attr-defined,unused-ignore]
        self._driver: Driver | None = None
        self._queue: asyncio.Queue[dict[str, Json] | None] | None = None
        self._early: list[dict[str, Json] | None] = []  # commands that came before there was a queue
        self._queueing = threading.Lock()
        self._loop = _private_loop()
        self._loaded = threading.Event()
        os.register_at_fork(after_in_child=self._journal.forked)

    def live(self) -> int:
        """Load the graph, obey, and return the exit code."""
        threading.Thread(target=self._listen, name="lgwatch-commands", daemon=True).start()
        threading.Thread(target=self._watch_import, name="lgwatch-import", daemon=True).start()
        code = 2
        try:
            serving = self._prepare()
        except LgwatchError as error:
            self._refuse(error)
        except BaseException as error:  # whatever a target can do
            self._refuse(error)
        else:
            self._serve(serving)
            code = 0
        self._console.close()
        return LOST_RESULT if self._lost else code

    def _prepare(self) -> asyncio.Task[None]:
        load = self._load
        # The module may start a loop of its own, which it cannot from inside of ours.
        from lgwatch.runner import loader

        found = loader.import_target(str(load["target"]), app_dir=str(load.get("app_dir") or Path.cwd()),
                                     paths=[str(path) for path in load.get("paths") or ()])  # fmt: skip
        from lgwatch.runner.driver import Driver

        asyncio.set_event_loop(self._loop)
        self._driver = Driver(
            self._journal, self._console, checkpointer=str(load.get("checkpointer") or "keep"),
            mode=str(load.get("mode") or "auto"),
        )  # fmt: skip
        self._loop.run_until_complete(
            self._driver.load(found, self._label, load.get("config"), diagnosed=bool(load.get("diagnose")))
        )
        settle()
        return self._loop.create_task(self._begin(self._driver))

    async def _begin(self, driver: Driver) -> None:
        queue: asyncio.Queue[dict[str, Json] | None] = asyncio.Queue()
        with self._queueing:
            for command in self._early:
                queue.put_nowait(command)
            self._queue = queue
        self._loaded.set()
        await driver.serve(queue)

    def _serve(self, serving: asyncio.Task[None]) -> None:
        while not serving.done():
            try:
                self._loop.run_until_complete(serving)
            except (SystemExit, KeyboardInterrupt) as error:
                # asyncio lets these two out of the loop, whichever task raised them; the loop itself is unharmed.
                assert self._driver is not None
                self._driver.escaped(error, self._loop)
            except asyncio.CancelledError:  # by user code that cancels whatever tasks it finds
                assert self._driver is not None
                assert self._queue is not None
                serving = self._loop.create_task(self._driver.serve(self._queue))
            except BaseException as error:
                if isinstance(error, RuntimeError) and "loop stopped" in str(error):  # by user code; it can go on
                    self._journal.append(Notice(code="loop", text="the graph stopped the event loop; it goes on"))
                    continue
                # lgwatch itself has failed: say so, and end
                self._journal.append(Notice(code="internal", text=f"{type(error).__name__}: {error}"))
                return

    def _lose(self) -> None:
        """The journal did not take a run's result: end the process in order, which tells as much."""
        self._lost = True
        self._put(None)

    def _refuse(self, error: BaseException) -> None:
        from lgwatch.runner.failure import error_dict

        if not isinstance(error, LgwatchError):
            told = TargetError(f"loading the target failed: {type(error).__name__}: {error}", "see the traceback")
            told.detail = str(error_dict(error)["traceback"])
            error = told
        self._journal.append(RunEnded(run="r1", status="failed", error=error_dict(error)))

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> None:
        """Read commands in a thread: the main one may be stuck in user code."""
        for command in self._commands:
            kind = command.get("command")
            if kind == "quit":
                break
            if kind == "stop":
                self._stop(str(command.get("how") or "drain"), command.get("error"))
            else:
                self._put(command)
        self._end()

    def _put(self, command: dict[str, Json] | None) -> None:
        # Nothing is waited for here: this thread also has to see that the watcher is gone.
        with self._queueing:
            queue = self._queue
            if queue is None:
                self._early.append(command)
        if queue is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(queue.put_nowait, command)

    def _stop(self, how: str, why: dict[str, Json] | None) -> None:
        if self._driver is not None and self._loaded.is_set():
            self._driver.stop(how, why)
        else:  # nothing has run yet, and an import cannot be stopped any other way
            self._journal.append(RunEnded(run="r1", status="stopped"))
            _kill()

    def _end(self) -> None:
        """The watcher is gone, or wants nothing more. A run that goes on is ended first."""
        driver = self._driver
        run = driver.run if driver is not None else None
        if driver is not None and run is not None:
            driver.stop("cancel")
            if not run.ended.wait(FAREWELL):
                run.end("stopped")
                _kill()
        if not self._loaded.is_set():
            _kill()
        self._put(None)
        # The main thread leaves by itself; user code that holds it must not outlive the watcher.
        threading.Event().wait(3 * FAREWELL)
        _kill()

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _watch_import(self) -> None:
        waited = 0.0
        for seconds in SLOW_IMPORT:
            if self._loaded.wait(seconds - waited):
                return
            waited = seconds
            with suppress(Exception):
                from lgwatch.runner.loader import where_is_import

                if where := where_is_import():
                    self._journal.append(Notice(code="loading", text=f"still loading after {seconds:.0f} s: {where}"))


# Held from before user code runs: a module that patches `json` must not cut the watcher off.
_decode = json.JSONDecoder().raw_decode


class Commands:
    """The commands on a descriptor: JSON objects, one per line."""

    def __init__(self, fd: int) -> None:
        self._file = os.fdopen(fd, "rb")

    def first(self) -> dict[str, Json] | None:
        """Return the first command, None when the pipe closes before it."""
        return next(iter(self), None)

    def __iter__(self) -> Iterator[dict[str, Json]]:
        while line := self._file.readline():
            with suppress(ValueError):
                command: Any = _decode(line.decode())[0]
                if isinstance(command, dict):
                    yield command


def _private(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE)


def _private_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop whose own descriptors are not among the first few either."""
    taken: list[int] = []
    while not taken or taken[-1] < LOW:
        taken.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    loop = asyncio.new_event_loop()
    for fd in taken:
        os.close(fd)
    return loop


def _claimed(name: str) -> int | None:
    """Return a private duplicate of the descriptor that the environment names, and hide both."""
    given = os.environ.pop(name, "")
    if not given.isdecimal():
        return None
    try:
        fd = _private(int(given))
        os.close(int(given))
    except OSError:
        return None
    return fd


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _kill() -> NoReturn:
    """End this process and everything that it has started, now."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)

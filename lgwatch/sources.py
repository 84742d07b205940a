"""Where a front end's events come from: a graph that runs in a process of its own, or a journal, finished or growing.

A source reads a journal and never keeps what it read; what the events mean is the session's business. Every run that
was begun ends with exactly one `run_result`: where the graph's process died before it wrote one, LiveRun does.
"""

from __future__ import annotations

import atexit
import signal
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Protocol

from lgwatch.errors import TargetError
from lgwatch.events import Event, GraphLoaded, Header, Json, Notice, Output, RunEnded, RunStarted
from lgwatch.journal import JournalReader, JournalWriter, encode
from lgwatch.process import RUNNER, GraphProcess
from lgwatch.store import being_written

RUNGS = ("drain", "cancel", "terminate", "kill")
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

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""

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


class _Tail:
    """A journal that is being read: what both kinds of sources have in common."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        self._reader: JournalReader | None = None
        self._zero: float | None = None
        self._last = 0.0

    @property
    def header(self) -> Header | None:
        """The journal's first line; None until it is there."""
        if self._reader is None:
            self._open()
        return self._reader.header if self._reader is not None else None

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, without the newline; 0 is the header."""
        assert self._reader is not None, "no line was polled yet"
        return self._reader.raw(seq)

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""
        assert self._reader is not None, "no line was polled yet"
        return self._reader.line(seq)

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""
        assert self._reader is not None, "no line was polled yet"
        return self._reader.resolved(seq)

    def _open(self) -> bool:
        """Open the journal once its header is complete."""
        try:
            with self.path.open("rb") as file:
                if not file.readline().endswith(b"\n"):
                    return False
        except OSError:
            return False
        self._reader = JournalReader(self.path)
        try:
            started = datetime.fromisoformat(self._reader.header.started.replace("Z", "+00:00"))
            self._zero = monotonic() - (datetime.now(timezone.utc) - started).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a zone
            self._zero = None
        return True

    def _read(self, budget: float | None = None) -> list[Event]:
        if self._reader is None and not self._open():
            return []
        assert self._reader is not None
        events = self._reader.poll(budget)
        if events:
            self._last = max(self._last, events[-1].at)
        return events

    def _ticking(self) -> float:
        return self._last if self._zero is None else max(self._last, monotonic() - self._zero)


class Recording(_Tail):
    """A journal that somebody else writes or wrote; with `follow`, what is still being written is waited for."""

    live = False

    def __init__(self, path: Path, *, follow: bool = False) -> None:
        """Raises JournalError when there is no journal at `path`."""
        super().__init__(path, path.name)
        if not self._open() and not (follow and path.is_file()):
            self._reader = JournalReader(path)
        self._follow = follow
        self._ended = False  # the last run's result was read
        self._quiet_since = monotonic()
        self._finished = False
        self._torn: Notice | None = None
        self._torn_seq = 0
        if self._reader is not None and self._reader.header.target:
            self.label = self._reader.header.target

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self._finished

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the new events; with the last of them a notice when the file ends in the middle of a line."""
        if self._finished:
            return []
        written = self._follow and being_written(self.path)  # asked first: what is written before is read below
        events = self._read(budget)
        if events:
            self._quiet_since = monotonic()
            ends = [type(event) is RunEnded for event in events if isinstance(event, (RunStarted, RunEnded))]
            self._ended = ends[-1] if ends else self._ended
        elif not written and (not self._follow or self._ended or monotonic() - self._quiet_since > GRACE):
            self._finished = True
            return self._cut()
        return events

    def _cut(self) -> list[Event]:
        if self._reader is None or not self._reader.torn:
            return []
        self._torn_seq = len(self._reader.offsets)
        self._torn = Notice(at=self._last, code="torn", text="the last line was cut off and is left out")
        return [self._torn]

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, or that of the notice about a torn line."""
        if self._torn is not None and seq == self._torn_seq:
            return encode(self._torn).rstrip(b"\n")
        return super().raw(seq)

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
        return self._ticking() if self._follow and not self._finished else self._last

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
        if self._reader is not None:
            self._reader.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the graph's process is started with: `env` are defaults below the environment, `paths` importable folders.

    `target` is as `resolve_target` gives it, `label` as the user typed it; `mode` is `auto`, `sync` or `async`.
    """

    target: str
    label: str
    journal: Path
    python: str
    app_dir: Path
    paths: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    checkpointer: str = "keep"
    mode: str = "auto"


class LiveRun(_Tail):
    """A graph in a process of its own. `spawn` starts it; nothing that it does leaves a process or a run without end."""

    def __init__(self, launch: Launch, *, keep: bool = True, runner: Path = RUNNER) -> None:
        """`keep` tells whether the journal stays after `close`."""
        super().__init__(launch.journal, launch.label)
        self._launch = launch
        self._keep = keep
        self._runner = runner
        self._process: GraphProcess | None = None
        self._over = False
        self._backlog: list[Event] = []
        self._loaded = False
        self._failed_to_load = False
        self._asked = ""  # the run that was asked for and has not begun
        self._running = ""  # the run that has begun and not ended
        self._runs = 0
        self._thread = ""
        self._timeout: float | None = None
        self._since = 0.0  # when what goes on now (loading, or a run) began
        self._rung = 0
        self._place = ""  # where a slow import is
        self._why = ""  # why we end the process: stop, timeout, close
        self._pressed = 0.0  # when the last rung of a timeout's ladder was taken

    # ── what a front end sees ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def live(self) -> bool:
        """Whether commands have an effect: until the process has ended."""
        return not self._over

    @property
    def finished(self) -> bool:
        """Whether the process has ended and everything has been polled."""
        return self._over and not self._backlog

    @property
    def timed_out(self) -> bool:
        """Whether the last run was stopped because it took longer than its timeout."""
        return self._why == "timeout"

    @property
    def pid(self) -> int | None:
        """The graph's process, None before `spawn`."""
        return self._process.pid if self._process is not None else None

    def now(self) -> float:
        """Seconds since the journal's start: ticking while the process lives, else the last event's."""
        return self._last if self._over or self._zero is None else self._ticking()

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the new events; notice the end of the process, and of the time that a run may take."""
        process = self._process
        dead = process is not None and process.code() is not None  # asked first: what it wrote before is read below
        if process is not None and not self._over and not dead:
            process.flush()
            self._watch_the_clock()
        events, self._backlog = self._backlog, []
        if not self._over:
            events += self._take(budget)
            if dead:
                self._bury()
        return events

    def _take(self, budget: float | None = None) -> list[Event]:
        events = self._read(budget)
        for event in events:
            if isinstance(event, (RunStarted, RunEnded, GraphLoaded, Notice)):
                self._note(event)
        return events

    def _note(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._since = monotonic()
                self._running, self._asked, self._rung = event.run, "", 0
                self._thread = event.thread or self._thread
            case RunEnded():
                self._running = self._asked = ""
                self._failed_to_load = not self._loaded
            case GraphLoaded():
                self._loaded = True
                self._rung = 0
            case Notice(code="needs_input"):
                self._asked = ""
                self._runs -= 1
            case Notice(code="loading"):
                self._place = event.text.partition(": ")[2]

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def spawn(self) -> None:
        """Start the process and let it load the graph. What cannot be started is told by the journal.

        Raises JournalError when the journal's file exists already or cannot be written.
        """
        launch = self._launch
        self._since = monotonic()
        if launch.journal.exists():
            JournalWriter(launch.journal, target=launch.label)  # raises the sentence about it
        try:
            self._process = GraphProcess(launch.python, launch.env, runner=self._runner)
        except OSError as error:
            told = TargetError(
                f"{launch.python} cannot be started: {error.strerror}",
                "name another interpreter with --python, such as .venv/bin/python",
            )
            self._over = True
            self._write(RunEnded(run="r1", status="failed", error=_told(told)))
            return
        atexit.register(self._process.end)
        self._process.send({
            "command": "load", "target": launch.target, "journal": str(launch.journal.absolute()),
            "app_dir": str(launch.app_dir), "paths": list(launch.paths), "checkpointer": launch.checkpointer,
            "mode": launch.mode, "label": launch.label,
        })  # fmt: skip

    def start(self, request: RunRequest) -> None:
        """Run the graph, on the request's thread or on a new one; while it loads, as soon as it is loaded."""
        if self._process is None and not self._over:
            self.spawn()
        command: dict[str, Json] = {
            "command": "start", "run": self._next_run(), "thread": request.thread or uuid.uuid4().hex[:8],
            "config": request.config, "interrupt_before": list(request.interrupt_before),
            "interrupt_after": list(request.interrupt_after),
        }  # fmt: skip
        for name in ("message", "context", "recursion_limit"):
            if (value := getattr(request, name)) is not None:
                command[name] = value
        if request.has_input:
            command["input"] = request.input
        self._timeout, self._thread = request.timeout, command["thread"]
        self._send(command)

    def resume(self, answers: dict[str, Json] | None) -> None:
        """Go on with the last run's thread, as another run."""
        self._send({"command": "resume", "run": self._next_run(), "thread": self._thread, "answers": answers})

    def _next_run(self) -> str:
        self._runs += 1
        self._asked, self._why = f"r{self._runs}", ""
        return self._asked

    def _send(self, command: dict[str, Json]) -> None:
        if self._process is not None and not self._over:
            self._process.send(command)

    def stop(self) -> str:
        """Take the next rung: drain after this step, cancel, terminate, kill. A graph that still loads hears no words."""
        if self._over or self._process is None or (self._loaded and not (self._asked or self._running)):
            return ""
        rungs = RUNGS if self._loaded else RUNGS[2:]
        rung = rungs[min(self._rung, len(rungs) - 1)]
        self._rung += 1
        if rung in ("drain", "cancel"):
            self._send({"command": "stop", "how": rung, **({"error": self._too_long()} if self.timed_out else {})})
        else:
            self._why = self._why or "stop"
            self._process.signal(signal.SIGTERM if rung == "terminate" else signal.SIGKILL)
        return rung

    def _watch_the_clock(self) -> None:
        if self._timeout is None or (self._loaded and not self._running):
            return
        now = monotonic()
        if self._why != "timeout":
            if now - self._since > self._timeout:
                self._why, self._rung, self._pressed = "timeout", int(self._loaded), now
                self.stop()
        elif now - self._pressed > 1.0:
            self._pressed = now
            self.stop()

    def _too_long(self) -> dict[str, Json]:
        what = "the run" if self._loaded else "loading the graph"
        return {
            "type": "Timeout", "message": f"{what} took longer than {self._timeout:g} s and was stopped",
            "hint": "give it longer with --timeout", "traceback": "",
        }  # fmt: skip

    def close(self) -> None:
        """End the process within about a second; the last events can still be polled."""
        if self._process is not None and not self._over:
            self._why = self._why or "close"
            self._process.end()
            self._bury()
        if not self._keep:
            self.path.unlink(missing_ok=True)

    # ── the end of the process ───────────────────────────────────────────────────────────────────────────────────────

    def _bury(self) -> None:
        """Write down what the process could not: what it printed last, and how the run that was going on ended."""
        process = self._process
        assert process is not None
        self._over = True
        code = process.code() or 0
        process.hang_up()
        process.signal(signal.SIGKILL)  # what it started does not outlive it
        atexit.unregister(process.end)
        self._backlog += self._take()
        printed = [Output(stream=stream, text=text) for stream, text in process.left_over()]
        ending = self._ending(code, "\n".join(output.text for output in printed))
        if printed or ending is not None:
            self._write(*printed, *([ending] if ending is not None else []))

    def _write(self, *events: Event) -> None:
        if self._reader is not None:
            writer = JournalWriter.attach(self.path)
        else:  # it died before it could begin the journal
            self.path.unlink(missing_ok=True)
            writer = JournalWriter(self.path, target=self.label, python="", langgraph="")
        for event in events:
            writer.append(event)
        writer.close()
        self._backlog += self._take()

    def _ending(self, code: int, printed: str) -> Event | None:
        run = self._running or self._asked or ("" if self._loaded or self._failed_to_load else "r1")
        if self._failed_to_load:
            return None
        if not run:
            if self._why or code == 0:
                return None
            return Notice(code="process_died", text=f"{_death(code)} after the run")
        if self._why == "timeout":
            return RunEnded(run=run, status="stopped", error=self._too_long())
        if self._why == "stop" and not self._loaded:
            return RunEnded(run=run, status="failed", error=_told(self._never_loaded()))
        if self._why:
            return RunEnded(run=run, status="stopped")
        if self._reader is None and "ModuleNotFoundError" in printed:
            return RunEnded(run=run, status="failed", error=_told(self._no_langgraph(printed)))
        when = "in the middle of the run" if self._running else "while the graph was loading"
        if self._loaded and not self._running:
            when = "before the run began"
        error = {"type": "ProcessDied", "message": f"{_death(code)} {when}", "hint": _advice(code), "traceback": ""}
        return RunEnded(run=run, status="crashed", error=error)

    def _never_loaded(self) -> TargetError:
        where = f" ({self._place})" if self._place else ""
        return TargetError(
            f"{self.label} was stopped while it was loading: its import had not returned{where}",
            "look for a loop, a server or a request at the top level of the module",
        )

    def _no_langgraph(self, printed: str) -> TargetError:
        return TargetError(
            f"{self._launch.python} cannot run a graph: langgraph is not installed there",
            "name your project's interpreter with --python, such as .venv/bin/python",
            detail=printed.strip().splitlines()[-1],
        )


def _told(error: TargetError) -> dict[str, Json]:
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint, "traceback": error.detail}


def _death(code: int) -> str:
    if code >= 0:
        return f"the graph's process exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the graph's process was killed by {name}"


def _advice(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the system does this when memory runs out; look at what the last task held"
    if code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGABRT):
        return "a C extension failed; what it printed last says where"
    if code >= 0:
        return "something called os._exit, or ended the interpreter; look at the last task and its output"
    return "something sent it a signal; look at the last task and its output"

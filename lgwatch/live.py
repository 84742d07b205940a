"""A graph that runs in a process of its own, as a source: started, told things, stopped by a ladder, buried.

Every run that was begun ends with exactly one `run_result`: where the graph's process died before it wrote one, it is
written here.
"""

from __future__ import annotations

import atexit
import signal
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from time import monotonic

from lgwatch.errors import JournalError, LgwatchError, TargetError
from lgwatch.events import Event, GraphLoaded, Json, Notice, Output, RunEnded, RunStarted
from lgwatch.journal import LOST_RESULT, JournalWriter, encode
from lgwatch.process import RUNNER, GraphProcess
from lgwatch.sources import RunRequest, Tail

RUNGS = ("drain", "cancel", "terminate", "kill")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the graph's process is started with: `env` are defaults below the environment, `paths` importable folders.

    `target` is as `resolve_target` gives it, `label` as the user typed it; `why` says how another interpreter than
    lgwatch's own was come by; `mode` is `auto`, `sync` or `async`; `config` is what a factory gets that asks for one.
    """

    target: str
    label: str
    journal: Path
    python: str
    why: str = ""
    app_dir: Path
    paths: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    checkpointer: str = "keep"
    mode: str = "auto"
    config: dict[str, Json] = field(default_factory=dict)
    diagnose: bool = False
    """Whether loading tells what will not work or not be seen, as notices."""
    redact: tuple[str, ...] | None = None
    """Patterns of what must not reach the disk, besides the shapes of secrets that are known; None redacts nothing."""
    content: bool = True
    """Whether the journal has what was said, or only structure and timing."""


class LiveRun(Tail):
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
        self._unwritten: list[Event] = []  # what came last and could not be written
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
        return self.last if self._over or self.zero is None else self.ticking()

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return the new events; notice the end of the process, and of the time that a run may take."""
        process = self._process
        dead = process is not None and process.code() is not None  # asked first: what it wrote before is read below
        if process is not None and not self._over and not dead:
            process.flush()
            self._watch_the_clock()
        events, self._backlog = self._backlog, []
        if not self._over:
            new = self._take(budget)
            events += new
            if dead:
                self._bury()
            elif not new:
                self._relieve()
        return events

    def _relieve(self) -> None:
        """Write down what the process prints and cannot read: it may be waiting for that."""
        if self._process is not None and self.reader is not None:
            printed = [Output(stream=stream, text=text) for stream, text in self._process.overflow()]
            if printed:
                self._write(*printed)

    def _take(self, budget: float | None = None) -> list[Event]:
        events = self.read(budget)
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
            "mode": launch.mode, "label": launch.label, "config": launch.config, "why": launch.why,
            "diagnose": launch.diagnose, "content": launch.content,
            "redact": None if launch.redact is None else list(launch.redact),
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
        from lgwatch.journal.veil import attached_writer, new_writer, veil_of  # the first picture does not wait for it

        veil = veil_of(self._launch.redact, content=self._launch.content)
        if self.reader is None:  # it died before it could begin the journal
            self.path.unlink(missing_ok=True)
            writer = new_writer(self.path, veil, target=self.label)
        else:
            try:
                writer = attached_writer(self.path, veil, shared=not self._over)
            except JournalError:  # somebody has taken it away
                self._keep_unwritten(events)
                return
        for event in events:
            writer.append(event)
        writer.close()
        taken = self._take()
        self._backlog += taken
        if writer.failure is not None and self._over:
            self._keep_unwritten(events[sum(type(event) is not Notice for event in taken) :])

    def _keep_unwritten(self, events: Sequence[Event]) -> None:
        """Tell at least those who watch what no journal takes; only at the end, when no line comes after it."""
        if self._over:
            told = [replace(event, at=self.now()) for event in events]
            self._unwritten += told
            self._backlog += told

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number, or the one of an event that the journal could not take."""
        number = seq - len(self.reader.offsets) if self.reader is not None else -1
        return encode(self._unwritten[number]).rstrip(b"\n") if 0 <= number < len(self._unwritten) else super().raw(seq)

    def line(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references unresolved."""
        number = seq - len(self.reader.offsets) if self.reader is not None else -1
        if 0 <= number < len(self._unwritten):
            event = self._unwritten[number]
            return {"type": event.type, **{one.name: getattr(event, one.name) for one in fields(event)}}
        return super().line(seq)

    def resolved(self, seq: int) -> dict[str, Json]:
        """Return the line with this number, references resolved."""
        assert self.reader is not None, "no line was polled yet"
        return self.line(seq) if seq >= len(self.reader.offsets) else super().resolved(seq)

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
        if code == LOST_RESULT and self._running:
            return RunEnded(run=run, status="failed", error=_told(self._full()))
        if self.reader is None and "ModuleNotFoundError" in printed:
            return RunEnded(run=run, status="failed", error=_told(self._no_langgraph(printed)))
        if not self._loaded and code >= 0 and self.reader is not None:
            return RunEnded(run=run, status="failed", error=_told(self._left(code)))
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

    def _left(self, code: int) -> TargetError:
        return TargetError(
            f"importing {self.label} ended the graph's process with exit code {code}",
            "look for os._exit at the top level of the module, or of what it imports",
        )

    def _full(self) -> JournalError:
        return JournalError(
            f"the run has ended, and {self.path} could not take its result",
            "is the disk full? make room, or use --journal",
        )

    def _no_langgraph(self, printed: str) -> TargetError:
        last = printed.strip().splitlines()[-1]
        module = last.rpartition("No module named ")[2].strip("'\"")
        if module.partition(".")[0] == "lgwatch":
            return TargetError(f"lgwatch is not whole: {module} is missing", "install it again", detail=last)
        return TargetError(
            f"{self._launch.python} cannot run a graph: langgraph is not installed there",
            "name your project's interpreter with --python, such as .venv/bin/python",
            detail=last,
        )


def _told(error: LgwatchError) -> dict[str, Json]:
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

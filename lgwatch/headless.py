"""The front end without a screen: the journal's lines, or short text. Data goes to `out`, everything else to `err`."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from time import monotonic, sleep
from types import FrameType
from typing import BinaryIO, Literal, Protocol, TextIO

import orjson

from lgwatch.clock import Clock
from lgwatch.events import (
    Event,
    Interrupted,
    Json,
    LoopDelayed,
    MessageChunk,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    ValueStored,
    error_text,
)  # fmt: skip
from lgwatch.filter import Filter
from lgwatch.plain import Plain, began, summary
from lgwatch.review import decided, hint
from lgwatch.session import Session
from lgwatch.sources import Source
from lgwatch.text import HAZARD, clean

Mode = Literal["json", "expand", "plain"]

IDLE = 0.01
"""Seconds between two looks at a journal in which nothing is new."""
PATIENCE = (0.0, 1.0, 1.0, 1.0)
"""Seconds from one rung of the ladder to the next, after Ctrl-C: drain, cancel, terminate, kill."""


class ExitCode(IntEnum):
    """What the program's end says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    WAITING = 3
    RECURSION_LIMIT = 4
    TIMEOUT = 124
    STOPPED = 130


def exit_code(session: Session) -> ExitCode:
    """Return what the session's last run means for the exit of the program."""
    run = session.run
    if run is None or run.status == "done":
        return ExitCode.DONE
    kind = str((run.error or {}).get("type", ""))
    if kind == "Timeout":
        return ExitCode.TIMEOUT
    if run.status == "interrupted":
        return ExitCode.WAITING
    if run.status == "stopped":
        return ExitCode.STOPPED
    if kind in ("TargetError", "InputError", "FilterError", "JournalError"):
        return ExitCode.USAGE
    return ExitCode.RECURSION_LIMIT if kind == "GraphRecursionError" else ExitCode.FAILED


def watch(
    source: Source,
    session: Session,
    *,
    mode: Mode,
    keep: Filter,
    out: BinaryIO,
    err: TextIO,
    resumes: Sequence[Json] = (),
) -> ExitCode:
    """Print what happens until the source is finished or its run has ended for good; then close the source.

    `resumes` are answers to interrupts, in the order in which these come. When `out` is closed by its reader the run is
    stopped and nothing more is said.
    """
    printer = Plain(session, source) if mode == "plain" else Lines(source, mode)
    watcher = _Watcher(source, session, printer, keep=keep, out=out, err=err)
    try:
        with _interruptible() as pressed:
            code = watcher.follow(list(resumes), pressed)
    except BrokenPipeError:
        source.close()
        return ExitCode.DONE  # whoever reads has enough
    finally:
        source.close()
    return code


class Printer(Protocol):
    """Turns events into what is printed; an event that the filter leaves out is not shown to it."""

    def show(self, seq: int, event: Event) -> bytes:
        """Return what to print when this event has come."""

    def end(self) -> bytes:
        """Return what is left to print when nothing more comes."""


class Lines:
    """The journal's lines as they are, or with their references resolved."""

    def __init__(self, source: Source, mode: Mode) -> None:
        self._source = source
        self._expand = mode == "expand"

    def show(self, seq: int, event: Event) -> bytes:
        """Return the event's line."""
        if not self._expand:
            return self._source.raw(seq) + b"\n"
        return b"" if type(event) is ValueStored else orjson.dumps(self._source.resolved(seq)) + b"\n"

    def end(self) -> bytes:
        """Return nothing: lines are whole."""
        return b""


class Record:
    """An event as a filter sees it: its facet, and what only the event itself knows."""

    def __init__(self, seq: int, event: Event, session: Session, size: int) -> None:
        """`size` is the bytes of the event's line."""
        self._facet = session.index.facet_of(seq)
        self._session, self._at = session, event.at
        index = session.index
        number = index.task[seq]
        name = index.tasks[number]
        self.task = (name, *index.around[number])
        self.size = size
        task = session.find_task(name) if name else None
        self.attempts = task.attempts if task is not None else None
        self.took = task.took if task is not None else None
        self.tokens = task.tokens if task is not None else None

    @property
    def at(self) -> float:
        """Seconds that the run had run."""
        return Clock(self._session.runs).told(self._at)

    def __getattr__(self, name: str) -> object:
        return getattr(self._facet, name)


class _Watcher:
    def __init__(
        self, source: Source, session: Session, printer: Printer, *, keep: Filter, out: BinaryIO, err: TextIO
    ) -> None:
        self._source = source
        self._session = session
        self._printer = printer
        self._keep = keep
        self._out = out
        self._err = err
        self._plain = isinstance(printer, Plain)
        self._on_terminal = out.isatty()
        self._needs_input = ""
        self._ways: dict[str, str] = {}  # by interrupt, the words that answer it
        self._begun = False

    def follow(self, resumes: list[Json], pressed: list[float]) -> ExitCode:
        ladder = _Ladder(self._source, pressed)
        while True:
            events = self._take(0.1)
            if ladder.climb():
                resumes.clear()
            if self._source.live and events and self._at_rest() and not self._resumed(resumes):
                break
            if self._source.finished:
                break
            if not events:
                sleep(IDLE)
        self._source.close()
        while self._take(None):
            pass
        self._print(self._printer.end())
        return self._tell(stopped=bool(pressed), left=len(resumes))

    def _take(self, budget: float | None) -> list[Event]:
        events = self._source.poll(budget)
        if not self._begun and (header := self._source.header) is not None:
            self._begun = True
            self._session.header = header
            if not self._plain:
                self._print(self._source.raw(0) + b"\n")
        self._print(b"".join(map(self._shown, events)))
        return events

    def _shown(self, event: Event) -> bytes:
        seq = self._session.apply(event)
        if type(event) is Interrupted:
            self._ways[event.interrupt] = hint(self._source.resolved(seq).get("value"))
        if type(event) is Notice:
            if event.code == "needs_input":
                self._needs_input = event.text
            elif self._plain:
                print(f"note: {clean(event.text)}", file=self._err)
        if type(event) is LoopDelayed and self._plain and not any(term.field == "type" for term in self._keep.terms):
            return b""  # about the process, not about the graph: text tells of it to whoever asks
        if not self._keep or isinstance(event, (RunStarted, RunEnded, ValueStored)) or self._kept(seq, event):
            return self._printer.show(seq, event)
        return b""

    def _kept(self, seq: int, event: Event) -> bool:
        size = self._source.size(seq) if self._keep.about("size") else 0
        if not self._keep(Record(seq, event, self._session, size)):
            return False
        if self._keep.about("line") and not self._keep.line(self._source.resolved(seq), strict=True):
            return False
        if not self._keep.texts:
            return True
        return self._keep.text(event.text if isinstance(event, (MessageChunk, Output)) else self._text(seq))

    def _text(self, seq: int) -> str:
        return orjson.dumps(self._source.resolved(seq)).decode()

    def _print(self, data: bytes) -> None:
        if data:
            self._out.write(self._safe(data))
            self._out.flush()

    def _safe(self, data: bytes) -> bytes:
        """Lines that a terminal shows hold no character that it would obey; a pipe gets them as they are."""
        if self._plain or not self._on_terminal or (data.isascii() and b"\x7f" not in data):
            return data
        return HAZARD.sub(_escape, data.decode()).encode()

    def _at_rest(self) -> bool:
        """Whether the source runs nothing any more, though it could."""
        return bool(self._needs_input) or self._session.status not in ("loading", "ready", "running")

    def _resumed(self, resumes: list[Json]) -> bool:
        """Answer what waits with the next answers; return whether the graph goes on."""
        waiting = self._session.waiting
        # What follows on a failure is no answer to it.
        if not waiting or not resumes or self._session.status != "interrupted":
            return False
        asked = [one.id for one in waiting if not one.breakpoint]
        if not asked:
            resumes.pop(0)
            self._source.resume(None)
        elif isinstance(resumes[0], dict) and resumes[0].keys() and resumes[0].keys() <= set(asked):
            self._source.resume(resumes.pop(0))
        else:
            answers = dict(zip(asked, resumes, strict=False))
            del resumes[: len(answers)]
            self._source.resume({name: self._in_full(name, answer) for name, answer in answers.items()})
        return True

    def _in_full(self, interrupt: str, answer: Json) -> Json:
        """Return an answer in the form that the question wants, where words may stand for it."""
        if not isinstance(answer, str):
            return answer
        asked = self._source.resolved(self._session.interrupts[interrupt].seq).get("value")
        decision = decided(answer, asked)
        return answer if decision is None else decision

    def _tell(self, *, stopped: bool, left: int) -> ExitCode:
        """Say how it ended, and return what that means."""
        run = self._session.run
        if run is None and self._needs_input:
            tell(self._err, self._needs_input, "give it with -i '{…}', or -i @FILE")
            return ExitCode.USAGE
        tell_error(self._err, self._session)
        stuck = any(notice.code == "interrupt" for _, notice in self._session.notices)
        for one in self._session.waiting:
            what = "the run stopped at a breakpoint" if one.breakpoint else "it asks for an answer"
            how = "go on with --resume null" if one.breakpoint else "answer it with --resume JSON"
            if ways := self._ways.get(one.id):
                how = f"decide with --resume '\"approve\"', or with other words: {ways}"
            tell(self._err, f"{one.path or one.node}: {what}", "" if stuck else how)
        if left and not stopped:
            many = f"{left} answers of --resume were" if left > 1 else "an answer of --resume was"
            print(f"note: {many} not asked for", file=self._err)
        if self._plain and run is not None and began(self._session):
            kept = self._source.path if self._source.path.exists() else None
            print(summary(self._session, kept), file=self._err)
        if run is not None and run.status == "running":  # its end could not be written
            return ExitCode.STOPPED if stopped else ExitCode.FAILED
        code = exit_code(self._session)
        return ExitCode.STOPPED if stopped and code not in (ExitCode.DONE, ExitCode.TIMEOUT) else code


def _escape(match: re.Match[str]) -> str:
    """Return a character as JSON escapes it; line ends stay, since nothing else of C0 is raw in JSON."""
    char = match[0]
    if char == "\n":
        return char
    code = ord(char)
    units = [code] if code < 0x10000 else [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
    return "".join(f"\\u{unit:04x}" for unit in units)


def tell(err: TextIO, message: str, hint: str = "") -> None:
    """Print what happened and what to try."""
    print(f"error: {clean(message, newlines=True)}", file=err)
    if hint:
        print(f"try: {clean(hint, newlines=True)}", file=err)


def tell_error(err: TextIO, session: Session) -> None:
    """Print what the last run failed of, if it did: the user's traceback, what happened, and what to try."""
    error = session.run.error if session.run is not None else None
    if not error:
        return
    if error.get("traceback"):
        print(clean(str(error["traceback"]), newlines=True).rstrip(), file=err)
    hint = str(error.get("hint") or "")
    tell(err, str(error.get("message")) if hint else error_text(error), hint)


class _Ladder:
    """Takes one rung after the other once Ctrl-C was pressed; each further press takes the next one at once."""

    def __init__(self, source: Source, pressed: list[float]) -> None:
        self._source = source
        self._pressed = pressed
        self._taken = 0
        self._last = 0.0

    def climb(self) -> bool:
        """Take the rungs that are due; return whether Ctrl-C was pressed at all."""
        if not self._pressed:
            return False
        now = monotonic()
        wait = PATIENCE[min(self._taken, len(PATIENCE) - 1)]
        if self._taken < len(self._pressed) or now - self._last > wait:
            self._taken += 1
            self._last = now
            if not self._source.stop():
                self._source.close()
        return True


@contextmanager
def _interruptible() -> Iterator[list[float]]:
    """Collect the times at which Ctrl-C was pressed, in place of raising; elsewhere than in the main thread, nothing."""
    pressed: list[float] = []

    def press(number: int, frame: FrameType | None) -> None:
        pressed.append(monotonic())

    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = {number: signal.signal(number, press) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

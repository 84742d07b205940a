"""A run as short text: one line per event that people care about, one paragraph per call of a model.

Two calls are never mixed: one that speaks while another does waits until the other has finished. All text is cleaned.
"""

from __future__ import annotations

import re
from pathlib import Path

from lgwatch.clock import Clock
from lgwatch.events import (
    CustomWritten,
    Event,
    GraphLoaded,
    Interrupted,
    Json,
    LoopDelayed,
    MessageChunk,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    TaskEnded,
    TaskStarted,
    Unknown,
    error_text,
    path,
)  # fmt: skip
from lgwatch.records import Message, Part, Task
from lgwatch.refs import preview
from lgwatch.session import Session
from lgwatch.sources import Source
from lgwatch.text import clean, colourless

WIDTH = 160
"""Characters of a payload on one line."""
GLYPHS = {
    "done": "✓",
    "cached": "↺",
    "failed": "✗",
    "interrupted": "■",
    "stopped": "∅",
    "crashed": "✗",
    "cancelled": "∅",
}

_RETURNED = {"__return__", "__end__"}


class Plain:
    """Words for events, in the order in which they came."""

    def __init__(self, session: Session, source: Source) -> None:
        self._session = session
        self._source = source
        self._speaking: Message | None = None  # whose text is being printed as it comes
        self._part: Part | None = None  # the part of it that was printed last
        self._midline = False
        self._fresh_line = False  # the text that streams has just begun another line
        self._waiting: dict[str, Message] = {}  # began while another was speaking
        self._said: set[str] = set()
        self._open: dict[str, None] = {}  # tasks whose end was not said

    def show(self, seq: int, event: Event) -> bytes:
        """Return the text for an event that the session has taken in."""
        if isinstance(event, MessageChunk):
            text = self._speak(event)
        else:
            # What ends a task ends its messages, too.
            text = self._finished() if isinstance(event, (SpanEnded, TaskEnded, RunEnded)) else ""
            if line := self._line(seq, event):
                text += self._break() + self._closed(event) + line
        return text.encode("utf-8", "backslashreplace")

    def end(self) -> bytes:
        """Return what was not said yet."""
        text = self._finished()
        for message in self._waiting.values():
            text += self._whole(message)
        self._waiting.clear()
        return (text + self._break()).encode("utf-8", "backslashreplace")

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _speak(self, chunk: MessageChunk) -> str:
        message = self._session.messages[chunk.message]
        if message.id in self._said:
            return ""
        if self._speaking is None and not self._waiting and not message.finished:
            self._speaking, self._part = message, None
        elif message is not self._speaking:
            self._waiting[message.id] = message
        return (self._stream(chunk) if message is self._speaking else "") + self._finished()

    def _stream(self, chunk: MessageChunk) -> str:
        message = self._speaking
        if message is None or not message.parts or not (chunk.text or chunk.tool_call):
            return ""
        part = message.parts[-1]
        text = ""
        if part is not self._part:
            text = self._break() + self._label(message, chunk.at, part)
            self._part = part
            self._fresh_line = False
        elif not self._midline and chunk.text:
            text = self._label(message, chunk.at, part)  # other lines came in between
            self._fresh_line = False
        piece = clean(chunk.text, newlines=True)
        if self._fresh_line and piece and piece[0] != "\n":
            piece = "  " + piece
        self._fresh_line = piece.endswith("\n") if piece else self._fresh_line
        self._midline = True
        return text + _indented(piece)

    def _finished(self) -> str:
        """Close the call that is speaking if it has ended, and say what waited for that."""
        text = ""
        if self._speaking is not None:
            if not self._speaking.finished:
                return ""
            text = self._break()
            if self._speaking.status in ("failed", "cut"):
                text += f"  ✂ {clean(self._speaking.path)}: {self._speaking.status}\n"
            self._said.add(self._speaking.id)
            self._speaking = None
        for message in [message for message in self._waiting.values() if message.finished]:
            del self._waiting[message.id]
            text += self._whole(message)
        if len(self._waiting) == 1:  # the only one that is still open may speak on
            _, message = self._waiting.popitem()
            text += self._whole(message, open_end=True)
            self._speaking, self._part = message, message.parts[-1] if message.parts else None
        return text

    def _whole(self, message: Message, *, open_end: bool = False) -> str:
        if not open_end:
            self._said.add(message.id)
        if message.repeats:
            return ""
        text = self._break()
        for part in message.parts:
            if part.kind == "tool_result":
                text += self._label(message, message.started, part) + _one_line(part.text) + "\n"
            elif part.text or part.tool_call:
                text += self._label(message, message.started, part)
                text += _indented(clean(part.text, newlines=True)) + "\n"
        if open_end and text.endswith("\n"):
            text, self._midline = text[:-1], True
        return text

    def _label(self, message: Message, at: float, part: Part) -> str:
        head = f"{self._at(at)} {message.path} "
        call = part.tool_call or {}
        match part.kind:
            case "reasoning":
                head += "thinks: "
            case "tool_call":
                head += f"calls {call.get('name') or 'a tool'}: "
            case "tool_result":
                head += f"⚒ {message.name or 'tool'}: "
            case _:
                head += "» " if message.role == "ai" else f"{message.role} » "
        return clean(head)

    def _break(self) -> str:
        if not self._midline:
            return ""
        self._midline = False
        return "\n"

    # ── everything else ──────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, seq: int, event: Event) -> str:
        match event:
            case GraphLoaded():
                nodes = sum(node.get("kind") not in ("start", "end") for node in event.nodes)
                return f"{self._at(event.at)} loaded {clean(event.target)}, {nodes} node{'s' * (nodes != 1)}\n"
            case RunStarted():
                what = "resume" if event.resume is not None else "fork" if event.fork else "run"
                return f"{self._at(event.at)} {what} {clean(event.run)} on thread {clean(event.thread)}\n"
            case TaskStarted():
                self._open[event.task] = None
                return f"{self._at(event.at)} s{event.step} ▸ {self._path(event)}{self._again(event)}\n"
            case TaskEnded():
                return self._ended(event)
            case SpanEnded(status="error") if (span := self._session.span(event.span)) and span.kind != "node":
                return f"{self._at(event.at)} ✗ {clean(span.name)}: {_error(event.error)}\n"
            case CustomWritten():
                return f"{self._at(event.at)} ◆ {self._path(event)} {self._payload(seq, 'data')}\n"
            case Output():
                return self._output(event)
            case Interrupted():
                return self._interrupt(seq, event)
            case RunEnded():
                return self._result(seq, event)
            case LoopDelayed():
                return f"{self._at(event.at)} ⧖ the event loop was {duration(event.delay)} late\n"
            case Unknown():
                return f"{self._at(event.at)} {clean(event.kind)}\n"
        return ""

    def _again(self, event: TaskStarted) -> str:
        """A task that goes on in another run is no retry."""
        task, run = self._session.find_task(event.task), self._session.run
        if task is None or run is None or not task.before or task.tries > 1:
            return ""
        return " goes on with the answer" if run.resume else " goes on"

    def _closed(self, event: Event) -> str:
        """Say the end of tasks that LangGraph says nothing of: the session closes them with their parent or their run."""
        if isinstance(event, TaskEnded):
            self._open.pop(event.task, None)  # it is said in full
            task = self._session.find_task(event.task)
            if task is None or not task.children:
                return ""
        elif not isinstance(event, RunEnded):
            return ""
        closed = [task for name in self._open if (task := self._session.find_task(name)) is not None and not task.open]
        for task in closed:
            del self._open[task.id]
        return "".join(self._end_of(task, event.at, task.error) for task in closed)

    def _at(self, moment: float) -> str:
        """Seconds that the run had run; before there is one, seconds since the journal's start."""
        clock = Clock(self._session.runs)
        return f"+{clock.active(moment) if clock else moment:.3f}"

    def _path(self, event: Event) -> str:
        return clean(path(event.ns, getattr(event, "node", "")))

    def _payload(self, seq: int, name: str, width: int = WIDTH) -> str:
        return clean(preview(self._source.resolved(seq).get(name), width))

    def _ended(self, event: TaskEnded) -> str:
        task = self._session.find_task(event.task)
        return self._end_of(task, event.at, event.error) if task is not None else ""

    def _end_of(self, task: Task, at: float, error: dict[str, Json] | None) -> str:
        text = f"{self._at(at)} s{task.step} {GLYPHS.get(task.status, '·')} {clean(task.path)}{self._measures(task)}"
        return text + (f": {_error(error)}" if error else "") + "\n"

    def _measures(self, task: Task) -> str:
        text = f" {duration(task.elapsed(self._session.now))}"
        if task.tries > 1:
            text += f", attempt {task.tries}"
        if set(task.wrote) & _RETURNED:
            text += ", returned"  # functions have no state to write to
        elif task.wrote:
            text += f", wrote {clean(', '.join(task.wrote))}"
        return text

    def _output(self, event: Output) -> str:
        level = f"{event.level} " if event.level else ""
        logger = f"{event.logger}: " if event.logger else ""
        where = f"{self._path(event)} " if event.node else ""
        head = clean(f"{self._at(event.at)} │ {where}{level}{logger}")
        lines = clean(colourless(event.text), newlines=True).split("\n")
        return "".join(f"{head}{line}\n" for line in lines)

    def _interrupt(self, seq: int, event: Interrupted) -> str:
        where = self._path(event) or clean(event.interrupt)
        if event.interrupt.startswith("breakpoint:"):
            return f"{self._at(event.at)} ■ breakpoint at {where}\n"
        return f"{self._at(event.at)} ■ {where} asks: {self._payload(seq, 'value')}\n"

    def _result(self, seq: int, event: RunEnded) -> str:
        run = self._session.run
        took = f" in {duration(run.elapsed(self._session.now))}" if run is not None else ""
        text = f"{self._at(event.at)} {GLYPHS.get(event.status, '·')} {clean(event.status)}{took}"
        if event.error:
            return f"{text}: {_error(event.error)}\n"
        if event.status == "done" and event.output is not None:
            return f"{text}\n{self._payload(seq, 'output', 20 * WIDTH)}\n"
        return text + "\n"


def _one_line(text: str) -> str:
    line = clean(" ".join(text[: 4 * WIDTH].split()))
    return line if len(line) <= WIDTH and len(text) <= 4 * WIDTH else line[: WIDTH - 1] + "…"


def _indented(text: str) -> str:
    """Set further lines in, empty ones apart."""
    return re.sub(r"\n(?=[^\n])", "\n  ", text)


def _error(error: dict[str, Json] | None) -> str:
    if not error:
        return ""
    line = clean(error_text(error).partition("\n")[0])
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def duration(seconds: float) -> str:
    """Return a time that a person reads: `12 ms`, `3.4 s`, `2 m 05 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} m {seconds % 60:02.0f} s"


def began(session: Session) -> bool:
    """Whether there is anything to look at: a graph that cannot be loaded leaves an error, and that was told."""
    return bool(session.counts.keys() - {"notice", "run_result"})


def summary(session: Session, journal: Path | None) -> str:
    """Return what remains of a session when it is over: status, numbers, and where its journal is."""
    run = session.run
    status = session.status
    parts = [f"{GLYPHS.get(status, '·')} {clean(status)}"]
    if run is not None:
        parts[0] += f" in {duration(run.elapsed(session.now))}"
    if len(session.runs) > 1:
        parts.append(f"{len(session.runs)} runs")
    tasks = sum(len(run.tasks) for run in session.runs)
    parts.append(f"{tasks} task{'s' * (tasks != 1)}")
    if session.tokens_in or session.tokens_out:
        parts.append(f"{session.tokens_in} tokens in, {session.tokens_out} out")
    # A failure is an event of its attempt, of its task and of its run; a person counts it once.
    if failed := sum(task.status == "failed" for task in session.tasks()):
        parts.append(f"{failed} failed")
    line = " · ".join(parts)
    return f"{line}\njournal: {clean(str(journal))}" if journal is not None else line

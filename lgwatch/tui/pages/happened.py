"""What happened in one task, in order: its attempts, calls, messages, tools, custom events and prints, a row each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgwatch.events import Json, error_text
from lgwatch.records import Message, Span, Task
from lgwatch.refs import preview
from lgwatch.session import Session
from lgwatch.text import colourless
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, count, fit, glyph, node_style, seconds

if TYPE_CHECKING:
    from lgwatch.sources import Source

KINDS = ("tokens", "custom", "logs", "tools")
"""What can be left out, by the keys 1 to 4."""
MOST = 20_000
"""Events of one task that have rows: the first ones, and a row for how many came after them."""
_CUSTOM, _LOGS = frozenset({"custom"}), frozenset({"output"})
_READ = _CUSTOM | _LOGS | {"interrupt", "notice"}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing: when, of which of the `KINDS` ("" for what is always there), a word for it, and what is to be said.

    `seqs` are the lines of the journal that tell of it; `task` is one inside of the task.
    """

    at: float
    seq: int
    kind: str
    word: tuple[str, str]
    row: Row
    seqs: tuple[int, ...] = ()
    task: Task | None = None
    reads: bool = False
    """Whether the row is drawn from its line."""
    given: int = 0
    """The line that has what a tool was called with."""


class HappenedRows(Rows):
    """The rows of one task."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._all: list[Happened] = []
        self.shown: list[Happened] = []
        self.hidden: set[str] = set()
        self._version = 0
        self._task: Task | None = None
        self._seen = 0
        self._lines: list[Happened] = []
        self._more = 0
        """Lines that came after the most that are kept."""

    def set(self, session: Session, task: Task) -> None:
        """Show what happened in a task until now."""
        if task is not self._task:
            self._task, self._seen, self._lines, self._more = task, task.seq, [], 0
        self._read_index(session, task)
        self._all = sorted([*self._of_task(session, task), *self._lines], key=lambda one: (one.at, one.seq))
        if more := max(len(self._all) - MOST, 0) + self._more:
            del self._all[MOST:]
            said: Row = [(f"and {count(more, 'more event')}, in the journal", "warn")]
            self._all.append(Happened(self._all[-1].at, -1, "", ("…", "warn"), said))
        self._filter()

    def toggle(self, kind: str) -> None:
        """Leave out one of the kinds, or take it in again."""
        self.hidden ^= {kind}
        self._filter()

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {kind: sum(one.kind == kind for one in self._all) for kind in KINDS}

    def _filter(self) -> None:
        self._version += 1
        self.shown = [one for one in self._all if one.kind not in self.hidden]

    def _read_index(self, session: Session, task: Task) -> None:
        """Find the task's lines that came since."""
        index = session.index
        run = next((run for run in session.runs if run.id == task.run), None)
        end = run.end_seq + 1 if run is not None and run.end_seq is not None else len(index)
        number = index.tasks.index(task.id) if task.id in index.tasks else -1
        for seq, owner in enumerate(index.task[self._seen : end], self._seen):
            if owner == number and (kind := index.facet_of(seq).type) in _READ:
                if len(self._lines) >= MOST:
                    self._more += 1
                    continue
                shown = "custom" if kind in _CUSTOM else "logs" if kind in _LOGS else ""
                word = {"custom": ("cust", "info"), "output": ("out", "dim")}.get(kind, (kind[:5], "warn"))
                self._lines.append(Happened(index.at[seq], seq, shown, word, [], (seq,), reads=True))
        self._seen = max(self._seen, end)

    def _of_task(self, session: Session, task: Task) -> Iterator[Happened]:
        waited = (task.began or task.started) - task.started
        told = f"scheduled, waited {seconds(waited)}" if waited >= 0.0005 else "scheduled"
        yield Happened(task.started, task.seq, "", ("task", "ok"), [(told, "dim")], (task.seq,))
        attempts = [span for span in task.spans if span.kind == "node"]
        for number, span in enumerate(attempts, task.tries - len(attempts) + 1):
            yield from self._attempt(span, number, task)
        messages = [one for one in session.messages_of(task.id) if one.run == task.run]
        for span in task.spans:
            if span.kind != "node":
                yield from _span(span)
        for message in messages:
            yield _message(message)
        for child in task.children:
            row: Row = [(f"{child.node}  ", node_style(child.path)), (child.status, glyph(child.status)[1])]
            row.append((f"  {seconds(child.elapsed(session.now))}", "time"))
            yield Happened(child.started, child.seq, "", ("inner", "dim"), row, (child.seq,), child)
        if task.ended is not None and task.end_seq is not None:
            yield Happened(task.ended, task.end_seq, "", ("task", glyph(task.status)[1]), _end(task), (task.end_seq,))
        elif task.ended is not None:
            yield Happened(task.ended, session.run.end_seq or task.seq if session.run else task.seq, "",
                           ("task", "dim"), [(f"{task.status}, closed by its {task.closed_by}", "dim")], (task.seq,))  # fmt: skip

    @staticmethod
    def _attempt(span: Span, number: int, task: Task) -> Iterator[Happened]:
        if number > 1 or span.status == "error":
            yield Happened(span.started, span.seq, "", ("try", "accent"), [(f"attempt {number}", "")], (span.seq,))
        elif task.before:
            yield Happened(
                span.started, span.seq, "", ("try", "accent"), [("goes on from the run before", "")], (span.seq,)
            )
        if span.status == "error" and span.ended is not None and span.end_seq is not None:
            said = error_text(span.error or {})
            again = "" if task.status == "failed" and number == task.tries else "  and again"
            yield Happened(span.ended, span.end_seq, "", ("try", "error"),
                           [(f"{glyph('failed')[0]} {said}", "error"), (again, "dim")], (span.end_seq,))  # fmt: skip

    def __len__(self) -> int:
        return len(self.shown)

    def key(self, index: int) -> Hashable:
        """A line never changes; what is folded from several does until its end."""
        one = self.shown[index]
        return (one.seq, one.word, "" if one.reads else tuple(one.row), one.at)

    def index_of(self, key: Hashable) -> int | None:
        """Find a row again."""
        name = key[:2] if isinstance(key, tuple) else None
        return next((number for number, one in enumerate(self.shown) if (one.seq, one.word) == name), None)

    def row(self, index: int, width: int) -> Row:
        """Draw a row."""
        one = self.shown[index]
        began = self._task.started if self._task is not None else 0.0
        said = self._read(one.seq) if one.reads else one.row
        if one.given:
            given = self._source.resolved(one.given).get("input")
            said = [said[0], (f"({preview(given, max(width // 3, 20))})", "dim"), *said[1:]]
        return fit([(f"{one.at - began:+9.3f} ", "time"), (f"{one.word[0]:<6}", one.word[1]), *said], [], width)

    def _read(self, seq: int) -> Row:
        line = self._source.resolved(seq)
        kind = line.get("type")
        if kind == "custom":
            return [(_said(line.get("data")), "")]
        if kind == "output":
            stream, text = line.get("stream", "stdout"), colourless(str(line.get("text", "")))
            text = text.rstrip("\n").replace("\n", " ⏎ ")
            head = f"{line.get('level') or ''} {line.get('logger') or ''}".strip() or (
                "print" if stream == "stdout" else str(stream)
            )
            return [(f"{head}: ", "dim"), (text, "warn" if line.get("level") in ("WARNING", "ERROR") else "")]
        if kind == "interrupt":
            return [(_said(line.get("value")), "warn")]
        return [(str(line.get("text", "")), "warn")]


def _said(data: Json) -> str:
    return data if isinstance(data, str) else preview(data, 400)


def _end(task: Task) -> Row:
    sign, style = glyph(task.status)
    if task.error:
        return [(f"{sign} {error_text(task.error)}", style)]
    wrote = f", wrote {', '.join(task.wrote)}" if task.wrote else ""
    return [(f"{sign} {task.status}{wrote}", style)]


def _span(span: Span) -> Iterator[Happened]:
    word = {"llm": "llm", "tool": "tool", "retriever": "find"}.get(span.kind, span.kind[:5])
    lines = tuple(seq for seq in (span.seq, span.end_seq) if seq is not None)
    took = seconds(span.ended - span.started) if span.ended is not None else "running"
    sign, style = glyph(span.status)
    name: Row = [(span.name, "tool" if span.kind == "tool" else ""), (f"  {span.model}" if span.model else "", "dim")]
    row: Row = [*name, (f"  {took}  ", "time"), (sign, style)]
    if span.status == "error" and span.error:
        row.append((f" {error_text(span.error)}", "error"))
    given = span.seq if span.kind in ("tool", "retriever") else 0
    yield Happened(span.started, span.seq, "tools", (word, "tool"), row, lines, given=given)
    if span.first_token is not None:
        wait = seconds(span.first_token - span.started)
        yield Happened(
            span.first_token, span.seq, "tokens", ("llm", "dim"), [(f"first token after {wait}", "dim")], lines
        )


def _message(message: Message) -> Happened:
    tokens, reported = message.tokens
    figures = f"  {'' if reported else '~'}{amount(tokens)} tok" if tokens else ""
    if rate := message.rate():
        figures += f", {rate:.0f}/s"
    calls = f"{', '.join(message.tools)}  " if message.tools else ""
    text = " ".join(message.text.split()) or " ".join("".join(part.text for part in message.parts).split())
    at = message.first_token if message.first_token is not None else message.started
    role = "token" if message.role == "ai" and not message.whole else message.role[:5] or "msg"
    row: Row = [(calls, "tool"), (text[:600], "reasoning" if not message.text and not calls else ""), (figures, "time")]
    return Happened(at, message.seq, "tokens", (role, ""), row, tuple(range(message.seq, message.seq + 1)))

"""The timeline: task bars that grow on a time axis, LLM calls and tools inside them, checkpoints and interrupts as marks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.tui.bar import Bar
from lgwatch.tui.nodes import task_subject
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Row, Rows
from lgwatch.tui.signs import count, fit, glyph, node_style, seconds, tick
from lgwatch.tui.text import ASCII, cell_len, clean, crop

if TYPE_CHECKING:
    from lgwatch.sources import Source

NICE = (
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.25,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    21600,
    86400,
)
"""Distances between two ticks of the axis, in seconds."""
_BAR, _WAIT, _LLM, _TOOL, _SOON, _FAIL = ("=", "-", "#", "%", ".", "x") if ASCII else ("━", "░", "▆", "▒", "·", "✗")
LEGEND: Row = [
    (f"scheduled {_SOON} ", "faint"),
    (f"node {_BAR} ", "dim"),
    (f"model silent {_WAIT} ", "dim"),
    (f"tokens {_LLM} ", "dim"),
    (f"tool {_TOOL} ", "dim"),
    (f"checkpoint {glyph('checkpoint')[0]}", "info"),
]


class Clock:
    """Maps the session's time to the columns of an axis: the newest run and the runs that it resumed, without the
    time in which nothing ran."""

    def __init__(self, runs: list[Run], now: float, columns: int) -> None:
        self._stretches: list[tuple[float, float, float]] = []  # began, ended, seconds before it
        total = 0.0
        for run in runs:
            end = run.started + run.elapsed(now)
            self._stretches.append((run.started, end, total))
            total += end - run.started
        self.total = max(total, 0.001)
        self.columns = max(columns, 1)
        self.step = next((step for step in NICE if self.total / step * 9 <= self.columns), NICE[-1])
        # A picture that grows in jumps is calmer than one that is rescaled with every frame.
        self.span = self.step * (int(self.total / self.step) + 1)

    def __bool__(self) -> bool:
        return bool(self._stretches)

    def active(self, at: float) -> float:
        """Return the seconds that runs had run when it was `at`."""
        result = 0.0
        for began, ended, before in self._stretches:
            if at >= began:
                result = before + min(at, ended) - began
        return result

    def column(self, at: float) -> int:
        """Return the column of a moment."""
        return min(int(self.active(at) / self.span * self.columns), self.columns - 1)

    def axis(self) -> str:
        """Return the labels of the ticks."""
        labels = [" "] * (self.columns + 8)
        for number in range(int(self.span / self.step) + 1):
            column = round(number * self.step / self.span * self.columns)
            label = _label(number * self.step)
            if column + len(label) <= self.columns:
                labels[column : column + len(label)] = label
        return "".join(labels)[: self.columns]


def _label(at: float) -> str:
    if at >= 60:
        return f"{int(at // 60)}m{int(at % 60):02d}" if at % 60 else f"{int(at // 60)}m"
    return f"{at:g}s"


def chain(session: Session) -> list[Run]:
    """Return the newest run, after the runs that it goes on from."""
    runs: list[Run] = []
    for run in reversed(session.runs):
        runs.insert(0, run)
        if run.resume is None:
            break
    return runs


class TimelineRows(Rows):
    """A bar for each task of the newest run, in order of start, what ran inside it below."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.clock = Clock([], 0.0, 1)
        self._now = 0.0
        self._state: object = None
        self._stamp: Hashable = None
        self._spare = 0  # columns behind the axis, for what is written after a bar

    def update(self, session: Session, keep: Filter, now: float, width: int) -> bool:
        """Take in what changed; return whether anything did."""
        self._now = now
        runs = chain(session)
        moving = bool(runs) and runs[-1].status == "running"
        self._spare = 9 if width >= 70 else 6
        self.clock = Clock(runs, now, width - self.label(width) - self._spare)
        self._stamp = (self.clock.span, width)
        state = (session, session.task_changes, tick(now) if moving else 0, session.message_changes, keep, self._stamp)
        if state == self._state:
            return False
        if self._state is None or state[:2] != self._state[:2] or keep != self._state[4]:  # type: ignore[index]
            self.tasks = [task for run in runs for task in _nested(run, keep)]
        self._state = state
        return True

    @staticmethod
    def label(width: int) -> int:
        """Return the cells that names take."""
        return max(12, min(30, width // 5))

    def __len__(self) -> int:
        return len(self.tasks)

    def key(self, index: int) -> Hashable:
        """A bar changes while its task runs, and when the axis does."""
        task = self.tasks[index]
        moving = tick(self._now) if task.open else 0
        return (task.run, task.id, task.status, task.attempts, len(task.spans), task.ended, self._stamp, moving)

    def index_of(self, key: Hashable) -> int | None:
        """Find the task again."""
        if not isinstance(key, tuple):
            return None
        return next((index for index, task in enumerate(self.tasks) if (task.run, task.id) == key[:2]), None)

    def row(self, index: int, width: int) -> Row:
        """Draw one bar."""
        task = self.tasks[index]
        room = self.label(width)
        sign, style = glyph(task.status, self._now)
        indent = "  " * min(task.depth, 6)
        name = crop(clean(f"{indent}{task.node}"), room - 3, "…")
        head: Row = [(f"{sign} ", style), (name, node_style(task.path)), (" " * (room - 2 - cell_len(name)), "")]
        return [*head, *self._bar(task)]

    def _bar(self, task: Task) -> Row:
        clock, now = self.clock, self._now
        signs = [" "] * (clock.columns + self._spare)
        styles = [""] * (clock.columns + self._spare)
        colour = node_style(task.path)

        def paint(start: float, end: float | None, sign: str, style: str) -> None:
            first, last = clock.column(start), clock.column(now if end is None else end)
            for column in range(first, last + 1):
                signs[column], styles[column] = sign, style

        paint(task.started, task.began if task.began is not None else task.ended, _SOON, "faint")
        if task.began is not None:
            paint(task.began, task.ended, _BAR, colour)
        attempts = [span for span in task.spans if span.kind == "node"]
        for before, after in pairwise(attempts):  # the pause before the next attempt
            if before.ended is not None:
                paint(before.ended, after.started, _SOON, "warn")
        for span in task.spans:
            if span.kind == "llm":
                paint(span.started, span.first_token if span.first_token is not None else span.ended, _WAIT, colour)
                if span.first_token is not None:
                    paint(span.first_token, span.ended, _LLM, colour)
            elif span.kind in ("tool", "retriever"):
                paint(span.started, span.ended, _TOOL, "tool")
        for span in task.spans:
            if span.status == "error" and span.ended is not None:
                column = clock.column(span.ended)
                signs[column], styles[column] = _FAIL, "bold error"
        if task.status == "interrupted" and task.ended is not None:
            column = clock.column(task.ended)
            signs[column], styles[column] = glyph("interrupted")
        self._caption(task, signs, styles)
        return _joined(signs, styles)

    def _caption(self, task: Task, signs: list[str], styles: list[str]) -> None:
        """Write how long it took after the bar, or before it where there is no room."""
        note = seconds(task.elapsed(self._now)) if task.began is not None else "waiting" if task.open else ""
        if task.attempts > 1:
            note += f" ×{task.attempts}"
        last = max((i for i, sign in enumerate(signs) if sign != " "), default=-1)
        start = last + 2
        if start + len(note) > len(signs):
            first = next((i for i, sign in enumerate(signs) if sign != " "), 0)
            start = first - len(note) - 1
        if start >= 0:
            signs[start : start + len(note)] = note
            styles[start : start + len(note)] = ["time"] * len(note)


def _joined(signs: list[str], styles: list[str]) -> Row:
    row: Row = []
    start = 0
    for index in range(1, len(signs) + 1):
        if index == len(signs) or styles[index] != styles[start]:
            row.append(("".join(signs[start:index]), styles[start]))
            start = index
    return row


def _nested(run: Run, keep: Filter) -> Iterator[Task]:
    def walk(tasks: list[Task]) -> Iterator[Task]:
        for task in tasks:
            inside = list(walk(task.children))
            if not keep or keep(task) or inside:
                yield task
            yield from inside

    yield from walk([task for task in run.tasks.values() if task.parent is None])


class TimelinePane(Pane):
    """Where the time went."""

    title_: ClassVar[str] = "Timeline"
    help_: ClassVar[str] = (
        "A bar for each task of the newest run on one time axis. Inside a bar: the wait for a model's first token, its "
        "tokens, tools, failed attempts. Above: checkpoints ◆, interrupts ■, errors ✗. 4 shows the list of events below."
    )
    rows: TimelineRows

    def __init__(self, source: Source) -> None:
        super().__init__(TimelineRows(), source, id="timeline")
        self.axis = Bar()
        self.marks = Bar()

    def compose(self) -> ComposeResult:
        """The axis, the marks, and the bars below them."""
        yield self.axis
        yield self.marks
        yield self.view

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Let the bars grow."""
        width = self.view.width_of_rows()
        if width < 16 or not self.rows.update(session, keep, now, width):
            return
        self.view.show()
        clock, room = self.rows.clock, self.rows.label(width)
        self.axis.show([(" " * room, ""), (clock.axis(), "time")])
        self.marks.show([*fit([("marks", "faint")], [], room), *_marks(session, clock, room)])
        run = session.run
        legend = "".join(text for text, _ in LEGEND) if width > 100 else ""
        self.mark(legend, f"{count(len(self.rows), 'task')} in {seconds(clock.total)}" if run else "")

    def subject(self) -> Subject | None:
        """The task under the cursor."""
        index = self.chosen
        return None if index is None else task_subject(self.rows.tasks[index])


def _marks(session: Session, clock: Clock, room: int) -> Row:
    signs, styles = [" "] * clock.columns, [""] * clock.columns
    runs = {run.id for run in chain(session)}

    def put(at: float, state: str) -> None:
        column = clock.column(at)
        signs[column], styles[column] = glyph(state)

    for checkpoint in session.checkpoints:
        if checkpoint.run in runs and not checkpoint.ns:
            put(checkpoint.at, "fork" if checkpoint.source == "fork" else "checkpoint")
    for interrupt in session.interrupts.values():
        if interrupt.run in runs:
            put(interrupt.at, "interrupted")
    for seq in session.errors:
        if session.index.facet_of(seq).run in runs:
            put(session.index.at[seq], "failed")
    return [(" " * (room - min(room, 5)), ""), *_joined(signs, styles)]

"""The bars of the waterfall: what a task did at which time, painted into the cells of one row."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from lgwatch.clock import Clock
from lgwatch.records import Span, Task
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import SPARKS, glyph, node_style, seconds
from lgwatch.tui.lines.text import ASCII, clean, crop, plain
from lgwatch.tui.timeline.axis import Axis

WAIT, NODE, SILENT, TICK, TOKENS, TOOL, PAUSE, FAIL, EDGE = (
    (":", "=", "_", "|", "#", "%", ".", "x", ">") if ASCII else ("░", "━", "▁", "▌", "▆", "▒", "┄", "✗", "╸")
)
_OFF = ("<", ">") if ASCII else ("‹", "›")
LEGEND = (
    (WAIT, "waits"), (NODE, "runs"), (SILENT + TICK, "first token"), (TOKENS, "tokens"), (TOOL, "tool"),
    (PAUSE, "back-off"), (glyph("checkpoint")[0], "checkpoint"),
)  # fmt: skip
"""Signs and what they mean, in the order in which they are worth knowing."""


class Cells:
    """One row of the axis, and `spare` cells after it, to be painted by time."""

    def __init__(self, clock: Clock, axis: Axis, now: float, spare: int) -> None:
        self.clock = clock
        self.axis = axis
        self.now = now
        self.signs = [" "] * (axis.columns + spare)
        self.styles = [""] * (axis.columns + spare)

    def place(self, at: float | None) -> int:
        """Return the column of a moment, None being now; it may lie outside."""
        return self.axis.place(self.clock.active(self.now if at is None else at))

    def fill(self, start: float, end: float | None, sign: str, style: str) -> None:
        """Paint the time from `start` to `end`, at least one cell of it."""
        first, last = self.place(start), self.place(end)
        if last < 0 or first >= self.axis.columns:
            return
        first, last = max(first, 0), min(last, self.axis.columns - 1)
        self.signs[first : last + 1] = sign * (last + 1 - first)
        self.styles[first : last + 1] = [style] * (last + 1 - first)

    def put(self, at: float, sign: str, style: str) -> None:
        """Paint one moment."""
        self.mark(self.place(at), sign, style)

    def mark(self, column: int, sign: str, style: str) -> None:
        """Paint one column, where it is in the window."""
        if 0 <= column < self.axis.columns:
            self.signs[column], self.styles[column] = sign, style

    def outside(self, start: float, end: float | None) -> None:
        """Say on which side of the window a bar is of which nothing is in it."""
        if self.place(end) < 0:
            self.signs[0], self.styles[0] = _OFF[0], "faint"
        elif self.place(start) >= self.axis.columns:
            self.signs[self.axis.columns - 1], self.styles[self.axis.columns - 1] = _OFF[1], "faint"

    def note(self, text: str, style: str) -> None:
        """Write a short text after the bar, or before it where there is no room."""
        last = max((column for column, sign in enumerate(self.signs) if sign != " "), default=-2)
        start = last + 2
        if start + len(text) > len(self.signs):
            start = next((column for column, sign in enumerate(self.signs) if sign != " "), 0) - len(text) - 1
        if start >= 0 and text:
            self.signs[start : start + len(text)] = text
            self.styles[start : start + len(text)] = [style] * len(text)

    def row(self, lines: Iterable[tuple[int, str]] = (), *, pale: bool = False) -> Row:
        """Return the spans, with vertical `lines` (column and style) through them."""
        styles = ["faint" if style else "" for style in self.styles] if pale else self.styles
        for column, style in lines:
            if 0 <= column < self.axis.columns:
                styles = [*styles[:column], f"{styles[column]} {style}", *styles[column + 1 :]]
        row: Row = []
        start = 0
        for end in range(1, len(styles) + 1):
            if end == len(styles) or styles[end] != styles[start]:
                row.append(("".join(self.signs[start:end]), styles[start]))
                start = end
        return row


def paint_task(cells: Cells, task: Task) -> None:
    """Paint a task: its wait, its attempts and the pauses between them, its LLM calls and tools, and how it ended."""
    colour = node_style(task.path)
    cells.fill(task.started, task.began if task.began is not None else task.ended, WAIT, "faint")
    if task.began is not None:
        cells.fill(task.began, task.ended, NODE, colour)
    attempts = [span for span in task.spans if span.kind == "node"]
    for before, after in pairwise(attempts):
        if before.ended is not None:
            cells.fill(before.ended, after.started, PAUSE, "warn")
    for span in task.spans:
        if span.kind == "llm":
            _paint_call(cells, span, colour)
        elif span.kind in ("tool", "retriever"):
            cells.fill(span.started, span.ended, TOOL, "tool")
    if task.open and task.began is not None:
        cells.put(cells.now, EDGE, f"bold {colour}")
    for span in task.spans:
        if span.status == "error" and span.ended is not None:
            cells.put(span.ended, FAIL, "bold error")
    if task.ended is not None and task.status in ("failed", "interrupted"):
        sign, style = glyph(task.status)
        cells.put(task.ended, sign, f"bold {style}")
    cells.outside(task.started, task.ended)
    note = seconds(task.elapsed(cells.now)) if task.began is not None else "waiting" if task.open else ""
    cells.note(note + (f" ×{task.tries}" if task.tries > 1 else ""), "time")


def _paint_call(cells: Cells, span: Span, colour: str) -> None:
    if span.first_token is None:
        cells.fill(span.started, span.ended, SILENT, colour)
        return
    cells.fill(span.started, span.first_token, SILENT, colour)
    cells.fill(span.first_token, span.ended, TOKENS, colour)
    if cells.place(span.ended) > cells.place(span.first_token):
        cells.put(span.first_token, TICK, f"bold {colour}")


def paint_error(cells: Cells, at: float, text: str) -> None:
    """Paint an error that is no task's: where it was, and beside that what it says, as far as there is room."""
    cells.put(at, FAIL, "bold error")
    cells.outside(at, at)
    column = next((column for column, sign in enumerate(cells.signs) if sign != " "), 0)
    room = max(column - 1, len(cells.signs) - column - 2)
    cells.note(crop(clean(text), room, plain("…")), "error")


class Together:
    """What the tasks of a fan-out did, told of all of them: when each began and ended, in order, whatever the axis."""

    def __init__(self, tasks: list[Task]) -> None:
        began = [task for task in tasks if task.began is not None]
        self.path = tasks[0].path
        self.states = Counter(task.status for task in tasks)
        self.left = sum(task.open for task in tasks)
        self.scheduled = min(task.started for task in tasks)
        self.over = None if self.left else max(task.ended or task.started for task in tasks)
        self._begins = array("d", sorted(task.began for task in began if task.began is not None))
        self._ends = array("d", sorted(task.ended for task in began if task.ended is not None))
        self._running = len(self._begins) - len(self._ends)
        self._failed = [
            (task.ended, glyph(task.status))
            for task in tasks
            if task.status in ("failed", "interrupted") and task.ended is not None
        ]
        self._window: object = None
        self._levels: list[int] = []

    def words(self) -> str:
        """How long they took, or how many are not done yet."""
        if not self._begins:
            return "waiting"
        return f"{self.left} left" if self.left else seconds(max(self.over or 0.0, self._begins[0]) - self._begins[0])

    def levels(self, cells: Cells) -> list[int]:
        """Return how many ran in each column."""
        window = (cells.axis, cells.clock.total, cells.now if self._running else 0.0)
        if window != self._window:
            self._window, self._levels = window, list(self._counted(cells))
        return self._levels

    def _counted(self, cells: Cells) -> Iterator[int]:
        began = ended = 0
        now = cells.place(None)
        for column in range(cells.axis.columns):
            began = _passed(self._begins, began, column, cells)
            ended = _passed(self._ends, ended, column - 1, cells)
            yield began - ended - (self._running if column > now else 0)

    def paint(self, cells: Cells) -> None:
        """Paint how many ran at which time, and where some failed."""
        cells.fill(self.scheduled, self.over, WAIT, "faint")
        levels = self.levels(cells)
        top, colour = max(levels, default=0), node_style(self.path)
        for column, level in enumerate(levels):
            if level:
                cells.signs[column] = SPARKS[min(level * 8 // (top + 1), 7)]
                cells.styles[column] = colour
        for at, (sign, style) in self._failed:
            cells.put(at, sign, f"bold {style}")
        cells.outside(self.scheduled, self.over)
        cells.note(self.words(), "time")


def _passed(moments: array[float], place: int, column: int, cells: Cells) -> int:
    """Return how many of the moments are in this column or before it; `place` of them are."""
    if place < len(moments) and cells.place(moments[place]) <= column:
        return bisect_right(moments, column, place, key=cells.place)
    return place

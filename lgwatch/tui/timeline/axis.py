"""The time axis: the seconds that runs had run as columns of a window on them. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

NICE = (
    0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2,
    5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400,
)  # fmt: skip
"""Distances between two ticks of the axis, in seconds."""
LABEL = 9
"""Columns that a tick and its label take."""
FINEST = 0.0002
"""Seconds that the narrowest window is wide."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A window of `columns` on the active seconds from `start` to `end`, with a tick every `step` seconds."""

    start: float
    end: float
    columns: int
    step: float

    @classmethod
    def fit(cls, total: float, columns: int) -> Axis:
        """Return the window on everything. It grows by whole ticks: a picture that grows in jumps is calmer than one
        that is rescaled with every frame."""
        total, columns = max(total, 0.001), max(columns, 1)
        step = _step(total, columns)
        return cls(0.0, step * (int(total / step) + 1), columns, step)

    @classmethod
    def window(cls, start: float, end: float, columns: int) -> Axis:
        """Return the window from `start` to `end`."""
        columns = max(columns, 1)
        return cls(start, end, columns, _step(end - start, columns))

    @property
    def span(self) -> float:
        """Seconds that the window is wide."""
        return self.end - self.start

    def place(self, active: float) -> int:
        """Return the column of a second; it may lie outside of the window."""
        return floor((active - self.start) / self.span * self.columns)

    def column(self, active: float) -> int:
        """Return the column of a second, the nearest one that there is."""
        return min(max(self.place(active), 0), self.columns - 1)

    def second(self, column: float) -> float:
        """Return the second at which a column begins."""
        return self.start + column / self.columns * self.span

    def ticks(self) -> list[tuple[int, str]]:
        """Return the columns of the ticks with their labels, as far as a label has room."""
        found: list[tuple[int, str]] = []
        free = 0
        first = ceil(self.start / self.step - 1e-6)
        for number in range(first, first + int(self.span / self.step) + 2):
            column = round((number * self.step - self.start) / self.span * self.columns)
            text = label(number * self.step)
            if free <= column and column + len(text) <= self.columns:
                found.append((column, text))
                free = column + len(text) + 1
        return found

    def text(self) -> str:
        """Return the labels of the ticks as one line."""
        return _text(self)


@lru_cache(maxsize=8)  # it is asked for in every frame, and is another one when the window is
def _text(axis: Axis) -> str:
    line = [" "] * axis.columns
    for column, text in axis.ticks():
        line[column : column + len(text)] = text
    return "".join(line)


def _step(span: float, columns: int) -> float:
    return next((step for step in NICE if span / step * LABEL <= columns), NICE[-1])


def label(at: float) -> str:
    """Return a tick as a person reads it: `250ms`, `1.5s`, `2m30`, `1h05`."""
    if at >= 3600:
        return f"{int(at // 3600)}h{int(at % 3600 // 60):02d}" if at % 3600 >= 60 else f"{int(at // 3600)}h"
    if at >= 60:
        rest = round(at % 60, 3)
        return (
            f"{int(at // 60)}m{rest:04.1f}"
            if rest % 1
            else f"{int(at // 60)}m{rest:02.0f}"
            if rest
            else f"{at / 60:g}m"
        )
    return f"{round(at, 5):g}s"


class Window:
    """Which part of the time a person looks at: all of it until the first zoom, afterwards from `start` for `span`
    seconds. A window that holds what is newest stays with it."""

    def __init__(self) -> None:
        self.span: float | None = None
        self.start = 0.0
        self.following = True

    @property
    def state(self) -> tuple[float | None, float, bool]:
        """What the picture depends on."""
        return self.span, self.start, self.following

    def axis(self, total: float, columns: int) -> Axis:
        """Return the axis of the window."""
        whole = Axis.fit(total, columns)
        if self.span is None or self.span >= whole.end:
            self.span = None
            return whole
        if self.following:
            self.start = max(total - self.span * 0.9, 0.0)
        self.start = max(min(self.start, whole.end - self.span, total), 0.0)  # a new run may be shorter
        return Axis.window(self.start, self.start + self.span, columns)

    def fit(self) -> None:
        """Look at everything."""
        self.span, self.following = None, True

    def zoom(self, factor: float, at: float, axis: Axis, total: float) -> None:
        """Look at `factor` times the time; the second `at` stays where it is."""
        span = max(axis.span * factor, FINEST)
        share = min(max((at - axis.start) / axis.span, 0.0), 1.0)
        self.look(at - share * span, at - share * span + span, total)
        if self.span is not None and self.span >= Axis.fit(total, axis.columns).end:
            self.fit()

    def look(self, start: float, end: float, total: float) -> None:
        """Look at the time from `start` to `end`."""
        self.start, self.span = max(start, 0.0), max(end - start, FINEST)
        self.following = self.start + self.span >= total

    def pan(self, seconds: float, total: float) -> bool:
        """Move the window; return False where all is in it already."""
        if self.span is None:
            return False
        self.start = max(min(self.start + seconds, total - self.span * 0.5), 0.0)
        self.following = self.start + self.span * 0.9 >= total and seconds > 0
        return True

    def show(self, at: float, total: float) -> None:
        """Move the window so that it holds a second."""
        if self.span is not None and not self.start <= at <= self.start + self.span * 0.98:
            self.start = max(min(at - self.span * 0.3, total - self.span * 0.5), 0.0)  # no farther than a pan goes
            self.following = False

    def now(self) -> None:
        """Go to what is newest, and stay with it."""
        self.following = True

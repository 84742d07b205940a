"""Block: one stream of text, wrapped, and which of its rows are shown; it knows nothing of the other blocks.

A block holds one string and four bytes for each row, so that a million tokens stay small.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from lgwatch.texts import Place
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.text import clean, row_end, row_starts

START = 3
"""Rows of a body that `Level.START` shows."""

Header: TypeAlias = "Callable[[int], Row]"
"""Width → the spans of a block's first row."""
Picture: TypeAlias = "Callable[[int, bool], list[Row]]"
"""Width, and whether details are wanted → the rows that stand for a finished body."""


class Level(IntEnum):
    """How much of a block is shown."""

    HEADER = 0
    START = 1
    BODY = 2
    """All but details, of which there is the first row each."""
    ALL = 3


class Run(NamedTuple):
    """Rows of the body that are shown: `many` of them from `row` on, after which `hidden` ones are not."""

    row: int
    many: int
    hidden: int = 0


class Block:
    """One stream of text; `key` is whatever its maker knows it by. Only `Wrapped` changes it.

    The body is made of parts, each with a style of its own and beginning on a row of its own. A row of the body is
    counted as it is wrapped; a line is one that is shown.
    """

    __slots__ = (
        "details", "drawn", "drawn_for", "drawn_rows", "edition", "header", "key", "laid", "level", "open", "part", "parts",
        "pending", "picture", "place", "serial", "version", "width", "words", "wrapped",
    )  # fmt: skip

    def __init__(self, key: Hashable, header: Header | None, serial: int, level: Level = Level.BODY) -> None:
        self.key = key
        self.header = header
        self.serial = serial
        self.words = ""  # the text, but for one that is laid away
        self.laid: Place | None = None
        self.open = False
        self.level = level
        self.version = 0  # of the header's picture
        self.edition = 0  # of the text: how often it was begun anew
        self.place = -1  # among the shown blocks; -1 when not shown
        self.parts: list[tuple[int, str]] = []  # where each part begins, and its style
        self.details: list[int] | None = None  # numbers of the parts that are details
        self.part: tuple[str, Hashable] | None = None  # the one that is being written
        self.pending: list[str] = []
        self.wrapped: array[int] | int = array(
            "I", [0]
        )  # `starts`, or, where they are laid away, how many rows they are
        self.width = 0  # what `starts` are for; 0 when they are out of date
        self.picture: Picture | None = None
        self.drawn: list[Row] | None = None
        self.drawn_rows = 0  # how many they are, even when they are not kept any more
        self.drawn_for: tuple[int, bool] = (0, False)

    # --- the text --------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """All of it that was taken."""
        return self.words if self.laid is None else self.laid.read()

    @text.setter
    def text(self, text: str) -> None:
        if type(self.wrapped) is int:
            self.wrapped = self.starts[:]
        self.words, self.laid = text, None

    @property
    def starts(self) -> array[int]:
        """Where each row of the body begins."""
        if self.laid is not None and type(self.wrapped) is int:
            return self.laid.read_rows()
        assert type(self.wrapped) is array
        return self.wrapped

    @property
    def length(self) -> int:
        """Characters of the text."""
        return len(self.words) if self.laid is None else self.laid.length

    @property
    def written(self) -> bool:
        """Whether the text is in memory, and nobody writes to it."""
        return self.laid is None and not self.open and not self.pending

    @property
    def begins(self) -> array[int]:
        """What is laid away with the text."""
        return self.starts

    def lay(self, place: Place) -> None:
        """Forget the text and its rows: they can be read at this place."""
        self.wrapped = self._count()
        self.words, self.laid = "", place

    def _count(self) -> int:
        """Return how many rows there are; the row after a last newline is there once something stands in it."""
        if type(self.wrapped) is int:
            return self.wrapped
        return len(self.starts) - (self.starts[-1] == self.length)

    def take(self) -> None:
        """Make pending text part of the text."""
        if self.pending:
            self.text += clean("".join(self.pending), newlines=True)
            self.pending.clear()

    def begin(self, style: str, part: Hashable, *, detail: bool = False) -> None:
        """Begin another part."""
        self.take()
        if self.text and not self.text.endswith("\n"):
            self.text += "\n"
        self.part = (style, part)
        if detail:
            self.details = [*(self.details or ()), len(self.parts)]
        self.parts.append((len(self.text), style))

    def clear(self) -> None:
        """Forget the text."""
        self.text, self.part, self.details, self.width = "", None, None, 0
        self.edition += 1
        self.parts.clear()
        self.pending.clear()
        self.wrapped = array("I", [0])

    def wrap(self, width: int) -> None:
        """Bring `starts` up to date."""
        if self.width != width:
            self.wrapped = array("I", [0])
            self.width = width
        row_starts(self.text, width, self.starts[-1], self.starts)

    def draw(self, width: int) -> bool:
        """Have the picture drawn, if it is not; return whether it was."""
        wanted = (width, self.level is Level.ALL)
        if self.picture is None or (self.drawn is not None and self.drawn_for == wanted):
            return False
        self.drawn, self.drawn_for = self.picture(*wanted), wanted
        self.drawn_rows = len(self.drawn)
        return True

    def ready(self, width: int) -> bool:
        """Whether the number of its lines is known and no estimate."""
        if self.picture is not None:
            return self.drawn_for == (width, self.level is Level.ALL)
        return self.width == width

    def rows(self, width: int) -> int:
        """Return the number of rows of the body, an estimate while it is not `ready`."""
        if not self.ready(width):
            return self.length // width + bool(self.length)
        if self.picture is not None:
            return self.drawn_rows
        return self._count()

    def span(self, row: int) -> tuple[int, int]:
        """Return where a row of the body begins, and where the next one does."""
        return self.starts[row], self.starts[row + 1] if row + 1 < len(self.starts) else self.length

    def row_text(self, row: int) -> Row:
        """Return the spans of a row of the body."""
        if self.picture is not None:
            return self.drawn[row] if self.drawn is not None and row < len(self.drawn) else []
        start, end = self.span(row)
        text = self.text
        return [(text[start : row_end(text, start, end)], self.style(start))]

    def style(self, offset: int) -> str:
        """Return the style of the part that the offset is in."""
        return self.parts[bisect_right(self.parts, offset, key=lambda part: part[0]) - 1][1] if self.parts else ""

    def detail_at(self, row: int) -> bool:
        """Whether the row of the body is in a detail."""
        return any(first <= row < end for first, end in self._detail_rows(self.rows(self.width)))

    # --- which rows are shown --------------------------------------------------------------------------------------

    def lines(self, width: int) -> int:
        """Return the number of lines, an estimate while it is not `ready`."""
        if self.level is Level.HEADER:
            return 0
        if self.level is not Level.START and (self.details is None or self.level is Level.ALL or self.picture):
            return self.rows(width)
        runs = self.runs(width)
        return sum(run.many for run in runs) + self._more(runs)

    def runs(self, width: int) -> list[Run]:
        """Return which rows of the body are shown."""
        rows = self.rows(width)
        if self.level is Level.HEADER:
            return [Run(0, 0, rows)]
        runs = [Run(0, rows)]
        if self.details is not None and self.level is not Level.ALL and self.picture is None and self.width == width:
            runs = self._folded(rows)
        if self.level is not Level.START or sum(run.many for run in runs) <= START + 1:  # a row says no more than one
            return runs
        head: list[Run] = []
        for run in runs:
            left = START - sum(before.many for before in head)
            if left <= run.many:
                return [*head, Run(run.row, left, rows - run.row - left)]
            head.append(run)
        return head

    def _more(self, runs: list[Run]) -> bool:
        """Whether the last line tells of the rows that are not shown."""
        return self.level is Level.START and sum(run.many for run in runs) == START and runs[-1].hidden > 0

    def _detail_rows(self, rows: int) -> list[tuple[int, int]]:
        found = []
        for number in self.details or ():
            first = bisect_left(self.starts, self.parts[number][0])
            following = self.parts[number + 1][0] if number + 1 < len(self.parts) else self.length
            found.append((first, min(bisect_left(self.starts, following), rows)))
        return found

    def _folded(self, rows: int) -> list[Run]:
        """Return the runs where of each detail only the first row is shown."""
        runs: list[Run] = []
        at = 0
        for first, end in self._detail_rows(rows):
            if end - first > 1:
                runs.append(Run(at, first + 1 - at, end - first - 1))
                at = end
        if at < rows or not runs:
            runs.append(Run(at, rows - at))
        return runs

    def row_of(self, line: int, width: int) -> tuple[int, int]:
        """Return the row of the body that a line shows, and how many rows after it are not shown; a row of -1 is the
        line that tells of them."""
        if self.details is None and self.level is not Level.START:
            return line, 0
        runs = self.runs(width)
        for run in runs:
            if line < run.many:
                apart = run is runs[-1] and self._more(runs)
                return run.row + line, 0 if apart or line < run.many - 1 else run.hidden
            line -= run.many
        return -1, runs[-1].hidden

    def line_of(self, row: int, width: int) -> int:
        """Return the line that shows a row of the body, or that stands for it; -1 is the header."""
        if self.level is Level.HEADER:
            return -1
        runs = self.runs(width)
        line = 0
        for run in runs:
            if row < run.row + run.many:
                return line + max(row - run.row, 0)
            line += run.many
            if row < run.row + run.many + run.hidden:
                return line if run is runs[-1] and self._more(runs) else max(line - 1, 0)
        return max(line - 1, 0)

    def shows(self, row: int, width: int) -> bool:
        """Whether the row of the body is a line."""
        return any(run.row <= row < run.row + run.many for run in self.runs(width))

"""What a pane hands to a `LineView`: rows of styled text, asked for one at a time; nothing here knows of a screen."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import ClassVar, TypeAlias

from lgwatch.tui.lines.text import cell_len, clean, crop

Row: TypeAlias = "list[tuple[str, str]]"
"""Spans of text, each with the names of its styles separated by spaces, such as `"bold error"`; `lines` has the table."""


def overlay(row: Row, places: list[tuple[int, int]], style: str) -> Row:
    """Return `row` with `style` added between the offsets of each of `places`, which are in order."""
    if not places:
        return row
    cuts = [cut for place in places for cut in place]
    marked: Row = []
    offset = 0
    for text, names in row:
        end = offset + len(text)
        points = [offset, *(cut for cut in cuts if offset < cut < end), end]
        for start, stop in pairwise(points):
            inside = any(first <= start and stop <= last for first, last in places)
            marked.append((text[start - offset : stop - offset], f"{names} {style}" if inside else names))
        offset = end
    return marked


def shifted(row: Row, cells: int) -> Row:
    """Return cleaned `row` without its first `cells`."""
    rest: Row = []
    for text, names in row:
        head = crop(text, cells)
        cells -= cell_len(head)
        if len(head) < len(text):
            cells = 0
            rest.append((text[len(head) :], names))
    return rest


class Rows:
    """The content of a `LineView`. Subclasses give the first three methods; the others may stay as they are."""

    slice: ClassVar[int] = 2000
    """How many rows `find` may be asked to look at in one go; large when it is faster than a look at every row."""

    def __len__(self) -> int:
        """Return the number of rows at the present width."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Row:
        """Return the spans of one row; asked for visible rows only. What does not fit in `width` cells is cut."""
        raise NotImplementedError

    def key(self, index: int) -> Hashable:
        """Return what identifies the row's picture, so that it is drawn once; None for a row that is always redrawn."""
        return None

    def index_of(self, key: Hashable) -> int | None:
        """Return where the row with this `key` is now, so that it can stay in its place on the screen; None if gone."""
        return None

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Make ready for rows of `width` cells, rows close to the key `near` first; called before every look.

        Return whether there is more to do: it is then called again after a moment, so that no call takes long.
        """
        return False

    def text(self, index: int, width: int) -> str:
        """Return the row's whole text, cleaned."""
        return "".join(clean(text) for text, _ in self.row(index, width))

    def find(self, text: str, start: int, step: int, count: int, width: int) -> int | None:
        """Return the first of `count` rows from `start` on, in direction `step` (1 or -1), that contains `text`.

        `text` in lower case matches any case.
        """
        fold = text == text.lower()
        for index in range(start, start + step * count, step):
            row = self.text(index, width)
            if text in (row.lower() if fold else row):
                return index
        return None


class Lines(Rows):
    """A log: rows that are appended and never change.

    At least three quarters of `limit` rows are kept; when older ones go, the first row says so.
    """

    def __init__(self, rows: Iterable[Row] = (), *, limit: int = 200_000) -> None:
        self._rows: list[Row] = []
        self._limit = max(limit, 4)
        self._first = 0  # the number of the first row that is kept
        self._cut = 0
        self.extend(rows)

    def append(self, row: Row) -> None:
        """Add a row at the end."""
        self._rows.append(row)
        if len(self._rows) > self._limit:
            self._trim()

    def extend(self, rows: Iterable[Row]) -> None:
        """Add rows at the end."""
        self._rows.extend(rows)
        if len(self._rows) > self._limit:
            self._trim()

    def clear(self) -> None:
        """Forget all rows."""
        self._first += len(self._rows)
        self._cut = 0
        self._rows.clear()

    def _trim(self) -> None:
        # A quarter at a time: taking the head from a list moves all the rest.
        cut = len(self._rows) - self._limit * 3 // 4
        del self._rows[:cut]
        self._first += cut
        self._cut += cut
        self._rows[0] = [(f"… {self._cut + 1} earlier rows are not kept here; the journal has them", "dim")]

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int, width: int) -> Row:
        """Return the row as it was appended."""
        return self._rows[index]

    def key(self, index: int) -> Hashable:
        """Return the row's number since the beginning."""
        return ("cut", self._cut) if self._cut and not index else self._first + index

    def index_of(self, key: Hashable) -> int | None:
        """Return where the row is after older ones went."""
        if not self._rows or not isinstance(key, int) or key - self._first >= len(self._rows):
            return None
        return max(key - self._first, 0)

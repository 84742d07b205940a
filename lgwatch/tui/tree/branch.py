"""Branch: an open value of a tree, as a count of rows and what is open below it; what is folded costs nothing.

Only open values are objects: a list of a million elements is one branch, and a row is found by its number in as many
steps as it is deep. Positions and counts only: no text is drawn here, and nothing is read.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from lgwatch.events import Json

Name = str | int
Path = tuple[Name, ...]


class Branch:
    """An open container: `names` and `items` of its children, and the branches of those that are open, by position."""

    __slots__ = ("_below", "_places", "_starts", "items", "names", "opened", "rows")

    def __init__(self, names: Sequence[Name], items: Sequence[Json]) -> None:
        self.names = names
        self.items = items
        self.opened: dict[int, Branch] = {}
        self._places: list[int] = []
        self._starts: list[int] = []
        self._below: list[int] = []
        self.rows = len(names)
        """Rows below its own."""

    def position(self, name: Name) -> int | None:
        """Return where the child of this name is."""
        if isinstance(self.names, range):
            return name if isinstance(name, int) and name in self.names else None
        try:
            return self.names.index(name)
        except ValueError:
            return None

    def count(self) -> None:
        """Take in that something was opened or closed below."""
        self._places = sorted(self.opened)
        self._starts, self._below = [], []
        before = 0
        for place in self._places:
            self._starts.append(place + before)  # the row of the child itself
            self._below.append(before)
            before += self.opened[place].rows
        self.rows = len(self.names) + before

    def find(self, index: int) -> tuple[int, int]:
        """Return which child the row belongs to, and which of that one's rows it is: -1 for the child's own."""
        number = bisect_left(self._starts, index) - 1
        if number < 0:
            return index, -1
        place = self._places[number]
        inside, rows = index - self._starts[number] - 1, self.opened[place].rows
        return (place, inside) if inside < rows else (index - self._below[number] - rows, -1)

    def row(self, position: int) -> int:
        """Return the row of a child."""
        number = bisect_left(self._places, position)
        if not number:
            return position
        return position + self._below[number - 1] + self.opened[self._places[number - 1]].rows


class Text(Branch):
    """An open text: the rows that it is wrapped to."""

    __slots__ = ("starts", "text")

    def __init__(self, text: str, starts: array[int]) -> None:
        super().__init__((), ())
        self.text = text
        self.starts = starts
        """Where each row begins, and the end of the text."""
        self.rows = len(starts) - 1

    def count(self) -> None:
        """Nothing is below a text."""

    def row_at(self, offset: int) -> int:
        """Return the row that holds the character at this offset."""
        return max(bisect_right(self.starts, offset) - 1, 0)

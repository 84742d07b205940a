"""Texts that nobody writes any more: the newest stay in memory, older ones lie in a file and are read when they are asked for."""

from __future__ import annotations

from array import array
from collections import deque
from functools import lru_cache
from typing import NamedTuple, Protocol

from lgwatch.columns import Shelf

ROOM = 4 << 20
"""Characters that stay in memory."""
SHORT = 256
"""Characters of a text that takes no less memory elsewhere."""
READ = 8
"""Texts that were read last, and are not read again."""


class Place(NamedTuple):
    """Where a text lies."""

    texts: Texts
    start: int
    size: int
    length: int
    """Its characters; `size` are its bytes."""
    rows: int
    """How many numbers lie before it."""

    def read(self) -> str:
        """Return the text."""
        return self.texts.read(self)[0]

    def read_rows(self) -> array[int]:
        """Return the numbers that lie with the text; they are to be left as they are."""
        return self.texts.read(self)[1]


class Holder(Protocol):
    """Whoever has a text."""

    @property
    def text(self) -> str:
        """All of it."""

    @property
    def begins(self) -> array[int] | None:
        """Where its rows begin, or None: they are laid where the text is."""

    @property
    def written(self) -> bool:
        """Whether it is in memory, and nobody writes to it."""

    def lay(self, place: Place) -> None:
        """Forget the text: it can be read at this place."""


class Texts:
    """Takes texts out of memory, the oldest first."""

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._held: deque[tuple[Holder, int]] = deque()
        self._room = ROOM
        self.read = lru_cache(READ)(self._read)

    def take(self, holder: Holder, length: int) -> None:
        """Note that a text of so many characters is written; who notes it twice may lose it from memory earlier."""
        if length < SHORT:
            return
        self._held.append((holder, length))
        self._room -= length
        while self._room < 0 and len(self._held) > 1:
            oldest, size = self._held.popleft()
            self._room += size
            if oldest.written:
                self._lay(oldest)

    def _lay(self, holder: Holder) -> None:
        text, rows, start = holder.text, holder.begins or array("I"), self._shelf.size
        data = text.encode("utf-8", "surrogatepass")
        if self._shelf.put(rows.tobytes() + data):
            holder.lay(Place(self, start, len(data), len(text), len(rows)))

    def _read(self, place: Place) -> tuple[str, array[int]]:
        rows = array("I")
        before = place.rows * rows.itemsize
        data = self._shelf.read(place.start, before + place.size)
        rows.frombytes(data[:before])
        return data[before:].decode("utf-8", "surrogatepass"), rows

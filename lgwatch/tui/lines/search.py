"""A search through rows, a slice at a time, so that the keyboard never waits for it; it knows rows and no screen."""

from __future__ import annotations

import re
from time import perf_counter

from lgwatch.tui.lines.rows import Rows

PATIENCE = 0.006
"""Seconds that one slice may take."""


COUNTED = 5000
"""Rows that are counted at most."""


class Search:
    """The rows that contain `text`: in any case, if it is in lower case."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.status = ""
        """`3/17`, `3/5000+` where there are more, `found` while they are counted, `no match`, `…` while it goes on."""
        flags = re.IGNORECASE if text == text.lower() else 0
        self._pattern = re.compile(re.escape(text), flags)
        self._scan: tuple[int, int, int] | None = None  # the row to go on at, the direction, how many are left
        self._tally: tuple[int, int, int, int] | None = (
            None  # the row to count on at, the one found, its place, the total
        )

    @property
    def going(self) -> bool:
        """Whether `go_on` should be called again."""
        return self._scan is not None or self._tally is not None

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return where the text is in a row's text."""
        return [match.span() for match in self._pattern.finditer(text)]

    def begin(self, rows: Rows, start: int, step: int) -> None:
        """Look from the row `start` on, in direction `step` and around the end."""
        count = len(rows)
        self.status = "…" if count else "no match"
        self._scan = (start % count, step, count) if count else None
        self._tally = None

    def arrived(self, index: int) -> None:
        """Count the rows, of which the one that was found is at `index` now."""
        self.status = "found"
        self._tally = (0, index, 0, 0)

    def go_on(self, rows: Rows, width: int) -> int | None:
        """Look at some more rows; return the one that was found."""
        deadline = perf_counter() + PATIENCE
        if self._scan is not None:
            return self._look(rows, width, deadline)
        if self._tally is not None:
            self._count(rows, width, deadline)
        return None

    def _look(self, rows: Rows, width: int, deadline: float) -> int | None:
        assert self._scan is not None
        start, step, left = self._scan
        self._scan = None
        while left > 0 and (count := len(rows)):  # to look at rows may make them anew
            start %= count
            look = min(rows.slice, left, count - start if step > 0 else start + 1)
            found = rows.find(self.text, start, step, look, width)
            if found is not None:
                return found
            start, left = start + step * look, left - look
            if left > 0 and perf_counter() > deadline:
                self._scan = (start, step, left)
                return None
        self.status = "no match"
        return None

    def _count(self, rows: Rows, width: int, deadline: float) -> None:
        assert self._tally is not None
        position, index, place, total = self._tally
        self._tally = None
        while position < (count := len(rows)) and total < COUNTED:
            look = min(rows.slice, count - position)
            found = rows.find(self.text, position, 1, look, width)
            if found is None:
                position += look
            else:
                total += 1
                place += found <= index
                position = found + 1
            if position < count and perf_counter() > deadline:
                self._tally = (position, index, place, total)
                return
        whole = position >= count
        self.status = f"{place}/{total}{'' if whole else '+'}" if whole or position > index else "found"

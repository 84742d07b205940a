"""A search through rows, a slice at a time, so that the keyboard never waits for it; it knows rows and no screen."""

from __future__ import annotations

import re
from time import perf_counter

from .rows import Rows

PATIENCE = 0.006
"""Seconds that one slice may take."""


class Search:
    """The rows that contain `text`: in any case, if it is in lower case."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.status = ""
        """`3/17`, `found` where counting would take long, `no match`, `…` while it goes on."""
        flags = re.IGNORECASE if text == text.lower() else 0
        self._pattern = re.compile(re.escape(text), flags)
        self._scan: tuple[int, int, int] | None = None  # the row to go on at, the direction, how many are left

    @property
    def going(self) -> bool:
        """Whether `go_on` should be called again."""
        return self._scan is not None

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return where the text is in a row's text."""
        return [match.span() for match in self._pattern.finditer(text)]

    def begin(self, rows: Rows, start: int, step: int) -> None:
        """Look from the row `start` on, in direction `step` and around the end."""
        count = len(rows)
        self.status = "…" if count else "no match"
        self._scan = (start % count, step, count) if count else None

    def go_on(self, rows: Rows, width: int) -> int | None:
        """Look at some more rows; return the one that was found."""
        if self._scan is None:
            return None
        start, step, left = self._scan
        deadline = perf_counter() + PATIENCE
        count = len(rows)
        while left > 0 and count:
            start %= count
            look = min(rows.slice, left, count - start if step > 0 else start + 1)
            found = rows.find(self.text, start, step, look, width)
            if found is not None:
                self._scan = None
                self.status = self._ordinal(rows, width, found)
                return found
            start, left = start + step * look, left - look
            if left > 0 and perf_counter() > deadline:
                self._scan = (start, step, left)
                return None
        self._scan = None
        self.status = "no match"
        return None

    def _ordinal(self, rows: Rows, width: int, index: int) -> str:
        deadline = perf_counter() + PATIENCE
        count, position, place, total = len(rows), 0, 0, 0
        while position < count:
            look = min(rows.slice, count - position)
            found = rows.find(self.text, position, 1, look, width)
            if perf_counter() > deadline:
                return "found"
            if found is None:
                position += look
                continue
            total += 1
            place += found <= index
            position = found + 1
        return f"{place}/{total}"

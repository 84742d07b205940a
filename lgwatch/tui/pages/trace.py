"""An error as rows: its own words, and below them the calls that led to it, the user's own first."""

from __future__ import annotations

import re
from collections.abc import Hashable

from lgwatch.events import Json
from lgwatch.trace import Frame, frames_first, of_error
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.text import clean, wrap


class TraceRows(Rows):
    """An error in its own words, and below it the calls that led to it, the user's own first."""

    def __init__(self) -> None:
        self._error: dict[str, Json] = {}
        self._width = 0
        self._lines: list[tuple[Row, Frame | None]] = []

    def set(self, error: dict[str, Json]) -> None:
        """Show an error of the journal."""
        if error != self._error:
            self._error, self._width = error, 0

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Words are wrapped."""
        if width != self._width:
            self._width = width
            self._lines = []
            for number, raised in enumerate(of_error(self._error)):
                if number:
                    self._add([("which came from", "faint")])
                for place, words in enumerate(raised.words):
                    said = words if place or not self._kind else re.sub(rf"^[\w.]+\.(?={self._kind}\b)", "", words)
                    is_note = words.startswith("During task with name")
                    self._wrapped(said, "faint" if is_note else "error" if number else "bold error")
                for frame in frames_first(raised):
                    names = "info" if frame.own else "faint"
                    self._add([("  ", ""), (f"{frame.file}:{frame.line}", names), (f"  {frame.name}", "dim")], frame)
                    for code in frame.code:
                        self._wrapped(code, "" if frame.own else "faint", frame, indent=4)
            if hint := self._error.get("hint"):
                self._wrapped(str(hint), "warn")
        return False

    def _add(self, row: Row, frame: Frame | None = None) -> None:
        self._lines.append((row, frame))

    def _wrapped(self, text: str, style: str, frame: Frame | None = None, indent: int = 0) -> None:
        shown = clean(text, newlines=True)
        for start, end in wrap(shown, max(self._width - 1 - indent, 10)):
            self._add([(" " * indent, ""), (shown[start:end], style)], frame)

    @property
    def _kind(self) -> str:
        return re.escape(str(self._error.get("type") or ""))

    def frame(self, index: int) -> Frame | None:
        """Return the call of a row."""
        return self._lines[index][1] if 0 <= index < len(self._lines) else None

    def text(self, index: int, width: int) -> str:
        """Return a row's text."""
        return "".join(text for text, _ in self._lines[index][0])

    def __len__(self) -> int:
        return len(self._lines)

    def key(self, index: int) -> Hashable:
        """The rows stay until another error is shown."""
        return (index, self._width, str(self._error.get("message")), len(self._lines))

    def row(self, index: int, width: int) -> Row:
        """Draw a row."""
        return self._lines[index][0]

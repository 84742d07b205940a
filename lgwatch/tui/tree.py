"""JSON as a tree of rows: folded where it is deep, one line for what is short; rows are made for what is open only."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from lgwatch.events import Json
from lgwatch.refs import preview
from lgwatch.tui.rows import Row, Rows
from lgwatch.tui.text import clean, wrap

OPEN_DEPTH = 2
"""Levels that are open at first."""
LONG = 60
"""Characters from which a string is worth rows of its own."""


@dataclass(slots=True)
class Line:
    """One visible row: a key, and a value or a piece of one."""

    path: tuple[str | int, ...]
    depth: int
    key: str
    value: Json
    opens: bool
    text: str | None = None  # a row of a long text


class JsonRows(Rows):
    """A tree over `sections` (title → JSON); `toggle` opens and closes a row."""

    slice = 500

    def __init__(self, *, open_texts: bool = False) -> None:
        """With `open_texts` a section that is a text is open at first."""
        self._open_texts = open_texts
        self.sections: dict[str, Json] = {}
        self.lines: list[Line] = []
        self._toggled: set[tuple[str | int, ...]] = set()
        self._width = 80
        self._version = 0

    def set(self, sections: dict[str, Json]) -> None:
        """Show other values; what was opened stays open where the paths are the same."""
        self.sections = sections
        self._build()

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Long texts are wrapped to the width."""
        if width != self._width:
            self._width = width
            self._build()
        return False

    def toggle(self, index: int) -> None:
        """Open the row's value, or close it; on a piece of a text, its text."""
        line = self.lines[index]
        if line.opens or line.text is not None:
            self._toggled ^= {line.path}
            self._build()

    def toggle_all(self) -> None:
        """Open everything that the screen holds one level further, or fold all if everything is open."""
        closed = {line.path for line in self.lines if line.opens and not self._is_open(line.path, line.value)}
        self._toggled = self._toggled ^ closed if closed else set()
        self._build()

    def _build(self) -> None:
        self._version += 1
        self.lines = []
        for title, value in self.sections.items():
            self.lines.extend(self._walk((title,), title, value, 0))

    def _is_open(self, path: tuple[str | int, ...], value: Json) -> bool:
        few = (self._open_texts and len(path) == 1) if isinstance(value, str) else len(children(value)) <= 40
        return (len(path) <= OPEN_DEPTH and few) is not (path in self._toggled)

    def _walk(self, path: tuple[str | int, ...], key: str, value: Json, depth: int) -> Iterator[Line]:
        opens = bool(children(value)) if not isinstance(value, str) else len(value) > LONG or "\n" in value
        yield Line(path, depth, key, value, opens)
        if not opens or not self._is_open(path, value):
            return
        if isinstance(value, str):
            text = clean(value, newlines=True)
            room = max(self._width - 2 * depth - 4, 10)
            for start, end in wrap(text, room)[:20_000]:
                yield Line(path, depth + 1, "", None, False, text[start:end])
            return
        for name, inner in children(value):
            yield from self._walk((*path, name), str(name), inner, depth + 1)

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """Rows are redrawn when the tree is built anew."""
        return (self.lines[index].path, self._version, index)

    def index_of(self, key: Hashable) -> int | None:
        """Find the path again."""
        if not isinstance(key, tuple):
            return None
        return next((index for index, line in enumerate(self.lines) if line.path == key[0]), None)

    def row(self, index: int, width: int) -> Row:
        """Draw one row."""
        line = self.lines[index]
        indent = "  " * line.depth
        if line.text is not None:
            return [(f"{indent}│ ", "faint"), (line.text, "")]
        sign = ("▾ " if self._is_open(line.path, line.value) else "▸ ") if line.opens else "  "
        name = "title" if line.depth == 0 else "info"
        open_ = line.opens and self._is_open(line.path, line.value)
        value = label(line.value) if open_ else preview(line.value, max(width - len(indent) - len(line.key) - 6, 20))
        return [
            (indent, ""),
            (sign, "faint"),
            (line.key, name),
            ("  ", ""),
            (value, "dim" if open_ else style(line.value)),
        ]


def children(value: Json) -> list[tuple[str | int, Json]]:
    """Return what a value opens to: a tagged object to its fields or items."""
    if isinstance(value, dict):
        fields, items = value.get("fields"), value.get("items")
        if "$type" in value and isinstance(fields, dict):
            return list(fields.items())
        if "$type" in value and isinstance(items, list):
            return list(enumerate(items))
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def label(value: Json) -> str:
    """Return what an open value is: its type and size."""
    if isinstance(value, dict):
        return str(value["$type"]) if "$type" in value else f"{len(value)} keys" if len(value) != 1 else ""
    if isinstance(value, list):
        return f"list {len(value)}"
    return f"{len(value)} characters" if isinstance(value, str) else ""


def style(value: Json) -> str:
    """Return the style of a value's preview."""
    if isinstance(value, str):
        return "ok"
    if isinstance(value, bool) or value is None:
        return "accent"
    return "changed" if isinstance(value, int | float) else ""


def path_text(path: tuple[str | int, ...]) -> str:
    """Return the path of a value as Python would write it after the section's name: `messages[3].content`."""
    text = ""
    for part in path[1:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or str(path[0])

"""JSON as a tree of rows: folded where it is deep, one line for what is short.

Nothing is read before it is looked at: a reference to a stored value is followed when its row is drawn, or opened.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from lgwatch.events import Json
from lgwatch.refs import follow, preview, resolve
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import size
from lgwatch.tui.lines.text import cell_len, clean, crop, row_end, row_starts
from lgwatch.tui.tree.branch import Branch, Name, Path, Text
from lgwatch.tui.tree.parts import Words, label, parts, style, word

OPEN_DEPTH = 2
"""Levels that are open at first."""
LONG = 60
"""Characters from which a string is worth rows of its own."""
FEW = 40
"""Children up to which a value is open at first."""
CROWD = 200
"""Children of which none is open at first where there are more."""
HEAVY = 1 << 16
"""Bytes of a stored value from which a folded row shows how it begins, and the rest is not read."""
SLICE = 2000
"""Values that a search looks at before it lets others do something."""
EAGER = 1 << 18
"""Bytes of stored values that are read for what is open at first."""


class Stored(Protocol):
    """Where stored values are: a source."""

    def value(self, ref: str) -> Json:
        """Return a stored value, its own references unresolved. Raises KeyError when there is none."""

    def value_seq(self, ref: str) -> int:
        """Return the number of the line that stores a value. Raises KeyError."""

    def raw(self, seq: int) -> bytes:
        """Return the journal's line with this number."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A visible row: the path of its value, or, where `text` is told, a row of the text at that path."""

    path: Path
    value: Json
    below: Branch | None = None
    text: int = -1

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return len(self.path) - (self.text < 0)


class JsonRows(Rows):
    """A tree over `sections` (title → JSON); `toggle` opens and closes a row.

    `marks` puts a sign in front of the rows of some paths, `notes` spans at their right end.
    """

    slice = 500

    def __init__(
        self, stored: Stored | None = None, *, open_texts: int = 0, text_depth: int = 1, depth: int = OPEN_DEPTH
    ) -> None:
        """Follow references by `stored`. Open at first are values down to `depth`, and down to `text_depth` texts of up
        to `open_texts` characters."""
        self._stored = stored
        self._open_texts = open_texts
        self._depth, self._text_depth = depth, text_depth if open_texts else 0
        self.sections: Mapping[str, Json] = {}
        self.marks: Mapping[Path, tuple[str, str]] = {}
        self.notes: Mapping[Path, Row] = {}
        self._root = Branch((), ())
        self._toggled: dict[Path, set[Name]] = {}
        self._width = 80
        self._version = 0
        self._eager = 0  # bytes of stored values that were read to be open by themselves
        self._read: dict[str, Json] = {}
        self._weights: dict[str, int] = {}

    # --- values

    def lookup(self, ref: str) -> Json:
        """Return a stored value; the last few that were looked at are at hand."""
        found = self._read.get(ref)
        if found is None and self._stored is not None:
            found = self._stored.value(ref)
            while len(self._read) > 200:
                del self._read[next(iter(self._read))]
            self._read[ref] = found
        if found is None:
            raise KeyError(ref)
        return found

    def resolved(self, value: Json) -> Json:
        """Return a value with what its references stand for, all of them."""
        return resolve(value, self.lookup)

    def _weight(self, value: Json) -> int:
        """Return the bytes that would have to be read to see a value, 0 for one that is no reference."""
        if type(value) is not dict or type(ref := value.get("$ref")) is not str or self._stored is None:
            return 0
        if ref not in self._weights:
            try:
                self._weights[ref] = len(self._stored.raw(self._stored.value_seq(ref)))
            except KeyError:
                return 0
        return self._weights[ref]

    def _beginning(self, value: Json, room: int) -> str:
        """Return how a stored value begins that is too heavy to be read for one row."""
        assert self._stored is not None
        line = self._stored.raw(self._stored.value_seq(value["$ref"]))
        start = line.find(b'"data":') + 7
        return line[start : start + room].decode("utf-8", "ignore") + "…"

    # --- what is open

    def set(self, sections: Mapping[str, Json]) -> None:
        """Show other values; what was opened stays open where the paths are the same."""
        self.sections = sections
        self._build()

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Long texts are wrapped to the width."""
        if width != self._width:
            self._width = width
            self._build()
        return False

    def _build(self) -> None:
        self._version += 1
        self._eager = 0
        self._root = Branch(list(self.sections), list(self.sections.values()))
        self._open_below(self._root, ())

    def _open_below(self, branch: Branch, path: Path) -> None:
        """Open those children of a branch that are open by themselves, or were opened."""
        toggled = self._toggled.get(path, set())
        few = len(path) < max(self._depth, self._text_depth) and len(branch.names) <= CROWD
        places = range(len(branch.names)) if few else [branch.position(name) for name in toggled]
        for place in places:
            if place is None or not self._opens(branch.items[place]):
                continue
            inner = (*path, branch.names[place])
            if (few and self._is_open(inner, branch.items[place])) is not (inner[-1] in toggled):
                branch.opened[place] = self._branch(inner, branch.items[place])
        branch.count()

    def _branch(self, path: Path, value: Json) -> Branch:
        value = follow(value, self.lookup)
        if isinstance(value, str):
            return self._wrapped(value, len(path))
        names, items = parts(value)
        branch = Branch(names, items)
        self._open_below(branch, path)
        return branch

    def _wrapped(self, value: str, depth: int) -> Text:
        text = clean(value, newlines=True)
        starts = array("L", [0])
        row_starts(text, max(self._width - 2 * depth - 4, 10), 0, starts)
        starts.append(len(text))
        return Text(text, starts)

    def _opens(self, value: Json) -> bool:
        if type(value) is dict and "$ref" in value and self._weight(value):
            return True  # small values are not stored
        if isinstance(value, str):
            return not isinstance(value, Words) and (len(value) > LONG or "\n" in value)
        return bool(parts(follow(value, self.lookup))[0]) if type(value) in (dict, list) else False

    def _is_open(self, path: Path, value: Json) -> bool:
        """Whether a value is open by itself."""
        self._eager += self._weight(value)
        if self._weight(value) > HEAVY or self._eager > EAGER:
            return False
        value = follow(value, self.lookup)
        if isinstance(value, str):
            return len(path) <= self._text_depth and len(value) <= self._open_texts
        return len(path) <= self._depth and len(parts(value)[0]) <= FEW

    def toggle(self, index: int) -> None:
        """Open the row's value, or close it; on a piece of a text, its text."""
        spot = self.spot(index)
        if spot is not None and (spot.text >= 0 or spot.below is not None or self._opens(spot.value)):
            self._flip(spot.path)

    def _flip(self, path: Path) -> None:
        self._toggled.setdefault(path[:-1], set()).__ixor__({path[-1]})
        trail = self._trail(path[:-1])
        place = trail[-1].position(path[-1]) if trail else None
        if place is None:
            return
        if trail[-1].opened.pop(place, None) is None:
            trail[-1].opened[place] = self._branch(path, trail[-1].items[place])
        for branch in reversed(trail):
            branch.count()

    def _trail(self, path: Path) -> list[Branch]:
        """Return the branches down to a path that is open; empty where it is not."""
        trail = [self._root]
        for name in path:
            place = trail[-1].position(name)
            inner = trail[-1].opened.get(place) if place is not None else None
            if inner is None:
                return []
            trail.append(inner)
        return trail

    def toggle_all(self) -> None:
        """Open everything that can be seen one level further, or fold all if everything is open."""
        closed = set()
        for index in range(min(len(self), 2000)):
            spot = self.spot(index)
            if spot is not None and spot.text < 0 and spot.below is None and self._opens(spot.value):
                closed.add(spot.path)
        if not closed:
            self._toggled = {}
        for path in closed:
            self._toggled.setdefault(path[:-1], set()).__ixor__({path[-1]})
        self._build()

    def reveal(self, path: Path, text: str = "") -> int | None:
        """Open whatever hides a path; return its row, or the one of its text that contains `text`."""
        for length in range(1, len(path)):
            if not self._trail(path[:length]):
                self._flip(path[:length])
        index = self.row_of(path)
        spot = self.spot(index) if index is not None else None
        value = follow(spot.value, self.lookup) if spot is not None else None
        if index is None or spot is None or not text or not isinstance(value, str) or not self._opens(value):
            return index
        if spot.below is None:
            self._flip(path)
            spot = self.spot(index)
        fold = text == text.lower()
        if spot is None or not isinstance(spot.below, Text):
            return index
        said = spot.below.text
        place = (said.lower() if fold else said).find(text)
        return index if place < 0 else index + 1 + spot.below.row_at(place)

    # --- rows

    def spot(self, index: int) -> Spot | None:
        """Return what a row shows."""
        if not 0 <= index < self._root.rows:
            return None
        branch = self._root
        path: Path = ()
        value: Json = None
        while True:
            if isinstance(branch, Text):
                return Spot(path, value, branch, index)
            place, inside = branch.find(index)
            path, value = (*path, branch.names[place]), branch.items[place]
            below = branch.opened.get(place)
            if inside < 0 or below is None:
                return Spot(path, value, below)
            branch, index = below, inside

    def row_of(self, path: Path) -> int | None:
        """Return the row of a path, None where it is folded or not there."""
        branch, row = self._root, 0
        for depth, name in enumerate(path):
            place = branch.position(name)
            if place is None:
                return None
            row += branch.row(place)
            if depth == len(path) - 1:
                return row
            inner = branch.opened.get(place)
            if inner is None:
                return None
            branch, row = inner, row + 1
        return None

    def sign_at(self, spot: Spot) -> int:
        """Return the column of the sign that says whether a row's value is open."""
        return 2 * bool(self.marks) + 2 * spot.depth

    def value(self, index: int) -> Json:
        """Return the value of a row, with what its references stand for."""
        spot = self.spot(index)
        return self.resolved(spot.value) if spot is not None else None

    def __len__(self) -> int:
        return self._root.rows

    def key(self, index: int) -> Hashable:
        """A row is redrawn when it is opened or closed, and when there are other values."""
        spot = self.spot(index)
        if spot is None:
            return None
        return (spot.path, spot.text, spot.below is not None, self._version, self._width)

    def index_of(self, key: Hashable) -> int | None:
        """Find the path again."""
        if not isinstance(key, tuple) or len(key) < 2:
            return None
        row = self.row_of(key[0])
        spot = self.spot(row) if row is not None else None
        if row is None or spot is None or key[1] < 0:
            return row
        return row + 1 + min(key[1], spot.below.rows - 1) if isinstance(spot.below, Text) else row

    def row(self, index: int, width: int) -> Row:
        """Draw one row."""
        spot = self.spot(index)
        if spot is None:
            return []
        sign, style_of = self.marks.get(spot.path, (" ", ""))
        mark: Row = [(f"{sign} ", style_of)] if self.marks else []
        indent = "  " * spot.depth
        if isinstance(spot.below, Text) and spot.text >= 0:
            start, end = spot.below.starts[spot.text], spot.below.starts[spot.text + 1]
            return [
                *mark,
                (f"{indent}│ ", "faint"),
                (spot.below.text[start : row_end(spot.below.text, start, end)], ""),
            ]
        opens = spot.below is not None or self._opens(spot.value)
        fold = ("▾ " if spot.below is not None else "▸ ") if opens else "  "
        name = str(spot.path[-1])
        note = self.notes.get(spot.path, [])
        room = width - len(indent) - 2 * bool(mark) - cell_len(clean(name)) - 5
        left: Row = [*mark, (indent, ""), (fold, "faint"), (name, "title" if spot.depth == 0 else "info"), ("  ", "")]
        tail = sum(cell_len(text) for text, _ in note)
        return self._with_value(left, spot, max(room - tail, 8), note, width)

    def _with_value(self, left: Row, spot: Spot, room: int, note: Row, width: int) -> Row:
        value, is_open = spot.value, spot.below is not None
        if isinstance(value, Words):
            spans: Row = [(value, "faint")]
        elif not is_open and (weight := self._weight(value)) > HEAVY and "$append" not in value:
            shown = self._beginning(value, max(room - 10, 8))
            spans = [(f"{size(weight)}  ", "warn"), (shown, "dim")]
        else:
            value = follow(value, self.lookup)
            text = label(value) if is_open else preview(value, room, self.lookup)
            spans = [(text, "dim" if is_open else style(value))]
        if not note:
            return [*left, *spans]
        used = sum(cell_len(clean(text)) for text, _ in left)
        spans = [(crop(clean(text), room, "…"), names) for text, names in spans]
        used += sum(cell_len(text) for text, _ in spans) + sum(cell_len(text) for text, _ in note)
        return [*left, *spans, (" " * max(width - used - 1, 1), ""), *note]

    # --- search

    def matches(self, text: str) -> Iterator[tuple[tuple[int, ...], Path] | None]:
        """Yield place and path of each key and value that contains `text`, in the order of the rows.

        None comes in between, after every few thousand values: others may want to do something.
        """
        fold = text == text.lower()

        def holds(said: str) -> bool:
            return text in (said.lower() if fold else said)

        todo: list[tuple[tuple[int, ...], Path, Json]] = []
        for number, (name, value) in enumerate(self.sections.items()):
            todo.insert(0, ((number,), (name,), value))
        looked = 0
        while todo:
            place, path, value = todo.pop()
            looked += 1
            if not looked % SLICE:
                yield None
            if type(value) is dict:
                value = follow(value, self.lookup)
            is_leaf = not isinstance(value, (dict, list))
            said = value if isinstance(value, str) else word(value) if is_leaf else ""
            if holds(str(path[-1])) or (said and holds(said)):
                yield place, path
            if not is_leaf:
                names, items = parts(value)
                todo += [
                    ((*place, number), (*path, names[number]), items[number]) for number in reversed(range(len(names)))
                ]

    def place_of(self, index: int) -> tuple[int, ...]:
        """Return the place of a row in the order of `matches`."""
        spot = self.spot(index)
        branch, place = self._root, []
        for name in spot.path if spot is not None else ():
            number = branch.position(name)
            if number is None:
                break
            place.append(number)
            branch = branch.opened.get(number, branch)
        return tuple(place)

"""A drawing with the states painted over it, as rows: what a state changes is a style, a sign or a caption, never a place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from lgwatch.tui.drawing.boxes import Box, Drawing, Rect
from lgwatch.tui.drawing.items import Edge
from lgwatch.tui.drawing.tallies import places, tally
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.text import ASCII, cell_len, crop

EDGE_STYLES = {"": "faint", "taken": "", "last": "bold accent"}
"""State of an edge → how it looks: one that could be taken, one that was, the last transition. Where several share a
line the later in this table is shown."""
HEADS = "▼◂"
STOP = "B" if ASCII else "●"
"""The sign of a breakpoint, and of one inside of what is closed."""
INSIDE = "b" if ASCII else "○"
_RANKS = {state: rank for rank, state in enumerate(EDGE_STYLES)}
_PLAIN = str.maketrans("─│╭╮╰╯├┤┬┴┼═║╔╗╚╝╤╟▼◂╵╶╷╴", "-|+++++++++=|++++++v<|-|-")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a node looks: its sign and the styles of sign, name and border; the caption's pieces, the first is the most
    important, each a text, its style, and a shorter text where there is one."""

    glyph: str = "·"
    style: str = "dim"
    name: str = ""
    border: str = "faint"
    caption: tuple[tuple[str, ...], ...] = ()
    stop: str = ""
    """The sign of a breakpoint, if there is one."""


@dataclass(slots=True)
class _Run:
    """A piece of a row: a part of a node's border, or of edges."""

    x: int
    text: str
    node: str = ""
    edges: frozenset[Edge] = frozenset()


@dataclass(slots=True)
class _Line:
    """A row, ready for states: its runs from the left, and the parts that are written over them."""

    runs: list[_Run]
    names: list[Box]
    slots: list[tuple[Box, int]]
    labels: list[tuple[int, str, frozenset[Edge]]]
    nodes: tuple[str, ...]
    edges: tuple[frozenset[Edge], ...]


class Picture(Rows):
    """The rows of a drawing; `node` tells how a node looks at present, `edge` in which state an edge is, and `times` how
    often it was taken."""

    def __init__(
        self,
        drawing: Drawing,
        node: Callable[[str], Mark],
        edge: Callable[[Edge], str],
        times: Callable[[Edge], int] = lambda _: 0,
    ) -> None:
        self.drawing = drawing
        self.node = node
        self.edge = edge
        self.times = times
        self._tallies: dict[int, list[tuple[Edge, Rect]]] = {}
        for taken, place in places(drawing).items():
            self._tallies.setdefault(place.y, []).append((taken, place))
        self._lines: dict[int, _Line] = {}
        self._boxes: dict[int, list[Box]] = {}
        for box in drawing.boxes.values():
            for y in range(box.rect.y, box.rect.y + box.rect.height):
                self._boxes.setdefault(y, []).append(box)
        self._labels: dict[int, list[tuple[int, str, frozenset[Edge]]]] = {}
        for labelled, (x, y, text) in drawing.labels.items():
            self._labels.setdefault(y, []).append((x, text, frozenset(labelled)))

    def __len__(self) -> int:
        return self.drawing.height

    def key(self, index: int) -> Hashable:
        """The row and the states of what is on it."""
        line = self._line(index)
        return (
            index, *(self.node(node) for node in line.nodes), *(self._state(edges) for edges in line.edges),
            *(self.times(edge) for edge, _ in self._tallies.get(index, ())),
        )  # fmt: skip

    def index_of(self, key: Hashable) -> int | None:
        """A row stays where it is."""
        return key[0] if isinstance(key, tuple) and key[0] < self.drawing.height else None

    def row(self, index: int, width: int) -> Row:
        """Return the row's spans, with a margin that centres the drawing."""
        line = self._line(index)
        over = sorted([*self._written(line), *self._told(index)], key=lambda each: each[0])
        parts = [part for run in line.runs for part in _around(run, self._style(run), over)]
        if ASCII:
            parts = [(x, text.translate(_PLAIN), style) for x, text, style in parts]
        row: Row = []
        at = -max((width - self.drawing.width) // 2, 0)
        for x, text, style in sorted([*parts, *over], key=lambda part: part[0]):
            if x > at:
                row.append((" " * (x - at), ""))
            row.append((text, style))
            at = x + cell_len(text)
        return row

    # --- what is on a row

    def _line(self, y: int) -> _Line:
        line = self._lines.get(y)
        if line is None:
            line = self._lines[y] = self._build(y)
        return line

    def _build(self, y: int) -> _Line:
        boxes = self._boxes.get(y, [])
        cells: dict[int, tuple[str, str, frozenset[Edge]]] = {}
        names: list[Box] = []
        slots: list[tuple[Box, int]] = []
        nothing: frozenset[Edge] = frozenset()
        for box in boxes:
            rect = box.rect
            if rect.height == 1:
                names.append(box)
                continue
            for x, char in _border(box, y):
                cells[x] = (char, box.id, nothing)
            if y == rect.y + 1:
                names.append(box)
        for x, (char, edges) in self.drawing.lines.row(y).items():
            # Where a line leaves a box, the border goes on: it looks like the border until the edge is taken.
            cells[x] = (char, cells[x][1] if x in cells and char not in HEADS else "", edges)
        for box in boxes:  # a caption stands in one of the rows of its box
            slots += [(box, index) for index, slot in enumerate(box.slots) if slot.y == y]
        runs: list[_Run] = []
        for x, (char, node, edges) in sorted(cells.items()):
            last = runs[-1] if runs else None
            if last is not None and last.x + len(last.text) == x and last.node == node and last.edges == edges:
                last.text += char
            else:
                runs.append(_Run(x, char, node, edges))
        labels = self._labels.get(y, [])
        names.sort(key=lambda box: box.rect.x)
        nodes = dict.fromkeys([box.id for box in boxes])
        parts = dict.fromkeys([*(run.edges for run in runs if run.edges), *(edges for _, _, edges in labels)])
        return _Line(runs, names, slots, labels, tuple(nodes), tuple(parts))

    def _written(self, line: _Line) -> list[tuple[int, str, str]]:
        """Names, captions and labels: column, text and style, from the left."""
        over: list[tuple[int, str, str]] = []
        for box in line.names:
            mark = self.node(box.id)
            if box.rect.height == 1:
                over.append((box.rect.x, box.name, mark.name))
                continue
            if mark.stop:
                over.append((box.rect.x, mark.stop, "error"))
            over += [(box.rect.x + 2, mark.glyph, mark.style), (box.rect.x + 4, box.name, mark.name)]
            if box.again:
                style = EDGE_STYLES[self.edge((box.id, box.id))]
                alone = len(box.again) == 1
                x = box.rect.x + (box.rect.width - 2 if alone else 5 + cell_len(box.name))
                over.append((x, box.again.replace("↺", "@") if ASCII else box.again, style))
        for box, index in line.slots:
            over += _caption(box, index, self.node(box.id).caption)
        for x, text, edges in line.labels:
            over.append((x, text, f"italic {EDGE_STYLES[self._state(edges)]}"))
        return sorted(over, key=lambda each: each[0])

    def _told(self, y: int) -> Iterator[tuple[int, str, str]]:
        """How often edges were taken, where it was more than once: column, text and style."""
        for edge, place in self._tallies.get(y, ()):
            text = tally(times) if (times := self.times(edge)) > 1 else ""
            if text and len(text) <= place.width:
                at = place.x + (place.width - len(text) if self._ends(edge, place) else 0)
                yield at, text, EDGE_STYLES["last"] if self.edge(edge) == "last" else "dim"

    def _ends(self, edge: Edge, place: Rect) -> bool:
        """Whether the line is at the right of the place."""
        cells = self.drawing.lines.row(place.y)
        after = cells.get(place.x + place.width)
        return after is not None and edge in after[1] and place.x - 1 not in cells

    def _style(self, run: _Run) -> str:
        state = self._state(run.edges)
        return self.node(run.node).border if run.node and not state else EDGE_STYLES[state]

    def _state(self, edges: frozenset[Edge]) -> str:
        return max((self.edge(edge) for edge in edges), key=_RANKS.__getitem__, default="")


def _around(run: _Run, style: str, over: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """What is left of a run beside the texts that are written over it."""
    parts = [(run.x, run.text, style)]
    for x, text, _ in over:
        first, rest, _ = parts[-1]
        end = x + cell_len(text)
        if x >= first + len(rest) or end <= first:
            continue
        parts[-1:] = [(first, rest[: x - first], style)] if x > first else []
        parts.append((end, rest[end - first :], style))
    return [part for part in parts if part[1]]


def _border(box: Box, y: int) -> list[tuple[int, str]]:
    """The cells of a box's border in a row: double lines around what has a graph inside of it."""
    rect: Rect = box.rect
    across, down, corners = ("═", "║", "╔╗╚╝") if box.kind == "subgraph" else ("─", "│", "╭╮╰╯")
    left, right = rect.x, rect.x + rect.width - 1
    if y == rect.y or y == rect.y + rect.height - 1:
        corner = 0 if y == rect.y else 2
        return [(left, corners[corner]), *((x, across) for x in range(left + 1, right)), (right, corners[corner + 1])]
    return [(left, down), (right, down)]


def _caption(box: Box, index: int, pieces: tuple[tuple[str, ...], ...]) -> list[tuple[int, str, str]]:
    """The pieces that belong into one of a box's slots: each goes into the first that has room for it."""
    free = [slot.width for slot in box.slots]
    over: list[tuple[int, str, str]] = []
    for full, style, *shorter in pieces:
        fitting = (
            (text, place) for text in (full, *shorter) for place, room in enumerate(free) if cell_len(text) <= room
        )
        text, place = next(fitting, ("", -1))
        if not text:
            continue
        cells = cell_len(text)
        if place == index:
            slot = box.slots[place]
            over.append((slot.x + slot.width - free[place], crop(text, cells), style))
        free[place] -= cells + 1
    return over

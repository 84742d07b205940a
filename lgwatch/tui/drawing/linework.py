"""Lines as cells: what belongs together is joined, what only crosses is not. Cells are made when a row is looked at."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias

from lgwatch.tui.drawing.items import Edge
from lgwatch.tui.drawing.routes import E, N, Routes, S, Stroke, W

LINES = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"
"""The character for the sides (1 up, 2 right, 4 down, 8 left) that a cell is joined at."""
PORTS = {"node": "┬╤", "side": "├╟"}
"""Where a line leaves a box: in a single border, in a double one."""
BAND = 32
"""So many rows are made into cells at once."""

Cells: TypeAlias = "dict[int, tuple[str, frozenset[Edge]]]"
"""Column → character, and the edges that the cell is a part of."""


class _Line:
    """The lines of one cell that are joined in it."""

    __slots__ = ("edges", "groups", "mask")

    def __init__(self, groups: tuple[object, ...], mask: int, edges: Iterable[Edge]) -> None:
        self.groups = set(groups)
        self.mask = mask
        self.edges = [edges]


class Linework:
    """The lines of a drawing. `double` are the cells of borders that are double lines; set before a row is looked at."""

    def __init__(self) -> None:
        self.double: Container[tuple[int, int]] = ()
        self._bands: dict[int, list[tuple[Stroke, int, int]]] = {}
        self._ports: dict[int, list[tuple[int, str]]] = {}
        self._rows: dict[int, Cells] = {}
        self._made: set[int] = set()
        self._known: dict[frozenset[int], frozenset[Edge]] = {}

    def take(self, routes: Routes, dx: int, dy: int) -> None:
        """Add the lines of a level."""
        for stroke in routes.strokes:
            first, last = sorted((stroke.y0 + dy, stroke.y1 + dy))
            for band in range(first // BAND, last // BAND + 1):
                self._bands.setdefault(band, []).append((stroke, dx, dy))
        for x, y, kind in (*routes.ports, *routes.heads):
            self._ports.setdefault(y + dy, []).append((x + dx, kind))

    def row(self, y: int) -> Cells:
        """Return the cells of a row, ports and arrows included."""
        band = y // BAND
        if band not in self._made:
            self._made.add(band)
            self._make(band)
        return self._rows.get(y, {})

    def _make(self, band: int) -> None:
        top = band * BAND
        rows: list[dict[int, list[_Line]]] = [{} for _ in range(BAND)]
        for stroke, dx, dy in self._bands.pop(band, ()):
            y0, y1 = sorted((stroke.y0 + dy - top, stroke.y1 + dy - top))
            if y0 == y1:
                left, right = sorted((stroke.x0 + dx, stroke.x1 + dx))
                for x in range(left, right + 1):
                    _add(rows[y0], x, stroke, (W if x > left else 0) | (E if x < right else 0))
            else:
                x = stroke.x0 + dx
                for y in range(max(y0, 0), min(y1, BAND - 1) + 1):
                    _add(rows[y], x, stroke, (N if y > y0 else 0) | (S if y < y1 else 0))
        for y, lines in enumerate(rows, top):
            cells = {x: self._cell(here) for x, here in lines.items()}
            for x, kind in self._ports.get(y, ()):
                if kind in ("start", "end", "label"):  # a text stands here
                    cells.pop(x, None)
                elif kind != "lane":
                    char = PORTS.get(kind, kind + kind)[(x, y) in self.double]
                    cells[x] = (char, cells[x][1] if x in cells else frozenset())
            self._rows[y] = cells

    def _cell(self, here: list[_Line]) -> tuple[str, frozenset[Edge]]:
        # Where lines cross, the one that goes down is drawn.
        line = here[0] if len(here) == 1 else next((one for one in here if not one.mask & (E | W)), here[0])
        key = frozenset(map(id, line.edges))
        edges = self._known.get(key)
        if edges is None:
            edges = self._known[key] = frozenset(edge for part in line.edges for edge in part)
        return LINES[line.mask], edges


def _add(row: dict[int, list[_Line]], x: int, stroke: Stroke, mask: int) -> None:
    here = row.get(x)
    if here is None:
        row[x] = [_Line(stroke.groups, mask, stroke.edges)]
        return
    first: _Line | None = None
    for line in tuple(here):
        if line.groups.isdisjoint(stroke.groups):
            continue
        if first is None:
            first = line
            first.groups.update(stroke.groups)
            first.mask |= mask
            first.edges.append(stroke.edges)
        else:
            first.groups |= line.groups
            first.mask |= line.mask
            first.edges += line.edges
            here.remove(line)
    if first is None:
        here.append(_Line(stroke.groups, mask, stroke.edges))

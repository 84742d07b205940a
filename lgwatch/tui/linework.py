"""Lines as cells: what belongs together is joined, what only crosses is not."""

from __future__ import annotations

from collections.abc import Container, Iterable

from .items import Edge
from .routing import E, N, Routes, S, W

LINES = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"
"""The character for the sides (1 up, 2 right, 4 down, 8 left) that a cell is joined at."""
PORTS = {"node": "┬╤", "side": "├╟"}
"""Where a line leaves a box: in a single border, in a double one."""


class Linework:
    """Lines as cells. What belongs together is joined; what only crosses is not."""

    def __init__(self) -> None:
        self._strokes: dict[tuple[int, int], list[tuple[set[object], list[int], list[Iterable[Edge]]]]] = {}
        self._ports: list[tuple[int, int, str]] = []

    def take(self, routes: Routes, dx: int, dy: int) -> None:
        """Add the lines of a level."""
        for stroke in routes.strokes:
            x0, y0, x1, y1 = stroke.x0 + dx, stroke.y0 + dy, stroke.x1 + dx, stroke.y1 + dy
            if y0 == y1:
                left, right = min(x0, x1), max(x0, x1)
                for x in range(left, right + 1):
                    self._add((x, y0), stroke.groups, (W if x > left else 0) | (E if x < right else 0), stroke.edges)
            else:
                top, bottom = min(y0, y1), max(y0, y1)
                for y in range(top, bottom + 1):
                    self._add((x0, y), stroke.groups, (N if y > top else 0) | (S if y < bottom else 0), stroke.edges)
        self._ports += [(x + dx, y + dy, kind) for x, y, kind in (*routes.ports, *routes.heads)]

    def _add(self, cell: tuple[int, int], groups: Iterable[object], mask: int, edges: Iterable[Edge]) -> None:
        here = self._strokes.get(cell)
        if here is None:
            self._strokes[cell] = [(set(groups), [mask], [edges])]
            return
        joined = [line for line in here if not line[0].isdisjoint(groups)]
        if not joined:
            here.append((set(groups), [mask], [edges]))
            return
        first = joined[0]
        first[0].update(groups)
        first[1][0] |= mask
        first[2].append(edges)
        for other in joined[1:]:
            first[0].update(other[0])
            first[1][0] |= other[1][0]
            first[2].extend(other[2])
            here.remove(other)

    def cells(self, double: Container[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, frozenset[Edge]]]:
        """Return character and edges of every cell of a line, ports and arrows included.

        `double` are the cells of borders that are double lines.
        """
        cells: dict[tuple[int, int], tuple[str, frozenset[Edge]]] = {}
        known: dict[tuple[int, ...], frozenset[Edge]] = {}
        for cell, lines in self._strokes.items():
            line = lines[0] if len(lines) == 1 else next((one for one in lines if not one[1][0] & (E | W)), lines[0])
            key = tuple({id(edges) for edges in line[2]})
            edges = known.get(key)
            if edges is None:
                edges = known[key] = frozenset(edge for part in line[2] for edge in part)
            cells[cell] = (LINES[line[1][0]], edges)
        for x, y, kind in self._ports:
            if kind in ("start", "end", "label"):  # a text stands here
                cells.pop((x, y), None)
            elif kind != "lane":
                char = PORTS.get(kind, kind + kind)[(x, y) in double]
                cells[x, y] = (char, cells[x, y][1] if (x, y) in cells else frozenset())
        return cells

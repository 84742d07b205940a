"""A LangGraph graph drawn with box characters: where every node, edge and label is, before any state is painted.

The drawing depends on the graph and the room alone, never on states: nothing moves while a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from lgwatch.tui.drawing.items import Edge, Layers, Size
from lgwatch.tui.drawing.layers import arrange
from lgwatch.tui.drawing.linework import Linework
from lgwatch.tui.drawing.plan import Links, Node, Plan
from lgwatch.tui.drawing.routes import Routes, route
from lgwatch.tui.lines.text import cell_len, clean, crop, plain

WORDS = {"__start__": "START", "__end__": "END"}


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """A node on the drawing. `slots` are the places for a caption: column, row, cells. `again` is the sign of an edge
    that leads back to the node itself."""

    id: str
    name: str
    kind: str
    rect: Rect
    slots: tuple[Rect, ...] = ()
    open: bool = False
    again: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """How much room a drawing takes: cells for a caption beside a node or in it, between nodes, of a name, of a box at least;
    rows between layers."""

    beside: int
    inside: int
    gap: int
    name: int
    least: int = 0
    air: int = 0


STYLES = (Style(13, 0, 3, 24), Style(0, 6, 3, 24), Style(0, 6, 2, 14), Style(0, 0, 2, 14, 15), Style(0, 0, 2, 9))
"""From comfortable to tight; the first that fits is taken. What has no room beside or inside a box is on its border."""
TRIES = ((0, 0), (1, 0), (2, 0), (3, 0), (1, 0.95), (1, 0.7), (3, 0.95), (3, 0.7), (4, 0), (4, 0.95), (4, 0.7))
"""Style, and the part of the room at which a layer is folded (0: not at all), in the order in which they are tried."""
FEWER = tuple((style, part) for style, part in TRIES if not part or (style >= 3 and part > 0.9))
LARGE, MIDDLING = 200, 60
"""Edges of graphs that are not tried in every style: each try takes time, and what is folded twice is not legible."""
MOST_LINES = 6
"""A drawing with more rows of lines between two layers, on average, is a knot."""


@dataclass(slots=True)
class Drawing:
    """The picture of a graph, without states.

    `labels` are the texts of edges: edges → column, row and text. `edges` are those that are drawn, `lines` their cells.
    """

    width: int
    height: int
    depth: int
    boxes: dict[str, Box]
    lines: Linework
    labels: dict[tuple[Edge, ...], tuple[int, int, str]]
    edges: tuple[Edge, ...]
    plan: Plan
    _paths: dict[Edge, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def shown(self, node: str) -> str | None:
        """Return the box that stands for a node: its own, or that of the closed subgraph that it is in."""
        while node and node not in self.boxes:
            node = self.plan.nodes[node].parent if node in self.plan.nodes else ""
        return node or None

    def drawn(self, edge: Edge) -> Edge | None:
        """Return the edge that stands for one of the graph's; None where both its ends are in one closed box."""
        return self.plan.lift(edge, self.depth)

    @property
    def cells(self) -> dict[tuple[int, int], tuple[str, frozenset[Edge]]]:
        """All cells of lines: (column, row) → character, and the edges that the cell is a part of."""
        return {(x, y): cell for y in range(self.height) for x, cell in self.lines.row(y).items()}

    def path(self, edge: Edge) -> tuple[tuple[int, int], ...]:
        """Return the cells of an edge, top to bottom; a cell where another line crosses over it is left out."""
        if not self._paths:
            paths: dict[Edge, list[tuple[int, int]]] = {}
            for cell, (_, edges) in self.cells.items():
                for one in edges:
                    paths.setdefault(one, []).append(cell)
            self._paths = {one: tuple(sorted(cells, key=lambda cell: cell[::-1])) for one, cells in paths.items()}
        return self._paths.get(edge, ())

    def at(self, x: int, y: int) -> str | None:
        """Return the node at a cell, the innermost one."""
        found = None
        for box in self.boxes.values():
            rect = box.rect
            if rect.x <= x < rect.x + rect.width and rect.y <= y < rect.y + rect.height:
                found = box.id  # inner boxes come after the ones that they are in
        return found

    def order(self) -> list[str]:
        """The nodes as they are read: by row, then from the left."""
        return sorted(self.boxes, key=lambda node: (self.boxes[node].rect.y, self.boxes[node].rect.x))


def draw(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]],
    *,
    width: int = 0,
    height: int = 0,
    depth: int = 0,
    observed: Iterable[Edge] = (),
) -> Drawing | None:
    """Draw a graph as `GraphLoaded` tells of it, at most `width` cells wide (0: as wide as it becomes).

    Subgraphs are opened down to `depth`, less where they do not fit. `observed` edges are not in the graph: they are
    drawn without moving its nodes to another column. A drawing of at most `height` rows gets air between its layers.
    Return None when it would not be legible: use a list then.
    """
    plan = Plan(nodes, edges, observed)
    for level in range(min(depth, plan.deepest), -1, -1):
        for style, folded in _tries(plan, width):
            root = _Painter(plan, level, STYLES[style], width).level(plan.root, round(width * folded))
            if root is not None and (not width or _legible(root)):
                airy = _Painter(plan, level, replace(STYLES[style], air=1), width)
                return airy.drawing(root, height, round(width * folded))
    return None


def _tries(plan: Plan, width: int) -> tuple[tuple[int, float], ...]:
    if not width:
        return TRIES[:1]
    # What is so large is read at its tightest or not at all, and the screen does not wait for more attempts.
    if len(plan.told) > LARGE:
        return ((3, 0), (4, 0.95))
    return TRIES if len(plan.told) <= MIDDLING else FEWER


def _legible(level: _Level) -> bool:
    """Whether there are more than mere lines to see."""
    layers = level.layers.layers
    boxes = sum(max((item.height for item in row), default=0) for row in layers)
    return level.height - boxes <= MOST_LINES * len(layers)


@dataclass(slots=True)
class _Level:
    """One level, laid out: the levels inside of its open nodes, the labels of its edges, and of edges to oneself."""

    layers: Layers
    routes: Routes
    inner: dict[str, _Level]
    texts: dict[Edge, str]
    again: dict[str, str]
    width: int
    height: int


class _Painter:
    """Lays levels out, the inner ones first, and puts them where they are on the whole."""

    def __init__(self, plan: Plan, depth: int, style: Style, width: int) -> None:
        self.plan = plan
        self.depth = depth
        self.style = style
        self.width = width
        self.links = plan.links(depth)
        self.boxes: dict[str, Box] = {}
        self.labels: dict[tuple[Edge, ...], tuple[int, int, str]] = {}
        self.lines = Linework()

    def drawing(self, root: _Level, height: int, budget: int) -> Drawing:
        """Return the drawing of a level that was laid out, with air where `height` allows it."""
        airy = self.level(self.plan.root, budget) if height > root.height else None
        if airy is not None and airy.height <= height:
            root = airy
        self._place(root, 0, 0)
        double: set[tuple[int, int]] = set()
        for box in self.boxes.values():
            if box.kind == "subgraph":
                rect = box.rect
                double |= {(x, rect.y + rect.height - 1) for x in range(rect.x, rect.x + rect.width)}
                double.add((rect.x + rect.width - 1, rect.y + 1))
        edges = tuple(edge for links in self.links.values() for edge in (*links.told, *links.observed))
        self.lines.double = double
        return Drawing(root.width, root.height, self.depth, self.boxes, self.lines, self.labels, edges, self.plan)

    # --- sizes

    def level(self, parent: Node, budget: int) -> _Level | None:
        """Lay out what is in a node; None where it is too wide. Layers wider than `budget` are folded."""
        links = self.links.get(parent.id, Links())
        told = links.told
        entered = {edge[1] for edge in (*told, *links.observed)}
        again = {
            a: crop(" / ".join(told.get((a, b), ())), 16, plain("…")) for a, b in (*told, *links.observed) if a == b
        }
        inner: dict[str, _Level] = {}
        sizes: dict[str, Size] = {}
        for name in parent.children:
            node = self.plan.nodes[name]
            if node.children and node.level < self.depth:
                level = self.level(node, max(budget - 4, 0))
                if level is None:
                    return None
                inner[name] = level
            sizes[name] = self._size(node, inner.get(name), again.get(name, ""), name in entered)
            if self.width and sizes[name].width > self.width:
                return None
        cut = max(self.style.name, 12)
        texts = {edge: crop(" / ".join(labels), cut, plain("…")) for edge, labels in told.items() if edge[0] != edge[1]}
        widths = {edge: cell_len(text) for edge, text in texts.items()}
        layers = arrange(sizes, widths, gap=self.style.gap, budget=budget, most=self.width, observed=links.observed)
        if layers is None:
            return None
        routes = route(layers, {**dict.fromkeys(links.observed, 0), **widths}, self.style.air)
        if self.width and routes.width > self.width:
            return None
        return _Level(layers, routes, inner, texts, again, max(routes.width, 1), routes.height)

    def _size(self, node: Node, inner: _Level | None, again: str, entered: bool) -> Size:
        style = self.style
        if node.kind in ("start", "end"):
            width = cell_len(self._name(node))
            return Size(width, 1 + entered, width // 2, width, node.kind)
        # Border and a cell of air at both sides, the sign of the state, and an odd width, so that there is a middle.
        box = (cell_len(self._name(node)) + 6 + style.inside + (3 + cell_len(again) if again else 0)) | 1
        if inner is None:
            box = max(box, style.least)
            return Size(box + style.beside, 3, box // 2, box)
        box = max(box + (style.beside or 8), inner.width + 4) | 1
        return Size(box, inner.height + 3, box // 2, box)

    def _name(self, node: Node) -> str:
        word = WORDS.get(node.name) if node.kind in ("start", "end") else None
        return word or crop(clean(node.name), self.style.name, plain("…")) or "?"

    # --- places

    def _place(self, level: _Level, dx: int, dy: int) -> None:
        """Put a level's boxes, labels and lines where they are on the whole drawing."""
        for item in (item for row in level.layers.layers for item in row if item.kind == "label"):
            (edge,) = item.edges
            self.labels[edge,] = (item.x + dx, item.y + dy, level.texts[edge])
        for edges, (x, y) in level.routes.texts.items():
            self.labels[edges] = (x + dx, y + dy, " / ".join(level.texts[edge] for edge in edges))
        self.lines.take(level.routes, dx, dy)
        ends: dict[int, set[int]] = {}  # where lines meet borders: columns by row
        for x, y, _ in (*level.routes.ports, *level.routes.heads):
            ends.setdefault(y + dy, set()).add(x + dx)
        for name, item in level.layers.items.items():
            node, inner = self.plan.nodes[name], level.inner.get(name)
            x, y = item.x + dx, item.y + dy
            if item.kind != "node":
                rect = Rect(x, y + item.height - 1, item.box, 1)
                self.boxes[name] = Box(name, self._name(node), node.kind, rect)
                continue
            rect = Rect(x, y, item.box, item.height)
            again = f"↺ {level.again[name]}".rstrip() if name in level.again else ""
            kind = "subgraph" if node.children or node.kind == "subgraph" else node.kind
            box = Box(name, self._name(node), kind, rect, (), inner is not None, again)
            self.boxes[name] = replace(box, slots=self._slots(box, level, ends))
            if inner is not None:
                self._place(inner, x + (item.box - inner.width) // 2, y + 2)

    def _slots(self, box: Box, level: _Level, ends: dict[int, set[int]]) -> tuple[Rect, ...]:
        """Where a caption may stand: beside the box, beside the name in it, on the free parts of its border."""
        rect, style = box.rect, self.style
        used = cell_len(box.name) + 4 + (cell_len(box.again) + 1 if len(box.again) > 1 else 0)
        within = Rect(rect.x + used + 1, rect.y + 1, rect.width - used - 3 - (len(box.again) == 1), 1)
        if box.open:
            return (within,)
        if style.beside:
            at_side = box.id in level.routes.sides  # a line goes through the row of the name
            return (Rect(rect.x + rect.width + 1, rect.y + (not at_side), style.beside - 1, 1),)
        slots = [within] if style.inside else []
        for y in (rect.y + rect.height - 1, rect.y):
            taken = sorted(x - rect.x for x in ends.get(y, ()) if 0 < x - rect.x < rect.width - 1)
            stops = pairwise([0, *taken, rect.width - 1])
            room, left = max((right - left - 3 + (right == rect.width - 1), left + 2) for left, right in stops)
            slots.append(Rect(rect.x + left, y, max(room, 0), 1))
        return tuple(slots)

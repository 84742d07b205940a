"""Routes: which cells the edges of a layered graph take; lines of one source share a row, lines to one target a column.

No line runs through an item. Where two lines only cross, one of them is not drawn in that cell, so that a junction is
always a junction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lgwatch.tui.drawing.items import Edge, Item, Layers

N, E, S, W = 1, 2, 4, 8
FAR = 1 << 20
"""A column to the right of everything: where the lanes at the side are."""


@dataclass(slots=True, eq=False)
class Net:
    """The lines that leave one item downwards, or that come from a lane at the side: all in one row of a channel."""

    source: Item | None
    column: int
    targets: list[Item]
    lanes: list[str] = field(default_factory=list)
    row: int = -1

    @property
    def straight(self) -> bool:
        """Whether it needs no row."""
        return not self.lanes and all(target.into == self.column for target in self.targets)

    @property
    def only(self) -> Item | None:
        """Its target when there is no other: all nets that have it may be one line."""
        return self.targets[0] if len(self.targets) == 1 and not self.lanes else None

    @property
    def reach(self) -> tuple[int, int]:
        """Its first and last column."""
        columns = [self.column, *(target.into for target in self.targets), *([FAR] if self.lanes else [])]
        return min(columns), max(columns)


@dataclass(slots=True, eq=False)
class Lane:
    """The way at the side to one target."""

    target: str
    sources: list[str]
    x: int = 0
    top: int = 0
    bottom: int = 0


@dataclass(slots=True)
class Stroke:
    """A straight line of cells of some edges. Strokes that share a group are joined where they meet."""

    x0: int
    y0: int
    x1: int
    y1: int
    groups: tuple[object, ...]
    edges: Iterable[Edge]


@dataclass(slots=True)
class Routes:
    """The routes of one level: its lines, where arrows and ports stand, and where the labels at the side do."""

    strokes: list[Stroke]
    heads: set[tuple[int, int, str]]
    ports: list[tuple[int, int, str]]
    sides: set[str]
    texts: dict[tuple[Edge, ...], tuple[int, int]]
    width: int
    height: int


def inside(item: Item, column: int) -> bool:
    """Whether a line may come into the item, or leave it, at this column."""
    if item.kind == "lane":
        return column == item.column
    corner = 2 if item.kind == "node" else 0
    return item.x + corner <= column < item.x + item.box - corner


def route(layers: Layers, labels: dict[Edge, int], air: int) -> Routes:
    """Give every item its row, every edge its cells. `labels` has the width of each edge's label, 0 for none."""
    return _Router(layers, labels, air).routes()


class _Router:
    def __init__(self, layers: Layers, labels: dict[Edge, int], air: int) -> None:
        self.rows = layers.layers
        self.items = layers.items
        self.links = layers.links
        self.labels = labels
        self.width = layers.width
        self.lanes: dict[str, Lane] = {}
        for source, target in layers.aside:
            self.lanes.setdefault(target, Lane(target, [])).sources.append(source)
        self.leaving: dict[str, list[str]] = {}
        for lane in self.lanes.values():
            for source in lane.sources:
                self.leaving.setdefault(source, []).append(lane.target)
        last = {id(row[-1]) for row in self.rows if row}
        nodes = {name for name, item in self.items.items() if item.kind == "node" and id(item) in last}
        self.side_in = {name for name in self.lanes if name in nodes}
        self.side_out = {name for name in self.leaving if name in nodes} - self.side_in
        self.nets: list[list[Net]] = []
        self.tops: list[int] = []
        self.air = air
        self.result: Routes

    def routes(self) -> Routes:
        self._snap()
        for index in range(len(self.rows) + 1):
            nets = list(self._channel(index))
            _untangle(nets, self.rows[index] if index < len(self.rows) else [])
            self.nets.append(nets)
        height = self._stack()
        texts = self._lanes_of_the_side()
        self.result = result = Routes([], set(), [], self.side_in | self.side_out, texts, self.width, height)
        for index, nets in enumerate(self.nets):
            for net in nets:
                self._draw(net, self.tops[index])
        self._draw_lanes()
        return result

    def _snap(self) -> None:
        """Move ports a little where that makes a line straight."""
        for row in self.rows:
            for item in row:
                if len(item.down) == 1 and item.kind != "lane":
                    below = item.down[0]
                    if inside(item, below.into) and (len(below.up) > 1 or below.kind == "lane"):
                        item.out = below.into
                        if item.kind == "label":
                            item.into = item.out
                        continue
                for below in item.down:
                    if len(below.up) == 1 and inside(below, item.out):
                        below.into = item.out
                        if below.kind == "label":
                            below.out = below.into

    def _channel(self, index: int) -> Iterator[Net]:
        for item in self.rows[index - 1] if index else []:
            lanes = self.leaving.get(item.node, []) if item.node and item.node not in self.side_out else []
            if item.down or lanes:
                yield Net(item, item.out, item.down, list(lanes))
        for item in self.rows[index] if index < len(self.rows) else []:
            if item.node in self.lanes and item.node not in self.side_in:
                yield Net(None, FAR, [item], [item.node])

    def _stack(self) -> int:
        """Give every channel and every layer its height."""
        y = 0
        for index, nets in enumerate(self.nets):
            self.tops.append(y)
            rows = max((net.row + 1 for net in nets), default=0)
            inner = 0 < index < len(self.rows)
            y += max(rows, self.air if inner else 0)
            if index == len(self.rows):
                return y
            for item in self.rows[index]:
                item.y = y
            y += max((item.height for item in self.rows[index]), default=0)
        return y

    # --- the side

    def _lanes_of_the_side(self) -> dict[tuple[Edge, ...], tuple[int, int]]:
        """Place the lanes right of everything, short ones inside long ones; return where the labels of their edges
        begin."""
        if not self.lanes:
            return {}
        texts: dict[tuple[Edge, ...], tuple[int, int]] = {}
        room = 0
        for source, targets in self.leaving.items():
            told = tuple((source, target) for target in targets if self.labels.get((source, target)))
            if not told:
                continue
            item = self.items[source]
            texts[told] = (
                item.x + item.width + 1 if source in self.side_out else self.width + 1,
                self._leave_y(source),
            )
            room = max(room, sum(self.labels[edge] + 3 for edge in told) - 3)
        base = self.width + (room + 3 if room else 1)
        for lane in self.lanes.values():
            ends = [self._enter_y(lane.target), *(self._leave_y(source) for source in lane.sources)]
            lane.top, lane.bottom = min(ends), max(ends)
        columns: list[list[Lane]] = []
        for lane in sorted(self.lanes.values(), key=lambda lane: lane.bottom - lane.top):
            index = next((number for number, column in enumerate(columns) if _free(lane, column)), len(columns))
            if index == len(columns):
                columns.append([])
            columns[index].append(lane)
            lane.x = base + 2 * index
            self.width = max(self.width, lane.x + 1)
        return texts

    def _enter_y(self, target: str) -> int:
        item = self.items[target]
        if target in self.side_in:
            return item.y + 1
        net = next(net for net in self.nets[item.layer] if net.source is None and net.targets[0] is item)
        return self.tops[item.layer] + net.row

    def _leave_y(self, source: str) -> int:
        item = self.items[source]
        if source in self.side_out:
            return item.y + 1
        net = next(net for net in self.nets[item.layer + 1] if net.source is item)
        return self.tops[item.layer + 1] + net.row

    def _draw_lanes(self) -> None:
        result = self.result
        for lane in self.lanes.values():
            target = self.items[lane.target]
            group = ("lane", lane.target)
            enter = self._enter_y(lane.target)
            for source in lane.sources:
                edge = ((source, lane.target),)
                leave = self._leave_y(source)
                result.strokes.append(Stroke(lane.x, leave, lane.x, enter, (group,), edge))
                item = self.items[source]
                if source in self.side_out:
                    right = item.x + item.box
                    result.ports.append((right - 1, leave, "side"))
                    result.strokes.append(Stroke(right - 1, leave, lane.x, leave, (("out", source),), edge))
                    result.strokes.append(Stroke(lane.x, leave, lane.x, leave, (("out", source), group), edge))
            if lane.target in self.side_in:
                right = target.x + target.box
                edges = [(source, lane.target) for source in lane.sources]
                result.strokes.append(Stroke(lane.x, enter, right, enter, (group,), edges))
                result.heads.add((right, enter, "◂"))

    # --- channels

    def _draw(self, net: Net, top: int) -> None:
        """The strokes of one net: trunk, row, and the columns of its targets."""
        y = top + net.row
        source, result = net.source, self.result
        if source is None:
            target, lane = net.targets[0], self.lanes[net.lanes[0]]
            edges = [(name, lane.target) for name in lane.sources]
            self._turn(lane.x, y, target, ("lane", lane.target), edges)
            return
        trunk = ("bus", id(net.only)) if net.only else ("net", id(net))
        start = source.y + source.height - 1
        result.ports.append((net.column, start, source.kind))
        if source.kind == "lane":
            result.strokes.append(Stroke(net.column, start, net.column, start, (trunk, ("into", id(source))), ()))
        for target in net.targets:
            shared = self.links[id(source), id(target)]
            if net.row < 0:
                self._arrive((net.column, start), target, (trunk, ("into", id(target))), shared)
            else:
                result.strokes.append(Stroke(net.column, start, net.column, y, (trunk,), shared))
                self._turn(net.column, y, target, trunk, shared)
        for name in net.lanes:
            lane = self.lanes[name]
            edge = ((source.node, name),)
            result.strokes.append(Stroke(net.column, start, net.column, y, (trunk,), edge))
            result.strokes.append(Stroke(net.column, y, lane.x, y, (trunk,), edge))
            result.strokes.append(Stroke(lane.x, y, lane.x, y, (trunk, ("lane", name)), edge))

    def _turn(self, column: int, y: int, target: Item, group: tuple[str, object], edges: Iterable[Edge]) -> None:
        """Along the row to the target's column, and down to it."""
        into = ("into", id(target))
        self.result.strokes.append(Stroke(column, y, target.into, y, (group,), edges))
        self.result.strokes.append(Stroke(target.into, y, target.into, y, (group, into), edges))
        self._arrive((target.into, y), target, (into,), edges)

    def _arrive(self, cell: tuple[int, int], target: Item, groups: tuple[object, ...], edges: Iterable[Edge]) -> None:
        column, y = cell
        self.result.strokes.append(Stroke(column, y, column, target.y, groups, edges))
        if target.kind not in ("label", "lane"):
            self.result.heads.add((column, target.y, "▼"))


def _free(lane: Lane, column: list[Lane]) -> bool:
    return all(lane.bottom + 1 < other.top or other.bottom + 1 < lane.top for other in column)


def _untangle(nets: list[Net], row_below: list[Item]) -> None:
    """Give every net that needs one a row, so that no two lines lie on each other.

    Where a trunk stands in the column of a target, other lines to this target must come in below the trunk's row.
    """
    while True:
        below, pairs = _constraints(nets)
        order = _sorted(nets, below)
        if order is not None:
            break
        if not any(_shift(nets, target, row_below) for target in pairs):
            order = nets
            break
    rows: list[list[Net]] = []
    for net in order:
        if net.straight:
            continue
        row = max((other.row + 1 for other in nets if id(net) in below.get(id(other), ())), default=0)
        while row < len(rows) and any(_touch(net, other) for other in rows[row]):
            row += 1
        while row >= len(rows):
            rows.append([])
        rows[row].append(net)
        net.row = row


def _touch(net: Net, other: Net) -> bool:
    """Whether two nets cannot have the same row."""
    if net.only is not None and net.only is other.only:
        return False
    (first, last), (begin, end) = net.reach, other.reach
    return first <= end + 1 and begin <= last + 1


def _constraints(nets: list[Net]) -> tuple[dict[int, set[int]], list[Item]]:
    """Return which nets must be below which, and the targets that this is about."""
    trunks = {net.column: net for net in nets if net.source is not None and not net.straight}
    below: dict[int, set[int]] = {}
    about: dict[int, Item] = {}
    for net in nets:
        for target in net.targets:
            above = trunks.get(target.into)
            if above is not None and above is not net:
                below.setdefault(id(above), set()).add(id(net))
                about[id(target)] = target
    return below, list(about.values())


def _sorted(nets: list[Net], below: dict[int, set[int]]) -> list[Net] | None:
    """Return the nets in an order of rows, None where there is none. Of those that lead right the last comes first:
    so they do not cross each other."""
    missing = {id(net): 0 for net in nets}
    for others in below.values():
        for other in others:
            missing[other] += 1
    order: list[Net] = []
    waiting = sorted(nets, key=_preference)
    while waiting:
        ready = next((net for net in waiting if not missing[id(net)]), None)
        if ready is None:
            return None
        waiting.remove(ready)
        order.append(ready)
        for other in below.get(id(ready), ()):
            missing[other] -= 1
    return order


def _preference(net: Net) -> tuple[int, int]:
    first, last = net.reach
    rightwards = last - net.column > net.column - first
    return (1, -net.column) if rightwards else (0, net.column)


def _shift(nets: list[Net], target: Item, row: list[Item]) -> bool:
    """Move the column of a target a little, to where no other line is."""
    taken = {net.column for net in nets} | {other.into for net in nets for other in net.targets}
    for step in (1, -1, 2, -2, 3, -3):
        column = target.into + step
        if column in taken:
            continue
        if target.kind == "lane":
            if any(other is not target and other.x - 1 <= column <= other.x + other.width for other in row):
                continue
            target.x += step
            target.into = target.out = column
            return True
        if inside(target, column):
            target.into = column
            if target.kind == "label":
                target.out = column
            return True
    return False

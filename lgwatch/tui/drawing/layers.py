"""Layers: which row a node stands in, in which order and at which column; numbers in and numbers out, no text.

The method is Sugiyama's: loops are set aside, every other edge leads to a lower layer, neighbours are sorted by where
their own neighbours are, and columns are the nearest to those that keep the order. The same graph gives the same layers.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Sequence

from lgwatch.tui.drawing.columns import align
from lgwatch.tui.drawing.items import Edge, Item, Layers, Size

SWEEPS = 6
"""How often the layers are sorted, down and up."""
THOROUGH = 400
"""Up to so many items every improvement is tried."""


def arrange(
    sizes: dict[str, Size],
    edges: dict[Edge, int],
    *,
    gap: int = 3,
    budget: int = 0,
    most: int = 0,
    observed: Iterable[Edge] = (),
) -> Layers | None:
    """Return the layers of a graph, None where they are wider than `most` cells.

    `edges` has the width of each edge's label, 0 for none. A layer that would be wider than `budget` cells is folded.
    0 is no bound. `observed` edges are led where there is room: no node moves for them.
    """
    plain = [edge for edge in edges if edge[0] != edge[1]]
    ends = {node for node, size in sizes.items() if size.kind == "end"}
    starts = {node for node, size in sizes.items() if size.kind == "start"}
    aside = [edge for edge in plain if edge[1] in starts or edge[0] in ends]
    rest = [edge for edge in plain if edge[1] not in starts and edge[0] not in ends]
    loops = _loops(list(sizes), rest)
    aside += [edge for edge in rest if edge in loops]
    forward = [edge for edge in rest if edge not in loops]
    ranks = _ranks(sizes, forward, edges, budget, gap)
    layers = _items(sizes, forward, edges, ranks)
    if most and any(sum(item.width + 1 for item in row) - 1 > most for row in layers.layers):
        return None
    _order(layers)
    _to_the_right(layers, {node for edge in aside for node in edge})
    align(layers.layers, gap)
    _measure(layers)
    room = most - 2 * len({target for _, target in aside}) - bool(aside) if most else 0
    if most and layers.width > room:
        align(layers.layers, gap, max(room, 1))
        _measure(layers)
    for edge in observed:
        if edge[0] != edge[1] and edge not in edges and not _direct(layers, edge):
            aside.append(edge)
    layers.aside = aside
    return layers if not most or layers.width <= most else None


def _measure(layers: Layers) -> None:
    """Begin at column 0."""
    rows = [row for row in layers.layers if row]
    left = min((row[0].x for row in rows), default=0)
    for item in (item for row in rows for item in row):
        item.x -= left
        item.into = item.out = item.column
    layers.width = max((row[-1].x + row[-1].width for row in rows), default=0)


def _loops(nodes: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """The edges that lead back to where the way to them came from, seen from the first nodes on."""
    targets: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        targets[source].append(target)
    loops: set[Edge] = set()
    state: dict[str, int] = {}
    entered = {target for _, target in edges}
    for first in sorted(nodes, key=lambda node: node in entered):
        if first in state:
            continue
        state[first] = 1
        way = [(first, iter(targets[first]))]
        while way:
            node, ahead = way[-1]
            onward = next(ahead, None)
            if onward is None:
                state[node] = 2
                way.pop()
            elif onward not in state:
                state[onward] = 1
                way.append((onward, iter(targets[onward])))
            elif state[onward] == 1:
                loops.add((node, onward))
    return loops


def _ranks(
    sizes: dict[str, Size], forward: list[Edge], labels: dict[Edge, int], budget: int, gap: int
) -> dict[str, int]:
    """Longest ways from the start; even numbers are of nodes, odd ones of the labels below them."""
    after: dict[str, list[str]] = {node: [] for node in sizes}
    missing = dict.fromkeys(sizes, 0)
    for source, target in forward:
        after[source].append(target)
        missing[target] += 1
    has_start = any(size.kind == "start" for size in sizes.values())
    lone = [
        node
        for node, size in sizes.items()
        if size.kind not in ("start", "end") and not after[node] and not missing[node]
    ]
    lone = lone if len(lone) < len(sizes) else []
    rank = {node: 0 if size.kind == "start" or not has_start else 1 for node, size in sizes.items()}
    sources = [node for node in sizes if not missing[node]]
    ready, order = list(sources), []
    while ready:
        node = ready.pop()
        order.append(node)
        for target in after[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    for node in sources:  # nothing leads here, as far as the graph tells: stand above what comes next
        if sizes[node].kind != "start" and after[node]:
            rank[node] = max(rank[node], min(rank[target] for target in after[node]) - 1)
    rows: dict[int, list[str]] = {}
    for node, size in sizes.items():
        if size.kind != "end" and node not in lone:
            rows.setdefault(rank[node], []).append(node)
    folded: list[list[str]] = []
    for _, row in sorted(rows.items()):
        folded += _fold(row, sizes, budget, gap)
    folded += _fold(lone, sizes, budget, gap) if lone else []
    if ends := [node for node, size in sizes.items() if size.kind == "end"]:
        folded.append(ends)
    return {node: 2 * index for index, row in enumerate(folded) for node in row}


def _fold(row: list[str], sizes: dict[str, Size], budget: int, gap: int) -> list[list[str]]:
    """Cut a layer into as many as it takes; lines that pass by need some room, too."""
    if not budget:
        return [row]
    rows: list[list[str]] = [[]]
    used = 0
    for index, node in enumerate(row):
        width = sizes[node].width + gap
        passing = 2 * gap if index < len(row) - 1 else gap
        if rows[-1] and used + width + passing > budget:
            rows.append([])
            used = 0
        rows[-1].append(node)
        used += width
    return rows


def _items(sizes: dict[str, Size], forward: list[Edge], labels: dict[Edge, int], ranks: dict[str, int]) -> Layers:
    """Put nodes, labels and lanes into layers. All edges to one target share a lane, which leads nowhere else; where a
    target has a single one, those of one source do, which come from nowhere else."""
    used = sorted({*ranks.values(), *(ranks[edge[0]] + 1 for edge in forward if labels[edge])})
    index = {rank: number for number, rank in enumerate(used)}
    layers: list[list[Item]] = [[] for _ in used]
    items: dict[str, Item] = {}
    for node, size in sizes.items():
        layer = index[ranks[node]]
        items[node] = Item(node, size.kind, size.width, size.height, size.middle, size.box, layer)
        layers[layer].append(items[node])
    lanes: dict[tuple[object, int], Item] = {}
    links: dict[tuple[int, int], set[Edge]] = {}
    far = Counter(target for source, target in forward if items[target].layer > items[source].layer + 1)
    for edge in forward:
        at, target = items[edge[0]], items[edge[1]]
        if labels[edge]:
            width = labels[edge]
            label = Item("", "label", width, 1, width // 2, width, index[ranks[edge[0]] + 1], {edge})
            layers[label.layer].append(label)
            _link(at, label, edge, links)
            at = label
        shared: object = edge[1] if far[edge[1]] > 1 else id(at)
        for layer in range(at.layer + 1, target.layer):
            lane = lanes.get((shared, layer))
            if lane is None:
                lane = lanes[shared, layer] = Item("", "lane", 1, 1, 0, 1, layer)
                layers[layer].append(lane)
            lane.edges.add(edge)
            _link(at, lane, edge, links)
            at = lane
        _link(at, target, edge, links)
    for row in layers:
        for place, item in enumerate(row):
            item.place = place
    return Layers(layers, items, links, [], 0)


def _link(above: Item, below: Item, edge: Edge, links: dict[tuple[int, int], set[Edge]]) -> None:
    key = (id(above), id(below))
    if key in links:
        links[key].add(edge)
        return
    links[key] = {edge}
    above.down.append(below)
    below.up.append(above)


def _direct(layers: Layers, edge: Edge) -> bool:
    """Link an edge that was seen at run time, where it leads to the next layer."""
    source, target = layers.items[edge[0]], layers.items[edge[1]]
    if target.layer != source.layer + 1:
        return False
    _link(source, target, edge, layers.links)
    return True


# --- order


def _order(layers: Layers) -> None:
    """Sort every layer by the mean place of its neighbours, and keep the order with the fewest crossings."""
    rows = layers.layers
    total = sum(map(len, rows))
    best, best_places = _crossings(rows), [list(row) for row in rows]
    for sweep in range(SWEEPS if total <= THOROUGH else 3):
        if not best:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            _sort(row, down)
        crossings = _crossings(rows)
        if crossings < best:
            best, best_places = crossings, [list(row) for row in rows]
    for row, kept in zip(rows, best_places, strict=True):
        row[:] = kept
        for place, item in enumerate(row):
            item.place = place


def _sort(row: list[Item], down: bool) -> None:
    def key(item: Item) -> float:
        near = item.up if down else item.down
        return sum(other.place for other in near) / len(near) if near else item.place

    row.sort(key=key)
    for place, item in enumerate(row):
        item.place = place


def _crossings(rows: list[list[Item]]) -> int:
    return sum(_between(row) for row in rows)


def _between(row: list[Item]) -> int:
    """How many lines cross below a layer."""
    seen: list[int] = []
    crossings = 0
    for item in row:
        places = sorted(other.place for other in item.down)
        crossings += sum(len(seen) - bisect_right(seen, place) for place in places)
        for place in places:
            insort(seen, place)
    return crossings


def _to_the_right(layers: Layers, looping: set[str]) -> None:
    """Let nodes with edges at the side be the last of their layer, where that crosses nothing more."""
    rows = layers.layers
    first = sum(row[0].node in looping for row in rows if len(row) > 1)
    last = sum(row[-1].node in looping for row in rows if len(row) > 1)
    if first > last:
        for row in rows:
            row.reverse()
            _places(row)
    if sum(map(len, rows)) > THOROUGH:
        return
    for index, row in enumerate(layers.layers):
        for item in [item for item in row if item.node in looping and item is not row[-1]]:
            near = layers.layers[max(index - 1, 0) : index + 1]
            before, order = _crossings(near), list(row)
            row.remove(item)
            row.append(item)
            _places(row)
            if _crossings(near) > before:
                row[:] = order
                _places(row)


def _places(row: list[Item]) -> None:
    for place, item in enumerate(row):
        item.place = place

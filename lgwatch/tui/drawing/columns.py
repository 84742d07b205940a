"""Columns: every item as near to those it is linked to as the order of its layer allows, and lanes straight."""

from __future__ import annotations

from lgwatch.tui.drawing.items import Item

ALIGNMENTS = 8
"""How often columns are moved to their neighbours."""
MANY = 1_600
"""Beyond so many items they are moved less often."""
FAR = 1 << 20
"""A column beyond everything."""


def align(rows: list[list[Item]], gap: int, room: int = 0) -> None:
    """Give every item a column: near those of its neighbours, in order, without touching; from 0 to `room` where this
    is wide enough for every layer."""
    bounds: list[tuple[int, int]] = []
    offsets: list[list[int]] = []
    for row in rows:
        offset, offsets_of = 0, []
        for index, item in enumerate(row):
            if index:
                before = row[index - 1]
                offset += before.width - before.middle + item.middle + _space(before, item, gap)
            offsets_of.append(offset)
        offsets.append(offsets_of)
        low = row[0].middle if row else 0
        high = room - row[-1].width + row[-1].middle - offset if row else 0
        bounds.append((low, max(low, high)) if room else (-FAR, FAR))
        for item, at in zip(row, offsets_of, strict=True):
            item.x = at - item.middle
    sweeps = ALIGNMENTS + len(rows) if sum(map(len, rows)) <= MANY else 3
    sweep = still = 0
    while sweep < sweeps:
        down, both = sweep % 2 == 0, sweep >= sweeps // 2
        moved = False
        for index in range(len(rows)) if down else range(len(rows) - 1, -1, -1):
            moved |= _settle(rows[index], offsets[index], bounds[index], up=down or both, down=not down or both)
        still = 0 if moved else still + 1
        sweep += 1
        if still >= 2:  # neither way moves anything: no later sweep of its kind does
            sweep, still = sweeps if both else max(sweep, sweeps // 2), 0
    for row in rows:
        for item in row:
            if item.kind == "lane" and not (len(item.up) == 1 and item.up[0].kind == "lane"):
                _straighten(item, rows, gap, room)


def _straighten(lane: Item, rows: list[list[Item]], gap: int, room: int) -> None:
    """Give the lanes below each other one column, as far down as there is one that is free for all."""
    chain: list[Item] = []
    low, high = -FAR, FAR
    while True:
        row = rows[lane.layer]
        left = row[lane.place - 1] if lane.place else None
        right = row[lane.place + 1] if lane.place + 1 < len(row) else None
        least = left.x + left.width + _space(left, lane, gap) if left else (0 if room else -FAR)
        most = right.x - 1 - _space(lane, right, gap) if right else (room - 1 if room else FAR)
        if not left:
            least = min(least, most)
        elif not right:  # the layer may be wider than the room
            most = max(most, least)
        if chain and max(low, least) > min(high, most):
            _set(chain, low, high)
            chain, low, high = [], -FAR, FAR
        low, high = max(low, least), min(high, most)
        chain.append(lane)
        below = next((item for item in lane.down if item.kind == "lane"), None)
        if below is None:
            break
        lane = below
    _set(chain, low, high)


def _set(chain: list[Item], low: int, high: int) -> None:
    columns = sorted(item.x for item in chain)
    column = min(max(columns[len(columns) // 2], low), high)
    for item in chain:
        item.x = column


def _space(left: Item, right: Item, gap: int) -> int:
    return max(gap - 1, 1) if "lane" in (left.kind, right.kind) else gap


def _settle(row: list[Item], offsets: list[int], bounds: tuple[int, int], *, up: bool, down: bool) -> bool:
    """Move a layer's items to the mean of their neighbours: the nearest that keeps the order (pool the violators).

    Return whether any of them moved."""
    pools: list[list[float]] = []  # sum of wishes, weight, number
    for item, offset in zip(row, offsets, strict=True):
        weight = wishes = 0.0
        for other in (*(item.up if up else ()), *(item.down if down else ())):
            pull = 8.0 if item.kind == other.kind == "lane" else 1.0
            weight += pull
            wishes += pull * (other.x + other.middle)
        if weight:
            wish = wishes / weight
        else:
            weight, wish = 0.05, float(item.x + item.middle)
        pools.append([weight * (wish - offset), weight, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            pools[-1] = [mine + its for mine, its in zip(pools[-1], last, strict=True)]
    index, moved = 0, False
    for total, weights, number in pools:
        at = min(max(round(total / weights), bounds[0]), bounds[1])
        for item, offset in zip(row[index : index + int(number)], offsets[index : index + int(number)], strict=True):
            before, item.x = item.x, at + offset - item.middle
            moved |= item.x != before
        index += int(number)
    return moved

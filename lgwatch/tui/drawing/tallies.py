"""Where on a drawing it may stand how often an edge was taken: on a line of this edge alone, or beside one.

A place is free for good: nothing that a state brings comes there, and nothing moves for a tally.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lgwatch.tui.drawing.boxes import Box, Drawing, Rect
from lgwatch.tui.drawing.items import Edge
from lgwatch.tui.lines.text import cell_len

WIDTHS = (4, 3)
"""Cells of a place: `×999`, or `×99`."""
MANY = 250
"""Edges of a drawing that has no tallies: it is read for its shape, and the screen does not wait for more."""
Cell = tuple[int, int]


def tally(times: int) -> str:
    """Return a count in at most four cells."""
    if times < 1_000:
        return f"×{times}"
    if times < 100_000:
        return f"×{times // 1_000}k"
    return f"×{times // 1_000_000}M" if times >= 1_000_000 else f"×.{times // 100_000}M"


def places(drawing: Drawing) -> dict[Edge, Rect]:
    """Return where the tally of each edge may stand; an edge without free room has none."""
    if len(drawing.edges) > MANY:
        return {}
    lines = drawing.cells
    alone: dict[Edge, list[Cell]] = {}
    for cell, (_, edges) in lines.items():
        if len(edges) == 1:
            alone.setdefault(next(iter(edges)), []).append(cell)
    covered = set(_covered(drawing))
    taken = covered | lines.keys()
    ends = {edges[0]: (x + cell_len(text), y) for edges, (x, y, text) in drawing.labels.items() if len(edges) == 1}
    found: dict[Edge, Rect] = {}
    for edge in drawing.edges:
        own = set(alone.get(edge, ()))
        cells = sorted(own, key=lambda cell: (-cell[1], cell[0]))
        for place, over in _candidates(cells, lines, ends.get(edge)):
            needed = {(x, place.y) for x in range(place.x, place.x + place.width)}
            # Beside a line there is a margin, so that it is clear which one is meant.
            margin = (
                set() if over else {(place.x - 1, place.y), (place.x + place.width, place.y)} - own - {ends.get(edge)}
            )
            free = not (needed - own if over else needed | margin) & taken and not needed & covered
            if free and place.x >= 0 and place.x + place.width <= drawing.width:
                found[edge] = place
                taken |= needed | margin
                break
    return found


def _candidates(
    cells: list[Cell], lines: dict[Cell, tuple[str, frozenset[Edge]]], label: Cell | None
) -> Iterator[tuple[Rect, bool]]:
    """Yield places, the best first, each with whether it is on the line itself."""
    for width in WIDTHS:
        if label is not None:
            yield Rect(label[0] + 1, label[1], width, 1), False
        for x, y in cells:
            if lines[x, y][0] in "│▼":
                yield Rect(x + 1, y, width, 1), False
        for first, last, y in _stretches(cells, lines):
            if last - first >= width + 1:
                yield Rect((first + last - width) // 2 + 1, y, width, 1), True
        for x, y in cells:
            if lines[x, y][0] in "│▼":
                yield Rect(x - width, y, width, 1), False


def _stretches(cells: Iterable[Cell], lines: dict[Cell, tuple[str, frozenset[Edge]]]) -> Iterator[tuple[int, int, int]]:
    """Yield where a line goes sideways: its first and last column, and the row."""
    start = before = (-9, -9)
    for x, y in [*(cell for cell in cells if lines[cell][0] == "─"), (-9, -9)]:
        if (x - 1, y) != before:
            if before[0] > start[0]:
                yield start[0], before[0], start[1]
            start = (x, y)
        before = (x, y)


def _covered(drawing: Drawing) -> Iterator[Cell]:
    """Yield the cells of boxes, captions and labels; of an open box its border and its title."""
    for box in drawing.boxes.values():
        yield from _box(box)
        for slot in box.slots:
            yield from ((x, slot.y) for x in range(slot.x, slot.x + slot.width))
    for x, y, text in drawing.labels.values():
        yield from ((column, y) for column in range(x, x + cell_len(text)))


def _box(box: Box) -> Iterator[Cell]:
    rect = box.rect
    for y in range(rect.y, rect.y + rect.height):
        whole = not box.open or y <= rect.y + 1 or y == rect.y + rect.height - 1
        yield from (
            (x, y) for x in (range(rect.x, rect.x + rect.width) if whole else (rect.x, rect.x + rect.width - 1))
        )

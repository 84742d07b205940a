"""The small table beside the waterfall: what share each node has in the run's length, and who had time to spare."""

from __future__ import annotations

from lgwatch.critical import CriticalPath, NodeShare
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import cells, fit, node_style, seconds
from lgwatch.tui.text import ASCII, cell_len, clean

FULL, HALF = ("#", "-") if ASCII else ("█", "▌")
BAR = 6
"""Cells of the longest bar."""
SHORT = 40
"""Cells of a row below which there are no bars."""
SLACK = 8
"""Cells of the column of slacks."""


def share_rows(path: CriticalPath, width: int) -> list[Row]:
    """Return the rows of the table in `width` cells: nodes of the chain by their share, then the others by their slack."""
    shares = path.shares()
    spare = SLACK if any(not one.tasks for one in shares) else 0
    top = max((one.seconds for one in shares), default=0.0) or 1.0
    rows = [
        fit(
            [("critical path", "title")],
            [("took", "dim"), ("slack".rjust(spare), "dim")] if spare else [("took", "dim")],
            width,
        )
    ]
    rows += [_row(one, path.total, top, width, spare) for one in shares]
    if path.total and path.between / path.total >= 0.005:
        left = _part(path.between, path.total, top, "faint", width)
        right: Row = [(f"{seconds(path.between):>6}", "time"), (" " * spare, "")]
        rows.insert(1 + sum(one.tasks > 0 for one in shares), fit([*left, ("between", "dim")], right, width))
    return rows


def _row(one: NodeShare, total: float, top: float, width: int, spare: int) -> Row:
    if not one.tasks:
        left: Row = [(" " * cells(_part(0.0, total, top, "", width)), "")]
        right: Row = [(f"{'+' + seconds(one.slack):>{SLACK}}", "dim")]
        return fit([*left, (_name(one.path, width - cells(left) - SLACK), "dim")], right, width)
    many = f" ×{one.tasks}" if one.tasks > 1 else ""
    left = _part(one.seconds, total, top, node_style(one.path), width)
    right = [(f"{seconds(one.seconds):>6}", "title"), (" " * spare, "")]
    name = _name(one.path, width - cells(left) - cells(right) - len(many) - 1)
    return fit([*left, (name, ""), (many, "dim")], right, width)


def _name(path: str, room: int) -> str:
    """The path, or, where it has no room, the node."""
    return path if cell_len(clean(path)) <= room else path.rpartition("/")[2]


def _part(part: float, total: float, top: float, style: str, width: int) -> Row:
    halves = round(part / top * BAR * 2)
    bar = (FULL * (halves // 2) + HALF * (halves % 2)).ljust(BAR + 1) if width >= SHORT else ""
    return [(f"{part / total if total else 0.0:4.0%} ", "title"), (bar, style)]

"""The small table beside the waterfall: what share each node has in the run's length, and who had time to spare."""

from __future__ import annotations

from lgwatch.critical import CriticalPath, NodeShare
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import fit, node_style, seconds
from lgwatch.tui.text import ASCII

FULL, HALF = ("#", "-") if ASCII else ("█", "▌")
BAR = 6
"""Cells of a bar that is the whole run."""
SHORT = 40
"""Cells of a row below which there are no bars."""


def share_rows(path: CriticalPath, width: int) -> list[Row]:
    """Return the rows of the table in `width` cells: nodes of the chain by their share, then the others by their slack."""
    rows = [fit([("critical path", "title")], [("took", "dim"), ("   slack", "dim")], width)]
    rows += [_row(one, path.total, width) for one in path.shares()]
    if path.total and path.between / path.total >= 0.005:
        left = _part(path.between / path.total, "faint", width)
        right: Row = [(f"{seconds(path.between):>6}", "time"), (" " * 8, "")]
        rows.insert(
            1 + sum(one.tasks > 0 for one in path.shares()), fit([*left, ("between steps", "dim")], right, width)
        )
    return rows


def _row(one: NodeShare, total: float, width: int) -> Row:
    if not one.tasks:
        indent = " " * (5 if width < SHORT else 6 + BAR)
        return fit([(indent, ""), (one.path, "dim")], [(f"{'+' + seconds(one.slack):>8}", "dim")], width)
    many = f" ×{one.tasks}" if one.tasks > 1 else ""
    left = _part(one.seconds / total if total else 0.0, node_style(one.path), width)
    return fit([*left, (one.path, ""), (many, "dim")], [(f"{seconds(one.seconds):>6}", "title"), (" " * 8, "")], width)


def _part(part: float, style: str, width: int) -> Row:
    halves = round(part * BAR * 2)
    bar = (FULL * (halves // 2) + HALF * (halves % 2)).ljust(BAR + 1) if width >= SHORT else ""
    return [(f"{part:4.0%} ", "title"), (bar, style)]

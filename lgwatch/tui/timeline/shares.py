"""The small table beside the waterfall: what share each node has in the run's length, and who had time to spare.

What it is of is found once for runs that ended; for one that goes on, seldom enough to take little of the time.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from lgwatch.critical import CriticalPath, NodeShare, critical_path
from lgwatch.records import Run
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import cells, fit, node_style, seconds
from lgwatch.tui.lines.text import ASCII, cell_len, clean

FULL, HALF = ("#", "-") if ASCII else ("█", "▌")
BAR = 6
"""Cells of the longest bar."""
SHORT = 40
"""Cells of a row below which there are no bars."""
SLACK = 8
"""Cells of the column of slacks."""
REST = 20
"""How many times as long as it took to find, the critical path of a run that goes on stays as it is."""


class Weighing:
    """The critical path of the newest runs, while it is shown."""

    def __init__(self) -> None:
        self.path: CriticalPath | None = None
        self._runs: list[Run] = []
        self._state: object = None
        self._rest_until = 0.0
        self._ended_of: object = None
        self._ended = CriticalPath()

    def forget(self) -> None:
        """Find it anew when it is asked for."""
        self.path = None

    def update(self, runs: list[Run], changes: int, now: float) -> bool:
        """Take in how the runs stand `now`; return whether there is another path. `changes` grows with their tasks."""
        moving = bool(runs) and runs[-1].status == "running"
        state = (changes, int(now * 2) if moving else 0)
        began = monotonic()
        known = self.path is not None and runs == self._runs
        if known and (state == self._state or (moving and began < self._rest_until)):
            return False
        self._runs, self._state = runs, state
        before, last = runs[:-1], runs[-1:]
        if before != self._ended_of:
            self._ended_of, self._ended = before, critical_path(before, now)
            began = monotonic()
        live = critical_path(last, now)
        self.path = _joined(self._ended, live) if before else live
        self._rest_until = monotonic() + REST * (monotonic() - began)
        return True


def _joined(before: CriticalPath, after: CriticalPath) -> CriticalPath:
    """Return the path of runs, and of another one after them."""
    nodes = {path: replace(share) for path, share in before.nodes.items()}
    for path, share in after.nodes.items():
        one = nodes.setdefault(path, NodeShare(path))
        one.seconds += share.seconds
        one.tasks += share.tasks
        one.slack = min(one.slack, share.slack)
    return CriticalPath(before.total + after.total, before.chain | after.chain, before.slack | after.slack, nodes)


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

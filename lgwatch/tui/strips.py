"""What is aligned with the bars of the waterfall: marks above them, and below them strips of what went on at each time.

They are counted from the index's columns: a strip costs two searches per cell, however long the journal is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import pairwise

from lgwatch.filter import Filter
from lgwatch.index import Facet, Selection
from lgwatch.kept import kept
from lgwatch.records import Run
from lgwatch.session import Session
from lgwatch.tui.axis import Axis, Clock
from lgwatch.tui.bars import Cells
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import SPARKS, glyph
from lgwatch.tui.text import ASCII

SLICE = 100_000
"""Events that one picture takes in: more would be felt in a key."""
DOTS = ".:*" if ASCII else "·•●"
"""One custom event in a cell, some, many."""


def marks(session: Session, runs: list[Run], clock: Clock, axis: Axis, now: float) -> Row:
    """Return checkpoints, interrupts, notices of a blocked loop, and errors, each at its time."""
    cells = Cells(clock, axis, now, 0)
    known = {run.id for run in runs}
    for checkpoint in session.checkpoints:
        if checkpoint.run in known and not checkpoint.ns:
            cells.put(checkpoint.at, *glyph("fork" if checkpoint.source == "fork" else "checkpoint"))
    for seq, notice in session.notices:
        if notice.code == "blocked" and session.index.facet_of(seq).run in known:
            cells.put(notice.at, *glyph("notice"))
    for interrupt in session.interrupts.values():
        if interrupt.run in known:
            cells.put(interrupt.at, *glyph("interrupted"))
    for seq in session.errors:
        if session.index.facet_of(seq).run in known:
            cells.put(session.index.at[seq], *glyph("failed"))
    return cells.row()


class Strips:
    """Custom events and tokens a second, column by column, as far as the filter keeps them."""

    def __init__(self) -> None:
        self._state: object = None
        self._customs: Selection | None = None
        self._tokens: Selection | None = None

    def update(self, session: Session, keep: Filter) -> None:
        """Take in what came since, or a new filter."""
        if self._state != (session, keep) or self._customs is None or self._tokens is None:
            self._state = (session, keep)
            self._customs = kept(session, keep, lambda _: True, kind="custom", at_once=SLICE)
            self._tokens = kept(session, keep, _is_token, kind="message", at_once=SLICE)
        self._customs.update()
        self._tokens.update()

    @property
    def behind(self) -> bool:
        """Whether there is more to take in."""
        return any(one is not None and one.behind for one in (self._customs, self._tokens))

    def customs(self, session: Session, clock: Clock, axis: Axis) -> Row:
        """Return a dot where a custom event was written, larger ones where many were."""
        if self._customs is None:
            return []
        counts = _counts(session, self._customs.seqs, clock, axis)
        return [("".join(DOTS[min(count.bit_length() // 2, 2)] if count else " " for count in counts), "info")]

    def tokens(self, session: Session, clock: Clock, axis: Axis) -> tuple[Row, float]:
        """Return tokens a second as little columns, and the most there were in one of them."""
        if self._tokens is None:
            return [], 0.0
        counts = _counts(session, self._tokens.seqs, clock, axis)
        top = max(counts, default=0)
        text = "".join(SPARKS[min(count * 8 // (top + 1), 7)] if count else " " for count in counts)
        return [(text, "accent")], top / axis.span * axis.columns


def _is_token(facet: Facet) -> bool:
    return facet.type == "message" and facet.role == "ai" and facet.kind in ("text", "reasoning", "tool_call")


def _counts(session: Session, seqs: array[int], clock: Clock, axis: Axis) -> list[int]:
    """Return how many of the events there are in each column."""
    at = session.index.at
    places: list[int] = []
    for column in range(axis.columns + 1):
        second = axis.second(column)
        if second > clock.total:
            places.append(len(seqs) if second - axis.span / axis.columns <= clock.total else places[-1])
        else:
            places.append(bisect_left(seqs, bisect_left(at, clock.moment(second))))
    return [after - before for before, after in pairwise(places)]

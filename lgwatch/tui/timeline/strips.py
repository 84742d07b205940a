"""What is aligned with the bars of the waterfall: marks above them, and below them strips of what went on at each time.

They are counted from the index's columns: a strip costs two searches per cell, however long the journal is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from time import perf_counter

from lgwatch.clock import Clock
from lgwatch.columns import Column
from lgwatch.filter import Filter
from lgwatch.filter.kept import kept
from lgwatch.index import Facet
from lgwatch.records import Run
from lgwatch.selection import Selection
from lgwatch.session import Session
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import SPARKS, glyph, seconds
from lgwatch.tui.lines.text import ASCII
from lgwatch.tui.timeline.axis import Axis
from lgwatch.tui.timeline.bars import Cells

SLICE, PATIENCE = 50_000, 0.008
"""Events that are taken in at once, and seconds of a picture in which that goes on: more would be felt in a key."""
DOTS = ".:*" if ASCII else "·•●"
"""One custom event in a cell, some, many."""
FELT = 0.1
"""Seconds that the event loop may be late before a person feels it; the strip of delays is not scaled to less."""


class Marks:
    """Checkpoints, notices of a blocked loop, interrupts, and errors: what came since is added to columns of times."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._clear()

    def _clear(self) -> None:
        self._read = [0, 0, 0]  # checkpoints, notices, errors
        self._asked = 0  # events that tell of an interrupt
        self._signs: list[tuple[str, str]] = []  # of the checkpoints
        self._checkpoints, self._notices, self._interrupts, self._errors = (
            _Moments(),
            _Moments(),
            _Moments(),
            _Moments(),
        )
        self._row: tuple[object, Row] = (None, [])

    def row(self, session: Session, runs: list[Run], clock: Clock, axis: Axis, now: float) -> Row:
        """Return what belongs to these runs, the newest ones, each at its time."""
        self._update(session)
        kinds = self._checkpoints, self._notices, self._interrupts, self._errors
        window = (axis, [run.id for run in runs])
        state = (session, window, [(id(kind), len(kind.at)) for kind in kinds])
        if state == self._row[0]:
            return self._row[1]
        cells = Cells(clock, axis, now, 0)
        first = runs[0].seq if runs else len(session.index)
        for column, place in self._checkpoints.columns(cells, first, window).items():
            cells.mark(column, *self._signs[place])
        for moments, sign in zip(kinds[1:], ("notice", "interrupted", "failed"), strict=True):
            for column in moments.columns(cells, first, window):
                cells.mark(column, *glyph(sign))
        self._row = (state, cells.row())
        return self._row[1]

    def _update(self, session: Session) -> None:
        if session is not self._session:
            self._session = session
            self._clear()
        for checkpoint in session.checkpoints[self._read[0] :]:
            if not checkpoint.ns:
                self._checkpoints.add(checkpoint.at, checkpoint.seq)
                self._signs.append(glyph("fork" if checkpoint.source == "fork" else "checkpoint"))
        for seq, notice in session.notices[self._read[1] :]:
            if notice.code == "blocked":
                self._notices.add(notice.at, seq)
        for seq in session.errors[self._read[2] :]:
            self._errors.add(session.index.at[seq], seq)
        self._read = [len(session.checkpoints), len(session.notices), len(session.errors)]
        if self._asked != (asked := session.counts.get("interrupt", 0)):  # a question that is asked again, moves
            self._asked, self._interrupts = asked, _Moments()
            for one in sorted(session.interrupts.values(), key=lambda one: one.seq):
                self._interrupts.add(one.at, one.seq)


class _Moments:
    """Times in order, and the lines that tell of them."""

    def __init__(self) -> None:
        self.at = array("d")
        self._seqs = array("Q")
        self._window: object = None
        self._columns: dict[int, int] = {}
        self._seen = 0

    def add(self, at: float, seq: int) -> None:
        """Take in the next one."""
        self.at.append(at)
        self._seqs.append(seq)

    def columns(self, cells: Cells, first: int, window: object) -> dict[int, int]:
        """Return the columns that have any of the moments from the line `first` on, each with the number of its last one.

        In the same `window` as before, only those that came since are looked at.
        """
        if window != self._window:
            self._window = window
            self._columns = {cells.place(self.at[place]): place for place in self._last_in_columns(cells, first)}
        else:
            self._columns |= {cells.place(self.at[place]): place for place in range(self._seen, len(self.at))}
        self._seen = len(self.at)
        return self._columns

    def _last_in_columns(self, cells: Cells, first: int) -> Iterator[int]:
        """Yield, of the moments from the line `first` on, the last one in each column that has any."""
        low = bisect_left(self._seqs, first)
        place = bisect_left(self.at, cells.axis.columns, low, key=cells.place)
        while place > low:
            yield place - 1
            column = cells.place(self.at[place - 1])
            if column < 0:
                return
            place = min(place - 1, bisect_left(self.at, column, low, place, key=cells.place))


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
        deadline = perf_counter() + PATIENCE
        self._customs.update()
        self._tokens.update()
        while self.behind and perf_counter() < deadline:
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
        levels = _even(_counts(session, self._tokens.seqs, clock, axis))
        top = max(levels, default=0.0)
        text = "".join(SPARKS[min(int(level * 8 / (top + 1)), 7)] if level else " " for level in levels)
        return [(text, "accent")], top / axis.span * axis.columns


def _even(counts: Sequence[int]) -> list[float]:
    """Return the counts without the teeth that columns cut into a steady stream: of 2.5 tokens in each of them, every other
    one gets 2, and of half a token none. Where a stream begins and ends stays where it is."""
    before, after = [0, *counts][:-1], [*counts, 0][1:]
    within = [bool(own or (left and right)) for left, own, right in zip(before, counts, after, strict=True)]
    held = [False, *within, False]
    return [
        ((left if held[at] else own) + 2 * own + (right if held[at + 2] else own)) / 4 if within[at] else 0.0
        for at, (left, own, right) in enumerate(zip(before, counts, after, strict=True))
    ]


class Delays:
    """How late the event loop was, column by column: the longest delay in each. A delay is no node's: no filter is asked."""

    def __init__(self) -> None:
        self._levels: list[float] = []
        self._state: object = None
        self._seen = 0

    def update(self, session: Session, runs: list[Run], clock: Clock, axis: Axis) -> None:
        """Take in what came since; in another window, all that is in it."""
        delays, cells = session.delays, Cells(clock, axis, clock.moment(clock.total), 0)
        state = (session, axis, [run.id for run in runs])
        if state != self._state:
            self._state, self._levels = state, [0.0] * axis.columns
            begin = max(clock.moment(axis.start), runs[0].started) if runs else session.now
            self._seen = bisect_left(delays, begin, key=lambda one: one.at)
        for place in range(self._seen, len(delays)):
            one = delays[place]
            first, last = max(cells.place(one.at - one.window), 0), min(cells.place(one.at), axis.columns - 1)
            if first >= axis.columns:
                break  # what comes later is right of the window, too
            for column in range(first, last + 1):
                self._levels[column] = max(self._levels[column], one.delay)
        self._seen = len(delays)

    def row(self) -> Row:
        """Return the delays as little columns, and the longest one in words."""
        top = max(self._levels, default=0.0)
        if not top:
            return []
        most = max(top, FELT)
        signs = [SPARKS[min(int(level / most * 8), 7)] if level else " " for level in self._levels]
        row: Row = [(sign, _felt(level) if level else "") for sign, level in zip(signs, self._levels, strict=True)]
        return [*row, (f" {seconds(top)}", _felt(top))]

    def at(self, column: int) -> float:
        """Return the longest delay in a column, in seconds; 0 where there was none that is told."""
        return self._levels[column] if 0 <= column < len(self._levels) else 0.0


def _felt(delay: float) -> str:
    return "warn" if delay >= FELT else "info"


def crossed(row: Row, lines: list[tuple[int, str]]) -> Row:
    """Return a strip with vertical `lines` (column and style) through it."""
    styles = [style for text, style in row for _ in text]
    text = "".join(text for text, _ in row)
    for column, style in lines:
        if column >= 0:
            text = text.ljust(column + 1)
            styles += [""] * (len(text) - len(styles))
            styles[column] = f"{styles[column]} {style}"
    found: Row = []
    for sign, style in zip(text, styles, strict=True):
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + sign, style)
        else:
            found.append((sign, style))
    return found


def _is_token(facet: Facet) -> bool:
    return facet.type == "message" and facet.role == "ai" and facet.kind in ("text", "reasoning", "tool_call")


def _counts(session: Session, seqs: Column[int], clock: Clock, axis: Axis) -> list[int]:
    """Return how many of the events there are in each column."""
    at = session.index.at
    places: list[int] = []
    for column in range(axis.columns + 1):
        second = axis.second(column)
        if second > clock.total:
            places.append(
                len(seqs) if second - axis.span / axis.columns <= clock.total else places[-1] if places else 0
            )
        else:
            places.append(seqs.bisect_left(at.bisect_left(clock.moment(second))))
    return [after - before for before, after in pairwise(places)]

"""Rows that are events: their numbers are held, their lines are read from the journal when they are looked at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from lgwatch.clock import Clock
from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.filter.kept import kept
from lgwatch.filter.payloads import STATES
from lgwatch.index import Facet
from lgwatch.selection import Selection
from lgwatch.session import Session
from lgwatch.tui.eventlist.sift import Sift
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import fit, node_style
from lgwatch.tui.lines.spot import Spot, of_event
from lgwatch.tui.lines.text import cell_len, clean, crop

if TYPE_CHECKING:
    from lgwatch.sources import Source

SLICE, PATIENCE = 50_000, 0.008
"""Events that a new filter is asked about at once, and seconds of a picture in which it goes on to more: they are felt in a
key, but pictures in between cost more than all that is left."""
NEAR = 20_000
"""Rows that are looked at to find one of a task."""


class Times:
    """What the time column says: seconds that the run had run, the clock, or the distance to the row before."""

    MODES: ClassVar[tuple[str, ...]] = ("start", "delta", "clock")
    NARROW = 56
    """Cells of a row below which the column is short."""

    def __init__(self) -> None:
        self.mode = "start"
        self._clock = Clock([])
        self._told = 0  # clocks there were
        self._known: object = None  # what the clock depends on
        self._began: datetime | None = None
        self._at: Sequence[float] = ()

    def set(self, session: Session) -> bool:
        """Take in the session; return whether all times are told anew."""
        self._at = session.index.at
        known = [(run.id, run.started, run.ended) for run in session.runs]
        try:
            self._began = datetime.fromisoformat(session.header.started.replace("Z", "+00:00"))
        except ValueError:
            self._began = None
        fresh = known != self._known
        if fresh:
            self._known, self._clock = known, Clock(session.runs)
            self._told += 1
        return fresh

    def run_time(self, at: float) -> float:
        """Return the seconds that the run had run at a moment; before there is a run, those since the journal's start."""
        return self._clock.active(at) if self._clock else at

    def key(self, seqs: Sequence[int], index: int) -> Hashable:
        """Return what a row's time depends on besides its event."""
        return (self.mode, seqs[index - 1] if index else 0) if self.mode == "delta" else (self.mode, self._told)

    def stamp(self, seqs: Sequence[int], index: int, width: int) -> tuple[str, str]:
        """Return a row's time, right-aligned."""
        at, short = self._at[seqs[index]], width < self.NARROW
        if self.mode == "clock" and self._began is not None:
            text = f"{(self._began + timedelta(seconds=at)).astimezone():%H:%M:%S.%f}"
            return text[: 8 if short else 12] + " ", "time"
        if self.mode == "delta":
            at -= self._at[seqs[index - 1]] if index else at
            return (f"{at:+6.2f} " if short else f"{at:+8.3f} "), "time"
        at = self.run_time(at)
        return (f"{at:6.2f} " if short else f"{at:8.3f} "), "time"


class Timed(Rows):
    """Rows with a time column; `seqs` are the events that they are of, in order."""

    seqs: Sequence[int]
    session: Session | None

    def seq_at(self, index: int) -> int:
        """Return which event a row is of."""
        return self.seqs[index]

    def place(self, index: int) -> int:
        """Return the row of the event that is `index` in `seqs`."""
        return index

    @property
    def behind(self) -> bool:
        """Whether there is more to take in than one update does."""
        return False

    @property
    def times(self) -> Times:
        """The time column."""
        raise NotImplementedError


class EventRows(Timed):
    """The events that `of` and the filter keep, one row each, drawn by `draw(facet, line, width)`."""

    slice = 200

    def __init__(
        self,
        source: Source,
        of: Callable[[Facet], bool],
        draw: Callable[[Facet, dict[str, Json], int], Row],
        *,
        resolve: bool = False,
        strict: bool = False,
        kind: str = "",
    ) -> None:
        """Rows for the events of which `of` is true; with `resolve` their references are replaced before `draw`.

        Of a `strict` list, who asks for a payload sees only what has one. With a `kind` no other type is looked at.
        """
        self._kind = kind
        self._strict = strict
        self.version = 0
        """Grows with every change of the rows."""
        self._source = source
        self._line = source.resolved if resolve else source.line
        self._of = of
        self._draw = draw
        self.session: Session | None = None
        self._keep = Filter()
        self._selection: Selection | None = None
        self._more = False  # whether the last update left events for the next one
        self._sift: Sift | None = None
        self.seqs: Sequence[int] = ()
        self._steady = 0  # how many of the first that are selected are what they were when they were last shown
        self._shown = 0  # how many of them there were at the last look
        self.stable = 0
        """How many of the first rows are what they were before the last update."""
        self.reading: Callable[[], bool] = lambda: False
        """Whether somebody reads at a place of his own: then the rows stay until those of another filter are complete."""
        self._times = Times()

    def update(self, session: Session, keep: Filter) -> bool:
        """Take in new events, or a new filter; return whether the rows changed."""
        deadline = perf_counter() + PATIENCE
        selection, fresh = self._selection, False
        if selection is None or session is not self.session or keep != self._keep:
            if session is not self.session:
                self.seqs = ()
            self.session, self._keep = session, keep
            fresh, self._steady = True, 0
            self._selection = selection = kept(session, keep, self._wanted(keep), kind=self._kind, at_once=SLICE)
            self._sift = Sift(self._source, keep, strict=self._strict) if keep.reads else None
        else:
            self._go_on(selection)
        while selection.behind and perf_counter() < deadline:
            self._go_on(selection)
        self._more = selection.behind
        changed = self.times.set(session)
        # A sift goes through what is selected from the first event on.
        waits = self._sift is not None or (self.reading() and selection.seqs is not self.seqs)
        if not (self._more and waits):
            changed |= self._take_over(selection) or fresh
        self.version += changed
        return changed

    def _go_on(self, selection: Selection) -> None:
        selection.update()
        self._steady = min(self._steady, selection.stable)

    def _take_over(self, selection: Selection) -> bool:
        """Show what is selected by now, as far as its lines were asked about; return whether the rows changed."""
        seqs, stable = selection.seqs, self._steady
        self._steady = len(seqs)
        if self._sift is not None:
            stable = self._sift.go_back(seqs, stable)
            self._sift.go_on(seqs)
            seqs = self._sift.found
        self.stable = stable if seqs is self.seqs else 0
        changed = seqs is not self.seqs or stable < max(self._shown, len(seqs))
        self.seqs, self._shown = seqs, len(seqs)
        return changed

    def _size(self, seq: int) -> int:
        return self._source.size(seq)

    def _wanted(self, keep: Filter) -> Callable[[Facet], bool]:
        """Return what tells whether a type is shown and may hold the payload that is asked for: where many types are shown,
        the others are not even read."""
        of = self._of
        terms = [term for term in keep.about("line") if not term.negated] if self._strict else []
        if not terms:
            return of
        types = set.intersection(*({*STATES} if term.field == "state" else {"custom"} for term in terms))
        return lambda facet: facet.type in types and of(facet)

    @property
    def behind(self) -> bool:
        """Whether there are events or lines that the filter was not asked about yet."""
        return self._more or (
            self._sift is not None and self._selection is not None and self._sift.asked < len(self._selection)
        )

    @property
    def times(self) -> Times:
        """The time column."""
        return self._times

    def __len__(self) -> int:
        return len(self.seqs)

    def key(self, index: int) -> Hashable:
        """An event never changes, only what its time is told from."""
        return (self.seqs[index], self.times.key(self.seqs, index))

    def index_of(self, key: Hashable) -> int | None:
        """Find an event again after the filter changed: itself, or the next one that is kept."""
        if not isinstance(key, tuple) or not self.seqs:
            return None
        return min(bisect_left(self.seqs, key[0]), len(self.seqs) - 1)

    def row(self, index: int, width: int) -> Row:
        """Read the event's line and draw it."""
        seq = self.seqs[index]
        facet = self.session.index.facet_of(seq) if self.session else Facet("", "", "", None, "")
        return fit([self.times.stamp(self.seqs, index, width), *self._draw(facet, self._line(seq), width)], [], width)


class TimedPane(Pane):
    """A list of events with a time column."""

    rows: Timed

    @property
    def behind(self) -> bool:
        """Whether there is more to read."""
        return self.rows.behind

    def subject(self) -> Subject | None:
        """The event under the cursor."""
        index = self.chosen
        return None if index is None else event_page(self.rows.session, self.rows.seq_at(index))

    def spot(self) -> Spot | None:
        """The event under the cursor."""
        index, session = self.chosen, self.rows.session
        return None if index is None or session is None else of_event(session, self.rows.seq_at(index))

    def reveal(self, session: Session, spot: Spot) -> None:
        """Go to the event, or to the nearest one of its task."""
        if self.rows.session is not session:
            return
        index = nearest(session, self.rows.seqs, spot)
        if index is not None:
            self.view.reveal(self.rows.place(index))

    def next_times(self) -> str:
        """Tell times the next way; return its name."""
        times = self.rows.times
        times.mode = times.MODES[(times.MODES.index(times.mode) + 1) % len(times.MODES)]
        self.view.show()
        return times.mode


def where(path: str, room: int) -> tuple[str, str]:
    """Return a node path in `room` cells, its end where it is too long, with a sign of what is around it if that fits."""
    shown = clean(path) or "·"
    if cell_len(shown) > room:
        shown = clean(path.rpartition("/")[2])
        around = f"…/{shown}"
        shown = around if cell_len(around) <= room else shown
    shown = crop(shown, room, "…")
    return shown + " " * (room - cell_len(shown) + 1), node_style(path) if path else "faint"


def nearest(session: Session, seqs: Sequence[int], spot: Spot) -> int | None:
    """Return where the event of the spot is among `seqs`, or the next one of its task, or else the one before; None where
    there is none near."""
    place = bisect_left(seqs, spot.seq)
    if place < len(seqs) and seqs[place] == spot.seq:
        return place
    number, task = session.index.number_of(spot.task), session.index.task
    if not spot.task or number is None:
        return None
    on = next((index for index in range(place, min(place + NEAR, len(seqs))) if task[seqs[index]] == number), None)
    if on is not None:
        return on
    return next(
        (index for index in range(place - 1, max(place - NEAR, 0) - 1, -1) if task[seqs[index]] == number), None
    )


def event_page(session: Session | None, seq: int) -> Subject:
    """Return the page of an event."""
    facet = session.index.facet_of(seq) if session is not None else Facet("", "", "", None, "")
    return Subject(" · ".join(part for part in (facet.type, facet.path, f"line {seq}") if part), (seq,))

"""The list of every event in the order in which it came: when, in which step, what, where, what it says, and how large it is.

Left and right choose a cell; what stands in it can be kept alone, dropped, or sorted by. Nothing is sorted unless asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from lgwatch.columns import Column
from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.filter.narrow import bound, drop, keep_only
from lgwatch.index import Facet, shown
from lgwatch.session import Session
from lgwatch.tui.eventlist.cells import COLUMNS, SIZED, Cell, cell_of, columns, lit
from lgwatch.tui.eventlist.rows import EventRows, TimedPane
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView

if TYPE_CHECKING:
    from lgwatch.sources import Source

MOST = 300_000
"""Events that are sorted: more would let a key wait."""


class ListRows(EventRows):
    """Every event; one cell of the row under the cursor may be lit, and the rows may be in another order."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, shown, lambda *_: [], strict=True)
        self.column: int | None = None
        """The column that is chosen."""
        self.cursor: Callable[[], int | None] = lambda: None
        self.sorted = ""
        """What the rows are sorted by, with `-` in front where the largest stands first; empty for their own order."""
        self._order: Column[int] = Column("I")
        self._sorted_of: object = None

    def update(self, session: Session, keep: Filter) -> bool:
        """Take in new events, which stand at the end however the rows are sorted, or a new filter."""
        changed = super().update(session, keep)
        if self.sorted and (self._sorted_of is not self.seqs or self.stable < len(self._order)):
            self.sort("")
        self._order.extend(range(len(self._order), len(self.seqs)) if self.sorted else ())
        return changed

    def sort(self, by: str) -> None:
        """Sort the rows by a column (`-size`: the largest first), or, with an empty name, let them stand as they came."""
        self.sorted, self._sorted_of = by, self.seqs
        index, name = self.session.index if self.session is not None else None, by.removeprefix("-")
        if not by or index is None:
            self._order = Column("I")
            return
        seqs = self.seqs
        keys: list[Any]
        if name == "size":
            keys = [self._size(seq) for seq in seqs]
        elif name == "time":
            keys = list(seqs)
        else:
            names = {"step": "step", "kind": "type", "node": "path"}
            of = [getattr(facet, names.get(name, "type")) for facet in index.facets]
            known = [(-1 if name == "step" else "") if one is None else one for one in of]
            keys = [known[index.facet[seq]] for seq in seqs]
        self._order = Column("I", sorted(range(len(seqs)), key=keys.__getitem__, reverse=by.startswith("-")))

    def seq_at(self, index: int) -> int:
        """Return which event a row is of."""
        return self.seqs[self._own(index)]

    def _own(self, index: int) -> int:
        """Return where the event of a row is in its own order, which is that of time."""
        return self._order[index] if self.sorted else index

    def place(self, index: int) -> int:
        """Return the row of the event that is `index` in its own order."""
        return self._order.index(index) if self.sorted else index

    def key(self, index: int) -> Hashable:
        """The event, its time, and whether a cell of it is lit."""
        cell = self.column if index == self.cursor() else None
        own = self._own(index)
        return (self.seqs[own], self.times.key(self.seqs, own), cell)

    def index_of(self, key: Hashable) -> int | None:
        """Find an event again: itself, or the next one that is kept."""
        if not isinstance(key, tuple) or not self.seqs:
            return None
        return self.place(min(bisect_left(self.seqs, key[0]), len(self.seqs) - 1))

    def facet(self, seq: int) -> Facet:
        """Return what an event has in common with others."""
        return self.session.index.facet_of(seq) if self.session else Facet("", "", "", None, "")

    def line(self, seq: int) -> dict[str, Json]:
        """Return an event's line; the end of a span says only which one: what it was is known."""
        line, facet = self._line(seq), self.facet(seq)
        return line | {"kind": facet.kind, "name": facet.name} if facet.type == "span_end" and facet.kind else line

    def row(self, index: int, width: int) -> Row:
        """Read the event's line and draw its cells."""
        seq = self.seq_at(index)
        time = self.times.stamp(self.seqs, self._own(index), width)
        row = columns(self.facet(seq), self.line(seq), self._size(seq), time, width)
        if self.column is not None and index == self.cursor():
            row[self.column] = lit(row[self.column])
        return [span for cell in row for span in cell]

    def cell(self, index: int) -> Cell | None:
        """Return what a filter would call the chosen cell of a row; before one is chosen, its kind."""
        seq = self.seq_at(index)
        at = self.times.run_time(self.session.index.at[seq]) if self.session is not None else 0.0
        column = self.column if self.column is not None else COLUMNS.index("kind")
        return cell_of(column, self.facet(seq), self._source.resolved(seq), self._size(seq), at)


class EventView(LineView):
    """The rows; left and right go from cell to cell."""

    def action_shift(self, steps: int) -> None:
        """Choose the next cell; left of the first one none is chosen."""
        rows = self.rows
        assert isinstance(rows, ListRows)
        last = len(COLUMNS) - (1 if self.width_of_rows() >= SIZED else 2)
        column = (-1 if rows.column is None else rows.column) + steps
        rows.column = None if column < 0 else min(column, last)
        if self.cursor is None:
            self.action_move(0)
        self.show()


class EventsPane(TimedPane):
    """Every event in the order in which it came."""

    title_: ClassVar[str] = "Events"
    empty_: ClassVar[str] = "no event yet"
    help_: ClassVar[str] = (
        "Every event of the journal in order: time, step, type, node path, what it says, the bytes of its line. Left and "
        "right choose a cell: = keeps only what has its value, \\ drops it (of times and sizes: from here on, and up to "
        "here), S sorts by its column and back. enter opens the event. Times are seconds of the run, as the header tells them: "
        "the wait for answers is left out; t tells the clock, or the time since the row before."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("equals_sign", "keep_only", "Only this", show=False, id="events.only", tooltip="Keep only this value"),
        Binding("backslash", "drop", "Drop this", show=False, id="events.drop", tooltip="Drop this value"),
        Binding("S", "sort", "Sort", show=False, id="events.sort", tooltip="Sort by the column of the cell, and back"),
    ]

    class Narrowed(Message):
        """The person wants another filter; `text` is its expression."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    rows: ListRows

    def __init__(self, source: Source) -> None:
        rows = ListRows(source)
        super().__init__(rows, source, id="events")
        rows.cursor = lambda: self.view.cursor
        rows.reading = lambda: not self.view.following
        self._version = -1
        self._keep = Filter()

    def make_view(self, rows: Rows) -> LineView:
        """Return a view that goes from cell to cell."""
        return EventView(rows, tail=self.tail, cursor_row=self.cursor)

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        self._keep = keep
        self.rows.update(session, keep)
        if self.rows.version != self._version:  # others ask for the rows, too
            self._version = self.rows.version
            self.view.show()
            self._say(session)

    def _say(self, session: Session) -> None:
        total = len(session.index) - 1 - session.counts.get("value", 0)
        by = self.rows.sorted
        part = f"{amount(len(self.rows))} of {amount(total)}" if self._keep else amount(total)
        self.mark(f"by {by.removeprefix('-')}{', largest first' if by.startswith('-') else ''}" if by else "", part)

    def action_keep_only(self) -> None:
        """Keep only what has the value of the cell, or everything again."""
        cell = self._cell()
        if cell is not None:
            self._narrow(
                bound(self._keep, cell.field, ">=", cell.value)
                if cell.bound
                else keep_only(self._keep, cell.field, cell.value)
            )

    def action_drop(self) -> None:
        """Drop what has the value of the cell, or take it in again."""
        cell = self._cell()
        if cell is not None:
            self._narrow(
                bound(self._keep, cell.field, "<", cell.value)
                if cell.bound
                else drop(self._keep, cell.field, cell.value)
            )

    def _cell(self) -> Cell | None:
        index = self.chosen
        cell = self.rows.cell(index) if index is not None else None
        if cell is None:
            self.post_message(Told("the filter has no word for this cell"))
        return cell

    def _narrow(self, text: str) -> None:
        self.post_message(self.Narrowed(text))

    def action_sort(self) -> None:
        """Sort by the column of the cell: ascending, descending, and as the events came."""
        rows, session = self.rows, self.rows.session
        if session is None:
            return
        name = COLUMNS[rows.column if rows.column is not None else 0]
        order = ["", *([f"-{name}", name] if name in ("size", "time") else [name, f"-{name}"])]
        by = order[(order.index(rows.sorted) + 1) % 3 if rows.sorted in order else 1]
        if name == "summary":
            self.post_message(Told("what events say has no order"))
        elif by and len(rows) > MOST:
            self.post_message(Told(f"more than {amount(MOST)} events are not sorted: filter them first"))
        else:
            rows.sort(by)
            self.view.show()
            self.view.select(0)
            self._say(session)
            self.settle(at_once=True)

"""Deck: the columns of messages side by side, each with a place of its own to scroll; as many as there is room for.

The layout changes only where there are more, or fewer, columns than before: with the first words of a node, never with
its next ones. Where no two columns fit beside each other, they stand below each other.
"""

from __future__ import annotations

from itertools import accumulate
from typing import ClassVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import AwaitMount

from lgwatch.records import Message
from lgwatch.tui.lines.bar import Bar
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.search import Search
from lgwatch.tui.messages.blocks import MessageBlocks
from lgwatch.tui.messages.flow import Wrapped
from lgwatch.tui.messages.reading import Column
from lgwatch.tui.messages.view import MessageView

NARROW, SHORT = 38, 5
"""Cells and lines that a column has at least, its heading too."""
MOST = 15
"""Columns that are in view at most: each is looked at in every frame."""
SPARE = 3
"""Places that are made before there is a column for them: to make one takes longer than a frame."""


def shape(width: int, height: int, many: int) -> tuple[int, int]:
    """Return how many columns stand beside each other in so many cells, and in how many lines of them."""
    beside = min(max(width // NARROW, 1), MOST)
    below = min(max(height // SHORT, 1), MOST // beside)
    lines = max(min(-(-many // beside), below), 1)
    return max(min(-(-many // lines), beside), 1), lines


def window(speaking: list[bool], room: int, first: int) -> int:
    """Return which column is the first of a window of `room` columns that shows most of those where somebody speaks; of
    such windows the one that is nearest to `first`."""
    last = max(len(speaking) - room, 0)
    sums = [0, *accumulate(speaking)]
    return max(
        range(last + 1), key=lambda start: (sums[min(start + room, len(speaking))] - sums[start], -abs(start - first))
    )


class Sought(Rows):
    """All columns one after the other, as a search goes through them."""

    slice = Wrapped.slice

    def __init__(self, columns: list[Column]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return sum(len(column.rows) for column in self.columns)

    def begin(self, column: Column) -> int:
        """Return the number of a column's first row."""
        return sum(len(one.rows) for one in self.columns[: self.columns.index(column)])

    def place(self, index: int) -> tuple[int, int]:
        """Return the number of a row's column, and the row in it; a row that is gone is the last one, where there is one."""
        last = (0, 0)
        for number, column in enumerate(self.columns):
            if index < len(column.rows):
                return number, index
            if len(column.rows):
                last = number, len(column.rows) - 1
            index -= len(column.rows)
        return last

    def find(self, text: str, start: int, step: int, count: int, width: int) -> int | None:
        """Return the next row with the text, in the column that it begins in and then in those after it."""
        number, local = self.place(start)
        while 0 <= number < len(self.columns) and count > 0:
            rows = self.columns[number].rows
            if len(rows) and (found := rows.find(text, local, step, count, width)) is not None:
                return found + self.begin(self.columns[number])
            count -= len(rows) - local if step > 0 else local + 1
            number += step
            local = 0 if step > 0 or not 0 <= number < len(self.columns) else len(self.columns[number].rows) - 1
        return None


class ColumnView(MessageView):
    """Scrolls through a column; left and right go to its neighbours, a search through all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "column(-1)", "Left", show=False, id="tokens.left", tooltip="The column before"),
        Binding("right", "column(1)", "Right", show=False, id="tokens.right", tooltip="The next column"),
    ]

    def __init__(self, blocks: MessageBlocks, deck: Deck) -> None:
        super().__init__(blocks)
        self.can_focus = False
        self.deck = deck
        self._port.show(Wrapped())

    def _means(self) -> bool:
        return self.deck.active is self

    def on_focus(self) -> None:
        """Take the keys, unless the column is no longer there."""
        if self.deck.active is not self:
            self.deck.active.focus()
        super().on_focus()

    def action_column(self, step: int) -> None:
        """Go to the column before, or the next one."""
        self.deck.step(step)

    def follow(self) -> None:
        """Go to the end, and let the window move to where somebody speaks again."""
        self.deck.follow()
        super().follow()

    def search(self, text: str | None) -> None:
        """Search in all columns."""
        self.deck.find(text)

    def seek(self, search: Search | None) -> None:
        """Mark what a search looks for."""
        self._search = search
        self._places = search.places if search is not None else None
        self._forget()
        self._update()

    @property
    def sought(self) -> Rows:
        """All columns."""
        return self.deck.sought

    @property
    def sought_from(self) -> int:
        """Where this one begins among them."""
        return self.deck.begin(self)

    def show_all(self) -> None:
        """Show all columns as they are now."""
        self.deck.show(self.deck.now)

    def look(self) -> None:
        """Go to the first row from here on that is looked for."""
        self._report()
        self._seek(0, 1)

    def _arrive(self, index: int) -> None:
        self.deck.arrive(index)

    def arrive(self, index: int) -> None:
        """Go to the row that was found."""
        super()._arrive(index)

    def _report(self) -> None:
        super()._report()
        for slot in self.deck.slots:  # whichever has the keys can go on, or end it
            slot.view.found = self.found


class Slot(Vertical):
    """A place for a column: its heading, and its messages."""

    DEFAULT_CSS = """
    Slot { min-width: 10; }
    Slot.-inner { border-left: solid $foreground 20%; }
    Slot > Bar { background: $surface; }
    Slot:focus-within > Bar { background: $accent 25%; }
    """

    def __init__(self, blocks: MessageBlocks, deck: Deck) -> None:
        super().__init__()
        self.head = Bar()
        self.view = ColumnView(blocks, deck)
        self.column: Column | None = None

    def compose(self) -> ComposeResult:
        """The heading stays where it is."""
        yield self.head
        yield self.view

    def show(self, column: Column | None, now: float) -> None:
        """Show a column as it is now; None for an empty place."""
        if column is not self.column:
            self.column = column
            self.view.show(column.rows if column is not None else Wrapped())
        else:
            self.view.show()
        width, chosen = self.head.size.width, self.view.deck.active is self.view
        self.head.show(column.heading(now, width, chosen=chosen) if column is not None else [])

    def on_resize(self) -> None:
        """Let the heading have as much in it as there is room for."""
        self.show(self.column, self.view.deck.now)

    def on_mouse_down(self) -> None:
        """The column that is clicked on is meant."""
        self.view.deck.take(self)
        self.view.focus()


class Deck(Container):
    """Places for columns. The window on the columns moves to where somebody speaks, until the reader moves it."""

    DEFAULT_CSS = """
    Deck { layout: grid; display: none; height: 1fr; }
    """

    def __init__(self, blocks: MessageBlocks) -> None:
        super().__init__()
        self.slots: list[Slot] = []
        self.empty: Row = []
        self.following = True
        self._search: Search | None = None
        self._blocks = blocks
        self._columns: list[Column] = []
        self._first = 0  # of the columns, in the window
        self._shape = (0, 0)
        self._active = 0
        self._chosen: Column | None = None  # by a person
        self.now = 0.0

    async def prepare(self) -> None:
        """Have a first place made."""
        if not self.slots:
            await self._make(1)
            self.active.can_focus = True

    def _make(self, many: int) -> AwaitMount | AwaitComplete:
        new = [Slot(self._blocks, self) for _ in range(many - len(self.slots))]
        self.slots += new
        for slot in new:
            slot.view.seek(self._search)
        return self.mount(*new)

    # ── what it shows ────────────────────────────────────────────────────────────────────────────────────────────────

    def show(self, now: float) -> None:
        """Show the columns as they are now."""
        self.now = now
        columns = [column for column in self._blocks.columns.values() if column.rows.shown]
        changed = columns != self._columns
        if changed:
            here = self._columns[self._first : self._first + self._room]
            self._first = next((columns.index(one) for one in here if one in columns), 0)
            self._columns = columns
        if self.size:
            self._arrange()
            self._follow()
        self._fill()
        if changed and self._chosen in self._columns:  # it was away for a filter
            self._go_to(self._columns.index(self._chosen))

    @property
    def _room(self) -> int:
        return self._shape[0] * self._shape[1]

    def _arrange(self) -> None:
        """Have as many places as there are columns, or as there is room for."""
        many = len(self._columns)
        now = shape(*self.size, many)
        if now != self._shape:
            self._shape = now
            self.styles.grid_size_columns, self.styles.grid_size_rows = now
        if len(self.slots) < min(self._room, many) or not many:
            beside, below = shape(*self.size, many + SPARE)
            if len(self.slots) < (wanted := min(beside * below, many + SPARE)):
                self._make(wanted)
        shown = max(min(self._room, many), 1)
        for number, slot in enumerate(self.slots):
            slot.display = number < shown
            slot.set_class(number % now[0] > 0, "-inner")
            # The last one takes what is left of its line.
            slot.styles.column_span = now[0] - number % now[0] if number == shown - 1 else 1
        self._first = min(self._first, max(many - self._room, 0))
        if self._active and self._active >= min(self._room, many):
            self.choose(self.slots[0].view)

    def _follow(self) -> None:
        if self.following and all(slot.view.following for slot in self.slots if slot.display):
            speaking = [column.speaking is not None for column in self._columns]
            self._first = window(speaking, self._room, self._first)

    def _fill(self) -> None:
        shown = self._columns[self._first : self._first + max(self._room, 1)]
        for number, slot in enumerate(self.slots):
            slot.view.empty = self.empty
            if slot.display:
                slot.show(shown[number] if number < len(shown) else None, self.now)

    def on_resize(self) -> None:
        """Make use of the room that there is now."""
        self.show(self.now)

    @property
    def told(self) -> str:
        """What the border says of it."""
        many = len(self._columns)
        if many <= self._room:
            return "by node"
        last = min(self._first + self._room, many)
        shown = f"{self._first + 1}-{last}" if self._room > 1 else f"{last}"
        return f"by node · {shown} of {many} ← →"

    # ── which one is meant ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def active(self) -> ColumnView:
        """The view that keys are for."""
        return self.slots[self._active].view

    def choose(self, view: ColumnView) -> None:
        """Let keys be for this one."""
        before = self.active
        if view is before:
            return
        self._active = next(number for number, slot in enumerate(self.slots) if slot.view is view)
        view.can_focus = True
        if self.screen.focused is before:
            view.focus()
        before.can_focus = False
        self._fill()

    def take(self, slot: Slot) -> None:
        """Let the column in a place be the one that is meant."""
        if slot.column is not None:
            self._go_to(self._columns.index(slot.column))

    def step(self, by: int) -> None:
        """Go to a neighbour of the column that is meant; the window moves with it where it must."""
        number = self._first + self._active + by
        if 0 <= number < len(self._columns):
            self._go_to(number)

    def _go_to(self, number: int) -> None:
        self.following = False  # what a person looks at stays there
        self._chosen = self._columns[number]
        self._first = min(max(self._first, number - self._room + 1), number)
        self._fill()
        self.choose(self.slots[number - self._first].view)

    # ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def sought(self) -> Sought:
        """All columns, for a search."""
        return Sought(self._columns)

    def begin(self, view: ColumnView) -> int:
        """Return the number of a view's first row among the rows of all columns."""
        column = next((slot.column for slot in self.slots if slot.view is view), None)
        return self.sought.begin(column) if column is not None else 0

    def follow(self) -> None:
        """Let the window move to where somebody speaks."""
        self.following, self._chosen = True, None

    def point_at(self, message: Message) -> None:
        """Go to a message that was selected elsewhere, and light it."""
        column = self._blocks.column_of(message)
        if column is not None and column in self._columns:
            self._go_to(self._columns.index(column))
            self.active.point_at(message.id)

    def find(self, text: str | None) -> None:
        """Mark what contains the text, and go to the first such row after the one that is looked at."""
        self._search = Search(text) if text else None
        for slot in self.slots:
            slot.view.seek(self._search)
        self.active.look()

    def arrive(self, index: int) -> None:
        """Go to a row, whichever column it is in."""
        if not len(self.sought):  # a filter has taken away what was found
            return
        number, local = self.sought.place(index)
        rows = self._columns[number].rows
        key = rows.key(local)  # the column may be wrapped anew for its place
        self._go_to(number)
        found = rows.index_of(key)
        self.active.arrive(found if found is not None else local)

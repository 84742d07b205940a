"""LineView: the one scrolling text widget behind the panes: keys, mouse and search over a canvas of rows.

It owns scroll position, cursor and search, never facts.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message

from lgwatch.tui.lines.canvas import Canvas
from lgwatch.tui.lines.rows import Lines, Row, Rows
from lgwatch.tui.lines.search import Search
from lgwatch.tui.lines.text import cell_len

__all__ = ["LineView", "Lines", "Row", "Rows"]

WHEEL = 3
"""Rows that one notch of the wheel scrolls."""
SHIFT = 8
"""Cells that one press of left or right shifts."""


class LineView(Canvas, can_focus=True):
    """Rows of text with scrolling, following, an optional cursor, and search. It has no border or padding of its own.

    `tail` is for what grows at its end: the view follows it until the user scrolls up. `cursor_row` gives it a row
    cursor. `empty` is what stands there while there are no rows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="lines.up", tooltip="One row up"),
        Binding("down,j", "move(1)", "Down", show=False, id="lines.down", tooltip="One row down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="lines.page_up", tooltip="One screen up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="lines.page_down", tooltip="One screen down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", show=False, id="lines.half_up", tooltip="Half a screen up"),
        Binding("ctrl+d", "page(0.5)", "Half down", show=False, id="lines.half_down", tooltip="Half a screen down"),
        Binding("home,g", "first", "First row", show=False, id="lines.first", tooltip="Go to the first row"),
        Binding("end,G,F", "last", "Follow", show=False, id="lines.last", tooltip="Go to the end and follow it"),
        Binding("left", "shift(-1)", "Left", show=False, id="lines.left", tooltip="Shift the text to the right"),
        Binding("right", "shift(1)", "Right", show=False, id="lines.right", tooltip="See what is cut at the right"),
        Binding("enter", "choose", "Open", show=False, id="lines.choose", tooltip="Open the row under the cursor"),
        Binding("n", "next_match(1)", "Next match", show=False, id="lines.next_match", tooltip="Next match"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="lines.previous_match", tooltip="Match before"),
    ]

    class RowMessage(Message):
        """Something about one row."""

        def __init__(self, view: LineView, index: int) -> None:
            super().__init__()
            self.view = view
            self.index = index

        @property
        def control(self) -> LineView:
            """The view, for `@on(LineView.Selected, "#id")`."""
            return self.view

    class Selected(RowMessage):
        """The row was chosen: enter, or a double click."""

    class Moved(RowMessage):
        """The user moved the cursor to the row."""

    class Following(Message):
        """The view began, or ceased, to follow its end."""

        def __init__(self, view: LineView, following: bool) -> None:
            super().__init__()
            self.view = view
            self.following = following

        @property
        def control(self) -> LineView:
            """The view."""
            return self.view

    class Searched(Message):
        """A search got somewhere; `status` is `3/17`, `no match`, `…` while it goes on, or empty."""

        def __init__(self, view: LineView, status: str) -> None:
            super().__init__()
            self.view = view
            self.status = status

        @property
        def control(self) -> LineView:
            """The view."""
            return self.view

    def __init__(
        self,
        rows: Rows | None = None,
        *,
        tail: bool = False,
        cursor_row: bool = False,
        id: str | None = None,  # noqa: A002  Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(rows, tail=tail, cursor_row=cursor_row, id=id, classes=classes)
        self.found = ""
        self._following = tail  # as it was told to others
        self._search: Search | None = None
        self._match: int | None = None  # the row that the search is at
        self._dragging = False
        self._on_bar = False

    # --- what a pane says ------------------------------------------------------------------------------------------

    def _update(self) -> None:
        super()._update()
        if self.following != self._following:
            self._following = self.following
            self.post_message(self.Following(self, self.following))

    def show(self, rows: Rows | None = None) -> None:
        """Show `rows` (default: the ones shown before) as they are now. Only lines whose picture changed are painted."""
        if rows is not None and rows is not self.rows:
            self._port.show(rows)
            self._match = None
            self._forget()
        self._update()

    def select(self, index: int) -> None:
        """Put the cursor on the row and scroll it into view; no `Moved` is sent."""
        self._port.place(index)
        self._update()

    def reveal(self, index: int) -> None:
        """Put the cursor on a row that was selected elsewhere, with some rows above it in view, and stay there."""
        self._port.reveal(index)
        self._update()

    def scroll_rows(self, top: int) -> None:
        """Make `top` the first visible row; at the end, a view with `tail` follows."""
        self._port.scroll(top)
        self._update()

    def follow(self) -> None:
        """Go to the end, and stay there if the view has a `tail`."""
        self._port.end()
        self._update()

    # --- search ----------------------------------------------------------------------------------------------------

    def search(self, text: str | None) -> None:
        """Mark what contains `text` (any case, if it is in lower case) and go to the first such row from here on.

        None or an empty text ends the search.
        """
        self._search = Search(text) if text else None
        self._places = self._search.places if self._search is not None else None
        self._strips.clear()
        self._frame = []
        self._report()
        self._update()
        self._seek(0, 1)

    def next_match(self, step: int = 1) -> None:
        """Go to the next row (or, with -1, the one before) that contains what was searched for, around the end."""
        self._seek(step, step)

    def _seek(self, offset: int, step: int) -> None:
        if self._search is not None:
            here = self.cursor if self.cursor is not None else self._match if self._match is not None else self.top
            self._search.begin(self.sought, self.sought_from + here + offset, step)
            self._seek_on()

    @property
    def sought(self) -> Rows:
        """What a search looks through."""
        return self.rows

    @property
    def sought_from(self) -> int:
        """Where the rows of this view begin in it."""
        return 0

    def _seek_on(self) -> None:
        """Look at some rows, and come back for more."""
        search = self._search
        if search is None:
            return
        try:
            found = search.go_on(self.sought, self.width_of_rows())
            if found is not None:
                self._arrive(found)
                search.go_on(self.sought, self.width_of_rows())  # few rows are counted at once
        except Exception as error:  # rows are made from foreign data
            self.log("search", error)
            return
        if search.going:
            self.set_timer(0.001, self._seek_on)
        self._report()

    def _arrive(self, index: int) -> None:
        self._match = index
        if self._search is not None:
            self._search.arrived(self.sought_from + index)
        self._port.reveal(index)
        self._update()
        if self.cursor_row:
            self.post_message(self.Moved(self, index))

    def _report(self) -> None:
        status = self._search.status if self._search is not None else ""
        if status != self.found:
            self.found = status
            self.post_message(self.Searched(self, status))

    # --- keys and mouse --------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Move the cursor, or scroll when there is none."""
        if not self.cursor_row:
            self.scroll_rows(self.top + rows)
            return
        if self.cursor is None:
            bottom = min(self.top + self.size.height, len(self.rows)) - 1
            self._go(bottom if rows < 0 else self.top)
        else:
            self._go(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        """Move by so many screens."""
        self.action_move(int(pages * max(self.size.height - 1, 1)) or (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """Go to the first row."""
        if self.cursor_row:
            self._go(0)
        else:
            self.scroll_rows(0)

    def action_last(self) -> None:
        """Go to the end, and follow it."""
        self.follow()
        if self.cursor is not None:
            self.post_message(self.Moved(self, self.cursor))

    def action_shift(self, steps: int) -> None:
        """Shift the text sideways."""
        left = max(self.left + steps * SHIFT, 0)
        if left != self.left:
            self.left = left
            self._forget()
            self._update()

    def action_choose(self) -> None:
        """Open the row under the cursor; where there is none, the last one that is visible."""
        last = min(self.top + self.size.height, len(self.rows)) - 1
        index = self.cursor if self.cursor is not None else last
        if index < 0:
            raise SkipAction  # whoever is above may have a use for the key
        self.post_message(self.Selected(self, index))

    def action_next_match(self, step: int) -> None:
        """Go to the next match."""
        self.next_match(step)

    def _go(self, index: int) -> None:
        before = self.cursor
        self._port.place(index)
        self._update()
        if self.cursor is not None and self.cursor != before:
            self.post_message(self.Moved(self, self.cursor))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll without moving the cursor."""
        event.stop()
        event.prevent_default()
        self.scroll_rows(self.top - WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without moving the cursor."""
        event.stop()
        event.prevent_default()
        self.scroll_rows(self.top + WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; a double click opens it."""
        index = self.top + event.y
        if self._on_bar or index >= len(self.rows) or self.text_selection is not None:
            return
        if event.y == self.size.height - 1 and event.x >= self.size.width - 1 - cell_len(self._chip()):
            self.action_last()
            return
        if self.cursor_row:
            self._go(index)
        if event.chain == 2:
            self.post_message(self.Selected(self, index))

    @property
    def allow_select(self) -> bool:
        """Whether a drag that begins here selects text: not on the scrollbar."""
        return super().allow_select and not self._on_bar

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scrollbar."""
        self._on_bar = event.x == self.size.width - 1
        if self._on_bar:
            self._dragging = True
            self.capture_mouse()
            self._drag(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scrollbar."""
        self._on_bar = self._dragging or event.x == self.size.width - 1
        if self._dragging:
            self._drag(event.y)

    def on_mouse_up(self) -> None:
        """Let the scrollbar go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag(self, y: int) -> None:
        height = self.size.height
        if height > 1:
            self.scroll_rows(round(y * (len(self.rows) - height) / (height - 1)))

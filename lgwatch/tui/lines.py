"""LineView: the one scrolling text widget behind the panes; it draws the rows that are visible and nothing else.

It owns scroll position, cursor and search, never facts. Growth of its rows causes no layout and mounts nothing, and a row
that cannot be drawn is a line of warning on the screen, not the end of the app.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .look import Look, Recent, RowStrip, component_classes, stylesheet
from .rows import Lines, Row, Rows, overlay, shifted
from .search import Search
from .text import cell_len, clean, crop
from .viewport import Viewport

__all__ = ["LineView", "Lines", "Row", "Rows", "terminal_is_behind"]

WHEEL = 3
"""Rows that one notch of the wheel scrolls."""
SHIFT = 8
"""Cells that one press of left or right shifts."""


def terminal_is_behind(app: App[Any]) -> bool:
    """Return whether what was painted before still waits to be written: a slow terminal is not given more pictures.

    An app asks before it shows data, and shows it in a later frame. Keys are answered all the same.
    """
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and queue.qsize() > 0


class LineView(Widget, can_focus=True):
    """Rows of text with scrolling, following, an optional cursor, and search. It has no border or padding of its own.

    `tail` is for what grows at its end: the view follows it until the user scrolls up. `cursor_row` gives it a row
    cursor. `empty` is what stands there while there are no rows.
    """

    DEFAULT_CSS = "LineView { width: 1fr; height: 1fr; overflow: hidden hidden; }\n" + stylesheet("LineView")
    COMPONENT_CLASSES: ClassVar[set[str]] = component_classes()
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
        super().__init__(id=id, classes=classes)
        self._port = Viewport(rows if rows is not None else Lines(), tail=tail, cursor_row=cursor_row)
        self._following = tail  # as it was told to others
        self.empty: Row = []
        self.found = ""
        self.left = 0
        self._look: Look | None = None
        self._strips = Recent()
        self._frame: list[Hashable] = []  # what each line shows, to tell which ones must be painted
        self._search: Search | None = None
        self._match: int | None = None  # the row that the search is at
        self._dragging = False
        self._on_bar = False
        self._resizing = False

    # --- what a pane says ------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Rows:
        """What is shown."""
        return self._port.rows

    @property
    def top(self) -> int:
        """The first visible row."""
        return self._port.top

    @property
    def cursor(self) -> int | None:
        """The row under the cursor; None before the user moves it in a view with a tail, and where there are no rows."""
        return self._port.cursor

    @property
    def tail(self) -> bool:
        """Whether the view is for rows that grow at their end."""
        return self._port.tail

    @property
    def cursor_row(self) -> bool:
        """Whether there is a row cursor."""
        return self._port.cursor_row

    @property
    def following(self) -> bool:
        """Whether the view stays at the end of its rows."""
        return self._port.following

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

    def scroll_rows(self, top: int) -> None:
        """Make `top` the first visible row; at the end, a view with `tail` follows."""
        self._port.scroll(top)
        self._update()

    def follow(self) -> None:
        """Go to the end, and stay there if the view has a `tail`."""
        self._port.end()
        self._update()

    def width_of_rows(self) -> int:
        """Return the cells that a row has; the last cell of a line is the scrollbar."""
        return max(self.size.width - 1, 1)

    # --- where things are ------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._strips.clear()
        self._frame = []

    def _update(self) -> None:
        """Bring scroll position and cursor up to date with the rows, and paint what changed."""
        height = self.size.height
        if not self.is_attached or height <= 0 or self.size.width <= 0:
            return
        self._prepare()
        try:
            self._port.settle(len(self.rows), height)
        except Exception as error:  # rows are made from foreign data; a bad one must not end the app
            self.log("rows", error)
        if self.following != self._following:
            self._following = self.following
            self.post_message(self.Following(self, self.following))
        frame = self._picture()
        old, self._frame = self._frame, frame
        changed = [y for y, now in enumerate(frame) if len(old) != len(frame) or old[y] != now]
        if len(changed) * 2 > height:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _prepare(self) -> None:
        """Let the rows know the width; if they need more time, come back for the rest."""
        more = False
        try:
            more = self.rows.resize(self.width_of_rows(), self._port.anchor)
        except Exception as error:
            self.log("resize", error)
        if more and not self._resizing:
            self._resizing = True
            self.set_timer(0.005, self._resize_on)

    def _resize_on(self) -> None:
        self._resizing = False
        self._update()

    # --- drawing ---------------------------------------------------------------------------------------------------

    def _chip(self, count: int) -> str:
        new = self._port.new(count)
        return f" {new} new ↓ " if new else ""

    def _picture(self) -> list[Hashable]:
        """Return, for each line, what its picture depends on; a fresh object where that cannot be told."""
        rows, top, height = self.rows, self.top, self.size.height
        try:
            count = len(rows)
        except Exception:
            count = 0
        thumb = self._port.thumb(count)
        bar = 2 if not thumb else 0
        selection = self.text_selection
        cursor = self.cursor if self.cursor_row else None
        focus = self.has_focus
        frame: list[Hashable] = []
        for y in range(height):
            index = top + y
            if index >= count:
                frame.append((None, 2) if index or not self.empty else (("empty", *self.empty), 2))
                continue
            try:
                key = rows.key(index)
            except Exception:
                key = None
            flags = 1 if y in thumb else bar
            if index == cursor:
                flags |= 8 if focus else 4
            span = selection.get_span(index) if selection is not None else None
            frame.append(
                (object() if key is None else key, flags, span) if span else (object() if key is None else key, flags)
            )
        if (chip := self._chip(count)) and height:
            frame[-1] = (frame[-1], chip)
        return frame

    def render_lines(self, region: Region) -> list[Strip]:
        """Draw the visible lines. Textual's own way from `render_line` to the screen would restyle each of them."""
        width, height = self.size
        frame = self._picture()
        strips = [self._line(y, key) for y, key in enumerate(frame[region.y : region.bottom], region.y)]
        strips += [Strip.blank(width)] * (min(region.height, height) - len(strips))
        if region.x or region.width < width:
            strips = [strip.crop(region.x, region.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one line with the places of its characters, for the mouse."""
        frame = self._picture()
        if not 0 <= y < len(frame):
            return Strip.blank(self.size.width)
        return self._line(y, frame[y]).crop(0, self.width_of_rows()).apply_offsets(0, self.top + y)

    def _line(self, y: int, key: Hashable) -> Strip:
        strip = self._strips.get(key)
        if strip is None:
            strip = self._draw(self.top + y, key)
            # A key that is a fresh object never comes again.
            if self._lasting(key):
                self._strips.keep(key, strip)
        return strip

    @staticmethod
    def _lasting(key: Hashable) -> bool:
        while isinstance(key, tuple) and key:
            key = key[0]
        return type(key) is not object

    def _draw(self, index: int, key: Any) -> Strip:
        look = self._look
        if look is None:
            look = self._look = Look(self)
        chip = ""
        if isinstance(key[1], str):
            key, chip = key
        flags = key[1]
        span = key[2] if len(key) > 2 else None
        width = self.size.width - 1
        chip = crop(chip, width)
        room = width - cell_len(chip)
        over = "cursor" if flags & 8 else "cursor-blur" if flags & 4 else ""
        segments, used = self._segments(index, room, look, over, span) if key[0] is not None else ([], 0)
        if used < room:
            segments.append(Segment(" " * (room - used), look[over]))
        if chip:
            segments.append(Segment(chip, look["chip"]))
        segments.append(Segment(" ", look["thumb" if flags & 1 else "" if flags & 2 else "bar"]))
        return RowStrip(segments, width + 1)

    def _segments(
        self, index: int, room: int, look: Look, over: str, span: tuple[int, int] | None
    ) -> tuple[list[Segment], int]:
        spans = self._spans(index)
        if self._search is not None:
            spans = overlay(spans, self._search.places("".join(text for text, _ in spans)), "match")
        if span is not None:
            start, end = span
            spans = overlay(spans, [(start, sum(len(text) for text, _ in spans) if end < 0 else end)], "selection")
        if self.left:
            spans = shifted(spans, self.left)
        segments: list[Segment] = []
        used = 0
        for text, name in spans:
            if used >= room:
                break
            text = crop(text, room - used)  # noqa: PLW2901  what is drawn is the cut text
            used += cell_len(text)
            segments.append(Segment(text, look[f"{over} {name}" if over else name]))
        return segments, used

    def _spans(self, index: int) -> Row:
        try:
            row = self.rows.row(index, self.width_of_rows()) if index < len(self.rows) else self.empty
            return [(clean(text), name) for text, name in row]
        except Exception as error:  # foreign data in it, our code over it: show it and live
            return [(clean(f"⚠ this row cannot be rendered: {type(error).__name__}"), "warn")]

    # --- search ----------------------------------------------------------------------------------------------------

    def search(self, text: str | None) -> None:
        """Mark what contains `text` (any case, if it is in lower case) and go to the first such row from here on.

        None or an empty text ends the search.
        """
        self._search = Search(text) if text else None
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
            self._search.begin(self.rows, here + offset, step)
            self._seek_on()

    def _seek_on(self) -> None:
        """Look at some rows, and come back for more."""
        search = self._search
        if search is None:
            return
        try:
            found = search.go_on(self.rows, self.width_of_rows())
        except Exception as error:  # rows are made from foreign data
            self.log("search", error)
            return
        if found is not None:
            self._arrive(found)
        elif search.going:
            self.set_timer(0.001, self._seek_on)
        self._report()

    def _arrive(self, index: int) -> None:
        self._match = index
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
        """Open the row under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Selected(self, self.cursor))

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
        if event.y == self.size.height - 1 and event.x >= self.size.width - 1 - cell_len(self._chip(len(self.rows))):
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

    # --- what Textual says -----------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Wrap and draw for the new size."""
        self._forget()
        self._update()

    def on_focus(self) -> None:
        """Draw the cursor bright."""
        self._update()

    def on_blur(self) -> None:
        """Draw the cursor pale."""
        self._update()

    def notify_style_update(self) -> None:
        """Forget pictures in the colours of before."""
        super().notify_style_update()
        self._look = None
        self._forget()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, from the selected rows only."""
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else len(self.rows) - 1
        lines = []
        for index in range(max(first, 0), min(last, len(self.rows) - 1) + 1):
            text = "".join(text for text, _ in self._spans(index))
            start, end = selection.get_span(index) or (0, 0)
            lines.append(text[start : len(text) if end < 0 else end])
        return "\n".join(lines), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the lines that a selection came to or left."""
        self._update()

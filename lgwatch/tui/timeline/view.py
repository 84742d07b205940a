"""TimeView: the line view of the waterfall, whose keys and mouse go sideways in time. It owns no window: its pane does."""

from __future__ import annotations

from typing import Protocol

from textual import events

from lgwatch.tui.lines.rows import Rows
from lgwatch.tui.lines.view import WHEEL, LineView


class Sideways(Protocol):
    """What a pane does with a view that goes sideways. Columns are those of the axis, the names being left of it."""

    def label(self) -> int:
        """Return the cells that names take."""

    def turn(self, steps: int) -> None:
        """Go back or on in time, by a step."""

    def zoom(self, way: int, column: int | None = None) -> None:
        """Look closer (1) or from farther (-1), at a column or else at the cursor."""

    def slide(self, steps: int) -> None:
        """Move the window, by a step."""

    def point(self, column: int) -> None:
        """Put the cursor at a column."""

    def stretch(self, first: int, last: int, *, done: bool) -> None:
        """Mark the columns that are dragged over; once that is `done`, look at them."""

    def to_now(self) -> None:
        """Look at what is newest."""


class TimeView(LineView):
    """Rows of bars: left and right go in time, the wheel zooms over bars and scrolls over names, a drag zooms in."""

    def __init__(self, rows: Rows, pane: Sideways) -> None:
        super().__init__(rows, tail=True, cursor_row=True)
        self._pane = pane
        self._held: int | None = None  # the column at which a drag began

    @property
    def allow_select(self) -> bool:
        """A drag is about time, not about text."""
        return False

    def action_shift(self, steps: int) -> None:
        """Go in time."""
        self._pane.turn(steps)

    def follow(self) -> None:
        """Go to what is newest, down and to the right, and stay there."""
        super().follow()
        self._pane.to_now()

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        event.stop()
        event.prevent_default()
        column = event.x - self._pane.label()
        if event.shift:
            self._pane.slide(-way)
        elif event.ctrl or column >= 0:
            self._pane.zoom(way, max(column, 0))
        else:
            self.scroll_rows(self.top - way * WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Look closer, or scroll."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Look from farther, or scroll."""
        self._wheel(event, -1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Move the window."""
        event.stop()
        self._pane.slide(-1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Move the window."""
        event.stop()
        self._pane.slide(1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the time, or of the scrollbar."""
        super().on_mouse_down(event)
        column = event.x - self._pane.label()
        if not self._on_bar and column >= 0:
            self._held = column
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag over the time, or drag the scrollbar."""
        super().on_mouse_move(event)
        if self._held is not None:
            self._pane.stretch(self._held, event.x - self._pane.label(), done=False)

    def on_mouse_up(self, event: events.MouseUp) -> None:  # type: ignore[override]
        """Look at what was dragged over; without a drag, put the cursor there."""
        super().on_mouse_up()
        held, self._held = self._held, None
        if held is None:
            return
        self.release_mouse()
        column = event.x - self._pane.label()
        if abs(column - held) > 1:
            self._pane.stretch(held, column, done=True)
        else:
            self._pane.point(held)

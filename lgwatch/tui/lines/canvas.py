"""Canvas: a widget that draws the visible ones of its rows, and repaints only the lines whose picture changed.

Growth of the rows causes no layout and mounts nothing, and a row that cannot be drawn is a line of warning on the screen,
not the end of the app.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from rich.segment import Segment
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from lgwatch.tui.lines.look import Look, Recent, RowStrip
from lgwatch.tui.lines.rows import Lines, Row, Rows, overlay, shifted
from lgwatch.tui.lines.text import cell_len, clean, crop, plain
from lgwatch.tui.lines.viewport import Viewport

DEEP = 8
"""Characters of a span that are looked at for each cell of the line: a span may be huge, or a pile of combining marks."""
COPIED = 1_000_000
"""Characters of a span that are copied with a selection."""


class Canvas(Widget):
    """Rows of text, the last cell of each line being the scrollbar. It has no border or padding of its own.

    `empty` is what stands there while there are no rows; `left` is how many cells the text is shifted.
    """

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; overflow: hidden hidden; }"

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
        self.empty: Row = []
        self.left = 0
        self._look: Look | None = None
        self._strips = Recent()
        self._frame: list[Hashable] = []  # what each line shows, to tell which ones must be painted
        self._places: Callable[[str], list[tuple[int, int]]] | None = None  # what to mark in a row's text
        self._resizing = False

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

    @property
    def growing(self) -> bool:
        """Whether rows that there are more of are news for a reader who is not at the end."""
        return self._port.growing

    @growing.setter
    def growing(self, growing: bool) -> None:
        self._port.growing = growing

    def width_of_rows(self) -> int:
        """Return the cells that a row has; the last cell of a line is the scrollbar."""
        return max(self.size.width - 1, 1)

    # --- the frame -------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._strips.clear()
        self._frame = []

    def _update(self) -> None:
        """Bring scroll position and cursor up to date with the rows, and paint what changed."""
        width, height = self.size  # Textual looks for it each time
        if not self.is_attached or height <= 0 or width <= 0:
            return
        self._prepare(width)
        try:
            self._port.settle(len(self.rows), height)
        except Exception as error:  # rows are made from foreign data; a bad one must not end the app
            self.log("rows", error)
        frame = self._picture(height)
        old, self._frame = self._frame, frame
        changed = [y for y, now in enumerate(frame) if len(old) != len(frame) or old[y] != now]
        if len(changed) * 2 > height:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _prepare(self, width: int) -> None:
        """Let the rows know the width; if they need more time, come back for the rest."""
        more = False
        try:
            more = self.rows.resize(max(width - 1, 1), self._port.anchor)
        except Exception as error:
            self.log("resize", error)
        if more and not self._resizing:
            self._resizing = True
            self.set_timer(0.005, self._resize_on)

    def _resize_on(self) -> None:
        self._resizing = False
        self._update()

    # --- drawing ---------------------------------------------------------------------------------------------------

    def _chip(self) -> str:
        new = self._port.new
        return f" {new} new ↓ " if new else ""

    def _picture(self, height: int) -> list[Hashable]:
        """Return, for each line, what its picture depends on; a fresh object where that cannot be told."""
        rows, top = self.rows, self.top
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
        if (chip := self._chip()) and height:
            frame[-1] = (frame[-1], chip)
        return frame

    def render_lines(self, region: Region) -> list[Strip]:
        """Draw the visible lines. Textual's own way from `render_line` to the screen would restyle each of them."""
        width, height = self.size
        frame = self._picture(height)
        strips = [self._line(y, key, width) for y, key in enumerate(frame[region.y : region.bottom], region.y)]
        strips += [Strip.blank(width)] * (min(region.height, height) - len(strips))
        if region.x or region.width < width:
            strips = [strip.crop(region.x, region.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one line with the places of its characters, for the mouse."""
        width, height = self.size
        frame = self._picture(height)
        if not 0 <= y < len(frame):
            return Strip.blank(width)
        return self._line(y, frame[y], width).crop(0, max(width - 1, 1)).apply_offsets(0, self.top + y)

    def _line(self, y: int, key: Hashable, width: int) -> Strip:
        strip = self._strips.get(key)
        if strip is None:
            strip = self._draw(self.top + y, key, width)
            # A key that is a fresh object never comes again.
            if self._lasting(key):
                self._strips.keep(key, strip)
        return strip

    @staticmethod
    def _lasting(key: Hashable) -> bool:
        while isinstance(key, tuple) and key:
            key = key[0]
        return type(key) is not object

    def _draw(self, index: int, key: Any, width: int) -> Strip:
        look = self._look
        if look is None:
            look = self._look = Look(self)
        chip = ""
        if isinstance(key[1], str):
            key, chip = key
        flags = key[1]
        span = key[2] if len(key) > 2 else None
        chip = crop(chip, width - 1)
        room = width - 1 - cell_len(chip)
        over = "cursor" if flags & 8 else "cursor-blur" if flags & 4 else ""
        segments: list[Segment] = []
        used = 0
        if key[0] is not None:
            spans = self._spans(index, max(width - 1, 1), (self.left + room) * DEEP)
            segments, used = self._segments(spans, room, look, over, span)
        if used < room:
            segments.append(Segment(" " * (room - used), look[over]))
        if chip:
            segments.append(Segment(chip, look["chip"]))
        segments.append(Segment(" ", look["thumb" if flags & 1 else "" if flags & 2 else "bar"]))
        return RowStrip(segments, width)

    def _segments(
        self, spans: Row, room: int, look: Look, over: str, span: tuple[int, int] | None
    ) -> tuple[list[Segment], int]:
        if self._places is not None:
            spans = overlay(spans, self._places("".join(text for text, _ in spans)), "match")
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
            segments.append(Segment(plain(text), look[f"{over} {name}" if over else name]))
        return segments, used

    def _spans(self, index: int, width: int, most: int) -> Row:
        """Return the row, cleaned; of each span no more than `most` characters."""
        try:
            row = self.rows.row(index, width) if index < len(self.rows) else self.empty
            return [(clean(text[:most]), name) for text, name in row]
        except Exception as error:  # foreign data in it, our code over it: show it and live
            return [(clean(f"⚠ this row cannot be rendered: {type(error).__name__}"), "warn")]

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
        lines, width = [], self.width_of_rows()
        for index in range(max(first, 0), min(last, len(self.rows) - 1) + 1):
            text = "".join(text for text, _ in self._spans(index, width, COPIED))
            start, end = selection.get_span(index) or (0, 0)
            lines.append(text[start : len(text) if end < 0 else end])
        return "\n".join(lines), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the lines that a selection came to or left."""
        self._update()

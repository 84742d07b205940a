"""Bar: one line of styled text that costs nothing but its own repaint: header, tabs, axis, keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from lgwatch.tui.lines.look import Look
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.text import cell_len, clean, crop, plain


class Bar(Widget):
    """One row of spans; a span whose style holds `@action` (such as `"dim @app.pause"`) runs the action on a click."""

    DEFAULT_CSS = "Bar { width: 1fr; height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id)
        self._row: Row = []
        self._look: Look | None = None

    def show(self, row: Row) -> None:
        """Show these spans; nothing is painted when they are the ones that stand there."""
        if row != self._row:
            self._row = row
            self.refresh()

    def notify_style_update(self) -> None:
        """Resolve the styles anew: the theme changed."""
        super().notify_style_update()
        self._look = None

    def render_line(self, y: int) -> Strip:
        """Draw the row."""
        width = self.size.width
        if y:
            return Strip.blank(width)
        if self._look is None:
            self._look = Look(self)
        return line(self._row, width, self._look)


def line(row: Row, width: int, look: Look) -> Strip:
    """Return a row of spans as a line of so many cells."""
    segments: list[Segment] = []
    used = 0
    for text, names in row:
        names, _, action = names.partition("@")  # noqa: PLW2901  the action is no style
        shown = crop(clean(text), width - used)
        style = look[names.strip()]
        if action:
            style += Style.from_meta({"@click": action})
        segments.append(Segment(plain(shown), style))
        used += cell_len(shown)
        if used >= width:
            break
    segments.append(Segment(" " * (width - used), look[""]))
    return Strip(segments, width)


def hints(pairs: Sequence[tuple[str, str, str]], width: int) -> Row:
    """Return a line of keys: those that work now, as many as there is room for; a click presses them."""
    row: Row = []
    room = width
    for key, word, action in pairs:
        needed = len(key) + len(word) + 3
        if needed > room:
            break
        room -= needed
        click = f" @{action}" if action else ""
        row += [(f" {key} ", f"bold accent{click}"), (f"{word} ", f"dim{click}")]
    return row

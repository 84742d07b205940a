"""How rows look: style names become styles of the theme, and spans become the strips that Textual paints.

No picture of data holds a reference to itself: full frames at 60 Hz would otherwise feed the cycle collector, and its
pauses are what a person feels when typing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from lgwatch.tui.lines.text import SafetyNet

COLOURS = {
    "dim": ("foreground 60%", ""),
    "faint": ("foreground 35%", ""),
    "title": ("foreground", "bold"),
    "accent": ("accent", ""),
    "ok": ("success", ""),
    "error": ("error", ""),
    "warn": ("warning", ""),
    "info": ("primary", ""),
    "reasoning": ("foreground 65%", "italic"),
    "tool": ("secondary", ""),
    "time": ("foreground 50%", ""),
    "added": ("success", ""),
    "removed": ("error", ""),
    "changed": ("warning", ""),
    "cursor": ("", "bold"),
    "match": ("foreground", ""),
    "chip": ("auto 95%", ""),
}
"""Style name → colour in the theme, and attribute. Resolved here and not by the stylesheet, which would match each name
anew in each widget whenever one of them changes its looks."""
GROUNDS = {
    "cursor": "primary 35%",
    "cursor-blur": "primary 15%",
    "match": "warning 55%",
    "selection": "primary 60%",
    "chip": "accent 70%",
    "hair": "foreground 16%",
    "marked": "warning 30%",
    "bar": "foreground 8%",
    "thumb": "foreground 35%",
}
"""Style name → background in the theme."""

NODE_HUES = (210, 30, 140, 300, 55, 180, 345, 260, 95, 15, 195, 320)
"""The hues of `node0` … `node11`; neighbours in the table are far apart in the circle."""

_ATTRIBUTES = {name: Style.parse(name) for name in ("bold", "italic", "underline", "reverse", "strike")}


class Look:
    """Style names of one widget, resolved. Names are attributes (`bold`), names of `COLOURS`, or both: `"bold error"`.

    A name that nobody knows changes nothing.
    """

    def __init__(self, widget: Widget) -> None:
        self._styles: dict[str, Style] = {}
        _, _, self._background, self._foreground = widget.colors
        self._theme = widget.app.theme_variables
        self._dark = widget.app.current_theme.dark
        # What Textual's filters do (no colour, ANSI to RGB) depends on the style alone, so it is done once for each.
        self._filters = [each for each in widget.get_line_filters() if each.enabled and not isinstance(each, SafetyNet)]

    def __getitem__(self, names: str) -> Style:
        style = self._styles.get(names)
        if style is None:
            style = self._styles[names] = self._resolve(names)
        return style

    def _resolve(self, names: str) -> Style:
        background, foreground, style = self._background, self._foreground, Style()
        for name in names.split():
            if name in _ATTRIBUTES:
                style += _ATTRIBUTES[name]
                continue
            if ground := GROUNDS.get(name):
                background += self._colour(ground, background)
            colour, attribute = COLOURS.get(name) or self._of_node(name)
            if colour:
                foreground = self._colour(colour, background)
            if attribute:
                style += _ATTRIBUTES[attribute]
        style = Style.from_color((background + foreground).rich_color, background.rich_color) + style
        segments = [Segment("x", style)]
        for each in self._filters:
            segments = each.apply(segments, self._background)
        return segments[0].style or style

    def _of_node(self, name: str) -> tuple[str, str]:
        number = name.removeprefix("node")
        if number == name or not number.isdecimal():
            return "", ""
        shade = "65%,68%" if self._dark else "75%,32%"
        return f"hsl({NODE_HUES[int(number) % len(NODE_HUES)]},{shade})", ""

    def _colour(self, text: str, background: Color) -> Color:
        """Return the colour of `NAME` or `NAME PERCENT%`; `auto` is what can be read on the background."""
        name, _, percent = text.partition(" ")
        share = int(percent.rstrip("%")) / 100 if percent else 1.0
        if name == "auto":
            return background.get_contrast_text(share)
        return Color.parse(self._theme.get(name, name)).multiply_alpha(share)


class _Forgetful(FIFOCache[Any, Any]):
    def __setitem__(self, key: Hashable, value: object) -> None:
        """Keep nothing."""


_NOTHING = _Forgetful(1)
_KNOWN = {
    "_segments", "_cell_length", "_divide_cache", "_crop_cache", "_style_cache", "_filter_cache", "_render_cache",
    "_line_length_cache", "_crop_extend_cache", "_offsets_cache", "_link_ids", "_cell_count",
}  # fmt: skip


class _LeanStrip(Strip):
    """A strip without caches of its own: a strip that is painted whole stores itself in one of them."""

    __slots__ = ()

    def __init__(self, segments: Iterable[Segment], cell_length: int | None = None) -> None:
        self._segments = list(segments)
        self._cell_length = cell_length
        self._divide_cache = _NOTHING
        self._crop_cache = _NOTHING
        self._style_cache = _NOTHING
        self._filter_cache = _NOTHING
        self._line_length_cache = _NOTHING
        self._crop_extend_cache = _NOTHING
        self._offsets_cache = _NOTHING
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None


RowStrip: type[Strip] = _LeanStrip if set(Strip.__slots__) == _KNOWN else Strip
"""The strip to paint with: the lean one where Textual's is the one it was made for, else Textual's own."""


class Recent:
    """The strips that were drawn of late: two generations, the younger one of at most `size`; the older one is dropped
    whole when the younger is full."""

    def __init__(self, size: int = 1024) -> None:
        self._size = size
        self._young: dict[Hashable, Strip] = {}
        self._old: dict[Hashable, Strip] = {}

    def get(self, key: Hashable) -> Strip | None:
        """Return what was kept for `key`."""
        strip = self._young.get(key)
        if strip is None and (strip := self._old.get(key)) is not None:
            self.keep(key, strip)
        return strip

    def keep(self, key: Hashable, strip: Strip) -> None:
        """Remember `strip`."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = strip

    def clear(self) -> None:
        """Forget everything."""
        self._young.clear()
        self._old.clear()

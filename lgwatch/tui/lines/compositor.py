"""What a change of the picture costs: only widgets that have a part in it are asked, and only for those lines.

Textual's own compositor asks every widget in the box around all changes: with a clock at the top and rows at the bottom,
all of them in every frame. What is painted is the same.
"""

from __future__ import annotations

from itertools import pairwise

from textual._compositor import ChopsUpdate, Compositor  # the only way to a screen's painting
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class ThriftyCompositor(Compositor):
    """A compositor that asks for what is painted."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what has changed since it was last asked; None for nothing."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        if not regions:
            return None
        spans = list(self._regions_to_spans(regions))
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(cut[:-1]) for cut in cuts]
        missing: dict[int, list[int]] = {}  # line: where the pieces begin that nobody has drawn yet
        for y, start, end in spans:
            line = cuts[y]
            missing.setdefault(y, []).extend(cut for cut, after in pairwise(line) if cut < end and after > start)
        for widget, (region, clip) in self.visible_widgets.items():  # the topmost first
            shown = region.intersection(clip)
            left, right = shown.x, shown.right
            lines = [y for y in range(shown.y, shown.bottom) if y in missing and _any(missing[y], left, right)]
            if not lines:
                continue
            top = lines[0]
            asked = Region(left - region.x, top - region.y, shown.width, lines[-1] + 1 - top)
            strips = widget.render_lines(asked)
            for y in lines:
                _fill(chops[y], strips[y - top], [cut for cut in cuts[y] if left <= cut <= right])
                missing[y] = [cut for cut in missing[y] if not left <= cut < right]
                if not missing[y]:
                    del missing[y]
            if not missing:
                break
        return ChopsUpdate(chops, spans, [cut[1:] for cut in cuts])


def _any(places: list[int], left: int, right: int) -> bool:
    return any(left <= place < right for place in places)  # there are two or three


def _fill(line: dict[int, Strip | None], strip: Strip, cuts: list[int]) -> None:
    """Put a widget's line where nothing that lies over it has drawn."""
    for cut, piece in zip(cuts, strip.divide([cut - cuts[0] for cut in cuts[1:]]), strict=False):
        if line[cut] is None:
            line[cut] = piece


class ThriftyScreen(Screen[None]):
    """A screen on which a change costs what it changes."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id)
        self._compositor = ThriftyCompositor()

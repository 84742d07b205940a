"""Text from a graph, made safe for a terminal and measured in its cells; whatever is drawn has come through `clean`."""

from __future__ import annotations

import os
import re
from array import array
from itertools import pairwise

from rich.cells import cell_len as _rich_cell_len
from rich.cells import get_character_cell_size as _character_cells
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from lgwatch.text import HAZARD, TAB, clean

__all__ = ["ASCII", "TAB", "SafetyNet", "cell_len", "clean", "crop", "plain", "row_end", "row_starts", "wrap"]


ASCII = bool(os.environ.get("LGWATCH_ASCII"))
"""Whether only ASCII signs are drawn (`LGWATCH_ASCII=1`)."""
_PLAIN = str.maketrans("╭╰├└│─━┃…×←→↑↓●▸▾▌❚▷·⚙∴↻■✗⚠◆◇✓", ".`|`|--|~x<>^v*>v|=>.*:@#x!@o+")


def plain(text: str) -> str:
    """Return our own signs in ASCII where only ASCII is drawn."""
    return text.translate(_PLAIN) if ASCII else text


def cell_len(text: str) -> int:
    """Return the number of terminal cells that cleaned `text` takes."""
    return len(text) if text.isascii() else _rich_cell_len(text)


def crop(text: str, cells: int, ellipsis: str = "") -> str:
    """Return the longest beginning of cleaned `text` that fits in `cells`, with `ellipsis` at the end of a cut."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    room = cells - cell_len(ellipsis)
    if room < 0:
        return crop(ellipsis, cells)
    if text.isascii():
        return text[:room] + ellipsis
    used = 0
    for index, char in enumerate(text):
        used += _character_cells(char)
        if used > room:
            return text[:index] + ellipsis
    return text


def row_starts(text: str, width: int, start: int, starts: array[int]) -> None:
    """Append to `starts` where each further row begins when `text`, whose row at `start` is open, is wrapped.

    Breaks are greedy: at newlines, else after the last space that fits, else anywhere. So no text that is appended
    later can move a break, only add some after the last.
    """
    width = max(width, 1)
    while True:
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline
        if end - start > width // 2:  # a shorter line fits, whatever it is made of
            if text[start:end].isascii():
                _break_ascii(text, width, start, end, starts)
            else:
                _break_cells(text, width, start, end, starts)
        if newline < 0:
            return
        start = newline + 1
        starts.append(start)


def _break_ascii(text: str, width: int, start: int, end: int, starts: array[int]) -> None:
    rfind, add = text.rfind, starts.append
    while end - start > width:
        cut = rfind(" ", start, start + width + 1)
        # An indented word that is too long is cut; a row of nothing but its indent would be no better.
        start = start + width if cut <= start or text[start:cut].isspace() else cut + 1
        if start < end:
            add(start)


def _break_cells(text: str, width: int, start: int, end: int, starts: array[int]) -> None:
    cells = 0
    chance = start  # the last place at which this row may end
    index = start
    while index < end:
        char = text[index]
        size = _character_cells(char)
        if size == 2:
            chance = index
        cells += size
        # Marks without a width pile up in one cell: a row has a bound in characters, too.
        if cells > width or index - start > 8 * width:
            if char == " " and index > start and not text[start:index].isspace():
                start = index + 1
            elif chance > start and not text[start:chance].isspace():
                start = chance
            else:
                start = max(index, start + 1)
            if start < end:
                starts.append(start)
            index, cells, chance = start, 0, start
            continue
        index += 1
        if size == 2 or char == " ":
            chance = index


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Return the rows of cleaned `text` at `width` cells, as offsets without the newline or spaces at their end."""
    starts = array("L", [0])
    row_starts(text, width, 0, starts)
    starts.append(len(text))
    return [(start, row_end(text, start, end)) for start, end in pairwise(starts)]


def row_end(text: str, start: int, end: int) -> int:
    """Return where the visible part of the row from `start` to `end` stops."""
    if end > start and text[end - 1] == "\n":
        end -= 1
    return start + len(text[start:end].rstrip(" "))


class SafetyNet(LineFilter):
    """The net below `clean`, for text that stock widgets draw: no control character reaches the terminal.

    A line's width is settled when the filter sees it, so a stand-in is used only where it takes the same cells.
    """

    # Textual keeps filtered lines by filter: two nets are the same net.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, SafetyNet)

    def __hash__(self) -> int:
        return hash(SafetyNet)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return `segments` unharmed, or their harmless copies."""
        if all(control or text.isprintable() for text, _, control in segments):
            return segments
        return [
            segment if segment.control else Segment(HAZARD.sub(_same_cells, segment.text), segment.style)
            for segment in segments
        ]


def _same_cells(match: re.Match[str]) -> str:
    # What takes no cell may be left out: it was never to be seen.
    return "\N{REPLACEMENT CHARACTER}" * _character_cells(match[0])

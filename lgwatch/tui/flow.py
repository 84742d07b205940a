"""Wrapped: streams of text as blocks, a header and a body that grows at its end, wrapped to the width of the screen.

Appended text is joined, cleaned and wrapped once a frame, from the last row of its block on: no row before it can change.
A block holds one string and four bytes for each row, so that a million tokens stay small.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import ClassVar, TypeAlias

from .rows import Row, Rows
from .text import clean, row_end, row_starts

CARET = "▌"
"""Stands at the end of a block that is still being written."""
NEARBY = 250
"""Rows around the ones on the screen that are wrapped at once when the width changes; the rest follows in slices."""
PATIENCE = 0.006
"""Seconds that one slice of wrapping may take."""

Header: TypeAlias = "Callable[[int], Row]"
"""Width → the spans of a block's first row."""


class Block:
    """One stream of text; `key` is whatever its maker knows it by. Only `Wrapped` changes it.

    The body is made of parts, each with a style of its own and beginning on a row of its own.
    """

    __slots__ = (
        "folded", "header", "key", "open", "part", "parts", "pending", "place", "serial", "starts", "text", "version",
        "width",
    )  # fmt: skip

    def __init__(self, key: Hashable, header: Header | None, serial: int) -> None:
        self.key = key
        self.header = header
        self.serial = serial
        self.text = ""
        self.open = False
        self.folded = False
        self.version = 0  # of the header's picture
        self.place = -1  # among the shown blocks; -1 when not shown
        self.parts: list[tuple[int, str]] = []  # where each part begins, and its style
        self.part: tuple[str, Hashable] | None = None  # the one that is being written
        self.pending: list[str] = []
        self.starts = array("I", [0])
        self.width = 0  # what `starts` are for; 0 when they are out of date

    def take(self) -> None:
        """Make pending text part of the text."""
        if self.pending:
            self.text += clean("".join(self.pending), newlines=True)
            self.pending.clear()

    def begin(self, style: str, part: Hashable) -> None:
        """Begin another part."""
        self.take()
        if self.text and not self.text.endswith("\n"):
            self.text += "\n"
        self.part = (style, part)
        self.parts.append((len(self.text), style))

    def wrap(self, width: int) -> None:
        """Bring `starts` up to date."""
        if self.width != width:
            self.starts = array("I", [0])
            self.width = width
        row_starts(self.text, width, self.starts[-1], self.starts)

    def body(self, width: int) -> int:
        """Return the number of rows of the body, an estimate while it is not wrapped to `width`."""
        if self.folded or not self.text:
            return 0
        if self.width != width:
            return len(self.text) // width + 1
        # The row after a last newline is there once something stands in it.
        return len(self.starts) - (self.starts[-1] == len(self.text))

    def span(self, row: int) -> tuple[int, int]:
        """Return where a row of the body begins, and where the next one does."""
        return self.starts[row], self.starts[row + 1] if row + 1 < len(self.starts) else len(self.text)

    def style(self, offset: int) -> str:
        """Return the style of the part that the offset is in."""
        return self.parts[bisect_right(self.parts, offset, key=lambda part: part[0]) - 1][1] if self.parts else ""


class Wrapped(Rows):
    """Blocks below each other, `gap` empty rows between them."""

    slice: ClassVar[int] = sys.maxsize

    def __init__(self, *, gap: int = 1) -> None:
        self.blocks: list[Block] = []
        self._shown: list[Block] = []
        self._ends: list[int] = []  # rows up to the end of each shown block
        self._right = 0  # how many of them are right
        self._grown: list[Block] = []
        self._late: list[Block] = []  # shown blocks that wait to be wrapped to a new width
        self._serials: dict[int, Block] = {}
        self._next = 0
        self._gap = gap
        self._width = 80
        self._keep: Callable[[Block], bool] | None = None

    # --- what a pane says ------------------------------------------------------------------------------------------

    def add(self, key: Hashable, header: Header | None = None) -> Block:
        """Begin a block at the end."""
        block = Block(key, header, self._next)
        self._next += 1
        self.blocks.append(block)
        self._serials[block.serial] = block
        if self._keep is None or self._keep(block):
            block.place = len(self._shown)
            self._shown.append(block)
        return block

    def append(self, block: Block, text: str, style: str = "", part: Hashable = None) -> None:
        """Add text to the end of the block's body; another style, or another `part`, begins on a row of its own."""
        if block.part != (style, part):
            block.begin(style, part)
        if not block.pending:
            self._grown.append(block)
        block.pending.append(text)

    def touch(self, block: Block) -> None:
        """Say that the header looks different now."""
        block.version += 1

    def mark(self, block: Block, *, open: bool | None = None, folded: bool | None = None) -> None:  # noqa: A002  the word for a stream
        """Set whether the block is `open` (a caret stands at its end) and whether it is `folded` to its header."""
        if open is not None:
            block.open = open
        if folded is not None and folded != block.folded:
            block.folded = folded
            self._wrong(block)

    def keep(self, keep: Callable[[Block], bool] | None) -> None:
        """Show only the blocks that `keep` says, now and when they are added; None shows all."""
        self._keep = keep
        for block in self.blocks:
            block.place = -1
        self._shown = [block for block in self.blocks if keep is None or keep(block)]
        for place, block in enumerate(self._shown):
            block.place = place
        self._ends = []
        self._right = 0
        self._late = [block for block in self._shown if block.width != self._width]

    def drop(self, many: int) -> None:
        """Forget the `many` oldest blocks."""
        for block in self.blocks[:many]:
            del self._serials[block.serial]
        self._grown = [block for block in self._grown if block.serial in self._serials]
        del self.blocks[:many]
        self.keep(self._keep)

    def block_at(self, index: int) -> Block | None:
        """Return the block that the row belongs to."""
        place = bisect_right(self._settled(), index)
        return self._shown[place] if place < len(self._shown) else None

    def block_after(self, block: Block) -> Block | None:
        """Return the next block that is shown."""
        return self._shown[block.place + 1] if 0 <= block.place < len(self._shown) - 1 else None

    def last_row(self, block: Block) -> int:
        """Return the index of a shown block's last row."""
        return self._settled()[block.place] - 1

    def first_row(self, block: Block) -> int | None:
        """Return the index of the block's first row, its header if it has one; None when it is not shown."""
        if block.place < 0:
            return None
        return self._begin(block.place) + (self._gap if block.place else 0)

    # --- what the view asks ----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        ends = self._settled()
        return ends[-1] if ends else 0

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Wrap to `width`: what is near the row `near` at once, the rest in slices."""
        deadline = perf_counter() + PATIENCE
        if width != self._width:
            self._width = width
            self._right = 0
            self._late = self._nearest_last(near)
        rows = 0
        while self._late and (rows < NEARBY or perf_counter() < deadline):
            block = self._late.pop()
            rows += self._fresh(block).body(width)
        return bool(self._late)

    def row(self, index: int, width: int) -> Row:
        """Return one row: nothing, a header, or a piece of a body."""
        block, row = self._locate(index)
        if row < -1 or (row == -1 and block.header is None):
            return []
        if row == -1:
            return block.header(width) if block.header is not None else []
        start, end = block.span(row)
        style = block.style(start)
        spans = [(block.text[start : row_end(block.text, start, end)], style)]
        return [*spans, (CARET, "accent")] if self._caret(block, row) else spans

    def key(self, index: int) -> Hashable:
        """Return the block's number with the header's version, or with the text that the row holds."""
        block, row = self._locate(index)
        if row < -1:
            return (block.serial, -2)
        if row == -1:
            return (block.serial, -1, block.version)
        return (block.serial, *block.span(row), self._caret(block, row))

    def index_of(self, key: Hashable) -> int | None:
        """Return where the row's text is now: another width makes other rows of it."""
        if not isinstance(key, tuple) or (block := self._serials.get(key[0])) is None:
            return None
        self._settled()
        if block.place < 0:
            after = next((other for other in self._shown if other.serial > block.serial), None)
            return None if after is None else self.first_row(after)
        first = self.first_row(block)
        if first is None or key[1] == -2:
            return None if first is None else max(first - self._gap, 0)
        if key[1] == -1 or block.folded or not block.text:
            return first
        self._fresh(block)
        return first + (block.header is not None) + bisect_right(block.starts, key[1]) - 1

    def find(self, text: str, start: int, step: int, count: int, width: int) -> int | None:
        """Return the next row that contains `text`, looking at whole bodies at a time."""
        fold = text == text.lower()
        ends = self._settled()
        place = bisect_right(ends, start)
        row: int | None = self._locate(start)[1] if place < len(ends) else None
        while 0 <= place < len(self._shown):
            block = self._fresh(self._shown[place])
            found = _find(block, text, fold, step, row)
            if found is not None:
                first = self.first_row(block)
                return None if first is None else first + found + (block.header is not None)
            place += step
            row = None
        return None

    # --- bookkeeping -----------------------------------------------------------------------------------------------

    def _settled(self) -> list[int]:
        """Take in what was appended, and return the ends of the shown blocks."""
        if self._grown:
            for block in self._grown:
                block.take()
                if block.place < 0:
                    block.width = 0
                elif block.width == self._width or not block.width:
                    block.wrap(self._width)
                self._wrong(block)
            self._grown.clear()
        shown, ends = self._shown, self._ends
        if self._right < len(shown) or len(ends) != len(shown):
            del ends[self._right :]
            end = ends[-1] if ends else 0
            width, gap = self._width, self._gap
            for block in shown[self._right :]:
                end += block.body(width) + (block.header is not None) + (gap if block.place else 0)
                ends.append(end)
            self._right = len(ends)
        return ends

    def _wrong(self, block: Block) -> None:
        """Say that the block's number of rows changed."""
        if 0 <= block.place < self._right:
            self._right = block.place

    def _fresh(self, block: Block) -> Block:
        """Wrap the block if it was not yet."""
        if block.width != self._width:
            block.wrap(self._width)
            self._wrong(block)
        return block

    def _begin(self, place: int) -> int:
        return self._settled()[place - 1] if place else 0

    def _nearest_last(self, near: Hashable) -> list[Block]:
        """Return the shown blocks in such an order that the ones to wrap first are at the end."""
        block = self._serials.get(near[0]) if isinstance(near, tuple) else None
        place = block.place if block is not None else len(self._shown) - 1
        return sorted(self._shown, key=lambda other: -abs(other.place - place))

    def _locate(self, index: int) -> tuple[Block, int]:
        """Return the block of a row and the row in its body: -1 is the header, less is the gap before it."""
        ends = self._settled()
        place = bisect_right(ends, index)
        block = self._shown[place]
        local = index - (ends[place - 1] if place else 0) - (self._gap if place else 0)
        if local < 0:
            return block, -2
        local -= block.header is not None
        if local < 0:
            return block, -1
        # An estimate may have been too high: the row is empty until the view looks again.
        return block, local if local < self._fresh(block).body(self._width) else -2

    @staticmethod
    def _caret(block: Block, row: int) -> bool:
        return block.open and row >= len(block.starts) - 1 - (block.starts[-1] == len(block.text))


def _find(block: Block, text: str, fold: bool, step: int, row: int | None) -> int | None:
    """Return the first row of the block's body that contains `text`, from `row` on (None: from its end that comes
    first); -1 is the header."""
    body = block.text.lower() if fold else block.text
    last = block.body(block.width) - 1
    if step > 0:
        if (row is None or row < 0) and _in_header(block, text, fold):
            return -1
        at = body.find(text, block.starts[row] if row is not None and row > 0 else 0) if last >= 0 else -1
    else:
        stop = last if row is None else row
        at = body.rfind(text, 0, block.span(stop)[1]) if 0 <= stop <= last else -1
        if at < 0 and stop >= -1 and _in_header(block, text, fold):
            return -1
    return bisect_right(block.starts, at) - 1 if at >= 0 else None


def _in_header(block: Block, text: str, fold: bool) -> bool:
    if block.header is None:
        return False
    header = "".join(clean(span) for span, _ in block.header(block.width))
    return text in (header.lower() if fold else header)

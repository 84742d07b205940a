"""Wrapped: blocks below each other, each a header and a body that grows at its end, wrapped to the width of the screen.

Appended text is joined, cleaned and wrapped once a frame, from the last row of its block on: no row before it can change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from itertools import chain, zip_longest
from time import perf_counter
from typing import ClassVar

from lgwatch.texts import Texts
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.text import clean
from lgwatch.tui.messages.block import Block, Header, Level, Picture

__all__ = ["CARET", "Block", "Header", "Level", "Picture", "Wrapped"]

CARET = "▌"
"""Stands at the end of a block that is still being written."""
NEARBY = 250
"""Rows around the ones on the screen that are wrapped at once when the width changes; the rest follows in slices."""
PATIENCE = 0.006
"""Seconds that one slice of wrapping may take, where nothing else is to be wrapped."""
AT_ONCE = 10_000
"""Characters of blocks that nobody has seen yet which are wrapped at once, the newest first; the rest follows in slices."""
DRAWN = 64
"""Blocks whose pictures are kept."""
_GAP, _HEADER, _DRAWN, _MORE = -2, -1, -3, -4


class Wrapped(Rows):
    """Blocks below each other, `gap` empty rows between them."""

    slice: ClassVar[int] = 1000

    def __init__(self, *, gap: int = 1, patience: float = PATIENCE) -> None:
        """`patience` is how long, in seconds, one slice of wrapping may take."""
        self.blocks: list[Block] = []
        self._shown: list[Block] = []
        self._ends: list[int] = []  # rows up to the end of each shown block
        self._right = 0  # how many of them are right
        self._grown: list[Block] = []
        self._late: list[Block] = []  # shown blocks that wait to be wrapped to a new width
        self._serials: dict[int, Block] = {}
        self._next = 0
        self._gap = gap
        self.patience = patience
        self._width = 80
        self._level = Level.BODY
        self._drawn: list[Block] = []  # those whose pictures are kept, the last used last
        self._keep: Callable[[Block], bool] | None = None
        self._texts = Texts()

    # --- what a pane says ------------------------------------------------------------------------------------------

    def add(self, key: Hashable, header: Header | None = None) -> Block:
        """Begin a block at the end."""
        block = Block(key, header, self._next, self._level)
        self._next += 1
        self.blocks.append(block)
        self._serials[block.serial] = block
        if self._keep is None or self._keep(block):
            block.place = len(self._shown)
            self._shown.append(block)
        return block

    def append(self, block: Block, text: str, style: str = "", part: Hashable = None, *, detail: bool = False) -> None:
        """Add text to the end of the block's body; another style, or another `part`, begins on a row of its own.

        A part that is a `detail`, such as reasoning, is shown whole on `Level.ALL` only.
        """
        if block.part != (style, part):
            block.begin(style, part, detail=detail)
        if not block.pending:
            self._grown.append(block)
        block.pending.append(text)

    def rewrite(self, block: Block) -> None:
        """Forget the block's text: what is appended from now on is all of it."""
        block.clear()
        self._grown = [other for other in self._grown if other is not block]
        self._wrong(block)

    def touch(self, block: Block) -> None:
        """Say that the header looks different now."""
        block.version += 1

    def mark(self, block: Block, *, open: bool | None = None, folded: bool | None = None) -> None:  # noqa: A002  the word for a stream
        """Set whether the block is `open` (a caret stands at its end) and whether it is `folded` to its header."""
        if open is not None:
            block.open = open
            if not open and not block.pending:
                self._texts.take(block, block.length)
        if folded is not None:
            self.unfold(block, Level.HEADER if folded else max(self._level, Level.BODY))

    @property
    def shown(self) -> int:
        """How many blocks are shown."""
        return len(self._shown)

    @property
    def level(self) -> Level:
        """How much of a block is shown that was not folded or unfolded by itself."""
        return self._level

    def show_level(self, level: int) -> Level:
        """Show this much of every block, what was folded by itself too; return what it is, from the first to the last."""
        self._level = Level(min(max(level, Level.HEADER), Level.ALL))
        for block in self.blocks:
            block.level = self._level
        self._right = 0
        return self._level

    def unfold(self, block: Block, level: Level) -> None:
        """Show this much of one block."""
        if block.level is not level:
            block.level = level
            self._wrong(block)

    def toggle(self, block: Block) -> None:
        """Fold the block to its header; where that was all, or only its beginning, unfold it."""
        self.unfold(block, Level.HEADER if block.level >= Level.BODY else max(self._level, Level.BODY))

    def depict(self, block: Block, picture: Picture | None) -> None:
        """Let rows of the maker's own stand for the body of a block that is finished; None: its text again.

        They are drawn when they are looked at, and drawn again when they were not for long.
        """
        block.picture, block.drawn, block.drawn_for = picture, None, (0, False)
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

    def ask_again(self, block: Block) -> bool:
        """Show a block, or no longer, as `keep` says by now; return whether that is news. The others are not asked."""
        shown = self._keep is None or self._keep(block)
        if shown is (block.place >= 0):
            return False
        place = bisect_left(self._shown, block.serial, key=lambda one: one.serial)
        if shown:
            self._shown.insert(place, block)
            if block.width != self._width:
                self._late.append(block)
        else:
            del self._shown[place]
            block.place = -1
            self._late = [one for one in self._late if one is not block]
        for number in range(place, len(self._shown)):
            self._shown[number].place = number
        self._right = min(self._right, place)
        return True

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
        deadline = perf_counter() + self.patience
        if width != self._width:
            self._width = width
            self._right = 0
            self._settled()
            self._late = self._nearest_last(near)
        else:
            self._settled()
        rows = 0
        while self._late and (rows < NEARBY or perf_counter() < deadline):
            block = self._late.pop()
            if block.picture is None:
                rows += self._fresh(block).lines(width)
        self._draw_near(near)
        return bool(self._late)

    def row(self, index: int, width: int) -> Row:
        """Return one row: nothing, a header, or a piece of a body."""
        block, line = self._locate(index)
        if line == _HEADER and block.header is not None:
            return block.header(width)
        if line < 0:
            return []
        row, hidden = block.row_of(line, self._width)
        spans = [] if row < 0 else block.row_text(row)
        if hidden:
            spans = [*spans, (f"⋯ {hidden} more" if row < 0 else " …", "dim")]
        return [*spans, (CARET, "accent")] if self._caret(block, line) else spans

    def key(self, index: int) -> Hashable:
        """Return the block's number with the header's version, or with the text that the row holds."""
        block, line = self._locate(index)
        if line == _GAP:
            return (block.serial, _GAP)
        if line == _HEADER:
            return (block.serial, _HEADER, block.version)
        row, hidden = block.row_of(line, self._width)
        caret = self._caret(block, line)
        if row < 0:
            return (block.serial, _MORE, hidden, caret)
        if block.picture is not None:
            return (block.serial, _DRAWN, row, block.drawn_rows, hidden)
        return (block.serial, *block.span(row), hidden, caret, block.edition)

    def index_of(self, key: Hashable) -> int | None:
        """Return where the row's text is now: another width makes other rows of it."""
        if not isinstance(key, tuple) or (block := self._serials.get(key[0])) is None:
            return None
        self._settled()
        if block.place < 0:
            after = next((other for other in self._shown if other.serial > block.serial), None)
            return None if after is None else self.first_row(after)
        first = self.first_row(block)
        if first is None or key[1] == _GAP:
            return None if first is None else max(first - self._gap, 0)
        if key[1] == _HEADER or block.level is Level.HEADER or not block.length:
            return first
        self._fresh(block)
        lines = block.lines(self._width)
        if key[1] == _MORE:
            line = lines - 1
        elif block.picture is not None and key[1] == _DRAWN and key[3] == block.drawn_rows:
            line = block.line_of(key[2], self._width)
        elif block.picture is None and key[1] >= 0:
            line = block.line_of(bisect_right(block.starts, key[1]) - 1, self._width)
        else:  # text and its picture have rows of their own: about where it was
            here, all_ = (key[1], block.length) if key[1] >= 0 else (key[2], key[3])
            line = min(here * lines // max(all_, 1), lines - 1)
        return first + (block.header is not None) + max(line, 0) if lines else first

    def find(self, text: str, start: int, step: int, count: int, width: int) -> int | None:
        """Return the next row that contains `text`, or that stands for rows which do: the header of a folded block, the
        line that tells of hidden ones. `uncover` shows them. The block in which the last of `count` rows is, is looked
        through to its end."""
        fold = text == text.lower()
        ends = self._settled()
        place = bisect_right(ends, start)
        last = bisect_right(ends, max(start + step * (count - 1), 0))
        line: int | None = self._locate(start)[1] if place < len(ends) else None
        while 0 <= place < len(self._shown) and (place - last) * step <= 0:
            block = self._shown[place]
            found = self._find(block, text, step, line, fold=fold)
            if found is not None:
                first = self.first_row(block)
                return None if first is None else first + found + (block.header is not None)
            place += step
            line = None
        return None

    def uncover(self, index: int, text: str) -> int:
        """Unfold what hides the `text` that `find` found at this row; return the row where it is."""
        fold = text == text.lower()
        block, line = self._locate(index)
        if line == _GAP or (line == _HEADER and self._in_header(block, text, fold=fold)):
            return index
        if block.picture is not None:
            if block.level < Level.BODY:
                self.unfold(block, Level.BODY)
        else:
            self._fresh(block)
            offset = 0 if line < 0 else block.starts[self._first_of(block, line)]
            body = block.text
            at = (body.lower() if fold else body).find(text, offset)
            row = bisect_right(block.starts, at) - 1
            if at < 0 or block.shows(row, self._width):
                return index
            self.unfold(block, Level.ALL if block.detail_at(row) else max(self._level, Level.BODY))
            line = block.line_of(row, self._width) - 1  # its very line is the next one that is found
        found = self._find(block, text, 1, max(line + 1, 0), fold=fold)
        first = self.first_row(block)
        return index if found is None or first is None else first + found + (block.header is not None)

    # --- bookkeeping -----------------------------------------------------------------------------------------------

    def _settled(self) -> list[int]:
        """Take in what was appended, and return the ends of the shown blocks."""
        if self._grown:
            late: list[Block] = []
            fresh = 0
            for block in reversed(self._grown):
                block.take()
                if not block.open:
                    self._texts.take(block, block.length)
                if block.place < 0:
                    block.width = 0
                elif block.width == self._width or (not block.width and fresh < AT_ONCE):
                    fresh += 0 if block.width else block.length
                    block.wrap(self._width)
                elif not block.width:
                    late.append(block)
                self._wrong(block)
            self._late += reversed(late)
            self._grown.clear()
        shown, ends = self._shown, self._ends
        if self._right < len(shown) or len(ends) != len(shown):
            del ends[self._right :]
            end = ends[-1] if ends else 0
            width, gap = self._width, self._gap
            for block in shown[self._right :]:
                end += block.lines(width) + (block.header is not None) + (gap if block.place else 0)
                ends.append(end)
            self._right = len(ends)
        return ends

    def _wrong(self, block: Block) -> None:
        """Say that the block's number of rows changed."""
        if 0 <= block.place < self._right:
            self._right = block.place

    def _fresh(self, block: Block) -> Block:
        """Wrap the block, or have its picture drawn, if that was not done yet."""
        if block.picture is None:
            if block.width != self._width:
                block.wrap(self._width)
                self._wrong(block)
            return block
        before = block.lines(self._width)
        if block.draw(self._width):
            if block.lines(self._width) != before:
                self._wrong(block)
            self._drawn = [*(other for other in self._drawn if other is not block), block]
            for other in self._drawn[:-DRAWN]:
                other.drawn = None
            del self._drawn[:-DRAWN]
        return block

    def _begin(self, place: int) -> int:
        return self._settled()[place - 1] if place else 0

    def _nearest_last(self, near: Hashable) -> list[Block]:
        """Return the shown blocks in such an order that the ones to wrap first are at the end."""
        block = self._serials.get(near[0]) if isinstance(near, tuple) else None
        place = block.place if block is not None else len(self._shown) - 1
        return sorted(self._shown, key=lambda other: -abs(other.place - place))

    def _draw_near(self, near: Hashable) -> None:
        """Have the pictures drawn that a reader at `near`, or at the end, can see: no others, for they take long."""
        block = self._serials.get(near[0]) if isinstance(near, tuple) else None
        place = block.place if block is not None and block.place >= 0 else len(self._shown) - 1
        after, before = self._shown[place : place + NEARBY], self._shown[max(place - NEARBY, 0) : place][::-1]
        rows = 0
        for one in chain.from_iterable(zip_longest(after, before)):
            if one is not None:
                rows += (self._fresh(one) if one.picture is not None else one).lines(self._width) + 1
            if rows > NEARBY:
                break

    def _locate(self, index: int) -> tuple[Block, int]:
        """Return the block of a row and the line in its body: -1 is the header, less is the gap before it."""
        ends = self._settled()
        place = bisect_right(ends, index)
        block = self._shown[place]
        local = index - (ends[place - 1] if place else 0) - (self._gap if place else 0)
        if local < 0:
            return block, _GAP
        local -= block.header is not None
        if local < 0:
            return block, _HEADER
        # An estimate may have been too high: the row is empty until the view looks again.
        return block, local if local < self._fresh(block).lines(self._width) else _GAP

    def _caret(self, block: Block, line: int) -> bool:
        return block.open and line == block.lines(self._width) - 1

    # --- search ----------------------------------------------------------------------------------------------------

    def _find(self, block: Block, text: str, step: int, line: int | None, *, fold: bool) -> int | None:
        """Return the first line of the block that contains `text` or stands for rows that do, from `line` on (None: from
        its end that comes first); -1 is the header."""
        in_header = line is None or line <= _HEADER if step > 0 else line is None or line >= _HEADER
        if step > 0 and in_header and self._in_header(block, text, fold=fold):
            return _HEADER
        body = block.text
        if fold and not _may_hold(body, text):
            return _HEADER if step < 0 and in_header and self._in_header(block, text, fold=fold) else None
        body = body.lower() if fold else body
        found = None
        # Wrapping takes time: a body that does not hold the text is not wrapped for it.
        if block.picture is not None:
            if all(word in body for word in text.split()):
                found = self._find_drawn(self._fresh(block), text, step, line, fold=fold)
        elif text in body:
            found = self._find_text(block, body, text, step, line)
        if found is None and step < 0 and in_header and self._in_header(block, text, fold=fold):
            return _HEADER
        return found

    def _find_text(self, block: Block, body: str, text: str, step: int, line: int | None) -> int | None:
        if block.level is Level.HEADER:
            if block.header is None:
                return None
            return _HEADER if line is None or (line <= _HEADER if step > 0 else line >= _HEADER) else None
        width = self._width
        last = self._fresh(block).lines(width) - 1
        if step > 0:
            if line is not None and line > last:
                return None
            row = 0 if line is None or line <= 0 else self._first_of(block, line)
            at = body.find(text, block.starts[row])
        else:
            stop = last if line is None else line
            if stop < 0:
                return None
            end = len(body) if stop >= last else block.starts[self._first_of(block, stop + 1)]
            at = body.rfind(text, 0, end)
        return block.line_of(bisect_right(block.starts, at) - 1, width) if at >= 0 else None

    def _first_of(self, block: Block, line: int) -> int:
        """Return the first row of the body that the line shows or stands for."""
        row, hidden = block.row_of(line, self._width)
        return row if row >= 0 else block.rows(self._width) - hidden

    def _find_drawn(self, block: Block, text: str, step: int, line: int | None, *, fold: bool) -> int | None:
        last = block.lines(self._width) - 1
        for number in range(block.drawn_rows) if step > 0 else range(block.drawn_rows - 1, -1, -1):
            shown = block.line_of(number, self._width)
            if line is not None and (shown < line if step > 0 else shown > line):
                continue
            row = "".join(span for span, _ in block.row_text(number))
            if text in (row.lower() if fold else row):
                return min(shown, last)
        return None

    def _in_header(self, block: Block, text: str, *, fold: bool) -> bool:
        if block.header is None:
            return False
        header = "".join(clean(span) for span, _ in block.header(self._width))
        return text in (header.lower() if fold else header)


def _may_hold(body: str, text: str) -> bool:
    """Whether `body` can contain the words of `text` in any case; bytes are much faster to look through than letters."""
    if body.isascii() or not text.isascii():
        return True
    small = body.encode(errors="replace").lower()
    return all(word.encode() in small for word in text.split())

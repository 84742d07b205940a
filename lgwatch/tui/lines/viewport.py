"""Which rows are on the screen, and which one is under the cursor; it moves only when the user does, or at the end.

Numbers only: no widget, no text. `LineView` asks it after every change of the rows.
"""

from __future__ import annotations

from collections.abc import Hashable

from lgwatch.tui.lines.rows import Rows


class Viewport:
    """A window on rows: `top` is the first visible row, `cursor` the chosen one.

    `tail` is for rows that grow at their end: the window follows it while `following`. `cursor_row` gives it a cursor.
    """

    def __init__(self, rows: Rows, *, tail: bool, cursor_row: bool) -> None:
        self.tail = tail
        self.cursor_row = cursor_row
        self.growing = True
        """Whether rows that there are more of were appended; False while a filter, a fold or a width changes them."""
        self.show(rows)

    def show(self, rows: Rows) -> None:
        """Look at other rows, from their beginning or, with a `tail`, from their end."""
        self.rows = rows
        self.height = 0
        self.top = 0
        self.following = self.tail
        self.cursor: int | None = None
        self.anchor: Hashable = None
        """The key of the row that the reader put at the top."""
        self._cursor_key: Hashable = None
        self._count = 0  # rows there were at the last look
        self._new = 0  # rows that were appended since the reader ceased to follow

    def settle(self, count: int, height: int) -> None:
        """Take in that there are `count` rows and `height` lines: what is being read stays where it is."""
        shrunk = height < self.height and self.cursor is not None and self.top <= self.cursor < self.top + self.height
        self.height = height
        last = max(count - height, 0)
        self._count_new(count)
        if self.following:
            self.top = last
            self.anchor = None
            if self.cursor is not None:
                self.cursor = count - 1
        else:
            self._hold(count, last)
            if shrunk and self.cursor is not None and self.cursor >= self.top + height > self.top:
                self._read_at(self.cursor - height + 1)  # what was selected and in view stays in view
        if self.cursor is not None and self.cursor < 0:
            self.cursor = None
        if self.cursor_row and self.cursor is None and count and not self.tail:
            self.cursor = 0
        if self.anchor is None and self.top < count:
            self.anchor = self.rows.key(self.top)
        self._cursor_key = self.rows.key(self.cursor) if self.cursor is not None else None

    def _count_new(self, count: int) -> None:
        """Count what was appended; where the rows are other ones, nobody knows which of them are new."""
        if self.following or (count != self._count and not (self.growing and count > self._count)):
            self._new = 0
        else:
            self._new += count - self._count
        self._count = count

    def _hold(self, count: int, last: int) -> None:
        # The key of the row that the reader put there stays the anchor: at another width its text may be in a row that
        # begins before it, and many widths, one after the other, must not carry the reader away.
        top = self._moved(self.anchor, self.top, count)
        if top is None or top > last:
            self.anchor = None
        self.top = min(self.top if top is None else top, last)
        if self.cursor is not None:
            cursor = self._moved(self._cursor_key, self.cursor, count)
            self.cursor = min(self.cursor if cursor is None else cursor, count - 1)

    def _moved(self, key: Hashable, index: int, count: int) -> int | None:
        """Return where the row is now that had this `key` and was at `index`; None if nobody knows."""
        if key is not None and index < count and self.rows.key(index) == key:
            return index
        return None if key is None else self.rows.index_of(key)

    def scroll(self, top: int) -> None:
        """Make `top` the first visible row; at the end, follow if there is a tail."""
        last = max(len(self.rows) - self.height, 0)
        self._read_at(min(max(top, 0), last))
        self._follow(self.top >= last)

    def place(self, index: int) -> None:
        """Put the cursor on a row, and the row into view."""
        count = len(self.rows)
        index = min(max(index, 0), count - 1)
        if index < 0:
            return
        if self.cursor_row:
            self._put(index)
        top = min(max(self.top, index - max(self.height, 1) + 1), index)
        if top != self.top or index < count - 1:
            self._read_at(top)
            self._follow(top >= count - self.height and index >= count - 1)

    def reveal(self, index: int) -> None:
        """Go to a row that was searched for, and stay there; some rows above it are in view, too."""
        if not self.top <= index < self.top + self.height:
            self._read_at(max(index - self.height // 3, 0))
        self._follow(False)
        if self.cursor_row:
            self._put(index)

    def end(self) -> None:
        """Go to the end, and follow it if there is a tail."""
        count = len(self.rows)
        self._read_at(max(count - self.height, 0))
        self._follow(True)
        if self.cursor_row and count:
            self._put(count - 1)

    def _read_at(self, top: int) -> None:
        self.top = top
        self.anchor = None

    def _put(self, index: int) -> None:
        self.cursor = index
        self._cursor_key = None

    def _follow(self, following: bool) -> None:
        following = following and self.tail
        if self.following and not following:
            self._count, self._new = len(self.rows), 0
        self.following = following

    def thumb(self, count: int) -> range:
        """Return the lines where the scrollbar's thumb is; none when all rows are visible."""
        if count <= self.height:
            return range(0)
        size = max(self.height * self.height // count, 1)
        start = round(self.top * (self.height - size) / (count - self.height))
        return range(start, start + size)

    @property
    def new(self) -> int:
        """How many rows were appended since the reader ceased to follow."""
        return self._new if self.tail and not self.following else 0

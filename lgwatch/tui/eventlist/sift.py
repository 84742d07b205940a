"""Asks a filter about what stands in the journal alone, some lines at a time; lines that cannot hold a text stay unread.

It looks at blocks of bytes first: a search through them is many times faster than to read each line.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from lgwatch.columns import Column
from lgwatch.filter import Filter, Term

if TYPE_CHECKING:
    from lgwatch.sources import Source

PATIENCE = 0.004
"""Seconds that one go may take, a block or a line more."""
BLOCK = 1 << 18
"""Bytes that are searched at once."""
DENSE = 16
"""Events of a block from which on it is worth to search it before its lines are read."""


class Sift:
    """Goes through events once, in order, and takes those into `found` whose lines the filter keeps."""

    def __init__(self, source: Source, keep: Filter, *, strict: bool) -> None:
        """Of a `strict` list, who asks for a payload sees only what has one."""
        self.found: Column[int] = Column("I")
        self.asked = 0
        self._source = source
        self._keep = keep
        self._strict = strict
        self._sizes = keep.about("size")
        self._payloads = bool(keep.about("line"))
        self._needles = _needles(keep.texts)

    def go_back(self, seqs: Sequence[int], stable: int) -> int:
        """Of `seqs` only the first `stable` are what they were: forget what was found after them; return how much is left."""
        if stable < self.asked:
            self.asked = stable
            self.found.cut(bisect_right(self.found, seqs[stable - 1]) if stable else 0)
        return len(self.found)

    def go_on(self, seqs: Sequence[int]) -> bool:
        """Go on with `seqs`, of which those that were asked about are the beginning; return whether more was found."""
        before, deadline = len(self.found), perf_counter() + PATIENCE
        while self.asked < len(seqs) and perf_counter() < deadline:
            worth = self._block(seqs) if self._needles else None
            if worth is not None:
                self.found.extend(seq for seq in worth if self._keeps(seq))
                continue
            if self._keeps(seq := seqs[self.asked]):
                self.found.append(seq)
            self.asked += 1
        return len(self.found) > before

    def _block(self, seqs: Sequence[int]) -> list[int] | None:
        """Search the next block and go behind it; return those of its events whose lines are worth to be read.

        None where there are so few events in it that each of them may be read.
        """
        first = seqs[self.asked]
        data, begins = self._source.block(first, BLOCK)
        stop = bisect_left(seqs, first + len(begins), self.asked)
        if stop - self.asked < DENSE:
            return None
        hits = sorted({first + bisect_right(begins, at) - 1 for at in _places(data.lower(), self._needles)})
        places = ((bisect_left(seqs, seq, self.asked, stop), seq) for seq in hits)
        worth = [seq for place, seq in places if place < stop and seqs[place] == seq]
        self.asked = stop
        return worth

    def _keeps(self, seq: int) -> bool:
        if self._sizes and not all(term.holds((self._source.size(seq),)) for term in self._sizes):
            return False
        if self._payloads and not self._keep.line(self._source.resolved(seq), strict=self._strict):
            return False
        return not self._keep.texts or self._keep.text(self._text(seq))

    def _text(self, seq: int) -> str:
        """What an event says: a message's or a print's text, the whole line of anything else."""
        line = self._source.line(seq)
        if line.get("type") in ("message", "output"):
            return str(line.get("text", ""))
        return json.dumps(self._source.resolved(seq), ensure_ascii=False)


def _needles(terms: tuple[Term, ...]) -> tuple[bytes, ...]:
    """Return what a line must contain, one of these in any case, for the conditions on its text to hold: a word, or a
    reference to what is elsewhere. Nothing where that cannot be told from its bytes."""
    for term in terms:
        words = [value.text for value in term.values]
        plain = all(
            word and word.isascii() and word.isprintable() and not set(word) & {'"', "\\", "/"} for word in words
        )
        if not term.negated and plain and all(value.how == "has" for value in term.values):
            return (b'"$', *(word.encode().lower() for word in words))
    return ()


def _places(data: bytes, needles: tuple[bytes, ...]) -> Iterator[int]:
    """Yield where any of the needles is. One expression for all of them, in any case, would take ten times as long."""
    for needle in needles:
        place = data.find(needle)
        while place >= 0:
            yield place
            place = data.find(needle, place + len(needle))

"""Which events of an index a question keeps: their numbers, in order. A selection grows with the index.

It takes in no more at once than it was told to, what is newest first: a long session is asked anew while a person types.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, repeat

from lgwatch.columns import Column
from lgwatch.index import EventIndex, Facet


class Selection:
    """The sequence numbers of the events that a question keeps; grows with the index.

    `keep` is asked once per facet. `whose`, where there is one, is asked once for each number of a task, and says besides
    whether that is its last word; what it says of a task that goes on may change, and then that task's events, and what
    came after the first of them, are looked at again; `news` returns what is another thing whenever that may be. `again`,
    which only grows, has the ids of tasks that went on after a last word: then there is another one. `each` is
    asked of every event that the others keep. With a `kind` only events of that type are looked at, and no more than `at_once` in one update, the newest ones first.
    """

    def __init__(
        self,
        index: EventIndex,
        keep: Callable[[Facet], bool],
        *,
        whose: Callable[[int], tuple[bool, bool]] | None = None,
        news: Callable[[], object] = object,
        again: Sequence[str] = (),
        each: Callable[[array[int]], Iterable[int]] | None = None,
        kind: str = "",
        at_once: int | None = None,
    ) -> None:
        self._index = index
        self._keep = keep
        self._whose = whose
        self._news = news
        self._told: object = None
        self._again = again
        self._heard = 0  # of `again`
        self._each = each
        self._kind = kind
        self._at_once = at_once
        self._verdicts = bytearray()
        self._all = True  # whether every facet that there may be here is kept
        self._tasks: dict[int, bool] = {}
        self._open: set[int] = set()
        self._low = self._high = self._end  # between these, of those that are to be looked at, all were
        self.seqs = Column[int]("I", loose=self._low > 0)
        self.stable = 0
        """How many of the first of `seqs` are what they were before the last update."""
        self.update()

    def update(self) -> int:
        """Take in the events that came since, and, of those before, as many as are taken in at once; return by how much
        there are more now."""
        before = len(self.seqs)
        self._judge()
        self.stable = before
        left = self._end if self._at_once is None else self._at_once
        if self._whose is not None and self._ask_again(self._whose):
            left = max(left, self._end - self._high)  # what was there is not gone for a while
        if self._high < self._end:
            end = min(self._end, self._high + left)
            left -= end - self._high
            self.seqs.extend(self._look(self._high, end))
            self._high = end
        if self._low and left > 0:
            start = max(self._low - left, 0)
            if found := self._look(start, self._low):
                self.seqs.prepend(found)
                self.stable = 0
            self._low = start
            self.seqs.loose = start > 0
            self.seqs.settle()
        return len(self.seqs) - before

    @property
    def _end(self) -> int:
        return len(self._index.of_type.get(self._kind, ())) if self._kind else len(self._index)

    @property
    def behind(self) -> bool:
        """Whether there is more to look at than one update does."""
        return self._low > 0 or self._high < self._end

    def _judge(self) -> None:
        """Ask about the facets that came since."""
        keep, kind, facets = self._keep, self._kind, self._index.facets
        for number in range(len(self._verdicts), len(facets)):
            facet = facets[number]
            mine = number > 0 and (not kind or facet.type == kind)
            kept = mine and bool(keep(facet))
            self._verdicts.append(kept)
            self._all &= kept or not mine

    def _look(self, start: int, end: int) -> array[int]:
        """Return which of these are kept; `start` and `end` count those that are to be looked at."""
        index = self._index
        if not self._kind:
            start = max(start, 1)  # the header is no event
        seqs: Sequence[int] = index.of_type[self._kind][start:end] if self._kind else range(start, end)
        if self._all:
            found = array("I", seqs)
        else:
            # Where most events are of the type, it is faster to look at all of them than to leave out the others.
            if len(seqs) and seqs[-1] - seqs[0] < 2 * len(seqs):
                seqs = range(seqs[0], seqs[-1] + 1)
                facets: Iterable[int] = index.facet[seqs[0] : seqs[-1] + 1]
            else:
                facets = index.facet.gather(seqs)
            found = array("I", compress(seqs, map(self._verdicts.__getitem__, facets)))
        if self._whose is not None:
            found = self._of_tasks(found, self._whose)
        return found if self._each is None else array("I", self._each(found))

    def _ask_again(self, whose: Callable[[int], tuple[bool, bool]]) -> bool:
        """Ask again about the tasks that went on; where an answer is another one, go back to the first event of that task.

        Return whether anything was gone back to."""
        for name in self._again[self._heard :]:
            number = self._index.number_of(name)
            if number is not None and number in self._tasks:
                self._open.add(number)
        self._heard = len(self._again)
        news = self._news()
        if not self._open or news == self._told:
            return False
        self._told = news
        back = len(self._index)
        for number in list(self._open):
            kept, final = whose(number)
            if kept is not self._tasks[number]:
                self._tasks[number] = kept
                back = min(back, self._index.firsts[number])
            if final:
                self._open.discard(number)
        place = bisect_left(self._index.of_type.get(self._kind, ()), back) if self._kind else back
        if place >= self._high:
            return False
        self._high = max(place, self._low)
        self.stable = bisect_left(self.seqs, back)
        self.seqs.cut(self.stable)
        return True

    def _of_tasks(self, found: array[int], whose: Callable[[int], tuple[bool, bool]]) -> array[int]:
        """Return those of the events whose task is kept; a task is not asked about before one of its events may be."""
        tasks, column = self._tasks, self._index.task
        if not found:
            return found
        alone = found[-1] - found[0] + 1 > len(found)  # events that are not kept lie between them

        def numbers() -> Iterable[int]:
            return column.gather(found) if alone else column[found[0] : found[-1] + 1]

        several = range(len(self._index.tasks))
        for number in several if len(found) > 4 * len(several) else set(numbers()):
            if number not in tasks:
                tasks[number], final = whose(number)
                if not final:
                    self._open.add(number)
        if len(found) <= len(several):
            return array("I", compress(found, map(tasks.__getitem__, numbers())))
        verdicts = bytes(map(tasks.get, several, repeat(0)))
        if 0 not in verdicts:
            return found
        return array("I", compress(found, map(verdicts.__getitem__, numbers())))

    def __len__(self) -> int:
        return len(self.seqs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.seqs)

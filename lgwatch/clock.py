"""The one clock that is told: seconds that a run, and those it goes on from, had run when something happened.

The time in which a graph waits for an answer is not counted; a run that goes on from no other begins at 0. Header, panes,
text and the filter's `t` tell the same. Moments, as events have them, are seconds since the journal's start.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import zip_longest
from math import inf

from lgwatch.records import Run


def chain(runs: Sequence[Run]) -> list[Run]:
    """Return the newest run, after the runs that it goes on from."""
    found: list[Run] = []
    for run in reversed(runs):
        found.append(run)
        if run.resume is None:
            break
    return found[::-1]


class Clock:
    """Tells how long runs had run at a moment, and, of the newest and those it goes on from, the other way round."""

    def __init__(self, runs: Sequence[Run], now: float = inf) -> None:
        """A clock of these runs; one that has not ended, runs until the moment `now`."""
        self._began: list[float] = []
        self._ended: list[float] = []
        self._before: list[float] = []
        self._newest = 0  # where the newest run, or the one that it goes on from, stands in these
        self.total = 0.0
        """Seconds that the newest run, and those it goes on from, have run."""
        for run, after in zip_longest(runs, runs[1:]):
            if run.resume is None:
                self._newest, self.total = len(self._began), 0.0
            ended = max(now if run.ended is None else run.ended, run.started)
            self._began.append(run.started)
            self._ended.append(ended if after is None else min(ended, max(after.started, run.started)))
            self._before.append(self.total)
            self.total += self._ended[-1] - run.started

    def __bool__(self) -> bool:
        return bool(self._began)

    def active(self, at: float) -> float:
        """Return the seconds that runs had run when it was `at`; before the first run they are less than 0."""
        place = bisect_right(self._began, at) - 1
        if place < 0:
            return at - self._began[0] if self._began else 0.0
        return self._before[place] + min(at, self._ended[place]) - self._began[place]

    def told(self, at: float) -> float:
        """Return the same as it is shown and asked for: in microseconds, as events have their times, and never less than 0."""
        return max(round(self.active(at), 6), 0.0)

    def moment(self, active: float) -> float:
        """Return when the newest run, and those it goes on from, had run for so many seconds."""
        place = max(bisect_right(self._before, active, self._newest) - 1, self._newest)
        return self._began[place] + active - self._before[place] if self._began else active

    def turns(self, active: float) -> list[float]:
        """Return the moments at which what is asked of the time `active` may be answered in another way: when each run
        had it on its clock, and when runs began and ended."""
        reached = (began + active - before for began, before in zip(self._began, self._before, strict=True))
        return [round(moment, 6) for moment in (*reached, *self._began, *self._ended) if moment != inf]

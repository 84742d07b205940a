"""The budgets, small and with bounds that hold on a busy machine: what they catch is another order of growth."""

import sys
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.benchmarks import (
    bench_drawing,
    bench_events,
    bench_lines,
    bench_runner,
    bench_screen,
    bench_stream,
    bench_values,
)

# A measure that misses is taken again; on a busy machine that may be minutes.
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]


@dataclass
class Small:
    """A bench that takes seconds, and what no machine is slow enough to miss."""

    rows: object
    most: dict[str, float] = field(default_factory=dict)
    """The end of a row's words, and what it may not be above."""
    of_naive: dict[str, float] = field(default_factory=dict)
    """The same, as a part of what the naive way took."""
    marks: tuple = ()
    times: float = 0
    """How many times its bound each row that has one may take."""


TERMINAL = (pytest.mark.terminal,)
CONTEXT = (pytest.mark.skipif(sys.version_info < (3, 11), reason="async nodes have no context before Python 3.11"),)
STORY = 30_000
BUDGETS = {
    **{
        f"runner.{case}": Small(
            partial(bench_runner.rows, case, 3), {"watched to bare, processor": most}, marks=CONTEXT
        )
        for case, most in (("tokens", 2), ("steps", 2), ("sends", 2), ("customs", 7))
    },
    "runner.agents": Small(partial(bench_runner.rows, "agents", 1), {"watched to bare": 1.5}, marks=CONTEXT),
    "runner.conversation": Small(
        partial(bench_runner.rows, "conversation", 2), {"to final state": 6, "to bare ones": 3}, marks=CONTEXT
    ),
    "screen.first_paint": Small(
        partial(bench_screen.first_paint, rounds=1), {"before the paint": 0, "to an empty app's": 6}, marks=TERMINAL
    ),
    "screen.big_journal": Small(
        partial(bench_screen.big_journal, 20_000, rest=2),
        {"a key is answered": 20, "processor time until then": 10, "memory": 250, "processor at rest": 10},
        marks=TERMINAL,
    ),
    "screen.keys_under_load": Small(
        partial(bench_screen.keys_under_load, rate=5_000, keys=24), {"pause, p50": 500}, marks=TERMINAL
    ),
    "lines.keys": Small(
        partial(bench_lines.keys, 40, 1_000, (120, 36)), of_naive={"picture, p50": 0.5}, marks=TERMINAL
    ),
    "stream.burst": Small(
        partial(bench_stream.measure, 6_000, 2), {"showed nothing in 10 s": 0}, {"time of a token": 0.5}, TERMINAL
    ),
    "events.long_session": Small(
        partial(bench_events.long_session, STORY, 1_000, bench_events.FILTERS[:1]),
        {"memory": 200, "processor time until then": 10, "and to the last, p99": 500, "something is seen, worst": 1_000},
        {"of a jump": 20, "of another filter": 1},
        TERMINAL,
    ),
    "values.browser": Small(
        partial(bench_values.browser, 2), of_naive={"opened, first picture": 1 / 6, "worst key": 1 / 6}
    ),
    **{f"drawing.{name}": Small(rows, times=3) for name, rows in bench_drawing.MEASURES.items()},
}  # fmt: skip


TRIES = 3
"""How often it is measured until nothing is missed: what else the machine does makes a measure worse, never better."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=small.marks) for name, small in BUDGETS.items()])
def test_a_small_one_is_far_within_its_bounds(name):
    for _ in range(TRIES):
        missed = list(_missed(BUDGETS[name]))
        if not missed:
            break
    assert not missed


def _missed(small):
    rows = list(small.rows())
    for end, most in small.most.items():
        row = _one(rows, end)
        if row.value > most:
            yield row.what, row.value, most
    for end, part in small.of_naive.items():
        row = _one(rows, end)
        if row.value > row.naive * part:
            yield row.what, row.value, row.naive * part
    for row in rows if small.times else ():
        if row.bound is not None and row.value > row.bound * small.times:
            yield row.what, row.value, row.bound * small.times


def _one(rows, end):
    (row,) = (row for row in rows if row.what.endswith(end))
    return row

"""The clock of the runs: what passes while nothing runs is not counted, and everybody tells the same."""

from dataclasses import replace

import pytest

from lgwatch.clock import Clock, chain
from lgwatch.filter import parse
from lgwatch.filter.kept import kept
from lgwatch.headless import Record
from tests.factories import custom, ended, play, run


def at(moment, event):
    return replace(event, at=moment)


def answered():
    """A run of two seconds, an answer a minute later, a second of work on it; then another run."""
    return play(
        at(1.0, run()), at(2.0, custom(1)), at(3.0, ended("interrupted")), at(30.0, custom("waits")),
        at(63.0, run("r2", resume={"i": "yes"})), at(63.5, custom(2)), at(64.0, ended(name="r2")),
        at(70.0, run("r3")), at(70.25, custom(3)),
    )  # fmt: skip


def test_the_wait_for_an_answer_is_not_counted_and_a_run_of_its_own_begins_anew():
    session = answered()
    clock = Clock(session.runs)
    times = [clock.told(moment) for moment in (0.5, 1.0, 2.0, 3.0, 30.0, 63.0, 63.5, 64.0, 66.0, 70.0, 70.25)]
    assert times == [0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.5, 3.0, 3.0, 0.0, 0.25]
    assert clock.active(0.5) == -0.5


def test_the_newest_run_and_those_it_goes_on_from_have_a_length_and_a_way_back():
    session = answered()
    assert Clock(session.runs, 71.5).total == 1.5
    runs = chain(session.runs[:2])
    clock = Clock(runs, 71.5)
    assert ([one.id for one in runs], clock.total) == (["r1", "r2"], 3.0)
    assert [clock.moment(second) for second in (1.0, 2.5)] == [2.0, 63.5]
    assert Clock(session.runs, 71.5).moment(0.25) == 70.25


def test_a_clock_without_runs_tells_nothing():
    assert not Clock([])
    assert (Clock([]).active(5.0), Clock([]).total, Clock([]).turns(1.0)) == (0.0, 0.0, [])


@pytest.mark.parametrize(
    ("asked", "data"),
    [("t>2.2", [2]), ("t=1..2", [1, "waits"]), ("t<0.5", [3]), ("t>=2.5", [2]), ("!t>=2", [1, 3]), ("t=0.25", [3])],
)
def test_a_filter_asks_for_the_time_that_is_told(asked, data):
    session, keep = answered(), parse(asked)
    customs = session.index.of_type["custom"]
    told = dict(zip(customs, (1, "waits", 2, 3), strict=True))
    assert [told[seq] for seq in kept(session, keep, lambda _: True, kind="custom").seqs] == data
    events = {seq: at(session.index.at[seq], custom(None)) for seq in customs}
    assert [told[seq] for seq, event in events.items() if keep(Record(seq, event, session, 0))] == data

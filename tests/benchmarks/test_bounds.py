"""The measures of the screen, small and with bounds that hold on a busy machine: what they catch is another order."""

import pytest

from tests.benchmarks import bench_events, bench_screen

pytestmark = [pytest.mark.benchmark, pytest.mark.terminal]


def rows(measures):
    return {row.what: row.measured for row in measures}


def test_the_first_picture_comes_before_the_graph_and_not_much_later_than_that_of_an_empty_app():
    found = rows(bench_screen.first_paint(rounds=2))
    assert found["runs whose graph was spawned before the paint"] == 0
    assert found["first paint, ratio"] < 6


def test_a_journal_is_read_at_once_and_costs_nothing_at_rest():
    found = rows(bench_screen.big_journal(20_000, rest=2))
    assert found["20000 events: a key is answered"] < 20
    assert found["20000 events: processor time until then"] < 10
    assert found["20000 events: memory"] < 250
    assert found["processor at rest, big journal"] < 10


def test_keys_are_answered_while_events_pour_in():
    found = rows(bench_screen.keys_under_load(rate=5_000, keys=24))
    assert found["key to picture, 5000 events/s in a journal: pause, p50"] < 500


def test_a_long_session_is_looked_through_in_no_time():
    found = rows(bench_events.long_session(30_000, 1_000))
    many = next(what for what in found if what.endswith("memory")).removesuffix(" events: memory")
    assert found[f"{many} events: memory"] < 200
    assert found[f"{many} events: processor time until then"] < 10
    assert found[f"{many} events: a jump anywhere, p99"] < 500
    assert found[f"{many} events: another filter, worst"] < 1_000

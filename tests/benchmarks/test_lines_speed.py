import pytest

from tests.benchmarks.bench_lines import measure

pytestmark = [pytest.mark.benchmark, pytest.mark.terminal]


def test_keys_are_answered_sooner_than_by_stock_widgets_while_more_events_come_in():
    lean = measure("lean", 10_000, 40, (120, 36))
    naive = measure("naive", 1_000, 8, (120, 36))
    assert lean["events_per_s"] > 5_000
    assert lean["p50_ms"] * 2 < naive["p50_ms"]

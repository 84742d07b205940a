import pytest

from tests.benchmarks.bench_values import measure

pytestmark = pytest.mark.benchmark


def test_a_large_state_is_open_long_before_a_stock_tree_is_and_keys_are_answered_in_it():
    found = measure(megabytes=2)
    assert found["open_ms"] * 6 < found["stock_open_ms"]
    assert found["key_worst_ms"] * 6 < found["stock_open_ms"]

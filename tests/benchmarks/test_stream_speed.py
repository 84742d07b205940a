import pytest

from tests.benchmarks.bench_stream import naive, ours

pytestmark = [pytest.mark.benchmark, pytest.mark.terminal]


def test_a_burst_of_tokens_takes_less_work_than_a_widget_that_is_written_to_once_per_token():
    lean, simple = ours(6_000, 2), naive(6_000, 2)
    assert lean.unpainted == 0
    assert lean.cpu * 2 < simple.cpu

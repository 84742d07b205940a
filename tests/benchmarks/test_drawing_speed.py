import pytest

from tests.benchmarks import bench_drawing

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("measure", bench_drawing.MEASURES)
def test_the_drawn_graph_keeps_up_with_the_run(measure):
    for row in bench_drawing.MEASURES[measure]():
        assert row.bound is None or row.measured < row.bound * 3, row.what

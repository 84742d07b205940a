"""What the timeline and the list of events look like, as pictures that were looked at."""

import pytest

from lgwatch.events import SpanStarted
from tests.factories import attempt, checkpoint, failed, result, run, task
from tests.tui.stage import played, recorded
from tests.tui.test_pictures import LARGE, MIDDLE, SMALL, picture, still  # noqa: F401  fixtures

SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])


@SIZES
def test_the_critical_path_of_a_run(picture, size):  # noqa: F811  the fixture
    assert picture(recorded("research"), size, "4", "C", "g")


@SIZES
def test_a_distance_is_measured_in_a_part_of_the_time(picture, size):  # noqa: F811
    keys = ("4", "g", "right_square_bracket", "m", "right_square_bracket", "plus", "plus")
    assert picture(recorded("research"), size, *keys)


def test_retries_and_back_off(picture):  # noqa: F811
    assert picture(recorded("flaky"), MIDDLE, "4")


def test_a_fan_out_of_a_thousand_is_one_row(picture, tmp_path):  # noqa: F811
    fan = [f"ask{number}" for number in range(1000)]
    began = [SpanStarted(span=f"s-{name}", kind="node", name="ask", task=name, node="ask") for name in fan[:900]]
    done = [
        failed("ask", id=name, step=2) if number % 300 == 7 else result("ask", id=name, step=2)
        for number, name in enumerate(fan[:700])
    ]
    app = played(
        tmp_path, run(), checkpoint("c1", step=1), task("plan"), attempt("plan"), result("plan"),
        *(task("ask", id=name, step=2) for name in fan), began, done,
    )  # fmt: skip
    assert picture(app, MIDDLE, "4")


def test_one_task_alone_and_a_cell_of_an_event(picture):  # noqa: F811
    keys = ("4", "g", "down", "down", "T", "shift+tab", "g", "down", "right", "right", "right")
    assert picture(recorded("supervisor"), MIDDLE, *keys)

"""What the page of a task, the state and its comparisons look like, as pictures that were looked at."""

import pytest

from lgwatch.events import GraphLoaded
from tests.factories import checkpoint, result, run, task
from tests.tui.stage import played, recorded
from tests.tui.test_pictures import LARGE, MIDDLE, SMALL, picture, still  # noqa: F401  fixtures

SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])


@SIZES
def test_the_page_of_a_task(picture, size):  # noqa: F811  the fixture
    assert picture(recorded("tool_agent"), size, "shift+tab", *(("v", "down") if size == LARGE else "g"), "enter")


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x36"])
def test_the_page_of_a_task_that_failed(picture, size):  # noqa: F811
    assert picture(recorded("flaky"), size, "shift+tab", "G", "enter")


@SIZES
def test_a_state_with_its_writers(picture, size):  # noqa: F811
    assert picture(recorded("research", until=12.0), size, "5")


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x36"])
def test_two_states_compared(picture, size):  # noqa: F811
    assert picture(recorded("approval-answered"), size, "5", "left_square_bracket", "left_square_bracket", "d")


def test_the_history_of_a_key(picture):  # noqa: F811
    assert picture(recorded("research"), MIDDLE, "5", "h")


def test_states_that_nobody_saved_and_one_that_was_changed_in_place(picture, tmp_path):  # noqa: F811
    graph = GraphLoaded(channels={"": {"topic": "", "notes": "add", "d": ""}})
    app = played(
        tmp_path, graph, run(input={"topic": "cats", "d": {"k": 1}}), task("web", input={"topic": "cats", "d": {"k": 1}}),
        task("arxiv", input={"topic": "cats"}), result("web", writes={"notes": ["a"]}), result("arxiv", writes={"notes": ["b"]}),
        task("sly", step=2, input={"topic": "cats", "d": {"k": 1}}), result("sly", step=2, writes={"topic": "dogs"}),
        task("last", step=3, input={"topic": "dogs", "d": {"k": 2}}), result("last", step=3),
    )  # fmt: skip
    assert picture(app, MIDDLE, "5", "left_square_bracket")


def test_a_value_of_a_state_that_was_searched_for(picture, tmp_path):  # noqa: F811
    values = {"outer": {"list": [{"n": n, "note": f"note {n}"} for n in range(60)]}, "text": "word " * 40}
    app = played(tmp_path, run(), checkpoint("c1", step=1, source="loop", values=values))
    keys = ("5", "slash", "'note 42", "enter")
    assert picture(app, MIDDLE, *keys, wait=lambda app: app.pane("state").view.found == "1/1")

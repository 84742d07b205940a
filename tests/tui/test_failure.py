"""What could not begin: the error stands on the screen in full, with what there is to do about it."""

from __future__ import annotations

from lgwatch.events import GraphLoaded, RunEnded
from lgwatch.sources import RunRequest
from lgwatch.tui.app import WatchApp
from tests.factories import ended, failed, run, task
from tests.tui.stage import Filed, drawn, played, shown, text_of, write

ERROR = {
    "type": "TargetError", "message": "agent.py:3 is not valid Python: invalid syntax",
    "traceback": '  File "agent.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax',
    "hint": "It was read by Python 3.11.",
}  # fmt: skip
REQUEST = RunRequest(input={}, has_input=True)


async def test_a_graph_that_does_not_load_is_told_with_its_place_and_is_loaded_again_on_a_key(tmp_path):
    path = write(tmp_path / "run.jsonl", RunEnded(run="r1", status="failed", error=ERROR))
    for changed, way in ((None, "r load it again"), (lambda: False, "goes on when a Python file is saved")):
        app = WatchApp(Filed(path), request=REQUEST, changed=changed)
        async with app.run_test(size=(80, 24)) as pilot:
            await drawn(pilot)
            seen = text_of(app)
            for words in ("does not load", "agent.py:3", "def f(:", "SyntaxError", "It was read by", way, "Load again"):
                assert words in seen, words
            await shown(pilot, "i")
            assert "r loads it again" in app.chrome.hint
            app.source.asked.clear()
            await pilot.press("r")
            await pilot.pause()
        assert app.reloading
        assert app.source.asked == []


async def test_an_input_that_no_run_can_begin_with_is_told_until_another_one_is_given(tmp_path):
    error = {"type": "InputError", "message": "the input has none of the graph's keys: topic", "hint": "write a topic"}
    app = played(tmp_path, GraphLoaded(target="stage:graph"), run(), ended("failed", error=error))
    async with app.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        assert "could not begin" in text_of(app)
        assert "write a topic" in text_of(app)
        write(app.source.path, run("r2"), after=5.0)
        await drawn(pilot)
        assert "could not begin" not in text_of(app)


async def test_a_task_that_failed_is_shown_by_the_panes(tmp_path):
    app = played(tmp_path, run(), task("ask"), failed("ask"), ended("failed", error={"type": "E", "message": "boom"}))
    async with app.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        assert not app.failure.display

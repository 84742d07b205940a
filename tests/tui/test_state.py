"""The state pane, on the real screen."""

import json

from lgwatch.events import GraphLoaded, Notice, ValueStored
from lgwatch.tui.nodes.pane import task_subject
from lgwatch.tui.pages.inspector import Inspector
from lgwatch.tui.state import rows as staterows
from tests.factories import checkpoint, ended, failed, result, run, task
from tests.tui.stage import bar, drawn, pane_text, played, recorded, shown, text_of, until, write

MIDDLE, SMALL = (120, 36), (80, 24)
GRAPH = GraphLoaded(channels={"": {"topic": "", "notes": "add", "d": "", "draft": ""}})


def message(text, name, kind="AIMessage"):
    return {"$type": kind, "fields": {"content": text, "id": name}}


STORY = [
    GRAPH, run(input={"topic": "cats"}), checkpoint("c0", step=0, source="loop", values={"topic": "cats", "d": {"k": 1}}),
    task("web", step=1, input={"topic": "cats"}), task("arxiv", step=1, input={"topic": "cats"}),
    result("web", writes={"notes": ["w"]}), result("arxiv", writes={"notes": ["x"]}),
    checkpoint("c1", step=1, source="loop", values={"topic": "cats", "d": {"k": 1}, "notes": ["w", "x"]}),
    task("write", step=2, input={"topic": "cats"}), result("write", step=2, writes={"draft": "one\ntwo"}),
    checkpoint("c2", step=2, source="loop", values={"topic": "cats", "d": {"k": 2}, "notes": ["w", "x"], "draft": "one\ntwo"}),
]  # fmt: skip


def at(app):
    return "".join(text for text, _ in app.pane("state").at_bar._row)


async def test_the_newest_state_shows_what_changed_in_its_step_by_whom_and_through_which_reducer(tmp_path):
    app = played(tmp_path, *STORY[:8])
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        text = pane_text(app, "state")
        assert "+ ▾ notes  list 2" in text
        assert "← web, arxiv: add" in text
        assert "s1  web, arxiv" in at(app)
        write(app.source.path, *STORY[8:], after=9)
        await drawn(pilot)
        assert "s2  write" in at(app)
        assert "← write" in pane_text(app, "state")
        assert "← web" not in pane_text(app, "state")


async def test_brackets_walk_the_states_and_f_follows_the_newest_again(tmp_path):
    app = played(tmp_path, *STORY[:8])
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "left_square_bracket")
        assert "s0  input" in at(app)
        write(app.source.path, *STORY[8:], after=9)
        await drawn(pilot)
        assert "s0  input" in at(app)
        assert "1/3" in at(app)
        await shown(pilot, "left_square_bracket", "right_square_bracket")
        assert "s1" in at(app)
        await shown(pilot, "F")
        assert "s2" in at(app)


async def test_d_marks_a_state_and_walking_compares_with_it(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "d")
        assert "s1 → s2" in at(app)
        assert '+ draft  "one two"' in pane_text(app, "state")
        assert "k  1 → 2" in pane_text(app, "state")
        assert "unchanged" in pane_text(app, "state")
        await shown(pilot, "left_square_bracket", "left_square_bracket")
        assert "s0 → s2" in at(app)
        assert '+ notes  ["w", "x"]' in pane_text(app, "state")
        await shown(pilot, "enter")
        assert isinstance(app.screen, Inspector)
        await shown(pilot, "escape", "d")
        assert app.pane("state").mode == "values"


async def test_messages_are_compared_by_message_and_texts_by_line(tmp_path):
    before = [message("hello", "1"), message("first " * 20, "2")]
    after = [message("hello", "1"), message("second " * 20, "2"), message("new", "3")]
    app = played(
        tmp_path, run(), checkpoint("a", step=1, source="loop", values={"messages": before, "text": "one\ntwo\nthree " * 9}),
        task("n", step=2), result("n", step=2), checkpoint("b", step=2, source="loop", values={"messages": after, "text": "one\n2\nthree " * 9}),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "d")
        text = pane_text(app, "state")
        assert "messages  list 2 → 3" in text
        assert "[1].content" in text
        assert '[2]  AIMessage "new"' in text
        assert "[0]" not in text
        assert "-     two" in text
        assert "+     2" in text


async def test_what_is_copied_of_a_comparison_is_whole(tmp_path):
    app = played(
        tmp_path, run(), ValueStored(id="v1", data=["x" * 200]), checkpoint("a", step=1, source="loop", values={"n": 1}),
        task("n", step=2), result("n", step=2), checkpoint("b", step=2, source="loop", values={"n": 1, "big": {"$ref": "v1"}}),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "d", "y")
        assert json.loads(app.clipboard) == {"before": None, "after": ["x" * 200]}


async def test_h_tells_how_a_key_came_to_be_and_enter_goes_there(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "h")
        assert "topic  1 value" in at(app)
        await shown(pilot, "escape", "down", "h")
        assert "d  2 values" in at(app)
        assert "not written" in pane_text(app, "state")
        await shown(pilot, "enter")
        assert "s0" in at(app)


async def test_a_long_history_is_read_over_several_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(staterows, "READ", 2)
    saved = [checkpoint(f"c{n}", step=n, source="loop", values={"topic": n}) for n in range(9)]
    app = played(tmp_path, GRAPH, run(), *saved)
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        pane = app.pane("state")
        pane.history.key_name = "topic"
        pane.turn("history")
        assert len(pane.history) == 2
        assert pane.behind
        await until(pilot, lambda: not pane.behind, 60)
        await drawn(pilot)
        assert "topic  9 values" in at(app)
        assert "s8" in pane_text(app, "state")


async def test_what_is_wrong_with_a_state_is_said_at_once_and_stands_at_its_key(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        await drawn(pilot)
        assert "⚠ write changed d.k in place, without writing it" in text_of(app)
        await shown(pilot, "5")
        assert "⚠ changed in place" in pane_text(app, "state")
        assert "⚠ write changed d.k in place" in at(app)
        assert "⚠" in "".join(text for text, _ in app.pane("state").steps.row(2, 40))
        await shown(pilot, "exclamation_mark")
        assert "1 of 1: ⚠ write changed d.k in place" in text_of(app)
        app.selected.show(task_subject(app.session.task("write")))
        await drawn(pilot)
        assert "⚠ write changed d.k in" in text_of(app)


async def test_a_key_that_was_written_for_nothing_stands_at_the_state_that_lacks_it(tmp_path):
    notice = Notice(code="unknown_key", text="web wrote 'nots', which is nowhere", task="web", node="web")
    app = played(tmp_path, *STORY[:5], notice, *STORY[5:8])
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        assert "⚠ web wrote 'nots'" in at(app)


async def test_without_a_checkpointer_states_are_rebuilt_and_say_so(tmp_path):
    app = played(
        tmp_path, GRAPH, run(input={"topic": "cats"}), task("web", input={"topic": "cats"}),
        result("web", writes={"notes": ["w"]}), ended(),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        assert "rebuilt" in at(app)
        assert "← web: add" in pane_text(app, "state")


async def test_where_a_run_failed_stands_below_its_last_state(tmp_path):
    error = {"type": "GraphRecursionError", "message": "limit", "traceback": ""}
    app = played(tmp_path, *STORY[:8], task("bad", step=2), failed("bad", step=2), ended("failed", error=error))
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        assert "✗ s2 bad: ValueError" in at(app)
        assert "✗ s2  bad" in text_of(app)


async def test_an_error_of_no_task_has_a_row_of_its_own(tmp_path):
    error = {"type": "GraphRecursionError", "message": "limit", "traceback": ""}
    app = played(tmp_path, *STORY, ended("failed", error=error))
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5")
        assert "✗ the run  GraphRecursionError" in text_of(app)
        await shown(pilot, "1")
        assert "✗ the run  GraphRecursionError" in pane_text(app, "nodes")
        app.pane("nodes").view.focus()
        app.pane("nodes").view.select(len(app.pane("nodes").steps.lines) - 1)
        await shown(pilot, "enter")
        assert "no task: the graph itself" in text_of(app)
        await shown(pilot, "escape", "6", "enter")
        assert "no task: the graph itself" in text_of(app)


async def test_selecting_a_task_elsewhere_shows_the_state_that_it_led_to_and_the_other_way_round():
    app = recorded("approval-answered")
    async with app.run_test(size=(200, 60)) as pilot:
        await drawn(pilot)
        app.pane("timeline").view.focus()
        await shown(pilot, "home")
        assert "s1  draft" in at(app)
        app.pane("state").view.focus()
        await shown(pilot, "right_square_bracket", "right_square_bracket")
        assert "s3  draft" in at(app)
        assert app.pointer.spot.task == app.pane("state").states.of()[4].tasks[0].id


async def test_the_states_of_subgraphs_are_shown_too():
    app = recorded("research")
    async with app.run_test(size=MIDDLE) as pilot:
        await shown(pilot, "5", "v")
        assert "research" in str(app.pane("state").border_title)
        assert "topic" in pane_text(app, "state")


async def test_a_state_fits_into_80_by_24_and_its_keys_are_named(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SMALL) as pilot:
        await shown(pilot, "5")
        assert "← write" in pane_text(app, "state")
        assert "[ ] Step" in bar(app, "keys")
        assert not app.pane("state").step_view.size.width
        await shown(pilot, "Y")
        assert app.clipboard == "topic"
        await shown(pilot, "down", "down")
        await drawn(pilot)
        assert str(app.pane("state").border_subtitle) == "d.k"

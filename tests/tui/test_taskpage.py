"""The page of one task, on the real screen."""

import pytest

from lgwatch.events import GraphLoaded, Notice, Output
from lgwatch.tui.nodes.pane import task_subject
from lgwatch.tui.pages import happened
from lgwatch.tui.pages.inspector import Inspector
from lgwatch.tui.pages.task import TaskPage
from tests.factories import (
    attempt,
    call,
    called,
    checkpoint,
    custom,
    ended,
    failed,
    interrupted,
    result,
    run,
    said,
    span_end,
    task,
    token,
)  # fmt: skip
from tests.tui.stage import bar, drawn, played, recorded, shown, text_of, until, write

MIDDLE, SMALL = (120, 36), (80, 24)
TRACE = (
    'Traceback (most recent call last):\n  File "/venv/lib/python3.11/site-packages/x/y.py", line 2, in inner\n'
    '    deep()\n  File "agent.py", line 7, in writer\n    raise ValueError("boom")\nValueError: boom'
)
GRAPH = GraphLoaded(
    nodes=[{"id": "writer", "name": "writer", "kind": "node", "file": "agent.py", "line": 5}],
    edges=[{"source": "writer", "target": "critic", "conditional": False}],
    channels={"": {"topic": "", "notes": "add"}},
)
STORY = [
    GRAPH, run(), task("writer", triggers=("branch:to:writer",), input={"topic": "cats", "notes": ["old"]}),
    attempt("writer"), call(1), token("Cats are ", 1, tags=("joke",)), token("soft.", 1, tags=("joke",)),
    called(1, usage={"input_tokens": 7, "output_tokens": 3}), custom({"progress": 1}), Output(text="a print\n", task="writer"),
    span_end("writer-1"), result("writer", writes={"notes": ["new"]}),
    checkpoint("c1", step=1, source="loop", values={"topic": "cats", "notes": ["old", "new"]}),
    task("critic", step=2, input={"topic": "cats"}), custom({"of": "critic"}, "critic"),
]  # fmt: skip


async def page(pilot, *keys, node="writer"):
    app = pilot.app
    await drawn(pilot)
    app.selected.show(task_subject(app.session.task(node)))
    await drawn(pilot)
    await shown(pilot, *keys)
    assert isinstance(app.screen, TaskPage)
    return app.screen


async def test_a_page_has_what_a_task_saw_and_wrote_its_facts_and_only_its_events(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot)
        text = text_of(app)
        for part in (
            'topic  "cats"', "~ ▾ notes  list 1", "add", "unchanged  topic", "✓ done", "gpt-4o", "↑ 7  ↓ 3", "#joke",
            "notes (add)", "branch:to:writer", "agent.py:5", "s1  c1", "Cats are soft.", '{"progress": 1}', "print: a print",
        ):  # fmt: skip
            assert part in text, part
        assert '{"of": "critic"}' not in text


async def test_kinds_of_events_are_left_out_by_their_numbers(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot, "1", "3")
        assert "Cats are soft." not in text_of(app)
        assert "a print" not in text_of(app)
        assert '{"progress": 1}' in text_of(app)
        assert "1 tokens off  2 custom 1  3 logs off  4 tools 1" in text_of(app)
        await shown(pilot, "1")
        assert "Cats are soft." in text_of(app)


async def test_a_page_goes_on_while_its_task_does(tmp_path):
    app = played(tmp_path, *STORY[:5])
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot)
        assert "nothing yet" in text_of(app)
        write(app.source.path, token("More.", 1), result("writer", writes={"notes": ["late"]}), after=9)
        await drawn(pilot)
        await until(pilot, lambda: "More." in text_of(app) and "late" in text_of(app))


async def test_a_pause_holds_for_a_page_too(tmp_path):
    app = played(tmp_path, *STORY[:5])
    async with app.run_test(size=MIDDLE) as pilot:
        await drawn(pilot)
        await pilot.press("space")
        screen = await page(pilot)
        assert "nothing yet" in text_of(app)
        write(app.source.path, result("writer", writes={"notes": ["late"]}), after=9)
        await drawn(pilot)
        assert screen.shown_task.status == "done"
        assert "nothing yet" in text_of(app)
        app.action_pause()
        await drawn(pilot)
        await until(pilot, lambda: "late" in text_of(app))


async def test_the_lines_are_those_of_the_task_that_is_shown(tmp_path):
    app = played(
        tmp_path, run(), task("writer", id="w1", input={"n": 1}), result("writer", id="w1"), task("other"),
        task("writer", id="w2", step=3, input={"n": 2}), result("writer", id="w2", step=3),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await page(pilot, "left")
        await shown(pilot, "o")
        assert isinstance(app.screen, Inspector)
        assert app.screen.subject.task == screen.shown_task.id == "w1"


async def test_arrows_go_through_the_visits_of_the_node(tmp_path):
    app = played(
        tmp_path, run(), task("writer", id="w1", input={"n": 1}), result("writer", id="w1"), task("other"),
        task("writer", id="w2", step=3, input={"n": 2}), result("writer", id="w2", step=3),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await page(pilot)
        assert "visit 2 of 2" in bar(screen, "task-title")
        await shown(pilot, "left")
        assert "visit 1 of 2" in bar(screen, "task-title")
        assert "n  1" in text_of(app)
        await shown(pilot, "left", "right", "right")
        assert "n  2" in text_of(app)
        assert "with the same" not in text_of(app)


async def test_a_visit_with_an_input_that_the_node_had_before_says_so(tmp_path):
    visits = [task("writer", id=f"w{step}", step=step, input={"n": 1}) for step in range(1, 4)]
    app = played(tmp_path, run(), visits)
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot)
        assert "visit 3 with the same" in text_of(app)


async def test_a_failed_task_shows_its_error_with_the_users_frames_first_its_input_its_siblings_and_the_runs_end(
    tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr("lgwatch.tui.pages.task.open_at", lambda app, file, line: opened.append((file, line)) or "")
    error = {"type": "ValueError", "message": "boom", "traceback": TRACE}
    app = played(
        tmp_path, GRAPH, run(), task("writer", input={"topic": "cats"}), task("helper"), result("helper"),
        result("writer", error=error), ended("failed", error=error),
    )  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot)
        text = text_of(app)
        assert "Error" in text
        assert text.index("ValueError: boom") < text.index("agent.py:7") < text.index("x/y.py:2")
        for part in (
            'topic  "cats"',
            'raise ValueError("boom")',
            "helper ✓ done",
            "✗ failed",
            "after",
            "by this error",
        ):
            assert part in text, part
        await shown(pilot, "y")
        assert app.clipboard == TRACE
        await shown(pilot, "down", "e")
        assert opened == [("agent.py", 7)]
        await shown(pilot, "tab", "e")
        assert opened[-1] == ("agent.py", 5)
        await shown(pilot, "y")
        assert "beside     helper ✓ done" in app.clipboard
        await shown(pilot, "tab", "G", "y")
        assert "✗ ValueError: boom" in app.clipboard


async def test_a_question_and_its_answer_stand_where_the_writes_would(tmp_path):
    app = played(tmp_path, run(), task("ask"), interrupted("ask", "go on?"), ended("interrupted"))
    async with app.run_test(size=MIDDLE) as pilot:
        await page(pilot, node="ask")
        assert 'asks  "go on?"' in text_of(app)


async def test_what_a_task_wrote_for_nothing_is_told(tmp_path):
    notice = Notice(
        code="unknown_key", text="writer wrote 'nots', which the state does not have", task="writer", node="writer"
    )
    app = played(tmp_path, GRAPH, run(), task("writer"), notice, result("writer"))
    async with app.run_test(size=(200, 60)) as pilot:
        await page(pilot)
        assert "⚠ writer wrote 'nots'" in text_of(app)


async def test_where_there_is_no_room_for_three_parts_tab_goes_from_one_to_the_next(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SMALL) as pilot:
        await page(pilot)
        assert "[In] │ Out │ Facts" in text_of(app)
        assert "unchanged" not in text_of(app)
        await shown(pilot, "tab")
        assert "In │ [Out] │ Facts" in text_of(app)
        assert "unchanged" in text_of(app)
        await shown(pilot, "tab", "tab")
        assert app.screen.events_view.has_focus
        await shown(pilot, "tab")
        assert "[In] │ Out │ Facts" in text_of(app)


async def test_enter_opens_an_event_and_what_ran_inside_and_o_the_lines(tmp_path):
    inner = ("writer:writer",)
    app = played(tmp_path, run(), task("writer"), task("deep", ns=inner), result("deep", ns=inner), custom({"n": 1}))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await page(pilot)
        screen.events_view.focus()
        index = next(number for number, one in enumerate(screen.happened.shown) if one.word[0] == "cust")
        screen.events_view.select(index)
        await shown(pilot, "enter")
        assert isinstance(app.screen, Inspector)
        await shown(pilot, "question_mark")
        assert "Copy it as Python" in text_of(app)
        await shown(pilot, "escape", "escape", "question_mark")
        assert "Leave out custom" in text_of(app)
        await shown(pilot, "escape", "o")
        assert isinstance(app.screen, Inspector)
        await shown(pilot, "escape")
        index = next(number for number, one in enumerate(screen.happened.shown) if one.task is not None)
        screen.events_view.select(index)
        await shown(pilot, "enter")
        assert "writer/deep" in bar(screen, "task-title")
        await shown(pilot, "q")
        assert len(app.screen_stack) == 1


async def test_a_task_of_very_many_events_says_how_many_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(happened, "MOST", 5)
    app = played(tmp_path, run(), task("writer"), (custom({"n": n}) for n in range(8)))
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await page(pilot)
        assert len(screen.happened._lines) == 5
        assert "and 4 more events, in the journal" in text_of(app)
        write(app.source.path, custom({"n": 8}), after=9)
        await drawn(pilot)
        await until(pilot, lambda: "and 5 more events" in text_of(app))
        assert len(screen.happened._lines) == 5
        await shown(pilot, "left")
        screen.open_task(screen.shown_task)
        await until(pilot, lambda: "and 5 more events" in text_of(app))


async def test_a_search_is_in_the_part_that_has_the_keys(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=MIDDLE) as pilot:
        screen = await page(pilot, "slash", "'old", "enter")
        assert screen.in_view.has_focus
        assert screen.in_view.path == "notes[0]"


@pytest.mark.parametrize("name", ["research", "noisy", "approval-answered"])
async def test_every_task_of_the_samples_has_a_page(name):
    app = recorded(name)
    async with app.run_test(size=MIDDLE) as pilot:
        await drawn(pilot)
        tasks = list(app.session.tasks())
        screen = await page(pilot, node=tasks[0].id)
        for one in tasks[1:8]:
            screen.open_task(one)
            await pilot.pause()
            assert "cannot be rendered" not in text_of(app)
            assert one.path in bar(screen, "task-title")


async def test_a_task_that_failed_is_named_wherever_the_runs_error_is(tmp_path):
    app = played(tmp_path, run(), task("writer"), failed("writer"), said("x", node="other"), ended("failed", error={
        "type": "ValueError", "message": "boom", "traceback": "",
    }))  # fmt: skip
    async with app.run_test(size=MIDDLE) as pilot:
        for key in "1234567":
            await shown(pilot, key)
            assert "✗ writer: ValueError: boom" in text_of(app), key

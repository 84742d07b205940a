"""Selecting anywhere selects everywhere, and the ways from one spot to the next."""

import pytest

from lgwatch.events import CustomWritten, MessageChunk, Notice, Output, SpanStarted
from tests.factories import ended, failed, result, run, task
from tests.tui.stage import drawn, pane_text, played, shown, text_of, write

SIZE = (200, 60)


def visit(node, number, step, *, ns=(), error=""):
    """One visit of a node that says, writes and prints something."""
    name = f"{node}{number}"
    mine = {"task": name, "ns": ns}
    yield task(node, id=name, step=step, ns=ns)
    yield SpanStarted(span=f"{name}-1", kind="node", name=node, node=node, **mine)
    yield CustomWritten(node=node, data=f"custom of {name}", **mine)
    yield Output(text=f"print of {name}\n", node=node, **mine)
    yield MessageChunk(
        message=f"m-{name}", node=node, text=f"words of {name}", whole=True, last=True, step=step, **mine
    )
    if error:
        yield failed(node, error, id=name, step=step, ns=ns)
    else:
        yield result(node, id=name, step=step, ns=ns)


STORY = [
    run(), *visit("plan", 1, 1), *visit("work", 1, 2), *visit("work", 2, 2), *visit("plan", 2, 3),
    Notice(code="blocked", text="the event loop is blocked"), *visit("work", 3, 4, error="boom"), *visit("write", 1, 5), ended(),
]  # fmt: skip


def selected(app, name):
    """The text of the row under a pane's cursor."""
    pane = app.pane(name)
    view = pane.view
    return pane.rows.text(view.cursor, view.width_of_rows()) if view.cursor is not None else ""


@pytest.fixture
def screen(tmp_path):
    return played(tmp_path, *STORY)


async def test_a_task_that_is_selected_in_one_pane_is_selected_in_all(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane("nodes").view.focus()
        await shown(pilot, "g", "down", "down")
        assert screen.pointer.spot.task == "work2"
        assert "work2" in selected(screen, "custom")
        assert "work2" in selected(screen, "console")
        assert "work" in selected(screen, "timeline")
        assert screen.pane("events").spot().task == "work2"
        assert screen.pane("tokens").record.id == "m-work2"


@pytest.mark.parametrize("name", ["custom", "console", "events", "timeline", "tokens"])
async def test_every_pane_says_what_is_selected(screen, name):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane(name).view.focus()
        await shown(pilot, *(["left_curly_bracket"] * 2 if name == "tokens" else ["g", "down"]))
        spot = screen.pointer.spot
        assert spot is not None
        for other in ("custom", "console", "events", "timeline"):
            found = screen.pane(other).spot()
            assert found.task == spot.task, other


async def test_what_is_newest_is_followed_by_all_panes_again(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane("events").view.focus()
        await shown(pilot, "g", "down", "down")
        assert not screen.pane("custom").view.following
        await shown(pilot, "F")
        assert screen.pointer.spot is None
        assert all(screen.pane(name).view.following for name in ("custom", "console", "events", "timeline", "tokens"))


async def test_what_was_selected_stays_while_more_comes(tmp_path):
    app = played(tmp_path, *STORY[:-1])
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("events").view.focus()
        await shown(pilot, "end", "up", "up")
        assert app.pointer.spot.task == "write1"
        write(tmp_path / "run.jsonl", *visit("late", 1, 6), after=50.0)
        await drawn(pilot)
        assert app.pane("nodes").spot().task == "write1"
        assert app.pane("timeline").spot().task == "write1"
        assert "write1" in selected(app, "custom")


async def test_a_pane_that_comes_to_the_screen_goes_to_the_spot(screen):
    async with screen.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        screen.pane("nodes").view.focus()
        await shown(pilot, "g", "down", "4")
        assert screen.pane("events").spot().task == "work1"


async def test_brackets_walk_supersteps(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane("nodes").view.focus()
        await shown(pilot, "g")
        steps = []
        for _ in range(4):
            await shown(pilot, "right_square_bracket")
            steps.append(screen.pointer.spot.task)
        assert steps == ["work1", "plan2", "work3", "write1"]
        await shown(pilot, "left_square_bracket")
        assert screen.pointer.spot.task == "work3"
        assert "step 4" in text_of(screen)


async def test_braces_walk_the_visits_of_a_node(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane("timeline").view.focus()
        await shown(pilot, "g", "down")
        await shown(pilot, "right_curly_bracket", "right_curly_bracket")
        assert screen.pointer.spot.task == "work3"
        assert "visit 3 of 3" in text_of(screen)
        await shown(pilot, "right_curly_bracket")
        assert "there is no other" in text_of(screen)
        await shown(pilot, "left_curly_bracket")
        assert screen.pointer.spot.task == "work2"


async def test_comma_and_point_walk_the_events_that_the_filter_keeps(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.set_filter("type:custom")
        screen.pane("nodes").view.focus()
        await shown(pilot, "g", "full_stop", "full_stop")
        assert "work1" in screen.source.line(screen.pointer.spot.seq)["data"]
        await shown(pilot, "comma")
        assert "plan1" in screen.source.line(screen.pointer.spot.seq)["data"]
        await shown(pilot, "comma")
        assert "no event before" in text_of(screen)


async def test_the_exclamation_mark_goes_from_trouble_to_trouble_and_around(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "exclamation_mark")  # from nowhere: to the error
        assert screen.pointer.spot.task == "work3"
        assert "2 of 2: ✗ ValueError: boom" in text_of(screen)
        await shown(pilot, "exclamation_mark")
        assert "1 of 2: ⚠ the event loop is blocked" in text_of(screen)
        await shown(pilot, "exclamation_mark")
        assert "2 of 2" in text_of(screen)


async def test_one_key_keeps_only_the_selected_task_and_gives_all_back(screen):
    async with screen.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        screen.pane("nodes").view.focus()
        await shown(pilot, "g", "down", "T")
        assert screen.keep.source == "task=work1"
        assert "custom of work1" in pane_text(screen, "custom")
        assert "custom of work2" not in pane_text(screen, "custom")
        assert "words of work2" not in pane_text(screen, "tokens")
        await shown(pilot, "T")
        assert not screen.keep


async def test_only_this_task_is_only_this_task_and_what_ran_inside_of_it(tmp_path):
    inside = ("team:team1",)
    app = played(
        tmp_path, run(), task("team", id="team1"), *visit("ask", 1, 1, ns=inside), result("team", id="team1"), *visit("write", 1, 2)
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("timeline").view.focus()
        await shown(pilot, "g", "T")
        assert app.keep.source == "task=team1"
        assert [line.of.node for line in app.pane("timeline").rows.lines] == ["team", "ask"]
        assert "custom of ask1" in pane_text(app, "custom")
        assert "custom of write1" not in pane_text(app, "custom")


async def test_where_nothing_happened_the_keys_say_so(tmp_path):
    app = played(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        for key, words in (
            ("full_stop", "no event"), ("right_square_bracket", "no superstep"), ("exclamation_mark", "no error"), ("T", "no task"),
        ):  # fmt: skip
            await shown(pilot, key)
            assert words in text_of(app)

"""Solo, mute, the chooser and the snippet: whatever they do, they write the filter, and the bar shows it."""

from lgwatch.tui.pages.chooser import Chooser
from tests.factories import run, said, task
from tests.tui.stage import bar, drawn, pane_text, played, shown, text_of

SIZE = (120, 36)
STORY = [
    run(), task("cat"), task("dog"), said("Meow.", message="1", node="cat", tags=("soft", "pet"), model="small"),
    said("Wuff.", message="2", node="dog", tags=("pet",), model="large"),
]  # fmt: skip


def ticks(app):
    """The chooser's rows, without the room between."""
    view = app.screen.view
    return [" ".join(view.render_line(y).text.split()) for y in range(len(view.rows))]


async def test_s_solos_the_node_then_each_tag_then_nothing(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        seen = []
        await shown(pilot, "left_curly_bracket")
        for _ in range(4):
            await shown(pilot, "s")
            seen.append((app.keep.source, "Wuff." in pane_text(app, "tokens")))
        assert seen == [("path=cat", False), ("tag=soft", False), ("tag=pet", True), ("", True)]


async def test_the_bar_shows_what_a_solo_has_written_and_escape_takes_it_away(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "s")
        assert "path=dog" in bar(app, "prompt-label")
        await shown(pilot, "escape")
        assert not app.keep


async def test_x_mutes_the_task_that_is_selected_in_another_pane(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("timeline").view.focus()
        await shown(pilot, "end", "x")
        assert app.keep.source == "!path=dog"


async def test_x_mutes_and_capital_x_clears_but_not_what_was_typed(tmp_path):
    app = played(tmp_path, *STORY, filter_text="tag:pet")
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "x")
        assert app.keep.source == "tag:pet !path=dog"
        assert "Wuff." not in pane_text(app, "tokens")
        await shown(pilot, "X")
        assert app.keep.source == "tag:pet"
        assert "Wuff." in pane_text(app, "tokens")


async def test_the_chooser_lists_what_was_seen_and_a_tick_works_at_once(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "c")
        assert isinstance(app.screen, Chooser)
        rows = ticks(app)
        assert rows[:9] == [
            "Nodes", "[✓] cat 1", "[✓] dog 1", "Tags", "[✓] pet 2", "[✓] soft 1", "Models", "[✓] large 1", "[✓] small 1"
        ]  # fmt: skip
        await shown(pilot, "space")
        assert app.keep.source == "!path=cat"
        assert ticks(app)[1] == "[ ] cat 0 of 1"
        assert "Meow." not in pane_text(app, "tokens")
        await shown(pilot, "enter")
        assert not app.keep
        await shown(pilot, "down", "s")
        assert app.keep.source == "path=dog"
        await shown(pilot, "X", "escape")
        assert not app.keep
        assert len(app.screen_stack) == 1


async def test_a_click_turns_a_tick(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "c")
        await pilot.click(app.screen.view, offset=(4, 4))
        await drawn(pilot)
        assert app.keep.source == "!tag=pet"
        await pilot.click(app.screen.view, offset=(4, 4))
        await drawn(pilot)
        assert not app.keep


async def test_capital_y_copies_python_for_the_filter(tmp_path):
    app = played(tmp_path, *STORY, filter_text="tag:soft")
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "Y")
        assert 'graph.astream(inputs, stream_mode="messages"' in app.clipboard
        assert '"soft" in' in app.clipboard
        assert "copied Python for tag:soft" in text_of(app)


async def test_nothing_to_solo_is_said(tmp_path):
    app = played(tmp_path, run())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "s")
        assert "nothing is selected" in text_of(app)


async def test_solo_and_groups_work_on_a_picture_that_was_stopped(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "space", "s")
        assert "Meow." not in pane_text(app, "tokens")
        await shown(pilot, "X", "v")
        assert "Meow." in pane_text(app, "tokens")
        assert [path for path, _ in app.pane("tokens").blocks.columns] == ["cat", "dog"]

"""The line at the bottom: what is typed there is seen, whatever was typed before and however wide the terminal is."""

from __future__ import annotations

from lgwatch.events import Notice
from tests.factories import run, task, token
from tests.tui.stage import bar, drawn, played, shown

LONG = "kind:tool_call node:writer tag:draft !type:message"
STORY = [run(), task("writer"), token("a")]


def typed(app) -> str:
    return app.prompt.input.render_line(0).text.rstrip()


async def test_a_text_that_fits_is_shown_from_its_beginning_and_the_cursor_is_always_seen(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "f", f"'{LONG}")
        assert typed(app).endswith("message")
        assert not typed(app).startswith("kind")
        await pilot.resize_terminal(120, 24)
        await drawn(pilot)
        assert typed(app) == LONG
        await pilot.resize_terminal(80, 24)
        await drawn(pilot)
        assert typed(app).endswith("message")
        await shown(pilot, "ctrl+u", "'kind:text")
        assert typed(app) == "kind:text"
        app.prompt.input.scroll_x = 2  # as it is left by a text that was longer
        assert typed(app) == "kind:text"


async def test_a_filter_that_is_too_long_for_the_line_is_cut_visibly(tmp_path):
    app = played(tmp_path, *STORY, filter_text=LONG)
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert typed(app).startswith("kind:tool_call node:writer")
        assert typed(app).endswith("…")


async def test_news_does_not_hide_what_the_keys_do_for_who_types(tmp_path):
    app = played(tmp_path, *STORY, Notice(code="memory", text="kept in memory"))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "f", "'kind:text")
        assert "enter Keep" in bar(app, "keys")
        await shown(pilot, "enter")
        assert "kept in memory" in bar(app, "keys")

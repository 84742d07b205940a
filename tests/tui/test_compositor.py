"""The thrifty compositor paints what Textual's own would, and asks no widget that has no part in it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual._compositor import Compositor
from textual.app import App
from textual.containers import Horizontal
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static

from lgwatch.tui.lines.compositor import ThriftyScreen

SIZE = (40, 12)
NOWHERE = re.compile(r"\x1b\[\d+;\d+H(?=\x1b\[\d+;\d+H|\n|$)")


class Layered(App[None]):
    """Panes beside and below each other, one with a border and a title, and one that lies over others."""

    CSS = """
    Screen { layers: base over; }
    Static { height: 1fr; }
    #framed { border: round white; width: 15; }
    #over { layer: over; width: 11; height: 5; offset: 9 4; border: heavy red; }
    """

    def get_default_screen(self):
        return ThriftyScreen(id="_default")

    def compose(self):
        yield Static("header 漢字 " * 4, id="top")
        with Horizontal():
            framed = Static("some text\n" * 6, id="framed")
            framed.border_title = "a title"
            yield framed
            yield Static("more\n" * 8, id="side")
        yield Static("keys", id="bottom")
        yield Static("on top", id="over")


REGIONS = st.sets(
    st.tuples(st.integers(0, 39), st.integers(0, 11), st.integers(1, 40), st.integers(1, 12)).map(
        lambda box: Region(*box).intersection(Region(0, 0, *SIZE))
    ),
    min_size=1,
    max_size=4,
)


async def test_it_paints_what_the_stock_compositor_paints():
    app = Layered()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        own = app.screen._compositor

        def painted(render, regions):
            own._dirty_regions = set(regions)
            # The stock one also goes to where the next piece would begin, and draws nothing there.
            return NOWHERE.sub("", render(own).render_segments(app.console))

        @settings(max_examples=150, deadline=None)
        @given(REGIONS)
        def check(regions):
            assert painted(type(own).render_partial_update, regions) == painted(
                Compositor.render_partial_update, regions
            )

        check()
        assert own.render_partial_update() is None


@pytest.mark.parametrize(("changed", "asked"), [("top", {"top"}), ("framed", {"framed", "over"}), ("over", {"over"})])
async def test_a_change_asks_only_the_widgets_that_it_shows(changed, asked, monkeypatch):
    app, found = Layered(), []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        render = Widget.render_lines
        monkeypatch.setattr(Widget, "render_lines", lambda self, crop: found.append(self.id) or render(self, crop))
        app.query_one(f"#{changed}").refresh()
        await pilot.pause()
        assert set(found) == asked

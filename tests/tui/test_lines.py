import pytest
from textual.app import App

from lgwatch.tui.lines import LineView, terminal_is_behind
from lgwatch.tui.rows import Lines, Rows


class Screen(App):
    """One view, and what it said."""

    CSS = "Screen { overflow: hidden; }"

    def __init__(self, rows, **options):
        super().__init__()
        self.view = LineView(rows, **options)
        self.said = []
        self.painted = []

    def compose(self):
        view, refresh = self.view, self.view.refresh
        view.refresh = lambda *regions, **rest: (self.painted.append(regions), refresh(*regions, **rest))[1]
        yield view

    def on_line_view_moved(self, message):
        self.said.append(("moved", message.index))

    def on_line_view_selected(self, message):
        self.said.append(("selected", message.index))

    def on_line_view_following(self, message):
        self.said.append(("following", message.following))

    def on_line_view_searched(self, message):
        self.said.append(("searched", message.status))

    @property
    def lines(self):
        return [strip.text.rstrip() for strip in self.view.render_lines(self.view.size.region)]


def numbered(count, start=0):
    return [[(f"row {number}", "")] for number in range(start, start + count)]


async def test_rows_are_drawn_from_the_top():
    app = Screen(Lines(numbered(30)))
    async with app.run_test(size=(20, 5)):
        assert app.lines == ["row 0", "row 1", "row 2", "row 3", "row 4"]


async def test_a_view_with_a_tail_follows_its_end():
    rows = Lines(numbered(30))
    app = Screen(rows, tail=True)
    async with app.run_test(size=(20, 5)):
        assert app.lines[-1] == "row 29"
        rows.extend(numbered(3, 30))
        app.view.show(rows)
        assert app.lines[-1] == "row 32"
        assert app.view.following


async def test_nothing_moves_under_a_reader_who_scrolled_up():
    rows = Lines(numbered(30))
    app = Screen(rows, tail=True)
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.focus()
        await pilot.press("k", "k")
        assert not app.view.following
        before = app.lines
        rows.extend(numbered(37, 30))
        app.view.show(rows)
        assert app.lines[:4] == before[:4]
        assert app.lines[4].startswith(before[4])
        assert app.lines[4].endswith("37 new ↓")
        await pilot.press("F")
        assert app.lines[-1] == "row 66"
        assert ("following", False) in app.said
        assert ("following", True) in app.said


async def test_showing_the_same_twice_paints_nothing():
    rows = Lines(numbered(30))
    app = Screen(rows, tail=True)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        app.painted.clear()
        app.view.show(rows)
        app.view.show()
        assert app.painted == []


async def test_only_lines_that_changed_are_painted():
    rows = Lines(numbered(2))
    app = Screen(rows, tail=True)
    async with app.run_test(size=(20, 8)) as pilot:
        await pilot.pause()
        app.painted.clear()
        rows.append([("third", "")])
        app.view.show(rows)
        ((region,),) = app.painted
        assert (region.y, region.height) == (2, 1)


class Broken(Rows):
    """Rows of which one cannot be drawn."""

    def __len__(self):
        return 3

    def row(self, index, width):
        if index == 1:
            raise ValueError("\x1b[31mno")
        return [(f"row {index}", "")]


async def test_a_row_that_raises_is_a_line_of_warning():
    app = Screen(Broken())
    async with app.run_test(size=(60, 4)):
        assert app.lines[0] == "row 0"
        assert app.lines[1] == "⚠ this row cannot be rendered: ValueError"
        assert app.lines[2] == "row 2"


async def test_hostile_text_is_drawn_as_pictures():
    app = Screen(Lines([[("\x1b]52;c;x\x07", "no such style"), ("[bold]", "node3 bold")]]))
    async with app.run_test(size=(60, 4)):
        assert app.lines[0] == "␛]52;c;x␇[bold]"


async def test_the_cursor_moves_scrolls_and_opens():
    app = Screen(Lines(numbered(30)), cursor_row=True)
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.focus()
        await pilot.press("down", "j", "up", "enter")
        assert app.said == [("moved", 1), ("moved", 2), ("moved", 1), ("selected", 1)]
        await pilot.press("end")
        assert app.view.cursor == 29
        assert app.lines[-1].startswith("row 29")
        await pilot.press("g")
        assert (app.view.cursor, app.view.top) == (0, 0)
        await pilot.press("pagedown", "ctrl+d", "ctrl+u", "pageup")
        assert app.view.cursor == 0


async def test_a_click_moves_the_cursor_and_a_double_click_opens():
    app = Screen(Lines(numbered(30)), cursor_row=True)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.click(LineView, offset=(2, 3))
        assert app.said == [("moved", 3)]
        await pilot.click(LineView, offset=(2, 1), times=2)
        assert app.said[-1] == ("selected", 1)


async def test_the_wheel_scrolls_and_leaves_the_cursor():
    app = Screen(Lines(numbered(30)), cursor_row=True)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot._post_mouse_events([__import__("textual.events").events.MouseScrollDown], LineView, offset=(1, 1))
        await pilot.pause()
        assert app.view.top == 3
        assert app.view.cursor == 0


def test_an_app_that_is_not_running_has_no_terminal_behind():
    assert not terminal_is_behind(App())


@pytest.mark.parametrize("size", [(10, 3), (1, 1), (2, 2), (200, 60)])
async def test_every_size_can_be_drawn(size):
    rows = Lines([[("你好 wide and long " * 20, "accent")], *numbered(100)])
    app = Screen(rows, tail=True, cursor_row=True)
    async with app.run_test(size=size) as pilot:
        app.view.focus()
        await pilot.press("g", "right", "left", "k")
        rows.extend(numbered(5))
        app.view.show(rows)
        await pilot.pause()
        strips = app.view.render_lines(app.view.size.region)
        assert [strip.cell_length for strip in strips] == [size[0]] * size[1]

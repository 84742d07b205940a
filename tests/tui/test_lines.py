import gc
import time

import pytest
from textual import events
from textual.app import App

from lgwatch.tui.lines.look import RowStrip
from lgwatch.tui.lines.rows import Lines, Rows
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.lines.writer import terminal_is_behind
from lgwatch.tui.messages.flow import Wrapped


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
        await pilot._post_mouse_events([events.MouseScrollDown], LineView, offset=(1, 1))
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


async def test_a_search_goes_from_match_to_match_around_the_end():
    app = Screen(Lines([*numbered(30), [("the Needle", "ok")], *numbered(30, 31), [("a needle", "")]]), tail=True)
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.focus()
        app.view.search("needle")
        assert app.view.found == "2/2"
        assert "a needle" in app.lines[-1]
        await pilot.press("n")
        assert app.view.found == "1/2"
        assert "the Needle" in app.lines[1]
        assert not app.view.following
        await pilot.press("N")
        assert app.view.found == "2/2"
        app.view.search("Needle")
        assert app.view.found == "1/1"
        app.view.search("nothing like it")
        assert app.view.found == "no match"
        app.view.search(None)
        assert app.view.found == ""


async def test_matches_are_marked_across_spans():
    app = Screen(Lines([[("nee", "ok"), ("dle and needle", "bold error")]]))
    async with app.run_test(size=(30, 3)):
        plain = [style for _, style, _ in app.view.render_lines(app.view.size.region)[0]]
        app.view.search("needle")
        marked = app.view.render_lines(app.view.size.region)[0]
        assert [text for text, _, _ in marked][:4] == ["nee", "dle", " and ", "needle"]
        assert marked.text.startswith("needle and needle")
        assert {style.bgcolor for _, style, _ in [*marked][:2]} == {[*marked][3].style.bgcolor}
        assert [*marked][2].style == plain[1]


class Slow(Lines):
    """Rows that are searched one by one."""

    slice = 1

    def find(self, text, start, step, count, width):
        self.looks = getattr(self, "looks", 0) + 1
        deadline = time.perf_counter() + 0.002
        while time.perf_counter() < deadline:
            pass
        return super().find(text, start, step, count, width)


async def test_a_long_search_lets_keys_through():
    rows = Slow([*numbered(40), [("needle", "")]])
    app = Screen(rows)
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.search("needle")
        assert app.view.found == "…"
        assert rows.looks < 40
        for _ in range(200):
            await pilot.pause(0.005)
            if app.view.found != "…":
                break
        assert app.view.found in {"1/1", "found"}


class Tree(Rows):
    """Rows with names, in an order of their own."""

    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def row(self, index, width):
        return [(self.names[index], "")]

    def key(self, index):
        return self.names[index]

    def index_of(self, key):
        return self.names.index(key) if key in self.names else None


async def test_rows_that_come_above_move_neither_text_nor_cursor():
    rows = Tree([f"n{number}" for number in range(40)])
    app = Screen(rows, cursor_row=True)
    async with app.run_test(size=(20, 5)):
        app.view.scroll_rows(10)
        app.view.select(12)
        before = app.lines
        rows.names[3:3] = ["new", "newer"]
        app.view.show()
        assert app.lines == before
        assert rows.names[app.view.cursor] == "n12"
        del rows.names[:9]
        app.view.show()
        assert app.lines == before
        assert rows.names[app.view.cursor] == "n12"


async def test_rows_that_vanish_leave_a_cursor_that_exists():
    rows = Tree([f"n{number}" for number in range(40)])
    app = Screen(rows, cursor_row=True)
    async with app.run_test(size=(20, 5)):
        app.view.select(39)
        del rows.names[2:]
        app.view.show()
        assert app.view.cursor == 1
        assert app.lines == ["n0", "n1", "", "", ""]
        rows.names.clear()
        app.view.show()
        assert app.view.cursor is None


async def test_the_same_text_is_in_view_after_a_resize():
    flow = Wrapped()
    for name in "abcdef":
        flow.append(flow.add(name, lambda width, name=name: [(name, "title")]), f"{name}-word " * 100)
    flow.append(flow.add("last"), " ".join(f"w{number}" for number in range(300)))
    app = Screen(flow, tail=True)
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.scroll_rows(len(flow) - 25)
        first = app.lines[0].split()[0]
        await pilot.resize_terminal(25, 12)
        await pilot.pause()
        assert first in app.lines[0]
        await pilot.resize_terminal(10, 3)
        await pilot.pause()
        assert first in app.lines[0]


async def test_dragging_selects_text():
    app = Screen(Lines(numbered(30)))
    async with app.run_test(size=(20, 6)) as pilot:
        app.view.scroll_rows(10)
        await pilot.pause()
        await pilot.mouse_down(LineView, offset=(4, 1))
        await pilot.hover(LineView, offset=(2, 3))
        await pilot.mouse_up(LineView, offset=(2, 3))
        await pilot.pause()
        assert app.screen.get_selected_text() == "11\nrow 12\nrow"
        styles = {style for _, style, _ in app.view.render_lines(app.view.size.region)[2]}
        assert len(styles) > 1


async def test_the_scrollbar_can_be_dragged():
    app = Screen(Lines(numbered(100)), tail=True)
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.hover(LineView, offset=(19, 0))
        await pilot.mouse_down(LineView, offset=(19, 0))
        assert app.view.top == 0
        await pilot.hover(LineView, offset=(19, 9))
        assert app.view.top == 90
        await pilot.mouse_up(LineView, offset=(19, 9))
        assert app.view.following
        assert not app.screen.get_selected_text()


async def test_a_click_on_the_chip_follows_again():
    rows = Lines(numbered(30))
    app = Screen(rows, tail=True, cursor_row=True)
    async with app.run_test(size=(30, 5)) as pilot:
        app.view.scroll_rows(3)
        rows.extend(numbered(2))
        app.view.show()
        await pilot.click(LineView, offset=(26, 4))
        assert app.view.following


async def test_no_colour_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = Screen(Lines([[("red", "error"), ("green", "node3")]]))
    async with app.run_test(size=(20, 3)):
        for _, style, _ in app.view.render_lines(app.view.size.region)[0]:
            red, green, blue = style.color.triplet
            assert red == green == blue


async def test_a_theme_that_changes_is_drawn():
    app = Screen(Lines([[("red", "error")]]))
    async with app.run_test(size=(20, 3)) as pilot:
        before = app.view.render_lines(app.view.size.region)[0]._segments[0].style
        app.theme = "textual-light"
        await pilot.pause()
        assert app.view.render_lines(app.view.size.region)[0]._segments[0].style != before


async def test_frames_leave_no_garbage_for_the_cycle_collector():
    rows = Lines(numbered(100))
    app = Screen(rows, tail=True)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                rows.extend(numbered(5))
                app.view.show()
                app.screen._compositor.render_full_update()
            app.view._strips.clear()
            left = [strip for strip in gc.get_objects() if type(strip) is RowStrip]
            assert len(left) <= 10
        finally:
            gc.enable()


async def test_a_view_without_rows_says_so():
    rows = Lines()
    app = Screen(rows, tail=True, cursor_row=True)
    app.view.empty = [("nothing yet", "faint")]
    async with app.run_test(size=(20, 3)):
        assert app.lines == ["nothing yet", "", ""]
        rows.append([("something", "")])
        app.view.show()
        assert app.lines == ["something", "", ""]


async def test_a_huge_row_is_cut_before_it_is_looked_at(monkeypatch):
    seen = []
    monkeypatch.setattr("lgwatch.tui.lines.canvas.clean", lambda text: seen.append(len(text)) or text)
    app = Screen(Lines([[("x" * 5_000_000, "")], [("e" + "\u0301" * 100_000, "")]]))
    async with app.run_test(size=(20, 3)):
        assert app.lines[0] == "x" * 19
        assert max(seen) < 1000

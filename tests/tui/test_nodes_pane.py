"""The node panel on the screen: its three views, which of them is shown, and its keys."""

from pathlib import Path

import pytest

from lgwatch import tui
from lgwatch.events import GraphLoaded
from lgwatch.sources import RunRequest
from lgwatch.tui.app import WatchApp
from lgwatch.tui.lines.editor import command, program
from lgwatch.tui.pages.task import TaskPage
from tests.factories import attempt, ended, result, run, task
from tests.tui.shapes import SHAPES
from tests.tui.stage import Filed, bar, pane_text, played, recorded, shown, text_of, until, write

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 60)


def nodes(app):
    return app.pane("nodes")


def title(app):
    return str(nodes(app).border_title)


async def at_nodes(pilot, *keys):
    await shown(pilot)
    nodes(pilot.app).view.focus()
    await shown(pilot, *keys)


def shape(name):
    told, links = SHAPES[name]
    return GraphLoaded(nodes=told, edges=links)


@pytest.mark.parametrize(("size", "view"), [(SMALL, "list"), (MIDDLE, "list"), (LARGE, "graph")])
async def test_a_large_screen_begins_with_the_drawing_and_others_with_the_list(size, view):
    app = recorded("research", until=8.0)
    async with app.run_test(size=size) as pilot:
        await shown(pilot)
        assert title(app) == f"Nodes · {view}"


async def test_v_goes_through_the_views_and_the_border_names_them():
    app = recorded("research", until=8.0)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_nodes(pilot)
        seen = []
        for _ in range(3):
            await shown(pilot, "v")
            seen.append((title(app), pane_text(app, "nodes")))
        assert [name for name, _ in seen] == ["Nodes · graph", "Nodes · table", "Nodes · list"]
        assert "╭" in seen[0][1]
        assert "visits" in seen[1][1]
        assert "← " in seen[2][1]


async def test_the_drawing_that_was_chosen_is_a_list_while_there_is_no_room_for_it(tmp_path):
    told, _ = SHAPES["sixty"]
    app = played(tmp_path, shape("sixty"), run(), task(told[0]["id"]))
    async with app.run_test(size=(240, 60)) as pilot:
        await at_nodes(pilot, "v")
        assert title(app) == "Nodes · list (the graph needs more room)"
        await shown(pilot, "z")
        assert title(app) == "Nodes · graph"
        await shown(pilot, "escape")
        assert title(app) == "Nodes · list (the graph needs more room)"


async def test_a_filter_brings_the_list_unless_the_drawing_was_chosen():
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        await shown(pilot)
        app.set_filter("node:read")
        await shown(pilot)
        assert title(app) == "Nodes · list"
        await at_nodes(pilot, "v")
        assert title(app) == "Nodes · graph"


async def test_what_runs_is_kept_in_sight_until_one_looks_elsewhere():
    app = recorded("research", until=8.0)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_nodes(pilot, "v")
        assert "read" in pane_text(app, "nodes")
        await shown(pilot, "g")
        assert "START" in pane_text(app, "nodes")
        await shown(pilot)
        assert "read" not in pane_text(app, "nodes")
        await shown(pilot, "F")
        assert "read" in pane_text(app, "nodes")


async def test_arrows_go_from_node_to_node_and_enter_opens_the_newest_task():
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot, "g")
        assert "START" in pane_text(app, "nodes")
        assert nodes(app).graph.selected == "plan"
        assert nodes(app).subject().title.startswith("plan")
        await shown(pilot, "down")
        assert nodes(app).graph.selected == "research"
        await shown(pilot, "down", "down", "up")
        assert nodes(app).graph.selected == "research:ask"
        await shown(pilot, "right", "enter")
        assert isinstance(app.screen, TaskPage)


async def test_a_node_that_has_not_run_is_told_as_the_graph_has_it():
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        nodes(app).view.select_node("critique")
        subject = nodes(app).subject()
        assert subject.title == "critique · has not run"
        assert subject.facts["kind"] == "node"


async def test_a_click_selects_a_node():
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot, "g")
        view = nodes(app).view
        box = nodes(app).graph.drawing.boxes["plan"].rect
        margin = (view.width_of_rows() - nodes(app).graph.drawing.width) // 2
        await pilot.click(view, offset=(margin + box.x + 1, box.y - view.top + 1))
        assert nodes(app).graph.selected == "plan"


async def test_plus_and_minus_open_and_close_what_is_inside():
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        assert "ask" in pane_text(app, "nodes")
        await shown(pilot, "minus")
        assert "ask" not in pane_text(app, "nodes")
        await shown(pilot, "plus")
        assert "ask" in pane_text(app, "nodes")


async def test_the_table_is_sorted_by_the_next_column():
    app = recorded("research", until=8.0)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_nodes(pilot, "S", "S", "S")
        assert "by mean" in str(nodes(app).border_subtitle)
        rows = pane_text(app, "nodes").splitlines()
        assert "research" in rows[1]
        assert "plan" in rows[2]
        await shown(pilot, "home", "down")
        assert nodes(app).subject().title.startswith("research")


async def test_a_fan_out_is_one_row_until_it_is_opened(tmp_path):
    events = [run(), task("plan"), result("plan")]
    for number in range(60):
        events += [task("work", id=f"w{number}", step=2, triggers=("__pregel_push",))]
    events += [attempt("w3"), attempt("w4"), task("other", step=2)]
    app = played(tmp_path, *events)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_nodes(pilot, "g", "down")
        assert "work ×60" in pane_text(app, "nodes")
        assert "2 running" in pane_text(app, "nodes")
        assert len(nodes(app).steps.lines) == 3
        await shown(pilot, "enter")
        assert len(nodes(app).steps.lines) == 63
        assert not isinstance(app.screen, TaskPage)
        await shown(pilot, "enter")
        assert len(nodes(app).steps.lines) == 3


async def test_the_source_of_a_node_is_opened_at_its_line_only_where_it_is(tmp_path, monkeypatch):
    app = recorded("research", until=8.0)
    async with app.run_test(size=LARGE) as pilot:
        monkeypatch.chdir(tmp_path)
        await at_nodes(pilot, "e")
        assert "is not on this machine" in app.chrome.hint
        nodes(app).view.select_node("__start__")
        await shown(pilot, "e")
        assert "not known" in app.chrome.hint


async def test_the_source_of_a_node_is_looked_for_whatever_the_graph_calls_it(tmp_path):
    told = GraphLoaded(
        nodes=[{"id": "[/x]", "name": "[/x]", "kind": "node", "file": "/no/[/x].py", "line": 3}], edges=[]
    )
    app = played(tmp_path, told, run(), task("[/x]"))
    async with app.run_test(size=MIDDLE) as pilot:
        await at_nodes(pilot, "e")
        assert "/no/[/x].py is not on this machine" in text_of(app)


def test_nothing_on_the_screen_is_told_as_markup():
    modules = sorted(Path(tui.__file__).parent.rglob("*.py"))
    assert modules
    assert not [path.name for path in modules if "notify(" in path.read_text(encoding="utf-8")]


async def test_b_marks_a_breakpoint_that_every_view_shows_and_the_next_run_stops_at(tmp_path):
    app = played(
        tmp_path, shape("chain"), run(), task("plan"), result("plan"), task("search", step=2), attempt("search")
    )
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        nodes(app).view.select_node("search")
        await shown(pilot, "b")
        assert app.chrome.hint == "the next run stops before search"
        for _ in range(3):
            assert "●" in pane_text(app, "nodes")
            await shown(pilot, "v")
        write(app.source.path, ended(), after=9.0)
        await shown(pilot)
        await shown(pilot, "r")
        assert app.source.asked[-1][1].interrupt_before == ("search",)
        nodes(app).view.select_node("search")
        await shown(pilot, "b", "r")
        assert app.chrome.hint == "from the next run on, nothing stops before search"
        assert app.source.asked[-1][1].interrupt_before == ()


async def test_a_breakpoint_of_the_command_line_is_marked_and_one_inside_of_a_subgraph_is_no_promise(tmp_path):
    app = played(tmp_path, shape("nested"), run(), task("team"))
    app.request = RunRequest(interrupt_before=("*",))
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        assert "●" in pane_text(app, "nodes")
        nodes(app).view.select_node("team:lead")
        await shown(pilot, "b")
        assert app.control.breakpoints == {"team", "team:lead"}
        assert "inside of a subgraph" in app.chrome.hint
        write(app.source.path, ended(), after=9.0)
        await shown(pilot)
        await shown(pilot, "r")
        assert app.source.asked[-1][1].interrupt_before == ("team",)


async def test_a_recording_says_that_it_stops_nowhere(tmp_path):
    app = WatchApp(Filed(write(tmp_path / "run.jsonl", shape("one"), run(), task("only"))))
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot, "g", "b")
        assert app.chrome.hint == "only is marked; a recording stops nowhere"
        await shown(pilot, "b")
        assert app.chrome.hint == "only is no longer marked; a recording stops nowhere"


async def test_the_last_line_and_the_palette_have_the_keys_of_the_panel(tmp_path):
    app = played(tmp_path, shape("nested"), run(), task("team"))
    async with app.run_test(size=LARGE) as pilot:
        await shown(pilot)
        assert " b Break" not in bar(app, "keys")
        await at_nodes(pilot)
        for words in (" v View", " b Break", " + Deeper", " - Less deep", " S Sort", " e Source"):
            assert words in bar(app, "keys")
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert commands.keys() >= {"View", "Sort", "Deeper", "Less deep", "Break", "Source"}
        before = title(app)
        await commands["View"].callback()
        await shown(pilot)
        assert title(app) != before


async def test_a_click_on_the_last_line_presses_a_key_of_the_panel(tmp_path):
    app = played(tmp_path, shape("chain"), run(), task("plan"), result("plan"))
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        before = title(app)
        await pilot.click("#keys", offset=(bar(app, "keys").index("v View") + 3, 0))
        await until(pilot, lambda: title(app) != before)


async def test_a_breakpoint_is_seen_at_once_in_a_pause(tmp_path):
    app = played(tmp_path, shape("chain"), run(), task("plan"), result("plan"))
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot, "g", "space", "b")
        assert "●" in pane_text(app, "nodes")


async def test_the_page_of_a_node_tells_its_ways(tmp_path):
    app = played(tmp_path, shape("loop"), run(), task("agent"), result("agent"), task("tools", step=2), result("tools"))
    async with app.run_test(size=LARGE) as pilot:
        await at_nodes(pilot)
        nodes(app).view.select_node("agent")
        facts = nodes(app).subject().facts
        assert facts["led to"] == ["tools"]
        assert facts["not to"] == ["__end__"]
        assert facts["node"]["came from"] == {"__start__": 1}
        assert facts["node"]["visits"] == 1


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        ("vi", ["vi", "+7", "a b.py"]),
        ("/usr/bin/emacs -nw", ["/usr/bin/emacs", "-nw", "+7", "a b.py"]),
        ("code --wait", ["code", "--wait", "-g", "a b.py:7"]),
        ("hx", ["hx", "a b.py:7"]),
    ],
)
def test_an_editor_is_told_the_line_in_its_own_way(editor, words):
    assert command(editor.split(), "a b.py", 7) == words


@pytest.mark.parametrize(
    ("kind", "variables", "words"),
    [
        ("PAGER", {}, ["less"]),
        ("PAGER", {"PAGER": " "}, ["less"]),
        ("PAGER", {"PAGER": "''"}, ["less"]),
        ("PAGER", {"PAGER": "less 'x"}, ["less", "'x"]),
        ("PAGER", {"PAGER": "less -p 'a b'"}, ["less", "-p", "a b"]),
        ("EDITOR", {"VISUAL": "  ", "EDITOR": "nano"}, ["nano"]),
        ("EDITOR", {"VISUAL": "code --wait", "EDITOR": "nano"}, ["code", "--wait"]),
        ("EDITOR", {"VISUAL": "", "EDITOR": ""}, ["vi"]),
    ],
)
def test_a_program_is_the_one_that_is_named_or_the_usual_one(kind, variables, words, monkeypatch):
    for name in ("PAGER", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert program(kind) == words


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_a_drawing_with_a_node_under_the_cursor(snap_compare, size):
    async def before(pilot):
        await at_nodes(pilot, *(() if size == LARGE else ("v",)), "g", "down")

    assert snap_compare(recorded("research", until=8.0), terminal_size=size, run_before=before)


def test_a_table_of_the_nodes(snap_compare):
    async def before(pilot):
        await at_nodes(pilot, "S", "z")

    assert snap_compare(recorded("research", until=8.0), terminal_size=MIDDLE, run_before=before)

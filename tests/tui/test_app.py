"""What the keys do, on the real screen."""

import json
import re

import pytest
from textual.command import CommandPalette

from lgwatch.events import GraphLoaded, Notice, Output
from lgwatch.tui import chrome
from lgwatch.tui.app import WatchApp
from lgwatch.tui.pages.help import Help
from lgwatch.tui.pages.inspector import Inspector
from lgwatch.tui.pages.task import TaskPage
from tests.factories import (
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
    task,
    token,
)  # fmt: skip
from tests.tui.stage import (
    RECORDINGS,
    Filed,
    Stage,
    bar,
    drawn,
    pane_text,
    played,
    recorded,
    shown,
    text_of,
    until,
    write,
)

SIZE = (120, 36)
STORY = [
    run(), task("writer"), call(1), token("Cats are ", 1, tags=("joke",)), token("soft.", 1, tags=("joke",)),
    called(1), custom({"progress": 1}, "writer"), result("writer", writes={"joke": "…"}),
    task("critic", step=2), call(2, node="critic"), token("Dogs are loud.", 2, node="critic", tags=("poem",)), called(2),
    custom({"progress": 2}, "critic"), Output(text="a print", task="critic", node="critic"),
    checkpoint("c1", step=1, values={"joke": "soft", "n": 1}),
]  # fmt: skip


# ── the filter ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_filter_holds_for_every_pane_while_it_is_typed_and_says_how_many(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "Cats" in pane_text(app, "tokens")
        await shown(pilot, "f", "'node:critic")
        assert "Cats" not in pane_text(app, "tokens")
        assert "Dogs" in pane_text(app, "tokens")
        for name in ("nodes", "custom", "timeline"):
            assert "writer" not in pane_text(app, name)
            assert "critic" in pane_text(app, name)
        assert "a print" in pane_text(app, "console")
        assert app.pane("tokens").border_subtitle == "1 of 2 messages"
        assert app.pane("custom").border_subtitle == "1 of 2"
        assert re.search(r"\d+ of 15 events", bar(app, "prompt-note"))
        await shown(pilot, "enter", "escape")
        assert "Cats" in pane_text(app, "tokens")


async def test_a_filter_that_cannot_be_read_says_why_and_the_last_one_stays_in_force(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", "'tag:poem")
        app.prompt.input.value = "tag:poem nod:x"
        await drawn(pilot)
        assert app.keep.source == "tag:poem"
        assert "there is no field 'nod'" in bar(app, "keys")
        assert "Cats" not in pane_text(app, "tokens")
        await shown(pilot, "enter")
        assert app.prompt.purpose == "filter"
        app.prompt.input.value = "tag:poem"
        await shown(pilot, "enter")
        assert not app.prompt.purpose
        assert "Quit" in bar(app, "keys")


async def test_escape_while_typing_a_filter_takes_it_away(tmp_path):
    app = played(tmp_path, *STORY, filter_text="tag:poem")
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", "escape")
        assert not app.keep
        assert not app.prompt.purpose
        assert app.pane("tokens").view.has_focus


async def test_words_filter_by_text_and_are_counted_where_the_list_of_events_is_not_shown(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", "'dogs", "enter")
        assert not app.pane("events").display
        await until(pilot, lambda: "1 of 15" in bar(app, "prompt-note"))
        assert "Dogs" in pane_text(app, "tokens")
        assert "Cats" not in pane_text(app, "tokens")


async def test_a_word_is_looked_for_in_what_is_said_and_not_in_the_names_of_fields(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "4", "f", "'message", "enter")
        await drawn(pilot)
        assert len(app.pane("events").rows) == 0


async def test_the_filter_line_completes_what_was_seen(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", *"node:cr")
        await until(pilot, lambda: app.prompt.input._suggestion)
        await shown(pilot, "right")
        assert app.prompt.input.value == "node:critic"


async def test_a_completed_name_with_a_space_is_one_term(tmp_path):
    app = played(tmp_path, run(), task("my node"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", "'node:\"my n")
        await until(pilot, lambda: app.prompt.input._suggestion)
        await shown(pilot, "right", "enter")
        assert app.keep.source == 'node:"my node"'
        assert [word for word in app.sieve.words(app.session) if "my" in word] == ['node:"my node"']


# ── pause, follow, zoom, tabs ────────────────────────────────────────────────────────────────────────────────────────


async def test_pause_stops_the_picture_and_not_the_intake(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "space")
        before = pane_text(app, "custom")
        write(app.source.path, custom({"progress": 3}, "critic"), after=5)
        await drawn(pilot)
        assert "PAUSED" in bar(app, "header")
        assert pane_text(app, "custom") == before
        assert app.session.counts["custom"] == 3
        await shown(pilot, "space")
        assert "progress 3" in pane_text(app, "custom")
        assert "PAUSED" not in bar(app, "header")


async def test_follow_goes_to_the_end_and_stays_there(tmp_path):
    app = played(tmp_path, run(), *(custom({"n": n}) for n in range(50)))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "3", "g")
        view = app.pane("custom").view
        assert view.top == 0
        write(app.source.path, *(custom({"n": n}) for n in range(50, 60)), after=9)
        await drawn(pilot)
        assert view.top == 0
        await shown(pilot, "F")
        assert "n 59" in pane_text(app, "custom")
        write(app.source.path, custom({"n": 60}), after=19)
        await drawn(pilot)
        assert "n 60" in pane_text(app, "custom")


async def test_z_gives_the_focused_pane_the_whole_screen_and_takes_it_back(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("custom").view.focus()
        await shown(pilot, "z")
        assert [pane.id for pane in app.panes if pane.display] == ["custom"]
        assert app.pane("custom").size.width > 110
        await shown(pilot, "z")
        assert [pane.id for pane in app.panes if pane.display] == ["nodes", "tokens", "custom", "console", "timeline"]
        assert app.pane("custom").view.has_focus


@pytest.mark.parametrize("name", ["timeline", "events"])
@pytest.mark.parametrize("back", ["z", "escape"])
async def test_z_takes_one_pane_out_of_a_view_of_two_and_goes_back_to_it(tmp_path, name, back):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "4")
        app.pane(name).view.focus()
        await shown(pilot, "z")
        assert [pane.id for pane in app.panes if pane.display] == [name]
        assert app.pane(name).size.height > 28
        await shown(pilot, back)
        assert [pane.id for pane in app.panes if pane.display] == ["events", "timeline"]
        assert app.pane(name).view.has_focus
        await shown(pilot, "escape")
        assert len([pane for pane in app.panes if pane.display]) == 5


@pytest.mark.parametrize(
    ("key", "panes"),
    [("2", ["tokens"]), ("3", ["custom"]), ("4", ["events", "timeline"]), ("5", ["state"]), ("6", ["runs"]),
     ("7", ["console"])],
)  # fmt: skip
async def test_a_number_shows_its_panes_and_1_all_of_them(tmp_path, key, panes):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, key)
        assert [pane.id for pane in app.panes if pane.display] == panes
        assert any(app.pane(name).view.has_focus for name in panes)
        assert "no " not in pane_text(app, panes[0])
        await shown(pilot, "1")
        assert len([pane for pane in app.panes if pane.display]) == 5


async def test_tab_goes_through_the_panes_that_are_shown(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        seen = []
        for _ in range(5):
            seen.append(app.panes.focused.id)
            await shown(pilot, "tab")
        assert sorted(seen) == ["console", "custom", "nodes", "timeline", "tokens"]
        assert app.panes.focused.id == seen[0]


async def test_a_click_on_a_tab_or_on_a_key_does_what_it_says(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await pilot.click("#tabs", offset=(bar(app, "tabs").index("Custom"), 0))
        await drawn(pilot)
        assert [pane.id for pane in app.panes if pane.display] == ["custom"]
        await pilot.click("#keys", offset=(bar(app, "keys").index("Pause"), 0))
        await drawn(pilot)
        assert app.paused


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_search_works_in_the_focused_pane_with_a_count_and_goes_round(tmp_path):
    app = played(tmp_path, run(), *(custom({"n": n, "word": "odd" if n % 2 else "even"}) for n in range(40)))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "3", "g", "slash", "'odd", "enter")
        view = app.pane("custom").view
        assert view.has_focus
        await until(pilot, lambda: view.found == "1/20")
        assert "find: 1/20" in bar(app, "tabs")
        await shown(pilot, "n", "n")
        await until(pilot, lambda: view.found == "3/20")
        assert view.cursor == 5
        await shown(pilot, "N", "N", "N")
        await until(pilot, lambda: view.found == "20/20")
        await shown(pilot, "slash", "'nowhere", "enter")
        await until(pilot, lambda: view.found == "no match")
        await shown(pilot, "1", "escape")
        assert not view.found


# ── what is selected ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_enter_opens_what_is_selected_in_every_pane(tmp_path):
    app = played(tmp_path, *STORY, ended())
    async with app.run_test(size=(200, 60)) as pilot:
        await drawn(pilot)
        titles = {}
        for name in ("nodes", "tokens", "custom", "console", "events", "timeline"):
            app.pane(name).view.focus()
            await shown(pilot, "up", "o" if name == "tokens" else "enter")
            assert isinstance(app.screen, (Inspector, TaskPage)), name
            titles[name] = app.screen.subject.title
            await shown(pilot, "escape")
            assert app.pane(name).view.has_focus
        await shown(pilot, "6", "enter")
        titles["runs"] = app.screen.subject.title
        assert titles == {
            "nodes": "critic · step 2", "tokens": "message · critic", "custom": "custom · critic · line 13",
            "console": "output · critic · line 14", "events": "run_result · line 16", "timeline": "critic · step 2",
            "runs": "run r1",
        }  # fmt: skip


async def test_enter_opens_the_newest_where_nothing_was_selected_yet(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "3", "enter")
        assert app.screen.subject.title == "custom · critic · line 13"


async def test_the_inspector_shows_the_whole_payload_folds_and_searches_what_is_folded(tmp_path):
    deep = {
        "outer": {"list": [{"n": n, "straw": "x" * 200, "needle": "found me"} for n in range(5)]},
        "long": "word " * 60,
    }
    app = played(tmp_path, run(), task("writer"), custom(deep))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "3", "enter")
        assert "data  2 keys" in text_of(app)
        assert "found me" not in text_of(app)
        await shown(pilot, "slash", "'found me", "enter")
        await until(pilot, lambda: app.screen.view.found.startswith("1/"))
        assert app.screen.view.value() == "found me"
        await shown(pilot, "y")
        assert app.clipboard == "found me"
        await shown(pilot, "Y")
        assert app.clipboard == "data.outer.list[0].needle"
        await shown(pilot, "g", "down", "enter")
        assert app.screen.view.path == "data"
        before = len(app.screen.rows)
        await shown(pilot, "enter")
        assert len(app.screen.rows) != before
        await shown(pilot, "y")
        assert json.loads(app.clipboard) == deep
        await shown(pilot, "q")
        assert len(app.screen_stack) == 1


async def test_what_was_stored_once_is_whole_in_the_inspector():
    app = recorded("tool_agent")
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("nodes").view.focus()
        await shown(pilot, "g", "enter", "o", "slash", "'Beach or museum", "enter")
        await until(pilot, lambda: "Beach or museum" in text_of(app))
        text = json.dumps(app.screen.rows.resolved(app.screen.rows.sections))
        assert "Beach or museum" in text
        assert "$ref" not in text


async def test_y_copies_the_text_of_a_message_and_the_json_of_anything_else(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "y")
        assert app.clipboard == "Dogs are loud."
        await shown(pilot, "left_curly_bracket", "y")
        assert app.clipboard == "Cats are soft."
        app.pane("custom").view.focus()
        await shown(pilot, "g", "y")
        assert json.loads(app.clipboard)["custom at 0.600"]["data"] == {"progress": 1}


async def test_braces_go_from_message_to_message_and_the_lit_one_is_meant(tmp_path):
    long = "a word or two " * 80
    app = played(tmp_path, run(), task("writer"), *(said(f"{n}: {long}", message=f"m{n}") for n in range(12)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        view = app.pane("tokens").view
        assert view.current.key == "m11"
        await shown(pilot, "left_curly_bracket")
        assert view.current.key == "m10"
        assert not view.following
        await shown(pilot, "left_curly_bracket", "left_curly_bracket", "right_curly_bracket")
        assert view.current.key == "m9"
        assert view.top == view.rows.first_row(view.current)
        await shown(pilot, "o")
        assert app.screen.subject.text.startswith("9:")
        await shown(pilot, "escape", "g")
        assert view.current.key == "m0"
        await shown(pilot, "left_curly_bracket")
        assert view.current.key == "m0"
        await shown(pilot, "G")
        assert view.current.key == "m11"


async def test_a_click_lights_a_message_and_a_double_click_opens_it(tmp_path):
    app = played(tmp_path, run(), task("writer"), said("one", message="m1"), said("two", message="m2"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        view = app.pane("tokens").view
        assert view.current.key == "m2"
        await pilot.click(view, offset=(3, 1))
        assert view.current.key == "m1"
        await pilot.click(view, offset=(3, 1), times=2)
        await until(pilot, lambda: isinstance(app.screen, Inspector))
        assert app.screen.subject.text == "one"


async def test_t_tells_times_three_ways(tmp_path):
    app = played(tmp_path, GraphLoaded(target="x", at=0.5), run(), *(custom({"n": n}, at=2.0 + n) for n in range(3)))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "3")
        assert [line.split()[0] for line in pane_text(app, "custom").splitlines() if line] == [
            "1.400",
            "2.400",
            "3.400",
        ]
        await shown(pilot, "t")
        assert [line.split()[0] for line in pane_text(app, "custom").splitlines() if line] == [
            "+0.000",
            "+1.000",
            "+1.000",
        ]
        await shown(pilot, "t")
        assert re.match(r"\d\d:\d\d:02\.000 ", pane_text(app, "custom"))
        await shown(pilot, "t")
        assert "1.400" in pane_text(app, "custom")


async def test_wrapped_messages_are_not_shifted_out_of_the_picture_and_rows_that_are_cut_are(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "right")
        assert "Cats are soft." in pane_text(app, "tokens")
        app.pane("custom").view.focus()
        await shown(pilot, "right")
        assert app.pane("custom").view.left == 8


# ── what is new for a reader who is not at the end ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["events", "tokens", "console"])
async def test_only_what_came_since_is_new_and_not_what_a_filter_gives_back(tmp_path, name):
    lines = [Output(text=f"line {number}", task="critic", node="critic") for number in range(60)]
    words = [said(f"say {number}", message=f"m{number}", node="critic") for number in range(60)]
    app = played(tmp_path, *STORY, lines, words, ended())
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.panes.choose("z", (name,))
        await shown(pilot, "home", "up", "f", "'zzzz", "enter")
        await shown(pilot, "f", "ctrl+u", "enter")
        assert len(app.pane(name).rows) > 60
        assert not app.pane(name).view.following
        assert " new " not in pane_text(app, name)
        more = [Output(text="later"), said("later", message="m99", node="critic")]
        write(app.source.path, *more, after=90.0)
        await drawn(pilot)
        assert re.search(r" [1-4] new ↓", pane_text(app, name))


@pytest.mark.parametrize("keys", [["r"], ["i", "'{}", "enter"]], ids=["again", "input"])
async def test_a_run_that_a_person_starts_is_followed_by_every_pane(tmp_path, keys):
    app = played(tmp_path, *STORY, [custom({"n": number}) for number in range(40)], ended())
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.pane("nodes").view.focus()
        await shown(pilot, "up", "up")
        app.pane("custom").view.focus()
        await shown(pilot, "home")
        assert not app.pane("nodes").view.following
        await shown(pilot, *keys)
        assert app.source.asked[-1][0] == "start"
        assert all(pane.view.following for pane in app.panes if pane.view.tail)
        write(app.source.path, run("r2"), task("again", id="t9"), after=90.0)
        await drawn(pilot)
        assert "again" in pane_text(app, "nodes")
        assert " new " not in text_of(app)


async def test_a_notice_goes_away_by_the_clock_of_who_watches_although_the_run_is_over(tmp_path, monkeypatch):
    app = played(tmp_path, *STORY, Notice(code="memory", text="kept in memory"), ended())
    async with app.run_test(size=SIZE) as pilot:
        monkeypatch.setattr(chrome, "NEWS", 3600.0)
        await drawn(pilot)
        assert "kept in memory" in text_of(app)
        app.chrome.news_until = 0.0
        await until(pilot, lambda: "kept in memory" not in text_of(app), 60)


@pytest.mark.parametrize("way", ["a run starts", "another view"])
async def test_a_hint_goes_away_when_it_is_no_longer_true(tmp_path, way):
    app = played(tmp_path, *STORY, ended())
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        app.say("nothing runs", 3600)
        await drawn(pilot)
        assert "nothing runs" in text_of(app)
        if way == "another view":
            await shown(pilot, "4")
        else:
            write(app.source.path, run("r2"), after=90.0)
            await drawn(pilot)
        assert "nothing runs" not in text_of(app)


# ── help, palette, header ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_help_on_a_recording_names_no_key_that_needs_a_run(tmp_path):
    path = write(tmp_path / "run.jsonl", *STORY, ended())
    for source, named in ((Filed(path), False), (Stage(path), True)):
        app = WatchApp(source)
        async with app.run_test(size=SIZE) as pilot:
            await shown(pilot, "question_mark")
            rows = app.screen.view.rows
            text = "".join(rows.text(number, 90) for number in range(len(rows)))
            assert all((word in text) is named for word in ("Run again", "Stop after", "Give input"))


async def test_help_lists_the_keys_that_work_here_and_every_field_of_a_filter(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        rows = ["".join(text for text, _ in app.screen.view.rows.row(n, 90)) for n in range(len(app.screen.view.rows))]
        text = "\n".join(rows)
        assert "Tokens" in rows
        for word in ("space", "Filter", "{", "Previous message", "node:", "attempt:", "^x"):
            assert word in text, word
        assert "upper_" not in text
        keys = rows[1:]
        assert keys[0].split()[:2] == ["f", "Filter"]
        assert any(row.split()[:4] == ["1", "…", "7", "View"] for row in keys)
        await shown(pilot, "escape", "3", "question_mark")
        assert any(app.screen.view.rows.text(n, 90) == "Custom" for n in range(len(app.screen.view.rows)))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_no_line_of_the_help_is_cut(tmp_path, size):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=size) as pilot:
        await shown(pilot, "question_mark")
        view = app.screen.view
        rows = ["".join(text for text, _ in view.rows.row(n, 500)) for n in range(len(view.rows))]
        assert max(map(len, rows)) <= view.size.width
        assert max(map(len, rows)) > view.size.width - 12


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_opens_by_the_key_of_an_editor_and_by_that_of_other_apps(tmp_path, key):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, key)
        assert isinstance(app.screen, CommandPalette)


async def test_the_palette_has_every_action_that_has_a_key(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        keys = {active.binding.description for active in app.screen.active_bindings.values() if active.node is app}
        assert keys - {"Palette", "palette", "Quit", ""} <= set(titles)
        assert len(titles) == len(set(titles))
        assert {"Inspect", "Next match", "Screenshot", "Theme"} <= set(titles)
        pause = next(command for command in app.get_system_commands(app.screen) if command.title == "Pause")
        await pause.callback()
        assert app.paused


async def test_the_header_tells_what_runs_and_how_it_is(tmp_path):
    app = played(
        tmp_path, run(thread="abc", config={"recursion_limit": 25}), task("writer"), call(1),
        token("a", 1), token("b", 1, usage={"input_tokens": 1200, "output_tokens": 33}),
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        header = bar(app, "header")
        for word in (
            "lgwatch",
            "stage:graph",
            "thread abc",
            "RUN 00:00.4",
            "step 1/25 ▓░░░░░░░░░",
            "↑1 200 ↓33",
            "tok/s",
            "ev 5",
            "REC",
        ):
            assert word in header, word


async def test_a_recording_is_told_nothing(tmp_path):
    app = WatchApp(Filed(write(tmp_path / "run.jsonl", run(), task("ask"), interrupted("ask"), ended("interrupted"))))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "i")
        assert not app.prompt.purpose
        assert "recording" in bar(app, "tabs")
        await shown(pilot, "r", "ctrl+x")
        assert [name for name, _ in app.source.asked] == ["stop"]
        assert "FILE" in bar(app, "header")
        assert not app.question.has_class("-on")
        assert "press i" not in text_of(app)


# ── what a graph may do to the screen ────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    "[bold]loud[/]",
    "[/]",
    "[@click=app.exit]x[/]",
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "עברית\u202eabc",
    "日本語の名前",
    "👩‍👩‍👧 家",
)


async def test_nothing_of_a_graph_is_read_as_markup_or_reaches_the_screen_raw(tmp_path):
    events = [run(thread="[red]t"), GraphLoaded(target="[bold]")]
    for number, name in enumerate(HOSTILE):
        events += [
            task(name, step=number), call(number, node=name, model=name), token(name, number, node=name, tags=(name,)),
            custom({name: name}, name), Output(text=f"{name}\n{name}", task=name, node=name), result(name, writes={name: name}),
        ]  # fmt: skip
    events += [failed("last", "[/] boom"), interrupted("[ask]", {"[q]": "[/]"}, id="[i]"), ended("interrupted")]
    app = played(tmp_path, *events)
    app.source.label = "[bold]graph[/]"
    async with app.run_test(size=(200, 60)) as pilot:
        await drawn(pilot)
        text = text_of(app)
        assert "[bold]loud[/]" in text
        assert "日本語" in text
        assert "[bold]graph[/]" in bar(app, "header")
        assert all(char.isprintable() or char == "\n" for char in text)
        for name in ("nodes", "tokens", "custom", "console", "events"):
            app.pane(name).view.focus()
            await shown(pilot, "g", "enter", "escape")
        await shown(pilot, "question_mark", "escape", "i")
        assert app.is_running


async def test_a_row_that_cannot_be_drawn_is_a_warning_and_not_the_end(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:

        def broken(facet, line, width):
            raise ZeroDivisionError

        app.pane("custom").rows._draw = broken
        await shown(pilot, "3")
        assert "cannot be rendered: ZeroDivisionError" in pane_text(app, "custom")


async def test_resizing_without_end_changes_nothing_but_the_size(tmp_path):
    app = recorded("research")
    async with app.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        for width, height in [(80, 24), (30, 10), (200, 60), (10, 3), (71, 24), (120, 12), (1, 1), (120, 36)] * 2:
            await pilot.resize_terminal(width, height)
            await drawn(pilot)
        assert "research" in pane_text(app, "nodes")
        assert "DONE" in bar(app, "header")


async def test_a_small_terminal_shows_one_pane_and_the_tabs(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=(60, 16)) as pilot:
        await drawn(pilot)
        assert [pane.id for pane in app.panes if pane.display] == ["tokens"]
        assert "1 Watch" in text_of(app)
        await shown(pilot, "3")
        assert [pane.id for pane in app.panes if pane.display] == ["custom"]


async def test_at_80x24_the_models_have_ten_rows_even_when_a_question_is_asked(tmp_path):
    app = played(tmp_path, run(), task("ask"))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert app.pane("tokens").view.size.height >= 10
        write(app.source.path, *interrupted("ask", {"question": "?", "n": 1}), ended("interrupted"), after=5)
        await drawn(pilot)
        assert app.question.has_class("-on")
        assert app.pane("tokens").view.size.height >= 8


async def test_a_failed_run_says_why_in_full_width(tmp_path):
    app = played(tmp_path, run(), failed("settle", "no cover"),
                 ended("failed", error={"type": "DeclinedError", "message": "the account does not cover it", "traceback": ""}))  # fmt: skip
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert "✗ settle: DeclinedError: the account does not cover it" in text_of(app)
        assert "? Help" in text_of(app)


async def test_every_recording_is_shown_by_every_pane():
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        app = recorded(path.stem)
        async with app.run_test(size=(200, 60)) as pilot:
            await drawn(pilot)
            assert "cannot be rendered" not in text_of(app), path.stem
            assert app.session.status != "running"


async def test_a_pause_shows_the_last_number_of_a_border_first(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        pane = app.pane("custom")
        pane.mark("", "5 of many")
        pane.mark("", "6 of many")
        pane.mark("", "7 of many")
        await pilot.press("space")
        assert pane.border_subtitle == "7 of many"


async def test_a_tab_that_is_chosen_in_a_pause_shows_what_is_there(tmp_path):
    app = played(tmp_path, run(), task("a"), Output(stream="stdout", text="hello from a", node="a", task="a"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "space", "7")
        assert "hello from a" in pane_text(app, "console")


async def test_a_second_q_leaves_only_while_the_first_one_is_told(tmp_path):
    app = played(tmp_path, run(), task("a"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "q")
        assert "q again" in app.chrome.hint
        app.say("something else")
        await shown(pilot, "q")
        assert app.is_running
        assert "q again" in app.chrome.hint


async def test_the_line_closes_when_a_pane_is_given_the_keys_and_its_filter_holds(tmp_path):
    app = played(tmp_path, run(), task("writer"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "f", *"node:writer", "tab")
        assert app.prompt.purpose == ""
        assert app.keep.source == "node:writer"
        await shown(pilot, "f")
        assert app.prompt.purpose == "filter"


async def test_a_page_over_the_panes_is_no_reason_to_hurry(tmp_path):
    app = played(tmp_path, run(), task("a"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "4", "question_mark")
        write(app.source.path, custom({"n": 1}), after=5.0)
        app.take(app.source.poll())
        app.draw()
        assert not app.grows

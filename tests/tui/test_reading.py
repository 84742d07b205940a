"""Reading the token pane: folding, levels, groups, markdown, tools, and what a block is opened in."""

import json
import stat
from contextlib import contextmanager

from lgwatch.tui.messages.heading import USUAL, heading
from lgwatch.tui.pages.inspector import Inspector
from tests.factories import call, called, ended, interrupted, play, result, run, said, task, token
from tests.tui.stage import bar, drawn, pane_text, played, shown, text_of, until, write

SIZE = (120, 36)
ARGS = json.dumps({"query": "where do storks go", "places": ["Chad", "Sudan", "Kenya"], "year": 2026, "depth": 3})
TOOLS = [
    run(), task("agent"), call(1, node="agent"), token("Hm, birds.\nOr planes?", 1, node="agent", kind="reasoning"),
    token("I look it up.", 1, node="agent"),
    token(ARGS[:20], 1, node="agent", kind="tool_call", tool_call={"index": 0, "id": "c1", "name": "search"}),
    token(ARGS[20:], 1, node="agent", kind="tool_call", tool_call={"index": 0}),
]  # fmt: skip
REST = [
    called(1, usage={"input_tokens": 9, "output_tokens": 3}), result("agent"), task("tools", step=2),
    said("South of the Sahara.", message="t1", node="tools", role="tool", kind="tool_result", name="search",
         tool_call={"id": "c1"}),
]  # fmt: skip


def columns(app):
    """What the columns that are in view show, row by row."""
    for slot in app.pane("tokens").deck.slots:
        if slot.display:
            view = slot.view
            lines = (view.render_line(y).text.strip() for y in range(view.size.height))
            yield ["".join(text for text, _ in slot.head._row), *lines]


@contextmanager
def nothing():
    yield


async def test_enter_folds_the_lit_message_to_a_line_and_shows_all_of_it_again(tmp_path):
    app = played(
        tmp_path, run(), task("w"), said("one\ntwo", message="a", node="w"), said("three", message="b", node="w")
    )
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "left_curly_bracket", "enter")
        assert "one" not in pane_text(app, "tokens")
        assert "three" in pane_text(app, "tokens")
        await shown(pilot, "enter")
        assert "two" in pane_text(app, "tokens")
        assert len(app.screen_stack) == 1


async def test_enter_answers_and_folds_nothing_while_a_question_is_open(tmp_path):
    app = played(
        tmp_path, run(), task("w"), said("Shall I?", node="w"), task("ask"), interrupted("ask"), ended("interrupted")
    )
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "enter Answer" in bar(app, "keys")
        assert "Fold" not in bar(app, "keys")
        await shown(pilot, "enter")
        assert app.prompt.purpose == "answer"
        assert "Shall I?" in pane_text(app, "tokens")


async def test_less_and_more_set_how_much_of_every_message_is_shown(tmp_path):
    app = played(tmp_path, *TOOLS, *REST, ended())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        assert "Hm, birds. …" in pane_text(app, "tokens")
        assert "Or planes?" not in pane_text(app, "tokens")
        await shown(pilot, "greater_than_sign")
        assert "Or planes?" in pane_text(app, "tokens")
        assert "everything" in text_of(app)
        await shown(pilot, *["less_than_sign"] * 3)
        assert "I look it up." not in pane_text(app, "tokens")
        assert "headers only" in text_of(app)


async def test_reasoning_is_whole_while_it_comes_and_folds_when_the_call_ends(tmp_path):
    app = played(tmp_path, *TOOLS)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "Or planes?" in pane_text(app, "tokens")
        write(app.source.path, *REST, after=5)
        await drawn(pilot)
        assert "Or planes?" not in pane_text(app, "tokens")


async def test_arguments_are_put_in_order_at_the_end_and_the_result_stands_under_them(tmp_path):
    app = played(tmp_path, *TOOLS)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        assert '⚙ search {"query": "where do storks go", "places"' in pane_text(app, "tokens")
        write(app.source.path, *REST, after=5)
        await drawn(pilot)
        rows = [row.strip("┃ ") for row in pane_text(app, "tokens").split("\n")]
        assert '"query": "where do storks go",' in rows
        assert rows.index("→ South of the Sahara.") > rows.index('"depth": 3')
        header = rows[rows.index("→ South of the Sahara.") + 2]
        assert "tools tool result search ↑ under its call" in header
        assert pane_text(app, "tokens").count("South of the Sahara") == 1


async def test_a_result_whose_call_the_filter_leaves_out_is_shown_in_its_own_block(tmp_path):
    app = played(tmp_path, *TOOLS, *REST, ended(), filter_text="node:tools")
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "2", "f", "'x", "backspace", "enter")
        assert "South of the Sahara." in pane_text(app, "tokens")


async def test_search_finds_what_is_folded_and_unfolds_it(tmp_path):
    app = played(tmp_path, *TOOLS, *REST, ended())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", *["less_than_sign"] * 3, "slash", "'sahara", "enter")
        view = app.pane("tokens").view
        await until(pilot, lambda: view.found not in ("", "…"))
        await drawn(pilot)
        assert "South of the Sahara." in pane_text(app, "tokens")


async def test_finished_messages_are_markdown_on_a_key_and_plain_again(tmp_path):
    app = played(tmp_path, run(), task("w"), said("# Title\n\n- **one**\n- two", node="w"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        assert "**one**" in pane_text(app, "tokens")
        await shown(pilot, "M")
        assert "**one**" not in pane_text(app, "tokens")
        assert "one" in pane_text(app, "tokens")
        await shown(pilot, "M")
        assert "**one**" in pane_text(app, "tokens")


async def test_messages_are_grouped_by_call_by_node_and_as_one_stream(tmp_path):
    app = played(
        tmp_path, run(), task("a"), task("b"), said("go", message="h", node="a", role="human"), call(1, node="a"),
        call(2, node="b"), token("One ", 1, node="a"), token("Two ", 2, node="b"), token("cat.", 1, node="a"),
        token("hm", 2, node="b", kind="reasoning"), called(1), token("dogs.", 2, node="b"), called(2),
        said("again", message="m9", node="a"),
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        assert len(app.pane("tokens").rows.blocks) == 4
        await shown(pilot, "v")
        first, second = columns(app)
        assert first[0].split()[:2] == ["▸✓", "a"]
        assert second[0].split()[:2] == ["✓", "b"]
        assert [row for row in first if row in ("go", "One cat.", "again")] == ["go", "One cat.", "again"]
        assert [row for row in second if row in ("Two", "∴ hm", "dogs.")] == ["Two", "∴ hm", "dogs."]
        await shown(pilot, "v")
        text = pane_text(app, "tokens")
        assert text.index("human") < text.index("go") < text.index("One cat.") < text.index("Two")
        assert "hm" not in text
        await shown(pilot, "v")
        assert len(app.pane("tokens").rows.blocks) == 4
        assert app.pane("tokens").view.has_focus


async def test_in_one_stream_whoever_began_later_waits_and_nothing_is_mixed(tmp_path):
    app = played(
        tmp_path, run(), task("a"), task("b"), call(1, node="a"), call(2, node="b"), token("One ", 1, node="a"),
        token("Two ", 2, node="b"), token("cat.", 1, node="a"), token("dogs.", 2, node="b"),
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v", "v")
        assert "One cat." in pane_text(app, "tokens")
        assert "Two" not in pane_text(app, "tokens")
        write(app.source.path, called(1), after=5)
        await drawn(pilot)
        assert "Two dogs." in pane_text(app, "tokens")


async def test_a_filter_holds_for_groups_too(tmp_path):
    app = played(
        tmp_path, run(), task("a"), task("b"), said("cats", message="1", node="a"), said("dogs", message="2", node="b"),
        said("cows", message="3", node="a"),
    )  # fmt: skip
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v", "v", "f", "'!cats", "enter")
        text = pane_text(app, "tokens")
        assert ("cats" in text, "dogs" in text, "cows" in text) == (False, True, True)
        assert app.pane("tokens").border_subtitle == "2 of 3 messages"


async def test_the_prompt_of_the_lit_call_opens_by_roles(tmp_path):
    given = [
        {"$type": "SystemMessage", "fields": {"content": "You are terse."}},
        {"$type": "HumanMessage", "fields": {"content": "Why?"}},
    ]
    app = played(tmp_path, run(), task("writer"), call(1, input=given), token("So.", 1), called(1))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "P")
        assert isinstance(app.screen, Inspector)
        assert app.screen.rows.sections == {"1 system": "You are terse.", "2 human": "Why?"}


async def test_a_message_without_a_call_says_that_its_prompt_is_not_known(tmp_path):
    app = played(tmp_path, run(), task("writer"), said("So."))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "P")
        assert "no call whose prompt is known" in text_of(app)


async def test_the_clean_text_goes_to_the_pager_the_editor_and_the_clipboard(tmp_path, monkeypatch):
    taken = tmp_path / "taken"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ncat "$1" > {taken}\n')
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PAGER", str(program))
    monkeypatch.setenv("VISUAL", str(program))
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    app = played(tmp_path, run(), task("writer"), said("red \x1b[31m text"))
    monkeypatch.setattr(app, "suspend", nothing)
    async with app.run_test(size=SIZE) as pilot:
        for key in ("p", "e"):
            await shown(pilot, "2", key)
            assert "\x1b" not in taken.read_text()
            assert taken.read_text().startswith("red ")
            taken.unlink()
        await shown(pilot, "y")
        assert "\x1b" not in app.clipboard
        assert app.clipboard.endswith("text")


async def test_a_pager_that_is_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PAGER", "/no/such/pager")
    app = played(tmp_path, run(), task("writer"), said("text"))
    monkeypatch.setattr(app, "suspend", nothing)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "p")
        assert "cannot start /no/such/pager" in text_of(app)


async def test_a_pager_that_is_written_wrongly_does_not_end_the_screen(tmp_path, monkeypatch):
    app = played(tmp_path, run(), task("writer"), said("text"))
    monkeypatch.setattr(app, "suspend", nothing)
    monkeypatch.setenv("PAGER", "/no/such/pager 'x")
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "p")
        assert "cannot start /no/such/pager" in text_of(app)


async def test_usage_that_nobody_reported_says_so_and_how_to_get_it(tmp_path):
    app = played(
        tmp_path, run(), task("writer"), call(1), token("So.", 1), called(1, output={"finish_reason": "length"})
    )
    async with app.run_test(size=(160, 36)) as pilot:
        await shown(pilot, "2")
        assert "usage not reported (set stream_usage=True)" in pane_text(app, "tokens")
        assert " length" in pane_text(app, "tokens")
        assert "0 tok" not in pane_text(app, "tokens")


async def test_what_a_node_wraps_anew_is_shown_once_with_a_mark(tmp_path):
    app = played(
        tmp_path, run(), task("writer"), call(1), token("Only once.", 1), called(1), said("Only once.", message="other")
    )
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        assert pane_text(app, "tokens").count("Only once.") == 1
        assert "↻ said again" in pane_text(app, "tokens")


async def test_a_double_click_opens_a_message_once(tmp_path):
    app = played(tmp_path, run(), task("writer"), said("So."))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2")
        await pilot.click(app.pane("tokens").view, offset=(3, 1), times=2)
        await drawn(pilot)
        assert len(app.screen_stack) == 2
        assert app.screen.subject.text == "So."


def test_a_usual_reason_to_stop_is_no_news_whatever_the_providers_word_for_it():
    assert "STOP" in USUAL
    for reason in USUAL:
        session = play(task("writer"), call(1), token("So.", 1), called(1, output={"finish_reason": reason}))
        row = heading(session.message_list[0], 1, session.now, 80)
        assert reason not in "".join(text for text, _ in row)

"""An error of ours in one pane: it says so in a line, the others go on, and a report has the traceback."""

import pytest

from lgwatch.cli.watching import tell_troubles
from lgwatch.tui.lines import pane as panes_module
from tests.factories import call, called, custom, ended, run, task, token
from tests.tui.stage import drawn, pane_text, played, text_of, until, write

STORY = [run(), task("writer"), call(1), token("Cats are soft.", 1), called(1), custom({"progress": 1}, "writer")]
SIZE = (120, 36)


def sabotage(app, name, method="show", error="odd\x1b[2J data"):
    """Let a pane's method raise; return what ends that."""

    def broken(*_, **__):
        raise KeyError(error)

    setattr(app.panes[name], method, broken)
    return lambda: delattr(app.panes[name], method)


def line(app, name):
    return "".join(text for text, _ in app.panes[name]._complaint._row)


@pytest.mark.parametrize("name", ["nodes", "tokens", "custom", "timeline"])
async def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_go_on(tmp_path, name):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        sabotage(app, name)
        write(app.source.path, token("Dogs are loud.", 2), custom({"progress": 2}, "writer"), after=9)
        await until(pilot, lambda: app.panes[name].trouble)
        assert "the journal is intact" in line(app, name)
        assert "KeyError" in line(app, name)
        assert "\x1b" not in line(app, name)
        for other, text in (("tokens", "Dogs"), ("custom", "progress 2")):
            await until(pilot, lambda other=other, text=text: other == name or text in pane_text(app, other))
        await until(pilot, lambda: f"{app.panes[name].title_} could not be drawn" in text_of(app))
        await pilot.press("2", "1", "f", "escape", "tab", "enter")
        assert app.is_running


async def test_what_a_pane_is_asked_besides_is_netted_too(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        for method in ("subject", "reveal"):
            sabotage(app, "nodes", method)
        sabotage(app, "state", "mind")
        app.panes.events.rows.update = app.panes.nodes.subject
        app.panes.focus(app.panes.nodes)
        await pilot.press("enter", "period", "comma")
        await until(pilot, lambda: all(app.panes[name].trouble for name in ("nodes", "state", "events")))
        assert app.is_running


async def test_a_pane_is_drawn_again_when_it_can_be(tmp_path, monkeypatch):
    monkeypatch.setattr(panes_module, "REST", 0.05)
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        mend = sabotage(app, "custom")
        await until(pilot, lambda: app.panes["custom"].trouble)
        mend()
        write(app.source.path, custom({"progress": 3}, "writer"), ended(), after=9)
        await until(pilot, lambda: "progress 3" in pane_text(app, "custom"))
        assert not app.panes["custom"]._complaint.display
        assert app.panes["custom"].trouble


async def test_a_pane_that_cannot_be_drawn_rests_and_tries_at_once_with_another_filter(tmp_path):
    app, tried = played(tmp_path, *STORY), []
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)

        def broken(session, keep, now):
            tried.append(keep.source)
            raise ValueError

        app.panes["custom"].show = broken
        await until(pilot, lambda: tried)
        many = len(tried)
        app.draw()
        app.draw()
        assert len(tried) <= many + 1  # the rest may have ended just now
        app.set_filter("node:writer")
        app.draw()
        assert tried[-1] == "node:writer"


async def test_the_traceback_is_told_after_the_screen(tmp_path, capsys):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        sabotage(app, "custom")
        await until(pilot, lambda: app.panes["custom"].trouble)
    tell_troubles(app.panes)
    told = capsys.readouterr().err
    assert "Custom could not be drawn" in told
    assert "Traceback" in told
    assert "in broken" in told
    assert "\x1b" not in told

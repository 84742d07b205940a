import sys

from lgwatch.events import GraphLoaded, Header, Notice
from lgwatch.filter import parse
from lgwatch.tui import chrome
from lgwatch.tui.lines.bar import hints
from lgwatch.tui.lines.signs import cells
from tests.factories import call, ended, interrupted, play, run, task, token

NAMES = (("1", "Watch"), ("2", "Tokens"), ("3", "Custom"), ("4", "Timeline"))


def text(row):
    return "".join(span for span, _ in row)


def header(session, width=120, **more):
    options = {"recording": True, "paused": False} | more
    return text(chrome.header(session, "demo:graph", session.now, width, **options))


def test_before_anything_is_there_the_header_says_that_it_loads():
    session = play(start=False)
    assert "LOADING" in header(session)
    session.apply(GraphLoaded(target="x"))
    assert "READY" in header(session)


def test_the_header_has_the_limit_of_steps_only_where_it_means_something():
    assert "step 3/25" in header(play(run(config={"recursion_limit": 25}), task("a"), task("b", step=3)))
    assert "step 3/" not in header(play(run(config={"recursion_limit": 10_000}), task("a"), task("b", step=3)))
    assert "step 3 " in header(play(run(), task("a", step=3)))


def test_the_header_has_a_bar_of_the_limit_from_step_one():
    config = {"recursion_limit": 25}
    assert "step 1/25 ▓░░░░░░░░░ " in header(play(run(config=config), task("a", step=1)))
    assert "step 25/25 ▓▓▓▓▓▓▓▓▓▓ " in header(play(run(config=config), task("a", step=1), task("b", step=25)))
    assert f"step 5/25 {'▓' * 4}{'░' * 16} " in header(play(run(config=config), task("a"), task("b", step=5)), 180)
    assert "▓" not in header(play(run(config=config), task("a", step=1)), 80)


def test_a_run_that_goes_on_with_a_thread_counts_its_own_steps():
    session = play(task("a", step=1), ended(), run("r2", config={"recursion_limit": 9}), task("a", step=7))
    assert "step 7 · 1/9" in header(session)


def test_a_node_that_goes_in_circles_is_named():
    loop = [task("critique", id=f"c{step}", step=step, input={"n": 1}) for step in range(1, 5)]
    session = play(run(), loop, start=False)
    assert text(chrome.attention(session, "", live=True)) == "⚠ critique visited 4× with identical input"
    for event in [task("x", id=f"x{step}", step=step, input={"n": 1}) for step in range(5, 7)]:
        session.apply(event)
    assert text(chrome.attention(session, "", live=True)).endswith("identical input · 1 more")
    session.apply(ended())
    session.apply(run("r2", input={"n": 1}))
    assert text(chrome.attention(session, "", live=True)) == ""


def test_the_header_is_never_wider_than_the_screen():
    session = play(
        run(thread="家" * 40, config={"recursion_limit": 25}), task("writer", step=7), call(1), token("a"), token("b")
    )
    for width in (20, 40, 79, 80, 120, 200):
        row = chrome.header(session, "家" * 40, session.now, width, recording=True, paused=True)
        assert cells(row) <= width


def test_tabs_are_short_where_there_is_little_room():
    assert "Timeline" in text(chrome.tabs(NAMES, "1", 120))
    assert "Timeline" not in text(chrome.tabs(NAMES, "1", 80))
    assert "4 Timeline" in text(chrome.tabs(NAMES, "4", 80))


def test_that_the_graph_is_slow_to_load_is_no_news_once_it_is_loaded():
    session = play(Notice(code="loading", text="still loading after 5 s"), start=False)
    assert "still loading" in text(chrome.attention(session, "", live=True))
    session.apply(GraphLoaded(target="agent:graph"))
    assert text(chrome.attention(session, "", live=True)) == ""


def test_an_input_that_was_given_is_asked_for_no_more():
    session = play(Notice(at=1.0, code="needs_input", text="this graph needs an input"), start=False)
    assert "needs an input" in text(chrome.attention(session, "", live=True))
    session.apply(run(at=1.5))
    assert text(chrome.attention(session, "", live=True)) == ""


def test_what_ends_with_the_process_is_no_news_in_a_recording():
    session = play(run(), Notice(code="checkpointer", text="kept in memory"))
    assert text(chrome.attention(session, "", live=True)) == "⚠ kept in memory"
    assert text(chrome.attention(session, "", live=False)) == ""


def test_what_needs_attention_comes_in_the_order_of_its_weight():
    session = play(run(), Notice(code="x", text="a notice"))
    assert "a notice" in text(chrome.attention(session, "", live=True))
    for event in (*interrupted("ask"), ended("interrupted")):
        session.apply(event)
    assert "press i" in text(chrome.attention(session, "", live=True))
    assert "press i" not in text(chrome.attention(session, "", live=False))
    assert text(chrome.attention(session, "a hint", live=True)) == "a hint"


def test_an_error_is_told_with_its_type():
    session = play(run(), ended("failed", error={"type": "E", "message": "no [/] cover", "traceback": ""}))
    assert text(chrome.attention(session, "", live=True)) == "✗ E: no [/] cover"


def test_a_filter_is_shown_with_its_count_and_what_must_be_seen_only_without_one():
    session = play(run(), task("a"))
    news = [("look here", "warn")]
    row, note = chrome.filter_line(session, parse("node:a"), 1, 80, news)
    assert "node:a" in text(row)
    assert text(note).strip() == "1 of 2 events"
    row, note = chrome.filter_line(session, parse(""), 2, 80, news)
    assert ("look here" in text(row), note) == (True, [])


def test_keys_are_whole_or_not_there():
    pairs = [("f", "Filter", "app.filter"), ("q", "Quit", "app.leave")]
    assert text(hints(pairs, 80)) == " f Filter  q Quit "
    assert text(hints(pairs, 15)) == " f Filter "


def test_the_header_names_the_environment_of_a_graph_that_runs_in_another():
    session = play(run())
    session.header = Header(python="3.12.1", extra={"interpreter": "/somewhere/project/.venv/bin/python"})
    assert ".venv py3.12.1" in header(session)
    assert ".venv" not in header(session, width=90)
    session.header = Header(python="3.12.1", extra={"interpreter": sys.executable})
    assert "py3.12.1" not in header(session)


def test_the_header_says_what_the_journal_does_not_have():
    session = play(run())
    for extra, word in (({"redacted": True}, "REDACTED  REC"), ({"no_content": True}, "NO CONTENT  REC"), ({}, " REC")):
        session.header = Header(extra=extra)
        assert word in header(session, width=80)
    assert "REDACTED" not in header(session, width=80)
    session.header = Header(extra={"redacted": True})
    assert "REDACTED  ▷ FILE" in header(session, recording=False)

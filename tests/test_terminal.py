"""The whole program, as a person has it: keys go in, and what comes out is read as a terminal would show it."""

import os
import re
import signal

import pytest

from lgwatch.events import Interrupted, Notice, RunStarted
from tests.live import PATIENCE, eventually, is_gone, node
from tests.screens import (
    CTRL_C,
    CTRL_X,
    ENTER,
    ENTERED,
    ESCAPE,
    answers_keys,
    farewell,
    hides,
    is_restored,
    leave,
    recorded,
    results,
    runner_pid,
    shows,
    started,
    until,
    watching,
)

pytestmark = pytest.mark.terminal

CHATTY = """
def first(state):
    get_stream_writer()({"stage": "alpha"})
    print("printed by first")
    return {"text": "begun"}

def writer(state):
    get_stream_writer()({"stage": "omega"})
    return {"text": "done"}

graph = compiled(first, writer)
"""
ENDLESS = node("while True: time.sleep(0.01)")
ASKING = """
def asker(state):
    answer = interrupt({"question": "which colour?"})
    return {"text": f"it is {answer}"}

graph = compiled(asker)
"""
STUCK_IMPORT = """
import os
open("importing", "w").close()
with open("gate") as gate:
    gate.read()
def writer(state):
    return {"text": "done"}
graph = compiled(writer)
"""


# ── before, during and after ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_screen_is_there_before_the_imports_are_done_and_says_what_is_loading(tmp_path):
    os.mkfifo(tmp_path / "gate")
    with watching(tmp_path, STUCK_IMPORT) as terminal:
        assert eventually((tmp_path / "importing").exists)
        shows(terminal, "agent.py:graph", "LOADING", "space Pause")
        answers_keys(terminal)
        with (tmp_path / "gate").open("w"):
            pass
        shows(terminal, "DONE", "✓ writer")
        assert leave(terminal) == 0


def test_what_is_typed_at_the_first_picture_is_obeyed_when_the_panes_are_there(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        terminal.wait_for(b"\x1b[?2026l", PATIENCE)  # the end of a picture
        terminal.send("3 ")
        shows(terminal, "PAUSED", "Custom")
        terminal.send(" ")
        until(terminal, lambda screen: "omega" in screen and "Timeline ·" not in screen)
        assert leave(terminal) == 0


def test_a_run_is_seen_to_its_end_and_leaves_a_summary_with_its_journal(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "✓ first", "✓ writer", "alpha", "omega", "printed by first")
        assert leave(terminal) == 0
        assert is_restored(terminal)
        assert bytes(terminal.raw).startswith(b"lgwatch: loading agent.py:graph\r\n")
        assert re.search(r"✓ done in .* 2 tasks", farewell(terminal))
        assert f"journal: {tmp_path / 'run.jsonl'}" in farewell(terminal)
    assert [result.status for result in results(tmp_path)] == ["done"]


def test_what_was_switched_on_is_switched_off(tmp_path):
    with watching(tmp_path) as terminal:
        shows(terminal, "DONE")
        leave(terminal)
        raw = bytes(terminal.raw)
    assert raw.index(ENTERED) < raw.index(b"\x1b[?1049l")
    for mode in (b"?1000", b"?1003", b"?1006", b"?2004", b"?1004"):
        assert raw.rfind(b"\x1b[" + mode + b"l") > raw.rfind(b"\x1b[" + mode + b"h") > 0, mode
    assert raw.rfind(b"\x1b[?25h") > raw.rfind(b"\x1b[?25l") > 0


def test_nothing_is_left_behind(tmp_path):
    with watching(tmp_path, ENDLESS) as terminal:
        shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        assert leave(terminal) == 130
        assert is_gone(pid)
        assert "∅ stopped" in farewell(terminal)
    assert [result.status for result in results(tmp_path)] == ["stopped"]


def test_a_target_that_is_not_there_is_told_in_the_scrollback(tmp_path):
    with watching(tmp_path, "graph = 5") as terminal:
        shows(terminal, "FAILED")
        assert leave(terminal) == 2
        assert "not a graph" in farewell(terminal)
        assert "try:" in farewell(terminal)


def test_a_recording_is_opened_on_the_same_screen(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE")
        leave(terminal)
    with started(tmp_path, "open", "run.jsonl") as terminal:
        shows(terminal, "DONE", "✓ first", "alpha", "printed by first", "FILE")
        answers_keys(terminal)
        assert leave(terminal) == 0


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_filter_holds_for_every_pane_until_it_is_taken_back(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "alpha", "omega", "printed by first")
        terminal.send("fnode:writer")
        until(terminal, lambda screen: "omega" in screen and "alpha" not in screen and "printed by" not in screen)
        shows(terminal, " of ")
        terminal.send(ENTER)
        shows(terminal, "node:writer")
        terminal.send(ESCAPE)
        shows(terminal, "alpha", "omega", "printed by first")


def test_a_filter_that_cannot_be_read_is_told_and_the_last_one_stays(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "alpha")
        terminal.send("fnode:writer")
        hides(terminal, "alpha")
        terminal.send(" colour:red")
        shows(terminal, "✗", "colour")
        assert "alpha" not in "\n".join(terminal.screen())


def test_pausing_stops_the_picture_and_not_the_intake(tmp_path):
    os.mkfifo(tmp_path / "gate")
    body = node('open("gate").read(); get_stream_writer()({"late": "arrival"})')
    with watching(tmp_path, body) as terminal:
        shows(terminal, "RUN", "writer")
        terminal.send(" ")
        shows(terminal, "PAUSED")
        with (tmp_path / "gate").open("w"):
            pass
        shows(terminal, "DONE", "PAUSED")
        assert "arrival" not in "\n".join(terminal.screen())
        terminal.send(" ")
        shows(terminal, "arrival")


def test_a_pane_takes_the_whole_screen_and_gives_it_back(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "╭─ Nodes", "━ Tokens")
        terminal.send("z")
        hides(terminal, "─ Nodes")
        shows(terminal, "━ Tokens")
        terminal.send("z")
        shows(terminal, "╭─ Nodes")
        terminal.send("7")
        shows(terminal, "━ Console", "printed by first")
        hides(terminal, "─ Nodes")
        terminal.send("1")
        shows(terminal, "╭─ Nodes")


def test_the_inspector_shows_the_whole_payload(tmp_path):
    body = node('get_stream_writer()({"outer": {"deep": "at the bottom"}})')
    with watching(tmp_path, body) as terminal:
        shows(terminal, "DONE", "outer")
        terminal.send("3g" + ENTER)
        shows(terminal, "Pager", "outer")
        terminal.send("/bottom" + ENTER)
        shows(terminal, "at the bottom", "1/1")
        terminal.send(ESCAPE)
        hides(terminal, "Pager")


def test_search_counts_what_it_finds(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "printed by first")
        terminal.send("7/printed" + ENTER)
        shows(terminal, "1/1")


def test_help_lists_the_keys_and_goes_away(tmp_path):
    with watching(tmp_path) as terminal:
        shows(terminal, "DONE")
        terminal.send("?")
        shows(terminal, "To begin with", "Filter all panes")
        terminal.send("G")
        shows(terminal, "a regular expression")
        terminal.send(ESCAPE)
        hides(terminal, "━ Help")


def test_the_same_input_is_run_again(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE")
        terminal.send("r")
        assert eventually(lambda: len(results(tmp_path)) == 2)
        shows(terminal, "DONE")
        assert leave(terminal) == 0
        assert "2 runs" in farewell(terminal)


def test_copying_goes_through_the_terminal(tmp_path):
    with watching(tmp_path, CHATTY) as terminal:
        shows(terminal, "DONE", "alpha")
        assert b"\x1b]52;" not in terminal.raw
        terminal.send("3gy")
        shows(terminal, "copied")
        assert b"\x1b]52;c;" in terminal.raw


# ── a conversation ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_interrupt_is_announced_and_answered_on_the_screen(tmp_path):
    with watching(tmp_path, ASKING) as terminal:
        shows(terminal, "INTERRUPTED", "which colour?")
        terminal.send("igreen" + ENTER)
        shows(terminal, "DONE")
        assert leave(terminal) == 0
    assert [result.status for result in results(tmp_path)] == ["interrupted", "done"]
    assert results(tmp_path)[-1].output["text"] == "it is green"
    asked = next(event.interrupt for event in recorded(tmp_path) if isinstance(event, Interrupted))
    assert [event.resume for event in recorded(tmp_path) if isinstance(event, RunStarted)] == [None, {asked: "green"}]


def test_a_wrong_answer_is_asked_for_again(tmp_path):
    body = """
    def asker(state):
        return {"text": str(int(interrupt("how many?")) + 1)}
    graph = compiled(asker)
    """
    with watching(tmp_path, body) as terminal:
        shows(terminal, "INTERRUPTED", "how many?")
        terminal.send("iabc" + ENTER)
        until(terminal, lambda text: len(results(tmp_path)) == 2)
        shows(terminal, "FAILED", "how many?")
        terminal.send("i7" + ENTER)
        shows(terminal, "DONE")
        assert leave(terminal) == 0
    assert [result.status for result in results(tmp_path)] == ["interrupted", "failed", "done"]
    assert results(tmp_path)[-1].output["text"] == "8"


def test_an_interrupt_can_be_left_unanswered(tmp_path):
    with watching(tmp_path, ASKING) as terminal:
        shows(terminal, "INTERRUPTED", "which colour?")
        assert leave(terminal) == 3
        assert is_restored(terminal)


def test_a_graph_that_got_no_input_asks_for_it(tmp_path):
    with watching(tmp_path, given=None) as terminal:
        shows(terminal, "input ▸")
        terminal.send('{"topic": "dogs"}' + ENTER)
        shows(terminal, "DONE")
        assert leave(terminal) == 0
    assert results(tmp_path)[-1].output["text"] == "about dogs"


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_x_walks_down_the_ladder(tmp_path):
    body = """
    import asyncio, signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    async def writer(state):
        while True:
            pass
    graph = compiled(writer)
    """
    with watching(tmp_path, body) as terminal:
        shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        for said in ("^x again cancels", "^x again ends the process", "^x again kills"):
            terminal.send(CTRL_X)
            shows(terminal, said)
        terminal.send(CTRL_X)
        shows(terminal, "STOPPED")
        assert eventually(lambda: is_gone(pid))
        answers_keys(terminal)
        assert leave(terminal) == 130
    assert [result.status for result in results(tmp_path)] == ["stopped"]


def test_ctrl_x_stops_after_the_superstep_and_another_run_can_follow(tmp_path):
    os.mkfifo(tmp_path / "gate")
    body = """
    def first(state):
        open("gate").read()
        return {"text": "begun"}
    def writer(state):
        return {"text": "done"}
    graph = compiled(first, writer)
    """
    with watching(tmp_path, body) as terminal:
        shows(terminal, "RUN", "first")
        terminal.send(CTRL_X)
        shows(terminal, "stopping after this step")
        for status in ("STOPPED", "DONE"):
            with (tmp_path / "gate").open("w"):
                pass
            shows(terminal, status)
            terminal.send("r")
        assert leave(terminal) in (0, 130)
    assert [result.status for result in results(tmp_path)][:2] == ["stopped", "done"]


def test_ctrl_c_stops_the_run_and_the_second_one_leaves(tmp_path):
    with watching(tmp_path, ENDLESS) as terminal:
        shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        terminal.send(CTRL_C)
        shows(terminal, "ctrl+c again leaves")
        terminal.send(CTRL_C)
        assert terminal.wait_for_exit(PATIENCE) == 130
        assert is_restored(terminal)
        assert is_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_watcher_restores_the_terminal_and_leaves_no_process(tmp_path, number):
    with watching(tmp_path, ENDLESS) as terminal:
        shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        terminal.process.send_signal(number)
        terminal.wait_for_exit(PATIENCE)
        assert is_restored(terminal)
        assert b"Traceback" not in terminal.raw
        assert eventually(lambda: is_gone(pid))
        assert "journal:" in farewell(terminal)
    assert [result.status for result in results(tmp_path)] == ["stopped"]


def test_a_window_that_is_closed_leaves_no_process(tmp_path):
    with watching(tmp_path, ENDLESS) as terminal:
        shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        terminal.hang_up()
        terminal.process.wait(PATIENCE)
        assert eventually(lambda: is_gone(pid))
    assert [result.status for result in results(tmp_path)] == ["stopped"]


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("cols", "rows"), [(80, 24), (200, 60), (40, 12), (12, 4)])
def test_every_size_works(tmp_path, cols, rows):
    with watching(tmp_path, CHATTY, cols=cols, rows=rows) as terminal:
        journal = tmp_path / "run.jsonl"
        assert eventually(lambda: journal.exists() and b'"run_result"' in journal.read_bytes())
        if rows >= 12:
            shows(terminal, "DONE")
        assert leave(terminal) == 0
        assert is_restored(terminal)


def test_a_storm_of_resizes_ends_in_a_whole_picture(tmp_path):
    with watching(tmp_path, ENDLESS) as terminal:
        shows(terminal, "RUN", "writer")
        for turn in range(60):
            terminal.resize(20 + 7 * (turn % 23), 6 + 3 * (turn % 17))
        terminal.resize(100, 30)
        until(terminal, lambda screen: re.search(r"^ lgwatch .* RUN .*REC ●$", screen.splitlines()[0]))
        shows(terminal, "space Pause", "✓ first")
        answers_keys(terminal)
        assert leave(terminal) == 130


def test_a_notice_of_lgwatch_itself_is_seen(tmp_path):
    with watching(tmp_path) as terminal:
        shows(terminal, "DONE", "⚠")
    assert any(isinstance(event, Notice) for event in recorded(tmp_path))

"""Graphs that do what graphs should not, with the screen up: it stays awake, the journal is honest, the terminal sane."""

import os
import re
import signal
from contextlib import contextmanager

import pytest

from lgwatch.events import CustomWritten, Output, RunStarted, TaskStarted
from tests.live import eventually, is_gone, node
from tests.screens import (
    CTRL_X,
    answers_keys,
    farewell,
    hides,
    is_restored,
    leave,
    recorded,
    results,
    runner_pid,
    shows,
    until,
    watching,
)

pytestmark = pytest.mark.terminal


def async_node(statement):
    body = node(statement).replace("def writer", "async def writer")
    return "import asyncio\n" + body


@contextmanager
def bad_day(folder, body, *, said="journal:", **more):
    """The screen on this graph; in the end it is left, and must have left the terminal and the machine in order."""
    with watching(folder, body, **more) as terminal:
        yield terminal
        pid = runner_pid(folder)
        answers_keys(terminal)
        leave(terminal)
        assert is_restored(terminal)
        assert said in farewell(terminal)
        assert "lgwatch/tui" not in farewell(terminal), "a traceback of ours"
        assert eventually(lambda: is_gone(pid))
        assert len(results(folder)) == max(1, sum(isinstance(event, RunStarted) for event in recorded(folder)))


def the_result(folder):
    (result,) = results(folder)
    return result


def begun(folder):
    """The nodes that are known to have begun."""
    return [event.node for event in recorded(folder) if isinstance(event, TaskStarted)]


# ── the process dies ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("last_words", "said"),
    [
        ("os._exit(4)", "exited with code 4"),
        ("ctypes.string_at(0)", "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
    ],
)
def test_a_process_that_dies_is_told_with_all_that_was_before(tmp_path, last_words, said):
    body = node(f'print("so far"); get_stream_writer()({{"last": "sign"}}); time.sleep(0.2); {last_words}')
    with bad_day(tmp_path, body) as terminal:
        shows(terminal, "CRASHED", "sign", "first", "writer")
    result = the_result(tmp_path)
    assert (result.status, result.error["type"]) == ("crashed", "ProcessDied")
    assert said in result.error["message"]
    assert begun(tmp_path) == ["first", "writer"]
    assert any(isinstance(event, CustomWritten) for event in recorded(tmp_path))
    assert any(isinstance(event, Output) and "so far" in event.text for event in recorded(tmp_path))


def test_a_process_that_is_killed_from_outside_is_told(tmp_path):
    with bad_day(tmp_path, node("time.sleep(60)")) as terminal:
        shows(terminal, "RUN", "writer")
        os.kill(runner_pid(tmp_path), signal.SIGKILL)
        shows(terminal, "CRASHED")
    assert the_result(tmp_path).status == "crashed"


def test_a_node_that_calls_sys_exit_fails_and_the_graph_can_run_again(tmp_path):
    with bad_day(tmp_path, node("sys.exit(3)")) as terminal:
        shows(terminal, "FAILED", "SystemExit")
        terminal.send("r")
        assert eventually(lambda: len(results(tmp_path)) == 2)
    assert {result.status for result in results(tmp_path)} == {"failed"}
    assert results(tmp_path)[0].error["type"] == "SystemExit"


# ── the process is busy ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [node("while True: pass"), async_node("while True: pass")], ids=["def", "async"])
def test_a_loop_without_end_is_watched_and_stopped(tmp_path, body):
    with bad_day(tmp_path, body) as terminal:
        shows(terminal, "RUN", "writer")
        answers_keys(terminal)
        for _ in range(4):
            terminal.send(CTRL_X)
            until(terminal, lambda screen: "again" in screen or "STOPPED" in screen or "killed" in screen)
            if "STOPPED" in "\n".join(terminal.screen()):
                break
        shows(terminal, "STOPPED")
    assert the_result(tmp_path).status == "stopped"
    assert begun(tmp_path) == ["first", "writer"]


def test_an_async_node_that_sleeps_the_wrong_way_blocks_nobody_here(tmp_path):
    with bad_day(tmp_path, async_node("time.sleep(3)")) as terminal:
        shows(terminal, "RUN", "writer")
        answers_keys(terminal)
        shows(terminal, "blocked")
        shows(terminal, "DONE")
    assert the_result(tmp_path).status == "done"


def test_input_is_at_its_end(tmp_path):
    with bad_day(tmp_path, node('input("name? ")')) as terminal:
        shows(terminal, "FAILED", "EOFError")
    assert the_result(tmp_path).status == "failed"


def test_a_module_that_never_returns_from_its_import_can_be_left(tmp_path):
    with bad_day(tmp_path, "while True: time.sleep(0.01)", said="error: agent.py:graph was stopped") as terminal:
        shows(terminal, "LOADING", "agent.py:graph")
        assert eventually((tmp_path / "run.jsonl").exists)
        answers_keys(terminal)
        shows(terminal, "agent.py:")  # and, after some seconds, where it hangs
        terminal.send(CTRL_X)
        shows(terminal, "FAILED")
    assert "its import had not returned" in the_result(tmp_path).error["message"]


def test_a_process_that_forks_and_closes_what_it_finds_open_is_watched_to_its_end(tmp_path):
    body = """
    if os.fork() == 0:
        print("from the child")
        os._exit(0)
    os.closerange(0, 21)
    os.chdir("/")
    sys.stdout = sys.stderr = None
    get_stream_writer()({"last": "sign"})
    """
    with bad_day(tmp_path, node(body)) as terminal:
        shows(terminal, "DONE", "✓ writer", "from the child", "sign")
    assert the_result(tmp_path).output["text"] == "done"


# ── too much ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hundred_thousand_prints_are_all_there(tmp_path):
    body = node('for number in range(100_000): print("line", number)')
    with bad_day(tmp_path, body) as terminal:
        shows(terminal, "RUN", "writer")
        answers_keys(terminal)
        shows(terminal, "DONE", "line 99999")
    text = "\n".join(event.text for event in recorded(tmp_path) if isinstance(event, Output))
    assert re.findall(r"line (\d+)", text) == [str(number) for number in range(100_000)]
    assert the_result(tmp_path).status == "done"


@pytest.mark.parametrize(
    "statement",
    ['os.write(1, b"x" * 999_999 + b"\\n")', 'sys.stdout.write("x" * 999_999)', 'print(("x" * 999 + chr(10)) * 1000)'],
    ids=["raw", "one line", "lines"],
)
def test_a_hundred_megabytes_of_output_are_written_down_while_the_screen_answers(tmp_path, statement):
    with bad_day(tmp_path, node(f"for _ in range(100): {statement}")) as terminal:
        shows(terminal, "writer")
        answers_keys(terminal)
        shows(terminal, "DONE")
    written = sum(len(event.text) for event in recorded(tmp_path) if isinstance(event, Output))
    assert 100 * 999_000 <= written <= 101_000_000
    (tmp_path / "run.jsonl").unlink()


def test_a_state_of_a_hundred_megabytes_is_cut_where_it_is_shown(tmp_path):
    # In a list: where messages are streamed, LangGraph looks at each item of a sequence, and a text is one of characters.
    with bad_day(tmp_path, node('return {"text": ["x" * 100_000_000]}')) as terminal:
        shows(terminal, "DONE", "✓ writer")
        terminal.send("5")
        shows(terminal, "text", "xxx")
        terminal.send("1")
    assert the_result(tmp_path).status == "done"
    assert (tmp_path / "run.jsonl").stat().st_size < 2_000_000
    assert "$cut" in (tmp_path / "run.jsonl").read_text()


def test_a_name_that_looks_like_markup_is_a_name(tmp_path):
    body = """
    def writer(state):
        print("[bold]printed[/] [/nonsense]")
        get_stream_writer()({"[red]key[/]": "[@click=app.exit]value[/]"})
        return {"text": "[/]"}
    graph = StateGraph(State)
    graph.add_node("[bold]x[/] 🦜", writer)
    graph.add_edge(START, "[bold]x[/] 🦜")
    graph = graph.compile(name="[blink]")
    """
    with bad_day(tmp_path, body) as terminal:
        shows(terminal, "DONE", "✓ [bold]x[/]", "[bold]printed[/] [/nonsense]", "[red]key[/]")
        terminal.send("3G\r")
        shows(terminal, "Pager")
        terminal.send("\x1b")
        hides(terminal, "Pager")
        for pane in "24567":
            terminal.send(pane)
            answers_keys(terminal)
        terminal.send("1")
        shows(terminal, "╭─ Nodes")
    assert the_result(tmp_path).status == "done"


# ── the watcher dies ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [node("time.sleep(600)"), node("while True: pass"), async_node("while True: pass"), "while True: pass"],
    ids=["sleeping", "busy", "busy loop", "loading"],
)
def test_when_the_watcher_is_killed_the_graph_ends_by_itself_and_the_journal_opens(tmp_path, body):
    with watching(tmp_path, body) as terminal:
        if body.startswith("while"):
            assert eventually((tmp_path / "run.jsonl").exists)
        else:
            shows(terminal, "RUN", "writer")
        pid = runner_pid(tmp_path)
        terminal.process.kill()
        assert eventually(lambda: is_gone(pid))
    assert [result.status for result in results(tmp_path)] in (["stopped"], []), "a run_result, or none when none began"
    assert len(results(tmp_path)) >= sum(isinstance(event, RunStarted) for event in recorded(tmp_path))

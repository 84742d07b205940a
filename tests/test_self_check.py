"""`lgwatch doctor --self-check`: one graph, run as it is and watched, and what is said about it."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lgwatch.accounts import account_of
from lgwatch.doctor import self_check as checking
from lgwatch.doctor.self_check import DifferenceError, Trial, self_check
from lgwatch.errors import JournalError, TargetError
from lgwatch.events import Event, Json
from lgwatch.journal import JournalWriter
from lgwatch.process import RUNNER
from lgwatch.runner.account import process
from lgwatch.sources import RunRequest
from tests.factories import ended, run, task
from tests.live import PATIENCE, agent, environment, eventually, is_gone, launch, lgwatch_command, program

ASKS = """
import random

def ask(state):
    get_stream_writer()({"asking": state["topic"]})
    return {"text": interrupt("how long?"), "topic": str(random.random())}

from langgraph.checkpoint.memory import InMemorySaver
builder = StateGraph(State)
builder.add_node("ask", ask)
builder.add_edge(START, "ask")
graph = builder.compile(checkpointer=InMemorySaver())
"""


def test_a_graph_is_run_both_ways_and_what_differs_by_itself_is_no_difference(tmp_path: Path) -> None:
    agent(tmp_path, ASKS)
    done = program(
        tmp_path, "doctor", "--self-check", "agent.py:graph", "--input", '{"topic": "cats"}', "--resume", '"short"'
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "agent.py:graph runs twice, each time on a new thread: as it is, and watched"
    assert lines[2:4] == ["✓ as it is: interrupted, then done", "✓ watched: interrupted, then done"]
    assert "       2  custom events" in lines
    assert "       1  interrupts" in lines
    own = next(line for line in lines if line.startswith("⚠"))
    assert "writes of tasks" in own
    assert "interrupts" not in own
    assert lines[-1] == "✓ zero differences: what lgwatch tells is what happens without it"


def test_a_graph_that_ends_its_process_has_nothing_to_compare(tmp_path: Path) -> None:
    agent(tmp_path, "def leave(state):\n    os._exit(7)\ngraph = compiled(leave)")
    done = program(tmp_path, "doctor", "--self-check", "agent.py:graph", "--input", '{"topic": "x"}')
    assert done.returncode == 2
    assert "the graph's process ended with code 7 while nobody watched it" in done.stderr


@pytest.mark.parametrize(
    ("body", "given", "why"),
    [
        ("graph = 1", {}, ("TargetError", "not a graph")),
        ("def leave(state):\n    sys.exit(7)\ngraph = compiled(leave)", {}, ("TargetError", "SystemExit: 7")),
        ("def ok(state):\n    pass\ngraph = compiled(ok)", {"topci": "x"}, ("InputError", "none of the graph's keys")),
    ],
)
def test_why_there_is_no_account_is_told(tmp_path: Path, body: str, given: Json, why: tuple[str, str]) -> None:
    order = {
        "target": f"{agent(tmp_path, body)}:graph", "app_dir": str(tmp_path), "paths": [], "thread": "t", "answers": [],
        "input": given, "out": str(tmp_path / "out.json"),
    }  # fmt: skip
    process.answer(order)
    told = json.loads((tmp_path / "out.json").read_text())["error"]
    assert told["type"] == why[0]
    assert why[1] in told["message"]


def test_a_graph_that_nobody_asks_for_any_more_is_left(tmp_path: Path) -> None:
    body = "import time, pathlib\ndef sleep(state):\n    pathlib.Path('began').touch()\n    time.sleep(600)\ngraph = compiled(sleep)"
    order = {
        "target": f"{agent(tmp_path, body)}:graph", "app_dir": str(tmp_path), "paths": [], "thread": "t", "answers": [],
        "input": {}, "out": str(tmp_path / "out.json"),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, str(RUNNER), "account"], stdin=subprocess.PIPE, cwd=tmp_path, env=environment(tmp_path)
    ) as child:
        assert child.stdin is not None
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
        assert eventually((tmp_path / "began").exists)
        child.stdin.close()
        assert child.wait(PATIENCE) == 1


WATCHED = "watched = 'lgwatch.runner.account.process' not in sys.modules\n"
"""What the graph's module finds out about itself: whether it is in the process that is watched."""


@pytest.mark.parametrize("where", ["not watched", "watched"])
def test_a_graph_that_comes_to_no_end_is_given_up_after_the_timeout(
    where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agent(tmp_path, WATCHED + f"def stay(state):\n    {where} and time.sleep(600)\ngraph = compiled(stay)")
    if where == "watched":
        monkeypatch.setattr(checking, "_account", lambda trial, folder: an_account())
    trial = Trial(launch(tmp_path), RunRequest(input={"topic": "x"}, has_input=True), timeout=2.0)
    with pytest.raises(TargetError) as caught:
        list(self_check(trial))
    assert caught.value.message.startswith("the graph took longer than 2 s while ")
    assert caught.value.message.endswith("it was watched" if where == "watched" else "nobody watched it")
    assert caught.value.hint == "give it longer with --timeout"


def test_the_timeout_is_an_option_of_the_self_check(tmp_path: Path) -> None:
    agent(tmp_path, "time.sleep(600)")
    done = program(tmp_path, "doctor", "--self-check", "agent.py:graph", "--input", "{}", "--timeout", "0.1")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2, "error: the graph took longer than 0.1 s while nobody watched it",
    )  # fmt: skip
    done = program(tmp_path, "doctor", "--self-check", "agent.py:graph", "--timeout", "0")
    assert (done.returncode, "--timeout has to be more than 0 seconds" in done.stderr) == (2, True)


def test_a_graph_that_only_loads_unwatched_ends_in_a_sentence(tmp_path: Path) -> None:
    agent(tmp_path, WATCHED + "if watched:\n    raise ValueError('not here')\ngraph = compiled(lambda state: None)")
    source = Trial(launch(tmp_path), RunRequest(input={"topic": "x"}, has_input=True))
    with pytest.raises(TargetError, match="watched, the graph does not begin") as caught:
        list(self_check(source))
    assert "not here" in str(caught.value)


@pytest.mark.parametrize("where", ["not watched", "watched"])
def test_ctrl_c_ends_the_self_check_and_what_it_started(where: str, tmp_path: Path) -> None:
    body = f"def stay(state):\n    if {where}:\n        open('pid', 'w').write(f'{{os.getpid()}} ')\n        time.sleep(600)\ngraph = compiled(stay)"
    agent(tmp_path, WATCHED + body)
    command = lgwatch_command("doctor", "--self-check", "agent.py:graph", "--input", '{"topic": "x"}')
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL) as child:
        told = tmp_path / "pid"
        assert eventually(lambda: told.exists() and told.read_text().endswith(" "))
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 130
    assert is_gone(int(told.read_text()))


def test_an_input_without_the_self_check_is_refused(tmp_path: Path) -> None:
    done = program(tmp_path, "doctor", "--input", "{}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "are for --self-check" in done.stderr


# ── what becomes of differences ──────────────────────────────────────────────────────────────────────────────────────

MESSAGE = {
    "task": "t1", "path": "write", "role": "ai", "name": "", "model": "", "text": "hello", "thought": "", "calls": [],
    "others": 0, "usage": None, "tags": [], "whole": False, "status": "done",
}  # fmt: skip
TASK = {
    "task": "t1", "parent": "", "node": "write", "step": 1, "triggers": [], "input": {}, "writes": {}, "error": None,
    "asked": 0, "end": "done",
}  # fmt: skip


def an_account(**message: Any) -> dict[str, Json]:
    """The account of a graph of one node that says something."""
    kinds = ("updates", "custom", "order", "interrupts", "attempts", "calls", "tools", "concurrent")
    run = {
        "status": "done", "error": None, "output": {}, "tasks": [TASK], "messages": [{**MESSAGE, **message}],
        "checkpoints": None, "breakpoints": None, **{kind: [] for kind in kinds},
    }  # fmt: skip
    return {"runs": [copy.deepcopy(run)], "state": None}


def checked(
    monkeypatch: pytest.MonkeyPatch, folder: Path, accounts: list[dict[str, Json]], seen: dict[str, Json]
) -> tuple[list[str], int, int]:
    """What is said when these accounts are taken: the lines, the exit code, and how often the graph ran."""
    left: Iterator[dict[str, Json]] = iter(accounts)
    taken: list[dict[str, Json]] = []

    def take(trial: Trial, place: Path) -> dict[str, Json]:
        taken.append(next(left))
        return taken[-1]

    monkeypatch.setattr(checking, "_account", take)
    monkeypatch.setattr(checking, "_watched", lambda trial, journal: seen)
    lines: list[str] = []
    try:
        lines.extend(self_check(Trial(launch(folder), RunRequest())))
    except DifferenceError as error:
        return [*lines, error.message], error.exit_code, len(taken)
    return lines, 0, len(taken)


def test_two_accounts_that_agree_need_no_third(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines, code, runs = checked(monkeypatch, tmp_path, [an_account()], an_account())
    assert code == 0
    assert runs == 1
    assert "       1  messages" in lines


def test_a_difference_is_a_line_and_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines, code, runs = checked(monkeypatch, tmp_path, [an_account()] * 3, an_account(text="hullo\x1b[31m"))
    assert code == 1
    assert runs == checking.ACCOUNTS
    assert [line for line in lines if line.startswith("✗")] == [
        '✗ message 1 of write[1]: text: without lgwatch "hello", watched "hullo\\u001b[31m"'
    ]
    assert lines[-1] == "1 difference between what happens and what lgwatch tells"


def test_a_text_that_is_another_one_each_time_is_not_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    accounts = [an_account(), an_account(text="hi")]
    lines, code, runs = checked(monkeypatch, tmp_path, accounts, an_account(text="good day"))
    assert code == 0
    assert runs == 2
    assert any(line.startswith("⚠") and line.endswith("not compared: text of messages") for line in lines)


def test_a_wrong_tag_beside_a_text_that_varies_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    accounts = [an_account(), an_account(text="hi"), an_account(text="hey")]
    _, code, runs = checked(monkeypatch, tmp_path, accounts, an_account(text="good day", tags=["wrong"]))
    assert code == 1
    assert runs == checking.ACCOUNTS


def test_a_way_that_the_graph_takes_at_times_is_no_difference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    accounts = [an_account(), an_account(text="hi")]
    _, code, runs = checked(monkeypatch, tmp_path, accounts, an_account(text="hi"))
    assert code == 0
    assert runs == 2


@pytest.mark.parametrize(
    "told", [[ended("failed")], [run(), task("writer")], [run(), ended(), run("r2")]], ids=["unbegun", "open", "half"]
)
def test_a_journal_without_whole_runs_is_no_account(told: list[Event], tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "run.jsonl", target="agent")
    for event in told:
        writer.append(event)
    writer.close()
    with pytest.raises(JournalError, match="does not tell of whole runs"):
        account_of(tmp_path / "run.jsonl")

"""Sources: a graph in its own process, whatever it does, and journals of others."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

import lgwatch
from lgwatch.errors import JournalError
from lgwatch.events import CustomWritten, GraphLoaded, Notice, Output, RunEnded, RunStarted
from lgwatch.journal import JournalReader, JournalWriter
from lgwatch.sources import Recording, RunRequest
from tests.factories import custom, ended, run
from tests.live import (
    ASKED_TO_STOP,
    agent,
    environment,
    eventually,
    is_gone,
    live,
    node,
    topic,
)

# ── a live run ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_graph_is_run_and_its_process_ends_with_the_source(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        assert [event.data for event in watched.events if isinstance(event, CustomWritten)] == [{"progress": 1}]
        assert watched.results[0].output == {"topic": "cats", "text": "about cats"}
        pid = watched.source.pid
        assert pid is not None
        assert watched.source.live
        assert not watched.source.finished
    assert is_gone(pid)
    watched.take()
    assert watched.source.finished
    assert len(watched.results) == 1


def test_nothing_is_started_before_spawn(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        assert watched.source.pid is None
        assert watched.source.header is None
        assert watched.source.poll() == []
        assert watched.source.now() == 0.0
        assert not watched.source.finished
        assert watched.source.stop() == ""
    assert not (tmp_path / "run.jsonl").exists()


def test_a_graph_is_loaded_without_being_run(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.spawn()
        watched.until_status("ready")
        assert watched.source.stop() == ""
        first = watched.source.now()
        assert eventually(lambda: watched.source.now() > first)
    watched.take()
    assert watched.results == []


def test_a_huge_input_keeps_nobody_waiting_while_the_graph_is_imported(tmp_path: Path) -> None:
    with live(tmp_path, "import time\ntime.sleep(1)\n" + node("assert len(state['topic']) == 3_000_000")) as watched:
        begun = time.monotonic()
        watched.source.start(topic("x" * 3_000_000))
        assert time.monotonic() - begun < 0.9
        watched.until_status("done")


def test_lines_are_given_by_their_number(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        seq = next(seq for seq, event in enumerate(watched.events, 1) if isinstance(event, CustomWritten))
        assert json.loads(watched.source.raw(seq))["data"] == {"progress": 1}
        assert watched.source.line(seq)["type"] == "custom"
        assert watched.source.resolved(seq)["data"] == {"progress": 1}
        assert json.loads(watched.source.raw(0))["target"] == "agent.py"


def test_each_start_gets_a_thread_of_its_own_unless_it_names_one(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        for number, thread in enumerate((None, None, "mine"), 1):
            watched.source.start(topic(thread=thread))
            watched.until(lambda number=number: len(watched.results) == number)
        runs = [event for event in watched.events if isinstance(event, RunStarted)]
        assert [one.run for one in runs] == ["r1", "r2", "r3"]
        assert runs[0].thread != runs[1].thread
        assert runs[2].thread == "mine"


def test_an_answer_goes_on_with_the_thread(tmp_path: Path) -> None:
    with live(tmp_path, node("return {'text': interrupt('which?')}")) as watched:
        watched.source.start(topic())
        watched.until_status("interrupted")
        watched.source.resume({watched.session.waiting[0].id: "that one"})
        watched.until_status("done")
        assert watched.results[-1].output["text"] == "that one"
        first, second = (event for event in watched.events if isinstance(event, RunStarted))
        assert (second.run, second.thread) == ("r2", first.thread)


def test_a_breakpoint_is_passed_with_no_answer(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic(interrupt_before=("writer",)))
        watched.until_status("interrupted")
        watched.source.resume(None)
        watched.until_status("done")
        assert watched.session.task("writer").status == "done"


def test_a_graph_that_was_given_no_input_can_still_be_started(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(RunRequest())
        watched.until(
            lambda: any(isinstance(event, Notice) and event.code == "needs_input" for event in watched.events)
        )
        watched.source.start(topic())
        watched.until_status("done")
        assert watched.results[0].run == "r1"


def test_variables_of_the_environment_win_over_those_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_SHELL", "shell")
    body = node("return {'text': os.environ['FROM_SHELL'] + ' ' + os.environ['FROM_FILE']}")
    with live(tmp_path, body, env={"FROM_SHELL": "file", "FROM_FILE": "file"}) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        assert watched.results[0].output["text"] == "shell file"


def test_a_journal_that_is_not_wanted_is_gone_in_the_end(tmp_path: Path) -> None:
    with live(tmp_path, keep=False) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        assert watched.source.path.exists()
    assert not watched.source.path.exists()


def test_an_existing_file_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("precious")
    with live(tmp_path) as watched, pytest.raises(JournalError, match="exists already"):
        watched.source.spawn()
    assert (tmp_path / "run.jsonl").read_text() == "precious"


# ── a process that dies ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("os._exit(4)", "the graph's process exited with code 4 in the middle of the run"),
        ("ctypes.string_at(0)", "the graph's process was killed by SIGSEGV in the middle of the run"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the graph's process was killed by SIGKILL in the middle of the run"),
    ],
)
def test_a_death_in_a_node_ends_the_run_with_what_was_seen(tmp_path: Path, statement: str, message: str) -> None:
    with live(tmp_path, node(statement)) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == ["crashed"]
        assert watched.error["type"] == "ProcessDied"
        assert watched.error["message"] == message
        assert watched.error["hint"]
        assert watched.session.task("first").status == "done"
        assert watched.session.task("writer").status == "cancelled"
        assert not watched.source.live
        assert watched.source.now() == watched.events[-1].at
    session = lgwatch.read_journal(watched.source.path)
    assert session.status == "crashed"
    assert len(session.runs) == 1


def test_the_last_words_of_a_process_are_kept(tmp_path: Path) -> None:
    with live(tmp_path, node("os.write(2, b'last words\\n'); os._exit(1)")) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        said = [event.text for event in watched.events if isinstance(event, Output) and event.stream == "stderr"]
        assert "last words" in "\n".join(said)
        assert isinstance(watched.events[-1], RunEnded)


def test_sys_exit_in_a_node_ends_the_run_and_not_the_process(tmp_path: Path) -> None:
    with live(tmp_path, node("if state['topic'] == 'exit': sys.exit(3)")) as watched:
        watched.source.start(topic("exit"))
        watched.until_status("failed")
        assert watched.error["type"] == "SystemExit"
        watched.source.start(topic())
        watched.until_status("done")
    watched.take()
    assert [result.status for result in watched.results] == ["failed", "done"]


@pytest.mark.parametrize(
    ("line", "status", "kind", "words"),
    [
        ("sys.exit(7)", "failed", "TargetError", ""),
        ("raise KeyError('no key')", "failed", "TargetError", "no key"),
        ("os._exit(7)", "failed", "TargetError", "ended the graph's process with exit code 7"),
        ("os.kill(os.getpid(), 9)", "crashed", "ProcessDied", "killed by SIGKILL while the graph was loading"),
    ],
)
def test_a_module_that_does_not_let_itself_be_imported(
    tmp_path: Path, line: str, status: str, kind: str, words: str
) -> None:
    with live(tmp_path, line) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == [status]
        assert watched.error["type"] == kind
        assert words in watched.error["message"]
        assert watched.error["hint"]


def test_a_death_between_two_runs_is_no_second_result(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        assert watched.source.pid is not None
        os.kill(watched.source.pid, signal.SIGKILL)
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == ["done"]
        last = watched.events[-1]
        assert isinstance(last, Notice)
        assert "killed by SIGKILL" in last.text
        watched.source.start(topic())
        assert watched.source.poll() == []


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with live(tmp_path, python=str(tmp_path / "nowhere")) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        assert watched.error["type"] == "TargetError"
        assert "cannot be started" in watched.error["message"]
    assert lgwatch.read_journal(watched.source.path).status == "failed"


def test_an_interpreter_without_langgraph(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)
    with live(tmp_path, python=str(bare)) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        assert watched.error["type"] == "TargetError"
        assert "langgraph is not installed" in watched.error["message"]
        assert "--python" in watched.error["hint"]


def test_a_program_that_is_no_interpreter_at_all(tmp_path: Path) -> None:
    with live(tmp_path, python="/bin/false") as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == ["crashed"]
        assert "exited with code 1" in watched.error["message"]


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────────

STUCK = "import time\n" + node("get_stream_writer()('in it')\nwhile True: time.sleep(0.01)")
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STUCK


def _in_it(watched: object) -> bool:
    return any(isinstance(event, CustomWritten) for event in watched.events)  # type: ignore[attr-defined]


def test_the_ladder_ends_at_the_process_that_does_not_hear(tmp_path: Path) -> None:
    with live(tmp_path, DEAF) as watched:
        watched.source.start(topic())
        watched.until(lambda: _in_it(watched))
        rungs = [watched.source.stop() for _ in range(4)]
        assert rungs == ["drain", "cancel", "terminate", "kill"]
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == ["stopped"]
        assert watched.source.stop() == ""


def test_draining_ends_the_run_after_its_step_and_it_can_be_run_again(tmp_path: Path) -> None:
    body = """
    def first(state):
        get_stream_writer()("in it")
        while not asked_to_stop() and not os.path.exists("again"):
            time.sleep(0.01)
        return {"text": "first"}
    def second(state):
        return {"text": "second"}
    graph = compiled(first, second)
    """
    again = tmp_path / "again"
    with live(tmp_path, ASKED_TO_STOP + dedent(body.replace('"again"', repr(str(again))))) as watched:
        watched.source.start(topic())
        watched.until(lambda: _in_it(watched))
        assert watched.source.stop() == "drain"
        watched.until_status("stopped")
        assert [task.node for task in watched.session.tasks()] == ["first"]
        again.touch()
        watched.source.start(topic())
        watched.until_status("done")


def test_an_import_that_never_returns_can_be_stopped(tmp_path: Path) -> None:
    with live(tmp_path, "print('importing')\nwhile True: time.sleep(0.01)") as watched:
        watched.source.start(topic())
        watched.until(lambda: any(isinstance(event, Output) for event in watched.events))
        assert watched.source.stop() == "terminate"
        watched.until(lambda: watched.source.finished)
        assert [result.status for result in watched.results] == ["failed"]
        assert watched.error["type"] == "TargetError"
        assert "its import had not returned" in watched.error["message"]
        assert watched.source.pid is not None
        assert is_gone(watched.source.pid)


@pytest.mark.parametrize("body", [STUCK, DEAF], ids=["stuck", "deaf"])
def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path, body: str) -> None:
    with live(tmp_path, body) as watched:
        watched.source.start(topic(timeout=0.3))
        watched.until(lambda: watched.results)
        assert [result.status for result in watched.results] == ["stopped"]
        assert watched.error["type"] == "Timeout"
        assert "0.3 s" in watched.error["message"]
        assert watched.source.timed_out


def test_time_is_up_for_an_import_too(tmp_path: Path) -> None:
    with live(tmp_path, "while True: pass") as watched:
        watched.source.start(topic(timeout=0.5))
        watched.until(lambda: watched.results)
        assert watched.error["type"] == "Timeout"
        assert "loading" in watched.error["message"]


@pytest.mark.parametrize("body", [STUCK, DEAF], ids=["stuck", "deaf"])
def test_closing_ends_the_run_and_what_it_started(tmp_path: Path, body: str) -> None:
    body = body.replace("get_stream_writer()('in it')", "get_stream_writer()(subprocess.Popen(['sleep', '1000']).pid)")
    with live(tmp_path, body) as watched:
        watched.source.start(topic())
        watched.until(lambda: _in_it(watched))
        begun = time.monotonic()
        watched.source.close()
        assert time.monotonic() - begun < 5
        watched.take()
        assert [result.status for result in watched.results] == ["stopped"]
        assert watched.source.pid is not None
        assert is_gone(watched.source.pid)
        child = next(event.data for event in watched.events if isinstance(event, CustomWritten))
        assert eventually(lambda: is_gone(child))


def test_what_a_dead_process_started_does_not_outlive_it(tmp_path: Path) -> None:
    body = node("get_stream_writer()(subprocess.Popen(['sleep', '1000']).pid)\ntime.sleep(0.2)\nos._exit(1)")
    with live(tmp_path, body) as watched:
        watched.source.start(topic())
        watched.until(lambda: watched.source.finished)
        child = next(event.data for event in watched.events if isinstance(event, CustomWritten))
        assert eventually(lambda: is_gone(child))


WATCHER = """
import sys, time
from pathlib import Path
from tests.live import LiveRun, launch, topic
source = LiveRun(launch(Path(sys.argv[1])))
source.start(topic())
while True:
    source.poll()
    if sys.argv[2:] and source.header is not None:
        raise RuntimeError("the watcher fails")
    time.sleep(0.01)
"""


@pytest.mark.parametrize("body", [STUCK, "while True: pass"], ids=["in a run", "in an import"])
def test_a_watcher_that_is_killed_leaves_no_process_and_a_journal_that_opens(tmp_path: Path, body: str) -> None:
    agent(tmp_path, body)
    watcher = subprocess.Popen([sys.executable, "-c", WATCHER, str(tmp_path)], env=environment(tmp_path))
    journal = tmp_path / "run.jsonl"
    try:
        assert eventually(lambda: journal.exists() and (body != STUCK or b'"in it"' in journal.read_bytes()))
        assert eventually(lambda: journal.read_bytes().endswith(b"\n"))
        pid = JournalReader(journal).header.extra["pid"]
    finally:
        watcher.kill()
        watcher.wait()
    assert eventually(lambda: is_gone(pid))
    session = lgwatch.read_journal(journal)
    assert session.status == ("stopped" if body == STUCK else "loading")


def test_a_watcher_that_fails_leaves_no_process(tmp_path: Path) -> None:
    agent(tmp_path, DEAF)
    done = subprocess.run(
        [sys.executable, "-c", WATCHER, str(tmp_path), "fail"],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert b"the watcher fails" in done.stderr
    pid = JournalReader(tmp_path / "run.jsonl").header.extra["pid"]
    assert is_gone(pid)


# ── recordings ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _journal(folder: Path) -> tuple[Path, JournalWriter]:
    path = folder / "journal.jsonl"
    return path, JournalWriter(path, target="agent:graph")


def test_a_recording_is_read_to_its_end(tmp_path: Path) -> None:
    path, writer = _journal(tmp_path)
    for event in (run(), custom({"n": 1}), ended()):
        writer.append(event)
    writer.close()
    source = Recording(path)
    assert source.label == "agent:graph"
    assert not source.live
    assert [event.type for event in source.poll()] == ["run", "custom", "run_result"]
    assert source.poll() == []
    assert source.finished
    assert source.line(2)["data"] == {"n": 1}
    assert source.now() == pytest.approx(json.loads(source.raw(3))["at"])


def test_a_recording_that_was_cut_says_so(tmp_path: Path) -> None:
    path, writer = _journal(tmp_path)
    writer.append(run())
    writer.close()
    with path.open("ab") as file:
        file.write(b'{"type":"custom","at":1.0,"da')
    source = Recording(path)
    assert [event.type for event in source.poll()] == ["run"]
    (notice,) = source.poll()
    assert isinstance(notice, Notice)
    assert notice.code == "torn"
    assert source.finished
    assert json.loads(source.raw(2)) == source.line(2) == source.resolved(2)
    assert source.line(2)["code"] == "torn"


def test_a_recording_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        Recording(tmp_path / "nothing.jsonl")
    with pytest.raises(JournalError):
        Recording(tmp_path / "nothing.jsonl", follow=True)
    (tmp_path / "text.txt").write_text("hello\n")
    with pytest.raises(JournalError, match="not a journal"):
        Recording(tmp_path / "text.txt")


def test_a_growing_recording_ends_when_its_writer_has_let_go(tmp_path: Path) -> None:
    path, writer = _journal(tmp_path)
    writer.append(run())
    source = Recording(path, follow=True)
    assert [event.type for event in source.poll()] == ["run"]
    writer.append(ended())
    assert [event.type for event in source.poll()] == ["run_result"]
    assert source.poll() == []
    assert not source.finished, "another run may follow"
    writer.append(run("r2"))
    assert [event.type for event in source.poll()] == ["run"]
    writer.append(ended(name="r2"))
    source.poll()
    writer.close()
    assert source.poll() == []
    assert source.finished


def test_a_growing_recording_whose_writer_died_ends_after_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgwatch.sources.GRACE", 0.1)
    path, writer = _journal(tmp_path)
    writer.append(run())
    writer.close()
    source = Recording(path, follow=True)
    source.poll()
    assert eventually(lambda: not source.poll() and source.finished)


def test_another_terminal_follows_a_live_run(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic())
        watched.until(lambda: any(isinstance(event, GraphLoaded) for event in watched.events))
        other = Recording(watched.source.path, follow=True)
        watched.until_status("done")
        watched.source.close()
        watched.take()
        seen = []
        assert eventually(lambda: seen.extend(other.poll()) or other.finished)
        assert seen == watched.events


def test_a_journal_without_a_header_yet_can_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.touch()
    source = Recording(path, follow=True)
    assert source.poll() == []
    assert source.header is None
    path.unlink()
    JournalWriter(path, target="late").append(run())
    assert [event.type for event in source.poll()] == ["run"]
    assert source.header is not None
    assert source.header.target == "late"

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from lgwatch.events import CustomWritten, GraphLoaded, Notice, Output, RunEnded, TaskStarted
from tests.runner.children import PATIENCE, child, is_alive, until

GRAPH = """
def node(state):
    return {"log": ["x"]}
graph = line(node)
"""


def test_the_journal_begins_with_its_header_and_the_graph(tmp_path: Path) -> None:
    with child(tmp_path, GRAPH) as run:
        graph = run.await_one(GraphLoaded)
        assert {node["id"] for node in graph.nodes} >= {"node"}
        header = run.journal.read_text().splitlines()[0]
        assert '"lgwatch":1' in header
        assert '"langgraph":"' in header
        assert run.journal.stat().st_mode & 0o777 == 0o600


def test_the_header_is_there_while_the_module_still_imports(tmp_path: Path) -> None:
    with child(tmp_path, "while not os.path.exists('go'):\n    time.sleep(0.01)\n" + GRAPH) as run:
        until(run.journal_has_header, run)
        assert not run.of(GraphLoaded)
        (tmp_path / "go").touch()
        run.await_one(GraphLoaded)


def test_a_target_that_cannot_be_loaded_ends_with_code_2(tmp_path: Path) -> None:
    with child(tmp_path, "import nothing_of_this_name") as run:
        result = run.result()
        assert result.status == "failed"
        assert result.error is not None
        assert result.error["type"] == "TargetError"
        assert "nothing_of_this_name" in result.error["message"]
        assert result.error["hint"]
        assert run.process.wait(PATIENCE) == 2


def test_a_module_that_exits_is_reported_and_not_obeyed(tmp_path: Path) -> None:
    with child(tmp_path, "sys.exit(0)") as run:
        assert run.result().status == "failed"
        assert run.process.wait(PATIENCE) == 2


def test_quit_ends_the_process_in_order(tmp_path: Path) -> None:
    with child(tmp_path, "import atexit\natexit.register(lambda: open('left', 'w').close())\n" + GRAPH) as run:
        run.start()
        assert run.result().status == "done"
        run.send(command="quit")
        assert run.process.wait(PATIENCE) == 0
        assert (tmp_path / "left").exists()


def test_nothing_of_lgwatch_stands_on_the_users_path(tmp_path: Path) -> None:
    source = """
    def node(state):
        return {"log": [sys.path, [name for name in os.environ if name.startswith("LGWATCH_")]]}
    graph = line(node)
    """
    with child(tmp_path, source) as run:
        run.start()
        path, environment = run.result().output["log"]
        assert not any(place.endswith(("lgwatch", "runner")) for place in path)
        assert path[0] == str(tmp_path)
        assert environment == []


def test_when_the_watcher_goes_a_run_is_stopped_and_the_process_ends(tmp_path: Path) -> None:
    with child(tmp_path, "async def slow(state):\n    await asyncio.sleep(300)\ngraph = line(slow)") as run:
        run.start()
        run.await_one(TaskStarted)
        run.close()
        assert run.process.wait(PATIENCE) is not None
        assert [event.status for event in run.of(RunEnded)] == ["stopped"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_user_code_that_never_returns_does_not_outlive_the_watcher(tmp_path: Path, kind: str) -> None:
    source = f"""
    {kind} stuck(state):
        child = subprocess.Popen(["sleep", "300"])
        open("pid", "w").write(str(child.pid))
        while True:
            time.sleep(0.01)
    graph = line(stuck)
    """
    with child(tmp_path, source) as run:
        run.start()
        pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), run))
        run.close()
        run.process.wait(PATIENCE)
        assert [event.status for event in run.of(RunEnded)] == ["stopped"]
        until(lambda: not is_alive(pid), run)


def test_an_import_that_never_ends_does_not_outlive_the_watcher(tmp_path: Path) -> None:
    with child(tmp_path, "open('in', 'w').close()\nwhile True: time.sleep(0.01)") as run:
        until((tmp_path / "in").exists, run)
        run.close()
        assert run.process.wait(PATIENCE) is not None


def test_what_was_seen_before_a_kill_is_in_the_journal(tmp_path: Path) -> None:
    source = "def node(state):\n    get_stream_writer()('seen')\n    return {}\ndef die(state):\n    os._exit(4)\n"
    with child(tmp_path, source + "graph = line(node, die)") as run:
        run.start()
        assert run.process.wait(PATIENCE) == 4
        assert [event.data for event in run.of(CustomWritten)] == ["seen"]
        assert [event.node for event in run.of(TaskStarted)] == ["node", "die"]
        assert not run.of(RunEnded)


def test_a_crash_in_c_leaves_its_stack_in_the_pipe(tmp_path: Path) -> None:
    source = "def die(state):\n    import ctypes\n    ctypes.string_at(0)\ngraph = line(die)"
    with child(tmp_path, source) as run:
        run.start()
        assert run.process.wait(PATIENCE) == -signal.SIGSEGV
        told = run.rest() + "".join(event.text for event in run.of(Output))
        assert "Fatal Python error" in told
        assert "agent.py" in told


def test_user_code_may_close_the_first_descriptors(tmp_path: Path) -> None:
    source = """
    def node(state):
        os.closerange(3, 21)
        return {"log": ["still here"]}
    graph = line(node)
    """
    with child(tmp_path, source, mode="sync") as run:
        run.start()
        run.await_one(RunEnded)
        assert run.result().output == {"log": ["still here"]}
        run.send(command="quit")
        assert run.process.wait(PATIENCE) == 0


def test_a_forked_child_leaves_the_journal_alone(tmp_path: Path) -> None:
    source = """
    def node(state):
        pid = os.fork()
        if pid == 0:
            print("from the child")
            get_stream_writer()("child")
            os._exit(0)
        os.waitpid(pid, 0)
        print("from the parent")
        return {}
    graph = line(node)
    """
    with child(tmp_path, source, mode="sync") as run:
        run.start()
        assert run.result().status == "done"
        assert run.await_one(Output, text="from the child").stream == "stdout"
        assert not run.of(CustomWritten)
        for number, line in enumerate(run.journal.read_bytes().splitlines()):
            assert line.startswith(b"{"), number
            assert line.endswith(b"}"), number


def test_one_event_loop_serves_all_runs(tmp_path: Path) -> None:
    source = """
    async def node(state):
        return {"log": [id(asyncio.get_running_loop()), threading.current_thread() is threading.main_thread()]}
    graph = line(node)
    """
    with child(tmp_path, source) as run:
        run.start(thread="1", mode="async")
        first = run.result().output["log"]
        run.start(thread="2")
        assert run.result().output["log"] == first
        assert first[1] is True


def test_a_stray_line_on_the_command_pipe_is_left_out(tmp_path: Path) -> None:
    with child(tmp_path, GRAPH) as run:
        assert run.process.stdin is not None
        run.process.stdin.write(b"not json\n[1]\n")
        run.send(command="dance")
        run.start()
        assert run.result().status == "done"
        assert "dance" in run.of(Notice, code="command")[0].text


def test_the_process_has_a_group_of_its_own(tmp_path: Path) -> None:
    with child(tmp_path, GRAPH) as run:
        run.await_one(GraphLoaded)
        assert os.getpgid(run.process.pid) == run.process.pid != os.getpgrp()
        assert sys.executable

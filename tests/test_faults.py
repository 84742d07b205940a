"""What fails around lgwatch: disks, files, clocks, terminals, and processes that are killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import orjson
import pytest

import lgwatch
from lgwatch.events import CustomWritten, Notice
from lgwatch.journal import JournalReader, JournalWriter
from lgwatch.session import Session
from lgwatch.sources import Recording
from tests.factories import custom, run
from tests.live import agent, environment, eventually, is_gone, lgwatch_command, live, node, topic
from tests.screens import answers_keys, is_restored, leave, results, shows, watching

LIMIT = "import resource\n"
FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\nfor n in range(400): print('x' * 100, n)\n"
BEFORE_AND_AFTER = """
get_stream_writer()("before")
while not os.path.exists(os.path.join(os.path.dirname(__file__), "go")):
    time.sleep(0.01)
get_stream_writer()("after")
"""
TICKING = """
def writer(state):
    for number in range(100_000):
        get_stream_writer()(number)
        time.sleep(0.001)

graph = compiled(writer)
"""


# ── disks and files ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("last_words", ["pass", "os._exit(3)"], ids=["ends", "dies"])
def test_a_run_whose_journal_is_full_ends_and_its_watcher_hears_of_it(tmp_path: Path, last_words: str) -> None:
    with live(tmp_path, LIMIT + node(FULL + last_words)) as run:
        run.source.start(topic())
        run.until(lambda: run.source.finished)
        (result,) = run.results
        assert result.status == ("failed" if last_words == "pass" else "crashed")
        assert (run.error["type"], last_words) in {("JournalError", "pass"), ("ProcessDied", "os._exit(3)")}
        last = len(run.events)  # a line's number, whether or not it is on the disk
        assert run.source.resolved(last)["type"] == orjson.loads(run.source.raw(last))["type"] == "run_result"
    assert run.session.status == result.status
    assert lgwatch.read_journal(tmp_path / "run.jsonl").counts


def test_what_a_full_disk_could_not_take_is_counted_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(tmp_path / "run.jsonl", target="agent:graph")
    real, left = os.write, [0]

    def full(fd: int, data: bytes) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr("lgwatch.journal.writer.os.write", full)
    writer.append(custom(1))
    left[0] = 5  # two events, and what would have told of the first
    writer.append(custom(2))
    writer.append(custom(3))
    writer.append(custom(4))
    writer.append(custom(5))
    events = list(lgwatch.events(tmp_path / "run.jsonl"))
    assert [event.data for event in events if isinstance(event, CustomWritten)] == [1, 5]
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "3 (No space left on device)" in notice.text


@pytest.mark.parametrize("deed", ["os.unlink('run.jsonl')", "os.truncate('run.jsonl', 0)"], ids=["removed", "emptied"])
def test_a_journal_that_is_taken_away_does_not_take_the_watcher_along(tmp_path: Path, deed: str) -> None:
    body = node(f"{deed}; os._exit(3)")
    with live(tmp_path, f"os.chdir({str(tmp_path)!r})\n" + body) as run:
        run.source.start(topic())
        run.until(lambda: run.source.finished)
    # Whether it had been read that the graph was loaded is a matter of chance.
    assert [result.status for result in run.results] in (["crashed"], ["failed"])
    assert run.session.status in {"crashed", "failed"}


def test_a_recording_that_shrinks_while_it_is_followed_comes_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = JournalWriter(path, target="agent:graph")
    for number in range(100):
        writer.append(custom(number))
    source, session = Recording(path, follow=True), Session()
    for event in source.poll():
        session.apply(event)
    os.truncate(path, 500)
    writer.append(run())
    for seq in range(1, 101):
        assert isinstance(source.resolved(seq), dict)
    writer.close()
    assert eventually(lambda: source.poll() is not None and source.finished)
    source.close()


def test_a_journal_that_is_cut_while_its_run_goes_on_is_told_and_followed(tmp_path: Path) -> None:
    body = node(BEFORE_AND_AFTER)
    with live(tmp_path, body) as run:
        run.source.start(topic())
        run.until(lambda: run.session.counts.get("custom"))
        before = len(run.session.index)
        seen = next(seq for seq in range(1, before) if run.source.line(seq).get("data") == "before")
        os.truncate(run.source.path, 300)
        run.until(lambda: any(notice.code == "cut" for _, notice in run.session.notices))
        (tmp_path / "go").touch()
        run.until_status("done")
        told = [run.source.line(seq).get("data") for seq in range(1, len(run.session.index))]
        assert run.source.line(seen) == {}, "it was cut off, and no other line is shown for it"
        assert told.index("after") >= before
        assert run.source.resolved(len(run.session.index) - 1)["type"] == "run_result"
    assert [event.data for event in run.events if isinstance(event, CustomWritten)] == ["before", "after"]


def test_a_journal_that_is_removed_while_its_run_goes_on_is_told_and_followed(tmp_path: Path) -> None:
    body = node(BEFORE_AND_AFTER)
    with live(tmp_path, body) as run:
        run.source.start(topic())
        run.until(lambda: run.session.counts.get("custom"))
        run.source.path.unlink()
        run.until(lambda: any(notice.code == "gone" for _, notice in run.session.notices))
        (tmp_path / "go").touch()
        run.until_status("done")
        assert sum(notice.code == "gone" for _, notice in run.session.notices) == 1
        assert run.source.resolved(len(run.session.index) - 1)["type"] == "run_result"
    assert [event.data for event in run.events if isinstance(event, CustomWritten)] == ["before", "after"]


def test_two_watchers_of_one_journal_see_the_same(tmp_path: Path) -> None:
    with live(tmp_path, node("for n in range(500): get_stream_writer()(n)")) as run:
        run.source.start(topic())
        run.until(lambda: run.source.path.exists() and run.source.header)
        others = [Recording(run.source.path, follow=True) for _ in range(2)]
        sessions = [Session(), Session()]
        run.until_status("done")
        for other, session in zip(others, sessions, strict=True):
            for event in other.poll():
                session.apply(event)
            other.close()
    assert [session.counts for session in sessions] == [run.session.counts] * 2
    assert [session.status for session in sessions] == ["done", "done"]


def test_a_clock_that_is_set_back_does_not_turn_time_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.jsonl"
    first = JournalWriter(path, target="agent:graph")
    first.append(custom(1))
    header, line = path.read_bytes().split(b"\n", 1)
    data = {**orjson.loads(header), "started": "2999-01-01T00:00:00.000Z"}  # as if a century had passed backwards since
    path.write_bytes(orjson.dumps(data) + b"\n" + line)
    JournalWriter.attach(path).append(custom(2))
    times = [event.at for event in lgwatch.events(path)]
    assert times == sorted(times)
    source = Recording(path, follow=True)
    source.poll()
    assert source.now() >= max(times)
    source.close()


# ── deaths at any moment ─────────────────────────────────────────────────────────────────────────────────────────────


def is_whole(path: Path) -> list[int]:
    """Whether a journal opens, with every line but at most the last; return the numbers that were written."""
    *lines, rest = path.read_bytes().split(b"\n")
    for line in lines:
        assert isinstance(orjson.loads(line), dict)
    numbers = [event.data for event in lgwatch.events(path) if isinstance(event, CustomWritten)]
    assert numbers == list(range(len(numbers)))
    assert lgwatch.read_journal(path).status in {"running", "crashed", "stopped", "loading", "ready"}
    assert not rest or not rest.endswith(b"}")
    return numbers


def killed_runner(folder: Path, seed: int) -> None:
    """Kill the graph's process at some moment; look at what is left."""
    chance = random.Random(seed)
    with live(folder, TICKING) as run:
        run.source.start(topic())
        run.until(lambda: run.source.header)
        moment = time.monotonic() + chance.random() * 0.3
        if chance.random() < 0.8:
            run.until(lambda: run.session.counts.get("custom"))
            moment = time.monotonic() + chance.random() * 0.3
        run.until(lambda: time.monotonic() > moment)
        pid = run.source.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        run.until(lambda: run.source.finished)
    assert [result.status for result in run.results] == ["crashed"]
    assert is_gone(pid)
    seen = [event.data for event in run.events if isinstance(event, CustomWritten)]
    assert is_whole(folder / "run.jsonl") == seen


def killed_watcher(folder: Path, seed: int) -> None:
    """Kill the whole program's watcher at some moment; look at what is left."""
    chance = random.Random(seed)
    agent(folder, TICKING)
    journal = folder / "run.jsonl"
    command = lgwatch_command("run", "agent.py:graph", "--plain", "--journal", "run.jsonl", "--input", '{"topic": "x"}')
    watcher = subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: journal.exists() and b"\n" in journal.read_bytes())
        if chance.random() < 0.8:
            assert eventually(lambda: b'"custom"' in journal.read_bytes())
        time.sleep(chance.random() * 0.3)
        pid = JournalReader(journal).header.extra["pid"]
    finally:
        watcher.kill()
        watcher.wait()
    assert eventually(lambda: is_gone(pid))
    assert eventually(lambda: not members(pid))
    is_whole(journal)


def members(group: int) -> list[str]:
    """The living processes of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, owner = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(owner) == group and state != "Z":
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_graph_that_is_killed_at_any_moment_leaves_all_but_at_most_its_last_line(tmp_path: Path, seed: int) -> None:
    killed_runner(tmp_path, seed)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_watcher_that_is_killed_at_any_moment_leaves_a_journal_and_no_process(tmp_path: Path, seed: int) -> None:
    killed_watcher(tmp_path, seed)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
def test_c_code_that_holds_the_interpreter_does_not_outlive_a_watcher_that_is_killed(tmp_path: Path) -> None:
    agent(tmp_path, node('open("in", "w").close(); ctypes.PyDLL(None).sleep(300)'))
    command = lgwatch_command("run", "agent.py:graph", "--plain", "--journal", "run.jsonl", "--input", '{"topic": "x"}')
    watcher = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL)
    try:
        assert eventually((tmp_path / "in").exists)
        pid = JournalReader(tmp_path / "run.jsonl").header.extra["pid"]
    finally:
        watcher.kill()
        watcher.wait()
    assert eventually(lambda: is_gone(pid) and not members(pid))
    assert lgwatch.read_journal(tmp_path / "run.jsonl").status == "running"


# ── terminals ────────────────────────────────────────────────────────────────────────────────────────────────────────

CHATTY = node("for n in range(20_000): print('line', n, 'x' * 60); get_stream_writer()({'n': n}); time.sleep(0.0005)")


@pytest.mark.terminal
@pytest.mark.parametrize("rate", [200_000, 20_000])
def test_a_slow_terminal_gets_fewer_pictures_and_its_keys_work(tmp_path: Path, rate: int) -> None:
    with watching(tmp_path, CHATTY) as terminal:
        terminal.throttle = rate
        shows(terminal, "writer")
        answers_keys(terminal)
        began, before = time.monotonic(), len(terminal.raw)
        answers_keys(terminal)
        spent = time.monotonic() - began
        # What is written does not pile up in front of what a key shows: at most some pictures come before it.
        assert len(terminal.raw) - before < 60_000 + rate * spent * 2
        leave(terminal)
        assert is_restored(terminal)
    assert results(tmp_path)[-1].status in {"stopped", "done"}


@pytest.mark.terminal
def test_a_watcher_that_was_stopped_and_goes_on_shows_what_came_meanwhile(tmp_path: Path) -> None:
    with watching(tmp_path, node("time.sleep(1)\nfor n in range(2000): print('number', n)")) as terminal:
        shows(terminal, "RUN", "writer")
        terminal.process.send_signal(signal.SIGSTOP)
        assert eventually(lambda: results(tmp_path))
        terminal.process.send_signal(signal.SIGCONT)
        shows(terminal, "DONE", "number 1999")
        answers_keys(terminal)
        assert leave(terminal) == 0
        assert is_restored(terminal)

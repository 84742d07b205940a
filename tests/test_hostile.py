"""Whatever a node does to its process: its run ends as it does without lgwatch, and the journal has all of it, line by line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

import lgwatch
from lgwatch.events import CustomWritten, Event, Notice, Output, RunEnded, RunStarted
from lgwatch.live import LiveRun
from lgwatch.sources import RunRequest
from tests import deeds
from tests.live import ROOT, Watched, eventually, is_gone, launch, live, node, topic

ORDER = [*deeds.ORDER, ("odd_state", "def")]
TIMES = len(deeds.WAYS)


class Done:
    """What all deeds came to, one run after the other in one process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "run.jsonl"
        source = LiveRun(launch(folder, target=f"{ROOT / 'tests' / 'deeds.py'}:graph", app_dir=ROOT))
        watched = Watched(source)
        try:
            for name, way in ORDER:
                source.start(RunRequest(input={"deed": name, "way": way}, has_input=True))
                count = len(watched.results) + 1
                watched.until(lambda count=count: len(watched.results) == count)
            self.alive = source.live
            process = source._process
            assert process is not None
            process.hang_up()
            watched.until(lambda: source.finished)
            self.code, self.pid = process.code(), process.pid
        finally:
            source.close()

        self.events = list(lgwatch.events(self.path))
        self.printed = {
            stream: "\n".join(e.text for e in self.events if isinstance(e, Output) and e.stream == stream)
            for stream in ("stdout", "stderr", "log", "warning")
        }

    def of(self, name: str, way: str) -> list[Event]:
        """The events of a run, and what came after it and before the next."""
        number = ORDER.index((name, way))
        starts = [at for at, event in enumerate(self.events) if isinstance(event, RunStarted)]
        return self.events[starts[number] : [*starts, None][number + 1]]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return Done(tmp_path_factory.mktemp("deeds"))


@pytest.fixture(scope="module")
def bare() -> dict[tuple[str, str], Any]:
    """What the deeds come to without lgwatch."""
    told = subprocess.run([sys.executable, "-m", "tests.deeds"], cwd=ROOT, capture_output=True, check=True, timeout=60)
    return dict(zip(deeds.ORDER, orjson.loads(told.stdout), strict=True))


@pytest.mark.parametrize("way", deeds.WAYS)
@pytest.mark.parametrize("name", deeds.DEEDS)
def test_a_run_ends_as_it_does_without_lgwatch(
    done: Done, bare: dict[tuple[str, str], Any], name: str, way: str
) -> None:
    (result,) = (event for event in done.of(name, way) if isinstance(event, RunEnded))
    assert (result.status, result.error) == ("done", None)
    assert result.output["result"] == bare[name, way]


def test_the_process_lives_through_all_of_it_and_ends_in_order(done: Done) -> None:
    assert done.alive
    assert done.code == 0
    assert is_gone(done.pid)
    forgotten = re.findall(r"forgotten: (\d+)", done.printed["stdout"])
    assert len(forgotten) == TIMES
    assert eventually(lambda: all(is_gone(int(pid)) for pid in forgotten))


def test_every_line_of_the_journal_is_whole(done: Done) -> None:
    lines = done.path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    for number, line in enumerate(lines):
        assert isinstance(orjson.loads(line), dict), number
    # What the watcher takes out of a full pipe has the moment of another process.
    times = [event.at for event in done.events if not isinstance(event, Output)]
    assert times == sorted(times)
    notices = {event.code for event in done.events if isinstance(event, Notice)}
    assert notices <= {"checkpointer", "blocked"}
    runs = [event for event in done.events if isinstance(event, (RunStarted, RunEnded))]
    assert [type(event) for event in runs] == [RunStarted, RunEnded] * len(ORDER)


def test_what_was_printed_is_there(done: Done) -> None:
    out = done.printed["stdout"]  # raw output comes through a pipe, and may be read when the next run has begun
    assert out.count("a child prints") == 3 * TIMES
    said = [line for line in out.splitlines() if "squaring" in line]
    assert sorted(said) == sorted([f"squaring {number}" for number in range(4)] * TIMES)
    assert out.count("to the screen") == TIMES
    assert done.printed["stderr"].count("more") == TIMES
    raw = out.replace("\n", "")
    assert raw.count("raw and without an end ") >= TIMES * (deeds.TOO_MUCH // 23)
    assert raw.count("written in C") >= TIMES * (deeds.TOO_MUCH // 13) - 64  # cut between two pieces
    assert raw.count("x" * 999) >= TIMES * 10 * 1000
    assert raw.count(".") >= TIMES * 40_000
    assert out.count("given back") == TIMES
    assert "taken" not in out
    assert TIMES == 1 or "in a signal handler" in out
    assert out.count("from far down") == TIMES


def test_threads_that_outlive_their_node_are_heard(done: Done) -> None:
    said = [line for line in done.printed["stdout"].splitlines() if "still" in line]
    assert sorted(said) == sorted([f"still here {number}" for number in range(40)] * 3 * TIMES)


def test_what_is_logged_is_there_whatever_the_handlers_do(done: Done) -> None:
    logged = done.printed["log"]
    for said in (
        "one Failing", "one Looping", "a handler that logs", "one QueueHandler", "%d (its arguments do not fit",
        "a record without a text", "taken by logging",
    ):  # fmt: skip
        assert said in logged, said
    assert "a child logs" not in logged


@pytest.mark.parametrize("way", deeds.WAYS)
def test_odd_values_are_recorded_each_in_two_forms(done: Done, way: str) -> None:
    written = [event.data for event in done.of("writes_odd_values", way) if isinstance(event, CustomWritten)]
    assert len(written) == 2 * len(deeds.ODD)
    by_name = dict(zip(deeds.ODD, written[::2], strict=True))
    assert by_name["surrogate"] == "\\ud800 and \\udfff"
    assert by_name["nul"] == "\x00"
    assert by_name["big"][0] == 2**63
    assert "took too long" in by_name["sleeping"]["repr"]
    assert "raised KeyboardInterrupt" in by_name["raising"]["repr"]
    assert "raised RecursionError" in by_name["recursing"]["repr"]
    assert "$cut" in str(by_name["huge"])
    assert len(written[list(deeds.ODD).index("wide") * 2]) < 200_000
    assert orjson.dumps(written)


def test_a_state_of_odd_values_is_kept(done: Done) -> None:
    (result,) = (event for event in done.of("odd_state", "def") if isinstance(event, RunEnded))
    assert result.status == "done"
    assert set(result.output["odd"]) == set(deeds.ODD)


# ── the event loop, and C code ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("asyncio.get_running_loop().stop()", "done"),
        ("[task.cancel() for task in asyncio.all_tasks() if task is not asyncio.current_task()]", "stopped"),
    ],
    ids=["stopped", "all tasks cancelled"],
)
def test_what_is_done_to_the_event_loop_ends_at_most_the_run(tmp_path: Path, statement: str, status: str) -> None:
    body = node(f"{statement}; await asyncio.sleep(0.05)").replace("def writer", "async def writer")
    with live(tmp_path, "import asyncio\n" + body) as run:
        for count in (1, 2):
            run.source.start(topic())
            run.until(lambda count=count: len(run.results) == count)
        assert [result.status for result in run.results] == [status, status]
        assert run.source.live

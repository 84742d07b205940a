"""Factories for tests with real processes: a small graph in a file, a run of it, the program itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import lgwatch
from lgwatch.events import Event, RunEnded
from lgwatch.live import Launch, LiveRun
from lgwatch.session import Session
from lgwatch.sources import RunRequest

ROOT = Path(lgwatch.__file__).parent.parent
PATIENCE = 60.0

HEAD = """
import ctypes, os, signal, subprocess, sys, time
from typing_extensions import TypedDict
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

class State(TypedDict, total=False):
    topic: str
    text: str

def compiled(*nodes):
    graph, last = StateGraph(State), START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(last, node.__name__)
        last = node.__name__
    return graph.compile()
"""

ASKED_TO_STOP = """
def asked_to_stop():
    import gc
    from lgwatch.runner.run import Run
    runs = [one for one in gc.get_objects() if type(one) is Run]
    return any(run.stop and (run.control is None or run.control.drain_requested) for run in runs)
"""
"""For a node that waits until its process knows that the run is to stop, which no graph is told."""

WRITER = """
def writer(state):
    print("writing")
    get_stream_writer()({"progress": 1})
    return {"text": "about " + state["topic"]}

graph = compiled(writer)
"""


def agent(folder: Path, body: str = WRITER) -> Path:
    """Write a module with a `graph`; `body` may use what HEAD defines."""
    path = folder / "agent.py"
    path.write_text(HEAD + dedent(body))
    return path


def node(statement: str) -> str:
    """A graph of one node that does this, and then says that it is done."""
    lines = "\n".join(f"    {line}" for line in dedent(statement).strip().splitlines())
    return f'\ndef first(state):\n    return {{"text": "begun"}}\n\ndef writer(state):\n{lines}\n    return {{"text": "done"}}\n\ngraph = compiled(first, writer)\n'


class Watched:
    """A live run and the session of what it told."""

    def __init__(self, source: LiveRun) -> None:
        self.source = source
        self.session = Session()
        self.events: list[Event] = []

    def take(self) -> None:
        for event in self.source.poll():
            self.events.append(event)
            self.session.apply(event)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        self.take()
        while not condition():
            assert time.monotonic() < deadline, [type(event).__name__ for event in self.events]
            time.sleep(0.01)
            self.take()

    def until_status(self, *statuses: str) -> None:
        self.until(lambda: self.session.status in statuses)

    @property
    def results(self) -> list[RunEnded]:
        return [event for event in self.events if isinstance(event, RunEnded)]

    @property
    def error(self) -> dict[str, Any]:
        return self.results[-1].error or {}


def launch(folder: Path, **more: Any) -> Launch:
    given = {
        "target": f"{folder / 'agent.py'}:graph", "label": "agent.py", "journal": folder / "run.jsonl",
        "python": sys.executable, "app_dir": folder,
    }  # fmt: skip
    return Launch(**{**given, **more})


@contextmanager
def live(folder: Path, body: str = WRITER, *, keep: bool = True, **more: Any) -> Iterator[Watched]:
    """A run of this graph that has not been started yet; it is closed in the end, whatever happens."""
    agent(folder, body)
    source = LiveRun(launch(folder, **more), keep=keep)
    try:
        yield Watched(source)
    finally:
        source.close()


def topic(text: str = "cats", **more: Any) -> RunRequest:
    return RunRequest(input={"topic": text}, has_input=True, **more)


def is_gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody waited for has, too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LGWATCH_")}
    return {**kept, "PYTHONPATH": str(ROOT), "LGWATCH_STATE": str(folder / "state"), **more}


def lgwatch_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lgwatch", *arguments]


def program(folder: Path, *arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run `lgwatch …` in the folder and return how it ended."""
    return subprocess.run(
        lgwatch_command(*arguments), cwd=folder, env=environment(folder, **env), input=stdin, text=True,
        capture_output=True, timeout=90, check=False,
    )  # fmt: skip

"""Factories: a graph's process as the watcher starts it, and what its journal says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

import lgwatch
from lgwatch.events import Event, Output, RunEnded
from lgwatch.journal import resolved_events

MAIN = Path(lgwatch.__file__).parent / "runner" / "__main__.py"
PATIENCE = 60.0
Found = TypeVar("Found", bound=Event)

HEAD = """
import asyncio, logging, operator, os, subprocess, sys, threading, time, warnings
from typing import Annotated, Any, TypedDict
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from langgraph.config import get_stream_writer

class State(TypedDict, total=False):
    log: Annotated[list, operator.add]

def line(*nodes, **options):
    graph = StateGraph(State)
    names = [START]
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(names[-1], node.__name__)
        names.append(node.__name__)
    return graph.compile(**options)
"""


def _of_packages(event: Event) -> bool:
    """Whether an event is what a LangGraph before 1.0 warns of when it is imported beside a later LangChain."""
    return isinstance(event, Output) and event.level == "LangChainPendingDeprecationWarning"


class Child:
    """The process, its command pipe and its journal."""

    def __init__(self, folder: Path, *sources: str, target: str = "agent:graph", **load: Any) -> None:
        (folder / "agent.py").write_text("\n".join([HEAD, *map(dedent, sources)]))
        self.folder = folder
        self.journal = folder / "run.jsonl"
        self.read_ends: list[int] = []
        write_ends = []
        for _ in range(2):
            read_end, write_end = os.pipe()
            self.read_ends.append(read_end)
            write_ends.append(write_end)
        fds = dict(zip(("LGWATCH_STDOUT_FD", "LGWATCH_STDERR_FD"), map(str, self.read_ends), strict=True))
        self.process = subprocess.Popen(
            [sys.executable, str(MAIN)],
            stdin=subprocess.PIPE, stdout=write_ends[0], stderr=write_ends[1], pass_fds=self.read_ends, cwd=folder,
            env={**os.environ, **fds}, start_new_session=True,
        )  # fmt: skip
        for fd in write_ends:
            os.close(fd)
        self.runs = 0
        self.send(
            command="load",
            target=target,
            journal=str(self.journal),
            app_dir=str(folder),
            paths=[],
            label=target,
            **load,
        )

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def start(self, given: Any = None, **options: Any) -> None:
        self.runs += 1
        if given is not None or not options.keys() & {"message"}:
            options["input"] = {"log": []} if given is None else given
        self.send(command="start", run=f"r{self.runs}", **{"thread": "1", **options})

    def resume(self, answers: Any, **options: Any) -> None:
        self.runs += 1
        self.send(command="resume", run=f"r{self.runs}", thread="1", answers=answers, **options)

    def stop(self, how: str, **why: Any) -> None:
        self.send(command="stop", how=how, **why)

    def close(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def events(self) -> list[Event]:
        return (
            [event for event in resolved_events(self.journal) if not _of_packages(event)]
            if self.journal.exists()
            else []
        )

    def of(self, cls: type[Found], **fields: Any) -> list[Found]:
        return [
            event
            for event in self.events()
            if type(event) is cls and all(getattr(event, name) == value for name, value in fields.items())
        ]

    def await_one(self, cls: type[Found], **fields: Any) -> Found:
        found = until(lambda: self.of(cls, **fields) if self.journal_has_header() else [], self)
        return found[0]

    def journal_has_header(self) -> bool:
        return self.journal.exists() and b"\n" in self.journal.read_bytes()

    def result(self) -> RunEnded:
        """The result of the last run that was asked for."""
        return self.await_one(RunEnded, run=f"r{max(self.runs, 1)}")

    def rest(self) -> str:
        """What is left in the pipes."""
        text = b""
        for fd in self.read_ends:
            os.set_blocking(fd, False)
            with suppress(BlockingIOError):
                while data := os.read(fd, 65_536):
                    text += data
        return text.decode()


def until(condition: Callable[[], Any], child: Child | None = None) -> Any:
    """Return what the condition gives once it is true; fail when that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            told = child.journal.read_text()[-4000:] + child.rest() if child and child.journal.exists() else ""
            raise AssertionError(f"it never came true\n{told}")
        time.sleep(0.01)
    return found


@contextmanager
def child(folder: Path, *sources: str, **options: Any) -> Iterator[Child]:
    """A process that is gone afterwards."""
    made = Child(folder, *sources, **options)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(made.process.pid, 9)
        made.process.wait()
        made.close()
        for fd in made.read_ends:
            os.close(fd)


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False

"""A session for hours: what the real screen holds of millions of events, and how a journal grows.

`python -m tests.benchmarks soak`: by hand, it takes minutes. `soak.events` writes the journal of an hour, in which agents
stream side by side, as fast as it can be read; the screen follows it in a pseudo-terminal, every pane of it is looked at
in between, and its memory is noted after each part. `soak.hour` runs a real graph whose models have an hour of their own,
in which nothing is waited for.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    GraphLoaded,
    MessageChunk,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
    ValueStored,
)  # fmt: skip
from lgwatch.journal import JournalWriter, encode
from tests.benchmarks.bench_screen import program
from tests.benchmarks.measure import Measure
from tests.benchmarks.terminal import Terminal

EVENTS, PARTS = 5_000_000, 10
"""Events of the journal, and looks at the memory."""
WARM = 4
"""Parts after which all that is bounded has its size."""
AGENTS, SPEED, LENGTH = 14, 100, 8_000
"""Agents that stream side by side, tokens a second of each, and tokens of an answer: five million in an hour."""
VIEWS = "234567"
"""Keys of the views that are looked at after each part."""
PATIENCE = 600
"""Seconds that the screen may take to read a part: a machine may have other things to do."""


# ── a journal of agents ──────────────────────────────────────────────────────────────────────────────────────────────


def answer(agent: int, turn: int) -> Iterator[Event]:
    """Yield what one agent tells while it gives one answer, without times."""
    node, step = f"agent{agent}", turn + 1
    task = f"{agent:08x}-d7c0-1f60-8000-{turn:012x}"
    call, stored = f"{turn:08x}-90ab-4cde-8fab-{agent:012x}", f"v{turn * AGENTS + agent + 1}"
    yield TaskStarted(task=task, node=node, step=step, triggers=(f"branch:to:{node}",), input={"turn": turn})
    yield SpanStarted(span=task, kind="node", name=node, task=task, node=node)
    yield SpanStarted(span=call, parent=task, kind="llm", name="ChatOpenAI", task=task, node=node, model="gpt-4o")
    for token in range(LENGTH):
        yield MessageChunk(
            message=f"lc_run--{call}", node=node, task=task, step=step, tags=("draft",), model="gpt-4o",
            text=f"word{token} " if token % 20 else "word\n", last=token == LENGTH - 1,
        )  # fmt: skip
        if token % 40 == 20:
            yield CustomWritten(task=task, node=node, data={"done": token, "of": LENGTH})
        if token % 80 == 50:
            yield Output(text=f"{node} has said {token} of {LENGTH}\n", task=task, node=node)
    yield SpanEnded(span=call, usage={"input_tokens": 100, "output_tokens": LENGTH})
    yield SpanEnded(span=task)
    yield ValueStored(id=stored, data={"draft": "x" * 400})
    yield Updated(task=task, node=node, writes={"draft": {"$ref": stored}})
    yield TaskEnded(task=task, node=node, step=step, writes={"draft": {"$ref": stored}})
    yield CheckpointSaved(checkpoint=f"c-{task}", step=step, source="loop", values={"draft": {"$ref": stored}})


def hour() -> Iterator[bytes]:
    """Yield the lines of agents that stream side by side for as long as anybody reads, at the times of their hour."""
    nodes = [{"id": f"agent{number}", "name": f"agent{number}", "kind": "node"} for number in range(AGENTS)]
    yield encode(GraphLoaded(target="soak:graph", nodes=nodes))
    yield encode(RunStarted(run="r1", thread="1", input={"topic": "cats"}))
    at, turns = 0.0, [0] * AGENTS
    streams = [answer(agent, -agent % 3) for agent in range(AGENTS)]
    while True:
        at += 1 / SPEED
        for agent, stream in enumerate(streams):
            event = next(stream, None)
            if event is None:
                turns[agent] += 3
                streams[agent] = answer(agent, turns[agent] - agent % 3 + 3)
                continue
            object.__setattr__(event, "at", at)
            yield encode(event)


@dataclass
class Look:
    """What there was after a part."""

    events: int
    resident: float
    """Megabytes of memory that the screen's process has, as the system counts it: mapped files, too."""
    own: float
    """Megabytes of it that are no file's."""
    journal: int
    """Bytes."""
    seconds: float
    """Of processor time that the screen has used."""

    def __str__(self) -> str:
        return (
            f"{self.events:>9,} events   {self.resident:6.1f} MB resident ({self.own:6.1f} own)   "
            f"{self.journal / 1e6:7.1f} MB journal   {self.seconds:6.1f} s of processor"
        )


def look(terminal: Terminal, events: int, path: Path) -> Look:
    """Look at the screen's process."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text(encoding="ascii")
    resident, own = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024 for name in ("VmRSS", "RssAnon"))
    return Look(events, resident, own, path.stat().st_size, terminal.cpu())


def visit(terminal: Terminal) -> None:
    """Look at every view, at the list's beginning and end, and come back."""
    for key in (*VIEWS, "4", "g", "G", "2", "g", "G", "1"):
        terminal.send(key)
        time.sleep(0.4)


def soak(count: int = EVENTS, parts: int = PARTS) -> Iterator[Measure]:
    """Let the screen follow a journal of this many events, and look at its memory after each part."""
    with tempfile.TemporaryDirectory(prefix="soak", dir="/var/tmp" if os.path.isdir("/var/tmp") else None) as name:  # noqa: PTH112 - a gigabyte is too much for a /tmp in memory
        path = Path(name) / "run.jsonl"
        writer = JournalWriter(path, target="soak:graph")  # while it is held, the journal counts as being written
        lines, looks = hour(), list[Look]()
        with path.open("ab") as file, program(Path(name), "open", "run.jsonl", "--follow") as terminal:
            terminal.wait_for(b"soak:graph", 60)
            for part in range(1, parts + 1):
                told = len(terminal.raw)
                for _ in range(count // parts // 10_000):
                    file.write(b"".join(islice(lines, 10_000)))
                at = part * count / parts / AGENTS / SPEED
                file.write(encode(Notice(at=at, code="soak", text=f"part-{part}-is-read")))
                if part == parts:
                    file.write(encode(RunEnded(run="r1", at=at)))
                file.flush()
                if part < parts:
                    terminal.wait_for(f"part-{part}-is-read", PATIENCE, since=told)
                else:
                    terminal.wait_for(b"DONE", PATIENCE, since=told)
                for _ in range(3 if part <= WARM else 1):  # an hour has many more pictures, and caches fill with them
                    visit(terminal)
                looks.append(look(terminal, part * count // parts, path))
                print(f"    {looks[-1]}", file=sys.stderr, flush=True)
            slow = terminal.latency("f", "filter") * 1000
        writer.close()
    yield from verdicts(looks, count)
    yield Measure(f"{count} events: a key after that", slow, None, "ms")


def verdicts(looks: list[Look], count: int) -> Iterator[Measure]:
    """Yield what the looks say: memory that is flat once it is warm, a journal that grows with its events."""
    warm, last = looks[WARM - 1], looks[-1]
    middle, half = looks[len(looks) // 2 - 1], last.events / 2
    yield Measure(f"{count} events: memory of the screen", last.resident, 250, "MB")
    yield Measure(
        f"{count} events: memory to that of {WARM / len(looks):.0%} of them", last.resident / warm.resident, 1.1, "x"
    )
    more = (last.resident - warm.resident) * 2**20 / (last.events - warm.events)
    yield Measure(
        f"{count} events: memory of an event after that", more, None, "B", 72, "all columns and texts in memory"
    )
    growth = (last.journal - middle.journal) / half / (middle.journal / middle.events)
    yield Measure(f"{count} events: journal of an event, second half to first", growth, 1.05, "x")
    yield Measure(f"{count} events: processor time of the screen", last.seconds / last.events * 1e6, None, "µs")


# ── an hour of a real graph ──────────────────────────────────────────────────────────────────────────────────────────

TEAM = '''
import asyncio, operator, time
from typing import Annotated
from typing_extensions import TypedDict
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.config import get_stream_writer
from langgraph.graph import START, END, StateGraph

HOUR, AGENTS, SPEED, LENGTH = {hour}, {agents}, {speed}, {length}

class Model(BaseChatModel):
    """Streams at its speed, by the clock of the loop."""

    @property
    def _llm_type(self):
        return "hour"

    def _generate(self, *args, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage("x"))])

    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        for number in range(LENGTH):
            await asyncio.sleep(1 / SPEED)
            part = ChatGenerationChunk(message=AIMessageChunk(content=f"token{{number}} "))
            if run_manager:
                await run_manager.on_llm_new_token(part.text, chunk=part)
            yield part

class State(TypedDict, total=False):
    topic: str
    began: float
    now: float
    turns: Annotated[int, operator.add]

def leaping(loop):
    """Let the loop's clock go on at once to when something is due, instead of waiting for it."""
    ahead, clock, select = [0.0], loop.time, loop._selector.select

    def leap(timeout):
        ready = select(0)
        if timeout and not ready:
            ahead[0] += timeout
        return ready

    loop.time, loop._selector.select = (lambda: clock() + ahead[0]), leap

async def begin(state):
    loop = asyncio.get_running_loop()
    leaping(loop)
    return {{"began": loop.time(), "now": loop.time()}}

def agent(number):
    async def work(state):
        await Model().ainvoke("go on")
        get_stream_writer()({{"agent": number, "turn": state.get("turns", 0)}})
        print("agent", number, "has answered")
        return {{"turns": 1}}
    return work

async def rest(state):
    return {{"now": asyncio.get_running_loop().time()}}

def on(state):
    return [f"agent{{n}}" for n in range(AGENTS)] if state["now"] - state["began"] < HOUR else "end"

async def end(state):
    get_stream_writer()({{"hours": (state["now"] - state["began"]) / 3600}})

builder = StateGraph(State).add_node(begin).add_node(rest).add_node(end).add_edge(START, "begin").add_edge("begin", "rest")
for n in range(AGENTS):
    builder.add_node(f"agent{{n}}", agent(n)).add_edge(f"agent{{n}}", "rest")
graph = builder.add_conditional_edges("rest", on).compile()
'''
"""A team whose members answer at once, step by step, until an hour of the loop's clock is over."""


def real_hour(seconds: float = 3600, agents: int = 4, speed: float = 10, length: int = 300) -> Iterator[Measure]:
    """Run a team for an hour of its own time, and look at the screen that watches it."""
    import lgwatch

    with tempfile.TemporaryDirectory(prefix="soak") as name:
        path = Path(name) / "run.jsonl"
        (Path(name) / "team.py").write_text(TEAM.format(hour=seconds, agents=agents, speed=speed, length=length))
        began, looks = time.perf_counter(), list[Look]()
        arguments = (
            "team.py:graph",
            "--journal",
            "run.jsonl",
            "--recursion-limit",
            "100000",
            "--input",
            '{"topic": "x"}',
        )
        with program(Path(name), "run", *arguments) as terminal:
            while not (b"DONE" in terminal.raw or b"FAILED" in terminal.raw):
                if terminal.process.poll() is not None or time.perf_counter() - began > PATIENCE * 2:
                    raise TimeoutError("the hour did not end")
                time.sleep(1)
                looks.append(look(terminal, 0, path if path.exists() else Path(name)))
            took = time.perf_counter() - began
            time.sleep(2)
            last = look(terminal, 0, path)
        session = lgwatch.read_journal(path)
        told = next(
            event.data for event in lgwatch.events(path) if isinstance(event, CustomWritten) and "hours" in event.data
        )
        count, tasks = len(session.index), sum(1 for _ in session.tasks())
        yield Measure("an hour of a team: hours by its own clock", told["hours"], None, "h")
        yield Measure("an hour of a team: took", took, None, "s")
        yield Measure("an hour of a team: events", count, None)
        yield Measure("an hour of a team: tasks", tasks, None)
        yield Measure("an hour of a team: tokens that are missing", abs((tasks // (agents + 1)) * agents * length
                      - sum(len(one.text.split()) for one in session.message_list)), 0)  # fmt: skip
        yield Measure("an hour of a team: memory of the screen", last.resident, 250, "MB")
        yield Measure(
            "an hour of a team: memory to that of its half", last.resident / looks[len(looks) // 2].resident, 1.2, "x"
        )


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {"events": soak, "hour": real_hour}


if __name__ == "__main__":
    wanted = [int(each) for each in sys.argv[1:] if each.isdecimal()] or [1_000_000]
    for row in soak(wanted[0]):
        print(row)
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)

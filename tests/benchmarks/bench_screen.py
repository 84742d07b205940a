"""The screen through a pseudo-terminal: first paint, a big journal, keys while events pour in, and rest."""

from __future__ import annotations

import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    GraphLoaded,
    MessageChunk,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
)  # fmt: skip
from lgwatch.journal import encode
from tests.benchmarks.measure import Measure
from tests.benchmarks.terminal import Terminal, percentile

ROOT = Path(__file__).parents[2]
SIZE = (120, 36)
PAUSES = (0.03, 0.08, 0.05, 0.037, 0.061)
"""Seconds between two keys; uneven, so that they do not fall in step with the frames."""
PAUSED = "PAUSED"
KEYS = ((" ", PAUSED), (" ", "Pause"), ("f", "Complete"), ("\x1b", "Solo"))
"""Keys, and what only their effect writes: pause, go on, open the filter line, close it. A pause is the plain key: what
it takes is the wait for a frame that is under way. The others move the focus, which Textual styles and lays out."""
CUSTOMS = """
import time
from typing_extensions import TypedDict
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph

class State(TypedDict, total=False):
    topic: str

def writer(state):
    write, began, made = get_stream_writer(), time.perf_counter(), 0
    while time.perf_counter() - began < 30:
        due = int((time.perf_counter() - began) * 10_000)
        for made in range(made, due):
            write({"progress": made, "of": "many"})
        time.sleep(0.002)

graph = StateGraph(State).add_node(writer).add_edge(START, "writer").compile()
"""


# ── journals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def events(count: int, seed: int = 1) -> Iterator[Event]:
    """Yield a realistic run of about `count` events: nine tokens in ten, from four models that speak at once."""
    rnd = random.Random(seed)
    words = [
        "the",
        "of",
        "position",
        "evidence",
        "matters",
        "more",
        "than",
        "its",
        "length",
        "and",
        "so",
        "do",
        "names",
        "however",
        "they",
        "are",
        "written",
    ]
    yield GraphLoaded(target="bench", nodes=[{"id": f"node{n}", "name": f"node{n}", "kind": "node"} for n in range(8)])
    yield RunStarted(run="r1", thread="1", input={"topic": "cats"})
    made, step = 2, 0
    while made < count:
        step += 1
        tasks = [f"{step:08x}-{lane}" for lane in range(4)]
        for lane, task in enumerate(tasks):
            yield TaskStarted(
                task=task, node=f"node{lane}", step=step, triggers=("branch",), input={"topic": "cats", "step": step}
            )
            yield SpanStarted(span=f"n{task}", kind="node", name=f"node{lane}", task=task, node=f"node{lane}")
            yield SpanStarted(
                span=f"s{task}",
                parent=f"n{task}",
                kind="llm",
                name="Chat",
                task=task,
                node=f"node{lane}",
                model="gpt-4o",
            )
        for number in range(100):
            for lane, task in enumerate(tasks):
                text = rnd.choice(words) + ("\n" if rnd.random() < 0.02 else " ")
                yield MessageChunk(
                    message=f"lc_run--s{task}", node=f"node{lane}", task=task, step=step, tags=("draft", f"lane{lane}"),
                    model="gpt-4o", text=text, last=number == 99,
                )  # fmt: skip
        for lane, task in enumerate(tasks):
            for number in range(5):
                yield CustomWritten(
                    task=task, node=f"node{lane}", data={"progress": number, "of": 5, "note": "on its way"}
                )
            yield SpanEnded(span=f"s{task}", usage={"input_tokens": 40, "output_tokens": 100})
            yield SpanEnded(span=f"n{task}")
            writes = {"messages": [{"role": "ai", "content": "word " * 40}]}
            yield Updated(task=task, node=f"node{lane}", writes=writes)
            yield TaskEnded(task=task, node=f"node{lane}", step=step, writes=writes)
        yield CheckpointSaved(checkpoint=f"c{step}", step=step, source="loop", next=("node0",), values={"step": step})
        made += 4 * (3 + 100 + 5 + 4) + 1
    yield RunEnded(run="r1", output={"topic": "cats"})


def lines(count: int, rate: float = 20_000) -> Iterator[bytes]:
    """Yield the lines of a journal with these events, header first."""
    from dataclasses import replace

    yield b'{"lgwatch":1,"target":"bench","started":"2026-01-01T00:00:00.000Z","python":"3.12","langgraph":"1.0"}\n'
    for number, event in enumerate(events(count)):
        yield encode(replace(event, at=number / rate))


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lgwatch-bench-") as name:
        yield Path(name)


def program(where: Path, *arguments: str, size: tuple[int, int] = SIZE) -> Terminal:
    """`lgwatch …` in a terminal."""
    env = {**CACHED, "PYTHONPATH": str(ROOT), "LGWATCH_STATE": str(where / "state")}
    return Terminal([sys.executable, "-m", "lgwatch", *arguments], *size, env=env, cwd=where)


def memory(pid: int) -> float:
    """Return the resident memory of a process in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


# ── measures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# As in an installed package, bytecode is cached; many shells of developers and of tests forbid it.
CACHED = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "lgwatch-bench-cache"),
}
EMPTY = "from textual.app import App\nApp().run()"
LADEN = f"import langgraph.graph\n{EMPTY}"
"""The naive screen of a graph: it shows nothing before the graph's library is there."""
TICKING = """
from textual.app import App
from textual.widgets import Label

class Ticking(App):
    def compose(self):
        yield Label("up")

    def on_mount(self):
        self.set_interval(1 / 30, self.tick)

    def tick(self):
        self.query_one(Label).update("up for some time")

Ticking().run()
"""
"""A frame thirty times a second, whether there is anything to paint or not."""
PAINTED = b"\x1b[?2026l"
"""What ends a picture."""


def first_paint(rounds: int = 7) -> Iterator[Measure]:
    """From the start of the process to the end of the first picture, against an app without widgets."""
    empty, laden, ours, before = [], [], [], 0
    with folder() as where:
        (where / "agent.py").write_text(CUSTOMS)
        for turn in range(rounds + 1):
            plain, late = (_first_picture(source) for source in (EMPTY, LADEN))
            with program(where, "run", "agent.py:graph", "--input", "{}", "--no-journal") as terminal:
                painted = terminal.wait_for(PAINTED, 30) - terminal.started
                before += spawned_after(terminal, terminal.started + painted)
                terminal.send("qq")
            if turn:  # the first fills the caches
                empty.append(plain)
                laden.append(late)
                ours.append(painted)
    mine, bare, its = (statistics.median(times) for times in (ours, empty, laden))
    beside = "an app that imports LangGraph first"
    yield Measure("first paint of lgwatch run", mine * 1000, None, "ms", its * 1000, beside)
    yield Measure("first paint of lgwatch run, to an empty app's", mine / bare, 1.5, "x", its / bare, beside)
    yield Measure("runs whose graph was spawned before the paint", rounds + 1 - before, 0)


def _first_picture(source: str) -> float:
    for _ in range(5):
        # A picture that was painted before the terminal had said that it knows such ends has none, and may be the last.
        with suppress(TimeoutError), Terminal([sys.executable, "-c", source], *SIZE, env=CACHED) as terminal:
            return terminal.wait_for(PAINTED, 15) - terminal.started
    raise TimeoutError("no picture had an end")


def spawned_after(terminal: Terminal, moment: float) -> bool:
    """Whether the graph's process was started after `moment` (of `perf_counter`), as exactly as the kernel notes it."""
    deadline = time.perf_counter() + 30
    while not (found := children(terminal.process.pid)):
        if time.perf_counter() > deadline:
            return False
        time.sleep(0.005)
    ticks = int(Path(f"/proc/{found[0]}/stat").read_text().rpartition(")")[2].split()[19])
    tick = 1 / os.sysconf("SC_CLK_TCK")
    ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks * tick
    return time.perf_counter() - ago > moment - 2 * tick


def children(pid: int) -> list[str]:
    """Return the ids of the processes that this one has started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def big_journal(count: int = 200_000, rest: float = 10) -> Iterator[Measure]:
    """A journal of this many events is opened; a key is answered when all is read."""
    with folder() as where:
        (where / "run.jsonl").write_bytes(b"".join(lines(count)))
        with program(where, "open", "run.jsonl") as terminal:
            first = terminal.wait_for(PAINTED, 30) - terminal.started
            terminal.send(" ")
            answered = terminal.wait_for(PAUSED, 60) - terminal.started
            terminal.send(" ")
            read = terminal.wait_for(b"DONE", 60) - terminal.started
            spent = terminal.cpu()
            after = terminal.latency(" ", PAUSED)
            terminal.send(" ")
            resident = memory(terminal.process.pid)
            resting, _ = _at_rest(terminal, rest)
            kept = _kept(where / "run.jsonl")
            yield Measure(f"{count} events: first paint", first, None, "s")
            yield Measure(f"{count} events: a key is answered", answered, 3, "s")
            yield Measure(f"{count} events: all are read", read, 3, "s")
            yield Measure(f"{count} events: processor time until then", spent, None, "s")
            yield Measure(f"{count} events: a key after that", after * 1000, 50, "ms")
            yield Measure(f"{count} events: memory", resident, 250, "MB", kept, "json.loads of every line, kept")
            yield Measure(f"{count} events: processor at rest", resting, 1, "%")


KEEP = """
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1], "rb")]
print(open("/proc/self/status").read())
"""


def _kept(path: Path) -> float:
    """Return the megabytes of a program that keeps every event of a journal as it is written."""
    told = subprocess.run([sys.executable, "-c", KEEP, path], capture_output=True, text=True, check=True).stdout
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


class Growing:
    """A journal to which a thread appends at a steady rate, as the runner of another watcher would."""

    def __init__(self, path: Path, rate: int) -> None:
        argv = [sys.executable, "-m", "tests.benchmarks.bench_screen", str(path), str(rate)]
        self.process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def produce(path: Path, rate: int) -> None:
    """Append events at this rate for a minute."""
    source = lines(rate * 60, rate)
    ready = list(itertools.islice(source, rate * 15))  # made before, so that the making takes no processor
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_SH)
    began, made = time.perf_counter(), 0
    while made < len(ready):
        due = min(int((time.perf_counter() - began) * rate) + 1, len(ready))
        for line in ready[made:due]:
            os.write(fd, line)
        made = due
        time.sleep(0.002)


def keys_under_load(rate: int = 10_000, keys: int = 160) -> Iterator[Measure]:
    """From key to picture while events come in from a journal that grows."""
    with folder() as where:
        path = where / "run.jsonl"
        producer = Growing(path, rate)
        try:
            deadline = time.monotonic() + 60
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            with program(where, "open", "run.jsonl", "--follow") as terminal:
                terminal.wait_for("RUN", 30)
                time.sleep(1)
                yield from _keys(terminal, keys, f"key to picture, {rate} events/s in a journal")
        finally:
            producer.close()


def keys_under_custom_load(keys: int = 160) -> Iterator[Measure]:
    """The same, live, with a node that writes 10 000 custom events a second."""
    with folder() as where:
        (where / "agent.py").write_text(CUSTOMS)
        with program(where, "run", "agent.py:graph", "--input", "{}", "--journal", "run.jsonl") as terminal:
            terminal.wait_for("RUN", 30)
            time.sleep(1)
            began, before = time.perf_counter(), (where / "run.jsonl").read_bytes().count(b"\n")
            yield from _keys(terminal, keys, "key to picture, live custom events")
            count = (where / "run.jsonl").read_bytes().count(b"\n") - before
            yield Measure("live custom events a second", count / (time.perf_counter() - began), None, "/s")
            terminal.send("qq")


def _keys(terminal: Terminal, keys: int, what: str) -> Iterator[Measure]:
    """Keys whose effect nothing else on the screen can have."""
    cpu, began = terminal.cpu(), time.perf_counter()
    times = []
    for number, pause in zip(range(keys), itertools.cycle(PAUSES), strict=False):
        key, marker = KEYS[number % len(KEYS)]
        times.append(terminal.latency(key, marker, 20))
        time.sleep(pause)
    used = (terminal.cpu() - cpu) / (time.perf_counter() - began)
    for step, (name, bound) in enumerate(
        (("pause", 50), (None, None), ("filter opens", None), ("filter closes", None))
    ):
        if name is not None:
            taken = [each * 1000 for each in times[step :: len(KEYS)]]
            yield Measure(f"{what}: {name}, p50", percentile(taken, 0.5), None, "ms")
            yield Measure(f"{what}: {name}, p99", percentile(taken, 0.99), bound, "ms")
    yield Measure(f"{what}, processor", used * 100, None, "%")


def idle(seconds: float = 10) -> Iterator[Measure]:
    """What a finished live run costs while nobody types."""
    with folder() as where:
        with program(where, "demo", "joke_and_poem") as terminal:
            terminal.wait_for("DONE", 60)
            time.sleep(2)
            used, told = _at_rest(terminal, seconds)
            terminal.send("q")
        with Terminal([sys.executable, "-c", TICKING], *SIZE, env=CACHED) as terminal:
            terminal.wait_for("up", 30)
            time.sleep(2)
            its, much = _at_rest(terminal, seconds)
    beside = "a frame thirty times a second"
    yield Measure("processor at rest", used, 1, "%", its, beside)
    yield Measure("bytes to the terminal at rest", told, None, "/s", much, beside)


def _at_rest(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Return per cent of a core and bytes a second."""
    cpu, size, began = terminal.cpu(), len(terminal.raw), time.perf_counter()
    time.sleep(seconds)
    spent = time.perf_counter() - began
    return (terminal.cpu() - cpu) / spent * 100, (len(terminal.raw) - size) / spent


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {
    "first_paint": first_paint,
    "big_journal": big_journal,
    "keys_under_load": keys_under_load,
    "keys_under_custom_load": keys_under_custom_load,
    "idle": idle,
}


if __name__ == "__main__":
    produce(Path(sys.argv[1]), int(sys.argv[2]))

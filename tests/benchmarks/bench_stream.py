"""A burst of tokens through a pseudo-terminal: the whole screen of lgwatch, and beside it a widget that is written to once
per token (`RichLog.write`), both on the same journal as it grows.

Measured is how far the screen is behind when the burst is over, how soon a key shows its effect meanwhile, and the
processor time of a token; then what is done with a journal of a million tokens.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lgwatch.events import RunEnded
from lgwatch.journal import encode
from tests.benchmarks.bench_screen import CACHED, KEYS, PAINTED, PAUSES, ROOT, SIZE, folder, memory, program
from tests.benchmarks.bench_tokens import stream
from tests.benchmarks.measure import Measure
from tests.benchmarks.terminal import Terminal, percentile

LAST = "thelastword"
HEADER = b'{"lgwatch":1,"target":"bench","started":"2026-01-01T00:00:00.000Z","python":"3","langgraph":"1"}\n'
NAIVE = """
import json, sys
from textual.app import App
from textual.widgets import Label, RichLog

class Naive(App):
    BINDINGS = [("p", "mark", "Mark")]
    marks = 0

    def compose(self):
        yield Label("no mark")
        yield RichLog()

    def on_mount(self):
        self.file = open(sys.argv[1], "rb")
        self.set_interval(1 / 60, self.read)

    def read(self):
        log = self.query_one(RichLog)
        while (line := self.file.readline()).endswith(b"\\n"):
            event = json.loads(line)
            if event.get("type") == "message":
                log.write(event["text"])
        self.file.seek(-len(line), 1)

    def action_mark(self):
        self.marks += 1
        self.query_one(Label).update(f"mark{self.marks}mark")

Naive().run()
"""


@dataclass
class Burst:
    """What was measured of one program; times are seconds."""

    behind: float
    """From the last token's line in the journal to its picture."""
    keys: list[float]
    cpu: float
    """Processor time until then."""
    unpainted: int = 0
    """Keys that showed nothing in time."""


def produce(path: str, rate: int, seconds: float) -> None:
    """Append tokens at this rate; then print when the last one, which is no word of the others, was written."""
    tokens = int(rate * seconds)
    events = list(stream(tokens))
    lines = [encode(event) for event in events]
    last = json.loads(lines[-1])
    lines[-1] = json.dumps({**last, "text": f" {LAST}"}).encode() + b"\n"
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sys.stdin.readline()  # whoever watches is ready
    began, made = time.perf_counter(), 0
    while made < len(lines):
        due = min(int((time.perf_counter() - began) * rate) + 1, len(lines))
        os.write(fd, b"".join(lines[made:due]))
        made = due
        time.sleep(0.002)
    print(time.perf_counter(), flush=True)


@dataclass
class Load:
    """Tokens that come at a steady rate, written to the journal at `path`."""

    path: Path
    rate: int
    seconds: float


def burst(terminal: Terminal, ready: str, keys: Sequence[tuple[str, str]], load: Load) -> Burst:
    """Let tokens come while somebody types."""
    seconds = load.seconds
    words = [str(load.path), str(load.rate), str(seconds)]
    argv = [sys.executable, "-m", "tests.benchmarks.bench_stream", *words]
    producer = subprocess.Popen(
        argv, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert producer.stdin is not None
        assert producer.stdout is not None
        terminal.wait_for(ready, 60)
        producer.stdin.write(b"go\n")
        producer.stdin.flush()
        time.sleep(0.5)
        cpu, times, unpainted, end = terminal.cpu(), [], 0, time.perf_counter() + seconds - 1.5
        for number, pause in zip(itertools.count(), itertools.cycle(PAUSES), strict=False):
            key, marker = keys[number % len(keys)]
            if time.perf_counter() > end and not number % len(KEYS):  # nothing stays paused
                break
            try:
                times.append(terminal.latency(key, marker, 10))
            except TimeoutError:
                unpainted += 1
            time.sleep(pause)
        written = float(producer.stdout.readline())
        seen = terminal.wait_for(LAST, 300)
        return Burst(seen - written, times, terminal.cpu() - cpu, unpainted)
    finally:
        producer.kill()
        producer.wait()


def ours(rate: int, seconds: float) -> Burst:
    """The whole screen of lgwatch, as it is on start."""
    with folder() as where:
        path = where / "run.jsonl"
        path.write_bytes(HEADER)
        with program(where, "open", "run.jsonl", "--follow") as terminal:
            return burst(terminal, "Tokens", KEYS, Load(path, rate, seconds))


def naive(rate: int, seconds: float) -> Burst:
    """The widget that is written to once per token, and nothing else on the screen."""
    with folder() as where:
        path = where / "run.jsonl"
        path.write_bytes(HEADER)
        marks = [("p", f"mark{number}mark") for number in range(1, 10_000)]
        with Terminal([sys.executable, "-c", NAIVE, str(path)], *SIZE, env=CACHED, cwd=where) as terminal:
            return burst(terminal, "no mark", marks, Load(path, rate, seconds))


def measure(rate: int = 20_000, seconds: float = 10.0) -> Iterator[Measure]:
    """Yield what a burst takes, with the widget's own beside it."""
    fast, slow, beside = ours(rate, seconds), naive(rate, seconds), "RichLog.write per token"
    what, tokens = f"{rate} tokens/s for {seconds:g} s", rate * seconds
    yield Measure(f"{what}: behind after the last", fast.behind * 1000, 2 * 1000 / 30, "ms", slow.behind * 1000, beside)
    for part, bound in ((0.5, None), (0.99, 50)):
        mine, its = (percentile(one.keys or [10.0], part) * 1000 for one in (fast, slow))
        yield Measure(f"{what}: key to picture, p{part * 100:.0f}", mine, bound, "ms", its, beside)
    yield Measure(f"{what}: keys that showed nothing in 10 s", fast.unpainted, 0, "", slow.unpainted, beside)
    mine, its = (one.cpu / tokens * 1e6 for one in (fast, slow))
    yield Measure(f"{what}: processor time of a token", mine, None, "µs", its, beside)


def spent(pid: int) -> float:
    """Return the milliseconds of processor time of a process, more exactly than in ticks."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6


def _weight_of_nothing() -> float:
    """Return the megabytes of the program with a token or two."""
    with folder() as where:
        (where / "run.jsonl").write_bytes(HEADER + b"".join(map(encode, [*stream(1), RunEnded(run="r1")])))
        with program(where, "open", "run.jsonl") as terminal:
            terminal.wait_for_screen("DONE", 60)
            time.sleep(2)
            return memory(terminal.process.pid)


PROMISED = (
    "scroll to the start",
    "scroll to the end",
    "another filter",
    "all again",
    "what is not there is sought",
    "another width",
)
"""What has a bound; to write all anew in another way has none."""


def held(tokens: int = 1_000_000, rounds: int = 5) -> Iterator[Measure]:
    """A finished journal of this many tokens: from key, or change of size, to its effect; medians of some rounds."""
    steps = [
        ("scroll to the start", "g", PAINTED), ("another filter", "s", "path=node"), ("all again", "X", "f to filter"),
        ("what is not there is sought", "\r", "no match"), ("scroll to the end", "G", PAINTED),
        ("a column per node", "v", "by node"), ("one stream", "v", "one stream"), ("a block per call", "v", "a block per call"),
    ]  # fmt: skip
    taken: dict[str, list[tuple[float, float]]] = {}
    with folder() as where:
        with (where / "run.jsonl").open("wb") as file:
            file.write(HEADER)
            file.writelines(map(encode, [*stream(tokens), RunEnded(run="r1")]))
        with program(where, "open", "run.jsonl") as terminal:
            pid = terminal.process.pid

            def timed(name: str, act: Callable[[], None], marker: str | bytes) -> None:
                since, cpu, began = len(terminal.raw), spent(pid), time.perf_counter()
                act()
                seen = terminal.wait_for(marker, 30, since=since)
                taken.setdefault(name, []).append((seen - began, spent(pid) - cpu))
                time.sleep(1)

            terminal.wait_for_screen("DONE", 300)
            time.sleep(2)
            resident = memory(pid)
            for turn in range(rounds):
                for name, key, marker in steps:
                    if key == "\r":
                        terminal.send("/nowhere")
                        terminal.wait_for_screen("nowhere", 30)
                    timed(name, partial(terminal.send, key), marker)
                for size in ((90 + turn, 36), SIZE):
                    timed("another width", partial(terminal.resize, *size), PAINTED)
    weight = (resident - _weight_of_nothing()) / tokens * 2**20
    yield Measure(f"{tokens} tokens: memory of the program", resident, None, "MB")
    yield Measure(f"{tokens} tokens: memory of a token", weight, 60, "B")
    for name, times in taken.items():
        bound = 100 if name in PROMISED else None
        yield Measure(f"{tokens} tokens: {name}", statistics.median(wall for wall, _ in times) * 1000, bound, "ms")
        yield Measure(f"{tokens} tokens: {name}, processor", statistics.median(cpu for _, cpu in times), None, "ms")


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {"burst": measure, "held": held}


if __name__ == "__main__":
    produce(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))

"""A session for hours: what the watcher holds of millions of events, and how a journal grows.

`python -m tests.benchmarks.bench_soak [EVENTS] [--json]`: by hand, it takes a minute for a million. Agents work one
after the other, each with calls that stream, customs, prints and checkpoints: an hour of them, without the waiting.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    MessageChunk,
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
from lgwatch.journal import JournalReader, JournalWriter
from lgwatch.session import Session
from tests.benchmarks.measure import Measure

TASKS, TOKENS = 10, 150
"""Tasks of a run, and tokens of a task."""
PARTS = 8
"""Looks at the memory."""


def run(number: int) -> Iterator[Event]:
    """Yield what one run of an agent tells."""
    yield RunStarted(run=f"r{number}", thread=str(number), input={"topic": "cats"})
    for step in range(TASKS):
        node, task, call = f"node{step % 5}", f"t{number}-{step}", f"c{number}-{step}"
        yield TaskStarted(task=task, node=node, step=step, triggers=("branch",), input={"$ref": f"v{number}-{step}"})
        yield SpanStarted(span=call, kind="llm", name="ChatOpenAI", task=task, node=node, model="gpt-4o")
        for token in range(TOKENS):
            yield MessageChunk(
                message=f"m{number}-{step}", node=node, task=task, step=step, tags=("draft",), model="gpt-4o",
                text="word " if token % 20 else "word\n", last=token == TOKENS - 1,
            )  # fmt: skip
        yield SpanEnded(span=call, usage={"input_tokens": 100, "output_tokens": TOKENS})
        yield Output(text=f"step {step} of run {number}", task=task, node=node)
        yield CustomWritten(task=task, node=node, data={"done": step, "of": TASKS})
        yield ValueStored(id=f"v{number}-{step}x", data={"draft": "x" * 400})
        yield Updated(task=task, node=node, writes={"draft": {"$ref": f"v{number}-{step}x"}})
        yield TaskEnded(task=task, node=node, step=step, writes={"draft": {"$ref": f"v{number}-{step}x"}})
        yield CheckpointSaved(
            checkpoint=f"k{number}-{step}", step=step, values={"draft": {"$ref": f"v{number}-{step}x"}}
        )
    yield RunEnded(run=f"r{number}", output={"draft": "done"})


def measure(events: int) -> Iterator[Measure]:
    """Yield what a session of so many events costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        writer = JournalWriter(path, target="soak:graph")
        reader, session = JournalReader(path), Session()
        gc.collect()
        tracemalloc.start(1)
        weights, sizes, counts, spent, number = [], [], [], 0.0, 0
        for part in range(1, PARTS + 1):
            while len(reader.offsets) < events * part // PARTS:
                for event in run(number):
                    writer.append(event)
                number += 1
                began = perf_counter()
                for event in reader.poll():
                    session.apply(event)
                spent += perf_counter() - began
            gc.collect()
            weights.append(tracemalloc.get_traced_memory()[0])
            sizes.append(path.stat().st_size)
            counts.append(len(reader.offsets))
        early = (weights[PARTS // 2] - weights[0]) / (counts[PARTS // 2] - counts[0])
        late = (weights[-1] - weights[PARTS // 2]) / (counts[-1] - counts[PARTS // 2])
        growth = (sizes[-1] - sizes[PARTS // 2]) / (counts[-1] - counts[PARTS // 2])
        first = (sizes[PARTS // 2] - sizes[0]) / (counts[PARTS // 2] - counts[0])
        yield Measure(f"soak of {counts[-1]} events: memory per event", late, 120, "B")
        yield Measure("soak: memory per event, second half to first", late / early, 1.1, "x")
        yield Measure("soak: journal per event, second half to first", growth / first, 1.05, "x")
        yield Measure("soak: read and applied, traced", spent / counts[-1] * 1e6, None, "µs")
        if "--top" in sys.argv:
            for line in tracemalloc.take_snapshot().statistics("lineno")[:25]:
                print(f"{line.size / counts[-1]:8.1f} B/event  {line.traceback}", file=sys.stderr)
        writer.close()
        reader.close()


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {"hours": lambda: measure(5_000_000)}


if __name__ == "__main__":
    wanted = [int(each) for each in sys.argv[1:] if each.isdecimal()] or [1_000_000]
    for row in measure(wanted[0]):
        print(row)
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)

"""A long session: opened, scrolled, jumped through and filtered anew, against a `DataTable` of the same events."""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count, cycle, pairwise
from pathlib import Path
from typing import Any, NamedTuple

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
)  # fmt: skip
from lgwatch.journal import encode
from lgwatch.sources import Recording
from lgwatch.tui.app import WatchApp
from tests.benchmarks.bench_screen import PAINTED, memory, program
from tests.benchmarks.measure import Measure
from tests.benchmarks.terminal import Terminal, percentile

MANY = 1_000_000
LANES = 8
"""Calls of a step that stream side by side."""
WORDS = ["the ", "of ", "position ", "evid", "ence ", "matters ", "more\n", "than ", "its ", "length. "]


def story(many: int) -> Iterator[Event]:
    """Yield about `many` events: steps of eight lanes, each a call of 400 tokens, with custom events and checkpoints."""
    yield RunStarted(run="r1", thread="1", input={"topic": "cats"})
    made, at, numbers = 1, 0.0, count(1)
    for step in count(1):
        if made >= many - 2:
            break
        lanes = [(f"node{lane}", f"{next(numbers):08x}-0000-4000-8000-000000000000") for lane in range(LANES)]
        for node, name in lanes:
            yield TaskStarted(
                at=at, task=name, node=node, step=step, triggers=(f"branch:to:{node}",), input={"step": step}
            )
            yield SpanStarted(at=at, span=f"n-{name}", kind="node", name=node, task=name, node=node)
            yield SpanStarted(at=at, span=name, kind="llm", name="Model", task=name, node=node, model="gpt-4o")
        made += 3 * LANES
        for number in range(400):
            at += 0.01
            for node, name in lanes:
                yield MessageChunk(
                    at=at, message=f"lc_run--{name}", node=node, task=name, step=step, tags=("draft",), model="gpt-4o",
                    text=WORDS[number % 10], last=number == 399,
                )  # fmt: skip
            if not number % 50:
                node, name = lanes[number % LANES]
                yield CustomWritten(at=at, task=name, node=node, data={"done": number, "of": 400})
                made += 1
            made += LANES
        for node, name in lanes:
            yield SpanEnded(at=at, span=name, usage={"input_tokens": 12, "output_tokens": 400})
            yield SpanEnded(at=at, span=f"n-{name}")
            yield TaskEnded(at=at, task=name, node=node, step=step, writes={"text": node})
        yield CheckpointSaved(at=at, checkpoint=f"c{step}", step=step, source="loop", values={"step": step})
        made += 3 * LANES + 1
    yield RunEnded(at=at, run="r1", output={"done": True})


def write(path: Path, events: Iterator[Event]) -> int:
    """Write a journal; return how many events it has."""
    made = 0
    with path.open("wb") as file:
        file.write(b'{"lgwatch":1,"target":"bench:graph","started":"2026-11-20T12:00:00.000Z"}\n')
        for event in events:
            file.write(encode(event))
            made += 1
    return made


def crowd(nodes: int = 300, tasks: int = 10_000) -> Iterator[Event]:
    """Yield a run of so many tasks of so many nodes: a fan-out of a thousand, then steps of ten."""
    names = [f"node{number}" for number in range(nodes)]
    known = [{"id": name, "name": name, "kind": "node"} for name in names]
    edges = [{"source": one, "target": other} for one, other in pairwise(names)]
    yield GraphLoaded(target="bench:graph", nodes=known, edges=edges)
    yield RunStarted(run="r1", thread="1", input={})
    at, made = 0.0, 0
    widths = cycle([1000, *[10] * 100])
    for step, node in enumerate(cycle(names), 1):
        lanes = [f"{number:08x}" for number in range(made, min(made + next(widths), tasks))]
        for name in lanes:
            yield TaskStarted(at=at, task=name, node=node, step=step, triggers=(f"branch:to:{node}",))
        for number, name in enumerate(lanes):
            yield SpanStarted(at=at + number / 1000, span=f"n-{name}", kind="node", name=node, task=name, node=node)
        at += 0.5 + len(lanes) / 1000
        for name in lanes:
            yield SpanEnded(at=at, span=f"n-{name}")
            yield TaskEnded(at=at, task=name, node=node, step=step, writes={"x": 1})
        made += len(lanes)
        if made >= tasks:
            break
    yield RunEnded(at=at, run="r1")


# ── measures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


CALM = 0.25
"""Seconds without output after which a picture is complete."""


class Felt(NamedTuple):
    """What a key took, in milliseconds: until the first and the last of what it changes stood on the screen (0 where it
    changes nothing), and of processor time."""

    first: float
    last: float
    work: float


def felt(terminal: Terminal, key: str) -> Felt:
    """Type a key, and wait until its picture is complete."""
    read, size, used, began = len(terminal.reads), len(terminal.raw), spent(terminal), time.perf_counter()
    terminal.send(key)
    shown = began
    while time.perf_counter() - max(shown, began + CALM) < CALM:
        time.sleep(0.01)
        if len(terminal.raw) > size:
            size, shown = len(terminal.raw), terminal.reads[-1][0]
    first = terminal.reads[read][0] if shown > began else began
    return Felt((first - began) * 1000, (shown - began) * 1000, spent(terminal) - used)


def spent(terminal: Terminal) -> float:
    """Return the milliseconds of processor time that the program's main thread has used."""
    told = Path(f"/proc/{terminal.process.pid}/schedstat")
    return int(told.read_text().split()[0]) / 1e6 if told.exists() else terminal.cpu() * 1000


def at_rest(terminal: Terminal) -> None:
    """Wait until the program does nothing."""
    used = -1.0
    while terminal.cpu() - used > 0.02:
        used = terminal.cpu()
        time.sleep(0.5)


FILTERS = (
    "node:node3", "node:node3 type:custom", "!type:message", "step>100", "t>1000 tok>1", "dur>1s", "task:0000*", "tag:draft",
)  # fmt: skip


def opened(where: Path, many: int, filters: Sequence[str]) -> Iterator[Measure]:
    """The journal in a terminal: until it can be used, until all of it is there, what it takes, and then its keys."""
    with program(where, "open", "run.jsonl", size=(200, 60)) as terminal:
        painted = terminal.wait_for(PAINTED, 30) - terminal.started
        terminal.send(" ")
        answered = terminal.wait_for("PAUSED", 60) - terminal.started
        terminal.send(" ")
        waited = []
        while b"DONE" not in terminal.raw:
            waited.append(terminal.latency(" ", "PAUSED", 20) * 1000)
            terminal.send(" ")
            time.sleep(0.1)
        read = terminal.wait_for("DONE", 120) - terminal.started
        used = terminal.cpu()
        resident = memory(terminal.process.pid)
        yield Measure(f"{many} events: first picture", painted, None, "s")
        yield Measure(f"{many} events: a key is answered", answered, 1, "s")
        if waited:
            yield Measure(f"{many} events: a key while they are read, worst", max(waited), 100, "ms")
        yield Measure(f"{many} events: all are read", read, 5, "s")
        yield Measure(f"{many} events: processor time until then", used, None, "s")
        yield Measure(f"{many} events: memory", resident, 200, "MB")
        at_rest(terminal)
        yield from walked(terminal, many, filters)


def walked(terminal: Terminal, many: int, expressions: Sequence[str]) -> Iterator[Measure]:
    """Scroll, jump and filter in the list of events, on the tab that shows the timeline besides."""
    felt(terminal, "4")
    felt(terminal, "\t")
    pages = [felt(terminal, key).last for key in ["\x1b[5~", "\x1b[6~"] * len(expressions)]
    jumps = [felt(terminal, key).last for key in ("g", "G") * len(expressions)]
    filters = []
    for text in expressions:
        for key in ("f", "\x15", text[:-1]):
            felt(terminal, key)
        filters.append(felt(terminal, text[-1]))
        felt(terminal, "\r")
    yield Measure(f"{many} events: a page, p99", percentile(pages, 0.99), 50, "ms")
    yield Measure(f"{many} events: to the first and to the last, p99", percentile(jumps, 0.99), 50, "ms")
    yield Measure(
        f"{many} events: another filter, something is seen, worst", max(one.first for one in filters), 50, "ms"
    )
    yield Measure(f"{many} events: another filter, whole picture, worst", max(one.last for one in filters), 100, "ms")
    work = sorted(one.work for one in filters)
    yield Measure(f"{many} events: processor time of another filter, worst", work[-1], None, "ms")
    yield Measure(f"{many} events: processor time of another filter, p50", percentile(work, 0.5), None, "ms")


async def timed(pilot: Any, act: Callable[[], Awaitable[Any] | Any]) -> float:
    """Return the milliseconds of processor time until the app has done it and painted."""
    gc.collect()
    began = time.process_time()
    if (waiting := act()) is not None:
        await waiting
    await pilot.pause()
    return (time.process_time() - began) * 1000


class Taken(NamedTuple):
    """Processor time in the screen's process: seconds until all events are there, milliseconds of a jump and of a filter."""

    read: float
    jump: float
    filter: float


async def ours(path: Path) -> Taken:
    """The event list alone on a screen without a terminal."""
    app = WatchApp(Recording(path), filter_text="")
    began = time.process_time()
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("4", "tab", "z")
        while not app.source.finished:
            await pilot.pause(0.05)
        read = time.process_time() - began
        await pilot.pause(1)
        events = app.pane("events")
        many = len(events.rows)
        jumps = [
            await timed(pilot, lambda place=place: events.view.scroll_rows(place)) for place in (many // 2, many // 3)
        ]

        async def narrowed(text: str) -> None:
            app.set_filter(text)
            app.draw()
            while events.behind:
                await pilot.pause()

        filters = [await timed(pilot, lambda text=text: narrowed(text)) for text in ("node:node3", "")]
        return Taken(read, max(jumps), max(filters))


KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "left": "\x1b[D", "right": "\x1b[C",
    **{key: key for key in ("g", "G", "k", "+", "-", "0", "m", ",", ".", "[", "]", "{", "}", "!", "C", "C", "t", "T", "T")},
    "tab": "\t", "shift+tab": "\x1b[Z", "z": "z", "again z": "z", "4": "4", "5": "5", "1": "1",
}  # fmt: skip
"""What a person may press on a run, and what the terminal makes of it."""


def many_tasks(where: Path) -> Iterator[Measure]:
    """Every key on a run of ten thousand tasks, in a terminal, on the timeline and on the nodes."""
    taken: list[tuple[Felt, str]] = []
    with program(where, "open", "run.jsonl", size=(200, 60)) as terminal:
        terminal.wait_for("DONE", 60)
        at_rest(terminal)
        for pane, way in (("timeline", "4"), ("nodes", "1\x1b[Z")):
            for name, key in KEYS.items():
                if name in ("up", "k", "z", "4"):
                    taken.append((felt(terminal, way[0]), f"{pane} {way[0]}"))
                    if way[1:]:
                        taken.append((felt(terminal, way[1:]), f"{pane} shift+tab"))
                taken.append((felt(terminal, key), f"{pane} {name}"))
    times, work = [one.last for one, _ in taken], [one.work for one, _ in taken]
    slowest = sorted(((one.work, what) for one, what in taken), reverse=True)[:8]
    print("most work:", ", ".join(f"{what} {one:.0f} ms" for one, what in slowest), file=sys.stderr)
    yield Measure("10000 tasks of 300 nodes: key to picture, p50", percentile(times, 0.5), None, "ms")
    yield Measure("10000 tasks of 300 nodes: key to picture, p99", percentile(times, 0.99), 50, "ms")
    yield Measure("10000 tasks of 300 nodes: processor time of a key, p99", percentile(work, 0.99), None, "ms")


async def naive(path: Path) -> Taken:
    """The same events in a `DataTable`, a row each, as one would write it first."""
    from textual.app import App
    from textual.widgets import DataTable

    class Naive(App[None]):
        def compose(self) -> Any:
            yield DataTable()

    app = Naive()
    began = time.process_time()
    async with app.run_test(size=(200, 60)) as pilot:
        table = app.query_one(DataTable)
        table.add_columns("at", "step", "kind", "node", "summary")
        reader, rows = Recording(path), []
        while events := reader.poll(0.05):
            for event in events:
                told = str(getattr(event, "text", "") or getattr(event, "data", ""))
                step, node = str(getattr(event, "step", "")), getattr(event, "node", "")
                rows.append((f"{event.at:.3f}", step, event.type, node, told))
        for row in rows:
            table.add_row(*row)
        await pilot.pause()
        read = time.process_time() - began
        jump = await timed(pilot, lambda: table.move_cursor(row=len(rows) // 2))

        def again(node: str) -> None:
            table.clear()
            for row in rows:
                if not node or row[3] == node:
                    table.add_row(*row)

        filters = [await timed(pilot, lambda node=node: again(node)) for node in ("node3", "")]
        return Taken(read, jump, max(filters))


def beside(path: Path, many: int) -> Iterator[Measure]:
    """The list beside the naive one, of so few events as that one can take."""
    mine, its, what = asyncio.run(ours(path)), asyncio.run(naive(path)), "a DataTable of them"
    yield Measure(f"{many} events: processor time until all are there", mine.read, None, "s", its.read, what)
    yield Measure(f"{many} events: processor time of a jump", mine.jump, None, "ms", its.jump, what)
    yield Measure(f"{many} events: processor time of another filter", mine.filter, None, "ms", its.filter, what)


def long_session(many: int = MANY, few: int = 50_000, filters: Sequence[str] = FILTERS) -> Iterator[Measure]:
    """A million events on the screen; and some of them beside a stock table, which would take minutes for all."""
    with tempfile.TemporaryDirectory(prefix="lgwatch-bench-") as name:
        where = Path(name)
        yield from opened(where, write(where / "run.jsonl", story(many)), filters)
        yield from beside(where / "few.jsonl", write(where / "few.jsonl", story(few)))


def crowded() -> Iterator[Measure]:
    """Ten thousand tasks on the screen."""
    with tempfile.TemporaryDirectory(prefix="lgwatch-bench-") as name:
        write(Path(name) / "run.jsonl", crowd())
        yield from many_tasks(Path(name))


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {"long_session": long_session, "many_tasks": crowded}

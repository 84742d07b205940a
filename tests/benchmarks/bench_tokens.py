"""A million tokens held: what they weigh in the watcher, and how long it takes to resize, to filter, to fold, to search.

All of it without a terminal, in processor time; a burst is measured as what a frame of it costs.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

from lgwatch.events import Event, MessageChunk, RunStarted, TaskStarted
from lgwatch.filter import parse
from lgwatch.session import Session
from lgwatch.tui.lines.rows import Rows
from lgwatch.tui.lines.search import Search
from lgwatch.tui.messages.block import Level
from lgwatch.tui.messages.blocks import MessageBlocks
from lgwatch.tui.messages.deck import Sought
from lgwatch.tui.messages.markdown import markdown
from tests.benchmarks.measure import Measure

CALL = 500
"""Tokens of one call."""
PARALLEL = 8
"""Calls that stream side by side."""
FRAME = 20_000 // 60
"""Tokens of a frame when 20 000 come in a second."""
HEIGHT = 50
WORDS = ["the ", "quick ", "brown ", "fo", "xes ", "jump, ", "over\n", "**lazy** ", "dogs. ", "très "]


def stream(tokens: int) -> Iterator[Event]:
    """Yield a run in which eight nodes at a time call models."""
    yield RunStarted(run="r1", thread="1")
    at = 0.0
    for wave in range(-(-tokens // (CALL * PARALLEL))):
        calls = [wave * PARALLEL + lane for lane in range(PARALLEL)]
        for call in calls:
            yield TaskStarted(task=f"t{call}", node=f"node{call % 40}", step=wave)
        for number in range(CALL):
            for call in calls:
                at += 0.00005
                yield MessageChunk(
                    at=at, message=f"m{call}", node=f"node{call % 40}", task=f"t{call}", step=wave,
                    tags=(f"tag{call % 5}",), model="gpt-4o", text=WORDS[(number + call) % len(WORDS)],
                    last=number == CALL - 1,
                )  # fmt: skip


def look(blocks: MessageBlocks, width: int, *, top: int | None = None) -> None:
    """Do what a view does in a frame."""
    rows = blocks.rows
    rows.resize(width)
    count = len(rows)
    first = max(count - HEIGHT, 0) if top is None else top
    for index in range(first, min(first + HEIGHT, count)):
        rows.key(index)
        rows.row(index, width)


def timed(work: Callable[[], Any]) -> float:
    """Return the milliseconds of processor time that the work takes; nothing in it waits."""
    started = process_time()
    work()
    return (process_time() - started) * 1000


def measure(tokens: int) -> dict[str, float]:
    """Return the numbers, times in milliseconds of the processor."""
    found: dict[str, float] = {}
    session, blocks, nothing = Session(), MessageBlocks(), parse("")
    frames: list[float] = []
    frame: list[Event] = []
    gc.collect()
    tracemalloc.start(1)
    for number, event in enumerate(stream(tokens)):  # first for the weight: tracing slows it down
        session.apply(event)
        if number % 5000 == 0:
            blocks.update(session, nothing, event.at)
            look(blocks, 100)
    blocks.update(session, nothing, 0.0)
    look(blocks, 100)
    gc.collect()
    found["bytes a token"] = tracemalloc.get_traced_memory()[0] / tokens
    tracemalloc.stop()

    burst, drawn = Session(), MessageBlocks()
    for event in stream(200_000):
        frame.append(event)
        if len(frame) == FRAME:
            frames.append(timed(lambda: _frame(burst, drawn, frame)))
            frame.clear()
    frames.sort()
    found["a frame of 20 000 tokens/s, median"] = frames[len(frames) // 2]
    found["a frame of 20 000 tokens/s, p99"] = frames[len(frames) * 99 // 100]

    rows = blocks.rows
    found["resize, first picture"] = timed(lambda: look(blocks, 71))
    found["resize, the longest slice after"], found["resize, all of it"] = _slices(blocks, 71)
    found["scroll to the middle"] = timed(lambda: look(blocks, 71, top=len(rows) // 2))
    for name, source in (("by node", "node:node7"), ("by tag", "!tag:tag3"), ("by text", '"très"'), ("cleared", "")):
        keep = parse(source)
        found[f"refilter {name}"] = timed(lambda: (blocks.update(session, keep, 0.0), look(blocks, 71)))
    for level in (Level.HEADER, Level.START, Level.BODY):
        found[f"show {level.name}"] = timed(lambda: (rows.show_level(level), look(blocks, 71)))
    rows.append(rows.blocks[3], "needle")
    for level in (Level.BODY, Level.HEADER):
        rows.show_level(level)
        found |= searched(rows, "nowhere", 0, 1, f"what is not there, {level.name}")
        found |= searched(rows, "needle", len(rows) - 1, -1, f"from the end, {level.name}")
    rows.show_level(Level.BODY)
    look(blocks, 90)
    found |= searched(rows, "needle", len(rows) - 1, -1, "while most is unwrapped")
    found |= in_columns(session)
    again = MessageBlocks()
    found["all written anew, first picture"] = timed(lambda: (again.update(session, nothing, 0.0), look(again, 100)))
    for block in rows.blocks:
        rows.depict(block, lambda width, details, block=block: markdown(block.text, width))
    found["all as markdown"] = timed(lambda: look(blocks, 90))
    found["all as markdown, scroll"] = timed(lambda: look(blocks, 90, top=len(rows) // 3))
    return found


def searched(rows: Rows, text: str, start: int, step: int, what: str) -> dict[str, float]:
    """Search as a view does, a slice at a time: keys are obeyed between two slices."""
    search, slices = Search(text), []
    search.begin(rows, start, step)
    while search.going:
        slices.append(timed(lambda: search.go_on(rows, 71)))
    return {f"search {what}": sum(slices), f"search {what}, longest slice": max(slices)}


def in_columns(session: Session) -> dict[str, float]:
    """The same with a column per node, of which nine are in view."""
    found: dict[str, float] = {}
    blocks, nothing = MessageBlocks(), parse("")
    blocks.show_by("node")

    def nine(width: int) -> None:
        for column in list(blocks.columns.values())[-9:]:
            column.rows.resize(width)
            column.heading(0.0, width)
            last = len(column.rows)
            for index in range(max(last - HEIGHT // 3, 0), last):
                column.rows.row(index, width)

    found["columns: all written, first picture"] = timed(lambda: (blocks.update(session, nothing, 0.0), nine(38)))
    found["columns: another width, first picture"] = timed(lambda: nine(50))
    for name, source in (("by tag", "!tag:tag3"), ("by text", '"très"'), ("cleared", "")):
        keep = parse(source)
        found[f"columns: refilter {name}"] = timed(lambda: (blocks.update(session, keep, 0.0), nine(50)))
    found |= searched(Sought(list(blocks.columns.values())), "nowhere", 0, 1, "in columns, what is not there")
    return found


def _frame(session: Session, blocks: MessageBlocks, frame: list[Event]) -> None:
    for event in frame:
        session.apply(event)
    blocks.update(session, parse(""), frame[-1].at)
    look(blocks, 100)


def _slices(blocks: MessageBlocks, width: int) -> tuple[float, float]:
    longest = total = 0.0
    while blocks.rows._late:
        one = timed(lambda: look(blocks, width))
        longest, total = max(longest, one), total + one
    return longest, total


def held(tokens: int = 1_000_000) -> Iterator[Measure]:
    """Yield the numbers, the weight of a token beside that of an event that is kept as it came."""
    found = measure(tokens)
    its = _weight_of_events()
    weight = found.pop("bytes a token")
    yield Measure(f"{tokens} tokens in this process: memory of a token", weight, 60, "B", its, "every event kept")
    for what, value in found.items():
        yield Measure(f"{tokens} tokens in this process: {what}", value, None, "ms")


def _weight_of_events(tokens: int = 50_000) -> float:
    tracemalloc.start(1)
    kept = list(stream(tokens))
    weight = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    return weight


MEASURES = {"held": held}

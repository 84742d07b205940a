"""The drawn graph: how long it takes to lay out, to repaint a change of state, and to follow the run's way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from lgwatch.events import Json, RunStarted, TaskEnded, TaskStarted
from lgwatch.session import Session
from lgwatch.transitions import Transitions
from lgwatch.tui.drawing.boxes import draw
from lgwatch.tui.drawing.picture import Mark, Picture
from lgwatch.tui.drawing.tallies import places
from lgwatch.tui.nodes.table import NodeTable
from tests.benchmarks.measure import Measure

SCREEN = 60
"""Rows that are seen at once."""


def graph(nodes: int, edges: int, near: int = 8) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """A graph in which an edge leads at most `near` nodes on or half as many back, always the same one."""
    rng = random.Random(1)
    pairs = {(rng.randrange(max(0, number - near), number), number) for number in range(1, nodes)}
    while len(pairs) < edges:
        source = rng.randrange(nodes)
        target = min(max(0, source + rng.randrange(-near // 2, 2 * near)), nodes - 1)
        if source != target:
            pairs.add((source, target))
    told: list[dict[str, Json]] = [{"id": f"node{number}", "kind": "node"} for number in range(nodes)]
    ends = [{"id": "__start__", "kind": "start"}, {"id": "__end__", "kind": "end"}]
    links = [("__start__", "node0"), (f"node{nodes - 1}", "__end__")]
    links += [(f"node{source}", f"node{target}") for source, target in sorted(pairs)]
    return told + ends, [{"source": source, "target": target} for source, target in links]


def best(work: Callable[[], object], rounds: int = 5) -> float:
    """Milliseconds of the fastest round: what the machine does besides is not measured."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return min(times)


def layouts() -> Iterator[Measure]:
    """Graphs of three sizes, and what the largest costs when it has no room."""
    for nodes, edges, bound in ((5, 7, None), (50, 90, None), (300, 900, 300)):
        told, links = graph(nodes, edges)
        yield Measure(f"{nodes} nodes, {edges} edges: lay out", best(lambda: draw(told, links)), bound, "ms")
    some = draw(*graph(60, 110))
    assert some is not None
    yield Measure("60 nodes, 110 edges: where counts stand", best(lambda: places(some)), 50, "ms")
    yield Measure("60 nodes, 110 edges: no room in 40 cells", best(lambda: draw(*graph(60, 110), width=40)), 300, "ms")
    yield Measure("300 nodes, 900 edges: no room in 60 cells", best(lambda: draw(told, links, width=60)), 300, "ms")


def repaints() -> Iterator[Measure]:
    """All states are asked for again, and the rows that changed are made anew."""
    told, links = graph(300, 900)
    drawing = draw(told, links)
    assert drawing is not None
    states = {str(node["id"]): Mark() for node in told}
    picture = Picture(drawing, states.__getitem__, lambda _: "")
    rows = range(200, 200 + SCREEN)
    keys = {row: (picture.key(row), picture.row(row, 200)) for row in rows}
    seen = [name for name, box in drawing.boxes.items() if 200 <= box.rect.y < 200 + SCREEN]

    def repaint() -> None:
        states[seen[0]] = Mark("✓", "ok", caption=((f"{time.perf_counter():.2f}", "time"),))
        for row in rows:
            key = picture.key(row)
            if key != keys[row][0]:
                keys[row] = (key, picture.row(row, 200))

    def anew() -> None:
        whole = Picture(drawing, states.__getitem__, lambda _: "")
        for row in range(drawing.height):
            whole.row(row, 200)

    what = "300 nodes, 900 edges: repaint a change of state"
    yield Measure(what, best(repaint), 10, "ms", best(anew), "every row of the drawing again")


def ways(tasks: int = 20_000) -> Iterator[Measure]:
    """A long loop: taken in at once, and one more task of it."""
    session = Session()
    session.apply(RunStarted(run="r1"))
    transitions, table = Transitions(), NodeTable()
    for step in range(tasks):
        session.apply(TaskStarted(at=step, task=f"t{step}", node=f"n{step % 3}", step=step))
        session.apply(TaskEnded(at=step + 0.5, task=f"t{step}", node=f"n{step % 3}", step=step))
    whole = best(lambda: transitions.update(session), 1)
    yield Measure(f"{tasks} tasks: the table", best(lambda: table.update(session, session.now), 1), None, "ms")
    session.apply(TaskStarted(at=tasks, task="last", node="n0", step=tasks))
    more = best(lambda: transitions.update(session), 1)
    yield Measure(f"{tasks} tasks and one more: the way", more, 5, "ms", whole, "all of it again")
    yield Measure(f"{tasks} tasks and nothing more: the way", best(lambda: transitions.update(session)), 1, "ms")


MEASURES = {"layouts": layouts, "repaints": repaints, "ways": ways}

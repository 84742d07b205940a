"""The spot that all panes show: a task, or a line of the journal, and the ways from one spot to the next.

Pure functions of the session; which pane was asked, and what it draws, is not known here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lgwatch.records import Task
from lgwatch.session import Session


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a person is: in a `run`, at the line `seq`, `at` seconds since the journal's start, in a `task` ("": in
    none)."""

    run: str
    task: str
    seq: int
    at: float

    def task_in(self, session: Session) -> Task | None:
        """Return the task."""
        run = next((run for run in session.runs if run.id == self.run), None)
        task = run.tasks.get(self.task) if run is not None else None
        return task or (session.find_task(self.task) if self.task else None)


def of_task(task: Task) -> Spot:
    """Return the spot at which a task began."""
    return Spot(task.run, task.id, task.seq, task.began if task.began is not None else task.started)


def of_event(session: Session, seq: int) -> Spot:
    """Return the spot of a line of the journal."""
    index = session.index
    return Spot(index.facet_of(seq).run, index.task_of(seq), seq, index.at[seq])


def newest(session: Session) -> Spot | None:
    """Return the spot of the newest line, None when there is none."""
    last = len(session.index) - 1
    return of_event(session, last) if last > 0 else None


def next_event(session: Session, seqs: Sequence[int], spot: Spot, way: int) -> Spot | None:
    """Return the spot of the next of `seqs` (1), or of the one before (-1)."""
    place = bisect_right(seqs, spot.seq) if way > 0 else bisect_left(seqs, spot.seq) - 1
    return of_event(session, seqs[place]) if 0 <= place < len(seqs) else None


def next_step(session: Session, spot: Spot, way: int) -> Spot | None:
    """Return where the next superstep of the graph began that the task belongs to; after its last, of the graph around it.

    Backwards, it is where the step of the task began, if the spot is not there yet, and then the step before.
    """
    task = spot.task_in(session)
    if task is None:
        return _step_by_time(session, spot, way)
    while task is not None:
        run = next((run for run in session.runs if run.id == task.run), None)
        peers = task.parent.children if task.parent is not None else _roots(list(run.tasks.values()) if run else [])
        steps = {one.step: one for one in reversed(peers)}
        order = sorted({*steps, task.step})
        place = order.index(task.step) + way
        if 0 <= place < len(order):
            return of_task(steps.get(order[place], task))
        if task.parent is None:
            break
        if way < 0:
            return of_task(task.parent)
        task = task.parent
    return _other_run(session, task, way) if task is not None else None


def _step_by_time(session: Session, spot: Spot, way: int) -> Spot | None:
    """The root step that begins next after, or before, a spot that is in no task."""
    firsts: dict[tuple[str, int], Task] = {}
    for task in session.tasks():
        if task.parent is None:
            firsts.setdefault((task.run, task.step), task)
    near = [task for task in firsts.values() if (task.seq > spot.seq if way > 0 else task.seq < spot.seq)]
    return of_task((min if way > 0 else max)(near, key=lambda task: task.seq)) if near else None


def _other_run(session: Session, task: Task, way: int) -> Spot | None:
    place = next(number for number, run in enumerate(session.runs) if run.id == task.run) + way
    while 0 <= place < len(session.runs):
        roots = _roots(list(session.runs[place].tasks.values()))
        if roots:
            step = roots[0].step if way > 0 else roots[-1].step
            return of_task(next(one for one in roots if one.step == step))
        place += way
    return None


def _roots(tasks: Sequence[Task]) -> list[Task]:
    return [task for task in tasks if task.parent is None]


def next_visit(session: Session, spot: Spot, way: int) -> tuple[Spot | None, int, int]:
    """Return the next visit of the task's node, which one of how many it is; the last two are 0 where there is no task."""
    task = spot.task_in(session)
    if task is None:
        return None, 0, 0
    visits = [one for one in session.tasks() if one.node == task.node and one.path == task.path]
    place = visits.index(task) + way
    if not 0 <= place < len(visits):
        return None, place - way + 1, len(visits)
    return of_task(visits[place]), place + 1, len(visits)


def next_trouble(session: Session, spot: Spot | None, more: Iterable[int] = ()) -> tuple[Spot | None, int, int]:
    """Return the next error or notice after the spot, around the end, which one of how many it is.

    `more` are further lines of which there is something to say. From nowhere, the first error is next, if there is one.
    """
    seqs = sorted({*session.errors, *(seq for seq, _ in session.notices), *more})
    if not seqs:
        return None, 0, 0
    place = bisect_right(seqs, spot.seq) if spot is not None else seqs.index(min(session.errors, default=seqs[0]))
    place %= len(seqs)
    found = of_event(session, seqs[place])
    if not found.task and (span := session.index.facet_of(found.seq).type) == "span_end":
        found = _in_task_of_span(session, found) if span else found
    return found, place + 1, len(seqs)


def _in_task_of_span(session: Session, spot: Spot) -> Spot:
    """The end of a span does not say whose it is; the task that has the span does."""
    for task in session.tasks():
        if any(span.end_seq == spot.seq for span in task.spans):
            return Spot(task.run, task.id, spot.seq, spot.at)
    return spot

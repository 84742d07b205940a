"""The tasks of a session as the lines of a tree: by superstep, parallel lanes, what ran inside of a task below it.

While a run goes on, the lines of a superstep are made anew when something came to it, and those of no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from time import monotonic

from lgwatch.filter import Filter
from lgwatch.records import OPEN, Run, Task
from lgwatch.session import Session

MANY = 50
"""Tasks of one node in one step that have a row each; more of them are one row, until it is opened."""

CROWD, REST = 2_000, 20
"""Tasks from which on lines that are made anew rest, as many times as long as it took to make them."""

NO_TASK = "error"
"""The cause of the line of a run that failed with an error of no task: of a reducer, the recursion limit, the process."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A fan-out: the tasks of one node in one step, folded into a row."""

    tasks: tuple[Task, ...]
    states: Counter[str]

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by while more tasks come."""
        return (self.tasks[0].run, self.tasks[0].id)

    @property
    def status(self) -> str:
        """The state that matters most."""
        order = ("running", "waiting", "failed", "interrupted", "cancelled")
        return next((status for status in order if self.states[status]), "done")

    def elapsed(self, now: float) -> float:
        """Seconds from the first start to the last end, or to `now`."""
        began = min((task.began for task in self.tasks if task.began is not None), default=None)
        if began is None:
            return 0.0
        ended = now if self.status in ("running", "waiting") else max(task.ended or 0.0 for task in self.tasks)
        return max(ended - began, 0.0)


@dataclass(slots=True)
class Line:
    """One row: a task or a fan-out with the lines of the tree in front of it, a run's heading, or the error of a run."""

    of: Task | Lanes | Run
    step: str = ""
    lane: str = ""
    tells: bool = False
    """Whether the row says what set the task off."""
    cause: str = ""
    """What set it off where no task did."""
    opened: bool = False


class Tree:
    """The lines of all runs; those of a fan-out are one, unless its key is among the opened ones."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._built: object = None
        self._rest_until = 0.0
        self._begin()

    def _begin(self) -> None:
        self.lines.clear()
        self._seen = 0  # tasks of the newest run
        self._told = 0  # starts of tasks
        self._answered: int | None = None
        self._steps: dict[int, list[Task]] = {}  # of the newest run: the tasks of its root graph
        self._order: list[int] = []
        self._begins: list[int] = []  # the first line of each of them
        self._places: dict[int, int] = {}
        self._folded: dict[int, None] = {}  # those with a fan-out that goes on: its line tells how many did what

    def update(self, session: Session, keep: Filter, opened: set[tuple[str, str]]) -> bool:
        """Take in what changed; return False where there is so much of it that it is to rest first."""
        run = session.run
        ends = session.counts.get("run_result", 0)  # a run may end after a later one began
        built = (session, len(session.runs), ends, run is not None and run.status, keep, frozenset(opened))
        known, moving = built == self._built, run is not None and run.status == "running"
        began = monotonic()
        dirty = self._grown(session, run) if run is not None and known and moving and not keep else None
        tasks = run.tasks if run is not None else {}
        much = len(tasks) if dirty is None else sum(len(self._steps[step]) for step in dirty)
        if known and moving and much > CROWD and began < self._rest_until:
            return False
        self._built = built
        if dirty is None:
            self._build(session, keep, opened)
        else:
            for step in sorted(dirty, key=self._places.__getitem__):
                self._rebuild(step, keep, opened)
        self._seen, self._told = len(tasks), session.counts.get("task", 0)
        if much > CROWD:
            self._rest_until = monotonic() + REST * (monotonic() - began)
        return True

    def _grown(self, session: Session, run: Run) -> list[int] | None:
        """Return the steps that something came to; None where that cannot be told of single steps."""
        new = list(islice(run.tasks.values(), self._seen, None))
        if session.counts.get("task", 0) - self._told != len(new) or not self._steps:
            return None  # one began for another time, or its start was never told: it may hold others
        dirty = dict(self._folded)
        for task in new:
            root = task
            while root.parent is not None:
                root = root.parent
            if root is task:
                self._take(task)
            dirty[root.step] = None
        self._seen, self._told = len(run.tasks), session.counts.get("task", 0)
        self._folded = dirty  # where they are to rest, they are not forgotten
        return list(dirty)

    def _take(self, task: Task) -> None:
        if task.step not in self._steps:
            self._steps[task.step] = []
            self._places[task.step] = len(self._order)
            self._order.append(task.step)
            self._begins.append(len(self.lines))
        self._steps[task.step].append(task)

    def _build(self, session: Session, keep: Filter, opened: set[tuple[str, str]]) -> None:
        self._begin()
        several = len(session.runs) > 1
        for run in session.runs:
            if several:
                self.lines.append(Line(run))
            roots = [task for task in run.tasks.values() if task.parent is None]
            self._answered = roots[0].step if roots and run.resume is not None else None
            self._steps, self._order, self._begins, self._places, self._folded = {}, [], [], {}, {}
            for task in roots:
                if kept(task, keep):
                    self._take(task)
            for step in self._order:
                self._begins[self._places[step]] = len(self.lines)
                self._add(step, len(self.lines), keep, opened)
            if is_of_no_task(run):
                self.lines.append(Line(run, cause=NO_TASK))

    def _rebuild(self, step: int, keep: Filter, opened: set[tuple[str, str]]) -> None:
        place = self._places[step]
        first, last = self._begins[place], [*self._begins[place + 1 : place + 2], len(self.lines)][0]
        many = self._add(step, last, keep, opened) - (last - first)
        for later in range(place + 1, len(self._begins)) if many else ():
            self._begins[later] += many

    def _add(self, step: int, end: int, keep: Filter, opened: set[tuple[str, str]]) -> int:
        """Write the lines of a step, up to the line `end`; return how many there are."""
        found = list(_step(step, self._steps[step], self._answered, keep, opened))
        self.lines[self._begins[self._places[step]] : end] = found
        self._folded.pop(step, None)
        if any(isinstance(line.of, Lanes) and line.of.status in OPEN for line in found):
            self._folded[step] = None
        return len(found)


def is_of_no_task(run: Run) -> bool:
    """Whether the run has an error that none of its tasks has: one of a reducer, of the recursion limit, of the process."""
    said = run.error
    if not said:
        return False
    failed = (task.error or {} for task in run.tasks.values() if task.status == "failed")
    return not any(
        error.get("type") == said.get("type") and error.get("message") == said.get("message") for error in failed
    )


def kept(task: Task, keep: Filter) -> bool:
    """Whether the filter keeps the task, or anything that ran inside of it."""
    return not keep or keep(task) or any(kept(child, keep) for child in task.children)


def _step(
    step: int, lanes: list[Task], answered: int | None, keep: Filter, opened: set[tuple[str, str]]
) -> Iterable[Line]:
    """The tasks of a step of the root graph: they are lanes, joined by a bracket."""
    folded = _folded(lanes)
    for index, of in enumerate(folded):
        last, alone, first = index == len(folded) - 1, len(folded) == 1, index == 0
        lane = "" if alone else "╭ " if first else "╰ " if last else "├ "
        cause = "the answer" if step == answered else ""
        line = Line(of, str(step) if first else "", lane, first, cause)
        yield from _with_inside(line, "" if alone else "  " if last else "│ ", keep, opened)


def _inside(task: Task, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """What ran inside a task, in order, on the branches of a tree."""
    children = task.children if not keep else [child for child in task.children if kept(child, keep)]
    folded = _folded(children)
    for index, of in enumerate(folded):
        last = index == len(folded) - 1
        line = Line(of, "", indent + ("╰ " if last else "├ "), True)
        yield from _with_inside(line, indent + ("  " if last else "│ "), keep, opened)


def _with_inside(line: Line, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """A row, and what is below it."""
    of = line.of
    if isinstance(of, Task):
        yield line
        yield from _inside(of, indent, keep, opened)
    elif isinstance(of, Lanes):
        is_open = of.key in opened
        yield Line(of, line.step, line.lane, line.tells, line.cause, is_open)
        for index, task in enumerate(of.tasks if is_open else ()):
            last = index == len(of.tasks) - 1
            yield Line(task, "", indent + ("╰ " if last else "├ "))
            yield from _inside(task, indent + ("  " if last else "│ "), keep, opened)


def gathered(tasks: list[Task]) -> Iterable[list[Task]]:
    """Yield the tasks in order: together those of one node in one step that are more than `MANY`, the others each alone."""
    if len(tasks) <= MANY:
        yield from ([task] for task in tasks)
        return
    same: dict[tuple[int, str], list[Task]] = {}
    for task in tasks:
        same.setdefault((task.step, task.node), []).append(task)
    for task in tasks:
        peers = same[task.step, task.node]
        if len(peers) <= MANY:
            yield [task]
        elif peers[0] is task:
            yield peers


def _folded(tasks: list[Task]) -> list[Task | Lanes]:
    return [
        Lanes(tuple(one), Counter(task.status for task in one)) if len(one) > 1 else one[0] for one in gathered(tasks)
    ]

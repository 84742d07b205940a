"""The tasks of a session as the lines of a tree: by superstep, parallel lanes, what ran inside of a task below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session

MANY = 50
"""Tasks of one node in one step that have a row each; more of them are one row, until it is opened."""

NO_TASK = "error"
"""The cause of the line of a run that failed, and no task of it did: a reducer, the recursion limit, the process."""


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


def lines(session: Session, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """Yield the lines of all runs; those of a fan-out are one, unless its key is among the `opened` ones."""
    several = len(session.runs) > 1
    for run in session.runs:
        if several:
            yield Line(run)
        roots = [task for task in run.tasks.values() if task.parent is None]
        answered = roots[0].step if roots and run.resume is not None else None
        yield from _level([task for task in roots if _kept(task, keep)], answered, keep, opened)
        if run.error and not any(task.status == "failed" for task in run.tasks.values()):
            yield Line(run, cause=NO_TASK)


def _kept(task: Task, keep: Filter) -> bool:
    return not keep or keep(task) or any(_kept(child, keep) for child in task.children)


def _level(tasks: list[Task], answered: int | None, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """The tasks of the root graph, step by step; those of one step are lanes, joined by a bracket."""
    steps: dict[int, list[Task]] = {}
    for task in tasks:
        steps.setdefault(task.step, []).append(task)
    for step, lanes in steps.items():
        folded = _folded(lanes)
        for index, of in enumerate(folded):
            last, alone, first = index == len(folded) - 1, len(folded) == 1, index == 0
            lane = "" if alone else "╭ " if first else "╰ " if last else "├ "
            cause = "the answer" if step == answered else ""
            line = Line(of, str(step) if first else "", lane, first, cause)
            yield from _with_inside(line, "" if alone else "  " if last else "│ ", keep, opened)


def _inside(task: Task, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """What ran inside a task, in order, on the branches of a tree."""
    children = task.children if not keep else [child for child in task.children if _kept(child, keep)]
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


def _folded(tasks: list[Task]) -> list[Task | Lanes]:
    """Tasks in order, where many of one node in one step are one."""
    if len(tasks) <= MANY:
        return list(tasks)
    same: dict[tuple[int, str], list[Task]] = {}
    for task in tasks:
        same.setdefault((task.step, task.node), []).append(task)
    found: list[Task | Lanes] = []
    for task in tasks:
        lanes = same[task.step, task.node]
        if len(lanes) <= MANY:
            found.append(task)
        elif lanes[0] is task:
            found.append(Lanes(tuple(lanes), Counter(one.status for one in lanes)))
    return found

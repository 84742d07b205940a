"""The critical path: the chain of tasks that determined how long runs took, and how much time all others had to spare.

A superstep ends with the last of its tasks, so of each step the chain has the task that ended last; inside a task that runs
a graph, or calls tasks, the same holds again. Nothing here knows a clock: what has not ended, ends `now`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lgwatch.callers import PUSH, caller, outer_spans
from lgwatch.records import Run, Task


@dataclass(slots=True)
class NodeShare:
    """A node's part in the length of the runs: `seconds` that its tasks held everything up (what ran inside of them
    apart), in `tasks` tasks of the chain; `slack` is by how much the closest of its tasks could have taken longer."""

    path: str
    seconds: float = 0.0
    tasks: int = 0
    slack: float = float("inf")


@dataclass(slots=True)
class CriticalPath:
    """The chain of `runs`: task → seconds that it alone held everything up; `slack` of every task; shares by node."""

    total: float = 0.0
    chain: dict[Task, float] = field(default_factory=dict)
    slack: dict[Task, float] = field(default_factory=dict)
    nodes: dict[str, NodeShare] = field(default_factory=dict)

    def shares(self) -> list[NodeShare]:
        """Return what each node has in the total, the largest part first, then the nodes with the least to spare."""
        return sorted(self.nodes.values(), key=lambda one: (-one.seconds, one.slack, one.path))

    @property
    def between(self) -> float:
        """Seconds of the total in which no task ran: between two steps, before the first and after the last."""
        return max(self.total - sum(self.chain.values()), 0.0)


def critical_path(runs: Iterable[Run], now: float) -> CriticalPath:
    """Return the chain of these runs, of which each began after the one before it ended, as it is `now`."""
    found = CriticalPath()
    for run in runs:
        found.total += run.elapsed(now)
        roots = [task for task in run.tasks.values() if task.parent is None]
        _walk(found, roots, now)
    found.chain = {task: max(alone, 0.0) for task, alone in found.chain.items()}
    for task, slack in found.slack.items():
        share = found.nodes.get(task.path)
        if share is None:
            share = found.nodes[task.path] = NodeShare(task.path)
        share.slack = min(share.slack, slack)
        if task in found.chain:
            share.seconds += found.chain[task]
            share.tasks += 1
    return found


@dataclass(frozen=True, slots=True)
class _Level:
    """Tasks that ran side by side, and those that tasks of their step called; `inside` is the task that waited for
    them, None in the root graph, `spare` the seconds that it could have taken longer."""

    peers: list[Task]
    called: dict[Task, list[Task]]
    inside: Task | None
    spare: float
    on_chain: bool


def _walk(found: CriticalPath, roots: list[Task], now: float) -> None:
    """Take in the tasks of one run, from the outside in; calls can be nested deeper than functions can."""
    levels = deque(_steps(roots, None, 0.0, on_chain=True))
    while levels:
        level = levels.popleft()
        last = max(_holding(level.peers), key=lambda task: _end(task, now))
        end = _end(last, now)
        if level.on_chain and level.inside is not None:
            found.chain[level.inside] -= end - last.started
        for task in level.peers:
            slack = level.spare + max(end - _end(task, now), 0.0)
            critical = level.on_chain and task is last
            found.slack[task] = slack
            if critical:
                found.chain[task] = end - task.started
            levels += _steps(task.children, task, slack, on_chain=critical)
            for group in _waves(level.called.get(task, []), now):
                levels.append(_Level(group, level.called, task, slack, critical))


def _steps(tasks: list[Task], inside: Task | None, spare: float, *, on_chain: bool) -> Iterator[_Level]:
    """Yield the steps of one execution of a graph."""
    steps: dict[int, list[Task]] = {}
    for task in tasks:
        steps.setdefault(task.step, []).append(task)
    for peers in steps.values():
        outer, called = _callers(peers)
        yield _Level(outer, called, inside, spare, on_chain)


def _holding(peers: list[Task]) -> list[Task]:
    """Return those that can have held up the others: who was cancelled because another one failed, did not."""
    failed = any(task.status == "failed" for task in peers)
    return [task for task in peers if task.status != "cancelled"] if failed else peers


def _end(task: Task, now: float) -> float:
    return now if task.ended is None else task.ended


def _callers(peers: list[Task]) -> tuple[list[Task], dict[Task, list[Task]]]:
    """Return the tasks of a step that the graph set off, and those that another one of them called."""
    if not any(PUSH in task.triggers for task in peers):
        return peers, {}
    owners = {span.id: task for task in peers for span in task.spans}
    main = [task for task in peers if PUSH not in task.triggers and task.began is not None][:1]
    outer: list[Task] = []
    called: dict[Task, list[Task]] = {}
    for task in peers:
        by = None
        if PUSH in task.triggers:
            beside = [owners[span] for span in outer_spans(task) if span in owners]
            # Whoever is sent for is scheduled before the step's tasks begin; whoever is called, while its caller runs.
            by = caller(task, beside, [one for one in main if (one.began or 0.0) < task.started])
        if by is None:
            outer.append(task)
        else:
            called.setdefault(by, []).append(task)
    return (outer, called) if outer else (peers, {})


def _waves(tasks: list[Task], now: float) -> Iterable[list[Task]]:
    """Yield called tasks in groups that ran one after the other; those of a group ran side by side."""
    group: list[Task] = []
    end = 0.0
    for task in sorted(tasks, key=lambda one: one.started):
        if group and task.started >= end:
            yield group
            group = []
        group.append(task)
        end = max(end, _end(task, now))
    if group:
        yield group

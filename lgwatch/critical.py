"""The critical path: the chain of tasks that determined how long runs took, and how much time all others had to spare.

A superstep ends with the last of its tasks, so of each step the chain has the task that ended last; inside a task that runs
a graph, or calls tasks, the same holds again. Nothing here knows a clock: what has not ended, ends `now`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lgwatch.records import Run, Task

PUSH = "__pregel_push"
"""The trigger of a task that was sent for, or called."""


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
        _walk(found, roots, now, spare=0.0, on_chain=True)
    for task, slack in found.slack.items():
        share = found.nodes.get(task.path)
        if share is None:
            share = found.nodes[task.path] = NodeShare(task.path)
        share.slack = min(share.slack, slack)
        if task in found.chain:
            share.seconds += found.chain[task]
            share.tasks += 1
    return found


def _walk(found: CriticalPath, tasks: list[Task], now: float, *, spare: float, on_chain: bool) -> float:
    """Take in the tasks of one execution of a graph; return the seconds that its steps took."""
    steps: dict[int, list[Task]] = {}
    for task in tasks:
        steps.setdefault(task.step, []).append(task)
    total = 0.0
    for peers in steps.values():
        outer, called = _callers(peers, now)
        total += _level(found, outer, called, now, spare=spare, on_chain=on_chain)
    return total


def _level(
    found: CriticalPath, peers: list[Task], called: dict[Task, list[Task]], now: float, *, spare: float, on_chain: bool
) -> float:
    """Take in the tasks of one step; return the seconds that it took."""
    last = max(peers, key=lambda task: _end(task, now))
    end = _end(last, now)
    for task in peers:
        slack = spare + end - _end(task, now)
        critical = on_chain and task is last
        found.slack[task] = slack
        inside = _walk(found, task.children, now, spare=slack, on_chain=critical) if task.children else 0.0
        for group in _waves(called.get(task, []), now):
            inside += _level(found, group, called, now, spare=slack, on_chain=critical)
        if critical:
            found.chain[task] = max(_end(task, now) - task.started - inside, 0.0)
    return end - last.started


def _end(task: Task, now: float) -> float:
    return now if task.ended is None else task.ended


def _callers(peers: list[Task], now: float) -> tuple[list[Task], dict[Task, list[Task]]]:
    """Return the tasks of a step that the graph set off, and those that another one of them called.

    Whoever is sent for is scheduled before the step's tasks begin; whoever is called, while its caller runs.
    """
    outer: list[Task] = []
    called: dict[Task, list[Task]] = {}
    runs = [task for task in peers if task.began is not None] if any(PUSH in task.triggers for task in peers) else []
    first = min((task.began for task in runs if task.began is not None), default=0.0)
    for task in peers:
        caller = None
        if runs and PUSH in task.triggers and task.started > first:
            around = (
                one for one in runs
                if one is not task and one.began is not None and one.began <= task.started and _end(one, now) >= _end(task, now)
            )  # fmt: skip
            caller = max(around, key=lambda one: one.began or 0.0, default=None)
        if caller is None:
            outer.append(task)
        else:
            called.setdefault(caller, []).append(task)
    return outer or peers, called if outer else {}


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

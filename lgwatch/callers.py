"""Which task of a step called another one of it: told by the spans that its attempts ran in, never by the clock alone."""

from __future__ import annotations

from collections.abc import Iterable

from lgwatch.records import Task

PUSH = "__pregel_push"
"""The trigger of a task that was sent for: by `Send`, or by a call of a `@task`."""


def outer_spans(task: Task) -> set[str]:
    """Return the ids of the spans that a task's attempts ran in."""
    return {span.parent for span in task.spans if span.kind == "node" and span.parent}


def caller(task: Task, beside: Iterable[Task], main: Iterable[Task]) -> Task | None:
    """Return the task in a span of which this one ran; where none is known, the first of `main` that nobody sent for.

    `beside` are tasks of its step that may have called it, `main` those that are taken for its caller before its spans
    are told of.
    """
    outer = outer_spans(task)
    around = (one for one in beside if one is not task and any(span.id in outer for span in one.spans))
    return next(around, None) or next((one for one in main if one is not task and PUSH not in one.triggers), None)

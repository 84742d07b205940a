"""The events of a session that a filter keeps. What many events have in common is asked once for all of them.

A filter's conditions are sorted by what has to be looked at: the facet of an event, its task, its time. What stands in the
journal alone is not asked here: whoever reads lines does that.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from lgwatch.clock import Clock
from lgwatch.filter import Filter, Term
from lgwatch.index import Facet
from lgwatch.selection import Selection
from lgwatch.session import Session


class Whose(NamedTuple):
    """What a filter can ask of an event's task: its id and those around it, how long it took, its attempts and tokens."""

    task: tuple[str, ...]
    took: float | None = None
    attempts: int | None = None
    tokens: int | None = None


class Moment(NamedTuple):
    """What a filter can ask of a single event: when it was, in seconds that the run had run."""

    at: float


def kept(
    session: Session, keep: Filter, of: Callable[[Facet], bool], *, kind: str = "", at_once: int | None = None
) -> Selection:
    """Return the events of the session that `of` and the filter keep, as far as no line has to be read.

    Where only events of one type are wanted, `kind` saves a look at all the others. No update takes in more than `at_once`.
    """
    terms = [_remembering(term) for term in keep.about("kind")]
    tasks, moments = keep.about("task"), keep.about("moment")
    return Selection(
        session.index,
        lambda facet: of(facet) and all(term(facet) for term in terms),
        whose=(lambda number: _whose(session, number, tasks)) if tasks else None,
        news=lambda: session.task_changes,
        again=session.reopened,
        each=(lambda seqs: _by_time(seqs, session, moments)) if moments else None,
        kind=kind,
        at_once=at_once,
    )


LOOKS = {
    "node": ("node", "path"), "path": ("path",), "tag": ("tags",), "tool": ("kind", "name"), "type": ("type",),
    "kind": ("kind",), "role": ("role",), "model": ("model",), "name": ("name",), "status": ("status",),
    "level": ("level", "stream"), "stream": ("stream",), "run": ("run",), "step": ("step",),
}  # fmt: skip
"""Field → what it looks at in a facet."""


def _remembering(term: Term) -> Callable[[Facet], bool]:
    """A long session has many thousands of facets, and few nodes and types: each is asked about once."""
    names = LOOKS.get(term.field)
    if names is None:
        return term
    look, known = attrgetter(*names), dict[Any, bool]()

    def ask(facet: Facet) -> bool:
        key = look(facet)
        held = known.get(key)
        if held is None:
            held = known[key] = term(facet)
        return held

    return ask


def _whose(session: Session, number: int, terms: tuple[Term, ...]) -> tuple[bool, bool]:
    """Return whether the filter keeps the events of a task, and whether that is its last word."""
    index = session.index
    name = index.tasks[number]
    ids = (name, *reversed(index.around[number]))
    if all(term.field == "task" for term in terms):
        return all(term.holds(ids) for term in terms), True
    task = session.find_task(name) if name else None
    asked = Whose(ids) if task is None else Whose(ids, task.took, task.attempts, task.tokens)
    return all(term(asked) for term in terms), not name or (task is not None and not task.open)


def _by_time(seqs: Sequence[int], session: Session, terms: tuple[Term, ...]) -> array[int]:
    """Times ascend, and what a condition says of them changes only at its bounds: it is asked once between two of them."""
    at, clock = session.index.at, Clock(session.runs)
    bounds: set[float] = {bound for term in terms for value in term.values for bound in value.bounds}
    turns = {moment for bound in bounds for moment in clock.turns(bound)}
    cuts = sorted({0, len(seqs), *(cut for moment in turns for cut in _cuts(seqs, at, moment))})
    found = array("I")
    for start, end in pairwise(cuts):
        moment: Any = Moment(at=clock.told(at[seqs[start]]))
        if all(term(moment) for term in terms):
            found.extend(seqs[start:end])
    return found


def _cuts(seqs: Sequence[int], at: Sequence[float], bound: float) -> tuple[int, int]:
    """Return where the events at and after `bound` begin among `seqs`, and where those after it do."""
    return bisect_left(seqs, bisect_left(at, bound)), bisect_left(seqs, bisect_right(at, bound))

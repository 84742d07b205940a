"""The events of a session that a filter keeps. What many events have in common is asked once for all of them.

A filter's conditions are sorted by what has to be looked at: the facet of an event, its task, the event itself. What
stands in the journal alone is not asked here: whoever reads lines does that.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from lgwatch.filter import Filter, Term
from lgwatch.index import EventIndex, Facet, Selection
from lgwatch.session import Session


class Whose(NamedTuple):
    """What a filter can ask of an event's task: its id and those around it, how long it took, its attempts and tokens."""

    task: tuple[str, ...]
    took: float | None = None
    attempts: int | None = None
    tokens: int | None = None


class Moment(NamedTuple):
    """What a filter can ask of a single event: when it was, and how many bytes its line has."""

    at: float | None = None
    size: int | None = None


def kept(
    session: Session, keep: Filter, of: Callable[[Facet], bool], size: Callable[[int], int] | None = None
) -> Selection:
    """Return the events of the session that `of` and the filter keep, lines apart; `size(seq)` is the bytes of a line.

    Where sizes are not known, they say nothing.
    """
    tasks, moments = keep.about("task"), keep.about("moment")
    terms = keep.about("kind")
    each = (lambda seqs: _by_moment(seqs, session.index, moments, size)) if moments else None
    whose = (lambda number: _whose(session, number, tasks)) if tasks else None
    return Selection(
        session.index, lambda facet: of(facet) and all(term(facet) for term in terms), whose=whose, each=each
    )


def _whose(session: Session, number: int, terms: tuple[Term, ...]) -> tuple[bool, bool]:
    """Return whether the filter keeps the events of a task, and whether that is its last word."""
    index = session.index
    name = index.tasks[number]
    task = session.find_task(name) if name else None
    ids = (name, *reversed(index.around[number]))
    asked = Whose(ids) if task is None else Whose(ids, task.took, task.attempts, task.tokens)
    final = not name or (task is not None and not task.open) or all(term.field == "task" for term in terms)
    return all(term(asked) for term in terms), final


def _by_moment(
    seqs: array[int], index: EventIndex, terms: tuple[Term, ...], size: Callable[[int], int] | None
) -> Iterable[int]:
    """Yield those of the events that the conditions on single events keep."""
    times = tuple(term for term in terms if term.field == "t")
    sizes = tuple(term for term in terms if term.field == "size")
    found = _by_time(seqs, index.at, times) if times else seqs
    if not sizes or size is None:
        return found
    return (seq for seq in found if all(term(Moment(size=size(seq))) for term in sizes))


def _by_time(seqs: array[int], at: array[float], terms: tuple[Term, ...]) -> array[int]:
    """Times ascend, and what a condition says of them changes only at its bounds: it is asked once between two of them."""
    bounds: set[float] = {bound for term in terms for value in term.values for bound in value.bounds}
    cuts = sorted({0, len(seqs), *(cut for bound in bounds for cut in _cuts(seqs, at, bound))})
    found = array("I")
    for start, end in pairwise(cuts):
        moment: Any = Moment(at=at[seqs[start]])
        if all(term(moment) for term in terms):
            found.extend(seqs[start:end])
    return found


def _cuts(seqs: array[int], at: array[float], bound: float) -> tuple[int, int]:
    """Return where the events at and after `bound` begin among `seqs`, and where those after it do."""
    return bisect_left(seqs, bisect_left(at, bound)), bisect_left(seqs, bisect_right(at, bound))

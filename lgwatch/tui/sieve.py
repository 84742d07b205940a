"""The filter in force: its expression, what it keeps, and all that writes it. It has no state but the expression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lgwatch.errors import FilterError
from lgwatch.filter import FIELDS, Filter, parse, parse_terms, quoted
from lgwatch.filter.mix import clear, mute, solo
from lgwatch.session import Session


class Sieve:
    """Holds the `Filter` that every pane is shown through."""

    def __init__(self, text: str) -> None:
        self.keep: Filter = parse(text)
        self.error = ""
        """Why the last expression could not be read; the one before it stays in force."""

    def set(self, text: str) -> bool:
        """Put the expression in force; return whether it is another one."""
        try:
            keep = parse(text)
        except FilterError as error:
            self.error = f"{error.message}: {error.hint}"
            return False
        self.error = ""
        changed = keep != self.keep
        if changed:
            self.keep = keep
        return changed

    def solo(self, record: Any) -> str:
        """Return the expression that keeps only the record's node, then each of its tags, then what was before."""
        return solo(self.keep, record)

    def mute(self, record: Any) -> str:
        """Return the expression without the record's node, or with it again."""
        return mute(self.keep, record)

    def only_task(self, task: str) -> str | None:
        """Return the expression that keeps only this task and what ran inside of it; where it does, the one without.

        None where there is neither a task nor such a term.
        """
        terms = parse_terms(self.keep.source)
        ours = [term for term in terms if term.field == "task" and term.operator == "=" and not term.negated]
        if not task and not ours:
            return None
        rest = [term.source for term in terms if term not in ours]
        wanted = f"task={task[:8]}*" if len(task) > 8 else f"task={quoted(task)}"
        return " ".join(rest if not task or any(term.source == wanted for term in ours) else [*rest, wanted])

    def unmixed(self) -> str:
        """Return the expression without solo, mute and what was chosen."""
        return clear(self.keep)

    def words(self, session: Session) -> Iterable[str]:
        """What the filter line completes: fields, then values that were seen."""
        yield from (f"{name}:" for name in FIELDS)
        facets = session.index.facets
        yield from dict.fromkeys(f"node:{quoted(facet.node)}" for facet in facets if facet.node)
        yield from dict.fromkeys(f"tag:{quoted(tag)}" for facet in facets for tag in facet.tags or ())
        yield from dict.fromkeys(f"type:{quoted(facet.type)}" for facet in facets if facet.type)
        yield from dict.fromkeys(f"model:{quoted(facet.model)}" for facet in facets if facet.model)
        yield from dict.fromkeys(f"path:{quoted(facet.path)}" for facet in facets if "/" in facet.path)

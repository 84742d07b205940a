"""A parsed filter: its conditions, and what they say of a record.

Text and payloads are asked for apart (`Filter.text`, `Filter.line`), because they cost a look into the journal; what
only the task of an event knows, and what only the event itself, is asked by `Filter.about`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

from lgwatch.filter import payloads
from lgwatch.filter.fields import FIELDS, Of
from lgwatch.patterns import Pattern

Operator = Literal[":", "=", ">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a term as it was meant: `text` is what a value `is`, is `like` (`*`), `has` in it, or `matches` (a
    regular expression), any case; for a `number` it says nothing, and `bounds` is one number, or the two of a range."""

    how: Literal["is", "like", "has", "matches", "number"]
    text: str = ""
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any of `tests` holds for any of the field's values; `negated` turns it round.

    `source` is the term as it was written; `values` and `operator` say the same as `tests` to whoever writes it anew.
    """

    field: str
    source: str
    negated: bool
    tests: tuple[Callable[[Any], bool], ...]
    values: tuple[Value, ...] = ()
    operator: Operator = ":"
    keys: tuple[str, ...] = ()
    """Where in a payload the value is: `state.user.name` has the keys `user` and `name`."""

    @property
    def of(self) -> Of:
        """What has to be looked at to answer it."""
        return FIELDS[self.field].of

    def __call__(self, record: Any) -> bool:
        """Whether the condition says nothing against the record."""
        values = FIELDS[self.field].get(record)
        return values is None or self.holds(values)

    def of_line(self, line: dict[str, Any]) -> bool | None:
        """Whether the condition holds for a line of the journal; None where it has no such payload."""
        found = FIELDS[self.field].get(line)
        return None if found is None else self.holds(list(payloads.within(found, self.keys)))

    def holds(self, values: Iterable[Any]) -> bool:
        """Whether the condition is true of these values."""
        for value in values:
            for test in self.tests:
                if test(value):
                    return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed expression: call it with a record. An empty filter keeps everything."""

    source: str = ""
    terms: tuple[Term, ...] = ()
    texts: tuple[Term, ...] = field(default=())

    def __call__(self, record: Any) -> bool:
        """Whether the record is kept, its text and its payload apart."""
        for term in self.terms:  # noqa: SIM110  a generator takes twice the time, and this is asked of every task
            if term.of != "line" and not term(record):
                return False
        return True

    def about(self, of: Of) -> tuple[Term, ...]:
        """Return the conditions for which this has to be looked at, the text apart."""
        return tuple(term for term in self.terms if term.of == of)

    @property
    def reads(self) -> bool:
        """Whether it asks for something that stands in the journal alone."""
        return bool(self.texts) or any(term.of in ("size", "line") for term in self.terms)

    def line(self, line: dict[str, Any], *, strict: bool = False) -> bool:
        """Whether the payload of a line, references resolved, is kept; what has no such payload is not, if `strict`."""
        for term in self.about("line"):
            held = term.of_line(line)
            if (term.negated if held is None else held) if strict else held is not False:
                continue
            return False
        return True

    def text(self, text: str) -> bool:
        """Whether a record with this text is kept, the rest apart."""
        return all(term.holds((text,)) for term in self.texts)

    def __bool__(self) -> bool:
        return bool(self.terms or self.texts)

    def __str__(self) -> str:
        return self.source


def tester(meant: Value, operator: Operator) -> Callable[[Any], bool]:
    """Return what tells whether a field's value is the one that is meant."""
    needle = meant.text.lower()
    if meant.how == "matches":
        found = Pattern(meant.text, re.IGNORECASE).search
        return lambda value: found(str(value))
    if meant.how == "has":
        return lambda value: needle in str(value).lower()
    if meant.how == "like":
        fits = Pattern(rf"\A{starred(needle)}\Z", re.DOTALL).search
        return lambda value: fits(str(value).lower())
    if meant.how == "is":
        return lambda value: str(value).lower() == needle
    if len(meant.bounds) == 2:
        first, last = meant.bounds
        return lambda value: isinstance(value, int | float) and bool(first <= value <= last)
    (number,) = meant.bounds
    compare = {":": eq, "=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}[operator]
    return lambda value: isinstance(value, int | float) and bool(compare(value, number))


def starred(text: str) -> str:
    """Return the regular expression for a text in which the star alone is a wildcard: node names may hold ? and [."""
    return ".*".join(map(re.escape, text.split("*")))

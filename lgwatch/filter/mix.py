"""Solo, mute and the chooser's toggles, written into the filter expression; they have no state but that expression.

What they write says `=`, one term for each field at most: `path=writer`, `!tag=draft,final`. What a person types says `:`,
means the same, and is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lgwatch.filter import Filter, Term, parse_terms, quoted
from lgwatch.records import Message
from lgwatch.session import Session

FIELDS = ("path", "node", "tag", "model")
"""What can be soloed and muted."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that was seen: `count` messages have it, the filter keeps `kept` of them. `shown` is the tick in front of
    it: neither muted nor left out of a solo."""

    field: str
    value: str
    count: int
    kept: int
    shown: bool


@dataclass(frozen=True, slots=True)
class _Knob:
    """The one term of a field: only these values, or (`negated`) all but these. Nothing at all is `!field=*`."""

    negated: bool
    values: tuple[str, ...]

    def __contains__(self, value: str) -> bool:
        """Whether the term lets a record with this value through."""
        return (value.lower() in (known.lower() for known in self.values)) is not self.negated

    def written(self, field: str) -> str:
        if not self.values and self.negated:
            return ""
        values = ",".join(map(quoted, self.values))
        return f"{'!' * self.negated}{field}={values}" if values else f"!{field}=*"


_OPEN = _Knob(True, ())
_SHUT = _Knob(False, ())


def solo(keep: Filter, record: Any) -> str:
    """Return the expression with the next solo of the record: its node path, each of its tags, none.

    A task that runs a graph is soloed with all that happens inside of it.
    """
    rest, knobs = _read(keep)
    steps = list(_solos(record))
    now = next((step for step in steps if _is_solo(knobs, *step)), None)
    after = steps[0] if now is None and steps else steps[steps.index(now) + 1] if now in steps[:-1] else None
    knobs = {field: knob for field, knob in knobs.items() if knob.negated and field != (after and after[0])}
    if after is not None:
        field, value = after
        knobs[field] = _Knob(False, (value,))
    return _write(rest, knobs)


def mute(keep: Filter, record: Any) -> str:
    """Return the expression without the record's node path, or, where it is muted already, with it again."""
    field, value = _place(record)
    rest, knobs = _read(keep)
    knob = knobs.get(field, _OPEN)
    if not knob.negated and value in knob and len(knob.values) == 1:
        knobs[field] = _Knob(True, (value,))  # the others are what is wanted, not nothing
    elif knob.negated or value in knob:
        knobs[field] = _turned(knob, value)
    return _write(rest, knobs)


def toggle(keep: Filter, field: str, value: str) -> str:
    """Return the expression with the tick of a `Choice` turned."""
    rest, knobs = _read(keep)
    knobs[field] = _turned(knobs.get(field, _OPEN), value)
    return _write(rest, knobs)


def only(keep: Filter, field: str, value: str) -> str:
    """Return the expression that keeps only this value of a field, or, where it does already, every one."""
    rest, knobs = _read(keep)
    knobs[field] = _OPEN if _is_solo(knobs, field, value) else _Knob(False, (value,))
    return _write(rest, knobs)


def clear(keep: Filter) -> str:
    """Return the expression without all that solo, mute and toggles have written."""
    return _write(_read(keep)[0], {})


def choices(session: Session, keep: Filter) -> list[Choice]:
    """Return every node path, tag and model that was seen, in this order and each by its name."""
    counts: dict[tuple[str, str], list[int]] = {("path", task.path): [0, 0] for task in session.tasks()}
    for message in session.message_list:
        kept = keeps(keep, message)
        for field, value in _values(message):
            count = counts.setdefault((field, value), [0, 0])
            count[0] += 1
            count[1] += kept
    knobs = _read(keep)[1]
    found = [
        Choice(field, value, count, kept, value in knobs.get(field, _OPEN))
        for (field, value), (count, kept) in counts.items()
    ]
    return sorted(found, key=lambda choice: (FIELDS.index(choice.field), choice.value.lower(), choice.value))


def keeps(keep: Filter, message: Message) -> bool:
    """Whether a message is kept. It stands for its events: one of its kinds has to be what is asked for, and as lines they
    hold neither state nor data."""
    if not keep(message) or not keep.line({"type": message.type}, strict=True):
        return False
    asked = [term for term in keep.terms if term.field == "kind"]
    kinds = {part.kind for part in message.parts} or {"text"}
    if asked and not any(all(term.holds((kind,)) for term in asked) for kind in kinds):
        return False
    return not keep.texts or keep.text("".join(part.text for part in message.parts))


def _values(message: Message) -> Iterator[tuple[str, str]]:
    yield "path", message.path
    yield from (("tag", tag) for tag in dict.fromkeys(message.tags))
    if message.model:
        yield "model", message.model


def _place(record: Any) -> tuple[str, str]:
    """Return the field and the value that mean the record's node."""
    if getattr(record, "children", None):
        return "node", record.node
    return "path", str(getattr(record, "path", "") or "")


def _solos(record: Any) -> Iterator[tuple[str, str]]:
    yield _place(record)
    yield from (("tag", tag) for tag in dict.fromkeys(getattr(record, "tags", None) or ()))


def _is_solo(knobs: Mapping[str, _Knob], field: str, value: str) -> bool:
    knob = knobs.get(field, _OPEN)
    return not knob.negated and len(knob.values) == 1 and value in knob


def _turned(knob: _Knob, value: str) -> _Knob:
    """Return the knob with one value taken in or out."""
    values = tuple(known for known in knob.values if known.lower() != value.lower())
    return _Knob(knob.negated, values if len(values) < len(knob.values) else (*values, value))


def _is_ours(term: Term) -> bool:
    return term.field in FIELDS and term.operator == "=" and (_is_shut(term) or all(v.how == "is" for v in term.values))


def _is_shut(term: Term) -> bool:
    return term.negated and [(value.how, value.text) for value in term.values] == [("like", "*")]


def _read(keep: Filter) -> tuple[list[str], dict[str, _Knob]]:
    """Return the terms that a person typed, and what is written of ours, made into one knob a field."""
    rest: list[str] = []
    knobs: dict[str, _Knob] = {}
    for term in parse_terms(keep.source):
        if not _is_ours(term):
            rest.append(term.source)
            continue
        known = knobs.get(term.field, _OPEN)
        values = tuple(value.text for value in term.values)
        if _is_shut(term) or known == _SHUT:
            knobs[term.field] = _SHUT
        elif term.negated and known.negated:
            knobs[term.field] = _Knob(True, tuple(dict.fromkeys((*known.values, *values))))
        elif term.negated:
            out = _Knob(True, values)
            knobs[term.field] = _Knob(False, tuple(value for value in known.values if value in out))
        else:
            knobs[term.field] = _Knob(False, tuple(value for value in values if value in known))
    return rest, knobs


def _write(rest: list[str], knobs: Mapping[str, _Knob]) -> str:
    ours = (knobs[field].written(field) for field in FIELDS if field in knobs)
    return " ".join([*rest, *(term for term in ours if term)])

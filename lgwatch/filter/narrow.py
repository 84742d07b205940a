"""A filter made narrower by one value, as a key on a cell does it; pure functions from expression to expression.

What is written says `=`, one term a field for what is kept and one for what is dropped; no value stands in both. What a
person typed says `:`, means the same, and is never touched.
"""

from __future__ import annotations

from lgwatch.filter import Filter, Term, Value, parse_terms, quoted

_OTHER_SIDE = {">=": "<", "<": ">="}


def keep_only(keep: Filter, field: str, value: str) -> str:
    """Return the expression that keeps only this value of the field; where it does already, the one that keeps all."""
    wanted = f"{field}={quoted(value)}"
    terms = _without(parse_terms(keep.source), field, value, negated=True)
    rest = [term.source for term in terms if not _is_ours(term, field, negated=False)]
    return " ".join(rest if any(term.source == wanted for term in terms) else [*rest, wanted])


def drop(keep: Filter, field: str, value: str) -> str:
    """Return the expression that drops this value of the field as well; where it does already, the one that has it again."""
    terms = _without(parse_terms(keep.source), field, value, negated=False)
    ours = [term for term in terms if _is_ours(term, field, negated=True)]
    rest = [term.source for term in terms if term not in ours]
    known = [_written(value) for term in ours for value in term.values]
    values = [one for one in known if one != value] if value in known else [*known, value]
    return " ".join([*rest, f"!{field}={','.join(map(quoted, values))}"] if values else rest)


def bound(keep: Filter, field: str, operator: str, value: str) -> str:
    """Return the expression with this bound of a number, `>=` or `<`, in place of any other bound of the same kind, and of
    the one that leaves nothing beside it."""
    wanted, other = f"{field}{operator}{value}", f"{field}{_OTHER_SIDE[operator]}{value}"
    terms = [term for term in parse_terms(keep.source) if term.source != other]
    rest = [term.source for term in terms if term.field != field or term.operator != operator or term.negated]
    return " ".join(rest if any(term.source == wanted for term in terms) else [*rest, wanted])


def _without(terms: list[Term], field: str, value: str, *, negated: bool) -> list[Term]:
    """Return the terms without this value in those of ours that keep, or (`negated`) drop, values of the field."""
    rest: list[Term] = []
    for term in terms:
        known = [_written(one) for one in term.values]
        left = [one for one in known if one.lower() != value.lower()]
        if len(left) == len(known) or not _is_ours(term, field, negated=negated):
            rest.append(term)
        elif left:
            rest += parse_terms(f"{'!' * negated}{field}={','.join(map(quoted, left))}")
    return rest


def _written(value: Value) -> str:
    return "..".join(f"{number:g}" for number in value.bounds) if value.how == "number" else value.text


def _is_ours(term: Term, field: str, *, negated: bool) -> bool:
    written = ".".join((term.field, *term.keys))
    return (
        written == field
        and term.operator == "="
        and term.negated is negated
        and all(v.how in ("is", "number") for v in term.values)
    )

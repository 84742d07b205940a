"""The filter language: `node:writer !tag:draft step>=3 "phrase"` is read into a `Filter`, or refused with the position."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import cast

from lgwatch.errors import FilterError
from lgwatch.filter.fields import FIELDS
from lgwatch.filter.terms import Filter, Operator, Term, Value, tester
from lgwatch.patterns import EndlessError, Pattern

_SPACE = re.compile(r"\s*")
_HEAD = re.compile(r"(?P<negated>[!-]?)(?:(?!re:/)(?P<field>[A-Za-z_][\w.]*)(?P<operator>:|>=|<=|=|>|<))?")
_VALUE = re.compile(
    r"""(?P<comma>,)|re:/(?P<regex>(?:\\.|[^/\\])*)/|"(?P<phrase>(?:\\.|[^"\\])*)"|(?P<open>re:/|")|(?P<word>[^\s",]+)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\s\",*]+")
_UNITS = {
    "": 1.0,
    "s": 1.0,
    "ms": 0.001,
    "us": 0.000001,
    "m": 60.0,
    "B": 1.0,
    "k": 1e3,
    "kB": 1e3,
    "M": 1e6,
    "MB": 1e6,
    "GB": 1e9,
}


def parse(source: str) -> Filter:
    """Return the filter that the expression means. Raises FilterError with the position of what cannot be read."""
    terms = parse_terms(source)
    return Filter(
        source.strip(),
        tuple(term for term in terms if term.field != "text"),
        tuple(term for term in terms if term.field == "text"),
    )


def parse_terms(source: str) -> list[Term]:
    """Return the terms of the expression in the order in which they stand. Raises FilterError."""
    terms: list[Term] = []
    source = source.rstrip()
    position = _space(source, 0)
    while position < len(source):
        term, position = _term(source, position)
        terms.append(term)
        position = _space(source, position)
    return terms


def quoted(value: str) -> str:
    """Return how to write a value so that it means these very characters."""
    if _PLAIN.fullmatch(value) and not value.startswith("re:/"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match else position


def _term(source: str, start: int) -> tuple[Term, int]:
    """Return the term that begins at `start`, and where it ends."""
    head = _HEAD.match(source, start)
    assert head is not None  # an empty head is one too
    name, _, inside = (head["field"] or "text").partition(".")
    keys = tuple(inside.split(".")) if inside else ()
    operator = cast("Operator", head["operator"] or ":")
    if name not in FIELDS or (keys and FIELDS[name].of != "line"):
        name = head["field"]
        near = get_close_matches(name, FIELDS, n=1)
        hint = f"did you mean {near[0]}:?" if near else "the fields are " + " ".join(FIELDS)
        raise FilterError(
            f"there is no field {name!r}",
            hint + f' (to search for the text, quote it: "{name}{operator}…")',
            position=head.start("field"),
        )
    number = FIELDS[name].number or (bool(keys) and operator not in (":", "="))
    if not number and operator not in (":", "="):
        raise FilterError(f"{name} is no number", f"compare it with {name}:value", position=head.start("operator"))
    values, end = _values(source, head.end())
    if not values:
        if head["field"] is None:
            raise FilterError(
                f"cannot read {source[start : start + 20]!r}",
                "terms look like node:writer, !tag:draft or a word",
                position=start,
            )
        example = f"{name}{operator}{3 if number else 'writer'}"
        raise FilterError(f"{name}{operator} needs a value", f"write for example {example}", position=head.end())
    meant = [_number(name, operator, value) if number else _text(head["field"] or name, value) for value in values]
    try:
        tests = tuple(tester(value, operator) for value in meant)
    except EndlessError as error:
        raise FilterError(f"this is too long to look for: {error}", "write less of it", position=head.end()) from None
    return Term(name, source[start:end], bool(head["negated"]), tests, tuple(meant), operator, keys), end


def _values(source: str, position: int) -> tuple[list[re.Match[str]], int]:
    """Return the values from here on, `a,"b c",re:/d/`, and where they end."""
    values: list[re.Match[str]] = []
    separate = True
    while position < len(source) and (match := _VALUE.match(source, position)):
        if match["open"]:
            what, sign = ("a quote", '"') if match["open"] == '"' else ("a regular expression", "/")
            raise FilterError(
                f"{what} is not closed",
                f"close it with {sign}, or write \\{sign} for the sign itself",
                position=position,
            )
        if match["comma"]:
            separate = True
        elif separate:
            values.append(match)
            separate = False
        else:
            raise FilterError(
                f"cannot read {match.group()[:20]!r} right behind a value",
                'separate values by a comma, terms by a space, and put a text with quotes in quotes: "say \\"hi\\""',
                position=position,
            )
        position = match.end()
    return values, position


def _text(name: str, match: re.Match[str]) -> Value:
    if match["regex"] is not None:
        pattern = match["regex"].replace("\\/", "/")
        try:
            Pattern(pattern, re.IGNORECASE)
        except EndlessError as error:
            raise FilterError(
                f"this regular expression could take for ever: {error}",
                "write it without, or as two terms: !re:/this/ keeps what it is not found in",
                position=match.start("regex"),
            ) from None
        except (re.error, OverflowError, RuntimeError) as error:
            position = match.start("regex") + (getattr(error, "pos", None) or 0)
            raise FilterError(
                f"bad regular expression: {getattr(error, 'msg', error)}",
                "check the part between the slashes",
                position=position,
            ) from None
        return Value("matches", pattern)
    word = match["word"] if match["word"] is not None else re.sub(r"\\(.)", r"\1", match["phrase"], flags=re.DOTALL)
    if name in ("text", "state", "data"):  # anywhere in it
        return Value("has", word)
    return Value("like" if match["word"] is not None and "*" in word else "is", word)


def _number(name: str, operator: Operator, match: re.Match[str]) -> Value:
    text = match.group()
    low, dots, high = text.partition("..")
    try:
        bounds = tuple(_quantity(part) for part in ((low, high) if dots else (low,)))
    except (ValueError, KeyError):
        raise FilterError(
            f"{text!r} is no number", f"write for example {name}>=3 or {name}=3..7", position=match.start()
        ) from None
    if dots and operator not in (":", "="):
        raise FilterError(f"a range needs =, not {operator}", f"write {name}={text}", position=match.start())
    return Value("number", bounds=bounds)


def _quantity(text: str) -> float:
    match = re.fullmatch(r"\+?(-?\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]

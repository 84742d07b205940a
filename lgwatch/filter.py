"""The filter language: `node:writer !tag:draft step>=3 "phrase"` → Filter. One FIELDS table drives it all.

A filter is asked about records: events, tasks, messages, facets, anything with the attributes that FIELDS names. A
field that a record does not have (`None`, or no such attribute) says nothing about it, neither for nor against.
Text and payloads are asked for apart (`Filter.text`, `Filter.line`), because they cost a look into the journal; what
only the task of an event knows, and what only the event itself, is asked by `Filter.about`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import eq, ge, gt, le, lt
from typing import Any, Literal, cast

from lgwatch import payloads
from lgwatch.errors import FilterError
from lgwatch.events import path

Operator = Literal[":", "=", ">", ">=", "<", "<="]
Of = Literal["kind", "task", "moment", "size", "line"]
"""What has to be looked at: what an event has in common with others, its task, its time, how long its line is, or the line."""


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked: `get` gives a record's values (None: the record has no such thing)."""

    get: Callable[[Any], Iterable[Any] | None]
    help: str
    number: bool = False
    of: Of = "kind"


def _one(name: str) -> Callable[[Any], Iterable[Any] | None]:
    def get(record: Any) -> Iterable[Any] | None:
        value = getattr(record, name, None)
        return None if value is None else (value,)

    return get


def _some(name: str) -> Callable[[Any], Iterable[Any] | None]:
    """Where an empty string means that there is none: what a person says has no model, for or against."""

    def get(record: Any) -> Iterable[Any] | None:
        value = getattr(record, name, None)
        return (value,) if value else None

    return get


_ALIKE = {"failed": ("failed", "error"), "error": ("error", "failed"), "crashed": ("crashed", "failed", "error")}
"""Tasks and runs that fail are `failed`, spans `error`, a run whose process died `crashed`: one word finds them all."""


def _status(record: Any) -> Iterable[str] | None:
    value = getattr(record, "status", None)
    return None if value is None else _ALIKE.get(value, (value,))


def _path(record: Any) -> Iterable[str] | None:
    where = getattr(record, "path", None)
    if where is None and getattr(record, "ns", None) is not None:
        where = path(record.ns, getattr(record, "node", ""))
    return None if where is None else (where,)


def _node(record: Any) -> Iterable[str] | None:
    """Its node, and the nodes around it: whoever asks for `research` means what happens inside it too."""
    own = getattr(record, "node", None)
    around = getattr(record, "ns", None)
    if around is None:
        around = getattr(record, "around", None)
    if around is not None:
        names = [segment.rpartition(":")[0] or segment for segment in around if not segment.isdecimal()]
        return [own, *names] if own else names
    where = _path(record)
    if where is None:
        return None if own is None else (own,)
    return [*([own] if own else []), *(name for whole in where for name in whole.split("/"))]


def _tasks(record: Any) -> Iterable[str] | None:
    """Its task, and the tasks around it."""
    own = getattr(record, "task", None)
    if own is None or isinstance(own, tuple):
        return own
    return (own, *(segment.rpartition(":")[2] for segment in getattr(record, "ns", ()) if ":" in segment))


def _tokens(record: Any) -> Iterable[int] | None:
    value = getattr(record, "tokens", None)
    return None if value is None else (value[0] if isinstance(value, tuple) else value,)


FIELDS: dict[str, Field] = {
    "node": Field(_node, "node that produced it, or that it happened inside of"),
    "path": Field(_path, "node path from the root graph, such as research/web"),
    "tag": Field(lambda record: getattr(record, "tags", None), "tag of the model, the call, the node or the run"),
    "type": Field(_one("type"), "event type: message custom task task_result update checkpoint span_start …"),
    "kind": Field(_one("kind"), "message: text reasoning tool_call tool_result; span: node llm tool"),
    "role": Field(_one("role"), "message role: ai human system tool"),
    "model": Field(_some("model"), "model name"),
    "name": Field(_some("name"), "name of a tool, a span or a message's author"),
    "tool": Field(lambda record: getattr(record, "tools", None) or _tool(record), "tool that was called"),
    "status": Field(_status, "how it ended, or running: done failed interrupted stopped ok error"),
    "level": Field(_one("level"), "level of a log line: INFO WARNING ERROR"),
    "stream": Field(_one("stream"), "stdout stderr log warning"),
    "run": Field(_one("run"), "run id: r1, r2 …"),
    "task": Field(_tasks, "task id: what belongs to the task or happened inside of it", of="task"),
    "step": Field(_one("step"), "superstep: step=3, step>=2, step=3..7", number=True),
    "attempt": Field(_one("attempts"), "attempts of the task: attempt>1", number=True, of="task"),
    "dur": Field(_one("took"), "seconds that the task, or the message's call, took: dur>1s", number=True, of="task"),
    "tok": Field(_tokens, "output tokens of the task, or of the message: tok>=100", number=True, of="task"),
    "t": Field(_one("at"), "seconds since the start: t>5", number=True, of="moment"),
    "size": Field(_one("size"), "bytes of the event's line: size>1MB", number=True, of="size"),
    "state": Field(
        payloads.state, "the state as tasks saw and wrote it: state.route=deep, state.count>3, state:cats", of="line"
    ),
    "data": Field(payloads.data, "what a custom event holds: data.url:*arxiv*", of="line"),
    "text": Field(_one("text"), "text of a token, a payload, a line; a bare word means the same"),
}
"""Everything that can be asked, in the order in which help shows it."""


def _tool(record: Any) -> Iterable[str] | None:
    if getattr(record, "kind", "") not in ("tool", "tool_call", "tool_result"):
        return None
    return (record.name,) if record.name else ()


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
        return any(test(value) for value in values for test in self.tests) is not self.negated


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed expression: call it with a record. An empty filter keeps everything."""

    source: str = ""
    terms: tuple[Term, ...] = ()
    texts: tuple[Term, ...] = field(default=())

    def __call__(self, record: Any) -> bool:
        """Whether the record is kept, its text and its payload apart."""
        return all(term(record) for term in self.terms if term.of != "line")

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
    tests = tuple(_test(value, operator) for value in meant)
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
            re.compile(pattern, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
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


def _test(meant: Value, operator: Operator) -> Callable[[Any], bool]:
    """Return what tells whether a field's value is the one that is meant."""
    needle = meant.text.lower()
    if meant.how == "matches":
        found = re.compile(meant.text, re.IGNORECASE).search
        return lambda value: found(str(value)) is not None
    if meant.how == "has":
        return lambda value: needle in str(value).lower()
    if meant.how == "like":
        fits = re.compile(starred(needle), re.DOTALL).fullmatch
        return lambda value: fits(str(value).lower()) is not None
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


def _quantity(text: str) -> float:
    match = re.fullmatch(r"\+?(-?\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]

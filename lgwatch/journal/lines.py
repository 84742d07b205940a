"""One event, one line: the only place where events become JSON, and JSON events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias, cast

import orjson

from lgwatch.errors import JournalError
from lgwatch.events import EVENTS, Again, Event, Header, Json, MessageChunk, Notice, Unknown, defaults
from lgwatch.values import snapshot

VERSION = 1

_NEWLINE = orjson.OPT_APPEND_NEWLINE


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


_Told: TypeAlias = Callable[[Event], dict[str, Json]]
"""Returns the fields of an event that differ from their defaults, but for `at`."""
_dumps = orjson.dumps


def _told(cls: type[Event]) -> _Told:
    """Compile what tells the fields of a class. Lines come at the rate of tokens and steps, and a loop is twice the work."""
    known = {name: value for name, value in defaults(cls).items() if name != "at"}
    tests = {name: "is not None" if value is None else f"!= {value!r}" for name, value in known.items()}
    lines = [f"if (value := event.{name}) {test}: told[{name!r}] = value" for name, test in tests.items()]
    space: dict[str, Any] = {}
    exec("\n ".join(["def told(event):", "told = {}", *lines, "return told"]), space)  # noqa: S102 - of our own names only
    return cast("_Told", space["told"])


def _before(kind: str) -> bytes:
    return b'{"type":%b,"at":' % to_json(kind)


def to_json(value: Json, option: int | None = None) -> bytes:
    """Return the value as JSON, whatever it holds."""
    try:
        return orjson.dumps(value, None, option)
    except TypeError:  # a lone surrogate or a huge integer in a name; payloads were made safe before
        return orjson.dumps(snapshot(value), None, option)


_FORMS = {cls: (_before(cls.type), _told(cls)) for cls in EVENTS.values()}


def halves(event: Event) -> tuple[bytes, bytes]:
    """Return what stands before and after the value of `at` in the event's line; fields that equal their default don't."""
    form = _FORMS.get(type(event))
    if form is None:
        assert isinstance(event, Unknown)
        before, data = _before(event.kind), {"ns": event.ns, **event.data} if event.ns else event.data
    else:
        before, data = form[0], form[1](event)
    if not data:
        return before, b"}\n"
    try:
        return before, b"," + _dumps(data, None, _NEWLINE)[1:]
    except TypeError:
        return before, b"," + to_json(data, _NEWLINE)[1:]


def encode(event: Event) -> bytes:
    """Return the event as one line of a journal, newline included."""
    before, after = halves(event)
    return b"%b%.6f%b" % (before, event.at, after)


def encode_header(header: Header) -> bytes:
    """Return a journal's first line, newline included."""
    told = {name: getattr(header, name) for name in ("target", "started", "python", "langgraph")}
    return to_json({"lgwatch": header.version, **told, **header.extra}, _NEWLINE)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def decode(line: bytes) -> Event:
    """Return the event of one line. A line that is no JSON object becomes a `notice`, an unknown type an `Unknown`.

    A field that is not of its type counts as left out, and unknown fields are not part of the event; the line keeps
    them.
    """
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        data = None
    if type(data) is not dict:
        return Notice(code="torn", text=f"a damaged line of {len(line)} bytes was left out")
    kind = data.pop("type", "")
    cls = EVENTS.get(kind) if type(kind) is str else None
    if cls is None:
        at, ns = data.pop("at", None), data.pop("ns", None)
        return Unknown(at=at if type(at) in _TYPES["float"] else 0.0, ns=_strings(ns), kind=str(kind), data=data)
    event = _new(cls)
    for name, put, default, types in _SLOTS[cls]:
        if name not in data:
            put(event, default)
            continue
        value = data[name]
        if types is None or type(value) in types:
            put(event, value)
        else:
            put(event, _coerced(value, default))
    return event


def _coerced(value: Json, default: Json) -> Json:
    """Return a field that JSON has no type of its own for: a tuple of strings, or a list of objects."""
    if type(default) is tuple:
        return _strings(value)
    if type(default) is list and type(value) is list:
        return [one for one in value if type(one) is dict]
    return default


def _strings(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if type(value) is list else ()


_TYPES: dict[str, frozenset[type]] = {
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({float, int}),
    "bool": frozenset({bool}),
    "dict": frozenset({dict}),
    "None": frozenset({type(None)}),
    "Namespace": frozenset(),
    "tuple": frozenset(),
    "list": frozenset(),
}
"""JSON types of a field by the words of its annotation; none for what has to be coerced."""


def _slots(cls: type[Event]) -> list[tuple[str, Callable[[Event, Json], None], Json, frozenset[type] | None]]:
    """Return name, setter, default and JSON types (None: any) of each field of an event class."""
    plan = []
    for one in fields(cls):
        words = [word.partition("[")[0].strip() for word in str(one.type).split("|")]
        types = None if words == ["Json"] else frozenset[type]().union(*(_TYPES[word] for word in words))
        plan.append((one.name, getattr(cls, one.name).__set__, defaults(cls)[one.name], types))
    return plan


# Frozen dataclasses are slow to build by their `__init__`, and this runs once for every token: the slots are set.
_new: Callable[[type[Event]], Event] = object.__new__
_SLOTS = {cls: _slots(cls) for cls in EVENTS.values()}
_put_at, _put_text = (next(put for name, put, _, _ in _SLOTS[MessageChunk] if name == slot) for slot in ("at", "text"))
_put_like, _put_ns, _put_again, _put_time = (getattr(Again, slot).__set__ for slot in ("like", "ns", "text", "at"))


_TOKEN = b'{"type":"message","at":'
_TEXT = b',"text":"'
_Like: TypeAlias = "tuple[list[tuple[Callable[[Event, Json], None], Json]], MessageChunk | None]"
"""How the other fields of a chunk are set, and a chunk of text that has them."""
_HEADS = 256
"""Beginnings of lines that are remembered: about one for each message that is being streamed."""


class Decoder:
    """Decodes the lines of one journal. Tokens are most of them, and those of a message differ in time and text alone: what
    stands before and after these is decoded once. When `brief`, a chunk of text that is like one before it is an `Again`."""

    def __init__(self) -> None:
        self.brief = False
        self._known: dict[tuple[bytes, bytes], _Like] = {}

    def __call__(self, line: bytes) -> Event:
        """Return the event of a line, as `decode` does."""
        if not line.startswith(_TOKEN):
            return decode(line)
        head, told, tail = line.partition(_TEXT)
        if (comma := head.find(b",", 23)) < 0:
            comma = len(head)
        said, _, rest = tail.partition(b'"')
        try:
            if b"\\" not in said:
                text = said.decode()
            else:  # where it ends is known if nothing follows
                text, rest = orjson.loads(b'"' + tail[:-1]), b'"' + tail[-1:]
            key = (head[comma:], rest)
            like = self._known.get(key)
            if like is None:
                return self._learn(key, line) if told else decode(line)
            puts, plain = like
            if self.brief and plain is not None:
                event = _new(Again)
                _put_like(event, plain)
                _put_ns(event, plain.ns)
                _put_again(event, text)
                _put_time(event, float(head[23:comma]))
                return event
            event = _new(MessageChunk)
            for put, value in puts:
                put(event, value)
            _put_at(event, float(head[23:comma]))
            _put_text(event, text)
        except ValueError:  # something follows on a text with escapes, or the line is damaged
            return decode(line)
        return event

    def _learn(self, key: tuple[bytes, bytes], line: bytes) -> Event:
        event = decode(line)
        # A brace before the text may open an object that has the text; a long end is not the same in two lines.
        if type(event) is MessageChunk and b"{" not in key[0] and len(key[1]) < 40:
            puts = [
                (put, getattr(event, name)) for name, put, _, _ in _SLOTS[MessageChunk] if name not in ("at", "text")
            ]
            if len(self._known) >= _HEADS:
                self._known.clear()
            text = event.kind in ("text", "reasoning") and not (event.whole or event.last)
            self._known[key] = puts, event if text and event.usage is None and event.tool_call is None else None
        return event


def decode_header(line: bytes, path: Path) -> Header:
    """Return the header of the journal at `path`. Raises JournalError."""
    try:
        data = orjson.loads(line)
        version = int(data["lgwatch"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        what = f"{path} is not a journal of lgwatch" if line else f"{path} is empty"
        raise JournalError(what, "name a file that `lgwatch runs` lists") from None
    if not line.endswith(b"\n"):
        raise JournalError(f"{path} ends in the middle of its first line", "name a file that `lgwatch runs` lists")
    if version > VERSION:
        raise JournalError(
            f"{path} was written by a newer lgwatch (journal version {version}, this one reads {VERSION})",
            "upgrade lgwatch to open it: pip install -U lgwatch",
        )
    known = {name: str(data.pop(name, None) or "") for name in ("target", "started", "python", "langgraph")}
    return Header(version=version, extra={k: v for k, v in data.items() if k != "lgwatch"}, **known)

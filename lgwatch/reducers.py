"""What the reducers that most graphs use make of two snapshots: for states that nobody saved."""

from __future__ import annotations

from lgwatch.difference import Lookup
from lgwatch.events import Json
from lgwatch.refs import follow

MESSAGES = ("add_messages", "push_message")
REMOVE = "RemoveMessage"
REMOVE_ALL = "__remove_all__"


def joined(reducer: str, before: Json, written: Json, lookup: Lookup) -> Json:
    """Return what a key becomes: what was written, where its reducer is one that nobody here knows."""
    if before is None or not reducer:
        return written
    old, new = follow(before, lookup), follow(written, lookup)
    if reducer in MESSAGES:
        return _messages(_listed(old), _listed(new), lookup)
    if isinstance(old, list) and isinstance(new, list) and reducer in ("add", "iadd", "concat", "extend", "Topic"):
        return [*old, *new]
    if isinstance(old, dict) and isinstance(new, dict) and reducer in ("or_", "ior", "merge", "update"):
        return {**old, **new}
    if type(old) is type(new) and reducer == "add" and isinstance(old, int | float | str):
        return old + new
    return written


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _messages(old: list[Json], new: list[Json], lookup: Lookup) -> list[Json]:
    """Return a conversation after more messages: one with a known id takes the place of the one before it."""
    result = list(old)
    places = {name: number for number, one in enumerate(old) if (name := _fields(one, lookup)[1])}
    gone: set[int] = set()
    for one in new:
        kind, name = _fields(one, lookup)
        if kind == REMOVE and name == REMOVE_ALL:
            result, places, gone = [], {}, set()
        elif kind == REMOVE:
            gone |= {places[name]} if name in places else set()
        elif name and name in places:
            result[places[name]] = one
            gone.discard(places[name])
        else:
            places |= {name: len(result)} if name else {}
            result.append(one)
    return [one for number, one in enumerate(result) if number not in gone]


def _fields(message: Json, lookup: Lookup) -> tuple[str, str]:
    """Return the kind and the id of a message."""
    value = follow(message, lookup)
    if not isinstance(value, dict):
        return "", ""
    fields = value.get("fields")
    return str(value.get("$type", "")), str((fields if isinstance(fields, dict) else value).get("id") or "")

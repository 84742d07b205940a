"""The reader's side of stored values: references are resolved, and a snapshot is told in one line. JSON in, JSON out."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from lgwatch.events import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MANY = 16
"""Lists with more elements are told by their length."""


def resolve(data: Json, lookup: Callable[[str], Json]) -> Json:
    """Return `data` with every reference replaced by the value that `lookup(id)` gives.

    A reference that is unknown (`lookup` raises KeyError or returns None), or that leads back to itself, is left as it
    is. What is referred to twice is shared, so the result must not be changed.
    """
    raw: dict[str, Json] = {}
    done: dict[str, Json] = {}

    def load(ref: str) -> Json:
        if ref not in raw:
            try:
                raw[ref] = _joined(lookup(ref), lookup)
            except KeyError:
                raw[ref] = None
        return raw[ref]

    data = _joined(data, lookup)
    opened: set[str] = set()
    todo = list(_references(data))
    while todo:
        ref = todo[-1]
        if ref in opened:
            todo.pop()
            if ref not in done:
                done[ref] = _filled(raw[ref], done)
        elif load(ref) is None:
            todo.pop()
        else:
            opened.add(ref)
            todo += [inner for inner in _references(raw[ref]) if inner not in opened]
    return _filled(data, done)


def follow(data: Json, lookup: Callable[[str], Json]) -> Json:
    """Return what a reference stands for, its own references left as they are; anything else as it is.

    A reference that is unknown (`lookup` raises KeyError or returns None), or that leads back to itself, is left.
    """
    seen: set[str] = set()
    found = data
    while type(found) is dict and type(ref := found.get("$ref")) is str:
        if type(found.get("$append")) is list:
            return _joined(found, lookup)
        if ref in seen or len(found) > 1:
            return data
        seen.add(ref)
        try:
            found = lookup(ref)
        except KeyError:
            return data
    return data if found is None and data is not None else found


def _joined(data: Json, lookup: Callable[[str], Json]) -> Json:
    """Return a list that was stored as what is appended to another one, in one piece; anything else as it is."""
    parts: list[list[Json]] = []
    seen: set[str] = set()
    node = data
    while type(node) is dict and type(node.get("$append")) is list and type(ref := node.get("$ref")) is str:
        if ref in seen:
            return data
        seen.add(ref)
        parts.append(node["$append"])
        try:
            node = lookup(ref)
        except KeyError:
            return data
    if parts and type(node) is list:
        return [*node, *chain.from_iterable(reversed(parts))]
    return data


def _references(data: Json) -> Iterator[str]:
    todo = [data]
    while todo:
        node = todo.pop()
        if type(node) is dict:
            if type(ref := node.get("$ref")) is str:
                yield ref
            todo += node.values()
        elif type(node) is list:
            todo += node


def _filled(data: Json, done: dict[str, Json]) -> Json:
    """Return a copy of `data` with the references that are `done` replaced."""
    result: list[Json] = [None]
    todo: list[tuple[Json, Any, Any]] = [(data, result, 0)]
    while todo:
        node, place, key = todo.pop()
        if type(node) is list:
            copy: Any = node.copy()
            todo += [(child, copy, i) for i, child in enumerate(node) if type(child) in {dict, list}]
        elif type(node) is dict:
            ref, appended = node.get("$ref"), node.get("$append")
            if type(ref) is str and ref in done and len(node) == 1:
                copy = done[ref]
            elif type(ref) is str and type(done.get(ref)) is list and type(appended) is list:
                copy = [*done[ref], *appended]
                start = len(done[ref])
                todo += [(child, copy, start + i) for i, child in enumerate(appended)]
            else:
                copy = node.copy()
                todo += [(child, copy, name) for name, child in node.items() if type(child) in {dict, list}]
        else:
            copy = node
        place[key] = copy
    return result[0]


def preview(data: Json, limit: int = 80, lookup: Callable[[str], Json] | None = None) -> str:
    """Return a snapshot in one line of at most `limit` characters; what is left out shows as an ellipsis.

    References are such an ellipsis too, where no `lookup` tells what they stand for.
    """
    words: list[str] = []
    left = limit
    try:
        for word in _words(data, limit, 0, lookup):
            words.append(word)
            left -= len(word)
            if left < 0:
                break
    except Exception:
        words.append("…")
    line = " ".join("".join(words).splitlines())
    return line if len(line) <= limit else line[: max(0, limit - 1)] + "…"


def _words(data: Any, limit: int, depth: int, lookup: Callable[[str], Json] | None = None) -> Iterator[str]:
    """Yield a snapshot piece by piece, so that a reader who has enough can stop."""
    if lookup is not None:
        data = follow(data, lookup)
    if data is None or data is True or data is False:
        yield "null" if data is None else "true" if data else "false"
    elif isinstance(data, str):
        head = data[: limit + 1]
        yield f'"{head}"'
    elif isinstance(data, list):
        if depth and len(data) > MANY:
            yield f"list {len(data)}"
            return
        if len(data) > MANY:
            yield f"list {len(data)} "
        yield from _row(((None, item) for item in data), "[]", limit, depth, lookup)
    elif not isinstance(data, dict):
        yield str(data)
    elif type(kind := data.get("$type")) is str:
        yield from _tagged_words(kind, data, limit, depth, lookup)
    elif any(mark in data for mark in ("$ref", "$cycle")) or (len(data) == 1 and "$cut" in data):
        yield "…"
    else:
        yield from _row(data.items(), "{}", limit, depth, lookup)


def _row(
    pairs: Iterable[tuple[Any, Any]],
    around: str,
    limit: int,
    depth: int,
    lookup: Callable[[str], Json] | None,
) -> Iterator[str]:
    yield around[0]
    between = ""
    for name, item in pairs:
        yield between
        between = ", "
        if depth >= 6 or name == "$cut":
            yield "…"
            break
        if name is not None:
            yield f'"{str(name)[: limit + 1]}": '
        yield from _words(item, limit, depth + 1, lookup)
    yield around[1]


def _tagged_words(
    kind: str, data: dict[str, Json], limit: int, depth: int, lookup: Callable[[str], Json] | None
) -> Iterator[str]:
    fields = data.get("fields")
    if kind == "str":
        yield f'"{str(data.get("head"))[: limit + 1]}…"'
    elif kind in {"int", "float"}:
        yield str(data.get("value"))[: limit + 1]
    elif "repr" in data:
        yield str(data["repr"])[: limit + 1]
    elif isinstance(fields, dict):
        yield f"{kind} "
        # What a message, an exception or an interrupt says is what it is looked at for.
        said = next((fields[name] for name in ("content", "message", "value") if name in fields), None)
        calls = fields.get("tool_calls")
        if said in (None, "", []) and isinstance(calls, list):
            called = (follow(call, lookup) if lookup is not None else call for call in calls)
            said = [call.get("name", {"$ref": ""}) for call in called if isinstance(call, dict)]
        yield from _words(fields if said is None else said, limit, depth + 1, lookup)
    elif kind == "dict" and isinstance(items := data.get("items"), list):
        yield "{"
        for i, item in enumerate(items):
            yield ", " if i else ""
            is_pair = isinstance(item, list) and len(item) == 2
            yield from _words(item[0] if is_pair else item, limit, depth + 1, lookup)
            if is_pair:
                yield ": "
                yield from _words(item[1], limit, depth + 1, lookup)
        yield "}"
    else:
        yield f"{kind} "
        said = next((data[name] for name in ("name", "value", "items", "size", "shape") if name in data), None)
        yield said[: limit + 1] if isinstance(said, str) else "".join(_words(said, limit, depth + 1, lookup))

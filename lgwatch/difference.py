"""What changed between two snapshots: added, changed and removed parts by their paths. Messages are told apart by id.

References stand for equal values where they are equal, so nothing that stayed the same is ever read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypeAlias

from lgwatch.events import Json
from lgwatch.refs import follow, resolve

Path: TypeAlias = "tuple[str | int, ...]"
Lookup: TypeAlias = Callable[[str], Json]
MANY = 400
"""Elements that differ of a list, up to which it is worth to find out which of them were moved."""
DEEP = 12
"""Levels below which a part counts as changed as a whole."""
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One part that is not what it was. `kind` is `added`, `changed` or `removed`; the path is the part's place now,
    or for a removed one, before."""

    path: Path
    kind: str
    before: Json = None
    after: Json = None


def nowhere(ref: str) -> Json:
    """Look up no reference."""
    raise KeyError(ref)


def differences(
    before: Json, after: Json, lookup: Lookup = nowhere, path: Path = (), was_at: Path | None = None
) -> Iterator[Change]:
    """Yield what changed from one snapshot to another, in the order of the later one.

    Both stand at `path`; the earlier one stood at `was_at` where that was another place.
    """
    if before == after and type(before) is type(after):
        return
    old, new = follow(before, lookup), follow(after, lookup)
    was_at = path if was_at is None else was_at
    if len(path) >= DEEP:
        if resolve(old, lookup) != resolve(new, lookup):
            yield Change(path, "changed", before, after)
    elif type(old) is dict and type(new) is dict and (fields := _comparable(old, new)):
        yield from _of_fields(*fields, lookup, path, was_at)
    elif type(old) is list and type(new) is list:
        yield from _of_lists(old, new, lookup, path, was_at)
    elif old != new or type(old) is not type(new):
        yield Change(path, "changed", before, after)


def same(before: Json, after: Json, lookup: Lookup = nowhere) -> bool:
    """Whether nothing changed."""
    return next(differences(before, after, lookup), None) is None


def _comparable(old: dict[str, Json], new: dict[str, Json]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """Return the fields of two values of the same kind."""
    if old.get("$type") != new.get("$type"):
        return None
    if "$type" not in old:
        return old, new
    ours, theirs = old.get("fields"), new.get("fields")
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours, theirs
    return None


def _of_fields(
    old: dict[str, Json], new: dict[str, Json], lookup: Lookup, path: Path, was_at: Path
) -> Iterator[Change]:
    for name, value in new.items():
        if name in old:
            yield from differences(old[name], value, lookup, (*path, name), (*was_at, name))
        else:
            yield Change((*path, name), "added", after=value)
    for name, value in old.items():
        if name not in new:
            yield Change((*was_at, name), "removed", before=value)


def _of_lists(old: list[Json], new: list[Json], lookup: Lookup, path: Path, was_at: Path) -> Iterator[Change]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    ids, others = _ids(gone, lookup), _ids(come, lookup)
    if (ids or not gone) and (others or not come) and (ids or others):
        pairs = _by_id(dict(zip(ids, gone, strict=True)), dict(zip(others, come, strict=True)))
    elif len(gone) + len(come) <= MANY:
        pairs = _by_place(gone, come)
    else:
        pairs = ((number, number, *pair) for number, pair in enumerate(zip_longest(gone, come, fillvalue=_NOTHING)))
    for before, after, was, now in pairs:
        if was is _NOTHING:
            yield Change((*path, start + after), "added", after=now)
        elif now is _NOTHING:
            yield Change((*was_at, start + before), "removed", before=was)
        else:
            yield from differences(was, now, lookup, (*path, start + after), (*was_at, start + before))


def _ids(items: list[Json], lookup: Lookup) -> list[str]:
    """Return the ids of messages and the like; none where one has none, or where two have the same."""
    found: list[str] = []
    for item in items:
        value = follow(item, lookup)
        fields = value.get("fields", value) if isinstance(value, dict) else None
        name = fields.get("id") if isinstance(fields, dict) else None
        if not isinstance(name, str | int) or isinstance(name, bool):
            return []
        found.append(str(name))
    return found if len(set(found)) == len(found) else []


def _by_id(gone: dict[str, Json], come: dict[str, Json]) -> Iterator[tuple[int, int, Json, Json]]:
    """Yield the place that was and is, old and new of elements that are known by an id."""
    places = {name: number for number, name in enumerate(gone)}
    for number, (name, value) in enumerate(come.items()):
        yield places.get(name, 0), number, gone.get(name, _NOTHING), value
    for number, (name, value) in enumerate(gone.items()):
        if name not in come:
            yield number, number, value, _NOTHING


def _by_place(gone: list[Json], come: list[Json]) -> Iterator[tuple[int, int, Json, Json]]:
    """Yield the same of elements without an id; runs of equal ones are found, whatever was put between."""
    names: dict[str, int] = {}
    old, new = ([names.setdefault(repr(item), len(names)) for item in items] for items in (gone, come))
    for word, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if word != "equal":
            for number, (was, now) in enumerate(zip_longest(gone[a:b], come[c:d], fillvalue=_NOTHING)):
                yield a + number, c + number, was, now

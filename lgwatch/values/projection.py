"""One walk over one value: it cannot raise, cannot loop, marks every cut, and runs next to no user code.

The value belongs to a running graph. Types are told apart by `type()`, their MRO and their raw class dictionaries, and
contents are read with the base type's own methods; properties, `__getattr__`, `__eq__`, `__iter__` and the like are
never called. The one exception, a `__repr__` written in Python, runs in a thread of its own against a clock.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from lgwatch.events import Json
from lgwatch.values.kinds import plan_of
from lgwatch.values.limits import ALL_TEXT, DEPTH, HEAD, LONG, NODES, REF_AT, REPR_SECONDS, SECONDS, TEXT, cut
from lgwatch.values.raw import is_unicode, name_of, visible
from lgwatch.values.reprs import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lgwatch.values.kinds import Plan

_CHECK: Final = 256  # elements between two looks at the clock
_FRESH: Final = 8_192  # objects that are known until user code runs again
_SHORT: Final = 10**9
_KEYS: Final[dict[str, int]] = {}
"""What a key of a dict takes up in JSON at most, with its colon and comma: a graph has the same keys all the time."""
_SMALLEST, _LARGEST, _INFINITY = -(2**63), 2**64 - 1, float("inf")


def small(value: dict[Any, Any]) -> dict[str, Json] | None:
    """Return a copy of a dict of a few short scalars, which is its own JSON; None for anything else.

    Most updates of a state are such. They need neither budgets nor memory, and a whole walk is three times the work.
    """
    data = value.copy()  # another thread may be changing it
    room = REF_AT - 2
    for key, item in data.items():
        if type(key) is not str:
            return None
        taken = _KEYS.get(key)
        if taken is None and (taken := _room_of(key)) is None:
            return None
        room -= taken
        cls = type(item)
        if cls is str:
            # Lengths first: no walk over more than there is room for.
            if len(item) > room or not (
                item.isascii() and item.isprintable()
            ):  # else a character takes two bytes at most
                return None
            room -= 2 * len(item) + 2
        elif cls is int:
            if not -_SHORT < item < _SHORT:
                return None
            room -= 10
        elif cls is float:
            if not -_INFINITY < item < _INFINITY:
                return None
            room -= 24
        elif cls is list and not item:
            data[key] = []
        elif item is not None and cls is not bool:
            return None
        if room < 0:
            return None
    return data


def _room_of(key: str) -> int | None:
    """Return what a key takes up at most, None for one that is too long, special or not plain."""
    if len(key) > REF_AT or key[:1] == "$" or not (key.isascii() and key.isprintable()):
        return None
    if len(_KEYS) >= 4_096:
        _KEYS.clear()
    _KEYS[key] = taken = 2 * len(key) + 6
    return taken


def _unreadable(value: object, why: str) -> Json:
    name = name_of(type(value))
    return {"$type": name, "repr": f"<{name}, {why}>"}


class Memory(Protocol):
    """Where a walk stores what is large, and finds what was stored before."""

    @property
    def moment(self) -> tuple[int, dict[int, tuple[object, Json]]]:
        """A number that grows whenever user code may have run, and what became of the objects met since, by their id."""

    def refer(self, encoded: bytes, data: Json) -> Json:
        """Return the reference to `data`, whose JSON is `encoded`."""

    def text(self, text: str) -> Json:
        """Return the reference to a long string."""

    def message(self, projection: Projection, message: object, plan: Plan, read: Callable[[], Json]) -> Json:
        """Return what a message is, or the reference to it; `read` projects it."""

    def long_list(self, projection: Projection, elements: Sequence[object], size: int, depth: int) -> Json:
        """Return the reference to a list of more than `LONG` elements; `elements` are the first ones of `size`."""


class Projection:
    """One walk over one value, with its budgets."""

    __slots__ = ("_credit", "_deadline", "_fresh", "_nodes", "_path", "_spent", "_text", "epoch", "flaws", "values")

    def __init__(self, values: Memory | None) -> None:
        self.values = values
        self.flaws = 0  # cuts that depend on where the value was met and on what was before it
        # Taken once: what is read from now on is not known to be true after user code ran again.
        self.epoch, self._fresh = values.moment if values is not None else (0, {})
        self._path: dict[int, int] = {}
        self._text = ALL_TEXT
        self._credit = _CHECK
        self._nodes = 0
        self._deadline = 0.0
        self._spent = False

    def whole(self, value: object) -> Json:
        """Return the JSON of a value; the outermost call, which nothing passes."""
        try:
            return self.project(value, 0)
        except Exception:
            return _unreadable(value, "it could not be read")

    def project(self, value: Any, depth: int) -> Json:
        """Return the JSON of a value that was met at a depth."""
        cls = type(value)
        if cls is str:
            return self.text(value)
        if value is None or cls is bool or (cls is int and _SMALLEST <= value <= _LARGEST):
            return value
        if cls is float and -_INFINITY < value < _INFINITY:
            return value
        key = id(value)
        if (known := self._fresh.get(key)) is not None:
            return known[1]
        if key in self._path:
            self.flaws += 1
            return {"$cycle": depth - self._path[key]}
        if depth >= DEPTH:
            self.flaws += 1
            return {"$cut": {"depth": DEPTH}}
        flaws = self.flaws
        self._path[key] = depth
        try:
            plan = plan_of(cls)
            data = plan.project(self, value, depth + 1, plan)
        except RecursionError:
            self.flaws += 1
            return {"$cut": {"depth": depth}}
        except Exception as error:
            # Not its repr: that of a large container holds the interpreter for as long as it takes.
            data = _unreadable(value, f"reading it raised {name_of(type(error))}")
        finally:
            del self._path[key]
        if self.values is not None and flaws == self.flaws and type(data) is dict and "$ref" in data:
            if len(self._fresh) >= _FRESH:
                self._fresh.clear()
            self._fresh[key] = (value, data)  # holds the object, so that its id is not given to another
        return data

    def all(self, elements: Iterable[object], depth: int) -> list[Json]:
        """Return the JSON of each element, until a budget is spent."""
        items: list[Json] = []
        add, project = items.append, self.project
        for element in elements:
            self._credit -= 1
            if self._credit < 0 and not self._goes_on():
                break
            add(project(element, depth))
        return items

    def keep(self, data: Json, at: int = REF_AT) -> Json:
        """Return `data`, or the reference to it if it is as large as that and there is somewhere to store it."""
        if self.values is None:
            return data
        encoded = orjson.dumps(data)
        return data if len(encoded) < at else self.values.refer(encoded, data)

    def listing(self, elements: Sequence[object], size: int, depth: int) -> Json:
        """Return the list of the first ones of `size` elements."""
        if self.values is not None and len(elements) > LONG:
            return self.values.long_list(self, elements, size, depth)
        return self.keep(self.items(elements, size, depth))

    def items(self, elements: Sequence[object], size: int, depth: int) -> list[Json]:
        """Return the list of the first ones of `size` elements, in place."""
        items = self.all(elements, depth)
        if len(items) < size:
            items.append(cut(size, len(items)))
        return items

    def mapping(self, pairs: Sequence[tuple[Any, Any]], size: int, depth: int) -> Json:
        """Return the object of the first ones of `size` pairs; tagged if its keys are none of JSON, or look like ours."""
        data: dict[str, Json] = {}
        project = self.project
        for key, value in pairs:
            if type(key) is not str or key[:1] == "$" or not self._is_key(key):
                return self._tagged_mapping([[name, item] for name, item in data.items()], pairs, size, depth)
            self._credit -= 1
            if self._credit < 0 and not self._goes_on():
                break
            data[key] = project(value, depth)
        if len(data) < size:
            data["$cut"] = cut(size, len(data))["$cut"]
        return data

    def _tagged_mapping(self, items: list[Json], pairs: Sequence[tuple[Any, Any]], size: int, depth: int) -> Json:
        for pair in pairs[len(items) :]:
            self._credit -= 1
            if self._credit < 0 and not self._goes_on():
                break
            items.append([self.project(part, depth) for part in pair])
        if len(items) < size:
            items.append(cut(size, len(items)))
        return {"$type": "dict", "items": items}

    def _is_key(self, key: str) -> bool:
        self._text -= len(key)
        return len(key) <= HEAD and (key.isascii() or is_unicode(key))

    def text(self, text: str, *, inline: bool = False) -> Json:
        """Return a string, or the reference to a long one; of a very long one, its head."""
        size = len(text)
        if size > TEXT or size > self._text:
            return self._head(text, size)
        self._text -= size
        if not text.isascii() and not is_unicode(text):
            text = visible(text)
        if size < REF_AT - 2 or inline or self.values is None:
            return text
        return self.values.text(text)

    def _head(self, text: str, size: int) -> Json:
        shown = max(0, min(TEXT, self._text))
        if shown < TEXT:
            self._spend()
        self._text -= shown
        return self.keep({"$type": "str", "head": visible(text[:shown]), **cut(size, shown)})

    def repr(self, value: object) -> Json:
        """Return the tagged `repr` of a value, by a guard."""
        name = name_of(type(value))
        left = min(REPR_SECONDS, self._left())
        if left <= 0:
            self._spend()
            return _unreadable(value, "there was no time for it")
        try:
            text, size = ask(repr, value, left)
        except Exception as error:  # no thread can be started
            return _unreadable(value, f"asking for its repr raised {name_of(type(error))}")
        self._text -= len(text)
        data = {"$type": name, "repr": visible(text)}
        return data if size <= len(text) else {**data, **cut(size, len(text))}

    def _left(self) -> float:
        now = monotonic()
        self._deadline = self._deadline or now + SECONDS
        return self._deadline - now

    def _spend(self) -> None:
        self.flaws += 1
        self._spent = True
        self._credit = 0

    def _goes_on(self) -> bool:
        self._nodes += _CHECK
        if self._spent or self._nodes >= NODES or self._text <= 0 or self._left() <= 0:
            self._spend()
            return False
        self._credit = _CHECK
        return True

"""Any Python value as bounded JSON: it cannot raise, cannot loop, marks every cut, and runs next to no user code.

The value belongs to a running graph. Types are told apart by `type()`, their MRO and their raw class dictionaries, and
contents are read with the base type's own methods; properties, `__getattr__`, `__eq__`, `__iter__` and the like are
never called. The one exception, a `__repr__` written in Python, runs in a thread of its own against a clock.
"""

from __future__ import annotations

import array
import collections
import contextlib
import datetime as dt
import decimal
import enum
import functools
import gc
import pathlib
import queue
import threading
import types
import uuid
from collections import OrderedDict
from hashlib import blake2b
from itertools import chain, islice, repeat
from operator import attrgetter, is_
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Json: TypeAlias = Any
"""A value of the JSON data model; what this module makes of anything."""

DEPTH: Final = 40
"""Levels of nesting that are shown; deeper is `{"$cut": {"depth": 40}}`."""
ITEMS: Final = 10_000
"""Elements of one container that are shown."""
NODES: Final = 200_000
"""Elements of one value that are shown, all containers together."""
TEXT: Final = 65_536
"""Characters of one string that are shown."""
ALL_TEXT: Final = 4 * 1024 * 1024
"""Characters of one value that are shown, all strings together."""
SECONDS: Final = 0.5
"""Time after which the rest of a value is cut."""
REPR_SECONDS: Final = 0.2
"""Time that a `__repr__` written in Python gets; a type that needs more is not asked again."""
REPR: Final = 2_000
"""Characters of a `repr` that are shown."""
HEAD: Final = 256
"""Bytes of a binary value that are shown."""

REF_AT: Final = 128
"""Encoded size in bytes from which a value is stored once and referred to."""
MESSAGE_REF_AT: Final = 64
"""The same for messages, which a conversation repeats in every step."""
LONG: Final = 16
"""Lists with more elements are remembered, so that growing ones are stored as what was appended."""
RECENT: Final = 64
"""Messages at the end of a long list that are verified in depth each time."""

_VERIFIED: Final = 16_384  # bytes of a message's other fields that are compared to see whether it changed
_CHECK: Final = 256  # elements between two looks at the clock
_FAN: Final = 8  # appended pieces of one size before they are written again as one
_SMALLEST, _LARGEST, _INFINITY = -(2**63), 2**64 - 1, float("inf")
_STRICT: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
# Types by id, wherever the type may be anybody's: a metaclass can have a hash and an equality of its own.
_SIMPLE: Final = frozenset(map(id, (str, int, float, bool, type(None))))
_EMPTIABLE: Final = frozenset(map(id, (str, list, dict, tuple, set)))
_content = attrgetter("content")
_dumps = orjson.dumps


def snapshot(value: object) -> Json:
    """Return the JSON-safe form of a value, whole: without references. Never raises."""
    return _Projection(None).whole(value)


class Values:
    """Snapshots with memory: what was stored once is referred to from then on.

    `store(id, data)` is called once per stored value, before the snapshot that refers to it is returned; it is called
    under this object's lock, and `data` must not be changed. Safe to use from several threads.

    Equal content gets the same reference, whichever object it comes from. Besides, objects that were seen are
    recognised by identity. Until `touch` says that user code may have run, they are taken for unchanged; after it:

    - a string cannot change; a message is compared with what it was, in all its fields; any other container is read
      again from scratch;
    - in a list of more than 64 messages, the content of every message is compared (by identity), and the other fields
      of the last 64 and of eight more, in turn. So `msg.content = …` shows at once anywhere, but an edit in place of,
      say, the `tool_calls` of a message further up may show only after an eighth as many snapshots of the list as it
      has messages.

    A list of more than 16 elements that begins like one seen before is stored as `{"$ref": id, "$append": [...]}`.

    Memory is bounded: what was stored longest ago is forgotten, and stored again when it is met again. At most 64 MiB of
    messages and strings are held, the last 32 long lists, and what was seen since the last `touch`.
    """

    def __init__(self, store: Callable[[str, Json], None]) -> None:
        self._store = store
        # Reentrant: a `__del__` that the garbage collector runs inside a snapshot may write to a stream.
        self._lock = threading.RLock()
        self._last_id = 0
        self._epoch = 0
        self._refs: OrderedDict[bytes, Json] = OrderedDict()
        self._texts = _Memory[Json]()
        self._messages = _Memory[_SeenMessage]()
        self._lists: list[_SeenList] = []
        self._fresh: dict[int, tuple[object, Json]] = {}

    def snapshot(self, value: object) -> Json:
        """Return the JSON-safe form of a value, in which what is large is a `{"$ref": id}`. Never raises."""
        with self._lock:
            return _Projection(self).whole(value)

    def touch(self) -> None:
        """Say that user code may have run: whatever is remembered is verified before it is used again."""
        with self._lock:
            self._epoch += 1
            self._fresh = {}

    def refer(self, encoded: bytes, data: Json) -> Json:
        """Return the reference to `data`, whose JSON is `encoded`, and store it if it is new."""
        digest = blake2b(encoded, digest_size=16).digest()
        ref = self._refs.get(digest)
        if ref is None:
            self._last_id += 1
            ref = {"$ref": f"v{self._last_id}"}
            try:
                self._store(ref["$ref"], data)
            except Exception:
                # A full disk is the journal's to report; the value itself is still told, in place.
                return data
            self._refs[digest] = ref
            if len(self._refs) > 100_000:
                self._refs.popitem(last=False)
        return ref

    def fresh(self, value: object) -> Json | None:
        """Return what this very object became since the last `touch`, or None."""
        known = self._fresh.get(id(value))
        return known[1] if known is not None and known[0] is value else None

    def keep_fresh(self, value: object, data: Json) -> None:
        """Remember what an object became, until the next `touch`."""
        if len(self._fresh) >= 8_192:
            self._fresh = {}
        self._fresh[id(value)] = (value, data)

    def text(self, text: str) -> Json:
        """Return the reference to a long string."""
        ref = self._texts.get(text)
        if ref is None:
            encoded = _dumps(text)
            ref = self.refer(encoded, text)
            self._texts.keep(text, ref, len(encoded))
        return ref

    def message(self, message: object) -> Json | None:
        """Return what a message became when it was seen before, if it has not changed since."""
        seen = self._messages.get(message)
        return seen.data if seen is not None and seen.is_unchanged() else None

    def keep_message(self, message: object, seen: _SeenMessage, size: int) -> None:
        """Remember a message."""
        self._messages.keep(message, seen, size)

    def is_verified(self, element: object) -> bool:
        """Tell whether a change of an element is noticed without projecting it again."""
        return id(type(element)) in _SIMPLE or element in self._messages

    def long_list(self, projection: _Projection, elements: Sequence[object], size: int, depth: int) -> Json:
        """Return a list of more than `LONG` elements: a reference, stored where possible as what was appended.

        `elements` are the first ones of a list that has `size`.
        """
        known = next((seen for seen in reversed(self._lists) if seen.starts(elements)), None)
        if known is not None and not known.is_unchanged(self._epoch, self._messages.get, projection, depth):
            known = None
        old = known.items if known is not None else []
        flaws = projection.flaws
        new = projection.all(elements[len(old) :], depth)
        if projection.flaws > flaws:
            # Cut by a budget or by the depth: another time more may be shown.
            shown = len(old) + len(new)
            return projection.keep([*old, *new] if shown == size else [*old, *new, _cut(size, shown)])
        if known is None:
            encoded = _dumps(new)[:-1]
            if len(encoded) < REF_AT:
                return new
            known = self._resembling(new, encoded)
            known.adopt(elements, self)
        elif new:
            known.grow(elements, new, self)
        known.epoch = self._epoch
        self._lists = [*(seen for seen in self._lists[-32:] if seen is not known), known]
        ref = known.refer(self)
        if len(elements) == size:
            return ref
        cut = _cut(size, len(elements))
        if type(ref) is not dict or len(ref) > 1:  # it could not be stored
            return [*known.items, cut]
        return projection.keep({**ref, "$append": [cut]}, 0)

    def _resembling(self, items: list[Json], encoded: bytes) -> _SeenList:
        for seen in reversed(self._lists):
            if fork := seen.fork(items, encoded):
                if len(fork.pieces) == len(seen.pieces):
                    self._lists.remove(seen)  # goes on as the longer one
                return fork
        return _SeenList(items, encoded, [])


# What Values remembers

_T = TypeVar("_T")


class _Memory(Generic[_T]):
    """What is known of an object, found by its identity; holds the object, so that its id is not given to another."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[object, _T, int]] = OrderedDict()
        self._size = 0

    def get(self, key: object) -> _T | None:
        known = self._known.get(id(key))
        return known[1] if known is not None and known[0] is key else None

    def __contains__(self, key: object) -> bool:
        return id(key) in self._known

    def keep(self, key: object, known: _T, size: int) -> None:
        """Remember `known`; together at most 8 192 entries and 64 MiB, by their `size`, are held."""
        if size > 1024 * 1024:
            return
        before = self._known.pop(id(key), None)
        self._size += size - (before[2] if before else 0)
        self._known[id(key)] = (key, known, size)
        while len(self._known) > 8_192 or self._size > 64 * 1024 * 1024:
            self._size -= self._known.popitem(last=False)[1][2]


class _SeenMessage:
    """What a message was: its content by identity, and the JSON of all other fields."""

    __slots__ = ("content", "data", "message", "plan", "rest")

    def __init__(self, message: object, plan: _Plan) -> None:
        self.message = message
        self.plan = plan
        self.content, self.rest = self._now()
        self.data: Json = None

    @classmethod
    def of(cls, message: object, plan: _Plan) -> _SeenMessage | None:
        """Return what a message is now, or None when a change of it could not be told."""
        try:
            seen = cls(message, plan)
        except Exception:
            return None
        return seen if len(seen.rest) <= _VERIFIED else None

    def is_unchanged(self) -> bool:
        """Tell whether the message is still what it was."""
        try:
            content, rest = self._now()
        except Exception:
            return False
        return content is self.content and rest == self.rest

    def _now(self) -> tuple[object, bytes]:
        plan = self.plan
        state = plan.state(self.message).copy()
        content = state["content"]
        if type(content) is str:
            state["content"] = None  # told by its identity
        # Strictly: it fails for what has no JSON form of its own, and so cannot be compared by it.
        return content, _dumps((state, plan.beyond and plan.beyond(self.message)), None, _STRICT)


class _Piece(NamedTuple):
    """A stored part of a list: its first `length` elements, whose JSON has `size` bytes. `weight` counts appends."""

    weight: int
    length: int
    size: int
    ref: Json


class _SeenList:
    """A list that was stored, and the pieces that it may be continued from.

    Pieces are merged like the digits of a counter: `_FAN` of one weight become one of the next. So a reader follows few
    references, and an element is written few times, however long the list grows.
    """

    __slots__ = ("contents", "elements", "encoded", "epoch", "items", "loose", "pieces", "turn")

    def __init__(self, items: list[Json], encoded: bytes, pieces: list[_Piece]) -> None:
        self.items = items
        self.encoded = encoded  # without the closing bracket
        self.pieces = pieces
        self.elements: list[object] = []
        self.contents: list[object] | None = None  # of the messages, if there is nothing else in the list
        self.loose: list[int] = []  # the elements that must be projected to see whether they changed
        self.turn = 0
        self.epoch = -1

    def starts(self, elements: Sequence[object]) -> bool:
        """Tell whether `elements` begin with the very objects of this list."""
        size = len(self.elements)
        return (
            0 < size <= len(elements)
            and self.elements[-1] is elements[size - 1]
            and all(map(is_, self.elements, elements))
        )

    def is_unchanged(
        self, epoch: int, seen_message: Callable[[object], _SeenMessage | None], projection: _Projection, depth: int
    ) -> bool:
        """Tell whether the elements are what they were; see `Values` for what this may miss."""
        if self.epoch == epoch:
            return True
        checked = set(self.loose)
        if self.contents is not None:
            if not all(map(is_, map(_content, self.elements), self.contents)):
                return False
            first = max(0, len(self.items) - RECENT)
            checked.update(range(first, len(self.items)))
            checked.update((self.turn + i) % (first or 1) for i in range(8))
            self.turn += 8
        items, elements = self.items, self.elements
        for i in checked:
            seen = seen_message(elements[i])
            if seen is not None and seen.data is items[i] and seen.is_unchanged():
                continue
            item = projection.project(elements[i], depth)
            if item is not items[i] and _dumps(item) != _dumps(items[i]):
                return False
        return True

    def fork(self, items: list[Json], encoded: bytes) -> _SeenList | None:
        """Return this list as the start of one with equal elements, or None when they share no stored piece."""
        if encoded[:64] != self.encoded[:64]:
            return None
        whole = memoryview(self.encoded)
        for count in range(len(self.pieces), 0, -1):
            size = self.pieces[count - 1].size
            if encoded.startswith(whole[:size]) and encoded[size : size + 1] in {b",", b""}:
                return _SeenList(items, encoded, self.pieces[:count])
        return None

    def adopt(self, elements: Sequence[object], values: Values) -> None:
        """Take these objects as the ones that the items were made from."""
        self.elements = []
        self.contents = []
        self._add(elements, values)

    def grow(self, elements: Sequence[object], items: list[Json], values: Values) -> None:
        """Take over what was appended: `items`, made from the last ones of `elements`."""
        added = elements[len(self.items) :]
        self.items += items
        self.encoded += b"," + _dumps(items)[1:-1]
        self._add(added, values)

    def _add(self, elements: Sequence[object], values: Values) -> None:
        start = len(self.elements)
        self.elements += elements
        if any(type(element) is str and len(element) > TEXT for element in elements):
            self.elements = []  # too large to be held: it is known by its items only
            return
        self.loose += [start + i for i, element in enumerate(elements) if not values.is_verified(element)]
        if self.contents is not None:
            plain = all(_plan_of(type(element)).is_plain_message for element in elements)
            self.contents = self.contents + list(map(_content, elements)) if plain else None
        if self.contents is None:
            self.loose = [i for i, element in enumerate(self.elements) if id(type(element)) not in _SIMPLE]

    def refer(self, values: Values) -> Json:
        """Return the reference to this list, and store it if it is new."""
        length = len(self.items)
        if self.pieces and self.pieces[-1].length == length:
            return self.pieces[-1].ref
        weight = 1
        while len(self.pieces) >= _FAN and self.pieces[1 - _FAN].weight == weight:
            del self.pieces[1 - _FAN :]
            weight *= _FAN
        if self.pieces:
            base = self.pieces[-1]
            data: Json = {**base.ref, "$append": self.items[base.length :]}
            ref = values.refer(_dumps(data), data)
        else:
            # The first piece is never merged: its weight is none that the counter reaches.
            weight = 0
            ref = values.refer(self.encoded + b"]", self.items.copy())
        if type(ref) is dict and len(ref) == 1:
            self.pieces.append(_Piece(weight, length, len(self.encoded), ref))
        return ref


# One walk over one value


def _cut(size: int, shown: int) -> Json:
    return {"$cut": {"size": size, "shown": shown}}


def _unreadable(value: object, why: str) -> Json:
    name = _name_of(type(value))
    return {"$type": name, "repr": f"<{name}, {why}>"}


class _Projection:
    """One walk over one value, with its budgets."""

    __slots__ = ("_credit", "_deadline", "_nodes", "_path", "_spent", "_text", "flaws", "values")

    def __init__(self, values: Values | None) -> None:
        self.values = values
        self.flaws = 0  # cuts that depend on where the value was met and on what was before it
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
        values = self.values
        key = id(value)
        if values is not None and (known := values.fresh(value)) is not None:
            return known
        if key in self._path:
            self.flaws += 1
            return {"$cycle": depth - self._path[key]}
        if depth >= DEPTH:
            self.flaws += 1
            return {"$cut": {"depth": DEPTH}}
        flaws = self.flaws
        self._path[key] = depth
        try:
            plan = _PLANS.get(id(cls)) or _plan_of(cls)
            data = plan.project(self, value, depth + 1, plan)
        except RecursionError:
            self.flaws += 1
            return {"$cut": {"depth": depth}}
        except Exception as error:
            # Not its repr: that of a large container holds the interpreter for as long as it takes.
            data = _unreadable(value, f"reading it raised {_name_of(type(error))}")
        finally:
            del self._path[key]
        if values is not None and flaws == self.flaws and type(data) is dict and "$ref" in data:
            values.keep_fresh(value, data)
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
        encoded = _dumps(data)
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
            items.append(_cut(size, len(items)))
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
            data["$cut"] = _cut(size, len(data))["$cut"]
        return data

    def _tagged_mapping(self, items: list[Json], pairs: Sequence[tuple[Any, Any]], size: int, depth: int) -> Json:
        for pair in pairs[len(items) :]:
            self._credit -= 1
            if self._credit < 0 and not self._goes_on():
                break
            items.append([self.project(part, depth) for part in pair])
        if len(items) < size:
            items.append(_cut(size, len(items)))
        return {"$type": "dict", "items": items}

    def _is_key(self, key: str) -> bool:
        self._text -= len(key)
        return len(key) <= HEAD and (key.isascii() or _is_unicode(key))

    def text(self, text: str, *, inline: bool = False) -> Json:
        """Return a string, or the reference to a long one; of a very long one, its head."""
        size = len(text)
        if size > TEXT or size > self._text:
            return self._head(text, size)
        self._text -= size
        if not text.isascii() and not _is_unicode(text):
            text = _visible(text)
        if size < REF_AT - 2 or inline or self.values is None:
            return text
        return self.values.text(text)

    def _head(self, text: str, size: int) -> Json:
        shown = max(0, min(TEXT, self._text))
        if shown < TEXT:
            self._spend()
        self._text -= shown
        return self.keep({"$type": "str", "head": _visible(text[:shown]), **_cut(size, shown)})

    def repr(self, value: object) -> Json:
        """Return the tagged `repr` of a value, by a guard."""
        name = _name_of(type(value))
        left = min(REPR_SECONDS, self._left())
        if left <= 0:
            self._spend()
            return _unreadable(value, "there was no time for it")
        try:
            text, size = _ask(repr, value, left)
        except Exception as error:  # no thread can be started
            return _unreadable(value, f"asking for its repr raised {_name_of(type(error))}")
        self._text -= len(text)
        data = {"$type": name, "repr": _visible(text)}
        return data if size <= len(text) else {**data, **_cut(size, len(text))}

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


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _visible(text: str) -> str:
    """Return the text with lone surrogates, which no UTF-8 has, as backslash escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


# How each type is read


class _Plan:
    """What was found out about a type: its name, where its instances keep their state, and how they are projected."""

    __slots__ = ("beyond", "cls", "is_langgraph", "is_plain_message", "name", "names", "project", "slots", "state")

    def __init__(self, cls: type) -> None:
        self.cls = cls  # held, so that its id is not given to another type
        self.name = _name_of(cls)
        state = _raw(cls, "__dict__")
        self.state: Any = state.__get__ if type(state) in _C_DESCRIPTORS else None
        self.slots: dict[str, Any] = {
            name: member.__get__
            for base in reversed(_mro(cls))
            for name, member in _namespace(base).items()
            if type(member) is types.MemberDescriptorType and name[:2] != "__"
        }
        extra = _raw(cls, "__pydantic_extra__")
        self.beyond: Any = extra.__get__ if type(extra) is types.MemberDescriptorType else None
        fields = _raw(cls, "__dataclass_fields__")
        self.names: list[str] | None = list(fields) if type(fields) is dict else None
        self.is_langgraph = _module_of(cls).startswith("langgraph.")
        is_message = any(
            _name_of(base) == "BaseMessage" and _module_of(base).startswith("langchain_core.") for base in _mro(cls)
        )
        self.is_plain_message = is_message and (
            _raw(cls, "__getattribute__") is object.__getattribute__ and not hasattr(_raw(cls, "content"), "__get__")
        )
        self.project: _Project = _message if is_message and self.state else _kind(cls)

    def fields(self, value: object) -> list[tuple[Any, Any]]:
        """Return what an instance holds, by name, without asking it."""
        state = self.state(value) if self.state else None
        held: dict[Any, Any] = dict.copy(state) if isinstance(state, dict) else {}
        for name, member in self.slots.items():
            try:
                held[name] = member(value)
            except AttributeError:
                continue  # a slot that was never set
        if self.names is not None:
            held = {name: held[name] for name in self.names if name in held}
        extra = self.beyond_of(value)
        if extra:
            held |= extra
        if self.is_langgraph:
            return [(name, item) for name, item in held.items() if not _is_nothing(item)]
        return list(islice(held.items(), ITEMS))

    def beyond_of(self, value: object) -> dict[str, Any] | None:
        """Return what a pydantic model took beyond its fields."""
        try:
            extra = self.beyond(value) if self.beyond else None
        except AttributeError:
            return None
        return extra if type(extra) is dict else None


_Project: TypeAlias = "Callable[[_Projection, Any, int, _Plan], Json]"
_PLANS: dict[int, _Plan] = {}
_C_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)

_mro = type.__dict__["__mro__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_type_name = type.__dict__["__name__"].__get__
_type_module = type.__dict__["__module__"].__get__
_type_qualname = type.__dict__["__qualname__"].__get__
_args = BaseException.__dict__["args"].__get__


def _plan_of(cls: type) -> _Plan:
    plan = _PLANS.get(id(cls))
    if plan is None:
        if len(_PLANS) >= 4_096:
            _PLANS.clear()
        plan = _PLANS[id(cls)] = _Plan(cls)
    return plan


def _raw(cls: type, name: str) -> Any:
    """Return a class attribute as it stands in the class: no descriptor, no metaclass has a say."""
    for base in _mro(cls):
        namespace = _namespace(base)
        if name in namespace:
            return namespace[name]
    return None


def _inherits(cls: type, base: type) -> bool:
    return any(map(is_, _mro(cls), repeat(base)))


def _name_of(cls: type) -> str:
    return _visible(str.__str__(_type_name(cls))[:HEAD])


def _module_of(cls: type) -> str:
    module = _type_module(cls)
    return module if type(module) is str else ""


def _kind(cls: type) -> _Project:
    """Return how instances of a type are read, by what they inherit from."""
    if _inherits(cls, enum.Enum):  # which may be a str or an int besides
        return _enum
    for base in _mro(cls):
        if (project := _BY_BASE.get(id(base))) is not None:
            if base is tuple and type(_raw(cls, "_fields")) is tuple:
                return _named_tuple
            return _model if project in _OVERRULED and _has_fields(cls) else project
        if (project := _BY_NAME.get((_module_of(base).partition(".")[0], _name_of(base)))) is not None:
            return project
    return _model if _has_fields(cls) else _anything


def _has_fields(cls: type) -> bool:
    """Tell whether a type declares what its instances hold."""
    return any(
        _raw(cls, mark) is not None for mark in ("__dataclass_fields__", "__pydantic_validator__", "__attrs_attrs__")
    ) or any(
        (_name_of(base) == "BaseModel" and _module_of(base).startswith("pydantic"))
        or (_name_of(base) in {"Send", "Command", "Interrupt", "Overwrite"} and _module_of(base) == "langgraph.types")
        for base in _mro(cls)
    )


def _is_nothing(value: object) -> bool:
    return value is None or value is False or (id(type(value)) in _EMPTIABLE and not value)


def _anything(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return projection.keep(projection.repr(value))


def _message(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    values = projection.values
    if values is None:
        return {"$type": plan.name, "fields": _message_fields(projection, value, depth, plan)}
    if (known := values.message(value)) is not None:
        return known
    flaws = projection.flaws
    # Before it is read: what another thread changes meanwhile shows as a change the next time.
    seen = _SeenMessage.of(value, plan)
    data: Json = {"$type": plan.name, "fields": _message_fields(projection, value, depth, plan)}
    encoded = _dumps(data)
    if len(encoded) >= MESSAGE_REF_AT:
        data = values.refer(encoded, data)
    if seen is not None and flaws == projection.flaws:
        seen.data = data
        content = seen.content
        values.keep_message(value, seen, len(encoded) + (len(content) if type(content) is str else 0))
    return data


def _message_fields(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    """Return the fields of a message that say something; its own texts in place, as nothing else repeats them."""
    fields: dict[str, Json] = {}
    for name, item in plan.state(value).copy().items():
        if type(name) is not str or not name.isidentifier():
            pairs = plan.fields(value)
            return projection.mapping(pairs, len(pairs), depth)
        if name == "content" or not (item is None or name == "type" or _is_nothing(item)):
            fields[name] = projection.text(item, inline=True) if type(item) is str else projection.project(item, depth)
    if beyond := plan.beyond_of(value):
        more = projection.mapping(list(beyond.items()), len(beyond), depth)
        fields = {**more, **fields} if "$type" not in more else {**fields, "__pydantic_extra__": more}
    return fields


def _model(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    fields = plan.fields(value)
    return projection.keep({"$type": plan.name, "fields": projection.mapping(fields, len(fields), depth)})


def _named_tuple(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    pairs = list(zip(_raw(plan.cls, "_fields"), tuple.__iter__(value), strict=False))
    return projection.keep({"$type": plan.name, "fields": projection.mapping(pairs, len(pairs), depth)})


def _exception(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    args = _args(value)
    if len(args) == 1 and type(args[0]) is str and _raw(plan.cls, "__str__") is BaseException.__str__:
        message = args[0]
    else:
        message = _ask(str, value, REPR_SECONDS)[0]
    told = {"message": message, "args": args}
    pairs = list((told | dict(plan.fields(value)) | told).items())
    return projection.keep({"$type": plan.name, "fields": projection.mapping(pairs, len(pairs), depth)})


def _str(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return projection.text(str.__str__(value))


def _int(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    number = int.__int__(value)
    if _SMALLEST <= number <= _LARGEST:
        return number
    bits = number.bit_length()
    if bits <= 2_000:
        return projection.keep({"$type": "int", "value": str(number)})
    # Decimal digits of a huge number cost the square of its size, and Python may refuse them.
    left = bits % 4 + HEAD * 4
    return projection.keep(
        {"$type": "int", "value": f"{number >> max(0, bits - left):#x}", **_cut(bits, min(bits, left))}
    )


def _float(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    number = float.__float__(value)
    if number - number == 0:
        return number
    return {"$type": "float", "value": str(number)}


def _list(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    elements = list.__getitem__(value, slice(0, ITEMS))
    return projection.listing(
        elements, max(len(elements), list.__len__(value)) if len(elements) == ITEMS else len(elements), depth
    )


def _tuple(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return projection.listing(tuple.__getitem__(value, slice(0, ITEMS)), tuple.__len__(value), depth)


def _dict(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return _pairs(projection, dict.items(value), dict.__len__(value), depth)


def _ordered_dict(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return _pairs(projection, OrderedDict.items(value), dict.__len__(value), depth)


def _pairs(projection: _Projection, items: Iterable[tuple[Any, Any]], size: int, depth: int) -> Json:
    pairs = list(items) if size <= ITEMS else list(islice(items, ITEMS))
    return projection.keep(
        projection.mapping(pairs, max(size, len(pairs)) if len(pairs) >= ITEMS else len(pairs), depth)
    )


def _mapping_proxy(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    (mapping,) = gc.get_referents(value)  # its own methods would be those of the mapping behind it
    return projection.project(mapping, depth)


def _user_data(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return projection.project(plan.state(value)["data"], depth)


def _set(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    base = set if _inherits(plan.cls, set) else frozenset
    elements = list(islice(base.__iter__(value), ITEMS))
    kinds = set(map(id, map(type, elements)))
    if kinds <= {id(int), id(float)} or kinds == {id(str)}:
        elements.sort()
    size = max(base.__len__(value), len(elements))
    return projection.keep({"$type": "set", "items": projection.items(elements, size, depth)})


def _deque(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    elements = list(islice(collections.deque.__iter__(value), ITEMS))
    size = max(collections.deque.__len__(value), len(elements))
    return projection.keep({"$type": "deque", "items": projection.items(elements, size, depth)})


def _bytes(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    base: Any = bytes if _inherits(plan.cls, bytes) else bytearray
    return _binary(projection, plan, base.__len__(value), bytes(base.__getitem__(value, slice(0, HEAD))))


def _memoryview(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    head = value[:HEAD].tobytes()[:HEAD] if value.ndim == 1 else b""
    return _binary(projection, plan, value.nbytes, head)


def _binary(projection: _Projection, plan: _Plan, size: int, head: bytes) -> Json:
    data = {"$type": plan.name, "size": size, "head": repr(head)[2:-1]}
    return projection.keep(data if size <= len(head) else {**data, **_cut(size, len(head))})


def _enum(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    state = plan.state(value)
    name, member = projection.project(state["_name_"], depth), projection.project(state["_value_"], depth)
    return projection.keep({"$type": plan.name, "name": name, "value": member})


def _written(form: Callable[[Any], str]) -> _Project:
    """Return the reading of a type whose values are told by one word, as `form` writes them."""

    def project(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
        tzinfo = getattr(value, "tzinfo", None) if plan.cls is dt.datetime or plan.cls is dt.time else None
        is_ours = _module_of(plan.cls) in _TRUSTED and (tzinfo is None or type(tzinfo) is dt.timezone)
        text = form(value) if is_ours else _ask(form, value, REPR_SECONDS)[0]
        return projection.keep({"$type": plan.name, "value": projection.text(_visible(text), inline=True)})

    return project


def _qualified(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    if type(value) is types.MethodType:
        value = value.__func__
    is_class = _inherits(type(value), type)
    if is_class:
        module, name = _module_of(value), _type_qualname(value)
    elif _inherits(type(value), types.ModuleType):
        module, name = "", plan.state(value).get("__name__")
    elif type(value) is types.FunctionType or type(value) is types.BuiltinFunctionType:
        module, name = value.__module__, value.__qualname__
    else:
        return projection.keep(projection.repr(value))
    words = [str.__str__(word) for word in (module, name) if isinstance(word, str) and word and word != "builtins"]
    kind = "type" if is_class else plan.name
    return projection.keep({"$type": kind, "name": projection.text(".".join(words), inline=True)})


def _array(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    size, flat = int(_raw(plan.cls, "size").__get__(value)), _raw(plan.cls, "flat").__get__(value)
    head = projection.items(flat[:16].tolist(), min(size, 16), depth)
    shape, dtype = list(_raw(plan.cls, "shape").__get__(value)), str(_raw(plan.cls, "dtype").__get__(value))
    data = {"$type": plan.name, "shape": shape, "dtype": dtype[:HEAD], "head": head}
    return projection.keep(data if size <= 16 else {**data, **_cut(size, 16)})


def _typed_array(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    size, head = array.array.__len__(value), list(array.array.__getitem__(value, slice(0, 16)))
    data = {"$type": plan.name, "shape": [size], "dtype": _raw(plan.cls, "typecode").__get__(value), "head": head}
    return projection.keep(data if size <= 16 else {**data, **_cut(size, 16)})


def _view(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    return projection.listing(list(islice(value, ITEMS)), len(value), depth)


def _array_scalar(projection: _Projection, value: Any, depth: int, plan: _Plan) -> Json:
    item = _raw(plan.cls, "item")(value)
    return projection.project(item, depth) if type(item) is not plan.cls else projection.keep(projection.repr(value))


_TRUSTED: Final = frozenset({"datetime", "uuid", "decimal", "_decimal", "pathlib", "pathlib._local", "builtins"})
_BY_BASE: Final[dict[int, _Project]] = {
    id(base): project
    for base, project in (
        (BaseException, _exception),
        (str, _str),
        (int, _int),
        (float, _float),
        (list, _list),
        (tuple, _tuple),
        (OrderedDict, _ordered_dict),
        (dict, _dict),
        (set, _set),
        (frozenset, _set),
        (collections.deque, _deque),
        (type({}.keys()), _view),
        (type({}.values()), _view),
        (type({}.items()), _view),
        (array.array, _typed_array),
        (bytes, _bytes),
        (bytearray, _bytes),
        (memoryview, _memoryview),
        (types.MappingProxyType, _mapping_proxy),
        (types.SimpleNamespace, _model),
        (collections.UserDict, _user_data),
        (collections.UserList, _user_data),
        (collections.UserString, _user_data),
        (dt.datetime, _written(dt.datetime.isoformat)),
        (dt.date, _written(dt.date.isoformat)),
        (dt.time, _written(dt.time.isoformat)),
        (dt.timedelta, _written(dt.timedelta.__str__)),
        (uuid.UUID, _written(uuid.UUID.__str__)),
        (decimal.Decimal, _written(decimal.Decimal.__str__)),
        (pathlib.PurePath, _written(pathlib.PurePath.__str__)),
        (complex, _written(complex.__repr__)),
        (range, _written(range.__repr__)),
        (type, _qualified),
        (types.ModuleType, _qualified),
        (types.FunctionType, _qualified),
        (types.BuiltinFunctionType, _qualified),
        (types.MethodType, _qualified),
    )
}
_BY_NAME: Final[dict[tuple[str, str], _Project]] = {("numpy", "ndarray"): _array, ("numpy", "generic"): _array_scalar}
_OVERRULED: Final = frozenset({_exception})
"""Readings that the fields of a dataclass with such a base say more than."""


# Asking the value itself


class _Asker:
    """A thread that calls what may never return."""

    def __init__(self) -> None:
        self.questions: queue.SimpleQueue[tuple[Callable[[Any], str], object]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self.is_given_up = False
        self.thread = threading.Thread(target=self._answer_all, name="lgwatch-repr", daemon=True)
        self.thread.start()

    def ask(self, function: Callable[[Any], str], value: object, seconds: float) -> tuple[str, int] | None:
        """Return the answer and its full size, or None when it did not come in time."""
        self.questions.put((function, value))
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            self.is_given_up = True
            _interrupt(self.thread)
            return None

    def _answer_all(self) -> None:
        while not self.is_given_up:
            self.answers.put(_answer(*self.questions.get()))


def _answer(function: Callable[[Any], str], value: object) -> tuple[str, int]:
    try:
        text = function(value)
        return str.__getitem__(text, slice(0, REPR)), str.__len__(text)
    except BaseException as error:
        text = f"<{_name_of(type(value))}, its repr raised {_name_of(type(error))}>"
        return text, len(text)


def _interrupt(thread: threading.Thread) -> None:
    """End a thread that computes for ever; one that waits for ever stays, which costs nothing."""
    import ctypes

    with contextlib.suppress(Exception):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


_IDLE: Final[list[_Asker]] = []
_GIVEN_UP: Final[list[_Asker]] = []
_SLOW: Final[dict[int, type]] = {}
"""The types whose `repr` took too long, by id."""


def _ask(function: Callable[[Any], str], value: object, seconds: float) -> tuple[str, int]:
    """Return the first `REPR` characters of what a function says of a value, and the full size."""
    cls = type(value)
    text = ""
    if function is repr and _raw(cls, "__repr__") is object.__repr__:
        text = object.__repr__(value)
    elif id(cls) in _SLOW:
        text = f"<{_name_of(cls)}, its repr took too long>"
    elif sum(asker.thread.is_alive() for asker in _GIVEN_UP) >= 16:
        text = f"<{_name_of(cls)}, too many others are still at their repr>"
    if text:
        return text[:REPR], len(text)
    asker = next((idle for idle in iter(functools.partial(_pop, _IDLE), None) if idle.thread.is_alive()), None)
    asker = asker or _Asker()
    answer = asker.ask(function, value, seconds)
    if answer is not None:
        _IDLE.append(asker)
        return answer
    _GIVEN_UP[:] = [other for other in _GIVEN_UP if other.thread.is_alive()] + [asker]
    if seconds >= REPR_SECONDS:
        _SLOW[id(cls)] = cls
    text = f"<{_name_of(cls)}, its repr took too long>"
    return text, len(text)


def _pop(askers: list[_Asker]) -> _Asker | None:
    try:
        return askers.pop()
    except IndexError:
        return None


# Reading snapshots


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
    return (
        [*node, *chain.from_iterable(reversed(parts))] if parts and type(node) is list else node if not parts else data
    )


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


def preview(data: Json, limit: int = 80) -> str:
    """Return a snapshot in one line of at most `limit` characters; what is left out shows as an ellipsis."""
    words: list[str] = []
    left = limit
    try:
        for word in _words(data, limit, 0):
            words.append(word)
            left -= len(word)
            if left < 0:
                break
    except Exception:
        words.append("…")
    line = " ".join("".join(words).splitlines())
    return line if len(line) <= limit else line[: max(0, limit - 1)] + "…"


def _words(data: Any, limit: int, depth: int) -> Iterator[str]:
    """Yield a snapshot piece by piece, so that a reader who has enough can stop."""
    if data is None or data is True or data is False:
        yield "null" if data is None else "true" if data else "false"
    elif isinstance(data, str):
        head = data[: limit + 1]
        yield f'"{head}"'
    elif isinstance(data, list):
        if depth and len(data) > LONG:
            yield f"list {len(data)}"
            return
        if len(data) > LONG:
            yield f"list {len(data)} "
        yield from _row("[", ((None, item) for item in data), "]", limit, depth)
    elif not isinstance(data, dict):
        yield str(data)
    elif type(kind := data.get("$type")) is str:
        yield from _tagged_words(kind, data, limit, depth)
    elif any(mark in data for mark in ("$ref", "$cycle")) or (len(data) == 1 and "$cut" in data):
        yield "…"
    else:
        yield from _row("{", data.items(), "}", limit, depth)


def _row(start: str, pairs: Iterable[tuple[Any, Any]], end: str, limit: int, depth: int) -> Iterator[str]:
    yield start
    between = ""
    for name, item in pairs:
        yield between
        between = ", "
        if depth >= 6 or name == "$cut":
            yield "…"
            break
        if name is not None:
            yield f'"{str(name)[: limit + 1]}": '
        yield from _words(item, limit, depth + 1)
    yield end


def _tagged_words(kind: str, data: dict[str, Json], limit: int, depth: int) -> Iterator[str]:
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
            said = [call.get("name") for call in calls if isinstance(call, dict)]
        yield from _words(fields if said is None else said, limit, depth + 1)
    elif kind == "dict" and isinstance(items := data.get("items"), list):
        yield "{"
        for i, item in enumerate(items):
            yield ", " if i else ""
            is_pair = isinstance(item, list) and len(item) == 2
            yield from _words(item[0] if is_pair else item, limit, depth + 1)
            if is_pair:
                yield ": "
                yield from _words(item[1], limit, depth + 1)
        yield "}"
    else:
        yield f"{kind} "
        said = next((data[name] for name in ("name", "value", "items", "size", "shape") if name in data), None)
        yield said[: limit + 1] if isinstance(said, str) else "".join(_words(said, limit, depth + 1))

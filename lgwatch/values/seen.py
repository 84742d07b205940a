"""What was stored before, and whether it is still what it was. Objects are known by identity, never by their equality."""

from __future__ import annotations

from collections import OrderedDict
from operator import is_, itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import orjson

from lgwatch.events import Json
from lgwatch.values.kinds import plan_of
from lgwatch.values.limits import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgwatch.values.kinds import Plan
    from lgwatch.values.projection import Projection

WHOLE: Final = 64
"""Lists of messages with more elements are not verified in depth as a whole each time, but"""
RECENT: Final = 16
"""this many messages at their end, and"""
TURN: Final = 8
"""this many more, in turn."""

_VERIFIED: Final = 16_384  # bytes of a message's other fields that are compared to see whether it changed
_FAN: Final = 8  # appended pieces of one size before they are written again as one
_STRICT: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
# By id: a metaclass can have a hash and an equality of its own.
_SIMPLE: Final = frozenset(map(id, (str, int, float, bool, type(None))))
_content = itemgetter("content")
_dumps = orjson.dumps
_T = TypeVar("_T")


class Known(Generic[_T]):
    """What is known of an object, found by its identity; holds the object, so that its id is not given to another."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[object, _T, int]] = OrderedDict()
        self._size = 0

    def get(self, key: object) -> _T | None:
        """Return what is known of an object, or None."""
        known = self._known.get(id(key))
        return known[1] if known is not None else None

    def keep(self, key: object, known: _T, size: int) -> None:
        """Remember `known`; together at most 8 192 entries and 64 MiB, by their `size`, are held."""
        if size > 1024 * 1024:
            return
        before = self._known.pop(id(key), None)
        self._size += size - (before[2] if before else 0)
        self._known[id(key)] = (key, known, size)
        while len(self._known) > 8_192 or self._size > 64 * 1024 * 1024:
            self._size -= self._known.popitem(last=False)[1][2]


class SeenMessage:
    """What a message was: its content by identity, and the JSON of all other fields."""

    __slots__ = ("content", "data", "message", "plan", "rest")

    def __init__(self, message: object, plan: Plan) -> None:
        self.message = message
        self.plan = plan
        self.content, self.rest = self._now()
        self.data: Json = None

    @classmethod
    def of(cls, message: object, plan: Plan) -> SeenMessage | None:
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


def _state_of(element: object) -> dict[str, Any] | None:
    """Return the live attributes of a message, or None for anything else."""
    plan = plan_of(type(element))
    state = plan.state(element) if plan.is_message else None
    return state if type(state) is dict and "content" in state else None


class _Piece(NamedTuple):
    """A stored part of a list: its first `length` elements, whose JSON has `size` bytes. `weight` counts appends."""

    weight: int
    length: int
    size: int
    ref: Json


class SeenList:
    """A list that was stored, and the pieces that it may be continued from. It only ever grows.

    Pieces are merged like the digits of a counter: `_FAN` of one weight become one of the next. So a reader follows few
    references, and an element is written few times, however long the list grows.
    """

    __slots__ = ("contents", "elements", "encoded", "epoch", "items", "loose", "pieces", "states", "turn")

    def __init__(self, items: list[Json], encoded: bytes, pieces: list[_Piece]) -> None:
        self.items = items
        self.encoded = encoded  # without the closing bracket
        self.pieces = pieces
        self.elements: list[object] = []
        # If there is nothing but messages: their attributes, which are read much faster so, and what was in them.
        self.states: list[dict[str, Any]] | None = []
        self.contents: list[object] = []
        self.loose: list[int] = []  # the elements that must be looked at each time to see whether they changed
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
        self, length: int, seen_message: Callable[[object], SeenMessage | None], projection: Projection, depth: int
    ) -> bool:
        """Tell whether the first `length` elements are what they were; see `Values` for what this may miss."""
        if self.epoch == projection.epoch:
            return True
        items, elements, checked = self.items, self.elements, self.loose
        contents = self.contents  # before the states: another thread may find that there are others than messages
        if (states := self.states) is not None:
            try:
                if not all(map(is_, map(_content, states), contents)):
                    return False
            except KeyError:
                return False
            checked = [*checked, *self._in_turn(length)]
        for i in checked:
            seen = seen_message(elements[i])
            if seen is not None and seen.data is items[i] and seen.is_unchanged():
                continue
            item = projection.project(elements[i], depth)
            if item is not items[i] and _dumps(item) != _dumps(items[i]):
                return False
        return True

    def _in_turn(self, length: int) -> list[int]:
        """Return the messages that are verified in depth this time."""
        if length <= WHOLE:
            return list(range(length))
        first = length - RECENT
        turn, self.turn = self.turn, (self.turn + TURN) % first
        return [*(i % first for i in range(turn, turn + TURN)), *range(first, length)]

    def fork(self, items: list[Json], encoded: bytes) -> SeenList | None:
        """Return this list as the start of one with equal elements, or None when they share no stored piece."""
        if encoded[:64] != self.encoded[:64]:
            return None
        whole = memoryview(self.encoded)
        for count in range(len(self.pieces), 0, -1):
            size = self.pieces[count - 1].size
            if encoded.startswith(whole[:size]) and encoded[size : size + 1] in {b",", b""}:
                return SeenList(items, encoded, self.pieces[:count])
        return None

    def grow(self, items: list[Json]) -> None:
        """Take over the JSON of what was appended."""
        self.items += items
        self.encoded += b"," + _dumps(items)[1:-1]

    def hold(self, elements: Sequence[object], seen_message: Callable[[object], SeenMessage | None]) -> None:
        """Take these objects as the ones that the last items were made from."""
        if any(type(element) is str and len(element) > TEXT for element in elements):
            self.elements = []  # too large to be held: it is known by its items only
            return
        start = len(self.elements)
        self.elements += elements
        if self.states is not None:
            states = [state for element in elements if (state := _state_of(element)) is not None]
            if len(states) == len(elements):
                self.states += states
                self.contents += map(_content, states)
                # The others are known as messages, and verified in turn.
                self.loose += [start + i for i, element in enumerate(elements) if seen_message(element) is None]
                return
            self.states, self.contents, self.loose, start = None, [], [], 0
        changing = range(start, len(self.elements))
        self.loose += [i for i in changing if id(type(self.elements[i])) not in _SIMPLE]

    def refer(self, refer: Callable[[bytes, Json], Json]) -> Json:
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
            ref = refer(_dumps(data), data)
        else:
            # The first piece is never merged: its weight is none that the counter reaches.
            weight = 0
            ref = refer(self.encoded + b"]", self.items.copy())
        if type(ref) is dict and len(ref) == 1:
            self.pieces.append(_Piece(weight, length, len(self.encoded), ref))
        return ref

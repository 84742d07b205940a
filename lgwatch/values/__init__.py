"""Any Python value as bounded JSON, and the memory by which what was stored once is referred to from then on."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from lgwatch.events import Json
from lgwatch.values.limits import FEW, MESSAGE_REF_AT, REF_AT, cut
from lgwatch.values.projection import Projection, small
from lgwatch.values.seen import Known, SeenList, SeenMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgwatch.values.kinds import Plan


def snapshot(value: object) -> Json:
    """Return the JSON-safe form of a value, whole: without references. Never raises."""
    return Projection(None).whole(value)


class Values:
    """Snapshots with memory: what was stored once is referred to from then on.

    `store(id, data)` is called once per stored value, before the snapshot that refers to it is returned; it is called
    under this object's lock, and `data` must not be changed. Safe to use from several threads: no thread waits while
    another one reads a value, however long a `__repr__` takes.

    Equal content gets the same reference, whichever object it comes from. Besides, objects that were seen are
    recognised by identity. Until `touch` says that user code may have run, they are taken for unchanged; after it:

    - a string cannot change; a message is compared with what it was, in all its fields; any other container is read
      again from scratch;
    - in a list of more than 64 messages and nothing else, the content of every message is compared (by identity), and
      the other fields of the last 16 and of eight more, in turn. So `msg.content = …` shows at once anywhere, but any
      other edit in place of a message further up (of its `tool_calls`, of a block in a list of content blocks, of its
      whole `__dict__`) may show only after an eighth as many snapshots of the list as it has messages.

    A list of more than 16 elements that begins like one seen before is stored as `{"$ref": id, "$append": [...]}`.

    Memory is bounded: what was stored longest ago is forgotten, and stored again when it is met again. At most 64 MiB of
    messages and strings are held, the last 32 long lists, and what was seen since the last `touch`.
    """

    def __init__(self, store: Callable[[str, Json], None]) -> None:
        self._store = store
        # Reentrant: a `__del__` that the garbage collector runs inside a snapshot may write to a stream.
        self._lock = threading.RLock()
        self._last_id = 0
        self._touches = itertools.count(1)
        self._moment: tuple[int, dict[int, tuple[object, Json]]] = (0, {})
        self._refs: OrderedDict[bytes, Json] = OrderedDict()
        self._texts = Known[Json]()
        self._messages = Known[SeenMessage]()
        self._lists: list[SeenList] = []

    def snapshot(self, value: object) -> Json:
        """Return the JSON-safe form of a value, in which what is large is a `{"$ref": id}`. Never raises."""
        if type(value) is dict and len(value) <= FEW and (data := small(value)) is not None:
            return data
        return Projection(self).whole(value)

    def touch(self) -> None:
        """Say that user code may have run: whatever is remembered is verified before it is used again."""
        self._moment = (next(self._touches), {})  # whichever thread is the last: no two have the same number

    @property
    def moment(self) -> tuple[int, dict[int, tuple[object, Json]]]:
        """The number of touches, and what became of the objects met since the last one, by their id."""
        return self._moment

    def refer(self, encoded: bytes, data: Json) -> Json:
        """Return the reference to `data`, whose JSON is `encoded`, and store it if it is new."""
        digest = blake2b(encoded, digest_size=16).digest()
        with self._lock:
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

    def text(self, text: str) -> Json:
        """Return the reference to a long string."""
        ref = self._texts.get(text)
        if ref is None:
            encoded = orjson.dumps(text)
            with self._lock:
                ref = self.refer(encoded, text)
                self._texts.keep(text, ref, len(encoded))
        return ref

    def message(self, projection: Projection, message: object, plan: Plan, read: Callable[[], Json]) -> Json:
        """Return what a message is, or the reference to it; `read` projects one that is new or has changed."""
        known = self._messages.get(message)
        if known is not None and known.is_unchanged():
            return known.data
        flaws = projection.flaws
        # Before it is read: what another thread changes meanwhile shows as a change the next time.
        seen = SeenMessage.of(message, plan)
        data = read()
        encoded = orjson.dumps(data)
        if len(encoded) >= MESSAGE_REF_AT:
            data = self.refer(encoded, data)
        if seen is not None and flaws == projection.flaws:
            seen.data = data
            size = len(encoded) + (len(seen.content) if type(seen.content) is str else 0)
            with self._lock:
                self._messages.keep(message, seen, size)
        return data

    def long_list(self, projection: Projection, elements: Sequence[object], size: int, depth: int) -> Json:
        """Return a list of more than `LONG` elements: a reference, stored where possible as what was appended.

        `elements` are the first ones of a list that has `size`.
        """
        with self._lock:
            known = next((seen for seen in reversed(self._lists) if seen.starts(elements)), None)
            length = len(known.items) if known is not None else 0
        # Not under the lock: elements that are read may take their time.
        if known is not None and not known.is_unchanged(length, self._messages.get, projection, depth):
            known, length = None, 0
        flaws = projection.flaws
        new = projection.all(elements[length:], depth)
        if projection.flaws > flaws:
            # Cut by a budget or by the depth: another time more may be shown.
            items = [*known.items[:length], *new] if known is not None else new
            return projection.keep(items if len(items) == size else [*items, cut(size, len(items))])
        with self._lock:
            seen = self._grown(known, length, elements, new)
            if seen is None:
                return new
            seen.epoch = projection.epoch
            if seen in self._lists:
                self._lists.remove(seen)
            self._lists = [*self._lists[-31:], seen]
            ref = seen.refer(self.refer)
        if len(elements) == size:
            return ref
        rest = cut(size, len(elements))
        if type(ref) is not dict or len(ref) > 1:  # it could not be stored
            return [*seen.items[: len(elements)], rest]
        return projection.keep({**ref, "$append": [rest]}, 0)

    def _grown(
        self, known: SeenList | None, length: int, elements: Sequence[object], new: list[Json]
    ) -> SeenList | None:
        """Return the list with these elements: the first `length` are those of `known`, the others became `new`.

        None for one that is too small to be stored.
        """
        if known is not None and len(known.items) == length:
            if new:
                known.grow(new)
                known.hold(elements[length:], self._messages.get)
            return known
        # Of a list that another thread has continued meanwhile, the start is shared.
        items = [*known.items[:length], *new] if known is not None else new
        encoded = orjson.dumps(items)[:-1]
        if len(encoded) < REF_AT:
            return None
        seen = self._resembling(items, encoded)
        seen.hold(elements, self._messages.get)
        return seen

    def _resembling(self, items: list[Json], encoded: bytes) -> SeenList:
        """Return a list of these items that continues the stored pieces of another one, if one begins like it."""
        for seen in reversed(self._lists):
            if fork := seen.fork(items, encoded):
                if len(fork.pieces) == len(seen.pieces):
                    self._lists.remove(seen)  # goes on as the longer one
                return fork
        return SeenList(items, encoded, [])

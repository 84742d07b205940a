"""How often a node was visited with the same input: a digest of each input, never the input itself.

Values that are stored once are met by reference: their digests are kept, eight bytes each, so that equal inputs have
equal digests however a list was stored in pieces. Digests are of this process: nobody may show or save one.
"""

from __future__ import annotations

from array import array

from lgwatch.events import Json, RunStarted, TaskStarted, ValueStored, path

GAP = 1_000
"""Numbers of stored values that may be missing in a row: a journal with larger gaps is not ours."""


class Visits:
    """What the nodes of a run were given. A run that answers, or goes on after a breakpoint, goes on with the same."""

    def __init__(self) -> None:
        self._values = array("q")  # the digest of the stored value with this number, 0 for one that is not known
        self._met: dict[int, tuple[int, int]] = {}  # node and input → the newest step of such a visit, how many so far
        self.loops: dict[str, int] = {}
        """Nodes that came back to an input that they had before: path → how many visits had it, the most of any input."""

    def store(self, event: ValueStored) -> None:
        """Take in a value that later events refer to."""
        number = _number(event.id)
        if 0 <= number <= len(self._values) + GAP:
            self._values.extend([0] * (number + 1 - len(self._values)))
            self._values[number] = self._told(event.data)

    def begin(self, event: RunStarted) -> None:
        """A run that is given an input, or that goes on from elsewhere, has met nothing yet."""
        if event.input is not None or event.fork:
            self._met.clear()
            self.loops.clear()

    def take(self, event: TaskStarted) -> int:
        """Take in another visit; return how many had this input by now, 1 for the first.

        Visits of one step count as one: they were sent side by side, and did not come back. A subgraph that is run
        again begins anew; the node that runs it is what loops. An empty input tells nothing.
        """
        digest = self._told(event.input) if event.input else 0
        if not digest:
            return 1
        key = hash((event.ns, event.node, digest))
        step, times = self._met.get(key, (event.step, 1))
        if step < event.step:
            times += 1
            where = path(event.ns, event.node)
            self.loops[where] = max(self.loops.get(where, 0), times)
        self._met[key] = (event.step, times)
        return times

    # --- digests

    def _told(self, data: Json) -> int:
        """Return the digest of a value of an event; a list may grow, so it is told item by item. 0 is for none."""
        try:
            return self._chain(1, data) if type(data) is list else self._digest(data)
        except RecursionError:  # no graph's state is so deep, but a journal may be anybody's
            return 0

    def _digest(self, data: Json) -> int:
        """Return a number that is the same for equal values."""
        kind = type(data)
        if kind is str:
            return ~hash(data)  # the text of a number is not the number
        text = repr(data)  # as fast as it gets in this process; equality would take -1 for -2, and True for 1
        if "'$ref'" not in text:
            return hash(text)
        return (
            self._reference(data) if kind is dict and type(data.get("$ref")) is str else hash(repr(self._filled(data)))
        )

    def _reference(self, data: dict[str, Json]) -> int:
        ref, more = data["$ref"], data.get("$append")
        number = _number(ref)
        known = self._values[number] if 0 <= number < len(self._values) else 0
        return self._chain(known or hash(ref), more) if type(more) is list else known or hash(ref)

    def _chain(self, start: int, items: list[Json]) -> int:
        for item in items:
            start = hash((start, self._digest(item)))
        return start

    def _filled(self, data: Json) -> Json:
        """Return the structure of a value with digests in place of its parts."""
        if type(data) is list:
            return [self._digest(item) for item in data]
        return [(key, self._digest(item)) for key, item in data.items()]


def _number(ref: str) -> int:
    """The number in the id of a stored value; -1 for an id of another kind."""
    return int(ref[1:]) if ref[:1] == "v" and ref[1:].isdecimal() and len(ref) < 12 else -1

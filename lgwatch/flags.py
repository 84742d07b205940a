"""What is wrong with a state and nobody says: values that were changed without being written, and states that swelled.

A fold over the states of a session: the same journal gives the same flags. It reads two checkpoints at a time, and of
values only those that are not what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lgwatch.difference import Change, differences
from lgwatch.events import Json, Namespace
from lgwatch.refs import follow
from lgwatch.states import State, States

FACTOR, FLOOR = 4, 100_000
"""A state swelled when it is this many times what it was a step before, and has at least so many characters."""
_LISTS = ("add", "iadd")
_ROOT = "__root__"
_MANY = 100
"""Tasks of a step whose writes are read to be counted."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to be said of a state: `code` is `mutated` or `swollen`; `seq` is the line of the state."""

    code: str
    text: str
    seq: int
    at: float
    ns: Namespace
    step: int
    key: str
    nodes: tuple[str, ...]


class Flags:
    """The flags of a session; `update` looks at what is new, a few states at a time."""

    def __init__(self, states: States) -> None:
        self.states = states
        self._looked: dict[Namespace, int] = {}
        self._todo: dict[Namespace, None] = {}
        self._sizes: dict[str, int] = {}
        self.all: list[Flag] = []

    def update(self, most: int = 100) -> bool:
        """Look at states that up to so many tasks led to; return whether there are more to look at."""
        self._todo |= dict.fromkeys(self.states.fresh())
        for ns in list(self._todo):
            states = self.states.of(ns)
            while (number := self._looked.get(ns, 0)) < len(states):
                if states[number].rebuilt and number == len(states) - 1 and self.states.goes_on(states[number]):
                    break  # what the next tasks see may still tell more of it
                if most <= 0:
                    return True
                most -= 2 + len(states[number].tasks)
                self._looked[ns] = number + 1
                if number and states[number].run == states[number - 1].run:
                    self.all += self._look(states[number - 1], states[number])
            if not states or not states[-1].rebuilt or not self.states.goes_on(states[-1]):
                del self._todo[ns]
        return False

    def of(self, state: State) -> list[Flag]:
        """Return what there is to be said of a state."""
        return [flag for flag in self.all if flag.seq == state.seq and flag.ns == state.ns]

    def _look(self, before: State, after: State) -> Iterator[Flag]:
        if not after.tasks:
            return
        old, new = self.states.values(before), self.states.values(after)
        differing = [key for key in new if key in old and old[key] != new[key]]
        if not differing and len(old) == len(new):
            return
        written = {key for task in after.tasks for key in self.states.wrote(task)}
        reducers = self.states.reducers(after.ns)
        nodes = tuple(dict.fromkeys(task.node for task in after.tasks))
        for key in differing:
            if key not in reducers and (reducers or key == _ROOT):
                continue  # a channel that is none of the state's, or the value of an entrypoint
            if reducers.get(key, "") in ("", *_LISTS, "add_messages") and (
                what := self._grown(key, old[key], new[key], after)
                if key in written
                else self._mutated(key, old[key], new[key])
            ):
                who = nodes[0] if len(nodes) == 1 else f"one of {', '.join(nodes)}"
                yield self._flag("mutated", f"{who} changed {what}", after, key, nodes)
        yield from self._swollen(old, new, after)

    def _mutated(self, key: str, old: Json, new: Json) -> str:
        """Return what of a key that nobody wrote was changed; empty where nothing was."""
        change = next((one for one in differences(old, new, self.states.lookup, (key,)) if _tells(one)), None)
        return "" if change is None else f"{_place(change)} in place, without writing it"

    def _grown(self, key: str, old: Json, new: Json, after: State) -> str:
        """Return a key whose list has more than was written to it; empty where it has not."""
        if self.states.reducers(after.ns).get(key) not in _LISTS or len(after.tasks) > _MANY:
            return ""
        written = [one[key] for task in after.tasks if key in (one := self.states.writes(task))]
        before, now, *added = (follow(one, self.states.lookup) for one in (old, new, *written))
        if not all(isinstance(one, list) for one in (before, now, *added)):
            return ""
        # Such a reducer appends what was written, and nothing else can make the list longer.
        return f"{key} in place, besides writing to it" if len(now) > len(before) + sum(map(len, added)) else ""

    def _swollen(self, old: dict[str, Json], new: dict[str, Json], after: State) -> Iterator[Flag]:
        before, now = self._size(old), self._size(new)
        if now < FLOOR or now < FACTOR * max(before, 1):
            return
        key = max(new, key=lambda name: self._size(new[name]) - self._size(old.get(name)))
        nodes = tuple(dict.fromkeys(task.node for task in after.tasks if key in self.states.wrote(task)))
        who = ", ".join(nodes) or ", ".join(dict.fromkeys(task.node for task in after.tasks))
        text = f"{who} made the state {now // max(before, 1)} times as large: {_amount(now)}, most of it in {key}"
        yield self._flag("swollen", text, after, key, nodes)

    @staticmethod
    def _flag(code: str, text: str, state: State, key: str, nodes: tuple[str, ...]) -> Flag:
        return Flag(code, text, state.seq, state.at, state.ns, state.step, key, nodes)

    def _size(self, value: Json) -> int:
        """Return about how many characters a value takes; a stored one is measured once."""
        if isinstance(value, str):
            return len(value) + 2
        if isinstance(value, list):
            return 2 + sum(map(self._size, value))
        if not isinstance(value, dict):
            return 5
        ref = value.get("$ref")
        if not isinstance(ref, str):
            return 2 + sum(len(key) + 4 + self._size(one) for key, one in value.items())
        if ref not in self._sizes:
            self._sizes[ref] = 0  # a circle ends here
            try:
                self._sizes[ref] = self._size(self.states.lookup(ref))
            except KeyError:
                return 0
        return self._sizes[ref] + self._size(value.get("$append", ""))


def _tells(change: Change) -> bool:
    """Whether a change is one of the value, not of how much of it was shown or how it prints itself."""
    return not any(
        isinstance(one, dict) and ("$cut" in one or "repr" in one or one.get("$type") == "str")
        for one in (change.before, change.after)
    )


def _place(change: Change) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in change.path).removeprefix(".")


def _amount(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"

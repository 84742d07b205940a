"""Updates and interrupts that wait for the result which tells whose they are: LangGraph names the node, not the task.

The result comes next, but for tasks that end at the same time in threads: then it is the second next, or a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, NamedTuple

from lgwatch.events import Json, Namespace


class Part(NamedTuple):
    """A part of the mode `updates`: what a node returned; without a node, interrupts. `writes` is the snapshot."""

    ns: Namespace
    node: str
    payload: Any
    writes: Json = None


class Held:
    """Parts that wait, the oldest first."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        """Those that wait."""

    def add(self, part: Part) -> None:
        """Let a part wait."""
        self.parts.append(part)

    def update(self, ns: Namespace, node: str, result: Any) -> tuple[Part | None, bool]:
        """Take out the update that belongs to a task's result; return it, and whether it holds the same as the result."""
        if len(self.parts) == 1 and node:  # as almost always
            part = self.parts[0]
            if part.node != node or part.ns != ns:
                return None, False
            self.parts.clear()
            return part, _same(part.payload, result) and type(part.payload) is dict
        own = [part for part in self.parts if part.node == node and part.ns == ns] if node else []
        for part in own:
            if _same(part.payload, result):
                self.parts.remove(part)
                return part, type(part.payload) is dict
        if own:
            self.parts.remove(own[0])
        return (own[0] if own else None), False

    def interrupts(self, ns: Namespace, names: set[str], name_of: Callable[[Any], str]) -> list[Any]:
        """Take out the interrupts with these names; where none has one of them, all of the graph."""
        here = [part for part in self.parts if not part.node and part.ns == ns]
        own = [part for part in here if any(name_of(one) in names for one in part.payload)] or here
        for part in own:
            self.parts.remove(part)
        return [one for part in own for one in part.payload]

    def rest(self, ns: Namespace | None = None) -> list[Part]:
        """Take out what is left, of one graph or of all."""
        found = [part for part in self.parts if ns is None or part.ns == ns]
        self.parts = [part for part in self.parts if ns is not None and part.ns != ns]
        return found


def _same(update: Any, result: Any) -> bool:
    """Whether an update and a result are the same objects, under the same names or under a name of LangGraph's own."""
    if type(result) is not dict:
        return update is result
    if type(update) is dict and update.keys() == result.keys():
        return all(map(is_, update.values(), map(result.__getitem__, update)))
    if len(result) == 1:  # `__root__`, `__return__`, `__end__`
        return next(iter(result.values())) is update
    return update is None and not result

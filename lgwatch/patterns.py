"""Regular expressions that somebody types, matched so that no pattern on no text takes for ever.

`re` tries one way after the other: `(a+)+$` on forty letters takes it years, and nothing can interrupt it. From a pattern's
shape follows how many ways a text of some length can have at most. Where these are few, `re` is asked; where not, all ways
are walked at once, letter by letter, in time that grows with the text alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from math import inf, prod
from typing import Any

if sys.version_info >= (3, 11):
    from re import _compiler, _parser  # type: ignore[attr-defined]  # the parsed pattern has no public name
else:
    import sre_compile as _compiler
    import sre_parse as _parser

BUDGET = 1_000_000
"""Ways that `re` may try on one text, and letters that are looked at again: some hundredths of a second."""
EACH = 5_000
"""Steps that `re` may take from each letter of a text of any length."""
LARGEST = 1_000
"""Places that a walked pattern may have, its repetitions written out: what a letter costs that is new to the walk."""
KEPT = 1_000_000
"""Places that a walk remembers at most, whatever its steps."""
STEP = 20
"""Places that weigh as much as a step that is remembered."""


class EndlessError(ValueError):
    """A pattern that may take for ever, and can be matched in no other way: the message says what in it is in the way."""


class Pattern:
    """A regular expression: whether it is found in a text, and where."""

    def __init__(self, source: str, flags: int = 0) -> None:
        """Raises `re.error`, and EndlessError for what cannot be bounded."""
        self._re = re.compile(source, flags)
        tree = _parser.parse(source, flags)
        self._tree, self._flags = tree, tree.state.flags
        self._walks: tuple[_Walk, _Walk] | None = None
        self._most = _most(tree)
        if self._most < inf:
            self._both()  # what cannot be walked is refused now and not when a text is long

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        if len(text) <= self._most:
            return self._re.search(text) is not None
        return next(self._both()[0].ends(text, 0, anywhere=True), None) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where it matches, from the left, apart from each other.

        In a long text a match is as long as can be, and where that took too long, it goes on to the text's end.
        """
        if len(text) <= self._most:
            yield from (match.span() for match in self._re.finditer(text))
            return
        forward, backward = self._both()
        at = spent = 0
        for start in sorted(backward.ends(text, len(text), anywhere=True)):
            if start >= at:
                at = max(forward.ends(text, start, anywhere=False)) if spent < BUDGET else len(text)
                spent += forward.came - start
                yield start, at

    def _both(self) -> tuple[_Walk, _Walk]:
        if self._walks is None:
            self._walks = _Walk(self._tree, self._flags, 1), _Walk(self._tree, self._flags, -1)
        return self._walks


def _most(tree: Any) -> float:
    """Return how long a text may be for `re`."""
    try:
        choices = _choices(tree)
    except EndlessError:
        return -1
    length = _length(tree)
    if prod(choices) * length <= EACH:
        return inf  # it takes as long as the text
    low, high = 0, BUDGET
    while low < high:
        middle = (low + high + 1) // 2
        weight = max(1, min(length, middle + 1) // 10)  # a way of a few letters is one step
        if (middle + 1) * weight * prod(min(choice, middle + 1) for choice in choices) <= BUDGET:
            low = middle
        else:
            high = middle - 1
    return low


def _choices(tree: Iterable[tuple[Any, Any]]) -> list[float]:
    """Return the numbers of ways, the product of which a pattern has at most from where it begins.

    Raises EndlessError where something that has several ways is repeated: these multiply with each turn.
    """
    found: list[float] = []
    for operation, given in tree:
        match str(operation):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = given
                inner = _choices(body)
                if inner and most > 1:
                    raise EndlessError
                found += inner
                if most != least:
                    found.append(inf if most == _parser.MAXREPEAT else most - least + 1)
            case "BRANCH":
                found.append(len(given[1]))
                for arm in given[1]:
                    found += _choices(arm)
            case "SUBPATTERN":
                found += _choices(given[3])
            case "ATOMIC_GROUP":
                found += _choices(given)
            case "ASSERT" | "ASSERT_NOT":
                found += _choices(given[1])
            case "GROUPREF" | "GROUPREF_EXISTS":
                found.append(inf)
    return found


def _length(tree: Iterable[tuple[Any, Any]]) -> int:
    """Return how many steps a way through a pattern has at most, each repetition with as few turns as it may."""
    found = 0
    for operation, given in tree:
        match str(operation):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                found += max(given[0], 1) * max(_length(given[2]), 1)
            case "BRANCH":
                found += max(_length(arm) for arm in given[1])
            case "SUBPATTERN":
                found += _length(given[3])
            case "ATOMIC_GROUP":
                found += _length(given)
            case "ASSERT" | "ASSERT_NOT":
                found += _length(given[1])
            case _:
                found += 1
    return max(found, 1)


class _Ways:
    """A set of places in a pattern, and which one follows by which letter."""

    __slots__ = ("accepts", "after", "places")

    def __init__(self, places: frozenset[int], accepts: bool) -> None:
        self.places = places
        self.accepts = accepts
        self.after: dict[Any, _Ways] = {}


class _Walk:
    """All ways through a pattern at once, from left to right (`step` 1) or from right to left (-1)."""

    def __init__(self, tree: Any, flags: int, step: int) -> None:
        self._step = step
        self._groups: list[Any] = tree.state.groupwidths
        self._letters: dict[int, tuple[Callable[[str], object], int]] = {}  # place: what it takes, and the next place
        self._forks: dict[int, list[int]] = {}
        self._gates: dict[int, tuple[int, int]] = {}  # place: which condition, and the next place
        self._conditions: list[Callable[[str, int], object]] = []
        self._size = 1  # place 0 is the end
        self._entry = self._sequence(tree, flags, 0)
        self._known: dict[tuple[frozenset[int], bool], _Ways] = {}
        self._remembered = 0
        self.came = 0
        """Where the last walk ended: behind what a match would need, nothing is looked at."""

    def ends(self, text: str, at: int, *, anywhere: bool) -> Iterator[int]:
        """Yield where matches end that begin at `at`, or, if `anywhere`, there or further on."""
        step, last = self._step, len(text) if self._step > 0 else 0
        entry = (self._entry,) if anywhere else ()
        ways = self._reached((self._entry,), self._held(text, at))
        while True:
            if ways.accepts:
                yield at
            if at == last or not (ways.places or anywhere):
                self.came = at
                return
            letter = text[at] if step > 0 else text[at - 1]
            at += step
            held = self._held(text, at) if self._conditions else 0
            key = (letter, held, anywhere) if held or not anywhere else letter
            following = ways.after.get(key)
            if following is None:
                targets = [self._letters[place][1] for place in ways.places if self._letters[place][0](letter)]
                following = self._remember(ways, key, self._reached((*targets, *entry), held))
            ways = following

    def _remember(self, ways: _Ways, key: object, following: _Ways) -> _Ways:
        self._remembered += STEP
        if self._remembered > KEPT:
            for known in self._known.values():
                known.after.clear()
            self._known.clear()
            self._remembered = 0
        ways.after[key] = following
        return following

    def _held(self, text: str, at: int) -> int:
        """Return which conditions hold at a place of the text, as bits."""
        return sum(1 << number for number, holds in enumerate(self._conditions) if holds(text, at))

    def _reached(self, places: Iterable[int], held: int) -> _Ways:
        """Return the places that take a letter, reached from these without one."""
        todo, seen = list(places), set(places)
        while todo:
            place = todo.pop()
            more = self._forks.get(place, [])
            if place in self._gates:
                condition, behind = self._gates[place]
                more = [behind] if held >> condition & 1 else []
            todo += [each for each in more if each not in seen]
            seen.update(more)
        found = frozenset(place for place in seen if place in self._letters)
        key = (found, 0 in seen)
        if key not in self._known:
            self._known[key] = _Ways(*key)
            self._remembered += len(found)
        return self._known[key]

    # ── the places of a pattern; each is made with the one that is behind it ──

    def _place(self) -> int:
        self._size += 1
        if self._size > LARGEST:
            raise EndlessError("its repetitions are too many")
        return self._size - 1

    def _fork(self, ways: list[int]) -> int:
        place = self._place()
        self._forks[place] = ways
        return place

    def _sequence(self, tree: Any, flags: int, behind: int) -> int:
        for item in reversed(tree) if self._step > 0 else tree:
            behind = self._item(item, flags, behind)
        return behind

    def _item(self, item: tuple[Any, Any], flags: int, behind: int) -> int:
        operation, given = str(item[0]), item[1]
        match operation:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "CATEGORY" | "RANGE":
                place = self._place()
                self._letters[place] = (self._alone(item, flags).match, behind)
                return place
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, body = given
                return self._repeat(least, most, body, flags, behind)
            case "BRANCH":
                return self._fork([self._sequence(arm, flags, behind) for arm in given[1]])
            case "SUBPATTERN":
                _, more, less, body = given
                return self._sequence(body, (flags | more) & ~less, behind)
            case "AT" | "ASSERT" | "ASSERT_NOT":
                if operation != "AT" and _most(given[1]) < inf:
                    raise EndlessError("it looks ahead for something long or of any length, (?=…*) or (?!…*)")
                place = self._place()
                self._gates[place] = (len(self._conditions), behind)
                self._conditions.append(self._alone(item, flags).match)
                return place
            case "GROUPREF" | "GROUPREF_EXISTS":
                raise EndlessError("it refers back to a group beside something of any length")
        raise EndlessError("it has an atomic group or a possessive repetition beside something of any length")

    def _repeat(self, least: int, most: Any, body: Any, flags: int, behind: int) -> int:
        if most == _parser.MAXREPEAT:
            again = self._fork([])
            self._forks[again] += [self._sequence(body, flags, again), behind]
            behind = again
        else:
            end = behind
            for _ in range(most - least):
                behind = self._fork([self._sequence(body, flags, behind), end])
        for _ in range(least):
            end, behind = behind, self._sequence(body, flags, behind)
            if behind == end:
                break  # it is empty, however often
        return behind

    def _alone(self, item: tuple[Any, Any], flags: int) -> re.Pattern[str]:
        """Return one item of the pattern as a pattern of its own.

        It has all groups of the pattern: `re` writes what a group matched to where the number of groups left no room for it.
        """
        state = _parser.State()
        state.flags = flags
        state.groupwidths = self._groups
        found: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [item]), flags)
        return found

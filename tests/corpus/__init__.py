"""Small graphs, each with one feature of LangGraph or one awkward combination; `cases` finds them all.

A graph is what a decorated function returns, made anew each time; the function's docstring says which feature it is.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A graph and how it is run. `answers` are given one after the other, each to everything that waits."""

    name: str
    feature: str
    build: Callable[[], Any]
    given: Any = None
    answers: Sequence[Any] = ()
    config: dict[str, Any] = field(default_factory=dict)
    context: Any = None
    sync: bool = False
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """The features of `tests.versions` without which it does not work at all."""


CASES: dict[str, Case] = {}


def case(given: Any = None, **options: Any) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Add what the function builds to the corpus."""

    def add(build: Callable[[], Any]) -> Callable[[], Any]:
        module = build.__module__.rpartition(".")[2]
        name = f"{module}.{build.__name__}"
        assert name not in CASES, name
        CASES[name] = Case(name, (build.__doc__ or "").strip(), build, given if given is not None else {}, **options)
        return build

    return add


def themes() -> Iterator[str]:
    """The modules of the corpus."""
    for module in pkgutil.iter_modules(__path__):
        if module.name not in {"models", "parts"}:
            yield module.name


def cases() -> dict[str, Case]:
    """Every graph of the corpus, by name."""
    for name in themes():
        importlib.import_module(f"{__name__}.{name}")
    return CASES

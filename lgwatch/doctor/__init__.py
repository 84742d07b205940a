"""Why a graph does not load, stream or resume: one check after the other, each with its fix. Runs no graph.

The exception is the self-check, which stands in a module of its own and is run only when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lgwatch import __version__, store
from lgwatch.doctor import interpreter, target, terminal
from lgwatch.doctor.check import Check
from lgwatch.doctor.loading import Loaded, load_graph
from lgwatch.errors import JournalError, LgwatchError
from lgwatch.interpreters import Interpreter, find_interpreter
from lgwatch.live import Launch

__all__ = ["Check", "Loaded", "examine", "load_graph"]


def examine(python: str | None, launch: Callable[[], Launch], *, asked: bool) -> Iterator[Check]:
    """Yield the checks as they are made.

    `launch` finds the target and the interpreter that runs it, which is `python` if it was named; `asked` tells that a
    target was.
    """
    yield Check(True, f"lgwatch {__version__}, in {sys.executable}")
    found: Launch | LgwatchError
    try:
        found = launch()
    except LgwatchError as error:
        found = error
    try:
        chosen = _interpreter(python, found)
    except LgwatchError as error:
        yield Check(False, error.message, error.hint)
    else:
        usable = yield from interpreter.examine(chosen)
        if isinstance(found, LgwatchError):
            yield Check(False if asked else None, found.message, found.hint)
        elif usable:
            yield from target.examine(found)
    yield from terminal.examine()
    yield _state()


def _interpreter(python: str | None, found: Launch | LgwatchError) -> Interpreter:
    if isinstance(found, LgwatchError):
        return find_interpreter(Path.cwd(), python)
    return Interpreter(found.python, "as --python says" if python else found.why)


def _state() -> Check:
    try:
        return Check(True, f"runs are recorded in {store.writable_folder()}")
    except JournalError as error:
        return Check(None, error.message, error.hint)

"""Projects on disk for the tests of the loader: written into a folder, imported, and forgotten again."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

GRAPH = """
from typing_extensions import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict):
    topic: str

def step(state: State) -> dict:
    return {"topic": state["topic"] + "!"}

builder = StateGraph(State).add_node("step", step).add_edge(START, "step")
"""
COMPILED = GRAPH + "graph = builder.compile(name='told')\n"


def write(folder: Path, **files: str) -> None:
    """Write files by their name; `__` in a name is a folder and the suffix is added."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    importlib.invalidate_caches()


def package(folder: Path) -> None:
    """Make a folder a package."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()


@contextlib.contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """Forget what was imported from a folder, and what was put on `sys.path`."""
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    # The path of a namespace package is looked up in its parent: find all before the first goes.
    mine = [name for name in set(sys.modules) - before if _is_from(folder, vars(sys.modules[name]))]
    for name in mine:
        del sys.modules[name]
    importlib.invalidate_caches()


def _is_from(folder: Path, names: dict[str, Any]) -> bool:
    places = [names.get("__file__") or "", *(names.get("__path__") or [])]
    return any(str(place).startswith(str(folder)) for place in places)

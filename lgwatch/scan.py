"""A look through a project's source for the graphs in it. Parses, never imports, and reads a bounded number of files."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

MAX_FILES = 1_000
MAX_SIZE = 400_000
MAX_DEPTH = 6

_SKIPPED = {"node_modules", "site-packages", "__pycache__", "tests", "test", "build", "dist", "venv", "env"}
_PREBUILT = {"create_agent", "create_react_agent", "create_deep_agent"}
_BUILDERS = {"StateGraph", "MessageGraph", "Graph", "create_supervisor", "create_swarm"}
_WRAPPERS = {"with_config", "with_retry", "with_fallbacks", "bind", "with_types"}
# Only files in which one of these words appears are parsed: `compile` alone is mostly a regular expression's.
_HINT = re.compile(rb"lang(graph|chain)|deepagents|graph|workflow|builder|agent", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A module-level name that holds a graph; `kind` says how sure that is, the best highest."""

    GRAPH: ClassVar[int] = 2
    UNCOMPILED: ClassVar[int] = 1
    FACTORY: ClassVar[int] = 0

    path: Path
    name: str
    kind: int


def scan(folder: Path) -> list[Found]:
    """Return the graphs in the Python files under `folder`, in the order of their paths and lines."""
    found: list[Found] = []
    for path in python_files(folder):
        try:
            source = path.read_bytes()
            if not _HINT.search(source):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found += [Found(path, name, kind) for name, kind in _graphs(tree).items()]
    return found


def python_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files of a project: no tests, no environments, no more than `MAX_FILES`."""
    left = MAX_FILES
    for root, folders, files in os.walk(folder):
        depth = len(Path(root).relative_to(folder).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < MAX_DEPTH
            and not name.startswith(".")
            and name not in _SKIPPED
            and not (Path(root) / name / "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            path = Path(root) / name
            if not name.endswith(".py") or name.startswith((".", "test_")) or name.endswith("_test.py"):
                continue
            left -= 1
            if left < 0:
                return
            try:
                if path.is_file() and path.stat().st_size <= MAX_SIZE:
                    yield path
            except OSError:
                continue


def _graphs(tree: ast.Module) -> dict[str, int]:
    """Return the graphs that a module binds at its top level, with their kind."""
    modules = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    found: dict[str, int] = {}
    for statement in _statements(tree.body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            kind = _kind_of_function(statement, modules)
            if kind is not None:
                found[statement.name] = kind
            continue
        kind = _kind(statement.value, modules) if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        for name in _bound_names(statement):
            found.pop(name, None)
            if kind is not None:
                found[name] = kind
    compiled = {
        call.func.value.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "compile"
        and isinstance(call.func.value, ast.Name)
    }
    return {name: kind for name, kind in found.items() if kind != Found.UNCOMPILED or name not in compiled}


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import, in blocks too."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            if "__name__" not in ast.dump(statement.test):
                yield from _statements([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from _statements([*statement.body, *handlers, *statement.orelse, *statement.finalbody])
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            yield from _statements(statement.body)


def _bound_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _kind(value: ast.expr | None, modules: set[str]) -> int | None:
    """Say what a call makes; None when it is no graph."""
    if not isinstance(value, ast.Call):
        return None
    called = _name(value.func)
    if called in _PREBUILT:
        return Found.GRAPH
    if called in _BUILDERS:
        return Found.UNCOMPILED
    if not isinstance(value.func, ast.Attribute):
        return None
    receiver = value.func.value
    if called == "compile":
        return None if isinstance(receiver, ast.Name) and receiver.id in modules else Found.GRAPH
    kind = _kind(receiver, modules)
    if called in _WRAPPERS:
        return kind
    # `StateGraph(State).add_node(…)` returns the graph itself.
    return kind if kind == Found.UNCOMPILED and called.startswith(("add_", "set_")) else None


def _kind_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef, modules: set[str]) -> int | None:
    for decorator in function.decorator_list:
        if _name(decorator.func if isinstance(decorator, ast.Call) else decorator) == "entrypoint":
            return Found.GRAPH
    if function.name.startswith("_"):
        return None
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Yield)) and _kind(node.value, modules) is not None:
            return Found.FACTORY
    return None


def _name(function: ast.expr) -> str:
    """Return the last part of a dotted name, the empty string for anything else."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""

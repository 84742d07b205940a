"""Keys that nodes write or read and that their graph's state does not have, from the source of the nodes.

Only what a constant says is certain: a key in a returned dict, in `Command(update=…)`, in `state["key"]`. What may have
come with a `Send` is not the state's, so keys that are sent count as known.
"""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgwatch.runner.needs import ROOT, source_of
from lgwatch.runner.parts import Part

_METHODS = frozenset(
    {"keys", "items", "values", "copy", "get", "update", "pop", "setdefault", "model_copy", "model_dump"}
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A key that the state does not have: which node `written` or read it, where, and the key that is `near` it."""

    path: str
    key: str
    place: str
    written: bool
    near: str = ""


def misspelt(nodes: Iterable[Part]) -> Iterator[Misspelt]:
    """Yield the unknown keys of the nodes, each once per node; a key that is only read counts if it is near a known one."""
    for part in nodes:
        known = _known(part.graph)
        if known is None or len(part.functions) != 1 or not _is_node(part.bound):
            continue
        (function,) = part.functions
        tree = source_of(function)
        if tree is None:
            continue
        seen: set[str] = set()
        for key, line, written in (*_written(tree), *_read(tree, part, known)):
            if key in known or key in seen or key.startswith("__"):
                continue
            near = next(iter(difflib.get_close_matches(key, known, n=1, cutoff=0.75)), "")
            if written or (near and key not in _sent(function.__code__.co_filename)):
                seen.add(key)
                yield Misspelt(part.path, key, _place(function, line), written, near)


def _is_node(bound: Any) -> bool:
    """Whether the function that is seen is the node: not a tool's, not the first of a chain, not one in a wrapper."""
    if hasattr(bound, "tools_by_name") or hasattr(bound, "steps"):
        return False
    raw = getattr(bound, "func", None) or getattr(bound, "afunc", None)
    return raw is not None and not hasattr(raw, "__wrapped__") and not isinstance(raw, functools.partial)


def _known(graph: Any) -> set[str] | None:
    """Return the keys of a graph's state, None where it is one value, or nobody knows."""
    builder = getattr(graph, "builder", None)
    channels = getattr(builder, "channels", None)
    if not channels or ROOT in channels or getattr(builder, "nodes", None) is None:
        return None
    return {*map(str, channels), *map(str, getattr(builder, "managed", None) or ())}


def _written(tree: ast.AST) -> Iterator[tuple[str, int, bool]]:
    """Yield the keys of what the function returns or yields as the update of the state."""
    for node in _own(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Return):
            values.append(node.value)
        elif isinstance(node, ast.Lambda):
            values.append(node.body)
        elif isinstance(node, ast.Call) and _called(node) == "Command" and not _is_for_parent(node):
            values += [keyword.value for keyword in node.keywords if keyword.arg == "update"]
        for value in values:
            if isinstance(value, ast.Dict):
                for key in value.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, key.lineno, True


def _is_for_parent(call: ast.Call) -> bool:
    return any(keyword.arg == "graph" for keyword in call.keywords)


def _read(
    tree: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, part: Part, known: set[str]
) -> Iterator[tuple[str, int, bool]]:
    arguments = [one.arg for one in (*tree.args.posonlyargs, *tree.args.args) if one.arg not in {"self", "cls"}]
    if not arguments:
        return
    state = arguments[0]
    schemas = [schema for schema in getattr(part.graph.builder, "schemas", None) or () if inspect.isclass(schema)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is(node.value, state) and isinstance(node.ctx, ast.Load):
            key: Any = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            key = node.args[0] if _is(node.func.value, state) and node.args else None
        elif isinstance(node, ast.Attribute) and _is(node.value, state) and isinstance(node.ctx, ast.Load):
            # What the class has besides its fields: properties, methods.
            if node.attr not in _METHODS and not any(hasattr(schema, node.attr) for schema in schemas):
                yield node.attr, node.lineno, False
            continue
        else:
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, key.lineno, False


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _own(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions inside of it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, _FUNCTIONS)]


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


@functools.cache
def _sent(file: str) -> frozenset[str]:
    """Return the keys that a file puts into what it sends with `Send`, in dicts anywhere in its arguments."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return frozenset()
    sends = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "Send"]
    dicts = [node for send in sends for node in ast.walk(send) if isinstance(node, ast.Dict)]
    return frozenset(
        key.value for one in dicts for key in one.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
    )


def _place(function: Callable[..., Any], line: int) -> str:
    """Return `agent.py:12`; `line` counts from 1 in the function's own source, which begins at its decorators."""
    try:
        first = inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        first = function.__code__.co_firstlineno
    return f"{Path(function.__code__.co_filename).name}:{first + line - 1}"

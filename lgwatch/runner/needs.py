"""What a graph wants to be given: the keys of its input, and which of them a run cannot do without.

LangGraph does not enforce a TypedDict: every key is "required" by its type and none by the graph. So a key counts as
needed only if the channel has no start value and, where the source of the nodes can be read, some node reads it before
any node writes it. This is the one place that says so: the schema that is shown and the start of a run both ask here.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from langchain_core.runnables import Runnable
from pydantic import BaseModel
from typing_extensions import NotRequired as ExtensionNotRequired

ROOT = "__root__"
_MESSAGES = "messages"


def needs_input(graph: Any) -> list[str]:
    """Return the input keys that a run of the graph needs, [] when it needs none.

    A graph whose input is one value, such as an entrypoint, names it by the function's parameter.
    """
    try:
        builder = getattr(graph, "builder", None)
        if builder is None:
            return _parameter(graph)
        schema = input_class(builder)
        keys = input_keys(graph)
        keys = [key for key in keys if key == _MESSAGES or not _has_start_value(builder.channels.get(key))]
        if keys == [ROOT]:
            return ["input"]
        # The graph makes an instance of such a class before its first node runs.
        if dataclasses.is_dataclass(schema) or (inspect.isclass(schema) and issubclass(schema, BaseModel)):
            return [key for key in keys if not _is_optional(schema, key)]
        return [key for key in keys if _is_read_first(graph, key, doubt=not _is_optional(schema, key))]
    except Exception:  # schemas and nodes are foreign classes; asking for too little beats failing a run
        return []


def has_messages(graph: Any) -> bool:
    """Say whether the graph's input has `messages`, so that plain text can be sent to it."""
    try:
        return _MESSAGES in input_keys(graph)
    except Exception:  # as above
        return False


def input_keys(graph: Any) -> list[str]:
    """Return the keys of the graph's input; `__root__` alone when it is one value."""
    builder = getattr(graph, "builder", None)
    if builder is not None:
        channels = builder.channels
        return [key for key in builder.schemas.get(input_class(builder), ()) if key in channels]
    names = getattr(graph, "input_channels", None)
    return [ROOT] if isinstance(names, str) else [str(name) for name in names or ()]


def input_class(builder: Any) -> Any:
    """Return the class of a builder's input, which releases before 1.0 call by another name."""
    return getattr(builder, "input_schema", None) or getattr(builder, "input", None)


def field_types(schema: object) -> dict[str, Any]:
    """Return the fields of a state class with their types; a type that cannot be resolved is `Any`."""
    try:
        return typing.get_type_hints(schema, include_extras=True)
    except Exception:  # a name that exists only for the type checker, or worse
        return dict.fromkeys(getattr(schema, "__annotations__", {}), Any)


def node_function(bound: object) -> Callable[..., Any] | None:
    """Return the function that a node runs, without what was wrapped around it; None when there is none to see."""
    value: Any = bound
    for _ in range(10):
        steps = getattr(value, "steps", None)
        if isinstance(value, Runnable) and isinstance(steps, (list, tuple)) and steps:
            value = steps[0]
        elif isinstance(value, Runnable):
            value = getattr(value, "func", None) or getattr(value, "afunc", None) or getattr(value, "bound", None)
        elif inspect.isfunction(value):
            function: Callable[..., Any] = inspect.unwrap(value)
            return function
        elif inspect.ismethod(value):
            value = value.__func__
        elif callable(getattr(value, "func", None)):  # functools.partial
            value = value.func
        elif inspect.isclass(value):
            value = vars(value).get("__init__")
        else:
            value = next((vars(c)["__call__"] for c in type(value).__mro__ if "__call__" in vars(c)), None)
        if value is None or inspect.isbuiltin(value):
            return None
    return None


def default_input(graph: Any) -> Any:
    """Return the default of the parameter by which an entrypoint takes its input; None when it has none."""
    try:
        parameter = None if getattr(graph, "builder", None) is not None else _first_parameter(graph)
    except Exception:  # as above
        return None
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def _parameter(graph: Any) -> list[str]:
    """Return the parameter of an entrypoint that takes its input, unless it has a default."""
    if not isinstance(getattr(graph, "input_channels", None), str):
        return []
    parameter = _first_parameter(graph)
    if parameter is None:
        return ["input"]
    return [parameter.name] if parameter.default is parameter.empty else []


def _first_parameter(graph: Any) -> inspect.Parameter | None:
    function = next(filter(None, (node_function(node.bound) for node in graph.nodes.values())), None)
    return next(iter(inspect.signature(function).parameters.values()), None) if function else None


def _is_optional(schema: Any, key: str) -> bool:
    if inspect.isclass(schema) and issubclass(schema, BaseModel):
        return key in schema.model_fields and not schema.model_fields[key].is_required()
    if dataclasses.is_dataclass(schema):
        return any(
            f.name == key and (f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING)
            for f in dataclasses.fields(schema)
        )
    if key in getattr(schema, "__optional_keys__", ()):
        return True
    # Under `from __future__ import annotations` the class itself cannot tell.
    annotation = getattr(schema, "__annotations__", {}).get(key)
    text = getattr(annotation, "__forward_arg__", annotation)
    return "NotRequired[" in text if isinstance(text, str) else typing.get_origin(text) is ExtensionNotRequired


def _has_start_value(channel: Any) -> bool:
    """Say whether a channel can be read before it was written: one with a reducer starts with an empty value."""
    try:
        channel.get()
    except Exception:  # EmptyChannelError
        return False
    return True


# --- what the nodes do with a key, from their source


def _is_read_first(graph: Any, key: str, *, doubt: bool) -> bool:
    """Say whether a run may come to read a key that only the input can have written; `doubt` where nobody can tell."""
    first = _first_nodes(graph)
    reads = writes = False
    for name, node in graph.nodes.items():
        if name == "__start__":
            continue
        use = _use(node_function(node.bound), key)
        if use is None:
            return doubt
        if name in first and use[0]:
            return True
        reads, writes = reads or use[0], writes or use[1]
    for source, branches in graph.builder.branches.items():
        for branch in branches.values():
            use = _use(node_function(branch.path), key)
            if use is None:
                return doubt
            if source == "__start__" and use[0]:
                return True
            reads = reads or use[0]
    return reads and not writes


def _first_nodes(graph: Any) -> set[str]:
    builder = graph.builder
    first = {target for source, target in builder.edges if source == "__start__"}
    return first if first and "__start__" not in builder.branches else set(graph.nodes)


def _use(function: Callable[..., Any] | None, key: str) -> tuple[bool, bool] | None:
    """Return whether a function reads a key of its state and whether it names it elsewhere, as when it returns it.

    None when it cannot be told: no source, or the state is handed on as a whole.
    """
    tree = source_of(function)
    if tree is None:
        return None
    arguments = [a.arg for a in (*tree.args.posonlyargs, *tree.args.args) if a.arg not in {"self", "cls"}]
    if not arguments:
        return None
    state, seen, read = arguments[0], 0, False
    for node in ast.walk(tree):
        field = _field_of(node, state)
        if field is not None:
            seen += 1
            read = read or field == key
    if seen != sum(isinstance(node, ast.Name) and node.id == state for node in ast.walk(tree)):
        return None
    return read, key in set(_named_keys(tree))


def _field_of(node: ast.AST, state: str) -> str | None:
    """Return the key that `state["key"]` or `state.key` reads, the empty string for a read that can do without."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == state:
        return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == state:
        if node.attr in {"keys", "items", "values", "copy"}:
            return None
        return "" if node.attr == "get" else node.attr
    return None


def _named_keys(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        keys: Iterable[ast.expr | None] = node.keys if isinstance(node, ast.Dict) else ()
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value
        if isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def source_of(function: Callable[..., Any] | None) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    """Return a function's source as a tree; None when it has none, or it cannot be told from others on its line."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    functions = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    # More than one lambda on a line cannot be told apart.
    outer = functions[:1] if functions and not isinstance(functions[0], ast.Lambda) else functions
    return outer[0] if len(outer) == 1 else None

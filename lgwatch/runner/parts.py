"""What a compiled graph is made of: its nodes, those of nested graphs too, and the functions and models in them.

Only looked at, never called; a part that cannot be looked at is left out.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable
from langgraph.pregel.protocol import PregelProtocol

from lgwatch.runner.failure import is_framework
from lgwatch.runner.needs import node_function, source_of

MAX_NODES = 2_000
MAX_DEPTH = 6
MAX_HOLDERS = 2
"""How far from a node an object of the user's may be that holds what the node needs."""
MAX_VISITS = 400
"""Objects that are looked at in search of the models of one node."""


@dataclass(frozen=True, slots=True)
class Part:
    """A node: its path in names (`research/web`), what it is bound to, and the graph that it is a node of."""

    path: str
    bound: Any
    graph: Any
    functions: tuple[Callable[..., Any], ...] = ()
    """The function of the node, or those of its tools, as the user wrote them; the library's own are left out."""


@dataclass(slots=True)
class Model:
    """A model that a node can reach, or that it makes.

    `tags` are its own and those that were bound to it; `settings` are what decides on its streaming, so far as known.
    """

    kind: type
    settings: dict[str, Any]
    tags: set[str] = field(default_factory=set)


def parts(graph: Any, prefix: str = "", outer: tuple[int, ...] = ()) -> Iterator[Part]:
    """Yield the nodes of a graph and of the graphs in it."""
    outer = (*outer, id(graph))
    nodes: Mapping[str, Any] = getattr(graph, "nodes", None) or {}
    for name, node in list(nodes.items())[:MAX_NODES]:
        if name == "__start__":
            continue
        bound = getattr(node, "bound", None)
        yield Part(f"{prefix}{name}", bound, graph, tuple(_functions(bound)))
        inner = subgraph(node)
        if inner is not None and id(inner) not in outer and len(outer) <= MAX_DEPTH:
            yield from parts(inner, f"{prefix}{name}/", outer)


def subgraph(node: Any) -> Any:
    """Return the graph that a node is, or calls; None when it is none."""
    found = getattr(node, "subgraphs", None)
    if isinstance(found, (list, tuple)) and found:
        return found[0]
    bound = getattr(node, "bound", None)
    return bound if isinstance(bound, PregelProtocol) else None


def tools_of(bound: Any) -> list[Any]:
    """Return the tools of a node that calls tools."""
    tools = getattr(bound, "tools_by_name", None)
    return list(tools.values()) if isinstance(tools, Mapping) else []


def _functions(bound: Any) -> Iterator[Callable[..., Any]]:
    tools = tools_of(bound)
    for one in tools or [bound]:
        value = (getattr(one, "func", None) or getattr(one, "coroutine", None)) if tools else one
        with contextlib.suppress(Exception):  # a foreign object that cannot be looked at
            function = node_function(value)
            if function is not None and not is_library(function):
                yield function


def is_library(function: Any) -> bool:
    """Whether a function is of an installed package, and not of the user's."""
    code = getattr(function, "__code__", None)
    return code is None or is_framework(code.co_filename) or "site-packages" in code.co_filename


def names_in(function: Callable[..., Any]) -> set[str]:
    """Return the names that a function's code uses, those of functions inside of it too."""
    found: set[str] = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        found.update(code.co_names, code.co_freevars)
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return found


def reached(part: Part) -> Iterator[Any]:
    """Yield what the node's code can reach: globals and closures that it names, attributes of `self`, functions called."""
    waiting: list[tuple[Any, int]] = [(part.bound, 0), *((one, 0) for one in part.functions)]
    seen: set[int] = set()
    while waiting and len(seen) < MAX_VISITS:
        value, depth = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        try:
            inner = list(_inside(value, depth))
        except Exception:  # foreign objects, whose attributes can run code
            inner = []
        yield value
        waiting += [(one, depth + 1) for one in inner if depth < MAX_DEPTH]


def _inside(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, types.MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, types.FunctionType):
        # A library's function is looked into no further than what it was made with: a prebuilt agent's model.
        yield from _closed_over(value) if is_library(value) else _named(value)
    elif isinstance(value, BaseLanguageModel) or inspect.ismodule(value) or inspect.isclass(value):
        return
    elif isinstance(value, PregelProtocol):
        return  # its nodes are parts of their own
    elif isinstance(value, Runnable):
        for name in ("bound", "runnable", "func", "afunc", "first", "last"):
            if (one := getattr(value, name, None)) is not None:
                yield one
        for name in ("middle", "fallbacks"):
            yield from getattr(value, name, None) or ()
        yield from tools_of(value)
        yield from filter(None, (getattr(value, "coroutine", None),))
    elif depth <= MAX_HOLDERS and _is_users(type(value)):
        yield from vars(value).values()


def _is_users(kind: type) -> bool:
    file = str(getattr(inspect.getmodule(kind), "__file__", None) or "")
    return bool(file) and "site-packages" not in file and not is_framework(file)


def _closed_over(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not assigned yet
            yield cell.cell_contents


def _named(function: types.FunctionType) -> Iterator[Any]:
    names = names_in(function)
    yield from _closed_over(function)
    yield from function.__defaults__ or ()
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if inspect.ismodule(value):
            yield from (vars(value)[one] for one in names if one in vars(value))
        else:
            yield value


def models_of(part: Part) -> Iterator[Model]:
    """Yield the models that a node can reach, each once, and those that its functions make."""
    found: dict[int, Model] = {}
    made: list[Model] = []
    for value in reached(part):
        if isinstance(value, types.FunctionType) and not is_library(value):
            made += _made_in(value)
        tags: set[str] = set()
        inner = value
        while isinstance(inner, Runnable) and not isinstance(inner, BaseLanguageModel):
            config = getattr(inner, "config", None)
            tags |= set((config.get("tags") if isinstance(config, dict) else None) or ())
            inner = getattr(inner, "bound", None)
        if isinstance(inner, BaseLanguageModel):
            found.setdefault(id(inner), Model(type(inner), _settings(inner), set(inner.tags or ()))).tags.update(tags)
    yield from (*found.values(), *made)


def _settings(model: BaseLanguageModel[Any]) -> dict[str, Any]:
    names = ("disable_streaming", "stream_usage", "use_responses_api")
    told = {name: getattr(model, name) for name in names if hasattr(model, name)}
    if "streaming" in model.model_fields_set:  # a default decides nothing
        told["streaming"] = getattr(model, "streaming", None)
    return told


def _made_in(function: types.FunctionType) -> Iterator[Model]:
    """Yield the models that a function makes each time it runs, as its source has it: `ChatOpenAI(streaming=False)`."""
    tree = source_of(function)
    for call in ast.walk(tree) if tree is not None else ():
        name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        kind = function.__globals__.get(name)
        if not isinstance(call, ast.Call) or not inspect.isclass(kind) or not issubclass(kind, BaseLanguageModel):
            continue
        constants = ((one.arg, one.value) for one in call.keywords if one.arg)
        told = {key: value.value if isinstance(value, ast.Constant) else ... for key, value in constants}
        if "base_url" in told or "openai_api_base" in told:
            told.setdefault("stream_usage", None)  # the default is for the provider's own endpoint
        if "stream_usage" not in kind.model_fields:
            told.pop("stream_usage", None)
        tags = next((one.value for one in call.keywords if one.arg == "tags"), None)
        words = tags.elts if isinstance(tags, (ast.List, ast.Tuple)) else ()
        yield Model(kind, told, {str(one.value) for one in words if isinstance(one, ast.Constant)})

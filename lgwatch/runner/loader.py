"""From a target to a graph that can run. User code may raise, exit or hang here: all but the hang becomes a TargetError.

Importing happens outside an event loop, since a module may start its own; building happens inside the process's one
long-lived loop, since what a factory opens has to stay open on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence
from langchain_core.runnables.config import merge_configs
from langgraph.graph import StateGraph
from langgraph.pregel.protocol import PregelProtocol

from lgwatch.errors import TargetError
from lgwatch.runner.failure import message_of, traceback_text, type_name
from lgwatch.runner.imports import import_module_of, near, where_is_import

__all__ = ["Loaded", "build", "import_target", "where_is_import"]

_MAX_STEPS = 12
_LISTED = 12
_CANDIDATES = "A target is a graph, a StateGraph, or a function that returns one."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A graph that can run; `notices` are pairs of a code and a sentence on what was done to get it."""

    graph: Any
    name: str
    notices: tuple[tuple[str, str], ...] = ()


def import_target(target: str, *, app_dir: str, paths: Sequence[str] = ()) -> object:
    """Import `module:attr` or `/abs/path.py:attr` and return what is there; call it outside any event loop.

    `app_dir` and then `paths` come first on `sys.path`. Without an attr, the only graph of the module is returned.
    """
    place, _, attr = target.rpartition(":")
    module = import_module_of(place, attr, app_dir=app_dir, paths=paths)
    graphs = _graphs_of(module)
    if not attr:
        return _only(graphs, place)
    value: object = module
    for part in attr.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise _no_attribute(attr, place, graphs, module) from None
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a module's or an object's own __getattr__
            raise _raised(f"Looking up {attr!r} in {place}", error) from error
    try:
        leads = _may_lead_to_graph(value)
    except Exception as error:  # a lazy proxy, which runs code when it is asked for its class
        raise _raised(f"Looking at {attr!r} in {place}", error) from error
    if not leads:
        raise _not_a_graph(value, graphs)
    return value


async def build(target: object, *, config: Mapping[str, Any] | None = None, stack: contextlib.AsyncExitStack) -> Loaded:
    """Make a graph of what was imported: compile it, call and await factories, enter context managers, unwrap.

    Context managers stay open until the caller closes `stack`, on the loop that this runs on. `config` is what a
    factory gets when it asks for a RunnableConfig.
    """
    notices: list[tuple[str, str]] = []
    bound: RunnableConfig = {}
    value, doing = target, "Building the graph"
    try:
        for _ in range(_MAX_STEPS):
            if isinstance(value, PregelProtocol):
                graph = value.with_config(bound) if bound else value
                return Loaded(graph, _graph_name(graph), tuple(notices))
            doing = f"Building the graph with {_called(value)}"
            if is_builder(value):
                value = _compile(value)
                notices.append(("compiled", "The graph was not compiled; it was compiled without a checkpointer."))
            elif isinstance(value, Runnable):
                # What is wrapped around the outside has the last word, as when the runnable is invoked.
                bound = merge_configs(getattr(value, "config", None), bound)
                value, notice = _unwrap(value)
                notices.append(("unwrapped", notice))
            else:
                value = await _step(value, dict(config or {}), stack)
    except TargetError:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise _raised(doing, error) from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise _raised(doing, error) from error
    raise TargetError("No graph was reached: each object that was built only led to another.", _CANDIDATES)


def is_builder(value: object) -> bool:
    """Say whether the value is a graph that was not compiled yet."""
    if isinstance(value, StateGraph):
        return True
    # Builders that no longer are StateGraphs, in releases where there were several.
    kind = type(value)
    return kind.__module__.startswith("langgraph.graph") and callable(getattr(kind, "compile", None))


async def _step(value: object, config: dict[str, Any], stack: contextlib.AsyncExitStack) -> object:
    """Take one step from a factory, an awaitable or a context manager towards the graph."""
    if inspect.isawaitable(value):
        return await value
    if hasattr(type(value), "__aenter__"):
        return await stack.enter_async_context(value)  # type: ignore[arg-type]
    if hasattr(type(value), "__enter__"):
        return stack.enter_context(value)  # type: ignore[arg-type]
    if callable(value) and not inspect.isclass(value):
        return await _call(value, config)
    raise _not_a_graph(value, [])


def _is_cancelled() -> bool:
    """Say whether it is the build that was asked to end, and not something that the user's code awaits."""
    task = asyncio.current_task()
    # Before Python 3.11 a task does not tell.
    return task is None or not hasattr(task, "cancelling") or task.cancelling() > 0


async def _call(factory: Callable[..., Any], config: dict[str, Any]) -> object:
    if inspect.isasyncgenfunction(factory):
        factory = contextlib.asynccontextmanager(factory)
    elif inspect.isgeneratorfunction(factory):
        factory = contextlib.contextmanager(factory)
    args, kwargs = _arguments(factory, config)
    try:
        return factory(*args, **kwargs)
    except RuntimeError as error:
        if "running event loop" not in str(error) and "event loop is already running" not in str(error):
            raise
        # The factory starts a loop of its own, which this thread's loop forbids.
        return await asyncio.to_thread(factory, *args, **kwargs)


def _arguments(factory: Callable[..., Any], config: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments for a factory: a config or a runtime where it asks for one, nothing else."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # a callable in C
        return [], {}
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            continue
        annotation = "" if parameter.annotation is parameter.empty else _annotation(parameter.annotation)
        if "Runtime" in annotation or (not annotation and parameter.name == "runtime"):
            value = _runtime(annotation)
        elif "RunnableConfig" in annotation or parameter.name == "config":
            value = {**config, "configurable": dict(config.get("configurable") or {})}
        elif parameter.default is not parameter.empty:
            continue
        elif parameter.name != "state" and annotation.removeprefix("typing.") in {"", "dict", "Any", "dict[str, Any]"}:
            value = {**config, "configurable": dict(config.get("configurable") or {})}
        else:
            raise TargetError(
                f"{_called(factory)} takes {parameter.name!r}, so it is no function that makes a graph.",
                "A factory takes nothing, a config: RunnableConfig, or a runtime: ServerRuntime; name the graph itself.",
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            kwargs[parameter.name] = value
    return args, kwargs


def _annotation(annotation: object) -> str:
    """Return an annotation as text: it may be text already, a class, or an alias."""
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if inspect.isclass(annotation) else str(annotation)


def _runtime(annotation: str) -> object:
    from langgraph.store.memory import InMemoryStore

    store = InMemoryStore()
    if annotation and "ServerRuntime" not in annotation and "ExecutionRuntime" not in annotation:
        from langgraph.runtime import Runtime

        return Runtime(store=store)
    try:
        # The public name is an alias of a union; this is the member that a run gets.
        from langgraph_sdk.runtime import _ExecutionRuntime
    except ImportError as error:
        raise TargetError(
            "The graph's factory takes a ServerRuntime, which the installed langgraph-sdk does not have.",
            f"Upgrade it: {sys.executable} -m pip install -U langgraph-sdk.",
        ) from error
    return _ExecutionRuntime(access_context="threads.create_run", user=None, store=store)


def _compile(builder: Any) -> object:
    try:
        return builder.compile()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise TargetError(
            f"The graph cannot be compiled: {message_of(error)}",
            "Correct its nodes and edges; LangGraph's own message says which.",
            detail=traceback_text(error),
        ) from error


def _unwrap(runnable: Runnable[Any, Any]) -> tuple[object, str]:
    """Return what a runnable is wrapped around, with a sentence on what is left behind."""
    kind = type(runnable).__name__
    if isinstance(runnable, RunnableSequence):
        inner = [step for step in runnable.steps if _holds_graph(step)]
        if len(inner) == 1:
            others = len(runnable.steps) - 1
            return inner[0], f"The target is a sequence; the graph in it runs without its {others} other steps."
        if inner:
            raise TargetError(f"The sequence holds {len(inner)} graphs.", "Name the one to run.")
    bound = getattr(runnable, "bound", None)
    if isinstance(bound, Runnable):
        left = ", ".join(getattr(runnable, "kwargs", None) or ())
        without = f" without its bound arguments ({left})" if left else " by itself"
        return bound, f"The target is a {kind} around a graph, which runs{without}."
    first = getattr(runnable, "runnable", None)
    if isinstance(first, Runnable):
        return first, f"The target is a {kind} around a graph, which runs without fallbacks."
    raise _not_a_graph(runnable, [])


def _holds_graph(value: object) -> bool:
    for _ in range(_MAX_STEPS):
        if isinstance(value, PregelProtocol):
            return True
        value = getattr(value, "bound", None) or getattr(value, "runnable", None)
    return False


# --- what a module holds


def _graphs_of(module: object) -> list[tuple[str, object]]:
    """Return the graphs among a module's globals, each once, compiled ones if there are any."""
    compiled: dict[int, tuple[str, object]] = {}
    builders: dict[int, tuple[str, object]] = {}
    for name, value in list(getattr(module, "__dict__", {}).items()):
        # A lazy proxy may run code when it is asked for its class.
        with contextlib.suppress(Exception):
            if isinstance(value, PregelProtocol):
                compiled.setdefault(id(value), (name, value))
            elif is_builder(value):
                builders.setdefault(id(value), (name, value))
    return list((compiled or builders).values())


def _only(graphs: list[tuple[str, object]], place: str) -> object:
    if len(graphs) == 1:
        return graphs[0][1]
    if graphs:
        raise TargetError(
            f"{place} has {len(graphs)} graphs: {_listed(graphs)}.", f"Name one, as in {place}:{graphs[0][0]}."
        )
    raise TargetError(f"{place} has no graph at its top level.", f"{_CANDIDATES} Name a function as {place}:function.")


def _no_attribute(attr: str, place: str, graphs: list[tuple[str, object]], module: object) -> TargetError:
    there = f"The graphs there: {_listed(graphs)}." if graphs else "There is no graph at its top level."
    similar = near(attr, [name for name in dir(module) if not name.startswith("__")])
    guess = f" Did you mean {' or '.join(similar)}?" if similar else ""
    return TargetError(f"{place} has no {attr!r}.", there + guess)


def _not_a_graph(value: object, graphs: list[tuple[str, object]]) -> TargetError:
    there = f" The graphs there: {_listed(graphs)}." if graphs else ""
    return TargetError(f"The target is not a graph but {_what(value)}.", _CANDIDATES + there)


def _may_lead_to_graph(value: object) -> bool:
    if inspect.isclass(value) or inspect.ismodule(value):
        return False
    steps = ("__aenter__", "__enter__", "__await__")
    return (
        isinstance(value, Runnable)
        or is_builder(value)
        or callable(value)
        or inspect.isawaitable(value)
        or any(hasattr(type(value), name) for name in steps)
    )


def _listed(graphs: list[tuple[str, object]]) -> str:
    names = [name for name, _ in graphs]
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _what(value: object) -> str:
    if value is None:
        return "None"
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if inspect.isroutine(value):
        return f"the function {_called(value)}"
    if inspect.ismodule(value):
        return f"the module {value.__name__}"
    kind = type(value)
    origin = "" if kind.__module__ == "builtins" else f" of {kind.__module__}"
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    return f"{article} {kind.__name__}{origin}"


def _called(value: object) -> str:
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else f"a {type(value).__name__}"


def _graph_name(graph: object) -> str:
    name = getattr(graph, "name", None)
    return name if isinstance(name, str) else ""


def _raised(doing: str, error: BaseException) -> TargetError:
    if isinstance(error, SystemExit):
        return TargetError(
            f"{doing} called sys.exit({error.code!r}).",
            'Move what ends the process behind `if __name__ == "__main__":`.',
            detail=traceback_text(error),
        )
    return TargetError(
        f"{doing} raised {type_name(error)}: {message_of(error)}",
        "The traceback shows where in your code.",
        detail=traceback_text(error),
    )

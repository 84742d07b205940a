"""What a graph takes: its input, message, config and context, checked as far as that is certain before it runs."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from lgwatch.errors import InputError
from lgwatch.events import Json
from lgwatch.runner.needs import ROOT, default_input, input_class, input_keys, needs_input
from lgwatch.runner.refusal import checked_context


class NeedsInput(Exception):  # noqa: N818 - not an error: the graph was not started
    """The graph takes an input and got none; the text is one sentence that names the keys."""


def keys(graph: Any) -> list[str] | None:
    """Return the keys of the graph's input; None when it is no object, or nothing is known of it."""
    if getattr(graph, "builder", None) is None:
        return None
    found = input_keys(graph)
    return None if ROOT in found else found


def graph_input(graph: Any, command: Mapping[str, Json]) -> Any:
    """Return what the graph is to be invoked with. Raises InputError, or NeedsInput when the command has neither."""
    known = keys(graph)
    if command.get("message") is not None:
        return _from_message(graph, known, str(command["message"]))
    if command.get("input") is None:
        needed = needs_input(graph)
        if known is None and (default := default_input(graph)) is not None:
            return default
        if needed or known is None:  # what is no object has no empty form
            raise NeedsInput(_needs(needed if known else None))
        return {}
    given = command["input"]
    if known is not None:
        _check(given, known, graph)
    return given


def _from_message(graph: Any, known: list[str] | None, message: str) -> Any:
    if known is not None and "messages" in known:
        return {"messages": [{"role": "user", "content": message}]}
    if known is None and getattr(graph, "builder", None) is None:
        return message  # an entrypoint: any value, so why not a text
    listed = ", ".join(known or ()) or "its own kind of value"
    raise InputError(
        f"a plain message does not fit: this graph takes {listed}",
        "give the input as JSON, as in --input " + _example(known),
    )


def _check(given: Any, known: list[str], graph: Any) -> None:
    if not isinstance(given, dict):
        raise InputError(
            f"the input is {_a(given)}, and this graph takes an object with {_listed(known)}",
            f"write it as {_example(known)}",
        )
    if given and known and not any(key in known for key in given) and not _takes_more(graph):
        guess = difflib.get_close_matches(next(iter(given)), known, n=1)
        hint = f"did you mean {guess[0]!r}?" if guess else f"write it as {_example(known)}"
        raise InputError(f"the input has none of the graph's keys: {', '.join(known)}", hint)


def _takes_more(graph: Any) -> bool:
    """Whether the input's schema may know names that are not its channels: pydantic has aliases and extras."""
    return hasattr(input_class(graph.builder), "model_fields")


def _needs(known: list[str] | None) -> str:
    return f"this graph needs an input with {_listed(known)}" if known else "this graph needs an input"


def _listed(known: list[str]) -> str:
    return ("the key " if len(known) == 1 else "the keys ") + ", ".join(known)


def _example(known: list[str] | None) -> str:
    if not known:
        return "'\"text\"'"
    return "'{" + ", ".join(f'"{key}": …' for key in known[:4]) + "}'"


def _a(value: object) -> str:
    names = {str: "a text", list: "a list", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), f"a {type(value).__name__}")


def config_of(command: Mapping[str, Json], thread: str) -> dict[str, Any]:
    """Return the RunnableConfig of a run. Raises InputError."""
    given = command.get("config") or {}
    configurable = given.get("configurable") or {} if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(configurable, dict):
        raise InputError(
            "the config is not an object like a RunnableConfig", 'write it as \'{"configurable": {"key": …}}\''
        )
    config: dict[str, Any] = {**given, "configurable": {**configurable, "thread_id": thread}}
    limit = command.get("recursion_limit")
    if limit is not None:
        config["recursion_limit"] = int(limit)
    return config


def thread_of(command: Mapping[str, Json]) -> str:
    """Return the thread's id: the command's, the config's, or "1"."""
    config = command.get("config")
    configurable = config.get("configurable") if isinstance(config, dict) else None
    given = configurable.get("thread_id") if isinstance(configurable, dict) else None
    return str(command.get("thread") or given or "1")


def context_of(graph: Any, given: Json) -> Json:
    """Return the run's context: where a graph has a schema for it and none was given, an empty one if that fits.

    Official templates read `runtime.context` without asking whether there is one.
    """
    schema = getattr(graph, "context_schema", None)
    if schema is None:
        return given
    if given is not None:
        return checked_context(schema, given)
    if inspect.isclass(schema) and not issubclass(schema, dict):
        try:
            schema()
        except Exception:  # it has fields without a default: the graph gets None, as it would from `invoke`
            return None
    return {}


def unknown_nodes(graph: Any, settings: Mapping[str, Json]) -> Iterator[str]:
    """Yield a sentence for each node to stop at that the graph does not have; LangGraph would leave it out silently."""
    known = [name for name in getattr(graph, "nodes", None) or () if name != "__start__"]
    for option in ("interrupt_before", "interrupt_after"):
        given = settings.get(option) or ()
        for name in [given] if isinstance(given, str) else given:
            if known and name != "*" and name not in known:
                near = difflib.get_close_matches(str(name), known, n=2) or known[:8]
                yield f"--{option.replace('_', '-')}: there is no node {name} (near: {', '.join(near)})"

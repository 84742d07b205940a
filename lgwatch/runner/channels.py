"""The keys of a graph's state: what becomes of what is written to them, and which writes reach none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from langgraph.pregel.protocol import PregelProtocol

from lgwatch.runner.needs import ROOT

MAX_DEPTH = 6
_LAST = {"LastValue", "LastValueAfterFinish"}
_COMMAND = "Command"


def channels(graph: Any) -> dict[str, str]:
    """Return the keys of a state graph with the names of their reducers: "" for one that keeps what was written last.

    A state that is one value has one key, `__root__`. Empty for a graph of another kind. Raises whatever a foreign graph
    does.
    """
    builder = getattr(graph, "builder", None)
    return {str(key): _reducer(channel) for key, channel in (getattr(builder, "channels", None) or {}).items()}


def _reducer(channel: object) -> str:
    kind = type(channel).__name__
    if kind in _LAST:
        return ""
    operator = getattr(channel, "operator", None)
    if operator is None:
        return kind
    function = getattr(operator, "func", operator)  # functools.partial
    return str(getattr(function, "__name__", type(function).__name__)).strip("_<>")


def known_keys(graph: Any) -> dict[tuple[str, ...], frozenset[str]]:
    """Return the keys that nodes may write, by the path of names that leads to each node.

    Only of nodes that are told apart for certain: a function may call any graph, and name it as it likes.
    """
    found: dict[tuple[str, ...], frozenset[str]] = {}
    try:
        _add_keys(graph, (), found)
    except Exception:  # a graph of another kind has nothing to tell here
        return found
    return found


def _add_keys(graph: Any, path: tuple[str, ...], found: dict[tuple[str, ...], frozenset[str]]) -> None:
    told = channels(graph)
    keys = frozenset(told) | frozenset(map(str, getattr(getattr(graph, "builder", None), "managed", None) or ()))
    for name, node in (getattr(graph, "nodes", None) or {}).items():
        here = (*path, str(name))
        if told and ROOT not in told:
            found[here] = keys
        bound = getattr(node, "bound", None)
        if isinstance(bound, PregelProtocol) and len(here) <= MAX_DEPTH:
            _add_keys(bound, here, found)


def lost_keys(returned: Any, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys of what a node returned that its graph's state does not have, each with the key it resembles.

    LangGraph leaves such keys out without a word.
    """
    for update in returned if type(returned) is list else (returned,):
        if type(update).__name__ == _COMMAND and getattr(update, "graph", None) is None:
            update = getattr(update, "update", None)  # noqa: PLW2901  what counts is what the command writes
        if type(update) is dict and not update.keys() <= known:
            for key in update:
                if type(key) is str and key not in known and not key.startswith("__"):
                    yield key, next(iter(get_close_matches(key, known, 1)), "")


def lost(key: str, near: str, known: Iterable[str]) -> str:
    """Return the sentence about a key that was lost."""
    hint = f"did you mean {near!r}?" if near else f"it has {', '.join(sorted(known)[:8])}"
    return f"wrote {key!r}, which the state does not have, and LangGraph left it out: {hint}"

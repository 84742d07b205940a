"""The keys of a graph's state: what becomes of what is written to them, and which writes reach none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from lgwatch.runner.needs import ROOT

_LAST = {"LastValue", "LastValueAfterFinish"}
_COMMAND = "Command"


def channels(graph: Any) -> dict[str, str]:
    """Return the keys of a state graph with the names of their reducers: "" for one that keeps what was written last.

    Empty for a graph of another kind, and for one whose state is a single value. Raises whatever a foreign graph does.
    """
    builder = getattr(graph, "builder", None)
    found = dict(getattr(builder, "channels", None) or {})
    return {} if ROOT in found else {str(key): _reducer(channel) for key, channel in found.items()}


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
    """Return the keys that the nodes of a graph may write, by the path of names of the graph, () for the root."""
    found: dict[tuple[str, ...], frozenset[str]] = {}
    try:
        graphs = [((), graph), *((tuple(name.split("|")), inner) for name, inner in graph.get_subgraphs(recurse=True))]
        for path, one in graphs:
            if keys := channels(one):
                found[path] = frozenset(keys) | frozenset(map(str, getattr(one.builder, "managed", None) or ()))
    except Exception:  # a graph of another kind has nothing to tell here
        return found
    return found


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

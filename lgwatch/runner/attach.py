"""The checkpointer that a graph without one is given, so that it can be interrupted and resumed while it is watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lgwatch.runner.saver import ReferenceSaver


def attach(graph: Any, wish: str, notice: Callable[[str, str], None]) -> bool:
    """Give a graph without a checkpointer one that keeps references, unless it must have none; return whether it got it.

    `wish` is `keep` (the graph's own goes first), `memory` or `none`; `notice` is told what was done.
    """
    own = getattr(graph, "checkpointer", None)
    if not hasattr(graph, "checkpointer"):
        return False
    if wish == "none":
        if own is not None:
            graph.checkpointer = None
            notice("checkpointer", "the graph's own checkpointer is not used: nothing can be resumed")
        return False
    if wish == "keep" and own is not None:
        return False
    if own is None and _would_change(graph):
        notice(
            "checkpointer",
            "no checkpointer was attached: a subgraph that keeps its own state would behave differently",
        )
        return False
    graph.checkpointer = ReferenceSaver()
    instead = "in place of the graph's own" if own else "since the graph has none"
    notice(
        "checkpointer",
        f"checkpoints are kept in memory {instead}; they refer to the live state, and end with this process",
    )
    return True


def _would_change(graph: Any) -> bool:
    """Whether a subgraph uses its parent's checkpointer to remember calls, which it can only do when there is one."""
    try:
        return any(sub.checkpointer is True for _, sub in graph.get_subgraphs(recurse=True))
    except Exception:  # only looked at to be careful
        return False

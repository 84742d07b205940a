"""Which way a graph runs: `stream` in a thread, or `astream` on the loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.runnables import RunnableBinding
from langgraph.pregel.protocol import PregelProtocol

from lgwatch.errors import InputError
from lgwatch.runner.saver import ReferenceSaver

OLD_PYTHON = sys.version_info < (3, 11)
"""An async node has no context of its own there: no stream writer, and no config but the one that it passes on."""


def async_only(graph: Any, outer: tuple[int, ...] = ()) -> str:
    """Return the path of a node that only runs asynchronously, in a nested graph too; empty when there is none."""
    for name, node in (getattr(graph, "nodes", None) or {}).items():
        bound = getattr(node, "bound", None)
        if _has_no_sync(bound):
            return str(name)
        if (
            isinstance(bound, PregelProtocol)
            and id(bound) not in outer
            and (inner := async_only(bound, (*outer, id(graph))))
        ):
            return f"{name}/{inner}"
    return ""


def _has_no_sync(bound: Any) -> bool:
    """Whether a runnable has a function only for `await`; of a sequence, one of its steps; of a tool node, a tool."""
    tools = getattr(bound, "tools_by_name", None)
    if isinstance(tools, Mapping):
        return any(getattr(one, "func", 0) is None and getattr(one, "coroutine", None) for one in tools.values())
    for step in getattr(bound, "steps", None) or [bound]:
        inner = step
        while isinstance(inner, RunnableBinding):
            inner = inner.bound
        if getattr(inner, "func", None) is None and getattr(inner, "afunc", None) is not None:
            return True
    return False


def leaves_out_custom(graph: Any, mode: str) -> bool:
    """Whether custom events must not be asked for: before Python 3.11 a writer raises under `astream` if anybody listens."""
    return OLD_PYTHON and (mode == "async" or (mode == "auto" and bool(async_only(graph))))


async def is_sync(graph: Any, config: Mapping[str, Any], mode: str, notice: Callable[[str, str], None]) -> bool:
    """Decide between `stream` in a thread and `astream`. Raises InputError where neither would work."""
    only = async_only(graph)
    if mode == "auto" and await saver_is_sync(graph, config):
        if only:
            raise InputError(
                f"the graph's checkpointer works only synchronously, and its node {only!r} only asynchronously",
                "use the asynchronous form of the checkpointer, or --checkpointer memory",
            )
        return True
    if leaves_out_custom(graph, mode):
        notice(
            "python310",
            "before Python 3.11, async nodes show no custom events, and models and graphs that they call only where they "
            "hand their config on",
        )
    return mode == "sync" or (mode == "auto" and OLD_PYTHON and not only)


async def saver_is_sync(graph: Any, config: Mapping[str, Any]) -> bool:
    """Whether the graph's checkpointer has nothing for `await`, as it says itself when it is asked for a checkpoint."""
    saver: Any = getattr(graph, "checkpointer", None)
    if isinstance(saver, ReferenceSaver) or not hasattr(saver, "aget_tuple"):
        return False
    try:
        await saver.aget_tuple({"configurable": {"checkpoint_ns": "", **config["configurable"]}})
    except NotImplementedError:
        return True
    except Exception:  # a database that is not there: the run will say so better
        return False
    return False

"""Which way a graph runs: `stream` in a thread, or `astream` on the loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from lgwatch.errors import InputError
from lgwatch.runner.saver import ReferenceSaver

OLD_PYTHON = sys.version_info < (3, 11)
"""An async node has no context of its own there: no stream writer, and no config but the one that it passes on."""


def async_only(graph: Any) -> str:
    """Return the name of a node that only runs asynchronously; empty when there is none."""
    for name, node in (getattr(graph, "nodes", None) or {}).items():
        bound = getattr(node, "bound", None)
        if getattr(bound, "func", 0) is None and getattr(bound, "afunc", None) is not None:
            return str(name)
    return ""


async def is_sync(graph: Any, config: Mapping[str, Any], mode: str, notice: Callable[[str, str], None]) -> bool:
    """Decide between `stream` in a thread and `astream`. Raises InputError where neither would work."""
    if mode != "auto":
        return mode == "sync"
    only = async_only(graph)
    if await _saver_is_sync(graph, config):
        if only:
            raise InputError(
                f"the graph's checkpointer works only synchronously, and its node {only!r} only asynchronously",
                "use the asynchronous form of the checkpointer, or --checkpointer memory",
            )
        return True
    if OLD_PYTHON and only:
        notice(
            "python310",
            "before Python 3.11, async nodes show no custom events, and tokens only where the config is passed on",
        )
    return OLD_PYTHON and not only


async def _saver_is_sync(graph: Any, config: Mapping[str, Any]) -> bool:
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

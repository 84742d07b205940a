"""Tells which task wrote a custom event. LangGraph drops that from the namespace; its lookup is replaced so that it
stays, in the graph's own process and only where a trial shows that it works."""

from __future__ import annotations

from typing import Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

_CONF = "configurable"
_NS = "checkpoint_ns"
_MARK = "_pins_custom_events"


class _Nothing(TypedDict, total=False):
    done: bool


def pin_custom_events() -> bool:
    """Make the namespace of a `custom` part end with the segment of the task that wrote it; return whether it does.

    The stream writer takes `checkpoint_ns`, splits it at "|" and drops the last segment: an empty one is appended.
    """
    try:
        from langgraph.pregel import main
    except ImportError:
        return False
    original = getattr(main, "get_config", None)
    if original is None or hasattr(original, _MARK):
        return original is not None

    def get_config() -> Any:
        try:
            config = original()
        except RuntimeError:
            # A thread without the node's context, or an async node before Python 3.11: the writer does nothing there when
            # nobody listens, and must not raise because somebody does. Who wrote is not known then.
            return {_CONF: {_NS: ""}}
        conf = config[_CONF]
        return {**config, _CONF: {**conf, _NS: f"{conf[_NS]}|"}}

    setattr(get_config, _MARK, True)
    main.get_config = get_config  # type: ignore[attr-defined]
    if _is_pinned():
        return True
    main.get_config = original  # type: ignore[attr-defined]
    return False


def _is_pinned() -> bool:
    def write(state: _Nothing) -> dict[str, bool]:
        from langgraph.config import get_stream_writer

        get_stream_writer()("trial")
        return {"done": True}

    try:
        graph = StateGraph(_Nothing).add_node("write", write).add_edge(START, "write").compile()
        parts: list[Any] = list(graph.stream({}, stream_mode=["custom"], subgraphs=True))
    except Exception:  # another LangGraph, built another way
        return False
    return [(len(part[0]), part[0][0].startswith("write:")) for part in parts if part[0]] == [(1, True)]

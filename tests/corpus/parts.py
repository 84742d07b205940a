"""What the graphs of the corpus are made of: a state with two lists, and the two commonest shapes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

try:
    from langchain.agents import create_agent
except ImportError:  # the one before it, which LangGraph itself brings
    from langgraph.prebuilt import create_react_agent as create_agent

__all__ = ["InMemorySaver", "Log", "create_agent", "fan", "line", "noted", "saved"]


class Log(TypedDict, total=False):
    """What most graphs need: notes that add up, messages, and one plain value."""

    log: Annotated[list[Any], operator.add]
    messages: Annotated[list[Any], add_messages]
    value: Any


def noted(*notes: Any) -> Callable[[Any], Any]:
    """A node that only adds these notes to the log."""

    def note(state: Any) -> Any:
        return {"log": list(notes)}

    return note


def saved(**options: Any) -> dict[str, Any]:
    """Options to compile with, a saver in memory among them."""
    return {"checkpointer": InMemorySaver(), **options}


def line(nodes: dict[str, Any], state: Any = Log, *, compiled: bool = True, **options: Any) -> Any:
    """A graph whose nodes run one after the other."""
    graph, last = StateGraph(state), START
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(last, name)
        last = name
    return graph.compile(**options) if compiled else graph


def fan(nodes: dict[str, Any], state: Any = Log, *, compiled: bool = True, **options: Any) -> Any:
    """A graph whose nodes run side by side."""
    graph = StateGraph(state)
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(START, name)
    return graph.compile(**options) if compiled else graph

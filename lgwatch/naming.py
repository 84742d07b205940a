"""What nodes are called: the id that the loaded graph has for the node of a task, and the name that a person reads."""

from __future__ import annotations

from collections.abc import Iterable

from lgwatch.events import Namespace
from lgwatch.records import Task

START, END = "__start__", "__end__"


def level(ns: Namespace) -> str:
    """Return what the ids of the nodes of a graph begin with: `research:`, "" in the root graph."""
    return "".join(f"{segment.rpartition(':')[0] or segment}:" for segment in ns if not segment.isdecimal())


def inside(task: Task) -> str:
    """Return what the ids of the nodes of a task's graph begin with; a graph that runs in a tool call is inside of what
    the call names: `tools:researcher:`."""
    if task.parent is None or not task.ns:
        return level(task.ns)
    return f"{node_id(task.parent)}:{task.via}:" if task.via else f"{node_id(task.parent)}:"


def node_id(task: Task) -> str:
    """Return the id of a task's node, as the loaded graph has it: `research:ask`."""
    return inside(task) + task.node


def called(task: Task) -> str:
    """Return the id of the agent, or the tool, that the graph of a task is inside of; "" where no tool call runs it."""
    return inside(task)[:-1] if task.via else ""


def short_name(node: str) -> str:
    """Return a node's own name as a person reads it."""
    name = node.rpartition(":")[2]
    return {START: "START", END: "END"}.get(name, name)


def chosen_in_words(nodes: Iterable[str]) -> str:
    """Return nodes as a person reads them: `write, END`."""
    return ", ".join(map(short_name, nodes))

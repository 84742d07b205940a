"""The graph as a tree of levels: what is in which subgraph, and which edges are between the boxes of one level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lgwatch.tui.drawing.items import Edge
from lgwatch.tui.lines.text import clean

MAX_DEPTH = 6
"""Subgraphs are opened so deep at most."""


@dataclass(slots=True)
class Node:
    """A node of the graph, `level` subgraphs deep; the root, which is no node, has the id ""."""

    id: str
    name: str
    kind: str
    parent: str
    children: list[str] = field(default_factory=list)
    level: int = 0


@dataclass(slots=True)
class Links:
    """The edges between the boxes of one level, with their labels; `observed` ones are not in the graph."""

    told: dict[Edge, list[str]] = field(default_factory=dict)
    observed: dict[Edge, None] = field(default_factory=dict)


class Plan:
    """A graph's nodes by id, each with its children, and its edges with their labels."""

    def __init__(
        self, nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]], observed: Iterable[Edge]
    ) -> None:
        self.root = Node("", "", "root", "", level=-1)
        self.nodes = {"": self.root}
        for told in nodes:
            name = str(told.get("id", ""))
            if name and name not in self.nodes:
                self.nodes[name] = Node(name, str(told.get("name") or name), str(told.get("kind", "node")), "")
        for node in list(self.nodes.values())[1:]:
            node.parent = self._parent(node.id)
            self.nodes[node.parent].children.append(node.id)
        for node in self.nodes.values():
            node.level = self._level(node)
        self.deepest = max((node.level for node in self.nodes.values()), default=0)
        self.deepest = min(max(self.deepest, 0), MAX_DEPTH)
        self.told: dict[Edge, list[str]] = {}
        for edge in edges:
            labels = self.told.setdefault((str(edge.get("source")), str(edge.get("target"))), [])
            label = clean(str(edge.get("label") or ""))
            if label and label not in labels:
                labels.append(label)
        self.observed = dict.fromkeys(edge for edge in observed if edge not in self.told)

    def _parent(self, name: str) -> str:
        head = name.rpartition(":")[0]
        while head and head not in self.nodes:
            head = head.rpartition(":")[0]
        return head

    def _level(self, node: Node) -> int:
        level = -1
        while node.id:
            node, level = self.nodes[node.parent], level + 1
        return level

    def links(self, depth: int) -> dict[str, Links]:
        """Return the edges by the node in which they are drawn, with subgraphs open down to `depth`."""
        found: dict[str, Links] = {}
        for edge, labels in self.told.items():
            if lifted := self.lift(edge, depth):
                of = found.setdefault(self.nodes[lifted[0]].parent, Links()).told.setdefault(lifted, [])
                of += [label for label in labels if label not in of]
        for edge in self.observed:
            if lifted := self.lift(edge, depth):
                links = found.setdefault(self.nodes[lifted[0]].parent, Links())
                if lifted not in links.told:
                    links.observed[lifted] = None
        return found

    def lift(self, edge: Edge, depth: int) -> Edge | None:
        """Return the edge between the boxes of one level that an edge is drawn as; None where it is inside of one."""
        if "" in edge or edge[0] not in self.nodes or edge[1] not in self.nodes:  # "" is the root, around all boxes
            return None
        source, target = (self._visible(self.nodes[end], depth) for end in edge)
        while source.parent != target.parent:
            if source.level >= target.level:
                source = self.nodes[source.parent]
            else:
                target = self.nodes[target.parent]
        return (source.id, target.id) if source is not target or edge[0] == edge[1] == source.id else None

    def _visible(self, node: Node, depth: int) -> Node:
        while node.level > depth:
            node = self.nodes[node.parent]
        return node

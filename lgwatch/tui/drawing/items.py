"""What a layered drawing is made of, before it has any characters: items in layers, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass, field

Edge = tuple[str, str]


@dataclass(slots=True)
class Size:
    """What a node takes: `box` is its width, `width` that with whatever stands beside it, `middle` the column of its
    lines."""

    width: int
    height: int
    middle: int
    box: int
    kind: str = "node"


@dataclass(slots=True, eq=False)
class Item:
    """Something that takes room in a layer: a node, the label of an edge, or the lane of edges that pass by."""

    node: str
    kind: str
    width: int
    height: int
    middle: int
    box: int
    layer: int
    edges: set[Edge] = field(default_factory=set)
    up: list[Item] = field(default_factory=list)
    down: list[Item] = field(default_factory=list)
    x: int = 0
    y: int = 0
    place: int = 0
    into: int = 0
    out: int = 0

    @property
    def column(self) -> int:
        """Where its lines come in and go out."""
        return self.x + self.middle


@dataclass(slots=True)
class Layers:
    """The result: items by layer from left to right, `links` between neighbours in it, edges that go by the side."""

    layers: list[list[Item]]
    items: dict[str, Item]
    links: dict[tuple[int, int], set[Edge]]
    aside: list[Edge]
    width: int

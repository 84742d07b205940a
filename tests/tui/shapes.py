"""Graphs of many shapes, as `GraphLoaded` tells of them: nodes and edges."""

from __future__ import annotations

from itertools import pairwise

START, END = "__start__", "__end__"
KINDS = {START: "start", END: "end"}


def nodes(*names, ends=True):
    """Nodes with these ids, between START and END; what has others inside is a subgraph."""
    names = (START, *names, END) if ends else names
    return [node(name, any(other.startswith(f"{name}:") for other in names)) for name in names]


def node(name, subgraph=False):
    short = name.rpartition(":")[2]
    told = {"id": name, "name": short, "kind": "subgraph" if subgraph else KINDS.get(short, "node")}
    return told | ({"subgraph": name} if subgraph else {})


def edges(*pairs, conditional=()):
    told = [{"source": pair[0], "target": pair[1], "conditional": False} for pair in pairs]
    for source, target, *label in conditional:
        told.append({"source": source, "target": target, "conditional": True, **({"label": label[0]} if label else {})})
    return told


def chain(*names):
    return edges(*pairwise(names))


def _branches():
    names = [f"branch_{letter}" for letter in "abcdefgh"]
    return nodes("route", *names), edges(
        (START, "route"), *((name, END) for name in names), conditional=[("route", name) for name in names]
    )


def _nested():
    inner = "team:lead:agent"
    names = ["team"]
    links = chain(START, "team", END)
    for outer in ("team", "team:lead"):
        child = f"{outer}:{'lead' if outer == 'team' else 'agent'}"
        names += [f"{outer}:{START}", child, f"{outer}:{END}"]
        links += chain(f"{outer}:{START}", child, f"{outer}:{END}")
    names += [f"{inner}:{name}" for name in (START, "model", "tools", END)]
    start, model, tools, end = names[-4:]
    return nodes(*names), links + edges((start, model), (tools, model), conditional=[(model, tools), (model, end)])


def _sixty():
    names = [f"step_{number:02}" for number in range(60)]
    stages = [names[first : first + 4] for first in range(0, 60, 4)]
    links = edges(*((START, name) for name in stages[0]), *((name, END) for name in stages[-1]))
    links += edges(*(pair for one, other in pairwise(stages) for pair in zip(one, other, strict=True)))
    links += edges(*((one[0], other[3]) for one, other in pairwise(stages[:4])))
    return nodes(*names), links + edges(conditional=[("step_50", "step_10", "redo")])


def _hostile():
    names = ("a b/ü✓ [bold]", "日本語のノード", "\x1b[31mred\n", "x" * 60, "\u202eevil")
    return nodes(*names), chain(START, *names, END) + edges(
        conditional=[(names[1], names[0], "もう一度\x07"), (names[3], names[3], "again"), (names[4], names[4])]
    )


SHAPES = {
    "chain": (nodes("plan", "search", "write"), chain(START, "plan", "search", "write", END)),
    "diamond": (
        nodes("split", "left", "right", "join"),
        chain(START, "split", "left", "join", END) + chain("split", "right", "join"),
    ),
    "loop": (
        nodes("agent", "tools"),
        edges(
            (START, "agent"), ("tools", "agent"), conditional=[("agent", "tools", "continue"), ("agent", END, "end")]
        ),
    ),
    "branches": _branches(),
    "nested": _nested(),
    "fan-out": (
        nodes("plan", "work", "merge"),
        edges((START, "plan"), ("work", "merge"), ("merge", END), conditional=[("plan", "work")]),
    ),
    "disconnected": (nodes("triage", "refund", "sales", "human"), chain(START, "triage", END)),
    "sixty": _sixty(),
    "hostile": _hostile(),
    "one": (nodes("only"), chain(START, "only", END)),
}

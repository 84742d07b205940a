"""A loaded graph in words, as a Mermaid flowchart, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lgwatch.events import GraphLoaded, Json
from lgwatch.text import clean


def as_json(graph: GraphLoaded) -> str:
    """Return nodes, edges and schemas as one JSON object."""
    return json.dumps(
        {
            "target": graph.target,
            "nodes": graph.nodes,
            "edges": graph.edges,
            "input_schema": graph.input_schema,
            "output_schema": graph.output_schema,
            "context_schema": graph.context_schema,
        },
        ensure_ascii=False,
        indent=2,
    )


def as_text(graph: GraphLoaded) -> str:
    """Return an outline: each node with where it is and where it leads, then the keys of the schemas."""
    names = {str(node.get("id")): str(node.get("name") or node.get("id")) for node in graph.nodes}
    targets: dict[str, list[str]] = {}
    for edge in graph.edges:
        arrow = "⇢" if edge.get("conditional") else "→"
        label = f" ({edge['label']})" if edge.get("label") else ""
        target = str(edge.get("target"))
        targets.setdefault(str(edge.get("source")), []).append(f"{arrow} {names.get(target, target)}{label}")
    lines = [clean(graph.target)]
    width = max((len(name) for name in names.values()), default=0)
    for node in graph.nodes:
        name = clean(names[str(node.get("id"))])
        depth = 1 + str(node.get("id")).count(":")
        kind = {"subgraph": " [subgraph]", "tool": " [tools]"}.get(str(node.get("kind")), "")
        where = f"  {node['file']}:{node['line']}" if node.get("file") and node.get("line") else ""
        leads = ", ".join(targets.get(str(node.get("id")), []))
        lines.append(clean(f"{'  ' * depth}{name:<{width}}{kind} {leads}{where}".rstrip()))
    for title, schema in (
        ("input", graph.input_schema),
        ("output", graph.output_schema),
        ("context", graph.context_schema),
    ):
        if keys := _keys(schema):
            lines.append(clean(f"{title}: {keys}"))
    return "\n".join(lines)


def _keys(schema: Json) -> str:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return ""
    required = schema.get("required") or []
    return ", ".join(f"{key}" if key in required else f"{key}?" for key in properties)


def as_mermaid(graph: GraphLoaded) -> str:
    """Return a flowchart, in which a node that runs a graph is a box around it.

    Names appear only as quoted labels, ids are numbers: no name can break the syntax.
    """
    ids = {str(node.get("id")): f"n{number}" for number, node in enumerate(graph.nodes)}
    inside: dict[str, list[dict[str, Json]]] = {}
    for node in graph.nodes:
        inside.setdefault(str(node.get("id")).rpartition(":")[0], []).append(node)
    return "\n".join(("flowchart TD", *_nodes("", inside, ids), *_edges(graph, ids)))


def _nodes(prefix: str, inside: dict[str, list[dict[str, Json]]], ids: dict[str, str]) -> Iterator[str]:
    pad = "    " * (1 + (prefix.count(":") + 1 if prefix else 0))
    for node in inside.get(prefix, ()):
        name = str(node.get("id"))
        label, kind = _label(str(node.get("name") or name)), node.get("kind")
        if name in inside:
            yield f'{pad}subgraph {ids[name]}["{label}"]'
            yield from _nodes(name, inside, ids)
            yield f"{pad}end"
            continue
        shape = (
            f'(["{label}"])' if kind in ("start", "end") else f'[["{label}"]]' if kind == "subgraph" else f'["{label}"]'
        )
        yield f"{pad}{ids[name]}{shape}"


def _edges(graph: GraphLoaded, ids: dict[str, str]) -> Iterator[str]:
    for edge in graph.edges:
        source, target = ids.get(str(edge.get("source"))), ids.get(str(edge.get("target")))
        if source is None or target is None:
            continue
        arrow = "-.->" if edge.get("conditional") else "-->"
        label = f'|"{_label(str(edge["label"]))}"|' if edge.get("label") else ""
        yield f"    {source} {arrow}{label} {target}"


def _label(text: str) -> str:
    """Everything but plain characters as Mermaid's entity codes."""
    return "".join(char if char.isalnum() or char in " _-./" else f"#{ord(char)};" for char in text)

"""What was loaded, as one event: nodes, edges and schemas. A graph that cannot tell a part of it is described without it."""

from __future__ import annotations

import functools
import json
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from langgraph.pregel.protocol import PregelProtocol
from pydantic import TypeAdapter

from lgwatch.events import GraphLoaded, Json
from lgwatch.runner.channels import channels
from lgwatch.runner.needs import ROOT, field_types, has_messages, input_keys, needs_input, node_function

__all__ = ["describe", "has_messages", "needs_input"]

MAX_NODES = 2_000
MAX_DEPTH = 6
MAX_SCHEMA = 400_000

_ENDS = {"__start__": "start", "__end__": "end"}

# A channel of messages takes more than its type says, and a schema that refuses it would be wrong.
_MESSAGES_INPUT = {
    "title": "Messages",
    "description": "A text, a message {role, content}, or a list of them.",
    "anyOf": [{"type": "string"}, {"type": "object"}, {"type": "array"}],
}


def describe(graph: Any, target: str) -> GraphLoaded:
    """Return the event that says what was loaded.

    The id of a node inside of a nested graph is prefixed with that of the node which runs the graph (`sub:inner`), and
    that node's `subgraph` is the prefix, its own id. Such a node is of the kind `subgraph` when it is a graph, and
    stays a `node` when it is a function that calls one. The schema of the input requires what a run needs, no more.
    """
    event = GraphLoaded(
        target=target,
        channels={},
        input_schema=_input_schema(graph),
        output_schema=_schema(graph, "get_output_jsonschema", "output_schema"),
        context_schema=_schema(graph, "get_context_jsonschema", "context_schema"),
    )
    _add_graph(graph, "", (), event)
    return event if event.channels else replace(event, channels=None)


# --- structure


def _add_graph(graph: Any, prefix: str, outer: tuple[int, ...], event: GraphLoaded) -> None:
    """Fill in the nodes, edges and channels of a graph, and of those in it."""
    outer, nodes, edges = (*outer, id(graph)), event.nodes, event.edges
    if keys := _guarded(lambda: channels(graph)):
        event.channels[prefix.removesuffix(":")] = keys
    drawn = _guarded(graph.get_graph)
    parts: Mapping[str, Any] = _guarded(lambda: dict(graph.nodes)) or {}
    names = list(drawn.nodes) if drawn is not None else list(parts)
    routers = _guarded(lambda: dict(_routers(graph))) or {}
    for name in names:
        if len(nodes) >= MAX_NODES:
            break
        part = parts.get(name)
        nodes.append(_node(f"{prefix}{name}", str(name), part))
        if (router := routers.get((str(name), ""))) is not None:
            nodes[-1]["router"] = router
        inner = _subgraph(part)
        if inner is None or id(inner) in outer or len(outer) > MAX_DEPTH or len(nodes) >= MAX_NODES:
            continue
        nodes[-1]["subgraph"] = f"{prefix}{name}"
        _add_graph(inner, f"{prefix}{name}:", outer, event)
    if drawn is not None:
        known = {node["id"] for node in nodes}
        edges += [
            edge for edge in _edges(drawn, prefix, routers) if edge["source"] in known and edge["target"] in known
        ]


def _node(node_id: str, name: str, part: Any) -> dict[str, Json]:
    bound = getattr(part, "bound", None)
    kind = _ENDS.get(name, "node")
    tools = getattr(bound, "tools_by_name", None)
    if isinstance(bound, PregelProtocol):
        kind = "subgraph"
    elif isinstance(tools, Mapping) and tools:
        kind = "tool"
    node: dict[str, Json] = {"id": node_id, "name": name, "kind": kind}
    if kind == "tool":
        # The node's own function is the library's; a single tool is what there is to look at.
        bound = next(iter(tools.values())) if isinstance(tools, Mapping) and len(tools) == 1 else None
    function = _guarded(lambda: node_function(bound)) if kind in {"node", "tool"} and bound is not None else None
    code = getattr(function, "__code__", None)
    if code is not None and not code.co_filename.startswith("<"):
        node |= {"file": code.co_filename, "line": code.co_firstlineno}
    return node


def _subgraph(part: Any) -> Any:
    found = getattr(part, "subgraphs", None)
    if isinstance(found, (list, tuple)) and found:
        return found[0]
    bound = getattr(part, "bound", None)
    return bound if isinstance(bound, PregelProtocol) else None


def _routers(graph: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield, by source and target, the name of the function that chooses; the target is "" where it may lead anywhere.

    A lambda has no name of its own.
    """
    branches = getattr(getattr(graph, "builder", None), "branches", None) or {}
    for source, named in branches.items():
        for name, branch in named.items():
            if name != "condition":
                ends = (branch.ends or {"": ""}).values()
                yield from (((str(source), str(target)), str(name)) for target in ends)


def _edges(drawn: Any, prefix: str, routers: Mapping[tuple[str, str], str]) -> Iterator[dict[str, Json]]:
    for edge in drawn.edges:
        told: dict[str, Json] = {
            "source": f"{prefix}{edge.source}",
            "target": f"{prefix}{edge.target}",
            "conditional": bool(edge.conditional),
        }
        if edge.data is not None:
            told["label"] = str(edge.data)
        if edge.conditional and (router := routers.get((str(edge.source), str(edge.target)))) is not None:
            told["router"] = router
        yield told


# --- schemas


def _input_schema(graph: Any) -> Json:
    schema = _schema(graph, "get_input_jsonschema", "input_schema")
    if not isinstance(schema, dict):
        return schema
    if has_messages(graph) and "messages" in schema.get("properties", {}):
        schema["properties"]["messages"] = _MESSAGES_INPUT
    if getattr(graph, "builder", None) is not None and "properties" in schema:
        needed = [key for key in needs_input(graph) if key in schema["properties"]]
        schema = {key: value for key, value in schema.items() if key != "required"}
        schema |= {"required": needed} if needed else {}
    return _without_unused(schema)


def _schema(graph: Any, method: str, attribute: str) -> Json:
    """Return a JSON Schema, from the graph where it can tell and else field by field; None when there is none."""
    schema = _guarded(functools.partial(operator.methodcaller(method), graph), failed=NotImplemented)
    if schema is NotImplemented:
        owner = getattr(graph, "builder", graph)
        source = getattr(owner, attribute, None) or getattr(owner, attribute.removesuffix("_schema"), None)
        schema = _guarded(lambda: _by_fields(source, graph)) if source is not None else None
    text = _guarded(lambda: json.dumps(schema, allow_nan=False))
    if not isinstance(text, str) or len(text) > MAX_SCHEMA:
        return None
    return json.loads(text)


def _by_fields(source: Any, graph: Any) -> dict[str, Json]:
    """Build the schema of a class of which some field has no schema: that field alone takes anything."""
    types = field_types(source) or dict.fromkeys(input_keys(graph), Any)
    properties: dict[str, Json] = {}
    definitions: dict[str, Json] = {}
    for name, annotation in types.items():
        if name == ROOT:
            continue
        schema = _guarded(functools.partial(_type_schema, annotation)) or {}
        definitions |= schema.pop("$defs", {})
        properties[name] = {"title": name.replace("_", " ").title(), **schema}
    told: dict[str, Json] = {"title": getattr(source, "__name__", "State"), "type": "object", "properties": properties}
    return told | ({"$defs": definitions} if definitions else {})


def _type_schema(annotation: Any) -> dict[str, Json]:
    return TypeAdapter(annotation).json_schema()


def _without_unused(schema: dict[str, Json]) -> dict[str, Json]:
    """Leave out the definitions that nothing refers to any more."""
    definitions = schema.get("$defs")
    if not isinstance(definitions, dict):
        return schema
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    used: set[str] = set()
    text = json.dumps(rest)
    while new := {name for name in definitions if name not in used and f'"#/$defs/{name}"' in text}:
        used |= new
        text = json.dumps([definitions[name] for name in new])
    return rest | ({"$defs": {name: definitions[name] for name in definitions if name in used}} if used else {})


def _guarded(ask: Callable[[], Any], *, failed: Any = None) -> Any:
    """Return what the graph says, or `failed`: state classes and remote graphs can raise anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ask()
    except Exception:
        return failed

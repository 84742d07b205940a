from __future__ import annotations

import functools
import json
import operator
import time
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel

from lgwatch.events import GraphLoaded
from lgwatch.runner.describe import MAX_NODES, describe
from tests.corpus.models import says
from tests.corpus.parts import create_agent


class State(typing.TypedDict):
    topic: str
    steps: Annotated[list[str], operator.add]


def step(state: State) -> dict[str, Any]:
    return {"steps": ["step " + state["topic"]]}


def compiled(**nodes: Any) -> Any:
    """A graph of the nodes one after the other."""
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node)
    for source, target in zip([START, *nodes], [*nodes, END], strict=True):
        builder.add_edge(source, target)
    return builder.compile()


def by_id(event: GraphLoaded) -> dict[str, dict[str, Any]]:
    nodes = {node["id"]: node for node in event.nodes}
    assert len(nodes) == len(event.nodes), "ids are unique"
    json.dumps([event.nodes, event.edges, event.input_schema, event.output_schema, event.context_schema])
    return nodes


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


# --- nodes


def test_nodes_and_edges_with_their_kinds() -> None:
    event = describe(compiled(a=step, b=step), "mod:graph")
    assert event.target == "mod:graph"
    assert {node["id"]: node["kind"] for node in event.nodes} == {
        "__start__": "start", "a": "node", "b": "node", "__end__": "end",
    }  # fmt: skip
    assert {(edge["source"], edge["target"], edge["conditional"]) for edge in event.edges} == {
        ("__start__", "a", False), ("a", "b", False), ("b", "__end__", False),
    }  # fmt: skip


def test_conditional_edges_have_labels() -> None:
    def route(state: State) -> Literal["yes", "no"]:
        return "yes"

    def hop(state: State) -> Command[Literal["a", "__end__"]]:
        return Command(goto="a")

    builder = StateGraph(State).add_node("a", step).add_node("b", step).add_node("hop", hop).add_edge(START, "a")
    builder.add_conditional_edges("a", route, {"yes": "b", "no": END}).add_edge("b", "hop")
    event = describe(builder.compile(), "")
    edges = {(edge["source"], edge["target"]): edge for edge in event.edges}
    assert edges["a", "b"] == {"source": "a", "target": "b", "conditional": True, "label": "yes", "router": "route"}
    assert edges["a", "__end__"]["label"] == "no"
    assert edges["hop", "a"]["conditional"] is True
    assert "label" not in edges["b", "hop"]


def test_who_chooses_is_told_of_an_edge_and_of_a_node_whose_edges_are_not_told() -> None:
    def somewhere(state: State) -> str:
        return "b"

    builder = StateGraph(State).add_node("a", step).add_node("b", step).add_edge(START, "a")
    builder.add_conditional_edges("a", somewhere).add_conditional_edges("b", lambda _: END, [END])
    event = describe(builder.compile(), "")
    assert by_id(event)["a"]["router"] == "somewhere"
    assert "router" not in by_id(event)["b"]
    assert not any("router" in edge for edge in event.edges)


class Callable_:
    def __call__(self, state: State) -> dict[str, Any]:
        return {}

    def method(self, state: State) -> dict[str, Any]:
        return {}


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


async def a_step(state: State) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("node", "starts"),
    [
        (step, "def step("),
        (a_step, "async def a_step("),
        (functools.partial(step), "def step("),
        (functools.partial(functools.partial(a_step)), "async def a_step("),
        (decorated(step), "def step("),
        (RunnableLambda(step), "def step("),
        (RunnableLambda(step).with_config(tags=["x"]), "def step("),
        (RunnableLambda(step) | RunnableLambda(a_step), "def step("),
        (Callable_(), "    def __call__("),
        (Callable_().method, "    def method("),
    ],
)
def test_a_node_tells_where_its_function_is(node: Any, starts: str) -> None:
    told = by_id(describe(compiled(n=node), ""))["n"]
    assert (told["file"], told["line"]) == (__file__, line_of(starts))


def test_a_node_without_source_is_told_without_a_place() -> None:
    told = by_id(describe(compiled(n=RunnableLambda(operator.itemgetter("topic")) | step), ""))
    assert told["n"]["kind"] == "node"
    scope: dict[str, Any] = {}
    exec("def typed_in(state): return {}", scope)
    assert "file" not in by_id(describe(compiled(n=scope["typed_in"]), ""))["n"]


def lookup(word: str) -> str:
    """Look a word up."""
    return word


def test_an_agent_has_a_tool_node_that_points_to_its_only_tool() -> None:
    def other(word: str) -> str:
        """Another one."""
        return word

    model = says()
    nodes = by_id(describe(create_agent(model, [lookup]), ""))
    assert (nodes["tools"]["kind"], nodes["tools"]["line"]) == ("tool", line_of("def lookup("))
    assert "file" not in by_id(describe(create_agent(model, [lookup, other]), ""))["tools"]


# --- graphs in graphs


def test_a_nested_graph_is_there_under_the_id_of_its_node() -> None:
    inner = compiled(leaf=step)
    middle = compiled(inner=inner)
    event = describe(compiled(sub=middle, own=step), "")
    nodes = by_id(event)
    assert (nodes["sub"]["kind"], nodes["sub"]["subgraph"], nodes["sub"]["name"]) == ("subgraph", "sub", "sub")
    assert nodes["sub:inner"]["subgraph"] == "sub:inner"
    assert nodes["sub:inner:leaf"]["name"] == "leaf"
    assert nodes["sub:inner:__start__"]["kind"] == "start"
    ends = {(edge["source"], edge["target"]) for edge in event.edges}
    assert {("sub:inner:__start__", "sub:inner:leaf"), ("sub", "own"), ("sub:__start__", "sub:inner")} <= ends
    assert {end for pair in ends for end in pair} <= set(nodes)


INNER = compiled(leaf=step)


def calls_inner(state: State) -> dict[str, Any]:
    return INNER.invoke(state)


def test_a_function_that_calls_a_graph_stays_a_node_and_tells_the_graph() -> None:
    told = by_id(describe(compiled(call=calls_inner), ""))
    assert (told["call"]["kind"], told["call"]["subgraph"]) == ("node", "call")
    assert told["call"]["line"] == line_of("def calls_inner(")
    assert "call:leaf" in told


def test_a_graph_that_calls_itself_is_told_once() -> None:
    loop = compiled(again=step)
    loop.nodes["again"].subgraphs = [loop]
    assert set(by_id(describe(loop, ""))) == {"__start__", "again", "__end__"}


def test_an_entrypoint_is_a_graph_of_one_node() -> None:
    @entrypoint()
    def flow(topic: str) -> int:
        return len(topic)

    nodes = by_id(describe(flow, ""))
    assert set(nodes) == {"__start__", "flow", "__end__"}
    assert nodes["flow"]["file"] == __file__


# --- schemas


class Odd:
    pass


class Mixed(typing.TypedDict):
    odd: Odd
    count: int
    choice: Literal["a", "b"] | None
    nested: State


class Place(BaseModel):
    city: str


class Trip(BaseModel):
    start: Place
    end: Place | None = None


def test_a_state_that_pydantic_refuses_still_has_a_schema() -> None:
    event = describe(StateGraph(Mixed).add_node("n", lambda s: s).add_edge(START, "n").compile(), "")
    properties = event.input_schema["properties"]
    assert properties["count"]["type"] == "integer"
    assert set(properties) == {"odd", "count", "choice", "nested"}
    jsonschema.Draft202012Validator.check_schema(event.input_schema)
    assert jsonschema.Draft202012Validator(event.input_schema).is_valid(
        {"odd": 1, "count": 2, "choice": "a", "nested": {"topic": "", "steps": []}}
    )
    assert not jsonschema.Draft202012Validator(event.input_schema).is_valid({"count": "two"})
    assert event.output_schema["properties"]["count"]


def test_a_state_of_models_keeps_its_definitions() -> None:
    schema = describe(StateGraph(Trip).add_node("n", lambda s: {}).add_edge(START, "n").compile(), "").input_schema
    assert schema["required"] == ["start"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"start": {"city": "Ulm"}})
    assert not validator.is_valid({"start": {}})


def test_messages_take_whatever_the_graph_takes_and_the_schema_is_small() -> None:
    graph = StateGraph(MessagesState).add_node("n", lambda s: {}).add_edge(START, "n").compile()
    schema = describe(graph, "").input_schema
    for messages in ("hi", {"role": "user", "content": "hi"}, [["user", "hi"]], [{"role": "user", "content": "hi"}]):
        graph.invoke({"messages": messages})
        assert jsonschema.Draft202012Validator(schema).is_valid({"messages": messages})
    assert len(json.dumps(schema)) < 1_000


def test_only_what_a_run_needs_is_required() -> None:
    assert describe(compiled(a=step), "").input_schema["required"] == ["topic"]
    assert "required" not in describe(compiled(a=lambda s: {"topic": "x"}), "").input_schema


@dataclass
class Context:
    user: str


def test_the_context_has_a_schema_and_a_graph_without_one_has_none() -> None:
    assert describe(compiled(a=step), "").context_schema is None
    graph = StateGraph(State, context_schema=Context).add_node("a", step).add_edge(START, "a").compile()
    assert describe(graph, "").context_schema["properties"]["user"]["type"] == "string"


def test_a_graph_that_cannot_tell_anything_is_still_described() -> None:
    class Mute:
        nodes: typing.ClassVar[dict[str, Any]] = {}

        def get_graph(self) -> None:
            raise RuntimeError("offline")

    assert describe(Mute(), "m:g") == GraphLoaded(target="m:g")


# --- bounds


def test_a_large_graph_is_cut_and_its_edges_stay_consistent() -> None:
    inner = compiled(**{f"n{number}": step for number in range(60)})
    event = describe(compiled(**{f"sub{number}": inner for number in range(40)}), "")
    nodes = by_id(event)
    assert len(nodes) == MAX_NODES
    assert all(edge["source"] in nodes and edge["target"] in nodes for edge in event.edges)


@pytest.mark.benchmark
def test_describing_a_graph_costs_little_more_than_drawing_it() -> None:
    graph = compiled(**{f"n{number}": step for number in range(300)})

    def spent(function: Any) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            function()
            times.append(time.perf_counter() - began)
        return min(times)

    drawing, describing = spent(graph.get_graph), spent(lambda: describe(graph, ""))
    print(f"get_graph {drawing * 1000:.0f} ms, describe {describing * 1000:.0f} ms")
    assert describing < 4 * drawing

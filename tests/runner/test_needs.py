from __future__ import annotations

import operator
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.pregel.remote import RemoteGraph
from pydantic import BaseModel
from typing_extensions import NotRequired, TypedDict

from lgwatch.runner.describe import has_messages, needs_input
from tests.corpus.parts import create_agent


class Story(TypedDict):
    topic: str
    joke: str
    log: Annotated[list[str], operator.add]
    style: NotRequired[str]
    left: RemainingSteps


def graph(schema: Any, *nodes: Any, **options: Any) -> Any:
    """A graph of the nodes one after the other."""
    builder = StateGraph(schema, **options)
    names = [f"n{number}" for number, _ in enumerate(nodes)]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node)
    for source, target in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(source, target)
    return builder.compile()


def write(state: Story) -> dict[str, Any]:
    return {"joke": f"about {state['topic']}"}


def tell(state: Story) -> dict[str, Any]:
    return {"log": [state["joke"]]}


def make_up(state: Story) -> dict[str, Any]:
    return {"topic": "cats", "joke": state.get("joke", "")}


def opaque(state: Story) -> dict[str, Any]:
    return dict(state)


class Writer:
    def method(self, state: Story) -> dict[str, Any]:
        return {"joke": state["topic"]}


def test_a_run_needs_the_keys_that_are_read_before_they_are_written() -> None:
    assert needs_input(graph(Story, write, tell)) == ["topic"]
    assert needs_input(graph(Story, Writer().method, tell)) == ["topic"]
    assert needs_input(graph(Story, tell)) == ["joke"]
    assert needs_input(graph(Story, make_up, write, tell)) == []


def test_where_the_nodes_cannot_be_read_every_key_without_a_start_value_is_needed() -> None:
    assert needs_input(graph(Story, opaque)) == ["topic", "joke"]
    assert needs_input(graph(Story, graph(Story, write))) == ["topic", "joke"]


def test_a_key_that_may_be_left_out_is_needed_by_a_node_that_reads_it_all_the_same() -> None:
    class Watch(TypedDict, total=False):
        rounds: int
        sky: str

    def look(state: Watch) -> dict[str, Any]:
        return {"sky": state.get("rounds", 0)}

    def note(state: Watch) -> dict[str, Any]:
        return {"rounds": state["sky"]}

    assert needs_input(graph(Watch, look, note)) == []
    assert needs_input(graph(Watch, note)) == ["sky"]
    assert needs_input(graph(Watch, opaque)) == []


def test_the_input_schema_says_which_keys_count() -> None:
    assert needs_input(graph(Story, opaque, input_schema=Topic)) == ["topic"]


def test_a_router_that_reads_a_key_needs_it() -> None:
    def route(state: Story) -> str:
        return state["topic"]

    builder = StateGraph(Story).add_node("a", make_up).add_node("b", lambda state: {"joke": ""})
    builder.add_conditional_edges(START, route, {"x": "b"}).add_edge("b", END)
    assert needs_input(builder.compile()) == ["topic"]


def test_fields_with_defaults_are_not_needed() -> None:
    class Model(BaseModel):
        topic: str
        style: str = "dry"

    @dataclass
    class Data:
        topic: str
        tags: list[str] = field(default_factory=list)

    assert needs_input(graph(Model, lambda state: {})) == ["topic"]
    assert needs_input(graph(Data, lambda state: {})) == ["topic"]


def test_messages_are_needed_by_whoever_reads_them() -> None:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [state["messages"][-1]]}

    def start(state: MessagesState) -> dict[str, Any]:
        return {"messages": ["hello"]}

    assert needs_input(graph(MessagesState, answer)) == ["messages"]
    assert needs_input(graph(MessagesState, start)) == []
    agent = create_agent(GenericFakeChatModel(messages=iter([])), [])
    assert needs_input(agent) == ["messages"]


def test_an_entrypoint_needs_its_parameter() -> None:
    @entrypoint()
    async def flow(topic: str) -> str:
        return topic

    @entrypoint()
    def optional(topic: str = "cats") -> str:
        return topic

    assert needs_input(flow) == ["topic"]
    assert needs_input(optional) == []


def test_a_state_of_one_value_needs_it_unless_it_starts_empty() -> None:
    assert needs_input(graph(Annotated[list, operator.add], lambda state: ["x"])) == []


def test_what_cannot_tell_needs_nothing() -> None:
    assert needs_input(RemoteGraph("agent", url="http://127.0.0.1:1")) == []
    assert needs_input(object()) == []
    assert has_messages(object()) is False


class Plain(typing.TypedDict):
    messages: list[str]


class Private(MessagesState):
    topic: str


class Topic(TypedDict):
    topic: str


@pytest.mark.parametrize(
    ("schema", "options", "expected"),
    [
        (MessagesState, {}, True),
        (Plain, {}, True),
        (Story, {}, False),
        (Private, {"input_schema": Topic}, False),
    ],
)
def test_text_can_be_sent_to_a_graph_whose_input_has_messages(schema: Any, options: Any, expected: bool) -> None:
    assert has_messages(graph(schema, lambda state: {}, **options)) is expected


@pytest.mark.parametrize("nodes", [(write, tell), (make_up, write, tell), (tell,)])
def test_a_run_with_what_is_needed_and_nothing_else_works(nodes: tuple[Any, ...]) -> None:
    runnable = graph(Story, *nodes)
    runnable.invoke(dict.fromkeys(needs_input(runnable), "x"))
    for missing in needs_input(runnable):
        with pytest.raises(KeyError):
            runnable.invoke({key: "x" for key in needs_input(runnable) if key != missing})

"""What a graph tells of the keys of its state, and of what is written to keys that it does not have."""

from __future__ import annotations

import functools
import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command
from typing_extensions import TypedDict

from lgwatch.events import Notice, TaskStarted
from lgwatch.runner.channels import channels, known_keys, lost_keys
from lgwatch.runner.describe import describe
from tests.live import live, topic


def newest(before: Any, after: Any) -> Any:
    return after


class State(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]
    messages: Annotated[list[Any], add_messages]
    best: Annotated[str, functools.partial(newest)]
    any_: Annotated[str, lambda before, after: after]


def graph(inner: Any = None) -> Any:
    builder = StateGraph(State).add_node("write", inner or (lambda state: {})).add_edge(START, "write")
    return builder.add_edge("write", END).compile()


def test_the_keys_of_a_state_are_told_with_their_reducers() -> None:
    assert channels(graph()) == {
        "topic": "", "notes": "add", "messages": "add_messages", "best": "newest", "any_": "lambda",
    }  # fmt: skip


def test_every_graph_tells_its_own_keys() -> None:
    told = describe(graph(graph()), "").channels
    assert set(told) == {"", "write"}
    assert known_keys(graph(graph()))["write", "write"] >= {"topic", "notes"}


def test_of_graphs_that_functions_call_nothing_is_certain() -> None:
    inner = graph()
    assert ("write", "write") not in known_keys(graph(lambda state: inner.invoke(state)))


def test_a_graph_of_one_value_has_one_key_and_one_of_another_kind_none() -> None:
    root = StateGraph(int).add_node("n", lambda state: 1).add_edge(START, "n").compile()
    assert channels(root) == {"__root__": ""}
    assert channels(object()) == known_keys(root) == {}
    assert describe(root, "").channels == {"": {"__root__": ""}}


def test_keys_that_are_nowhere_are_found_in_what_a_node_returned() -> None:
    known = frozenset({"notes", "topic"})
    assert list(lost_keys({"nots": 1, "topic": 2}, known)) == [("nots", "notes")]
    assert list(lost_keys(Command(update={"zzz": 1}), known)) == [("zzz", "")]
    assert list(lost_keys([Command(update={"topics": 1}), {"topic": 2}], known)) == [("topics", "topic")]
    assert list(lost_keys(Command(update={"zzz": 1}, graph=Command.PARENT), known)) == []
    assert list(lost_keys("text", known)) == []


def test_a_misspelt_key_is_told_once_with_its_node_and_task(tmp_path: Any) -> None:
    body = """
    def first(state):
        return {"txt": "lost", "topic": "kept"}

    def second(state):
        return {"txt": "again"}

    graph = compiled(first, second)
    """
    with live(tmp_path, body) as watched:
        watched.source.start(topic())
        watched.until_status("done")
        told = [event for event in watched.events if isinstance(event, Notice) and event.code == "unknown_key"]
        tasks = {event.node: event.task for event in watched.events if isinstance(event, TaskStarted)}
    assert [(event.node, event.task) for event in told] == [("first", tasks["first"]), ("second", tasks["second"])]
    assert told[0].text.startswith("first wrote 'txt', which the state does not have")
    assert "did you mean 'text'?" in told[0].text

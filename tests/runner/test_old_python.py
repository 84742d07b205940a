"""Before Python 3.11 an async node has no context of its own: what is sound there is used, and the rest is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lgwatch.events import CustomWritten, Interrupted, MessageChunk, Notice
from lgwatch.sources import RunRequest
from tests.live import Watched, agent, live, program, topic
from tests.screens import leave, recorded, shows, watching

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 11), reason="about Python 3.10")

MODEL = """
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import StreamWriter

def model():
    return GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
"""


def watched(run: Watched, **request: Any) -> Watched:
    run.source.start(topic(**request))
    run.until_status("done", "failed", "interrupted")
    run.take()
    return run


def tokens(run: Watched) -> list[str]:
    return [event.text for event in run.events if isinstance(event, MessageChunk) and event.text and not event.whole]


def customs(run: Watched) -> list[Any]:
    return [event.data for event in run.events if isinstance(event, CustomWritten)]


def told(run: Watched) -> list[str]:
    return [event.text for event in run.events if isinstance(event, Notice) and event.code == "python310"]


def test_of_nodes_that_are_not_async_everything_is_seen(tmp_path: Path) -> None:
    body = (
        MODEL
        + """
def inner(state):
    get_stream_writer()("from inside")
    return {"text": model().invoke("x").content}

sub = compiled(inner)

def ask(state):
    return {"topic": interrupt("which?")}

graph = StateGraph(State).add_node("sub", sub).add_node(ask).add_edge(START, "sub").add_edge("sub", "ask").compile()
"""
    )
    with live(tmp_path, body) as run:
        watched(run)
        assert "".join(tokens(run)) == "one two three"
        assert customs(run) == ["from inside"]
        assert [event.value for event in run.events if isinstance(event, Interrupted)] == ["which?"]
        assert told(run) == []
        (asked,) = run.session.waiting
        run.source.resume({asked.id: "this"})
        run.until_status("done")
        assert run.results[-1].output["topic"] == "this"


ASYNC = (
    MODEL
    + """
async def writer(state, config: RunnableConfig, writer: StreamWriter):
    writer("not seen")
    return {"text": (await model().ainvoke("x", config)).content}
"""
)


def test_an_async_node_works_as_it_does_unwatched_and_what_is_missing_is_told(tmp_path: Path) -> None:
    with live(tmp_path, ASYNC + "graph = compiled(writer)") as run:
        watched(run)
        assert run.results[-1].output["text"] == "one two three"
        assert "".join(tokens(run)) == "one two three", "its config is handed on"
        assert customs(run) == []
        assert len(told(run)) == 1
        assert "no custom events" in told(run)[0]


@pytest.mark.terminal
def test_what_is_missing_is_told_on_the_screen_and_in_the_journal(tmp_path: Path) -> None:
    with watching(tmp_path, ASYNC + "graph = compiled(writer)", cols=160) as terminal:
        shows(terminal, "DONE", "one two three", "before Python 3.11, async nodes show no custom events")
        assert leave(terminal) == 0
    (notice,) = [event for event in recorded(tmp_path) if isinstance(event, Notice) and event.code == "python310"]
    assert "hand their config on" in notice.text


def test_where_no_screen_is_what_is_missing_is_told_beside_the_result(tmp_path: Path) -> None:
    agent(tmp_path, ASYNC + "graph = compiled(writer)")
    done = program(tmp_path, "run", "agent.py:graph", "-i", '{"topic": "cats"}', "--plain")
    assert "one two three" in done.stdout
    assert done.stderr.count("before Python 3.11") == 1


def test_an_async_node_of_a_nested_graph_is_not_run_synchronously(tmp_path: Path) -> None:
    body = (
        ASYNC
        + "sub = compiled(writer)\ngraph = StateGraph(State).add_node('sub', sub).add_edge(START, 'sub').compile()"
    )
    with live(tmp_path, body) as run:
        watched(run)
        assert run.session.status == "done", run.error
        assert run.results[-1].output["text"] == "one two three"
        assert len(told(run)) == 1


def test_a_tool_that_is_async_only_is_not_run_synchronously(tmp_path: Path) -> None:
    body = """
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import MessagesState
from langgraph.prebuilt import ToolNode

@tool
async def look(text: str) -> str:
    "Look."
    return "seen " + text

def call(state):
    return {"messages": [AIMessage("", tool_calls=[{"name": "look", "args": {"text": "cats"}, "id": "1"}])]}

graph = StateGraph(MessagesState).add_node(call).add_node("tools", ToolNode([look], handle_tool_errors=False))
graph = graph.add_edge(START, "call").add_edge("call", "tools").compile()
"""
    with live(tmp_path, body) as run:
        run.source.start(RunRequest(input={"messages": []}, has_input=True))
        run.until_status("done", "failed")
        assert run.session.status == "done", run.error
        said = [event.text for event in run.events if isinstance(event, MessageChunk) and event.role == "tool"]
        assert said == ["seen cats"]


def test_what_is_made_to_run_asynchronously_does_not_fail_for_being_watched(tmp_path: Path) -> None:
    body = (
        MODEL
        + "def writer(state, writer: StreamWriter):\n    writer('x')\n    return {'text': 'done'}\ngraph = compiled(writer)"
    )
    with live(tmp_path, body, mode="async") as run:
        watched(run)
        assert run.session.status == "done", run.error
        assert len(told(run)) == 1

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.runnables import RunnableConfig
from langgraph.pregel import Pregel

from lgwatch.events import MessageChunk, SpanEnded, SpanStarted
from lgwatch.runner.way import OLD_PYTHON
from tests.runner.runs import MODES, Log, Recorded, line, play, says

HEARD: list[list[str]] = []


async def talk(state: Log, config: RunnableConfig) -> Any:
    callbacks: Any = config["callbacks"]
    HEARD.append([type(handler).__name__ for handler in callbacks.handlers])
    return {"messages": [await says("a", "b").ainvoke("x", config)]}


def spans_of(found: Recorded) -> list[tuple[str, str, str]]:
    """Kind, name and status of the spans, each of which has begun once and ended once."""
    begun = {one.span: one for one in found.of(SpanStarted)}
    ended = found.of(SpanEnded)
    assert len(begun) == len(found.of(SpanStarted)) == len(ended)
    return [(begun[one.span].kind, begun[one.span].name, one.status) for one in ended]


def test_a_watched_node_has_no_more_handlers_than_one_whose_messages_are_streamed() -> None:
    HEARD.clear()
    found = play(line(talk), spans=True)
    assert HEARD == [["StreamMessagesHandler"]]
    assert spans_of(found) == [("llm", "Script", "ok"), ("node", "talk", "ok")]
    assert found.text() == "ab"


@pytest.mark.parametrize(
    "sync", [True, pytest.param(False, marks=pytest.mark.skipif(OLD_PYTHON, reason="no context there"))]
)
def test_what_happens_in_a_node_is_told_once_however_its_graph_is_streamed(sync: bool) -> None:
    inner = line(lambda state: {"messages": [says("a", "b").invoke("x")]}, names=["inner"])

    def outer(state: Log) -> Any:
        for part in inner.stream({"log": []}, stream_mode="messages"):
            assert part
        return {}

    found = play(line(outer), sync=sync, spans=True)
    assert spans_of(found) == [("llm", "Script", "ok"), ("node", "inner", "ok"), ("node", "outer", "ok")]
    assert found.text() == "ab"


def test_a_handler_of_messages_that_nobody_watches_is_langgraphs_own() -> None:
    play(line(talk), spans=True)
    HEARD.clear()
    parts = list(line(lambda state, config: talk_of(config), names=["bare"]).stream({"log": []}, stream_mode=MODES))
    assert HEARD == [["StreamMessagesHandler", "False"]]
    assert parts


def talk_of(config: RunnableConfig) -> Any:
    callbacks: Any = config["callbacks"]
    (handler,) = callbacks.handlers
    HEARD.append([type(handler).__name__, str(hasattr(handler, "lgwatch_spans"))])
    return {}


class Mine(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.heard.append(str(kwargs.get("name")))


@pytest.mark.parametrize("form", [list, lambda mine: CallbackManager(mine, mine)], ids=["list", "manager"])
def test_a_graph_with_callbacks_of_its_own_keeps_them(form: Any) -> None:
    mine = Mine()
    found = play(line(talk).with_config(callbacks=form([mine])), spans=True)
    assert mine.heard == ["LangGraph", "talk"]
    assert spans_of(found) == [("llm", "Script", "ok"), ("node", "talk", "ok")]


def test_a_graph_that_streams_in_a_way_of_its_own_is_heard_too() -> None:
    original = Pregel.astream

    class Special(type(line(talk))):  # type: ignore[misc]
        def astream(self, *args: Any, **kwargs: Any) -> Any:
            return original(self, *args, **kwargs)

    graph = line(talk)
    graph.__class__ = Special
    found = play(graph, spans=True)
    assert spans_of(found) == [("llm", "Script", "ok"), ("node", "talk", "ok")]
    assert len(found.of(MessageChunk)) >= 2

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, interrupt

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Interrupted,
    MessageChunk,
    Notice,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
)  # fmt: skip
from tests.runner.runs import Log, answers, fan, line, parts, play, says
from tests.versions import needs

contexts = pytest.mark.skipif(sys.version_info < (3, 11), reason="async nodes have no context before Python 3.11")
SYNC = sys.version_info < (3, 11)


def node(state: Log) -> dict[str, Any]:
    return {"log": ["x"]}


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_is_told_with_its_step_its_triggers_and_its_input() -> None:
    event = play(line(node), {"log": ["given"]}).one(TaskStarted)
    assert (event.node, event.step, event.triggers, event.ns) == ("node", 1, ("branch:to:node",), ())
    assert event.input["log"] == ["given"]


def test_an_update_is_pinned_to_the_task_whose_result_follows() -> None:
    def spread(state: Log) -> list[Send]:
        return [Send("work", {"log": [number]}) for number in range(5)]

    def work(state: Log) -> dict[str, Any]:
        return {"log": [state["log"][0] * 10]}

    graph = StateGraph(Log).add_node("work", work).add_conditional_edges(START, spread, ["work"]).compile()
    events = play(graph)
    given = {event.task: event.input["log"][0] for event in events.of(TaskStarted)}
    told = {event.task: event.writes["log"][0] for event in events.of(Updated)}
    assert told == {task: number * 10 for task, number in given.items()}
    assert {event.task: event.writes["log"][0] for event in events.of(TaskEnded)} == told


def test_a_node_that_returns_nothing_has_an_update_of_none() -> None:
    def silent(state: Log) -> None: ...

    events = play(line(silent))
    assert events.one(Updated).writes is None
    assert events.one(TaskEnded).writes == {}


def test_an_error_is_told_as_type_message_and_traceback() -> None:
    def broken(state: Log) -> None:
        raise ValueError("boom")

    events = play(line(broken))
    error = events.one(TaskEnded).error
    assert error is not None
    assert (error["type"], error["message"]) == ("ValueError", "boom")
    assert "in broken" in error["traceback"]
    assert isinstance(events.error, ValueError)


def test_an_error_in_a_subgraph_is_told_at_each_level_with_its_namespace() -> None:
    def broken(state: Log) -> None:
        raise ValueError("boom")

    events = play(line(line(broken), names=["sub"]))
    inner, outer = events.of(TaskEnded)
    assert inner.ns == (f"sub:{outer.task}",)
    assert outer.ns == ()
    assert inner.error is not None
    assert outer.error is not None


def test_an_error_that_is_text_in_older_versions_is_kept() -> None:
    result = {"id": "1", "name": "n", "error": "ValueError('boom')", "result": [], "interrupts": []}
    event = parts(((), "debug", {"step": 1, "type": "task_result", "payload": result})).one(TaskEnded)
    assert event.error == {"type": "", "message": "ValueError('boom')", "traceback": ""}


def test_a_result_of_pairs_becomes_an_object() -> None:
    pairs = [("log", [1]), ("other", 2), ("other", 3)]
    result = {"id": "1", "name": "n", "error": None, "result": pairs, "interrupts": []}
    event = parts(((), "debug", {"step": 1, "type": "task_result", "payload": result})).one(TaskEnded)
    assert event.writes == {"log": [1], "other": {"$type": "writes", "items": [2, 3]}}


def test_several_writes_to_one_channel_are_kept() -> None:
    def twice(state: Log) -> list[Any]:
        return [Command(update={"log": [1]}), {"log": [2]}]

    assert play(line(twice)).one(TaskEnded).writes == {"log": {"$type": "writes", "items": [[1], [2]]}}


def test_a_cached_task_is_closed_by_its_update() -> None:
    graph = StateGraph(Log).add_node("node", node, cache_policy=CachePolicy()).add_edge(START, "node")
    compiled = graph.compile(cache=InMemoryCache())
    play(compiled)
    events = play(compiled)
    ended = events.one(TaskEnded)
    assert ended.cached
    assert ended.task == events.one(TaskStarted).task
    assert ended.writes == {"log": ["x"]}
    assert events.one(Updated).task == ended.task


def test_a_task_that_leaves_for_its_parent_has_no_result() -> None:
    def leave(state: Log) -> Command[Any]:
        return Command(graph=Command.PARENT, update={"log": ["left"]}, goto="after")

    graph = StateGraph(Log).add_node("sub", line(leave)).add_node("after", node).add_edge(START, "sub").compile()
    events = play(graph)
    assert [event.node for event in events.of(TaskStarted)] == ["sub", "leave", "after"]
    assert [event.node for event in events.of(TaskEnded)] == ["sub", "after"]
    assert events.of(TaskEnded, node="sub")[0].writes == {"log": ["left"]}


def test_a_task_that_was_cancelled_has_no_result() -> None:
    async def broken(state: Log) -> None:
        await asyncio.sleep(0)
        raise ValueError("boom")

    async def slow(state: Log) -> None:
        await asyncio.sleep(30)

    events = play(fan(broken, slow))
    assert [event.node for event in events.of(TaskEnded)] == ["broken"]


@needs("error handlers")
def test_an_error_handler_ends_without_a_start() -> None:
    def broken(state: Log) -> None:
        raise ValueError("boom")

    def handle(state: Log) -> dict[str, Any]:
        return {"log": ["handled"]}

    graph = StateGraph(Log).add_node("broken", broken, error_handler=handle).add_edge(START, "broken").compile()
    events = play(graph)
    names = [event.node for event in events.of(TaskEnded)]
    assert names[0] == "broken"
    assert len(names) == 2
    assert [event.node for event in events.of(TaskStarted)] == ["broken"]


@needs("Overwrite")
def test_an_overwrite_is_recorded_as_what_it_is() -> None:
    from langgraph.types import Overwrite

    def replace_all(state: Log) -> dict[str, Any]:
        return {"log": Overwrite(["only"])}

    writes = play(line(replace_all)).one(TaskEnded).writes
    assert writes["log"]["$type"] == "Overwrite"


def test_a_graph_whose_state_is_one_value_is_decoded() -> None:
    graph = StateGraph(int).add_node("add", lambda value: value + 1).add_edge(START, "add").compile()
    events = play(graph, 1)
    assert events.one(TaskStarted).input == 1
    assert events.one(TaskEnded).writes == {"__root__": 2}


def test_an_entrypoint_and_its_tasks_are_decoded() -> None:
    @task
    def double(value: int) -> int:
        get_stream_writer()("doubling")
        return value * 2

    @entrypoint()
    def flow(value: int) -> int:
        return double(value).result()

    events = play(flow, 4, sync=True)
    inner = events.one(TaskStarted, node="double")
    assert inner.ns == ()
    assert events.one(TaskEnded, node="double").writes == {"__return__": 8}
    assert events.one(TaskEnded, node="flow").writes == {"__end__": 8}
    custom = events.one(CustomWritten)
    assert (custom.task, custom.node, custom.ns) == (inner.task, "double", ())


def test_the_second_graph_in_one_task_has_a_bare_number_in_its_namespace() -> None:
    inner = line(node)

    def twice(state: Log) -> dict[str, Any]:
        inner.invoke({"log": []})
        inner.invoke({"log": []})
        return {}

    events = play(line(twice), sync=True)
    outer = events.one(TaskStarted, node="twice")
    assert [event.ns for event in events.of(TaskStarted, node="node")] == [
        (f"twice:{outer.task}",),
        (f"twice:{outer.task}", "1"),
    ]


def test_tokens_in_a_second_graph_are_pinned_too() -> None:
    def talk(state: Log) -> dict[str, Any]:
        says("a", "b").invoke("x")
        get_stream_writer()("note")
        return {}

    inner = line(talk)

    def twice(state: Log) -> dict[str, Any]:
        inner.invoke({"log": []})
        inner.invoke({"log": []})
        return {}

    events = play(line(twice), sync=True)
    tasks = {event.task: event.ns for event in events.of(TaskStarted, node="talk")}
    assert len(tasks) == 2
    for found in (MessageChunk, CustomWritten):
        assert {event.task: event.ns for event in events.of(found)} == tasks


# ── checkpoints, interrupts ──────────────────────────────────────────────────────────────────────────────────────────


def test_checkpoints_name_their_parent_and_what_is_next() -> None:
    events = play(line(node, checkpointer=InMemorySaver()))
    saved = events.of(CheckpointSaved)
    assert [event.source for event in saved] == ["input", "loop", "loop"]
    assert [event.next for event in saved] == [("__start__",), ("node",), ()]
    assert [event.parent for event in saved] == [None, saved[0].checkpoint, saved[1].checkpoint]
    assert saved[-1].values == {"log": ["x"], "messages": []}
    assert events.decoder.state == saved[-1].values


def test_an_interrupt_is_told_once_at_the_deepest_level() -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt({"question": "why?"})]}

    deepest = line(ask)
    graph = line(line(deepest, names=["middle"]), names=["outer"], checkpointer=InMemorySaver())
    events = play(graph, sync=SYNC)
    event = events.one(Interrupted)
    assert [segment.partition(":")[0] for segment in event.ns] == ["outer", "middle"]
    assert (event.node, event.value) == ("ask", {"question": "why?"})
    assert event.task == events.one(TaskStarted, node="ask").task
    assert [found.interrupts for found in events.of(TaskEnded)] == [(event.interrupt,)] * 3
    assert list(events.decoder.interrupts) == [event.interrupt]


def test_parallel_interrupts_are_pinned_to_their_own_tasks() -> None:
    def spread(state: Log) -> list[Send]:
        return [Send("ask", {"log": [number]}) for number in range(3)]

    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt(state["log"][0])]}

    graph = StateGraph(Log).add_node("ask", ask).add_conditional_edges(START, spread, ["ask"])
    events = play(graph.compile(checkpointer=InMemorySaver()), sync=SYNC)
    given = {event.task: event.input["log"][0] for event in events.of(TaskStarted)}
    assert {event.task: event.value for event in events.of(Interrupted)} == given


def test_a_task_that_was_done_before_the_interrupt_comes_back_as_cached() -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("?")]}

    graph = fan(ask, node, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "same"}}
    play(graph, config=config, sync=SYNC)
    events = play(graph, Command(resume="yes"), config=config, sync=SYNC)
    assert events.one(TaskEnded, node="node").cached
    assert events.one(TaskEnded, node="ask").writes == {"log": ["yes"]}
    assert not events.decoder.interrupts


def test_a_static_breakpoint_is_an_interrupt_named_after_the_next_node() -> None:
    graph = line(node, node, names=["one", "two"], checkpointer=InMemorySaver())
    events = play(graph, interrupt_before=["two"])
    event = events.one(Interrupted)
    assert (event.interrupt, event.node, event.value) == ("breakpoint:two", "two", None)


def test_a_breakpoint_after_the_last_node_waits_for_nothing() -> None:
    events = play(line(node, checkpointer=InMemorySaver()), interrupt_after="*")
    assert not events.of(Interrupted)
    assert not events.decoder.interrupts


def test_a_breakpoint_in_a_subgraph_is_told_once() -> None:
    inner = line(node, node, names=["one", "two"])
    inner.interrupt_before_nodes = ["two"]
    events = play(line(inner, names=["sub"], checkpointer=InMemorySaver()))
    event = events.one(Interrupted)
    assert event.interrupt == "breakpoint:two"
    assert event.ns[0].startswith("sub:")


def test_an_interrupt_without_an_id_is_named_after_its_namespace() -> None:
    old = {"value": "q", "resumable": True, "ns": ["ask:1"]}
    event = parts(((), "updates", {"__interrupt__": (old,)})).one(Interrupted)
    assert (event.interrupt, event.value) == ("ask:1", "q")


@needs("schemas of answers")
def test_the_schema_of_an_answer_is_told() -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("?", response_schema={"type": "string"})]}

    event = play(line(ask, checkpointer=InMemorySaver()), sync=SYNC).one(Interrupted)
    assert event.schema == {"type": "string"}


# ── custom ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_a(state: Log) -> dict[str, Any]:
    get_stream_writer()({"from": "write_a"})
    return {}


def write_b(state: Log) -> dict[str, Any]:
    get_stream_writer()({"from": "write_b"})
    return {}


@pytest.mark.parametrize("sync", [True, pytest.param(False, marks=contexts)])
def test_parallel_nodes_are_told_apart_by_their_custom_events(sync: bool) -> None:
    events = play(line(fan(write_a, write_b), names=["sub"]), sync=sync)
    outer = events.one(TaskStarted, node="sub").task
    for event in events.of(CustomWritten):
        assert event.node == event.data["from"]
        assert event.task == events.one(TaskStarted, node=event.node).task
        assert event.ns == (f"sub:{outer}",)
    assert len(events.of(CustomWritten)) == 2


def test_without_the_pin_the_only_running_task_is_meant_and_it_is_said_once() -> None:
    tasks = [((), "debug", {"step": 1, "type": "task", "payload": {"id": "1", "name": "a", "input": None}})]
    events = parts(*tasks, ((), "custom", "one"), ((), "custom", "two"))
    assert [(event.node, event.task) for event in events.of(CustomWritten)] == [("a", "1")] * 2
    assert events.one(Notice).code == "custom"


def test_without_the_pin_two_running_tasks_leave_the_writer_open() -> None:
    tasks = [
        ((), "debug", {"step": 1, "type": "task", "payload": {"id": name, "name": name, "input": None}})
        for name in ("a", "b")
    ]
    assert parts(*tasks, ((), "custom", "?")).one(CustomWritten).task == ""


@contexts
def test_a_custom_event_after_its_task_has_ended_is_still_pinned() -> None:
    pending: list[asyncio.Task[None]] = []

    async def late(state: Log) -> dict[str, Any]:
        writer = get_stream_writer()

        async def write() -> None:
            await asyncio.sleep(0.01)
            writer("late")

        pending.append(asyncio.create_task(write()))
        return {}

    async def wait(state: Log) -> dict[str, Any]:
        await asyncio.gather(*pending)
        return {}

    events = play(line(late, wait))
    assert events.one(CustomWritten).node == "late"
    assert events.one(CustomWritten).task == events.one(TaskStarted, node="late").task


def test_the_state_that_a_node_changes_later_was_recorded_as_it_was() -> None:
    def give(state: Log) -> dict[str, Any]:
        return {"log": [{"value": 1}]}

    def spoil(state: Log) -> dict[str, Any]:
        state["log"][0]["value"] = 999
        return {}

    events = play(line(give, spoil))
    assert events.one(TaskEnded, node="give").writes == {"log": [{"value": 1}]}
    assert events.one(TaskStarted, node="spoil").input["log"] == [{"value": 1}]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def calling(model: Any, **metadata: Any) -> Any:
    def call(state: Log) -> dict[str, Any]:
        return {"messages": [model.invoke("question")]}

    graph = StateGraph(Log).add_node("call", call, metadata=metadata or None).add_edge(START, "call")
    return graph.compile()


def talk(model: Any, **metadata: Any) -> Any:
    return play(calling(model, **metadata), sync=True)


def test_tokens_are_pinned_to_their_call_their_task_and_their_model() -> None:
    events = talk(says("Hel", "lo"))
    chunks = events.of(MessageChunk)
    started = events.one(TaskStarted)
    assert events.text() == "Hello"
    assert len({event.message for event in chunks}) == 1
    assert {(event.task, event.node, event.step, event.role) for event in chunks} == {(started.task, "call", 1, "ai")}
    assert {event.model for event in chunks} == {"script-1"}
    assert [event.last for event in chunks] == [False, False, True]
    assert not any(event.whole for event in chunks)


def test_two_calls_in_one_task_are_two_messages() -> None:
    def both(state: Log) -> dict[str, Any]:
        says("one").invoke("x")
        says("two").invoke("x")
        return {}

    events = play(line(both), sync=True)
    found = {event.message for event in events.of(MessageChunk)}
    assert sorted(events.text(message=message) for message in found) == ["one", "two"]


def test_a_call_is_one_message_though_the_provider_changes_its_ids() -> None:
    events = talk(says(*(AIMessageChunk(content=f"{number} ", id=f"id-{number}") for number in range(4))))
    assert len({event.message for event in events.of(MessageChunk)}) == 1
    assert events.text(whole=False) == "0 1 2 3 "
    assert sum(event.last for event in events.of(MessageChunk)) == 1


def test_an_answer_in_one_piece_is_whole_and_last() -> None:
    event = talk(answers("Hello")).one(MessageChunk)
    assert (event.text, event.whole, event.last, event.model) == ("Hello", True, True, "script-1")


def test_messages_that_a_node_returns_are_whole() -> None:
    def give(state: Log) -> dict[str, Any]:
        return {"messages": [HumanMessage("hi"), AIMessage("ho", response_metadata={"model_name": "m"})]}

    human, ai = play(line(give)).of(MessageChunk)
    assert (human.role, human.text, human.whole, human.model) == ("human", "hi", True, "")
    assert (ai.role, ai.text, ai.last, ai.model) == ("ai", "ho", True, "m")


def test_a_message_that_a_node_wraps_again_is_another_message() -> None:
    def wrap(state: Log) -> dict[str, Any]:
        return {"messages": [AIMessage(says("to", "kens").invoke("x").content)]}

    events = play(line(wrap), sync=True)
    assert events.text(whole=False) == "tokens"
    assert events.one(MessageChunk, whole=True).text == "tokens"
    assert len({event.message for event in events.of(MessageChunk)}) == 2


def test_reasoning_of_every_provider_is_told_apart_from_text() -> None:
    chunks = [
        AIMessageChunk(content=[{"type": "thinking", "thinking": "anthropic ", "index": 0}]),
        AIMessageChunk(content=[{"type": "thinking", "signature": "c2ln", "index": 0}]),
        AIMessageChunk(
            content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": "openai "}], "index": 0}]
        ),
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": "standard "}]),
        AIMessageChunk(content=[{"type": "reasoning_content", "reasoning_content": {"text": "bedrock "}}]),
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": "deepseek"}),
        AIMessageChunk(content=[{"type": "text", "text": "said", "index": 1}]),
    ]
    events = talk(says(*chunks))
    assert events.text(kind="reasoning") == "anthropic openai standard bedrock deepseek"
    assert events.text(kind="text") == "said"
    assert len({event.message for event in events.of(MessageChunk)}) == 1


def test_pieces_of_a_tool_call_carry_its_arguments_as_text() -> None:
    def piece(args: str, **about: Any) -> AIMessageChunk:
        call = {"name": None, "id": None, "args": args, "index": 0, "type": "tool_call_chunk", **about}
        return AIMessageChunk(content="", tool_call_chunks=[call])

    events = talk(says(piece("", name="look", id="call_1"), piece('{"x"'), piece(":1}")))
    first, *rest = events.of(MessageChunk, kind="tool_call")
    assert first.tool_call == {"index": 0, "id": "call_1", "name": "look"}
    assert [event.tool_call for event in rest] == [{"index": 0}, {"index": 0}]
    assert events.text(kind="tool_call") == '{"x":1}'


def test_tool_calls_of_a_whole_message_hold_their_arguments() -> None:
    call = {"name": "look", "args": {"x": 1}, "id": "call_1"}
    events = talk(answers(AIMessage("let me see", tool_calls=[call])))
    text, tool = events.of(MessageChunk)
    assert (text.text, text.last) == ("let me see", False)
    assert orjson.loads(tool.text) == {"x": 1}
    assert tool.tool_call == {"index": 0, "id": "call_1", "name": "look"}
    assert tool.last


def test_a_tool_message_is_a_tool_result() -> None:
    def act(state: Log) -> dict[str, Any]:
        return {"messages": [ToolMessage("42", tool_call_id="call_1", name="look", status="error")]}

    event = play(line(act)).one(MessageChunk)
    assert (event.role, event.kind, event.text, event.name) == ("tool", "tool_result", "42", "look")
    assert event.tool_call == {"id": "call_1", "status": "error"}


def test_usage_is_on_the_chunk_that_brought_it() -> None:
    usage = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    events = talk(says("a", "b", AIMessageChunk(content="", usage_metadata=usage)))
    assert [event.usage for event in events.of(MessageChunk) if event.usage] == [usage]


def test_a_block_of_an_unknown_kind_is_kept_on_one_line() -> None:
    events = talk(says(AIMessageChunk(content=[{"type": "image", "url": "http://x/y.png"}])))
    event = events.one(MessageChunk, kind="other")
    assert orjson.loads(event.text) == {"type": "image", "url": "http://x/y.png"}
    assert event.tool_call is None


def test_a_chunk_without_anything_is_left_out() -> None:
    events = talk(says("", "a", AIMessageChunk(content="", response_metadata={"finish_reason": "stop"})))
    assert [(event.text, event.last) for event in events.of(MessageChunk)] == [("a", False), ("", True)]


def test_messages_of_a_remote_graph_are_objects() -> None:
    metadata = {"langgraph_checkpoint_ns": "n:1", "langgraph_step": 3, "ls_model_type": "chat", "ls_model_name": "m"}
    events = parts(
        ((), "messages", ({"type": "AIMessageChunk", "content": "he", "id": "run-1"}, metadata)),
        ((), "messages", ({"type": "AIMessageChunk", "content": "y", "id": "run-1"}, metadata)),
        ((), "messages", ({"type": "human", "content": "hi", "id": "h"}, {"langgraph_checkpoint_ns": "n:1"})),
    )
    assert events.text(message="run-1", role="ai", node="n", task="1", step=3) == "hey"
    assert events.one(MessageChunk, role="human").whole


def test_a_retried_attempt_is_another_message_of_the_same_task() -> None:
    attempts: list[int] = []

    def flaky(state: Log) -> dict[str, Any]:
        attempts.append(1)
        if len(attempts) == 1:
            says("half", ConnectionError("cut")).invoke("x")
        return {"messages": [says("whole").invoke("x")]}

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    graph = StateGraph(Log).add_node("flaky", flaky, retry_policy=policy).add_edge(START, "flaky").compile()
    events = play(graph, sync=True, spans=True)
    chunks = events.of(MessageChunk)
    assert len({event.message for event in chunks}) == 2
    assert {event.task for event in chunks} == {events.one(TaskStarted).task}
    assert [events.one(SpanEnded, span=span.span).status for span in events.of(SpanStarted, kind="node")] == [
        "error",
        "ok",
    ]


@pytest.mark.parametrize("bind", ["constructor", "with_config", "invoke"])
def test_tags_of_the_node_and_of_the_model_come_together(bind: str) -> None:
    model: Any = says("x", tags=["model"] if bind == "constructor" else None)
    if bind == "with_config":
        model = model.with_config(tags=["model"])
    config = {"tags": ["model"]} if bind == "invoke" else None

    def call(state: Log) -> dict[str, Any]:
        model.invoke("q", config)
        return {}

    graph = StateGraph(Log).add_node("call", call, metadata={"tags": ["node"]}).add_edge(START, "call").compile()
    events = play(graph, sync=True)
    assert all(set(event.tags) == {"model", "node"} for event in events.of(MessageChunk))


def test_tags_of_outer_nodes_and_of_the_run_reach_the_tokens() -> None:
    def call(state: Log) -> dict[str, Any]:
        says("x", tags=["model"]).invoke("q")
        return {}

    graph = StateGraph(Log).add_node("sub", line(call), metadata={"tags": "outer"}).add_edge(START, "sub").compile()
    events = play(graph, sync=True, config={"tags": ["run"]})
    assert all(set(event.tags) == {"model", "outer", "run"} for event in events.of(MessageChunk))


def test_a_child_run_with_its_own_thread_is_decoded_without_a_known_parent() -> None:
    def inner(state: Log) -> dict[str, Any]:
        says("child").invoke("q")
        return {}

    child = line(inner, checkpointer=InMemorySaver())

    def outer(state: Log) -> dict[str, Any]:
        child.invoke({"log": []}, {"configurable": {"thread_id": "own"}})
        return {}

    events = play(line(outer), sync=True)
    assert events.error is None
    assert events.one(TaskEnded, node="outer").error is None
    assert {event.node for event in events.of(MessageChunk)} <= {"inner"}


def test_a_late_timestamp_of_langgraph_plays_no_part() -> None:
    def started(task: str, stamp: str) -> tuple[Any, str, Any]:
        payload = {"id": task, "name": task, "input": None, "triggers": ()}
        return (), "debug", {"step": 1, "timestamp": stamp, "type": "task", "payload": payload}

    events = parts(started("b", "2030-01-01T00:00:00+00:00"), started("a", "2020-01-01T00:00:00+00:00"))
    assert [(event.task, event.at) for event in events.of(TaskStarted)] == [("b", 0.0), ("a", 0.0)]


# ── spans ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_spans_tell_the_attempt_the_call_and_the_tool_inside_of_each_other() -> None:
    from langchain_core.tools import tool

    @tool
    def look(place: str) -> str:
        """Look."""
        return f"nothing in {place}"

    def work(state: Log) -> dict[str, Any]:
        says("x", AIMessageChunk(content="", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
             ).invoke("question")  # fmt: skip
        look.invoke({"place": "here"})
        return {}

    events = play(line(work), sync=True, spans=True)
    attempt, llm, used = events.of(SpanStarted)
    assert [(event.kind, event.name) for event in (attempt, used)] == [("node", "work"), ("tool", "look")]
    assert {event.task for event in (attempt, llm, used)} == {events.one(TaskStarted).task}
    assert (llm.kind, llm.model, llm.parent, used.parent) == ("llm", "script-1", attempt.span, attempt.span)
    assert llm.input[0]["fields"]["content"] == "question"
    usage = events.one(SpanEnded, span=llm.span).usage
    assert usage is not None
    assert usage["output_tokens"] == 2
    assert used.input == {"place": "here"}
    assert "nothing in here" in str(events.one(SpanEnded, span=used.span).output)


def test_an_interrupt_is_no_failed_attempt() -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("?")]}

    events = play(line(ask, checkpointer=InMemorySaver()), sync=SYNC, spans=True)
    assert events.one(SpanEnded).status == "ok"


@pytest.mark.parametrize("sync", [True, False])
def test_an_agent_of_the_nodes_own_name_deep_in_its_node_is_no_second_attempt(sync: bool) -> None:
    agent = StateGraph(Log).add_node("inner", node).add_edge(START, "inner").compile(name="expert")
    within = RunnableLambda(agent.invoke, agent.ainvoke).with_config(run_name="call_agent")

    async def later(state: Log, config: RunnableConfig) -> Any:
        return await within.ainvoke(state, config)

    expert = RunnableLambda(lambda state, config: within.invoke(state, config), later)
    graph = StateGraph(Log).add_node("expert", expert).add_edge(START, "expert").compile()
    events = play(graph, sync=sync, spans=True)
    assert [event.name for event in events.of(SpanStarted, kind="node")] == ["expert", "inner"]


def test_each_attempt_of_a_functional_task_has_a_span() -> None:
    calls: list[int] = []

    @task(retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    def flaky(number: int) -> int:
        calls.append(number)
        if len(calls) == 1:
            raise ConnectionError("cut")
        return number

    @entrypoint()
    def flow(number: int) -> int:
        return flaky(number).result()

    events = play(flow, 1, sync=SYNC, spans=True)
    attempts = events.of(SpanStarted, kind="node", name="flaky")
    assert [events.one(SpanEnded, span=event.span).status for event in attempts] == ["error", "ok"]
    assert {event.task for event in attempts} == {events.one(TaskStarted, node="flaky").task}


def test_a_loop_that_ends_by_itself_counts_each_visit() -> None:
    graph = StateGraph(Log).add_node("node", node).add_edge(START, "node")
    graph.add_conditional_edges("node", lambda state: END if len(state["log"]) > 2 else "node")
    events = play(graph.compile(), spans=True)
    assert len({event.task for event in events.of(TaskStarted)}) == 3
    assert len(events.of(SpanStarted, kind="node")) == 3

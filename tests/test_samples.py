"""The sample graphs, run as plain LangGraph: each does what its docstring promises."""

import ast
import asyncio
import importlib
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.errors import GraphRecursionError
from langgraph.types import Command

from sample_graphs import scripted
from sample_graphs.scripted import Reply, ScriptedChatModel, chat_model

FOLDER = Path(scripted.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "scripted"))
MODES = ["updates", "messages", "custom", "debug"]
ASYNC_ONLY = {"joke_and_poem", "map_reduce"}
# Python 3.10 cannot carry a stream writer or an interrupt into a task: LangGraph needs `stream` there.
WAYS = [
    pytest.param(name, way, id=f"{name}-{way}")
    for name in NAMES
    for way in ("astream", "stream")
    if (way == "astream" and (name in ASYNC_ONLY or sys.version_info >= (3, 11)))
    or (way == "stream" and name not in ASYNC_ONLY)
]
WAY = "astream" if sys.version_info >= (3, 11) else "stream"


@pytest.fixture(autouse=True)
def offline_without_pauses(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LGWATCH_SAMPLE_PACE", "0")


def sample(name: str) -> Any:
    return importlib.import_module(f"sample_graphs.{name}")


@dataclass
class Watched:
    """What a run streamed, and how it ended."""

    parts: list[tuple[tuple[str, ...], str, Any]] = field(default_factory=list)
    error: BaseException | None = None

    def of(self, mode: str) -> list[Any]:
        return [payload for _, part, payload in self.parts if part == mode]

    @property
    def chunks(self) -> list[tuple[AIMessageChunk, dict]]:
        return [(message, data) for message, data in self.of("messages") if isinstance(message, AIMessageChunk)]

    @property
    def tags(self) -> set[str]:
        return {tag for _, data in self.chunks for tag in data.get("tags", ())}

    @property
    def spoken(self) -> list[tuple[str, str]]:
        """The text of each LLM call with its tag, in no order: what two runs of one script have in common."""
        calls: dict[str, list[str]] = {}
        tags: dict[str, str] = {}
        for message, data in self.chunks:
            calls.setdefault(message.id, []).append(message.text)
            tags[message.id] = "+".join(data["tags"])
        return sorted((tags[call], "".join(texts)) for call, texts in calls.items())

    @property
    def tasks(self) -> list[dict]:
        return [event | event["payload"] for event in self.of("debug") if event["type"] == "task"]

    @property
    def interrupts(self) -> list[Any]:
        return [one.value for update in self.of("updates") for one in update.get("__interrupt__", ())]

    @property
    def state(self) -> dict:
        """What the root's nodes wrote, the last write of a key; messages in a list."""
        merged: dict[str, Any] = {}
        for ns, mode, payload in self.parts:
            if ns or mode != "updates":
                continue
            for writes in payload.values():
                if isinstance(writes, dict):
                    messages = [*merged.get("messages", []), *writes.get("messages", [])]
                    merged |= writes | ({"messages": messages} if messages else {})
        return merged


async def watch(name: str, way: str = "", value: Any = None, thread: str = "1", limit: int = 100) -> Watched:
    module = sample(name)
    way = way or ("astream" if name in ASYNC_ONLY else WAY)
    value = module.EXAMPLE if value is None else value
    config = {"configurable": {"thread_id": thread}, "recursion_limit": limit}
    watched = Watched()

    def run() -> None:
        for part in module.graph.stream(value, config, stream_mode=MODES, subgraphs=True):
            watched.parts.append(part)

    try:
        if way == "stream":
            await asyncio.to_thread(run)
        else:
            async for part in module.graph.astream(value, config, stream_mode=MODES, subgraphs=True):
                watched.parts.append(part)
    except Exception as error:
        watched.error = error
    return watched


# ── All of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_a_first_set():
    assert {"approval", "endless", "flaky", "joke_and_poem", "map_reduce", "noisy", "raw_client", "research"} < set(
        NAMES
    )
    assert {"supervisor", "tool_agent"} < set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_says_what_to_look_at_and_has_a_literal_example(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert "Look at" in (ast.get_docstring(tree) or "")
    assert ast.literal_eval(assigned["EXAMPLE"]) == sample(name).EXAMPLE
    assert "graph" in assigned


@pytest.mark.parametrize("name", [*NAMES, "scripted"])
def test_a_sample_needs_only_langgraph_and_langchain_openai(name):
    imported = set()
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").split(".")[0])
    brought = {"langgraph", "langchain_core", "langchain_openai", "openai", "typing_extensions"}
    assert imported - set(sys.stdlib_module_names) <= brought


@pytest.mark.parametrize("name", NAMES)
def test_the_example_fits_the_input_schema(name):
    schema = sample(name).graph.get_input_jsonschema()
    assert set(sample(name).EXAMPLE) <= set(schema["properties"])
    # What is asked for is what is needed: an input composer names these keys.
    needed = set(sample(name).EXAMPLE) - ({"rounds", "messages"})
    assert set(schema.get("required", ())) >= needed
    assert set(schema.get("required", ())) <= set(sample(name).EXAMPLE)


@pytest.mark.filterwarnings("ignore:this set was made")
@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_sample_ends_as_it_promises(name, way):
    watched = await watch(name, way, thread=f"ends-{way}")
    ends = {"flaky": "PaymentDeclinedError", "endless": "GraphRecursionError"}
    assert (type(watched.error).__name__ if watched.error else None) == ends.get(name)
    assert bool(watched.interrupts) == (name == "approval")
    assert watched.tasks


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("endless", "noisy")])
async def test_twenty_runs_at_once_say_the_same(name):
    runs = await asyncio.gather(*(watch(name, thread=f"at-once-{number}") for number in range(20)))
    alone = await watch(name, thread="alone")
    for run in runs:
        assert type(run.error) is type(alone.error)
        assert run.spoken == alone.spoken
        assert Counter(map(repr, run.of("custom"))) == Counter(map(repr, alone.of("custom")))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("endless", "noisy", "raw_client")])
async def test_every_call_that_ends_reports_its_model_and_usage(name):
    watched = await watch(name, thread="usage")
    calls: dict[str, AIMessageChunk] = {}
    for message, data in watched.chunks:
        assert data["ls_model_name"].startswith("offline-")
        calls[message.id] = calls[message.id] + message if message.id in calls else message
    ended = [call for call in calls.values() if call.chunk_position == "last"]
    assert ended
    for call in ended:
        assert call.usage_metadata["input_tokens"] > 0
        assert call.usage_metadata["output_tokens"] > 0
        assert call.response_metadata["model_name"].startswith("offline-")


# ── One by one ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_joke_and_poem_are_written_at_the_same_time():
    watched = await watch("joke_and_poem")
    assert watched.tags == {"joke", "poem", "editor"}
    tags = [data["tags"][0] for message, data in watched.chunks if message.text]
    last_joke = len(tags) - 1 - tags[::-1].index("joke")
    assert tags.index("poem") < last_joke
    assert tags.index("joke") < len(tags) - 1 - tags[::-1].index("poem")
    assert tags.index("editor") > last_joke
    page = watched.state["page"]
    assert page.endswith(f"{watched.state['joke']}\n\n{watched.state['poem']}")


async def test_the_agents_tools_report_progress_and_answer():
    watched = await watch("tool_agent")
    pieces = [part for message, _ in watched.chunks for part in message.tool_call_chunks]
    assert [part["name"] for part in pieces if part["name"]] == ["forecast", "opening_hours"]
    assert len(pieces) > 10
    assert {event["tool"] for event in watched.of("custom")} == {"forecast", "opening_hours"}
    results = [message for message, _ in watched.of("messages") if isinstance(message, ToolMessage)]
    assert {message.name for message in results} == {"forecast", "opening_hours"}
    assert {message.status for message in results} == {"success"}
    assert [task["name"] for task in watched.tasks] == ["agent", "tools", "agent"]


async def test_the_supervisor_sends_work_into_two_subgraphs():
    watched = await watch("supervisor")
    root = [payload for ns, mode, payload in watched.parts if mode == "debug" and not ns and payload["type"] == "task"]
    assert [event["payload"]["name"] for event in root] == [
        "supervisor", "researcher", "supervisor", "writer", "supervisor",
    ]  # fmt: skip
    inside = {(ns[0].split(":")[0], data["langgraph_node"]) for ns, mode, (_, data) in (
        part for part in watched.parts if part[1] == "messages") if ns}  # fmt: skip
    assert inside == {("researcher", "leads"), ("researcher", "check"), ("writer", "draft"), ("writer", "polish")}


async def test_map_reduce_drafts_eight_sections_in_one_step_and_keeps_their_order():
    watched = await watch("map_reduce")
    drafts = [task for task in watched.tasks if task["name"] == "draft"]
    assert len(drafts) == 8
    assert len({task["step"] for task in drafts}) == 1
    essay = watched.state["essay"]
    places = [essay.index(f"{title}. {text}") for title, text in sample("map_reduce").SECTIONS.items()]
    assert places == sorted(places)


async def test_a_raw_clients_tokens_travel_as_custom_events_only():
    watched = await watch("raw_client")
    tokens = [event["token"] for event in watched.of("custom") if "token" in event]
    assert len(tokens) > 20
    assert "".join(tokens) == sample("raw_client").TEXT == watched.state["scene"]
    assert watched.of("messages") == []


async def test_flaky_recovers_once_and_then_fails_for_good():
    watched = await watch("flaky")
    assert [event["attempt"] for event in watched.of("custom") if "asking" in event] == [1, 2]
    assert [event["attempt"] for event in watched.of("custom") if event.get("bank") == "debit"] == [1, 2]
    assert watched.spoken[0][1].startswith("Rates of this morning: 1 EUR is 1.08")
    assert len(watched.spoken) == 2
    assert type(watched.error).__name__ == "PaymentDeclinedError"
    assert "2026-0417" in str(watched.error)
    assert "receipt" not in watched.state


async def test_noisy_speaks_on_every_channel(capfd, caplog):
    with caplog.at_level(logging.INFO), pytest.warns(UserWarning, match="220 volts"):
        await watch("noisy")
    out, err = capfd.readouterr()
    assert "Setting the table for 3." in out
    assert "pip, pip, pip, peep" in out
    assert "North Utsire" in err
    assert {record.levelname for record in caplog.records if record.name == "house"} == {"INFO", "WARNING", "ERROR"}


async def test_endless_goes_on_until_it_is_cut_and_its_state_stays_small():
    watched = await watch("endless", limit=60)
    assert isinstance(watched.error, GraphRecursionError)
    assert [event["round"] for event in watched.of("custom")] == list(range(1, 31))
    assert set(watched.state) == {"rounds", "sky"}
    assert sample("endless").graph.config["recursion_limit"] > 1_000_000


async def test_approval_asks_with_the_draft_and_sends_it_when_approved():
    asked = await watch("approval", thread="approve")
    assert asked.interrupts[0]["draft"].startswith("Subject: The heating")
    answered = await watch("approval", value=Command(resume="approve"), thread="approve")
    assert [event["letter"] for event in answered.of("custom")] == ["signed", "sealed", "delivered"]
    assert answered.state["sent"] == 1


async def test_approval_tears_up_a_rejected_letter():
    await watch("approval", thread="reject")
    answered = await watch("approval", value=Command(resume="reject"), thread="reject")
    assert answered.of("custom") == []
    assert "Torn up" in answered.state["messages"][-1].text


async def test_approval_writes_again_on_a_wish_and_asks_again():
    first = await watch("approval", thread="wish")
    second = await watch("approval", value=Command(resume="shorter, no jokes"), thread="wish")
    assert second.interrupts[0]["draft"] != first.interrupts[0]["draft"]
    assert "blankets" not in second.interrupts[0]["draft"]


async def test_approval_sends_an_edited_text_and_the_thread_goes_on():
    await watch("approval", thread="edit")
    sent = await watch("approval", value=Command(resume={"edit": "Dear M., it is cold. Yours"}), thread="edit")
    assert sent.state["draft"] == "Dear M., it is cold. Yours"
    more = {"messages": [{"role": "user", "content": "Now thank him, please."}]}
    assert (await watch("approval", value=more, thread="edit")).interrupts
    again = await watch("approval", value=Command(resume="approve"), thread="edit")
    assert again.state["sent"] == 2


async def test_research_plans_searches_retries_reconsiders_and_reports():
    watched = await watch("research")
    assert watched.tags == {"planner", "search", "critic", "writer"}
    blocks = [block for message, _ in watched.chunks for block in message.content_blocks]
    assert any(block["type"] == "reasoning" for block in blocks)
    assert [part["name"] for message, _ in watched.chunks for part in message.tool_call_chunks].count("web_search") == 6
    phases = Counter(event["phase"] for event in watched.of("custom"))
    assert set(phases) == {"plan", "search", "read", "critique", "write"}
    assert phases["plan"] == 4
    assert phases["critique"] == 2
    module = sample("research")
    told = [
        finding["text"]
        for event in watched.of("updates")
        for finding in (event.get("research") or {}).get("findings", ())
    ]
    assert sorted(told) == sorted(source["finding"] for source in module.SOURCES.values())
    reads = [text for tag, text in watched.spoken if tag == "search" and text]
    assert len(reads) == 7
    assert "The trades blow from the east," in reads
    assert watched.state["report"] == module.REPORT
    assert phases["write"] == module.REPORT.count("#\N{SPACE}")


# ── The model that plays a script ────────────────────────────────────────────────────────────────────────────────────


@given(st.text())
def test_pieces_join_to_the_text(text):
    assert "".join(scripted.pieces(text)) == text


@tool
def look_up(word: str, times: int) -> str:
    """Look a word up."""
    return word * times


REPLIES = [
    "A plain sentence, with a comma.",
    Reply("The answer.", reasoning="Let me think about it."),
    Reply("One moment.", calls=[("look_up", {"word": 'ärger "x"', "times": 2}), ("look_up", {"word": "b", "times": 1})]),
    Reply(calls=[("look_up", {"word": "only a call", "times": 1})]),
    Reply(reasoning="Hm.", calls=[("look_up", {"word": "thought", "times": 1})]),
]  # fmt: skip


@pytest.mark.parametrize("reply", REPLIES)
async def test_a_reply_is_the_same_streamed_or_whole_sync_or_async(reply):
    model = ScriptedChatModel(script=reply).bind_tools([look_up])
    chunks = list(model.stream("Say it."))
    streamed = chunks[0]
    for chunk in chunks[1:]:
        streamed = streamed + chunk
    whole: list[BaseMessage] = [
        streamed,
        model.invoke("Say it."),
        await model.ainvoke("Say it."),
    ]
    expected = Reply(reply) if isinstance(reply, str) else reply
    for message in whole:
        assert isinstance(message, AIMessage)
        assert message.text == expected.text
        assert [(call["name"], call["args"]) for call in message.tool_calls] == list(expected.calls)
        assert message.usage_metadata == whole[0].usage_metadata
        thoughts = [block["reasoning"] for block in message.content_blocks if block["type"] == "reasoning"]
        assert thoughts == ([expected.reasoning] if expected.reasoning else [])
    assert [chunk.chunk_position for chunk in chunks].index("last") == len(chunks) - 1
    assert "".join([chunk.text async for chunk in model.astream("Say it.")]) == expected.text


def test_a_script_may_answer_the_messages():
    model = chat_model(lambda messages: f"You said {messages[-1].text!r}.")
    assert model.invoke([HumanMessage("hello")]).text == "You said 'hello'."


def test_a_reply_that_fails_says_its_text_first():
    half = Reply("Half a sen", fails=ConnectionError("hung up"))
    heard: list[str] = []
    with pytest.raises(ConnectionError, match="hung up"):
        heard.extend(chunk.text for chunk in chat_model(half).stream("Well?"))
    assert "".join(heard) == "Half a sen"


def test_pace_is_a_factor_on_every_pause(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    def total(pace: str) -> float:
        slept.clear()
        monkeypatch.setenv("LGWATCH_SAMPLE_PACE", pace)
        chat_model("Nine words are enough to hear a rhythm, surely.", rate=50).invoke("Go.")
        scripted.pause(1)
        return sum(slept)

    assert total("0") == 0
    assert total("1") > 1
    assert total("2") == pytest.approx(2 * total("1"))


def test_with_an_endpoint_in_the_environment_every_sample_still_loads():
    code = "import importlib, sys; [importlib.import_module(f'sample_graphs.{name}') for name in sys.argv[1:]]"
    environment = os.environ | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "PYTHONPATH": str(FOLDER.parent)}
    subprocess.run([sys.executable, "-c", code, *NAMES], env=environment, check=True, timeout=60)


@pytest.mark.parametrize("given_by", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_with_an_endpoint_in_the_environment_the_model_is_chat_openai(monkeypatch, given_by):
    from langchain_openai import ChatOpenAI

    monkeypatch.setenv(given_by, "http://127.0.0.1:9/v1")
    model = chat_model("Nobody plays this.", tags=["joke"], name="joker")
    assert isinstance(model, ChatOpenAI)
    assert (model.model_name, model.stream_usage, model.tags, model.name) == ("gpt-4o-mini", True, ["joke"], "joker")
    monkeypatch.setenv("OPENAI_MODEL", "llama-3")
    assert chat_model("Nor this.").model_name == "llama-3"  # type: ignore[attr-defined]

"""Agents as people build them, run by the driver against a real server: what the journal tells is how they are built."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lgwatch
from lgwatch.events import Event, Interrupted, Json, Notice, RunEnded
from lgwatch.journal import JournalReader, JournalWriter
from lgwatch.records import Task
from lgwatch.review import decided
from lgwatch.runner.console import Console
from lgwatch.runner.driver import Driver
from lgwatch.session import Session
from lgwatch.tui.app import WatchApp
from tests.agents import customer, essay, refunds, swarm, threads
from tests.corpus import Case
from tests.endpoint import Endpoint
from tests.truth import truth
from tests.tui.stage import Filed, drawn, pane_text
from tests.versions import lacking

OLD_PYTHON = sys.version_info < (3, 11)


class Agent:
    """A graph in the hands of the driver, and the session of what its journal tells."""

    def __init__(self, driver: Driver, path: Path, endpoint: Endpoint) -> None:
        self.path = path
        self.session = Session()
        self.events: list[Event] = []
        self.endpoint = endpoint
        self.commands: asyncio.Queue[dict[str, Json] | None] = asyncio.Queue()
        self._reader = JournalReader(path)
        self._serving = asyncio.create_task(driver.serve(self.commands))

    async def run(self, given: Json, **more: Json) -> None:
        """Run it, on the same thread each time, until it ends or asks."""
        await self._go({"command": "start", "thread": "1", "input": given, **more})

    async def say(self, text: str) -> None:
        await self.run({"messages": [{"role": "user", "content": text}]})

    async def answer(self, value: Json) -> None:
        """Answer everything that waits with the same value, or with what the value makes of the question."""
        asked = {event.interrupt: event.value for event in lgwatch.events(self.path) if isinstance(event, Interrupted)}
        answers = {one.id: value(asked[one.id]) if callable(value) else value for one in self.session.waiting}
        await self._go({"command": "resume", "answers": answers})

    async def _go(self, command: dict[str, Json]) -> None:
        number = len(self.session.runs) + 1
        self.commands.put_nowait({**command, "run": f"r{number}"})
        while len(self.session.runs) < number or self.session.status == "running":
            assert not self._serving.done()
            self.take()
            await asyncio.sleep(0.005)

    def take(self) -> None:
        for event in self._reader.read():
            self.events.append(event)
            self.session.apply(event)

    async def close(self) -> None:
        self.commands.put_nowait(None)
        await self._serving
        self.take()
        self._reader.close()

    # ── what was told, in few words ──────────────────────────────────────────────────────────────────────────────────

    def tree(self, run: int = -1) -> list[str]:
        """The tasks of a run, each set in below the one that it is in, in the order in which they were scheduled."""
        lines: list[str] = []

        def add(task: Task) -> None:
            lines.append("  " * task.depth + task.node + ("" if task.status == "done" else f" ({task.status})"))
            for child in task.children:
                add(child)

        for task in self.session.runs[run].tasks.values():
            if task.parent is None:
                add(task)
        return lines

    @property
    def said(self) -> list[tuple[str, str]]:
        """Who said what: the messages that have a text, with the path of their node."""
        return [(message.path, message.text) for message in self.session.message_list if message.text]

    @property
    def calls(self) -> dict[str, tuple[str, str, str]]:
        """The tool calls by id: tool, arguments, and the result that came for them."""
        found: dict[str, tuple[str, str, str]] = {}
        for message in self.session.message_list:
            for part in message.parts:
                call = part.tool_call or {}
                if part.kind == "tool_call":
                    found[call["id"]] = (call["name"], part.text, "")
                elif part.kind == "tool_result":
                    found[call["id"]] = (*found[call["id"]][:2], part.text)
        return found

    @property
    def notices(self) -> set[str]:
        return {event.code for event in self.events if isinstance(event, Notice)}

    def tools(self, *names: str) -> list[str]:
        """The results of the calls of these tools, in the order of the calls."""
        return [result for name, _, result in self.calls.values() if name in names]


Watch = Callable[..., Any]


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    @asynccontextmanager
    async def watch(name: str, attr: str = "graph") -> AsyncIterator[Agent]:
        module = importlib.import_module(f"tests.agents.{name}")
        with Endpoint(module.answer) as endpoint:
            for key, value in endpoint.env.items():
                monkeypatch.setenv(key, value)
            path = tmp_path / f"{name}.jsonl"
            journal = JournalWriter(path, target=name)
            driver = Driver(journal, Console(journal.append))
            await driver.load(getattr(module, attr), name)
            agent = Agent(driver, path, endpoint)
            yield agent
            await agent.close()
            assert not agent.notices & {"internal", "close"}, agent.events

    return watch


# ── A prebuilt agent: middleware, and a person who is asked ──────────────────────────────────────────────────────────

BEFORE = ["greet.before_model", "ModelCallLimitMiddleware.before_model", "model"]
AFTER = ["HumanInTheLoopMiddleware.after_model", "ModelCallLimitMiddleware.after_model"]


async def test_an_agent_with_middleware_is_told_node_by_node_and_asks_before_it_acts(watch: Watch) -> None:
    async with watch("refunds") as agent:
        await agent.say("I want my money back.")
        asks = f"{AFTER[0]} (interrupted)"
        assert agent.tree() == [*BEFORE, *AFTER, "tools", "tools", *BEFORE, asks]
        (asked,) = [event for event in lgwatch.events(agent.path) if isinstance(event, Interrupted)]
        assert [(one["name"], one["args"]["amount"]) for one in asked.value["action_requests"]] == [("refund", 400)]

        await agent.answer({"decisions": [{"type": "approve"}]})
        assert agent.session.status == "done"
        assert agent.tree() == [*AFTER, "tools", *BEFORE, *AFTER]
        assert [result for _, _, result in agent.calls.values()] == [
            "Ann has bought a bicycle for 400 EUR", "Bob has bought a bicycle for 400 EUR", "400 EUR given back to Ann",
        ]  # fmt: skip
        assert agent.said == [("model", "Let me see."), ("model", "This is what happened: 400 EUR given back to Ann.")]


async def test_a_refused_tool_call_is_answered_by_the_person_and_no_tool_runs(watch: Watch) -> None:
    async with watch("refunds") as agent:
        await agent.say("I want my money back.")
        await agent.answer({"decisions": [{"type": "reject", "message": "Not without a receipt."}]})
        assert "tools" not in agent.tree()
        assert "Not without a receipt." in agent.said[-1][1]


# ── Several agents ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
async def test_a_supervisors_agents_are_nested_under_the_nodes_that_run_them(watch: Watch) -> None:
    async with watch("company") as agent:
        await agent.say("How many people work here?")
        supervisor = ["supervisor", "  agent", "  tools"]
        worker = ["  model", "  tools", "  model"]
        assert agent.tree() == [*supervisor, "library", *worker, *supervisor, "maths", *worker, "supervisor", "  agent"]
        # The handoff leaves its graph by an exception, and LangGraph tells of no result: it ends with its parent.
        handoffs = [task for task in agent.session.tasks() if task.path == "supervisor/tools"]
        assert [(task.status, task.closed_by) for task in handoffs] == [("done", "parent")] * 2
        assert agent.tools("search", "add") == ["The north has 67000 people, the south 164000.", "231000"]
        assert agent.said == [
            ("supervisor/agent", "First the facts."),
            ("library/model", "The north has 67000 people, the south 164000."),
            ("library", "Transferring back to supervisor"),
            ("maths/model", "231000"),
            ("maths", "Transferring back to supervisor"),
            ("supervisor/agent", "231000 people."),
        ]


async def test_a_swarm_hands_over_and_its_thread_remembers_to_whom(watch: Watch) -> None:
    async with watch("swarm") as agent:
        await agent.say("Let me speak to Bob.")
        assert agent.tree() == ["Alice", "  model", "  tools", "Bob", "  model"]
        await agent.say("Are you still there?")
        assert agent.tree() == ["Bob", "  model"]
        assert agent.said == [("Bob/model", "Ahoy! You are Bob.")] * 2


async def test_agents_that_are_made_while_a_deep_agent_runs_are_told_apart(watch: Watch) -> None:
    pytest.importorskip("deepagents", reason="it needs Python 3.11")
    async with watch("deep") as agent:
        await agent.say("Write about bread and cheese.")
        first, *searching = ["PatchToolCallsMiddleware.before_agent", "model", "tools", "model"]
        made = ["tools", *(f"  {node}" for node in (first, *searching))]
        reading = ["tools", f"  {first}", "  model"]
        tree = [line for line in agent.tree() if "Notifier" not in line]
        assert tree == [first, "model", *made, *made, "model", *reading, "model"]
        made_by = {task.parent.id: task.via for task in agent.session.tasks() if task.parent}
        assert list(made_by.values()) == ["general-purpose", "general-purpose", "critic"]
        assert agent.tools("task") == ["Found: All about bread.", "Found: All about cheese.", "It is too short."]
        # What an agent found is what its own model said last, in the task of the call that made it.
        for topic in ("bread", "cheese"):
            (found,) = [
                one
                for one in agent.session.message_list
                if one.role == "ai" and one.text == f"Found: All about {topic}."
            ]
            (asked,) = [
                one
                for one in agent.session.message_list
                if one.tools == ("search",) and one.ns == found.ns and one.role == "ai"
            ]
            assert json.loads(asked.parts[0].text) == {"query": topic}


async def test_agents_that_are_made_side_by_side_ask_each_for_itself(watch: Watch) -> None:
    pytest.importorskip("deepagents", reason="it needs Python 3.11")
    async with watch("deep", "asking") as agent:
        await agent.say("Write about bread and cheese.")
        asks = [agent.session.task(one.task) for one in agent.session.waiting]
        assert [(task.path, task.via) for task in asks] == [
            ("tools/HumanInTheLoopMiddleware.after_model", "general-purpose"),
        ] * 2  # fmt: skip
        assert asks[0].parent is not asks[1].parent

        await agent.answer(lambda asked: decided("approve" if "bread" in str(asked) else "reject: no cheese", asked))
        assert agent.session.status == "done"
        bread, cheese = sorted(agent.tools("search"))  # whoever was the first to ask
        assert bread == "All about bread."
        assert "no cheese" in cheese
        assert agent.tools("task")[0] == "Found: All about bread."


# ── Functions, databases, other processes ────────────────────────────────────────────────────────────────────────────


async def test_a_workflows_tasks_are_run_once_and_looked_up_after_the_answer(watch: Watch) -> None:
    async with watch("essay") as agent:
        await agent.run(["cats", "dogs"])
        ran = Counter(task.node for task in agent.session.tasks())
        assert ran == {"graph": 1, "write": 2, "title": 2}
        assert {task.status for task in agent.session.tasks() if task.node != "graph"} == {"done"}
        assert [message.path for message in agent.session.message_list] == ["write", "write"]

        await agent.answer("The end.")
        assert sorted(agent.tree()) == ["graph", "write (cached)", "write (cached)"]
        assert len(agent.endpoint.asked) == 2
        (result,) = [event for event in agent.events if isinstance(event, RunEnded) and event.run == "r2"]
        assert result.output == "Cats: A text on cats.\nDogs: A text on dogs.\nThe end."


@pytest.mark.parametrize("saver", ["sync", "asynchronous"])
async def test_a_thread_in_a_database_goes_on_where_it_was(watch: Watch, saver: str) -> None:
    async with watch("threads", saver) as agent:
        await agent.say("Hello.")
        await agent.say("And again.")
        assert agent.said == [("reply", "That was message 1."), ("reply", "That was message 3.")]
        assert [checkpoint.run for checkpoint in agent.session.checkpoints] == ["r1"] * 3 + ["r2"] * 3
        assert agent.notices <= {"python", "sync"}


async def test_the_tools_of_another_process_are_tools_and_their_failures_are_results(watch: Watch) -> None:
    async with watch("customer") as agent:
        await agent.say("What does it cost?")
        assert agent.tree() == ["model", "tools", "tools", "model"]
        spans = [span for task in agent.session.tasks() for span in task.spans if span.kind == "tool"]
        assert [(span.name, span.status) for span in spans] == [("price", "ok")] * 2
        price, error = agent.tools("price")
        assert price == "400 EUR"
        assert "there is no moon here" in error


# ── All of them ──────────────────────────────────────────────────────────────────────────────────────────────────────

YES = {"decisions": [{"type": "approve"}]}
CHAT = {"messages": [{"role": "user", "content": "Well?"}]}
ACCOUNTS = {
    "refunds": Case("refunds", "", refunds.graph, CHAT, answers=[YES]),
    "swarm": Case("swarm", "", swarm.graph, CHAT),
    "essay": Case("essay", "", lambda: essay.graph, ["cats"], answers=["The end."]),
    "sync": Case("threads", "", threads.sync, CHAT, sync=True),
    "asynchronous": Case("threads", "", threads.asynchronous, CHAT),
    "customer": Case("customer", "", customer.graph, CHAT, needs=("async context",)),  # its tools are asynchronous
}


@pytest.mark.parametrize("name", [*ACCOUNTS, "deep"])
def test_an_agents_journal_tells_what_happens_without_lgwatch(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    if name == "deep":
        pytest.importorskip("deepagents", reason="it needs Python 3.11")
        deep = importlib.import_module("tests.agents.deep")
        case = Case("deep", "", deep.asking, CHAT, answers=[YES])
    else:
        case = ACCOUNTS[name]
    if missing := lacking(*case.needs):
        pytest.skip(missing)
    case = replace(case, sync=case.sync or OLD_PYTHON)
    with Endpoint(importlib.import_module(f"tests.agents.{case.name}").answer) as endpoint:
        for key, value in endpoint.env.items():
            monkeypatch.setenv(key, value)
        found = asyncio.run(truth(case, tmp_path / "run.jsonl"))
    assert not found.comparison.differences
    assert found.told["runs"][-1]["status"] == "done"


# ── On the screen ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_screen_shows_who_works_for_whom_and_each_result_under_its_call(watch: Watch) -> None:
    pytest.importorskip("deepagents", reason="it needs Python 3.11")
    async with watch("deep") as agent:
        await agent.say("Write about bread and cheese.")
    app = WatchApp(Filed(agent.path))
    async with app.run_test(size=(160, 120)) as pilot:
        app.pane("nodes").wanted = "list"
        await drawn(pilot)
        nodes, tokens = pane_text(app, "nodes"), pane_text(app, "tokens")
    assert nodes.count("tools ⚙ general-purpose") == 2
    assert "critic" in nodes
    for topic in ("bread", "cheese"):
        called = tokens.index(f'"{topic}"')
        assert called < tokens.index(f"→ Found: All about {topic}.")

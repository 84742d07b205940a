"""Graphs that talk to a model over real HTTP, by the client that most of them use: what is told of it is what was said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import convert_to_messages

import lgwatch
from lgwatch.events import CustomWritten, error_text
from lgwatch.filter import Filter
from lgwatch.headless import ExitCode, watch
from lgwatch.live import LiveRun
from lgwatch.records import SILENCE, Message, Span, Task
from lgwatch.samples import find, samples
from lgwatch.session import Session
from lgwatch.sources import RunRequest
from sample_graphs import approval, joke_and_poem, map_reduce, raw_client, supervisor, tool_agent
from sample_graphs import research as desk
from sample_graphs.scripted import Script
from tests.endpoint import Answer, Endpoint, Refusal, Request
from tests.live import ROOT, Watched, eventually, launch, live

Answers = Callable[[Request], "str | Answer | Refusal"]

# ── Every sample, as a person runs it ────────────────────────────────────────────────────────────────────────────────


def by_question(**scripts: Script) -> Answers:
    """Answer as a sample's own script does, which one goes by the question's first word; `_` is for all others."""

    def answer(request: Request) -> Answer:
        script = scripts.get(request.last.partition(" ")[0], scripts.get("_", ""))
        said = script(convert_to_messages(request.messages)) if callable(script) else script
        return Answer(said) if isinstance(said, str) else Answer(said.text, said.reasoning, said.calls)

    return answer


def rates(request: Request) -> Answer:
    """Hang up on the first who asks."""
    text = "Rates of this morning: 1 EUR is 1.0842 USD, 0.8391 GBP, 169.20 JPY."
    return Answer(text, fault="hangs up", after=6) if request.number == 1 else Answer(text)


def busy(request: Request) -> Answer | Refusal:
    """Refuse one of the questions of the research desk once: it came too fast."""
    question = desk.SOURCES["winds"]["question"]
    if request.last.startswith("Answer") and question in request.last and not request.retry:
        return Refusal(429, "Rate limit reached for requests", "rate_limit_exceeded", retry_after=0.1)
    scripts: dict[str, Script] = {
        "List": desk.numbered(desk.FIRST_ROUND), "Answer": lambda messages: desk.about(messages)["finding"],
        "What": desk.judged, "Write": desk.REPORT,
    }  # fmt: skip
    return by_question(**scripts, _=desk.searched)(request)


SCRIPTS: dict[str, Answers] = {
    "approval": by_question(_=approval.written),
    "endless": by_question(),
    "flaky": rates,
    "joke_and_poem": by_question(Tell=joke_and_poem.JOKE, Write=joke_and_poem.POEM, Introduce=joke_and_poem.EDITOR),
    "map_reduce": by_question(
        List="\n".join(f"{number}. {title}" for number, title in enumerate(map_reduce.SECTIONS, 1)),
        _=map_reduce.drafted,
    ),
    "noisy": by_question(),
    "raw_client": by_question(Describe=raw_client.TEXT),
    "research": busy,
    "supervisor": by_question(
        List=supervisor.LEADS, Which=supervisor.FACTS, Write=supervisor.DRAFT, Half=supervisor.POLISHED,
        _=supervisor.decide,
    ),
    "tool_agent": by_question(_=tool_agent.script),
}  # fmt: skip
CALLS = {
    "approval": 1,
    "flaky": 2,
    "joke_and_poem": 3,
    "map_reduce": 10,
    "research": 16,
    "supervisor": 7,
    "tool_agent": 2,
}
"""Calls of a model that a run of the sample makes; the others have none that LangChain knows of."""
LIMITS = {"endless": 12}
ANSWERS = {"approval": ["approve"]}
ENDS = {"flaky": ExitCode.FAILED, "endless": ExitCode.RECURSION_LIMIT}


class Ran(NamedTuple):
    """How a sample ended, what it told, and the endpoint that it talked to."""

    code: ExitCode
    session: Session
    journal: Path
    endpoint: Endpoint


def ran(folder: Path, name: str) -> Ran:
    """Run a sample in a process of its own, as the program without a screen does."""
    session = Session()
    with Endpoint(SCRIPTS[name]) as endpoint:
        target = f"sample_graphs.{name}:graph"
        env = {**endpoint.env, "LGWATCH_SAMPLE_PACE": "0"}
        source = LiveRun(launch(folder, target=target, app_dir=ROOT, journal=folder / f"{name}.jsonl", env=env))
        source.start(RunRequest(input=find(name).example, has_input=True, recursion_limit=LIMITS.get(name)))
        code = watch(
            source, session, mode="json", keep=Filter(), out=BytesIO(), err=StringIO(), resumes=ANSWERS.get(name, [])
        )
    return Ran(code, session, source.path, endpoint)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ran]]]:
    """All samples, two at a time: one computes while the other waits."""
    folder = tmp_path_factory.mktemp("samples")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "LGWATCH_SAMPLE_PACE"):
            patch.delenv(name, raising=False)
        yield {name: pool.submit(ran, folder, name) for name in SCRIPTS}


def calls(session: Session) -> list[Message]:
    """The messages that came from a model."""
    return [message for message in session.message_list if message.role == "ai" and message.span is not None]


def heard(message: Message) -> Any:
    """Text, tool calls and usage of a message, to be compared with what the endpoint sent."""
    tools = [(part.tool_call["name"], json.loads(part.text)) for part in message.parts if part.kind == "tool_call"]
    return message.text, tools, (message.usage["input_tokens"], message.usage["output_tokens"])


def sent(answer: Answer) -> Any:
    return answer.text, [(name, dict(args)) for name, args in answer.calls], (answer.read, answer.written)


def test_every_sample_is_run() -> None:
    assert set(SCRIPTS) == {sample.name for sample in samples()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_sample_ends_with_a_real_client_as_it_does_without(runs: dict[str, Future[Ran]], name: str) -> None:
    assert runs[name].result().code == ENDS.get(name, ExitCode.DONE)


@pytest.mark.parametrize("name", CALLS)
def test_the_journal_of_a_sample_has_what_the_server_said(runs: dict[str, Future[Ran]], name: str) -> None:
    _, session, _, endpoint = runs[name].result()
    told = [answer for answer in endpoint.told if isinstance(answer, Answer) and not answer.fault]
    done = [message for message in calls(session) if message.status == "done"]
    assert sorted(map(heard, done), key=repr) == sorted(map(sent, told), key=repr)
    assert len(calls(session)) == CALLS[name] == sum(not request.retry for request in endpoint.asked)
    assert {message.model for message in calls(session)} == {"mock-1"}
    for request in endpoint.asked:
        assert (request.path, request.key) == ("/v1/chat/completions", "sk-test")
        assert request.body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("name", ["endless", "noisy"])
def test_a_sample_without_a_model_asks_nobody(runs: dict[str, Future[Ran]], name: str) -> None:
    assert runs[name].result().endpoint.asked == []


def test_what_a_raw_client_streams_is_in_the_custom_events(runs: dict[str, Future[Ran]]) -> None:
    _, session, journal, endpoint = runs["raw_client"].result()
    written = [event.data for event in lgwatch.events(journal) if isinstance(event, CustomWritten)]
    assert "".join(data.get("token", "") for data in written) == raw_client.TEXT
    assert [request.body["stream"] for request in endpoint.asked] == [True]
    assert not session.messages


def test_a_call_that_the_server_cut_off_keeps_its_text_and_the_next_attempt_says_it_all(
    runs: dict[str, Future[Ran]],
) -> None:
    session = runs["flaky"].result().session
    cut, whole = calls(session)
    assert (cut.text, cut.status, cut.usage) == ("Rates of this morning: 1 EUR", "failed", None)
    assert whole.text.startswith(cut.text)
    assert session.task("fetch_rates").attempts == 2


def test_a_call_that_the_client_repeats_is_one_call(runs: dict[str, Future[Ran]]) -> None:
    _, session, _, endpoint = runs["research"].result()
    assert [request.retry for request in endpoint.asked if request.retry] == [1]
    assert {task.attempts for task in session.tasks() if task.node == "read"} == {1}
    (waited,) = [message for message in calls(session) if message.text == desk.SOURCES["winds"]["finding"]]
    assert waited.first_token_after() > 0.1


# ── What a person sees of a fault ────────────────────────────────────────────────────────────────────────────────────

AGENT = """
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.types import RetryPolicy

class State(TypedDict, total=False):
    node: str
    model: dict
    tools: list
    text: str

def model(state):
    return ChatOpenAI(model="mock-1", **state.get("model", {})).bind_tools(state.get("tools", []))

async def write(state: State, config: RunnableConfig):
    return {"text": (await model(state).ainvoke("Say it.", config)).text}

def write_sync(state: State, config: RunnableConfig):
    return {"text": model(state).invoke("Say it.", config).text}

patient = RetryPolicy(max_attempts=2, initial_interval=0.01, jitter=False)
graph = StateGraph(State)
graph.add_node("write", write)
graph.add_node("write_sync", write_sync)
graph.add_node("patient", write, retry_policy=patient)
graph.add_conditional_edges(START, lambda state: state.get("node", "write"), ["write", "write_sync", "patient"])
graph = graph.compile()
"""
TEXT = "One two three four five."
ONCE = {"max_retries": 0}
THINKING = {"use_responses_api": True, "reasoning": {"effort": "low", "summary": "auto"}}
TOO_FAST = Refusal(429, "Rate limit reached for mock-1: try again in 20s.", "rate_limit_exceeded", retry_after=0.2)


class Agent:
    """A graph that is run as often as one likes, and the endpoint that it asks."""

    def __init__(self, watched: Watched, endpoint: Endpoint) -> None:
        self.watched = watched
        self.endpoint = endpoint
        self.session = watched.session

    def begin(self, *answers: str | Answer | Refusal, node: str = "write", **given: Any) -> None:
        """Start a run, and return when it has begun."""
        self.endpoint.will(*answers)
        before = len(self.session.runs)
        given["node"] = node
        self.watched.source.start(RunRequest(input=given, has_input=True))
        self.watched.until(lambda: len(self.session.runs) > before)

    def run(self, *answers: str | Answer | Refusal, **given: Any) -> list[Message]:
        """Run to the end; return the messages of models."""
        self.begin(*answers, **given)
        self.watched.until(lambda: self.session.status != "running")
        return self.messages

    @property
    def messages(self) -> list[Message]:
        return [message for message in calls(self.session) if message.run == self.session.runs[-1].id]

    @property
    def task(self) -> Task:
        (task,) = self.session.runs[-1].tasks.values()
        return task

    @property
    def llms(self) -> list[Span]:
        return [span for span in self.task.spans if span.kind == "llm"]

    @property
    def error(self) -> str:
        """What a person reads of the run's end, on one line."""
        return error_text(self.session.runs[-1].error or {})


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One process for all of them: a run takes milliseconds, its imports a second."""
    with Endpoint() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in endpoint.env.items():
            patch.setenv(name, value)
        with live(tmp_path_factory.mktemp("agent"), AGENT) as watched:
            yield Agent(watched, endpoint)


def test_a_refusal_that_the_client_repeats_is_one_call_that_takes_its_time(agent: Agent) -> None:
    (message,) = agent.run(TOO_FAST, TEXT)
    assert [request.retry for request in agent.endpoint.asked] == [0, 1]
    assert (message.text, message.status) == (TEXT, "done")
    assert [span.status for span in agent.llms] == ["ok"]
    assert (agent.task.status, agent.task.attempts) == ("done", 1)
    assert message.first_token_after() > 0.2


def test_a_refusal_that_the_node_repeats_is_an_attempt(agent: Agent) -> None:
    (message,) = agent.run(TOO_FAST, TEXT, node="patient", model=ONCE)
    assert message.text == TEXT
    assert [span.status for span in agent.llms] == ["error", "ok"]
    assert (agent.task.status, agent.task.attempts) == ("done", 2)
    assert TOO_FAST.message in error_text(agent.llms[0].error or {})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "Invalid parameter: tools"),
        (401, "Incorrect API key provided"),
        (429, "Rate limit reached"),
        (500, "Oh no"),
    ],
)
def test_what_the_server_refuses_is_told_on_one_line(agent: Agent, status: int, said: str) -> None:
    assert agent.run(Refusal(status, said, retry_after=0.01)) == []
    assert len(agent.endpoint.asked) == (1 if status < 429 else 3)
    assert re.fullmatch(rf"\w+: Error code: {status} - .*{said}.*", agent.error)
    assert (agent.task.status, agent.task.attempts) == ("failed", 1)
    assert "agent.py" in agent.session.runs[-1].error["traceback"]


@pytest.mark.parametrize("node", ["write", "write_sync"])
def test_what_was_said_before_the_line_broke_is_kept_and_the_error_says_how_it_broke(agent: Agent, node: str) -> None:
    (message,) = agent.run(Answer(TEXT, fault="hangs up", after=3), node=node)
    assert (message.text, message.status, message.usage) == ("One two three", "failed", None)
    assert re.fullmatch(r"\w+: .*peer closed connection without sending complete message body.*", agent.error)
    assert agent.task.status == "failed"


def test_a_line_that_broke_is_tried_again_by_the_node_and_both_texts_are_there(agent: Agent) -> None:
    broken, whole = agent.run(Answer(TEXT, fault="hangs up", after=3), TEXT, node="patient")
    assert [broken.text, broken.status, whole.text, whole.status] == ["One two three", "failed", TEXT, "done"]
    assert (agent.task.status, agent.task.attempts) == ("done", 2)


@pytest.mark.parametrize("model", [{}, THINKING], ids=["chat", "responses"])
def test_an_error_in_the_stream_is_told_in_its_own_words(agent: Agent, model: Any) -> None:
    (message,) = agent.run(Answer(TEXT, fault="errs", after=3), model=model)
    assert (message.text, message.status) == ("One two three", "failed")
    assert re.fullmatch(r"\w+: The model is overloaded\.", agent.error)


def test_a_server_that_is_not_there_is_told_with_the_reason(agent: Agent) -> None:
    agent.run(TEXT, model={**ONCE, "base_url": "http://127.0.0.1:9/v1"})
    assert re.fullmatch(r"\w+: .*(attempts failed|refused).*", agent.error)


def test_a_client_that_waits_no_longer_says_so(agent: Agent) -> None:
    (message,) = agent.run(Answer(TEXT, fault="stalls", after=2), model={**ONCE, "timeout": 1.5})
    assert (message.text, message.status) == ("One two", "failed")
    assert re.fullmatch(r"\w+: Request timed out\..*", agent.error)


@pytest.mark.parametrize("node", ["write", "write_sync"])
def test_a_stalled_model_is_seen_to_be_silent_and_can_be_stopped(agent: Agent, node: str) -> None:
    agent.begin(Answer(TEXT, fault="stalls", after=2), node=node)
    agent.watched.until(lambda: agent.endpoint.stalled.is_set() and agent.messages and agent.messages[0].chunks == 2)
    (message,) = agent.messages
    later = agent.watched.source.now() + SILENCE
    assert message.silent(later) >= SILENCE
    assert agent.session.rate(later) == 0
    agent.watched.source.stop()  # after this step, which will not come
    agent.watched.source.stop()
    agent.watched.until_status("stopped")
    assert (message.text, message.status) == ("One two", "cut")
    if node == "write":  # a thread cannot be made to hang up
        assert eventually(lambda: agent.endpoint.left == 1)


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_usage_is_what_the_server_told_and_unknown_where_nobody_asked_for_it(agent: Agent) -> None:
    (silent,) = agent.run(TEXT)
    assert agent.endpoint.asked[0].body["stream"] is True
    assert (silent.usage, silent.tokens) == (None, (5, False))
    (asked,) = agent.run(Answer(TEXT, read=17), model={"stream_usage": True})
    assert (asked.usage["input_tokens"], asked.tokens) == (17, (5, True))
    (whole,) = agent.run(Answer(TEXT, read=18), model={"disable_streaming": True})
    assert "stream" not in agent.endpoint.asked[0].body or agent.endpoint.asked[0].body["stream"] is False
    assert (whole.text, whole.usage["input_tokens"], whole.tokens) == (TEXT, 18, (5, True))


def test_why_the_model_stopped_is_told(agent: Agent) -> None:
    (message,) = agent.run(Answer(TEXT, finish="length"))
    assert message.span.finish == "length"


ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
PLAN = Answer("Let me add.", calls=[("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": "four"})])


@pytest.mark.parametrize("model", [{"stream_usage": True}, THINKING], ids=["chat", "responses"])
def test_tool_calls_in_pieces_are_whole_calls_with_their_names(agent: Agent, model: Any) -> None:
    (message,) = agent.run(PLAN, model=model, tools=[ADD])
    (request,) = agent.endpoint.asked
    assert request.tools == ["add"]
    assert heard(message) == sent(PLAN)
    tools = [part.tool_call for part in message.parts if part.kind == "tool_call"]
    assert [tool["id"] for tool in tools] == [request.call(0), request.call(1)]
    assert [part.kind for part in message.parts] == ["text", "tool_call", "tool_call"]


def test_the_thoughts_of_a_model_are_reasoning_and_counted_by_the_server(agent: Agent) -> None:
    answer = Answer(TEXT, reasoning="Which words? These.")
    (message,) = agent.run(answer, model=THINKING)
    assert agent.endpoint.asked[0].path == "/v1/responses"
    assert [(part.kind, part.text) for part in message.parts] == [("reasoning", answer.reasoning), ("text", TEXT)]
    assert message.usage["output_token_details"]["reasoning"] == 3
    assert message.tokens == (8, True)

"""Graphs that talk to a model over real HTTP, by the client that most of them use: what is told of it is what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import convert_to_messages

import lgwatch
from lgwatch.events import CustomWritten
from lgwatch.records import Message
from lgwatch.samples import find, samples
from lgwatch.session import Session
from sample_graphs import approval, joke_and_poem, map_reduce, raw_client, supervisor, tool_agent
from sample_graphs import research as desk
from sample_graphs.scripted import Script
from tests.endpoint import Answer, Endpoint, Refusal, Request
from tests.live import program

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
ENDS = {"flaky": 1, "endless": 4}
MORE = {"endless": ["--recursion-limit", "12"], "approval": ["--resume", '"approve"']}


class Ran(NamedTuple):
    """How a sample ended, what it told, and the endpoint that it talked to."""

    code: int
    session: Session
    events: list[Any]
    endpoint: Endpoint


def ran(folder: Path, name: str) -> Ran:
    with Endpoint(SCRIPTS[name]) as endpoint:
        journal = folder / f"{name}.jsonl"
        ended = program(
            folder, "run", f"sample_graphs.{name}:graph", "--input", json.dumps(find(name).example), "--json",
            "--journal", str(journal), *MORE.get(name, []), LGWATCH_SAMPLE_PACE="0", **endpoint.env,
        )  # fmt: skip
    return Ran(ended.returncode, lgwatch.read_journal(journal), list(lgwatch.events(journal)), endpoint)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Ran]]:
    """All samples, two at a time: one computes while the other waits."""
    folder = tmp_path_factory.mktemp("samples")
    with ThreadPoolExecutor(2) as pool:
        return {name: pool.submit(ran, folder, name) for name in SCRIPTS}


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
    assert runs[name].result().code == ENDS.get(name, 0)


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
    _, session, events, endpoint = runs["raw_client"].result()
    written = [event.data for event in events if isinstance(event, CustomWritten)]
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

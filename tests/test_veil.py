"""What does not reach the disk: secrets that are masked, content that is left out."""

from __future__ import annotations

import json
import stat
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lgwatch
from lgwatch import arguments
from lgwatch.errors import InputError
from lgwatch.events import (
    EVENTS,
    Event,
    GraphLoaded,
    Interrupted,
    MessageChunk,
    Notice,
    Output,
    RunStarted,
    Updated,
    ValueStored,
)
from lgwatch.journal import JournalWriter
from lgwatch.journal.content import CONTENT
from lgwatch.journal.redaction import HELD, MASK, Redaction
from lgwatch.journal.structure import Structure
from lgwatch.journal.veil import VeiledWriter, attached_writer, new_writer, veil_of
from tests.factories import custom, ended, result, run, token
from tests.live import agent, live, node, program, topic

KEY = "sk-proj-AbCdEf0123456789AbCdEf01"
SECRETS = [
    KEY,
    "sk-ant-api03-abcdefghijklmnopqrst",
    "sk_live_abcdefghijklmnop1234",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijklm",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghij",
    "AIzaSyA-abcdefghijklmnopqrstuvwxyz01234",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "gsk_abcdefghijklmnopqrstuvwxyz",
    "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4",
]
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabcdef==\n-----END RSA PRIVATE KEY-----"


def redacted(text: str, *patterns: str) -> str:
    return Redaction(patterns).text(text)


# ── what is masked ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secret", [*SECRETS, PEM], ids=lambda secret: secret[:12])
def test_a_secret_is_masked_by_its_shape_wherever_it_stands(secret: str) -> None:
    for text in (secret, f"it is {secret}.", f'{{"x": "{secret}"}}', f"a\n{secret}\nb"):
        assert redacted(text) == text.replace(secret, MASK) or redacted(text) == text.replace(f"{secret}.", MASK)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer "),
        ("curl -H 'authorization: bearer abc.def-ghi_jkl' x", "curl -H 'authorization: bearer "),
        ("password=hunter22 and more", "password="),
        ("DB_PASSWORD: 'correct-horse'", "DB_PASSWORD: '"),
        ('{"api_key": "0123456789abcdef"}', '{"api_key": "'),
        ('"{\\"apiKey\\": \\"0123456789abcdef\\"}"', '"{\\"apiKey\\": \\"'),
        ("postgres://me:hunter2@host/db", "postgres://me:"),
        ("x-api-key: abcdef0123", "x-api-key: "),
        ("Cookie: session=abcdef0123", "Cookie: "),
        ("Set-Cookie: sid=abcdef0123; Path=/; HttpOnly", "Set-Cookie: "),
        ('{"cookie": "theme=dark; sid=abcdef0123"}', '{"cookie": "'),
        ('"{\\"Cookie\\": \\"sid=abcdef0123\\"}"', '"{\\"Cookie\\": \\"'),
    ],
)
def test_a_secret_is_masked_by_what_leads_to_it(text: str, rest: str) -> None:
    masked = redacted(text)
    assert masked.startswith(rest + MASK)
    assert len(masked) < len(text) + len(MASK) - 4


@pytest.mark.parametrize(
    "text",
    ["", "a cat", "the token is the next word", "task-0123456789abcdef0123", "https://host/path?q=1", "4f192bba-0000-4000",
     "ask-writer", "max_tokens=100", "a cookie: chocolate", "cookies = [1, 2]", "risk-averse-investors-everywhere", "{'tokens': 12}", "disk-abcdefghijklmnopqrstuvwx"],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_all_of_a_cookie_is_masked_and_what_follows_it_stays() -> None:
    text = "curl -H 'Cookie: theme=dark; sid=\"s3cr3t\"; _id=x9; token=y' https://host/path"
    assert redacted(text) == f"curl -H 'Cookie: {MASK}' https://host/path"
    assert redacted("Set-Cookie: sid=s3cr3t; Path=/\nServer: x") == f"Set-Cookie: {MASK}\nServer: x"


@pytest.mark.parametrize(
    "piece",
    ["a.", "eyJaaaaaaaa-", "-----BEGIN A", "a://b", "password= ", "sk-a", "cookie:", "cookie:a=;", 'cookie=a="'],
)
def test_no_text_takes_long(piece: str) -> None:
    # What is tried anew at each character and looks on to the end would take hours.
    assert redacted("://" + piece * (300_000 // len(piece)))


def test_what_stands_under_a_telling_key_is_masked_whatever_it_is() -> None:
    told = Redaction().value({
        "api_key": "short", "OPENAI_API_KEY": "x", "db_password": 1234, "credentials": {"user": "me"}, "password": None,
        "Authorization": "x", "tokens": 3, "input_tokens": 3, "token": "the", "author": "me", "$ref": KEY,
        "list": [{"secret": "x"}, KEY, 1, None], KEY: 1,
    })  # fmt: skip
    assert told == {
        "api_key": MASK, "OPENAI_API_KEY": MASK, "db_password": MASK, "credentials": MASK, "password": None,
        "Authorization": MASK, "tokens": 3, "input_tokens": 3, "token": "the", "author": "me", "$ref": KEY,
        "list": [{"secret": MASK}, MASK, 1, None], MASK: 1,
    }  # fmt: skip


def test_pairs_of_a_name_and_a_secret_are_seen_as_such() -> None:
    assert Redaction().value([["Authorization", "x"], ["author", "x"], ["password", 1]]) == [
        ["Authorization", MASK], ["author", "x"], ["password", 1],
    ]  # fmt: skip


def test_a_schema_keeps_its_keys_and_loses_its_defaults() -> None:
    schema = {"properties": {"password": {"type": "string", "default": KEY}}}
    (event,) = Redaction().events(GraphLoaded(input_schema=schema))
    assert event.input_schema == {"properties": {"password": {"type": "string", "default": MASK}}}


def test_patterns_mask_what_they_match() -> None:
    assert redacted("call Anna at 030-123456", r"\d{3}-\d+", "Anna|Bert") == f"call {MASK} at {MASK}"


def test_a_pattern_that_could_try_for_ever_does_not_hold_up_the_graph() -> None:
    redaction = Redaction(["(a+)+!", r"(\w+\s?)+;"])
    assert redaction.text("a" * 20_000 + "?") == "a" * 20_000 + "?"
    assert redaction.text(f"well, {'a' * 20_000}! go on") == f"well, {MASK} go on"
    (told,) = redaction.events(token("a" * 20_000 + "! so", "m1", last=True))
    assert told.text == f"{MASK} so"  # type: ignore[attr-defined]


def test_a_pattern_that_cannot_be_bounded_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match="could take for ever: it refers back"):
        arguments.patterns([r"(\w+) \1+"])


def test_every_field_with_content_is_known() -> None:
    # A new event, or a new field, has to be decided on: is it content?
    names = {"ns", "at", "task", "node", "step", "triggers", "interrupts", "cached", "message", "role", "tags", "model",
             "kind", "last", "whole", "usage", "name", "tool_call", "checkpoint", "parent", "source", "next", "interrupt",
             "span", "status", "stream", "level", "logger", "id", "code", "run", "thread", "fork", "target", "nodes",
             "edges", "channels", "delay", "window"}  # fmt: skip
    for cls in EVENTS.values():
        assert {one.name for one in fields(cls)} - names == set(CONTENT[cls]), cls


def everywhere(text: str) -> list[Event]:
    """Each kind of event, with this text in all of its content."""
    values: dict[str, Any] = {"error": {"type": "E", "message": text, "traceback": text}, "text": text}
    return [
        cls(**{name: values.get(name, {"deep": [{"key": text}, text]}) for name in names})
        for cls, names in CONTENT.items()
    ]


@pytest.mark.parametrize("veil", [Redaction(), Redaction(["needle"]), Structure()])
def test_no_event_brings_a_secret_to_the_disk(tmp_path: Path, veil: Any) -> None:
    writer = new_writer(tmp_path / "a.jsonl", veil, target=f"agent {KEY}" if isinstance(veil, Redaction) else "agent")
    for event in everywhere(f"the key is {KEY}, keep it"):
        writer.append(replace(event, run="r1") if isinstance(event, RunStarted) else event)
    writer.repeat(token())(f"{KEY} ")
    writer.close()
    assert KEY not in (tmp_path / "a.jsonl").read_text()
    attached = attached_writer(tmp_path / "a.jsonl", veil)
    assert isinstance(attached, VeiledWriter)
    attached.append(Output(text=KEY))
    attached.close()
    assert KEY not in (tmp_path / "a.jsonl").read_text()


# ── a message that streams ───────────────────────────────────────────────────────────────────────────────────────────


def streamed(veil: Redaction, pieces: list[str], **more: Any) -> list[MessageChunk]:
    chunks = [token(piece, **more) for piece in pieces] + [token("", last=True, **more)]
    return [one for chunk in chunks for one in veil.events(chunk)]


@given(
    st.lists(st.sampled_from([*SECRETS, PEM, "a cat", "password: hunter22", "Bearer abcdefghijkl", "word", "猫は", "x=1",
                              "Cookie: a=b1; sid=y2;z=3", '"cookie": "a=\\"b\\"; c=d"', '{"api_key": "9876"}', "-----BEGIN", "https://me:hunter2@host/x"]), max_size=8),
    st.sampled_from([" ", "\n", ", ", '", "', "。", " (", "; "]),
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
)  # fmt: skip
def test_a_secret_is_masked_however_it_is_split(parts: list[str], between: str, steps: list[int]) -> None:
    text, pieces, at = between.join(parts), [], 0
    while at < len(text):
        pieces.append(text[at : at + steps[len(pieces) % len(steps)]])
        at += len(pieces[-1])
    for patterns in ((), ("ca[t]",)):
        veil = Redaction(patterns)
        told = "".join(chunk.text for chunk in streamed(veil, pieces))
        assert told == veil.text(text)


def test_a_pattern_is_seen_across_words() -> None:
    veil = Redaction(["Anna Maria Huber"])
    chunks = streamed(
        veil, list("I met Anna Maria Huber on a very long day, and we talked about nothing in particular at all.")
    )
    assert (
        "".join(chunk.text for chunk in chunks)
        == f"I met {MASK} on a very long day, and we talked about nothing in particular at all."
    )
    assert len(chunks) > 10, "what nothing can change any more is not held back"


def test_a_stream_is_held_back_by_no_more_than_a_word() -> None:
    veil = Redaction()
    told = ""
    for piece in ("Some ", "words, ", "one ", "at ", "a ", "time"):
        told += "".join(one.text for one in veil.events(token(piece)))
    assert told == "Some words, one at a "
    long = Redaction()
    assert sum(len(one.text) for piece in ["x" * 1000] * 20 for one in long.events(token(piece))) > HELD


def test_the_end_of_a_task_or_a_run_gives_back_what_is_held() -> None:
    for end in (result("writer"), ended()):
        veil = Redaction()
        assert list(veil.events(token("half"))) == []
        first, second = veil.events(end)
        assert (first.text, type(second)) == ("half", type(end))
        assert list(veil.events(end)) == [end]


def test_the_arguments_of_parallel_tool_calls_are_not_mixed() -> None:
    veil = Redaction()
    told: list[MessageChunk] = []
    for index, piece in ((0, '{"api'), (1, '{"q": "ca'), (0, '_key": "01234'), (1, 'ts"}'), (0, '56789"}')):
        first = {"index": index, "id": f"c{index}", "name": "f"} if piece.startswith("{") else {"index": index}
        told += veil.events(token(piece, kind="tool_call", tool_call=first))
    told += veil.events(token("", last=True))
    texts = ["".join(one.text for one in told if (one.tool_call or {}).get("index") == index) for index in (0, 1)]
    assert texts == ['{"api_key": "' + MASK + '"}', '{"q": "cats"}']
    assert [one.tool_call for one in told[:2]] == [
        {"index": 0, "id": "c0", "name": "f"},
        {"index": 1, "id": "c1", "name": "f"},
    ]


# ── structure only ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_structure_keeps_what_happened_and_nothing_that_was_said() -> None:
    veil = Structure()

    def left(event: Event) -> Event:
        (one,) = veil.events(event)
        return one

    assert left(token("hello", tags=("draft",))) == token("", tags=("draft",))
    assert left(Updated(node="a", writes={"topic": "cats"})).writes == {"topic": None}
    assert left(Updated(node="a", writes={"$ref": "1"})).writes is None
    assert left(run(input={"topic": 1}, config={"recursion_limit": 9, "configurable": {"key": 1}})).config == {
        "recursion_limit": 9
    }
    assert left(run(resume={"i1": "yes"})).resume == {"i1": None}
    assert left(ended("failed", error={"type": "E", "message": "cats", "traceback": "cats"})).error == {
        "type": "E", "message": "", "traceback": "",
    }  # fmt: skip
    assert left(Interrupted(interrupt="i", value="cats?")).value is None
    assert left(Notice(code="waiting", text="cats")).text == ""
    assert left(Notice(code="checkpointer", text="in memory")).text == "in memory"
    assert list(veil.events(ValueStored(id="1", data="cats"))) == []
    schema = {
        "properties": {"default": {"type": "string", "default": "cats", "description": "cats"}},
        "required": ["default"],
    }
    assert left(GraphLoaded(input_schema=schema)).input_schema == {
        "properties": {"default": {"type": "string"}}, "required": ["default"],
    }  # fmt: skip


# ── real runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

LEAKY = f"""
import logging
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

KEY = {KEY!r}
model = GenericFakeChatModel(messages=iter([AIMessage("cats say " + KEY + " and go")]))

def first(state):
    print("the key is", KEY)
    breakpoint()  # cats
    logging.getLogger("x").warning("password=%s", KEY)
    os.write(1, (KEY + "\\n").encode())
    get_stream_writer()({{"api_key": "short", "cats": KEY}})
    return {{"text": model.invoke(state["topic"]).content}}

def writer(state):
    raise ValueError("cats: " + KEY)

graph = compiled(first, writer)
"""


@pytest.mark.parametrize("options", [{"redact": ()}, {"content": False}], ids=["redacted", "no-content"])
def test_a_run_leaves_no_secret_in_its_journal(tmp_path: Path, options: dict[str, Any]) -> None:
    with live(tmp_path, LEAKY, **options) as watched:
        watched.source.start(topic(f"cats and {KEY}"))
        watched.until_status("failed")
        watched.until(lambda: any(isinstance(event, Output) and event.stream == "stdout" for event in watched.events))
    text = (tmp_path / "run.jsonl").read_text()
    assert KEY not in text
    assert "cats" in text if options.get("content", True) else "cats" not in text
    assert "short" not in text
    session = lgwatch.read_journal(tmp_path / "run.jsonl")
    assert [(one.node, one.status) for one in session.tasks()] == [("first", "done"), ("writer", "failed")]
    assert session.run is not None
    assert session.run.error is not None
    assert session.run.error["type"] == "ValueError"
    assert session.header.extra.get("redacted" if options.get("content", True) else "no_content") is True


def test_what_the_watcher_writes_of_a_dead_process_is_veiled_too(tmp_path: Path) -> None:
    body = node(f"os.write(2, b'{KEY} was here'); os._exit(3)")
    with live(tmp_path, body, redact=("was h[e]re",)) as watched:
        watched.source.start(topic())
        watched.until_status("crashed")
    text = (tmp_path / "run.jsonl").read_text()
    assert KEY not in text
    assert "was here" not in text
    assert json.loads(text.splitlines()[-1])["status"] == "crashed"


def test_a_journal_without_a_veil_is_an_ordinary_one(tmp_path: Path) -> None:
    assert veil_of(None) is None
    writer = new_writer(tmp_path / "runs" / "a.jsonl", None, target="agent")
    assert type(writer) is JournalWriter
    writer.append(custom(KEY))
    writer.close()
    assert KEY in (tmp_path / "runs" / "a.jsonl").read_text()
    assert stat.S_IMODE((tmp_path / "runs" / "a.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "runs").stat().st_mode) == 0o700


def test_the_program_takes_both_options_without_a_screen_too(tmp_path: Path) -> None:
    agent(tmp_path, node("return {'text': state['topic'] + ' seen'}"))
    given = ("run", "agent.py:graph", "-i", json.dumps({"topic": f"{KEY} of Anna"}), "--journal", "a.jsonl")
    done = program(tmp_path, *given, "--json", "--redact", "--redact=An{2}a")
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + (tmp_path / "a.jsonl").read_text()
    assert "Anna" not in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["output"]["text"] == f"{MASK} of {MASK} seen"
    (tmp_path / "a.jsonl").unlink()
    done = program(tmp_path, *given, "--plain", "--no-content")
    assert done.returncode == 0, done.stderr
    assert "Anna" not in done.stdout + done.stderr + (tmp_path / "a.jsonl").read_text()
    assert "writer" in done.stdout
    assert program(tmp_path, *given, "--redact=(").returncode == 2
    assert "character" in program(tmp_path, *given, "--redact=(").stderr

"""Damaged bytes, damaged parts and stories that make no sense: nothing fails, nothing hangs, and the rest is still told."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import random
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk, ToolMessage

from lgwatch.errors import JournalError
from lgwatch.events import EVENTS, Event, GraphLoaded, Json, defaults
from lgwatch.filter import parse
from lgwatch.headless import watch
from lgwatch.journal import JournalReader, decode, encode, resolved_events
from lgwatch.session import Session
from lgwatch.sources import Recording
from lgwatch.store import runs
from lgwatch.tui.app import WatchApp
from tests.factories import result, run, task
from tests.runner.runs import MODES, decoder_of, line, says
from tests.tui.stage import HEADER, Stage, drawn, played, text_of

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.jsonl"))
EVERYWHERE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
seeds = st.integers(0, 2**32)


# ── what damages ─────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = ["", "a", "writer", "tool", "r1", "1", "m1", "v1", "v2", "x" * 300, "two\nlines", "\x1b[2J", "[bold]", "\u202e", "漢字", "🦜",
         "ok", "error", "llm", "node", "done", "running", "text", "__interrupt__", "node:1|x:2", "1e400", "\x00"]  # fmt: skip
NUMBERS = [0, 1, -1, 2**31, 2**63, -(2**63), 2**64 - 1, 0.5, -1e-9, 1e308, -1e308, 1e-308]


def thing(chance: random.Random, depth: int = 0) -> Json:
    """Any JSON, rarely large."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return chance.choice(WORDS)
    if kind < 5:
        return chance.choice(NUMBERS)
    if kind == 5:
        return chance.choice([None, True, False])
    if kind == 6:
        return [thing(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 7:
        return {
            "$ref": chance.choice(["v1", "v2", "v3"]),
            **({"$append": [thing(chance, depth + 1)]} if chance.random() < 0.3 else {}),
        }
    return {
        chance.choice([*WORDS, "$type", "fields", "content", "messages", "$cut", "id", "name"]): thing(
            chance, depth + 1
        )
        for _ in range(chance.randrange(4))
    }


def fitting(chance: random.Random, name: str, default: Json) -> Json:
    """A value that the field may have."""
    if isinstance(default, float):
        return round(chance.random() * 100, 6)
    if isinstance(default, bool):
        return chance.random() < 0.5
    if isinstance(default, int):
        return chance.choice([0, 1, 2, 3, -1, 10**6, 2**40])
    if isinstance(default, str):
        return chance.choice(WORDS)
    if isinstance(default, tuple):
        return [chance.choice(WORDS) for _ in range(chance.randrange(3))]
    if name in {"nodes", "edges"}:
        keys = {f"{key}": chance.choice(WORDS) for key in ("id", "name", "kind", "source", "target", "label")}
        return [
            {**keys, "id": word, "source": word, "target": chance.choice(WORDS)} for word in chance.sample(WORDS, 4)
        ]
    if name in {"error", "usage", "tool_call", "data", "values", "input", "writes"}:
        keys = [
            "type",
            "message",
            "traceback",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "name",
            "args",
            "id",
            "messages",
        ]
        return {key: thing(chance, 2) for key in chance.sample(keys, chance.randrange(len(keys)))}
    return thing(chance)


def told(chance: random.Random) -> dict[str, Json]:
    """An event that makes no sense, as its line has it; in one of ten a field is of another type, or missing."""
    kind = chance.choice([*EVENTS, "of the future"])
    data: dict[str, Json] = {"type": kind}
    for name, default in defaults(EVENTS[kind]).items() if kind in EVENTS else ():
        if chance.random() < 0.8:
            data[name] = thing(chance) if chance.random() < 0.05 else fitting(chance, name, default)
    if kind == "value":
        data["id"] = chance.choice(["v1", "v2", "v3"])
    if chance.random() < 0.1:
        data[chance.choice(WORDS)] = thing(chance)
    return data


def story(chance: random.Random, length: int) -> bytes:
    """A journal of such events."""
    return b"".join(orjson.dumps(each) + b"\n" for each in (HEADER, *(told(chance) for _ in range(length))))


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Bytes changed, taken out, doubled, put elsewhere; and an end anywhere."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 30)):
        at = chance.randrange(len(found) or 1)
        size = chance.choice([1, 1, 1, 2, 10, 1000])
        match chance.randrange(6):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del found[at : at + size]
            case 2:
                found[at:at] = found[at : at + size]
            case 3:
                found[at:at] = chance.choice(
                    [b"\n", b"\0" * size, b"{", b'"', b"\xff\xfe", b"[" * size, b"9" * size, b'{"$ref":"v1"}', b"\r"]
                )
            case 4:
                other = chance.randrange(len(found) or 1)
                found[at : at + size] = found[other : other + size]
            case 5 if chance.random() < 0.1:
                del found[at:]
    return bytes(found)


# ── journals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_all(path: Path) -> list[Event]:
    """Do everything that is done with a journal, but for the screen."""
    for found in runs():
        assert found.size >= 0
    try:
        reader = JournalReader(path)
    except JournalError as error:
        assert error.hint  # noqa: PT017 - most damaged journals open
        return []
    try:
        events = reader.poll()
        last, torn = reader.end()
        assert isinstance(torn, bool)
        assert isinstance(last, (int, float))
        for seq in range(len(reader.offsets)):
            assert isinstance(reader.line(seq), dict)
            assert isinstance(reader.resolved(seq), dict)
            assert reader.raw(seq).count(b"\n") == 0
    finally:
        reader.close()
    session = Session()
    for event in events:
        session.apply(event)
        assert encode(event).endswith(b"}\n")
    assert isinstance(session.status, str)
    list(resolved_events(path))
    for mode in ("json", "expand", "plain"):
        out = io.BytesIO()
        watch(Recording(path), Session(), mode=mode, keep=parse(""), out=out, err=io.StringIO())
        assert mode != "plain" or not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out.getvalue().decode())
    return events


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LGWATCH_STATE", str(place))
        yield place


@settings(EVERYWHERE, max_examples=60)
@given(seed=seeds, name=st.sampled_from(RECORDINGS))
def test_a_journal_of_damaged_bytes_is_read_to_its_end(folder: Path, seed: int, name: Path) -> None:
    path = folder / "damaged.jsonl"
    path.write_bytes(damaged(random.Random(seed), name.read_bytes()))
    read_all(path)


@settings(EVERYWHERE, max_examples=60)
@given(seed=seeds)
def test_a_journal_that_makes_no_sense_is_read_and_shown_as_text(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = folder / "senseless.jsonl"
    path.write_bytes(story(chance, 60))
    assert len(read_all(path)) == 60


# ── parts of a stream ────────────────────────────────────────────────────────────────────────────────────────────────


def parts_of_a_run() -> list[tuple[Any, str, Any]]:
    """What LangGraph streams of a small graph in which much happens."""
    model = says(
        "one ",
        AIMessageChunk("two", id="m1", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
    )

    def first(state: Any) -> Any:
        from langgraph.config import get_stream_writer

        get_stream_writer()({"custom": [1, 2]})
        return {"messages": [model.invoke("hello"), ToolMessage("found", tool_call_id="c1", name="search")]}

    def second(state: Any) -> Any:
        from langgraph.types import interrupt

        return {"log": [interrupt({"question": "why?"})]}

    from langgraph.checkpoint.memory import InMemorySaver

    graph = line(first, second, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    return list(graph.stream({"log": []}, config, stream_mode=MODES, subgraphs=True))


PARTS = parts_of_a_run()


def broken(chance: random.Random, value: Any, depth: int = 0) -> Any:
    """The value, changed in a place or two."""
    if depth and chance.random() < 0.08:
        return chance.choice(
            [None, object(), -1, "", b"x", [], {}, (), float("nan"), ValueError("x"), lambda: 1, thing(chance)]
        )
    if type(value) is dict:
        return {
            (chance.choice([key, 7, None, "\ud800"]) if chance.random() < 0.05 else key): broken(
                chance, each, depth + 1
            )
            for key, each in value.items()
            if chance.random() > 0.06
        }
    if type(value) in (list, tuple):
        return type(value)(broken(chance, each, depth + 1) for each in value if chance.random() > 0.05)
    if hasattr(value, "model_copy") and chance.random() < 0.5:
        names = list(type(value).model_fields)
        return value.model_copy(
            update={name: broken(chance, getattr(value, name), depth + 1) for name in chance.sample(names, 2)}
        )
    return value


@settings(EVERYWHERE, max_examples=150)
@given(seed=seeds)
def test_damaged_parts_of_a_stream_lose_at_most_themselves(seed: int) -> None:
    chance = random.Random(seed)
    events: list[Event] = []
    decoder = decoder_of(events)
    decoder.pinned = chance.random() < 0.5
    for ns, mode, payload in PARTS:
        changed = broken(chance, payload) if chance.random() < 0.7 else payload
        where = broken(chance, ns, 1) if chance.random() < 0.1 else ns
        with contextlib.suppress(Exception):  # the driver notes it, and goes on with the next part
            decoder.decode(where, mode, changed)
    decoder.flush()
    session = Session()
    for event in events:
        session.apply(decode(encode(event)))


# ── the screen ───────────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "tab", "j", "k", "g", "G", "enter", "escape", "z", "space", "t", "n", "s", "x", "m", "o", "a", "b",
        "c", "h", "l", "left", "right", "up", "down", "pageup", "pagedown", "*", "{", "}", "[", "]", "+", "-", "?", "y", "w", "d", "p", "v", "e", "ctrl+d"]  # fmt: skip


async def play(path: Path, chance: random.Random, length: int) -> None:
    """Show such a story in pieces, press keys, resize, and look at every pane."""
    data = story(chance, length)
    path.write_bytes(data[: data.index(b"\n") + 1])
    app = WatchApp(Stage(path, until=math.inf))
    async with app.run_test(size=chance.choice([(120, 36), (80, 24), (200, 60), (40, 12)])) as pilot:
        rest = data[data.index(b"\n") + 1 :]
        while rest:
            size = chance.randrange(1, 20_000)
            with path.open("ab") as file:
                file.write(rest[:size])
            rest = rest[size:]
            await drawn(pilot)
            for key in chance.choices(KEYS, k=4):
                await pilot.press(key)
            if chance.random() < 0.1:
                await pilot.resize_terminal(chance.randrange(1, 250), chance.randrange(1, 70))
        await pilot.resize_terminal(120, 36)
        for key in ("escape", "escape", "escape", *"23456781"):
            await pilot.press(key)
            await drawn(pilot)
        assert "cannot be rendered" not in text_of(app)
        assert len(app.session.index) >= length


# A story is not made shorter when it fails: each takes a second.
@settings(EVERYWHERE, max_examples=2, phases=[Phase.explicit, Phase.generate])
@example(seed=106)
@given(seed=seeds)
def test_a_story_that_makes_no_sense_is_shown(folder: Path, seed: int) -> None:
    asyncio.run(play(folder / "shown.jsonl", random.Random(seed), 120))


async def test_a_graph_that_tells_of_itself_what_cannot_be_is_drawn(tmp_path: Path) -> None:
    nodes = [{"id": name, "name": name, "kind": "node"} for name in ("a", "b", "")]
    ends = ["", "a", "b", "nowhere"]
    edges = [{"source": one, "target": other} for one in ends for other in ends]
    graph = GraphLoaded(nodes=nodes, edges=edges, channels={"": 7})
    ran = [each for name in ("a", "", "b") for each in (task(name), result(name, writes={"key": [name]}))]
    app = played(tmp_path, graph, run(), ran)
    async with app.run_test(size=(120, 36)) as pilot:
        await drawn(pilot)
        for key in "23456781":
            await pilot.press(key)
            await drawn(pilot)
        assert "a" in text_of(app)

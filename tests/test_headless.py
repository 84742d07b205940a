"""The front end without a screen: lines and short text, and what the end of a run means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

from lgwatch.events import Event, Interrupted, LoopDelayed, Notice, Output, RunStarted, SpanStarted, ValueStored
from lgwatch.filter import parse
from lgwatch.headless import ExitCode, exit_code, watch
from lgwatch.journal import JournalWriter
from lgwatch.session import Session
from lgwatch.sources import Recording
from lgwatch.text import HAZARD
from tests.factories import (
    attempt,
    call,
    called,
    custom,
    ended,
    failed,
    interrupted,
    play,
    result,
    resumed,
    run,
    said,
    span_end,
    task,
    token,
)
from tests.live import live, node, topic


class Printed:
    """What a front end printed of these events, and how it ended."""

    def __init__(
        self, folder: Path, events: Iterable[Event | list[Event]], mode: Any = "plain", keep: str = ""
    ) -> None:
        self.path = folder / "journal.jsonl"
        writer = JournalWriter(self.path, target="agent:graph")
        for one in events:
            for event in one if isinstance(one, list) else [one]:
                writer.append(event)
        writer.close()
        out, err = BytesIO(), StringIO()
        self.code = watch(Recording(self.path), Session(), mode=mode, keep=parse(keep), out=out, err=err)
        self.out = out.getvalue().decode()
        self.err = err.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def words(self) -> list[str]:
        """The lines without their times."""
        return [line.partition(" ")[2] if line.startswith("+") else line for line in self.out.splitlines()]


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_is_the_journal_byte_for_byte(tmp_path: Path) -> None:
    printed = Printed(tmp_path, [run(), task("writer"), custom({"ü": 1.50}), result("writer"), ended()], "json")
    assert printed.out == printed.path.read_text()
    assert printed.err == ""
    assert printed.code == ExitCode.DONE


def test_a_filter_keeps_header_runs_and_values(tmp_path: Path) -> None:
    events = [
        run(),
        ValueStored(id="v1", data=[1]),
        custom({"$ref": "v1"}),
        task("editor"),
        custom(2, "editor"),
        ended(),
    ]
    printed = Printed(tmp_path, events, "json", "node:editor type:custom")
    assert "lgwatch" in printed.lines[0]
    assert [line["type"] for line in printed.lines[1:]] == ["run", "value", "custom", "run_result"]
    assert printed.lines[3]["data"] == 2


def test_expanded_lines_need_no_values(tmp_path: Path) -> None:
    printed = Printed(
        tmp_path, [run(), ValueStored(id="v1", data=[1]), custom({"a": {"$ref": "v1"}}), ended()], "expand"
    )
    assert [line.get("type") for line in printed.lines] == [None, "run", "custom", "run_result"]
    assert printed.lines[2]["data"] == {"a": [1]}


@pytest.mark.parametrize(
    ("keep", "texts"),
    [
        ("tag:draft", ["one"]),
        ("!tag:draft type:message", ["two"]),
        ("two", ["two"]),
        ("type:message t>100", []),
        ("type:message attempt=1", ["one", "two"]),
    ],
)
def test_tokens_are_kept_by_what_is_known_of_them(tmp_path: Path, keep: str, texts: list[str]) -> None:
    events = [run(), task("writer"), token("one", 1, tags=("draft",)), token("two", 2), ended()]
    kept = [line["text"] for line in Printed(tmp_path, events, "json", keep).lines if line.get("type") == "message"]
    assert kept == texts


@pytest.mark.parametrize("word", ["failed", "error"])
def test_one_word_keeps_all_that_failed(tmp_path: Path, word: str) -> None:
    events = [
        run(), task("a"), SpanStarted(span="s", kind="tool", name="search", task="a", node="a"), span_end("s", status="error", error={"type": "E"}), failed("a"),
        task("b"), result("b"), ended("failed"),
    ]  # fmt: skip
    lines = Printed(tmp_path / "lines", events, "json", f"status:{word}").lines
    ends = [(line["type"], line.get("task")) for line in lines if line.get("type") in ("span_end", "task_result")]
    assert ends == [("span_end", None), ("task_result", "a")]
    words = Printed(tmp_path / "words", events, "plain", f"status:{word}").words
    assert [line.split()[:3] for line in words if "✗" in line][:2] == [["✗", "search:", "E"], ["s1", "✗", "a"]]


def test_a_word_is_looked_for_in_the_whole_line_of_what_is_no_text(tmp_path: Path) -> None:
    events = [run(), custom({"city": "Paris"}), custom({"city": "Rome"}), ended()]
    lines = Printed(tmp_path, events, "json", "type:custom paris").lines
    assert [line["data"] for line in lines if line.get("type") == "custom"] == [{"city": "Paris"}]


class Screen(BytesIO):
    """An output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_on_a_terminal_are_escaped_and_stay_json(tmp_path: Path) -> None:
    hazards = "C1 \x9b DEL \x7f bidi \u202e tag \U000e0041 but ü and 漢"
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path, target="agent:graph")
    for event in (run(), custom(hazards), ended()):
        writer.append(event)
    writer.close()
    screen, pipe = Screen(), BytesIO()
    for out in (screen, pipe):
        watch(Recording(path), Session(), mode="json", keep=parse(""), out=out, err=StringIO())
    assert pipe.getvalue() == path.read_bytes()
    shown = screen.getvalue().decode()
    assert not HAZARD.search(shown.replace("\n", ""))
    assert "ü and 漢" in shown
    assert [json.loads(line) for line in shown.splitlines()] == [
        json.loads(line) for line in path.read_text().split("\n") if line
    ]


# ── short text ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_reads_like_a_story(tmp_path: Path) -> None:
    events = [
        run(), task("writer"), custom({"n": 1}), Output(text="two\nlines", task="writer", node="writer"),
        LoopDelayed(delay=0.2, window=0.2),  # of the process, and no part of the story
        Output(stream="log", level="INFO", logger="app", text="logged"),
        result("writer", writes={"text": "x"}), ended(output={"text": "x"}),
    ]  # fmt: skip
    words = Printed(tmp_path, events).words
    assert words[:6] == [
        "run r1 on thread 1",
        "s1 ▸ writer",
        '◆ writer {"n": 1}',
        "│ writer two",
        "│ writer lines",
        "│ INFO app: logged",
    ]
    assert words[6].startswith("s1 ✓ writer ")
    assert words[6].endswith("wrote text")
    assert words[7].startswith("✓ done in ")
    assert words[8] == '{"text": "x"}'


def test_tokens_become_a_paragraph(tmp_path: Path) -> None:
    events = [
        run(),
        task("writer"),
        token("Hello"),
        token(" world,\n\nand"),
        token(" all.\n"),
        token("", last=True),
        ended(),
    ]
    words = Printed(tmp_path, events).words
    assert words[2:6] == ["writer » Hello world,", "", "  and all.", ""]


def test_a_line_in_the_middle_of_a_paragraph_does_not_swallow_it(tmp_path: Path) -> None:
    events = [run(), task("writer"), token("one"), custom(1), token(" two"), token(last=True), ended()]
    assert Printed(tmp_path, events).words[2:5] == ["writer » one", "◆ writer 1", "writer »  two"]


def test_parallel_calls_are_not_mixed(tmp_path: Path) -> None:
    events = [run(), task("a"), task("b")]
    for number in range(3):
        events += [token(f"a{number} ", 1, node="a"), token(f"b{number} ", 2, node="b")]
    events += [token(last=True, number=2, node="b"), token("a3", 1, node="a", last=True), ended()]
    assert Printed(tmp_path, events).words[3:5] == ["a » a0 a1 a2 a3", "b » b0 b1 b2 "]


def test_the_only_open_call_speaks_on(tmp_path: Path) -> None:
    events = [
        run(), token("a0", 1, node="a"), token("b0", 2, node="b"), token("a1", 1, node="a", last=True),
        token("b1", 2, node="b"), token("b2", 2, node="b", last=True), ended(),
    ]  # fmt: skip
    assert Printed(tmp_path, events).words[1:3] == ["a » a0a1", "b » b0b1b2"]


def test_a_call_that_nobody_finished_is_shown(tmp_path: Path) -> None:
    printed = Printed(tmp_path, [run(), task("a"), token("a0", 1, node="a"), token("b0", 2, node="b")])
    assert "a » a0" in printed.out
    assert "b » b0" in printed.out
    assert printed.out.endswith("\n")


def test_reasoning_calls_and_results_are_told_apart_from_text(tmp_path: Path) -> None:
    events = [
        run(), task("writer"), token("hm", kind="reasoning"), token("Let me look."),
        token("", kind="tool_call", tool_call={"index": 0, "id": "c1", "name": "search"}),
        token('{"q": 1}', kind="tool_call", tool_call={"index": 0}), token(last=True),
        said("found it", role="tool", kind="tool_result", name="search", tool_call={"id": "c1"}),
        ended(),
    ]  # fmt: skip
    assert Printed(tmp_path, events).words[2:6] == [
        "writer thinks: hm",
        "writer » Let me look.",
        'writer calls search: {"q": 1}',
        "writer ⚒ search: found it",
    ]


def test_a_message_that_says_the_same_again_is_left_out(tmp_path: Path) -> None:
    events = [
        run(),
        task("writer"),
        call(),
        token("hello"),
        token(last=True),
        called(),
        said("hello"),
        result("writer"),
        ended(),
    ]
    assert Printed(tmp_path, events).out.count("hello") == 1


def test_a_failure_tells_where_and_the_users_traceback(tmp_path: Path) -> None:
    error = {
        "type": "ValueError",
        "message": "boom\nmore",
        "traceback": "Traceback …\n  agent.py, line 3\nValueError: boom",
    }
    printed = Printed(tmp_path, [run(), task("writer"), failed("writer"), ended("failed", error=error)])
    assert any(line.startswith("s1 ✗ writer") and line.endswith("ValueError: boom") for line in printed.words)
    assert "agent.py, line 3" in printed.err
    assert "error: ValueError: boom" in printed.err
    assert "1 failed" in printed.err
    assert printed.code == ExitCode.FAILED


def test_an_interrupt_says_how_it_is_answered(tmp_path: Path) -> None:
    printed = Printed(tmp_path, [run(), task("ask"), interrupted("ask", {"q": "ok?"}), ended("interrupted")])
    assert '■ ask asks: {"q": "ok?"}' in printed.words
    assert "--resume" in printed.err
    assert printed.code == ExitCode.WAITING


def test_the_end_is_summed_up_beside_the_data(tmp_path: Path) -> None:
    events = [
        run(),
        task("writer"),
        token("x", usage={"input_tokens": 3, "output_tokens": 1}, last=True),
        result("writer"),
        ended(),
    ]
    printed = Printed(tmp_path, events)
    assert "1 task · 3 tokens in, 1 out" in printed.err
    assert f"journal: {printed.path}" in printed.err
    assert "journal:" not in printed.out


def test_a_filter_leaves_the_frame(tmp_path: Path) -> None:
    events = [run(), task("a"), custom(1, "a"), task("b"), custom(2, "b"), ended()]
    words = Printed(tmp_path, events, keep="node:b").words
    assert words[:3] == ["run r1 on thread 1", "s1 ▸ b", "◆ b 2"]


HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202eevil\r\x00"


def test_no_control_character_reaches_the_terminal(tmp_path: Path) -> None:
    error = {"type": HOSTILE, "message": HOSTILE, "traceback": HOSTILE, "hint": HOSTILE}
    events = [
        run(thread=HOSTILE), task(HOSTILE), token(HOSTILE, node=HOSTILE), said(HOSTILE, message="m2", role=HOSTILE),
        said(HOSTILE, message="m3", kind="tool_result", name=HOSTILE, tool_call={"id": HOSTILE}),
        custom({HOSTILE: HOSTILE}, HOSTILE), Output(text=HOSTILE, node=HOSTILE, level=HOSTILE, logger=HOSTILE),
        Notice(code=HOSTILE, text=HOSTILE), failed(HOSTILE, HOSTILE), interrupted("ask", HOSTILE),
        result(HOSTILE, writes={HOSTILE: 1}), ended("failed", error=error, output=HOSTILE),
    ]  # fmt: skip
    printed = Printed(tmp_path, events)
    seen = printed.out + printed.err
    assert "evil" in seen
    assert not [
        char for char in seen if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char == "\u202e"
    ]


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        ("done", "", 0),
        ("failed", "ValueError", 1),
        ("crashed", "ProcessDied", 1),
        ("failed", "TargetError", 2),
        ("failed", "InputError", 2),
        ("interrupted", "", 3),
        ("failed", "GraphRecursionError", 4),
        ("stopped", "Timeout", 124),
        ("stopped", "", 130),
    ],
)
def test_the_exit_code_is_that_of_the_last_run(status: str, kind: str, code: int) -> None:
    assert (
        exit_code(play(run(), ended("failed"), run("r2"), ended(status, "r2", error={"type": kind} if kind else None)))
        == code
    )


def test_a_session_without_a_run_went_well() -> None:
    assert exit_code(Session()) == ExitCode.DONE


def test_an_answered_run_is_as_good_as_its_end(tmp_path: Path) -> None:
    events = [run(), task("ask"), interrupted("ask"), *resumed({"ask-ask": 1}), ended(name="r2")]
    assert Printed(tmp_path, events).code == ExitCode.DONE


def test_a_task_that_goes_on_after_an_answer_is_no_retry_in_text(tmp_path: Path) -> None:
    events = [
        run(), task("ask"), attempt("ask"), interrupted("ask"), resumed({"ask-ask": 1}), task("ask"), attempt("ask", 2),
        result("ask"), ended(name="r2"),
    ]  # fmt: skip
    words = Printed(tmp_path, events, "plain").words
    assert "s1 ▸ ask goes on with the answer" in words
    assert not any("attempt" in line for line in words)


def test_text_tells_of_a_late_loop_to_whoever_asks(tmp_path: Path) -> None:
    events = [run(), LoopDelayed(delay=0.3, window=0.3), custom(1), ended()]
    assert not any("loop" in line for line in Printed(tmp_path / "all", events, "plain").words)
    assert "⧖ the event loop was 300 ms late" in Printed(tmp_path / "asked", events, "plain", "type:loop").words


class Closed(BytesIO):
    """A pipe whose reader goes away after so many writes."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.left = writes

    def write(self, data: Any, /) -> int:
        self.left -= 1
        if self.left < 0:
            raise BrokenPipeError
        return super().write(data)


def test_a_reader_that_has_enough_stops_the_run(tmp_path: Path) -> None:
    with live(tmp_path, node("while True: get_stream_writer()(1); time.sleep(0.01)")) as watched:
        watched.source.start(topic())
        err = StringIO()
        code = watch(watched.source, watched.session, mode="json", keep=parse(""), out=Closed(2), err=err)
        assert code == ExitCode.DONE
        assert err.getvalue() == ""
        assert watched.source.finished or not watched.source.live


def test_a_tool_call_that_waits_for_a_decision_is_told_with_the_words_for_it(tmp_path: Path) -> None:
    asked = {"action_requests": [{"name": "pay", "args": {"n": 4}}], "review_configs": []}
    printed = Printed(tmp_path, [run(), task("review"), interrupted("review", asked), ended("interrupted")])
    assert "--resume '\"approve\"'" in printed.err
    assert 'approve · reject: why · edit {"n": 4}' in printed.err


def test_a_word_decides_on_a_tool_call(tmp_path: Path) -> None:
    asks = """
    def ask(state):
        calls = {"action_requests": [{"name": "pay", "args": {}}], "review_configs": []}
        return {"text": interrupt(calls)["decisions"][0]["type"]}
    from langgraph.checkpoint.memory import InMemorySaver
    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=InMemorySaver())
    """
    with live(tmp_path, asks) as watched:
        watched.source.start(topic())
        out = BytesIO()
        watch(
            watched.source, watched.session, mode="expand", keep=parse(""), out=out, err=StringIO(), resumes=["approve"]
        )
    assert json.loads(out.getvalue().splitlines()[-1])["output"]["text"] == "approve"


@pytest.mark.parametrize(
    ("resumes", "statuses"),
    [
        ([], ["interrupted"]),
        (["one"], ["interrupted", "interrupted"]),
        (["one", {"two": 2}], ["interrupted", "interrupted", "done"]),
        (["one", None, "too many"], ["interrupted", "interrupted", "done"]),
    ],
)
def test_answers_are_given_in_order(tmp_path: Path, resumes: list[Any], statuses: list[str]) -> None:
    with live(tmp_path, node("return {'text': [interrupt('first?'), interrupt('second?')]}")) as watched:
        watched.source.start(topic())
        out = BytesIO()
        code = watch(
            watched.source, watched.session, mode="expand", keep=parse(""), out=out, err=StringIO(), resumes=resumes
        )
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        results = [line for line in lines if line.get("type") == "run_result"]
        assert [line.get("status", "done") for line in results] == statuses
        assert code == (ExitCode.DONE if statuses[-1] == "done" else ExitCode.WAITING)
        if statuses[-1] == "done":
            assert results[-1]["output"]["text"] == resumes[:2]


def test_answers_by_interrupt_id_are_given_at_once(tmp_path: Path) -> None:
    body = """
    def ask(state): return {"text": interrupt("text?")}
    def also(state): return {"topic": interrupt("topic?")}
    graph = StateGraph(State).add_node(ask).add_node(also).add_edge(START, "ask").add_edge(START, "also").compile()
    """
    with live(tmp_path, body) as watched:
        watched.source.start(topic())
        code = watch(
            watched.source,
            watched.session,
            mode="json",
            keep=parse(""),
            out=BytesIO(),
            err=StringIO(),
            resumes=["a", "b"],
        )
        assert code == ExitCode.DONE
        assert {one.value: one.answer for one in watched.session.interrupts.values()} in (
            {"text?": "a", "topic?": "b"},
            {"text?": "b", "topic?": "a"},
        )
        assert len(watched.session.runs) == 2


def test_a_run_that_is_followed_starts_with_its_header(tmp_path: Path) -> None:
    events = [RunStarted(run="r1"), ended()]
    printed = Printed(tmp_path, events, "json", "type:nothing")
    assert [line.get("type") for line in printed.lines] == [None, "run", "run_result"]


def test_a_wrong_answer_leaves_its_question_open_and_uses_up_no_other(tmp_path: Path) -> None:
    body = """
    def ask(state):
        return {"text": str(int(interrupt("number?")))}
    graph = compiled(ask)
    """
    with live(tmp_path, body) as watched:
        watched.source.start(topic())
        out, err = BytesIO(), StringIO()
        code = watch(
            watched.source, watched.session, mode="plain", keep=parse(""), out=out, err=err, resumes=["abc", "7"]
        )
        assert code == ExitCode.FAILED
        assert [one.value for one in watched.session.waiting] == ["number?"]
        assert "ask: it asks for an answer" in err.getvalue()


def test_a_breakpoint_says_how_to_go_on(tmp_path: Path) -> None:
    events = [run(), Interrupted(interrupt="breakpoint:writer", node="writer"), ended("interrupted")]
    printed = Printed(tmp_path, events)
    assert "try: go on with --resume null" in printed.err


def test_where_nothing_can_be_resumed_no_hint_says_to(tmp_path: Path) -> None:
    notice = Notice(code="interrupt", text="it cannot be resumed: no checkpointer")
    printed = Printed(tmp_path, [run(), task("ask"), interrupted("ask"), notice, ended("interrupted")])
    assert "--resume" not in printed.err
    assert "note: it cannot be resumed" in printed.err


def test_answers_that_nobody_asked_for_are_noted(tmp_path: Path) -> None:
    with live(tmp_path) as watched:
        watched.source.start(topic())
        err = StringIO()
        watch(watched.source, watched.session, mode="json", keep=parse(""), out=BytesIO(), err=err, resumes=[1, 2])
        assert "note: 2 answers of --resume were not asked for" in err.getvalue()


def test_tasks_that_langgraph_does_not_end_are_ended_by_what_runs_them(tmp_path: Path) -> None:
    inner = ("outer:outer",)
    events = [
        run(), task("outer"), task("leaves", ns=inner), result("outer"), task("sibling", step=2), ended("failed")
    ]  # fmt: skip
    words = [re.sub(r" \d+ ms", "", line) for line in Printed(tmp_path, events).words]
    assert words[1:7] == [
        "s1 ▸ outer", "s1 ▸ outer/leaves", "s1 ✓ outer/leaves", "s1 ✓ outer", "s2 ▸ sibling", "s2 ∅ sibling"
    ]  # fmt: skip


def test_a_function_returns_and_writes_nothing(tmp_path: Path) -> None:
    printed = Printed(tmp_path, [run(), task("work"), result("work", writes={"__return__": 1}), ended()])
    assert "returned" in printed.out
    assert "__return__" not in printed.out

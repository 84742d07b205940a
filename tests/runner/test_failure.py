from __future__ import annotations

import asyncio
import importlib
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from lgwatch.errors import TargetError
from lgwatch.events import error_text
from lgwatch.runner import request
from lgwatch.runner.failure import MAX_CHAIN, MAX_TEXT, error_dict, is_framework, traceback_text


def caught(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def _from_framework(error: BaseException) -> TracebackType | None:
    """The traceback from its first frame on that is no test's."""
    frame = error.__traceback__
    while frame is not None and not is_framework(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return frame


def boom() -> None:
    raise ValueError("the message")


def test_an_error_is_its_type_its_message_and_its_traceback() -> None:
    told = error_dict(caught(boom))
    assert (told["type"], told["message"]) == ("ValueError", "the message")
    assert 'raise ValueError("the message")' in told["traceback"]
    assert told["traceback"].endswith("ValueError: the message")


def test_our_own_error_carries_its_hint_and_its_detail() -> None:
    error = TargetError("What happened.", "What to try.", detail="the user's traceback")
    assert error_dict(error) == {
        "type": "TargetError",
        "message": "What happened.",
        "hint": "What to try.",
        "traceback": "the user's traceback",
    }


@pytest.mark.parametrize("run", ["sync", "async"])
def test_only_the_users_frames_of_a_failed_node_are_shown(run: str) -> None:
    class State(TypedDict):
        x: int

    async def a_node(state: State) -> None:
        boom()

    def node(state: State) -> None:
        boom()

    graph = StateGraph(State).add_node("node", a_node if run == "async" else node).add_edge(START, "node").compile()
    error = caught(lambda: asyncio.run(graph.ainvoke({"x": 1})) if run == "async" else graph.invoke({"x": 1}))
    text = traceback_text(error)
    assert "in boom" in text
    assert "node" in text
    assert "site-packages" not in text
    assert "asyncio" not in text.replace("asyncio.run(", "")
    if sys.version_info >= (3, 11):  # LangGraph adds its note where exceptions have notes
        assert "During task with name 'node'" in text
    assert "site-packages" in traceback_text(error, user_only=False)


def test_an_error_that_only_passed_through_frameworks_keeps_its_last_frames() -> None:
    error = caught(lambda: StateGraph(dict).compile())
    frame = error.__traceback__
    while frame is not None and not is_framework(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    assert frame is not None
    text = traceback_text(error.with_traceback(frame))
    assert text.count('  File "') in {1, 2, 3}
    assert "state.py" in text


def test_our_own_frames_are_never_shown() -> None:
    error = caught(lambda: list(request.unknown_nodes(type("Broken", (), {"nodes": 1})(), {})))
    text = traceback_text(error.with_traceback(_from_framework(error)))
    assert "request.py" not in text
    assert text.startswith("TypeError: ")


def test_the_recursion_limit_says_how_to_raise_it_and_shows_no_framework() -> None:
    def around(state: dict[str, int]) -> dict[str, int]:
        return {"x": 1}

    graph = StateGraph(dict).add_node(around).add_edge(START, "around").add_edge("around", "around").compile()
    error = caught(lambda: graph.invoke({"x": 1}, {"recursion_limit": 2}))
    assert "Traceback" in error_dict(error)["traceback"]  # this test's own frames are the user's
    told = error_dict(error.with_traceback(_from_framework(error)))
    assert told["traceback"] == ""
    assert "--recursion-limit" in told["hint"]


def test_what_counts_as_framework() -> None:
    site = "/x/lib/python3.12/site-packages"
    for filename in (f"{site}/langgraph/pregel/main.py", f"{site}/langchain_core/a.py", f"{site}/pydantic/main.py",
                     "<frozen runpy>", asyncio.__file__, error_dict.__code__.co_filename):  # fmt: skip
        assert is_framework(filename), filename
    for filename in ("/home/me/langgraph/agent.py", f"{site}/openai/client.py", json.__file__, "<string>", "agent.py"):
        assert not is_framework(filename), filename


def test_causes_and_contexts_are_shown_the_oldest_first() -> None:
    def cause() -> None:
        try:
            boom()
        except ValueError as error:
            raise KeyError("second") from error

    def context() -> None:
        try:
            boom()
        except ValueError:
            raise KeyError("second")

    def hidden() -> None:
        try:
            boom()
        except ValueError:
            raise KeyError("second") from None

    text = traceback_text(caught(cause))
    assert text.index("the message") < text.index("direct cause") < text.index("KeyError: 'second'")
    assert "During handling" in traceback_text(caught(context))
    assert "the message" not in traceback_text(caught(hidden))


def test_a_chain_is_bounded_even_if_it_bites_its_tail() -> None:
    first, second = ValueError("one"), ValueError("two")
    first.__cause__, second.__cause__ = second, first
    assert traceback_text(first).count("ValueError: ") == 2
    error = ValueError("0")
    for number in range(1, 50):
        error, error.__cause__ = ValueError(str(number)), error
        error.__cause__ = None
    chain = [ValueError(str(number)) for number in range(50)]
    for later, earlier in zip(chain[1:], chain, strict=False):
        later.__cause__ = earlier
    assert traceback_text(chain[-1]).count("ValueError: ") == MAX_CHAIN


def _refused() -> None:
    """What the client of a provider raises when nobody listens."""
    try:
        try:
            raise ConnectionRefusedError("[Errno 111] nobody\n  listens")
        except OSError as low:
            raise TimeoutError from low
    except OSError as cause:
        raise RuntimeError("Connection error.") from cause


def test_an_error_that_keeps_its_cause_to_itself_is_told_with_it() -> None:
    told = error_dict(caught(_refused))
    assert told["cause"] == "ConnectionRefusedError: [Errno 111] nobody listens"
    assert error_text(told) == "RuntimeError: Connection error. (ConnectionRefusedError: [Errno 111] nobody listens)"


def test_a_cause_without_words_is_told_by_its_name_and_one_that_was_told_is_not_repeated() -> None:
    silent, told = ValueError("too late"), ValueError("it said: too late")
    silent.__cause__ = TimeoutError()
    told.__cause__ = ValueError("too late")
    assert error_dict(silent)["cause"] == "TimeoutError"
    assert "cause" not in error_dict(told)
    silent.__cause__, silent.__context__ = None, TimeoutError("by the way")
    assert "cause" not in error_dict(silent)


def test_of_a_cause_that_comes_out_of_libraries_only_the_words_are_shown() -> None:
    def ask() -> None:
        try:
            json.loads("{")  # the standard library's frames, after this one
        except ValueError as error:
            raise RuntimeError("no answer") from error.with_traceback(error.__traceback__.tb_next)  # type: ignore[union-attr]

    text = traceback_text(caught(ask))
    assert text.startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert text.count("Traceback") == 1
    assert "in ask" in text


def test_notes_are_shown() -> None:
    error = ValueError("x")
    error.__notes__ = ["a note of the user"]  # type: ignore[attr-defined]
    assert traceback_text(error).endswith("ValueError: x\na note of the user")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_the_members_of_a_group_are_shown_up_to_a_number() -> None:
    text = traceback_text(ExceptionGroup("several", [ValueError(f"member {n}") for n in range(9)]))  # noqa: F821 -- 3.11
    assert "Sub-exception 1 of 9" in text
    assert "member 4" in text
    assert "member 5" not in text
    assert "4 more" in text


def test_a_syntax_error_tells_its_place() -> None:
    error = caught(lambda: compile("x = = 1", "their.py", "exec"))
    assert 'File "their.py", line 1' in traceback_text(error)


def test_a_file_that_is_not_python_is_told_without_the_frames_of_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "not_python.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    error = caught(lambda: importlib.import_module("not_python"))
    text = traceback_text(error.with_traceback(_from_framework(error)))
    assert "<frozen" not in text
    assert "def f(:" in text


def test_an_endless_recursion_is_a_short_text() -> None:
    def again() -> None:
        again()

    text = traceback_text(caught(again))
    assert "RecursionError" in text
    assert text.count("\n") < 60


class HostileMeta(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class Hostile(Exception, metaclass=HostileMeta):
    def __str__(self) -> str:
        return str(sys.exit("no text either"))

    __repr__ = __str__

    def __getattr__(self, name: str) -> object:
        raise RuntimeError("nor attributes")


def test_a_hostile_exception_is_still_told() -> None:
    def throw() -> None:
        raise Hostile

    told = error_dict(caught(throw))
    assert told["type"] == "Hostile"
    assert "SystemExit" in told["message"]
    assert isinstance(told["traceback"], str)
    assert "Hostile" in told["traceback"]


def test_a_text_is_bounded_and_can_be_written_as_utf8() -> None:
    told = error_dict(ValueError("start " + "x" * 1_000_000 + "\ud800 end"))
    assert len(told["traceback"]) < MAX_TEXT
    assert len(told["message"]) < MAX_TEXT
    for text in told.values():
        text.encode()
    assert told["message"].startswith("start x")
    assert told["message"].endswith("end")


def test_a_source_that_is_gone_costs_only_its_line() -> None:
    scope: dict[str, Callable[[], object]] = {}
    exec(compile("def f():\n    raise KeyError(1)", "/gone/agent.py", "exec"), scope)
    linecache.checkcache()
    assert 'File "/gone/agent.py", line 2, in f' in traceback_text(caught(scope["f"]))

from __future__ import annotations

import pathlib
import threading
from typing import Any
from unittest import mock

import pytest

from lgwatch.values import snapshot
from lgwatch.values.limits import REPR


def test_a_repr_that_never_returns_is_given_up_and_not_asked_again() -> None:
    asked = []

    class Sleepy:
        def __repr__(self) -> str:
            asked.append(1)
            threading.Event().wait()
            return ""

    first, second = snapshot(Sleepy()), snapshot(Sleepy())
    assert first == second == {"$type": "Sleepy", "repr": "<Sleepy, its repr took too long>"}
    assert len(asked) == 1


def test_a_repr_that_computes_for_ever_is_ended() -> None:
    asked: list[threading.Thread] = []

    class Busy:
        def __repr__(self) -> str:
            asked.append(threading.current_thread())
            while True:
                pass

    assert "took too long" in snapshot(Busy())["repr"]
    asked[0].join(10)
    assert not asked[0].is_alive()


def raising() -> str:
    raise KeyboardInterrupt


def recursing() -> str:
    return recursing() + ""


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (raising, "<Odd, its repr raised KeyboardInterrupt>"),
        (recursing, "<Odd, its repr raised RecursionError>"),
        (lambda: 7, "<Odd, its repr raised TypeError>"),
        (lambda: "a\udcffb", "a\\udcffb"),
    ],
)
def test_a_repr_that_fails_is_told(answer: Any, shown: str) -> None:
    class Odd:
        def __repr__(self) -> str:
            return answer()

    assert snapshot(Odd()) == {"$type": "Odd", "repr": shown}


def test_a_huge_repr_is_cut() -> None:
    class Huge:
        def __repr__(self) -> str:
            return "x" * 10_000_000

    assert snapshot(Huge()) == {"$type": "Huge", "repr": "x" * REPR, "$cut": {"size": 10_000_000, "shown": REPR}}


def test_a_mock_that_answers_everything_is_a_repr() -> None:
    data = snapshot({"model": mock.MagicMock(name="llm")})
    assert data["model"]["$type"] == "MagicMock"
    assert "llm" in data["model"]["repr"]


def test_a_lock_a_file_and_a_generator_are_told_by_their_repr(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "f").open("w") as file:
        for value in (threading.Lock(), file, (i for i in range(3)), object()):
            assert snapshot(value)["repr"].startswith("<")


def test_slow_reprs_together_are_bounded() -> None:
    asked = []

    def slow(name: str) -> object:
        def answer(self: object) -> str:
            asked.append(name)
            threading.Event().wait(0.15)  # less than one may take
            return name

        return type(name, (), {"__repr__": answer})()

    data = snapshot([slow(f"Slow{i}") for i in range(100)])
    assert data[0]["repr"] == "Slow0"
    assert "$cut" in data[-1]
    assert len(asked) < 10

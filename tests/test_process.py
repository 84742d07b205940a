"""The graph's process, seen from outside: what is taken from its pipes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lgwatch import process
from lgwatch.process import GraphProcess
from tests.live import PATIENCE, eventually

IDLE = "import sys\nsys.stdin.read()\n"
"""A process that prints nothing and goes when it is let go."""
FULL = "import os, sys\nos.set_blocking(1, False)\nos.write(1, b'x' * (1 << 20))\nsys.stdin.read()\n"
"""One that fills its pipe and does not read it."""


@contextmanager
def child(folder: Path, code: str) -> Iterator[GraphProcess]:
    runner = folder / "runner.py"
    runner.write_text(code)
    one = GraphProcess(sys.executable, {}, runner=runner)
    try:
        yield one
    finally:
        one.end()
        list(one.left_over())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STUCK", -1.0)


def test_a_pipe_that_the_process_empties_at_the_same_moment_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_waiting", process._capacity)
    with child(tmp_path, IDLE) as one:
        found: list[object] = []
        asking = threading.Thread(target=lambda: found.append(list(one.overflow())), daemon=True)
        asking.start()
        asking.join(PATIENCE / 4)
        assert found == [[]]


def test_half_of_a_full_pipe_is_taken_and_the_process_reads_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with child(tmp_path, FULL) as one:
        taken: list[tuple[str, str]] = []
        assert eventually(lambda: taken.extend(one.overflow()) or taken)
        assert {stream for stream, _ in taken} == {"stdout"}
        assert set(taken[0][1]) == {"x"}
        assert all(os.get_blocking(fd) for fd in one._outputs.values()), "the process shares the descriptor"
        assert [stream for stream, _ in one.left_over()] == ["stdout"]

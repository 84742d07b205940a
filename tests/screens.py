"""The real program in a pseudo-terminal, on a small graph in a file: what tests of the whole thing start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lgwatch
from lgwatch.events import Event, RunEnded
from tests.benchmarks.terminal import Terminal
from tests.live import WRITER, agent, environment, eventually, lgwatch_command

PATIENCE = 60.0
CTRL_C, CTRL_X, ESCAPE, ENTER = "\x03", "\x18", "\x1b", "\r"
ENTERED = b"\x1b[?1049h"
LEFT = b"\x1b[?1049l"


def started(folder: Path, *arguments: str, cols: int = 120, rows: int = 36, **env: str) -> Terminal:
    """`lgwatch …` in the folder."""
    return Terminal(lgwatch_command(*arguments), cols, rows, env=environment(folder, **env), cwd=folder)


@contextmanager
def watching(
    folder: Path, body: str = WRITER, *arguments: str, given: Any = {"topic": "cats"}, **more: Any
) -> Iterator[Terminal]:
    """The screen on a run of this graph, which is recorded in `run.jsonl`; `given` None means no input."""
    agent(folder, body)
    said = () if given is None else ("--input", json.dumps(given))
    with started(folder, "run", "agent.py:graph", "--journal", "run.jsonl", *said, *arguments, **more) as terminal:
        yield terminal


def until(terminal: Terminal, condition: Callable[[str], object]) -> str:
    """Wait until the screen's text fulfils the condition; return it."""
    found = ""

    def holds() -> bool:
        nonlocal found
        found = "\n".join(terminal.screen())
        return bool(condition(found))

    terminal.wait_until(holds, PATIENCE)
    return found


def shows(terminal: Terminal, *texts: str) -> str:
    return until(terminal, lambda screen: all(text in screen for text in texts))


def hides(terminal: Terminal, text: str) -> str:
    return until(terminal, lambda screen: text not in screen)


def answers_keys(terminal: Terminal) -> None:
    """Pause and go on: each shows its effect."""
    terminal.send(" ")
    shows(terminal, "PAUSED")
    terminal.send(" ")
    hides(terminal, "PAUSED")


def leave(terminal: Terminal) -> int:
    """Press q until the program is gone (a run that goes on is asked about); return its exit code."""
    terminal.send("q")
    if terminal.cols < 40:  # too narrow for the question; a second q where none was asked goes nowhere
        terminal.send("q")
        return terminal.wait_for_exit(PATIENCE)
    terminal.wait_until(lambda: LEFT in terminal.raw or "q again stops it" in "\n".join(terminal.screen()), PATIENCE)
    if LEFT not in terminal.raw:
        terminal.send("q")
    return terminal.wait_for_exit(PATIENCE)


def farewell(terminal: Terminal) -> str:
    """What was written after the screen was left, as a person finds it in the scrollback."""
    return bytes(terminal.raw).rpartition(LEFT)[2].decode()


def is_restored(terminal: Terminal) -> bool:
    """Whether every mode that was switched on is off again, and the cursor is back."""
    raw = bytes(terminal.raw)
    modes = {b"?1049": b"l", b"?1000": b"l", b"?1003": b"l", b"?1006": b"l", b"?2004": b"l", b"?25": b"h", b"?7": b"h"}
    for mode, final in modes.items():
        last = max((raw.rfind(b"\x1b[" + mode + end), end) for end in (b"h", b"l"))
        if last[0] >= 0 and last[1] != final:
            return False
    return raw.rfind(b"\x1b[<u") >= raw.rfind(b"\x1b[>")


def recorded(folder: Path) -> list[Event]:
    """The events of the journal, references resolved."""
    return list(lgwatch.events(folder / "run.jsonl"))


def results(folder: Path) -> list[RunEnded]:
    return [event for event in recorded(folder) if isinstance(event, RunEnded)]


def runner_pid(folder: Path) -> int:
    """The process id of the graph's process, from the journal's header, as soon as that is written."""
    journal = folder / "run.jsonl"
    assert eventually(lambda: journal.exists() and b"\n" in journal.read_bytes())
    with journal.open() as lines:
        return int(json.loads(lines.readline())["pid"])

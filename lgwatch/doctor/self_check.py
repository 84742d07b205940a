"""Whether lgwatch tells the truth about a graph: it runs as it is, then watched, and both accounts are compared.

A graph may answer differently from run to run. What differs between two runs that nobody watched is the graph's own
doing and no difference.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

import lgwatch
from lgwatch.accounts import account_of
from lgwatch.errors import InputError, LgwatchError, TargetError
from lgwatch.events import Json, Notice, RunEnded, RunStarted
from lgwatch.live import Launch, LiveRun
from lgwatch.process import RUNNER
from lgwatch.selfcheck import Comparison, Difference, compare
from lgwatch.sources import RunRequest
from lgwatch.text import clean

ACCOUNTS = 3
"""How often the graph runs as it is, at most: again only where what was watched differs."""
WORDS = {
    "results": "ends and outputs", "tasks": "tasks", "updates": "updates", "messages": "messages",
    "custom": "custom events", "order": "messages and events in order", "interrupts": "interrupts",
    "breakpoints": "breakpoints", "checkpoints": "checkpoints", "attempts": "attempts of nodes",
    "calls": "calls of models", "tools": "tool calls", "final state": "final state",
}  # fmt: skip
"""What was compared, in words."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: a graph, with what, and the answers that it goes on with, one after the other."""

    launch: Launch
    request: RunRequest
    answers: Sequence[Json] = ()
    timeout: float | None = None
    """Seconds that each of its runs may take, from the start of its process to its end; None for as long as it takes."""


def self_check(trial: Trial) -> Iterator[str]:
    """Run the graph both ways; yield what was done and found, line by line.

    Raises TargetError or InputError where the graph does not run at all, and DifferenceError when anything differs.
    """
    yield f"{clean(trial.launch.label)} runs twice, each time on a new thread: as it is, and watched"
    yield f"(where both differ, up to {ACCOUNTS - 1} more times as it is: a graph may answer differently each time)"
    with tempfile.TemporaryDirectory(prefix="lgwatch-") as name:
        folder = Path(name)
        accounts = [_account(trial, folder)]
        yield f"✓ as it is: {_ending(accounts[0])}"
        seen = _watched(trial, folder / "watched.jsonl")
        yield f"✓ watched: {_ending(seen)}"
        found = compare(accounts[0], seen)
        different, own = found.differences, set[tuple[str, str]]()
        while different and len(accounts) < ACCOUNTS:
            yield f"  {_counted(different)}; it runs once more as it is, to see whether the graph itself differs"
            accounts.append(_account(trial, folder))
            own |= {_kind(one) for one in compare(accounts[0], accounts[-1]).differences}
            found, different = min(
                ((one, [each for each in one.differences if _kind(each) not in own])
                 for one in (compare(account, seen) for account in accounts)),
                key=lambda pair: len(pair[1]),
            )  # fmt: skip
    yield from _table(found)
    if accounts[0]["runs"][0]["checkpoints"] is None:
        yield "       –  checkpoints: the graph keeps none of its own"
    if own:
        parts = ", ".join(sorted(f"{part} of {WORDS.get(section, section)}" for section, part in own))
        yield f"⚠ the graph itself differs from run to run, so this was not compared: {parts}"
    if accounts[0]["runs"][-1]["status"] == "interrupted":
        yield "⚠ it waits for an answer: give --resume to go on"
    if different:
        yield from (f"✗ {clean(str(one))}" for one in different)
        raise DifferenceError(
            f"{_counted(different)} between what happens and what lgwatch tells", "please report them"
        )
    yield "✓ zero differences: what lgwatch tells is what happens without it"


class DifferenceError(LgwatchError):
    """What lgwatch tells of a graph is not what happens without it."""

    exit_code = 1


def _too_long(trial: Trial, when: str) -> TargetError:
    return TargetError(f"the graph took longer than {trial.timeout:g} s {when}", "give it longer with --timeout")


def _kind(difference: Difference) -> tuple[str, str]:
    return difference.section, difference.part


def _counted(differences: Sequence[Difference]) -> str:
    return f"{len(differences)} difference{'s' * (len(differences) != 1)}"


def _ending(account: dict[str, Json]) -> str:
    ends = [run["error"]["type"] if run["error"] else run["status"] for run in account["runs"]]
    return ", then ".join(map(clean, ends))


def _table(found: Comparison) -> Iterator[str]:
    yield "compared:"
    for kind, word in WORDS.items():
        if count := found.counts.get(kind, 0):
            yield f"{count:8,}  {word}"


# ── as it is ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _account(trial: Trial, folder: Path) -> dict[str, Json]:
    """Run the graph in a process of its own that nothing watches. Raises TargetError or InputError."""
    launch, request, out = trial.launch, trial.request, folder / "account.json"
    out.unlink(missing_ok=True)
    order = {
        "target": launch.target, "app_dir": str(launch.app_dir), "paths": list(launch.paths), "out": str(out),
        "thread": uuid.uuid4().hex, "config": request.config, "context": request.context, "answers": list(trial.answers),
        "message": request.message, "recursion_limit": request.recursion_limit,
        **({"input": request.input} if request.has_input else {}),
    }  # fmt: skip
    # A file, which nothing waits for: what the graph has started may keep a pipe open.
    with (folder / "printed").open("wb") as printed:
        code = _run(trial, order, printed)
    try:
        told = json.loads(out.read_bytes())
    except (OSError, ValueError):
        last = (folder / "printed").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise TargetError(
            f"the graph's process ended with code {code} while nobody watched it",
            "look for what ends the interpreter",
            detail="".join(last),
        ) from None
    if refused := told.get("error"):
        kind = InputError if refused["type"] == "InputError" else TargetError
        raise kind(refused["message"], refused.get("hint") or "", detail=refused.get("traceback") or "")
    account: dict[str, Json] = told["account"]
    return account


def _run(trial: Trial, order: dict[str, Json], printed: BinaryIO) -> int:
    """Give the order to a process, and wait for its end; return its exit code. Raises TargetError."""
    launch = trial.launch
    try:
        process = subprocess.Popen(
            [launch.python, str(RUNNER), "account"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=printed,
            start_new_session=True, env={**launch.env, **os.environ},
        )  # fmt: skip
    except OSError as error:
        raise TargetError(
            f"{launch.python} cannot be started: {error.strerror}",
            "name another interpreter with --python, such as .venv/bin/python",
        ) from None
    try:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()  # and left open: when this process is gone, the other one goes too
        return process.wait(trial.timeout)
    except subprocess.TimeoutExpired:
        raise _too_long(trial, "while nobody watched it") from None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


# ── watched ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _watched(trial: Trial, journal: Path) -> dict[str, Json]:
    """Run the graph as `lgwatch run` does, and return what its journal tells."""
    source = LiveRun(replace(trial.launch, journal=journal, config=trial.request.config))
    deadline = monotonic() + (inf if trial.timeout is None else trial.timeout)
    try:
        request = replace(trial.request, thread=uuid.uuid4().hex)
        source.start(request)
        _until_the_end(source, trial, deadline)
        for answer in trial.answers:
            if isinstance(answer, dict) and "$input" in answer:
                source.start(replace(request, input=answer["$input"], has_input=True, message=None))
            else:
                source.resume(_answers(answer, journal))
            _until_the_end(source, trial, deadline)
    finally:
        source.close()
    return account_of(journal)


def _until_the_end(source: LiveRun, trial: Trial, deadline: float) -> None:
    begun = False
    while True:
        for event in source.poll():
            begun = begun or isinstance(event, RunStarted)
            if isinstance(event, Notice) and event.code == "needs_input":
                raise InputError(event.text, "give it with --input")
            if isinstance(event, RunEnded) and begun:
                return
            if isinstance(event, RunEnded):
                raise _never_began(event.error or {})
        if source.finished:
            raise TargetError(f"{source.label} did not come to its end", "run `lgwatch doctor` on it")
        if monotonic() > deadline:
            raise _too_long(trial, "while it was watched")
        sleep(0.01)


def _never_began(error: Mapping[str, Json]) -> TargetError:
    """Return why there is nothing to compare though the graph has run as it is; `error` is the watched run's."""
    return TargetError(
        f"watched, the graph does not begin: {error.get('type')}: {error.get('message')}",
        str(error.get("hint") or "run `lgwatch doctor` on it"),
        detail=str(error.get("traceback") or ""),
    )


def _answers(answer: Json, journal: Path) -> dict[str, Json] | None:
    """Return the answer to each question that is open; None goes on after a breakpoint."""
    waiting = [one for one in lgwatch.read_journal(journal).waiting if not one.breakpoint]
    if isinstance(answer, dict) and "$for" in answer:
        return {one.id: answer["$for"][one.node] for one in waiting if one.node in answer["$for"]}
    return {one.id: answer for one in waiting} or None

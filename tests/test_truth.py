"""What lgwatch tells is what happened: every graph of the corpus, watched and not, fact by fact."""

from __future__ import annotations

import asyncio
import copy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lgwatch
from lgwatch.accounts import SECTIONS, account_of
from lgwatch.events import CustomWritten, Json
from lgwatch.live import Launch, LiveRun
from lgwatch.selfcheck import agree, compare
from lgwatch.sources import RunRequest
from tests.corpus import Case, cases
from tests.live import PATIENCE, ROOT
from tests.truth import Truth, account, answer, bare, truth
from tests.versions import needs

OLD_PYTHON = sys.version_info < (3, 11)
"""A graph runs synchronously there; what cannot is not sound, with or without lgwatch."""
CASES = {name: replace(case, sync=case.sync or OLD_PYTHON) for name, case in cases().items()}
NAMES = [pytest.param(name, marks=needs(*case.needs)) for name, case in CASES.items()]
"""All of them; what needs more than this Python and this LangGraph have is skipped with a word."""


def taken(case: Case, folder: Path) -> Truth:
    return asyncio.run(truth(case, folder / "run.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_the_journal_tells_what_happens_without_lgwatch(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    found = taken(case, tmp_path)
    assert not found.comparison.differences
    assert found.comparison.counts["results"]
    last = found.told["runs"][-1]
    if last["status"] == "done" and found.told["state"] is not None:
        assert agree(found.told["state"], found.left), "the thread was left in another state"
    if last["status"] == "done" and not case.answers and not case.after:
        assert agree(asyncio.run(bare(case)), last["output"]), "a bare invoke returns something else"
    for event in lgwatch.events(tmp_path / "run.jsonl"):
        if isinstance(event, CustomWritten) and isinstance(event.data, dict) and len(event.data.get("by", "")) == 36:
            assert event.task == event.data["by"], "a custom event is another task's"


def test_the_corpus_has_every_feature_once() -> None:
    assert len(cases()) >= 60
    assert all(case.feature for case in cases().values())


# ── the real process ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def process(case: Case, folder: Path) -> Iterator[LiveRun]:
    module, function = case.build.__module__, case.build.__name__
    source = LiveRun(
        Launch(
            target=f"{module}:{function}",
            label=case.name,
            journal=folder / "run.jsonl",
            python=sys.executable,
            app_dir=ROOT,
        )
    )
    try:
        yield source
    finally:
        source.close()


@pytest.mark.parametrize("name", ["questions.in_parallel_subgraphs", "customs.from_threads", "savers.sqlite_spoken"])
def test_a_process_of_its_own_tells_the_same(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    told = asyncio.run(account(case))
    with process(case, tmp_path) as source:
        source.start(RunRequest(input=copy.deepcopy(case.given), has_input=True, config=case.config))
        for number in range(len(case.answers) + 1):
            deadline = time.monotonic() + PATIENCE
            while sum(type(event).type == "run_result" for event in seen(source)) <= number:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            if number < len(case.answers):
                source.resume(answer(case.answers[number], source.path))
    assert not compare(told, account_of(tmp_path / "run.jsonl")).differences


def seen(source: LiveRun) -> list[Any]:
    source.poll()
    return list(lgwatch.events(source.path)) if source.path.exists() and source.header is not None else []


# ── the comparison itself ────────────────────────────────────────────────────────────────────────────────────────────


FEATURED = {
    "updates": "ways.sends", "messages": "tools.several_tools", "custom": "customs.from_parallel_nodes",
    "order": "customs.between_tokens", "interrupts": "questions.in_parallel", "breakpoints": "questions.compiled_to_stop",
    "checkpoints": "nested.three_deep", "attempts": "faults.retried", "calls": "speech.several_in_one_node",
    "tools": "tools.several_tools", "tasks": "nested.three_deep",
}  # fmt: skip


@pytest.mark.parametrize("section", SECTIONS)
def test_a_fact_that_is_missing_or_wrong_is_a_difference(section: str, tmp_path: Path) -> None:
    found = taken(CASES[FEATURED[section]], tmp_path)
    run = next(number for number, run in enumerate(found.seen["runs"]) if run[section])
    less = copy.deepcopy(found.seen)
    del less["runs"][run][section][-1]
    differences = compare(found.told, less).differences
    assert {"number"} <= {one.part for one in differences if one.section == section}
    for part in SECTIONS[section]:
        lie = copy.deepcopy(found.seen)
        lie["runs"][run][section][-1][part] = "a lie"
        differences = compare(found.told, lie).differences
        assert differences, f"{part} may be anything"
        assert all(one.section == section for one in differences)


def test_facts_of_another_task_are_a_difference(tmp_path: Path) -> None:
    found = taken(CASES["customs.from_parallel_nodes"], tmp_path)
    a, b = (next(fact for fact in found.seen["runs"][0]["custom"] if fact["path"] == node) for node in "ab")
    a["task"] = b["task"]
    told = {str(one) for one in compare(found.told, found.seen).differences}
    assert {"a[1]: without lgwatch 2 custom, watched 1", "b[1]: without lgwatch 1 custom, watched 2"} <= told


def test_another_end_or_another_state_is_a_difference(tmp_path: Path) -> None:
    found = taken(CASES["states.added_up"], tmp_path)
    for part, lie in (("status", "failed"), ("output", {"log": []}), ("error", {"type": "E", "message": "m"})):
        seen_ = copy.deepcopy(found.seen)
        seen_["runs"][0][part] = lie
        assert [one.part for one in compare(found.told, seen_).differences] == [part]
    found.seen["state"]["values"] = {"log": [], "messages": []}
    (one,) = compare(found.told, found.seen).differences
    told, left = '{"log": ["given", 1, 2, 3], "messages": []}', '{"log": [], "messages": []}'
    assert str(one) == f"the thread: values: without lgwatch {told}, watched {left}"


ONE_ID, OTHER_ID = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("told", "seen", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (1, 1.0, True),
        ("text", "text", True),
        (f"run {ONE_ID}", f"run {OTHER_ID}", True),
        (f"run {ONE_ID}", "run", False),
        ("took 0.12 s", "took 0.34 s", True),
        ("a" * 20, {"$type": "str", "head": "aaa", "$cut": {"size": 20, "shown": 3}}, True),
        ("b" * 20, {"$type": "str", "head": "aaa", "$cut": {"size": 20, "shown": 3}}, False),
        ([1, 2, 3], [1, 2, {"$cut": {"size": 3, "shown": 2}}], True),
        ([1, 2], [1], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"$type": "A"}, {"$type": "B"}, False),
        ({"$type": "A", "fields": {"x": 1, "y": None}}, {"$type": "A", "fields": {"x": 1}}, True),
        ({"$type": "A", "fields": {"x": 1}}, {"$type": "A", "fields": {"x": 2}}, False),
        ({"$type": "set", "items": [1, 2]}, {"$type": "set", "items": [2, 1]}, True),
        ({"$type": "set", "items": [1, 2]}, {"$type": "set", "items": [2, 3]}, False),
        ({"$writes": [[1], [2]]}, {"$type": "writes", "items": [[1], [2]]}, True),
    ],
)
def test_values_are_the_same_but_for_ids_and_what_was_cut(told: Json, seen: Json, same: bool) -> None:
    assert agree(told, seen) is same

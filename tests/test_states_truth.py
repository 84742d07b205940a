"""States that nobody saved are those that would have been saved: graphs of the corpus, told with and without their checkpoints."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lgwatch.difference import differences
from lgwatch.events import CheckpointSaved, Notice
from lgwatch.flags import Flags
from lgwatch.journal import JournalReader
from lgwatch.refs import resolve
from lgwatch.session import Session
from lgwatch.states import States
from tests.test_truth import CASES, NAMES
from tests.truth import watch


def folded(journal: Path, *, saved: bool) -> tuple[JournalReader, Session, States]:
    """The session of a journal, and its states: of its checkpoints, or as if nothing had been saved."""
    reader = JournalReader(journal)
    session = Session(reader.header)
    for event in reader.read():
        if saved or not isinstance(event, CheckpointSaved):
            session.apply(event)
        else:
            session.index.add(event, "")  # the numbers of the lines after it stay what they are
    states = States(reader.line, reader.value)
    states.update(session)
    return reader, session, states


def values(reader: JournalReader, states: States) -> dict[tuple[str, int], Any]:
    return {
        (state.run, state.step): resolve(states.values(state), reader.value)
        for state in states.of()
        if state.source != "input"
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_state_that_is_rebuilt_is_the_one_that_was_saved(name: str, tmp_path: Path) -> None:
    asyncio.run(watch(CASES[name], tmp_path / "run.jsonl"))
    reader, session, states = folded(tmp_path / "run.jsonl", saved=True)
    saved = values(reader, states)
    rebuilt = values(*folded(tmp_path / "run.jsonl", saved=False)[::2])
    for key, told in rebuilt.items():
        if key in saved:
            assert not list(differences(saved[key], {name: told[name] for name in told if name in saved[key]}))
    flags = Flags(states)
    while flags.update():
        pass
    assert bool([one for one in flags.all if one.code == "mutated"]) is (name == "states.changed_in_place")
    lost = [one for _, one in session.notices if isinstance(one, Notice) and one.code == "unknown_key"]
    assert bool(lost) is (name == "states.nothing_returned")

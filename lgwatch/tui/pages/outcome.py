"""What a task saw, and what came of it: its writes with their reducers, its questions, and what it left as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lgwatch.events import Json
from lgwatch.records import Interrupt, Task
from lgwatch.refs import follow
from lgwatch.states import States
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.state.rows import SIGNS
from lgwatch.tui.tree.branch import Path
from lgwatch.tui.tree.parts import Words

if TYPE_CHECKING:
    from lgwatch.sources import Source

_EMPTY: tuple[Json, ...] = (None, [], "", {})


@dataclass(slots=True)
class Outcome:
    """The sections of a page, with a sign for each key, and the reducer that took it in."""

    sections: dict[str, Json] = field(default_factory=dict)
    marks: dict[Path, tuple[str, str]] = field(default_factory=dict)
    notes: dict[Path, Row] = field(default_factory=dict)


def saw(source: Source, task: Task) -> dict[str, Json]:
    """Return what a task was given, by key; a value that has none is the `input`."""
    return _sections(follow(source.line(task.seq).get("input"), source.value), "input")


def outcome(source: Source, states: States, asked: Iterable[Interrupt], task: Task) -> Outcome:
    """Return what came of a task until now; `asked` are its questions."""
    given, writes, reducers = saw(source, task), states.writes(task), states.reducers(task.ns)
    told = Outcome(dict(writes))
    for key in writes:
        told.marks[key,] = SIGNS["added" if given.get(key) in _EMPTY else "changed"]
        if reducers.get(key):
            told.notes[key,] = [(f"{reducers[key]} ", "accent")]
    if not writes and task.end_seq is not None:
        result = follow(source.line(task.end_seq).get("writes"), source.value)
        told.sections |= {} if result is None else {"result": result}
    for one in asked:
        told.sections |= {"asks": one.value, **({"answer": one.answer} if one.answered else {})}
    if not task.open and (same := [key for key in given if key not in writes]):
        told.sections["unchanged"] = Words(", ".join(same))
    return told


def _sections(value: Json, name: str) -> dict[str, Json]:
    """Return a value's parts as sections: the keys of a dict or of an object, else the whole under a name."""
    if isinstance(value, dict):
        fields = value.get("fields")
        if "$type" not in value:
            return value
        if isinstance(fields, dict):
            return fields
    return {} if value is None else {name: value}

"""What lines of the journal hold that a filter can ask for by its keys: the state, and the data of custom events.

Pure functions of a line whose references are resolved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

STATES = {
    "task": "input", "task_result": "writes", "update": "writes", "checkpoint": "values", "run": "input",
    "run_result": "output",
}  # fmt: skip
"""Line type → where it holds the state, or a part of it."""


def state(line: Any) -> Iterable[Any] | None:
    """Return the state that a line holds, or the part of it; None for a line that holds none."""
    name = STATES.get(str(line.get("type", ""))) if isinstance(line, dict) else None
    return None if name is None else (line.get(name),)


def data(line: Any) -> Iterable[Any] | None:
    """Return what a custom event holds; None for a line that is none."""
    return (line.get("data"),) if isinstance(line, dict) and line.get("type") == "custom" else None


def within(values: Iterable[Any], keys: tuple[str, ...]) -> Iterable[Any]:
    """Yield what stands at the keys, as a person would write it; through lists, messages and the like as well."""
    for value in values:
        if not keys:
            if isinstance(value, list):
                yield from within(value, ())
            yield (
                {None: "null", True: "true", False: "false"}[value]
                if value is None or value is True or value is False
                else value
            )
            continue
        inside = value.get("fields", value) if isinstance(value, dict) and "$type" in value else value
        if isinstance(inside, list):
            if keys[0].isdecimal():
                yield from within(inside[int(keys[0]) :][:1], keys[1:])
            else:
                yield from within(inside, keys)
        elif isinstance(inside, dict) and keys[0] in inside:
            yield from within((inside[keys[0]],), keys[1:])

"""A journal of structure and timing: what happened, where and when, and nothing that was said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lgwatch.events import Event, Json, Notice, ValueStored
from lgwatch.journal.content import CONTENT

_SAFE_NOTICES = frozenset(
    {"checkpointer", "compiled", "python310", "interpreter", "old", "breakpoint", "interrupt", "veil"}
)
"""Notices of which lgwatch has written every word, but for names of nodes and places of files."""
_SHAPE = frozenset({
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "format", "items", "oneOf", "prefixItems", "properties",
    "required", "title", "type",
})  # fmt: skip
"""Keys of a JSON Schema that tell a shape and nothing else."""


class Structure:
    """Leaves out all content."""

    def __init__(self) -> None:
        self.header: dict[str, Json] = {"no_content": True}
        self.told = "only structure and timing are recorded: nothing that goes in, comes out or is said in between"

    def text(self, text: str) -> str:
        """Return the text: what is watched is structure."""
        return text

    def events(self, event: Event) -> Iterator[Event]:
        """Yield the event without its content; stored values are nothing but content."""
        if isinstance(event, Notice):
            yield event if event.code in _SAFE_NOTICES else replace(event, text="")
        elif not isinstance(event, ValueStored):
            names = CONTENT.get(type(event), ())
            yield replace(event, **{name: _shape(name, getattr(event, name)) for name in names})


def _shape(name: str, value: Json) -> Json:
    """Return what a field of content shows of the run's structure."""
    if name == "text":
        return ""
    if not isinstance(value, dict):
        return None
    if name.endswith("schema"):
        return _bare_schema(value)
    if name == "error":
        return {"type": str(value.get("type") or ""), "message": "", "traceback": ""}
    if name == "config":
        return {"recursion_limit": value["recursion_limit"]} if "recursion_limit" in value else None
    if name in ("writes", "resume") and not any(key.startswith("$") for key in value):
        return dict.fromkeys(value)  # the channels that were written, the interrupts that were answered
    return None


def _bare_schema(schema: Json, *, names: bool = False) -> Json:
    """Return a JSON Schema without what its author put into it; in an object of `names`, keys are the user's."""
    if isinstance(schema, list):
        return [_bare_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _bare_schema(one, names=not names and key in ("properties", "$defs"))
        for key, one in schema.items()
        if names or key in _SHAPE
    }

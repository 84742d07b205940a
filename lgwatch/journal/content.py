"""Which fields of an event hold what users, models and nodes say. A new event, or a new field, is decided on here."""

from __future__ import annotations

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    GraphLoaded,
    Interrupted,
    LoopDelayed,
    MessageChunk,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
    ValueStored,
)  # fmt: skip

CONTENT: dict[type[Event], tuple[str, ...]] = {
    GraphLoaded: ("input_schema", "output_schema", "context_schema"),
    RunStarted: ("input", "resume", "config"),
    TaskStarted: ("input",),
    TaskEnded: ("writes", "error"),
    Updated: ("writes",),
    MessageChunk: ("text",),
    CustomWritten: ("data",),
    CheckpointSaved: ("values",),
    Interrupted: ("value", "schema"),
    SpanStarted: ("input",),
    SpanEnded: ("error", "output"),
    Output: ("text",),
    ValueStored: ("data",),
    Notice: ("text",),
    LoopDelayed: (),
    RunEnded: ("error", "output"),
}
"""The fields that hold what users, models and nodes say; the others are names, ids, numbers and times."""

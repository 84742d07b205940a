"""What must not reach the disk: secrets by their shape, or all content. Every line passes here, or none of this is there.

Two veils: `Redaction` masks what looks like a secret in everything that users' text can be in; `Structure` leaves out
the content of every event and keeps what happened, where and when. A journal that is written without a veil has none of
this on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from lgwatch.events import Event, Json, MessageChunk
from lgwatch.journal.redaction import Redaction
from lgwatch.journal.structure import Structure
from lgwatch.journal.writer import Gate, JournalWriter


class Veil(Protocol):
    """What stands between events and a journal. `header` is what the journal's first line says of it, `told` a sentence."""

    header: dict[str, Json]
    told: str

    def events(self, event: Event) -> Iterable[Event]:
        """Yield what is to be written when this event comes: it, veiled, with what was held back; or nothing yet."""

    def text(self, text: str) -> str:
        """Return a text that is not in an event."""


def veil_of(redact: Sequence[str] | None, *, content: bool = True) -> Veil | None:
    """Return the veil that was asked for: patterns to redact besides what is known (None for no redaction), or no content.

    Raises `re.error` for what is no regular expression.
    """
    if not content:
        return Structure()
    return Redaction(redact) if redact is not None else None


class VeiledWriter(JournalWriter):
    """A writer through a veil."""

    veil: Veil

    def append(self, event: Event, gate: Gate | None = None) -> None:
        """Write what the veil leaves of the event, unless its `gate` is shut."""
        with self.lock:  # what is held back keeps its place
            if gate is not None and gate.shut:
                return
            for one in self.veil.events(event):
                super().append(one)

    def repeat(self, event: MessageChunk) -> Callable[[str], None]:
        """Return a function that appends `event` with another `text` each time."""
        return lambda text: self.append(replace(event, text=text))


def new_writer(
    path: Path | str, veil: Veil | None, *, target: str, python: str = "", langgraph: str = "",
    extra: dict[str, Json] | None = None,
) -> JournalWriter:  # fmt: skip
    """Create a journal, whose header says what veil it is written through. Raises JournalError."""
    if veil is None:
        return JournalWriter(path, target=target, python=python, langgraph=langgraph, extra=extra)
    extra = {**(extra or {}), **veil.header}
    writer = VeiledWriter(path, target=veil.text(target), python=python, langgraph=langgraph, extra=extra)
    writer.veil = veil
    return writer


def attached_writer(path: Path | str, veil: Veil | None, *, shared: bool = False) -> JournalWriter:
    """Go on with a journal that exists, and that somebody else writes to if it is `shared`. Raises JournalError."""
    if veil is None:
        return JournalWriter.attach(path, shared=shared)
    writer = VeiledWriter.attach(path, shared=shared)
    assert isinstance(writer, VeiledWriter)
    writer.veil = veil
    return writer

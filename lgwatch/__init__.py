"""Watch and debug LangGraph runs live, in the terminal.

The public Python API reads journals: `read_journal(path)` gives a loaded `Session`, `events(path)` the events with
their references resolved. Both raise `lgwatch.errors.JournalError` when the file cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lgwatch.events import Event
    from lgwatch.session import Session

    def events(path: str | PathLike[str]) -> Iterator[Event]:
        """Yield the events of a journal, oldest first, with every reference replaced by the value it stands for."""
else:
    # The module of the vocabulary has the same name; it can be called, so both meanings hold whatever loads first.
    from lgwatch import events

__version__ = "0.1.0"
OLDEST_LANGGRAPH = (0, 6, 11)
"""The oldest langgraph that graphs are watched on by the tests; `pyproject.toml` promises the same."""

__all__ = ["events", "read_journal"]

# The runner imports this package in the user's interpreter: nothing heavy may load with it.


def read_journal(path: str | PathLike[str]) -> Session:
    """Return the session that a journal tells of: its runs, tasks, messages, custom events, checkpoints …

    A journal that is still being written gives the session so far.
    """
    from lgwatch.journal import JournalReader
    from lgwatch.session import Session

    reader = JournalReader(Path(path))
    session = Session(reader.header)
    for event in reader.read():
        session.apply(event)
    reader.close()
    return session

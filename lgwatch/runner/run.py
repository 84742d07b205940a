"""One invocation of the graph: what was told to it, and its result, which is the last thing that it writes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from lgwatch.events import Event, Json, MessageChunk, RunEnded
from lgwatch.journal import JournalWriter
from lgwatch.journal.writer import Gate


class Run:
    """One invocation: what it was asked, what it has been told since, and how it ended."""

    def __init__(self, name: str, thread: str, journal: JournalWriter) -> None:
        self.id = name
        self.thread = thread
        self.stop = ""
        """How it was asked to stop: `drain`, `cancel`, or not at all."""
        self.why: dict[str, Json] | None = None
        """Why, as an error, if whoever stopped it said so: a timeout does."""
        self.control: Any = None
        self.task: asyncio.Task[None] | None = None
        self.escaped: BaseException | None = None
        self._journal = journal
        self._gate = Gate()
        self.append: Callable[[Event], None] = partial(journal.append, gate=self._gate)
        """Write an event of this run; nothing after its end."""
        # Reentrant: what decodes a part in a thread of its own holds it, so that nothing follows the result.
        self.lock = threading.RLock()
        self.ended = threading.Event()

    def repeat(self, event: MessageChunk) -> Callable[[str], None]:
        """Return a function that writes the chunk with another text each time."""
        return self._journal.repeat(event)

    def end(self, status: str, *, error: dict[str, Json] | None = None, output: Json = None) -> None:
        """Write the run's result; once, whoever is first."""
        if status == "stopped":
            error = error or self.why
        with self.lock, self._journal.lock:
            if not self._gate.shut:
                self._journal.append(RunEnded(run=self.id, status=status, error=error, output=output))
                self._gate.shut = True
                self.ended.set()

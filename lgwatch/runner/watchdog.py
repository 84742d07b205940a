"""Notices that the event loop does not turn: how late it is, and where user code blocks it. It only looks; it changes
nothing."""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType

from lgwatch.events import Event, LoopDelayed, Notice
from lgwatch.runner.failure import is_framework

BEAT = 0.1
"""Seconds between two questions to the loop."""
LATE = 0.05
"""Seconds from a question to its answer from which on they are told."""
PAUSE = 0.5
"""Seconds from one telling of delays to the next."""
BLOCKED = 0.5
"""Seconds without an answer after which the loop counts as blocked."""
REPORTS = 3
"""Blocked places that are named in one run; each of them once."""


class Watchdog:
    """Watches the loop that it is entered on, from a thread of its own, until it is left.

    What is not between two questions is not seen: a delay is told up to a `BEAT` too short.
    """

    def __init__(self, append: Callable[[Event], None]) -> None:
        self._append = append
        self._over = threading.Event()
        self._asked: float | None = None  # when the question was asked that waits for its answer
        # What follows belongs to the loop's thread.
        self._worst = self._since = 0.0  # of the delays that were not told yet: the longest, and when the first began
        self._told = monotonic() - PAUSE

    def __enter__(self) -> None:
        """Begin to watch the loop that runs here."""
        self._loop = asyncio.get_running_loop()
        self._main = threading.get_ident()
        threading.Thread(target=self._watch, name="lgwatch-watchdog", daemon=True).start()

    def __exit__(self, *failure: object) -> None:
        """Tell what was not told yet, and let go."""
        self._over.set()
        if self._worst:
            self._tell(monotonic())

    def _watch(self) -> None:
        named: set[str] = set()
        looked = False
        while not self._over.wait(BEAT):
            asked = self._asked
            if asked is None:
                self._asked, looked = monotonic(), False
                try:
                    self._loop.call_soon_threadsafe(self._answer)
                except RuntimeError:  # the loop is closed
                    return
            elif not looked and monotonic() - asked >= BLOCKED:
                looked = True
                where = place(sys._current_frames().get(self._main))  # noqa: SLF001 - the documented way to another thread's stack
                if where and where not in named and len(named) < REPORTS:
                    named.add(where)
                    text = f"the event loop is blocked at {where}; while it is, no other async node can go on"
                    self._append(Notice(code="blocked", text=text))

    def _answer(self) -> None:
        """Note that the loop has turned, on its own thread."""
        now = monotonic()
        asked, self._asked = self._asked, None
        if asked is not None and now - asked >= LATE:
            self._since = self._since or asked
            self._worst = max(self._worst, now - asked)
        if self._worst and now - self._told >= PAUSE and not self._over.is_set():
            self._tell(now)

    def _tell(self, now: float) -> None:
        self._append(LoopDelayed(delay=round(self._worst, 3), window=round(now - self._since, 3)))
        self._told, self._worst, self._since = now, 0.0, 0.0


def place(frame: FrameType | None) -> str:
    """Return `FILE:LINE (source)` of the innermost frame that is the user's; empty when there is none."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not is_framework(name) and "site-packages" not in name and not name.startswith("<"):
            source = linecache.getline(name, frame.f_lineno).strip()
            return f"{name}:{frame.f_lineno}" + (f" ({source})" if source else "")
        frame = frame.f_back
    return ""

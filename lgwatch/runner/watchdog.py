"""Notices that user code blocks the event loop, and says where. It only looks; it changes nothing."""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
from collections.abc import Callable
from types import FrameType

from lgwatch.runner.failure import is_framework

BEAT = 0.2
"""Seconds between two looks."""
BLOCKED = 0.5
"""Seconds without a sign of life after which the loop counts as blocked."""
REPORTS = 3
"""Reports in one run; each place is named once."""


class Watchdog:
    """Watches a loop from a thread of its own until `over` is set; `report` takes one sentence."""

    def __init__(self, loop: asyncio.AbstractEventLoop, over: threading.Event, report: Callable[[str], None]) -> None:
        self._loop = loop
        self._over = over
        self._report = report
        self._main = threading.get_ident()

    def start(self) -> None:
        """Begin to watch; to be called on the loop's thread."""
        threading.Thread(target=self._watch, name="lgwatch-watchdog", daemon=True).start()

    def _watch(self) -> None:
        named: set[str] = set()
        while not self._over.wait(BEAT) and len(named) < REPORTS:
            beat = threading.Event()
            try:
                self._loop.call_soon_threadsafe(beat.set)
            except RuntimeError:  # the loop is closed
                return
            if beat.wait(BLOCKED):
                continue
            where = place(sys._current_frames().get(self._main))  # noqa: SLF001 - the documented way to another thread's stack
            if where and where not in named:
                named.add(where)
                self._report(f"the event loop is blocked at {where}; while it is, no other async node can go on")
            while not beat.wait(BEAT):
                if self._over.is_set():
                    return


def place(frame: FrameType | None) -> str:
    """Return `FILE:LINE (source)` of the innermost frame that is the user's; empty when there is none."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not is_framework(name) and "site-packages" not in name and not name.startswith("<"):
            source = linecache.getline(name, frame.f_lineno).strip()
            return f"{name}:{frame.f_lineno}" + (f" ({source})" if source else "")
        frame = frame.f_back
    return ""

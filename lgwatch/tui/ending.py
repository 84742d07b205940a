"""Signals that end the screen as `q` does: the terminal is restored, the run stopped, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE = 5.0
"""Seconds after which a screen that cannot end, because nobody reads its terminal any more, is ended by force."""


def obey_signals(leave: Callable[[], object], close: Callable[[], None]) -> None:
    """Call `leave` on the running loop when a signal asks for the end; `close` lets go of what must not be left."""
    loop = asyncio.get_running_loop()

    def give_up(number: int) -> None:
        close()
        os._exit(128 + number)

    # Not the loop's own handlers: a loop that waits for a terminal would never come to them.
    def end(number: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(leave)
        backstop = threading.Timer(PATIENCE, give_up, (number,))
        backstop.daemon = True
        backstop.start()

    for number in SIGNALS:
        signal.signal(number, end)

"""Signals: those that end the screen do it as `q` does, with nothing left behind; one that was stopped goes on whole."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from textual.app import App
from textual.driver import Driver

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


def obey_continue(app: App[Any]) -> None:
    """Take the terminal up again when the stopped process goes on, however it was stopped.

    Textual's driver does so as if the screen had always been left before. It was not when the process was stopped from
    outside: a second thread would read the keys, each taking them away from the other, and what is restored at the end
    would be the screen's own modes. And it does so wherever the signal arrives, which may be amidst a write.
    """
    leave, take_up = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not (callable(leave) and callable(take_up)):
        return
    left, loop = False, asyncio.get_running_loop()

    def owns_terminal() -> Driver | None:
        driver = app._driver  # noqa: SLF001  the public ways to suspend end with the process stopped, or the screen left
        return driver if driver is not None and driver._auto_restart else None  # noqa: SLF001  what its own handlers ask

    def stop() -> None:
        nonlocal left
        left = True
        leave(signal.SIGTSTP, None)

    def go_on() -> None:
        nonlocal left
        if driver := owns_terminal():
            if not left:
                driver.suspend_application_mode()
            left = False
            take_up(signal.SIGCONT, None)
            app.refresh(layout=True)

    def on_stop(number: int, frame: FrameType | None) -> None:
        if owns_terminal():
            loop.call_soon_threadsafe(stop)
        else:  # another program has it, and the loop waits for that
            leave(number, frame)

    def on_continue(number: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(go_on)

    signal.signal(signal.SIGTSTP, on_stop)
    signal.signal(signal.SIGCONT, on_continue)

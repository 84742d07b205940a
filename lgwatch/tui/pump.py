"""The frame pump: it reads for a bounded time, lets the app draw, and comes back; sooner while there is more."""

from __future__ import annotations

from asyncio import get_running_loop
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING

from textual.events import Callback, Resize
from textual.geometry import Size

from lgwatch.tui.lines.writer import terminal_is_behind

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from lgwatch.events import Event
    from lgwatch.tui.app import WatchApp

BUDGET = 0.005
"""Seconds of a frame that may go into reading events."""
CATCH_UP, MANY = 0.015, 256
"""The same where more than `MANY` events came in a frame, and more are there: a long journal is opened."""
SOON, FRAME, RUNNING, IDLE = 0.001, 1 / 60, 1 / 30, 1 / 5
"""Seconds to the next frame: while there is more than one takes in, while events pour in, while a run goes on, while nothing happens."""


class Pump:
    """Turns until the app ends."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app
        self._size_before: Size | None = None
        self._far_behind = False
        self._next: TimerHandle | None = None
        self._drawn_at = 0.0
        self._patience = 0.1  # seconds between two pictures while a long journal is read: they take a tenth of the time

    def turn(self) -> None:
        """Read what is new for a bounded time, let the app draw what changed, and come back."""
        app = self._app
        if not app.is_running:
            return
        self._mind_the_size()
        began = monotonic()
        events: list[Event] = []
        # A long journal is read before it is painted over and over, and not in the turn of a picture: a key waits for one
        # of them at most. Keys draw what they change themselves.
        due = self._far_behind and began - self._drawn_at > self._patience and not terminal_is_behind(app)
        if not due:
            events = app.source.poll(CATCH_UP if self._far_behind else BUDGET)
            if events:
                app.take(events)
            self._far_behind = monotonic() - began > BUDGET and len(events) > MANY
        app.forget()
        if due or not (self._far_behind or terminal_is_behind(app)):
            self._drawn_at = began
            app.draw()
            self._patience = max(0.1, 10 * (monotonic() - began))
        running = app.session.status in ("running", "loading") and app.source.live
        hurry = self._far_behind or (app.grows and app.panes.behind)
        self._come_back(SOON if hurry else FRAME if events else RUNNING if running else IDLE)

    def _come_back(self, pause: float) -> None:
        # A timer of Textual's is a task of its own, and a look at the signature of what it calls: each time.
        self._next = get_running_loop().call_later(pause, self._app.post_message, Callback(callback=self.turn))

    def hasten(self) -> None:
        """Come back soon: the picture that a key asked for left more to take in."""
        if self._next is not None and self._next.when() - get_running_loop().time() > 2 * SOON:  # it is not on its way
            self._next.cancel()
            self._come_back(SOON)

    def _mind_the_size(self) -> None:
        """Notice a size that was not told: of two changes in one moment, Textual may hear the older one last."""
        app = self._app
        if app.is_headless:
            return
        size = Size(*get_terminal_size())
        if size != app.size and size == self._size_before:
            app.post_message(Resize(size, size))
        self._size_before = size

"""The pointer: selecting anywhere selects everywhere. It holds the spot that was selected, and asks every pane to show it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lgwatch.events import Notice
from lgwatch.tui.lines.pane import Pane
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.lines.spot import Spot, newest, next_event, next_step, next_trouble, next_visit

if TYPE_CHECKING:
    from lgwatch.tui.app import WatchApp


class Pointer:
    """The selected spot; None while everything follows what is newest."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app
        self.spot: Spot | None = None
        self._told: dict[str, Spot] = {}
        """What each pane was last told, or said itself."""

    # ── selecting ────────────────────────────────────────────────────────────────────────────────────────────────────

    def moved(self, pane: Pane) -> None:
        """Take the spot that was selected in a pane, and show it in all others."""
        spot = pane.spot()
        if spot is not None:
            self.spot = spot
            self._told[str(pane.id)] = spot
            self.show()

    def go(self, spot: Spot) -> None:
        """Select a spot, and show it in all panes."""
        self.spot = spot
        self.show()

    def show(self) -> None:
        """Let the panes that are on the screen show the spot, those that were not asked yet."""
        if self.spot is None:
            return
        for pane in self._app.panes:
            if pane.display and pane.view.size.height and self._told.get(str(pane.id)) != self.spot:
                self._told[str(pane.id)] = self.spot
                pane.safely(partial(pane.reveal, self._app.session, self.spot), None)

    def follow(self, pane: Pane | None) -> None:
        """Forget the spot: all panes that went to it follow what is newest again."""
        if self.spot is None:
            return
        self.spot = None
        self._told.clear()
        for other in self._app.panes:
            if other is not pane and other.display and other.view.tail and not other.view.following:
                other.view.follow()

    def follow_all(self) -> None:
        """Forget the spot, and let every pane follow what is newest, seen or not: a person asked for what comes now."""
        self.spot = None
        self._told.clear()
        for pane in self._app.panes:
            for view in pane.views:
                if view.tail and not view.following:
                    view.follow()

    @property
    def task(self) -> str:
        """The id of the selected task, or of the one that is selected in the focused pane; "" for none."""
        spot = self.spot
        return spot.task if spot is not None else ""

    # ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _here(self) -> Spot | None:
        return self.spot or newest(self._app.session)

    def to_event(self, way: int) -> None:
        """Go to the next event that the filter keeps, or to the one before."""
        here, seqs = self._here(), self._seqs()
        found = next_event(self._app.session, seqs, here, way) if here is not None else None
        self._arrive(found, "no event after this one" if way > 0 else "no event before this one")

    def _seqs(self) -> Sequence[int]:
        events = self._app.panes.events
        events.safely(lambda: events.rows.update(self._app.session, self._app.keep), False)
        return events.rows.seqs

    def to_step(self, way: int) -> None:
        """Go to where the next superstep began, or the one before."""
        here = self._here()
        found = next_step(self._app.session, here, way) if here is not None else None
        self._arrive(found, "no superstep after this one" if way > 0 else "no superstep before this one")
        task = found.task_in(self._app.session) if found is not None else None
        if task is not None:
            self._app.say(f"step {task.step}" + (f" of {task.parent.path}" if task.parent is not None else ""))

    def to_visit(self, way: int) -> None:
        """Go to the next visit of the same node, or to the one before."""
        here = self._here()
        found, number, many = next_visit(self._app.session, here, way) if here is not None else (None, 0, 0)
        self._arrive(found, f"visit {number} of {many}, there is no other" if many else "no task is selected")
        if found is not None:
            self._app.say(f"visit {number} of {many}")

    def to_trouble(self) -> None:
        """Go to the next error or notice."""
        session = self._app.session
        found, number, many = next_trouble(session, self.spot, self._flags())
        self._arrive(found, "no error and no notice")
        if found is not None:
            self._app.say(f"{number} of {many}: {self._text(found.seq)}", 8.0)

    def _flags(self) -> dict[int, str]:
        """What was found to be wrong with states, by the lines that have them."""
        return {flag.seq: flag.text for flag in self._app.panes.state.flags.all}

    def _text(self, seq: int) -> str:
        session = self._app.session
        if flag := self._flags().get(seq):
            return f"{glyph('notice')[0]} {flag}"
        notice: Notice | None = next((one for at, one in session.notices if at == seq), None)
        if notice is not None:
            return f"{glyph('notice')[0]} {notice.text}"
        error = self._app.source.line(seq).get("error") or {}
        return f"{glyph('failed')[0]} {error.get('type', '')}: {error.get('message', '')}"

    def _arrive(self, spot: Spot | None, otherwise: str) -> None:
        if spot is None:
            self._app.say(otherwise)
        else:
            self.go(spot)

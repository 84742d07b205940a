"""The panes as they stand together: which of them are on the screen, which has the keys, and what all of them are told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Container

from lgwatch.filter import Filter
from lgwatch.session import Session
from lgwatch.tui.eventlist.console import ConsolePane
from lgwatch.tui.eventlist.custom import CustomPane
from lgwatch.tui.eventlist.pane import EventsPane
from lgwatch.tui.eventlist.rows import TimedPane
from lgwatch.tui.keymap import PRESETS
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.messages.pane import TokensPane
from lgwatch.tui.nodes.pane import NodeRows, NodesPane
from lgwatch.tui.nodes.runs import RunsPane
from lgwatch.tui.state.pane import StatePane
from lgwatch.tui.timeline.pane import TimelinePane

if TYPE_CHECKING:
    from lgwatch.tui.app import WatchApp


class Panes:
    """All panes, each by its id; their order is the one on the screen. `box` holds their widgets."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app
        source = app.source
        self.nodes = NodesPane(NodeRows(), source, id="nodes")
        self.tokens = TokensPane(source)
        self.state = StatePane(source)
        self.events = EventsPane(source)
        self._panes: tuple[Pane, ...] = (
            self.nodes, self.tokens, self.state, CustomPane(source),
            ConsolePane(source), self.events, TimelinePane(source), RunsPane(source),
        )  # fmt: skip
        self.box = Container(*self._panes, id="panes")
        self.tab = "1"
        self._alone: tuple[str, ...] = ()  # the panes of the tab; none means all that there is room for
        self._before_zoom: tuple[str, tuple[str, ...]] | None = None
        self._view_before: LineView | None = None

    def __iter__(self) -> Iterator[Pane]:
        return iter(self._panes)

    def __getitem__(self, name: str) -> Pane:
        return next(pane for pane in self._panes if pane.id == name)

    # ── which has the keys ───────────────────────────────────────────────────────────────────────────────────────────

    def focused_view(self) -> LineView | None:
        """Return the view that has the keys, None where something else has them."""
        focused = self._app.screen_stack[0].focused
        if not isinstance(focused, LineView):
            return None
        self._view_before = focused
        return focused

    @property
    def view(self) -> LineView:
        """The view that has the keys, or had them last."""
        return self.focused_view() or self._view_before or self.tokens.view

    @property
    def focused(self) -> Pane | None:
        """The pane of that view."""
        return self.of(self.view)

    def of(self, view: LineView) -> Pane | None:
        """Return the pane that the view belongs to."""
        return next((pane for pane in self._panes if pane.view is view), None)

    def focus(self, pane: Pane | None = None) -> None:
        """Give the keys to a pane, or back to the view that had them last."""
        self._app.screen_stack[0].set_focus(self.view if pane is None else pane.view)

    def subject(self) -> Subject | None:
        """Return what is selected in the pane that has the keys."""
        pane = self.focused
        return pane.safely(pane.subject, None) if pane is not None else None

    # ── which are on the screen ──────────────────────────────────────────────────────────────────────────────────────

    def show_tab(self, key: str) -> None:
        """Show the panes of a tab."""
        self.choose(key, next(ids for one, _, ids in PRESETS if one == key))

    def choose(self, tab: str, ids: tuple[str, ...]) -> None:
        """Show these panes alone, or all that there is room for; the first of them has the keys."""
        self.tab, self._alone, self._before_zoom = tab, ids, None
        with self._app.batch_update():
            self.box.set_class(bool(ids), "-zoomed", update=False)
            self.box.set_class(ids[:1] == ("timeline",), "-timeline", update=False)
            for pane in self._panes:
                pane.set_class(pane.id in ids, "-chosen", update=False)
            self.box.update_node_styles()  # once for all of them: it goes down to what is in the panes
        if ids:
            self.focus(self[ids[0]])

    def zoom(self) -> None:
        """Show the focused pane alone, or the view that it was taken from."""
        pane = self.focused
        if pane is None or not pane.id or self._alone == (pane.id,):
            self.unzoom()
            return
        before = self.tab, self._alone
        self.choose(next((key for key, _, ids in PRESETS if ids == (pane.id,)), "z"), (pane.id,))
        self._before_zoom = before

    def unzoom(self) -> None:
        """Go back to the view that a pane was taken from, or to all panes; the pane keeps the keys."""
        pane = self.focused
        tab, ids = self._before_zoom or ("1", ())
        self.choose(tab, ids)
        if pane is not None and (not ids or pane.id in ids):
            self.focus(pane)

    @property
    def zoomed(self) -> bool:
        """Whether there are fewer of them than there is room for."""
        return bool(self._alone)

    # ── what all of them are told ────────────────────────────────────────────────────────────────────────────────────

    def grow(self, session: Session, keep: Filter, now: float) -> None:
        """Let those on the screen show the session as it is now."""
        for pane in self._panes:
            if pane.display:
                pane.grow(session, keep, now)
                pane.settle()

    def settle(self) -> None:
        """Let their borders say what they were last told to."""
        for pane in self._panes:
            pane.settle(at_once=True)

    @property
    def behind(self) -> bool:
        """Whether one of those on the screen has more to take in than it did."""
        return any(pane.safely(partial(_behind, pane), False) for pane in self._panes if pane.display)

    def say_empty(self, keep: Filter) -> None:
        """Let the empty ones say why they are."""
        for pane in self._panes:
            pane.say_empty(keep)

    def next_times(self) -> str:
        """Let those with a time column tell times another way; return which."""
        return [pane.next_times() for pane in self._panes if isinstance(pane, TimedPane)][-1]

    def kept(self, session: Session, keep: Filter) -> int:
        """Return how many events the filter keeps."""
        rows = self.events.rows
        self.events.safely(lambda: rows.update(session, keep), False)
        return self.events.safely(lambda: len(rows), 0)


def _behind(pane: Pane) -> bool:
    return pane.behind

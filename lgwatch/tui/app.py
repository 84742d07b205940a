"""The app: layout, keys and the frame pump. It owns the session, the filter and the source, and nothing else."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable
from functools import partial
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Container
from textual.dom import DOMNode
from textual.events import Event as TextualEvent
from textual.events import Key, Resize
from textual.filter import LineFilter
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input

from lgwatch.events import Event, Notice, RunEnded, RunStarted
from lgwatch.filter import Filter
from lgwatch.session import Session
from lgwatch.snippet import snippet
from lgwatch.tui import chrome
from lgwatch.tui.control import Control
from lgwatch.tui.ending import obey_signals
from lgwatch.tui.escape import quick_escape
from lgwatch.tui.eventlist.console import ConsolePane
from lgwatch.tui.eventlist.custom import CustomPane
from lgwatch.tui.eventlist.pane import EventsPane
from lgwatch.tui.eventlist.rows import TimedPane
from lgwatch.tui.interrupt import Question
from lgwatch.tui.keyline import keys
from lgwatch.tui.keymap import BINDINGS, PRESETS, actions
from lgwatch.tui.lines.bar import Bar, hints
from lgwatch.tui.lines.outside import read_outside
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.signs import cells, fit, glyph, tick
from lgwatch.tui.lines.text import ASCII, SafetyNet
from lgwatch.tui.lines.view import LineView, terminal_is_behind
from lgwatch.tui.messages.pane import MessageView, TokensPane
from lgwatch.tui.nodes.pane import NodeRows, NodesPane
from lgwatch.tui.nodes.runs import RunsPane
from lgwatch.tui.pages.chooser import Chooser
from lgwatch.tui.pages.help import Help
from lgwatch.tui.pages.inspector import Inspector, load
from lgwatch.tui.pages.task import TaskPage
from lgwatch.tui.pointer import Pointer
from lgwatch.tui.prompt import Prompt
from lgwatch.tui.sieve import Sieve
from lgwatch.tui.state.pane import StatePane
from lgwatch.tui.theme import DARK
from lgwatch.tui.timeline.pane import TimelinePane
from lgwatch.tui.tree.view import TreeView

if TYPE_CHECKING:
    from lgwatch.sources import RunRequest, Source

BUDGET = 0.005
"""Seconds of a frame that may go into reading events."""
CATCH_UP, MANY = 0.015, 256
"""The same where more than `MANY` events came in a frame, and more are there: a long journal is opened."""
FRAME, RUNNING, IDLE = 1 / 60, 1 / 30, 1 / 5
"""Seconds to the next frame: while events pour in, while a run goes on, while nothing happens."""


class WatchApp(App[None]):
    """The screen on a source: a live run, or a recording."""

    CSS_PATH = "lgwatch.tcss"
    TITLE = "lgwatch"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (72, "-narrow"), (100, "-normal"), (170, "-wide")]  # noqa: RUF012  App's own
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012  declared by App
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    def __init__(
        self,
        source: Source,
        *,
        session: Session | None = None,
        filter_text: str = "",
        request: RunRequest | None = None,
        changed: Callable[[], bool] | None = None,
    ) -> None:
        """Watch `source`. `request`, where there is one, is started after the first paint; `r` runs it again.

        `changed` is asked once a second; when it is true the app leaves, with `reloading` set.
        """
        super().__init__()
        quick_escape()
        # Before the first stylesheet is made: another theme later would style everything a second time.
        self.register_theme(DARK)
        self.theme = "lgwatch"
        self.source = source
        self.session = session or Session()
        self.sieve = Sieve(filter_text)
        self.reloading = False
        self._changed = changed
        nodes = NodesPane(NodeRows(), source, id="nodes")
        self.panes: list[Pane] = [
            nodes, TokensPane(source), StatePane(source), CustomPane(source),
            ConsolePane(source), EventsPane(source), TimelinePane(source), RunsPane(source),
        ]  # fmt: skip
        for pane in self.panes:
            pane.say_empty(self.keep)
        self.header = Bar(id="header")
        self.tabs = Bar(id="tabs")
        self.question = Question(source)
        self.prompt = Prompt(lambda: self.sieve.words(self.session))
        self.control = Control(self, request)
        nodes.marks = self.control.breakpoints
        self.pointer = Pointer(self)
        self.keys = Bar(id="keys")
        self.paused = False
        self.hint = ""
        self.error = ""
        self._chosen = "1"
        self._shown: tuple[str, ...] = ()  # the panes of the view; none means all that there is room for
        self._before_zoom: tuple[str, tuple[str, ...]] | None = None
        self._drawn: object = None
        self._leaving = False
        self._hint_until = 0.0
        self._news_until = 0.0
        self._size_before: Size | None = None
        self._far_behind = False
        self._drawn_at = 0.0
        self._patience = 0.1  # seconds between two pictures while a long journal is read: they take a tenth of the time
        self._painted: Filter | None = None

    def compose(self) -> ComposeResult:
        """Header, tabs, panes, question, prompt, keys."""
        yield self.header
        yield self.tabs
        with Container(id="panes"):
            yield from self.panes
        yield self.question
        yield self.prompt
        yield self.keys

    def get_line_filters(self) -> list[LineFilter]:
        """Add the net below: no control character of a graph reaches the terminal."""
        return [*super().get_line_filters(), SafetyNet()]

    def on_mount(self) -> None:
        """Show the frame, then begin."""
        self.set_class(ASCII, "-ascii")
        self.pane("tokens").view.focus()
        self._draw()
        if not self.is_headless:
            obey_signals(self.exit, self.source.close)
        self.call_after_refresh(self._start)

    async def on_event(self, event: TextualEvent) -> None:
        """Obey a key before the next one is looked at, so that what is typed fast after `f` belongs to the filter.

        Textual would first hand all of them to the widget that has the focus now.
        """
        if isinstance(event, Key) and not event.is_forwarded and not isinstance(self.focused, Input):
            for priority in (True, False):
                if await self._check_bindings(event.key, priority=priority):
                    self._draw_lines(self.source.now())
                    return
        await super().on_event(event)

    def _start(self) -> None:
        if terminal_is_behind(self):  # the first picture is on its way: the graph's imports must not overtake it
            self.set_timer(0.002, self._start)
            return
        self.control.begin()
        if self._changed is not None:
            self.set_interval(1.0, self._reload)
        # What is there now stays for good; without this every full collection walks through all of it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 5, 200)  # a young collection of more would be felt in a key
        self._frame()

    def _reload(self) -> None:
        if self._changed is not None and self._changed():
            self.reloading = True
            self.exit()

    def pane(self, name: str) -> Pane:
        """Return the pane with this id."""
        return next(pane for pane in self.panes if pane.id == name)

    # ── the frame pump ───────────────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> None:
        """Read what is new for a bounded time, then draw what changed, and come back."""
        if not self.is_running:
            return
        self._mind_the_size()
        began = monotonic()
        events = self.source.poll(CATCH_UP if self._far_behind else BUDGET)
        if events:
            self._apply(events)
        self._far_behind = monotonic() - began > BUDGET and len(events) > MANY
        if self.hint and monotonic() > self._hint_until:
            self.hint, self._leaving = "", False
        # A long journal is read before it is painted over and over; keys draw what they change themselves.
        if not terminal_is_behind(self) and (not self._far_behind or began - self._drawn_at > self._patience):
            self._drawn_at = began
            self._draw()
            self._patience = max(0.1, 10 * (monotonic() - began))
        running = self.session.status in ("running", "loading") and self.source.live
        busy = events or any(pane.behind for pane in self.panes if pane.display and not self.paused)
        self.set_timer(0.001 if self._far_behind else FRAME if busy else RUNNING if running else IDLE, self._frame)

    def on_resize(self) -> None:
        """Say as much as there is room for now."""
        self.call_after_refresh(self._draw_soon)

    def _mind_the_size(self) -> None:
        """Notice a size that was not told: of two changes in one moment, Textual may hear the older one last."""
        if self.is_headless:
            return
        size = Size(*get_terminal_size())
        if size != self.size and size == self._size_before:
            self.post_message(Resize(size, size))
        self._size_before = size

    def _apply(self, events: list[Event]) -> None:
        if self.source.header is not None:
            self.session.header = self.source.header
        for event in events:
            self.session.apply(event)
            if type(event) is Notice:
                self._news_until = monotonic() + chrome.NEWS
            elif type(event) is RunStarted:
                self._drop_hint()
            if type(event) is Notice and event.code == "needs_input":
                self.call_later(self._ask_for_input, event.text)
            elif type(event) is RunEnded and event.error:
                self.call_later(self.say, "")

    def _draw(self) -> None:
        """Let everything that is visible show the session as it is now."""
        session, now = self.session, self.source.now()
        self._set_mood()
        self._mind_the_state()
        if isinstance(self.screen, Chooser) or (
            isinstance(self.screen, TaskPage) and not (self.paused and self.screen.drawn)
        ):
            self.screen.show(session, self.keep)
        asked = self._painted is not self.keep  # a pause stops the news, not what a person asks for
        if (not self.paused or asked) and (len(self.screen_stack) == 1 or isinstance(self.screen, Chooser)):
            self._painted = self.keep
            for pane in self.panes:
                if pane.display:
                    pane.grow(session, self.keep, now)
                    pane.settle()
            self.pointer.show()
        self._draw_lines(now)

    def _mind_the_state(self) -> None:
        """Say what is found to be wrong with the state, whether it is shown or not."""
        state = self.pane("state")
        assert isinstance(state, StatePane)
        for text in state.mind(self.session):
            self.say(f"{glyph('notice')[0]} {text}", 6.0)

    def _draw_lines(self, now: float) -> None:
        session, width, kept, news = self.session, self.size.width, self._kept(), monotonic() < self._news_until
        state = (
            len(session.index), kept, tick(now), width, self.paused, self.hint, self.error, self.keep, self._chosen,
            self.focused, self.source.live, self.prompt.purpose, self.control.asking, news,
        )  # fmt: skip
        if state == self._drawn:
            return
        self._drawn = state
        self.header.show(
            chrome.header(session, self.source.label, now, width, recording=self.source.live, paused=self.paused)
        )
        names = [(key, name) for key, name, _ in PRESETS]
        attention = chrome.attention(session, self.hint, live=self.source.live, news=news)
        tabs = chrome.tabs(names, self._chosen, width)
        if beside := self.tabs.display and (bool(self.keep) or cells(tabs) + cells(attention) + 3 < width):
            tabs = chrome.beside(tabs, attention, width)
        self.tabs.show(tabs)
        self.prompt.rest(*chrome.filter_line(session, self.keep, kept, width, [] if beside else attention))
        if self.error:
            self.keys.show(fit([(f" {glyph('failed')[0]} {self.error}", "error")], [], width))
        elif self.keep and attention and not beside:
            self.keys.show([(" ", ""), *attention])
        else:
            self.keys.show(hints(list(keys(self)), width))

    def _kept(self) -> int:
        events = self.pane("events")
        assert isinstance(events, EventsPane)
        return self.sieve.kept(self.session, events.rows)

    def _set_mood(self) -> None:
        waiting = self.control.mind()
        failed = self.session.status in ("failed", "crashed")
        screen = self.screen_stack[0]
        if screen.has_class("-waiting") != waiting:
            screen.set_class(waiting, "-waiting")
        if screen.has_class("-failed") != failed:
            screen.set_class(failed, "-failed")

    def say(self, text: str, seconds: float = 4.0) -> None:
        """Show a short text beside the tabs for a while."""
        self.hint, self._hint_until = text, monotonic() + seconds
        if self.is_running:  # while nothing happens, the next frame may be far
            self.call_later(self._draw_soon)

    def _drop_hint(self) -> None:
        """Take away a hint that is no longer true; how far a search got is true until it ends."""
        if not self._last_view.found:
            self.hint, self._leaving = "", False

    def _draw_soon(self) -> None:
        if self.is_running and self.header.is_mounted:
            self._draw_lines(self.source.now())

    # ── filter and search ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def keep(self) -> Filter:
        """The filter in force."""
        return self.sieve.keep

    @property
    def request(self) -> RunRequest | None:
        """What `r` runs again."""
        return self.control.request

    def set_filter(self, text: str) -> None:
        """Apply the expression to every pane; one that cannot be read leaves the last one in force."""
        if self.sieve.set(text):
            for pane in self.panes:
                pane.say_empty(self.keep)
        self.error = self.sieve.error

    def action_solo(self) -> None:
        """Keep only the node of what is selected, then only its tags, then all."""
        self._mix(self.sieve.solo)

    def action_mute(self) -> None:
        """Leave out the node of what is selected, or take it in again."""
        self._mix(self.sieve.mute)

    def _mix(self, write: Callable[[object], str]) -> None:
        pane = self._focused_pane()
        record = pane.record_of(self.session) if pane is not None else None
        if record is None:
            self.say("nothing is selected that a node has made")
        else:
            self.set_filter(write(record))

    def action_clear(self) -> None:
        """Take solo, mute and what was chosen out of the filter."""
        self.set_filter(self.sieve.unmixed())

    def action_mix(self) -> None:
        """Choose among the nodes, tags and models that were seen."""
        self.push_screen(Chooser(self.set_filter))
        self._draw()

    def action_snippet(self) -> None:
        """Copy Python code that keeps the same in a stream loop of one's own."""
        self.copy_to_clipboard(snippet(self.keep))
        self.say(f"copied Python for {self.keep.source}" if self.keep else "copied Python for every token")

    def action_filter(self) -> None:
        """Type a filter."""
        self.prompt.open("filter", "filter", self.keep.source, "node:writer tag:draft !type:message  (esc clears)")

    def action_search(self) -> None:
        """Type what to search for in the focused pane."""
        if self._view() is not None:
            self.prompt.open("search", "find", "", "text in this pane")

    @on(Prompt.Changed)
    def _on_prompt_changed(self, event: Prompt.Changed) -> None:
        if type(event) is Prompt.Submitted:
            return
        if event.purpose == "filter":
            self.set_filter(event.text)
        self._draw()

    @on(Prompt.Submitted)
    def _on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        if event.purpose == "filter":
            if not self.error:
                self.close_prompt()
        elif event.purpose == "search":
            view = self._last_view
            self.close_prompt()
            view.search(event.text or None)
        else:
            self.control.submitted(event.purpose, event.text)
        self._draw()

    @on(Prompt.Left)
    def _on_prompt_left(self, event: Prompt.Left) -> None:
        before = self.keep
        if event.purpose == "filter":
            self.set_filter("")
        if event.purpose == "answer":
            self.control.turned_away()
        self.error = ""
        self.close_prompt()
        if self.keep is before and event.purpose != "answer":  # the panes are as they were: only the line is another
            self._draw_soon()
        else:
            self._draw()

    def close_prompt(self) -> None:
        """Give the keys back to the pane."""
        self.prompt.close()
        self.screen_stack[0].set_focus(self._last_view)
        self._drawn = None

    @on(LineView.Searched)
    def _on_searched(self, event: LineView.Searched) -> None:
        self.say(f"find: {event.status}" if event.status else "", 3600.0 if event.status else 0.0)

    @property
    def _last_view(self) -> LineView:
        return self._view() or self._focus_before or self.pane("tokens").view

    _focus_before: LineView | None = None

    def _view(self) -> LineView | None:
        focused = self.screen_stack[0].focused
        if isinstance(focused, LineView):
            self._focus_before = focused
            return focused
        return None

    def _focused_pane(self) -> Pane | None:
        view = self._last_view
        return next((pane for pane in self.panes if pane.view is view), None)

    # ── panes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_pane(self, key: str) -> None:
        """Show the panes of a tab."""
        _, _, ids = next(preset for preset in PRESETS if preset[0] == key)
        self._choose(key, ids)

    def _choose(self, key: str, ids: tuple[str, ...]) -> None:
        self._chosen, self._shown, self._before_zoom = key, ids, None
        self._drop_hint()
        frame = self.screen_stack[0].query_one("#panes")
        with self.batch_update():
            frame.set_class(bool(ids), "-zoomed")
            frame.set_class(ids[:1] == ("timeline",), "-timeline")
            for pane in self.panes:
                pane.set_class(pane.id in ids, "-chosen")
        if ids:
            self.screen_stack[0].set_focus(self.pane(ids[0]).view)
        self.call_after_refresh(self._draw)

    def action_zoom(self) -> None:
        """The focused pane alone, or the view that it was taken from."""
        pane = self._focused_pane()
        if pane is None or not pane.id or self._shown == (pane.id,):
            self._unzoom()
            return
        before = self._chosen, self._shown
        key = next((key for key, _, ids in PRESETS if ids == (pane.id,)), "z")
        self._choose(key, (pane.id,))
        self._before_zoom = before

    def _unzoom(self) -> None:
        """Go back to the view that a pane was taken from, or to all panes; the pane keeps the keys."""
        pane = self._focused_pane()
        key, ids = self._before_zoom or ("1", ())
        self._choose(key, ids)
        if pane is not None and (not ids or pane.id in ids):
            self.screen_stack[0].set_focus(pane.view)

    def action_pause(self) -> None:
        """Stop or go on drawing."""
        if not self.paused:
            for pane in self.panes:
                pane.settle(at_once=True)
        self.paused = not self.paused

    def action_follow(self) -> None:
        """Follow the end of the focused pane."""
        self._last_view.follow()

    def action_times(self) -> None:
        """Tell times another way."""
        mode = ""
        for pane in self.panes:
            if isinstance(pane, TimedPane):
                mode = pane.next_times()
        words = {"start": "since the first run began", "delta": "since the row before", "clock": "by the clock"}
        self.say(f"times are {words.get(mode, mode)}")

    def action_step_back(self) -> None:
        """Go back one thing: a question, the zoom, a search, then the filter."""
        view = self._last_view
        if self.control.asking:
            self.control.turned_away()
        elif self._shown:
            self._unzoom()
        elif view.found:
            view.search(None)
            self.hint = ""
        elif self.keep:
            self.set_filter("")

    @on(EventsPane.Narrowed)
    def _on_narrowed(self, event: EventsPane.Narrowed) -> None:
        self.set_filter(event.text)

    # ── the spot that all panes show ─────────────────────────────────────────────────────────────────────────────────

    @on(LineView.Moved)
    def _on_moved(self, event: LineView.Moved) -> None:
        pane = next((pane for pane in self.panes if pane.view is event.view), None)
        if pane is not None and event.view.cursor_row and event.view.following:  # what is newest is meant
            self.pointer.follow(pane)
        elif pane is not None:
            self.pointer.moved(pane)

    @on(LineView.Following)
    def _on_following(self, event: LineView.Following) -> None:
        if event.following and event.view is self.screen_stack[0].focused:
            self.pointer.follow(self._focused_pane())

    def action_event(self, way: int) -> None:
        """Go to the next event that the filter keeps, or to the one before."""
        self.pointer.to_event(way)

    def action_superstep(self, way: int) -> None:
        """Go to where the next superstep began, or the one before."""
        self.pointer.to_step(way)

    def action_visit(self, way: int) -> None:
        """Go to the next visit of the same node, or to the one before."""
        self.pointer.to_visit(way)

    def action_trouble(self) -> None:
        """Go to the next error or notice."""
        self.pointer.to_trouble()

    def action_only_task(self) -> None:
        """Keep only what belongs to the selected task, or all again."""
        pane = self._focused_pane()
        spot = pane.spot() if pane is not None else None
        task = spot.task if spot is not None and spot.task else self.pointer.task
        text = self.sieve.only_task(task)
        if text is None:
            self.say("no task is selected")
        else:
            self.set_filter(text)

    @on(LineView.Selected)
    def _on_selected(self) -> None:
        self.action_inspect()

    def action_inspect(self) -> None:
        """Open what is selected; while the run waits for an answer that nobody turned away from, give it."""
        if self.control.asking:
            self.action_compose()
            return
        pane = self._focused_pane()
        subject = pane.subject() if pane is not None else None
        if subject is not None:
            self._open(subject)

    def _open(self, subject: Subject) -> None:
        task = self.session.find_task(subject.task) if subject.whole else None
        if task is None:
            self.push_screen(Inspector(subject, self.source))
            return
        state, nodes = self.pane("state"), self.pane("nodes")
        assert isinstance(state, StatePane)
        assert isinstance(nodes, NodesPane)
        self.push_screen(TaskPage(task, subject, self.source, state.flags, nodes.steps.transitions))
        self.call_later(self._draw)

    def action_prompt(self) -> None:
        """Open what the call of the lit message was given."""
        pane = self.pane("tokens")
        assert isinstance(pane, TokensPane)
        subject = pane.prompt() if self._focused_pane() is pane else None
        if subject is None:
            self.say("no call whose prompt is known is selected")
        else:
            self.push_screen(Inspector(subject, self.source))

    def _selected_text(self) -> tuple[str, str, str]:
        """Title, text and kind of file of what is selected; all empty when nothing is."""
        pane = self._focused_pane()
        subject = pane.subject() if pane is not None else None
        if subject is None:
            return "", "", ""
        if subject.text:
            return subject.title, subject.text, ".md"
        return subject.title, json.dumps(load(subject, self.source), indent=2, ensure_ascii=False), ".json"

    def action_copy(self) -> None:
        """Copy what is selected: its text, or its JSON."""
        title, text, _ = self._selected_text()
        if title:
            self.copy_to_clipboard(text)
            self.say(f"copied {title}")

    def action_outside(self, variable: str) -> None:
        """Open the text of what is selected, or its JSON, in a program of the user's."""
        title, text, suffix = self._selected_text()
        if title and (trouble := read_outside(self, variable, text, suffix)):
            self.say(trouble)

    @on(EventsPane.Told)
    @on(NodesPane.Told)
    @on(TreeView.Told)
    @on(MessageView.Told)
    def _on_told(self, event: EventsPane.Told | NodesPane.Told | MessageView.Told | TreeView.Told) -> None:
        self.say(event.text)

    @on(MessageView.Regrouped)
    def _on_regrouped(self) -> None:
        self._painted = None
        self._draw()

    def action_help(self) -> None:
        """Show what works here."""
        self.push_screen(Help(self.screen, self._focused_pane()))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Give the palette every action that has a key."""
        for binding, owner in actions(self._last_view):
            yield SystemCommand(binding.description, binding.tooltip, partial(self._run, binding.action, owner))
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command

    async def _run(self, action: str, owner: DOMNode | None = None) -> None:
        await self.run_action(action, owner)

    @on(NodesPane.Marked)
    def _on_marked(self, event: NodesPane.Marked) -> None:
        self.say(self.control.mark(event.node))
        self._painted = None  # it is seen at once, in a pause too
        self._draw()

    # ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask_for_input(self, why: str) -> None:
        self._view()
        self.say(why, 3600.0)
        self.action_compose()

    def action_compose(self) -> None:
        """Give input, or answer the interrupt."""
        self.control.compose()

    def action_rerun(self) -> None:
        """Run the same input again."""
        self.control.rerun()

    def action_stop(self) -> None:
        """Go one step down the ladder: drain, cancel, terminate, kill."""
        self.control.stop()

    def action_interrupt(self) -> None:
        """Copy the selected text; without one stop the run, and leave when asked again."""
        text = self.screen.get_selected_text()
        if text:
            self.copy_to_clipboard(text)
            self.say("copied")
        elif self.session.status == "running" and self.source.live and not self._leaving:
            self.action_stop()
            self._leaving = True
            self.say("stopping; ctrl+c again leaves")
        else:
            self.exit()

    def action_leave(self) -> None:
        """Leave; a run that goes on is asked about first."""
        if self.session.status == "running" and self.source.live and not self._leaving:
            self._leaving = True
            self.say("the run goes on; q again stops it and leaves")
        else:
            self.exit()

"""The app: keys and what they do. It owns the session, the filter and the source, and nothing else.

Its first picture is the header alone, and the graph's process is started with it; what makes the panes is imported after.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.events import DescendantFocus, Key
from textual.events import Event as TextualEvent
from textual.filter import LineFilter
from textual.screen import Screen

from lgwatch.events import Event, Notice, RunEnded, RunStarted
from lgwatch.filter import Filter
from lgwatch.session import Session
from lgwatch.tui.chrome import Chrome
from lgwatch.tui.ending import obey_continue, obey_signals
from lgwatch.tui.escape import quick_escape
from lgwatch.tui.keymap import BINDINGS, actions
from lgwatch.tui.lines.compositor import ThriftyScreen
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.lines.text import ASCII, SafetyNet
from lgwatch.tui.lines.writer import terminal_is_behind
from lgwatch.tui.pump import Pump
from lgwatch.tui.sieve import Sieve
from lgwatch.tui.theme import DARK, LIGHT, chosen

if TYPE_CHECKING:
    from lgwatch.sources import RunRequest, Source
    from lgwatch.tui.control import Control
    from lgwatch.tui.eventlist.pane import EventsPane
    from lgwatch.tui.failure import Failure
    from lgwatch.tui.interrupt import Question
    from lgwatch.tui.lines.pane import Pane
    from lgwatch.tui.lines.told import Told
    from lgwatch.tui.lines.view import LineView
    from lgwatch.tui.nodes.pane import NodesPane
    from lgwatch.tui.panes import Panes
    from lgwatch.tui.pointer import Pointer
    from lgwatch.tui.prompt import Prompt
    from lgwatch.tui.selected import Selected


@runtime_checkable
class Growing(Protocol):
    """A page that shows the session while it grows; `see_through` where the panes behind it are seen."""

    see_through: ClassVar[bool]

    def grow(self, session: Session, keep: Filter, *, paused: bool) -> None:
        """Show the session as it is now; in a pause, only what was never shown."""


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
        self.register_theme(LIGHT)
        self.theme = chosen(self.available_themes)
        self.source = source
        source.brief = True
        self._pump = Pump(self)
        self.session = session or Session()
        self.sieve = Sieve(filter_text)
        self.reloading = False
        self.paused = False
        self.request = request
        """What `r` runs again; the graph is loaded for it while the panes are made."""
        self.chrome = Chrome(self)
        self.panes: Panes
        self.failure: Failure
        self.question: Question
        self.prompt: Prompt
        self.control: Control
        self.pointer: Pointer
        self.selected: Selected
        self.furnished = False
        self._changed = changed
        self._early: list[Key] = []  # what was typed before there were panes
        self._leaving = False
        self._painted: Filter | None = None
        self.grows = False
        """Whether the last picture showed the panes as the session is now."""

    def compose(self) -> ComposeResult:
        """The lines that need no panes: what is loading is on the screen before all else."""
        yield self.chrome.header
        yield self.chrome.tabs
        yield self.chrome.keys

    def get_default_screen(self) -> Screen[None]:
        """Return the screen of the panes: much of it changes, a little at a time."""
        return ThriftyScreen(id="_default")

    def get_line_filters(self) -> list[LineFilter]:
        """Add the net below: no control character of a graph reaches the terminal."""
        return [*super().get_line_filters(), SafetyNet()]

    async def on_mount(self) -> None:
        """Show the frame, then begin."""
        self.set_class(ASCII, "-ascii")
        self.chrome.draw(self.source.now())
        if self.is_headless:  # there is no terminal to be fast for
            await self._furnish()
        else:
            obey_signals(self.exit, self.source.close)
            obey_continue(self)
        self.call_after_refresh(self._start)

    async def on_event(self, event: TextualEvent) -> None:
        """Obey a key before the next one is looked at, so that what is typed fast after `f` belongs to the filter.

        Textual would first hand all of them to the widget that has the focus now.
        """
        if isinstance(event, Key) and not event.is_forwarded:
            if not self.furnished:
                self._early.append(event)
                return
            if not self._typing:
                for priority in (True, False):
                    if await self._check_bindings(event.key, priority=priority):
                        self.chrome.draw(self.source.now())
                        return
        await super().on_event(event)

    @property
    def _typing(self) -> bool:
        from textual.widgets import Input

        return isinstance(self.focused, Input)

    async def _furnish(self) -> None:
        """Make the panes and all that works on them."""
        from lgwatch.tui.control import Control
        from lgwatch.tui.failure import Failure
        from lgwatch.tui.interrupt import Question
        from lgwatch.tui.panes import Panes
        from lgwatch.tui.pointer import Pointer
        from lgwatch.tui.prompt import Prompt
        from lgwatch.tui.selected import Selected

        self.panes = Panes(self)
        self.panes.say_empty(self.keep)
        self.failure = Failure()
        self.question = Question(self.source)
        self.prompt = Prompt(lambda: self.sieve.words(self.session))
        self.control = Control(self)
        self.panes.nodes.marks = self.control.breakpoints
        self.pointer = Pointer(self)
        self.selected = Selected(self)
        self.furnished = True
        with self.batch_update():
            await self.mount(self.panes.box, self.failure, self.question, self.prompt, after=self.chrome.tabs)
        self.panes.focus()
        self.draw()

    async def _start(self) -> None:
        if terminal_is_behind(self):  # the picture is on its way: no import must overtake it
            self.set_timer(0.002, self._start)
            return
        if not self.furnished:
            if self.request is not None:
                self.source.spawn()
            await self._furnish()
        self.control.begin()
        if self._changed is not None:
            self.set_interval(1.0, self._reload)
        # What is there now stays for good; without this every full collection walks through all of it.
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 5, 200)  # a young collection of more would be felt in a key
        early, self._early = self._early, []
        for key in early:  # at once: what was typed after them waits already
            await self.on_event(key)
        self._pump.turn()

    def _reload(self) -> None:
        if self._changed is not None and self._changed():
            self.begin_anew()

    def begin_anew(self) -> None:
        """Leave, so that the graph is loaded again by another process and what was asked for last is run."""
        self.reloading = True
        self.exit()

    def pane(self, name: str) -> Pane:
        """Return the pane with this id."""
        return self.panes[name]

    # ── taking in, and drawing ───────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        """Say as much as there is room for now."""
        self.call_after_refresh(self.draw_soon)

    def take(self, events: list[Event]) -> None:
        """Fold events into the session, and obey those that ask something of the screen."""
        if self.source.header is not None:
            self.session.header = self.source.header
        for event in events:
            self.session.apply(event)
            if type(event) is Notice:
                self.chrome.tell()
            elif type(event) is RunStarted:
                self._drop_hint()
            if type(event) is Notice and event.code == "needs_input" and self.source.live:
                self.call_later(self._ask_for_input, event.text)
            elif type(event) is RunEnded and event.error:
                self.call_later(self.say, "")

    def draw(self) -> None:
        """Let everything that is visible show the session as it is now."""
        now = self.source.now()
        self._set_mood()
        state, nothing = self.panes.state, list[str]()
        # What is wrong with the state is said whether it is shown or not.
        for text in state.safely(lambda: state.mind(self.session), nothing):
            self.say(f"{glyph('notice')[0]} {text}", 6.0)
        page: object = self.screen if len(self.screen_stack) > 1 else None
        if isinstance(page, Growing):
            page.grow(self.session, self.keep, paused=self.paused)
        asked = self._painted is not self.keep  # a pause stops the news, not what a person asks for
        seen = page is None or (isinstance(page, Growing) and page.see_through)
        self.grows = seen and (not self.paused or asked)
        if self.grows:
            self.panes.grow(self.session, self.keep, now)
            self.pointer.show()
            self._painted = None if asked and self.panes.behind else self.keep  # it is finished in a pause, too
            if self.panes.behind:
                self._pump.hasten()
        self.chrome.draw(now)

    def _show_anew(self) -> None:
        """Draw what was asked for, in a pause too."""
        self._painted = None
        self.draw()

    def forget(self) -> None:
        """Drop what was said long enough ago."""
        if self.chrome.forget():
            self._leaving = False

    def draw_soon(self) -> None:
        """Draw the lines around the panes, if they are there."""
        if self.is_running and self.chrome.header.is_mounted:
            self.chrome.draw(self.source.now())

    def _set_mood(self) -> None:
        waiting = self.control.mind()
        self.failure.mind(self.session, self.source.label, self.control.ways(reloads=self._changed is not None))
        failed = self.session.status in ("failed", "crashed")
        screen = self.screen_stack[0]
        if screen.has_class("-waiting") != waiting:
            screen.set_class(waiting, "-waiting")
        if screen.has_class("-failed") != failed:
            screen.set_class(failed, "-failed")

    def say(self, text: str, seconds: float = 4.0) -> None:
        """Show a short text beside the tabs for a while."""
        self._leaving = False  # nobody can read any more what the key does the second time
        self.chrome.say(text, seconds)
        if self.is_running:  # while nothing happens, the next frame may be far
            self.call_later(self.draw_soon)

    def unsay(self) -> None:
        """Take back what was said."""
        self.chrome.hint, self._leaving = "", False

    def _drop_hint(self) -> None:
        """Take away a hint that is no longer true; how far a search got is true until it ends."""
        if not self.panes.view.found:
            self.unsay()

    # ── filter and search ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def keep(self) -> Filter:
        """The filter in force."""
        return self.sieve.keep

    def set_filter(self, text: str) -> None:
        """Apply the expression to every pane; one that cannot be read leaves the last one in force."""
        if self.sieve.set(text):
            self.panes.say_empty(self.keep)
        self.chrome.error = self.sieve.error

    def action_solo(self) -> None:
        """Keep only the node of what is selected, then only its tags, then all."""
        self._mix(self.sieve.solo)

    def action_mute(self) -> None:
        """Leave out the node of what is selected, or take it in again."""
        self._mix(self.sieve.mute)

    def _mix(self, write: Callable[[object], str]) -> None:
        pane = self.panes.focused
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
        from lgwatch.tui.pages.chooser import Chooser

        self.push_screen(Chooser(self.set_filter))
        self.draw()

    def action_snippet(self) -> None:
        """Copy Python code that keeps the same in a stream loop of one's own."""
        from lgwatch.snippet import snippet

        self.copy_to_clipboard(snippet(self.keep))
        self.say(f"copied Python for {self.keep.source}" if self.keep else "copied Python for every token")

    def action_filter(self) -> None:
        """Type a filter."""
        self.prompt.open("filter", "filter", self.keep.source, "node:writer tag:draft !type:message  (esc clears)")

    def action_search(self) -> None:
        """Type what to search for in the focused pane."""
        if self.panes.focused_view() is not None:
            self.prompt.open("search", "find", "", "text in this pane")

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """A filter works as it is typed."""
        if event.purpose == "filter":
            self.set_filter(event.text)
        self.draw()

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Do what the line was opened for."""
        if event.purpose == "filter":
            if not self.chrome.error:
                self.close_prompt()
        elif event.purpose == "search":
            view = self.panes.view
            self.close_prompt()
            view.search(event.text or None)
        else:
            self.control.submitted(event.purpose, event.text)
        self.draw()

    def on_prompt_left(self, event: Prompt.Left) -> None:
        """Drop what the line was opened for."""
        before = self.keep
        if event.purpose == "filter":
            self.set_filter("")
        if event.purpose == "answer":
            self.control.turned_away()
        self.chrome.error = ""
        self.close_prompt()
        if self.keep is before and event.purpose != "answer":  # the panes are as they were: only the line is another
            self.draw_soon()
        else:
            self.draw()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Close the line where one types when a pane is given the keys; a filter that was typed holds."""
        typing = self.furnished and bool(self.prompt.purpose)
        if typing and event.widget is self.panes.focused_view():  # and not one that had them a moment ago
            self.chrome.error = ""
            self.close_prompt()

    def close_prompt(self) -> None:
        """Give the keys back to the pane."""
        self.prompt.close()
        self.panes.focus()
        self.chrome.changed()

    def on_line_view_searched(self, event: LineView.Searched) -> None:
        """Say how far a search got, until it ends."""
        self.say(f"find: {event.status}" if event.status else "", 3600.0 if event.status else 0.0)

    # ── panes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_pane(self, key: str) -> None:
        """Show the panes of a tab."""
        self._drop_hint()
        self.panes.show_tab(key)
        self.call_after_refresh(self._show_anew)

    def action_zoom(self) -> None:
        """The focused pane alone, or the view that it was taken from."""
        self._drop_hint()
        self.panes.zoom()
        self.call_after_refresh(self._show_anew)

    def action_pause(self) -> None:
        """Stop or go on drawing."""
        if not self.paused:
            self.panes.settle()
        self.paused = not self.paused

    def action_follow(self) -> None:
        """Follow the end of the focused pane."""
        self.panes.view.follow()

    def action_times(self) -> None:
        """Tell times another way."""
        mode = self.panes.next_times()
        words = {
            "start": "of the run, without waits",
            "delta": "since the row before",
            "clock": "by the clock",
        }
        self.say(f"times are {words.get(mode, mode)}")

    def action_step_back(self) -> None:
        """Go back one thing: a question, the zoom, a search, then the filter."""
        view = self.panes.view
        if self.control.asking:
            self.control.turned_away()
        elif self.panes.zoomed:
            self._drop_hint()
            self.panes.unzoom()
            self.call_after_refresh(self._show_anew)
        elif view.found:
            view.search(None)
            self.unsay()
        elif self.keep:
            self.set_filter("")

    def on_events_pane_narrowed(self, event: EventsPane.Narrowed) -> None:
        """Take the filter that was made of a cell."""
        self.set_filter(event.text)

    # ── the spot that all panes show ─────────────────────────────────────────────────────────────────────────────────

    def on_line_view_moved(self, event: LineView.Moved) -> None:
        """Select in all panes what was selected in one."""
        pane = self.panes.of(event.view)
        if pane is not None and event.view.cursor_row and event.view.following:  # what is newest is meant
            self.pointer.follow(pane)
        elif pane is not None:
            self.pointer.moved(pane)

    def on_line_view_following(self, event: LineView.Following) -> None:
        """Let all panes follow what is newest when the one with the keys does."""
        if event.following and event.view is self.screen_stack[0].focused:
            self.pointer.follow(self.panes.focused)

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
        pane = self.panes.focused
        spot = pane.spot() if pane is not None else None
        task = spot.task if spot is not None and spot.task else self.pointer.task
        text = self.sieve.only_task(task)
        if text is None:
            self.say("no task is selected")
        else:
            self.set_filter(text)

    def on_line_view_selected(self) -> None:
        """Open what was chosen."""
        self.action_inspect()

    def action_inspect(self) -> None:
        """Open what is selected; while the run waits for an answer that nobody turned away from, give it."""
        if self.control.asking:
            self.action_compose()
            return
        self.selected.open()

    def action_prompt(self) -> None:
        """Open what the call of the lit message was given."""
        self.selected.open_prompt()

    def action_copy(self) -> None:
        """Copy what is selected: its text, or its JSON."""
        self.selected.copy()

    def action_outside(self, variable: str) -> None:
        """Open the text of what is selected, or its JSON, in a program of the user's."""
        self.selected.read_in(variable)

    def on_told(self, event: Told) -> None:
        """Say what a pane has to say."""
        self.say(event.text)

    def on_message_view_regrouped(self) -> None:
        """Show blocks that are other ones now."""
        self._show_anew()

    def action_help(self) -> None:
        """Show what works here."""
        from lgwatch.tui.pages.help import Help

        self.push_screen(Help(self.screen, self.panes.focused))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Give the palette every action that has a key."""
        for binding, owner in actions(self.panes.view):
            yield SystemCommand(binding.description, binding.tooltip, partial(self._run, binding.action, owner))
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command

    async def _run(self, action: str, owner: DOMNode | None = None) -> None:
        await self.run_action(action, owner)

    def on_nodes_pane_marked(self, event: NodesPane.Marked) -> None:
        """Set or remove a breakpoint."""
        self.say(self.control.mark(event.node))
        self._show_anew()

    # ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask_for_input(self, why: str) -> None:
        self.panes.focused_view()  # it has the keys back when the line is closed
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
            self.say("stopping; ctrl+c again leaves")
            self._leaving = True
        else:
            self.exit()

    def action_leave(self) -> None:
        """Leave; a run that goes on is asked about first."""
        if self.session.status == "running" and self.source.live and not self._leaving:
            self.say("the run goes on; q again stops it and leaves")
            self._leaving = True
        else:
            self.exit()

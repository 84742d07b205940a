"""The page of one task: what it saw, what it wrote or failed with, what is known of it, and only its own events in order."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from lgwatch.events import error_text
from lgwatch.filter import Filter
from lgwatch.flags import Flags
from lgwatch.records import Interrupt, Run, Task
from lgwatch.session import Session
from lgwatch.transitions import Transitions
from lgwatch.tui.lines.bar import Bar, hints
from lgwatch.tui.lines.outside import open_at, read_outside
from lgwatch.tui.lines.pane import Subject
from lgwatch.tui.lines.rows import Lines, Row
from lgwatch.tui.lines.signs import cells, fit, node_style
from lgwatch.tui.lines.text import clean, crop, plain
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.nodes.pane import task_subject
from lgwatch.tui.pages.facts import Facts, status_row, told_of, visits
from lgwatch.tui.pages.happened import KINDS, HappenedRows
from lgwatch.tui.pages.help import Help
from lgwatch.tui.pages.inspector import Inspector
from lgwatch.tui.pages.outcome import outcome, saw
from lgwatch.tui.pages.trace import TraceRows
from lgwatch.tui.tree.rows import JsonRows
from lgwatch.tui.tree.view import TreeView

if TYPE_CHECKING:
    from lgwatch.sources import Source

PARTS = ("in", "out", "facts")
SHORT = 400
"""Characters up to which a text is open at first."""
NARROW = 100
"""Cells below which one of the three parts is shown at a time."""


class TaskPage(ModalScreen[None]):
    """One task as a page; it goes on while the task does."""

    see_through: ClassVar[bool] = False
    DEFAULT_CSS = """
    TaskPage { background: $background; }
    TaskPage > #task-title { background: $surface; }
    TaskPage > #task-keys { background: $surface; }
    TaskPage #task-parts { height: 1fr; }
    TaskPage .part { border: round $foreground 25%; border-title-color: $foreground 80%; width: 1fr;
                     border-subtitle-color: $foreground 55%; }
    TaskPage .part:focus-within { border: heavy $accent; border-title-color: $accent; border-title-style: bold; }
    TaskPage .part.-failed { border: round $error 70%; border-title-color: $error; width: 2fr; }
    TaskPage .part.-failed:focus-within { border: heavy $error; }
    TaskPage #task-events { height: 1fr; }
    TaskPage Input { border: none; height: 1; padding: 0 1; display: none; background: $boost; }
    TaskPage Input.-on { display: block; }
    TaskPage.-one .part { display: none; }
    TaskPage.-one .part.-chosen, TaskPage.-one #task-events { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="task.leave", tooltip="Back to the panes"),
        Binding("tab", "turn(1)", "Next part", id="task.next", tooltip="In, Out, Facts, Events"),
        Binding("shift+tab", "turn(-1)", "Part before", id="task.before", tooltip="Events, Facts, Out, In"),
        Binding("left,left_curly_bracket", "visit(-1)", "Visit before", id="task.visit_before",
                tooltip="The visit of the same node before", priority=True),
        Binding("right,right_curly_bracket", "visit(1)", "Next visit", id="task.visit_next",
                tooltip="The next visit of the same node", priority=True),
        Binding("e", "source", "Editor", id="task.source", tooltip="Open the source, or the call of the row, in $EDITOR"),
        Binding("slash", "search", "Find", id="task.find", tooltip="Search in this part"),
        Binding("y", "copy", "Copy", id="task.copy", tooltip="Copy what stands in this part, or the value under the cursor"),
        Binding("p", "pager", "Pager", id="task.pager", tooltip="Read it in $PAGER"),
        Binding("question_mark,f1", "help", "Help", id="task.help", tooltip="What works here"),
        Binding("o", "lines", "Lines", id="task.lines", tooltip="The lines of the journal that tell of the task"),
        *(
            Binding(str(number), f"kind('{kind}')", kind.capitalize(), id=f"task.{kind}", tooltip=f"Leave out {kind}, or not")
            for number, kind in enumerate(KINDS, 1)
        ),
    ]  # fmt: skip

    def __init__(self, task: Task, subject: Subject, source: Source, flags: Flags, ways: Transitions) -> None:
        super().__init__()
        self.shown_task = task
        self.subject = subject
        self._source, self._flags, self._ways = source, flags, ways
        self._states = flags.states
        self._session: Session | None = None
        self._drawn: tuple[object, ...] | None = None
        self._next = 0.0
        self._status = ""
        self._many = (0, 0)
        self.seen = JsonRows(source, open_texts=SHORT, depth=1)
        self.wrote = JsonRows(source, open_texts=4 * SHORT, text_depth=3)
        self.trace = TraceRows()
        self.happened = HappenedRows(source)
        self.in_view, self.out_view = TreeView(self.seen, root=0), TreeView(self.wrote, root=0)
        self.facts_view = LineView(Lines())
        self.events_view = LineView(self.happened, tail=True, cursor_row=True)
        self.title_bar, self.keys = Bar(id="task-title"), Bar(id="task-keys")
        self._frames = {name: Vertical(classes="part", id=f"task-{name}") for name in PARTS}
        self._below = Vertical(classes="part", id="task-events")
        self._part = "in"
        self._facts = ""

    # --- the frame

    def compose(self) -> ComposeResult:
        """A title, the three parts side by side, the events below, the keys."""
        yield self.title_bar
        with Horizontal(id="task-parts"):
            for name, view in zip(PARTS, (self.in_view, self.out_view, self.facts_view), strict=True):
                with self._frames[name]:
                    yield view
        with self._below:
            yield self.events_view
        yield Input(placeholder="search in this part", compact=True)
        yield self.keys

    def on_mount(self) -> None:
        """Begin where the news is."""
        self._choose("out" if self.shown_task.error else "in")
        (self.out_view if self.shown_task.error else self.in_view).focus()

    def on_resize(self) -> None:
        """One part at a time where there is no room for three."""
        self.set_class(self.size.width < NARROW, "-one")
        self._drawn = None
        self.call_after_refresh(self._again)

    def _again(self) -> None:
        if self._session is not None:
            self._drawn = None
            self.show(self._session, Filter())

    def _choose(self, part: str) -> None:
        self._part = part
        for name, frame in self._frames.items():
            frame.set_class(name == part, "-chosen")

    # --- what it shows

    def grow(self, session: Session, keep: Filter, *, paused: bool) -> None:
        """Draw the task as it is now; a pause holds the picture that there is."""
        if not paused or self._drawn is None:
            self.show(session, keep)

    def show(self, session: Session, keep: Filter) -> None:
        """Draw the task as it is now."""
        self._session = session
        self._states.update(session)
        self._ways.update(session)
        task = self.shown_task
        asked = (task, self.size, self._status, self._part, frozenset(self.happened.hidden))
        drawn = (asked, task.status, session.task_changes, len(session.index), len(self._flags.all), session.now)
        soon = self._drawn is not None and self._drawn[0] == asked and monotonic() < self._next
        if drawn == self._drawn or soon or self.size.width == 0:
            return
        self._drawn, began = drawn, monotonic()
        self._draw_in(task)
        self._draw_out(task)
        self._draw_facts(session, task)
        first = not len(self.happened)
        self.happened.set(session, task)
        self.events_view.show()
        if first and not task.open:  # what is over is read from its beginning
            self.events_view.scroll_rows(0)
        self._say(session, task)
        # News are drawn in a fifth of the time at most, however much there is to draw; what is asked for, at once.
        self._next = began + 5 * (monotonic() - began)

    def _draw_in(self, task: Task) -> None:
        sections = saw(self._source, task)
        if sections != self.seen.sections:
            self.seen.set(sections)
        self.in_view.show()

    def _draw_out(self, task: Task) -> None:
        failed = bool(task.error) and task.status == "failed"
        self._frames["out"].set_class(failed, "-failed")
        if failed:
            self.trace.set(task.error or {})
            self.out_view.show(self.trace)
            return
        told = outcome(self._source, self._states, self._asked(task), task)
        if told.sections != self.wrote.sections or told.marks != self.wrote.marks:
            self.wrote.marks, self.wrote.notes = told.marks or {(): ("", "")}, told.notes
            self.wrote.set(told.sections)
        self.out_view.empty = [("  nothing yet" if task.open else "  nothing", "faint")]
        self.out_view.show(self.wrote)

    def _asked(self, task: Task) -> list[Interrupt]:
        found = self._session.interrupts.values() if self._session is not None else ()
        return [one for one in found if one.id in task.interrupts or (one.task == task.id and one.run == task.run)]

    def _draw_facts(self, session: Session, task: Task) -> None:
        facts = Facts(session, self._flags, self._ways, task, session.now)
        rows = facts.rows(self.facts_view.width_of_rows())
        if (text := repr(rows)) != self._facts:
            self._facts = text
            self.facts_view.show(Lines(rows))

    def _say(self, session: Session, task: Task) -> None:
        width = self.size.width
        all_visits = visits(session, task)
        self._many = (all_visits.index(task) + 1 if task in all_visits else 1, len(all_visits))
        left: Row = [(" ", ""), (task.path, f"bold {node_style(task.path)}"), (f"  step {task.step}  ", "dim")]
        left += status_row(task, session.now)
        if task.tries > 1:
            left.append((f"  attempt {task.tries}", "warn"))
        if task.before:
            left.append(("  goes on", "info"))
        if task.run != "r1" or len(session.runs) > 1:
            left.append((f"  {task.run}", "dim"))
        right: Row = [("esc ", "bold accent"), ("back ", "dim")]
        if self._many[1] > 1:
            right = [
                (f"visit {self._many[0]} of {self._many[1]}  ", ""),
                ("←→ ", "bold accent"),
                ("visits  ", "dim"),
                *right,
            ]
        self.title_bar.show(fit(left, right, width))
        self._name_parts(task)
        self._name_events()
        keys = [("esc", "Back", "screen.leave"), ("tab", "Part", "screen.turn(1)"), ("enter", "Open", ""),
                ("e", "Editor", "screen.source"), ("?", "Help", "screen.help"), ("/", "Find", "screen.search"), ("o", "Lines", "screen.lines"),
                ("y", "Copy", "app.simulate_key('y')"), ("Y", "Path", "app.simulate_key('Y')"),
                ("P", "Python", "app.simulate_key('P')"), ("p", "Pager", "app.simulate_key('p')"),
                *([("←→", "Visits", "")] if self._many[1] > 1 else [])]  # fmt: skip
        status: Row = [(f" {self._status} ", "warn")] if self._status else []
        self.keys.show(fit(hints(keys, width - cells(status)), status, width))

    def _name_parts(self, task: Task) -> None:
        failed = bool(task.error) and task.status == "failed"
        names = {"in": "In", "out": "Error" if failed else "Out", "facts": "Facts"}
        more = {"in": "what it saw", "out": "" if failed else "what it wrote", "facts": ""}
        for name, frame in self._frames.items():
            if self.has_class("-one"):
                title = " │ ".join(f"[{word}]" if part == name else word for part, word in names.items())
            else:
                title = " · ".join(filter(None, (names[name], more[name])))
            frame.border_title = Content(plain(title))
        for name, view in (("in", self.in_view), ("out", self.out_view)):
            path = crop(clean(view.path), max(view.size.width - 4, 4), "…") if view.has_focus else ""
            self._frames[name].border_subtitle = Content(plain(path))

    def _name_events(self) -> None:
        counts = self.happened.counts()
        kinds = "  ".join(
            f"{number} {kind}{' off' if kind in self.happened.hidden else f' {counts[kind]}'}"
            for number, kind in enumerate(KINDS, 1)
        )
        self._below.border_title = Content("Events of this task only")
        self._below.border_subtitle = Content(plain(kinds))

    # --- keys

    def action_leave(self) -> None:
        """Close the search line, or the page."""
        if self.query_one(Input).has_class("-on"):
            self._close_search()
        else:
            self.dismiss()

    def action_turn(self, way: int) -> None:
        """Go to the next part."""
        order: list[LineView] = [self.in_view, self.out_view, self.facts_view, self.events_view]
        here = next((number for number, view in enumerate(order) if view.has_focus), 0)
        number = (here + way) % len(order)
        if number < len(PARTS):
            self._choose(PARTS[number])
        order[number].focus()
        self.call_after_refresh(self._again)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, the arrows are for the text."""
        return not (action == "visit" and isinstance(self.focused, Input))

    def action_visit(self, way: int) -> None:
        """Go to the next visit of the same node, or to the one before."""
        if self._session is None:
            return
        every = visits(self._session, self.shown_task)
        number = every.index(self.shown_task) + way if self.shown_task in every else 0
        if 0 <= number < len(every):
            self.open_task(every[number])

    def open_task(self, task: Task) -> None:
        """Show another task."""
        self.shown_task, self.subject = task, task_subject(task)
        self._facts, self._status = "", ""
        self._again()

    def action_kind(self, kind: str) -> None:
        """Leave out one kind of events, or take it in again."""
        self.happened.toggle(kind)
        self._again()

    def action_source(self) -> None:
        """Open the call of the row, or where the node is written, in the person's editor."""
        frame = self.trace.frame(self.out_view.cursor or 0) if self.out_view.rows is self.trace else None
        if frame is not None and self.out_view.has_focus:
            self._told(open_at(self.app, frame.file, frame.line))
            return
        told = told_of(self._session, self.shown_task) if self._session is not None else {}
        line = told.get("line")
        self._told(open_at(self.app, str(told.get("file") or ""), line if isinstance(line, int) else 1))

    def _text(self) -> tuple[str, str]:
        """What the part with the keys says, and what that is: the facts, the whole error, one event."""
        if self.out_view.has_focus:
            error = self.shown_task.error or {}
            return str(error.get("traceback") or error_text(error)), "the error"
        if self.facts_view.has_focus and self._session is not None:
            facts = Facts(self._session, self._flags, self._ways, self.shown_task, self._session.now)
            return facts.text(), "the facts"
        index = self.events_view.cursor
        if index is None:
            index = len(self.happened) - 1
        return self.happened.text(index, 4000).strip() if index >= 0 else "", "the event"

    def action_copy(self) -> None:
        """Copy what the part with the keys says."""
        text, what = self._text()
        self.app.copy_to_clipboard(text)
        self._told(f"copied {what}")

    def action_pager(self) -> None:
        """Leave the screen to the user's pager."""
        self._told(read_outside(self.app, "PAGER", self._text()[0], ".txt"))

    def action_help(self) -> None:
        """Show what works here."""
        self.app.push_screen(Help(self.screen, None))

    @property
    def _runs(self) -> Sequence[Run]:
        return self._session.runs if self._session is not None else ()

    def action_lines(self) -> None:
        """Show the lines of the journal."""
        self.app.push_screen(Inspector(self.subject, self._source, self._runs))

    def action_search(self) -> None:
        """Ask what to search for in the part that has the keys."""
        search = self.query_one(Input)
        search.add_class("-on")
        self._searched = self.focused if isinstance(self.focused, LineView) else self.in_view
        self.set_focus(search)

    _searched: LineView | None = None

    def _close_search(self) -> None:
        self.query_one(Input).remove_class("-on")
        self.set_focus(self._searched or self.in_view)

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_search()
        if self._searched is not None:
            self._searched.search(event.value or None)

    def _told(self, text: str) -> None:
        self._status = text
        self._again()

    @on(LineView.Searched)
    def _on_searched(self, event: LineView.Searched) -> None:
        event.stop()
        self._told(event.status)

    @on(Told)
    def _on_told(self, event: Told) -> None:
        event.stop()
        self._told(event.text)

    @on(TreeView.At)
    def _on_at(self, event: TreeView.At) -> None:
        event.stop()
        self._name_parts(self.shown_task)

    @on(LineView.Moved)
    @on(LineView.Following)
    def _on_moved(self, event: LineView.Moved | LineView.Following) -> None:
        event.stop()  # nothing behind the page moves with it

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What is clicked is chosen."""
        for name, view in zip(PARTS, (self.in_view, self.out_view, self.facts_view), strict=True):
            if event.widget is view:
                self._choose(name)

    @on(LineView.Selected)
    def _on_selected(self, event: LineView.Selected) -> None:
        event.stop()
        if event.view is self.out_view:
            self.action_source()
        elif event.view is self.events_view and event.index < len(self.happened.shown):
            one = self.happened.shown[event.index]
            if one.task is not None:
                self.open_task(one.task)
            elif one.seqs:
                title = f"{one.word[0]} · {self.shown_task.path}"
                self.app.push_screen(Inspector(Subject(title, one.seqs), self._source, self._runs))

"""The timeline: the waterfall of tasks under a time axis, with marks above it, strips below it, and the critical path."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from lgwatch.clock import chain
from lgwatch.filter import Filter
from lgwatch.records import Run
from lgwatch.session import Session
from lgwatch.tui.lines.bar import Bar
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import cells, count, fit, seconds
from lgwatch.tui.lines.spot import Spot, of_event, of_task
from lgwatch.tui.lines.text import ASCII
from lgwatch.tui.lines.view import Lines, LineView
from lgwatch.tui.nodes.pane import task_subject
from lgwatch.tui.nodes.run import run_subject
from lgwatch.tui.timeline.bars import LEGEND
from lgwatch.tui.timeline.shares import Weighing, share_rows
from lgwatch.tui.timeline.strips import Delays, Marks, Strips, crossed
from lgwatch.tui.timeline.view import TimeView
from lgwatch.tui.timeline.waterfall import Fan, TimelineRows

if TYPE_CHECKING:
    from lgwatch.sources import Source

ROOMY = 12
"""Lines inside the border from which on there are strips."""
DELTA = "d" if ASCII else "Δ"
ZOOM = 0.6
"""How much of the window is left after a step closer."""


class TimelinePane(Pane):
    """Where the time went."""

    title_: ClassVar[str] = "Timeline"
    empty_: ClassVar[str] = "no task has begun"
    help_: ClassVar[str] = (
        "A bar for each task of the newest run on one time axis, which leaves out the wait for answers, as all times do: ░ is the wait before it began, ━ its own time, ▁▌ a model "
        "that is asked and its first token, ▆ tokens, ▒ tools, ┄ the pause before another attempt, ✗ errors. Above: "
        "checkpoints ◆, interrupts ■, errors ✗, a blocked event loop ⚠. Below, where there is room: custom events, tokens a "
        "second, and how late the event loop was. + and - or the wheel zoom, a drag zooms to what is "
        "dragged over, 0 shows all. ← and → move the window, or the cursor where all is in view; m marks a time, and the "
        "cursor tells the distance to it. A wide fan-out is one row; enter opens it. C shows the critical path."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False, id="timeline.in", tooltip="Look closer"),
        Binding("minus,underscore", "zoom(-1)", "Zoom out", show=False, id="timeline.out", tooltip="From farther"),
        Binding("0", "fit", "All", show=False, id="timeline.fit", tooltip="All of the time in the window"),
        Binding("shift+left,H", "nudge(-1)", "Cursor back", show=False, id="timeline.back", tooltip="Cursor back"),
        Binding("shift+right,L", "nudge(1)", "Cursor on", show=False, id="timeline.on", tooltip="Cursor on in time"),
        Binding("m", "mark", "Mark", show=False, id="timeline.mark", tooltip="Mark the time of the cursor, or unmark"),
        Binding("C", "critical", "Critical path", id="timeline.critical", tooltip="What determined the run's length"),
    ]
    DEFAULT_CSS = """
    TimelinePane #bars { height: 1fr; }
    TimelinePane #strips { height: 3; display: none; }
    TimelinePane.-roomy #strips { display: block; }
    TimelinePane #shares { width: 48; display: none; margin-left: 2; }
    TimelinePane.-critical #shares { display: block; }
    """
    rows: TimelineRows

    def __init__(self, source: Source) -> None:
        super().__init__(TimelineRows(), source, id="timeline")
        self.axis = Bar()
        self.marks = Bar()
        self.customs = Bar()
        self.tokens = Bar()
        self.delays = Bar()
        self.shares = LineView(Lines(), id="shares")
        self.shares.can_focus = False
        self._strips = Strips()
        self._late = Delays()
        self._moments = Marks()
        self._session: Session | None = None
        self._keep = Filter()
        self._now = 0.0
        self._dragged: tuple[int, int] | None = None
        self._weighing = Weighing()
        self._stale = True  # more than the rows is to be drawn anew

    def make_view(self, rows: Rows) -> LineView:
        """Return a view that goes sideways in time."""
        return TimeView(rows, self)

    def compose(self) -> ComposeResult:
        """The axis, the marks, the bars with the critical path beside them, and the strips."""
        yield self.axis
        yield self.marks
        with Horizontal(id="bars"):
            yield self.view
            yield self.shares
        with Vertical(id="strips"):
            yield self.customs
            yield self.tokens
            yield self.delays

    def on_resize(self) -> None:
        """Show the strips where there is room."""
        self.set_class(self.size.height >= ROOMY, "-roomy")
        self._stale = True

    # ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Let the bars grow."""
        fresh, self._stale = self._stale or self.behind or session is not self._session or keep != self._keep, False
        self._session, self._keep, self._now = session, keep, now
        width = self.view.width_of_rows()
        if self.has_class("-critical"):
            self._weigh()
        if width < 16 or not (self.rows.update(session, keep, now, width) or fresh):
            return
        self.view.show()
        self._draw_time(width)

    def _draw_time(self, width: int) -> None:
        rows, session = self.rows, self._session
        if session is None:
            return
        clock, axis, room = rows.clock, rows.axis, rows.label(width)
        runs = chain(session.runs)
        reading = fit(self._reading(room), [], room - 1)
        self.axis.show([*reading, (" " * (room - cells(reading)), ""), *self._ticks()])
        self.marks.show([*_named("marks", room), *self._moments.row(session, runs, clock, axis, self._now)])
        self._late.update(session, runs, clock, axis)
        if self.has_class("-roomy"):
            self._draw_strips(session, runs, room)
        self._say()

    def _draw_strips(self, session: Session, runs: list[Run], room: int) -> None:
        clock, axis, lines = self.rows.clock, self.rows.axis, self.rows.uprights()
        self._strips.update(session, self._keep)
        tokens, top = self._strips.tokens(session, clock, axis)
        most = [(f" {top:.0f}/s", "time")] if top else []
        self.customs.show([*_named("custom", room), *crossed(self._strips.customs(session, clock, axis), lines)])
        self.tokens.show([*_named("tok/s", room), *crossed([*tokens, *most], lines)])
        self.delays.show([*_named("loop delay", room), *crossed(self._late.row(), lines)])

    def _ticks(self) -> Row:
        text = self.rows.axis.text() if self.rows.clock else ""  # before there is a run, no time is to be told
        if self._dragged is None:
            return [(text, "time")]
        first, last = sorted(self._dragged)
        return [(text[:first], "time"), (text[first : last + 1], "chip"), (text[last + 1 :], "time")]

    def _reading(self, room: int) -> Row:
        """The cursor's time, and how far it is from the mark."""
        rows = self.rows
        if rows.hair is None:
            return []
        row: Row = []
        for digits in (3, 2, 1, 0):
            row = [(f"{rows.hair:.{digits}f}s", "accent")]
            if rows.mark is not None:
                row.append((f" {DELTA}{rows.hair - rows.mark:+.{digits}f}", "warn"))
            if cells(row) < room:
                break
        return row

    def _say(self) -> None:
        rows, session = self.rows, self._session
        if session is None:
            return
        legend = " · ".join(f"{sign} {word}" for sign, word in LEGEND) if self.size.width > 104 else ""
        if rows.window.span is not None:
            axis = rows.axis
            legend = f"{seconds(axis.start)} to {seconds(axis.end)} of {seconds(rows.clock.total)}"
        tasks = sum(len(run.tasks) for run in chain(session.runs))
        bottom = f"{count(tasks, 'task')} in {seconds(rows.clock.total)}" if session.run is not None else ""
        index = self.view.cursor
        if rows.hair is not None and index is not None and index < len(rows):
            late = self._late.at(rows.axis.place(rows.hair))
            bottom = " · ".join(filter(None, (self._told(index), f"event loop {seconds(late)} late" if late else "")))
        self.mark(legend, bottom)

    def _told(self, index: int) -> str:
        """What the cursor is on: the task of its row, and what it did at the cursor's time."""
        rows = self.rows
        of = rows.lines[index].of
        task, run = rows.task(index), rows.run(index)
        if run is not None:
            return f"{run.id} {run.status}"
        if task is None or rows.hair is None:
            return ""
        words = [task.path if not isinstance(of, Fan) else f"{task.path} ×{len(of.tasks)}"]
        if not isinstance(of, Fan):
            words.append(seconds(task.elapsed(self._now)))
            at = rows.clock.moment(rows.hair)
            slack = rows.axis.span / rows.axis.columns
            inside = [
                span for span in task.spans
                if span.kind != "node" and span.started - slack <= at <= (self._now if span.ended is None else span.ended)
            ]  # fmt: skip
            for span in inside[-1:]:
                ended = self._now if span.ended is None else span.ended
                words.append(f"{span.kind} {span.model or span.name} {seconds(ended - span.started)}")
                if span.first_token is not None:
                    words.append(f"first token {seconds(span.first_token - span.started)}")
        return " · ".join(words)

    def _again(self) -> None:
        if self._session is not None:
            session = self._session
            self.safely(lambda: self.show(session, self._keep, self._now), None)
            self._say()
            self.settle(at_once=True)

    # ── the critical path ────────────────────────────────────────────────────────────────────────────────────────────

    def action_critical(self) -> None:
        """Show the critical path, or hide it."""
        self.toggle_class("-critical")
        self._weighing.forget()
        self.rows.critical = None
        self.call_after_refresh(self._again)

    def _weigh(self) -> None:
        session = self._session
        if session is None or self.shares.size.width < 12:  # not laid out yet
            return
        if (
            self._weighing.update(chain(session.runs), session.task_changes, self._now)
            and self._weighing.path is not None
        ):
            self.rows.critical = self._weighing.path
            self.shares.show(Lines(share_rows(self.rows.critical, self.shares.width_of_rows())))

    # ── keys and mouse ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def behind(self) -> bool:
        """Whether the strips have more to take in."""
        return self.has_class("-roomy") and self._strips.behind

    def label(self) -> int:
        """Return the cells that names take."""
        return self.rows.label(self.view.width_of_rows())

    def _centre(self) -> float:
        """The second that a zoom is about: the cursor's, what is newest, or the middle."""
        rows = self.rows
        axis = rows.axis
        if rows.hair is not None and axis.start <= rows.hair <= axis.end:
            return rows.hair
        running = self._session is not None and self._session.status == "running"
        return (
            rows.clock.total
            if running and rows.window.following
            else (axis.start + min(axis.end, rows.clock.total)) / 2
        )

    def action_zoom(self, way: int) -> None:
        """Look closer, or from farther."""
        self.zoom(way)

    def zoom(self, way: int, column: int | None = None) -> None:
        """Look closer (1) or from farther (-1), at a column or else at the cursor."""
        rows = self.rows
        at = self._centre() if column is None else rows.axis.second(column + 0.5)
        rows.window.zoom(ZOOM if way > 0 else 1 / ZOOM, at, rows.axis, rows.clock.total)
        self._again()

    def action_fit(self) -> None:
        """Show all of the time."""
        self.rows.window.fit()
        self._again()

    def to_now(self) -> None:
        """Let the window show what is newest."""
        self.rows.window.now()
        self.rows.hair = None
        self._again()

    def slide(self, steps: int) -> None:
        """Move the window by an eighth."""
        rows = self.rows
        if rows.window.pan(steps * rows.axis.span / 8, rows.clock.total):
            self._again()

    def turn(self, steps: int) -> None:
        """Open a closed fan-out to the right; else move the window, or, where all is in it, the cursor."""
        index = self.view.cursor
        if steps > 0 and index is not None and self.rows.fold(index, only_open=True):
            self._folded(index)
        elif self.rows.window.span is None:
            self.action_nudge(steps)
        else:
            before = self.rows.axis.start
            self.slide(steps)
            if self.rows.hair is not None:
                self._put(self.rows.hair + self.rows.axis.start - before)

    def action_nudge(self, steps: int) -> None:
        """Move the cursor by a column; the window goes with it."""
        rows = self.rows
        axis = rows.axis
        at = rows.hair if rows.hair is not None else axis.start if steps > 0 else min(axis.end, rows.clock.total)
        self._put(axis.second(axis.place(at) + steps + 0.5))

    def _put(self, second: float) -> None:
        rows = self.rows
        rows.hair = min(max(second, 0.0), rows.clock.total)
        rows.window.show(rows.hair, rows.clock.total)
        self._again()

    def point(self, column: int) -> None:
        """Put the cursor at a column."""
        self._put(self.rows.axis.second(column + 0.5))

    def stretch(self, first: int, last: int, *, done: bool) -> None:
        """Show which time is dragged over; then look at it."""
        axis = self.rows.axis
        low, high = sorted(min(max(column, 0), axis.columns - 1) for column in (first, last))
        self._dragged = None if done else (low, high)
        if done:
            self.rows.window.look(axis.second(low), axis.second(high + 1), self.rows.clock.total)
        self._again()
        self._draw_time(self.view.width_of_rows())

    def action_mark(self) -> None:
        """Mark the cursor's time; at the mark, take it away."""
        rows = self.rows
        if rows.hair is None:
            rows.hair = rows.clock.total if rows.window.following else self._centre()  # what is in view
        rows.mark = None if rows.mark == rows.hair else rows.hair
        self._again()

    @on(LineView.Selected)
    def _fold(self, event: LineView.Selected) -> None:
        """Open or close a fan-out; a task is opened by the screen."""
        if self.rows.fold(event.index):
            event.stop()
            self._folded(event.index)

    def _folded(self, index: int) -> None:
        self._again()
        self.view.select(index)  # a view that follows would go to what has come below

    # ── what is selected ─────────────────────────────────────────────────────────────────────────────────────────────

    def subject(self) -> Subject | None:
        """The task under the cursor, or the run whose error is no task's."""
        index = self.chosen
        if index is None:
            return None
        task, run = self.rows.task(index), self.rows.run(index)
        return task_subject(task) if task is not None else run_subject(run) if run is not None else None

    def spot(self) -> Spot | None:
        """The task under the cursor, or the end of the run whose error is no task's."""
        index = self.chosen
        if index is None or self._session is None:
            return None
        task, run = self.rows.task(index), self.rows.run(index)
        if run is not None and run.end_seq is not None:
            return of_event(self._session, run.end_seq)
        return of_task(task) if task is not None else None

    def reveal(self, session: Session, spot: Spot) -> None:
        """Put the cursor on the task, or on the error of no task, at the time of the spot."""
        runs = {run.id: run for run in chain(session.runs)}
        if spot.task or (spot.run in runs and runs[spot.run].end_seq == spot.seq):
            index = self.rows.place(spot.run, spot.task)
            if index is not None:
                self.view.reveal(index)
        if spot.run in runs:
            self._put(self.rows.clock.active(spot.at))


def _named(name: str, room: int) -> Row:
    return [(name.ljust(room), "faint")]

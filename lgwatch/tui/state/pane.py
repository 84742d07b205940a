"""The state at every step: what is in it, what changed, by whom and through which reducer; and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from lgwatch.clock import Clock
from lgwatch.difference import Change
from lgwatch.events import Json, Namespace, path
from lgwatch.filter import Filter
from lgwatch.flags import Flags
from lgwatch.session import Session
from lgwatch.states import State, States
from lgwatch.tui.lines.bar import Bar
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import cells, count, fit, glyph, seconds
from lgwatch.tui.lines.spot import Spot
from lgwatch.tui.lines.text import crop
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.state.rows import (
    LED,
    SIGNS,
    WROTE,
    DiffRows,
    HistoryRows,
    StepRows,
    ends_of,
    nodes_of,
    sign,
    step_name,
)
from lgwatch.tui.state.view import StateView
from lgwatch.tui.tree.branch import Path
from lgwatch.tui.tree.rows import JsonRows
from lgwatch.tui.tree.view import TreeView

if TYPE_CHECKING:
    from lgwatch.sources import Source

BESIDE = 84
"""Cells of the pane from which the list of steps stands beside the values."""
AT_ONCE = 100
"""Tasks of which one picture takes in what they wrote, where states are rebuilt: more would be felt in a key."""
MARKED = 3000
"""Changes that are marked in the tree."""


class StatePane(Pane):
    """What the graph's state is and was."""

    title_: ClassVar[str] = "State"
    empty_: ClassVar[str] = "no state yet"
    help_: ClassVar[str] = (
        "The state after each step: + is new, ~ is changed in this step, and at the right stands who wrote it and "
        "through which reducer. [ and ] walk the steps, F follows the newest. d marks a step: walk on, and what changed "
        "between the two is shown. h tells the history of the key under the cursor, v the states of subgraphs. Without a "
        "checkpointer states are rebuilt from what the nodes wrote, and have ○ for a sign. ⚠ stands where a value "
        "changed that nobody wrote, or a state swelled. Y copies a path, y JSON, P Python."
    )
    DEFAULT_CSS = """
    StatePane > #state-at { background: $boost; }
    StatePane #state-steps { width: 36; display: none; border-right: solid $foreground 15%; }
    StatePane.-beside #state-steps { display: block; }
    StatePane.-beside.-broad #state-steps { width: 48; }
    """
    tail: ClassVar[bool] = False
    filtered: ClassVar[bool] = False

    def __init__(self, source: Source) -> None:
        self.values = JsonRows(source, depth=1)
        super().__init__(self.values, source, id="state")
        self.states = States(source.line, self.values.lookup, AT_ONCE)
        self.flags = Flags(self.states)
        self.steps = StepRows(self.states)
        self.steps.flagged = self._is_flagged
        self.diff = DiffRows(self.states)
        self.history = HistoryRows(self.states)
        self.at_bar = Bar(id="state-at")
        self.step_view = LineView(self.steps, cursor_row=True, id="state-step-list")
        self.step_view.can_focus = False
        self.mode = "values"
        self._ns: Namespace = ()
        self._state: State | None = None
        self._base: State | None = None
        self._following = True
        self._session: Session | None = None
        self._drawn: object = None
        self._looking = False
        self._told = 0
        self._graphs = 1

    def make_view(self, rows: Rows) -> LineView:
        """Return the view on the values."""
        self.state_view = StateView(self.values, root=0)
        self.state_view.pane = self
        return self.state_view

    def compose(self) -> ComposeResult:
        """Where one is, the steps, and the values beside them."""
        yield self.at_bar
        with Horizontal():
            with Vertical(id="state-steps"):
                yield self.step_view
            yield self.view

    def on_resize(self) -> None:
        """The steps stand beside the values where there is room."""
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.set_class(self.size.width >= 140, "-broad")

    # --- what is new

    def mind(self, session: Session) -> list[str]:
        """Take in what is new, whether it is shown or not; return what must be said of it now."""
        self._session = session
        self.states.update(session)
        self._looking = self.flags.update()
        told = self.flags.all[self._told :]
        self._told = len(self.flags.all)
        return [flag.text for flag in told if session.now - flag.at < 6.0]

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Show the state that was chosen, or the newest one."""
        self.mind(session)
        states = self.states.of(self._ns)
        if not states:
            return
        if self._following or self._state not in states:
            self._state = states[-1]
        drawn = (self._ns, self._state, self.states.version, len(self.flags.all),
                 self.mode, self._base, session.counts.get("notice"), len(session.errors), self.size)  # fmt: skip
        if drawn != self._drawn or (self.mode == "history" and self.history.behind):
            self._drawn = drawn
            self._draw(states)

    @property
    def behind(self) -> bool:
        """Whether there are states that nobody looked at yet."""
        return self._looking or self.states.behind or (self.mode == "history" and self.history.behind)

    def _draw(self, states: list[State]) -> None:
        state = self._state
        assert state is not None
        at = states.index(state)
        self.steps.base = self._base if self.mode == "diff" else None
        assert self._session is not None
        self.steps.set(states, ends_of(self._session, states[-1].run, self._ns))
        self.step_view.show()
        self.step_view.select(at)
        before = states[at - 1] if at else None
        if self.mode == "values":
            self._draw_values(state, before)
        elif self.mode == "diff":
            ends = self._ends(states)
            self.diff.set(*ends, self.states.writers(state, before) if ends[0] is before else {})
        elif self.mode == "history":
            self.history.clock = Clock(self._session.runs)
            self.history.set(self.history.key_name, self._ns)
        rows: Rows = {"values": self.values, "diff": self.diff, "history": self.history}[self.mode]
        self.view.show(rows)
        self._say(state, at, states)

    def _draw_values(self, state: State, before: State | None) -> None:
        changes = self.states.changes(before, state)
        writers = self.states.writers(state, before)
        self.values.marks = _marks(changes) or {(): ("", "")}
        notes: dict[Path, Row] = {(key,): [(f"{WROTE} {writer.words()} ", "accent")] for key, writer in writers.items()}
        for flag in self.flags.of(state):
            notes[flag.key,] = [*notes.get((flag.key,), []), (f"{glyph('notice')[0]} {_SHORT[flag.code]} ", "warn")]
        for key in (str(change.path[0]) for change in changes if change.kind == "removed" and len(change.path) == 1):
            notes[key,] = [("removed ", "removed")]
        self.values.notes = notes
        gone: dict[str, Json] = {}
        for change in changes:
            if change.kind == "removed" and len(change.path) == 1:
                gone[str(change.path[0])] = change.before
        self.values.set({**self.states.values(state), **gone})

    def _ends(self, states: list[State]) -> tuple[State | None, State]:
        """Return the older and the newer of the two states that are compared."""
        assert self._state is not None
        here = states.index(self._state)
        base = states.index(self._base) if self._base in states else here
        if base == here:
            return (states[here - 1] if here else None), self._state
        return states[min(base, here)], states[max(base, here)]

    # --- what is said of it

    def _is_flagged(self, state: State) -> bool:
        return bool(self._warnings(state))

    def _warnings(self, state: State) -> list[str]:
        """Return what is wrong with a state: what was found out, and what the graph's process noticed of its tasks."""
        tasks = {task.id for task in state.tasks}
        notices = self._session.notices if self._session is not None else []
        told = [one.text for _, one in notices if one.code == "unknown_key" and one.task in tasks]
        return [*(flag.text for flag in self.flags.of(state)), *told]

    def _say(self, state: State, at: int, states: list[State]) -> None:
        width = max(self.size.width - 2, 10)
        mark, names = sign(state)
        left: Row = [(f" {mark} ", names)]
        if self.mode == "diff":
            before, after = self._ends(states)
            first = step_name(before) if before is not None else "nothing"
            left += [(f"{first} {LED} {step_name(after)}  ", "title")]
            beside = before is None or states.index(after) == states.index(before) + 1
            left.append((nodes_of(after) if beside else f"{states.index(after) - at or at} steps", "dim"))
        elif self.mode == "history":
            left += [(f"{self.history.key_name}  ", "title"), (count(len(self.history), "value"), "dim")]
        else:
            left += [
                (f"{step_name(state)}  ", "title"),
                (nodes_of(state), ""),
                (
                    f"  {seconds(Clock(self._session.runs).told(state.at) if self._session is not None else 0.0)}",
                    "time",
                ),
            ]
        if state.rebuilt:
            left.append(("  rebuilt from what the nodes wrote" if width >= 70 else "  rebuilt", "warn"))
        right: Row = [(f"{at + 1}/{len(states)} ", "dim")]
        if at == len(states) - 1 and self.steps.ends:
            where, why = self.steps.ends[-1]
            room = max(width - cells(left) - cells(right) - 4, 0)
            right = [
                *fit([(f"{glyph('failed')[0]} {' '.join(where.split())}: {why}", "error")], [], room),
                ("  ", ""),
                *right,
            ]
        elif warnings := self._warnings(state):
            more = f" (+{len(warnings) - 1})" if len(warnings) > 1 else ""
            room = max(width - cells(left) - cells(right) - 6, 0)
            if room >= 24:
                right = [*fit([(f"{glyph('notice')[0]} {warnings[0]}{more}", "warn")], [], room), ("  ", ""), *right]
            else:
                right = [(f"{glyph('notice')[0]}{len(warnings)} ", "warn"), *right]
        self.at_bar.show(fit(left, right, width))
        graph = path(self._ns)
        graphs = len(self.states.graphs())
        self._graphs = graphs
        words = {"values": graph, "diff": " · ".join(filter(None, [graph, "diff"])), "history": "history of a key"}
        self.mark(words[self.mode], self._bottom())

    def _bottom(self) -> str:
        """The path of the value under the cursor; at a key of the state, which is its own path, what can be done."""
        path_here = self.state_view.path
        if self.mode == "values" and not path_here.isidentifier() and path_here:
            return crop(path_here, max(self.size.width - 8, 4), "…")
        keys = {"values": "[ ] step  d diff  h history", "diff": "[ ] step  d back", "history": "h back"}[self.mode]
        return keys + ("  v graph" if self._graphs > 1 else "") if self.size.width >= 44 else ""

    @on(TreeView.At)
    def _on_at(self, event: TreeView.At) -> None:
        event.stop()
        self.mark(self._wanted[0], self._bottom())

    # --- keys

    def turn(self, mode: str) -> None:
        """Show the values, a comparison, or the history of a key."""
        self.mode = mode
        if mode != "diff":
            self._base = None
        self._again()

    def _again(self) -> None:
        self._drawn = None
        if self._session is not None:
            self.show(self._session, Filter(), self._session.now)
            self.settle(at_once=True)

    def walk(self, way: int) -> None:
        """Go to the next state, or to the one before."""
        states = self.states.of(self._ns)
        if self._state not in states:
            return
        self.go(states[min(max(states.index(self._state) + way, 0), len(states) - 1)])

    def go(self, state: State) -> None:
        """Show a state."""
        states = self.states.of(self._ns)
        self._state, self._following = state, bool(states) and state is states[-1] and self.mode == "values"
        self._again()
        self.post_message(LineView.Moved(self.view, self.view.cursor or 0))

    def follow(self) -> None:
        """Go to the newest state, and follow it."""
        self._following = True
        self._again()

    def compare(self) -> None:
        """Mark the state and compare; walking on changes the other one. Again: back to the values."""
        if self.mode == "diff":
            self.turn("values")
            return
        self._base, self._following = self._state, False
        self.turn("diff")

    def tell_history(self) -> None:
        """Show the history of the key under the cursor, or go back to the values."""
        if self.mode == "history":
            self.turn("values")
            return
        key = self._key()
        if key:
            self.history.key_name = key
            self.turn("history")

    def _key(self) -> str:
        index = self.view.cursor
        if index is None:
            return ""
        if self.mode == "diff":
            return next((line.name for line in reversed(self.diff.lines[: index + 1]) if line.depth == 0), "")
        spot = self.values.spot(index)
        return str(spot.path[0]) if spot is not None else ""

    def next_graph(self) -> None:
        """Show the states of the next graph."""
        graphs = self.states.graphs()
        if graphs:
            self._ns = graphs[(graphs.index(self._ns) + 1) % len(graphs)] if self._ns in graphs else graphs[0]
            self._state, self._base, self._following = None, None, True
            self.turn("values")

    @on(LineView.Moved, "#state-step-list")
    def _on_step(self, event: LineView.Moved) -> None:
        event.stop()
        if event.index < len(self.steps.states):
            self.go(self.steps.states[event.index])

    @on(LineView.Selected)
    def _on_selected(self, event: LineView.Selected) -> None:
        if self.mode == "history" and event.view is self.view:
            event.stop()
            state = self.history.lines[event.index][0]
            self.mode = "values"
            self.go(state)

    # --- what is selected

    def subject(self) -> Subject | None:
        """What changed, or the whole state."""
        state = self._state
        if state is None:
            return None
        index = self.view.cursor
        if self.mode == "diff" and index is not None and index < len(self.diff.lines):
            change = self.diff.lines[index].change
            if change is not None:
                parts: Mapping[str, Json] = {"before": change.before, "after": change.after}
                name = ".".join(map(str, change.path))
                return Subject(f"{name} · {change.kind}", sections=dict(parts))
        return Subject(f"state · {step_name(state)}", sections=dict(self.states.values(state)))

    def spot(self) -> Spot | None:
        """Where the state came to be, once a person walked to one."""
        state = self._state
        if state is None or self._following:
            return None
        task = state.tasks[0] if state.tasks else None
        return Spot(
            state.run, task.id if task is not None else "", task.seq if task is not None else state.seq, state.at
        )

    def reveal(self, session: Session, spot: Spot) -> None:
        """Go to the state that the task led to, or that was the newest at that moment."""
        states = self.states.of(self._ns)
        task = spot.task_in(session)
        while task is not None and task.ns != self._ns:
            task = task.parent
        found = next((state for state in states if task is not None and task in state.tasks), None)
        if found is None:
            found = next((state for state in reversed(states) if state.seq <= spot.seq), None)
        if found is not None and found is not self._state:
            self._state, self._following = found, False
            self._again()


_SHORT = {"mutated": "changed in place", "swollen": "swelled"}


def _marks(changes: list[Change]) -> dict[Path, tuple[str, str]]:
    """Return the signs of what changed, and of what it is in."""
    marks: dict[Path, tuple[str, str]] = {}
    for change in changes[:MARKED]:
        for length in range(1, len(change.path)):
            marks.setdefault(change.path[:length], SIGNS["changed"])
        if change.kind != "removed" or len(change.path) == 1:
            marks[change.path] = SIGNS[change.kind]
    return marks

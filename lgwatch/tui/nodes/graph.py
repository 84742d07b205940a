"""The loaded graph as rows, with where the run is and where it has been; there are no rows where it would not be legible.

The drawing is made anew when the graph, the room, the depth or what is known of the graph changes: never for a state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import islice
from time import monotonic

from lgwatch.records import Task
from lgwatch.session import Session
from lgwatch.transitions import END, START, Transitions, called, level, node_id
from lgwatch.tui.drawing.boxes import Box, Drawing, draw
from lgwatch.tui.drawing.items import Edge
from lgwatch.tui.drawing.picture import INSIDE, STOP, Mark, Picture
from lgwatch.tui.drawing.tallies import tally
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, glyph, node_style, seconds, tick
from lgwatch.tui.lines.text import ASCII

REST = 20
"""How many times as long as it took to draw, a drawing stays as it is while only edges and nodes appear."""
CALM = 1.0
"""Seconds after which the last transition looks like any other."""


class GraphRows(Rows):
    """The drawing of a session's graph. `depth` says how deep subgraphs are open; `transitions` are the run's ways.

    `height` is the room that a drawing may use for air, `selected` the node under the cursor.
    """

    def __init__(self, depth: int = 1, transitions: Transitions | None = None) -> None:
        self.depth = depth
        self.height = 0
        self.selected = ""
        self.transitions = transitions or Transitions()
        self.marks: frozenset[str] = frozenset()
        """Ids of the nodes with a breakpoint."""
        self.drawing: Drawing | None = None
        self._picture: Picture | None = None
        self._session: Session | None = None
        self._seen: list[int] = []
        self._open: dict[str, list[Task]] = {}
        self._newest: dict[str, Task] = {}
        self._runs: set[str] = set()  # those of the newest thread: the picture is of these
        self._waits: set[str] = set()  # nodes that a run stands before, at a breakpoint
        self._made_of: tuple[object, ...] = ()
        self._drawings = 0
        self._rest_until = 0.0
        self._marks: dict[str, Mark] = {}
        self._states: dict[Edge, str] = {}
        self._taken: Counter[Edge] = Counter()  # how often each edge that is drawn was
        self._marked: object = None
        self._now = 0.0
        self._calm = True

    # --- what a pane says

    def update(self, session: Session, now: float) -> bool:
        """Take in what happened; return whether the picture changed."""
        self._now = now
        if session is not self._session:
            self._session, self._seen = session, []
            self._open, self._newest, self._runs = {}, {}, set()
        self.transitions.update(session)
        self._follow(session)
        # What stands still has no newest step: the clock of a recording stops at its end.
        calm = now - self.transitions.last_at >= CALM or session.status != "running"
        moving = tick(now) if any(self._open.values()) else 0
        self._calm = calm
        state = (session.task_changes, id(session.graph), calm, moving, self._made_of, self.selected, self.marks)
        if state == self._marked:
            return False
        self._marked = state
        self._marks.clear()
        self._states.clear()
        return True

    def deeper(self, step: int = 1) -> int:
        """Open subgraphs deeper, or less deep; begin again at closed ones after the deepest. Return the new depth."""
        deepest = self.drawing.plan.deepest if self.drawing is not None else 0
        self.depth = (self.depth + step) % (deepest + 1)
        return self.depth

    def select(self, node: str) -> int | None:
        """Put the cursor on a node; return the row of its name, None where the node is not drawn."""
        box = self.drawing.boxes.get(node) if self.drawing is not None else None
        if box is None:
            return None
        self.selected = node
        self._marks.clear()
        return box.rect.y + (box.rect.height > 1)

    def beside(self, across: int, down: int) -> str:
        """Return the node that is next to the selected one in a direction; "" where there is none.

        Before one is selected, it is the newest that runs or ran, or the first.
        """
        drawing = self.drawing
        if drawing is None or not drawing.boxes:
            return ""
        here = drawing.boxes.get(self.selected)
        if here is None:
            return self.newest() or self.first()
        x, y = _middle(here)
        near: list[tuple[float, str]] = []
        for box in drawing.boxes.values():
            rect, (dx, dy) = box.rect, (_middle(box)[0] - x, _middle(box)[1] - y)
            if across:
                along, aside = dx * across, 0.0
                if _outside(y, rect.y, rect.height):
                    continue  # above or below
            else:
                along, aside = 2 * dy * down, _outside(x, rect.x, rect.width)
            around = across and here.id.startswith(f"{box.id}:")  # what one is inside of, is not beside it
            if along > 0 and not around and box.kind not in ("start", "end"):  # there is nothing to tell of these
                near.append((along + aside, box.id))
        return min(near)[1] if near else ""

    def first(self) -> str:
        """Return the first node as one reads; "" where there is none."""
        drawing = self.drawing
        order = drawing.order() if drawing is not None else []
        return next((name for name in order if drawing and drawing.boxes[name].kind not in ("start", "end")), "")

    def newest(self) -> str:
        """Return the node that is drawn for the newest task; "" where none is."""
        drawing = self.drawing
        tasks = sorted(self._newest.values(), key=lambda task: (task.status == "running", task.started, task.seq))
        return next((shown for task in reversed(tasks) if drawing and (shown := drawing.shown(node_id(task)))), "")

    def place(self, column: int, index: int, width: int) -> str:
        """Return the node at a cell of the picture; "" where there is none."""
        drawing = self.drawing
        return (drawing.at(column - max((width - drawing.width) // 2, 0), index) or "") if drawing is not None else ""

    def task(self, node: str) -> Task | None:
        """Return the newest task of a node."""
        return self._newest.get(node)

    def running_row(self) -> int | None:
        """Return the row of the innermost node that runs, so that it can be kept in sight."""
        if self.drawing is None:
            return None
        moving = ("running", "interrupted") if self._waits else ("running",)
        boxes = [box for name, box in self.drawing.boxes.items() if self._state(name) in moving]
        return max(((box.id.count(":"), box.rect.y + 1) for box in boxes), default=(0, None))[1]

    # --- rows

    def resize(self, width: int, near: Hashable = None) -> bool:
        """Draw the graph for this width, if it is not."""
        session = self._session
        graph = session.graph if session is not None else None
        ways = self.transitions
        made_of = (id(graph), width, self.height, self.depth, len(ways.unknown), len(ways.dynamic))
        if made_of == self._made_of:
            return False
        # What grows all the time is not drawn all the time: a large graph would take the frames of everything else.
        if made_of[:4] != self._made_of[:4] or monotonic() >= self._rest_until:
            began = monotonic()
            self._made_of = made_of
            self._drawings += 1
            self.drawing = self._picture = None
            if graph is not None and width > 0:
                self.drawing = draw(
                    ways.nodes(), ways.edges(), width=width, height=self.height, depth=self.depth,
                    observed=ways.observed(),
                )  # fmt: skip
            if self.drawing is not None:
                self._picture = Picture(self.drawing, self._mark, self._edge, self._times)
            self._marks.clear()
            self._states.clear()
            now = monotonic()
            self._rest_until = now + REST * (now - began)
        return False

    def __len__(self) -> int:
        return len(self._picture) if self._picture is not None else 0

    def row(self, index: int, width: int) -> Row:
        """Return the row's spans."""
        return self._picture.row(index, width) if self._picture is not None else []

    def key(self, index: int) -> Hashable:
        """The row, which drawing it is of, and the states of what is on it."""
        return (index, self._drawings, self._picture.key(index)) if self._picture is not None else None

    def index_of(self, key: Hashable) -> int | None:
        """A row stays where it is."""
        return self._picture.index_of(key) if self._picture is not None else None

    # --- states

    def _follow(self, session: Session) -> None:
        for number, run in enumerate(session.runs):
            if number == len(self._seen):
                self._seen.append(0)
                if number and run.thread != session.runs[number - 1].thread:
                    self._runs.clear()
                self._runs.add(run.id)
            if len(run.tasks) > self._seen[number]:
                for task in islice(run.tasks.values(), self._seen[number], None):
                    self._note(node_id(task), task)
                    if (agent := called(task)) and task.parent is not None:
                        self._note(agent, task.parent)
                self._seen[number] = len(run.tasks)
        for name, tasks in self._open.items():
            if tasks:
                self._open[name] = [task for task in tasks if task.open]
        self._waits = {level(one.ns) + one.node for one in session.waiting if one.breakpoint}

    def _note(self, node: str, task: Task) -> None:
        tasks = self._open.setdefault(node, [])
        if task not in tasks[-1:]:
            tasks.append(task)
        self._newest[node] = task

    def _state(self, node: str) -> str:
        tasks = self._open.get(node)
        if tasks:
            return "running" if any(task.status == "running" for task in tasks) else "waiting"
        newest = self._here(node)
        return "interrupted" if node in self._waits else newest.status if newest is not None else ""

    def _here(self, node: str) -> Task | None:
        """The newest task of a node on the newest run's thread: what ran before that is over."""
        newest = self._newest.get(node)
        return newest if newest is not None and newest.run in self._runs else None

    def _mark(self, node: str) -> Mark:
        mark = self._marks.get(node)
        if mark is None:
            mark = self._marks[node] = self._make(node)
        return mark

    def _make(self, node: str) -> Mark:
        short = node.rpartition(":")[2]
        if short in (START, END):
            met = any(node in edge for edge in self.transitions.taken)
            return Mark(name="cursor" if node == self.selected else "" if met else "faint")
        state, newest, here = self._state(node), self._here(node), node == self.selected
        sign, style = glyph(state or "waiting", self._now)
        border = style if state in ("running", "failed", "interrupted") else "" if newest is not None else "faint"
        if here:
            border = border if border not in ("", "faint") else "bold accent"
        if newest is None:
            name = "cursor" if here else "bold" if state else "dim"
            return Mark(sign, style if state else "faint", name, border, stop=self._stop(node))
        name = f"cursor {node_style(newest.path)}" if here else node_style(newest.path)
        caption, runs = self._caption(node, newest), state == "running"
        return Mark(sign, style, f"bold {name}" if runs else name, border, caption, self._stop(node))

    def _caption(self, node: str, newest: Task) -> tuple[tuple[str, ...], ...]:
        """How long, how many of how many, how often, how often with the same input, how many attempts."""
        running = [task for task in self._open.get(node, ()) if task.status == "running"]
        shown = max(running, key=lambda task: task.elapsed(self._now), default=newest)
        caption: list[tuple[str, ...]] = []
        if shown.began is not None or shown.ended is not None:
            caption.append((seconds(shown.elapsed(self._now)), "accent" if running else "time"))
        visits, same = self.transitions.visits.get(node, 0), newest.same_input
        again = (f"{glyph('notice')[0]}×{amount(same)}", "warn") if same > 1 else None
        if len(running) > 1:
            all_, now = amount(visits), amount(len(running))
            caption.append((f"{now} of {all_}", "accent", f"{tally(len(running))}/{tally(visits)}".replace("×", "")))
        elif visits > 1 and same != visits:
            caption.append((f"×{amount(visits)}", "dim", tally(visits)))
        caption += [again] if again else []
        if (back := self._times((node, node))) > 1:
            caption.append((f"{'@' if ASCII else '↺'}{tally(back)[1:]}", "dim"))
        if newest.tries > 1:
            caption.append((f"↻{newest.tries}", "warn"))
        return tuple(caption)

    def _stop(self, node: str) -> str:
        closed = self.drawing is not None and node in self.drawing.boxes and not self.drawing.boxes[node].open
        inside = closed and any(mark.startswith(f"{node}:") for mark in self.marks)
        return STOP if node in self.marks else INSIDE if inside else ""

    def _edge(self, edge: Edge) -> str:
        if not self._states:
            self._states = self._drawn()
        return self._states.get(edge, "")

    def _times(self, edge: Edge) -> int:
        if not self._states:
            self._states = self._drawn()
        return self._taken.get(edge, 0)

    def _drawn(self) -> dict[Edge, str]:
        """The states of the edges that are drawn: the last transition for a moment, and all that were taken."""
        found: dict[Edge, str] = {("", ""): ""}
        self._taken = Counter()
        drawing, ways = self.drawing, self.transitions
        if drawing is None:
            return found
        fresh = () if self._calm else ways.last
        for state, edges in (("taken", ways.taken), ("last", fresh)):
            for edge in edges:
                if (drawn := drawing.drawn(edge)) is not None:
                    found[drawn] = state
                    self._taken[drawn] += ways.taken[edge] if state == "taken" else 0
        return found


def _middle(box: Box) -> tuple[float, float]:
    return box.rect.x + box.rect.width / 2, box.rect.y + (1 if box.open else box.rect.height / 2)


def _outside(at: float, first: int, size: int) -> float:
    """How far a place is from a stretch; 0 inside of it."""
    return max(first - at, at - first - size, 0)

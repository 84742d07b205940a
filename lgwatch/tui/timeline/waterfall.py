"""The rows of the waterfall: a bar for each task of the newest run, nested by namespace; a wide fan-out is one row.

The tree of rows is made anew when a task or another filter comes; bars grow without it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from time import monotonic

from lgwatch.clock import Clock, chain
from lgwatch.critical import CriticalPath
from lgwatch.events import error_text
from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, glyph, node_style, tick
from lgwatch.tui.lines.text import ASCII, cell_len, clean, crop, plain
from lgwatch.tui.nodes.lanes import gathered, is_of_no_task, kept
from lgwatch.tui.timeline.axis import Axis, Window
from lgwatch.tui.timeline.bars import FAIL, Cells, Together, paint_error, paint_task

DEEP = 6
"""Levels of nesting that are drawn as such."""
THE_RUN = "the run"
"""What stands where other rows have their node."""
CROWD, CALM = 2_000, 0.25
"""Tasks beyond which the tree of rows is made anew only every so many seconds."""


@dataclass(slots=True, eq=False)
class Fan:
    """A fan-out: the tasks of one node in one step, drawn as one row until it is opened."""

    tasks: list[Task]
    _together: Together | None = None
    _changes: int = -1

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by while more tasks come."""
        return self.tasks[0].run, self.tasks[0].id

    def together(self, changes: int) -> Together:
        """Return what its tasks did; `changes` is a number that grows when one of them does anything."""
        if self._together is None or changes != self._changes:
            self._together, self._changes = Together(self.tasks), changes
        return self._together


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what it is of, and the branches of the tree in front of it; of a run it is the error of no task."""

    of: Task | Fan | Run
    lead: str = ""
    opened: bool = False


class TimelineRows(Rows):
    """A bar for each task of the newest run and of those it goes on from, what ran inside it below."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.clock = Clock([], 0.0)
        self.axis = Axis.fit(0.0, 1)
        self.window = Window()
        self.hair: float | None = None
        """The second that the cursor is at; None before there is one."""
        self.mark: float | None = None
        """The second that was marked."""
        self._critical: CriticalPath | None = None
        self._paths = 0
        self._now = 0.0
        self._changes = 0
        self._state: object = None
        self._tree: tuple[object, ...] | None = None
        self._settled: dict[str, _Settled] = {}
        self._basis: object = None
        self._made = 0.0
        self._opened: set[tuple[str, str]] = set()
        self._where: dict[tuple[str, str], int] | None = None
        self._stamp: Hashable = None
        self._spare = 0

    def update(self, session: Session, keep: Filter, now: float, width: int) -> bool:
        """Take in what changed; return whether anything did."""
        self._now, self._changes = now, session.task_changes
        runs = chain(session.runs)
        moving = bool(runs) and runs[-1].status == "running"
        self._spare = 9 if width >= 70 else 6
        self.clock = Clock(runs, now)
        self.axis = self.window.axis(self.clock.total, width - self.label(width) - self._spare)
        self._stamp = (self.axis, width, self.hair, self.mark, self._paths)
        changes = (session.task_changes, session.message_changes)
        state = (session, changes, tick(now) if moving else 0, keep, self._stamp, len(self._opened))
        if state == self._state:
            return False
        count = sum(len(run.tasks) for run in runs)
        ends = tuple(run.status for run in runs)
        tree = (session, count, runs[-1].id if runs else "", keep, keep and changes, frozenset(self._opened), ends)
        if tree != self._tree:
            if count > CROWD and self._tree is not None and keep == self._tree[3] and monotonic() - self._made < CALM:
                return True  # not forgotten: the next picture is soon
            self._tree, self._made, self._where = tree, monotonic(), None
            if (basis := (session, frozenset(self._opened))) != self._basis:
                self._basis, self._settled = basis, {}
            self.lines = [line for run in runs for line in self._lines(run, keep)]
        self._state = state
        return True

    def _lines(self, run: Run, keep: Filter) -> Iterator[Line]:
        """Yield the rows of a run; its error is the last one where it is no task's. No filter hides that."""
        roots = [task for task in run.tasks.values() if task.parent is None]
        if keep:
            yield from _tree(roots, keep, self._opened)
        else:
            settled = self._settled.get(run.id)
            if settled is None or not settled.holds(roots, len(run.tasks)):
                settled = self._settled[run.id] = _Settled()
            settled.grow(roots, self._opened)
            yield from settled.lines
            yield from _tree(roots[settled.roots :], keep, self._opened)
        if is_of_no_task(run):
            yield Line(run)

    @property
    def critical(self) -> CriticalPath | None:
        """The critical path, while it is shown."""
        return self._critical

    @critical.setter
    def critical(self, path: CriticalPath | None) -> None:
        self._critical = path
        self._paths += 1  # pictures are known by it: the id of an object that is gone comes again

    @staticmethod
    def label(width: int) -> int:
        """Return the cells that names take."""
        return max(12, min(34, width // 5))

    def fold(self, index: int, *, only_open: bool = False) -> bool:
        """Open or close the fan-out of a row; return whether there was one to open or close."""
        line = self.lines[index] if 0 <= index < len(self.lines) else None
        if line is None or not isinstance(line.of, Fan) or (only_open and line.opened):
            return False
        self._opened ^= {line.of.key}
        return True

    def task(self, index: int) -> Task | None:
        """Return the task of a row; of a fan-out its last one."""
        of = self.lines[index].of if 0 <= index < len(self.lines) else None
        return of.tasks[-1] if isinstance(of, Fan) else of if isinstance(of, Task) else None

    def run(self, index: int) -> Run | None:
        """Return the run of a row that has an error of no task."""
        of = self.lines[index].of if 0 <= index < len(self.lines) else None
        return of if isinstance(of, Run) else None

    def text(self, index: int, width: int) -> str:
        """A search looks at paths: bars have no text."""
        of = self.lines[index].of
        if isinstance(of, Run):
            return clean(f"{THE_RUN} {error_text(of.error or {})}")
        return clean((of.tasks[0] if isinstance(of, Fan) else of).path)

    def place(self, run: str, task: str) -> int | None:
        """Return the row of a task, or of the fan-out that it is in; with no task, of the run's error."""
        if self._where is None:
            self._where = {}
            for index, line in enumerate(self.lines):
                for one in line.of.tasks if isinstance(line.of, Fan) and not line.opened else ():
                    self._where[one.run, one.id] = index
                if isinstance(line.of, Task):
                    self._where[line.of.run, line.of.id] = index
                elif isinstance(line.of, Run):
                    self._where[line.of.id, ""] = index
        return self._where.get((run, task))

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """A bar changes while its task runs, and when the axis does."""
        line = self.lines[index]
        of = line.of
        if isinstance(of, Fan):
            together = of.together(self._changes)
            moving = tick(self._now) if together.left else 0
            return (
                *of.key,
                "fan",
                tuple(together.states.items()),
                len(of.tasks),
                line.opened,
                line.lead,
                self._stamp,
                moving,
            )
        if isinstance(of, Run):
            return (of.id, "", self._stamp)
        moving = tick(self._now) if of.open else 0
        return (of.run, of.id, of.status, of.attempts, len(of.spans), of.ended, line.lead, self._stamp, moving)

    def index_of(self, key: Hashable) -> int | None:
        """Find the task or the fan-out again."""
        if not isinstance(key, tuple):
            return None
        if key[2:3] == ("fan",):
            fans = (
                index for index, line in enumerate(self.lines) if isinstance(line.of, Fan) and line.of.key == key[:2]
            )
            return next(fans, None)
        return self.place(key[0], key[1])

    # --- pictures

    def row(self, index: int, width: int) -> Row:
        """Draw one bar."""
        line = self.lines[index]
        of = line.of
        cells = Cells(self.clock, self.axis, self._now, self._spare)
        if isinstance(of, Fan):
            head, pale = self._fan_head(line, of, width), False
            of.together(self._changes).paint(cells)
        elif isinstance(of, Run):
            head, pale = [(f"{FAIL} ", "error"), (THE_RUN.ljust(self.label(width) - 2), "bold")], False
            paint_error(cells, self._now if of.ended is None else of.ended, error_text(of.error or {}))
        else:
            critical = self.critical is None or of in self.critical.chain
            head, pale = self._head(line, of, width, bright=self.critical is not None and critical), not critical
            paint_task(cells, of)
        return [*head, *cells.row(self.uprights(), pale=pale)]

    def uprights(self) -> list[tuple[int, str]]:
        """Return the columns of the mark and of the cursor, with their styles, as far as they are in the window."""
        told = [
            (self.axis.place(at), style) for at, style in ((self.mark, "marked"), (self.hair, "hair")) if at is not None
        ]
        return [(column, style) for column, style in told if 0 <= column < self.axis.columns]

    def _head(self, line: Line, task: Task, width: int, *, bright: bool) -> Row:
        room = self.label(width)
        sign, style = glyph(task.status, self._now)
        lead = line.lead[: room // 2]
        name = crop(clean(task.node), room - 3 - cell_len(lead), plain("…"))
        names = node_style(task.path) if self.critical is None else "bold title" if bright else "faint"
        gap = " " * (room - 2 - cell_len(lead) - cell_len(name))
        return [(f"{sign} ", style), (lead, "faint"), (name, f"bold {names}" if task.open else names), (gap, "")]

    def _fan_head(self, line: Line, fan: Fan, width: int) -> Row:
        room = self.label(width)
        states = fan.together(self._changes).states
        order = ("running", "waiting", "failed", "interrupted", "cancelled")
        sign, style = glyph(next((state for state in order if states[state]), "done"), self._now)
        fold = ("v " if ASCII else "▾ ") if line.opened else ("> " if ASCII else "▸ ")
        task, many = fan.tasks[0], f" ×{amount(len(fan.tasks))}"
        lead = line.lead[: room // 2] + fold
        name = crop(clean(task.node), room - 3 - cell_len(lead) - len(many), plain("…"))
        gap = " " * max(room - 2 - cell_len(lead) - cell_len(name) - len(many), 0)
        return [(f"{sign} ", style), (lead, "faint"), (name, node_style(task.path)), (many, "dim"), (gap, "")]


class _Settled:
    """The rows of the steps of a run that are over: nothing is added to them, and they are not made again."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.roots = 0
        """How many of the run's outer tasks they are of."""
        self._tasks = 0
        self._step = -1

    def holds(self, roots: list[Task], many: int) -> bool:
        """Whether nothing was added to them: what is new of the run's `many` tasks is of later steps."""
        rest = roots[self.roots :]
        return all(task.step > self._step for task in rest) and self._tasks + _many(rest) == many

    def grow(self, roots: list[Task], opened: set[tuple[str, str]]) -> None:
        """Take in the steps that are over by now."""
        end, step = self.roots, self._step
        for number, task in enumerate(roots[self.roots :], self.roots):
            if task.step > step:
                end, step = number, task.step
            if task.open:
                break
        fresh = roots[self.roots : end]
        if fresh and min(task.step for task in roots[end:]) > (latest := max(task.step for task in fresh)):
            self.lines += _tree(fresh, Filter(), opened)
            self.roots, self._tasks, self._step = end, self._tasks + _many(fresh), latest


def _many(tasks: list[Task]) -> int:
    """Return how many these are with all that ran inside of them."""
    return sum(1 + (_many(task.children) if task.children else 0) for task in tasks)


def _tree(tasks: list[Task], keep: Filter, opened: set[tuple[str, str]], indent: str = "") -> Iterator[Line]:
    """Yield the rows of the tasks of one graph, and of what ran inside of them."""
    folded = _folded([task for task in tasks if kept(task, keep)] if keep else tasks)
    deep = len(indent) >= 2 * DEEP
    for index, of in enumerate(folded):
        last = index == len(folded) - 1
        nested = bool(indent)
        lead = indent[2:] + ("└ " if last else "├ ") if nested else ""
        below = (indent if deep else indent + ("  " if last else "│ ")) if nested else "  "
        if isinstance(of, Fan):
            is_open = of.key in opened
            yield Line(of, lead, is_open)
            if is_open:
                yield from _opened(of, below, keep, opened)
        else:
            yield Line(of, lead)
            if of.children:
                yield from _tree(of.children, keep, opened, below)


def _opened(fan: Fan, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterator[Line]:
    """Yield the rows of a fan-out that was opened."""
    for index, task in enumerate(fan.tasks):
        last = index == len(fan.tasks) - 1
        yield Line(task, indent[2:] + ("└ " if last else "├ "))
        if task.children:
            yield from _tree(task.children, keep, opened, indent + ("  " if last else "│ "))


def _folded(tasks: list[Task]) -> list[Task | Fan]:
    return [Fan(one) if len(one) > 1 else one[0] for one in gathered(tasks)]

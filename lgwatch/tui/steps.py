"""The list of the node panel: every task by superstep, parallel lanes, subgraphs nested, with state, attempts, elapsed time.

What set a task off and where it led is told by `Transitions`, from all tasks: a filter hides rows and changes no cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.transitions import PUSH, Transitions, chosen_in_words

from .rows import Row, Rows
from .signs import amount, cells, fit, glyph, node_style, seconds, tick
from .text import ASCII, cell_len, clean, crop, plain

MANY = 50
"""Tasks of one node in one step that have a row each; more of them are one row, until it is opened."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A fan-out: the tasks of one node in one step, folded into a row."""

    tasks: tuple[Task, ...]
    states: Counter[str]

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by while more tasks come."""
        return (self.tasks[0].run, self.tasks[0].id)

    @property
    def status(self) -> str:
        """The state that matters most."""
        order = ("running", "waiting", "failed", "interrupted", "cancelled")
        return next((status for status in order if self.states[status]), "done")

    def elapsed(self, now: float) -> float:
        """Seconds from the first start to the last end, or to `now`."""
        began = min((task.began for task in self.tasks if task.began is not None), default=None)
        if began is None:
            return 0.0
        ended = now if self.status in ("running", "waiting") else max(task.ended or 0.0 for task in self.tasks)
        return max(ended - began, 0.0)


@dataclass(slots=True)
class Line:
    """One row: a task or a fan-out with the lines of the tree in front of it, or a run's heading."""

    of: Task | Lanes | Run
    step: str = ""
    lane: str = ""
    tells: bool = False
    """Whether the row says what set the task off."""
    cause: str = ""
    """What set it off where no task did."""
    opened: bool = False


class NodeRows(Rows):
    """The tasks of all runs, flattened: root tasks by superstep, what ran inside a task below it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.transitions = Transitions()
        self._session: Session | None = None
        self._state: object = None
        self._opened: set[tuple[str, str]] = set()
        self._ways: dict[tuple[str, str], tuple[str, str]] = {}
        self._tick = 0
        self._now = 0.0

    def update(self, session: Session, keep: Filter, now: float) -> bool:
        """Take in what changed; return whether anything did."""
        self._now = now
        self._tick = tick(now)
        state = (session, session.task_changes, session.message_changes if keep else 0, keep, len(self._opened))
        if state == self._state:
            return False
        self._state = state
        self._session = session
        self.transitions.update(session)
        self._ways.clear()
        self.lines = list(_lines(session, keep, self._opened))
        return True

    def fold(self, index: int) -> bool:
        """Open or close the fan-out of a row; return whether there is one. The next `update` has the rows."""
        of = self.lines[index].of if 0 <= index < len(self.lines) else None
        if not isinstance(of, Lanes):
            return False
        self._opened ^= {of.key}
        return True

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """A running task's row changes ten times a second, any other when the task does."""
        line = self.lines[index]
        of = line.of
        moving = self._tick if of.status == "running" else 0
        if isinstance(of, Run):
            return (of.id, outcome(of, self._session), moving)
        if isinstance(of, Lanes):
            return (*of.key, "lanes", tuple(of.states.items()), line.lane, line.opened, moving, self._way(line))
        error = str((of.error or {}).get("type", ""))
        return (of.run, of.id, of.status, of.attempts, of.wrote, of.ended, error, line.lane, moving, self._way(line))

    def index_of(self, key: Hashable) -> int | None:
        """Find the task or run again, whatever its state is by now."""
        if not isinstance(key, tuple):
            return None
        folded = key[2:3] == ("lanes",)
        for index, line in enumerate(self.lines):
            of = line.of
            if isinstance(of, Run):
                found = of.id == key[0] and len(key) == 3
            elif isinstance(of, Lanes):
                found = of.key == key[:2] and (folded or not line.opened)
            else:
                found = not folded and (of.run, of.id) == key[:2]
            if found:
                return index
        return None

    # --- pictures

    def row(self, index: int, width: int) -> Row:
        """Return the row's spans."""
        line = self.lines[index]
        if isinstance(line.of, Run):
            return self._run(line.of, width)
        return self._lanes(line, line.of, width) if isinstance(line.of, Lanes) else self._task(line, line.of, width)

    def _run(self, run: Run, width: int) -> Row:
        status = outcome(run, self._session)
        sign, style = glyph("done" if status == "answered" else status, self._now)
        left: Row = [(f"{sign} ", style), (run.id, "title"), (f" {status}", "dim")]
        if run.resume is not None and width >= 34:
            left.append((" · resumed", "faint"))
        return fit(left, [(seconds(run.elapsed(self._now)), "time")], width)

    def _task(self, line: Line, task: Task, width: int) -> Row:
        sign, style = glyph(task.status, self._now)
        name = "bold " + node_style(task.path) if task.open else node_style(task.path)
        left: Row = [(f"{line.step:>2} ", "faint"), (line.lane, "faint"), (f"{sign} ", style), (task.node, name)]
        if task.attempts > 1:
            left.append((f" ×{task.attempts}", "warn"))
        note, note_style = _note(task)
        right: Row = []
        rate = self._rate(task)
        if rate and width >= 34:
            right.append((f"{rate:.0f}/s ", "accent"))
        if task.began is not None or task.ended is not None:
            right.append((f"{seconds(task.elapsed(self._now)):>5}", "time"))
        if task.status == "failed" and note:  # why it failed is worth more than how long it took, and than half a name
            room = width - cells(left) - cells(right) - 2
            if room < 12 or room < cell_len(clean(note)) <= room + cells(right):
                right, room = [], width - cells(left) - 1
            note = crop(clean(note), max(room, 4), plain("…"))
        cause, choice = self._way(line)
        return fit(_filled(left, right, width, ((f" {note}" if note else "", note_style), (cause, "faint"),
                                                (choice, "faint"))), right, width)  # fmt: skip

    def _lanes(self, line: Line, lanes: Lanes, width: int) -> Row:
        sign, style = glyph(lanes.status, self._now)
        task = lanes.tasks[0]
        fold = ("v" if ASCII else "▾") if line.opened else (">" if ASCII else "▸")
        left: Row = [
            (f"{line.step:>2} ", "faint"), (line.lane, "faint"), (f"{sign} ", style), (f"{fold} ", "dim"),
            (task.node, node_style(task.path)), (f" ×{amount(len(lanes.tasks))}", "bold"),
        ]  # fmt: skip
        right: Row = [(f"{seconds(lanes.elapsed(self._now)):>5}", "time")]
        states = [
            (f"  {amount(number)} {status}", "dim" if status == "done" else glyph(status)[1])
            for status in ("running", "failed", "interrupted", "waiting", "cancelled", "cached", "done")
            if (number := lanes.states[status])
        ]
        cause, _ = self._way(line)
        return fit(_filled(left, right, width, (*states, (cause, "faint"))), right, width)

    def _rate(self, task: Task) -> float:
        if not task.open or self._session is None:
            return 0.0
        return sum(message.rate() for message in self._session.messages_of(task.id) if not message.finished)

    # --- ways

    def _way(self, line: Line) -> tuple[str, str]:
        """What set the task of a row off, and which branch it chose, in words."""
        of = line.of
        if isinstance(of, Run):
            return "", ""
        task = of.tasks[0] if isinstance(of, Lanes) else of
        found = self._ways.get((task.run, task.id))
        if found is None:
            cause = line.cause or _trigger(task, self.transitions)
            chosen, other = self.transitions.choices(task)
            choice = chosen_in_words(chosen, other) if chosen else ""
            found = self._ways[task.run, task.id] = (f"  ← {cause}" if cause else "", f"  → {choice}" if choice else "")
        return found if line.tells or self.transitions.caller(task) else ("", found[1])


def _filled(left: Row, right: Row, width: int, pieces: Iterable[tuple[str, str]]) -> Row:
    """Return `left` with those of the pieces that there is room for: half a word tells nothing."""
    room = width - cells(left) - cells(right) - bool(right)
    row = list(left)
    for text, style in pieces:
        if text and cells([(text, "")]) <= room:
            row.append((text, style))
            room -= cells([(text, "")])
    return row


def outcome(run: Run, session: Session | None) -> str:
    """Return a run's status; an interrupted one that a later run went on from was `answered`."""
    if run.status != "interrupted" or session is None:
        return run.status
    later = session.runs[session.runs.index(run) + 1 :]
    following = next((other for other in later if other.thread == run.thread), None)
    return "answered" if following is not None and following.resume is not None else run.status


def _note(task: Task) -> tuple[str, str]:
    """What a glance at the state does not tell."""
    if task.status == "failed" and task.error:
        return _short_error(task.error), "error"
    if task.status == "cached":
        return "cached", "info"
    if task.closed_by == "parent":
        return ("with its parent", "dim") if task.status == "done" else ("cancelled", "dim")
    if task.closed_by == "run" and task.status == "cancelled":
        return "never ended", "dim"
    if task.open and any(span.kind == "node" and span.status == "error" for span in task.spans):
        return "retrying", "warn"
    if task.status == "done" and not task.wrote and not task.children:
        return "wrote nothing", "faint"
    return "", ""


def _short_error(error: dict[str, object]) -> str:
    return str(error.get("type", "")).rpartition(".")[2]


def _lines(session: Session, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    several = len(session.runs) > 1
    for run in session.runs:
        if several:
            yield Line(run)
        roots = [task for task in run.tasks.values() if task.parent is None]
        answered = roots[0].step if roots and run.resume is not None else None
        yield from _level([task for task in roots if _kept(task, keep)], answered, keep, opened)


def _kept(task: Task, keep: Filter) -> bool:
    return not keep or keep(task) or any(_kept(child, keep) for child in task.children)


def _level(tasks: list[Task], answered: int | None, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """The tasks of the root graph, step by step; those of one step are lanes, joined by a bracket."""
    steps: dict[int, list[Task]] = {}
    for task in tasks:
        steps.setdefault(task.step, []).append(task)
    for step, lanes in steps.items():
        folded = _folded(lanes)
        for index, of in enumerate(folded):
            last, alone, first = index == len(folded) - 1, len(folded) == 1, index == 0
            lane = "" if alone else "╭ " if first else "╰ " if last else "├ "
            cause = "the answer" if step == answered else ""
            line = Line(of, str(step) if first else "", lane, first, cause)
            yield from _with_inside(line, "" if alone else "  " if last else "│ ", keep, opened)


def _inside(task: Task, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """What ran inside a task, in order, on the branches of a tree."""
    children = task.children if not keep else [child for child in task.children if _kept(child, keep)]
    folded = _folded(children)
    for index, of in enumerate(folded):
        last = index == len(folded) - 1
        line = Line(of, "", indent + ("╰ " if last else "├ "), True)
        yield from _with_inside(line, indent + ("  " if last else "│ "), keep, opened)


def _with_inside(line: Line, indent: str, keep: Filter, opened: set[tuple[str, str]]) -> Iterable[Line]:
    """A row, and what is below it."""
    of = line.of
    if isinstance(of, Task):
        yield line
        yield from _inside(of, indent, keep, opened)
    elif isinstance(of, Lanes):
        is_open = of.key in opened
        yield Line(of, line.step, line.lane, line.tells, line.cause, is_open)
        for index, task in enumerate(of.tasks if is_open else ()):
            last = index == len(of.tasks) - 1
            yield Line(task, "", indent + ("╰ " if last else "├ "))
            yield from _inside(task, indent + ("  " if last else "│ "), keep, opened)


def _folded(tasks: list[Task]) -> list[Task | Lanes]:
    """Tasks in order, where many of one node in one step are one."""
    if len(tasks) <= MANY:
        return list(tasks)
    same: dict[tuple[int, str], list[Task]] = {}
    for task in tasks:
        same.setdefault((task.step, task.node), []).append(task)
    found: list[Task | Lanes] = []
    for task in tasks:
        lanes = same[task.step, task.node]
        if len(lanes) <= MANY:
            found.append(task)
        elif lanes[0] is task:
            found.append(Lanes(tuple(lanes), Counter(one.status for one in lanes)))
    return found


def _trigger(task: Task, transitions: Transitions) -> str:
    """What set a task off, in words: the nodes that led to it, and how they reached it."""
    names = [name.rpartition(":")[2] for name in transitions.sources(task)]
    before = " + ".join(names) if len(names) < 4 else f"{len(names)} nodes"
    for trigger in task.triggers:
        if trigger == PUSH:
            caller = transitions.caller(task).rpartition(":")[2]
            return f"{caller} · call" if caller else f"{before or 'START'} · Send"
        if trigger.startswith(("branch:to:", "start:", "__start__", "join:")):
            return before or "START"
    return ", ".join(task.triggers)

"""The node panel: every task by superstep, parallel lanes, subgraphs nested, with state, attempts and elapsed time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Row, Rows
from lgwatch.tui.signs import cells, count, fit, glyph, node_style, seconds, tick


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a task with the lines of the tree in front of it, or a run's heading."""

    of: Task | Run
    step: str = ""
    lane: str = ""
    cause: str = ""


class NodeRows(Rows):
    """The tasks of all runs, flattened: root tasks by superstep, what ran inside a task below it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._session: Session | None = None
        self._state: object = None
        self._tick = 0
        self._now = 0.0

    def update(self, session: Session, keep: Filter, now: float) -> bool:
        """Take in what changed; return whether anything did."""
        self._now = now
        self._tick = tick(now)
        state = (session, session.task_changes, session.message_changes if keep else 0, keep)
        if state == self._state:
            return False
        self._state = state
        self._session = session
        self.lines = list(_lines(session, keep))
        return True

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """A running task's row changes ten times a second, any other when the task does."""
        line = self.lines[index]
        moving = self._tick if isinstance(line.of, Task) and line.of.status == "running" else 0
        if isinstance(line.of, Run):
            return (line.of.id, outcome(line.of, self._session), self._tick if line.of.status == "running" else 0)
        task = line.of
        return (task.run, task.id, task.status, task.attempts, task.wrote, task.ended, line.lane, line.cause, moving)

    def index_of(self, key: Hashable) -> int | None:
        """Find the task or run again, whatever its state is by now."""
        if not isinstance(key, tuple):
            return None
        for index, line in enumerate(self.lines):
            if (line.of.id == key[0]) if isinstance(line.of, Run) else ((line.of.run, line.of.id) == key[:2]):
                return index
        return None

    def row(self, index: int, width: int) -> Row:
        """Return the row's spans."""
        line = self.lines[index]
        return self._run(line.of, width) if isinstance(line.of, Run) else self._task(line, line.of, width)

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
        room = width - cells(left) - cells(right) - 1
        for text, style in (
            (f" {note}" if note else "", note_style),
            (f"  ← {line.cause}" if line.cause else "", "faint"),
        ):
            if text and cells([(text, "")]) <= room:  # half a word tells nothing
                left.append((text, style))
                room -= cells([(text, "")])
        return fit(left, right, width)

    def _rate(self, task: Task) -> float:
        if not task.open or self._session is None:
            return 0.0
        return sum(message.rate() for message in self._session.messages_of(task.id) if not message.finished)


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
        return str(task.error.get("type", "")), "error"
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


def _lines(session: Session, keep: Filter) -> Iterable[Line]:
    several = len(session.runs) > 1
    for run in session.runs:
        if several:
            yield Line(run)
        roots = [task for task in run.tasks.values() if task.parent is None and _kept(task, keep)]
        yield from _level(roots, "the answer" if run.resume is not None else "", keep)


def _kept(task: Task, keep: Filter) -> bool:
    return not keep or keep(task) or any(_kept(child, keep) for child in task.children)


def _level(tasks: list[Task], cause: str, keep: Filter) -> Iterable[Line]:
    """The tasks of the root graph, step by step; those of one step are lanes, joined by a bracket."""
    steps: dict[int, list[Task]] = {}
    for task in tasks:
        steps.setdefault(task.step, []).append(task)
    for step, lanes in steps.items():
        for index, task in enumerate(lanes):
            last = index == len(lanes) - 1
            lane = "" if len(lanes) == 1 else "╭ " if index == 0 else "╰ " if last else "├ "
            first = index == 0
            yield Line(task, str(step) if first else "", lane, _trigger(task.triggers, cause) if first else "")
            yield from _inside(task, "" if len(lanes) == 1 else "  " if last else "│ ", keep)
        cause = _cause(lanes)


def _inside(task: Task, indent: str, keep: Filter) -> Iterable[Line]:
    """What ran inside a task, in order, on the branches of a tree."""
    children = [child for child in task.children if _kept(child, keep)]
    before: list[Task] = []
    cause = ""
    for index, child in enumerate(children):
        last = index == len(children) - 1
        if before and child.step != before[-1].step:
            cause, before = _cause(before), []
        before.append(child)
        yield Line(child, "", indent + ("╰ " if last else "├ "), _trigger(child.triggers, cause))
        yield from _inside(child, indent + ("  " if last else "│ "), keep)


def _cause(before: list[Task]) -> str:
    names = list(dict.fromkeys(task.node for task in before))
    return " + ".join(names) if len(names) < 4 else f"{len(names)} nodes"


def _trigger(triggers: tuple[str, ...], cause: str) -> str:
    """What set a task off, in words: the nodes of the step before, and how they reached it."""
    for trigger in triggers:
        if trigger == "__pregel_push":
            return f"{cause or 'START'} · Send"
        if trigger.startswith(("branch:to:", "start:", "__start__", "join:")):
            return cause or "START"
    return ", ".join(triggers)


class NodesPane(Pane):
    """Where the run is and where it has been."""

    title_: ClassVar[str] = "Nodes"
    empty_: ClassVar[str] = "no task has begun"
    help_: ClassVar[str] = (
        "Every task by superstep (the number at the left); brackets join the tasks that run side by side, what ran "
        "inside a node is indented below it. ×2 counts attempts, ← says what set the step off. enter opens a task."
    )
    rows: NodeRows

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Redraw the tasks that changed."""
        changed = self.rows.update(session, keep, now)
        run = session.run
        if changed or (run is not None and run.status == "running"):
            self.view.show()
        if changed and run is not None:
            lanes = sum(task.status == "running" and not task.children for task in run.tasks.values())
            self.mark(
                f"{lanes} at once" if lanes > 1 else "", count(sum(len(one.tasks) for one in session.runs), "task")
            )

    def subject(self) -> Subject | None:
        """The task, or the run, under the cursor."""
        index = self.chosen
        if index is None:
            return None
        of = self.rows.lines[index].of
        if isinstance(of, Run):
            return Subject(f"run {of.id}", tuple(seq for seq in (of.seq, of.end_seq) if seq is not None))
        return task_subject(of)


def task_subject(task: Task) -> Subject:
    """Return the page of a task: its start, its result, and what was folded from its spans."""
    facts = {
        "status": task.status + (f" (closed by its {task.closed_by})" if task.closed_by else ""),
        "path": task.path,
        "step": task.step,
        "attempts": task.attempts,
        "waited": seconds((task.began or task.started) - task.started),
        "triggers": list(task.triggers),
        "tags": list(task.tags),
        "models": list(task.models),
        "spans": [
            {
                "kind": span.kind,
                "name": span.name,
                "at": round(span.started, 3),
                "took": seconds(span.ended - span.started) if span.ended is not None else "running",
                "status": span.status,
                **({"error": span.error} if span.error else {}),
            }
            for span in task.spans
        ],
    }
    seqs = tuple(seq for seq in (task.seq, task.end_seq) if seq is not None)
    return Subject(f"{task.path} · step {task.step}", seqs, facts, task=task.id)

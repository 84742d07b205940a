"""The list of the node panel: every task by superstep, parallel lanes, subgraphs nested, with state, attempts, elapsed time.

What set a task off and where it led is told by `Transitions`, from all tasks: a filter hides rows and changes no cause.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from lgwatch.events import error_text
from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.transitions import PUSH, Transitions, chosen_in_words, node_id, short_name
from lgwatch.tui.drawing.picture import STOP
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, cells, fit, glyph, node_style, seconds, tick
from lgwatch.tui.lines.text import ASCII, cell_len, clean, crop, plain
from lgwatch.tui.nodes.graph import CALM
from lgwatch.tui.nodes.lanes import MANY, NO_TASK, Lanes, Line, Tree

__all__ = ["MANY", "Lanes", "NodeRows", "outcome"]

FOOT = 60
"""Cells of a row up to which the last transition and its reason stand below the list: beside a task there is no room."""
SILENT, BESIDE = QUIET = ("wrote nothing", "with its parent")
"""Notes that are worth less than where a task led."""


class Piece(NamedTuple):
    """A part of a row that is shown where there is room for all of it, or else for its `short` form; of a higher `rank`
    first, and `after` another one only."""

    text: str
    style: str
    rank: int = 0
    after: str = ""
    short: str = ""


class NodeRows(Rows):
    """The tasks of all runs, flattened: root tasks by superstep, what ran inside a task below it."""

    def __init__(self) -> None:
        self._tree = Tree()
        self.lines = self._tree.lines
        self.transitions = Transitions()
        self._session: Session | None = None
        self._state: object = None
        self._opened: set[tuple[str, str]] = set()
        self.marks: frozenset[str] = frozenset()
        """Ids of the nodes with a breakpoint."""
        self.foot: list[Row] = []
        """The last transition and why, where there is no room for it beside the tasks."""
        self._ways: dict[tuple[str, str], tuple[Piece, ...]] = {}
        self._width = FOOT
        self._tick = 0
        self._now = 0.0

    def update(self, session: Session, keep: Filter, now: float) -> bool:
        """Take in what changed; return whether anything did."""
        self._now = now
        self._tick = tick(now)
        self.transitions.update(session)
        calm = now - self.transitions.last_at >= CALM or session.status != "running"
        state = (
            session, session.task_changes, session.message_changes if keep else 0, keep, len(self._opened),
            self.marks, self._width, self._width < FOOT and calm,
        )  # fmt: skip
        if state == self._state:
            return False
        self._session = session
        if not self._tree.update(session, keep, self._opened):
            return False  # not forgotten: the next picture is soon
        self._state = state
        self._ways.clear()
        self.foot = list(_foot(self.transitions, self._width, calm=calm)) if self._width < FOOT and not keep else []
        return True

    def resize(self, width: int, near: Hashable = None) -> bool:
        """The next `update` knows what there is room for."""
        self._width = width
        return False

    def of(self, index: int) -> Task | Lanes | Run | None:
        """Return what a row is about; below the list, its last row."""
        return self.lines[min(index, len(self.lines) - 1)].of if self.lines else None

    def error_of(self, run: Run) -> int | None:
        """Return the row of the run's error, None where it has none or a task has it."""
        found = (index for index, line in enumerate(self.lines) if line.of is run and line.cause == NO_TASK)
        return next(found, None)

    def fold(self, index: int) -> bool:
        """Open or close the fan-out of a row; return whether there is one. The next `update` has the rows."""
        of = self.lines[index].of if 0 <= index < len(self.lines) else None
        if not isinstance(of, Lanes):
            return False
        self._opened ^= {of.key}
        return True

    def __len__(self) -> int:
        return len(self.lines) + len(self.foot)

    def key(self, index: int) -> Hashable:
        """A running task's row changes ten times a second, any other when the task does."""
        if index >= len(self.lines):
            return ("foot", index - len(self.lines), *self.foot[index - len(self.lines)])
        line = self.lines[index]
        of = line.of
        moving = self._tick if of.status == "running" else 0
        if isinstance(of, Run):
            return (of.id, outcome(of, self._session), moving, line.cause)
        if isinstance(of, Lanes):
            return (*of.key, "lanes", tuple(of.states.items()), line.lane, line.opened, moving, self._ways_of(line))
        error = str((of.error or {}).get("type", ""))
        stop = node_id(of) in self.marks
        return (
            of.run, of.id, of.status, of.attempts, of.wrote, of.ended, error, line.lane, moving, stop, self._ways_of(line)
        )  # fmt: skip

    def index_of(self, key: Hashable) -> int | None:
        """Find the task or run again, whatever its state is by now."""
        if not isinstance(key, tuple):
            return None
        if key[0] == "foot":
            return min(len(self.lines) + int(key[1]), len(self) - 1)
        folded = key[2:3] == ("lanes",)
        for index, line in enumerate(self.lines):
            of = line.of
            if isinstance(of, Run):
                found = of.id == key[0] and len(key) == 4 and key[3] == line.cause
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
        if index >= len(self.lines):
            return self.foot[index - len(self.lines)]
        line = self.lines[index]
        if isinstance(line.of, Run):
            return self._run(line.of, width) if line.cause != NO_TASK else self._error(line.of, width)
        return self._lanes(line, line.of, width) if isinstance(line.of, Lanes) else self._task(line, line.of, width)

    def _run(self, run: Run, width: int) -> Row:
        status = outcome(run, self._session)
        sign, style = glyph("done" if status == "answered" else status, self._now)
        left: Row = [(f"{sign} ", style), (run.id, "title"), (f" {status}", "dim")]
        if run.resume is not None and width >= 34:
            left.append((" · resumed", "faint"))
        return fit(left, [(seconds(run.elapsed(self._now)), "time")], width)

    @staticmethod
    def _error(run: Run, width: int) -> Row:
        """Why a run failed whose tasks did not."""
        sign, style = glyph("failed")
        return fit(
            [("   ", ""), (f"{sign} ", style), ("the run  ", "bold"), (error_text(run.error or {}), style)], [], width
        )

    def _task(self, line: Line, task: Task, width: int) -> Row:
        sign, style = glyph(task.status, self._now)
        name = "bold " + node_style(task.path) if task.open else node_style(task.path)
        left: Row = [*self._gutter(line, task), (line.lane, "faint"), (f"{sign} ", style), (task.node, name)]
        if task.tries > 1:
            left.append((f" ×{task.tries}", "warn"))
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
        told = Piece(f" {note}" if note else "", note_style, 4 if note in QUIET else 9)
        return fit(_filled(left, right, width, (told, *self._ways_of(line))), right, width)

    def _gutter(self, line: Line, task: Task) -> Row:
        """The step, and the sign of a breakpoint."""
        return [(f"{line.step:>2}", "faint"), (STOP, "error") if node_id(task) in self.marks else (" ", "")]

    def _lanes(self, line: Line, lanes: Lanes, width: int) -> Row:
        sign, style = glyph(lanes.status, self._now)
        task = lanes.tasks[0]
        fold = ("v" if ASCII else "▾") if line.opened else (">" if ASCII else "▸")
        left: Row = [
            *self._gutter(line, task), (line.lane, "faint"), (f"{sign} ", style), (f"{fold} ", "dim"),
            (task.node, node_style(task.path)), (f" ×{amount(len(lanes.tasks))}", "bold"),
        ]  # fmt: skip
        right: Row = [(f"{seconds(lanes.elapsed(self._now)):>5}", "time")]
        states = [
            Piece(f"  {amount(number)} {status}", "dim" if status == "done" else glyph(status)[1], 9)
            for status in ("running", "failed", "interrupted", "waiting", "cancelled", "cached", "done")
            if (number := lanes.states[status])
        ]
        cause = [piece for piece in self._ways_of(line) if piece.text.startswith(CAUSE)]
        return fit(_filled(left, right, width, (*states, *cause)), right, width)

    def _rate(self, task: Task) -> float:
        if not task.open or self._session is None:
            return 0.0
        return sum(message.rate(self._now) for message in self._session.messages_of(task.id) if not message.finished)

    # --- ways

    def _ways_of(self, line: Line) -> tuple[Piece, ...]:
        """What set the task of a row off, whether it had its input before, which branch it chose and which not, and why."""
        of = line.of
        if isinstance(of, Run):
            return ()
        task = of.tasks[0] if isinstance(of, Lanes) else of
        found = self._ways.get((task.run, task.id))
        if found is None:
            found = self._ways[task.run, task.id] = tuple(self._told(line, task))
        tells = line.tells or self.transitions.caller(task)
        return found if tells else tuple(piece for piece in found if not piece.text.startswith(CAUSE))

    def _told(self, line: Line, task: Task) -> Iterable[Piece]:
        ways = self.transitions
        if calls := dict.fromkeys(span.agent or span.name for span in task.spans if span.kind == "tool"):
            names = clean(", ".join(calls))
            yield Piece(f" {CALL} {names}", "tool", 8, "", f" {CALL} {crop(names, 14, '…')}")
        if to := dict.fromkeys(node for span in task.spans for node in span.goto):
            yield Piece(f"  → {chosen_in_words(list(to))}", "dim", 9)
        if task.same_input > 1:
            sign = glyph("notice")[0]
            times = f"×{task.same_input}"
            yield Piece(f" {sign} same input {times}", "warn", 8, "", f" {sign}{times}")
        if cause := line.cause or _trigger(task, ways):
            yield Piece(f"{CAUSE}{cause}", "faint", 5)
        chosen, other = ways.choices(task)
        if chosen and task.status != "interrupted":  # what came of it, came of the visit that was answered
            choice = f"  → {chosen_in_words(chosen)}"
            yield Piece(choice, "dim", 7)
            if other:
                many = f"  (not: {len(other)} others)" if len(other) > 2 else ""
                yield Piece(f"  (not: {chosen_in_words(other)})", "faint", 6, choice, many)
            if reason := ways.reason(task):
                yield Piece(f"  why: {reason}", "faint", 4, choice)


CAUSE = "  ← "
CALL = "*" if ASCII else "⚙"


def _foot(ways: Transitions, width: int, *, calm: bool) -> Iterable[Row]:
    """The last transition; the last choice, who made it, and what else there was."""
    if not ways.last:
        return
    sources, targets = (list(dict.fromkeys(short_name(edge[end]) for edge in ways.last)) for end in (0, 1))
    led, to = " + ".join(sources), ", ".join(targets)
    words = (f"{led} → {to}", f"{_many(sources)} → {to}", f"{_many(sources)} → {_many(targets)}", f"→ {_many(targets)}")
    room, style = width - 3, "faint" if calm else "bold accent"
    yield [(" ─ " if not ASCII else " - ", "faint"), (_fitting(words, room), style)]
    if ways.decided is not None or ways.branching:  # a row that comes and goes would move the list
        yield [("   ", ""), (_fitting(_choice(ways), room), "faint")]


def _choice(ways: Transitions) -> tuple[str, ...]:
    """The last choice in words, the longest first."""
    task = ways.decided
    chosen, other = ways.choices(task) if task is not None else ((), ())
    if task is None or not chosen:
        return ("",)
    to, left, reason = _many(list(map(short_name, chosen))), chosen_in_words(other), ways.reason(task)
    # The line above tells of another task as often as not: whose choice it was must be said here.
    chose = f"{task.node} chose {to}"
    if not reason:
        return f"{chose}, not {left}", chose, f"chose {to}"
    told = (f"{chose}: {reason}", f"{task.node} → {to}: {reason}", chose, f"chose {to}")
    return (f"{chose}, not {left}: {reason}", *told) if left else told


def _fitting(words: Sequence[str], room: int) -> str:
    """Return the first of some texts that there is room for; the last one is cut."""
    texts = [clean(text) for text in words]
    return next((text for text in texts if cell_len(text) <= room), crop(texts[-1], room, "…"))


def _many(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} nodes"


def _filled(left: Row, right: Row, width: int, pieces: Sequence[Piece]) -> Row:
    """Return `left` with those of the pieces that there is room for: half a word tells nothing."""
    room = width - cells(left) - cells(right) - bool(right)
    shown: dict[Piece, str] = {}
    for piece in sorted(pieces, key=lambda piece: -piece.rank):
        needed = ((text, cells([(text, "")])) for text in (piece.text, piece.short) if text)
        text, size = next(((text, size) for text, size in needed if size <= room), ("", 0))
        if text and (not piece.after or piece.after in shown.values()):
            shown[piece] = text
            room -= size
    return [*left, *((shown[piece], piece.style) for piece in pieces if piece in shown)]


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
        return (BESIDE, "dim") if task.status == "done" else ("cancelled", "dim")
    if task.closed_by == "run" and task.status == "cancelled":
        return "never ended", "dim"
    if task.open and any(span.kind == "node" and span.status == "error" for span in task.spans):
        return "retrying", "warn"
    if task.status == "done" and not task.wrote and not task.children:
        return SILENT, "faint"
    return "", ""


def _short_error(error: dict[str, object]) -> str:
    return str(error.get("type", "")).rpartition(".")[2]


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

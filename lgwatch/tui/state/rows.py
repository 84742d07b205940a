"""What the state pane has rows for besides the values: the steps, what changed between two of them, the history of a key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from lgwatch.clock import Clock
from lgwatch.difference import Change
from lgwatch.events import Json, Namespace
from lgwatch.refs import follow, preview
from lgwatch.session import Session
from lgwatch.states import History, State, States, Writer
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, count, fit, glyph, node_style, seconds
from lgwatch.tui.lines.text import ASCII, clean, crop
from lgwatch.tui.tree.parts import label, path_text, style

SIGNS = {"added": ("+", "added"), "changed": ("~", "changed"), "removed": ("-", "removed")}
"""Sign and style of a change."""
WROTE = "<-" if ASCII else "←"
LED = "->" if ASCII else "→"
MOST = 2000
"""Changes that have rows; more of them are counted."""
READ = 100
"""States of a history that one picture reads."""
LINES = 400
"""Lines of a text up to which it is compared by line."""


def step_name(state: State) -> str:
    """Return the step of a state as it is called on the screen."""
    return f"s{state.step}"


def sign(state: State) -> tuple[str, str]:
    """Return the sign of a state: a checkpoint, a fork, or one that was rebuilt."""
    return (
        ("o" if ASCII else "○", "dim") if state.rebuilt else glyph("fork" if state.source == "fork" else "checkpoint")
    )


def nodes_of(state: State) -> str:
    """Return who led to a state, fan-outs counted."""
    if not state.tasks:
        started = state.source == "input" and not state.rebuilt
        return {"update": "update_state", "fork": "fork"}.get(state.source, "before the input" if started else "input")
    return Writer(tuple(task.node for task in state.tasks), "").words()


def ends_of(session: Session, run_id: str, ns: Namespace) -> list[tuple[str, str]]:
    """Return where and why a graph's run failed, as far as no state came of it: tasks, or none but the run itself."""
    run = next((run for run in session.runs if run.id == run_id), None)
    if run is None:
        return []
    failed = [task for task in run.tasks.values() if task.status == "failed" and task.ns == ns]
    ends = [(f"s{task.step}  {task.node}", str((task.error or {}).get("type", ""))) for task in failed[-3:]]
    if run.error and not ns and not failed:
        ends.append(("the run", str(run.error.get("type", ""))))
    return ends


def tally(kinds: Collection[str]) -> Row:
    """Return how many keys were added, changed and removed."""
    spans: Row = []
    for kind, (mark, names) in SIGNS.items():
        if number := sum(one == kind for one in kinds):
            spans += [(f"{mark}{number} ", names)]
    return spans


class StepRows(Rows):
    """A row for each state of a graph."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.states: list[State] = []
        self.base: State | None = None
        """The state that others are compared with."""
        self.flagged: Callable[[State], bool] = lambda state: False
        self.ends: list[tuple[str, str]] = []
        self._version = 0
        self._tallies: dict[int, Row] = {}

    def set(self, states: list[State], ends: list[tuple[str, str]]) -> None:
        """Show these states, and after them what no state came of: where and why it `ends`."""
        self.states, self.ends = states, ends
        self._version += 1
        self._tallies = {seq: row for seq, row in self._tallies.items() if not states or seq != states[-1].seq}

    def changes(self, index: int) -> Row:
        """Return how much a step changed."""
        state = self.states[index]
        if state.seq not in self._tallies:
            before = self.states[index - 1] if index else None
            self._tallies[state.seq] = tally(self._states.touched(before, state).values())
        return self._tallies[state.seq]

    def __len__(self) -> int:
        return len(self.states) + len(self.ends)

    def key(self, index: int) -> Hashable:
        """The last state may be told of more; the others change when something is said of them."""
        if index >= len(self.states):
            return self.ends[index - len(self.states)]
        state = self.states[index]
        newest = self._version if index == len(self.states) - 1 else 0
        return (id(state), newest, state is self.base, self.flagged(state))

    def index_of(self, key: Hashable) -> int | None:
        """Find a state again."""
        name = key[0] if isinstance(key, tuple) else None
        return next((index for index, state in enumerate(self.states) if id(state) == name), None)

    def row(self, index: int, width: int) -> Row:
        """Draw a state."""
        if index >= len(self.states):
            where, why = self.ends[index - len(self.states)]
            mark, names = glyph("failed")
            return fit([(f"{mark} ", names), (where, f"bold {names}"), (f"  {why}", names)], [], width)
        state = self.states[index]
        mark, names = sign(state)
        nodes = nodes_of(state)
        left: Row = [(f"{mark} ", names), (f"{step_name(state):<4}", "title"), (nodes, self._style(state))]
        right = list(self.changes(index))
        if self.flagged(state):
            right.insert(0, (f"{glyph('notice')[0]} ", "warn"))
        if state is self.base:
            right.append(("d ", "chip"))
        return fit(left, right, width)

    @staticmethod
    def _style(state: State) -> str:
        nodes = {task.path for task in state.tasks}
        return node_style(nodes.pop()) if len(nodes) == 1 else "" if nodes else "dim"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A row of a comparison: a sign, how deep it is, what it says; `change` is what `enter` opens."""

    sign: tuple[str, str]
    depth: int
    name: str
    spans: tuple[tuple[str, str], ...]
    note: str = ""
    change: Change | None = None


class DiffRows(Rows):
    """What changed between two states, by key: messages by their ids, texts by line, what stayed the same in one row."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.lines: list[DiffLine] = []
        self._version = 0

    def set(self, before: State | None, after: State, writers: dict[str, Writer]) -> None:
        """Compare two states."""
        self._version += 1
        self.lines = list(self._compare(before, after, writers))

    def _compare(self, before: State | None, after: State, writers: dict[str, Writer]) -> Iterator[DiffLine]:
        old = self._states.values(before) if before is not None else {}
        new = self._states.values(after)
        by_key: dict[str, list[Change]] = {}
        for change in self._states.changes(before, after):
            by_key.setdefault(str(change.path[0]), []).append(change)
        for key in [*new, *(key for key in old if key not in new)]:
            note = f"{WROTE} {writers[key].words()}" if key in writers else ""
            if key not in by_key:
                continue
            yield from self._of_key(key, by_key[key], (old.get(key), new.get(key)), note)
        for key in new:
            if key not in by_key:
                note = f"{WROTE} {writers[key].words()}, the same" if key in writers else ""
                yield DiffLine((" ", ""), 0, key, ((f"{self._short(new[key])}  unchanged", "faint"),), note)

    def _of_key(self, key: str, changes: list[Change], values: tuple[Json, Json], note: str) -> Iterator[DiffLine]:
        first = changes[0]
        if len(first.path) == 1:
            yield from self._leaf(first, key, 0, note)
            return
        old, new = (follow(value, self._states.lookup) for value in values)
        sizes = [label(one) for one in (old, new)]
        said = f"{sizes[0]} {LED} {sizes[1].removeprefix('list ')}" if sizes[0] != sizes[1] else sizes[1]
        yield DiffLine(SIGNS["changed"], 0, key, ((said, "dim"),), note, Change((key,), "changed", *values))
        for change in changes[:MOST]:
            yield from self._leaf(change, path_text(("", *change.path[1:])), 1, "")
        if len(changes) > MOST:
            yield DiffLine((" ", ""), 1, f"… {amount(len(changes) - MOST)} more changes", ())

    def _leaf(self, change: Change, name: str, depth: int, note: str) -> Iterator[DiffLine]:
        lookup = self._states.lookup
        old, new = follow(change.before, lookup), follow(change.after, lookup)
        mark = SIGNS[change.kind]
        if change.kind == "added":
            yield DiffLine(mark, depth, name, ((preview(new, 300, lookup), style(new)),), note, change)
        elif change.kind == "removed":
            yield DiffLine(mark, depth, name, ((preview(old, 300, lookup), "dim"),), note, change)
        elif isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > 60:
            said = f"{amount(len(old))} {LED} {amount(len(new))} characters"
            yield DiffLine(mark, depth, name, ((said, "dim"),), note, change)
            yield from _by_line(old, new, depth + 1)
        else:
            spans = (
                (preview(old, 120, lookup), "removed"),
                (f" {LED} ", "faint"),
                (preview(new, 200, lookup), "added"),
            )
            yield DiffLine(mark, depth, name, spans, note, change)

    def _short(self, value: Json) -> str:
        told = follow(value, self._states.lookup)
        return (
            label(told) if isinstance(told, list) or (isinstance(told, str) and len(told) > 40) else preview(told, 40)
        )

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """The rows are made anew when others are compared."""
        return (index, self._version)

    def row(self, index: int, width: int) -> Row:
        """Draw a row."""
        line = self.lines[index]
        left: Row = [(f"{line.sign[0]} ", line.sign[1]), ("    " * line.depth, "")]
        if line.name:
            left += [(line.name, "title" if line.depth == 0 else "info"), ("  ", "")]
        else:
            return [*left, *line.spans]  # a line of a text can be shifted to its end
        return fit([*left, *line.spans], [(f"{line.note} ", "accent")] if line.note else [], width)


def _by_line(old: str, new: str, depth: int) -> Iterator[DiffLine]:
    """Yield the lines of a text that went and that came, with one line of what is around them."""
    before, after = old.splitlines()[:LINES], new.splitlines()[:LINES]
    for word, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if word == "equal":
            rest = f"… {count(b - a, 'line')}" if b - a > 1 else before[a]
            yield DiffLine((" ", ""), depth, "", ((rest, "faint"),))
            continue
        for line in before[a:b]:
            yield DiffLine(SIGNS["removed"], depth, "", ((line, "removed"),))
        for line in after[c:d]:
            yield DiffLine(SIGNS["added"], depth, "", ((line, "added"),))


class HistoryRows(Rows):
    """The steps in which one key came to another value."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.key_name = ""
        self._history = History(states, "")
        self._version = 0
        self.clock = Clock([])
        """What time is told by."""

    @property
    def lines(self) -> list[tuple[State, Json]]:
        """The states, each with the value."""
        return self._history.found

    @property
    def behind(self) -> bool:
        """Whether there are states that were not looked at yet."""
        return self._history.behind

    def set(self, key: str, ns: Namespace) -> None:
        """Show the history of a key of a graph's states; those that nobody looked at are read a few at a time."""
        self.key_name = key
        if (key, ns) != (self._history.key, self._history.ns):
            self._history = History(self._states, key, ns)
            self._version += 1
        self._history.update(READ)

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """The last one may be told of more; of another key there are others."""
        return (index, self._version, self._history.edition if index == len(self.lines) - 1 else 0)

    def row(self, index: int, width: int) -> Row:
        """Draw a step."""
        state, value = self.lines[index]
        found = self._states.writers(state, self._history.before[id(state)]).get(self.key_name)
        writer = found.words() if found is not None else ""
        mark, names = sign(state)
        told = follow(value, self._states.lookup)
        who = crop(clean(writer or "not written"), max(width // 4, 10), "…")
        left: Row = [
            (f"{mark} ", names), (f"{step_name(state):<4}", "title"), (f"{seconds(self.clock.told(state.at)):>6}  ", "time"),
            (f"{WROTE} ", "faint"), (f"{who:<{max(width // 4, 10)}}  ", "accent" if writer else "warn"),
        ]  # fmt: skip
        if isinstance(told, (dict, list)):
            left.append((f"{label(told)}  ", "dim"))
        room = max(width // 2, 20)
        return fit([*left, (preview(value, room, self._states.lookup), style(told))], [], width)

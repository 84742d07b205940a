"""The states that graphs went through, and who wrote what: from checkpoints, or where there are none, from updates.

No clock and no files: lines and stored values are asked for, and only those of the states that are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lgwatch.difference import Change, Lookup, differences
from lgwatch.events import Json, Namespace
from lgwatch.records import Run, Task
from lgwatch.reducers import joined
from lgwatch.refs import follow
from lgwatch.session import Session
from lgwatch.transitions import level

Read = Callable[[int], "dict[str, Json]"]
"""Returns a line of the journal by its number, its references unresolved."""
INPUT, OUTSIDE = "input", "update_state"
"""Who wrote what no task did."""


@dataclass(slots=True, eq=False)
class State:
    """What a graph's state was after `step`; `seq` is the line that has it, or of a `rebuilt` one, the last that led to
    it. `tasks` ended since the state before."""

    ns: Namespace
    run: str
    step: int
    at: float
    seq: int
    source: str
    next: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    checkpoint: str = ""
    rebuilt: bool = False
    held: dict[str, Json] = field(default_factory=dict)
    """The values of a rebuilt one."""


@dataclass(slots=True)
class _Rebuilding:
    """How far the states of a run are that saved none: how many of its steps have one, and the last of them; of the
    step after it, how many tasks are taken in, and what they made of the values."""

    done: int = 0
    last: State | None = None
    taken: int = 0
    held: dict[str, Json] = field(default_factory=dict)
    corrected: bool = False
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote a key in one step, and the name of the reducer that took it in: "" for none."""

    nodes: tuple[str, ...]
    reducer: str

    def words(self) -> str:
        """Return it as `web, arxiv: add`."""
        counts = dict.fromkeys(self.nodes, 0)
        for node in self.nodes:
            counts[node] += 1
        names = ", ".join(f"{node} ×{count}" if count > 1 else node for node, count in counts.items())
        return f"{names}: {self.reducer}" if self.reducer else names


class States:
    """The states of a session by graph; `update` takes in what is new."""

    def __init__(self, read: Read, lookup: Lookup, most: int | None = None) -> None:
        """States that are rebuilt are so from what up to `most` tasks wrote in one `update`; None takes in all."""
        self._most = most
        self._left = most
        self._read = read
        self.lookup = lookup
        self._session: Session | None = None
        self._clear()

    def _clear(self) -> None:
        self._by_graph: dict[Namespace, list[State]] = {(): []}
        self._fresh: dict[Namespace, None] = {}
        self._ids: set[tuple[Namespace, str]] = set()
        self._checkpoints = 0
        self._seen: list[int] = []
        self._steps: dict[tuple[Namespace, int], list[Task]] = {}
        self._runs: dict[tuple[str, Namespace], dict[int, list[Task]]] = {}
        self._saved: set[tuple[str, Namespace]] = set()
        self._rebuilding: dict[tuple[str, Namespace], _Rebuilding] = {}
        self._wanted: set[Namespace] = {()}
        self._changes = -1
        self.behind = False
        """Whether there are states that are still to be rebuilt: the next `update` goes on."""
        self.version = 0
        """A number that grows whenever a state comes, or is told of more."""
        self.channels: dict[str, dict[str, str]] = {}

    # --- what there is

    def update(self, session: Session) -> bool:
        """Take in what came since; return whether any state did."""
        if session is not self._session:
            self._session = session
            self._clear()
        if self._changes == session.task_changes and not self.behind:
            return False
        self._changes = session.task_changes
        told = session.graph.channels if session.graph is not None else None
        self.channels = told if isinstance(told, dict) else {}
        self._take_tasks(session)
        before = self.version
        for saved in session.checkpoints[self._checkpoints :]:
            self._saved.add((saved.run, saved.ns))
            if (saved.ns, saved.id) in self._ids:  # told again by a run that goes on from it
                continue
            self._ids.add((saved.ns, saved.id))
            states = self._by_graph.setdefault(saved.ns, [])
            first = states[-1].seq if states else 0
            tasks = self._between(saved.ns, saved.step, first, saved.seq)
            self._add(
                State(
                    saved.ns, saved.run, saved.step, saved.at, saved.seq, saved.source, saved.next, tasks, saved.id
                )
            )  # fmt: skip
        self._checkpoints = len(session.checkpoints)
        self._left, self.behind = self._most, False
        for run in session.runs:
            for ns in self._wanted:
                self._rebuild(run, ns)
        return self.version != before

    def _add(self, state: State) -> None:
        self._by_graph.setdefault(state.ns, []).append(state)
        self._fresh[state.ns] = None
        self.version += 1

    def fresh(self) -> list[Namespace]:
        """Return the graphs that came to a state since this was asked last."""
        found, self._fresh = list(self._fresh), {}
        return found

    def _take_tasks(self, session: Session) -> None:
        for number, run in enumerate(session.runs):
            if number == len(self._seen):
                self._seen.append(0)
            if len(run.tasks) > self._seen[number]:
                for task in islice(run.tasks.values(), self._seen[number], None):
                    self._steps.setdefault((task.ns, task.step), []).append(task)
                    self._runs.setdefault((run.id, task.ns), {}).setdefault(task.step, []).append(task)
                self._seen[number] = len(run.tasks)

    def _between(self, ns: Namespace, step: int, first: int, last: int) -> tuple[Task, ...]:
        """Return the tasks of a step that began or ended between two lines."""
        found = {
            task.id: task  # of a task that went on after a question, what it came to
            for task in self._steps.get((ns, step), [])
            if first < task.seq <= last or (task.end_seq is not None and first < task.end_seq <= last)
        }
        return tuple(found.values())

    def of(self, ns: Namespace = ()) -> list[State]:
        """Return the states of a graph, oldest first."""
        if ns not in self._by_graph and ns not in self._wanted and self._session is not None:
            self._wanted.add(ns)
            self._left = self._most
            for run in self._session.runs:
                self._rebuild(run, ns)
        return self._by_graph.get(ns, [])

    def graphs(self) -> list[Namespace]:
        """Return the graphs that have states, the root first."""
        return list(dict.fromkeys([(), *self._by_graph, *(ns for _, ns in self._runs)]))

    def goes_on(self, state: State) -> bool:
        """Whether the run of a state has not ended, or there is more of it to be rebuilt."""
        now = self._rebuilding.get((state.run, state.ns))
        if now is not None and now.last is state and now.done < len(self._runs[state.run, state.ns]):
            return True
        runs = self._session.runs if self._session is not None else []
        return any(run.id == state.run and run.status == "running" for run in runs)

    # --- what is in one

    def values(self, state: State) -> dict[str, Json]:
        """Return the keys of a state with their values, references unresolved; a state of one value has one key."""
        if state.rebuilt:
            return state.held
        return _keys(follow(self._read(state.seq).get("values"), self.lookup))

    def reducers(self, ns: Namespace) -> dict[str, str]:
        """Return the keys of a graph's state with the names of their reducers, as far as the graph told them."""
        told = self.channels.get(level(ns).removesuffix(":"))
        return {key: str(name) for key, name in told.items()} if isinstance(told, dict) else {}

    def writers(self, state: State, before: State | None) -> dict[str, Writer]:
        """Return who wrote which keys of a state."""
        reducers = self.reducers(state.ns)
        found: dict[str, list[str]] = {}
        for task in state.tasks:
            for key in self.wrote(task):
                found.setdefault(key, []).append(task.node)
        if not found and not state.tasks:
            who = OUTSIDE if state.source in ("update", "fork") else INPUT
            changes = differences(self.values(before) if before is not None else {}, self.values(state), self.lookup)
            found = {str(change.path[0]): [who] for change in changes}
        return {key: Writer(tuple(nodes), reducers.get(key, "")) for key, nodes in found.items()}

    def wrote(self, task: Task) -> tuple[str, ...]:
        """Return the keys that a task wrote; its line is read only where they stand behind a reference."""
        return task.wrote or tuple(self.writes(task))

    def writes(self, task: Task) -> dict[str, Json]:
        """Return what a task wrote, by key, references unresolved."""
        if task.end_seq is None:
            return {}
        told = follow(self._read(task.end_seq).get("writes"), self.lookup)
        return {key: value for key, value in told.items() if key[:1] != "$"} if isinstance(told, dict) else {}

    def changes(self, before: State | None, after: State) -> list[Change]:
        """Return what changed from one state to another."""
        return list(differences(self.values(before) if before is not None else {}, self.values(after), self.lookup))

    def touched(self, before: State | None, after: State) -> dict[str, str]:
        """Return the keys that are not what they were, each with the kind of its change. No stored value is read.

        What is equal is stored once, so that values are told apart by their references.
        """
        old, new = self.values(before) if before is not None else {}, self.values(after)
        kinds = {
            key: "changed" if key in old else "added"
            for key, value in new.items()
            if key not in old or old[key] != value
        }
        return kinds | {key: "removed" for key in old if key not in new}

    # --- where there is no checkpoint

    def _rebuild(self, run: Run, ns: Namespace) -> None:
        """Add the states of a run that saved none: the input, then each step that has ended."""
        steps = self._runs.get((run.id, ns))
        if not steps or (run.id, ns) in self._saved:
            return
        now = self._rebuilding.setdefault((run.id, ns), _Rebuilding())
        order = sorted(steps) if now.done < len(steps) else []
        while now.done < len(order):
            if self._left is not None and self._left <= 0:
                self.behind = True
                return
            tasks = steps[order[now.done]]
            going_on = now.done == len(order) - 1 and any(task.open for task in tasks)
            if now.last is None:
                given = _keys(follow(self._read(run.seq).get("input"), self.lookup)) if not ns else {}
                held = {**given, **self._inputs(tasks, ns)}
                now.last = State(
                    ns, run.id, order[0] - 1, tasks[0].started, tasks[0].seq, INPUT, rebuilt=True, held=held
                )
                self._add(now.last)
            elif not now.corrected or not going_on:
                # What the tasks of the next step see is what the state was.
                self._correct(now.last, self._inputs(tasks, ns))
                now.corrected = True
            if going_on:
                return
            if not self._take_in(tasks, ns, now):
                return
            now.last, now.corrected = self._rebuilt(ns, run.id, order[now.done], tasks, now.held), False
            now.done, now.taken, now.held = now.done + 1, 0, {}
            self._add(now.last)
        if run.end_seq is not None and not ns and now.last is not None and not now.finished:
            now.finished = True
            if run.status == "done":
                self._correct(now.last, _keys(follow(self._read(run.end_seq).get("output"), self.lookup)))

    @staticmethod
    def _rebuilt(ns: Namespace, run: str, step: int, tasks: list[Task], held: dict[str, Json]) -> State:
        at = max((task.ended or task.started) for task in tasks)
        seq = max((task.end_seq or task.seq) for task in tasks)
        return State(ns, run, step, at, seq, "loop", tasks=tuple(tasks), rebuilt=True, held=held)

    def _correct(self, state: State, told: dict[str, Json]) -> None:
        known = self.reducers(state.ns)
        more = {key: value for key, value in told.items() if not known or key in known}
        if any(key not in state.held or state.held[key] != value for key, value in more.items()):
            state.held |= more
            self.version += 1

    def _inputs(self, tasks: Iterable[Task], ns: Namespace) -> dict[str, Json]:
        """Return what tasks saw of the state: those that were sent for saw something else."""
        found: dict[str, Json] = {}
        known = self.reducers(ns)
        for task in tasks:
            if any(trigger.startswith("__pregel_push") for trigger in task.triggers):
                continue
            seen = follow(self._read(task.seq).get("input"), self.lookup)
            for key, value in (_keys(seen) if isinstance(seen, dict) else {}).items():
                if not known or key in known:
                    found.setdefault(key, value)
        return found

    def _take_in(self, tasks: list[Task], ns: Namespace, now: _Rebuilding) -> bool:
        """Make of the values of the last state what tasks wrote; return whether all of them are taken in."""
        reducers = self.reducers(ns)
        if not now.taken and now.last is not None:
            now.held = dict(now.last.held)
        if self._left is not None:
            self._left -= 2
        end = len(tasks) if self._left is None else now.taken + max(self._left, 1)
        for task in tasks[now.taken : end]:
            now.taken += 1
            for key, value in self.writes(task).items():
                for one in _several(value, self.lookup):
                    now.held[key] = joined(reducers.get(key, ""), now.held.get(key), one, self.lookup)
            if self._left is not None:
                self._left -= 1
        self.behind |= now.taken < len(tasks)
        return now.taken >= len(tasks)


class History:
    """The states in which a key came to another value, each with that value; None where it went."""

    def __init__(self, states: States, key: str, ns: Namespace = ()) -> None:
        self.key = key
        self.ns = ns
        self._states = states
        self._of: list[State] = []
        self._clear()

    def _clear(self) -> None:
        self.found: list[tuple[State, Json]] = []
        self.before: dict[int, State | None] = {}
        """The state before each of them, by the `id` of that one."""
        self.behind = False
        """Whether there are states that were not looked at yet."""
        self.edition = 0
        """A number that grows whenever something is told anew of the last one."""
        self._read = 0
        self._last: Json = _MISSING
        self._last_but_one: Json = _MISSING
        self._version = -1

    def update(self, most: int | None = None) -> bool:
        """Read up to so many states that came since; return whether that changed anything. None reads all."""
        states = self._states.of(self.ns)
        if states is not self._of:  # of another session
            self._of = states
            self._clear()
        if self._version == self._states.version and self._read == len(states):
            return False
        before = (len(self.found), self.edition)
        if self._version != self._states.version and self._read and states[self._read - 1].rebuilt:
            self._read -= 1  # what the next tasks saw may have told more of it
            self._last = self._last_but_one
            if self.found and self.found[-1][0] is states[self._read]:
                self.found.pop()
                self.edition += 1
        self._version = self._states.version
        end = len(states) if most is None else min(self._read + most, len(states))
        for number in range(self._read, end):
            value = self._states.values(states[number]).get(self.key, _MISSING)
            self._last_but_one = self._last
            if value is self._last or value == self._last:
                continue
            self.found.append((states[number], None if value is _MISSING else value))
            self.before[id(states[number])] = states[number - 1] if number else None
            self._last = value
        self._read, self.behind = end, end < len(states)
        return (len(self.found), self.edition) != before


_MISSING = object()


def _keys(values: Json) -> dict[str, Json]:
    """Return the keys of a state: those of a dict, the fields of an object, or one for a state that is one value."""
    if isinstance(values, dict):
        fields = values.get("fields")
        if "$type" not in values:
            return values
        if isinstance(fields, dict):
            return fields
    return {} if values is None else {"__root__": values}


def _several(value: Json, lookup: Lookup) -> Iterator[Json]:
    """Yield the writes to one key, which may be more than one."""
    told = follow(value, lookup)
    if isinstance(told, dict) and told.get("$type") == "writes" and isinstance(told.get("items"), list):
        yield from told["items"]
    else:
        yield value

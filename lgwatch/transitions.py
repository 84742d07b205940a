"""Which way the runs took through the graph, folded from tasks as they are scheduled: the graph as it is told is a hint.

A static graph does not know `Command(goto=…)`, `Send`, untyped conditional edges, or agents that call agents. What a
task was set off by is read from its triggers, its step, and the tasks of the step before.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lgwatch.callers import PUSH, caller, outer_spans
from lgwatch.events import GraphLoaded, Json, Namespace
from lgwatch.naming import END, START, called, chosen_in_words, inside, level, node_id, short_name
from lgwatch.records import Run, Task
from lgwatch.session import Session

__all__ = [
    "END", "PUSH", "START", "Edge", "Transitions", "called", "chosen_in_words", "level", "node_id", "short_name",
]  # fmt: skip

Edge = tuple[str, str]
HANDLER = "__error_handler__"
"""What the name of an error handler's node begins with; the rest is the node whose error it handles."""


@dataclass(slots=True)
class _Flow:
    """One execution of one graph: its tasks by step."""

    prefix: str
    parent: Task | None
    run: Run
    steps: dict[int, list[Task]] = field(default_factory=dict)
    led: dict[str, set[str]] = field(default_factory=dict)
    """Task id → the nodes that it set off."""
    called: set[str] = field(default_factory=set)
    """Tasks that another one of their step called, and waits for."""
    fresh: bool = True
    """Whether it began at START in this run; else it goes on from a checkpoint."""

    order: list[int] = field(default_factory=list)
    """The steps, ascending."""
    main: dict[int, Task] = field(default_factory=dict)
    """The first task of a step that nobody sent for."""
    spans: tuple[int, int, dict[str, Task]] = (0, -1, {})
    """Whose the spans of one step are, with the step and the state of the session in which that was found out."""

    def add(self, task: Task) -> None:
        """Take in a task that was scheduled."""
        if task.step not in self.steps:
            insort(self.order, task.step)
            self.steps[task.step] = []
        self.steps[task.step].append(task)
        if PUSH not in task.triggers:
            self.main.setdefault(task.step, task)

    def owners(self, step: int, changes: int) -> dict[str, Task]:
        """Return whose the spans of a step's tasks are; `changes` grows whenever a span begins."""
        if self.spans[:2] != (step, changes):
            owners: dict[str, Task] = {}
            for task in self.steps.get(step, ()):
                for span in task.spans:
                    owners.setdefault(span.id, task)
            self.spans = (step, changes, owners)
        return self.spans[2]

    def before(self, step: int) -> list[Task]:
        """The tasks of the last step below this one."""
        place = bisect_left(self.order, step)
        return self.steps[self.order[place - 1]] if place else []


class Transitions:
    """What was taken so far; `update` takes in what is new, and costs next to nothing when nothing is."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.taken: dict[Edge, int] = {}
        """How often each edge was taken on the newest run's thread; a run on another thread begins anew."""
        self.visits: dict[str, int] = {}
        """How often each node was visited on this thread."""
        self.branching = False
        """Whether the graph tells of an edge that is chosen."""
        self._thread = ""
        self.last: tuple[Edge, ...] = ()
        """The edges of the newest transition; several when one step set off several nodes."""
        self.last_at = 0.0
        self.last_of: Task | None = None
        """The task that led to it; None where START did."""
        self.decided: Task | None = None
        """The newest task that led where it might not have."""
        self.dynamic: dict[Edge, None] = {}
        """Edges that were taken and that the graph does not tell of, in the order in which they were first taken."""
        self.unknown: dict[str, str] = {}
        """Nodes that ran and that the graph does not tell of: id → name."""
        self._session: Session | None = None
        self._graph: GraphLoaded | None = None
        self._state: object = None
        self._known: dict[str, dict[str, bool]] = {}
        self._routers: dict[Edge, tuple[str, str]] = {}  # who chooses an edge, and in which words
        self._choosers: set[str] = set()
        self._nodes: set[str] = set()
        self._seen: list[int] = []
        self._step: object = None
        self._tasks: set[str] = set()
        self._flows: dict[tuple[str, Namespace], _Flow] = {}
        self._open: dict[tuple[str, Namespace], _Flow] = {}
        self._flow_of: dict[tuple[str, str], _Flow] = {}

    # --- what happened

    def update(self, session: Session) -> bool:
        """Take in what was scheduled and what ended since; return whether anything changed."""
        state = (session.task_changes, session.graph)
        if session is self._session and state == self._state:
            return False
        if session is not self._session or session.graph is not self._graph:
            self.clear()
            self._session, self._graph = session, session.graph
            self._learn(session.graph)
        self._state = state
        before = (len(self._tasks), sum(self.taken.values()))
        for number, run in enumerate(session.runs):
            if number == len(self._seen):
                self._seen.append(0)
                self._close()
                if run.thread != self._thread:
                    self.taken, self.visits, self.last, self.last_of, self.decided = {}, {}, (), None, None
                    self._thread = run.thread
                if run.resume is None and run.fork is None:
                    self._flows.pop((run.thread, ()), None)
            if len(run.tasks) > self._seen[number]:
                for task in islice(run.tasks.values(), self._seen[number], None):
                    self._schedule(task, run)
                self._seen[number] = len(run.tasks)
        self._close()
        return before != (len(self._tasks), sum(self.taken.values()))

    def choices(self, task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of the nodes that a task's conditional edges led to, and of those they did not lead to.

        Ways that the graph does not tell of were chosen, too. Both are empty while nothing came of the task, for a node
        that always leads to the same, and for one that the graph does not know.
        """
        name, flow = node_id(task), self._flow_of.get((task.run, task.id))
        led = flow.led.get(task.id, set()) if flow is not None and name not in self.unknown else set()
        known = self._known.get(name, {})
        branches = [target for target, conditional in known.items() if conditional]
        chosen = [target for target in branches if target in led] + sorted(
            target for target in led if target not in known
        )
        return tuple(chosen), tuple(target for target in branches if target not in led) if led else ()

    def reason(self, task: Task) -> str:
        """Return who chose where a task led, and in which words: `route_by_depth → "deep"`; "" where nobody knows."""
        name = node_id(task)
        told = [
            self._routers.get((name, target), self._routers.get((name, ""), ("", "")))
            for target in self.choices(task)[0]
        ]
        routers = dict.fromkeys(router for router, _ in told if router)
        labels = dict.fromkeys(label for _, label in told if label)
        words = ", ".join(f'"{label}"' for label in labels)
        return " → ".join(part for part in (", ".join(routers), words) if part)

    def sources(self, task: Task) -> tuple[str, ...]:
        """Return the ids of the nodes that set a task off."""
        flow = self._flow_of.get((task.run, task.id))
        if flow is None:
            return ()
        name = node_id(task)
        return tuple(dict.fromkeys(node_id(one) for one in flow.before(task.step) if name in flow.led.get(one.id, ())))

    def caller(self, task: Task) -> str:
        """Return the id of the node that called a task of its own step, and waits for it; "" where none did."""
        flow = self._flow_of.get((task.run, task.id))
        caller = self._caller(task, flow) if flow is not None and task.id in flow.called else None
        return node_id(caller) if caller is not None else ""

    def nodes(self) -> list[dict[str, Json]]:
        """Return the graph's nodes and those it did not tell of, as `GraphLoaded` has them."""
        told = list(self._graph.nodes) if self._graph is not None else []
        outer = {name.rpartition(":")[0] for name in self.unknown}
        told = [{**node, "subgraph": node["id"]} if node.get("id") in outer else node for node in told]
        for name, short in self.unknown.items():
            kind = {START: "start", END: "end"}.get(short, "subgraph" if name in outer else "node")
            told.append({"id": name, "name": short, "kind": kind})
        return told

    def edges(self) -> list[dict[str, Json]]:
        """Return the graph's edges, and those between nodes that it did not tell of, as `GraphLoaded` has them."""
        told = list(self._graph.edges) if self._graph is not None else []
        return told + [
            {"source": source, "target": target, "conditional": False}
            for source, target in self.dynamic
            if source in self.unknown and target in self.unknown
        ]

    def observed(self) -> list[Edge]:
        """Return the edges that were taken between nodes of the graph, or from and to them, without being told of."""
        return [edge for edge in self.dynamic if edge[0] not in self.unknown or edge[1] not in self.unknown]

    # --- the fold

    def _learn(self, graph: GraphLoaded | None) -> None:
        for edge in graph.edges if graph is not None else ():
            source, target = str(edge.get("source")), str(edge.get("target"))
            targets = self._known.setdefault(source, {})
            targets[target] = bool(edge.get("conditional")) and targets.get(target, True)
            if edge.get("conditional"):
                self.branching = True
                self._choosers.add(source)
                self._routers[source, target] = (str(edge.get("router") or ""), str(edge.get("label") or ""))
        self._nodes = {str(node.get("id")) for node in graph.nodes} if graph is not None else set()
        for node in graph.nodes if graph is not None else ():
            if node.get("router"):
                self._routers[str(node.get("id")), ""] = (str(node["router"]), "")
                self._choosers.add(str(node.get("id")))

    def _schedule(self, task: Task, run: Run) -> None:
        flow = self._flow(task, run)
        name = node_id(task)
        if name not in self._nodes:
            self._add_node(name, task.node)
        again = task.id in self._tasks  # a resume goes on with the same task: nothing led to it anew
        self._tasks.add(task.id)
        self._flow_of[task.run, task.id] = flow
        flow.add(task)
        if again:
            return
        self.visits[name] = self.visits.get(name, 0) + 1
        edges: list[Edge] = []
        of: Task | None = None
        for source in self._sources(task, flow):
            of = source if isinstance(source, Task) else of
            if isinstance(source, Task) and node_id(source) in self._choosers:
                self.decided = source
            if isinstance(source, Task) and task.id in flow.called:
                edges.append((node_id(source), name))
            elif isinstance(source, Task):
                flow.led.setdefault(source.id, set()).add(name)
                edges.append((node_id(source), name))
            else:
                edges.append((source, name))
        edges = list(dict.fromkeys(edges))
        for edge in edges:
            self._take(edge)
        if edges:
            step = (run.id, task.ns, task.step)
            self.last = tuple(dict.fromkeys((*(self.last if step == self._step else ()), *edges)))
            self.last_at, self.last_of, self._step = task.started, of, step

    def _flow(self, task: Task, run: Run) -> _Flow:
        key = (run.thread, task.ns)
        flow = self._flows.get(key)
        if flow is None:
            fresh = bool(task.ns) or (run.resume is None and run.fork is None)
            flow = self._flows[key] = _Flow(inside(task), task.parent, run, fresh=fresh)
            if agent := called(task):
                self.visits[agent] = self.visits.get(agent, 0) + 1
        flow.run = run
        if task.parent is not None:
            flow.parent = task.parent
        self._open[key] = flow
        return flow

    def _add_node(self, name: str, short: str) -> None:
        self._nodes.add(name)
        self.unknown[name] = short
        head = name.rpartition(":")[0]
        if head and head not in self._nodes:
            self._add_node(head, head.rpartition(":")[2])

    def _take(self, edge: Edge) -> None:
        self.taken[edge] = self.taken.get(edge, 0) + 1
        if edge[1] not in self._known.get(edge[0], {}):
            self.dynamic[edge] = None
            for end in edge:
                if end not in self._nodes:
                    self._add_node(end, end.rpartition(":")[2])

    def _sources(self, task: Task, flow: _Flow) -> Iterator[Task | str]:
        """What set a task off: tasks of the step before, or the id of START."""
        name = node_id(task)
        if task.node.startswith(HANDLER):
            failed = flow.prefix + task.node.removeprefix(HANDLER)
            yield next((one for one in flow.steps.get(task.step, []) if node_id(one) == failed), failed)
            return
        before = flow.before(task.step)
        if PUSH in task.triggers and (caller := self._caller(task, flow)):
            flow.called.add(task.id)
            yield caller
        elif not before:
            if flow.fresh:
                yield flow.prefix + START
        elif known := [one for one in before if name in self._known.get(node_id(one), {})]:
            yield from self._likely(known, name, flow)
            yield from self._joined(task, flow, before)
        elif joined := list(self._joined(task, flow, before)):
            yield from joined
        else:
            # The graph knows of no way here: a node that goes where it likes, rather than one whose ways are known.
            free = [one for one in before if not flow.led.get(one.id) and not self._fixed(one)]
            yield from free or [one for one in before if not self._fixed(one)] or before

    def _fixed(self, task: Task) -> bool:
        """Whether the graph tells of an edge that a node always takes."""
        return not all(conditional for conditional in self._known.get(node_id(task), {}).values())

    def _likely(self, known: list[Task], name: str, flow: _Flow) -> Iterator[Task]:
        """Of the tasks that have an edge to the node: those that always lead there, and conditional ones that led
        nowhere else."""
        always = [one for one in known if not self._known[node_id(one)][name]]
        maybe = [one for one in known if one not in always and not flow.led.get(one.id, set()) - {name}]
        yield from always
        yield from maybe or (known if not always else ())

    def _joined(self, task: Task, flow: _Flow, before: list[Task]) -> Iterator[Task]:
        """The nodes that a join waited for, and that ran earlier than the step before."""
        names = {
            flow.prefix + part
            for trigger in task.triggers
            if trigger.startswith("join:")
            for part in trigger[5:].rpartition(":")[0].split("+")
        }
        if not names:
            return
        found = {node_id(one) for one in before}
        for step in reversed(flow.order[: bisect_left(flow.order, task.step)]):
            for one in flow.steps[step]:
                if node_id(one) == node_id(task):
                    return
                if node_id(one) in names - found:
                    found.add(node_id(one))
                    yield one

    def _caller(self, task: Task, flow: _Flow) -> Task | None:
        """The task that called this one, a `@task` of the same step; None where a `Send` of the step before did."""
        if flow.before(task.step):
            return None
        main = [flow.main[task.step]] if task.step in flow.main else []
        beside: list[Task] = []
        # One task can call thousands: none of them goes through all the others.
        if (outer := outer_spans(task)) and self._session is not None:
            owners = flow.owners(task.step, self._session.task_changes)
            beside = sorted((owners[span] for span in outer if span in owners), key=lambda one: one.seq)
        return caller(task, beside, main)

    def _close(self) -> None:
        for key, flow in list(self._open.items()):
            self._end(key, flow)

    def _end(self, key: tuple[str, Namespace], flow: _Flow) -> None:
        """The graph came to its end: what ran last led to END, and so did what has no other way."""
        if flow.parent is not None:
            if flow.parent.open:
                return
            status = flow.parent.status
        else:
            if flow.run.status == "running":
                return
            status = flow.run.status
        del self._open[key]
        if status != "done" or not flow.steps:
            return
        end, newest = flow.prefix + END, max(flow.steps)
        edges: list[Edge] = []
        for step, tasks in flow.steps.items():
            for task in tasks:
                targets = self._known.get(node_id(task), {})
                certain = end in targets and not targets[end]
                # An edge to END is also drawn for a node of which nothing is known: it counts where nothing else came.
                # One that hands over to a node of the graph above has no result, and its own graph no end.
                ended = task.status == "done" and not task.closed_by
                ended = ended and task.run == flow.run.id and not flow.led.get(task.id)
                if ended and (certain or step == newest) and task.id not in flow.called:
                    flow.led.setdefault(task.id, set()).add(end)
                    edges.append((node_id(task), end))
                    self.last_of = task if not key[1] else self.last_of
                    self.decided = task if node_id(task) in self._choosers else self.decided
        for edge in dict.fromkeys(edges):
            self._take(edge)
        if edges and not key[1]:
            self.last, self.last_at, self._step = tuple(dict.fromkeys(edges)), flow.run.ended or self.last_at, None

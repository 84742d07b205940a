"""The table of nodes: what each node cost so far, sortable by column. A task is counted once, when it has ended; a node
that has not run has a row, too."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from lgwatch.records import Message, Task
from lgwatch.session import Session
from lgwatch.transitions import called, node_id
from lgwatch.tui.drawing.picture import STOP
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, glyph, node_style, seconds, tick
from lgwatch.tui.lines.text import cell_len, clean, crop


@dataclass(slots=True)
class NodeStats:
    """What is known of a node: times in seconds, tokens as the provider reported them or else as chunks were counted.

    `share` is the part of the runs' time in which at least one of its visits was at work. `status` is that of its
    newest task.
    """

    id: str
    path: str
    name: str
    depth: int
    visits: int = 0
    running: int = 0
    status: str = ""
    busy: list[tuple[float, float]] = field(default_factory=list)
    """When it was at work: apart from each other, ascending."""
    worked: float = 0.0
    """The sum of these times."""
    durations: list[float] = field(default_factory=list)
    """Ascending."""
    first_tokens: list[float] = field(default_factory=list)
    same_input: int = 1
    """How many visits had the same input, the most of any."""
    tokens_in: int = 0
    tokens_out: int = 0
    errors: int = 0
    retries: int = 0
    cached: int = 0
    share: float = 0.0

    @property
    def mean(self) -> float | None:
        """Mean duration of the visits that ended."""
        return sum(self.durations) / len(self.durations) if self.durations else None

    @property
    def p95(self) -> float | None:
        """The duration that 95 of 100 visits stay below."""
        return self.durations[max(-(-len(self.durations) * 95 // 100) - 1, 0)] if self.durations else None

    @property
    def first_token(self) -> float | None:
        """Mean time from the start of an LLM call to its first token."""
        return sum(self.first_tokens) / len(self.first_tokens) if self.first_tokens else None


class NodeTable:
    """The statistics of all nodes, kept up to date with `update`."""

    def __init__(self) -> None:
        self._clear(None)

    def _clear(self, session: Session | None) -> None:
        self.nodes: dict[str, NodeStats] = {}
        self._session = session
        self._state: object = None
        self._seen: list[int] = []
        self._open: dict[tuple[str, str, str], tuple[NodeStats, Task]] = {}
        self._calls: set[tuple[str, str, str]] = set()  # an agent that a tool call runs has many tasks in one call

    def update(self, session: Session, now: float) -> bool:
        """Take in what ended or began since, and what runs up to `now`; return whether anything changed."""
        state = (session.task_changes, session.message_changes, session.graph)
        if session is self._session and state == self._state and not self._open:
            return False
        if session is not self._session:
            self._clear(session)
        self._state = state
        for told in session.graph.nodes if session.graph is not None else ():
            if told.get("kind") not in ("start", "end"):  # what never runs is worth knowing, too
                name = str(told["id"])
                self._node(name, name.replace(":", "/"), str(told.get("name") or name))
        for number, run in enumerate(session.runs):
            if number == len(self._seen):
                self._seen.append(0)
            for task in islice(run.tasks.values(), self._seen[number], None):
                name = node_id(task)
                self._begin(self.nodes.get(name) or self._node(name, task.path, task.node), task)
                if task.via and task.parent is not None:
                    self._call(task.parent, task.via, called(task))
            self._seen[number] = len(run.tasks)
        for stats in self.nodes.values():
            stats.running = 0
        since: dict[str, float] = {}
        for key, (stats, task) in list(self._open.items()):
            stats.status = task.status
            if task.open:
                stats.running += task.status == "running"
                if task.began is not None:
                    since[stats.id] = min(since.get(stats.id, now), task.began)
            else:
                del self._open[key]
                _count(stats, task, session.messages_of(task.id) if task.node == stats.name else ())
        elapsed = sum(run.elapsed(now) for run in session.runs)
        for stats in self.nodes.values():
            stats.share = _at_work(stats, since.get(stats.id, now), now) / elapsed if elapsed > 0 else 0.0
        return True

    def _node(self, node: str, path: str, name: str) -> NodeStats:
        stats = self.nodes.get(node)
        if stats is None:
            stats = self.nodes[node] = NodeStats(node, path, name, node.count(":"))
        return stats

    def _begin(self, stats: NodeStats, task: Task) -> None:
        stats.visits += task.visits == 1  # after an answer it is the same visit that goes on
        stats.same_input = max(stats.same_input, task.same_input)
        self._open[task.run, task.id, stats.id] = (stats, task)

    def _call(self, task: Task, name: str, agent: str) -> None:
        """Count what a tool call runs once in the call."""
        key = (task.run, task.id, agent)
        if key not in self._calls:
            self._calls.add(key)
            self._begin(self._node(agent, f"{task.path}/{name}", name), task)


def _count(stats: NodeStats, task: Task, messages: Iterable[Message]) -> None:
    """Add a task that has ended."""
    took = task.elapsed(task.ended or 0.0)
    insort(stats.durations, took)
    if took > 0 and task.ended is not None:
        stats.worked += _add(stats.busy, task.ended - took, task.ended)
    attempts = [span for span in task.spans if span.kind == "node"]
    failed = sum(span.status == "error" for span in attempts)
    stats.errors += max(failed, task.status == "failed")
    stats.retries += max(len(attempts) - 1, 0)
    stats.cached += task.status == "cached"
    told = set()
    for message in messages:
        if message.run != task.run or message.role != "ai" or message.repeats:
            continue
        told.add(id(message.span))
        stats.tokens_in += _whole((message.usage or {}).get("input_tokens"))
        stats.tokens_out += message.tokens[0]
        if (first := message.first_token_after()) is not None and not message.whole:
            stats.first_tokens.append(first)
    for span in task.spans:
        if span.kind == "llm" and span.usage and id(span) not in told:
            stats.tokens_in += _whole(span.usage.get("input_tokens"))
            stats.tokens_out += _whole(span.usage.get("output_tokens"))


def _add(busy: list[tuple[float, float]], start: float, end: float) -> float:
    """Join a time with the ones that it touches; return by how much they are longer together."""
    first = bisect_left(busy, start, key=lambda each: each[1])
    last, known = first, 0.0
    while last < len(busy) and busy[last][0] <= end:
        known += busy[last][1] - busy[last][0]
        start, end = min(start, busy[last][0]), max(end, busy[last][1])
        last += 1
    busy[first:last] = [(start, end)]
    return end - start - known


def _at_work(stats: NodeStats, since: float, now: float) -> float:
    """Seconds in which it was at work, the open visits `since` then included."""
    done = 0.0
    for start, end in reversed(stats.busy):
        if end <= since:
            break
        done += max(min(end, since) - start, 0.0) - (end - start)
    return done + stats.worked + max(now - since, 0.0)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its `rank` says how much it is missed when there is no room for all; 0 is never left out."""

    title: str
    width: int
    rank: int
    cell: Callable[[NodeStats], str]
    sort: Callable[[NodeStats], float]
    style: Callable[[NodeStats], str] = lambda _: ""


def _time(value: float | None) -> str:
    return "" if value is None else seconds(value)


def _number(value: int) -> str:
    if value < 100_000:
        return amount(value) if value else ""
    return f"{value / 1000:.0f}k" if value < 1_000_000 else f"{value / 1_000_000:.1f}M"


def _looped(node: NodeStats) -> str:
    """A sign before the visits where some had the same input, and there is room for it."""
    return f"{glyph('notice')[0]} " if node.same_input > 1 and node.visits < 1_000 else ""


def _same(node: NodeStats) -> str:
    return f"×{amount(node.same_input)}" if node.same_input > 1 else ""


COLUMNS = (
    Column(
        "visits", 6, 0, lambda node: _looped(node) + amount(node.visits), lambda node: node.visits,
        lambda node: "warn" if node.same_input > 1 else "" if node.visits else "faint",
    ),
    Column("mean", 6, 1, lambda node: _time(node.mean), lambda node: node.mean or 0.0),
    Column("p95", 6, 3, lambda node: _time(node.p95), lambda node: node.p95 or 0.0, lambda _: "dim"),
    Column("first", 6, 5, lambda node: _time(node.first_token), lambda node: node.first_token or 0.0, lambda _: "dim"),
    Column("↑ in", 6, 4, lambda node: _number(node.tokens_in), lambda node: node.tokens_in, lambda _: "dim"),
    Column("↓ out", 6, 2, lambda node: _number(node.tokens_out), lambda node: node.tokens_out),
    Column("errors", 6, 6, lambda node: _number(node.errors), lambda node: node.errors, lambda _: "error"),
    Column("retry", 5, 7, lambda node: _number(node.retries), lambda node: node.retries, lambda _: "warn"),
    Column("cached", 6, 8, lambda node: _number(node.cached), lambda node: node.cached, lambda _: "info"),
    Column("same", 5, 9, _same, lambda node: node.same_input, lambda _: "warn"),
    Column("share", 5, 2, lambda node: f"{node.share:.0%}" if node.visits else "", lambda node: node.share, lambda _: "accent"),
)  # fmt: skip
"""In their order on the screen."""
ORDERS = ("graph", *(column.title for column in COLUMNS))
"""What the table can be sorted by: the order of the graph, nested, or a column, the largest first."""


class TableRows(Rows):
    """A heading and a row for each node. `sort` is one of `ORDERS`; rows change places only when it is set."""

    def __init__(self) -> None:
        self.table = NodeTable()
        self.sort = ORDERS[0]
        self.marks: frozenset[str] = frozenset()
        """Ids of the nodes with a breakpoint."""
        self._shown: list[NodeStats] = []
        self._ordered: object = None
        self._now = 0.0
        self._tick = 0

    def update(self, session: Session, now: float) -> bool:
        """Take in what changed; return whether anything did."""
        self._now, self._tick = now, tick(now)
        changed = self.table.update(session, now)
        if changed and self._ordered != (id(session), len(self.table.nodes)):
            self.order(self.sort)
            self._ordered = (id(session), len(self.table.nodes))
        return changed

    def order(self, sort: str = "") -> str:
        """Sort the rows by `sort`, or by the next of `ORDERS`; return what they are sorted by."""
        self.sort = sort or ORDERS[(ORDERS.index(self.sort) + 1) % len(ORDERS)]
        nodes = list(self.table.nodes.values())
        column = next((column for column in COLUMNS if column.title == self.sort), None)
        if column is not None:
            key = column.sort
            self._shown = sorted(nodes, key=lambda node: -key(node))
        else:
            self._shown = list(_nested(nodes))
        return self.sort

    def node(self, index: int) -> NodeStats | None:
        """Return the node of a row; None for the heading."""
        return self._shown[index - 1] if 0 < index <= len(self._shown) else None

    def __len__(self) -> int:
        return len(self._shown) + 1 if self._shown else 0

    def key(self, index: int) -> Hashable:
        """A running node's row is drawn ten times a second, any other when its numbers change."""
        node = self.node(index)
        if node is None:
            return ("heading", self.sort)
        moving = self._tick if node.running else 0
        return (
            node.id,
            node.visits,
            node.status,
            len(node.durations),
            node.tokens_out,
            round(node.share, 2),
            self.sort,
            moving,
            node.same_input,
            node.id in self.marks,
        )

    def index_of(self, key: Hashable) -> int | None:
        """Find a node again, wherever it is sorted to."""
        if isinstance(key, tuple) and key[0] == "heading":
            return 0
        return next(
            (at + 1 for at, node in enumerate(self._shown) if isinstance(key, tuple) and node.id == key[0]), None
        )

    def row(self, index: int, width: int) -> Row:
        """Return the row's spans."""
        columns = _fitting(width)
        room = width - sum(column.width + 1 for column in columns)
        node = self.node(index)
        if node is None:
            row: Row = [("node".ljust(room), "dim" if self.sort != "graph" else "title")]
            for column in columns:
                sorted_by = column.title == self.sort
                title = f"▾{column.title}" if sorted_by else column.title  # the sign may take the gap
                row.append((f"{title:>{column.width + 1}}", "title" if sorted_by else "dim"))
            return row
        sign, style = glyph("running" if node.running else node.status or "waiting", self._now)
        nested = self.sort == "graph"
        stop = f" {STOP}" if node.id in self.marks else ""
        indent = "  " * node.depth if nested else ""
        left = room - 3 - cell_len(indent + stop)
        name = crop(clean(node.name if nested else node.path), left, "…")
        row = [(f"{indent}{sign} ", style), (name, node_style(node.path) if node.visits else "dim"), (stop, "error")]
        row.append((" " * max(left + 1 - cell_len(name), 0), ""))
        return [*row, *((f" {column.cell(node):>{column.width}}", column.style(node)) for column in columns)]


def _fitting(width: int) -> list[Column]:
    """The columns that there is room for beside the name of a node."""
    columns = list(COLUMNS)
    while len(columns) > 1 and sum(column.width + 1 for column in columns) + 14 > width:
        columns.remove(max(columns, key=lambda column: column.rank))
    return columns


def _nested(nodes: list[NodeStats]) -> Iterable[NodeStats]:
    """Nodes in the order of the graph, then of their first visit; what is inside of a node after it."""
    inside: dict[str, list[NodeStats]] = {}
    known = {node.id for node in nodes}
    for node in nodes:
        head = node.id.rpartition(":")[0]
        inside.setdefault(head if head in known else "", []).append(node)

    def below(head: str) -> Iterable[NodeStats]:
        for node in inside.get(head, ()):
            yield node
            yield from below(node.id)

    return below("")

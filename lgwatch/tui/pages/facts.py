"""What is known of one task besides what it saw and wrote, as rows: functions of the session, nothing is read here."""

from __future__ import annotations

from collections.abc import Iterator

from lgwatch.clock import Clock
from lgwatch.events import Json
from lgwatch.flags import Flags
from lgwatch.records import Message, Run, Span, Task
from lgwatch.session import Session
from lgwatch.transitions import PUSH, Transitions, node_id, short_name
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount, count, glyph, node_style, seconds
from lgwatch.tui.lines.text import wrap
from lgwatch.tui.messages.heading import USUAL

LABEL = 11
"""Cells of a fact's name."""
PEERS = 12
"""Tasks of the same step that are named."""


def visits(session: Session, task: Task) -> list[Task]:
    """Return all tasks of the same node, oldest first."""
    return [one for one in session.tasks() if one.node == task.node and (one.ns == task.ns or one.path == task.path)]


def told_of(session: Session, task: Task) -> dict[str, Json]:
    """Return what the graph tells of a task's node: `file`, `line` and so on; empty where it tells nothing."""
    nodes = session.graph.nodes if session.graph is not None else []
    return next((one for one in nodes if one.get("id") == node_id(task)), {})


def siblings(session: Session, task: Task) -> list[Task]:
    """Return the other tasks of the same step of the same graph, oldest first."""
    run = next((run for run in session.runs if run.id == task.run), None)
    tasks = run.tasks.values() if run is not None else ()
    return [one for one in tasks if one.ns == task.ns and one.step == task.step and one is not task]


def status_row(task: Task, now: float) -> Row:
    """Return how a task is, and how long it took."""
    sign, style = glyph(task.status, now)
    row: Row = [(f"{sign} {task.status}", style)]
    if task.began is not None or task.ended is not None:
        row.append((f" {seconds(task.elapsed(now))}", style))
    if task.closed_by:
        row.append((f" (closed by its {task.closed_by})", "dim"))
    return row


class Facts:
    """The facts of one task, each with its name; long ones go on below."""

    def __init__(self, session: Session, flags: Flags, ways: Transitions, task: Task, now: float) -> None:
        self._session, self._flags, self._ways = session, flags, ways
        self._states = flags.states
        self._task, self._now = task, now
        self._width = 120

    def rows(self, width: int) -> list[Row]:
        """Return them as rows of so many cells."""
        self._width = width
        lines: list[Row] = []
        for name, row in self._all():
            lines += _folded(name, row, max(width - LABEL, 10))
        return lines

    def text(self) -> str:
        """Return them as text, one a line."""
        return "\n".join(f"{name:<{LABEL}}{''.join(text for text, _ in row)}".rstrip() for name, row in self._all())

    def _all(self) -> Iterator[tuple[str, Row]]:
        task = self._task
        yield "status", status_row(task, self._now)
        yield from self._time()
        yield from self._model()
        yield from self._writes()
        yield from self._way()
        yield from self._place()
        yield from self._beside()
        yield from self._trouble()

    def _run_time(self, run: Run) -> float:
        return Clock(self._session.runs).told(self._now if run.ended is None else run.ended)

    def _time(self) -> Iterator[tuple[str, Row]]:
        task, session = self._task, self._session
        run = next((run for run in session.runs if run.id == task.run), None)
        began = task.began if task.began is not None else task.started
        waited = began - task.started
        row: Row = [(f"+{Clock(session.runs).active(began):.3f}s", "")]
        if waited >= 0.001:
            row.append((f"  waited {seconds(waited)}", "dim"))
        yield "began", row
        attempts = [span for span in task.spans if span.kind == "node"]
        if task.tries > 1:
            failed = sum(span.status == "error" for span in attempts)
            yield "attempts", [(str(task.tries), "warn"), (f"  {failed} failed" if failed else "", "error")]
        if task.status == "cached":
            yield "cache", [("hit", "info")]
        share = task.elapsed(self._now) / run.elapsed(self._now) if run is not None and run.elapsed(self._now) else 0.0
        if share >= 0.01 and task.parent is None:
            yield "share", [(f"{share:.0%} of the run", "dim")]

    def _model(self) -> Iterator[tuple[str, Row]]:
        task = self._task
        calls = [span for span in task.spans if span.kind == "llm"]
        messages = [one for one in self._session.messages_of(task.id) if one.span is not None and one.run == task.run]
        if task.models or calls:
            yield "model", [(", ".join(task.models) or ", ".join(dict.fromkeys(span.name for span in calls)), "")]
        if len(calls) > 1:
            yield "calls", [(str(len(calls)), "")]
        first = next((span for span in calls if span.first_token is not None), None)
        if first is not None and first.first_token is not None:
            rate = max((one.rate() for one in messages), default=0.0)
            yield "TTFT", [
                (seconds(first.first_token - first.started), ""), (f"   {rate:.0f} tok/s" if rate else "", "dim"),
            ]  # fmt: skip
        if tokens := _tokens(messages, calls):
            yield "tokens", tokens
        if reasons := list(dict.fromkeys(span.finish for span in calls if span.finish)):
            yield "stopped", [(", ".join(reasons), "dim" if set(reasons) <= set(USUAL) else "warn")]
        tags = dict.fromkeys([*task.tags, *(tag for one in messages for tag in one.tags)])
        if tags:
            yield "tags", [(" ".join(f"#{tag}" for tag in tags), "accent")]
        tools = [span for span in task.spans if span.kind in ("tool", "retriever")]
        if tools:
            yield "tools", [(", ".join(dict.fromkeys(span.name for span in tools)), "tool")]

    def _writes(self) -> Iterator[tuple[str, Row]]:
        reducers = self._states.reducers(self._task.ns)
        keys = list(self._states.writes(self._task))
        if keys:
            told = [f"{key} ({reducers[key]})" if reducers.get(key) else key for key in keys]
            yield "writes to", [(", ".join(told), "")]

    def _way(self) -> Iterator[tuple[str, Row]]:
        task, ways = self._task, self._ways
        triggers = ["Send" if trigger.startswith(PUSH) else trigger for trigger in task.triggers]
        if triggers:
            yield "triggered", [(", ".join(triggers), "dim")]
        came = [ways.caller(task)] if ways.caller(task) else list(ways.sources(task))
        if came:
            yield "from", [(", ".join(short_name(name) for name in came), "")]
        if task.same_input > 1:
            yield "input", [(f"visit {task.same_input} with the same", "warn")]
        chosen, others = ways.choices(task)
        if chosen:
            row: Row = [(", ".join(short_name(name) for name in chosen), "ok")]
            if others:
                row.append((f"  (not {', '.join(short_name(name) for name in others)})", "dim"))
            yield "next", row
        if why := ways.reason(task):
            yield "why", [(why, "dim")]

    def _place(self) -> Iterator[tuple[str, Row]]:
        task = self._task
        told = told_of(self._session, task)
        if told.get("file"):
            place = f"{told['file']}:{told.get('line', 1)}"
            room = self._width - LABEL - 1
            yield "source", [(place if len(place) <= room else f"…{place[1 - room :]}", "info")]
        if task.ns:
            yield "ns", [("|".join(task.ns), "dim")]
        yield "task", [(task.id[:13] + "…" if len(task.id) > 16 else task.id, "dim")]
        state = next((state for state in self._states.of(task.ns) if task in state.tasks), None)
        if state is not None and state.checkpoint:
            yield "checkpoint", [(f"s{state.step}  {state.checkpoint[:13]}…", "dim")]
        elif state is not None:
            yield "state", [(f"s{state.step}, rebuilt", "dim")]

    def _beside(self) -> Iterator[tuple[str, Row]]:
        peers = siblings(self._session, self._task)
        for number, peer in enumerate(peers[:PEERS]):
            row: Row = [(f"{peer.node} ", node_style(peer.path)), *status_row(peer, self._now)]
            yield "beside" if not number else "", row
        if len(peers) > PEERS:
            yield "", [(f"… and {count(len(peers) - PEERS, 'more task')}", "dim")]

    def _trouble(self) -> Iterator[tuple[str, Row]]:
        task = self._task
        for _, notice in self._session.notices:
            if notice.task == task.id:
                yield "notice", [(f"{glyph('notice')[0]} {notice.text}", "warn")]
        for flag in self._flags.all:
            if flag.ns == task.ns and task.node in flag.nodes and flag.step == task.step:
                yield "notice", [(f"{glyph('notice')[0]} {flag.text}", "warn")]
        run = next((run for run in self._session.runs if run.id == task.run), None)
        if run is not None and run.status != "running":
            sign, style = glyph(run.status)
            row: Row = [(f"{sign} {run.status} ", style), (f"after {seconds(self._run_time(run))} ", "dim")]
            if run.error and task.status == "failed":
                same = run.error.get("message") == (task.error or {}).get("message")
                row.append(("by this error" if same else f"by {run.error.get('type')}", "dim"))
            yield "the run", row


def _tokens(messages: list[Message], calls: list[Span]) -> Row:
    usages = [one.usage for one in messages if one.usage] or [span.usage for span in calls if span.usage]
    given, made = (sum(_number(usage, name) for usage in usages) for name in ("input_tokens", "output_tokens"))
    if given or made:
        return [(f"↑ {amount(given)}  ↓ {amount(made)}", "")]
    counted = sum(one.tokens[0] for one in messages)
    return [(f"~{amount(counted)} chunks, usage not reported", "dim")] if counted else []


def _number(usage: dict[str, Json] | None, name: str) -> int:
    value = (usage or {}).get(name)
    return value if isinstance(value, int) else 0


def _folded(name: str, row: Row, width: int) -> Iterator[Row]:
    """Yield a fact's rows: what is too long goes on below, one span after the other."""
    label: tuple[str, str] = (f"{name:<{LABEL}}", "faint")
    line: Row = []
    used = 0
    for text, style in row:
        for start, end in wrap(text, width) if used + len(text) > width else [(0, len(text))]:
            piece = text[start:end]
            if line and used + len(piece) > width:
                yield [label, *line]
                label, line, used = (" " * LABEL, ""), [], 0
            line.append((piece, style))
            used += len(piece)
    yield [label, *line]

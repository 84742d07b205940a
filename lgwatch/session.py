"""The fold from events to a session. No clock, no I/O: the same events give the same session.

`Session.apply` is the only door for change. Everything else here is read by panes, by the headless front end and by
scripts, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lgwatch.events import (
    Again,
    CheckpointSaved,
    CustomWritten,
    Event,
    GraphLoaded,
    Header,
    Interrupted,
    Json,
    LoopDelayed,
    MessageChunk,
    Namespace,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Unknown,
    Updated,
    ValueStored,
    parent_task,
)  # fmt: skip
from lgwatch.index import EventIndex
from lgwatch.messages import Messages
from lgwatch.records import SILENCE, Checkpoint, Interrupt, Message, Part, Run, Span, Task
from lgwatch.visits import Visits

REPEATED = 10_000
"""Notices of one code that a session keeps."""
HELD = 256
"""Chunks that are remembered because others are like them: about one for each message that is being streamed."""


class Held(NamedTuple):
    """A chunk, and where those that are like it go in the run that goes on: message, part, and numbers in the index."""

    like: MessageChunk
    message: Message
    part: Part
    facet: int
    task: int


class Session:
    """What was seen of one graph: feed it with `apply`, then look at `runs`, `messages`, `interrupts`, `index` …"""

    def __init__(self, header: Header | None = None) -> None:
        self.header = header or Header()
        self.index = EventIndex()
        self.graph: GraphLoaded | None = None
        self.runs: list[Run] = []
        self.checkpoints: list[Checkpoint] = []
        self.interrupts: dict[str, Interrupt] = {}
        self.notices: list[tuple[int, Notice]] = []
        self._told: dict[str, int] = {}  # how many of each code there were
        self.errors: list[int] = []
        self.delays: list[LoopDelayed] = []
        self.counts: dict[str, int] = {}
        self.now = 0.0
        self.task_changes = 0
        self.reopened: list[str] = []
        """Ids of tasks that had ended, or were there, and then went on after all: in this order, some more than once."""
        self._tasks: dict[str, Task] = {}
        self._open: set[Task] = set()  # those of the newest run, which are asked for with every picture
        self._held: dict[int, Held] = {}  # by the id of the chunk
        self._early: dict[str, list[Span]] = {}
        self._spans: dict[str, Span] = {}
        self._visits = Visits()
        self._agents: dict[str, str] = {}
        self._said = Messages(self._spans, self._touched)
        self.messages: dict[str, Message] = self._said.by_id
        self.message_list: list[Message] = self._said.all

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> Run | None:
        """The newest run, None before the first."""
        return self.runs[-1] if self.runs else None

    @property
    def status(self) -> str:
        """`loading`, `ready` (a graph and no run yet), or the newest run's status."""
        if self.runs:
            return self.runs[-1].status
        return "ready" if self.graph else "loading"

    @property
    def waiting(self) -> list[Interrupt]:
        """The interrupts that nobody has answered, oldest first; none while a run is going on.

        A run that failed tells again what its thread waits at: an answer that was of no use can be given anew.
        """
        if self.run is None or self.status not in ("interrupted", "failed"):
            return []
        last = self.run.id if self.status == "failed" else None
        return [one for one in self.interrupts.values() if not one.answered and last in (None, one.run)]

    def task(self, name: str) -> Task:
        """Return the newest task with this id or of this node. Raises KeyError."""
        if name in self._tasks:
            return self._tasks[name]
        for run in reversed(self.runs):
            for task in reversed(run.tasks.values()):
                if name in (task.node, task.path):
                    return task
        raise KeyError(name)

    def find_task(self, task: str) -> Task | None:
        """Return the newest task with this id, None when there is none."""
        return self._tasks.get(task)

    def tasks(self) -> Iterator[Task]:
        """All tasks of all runs, in the order in which they were scheduled."""
        for run in self.runs:
            yield from run.tasks.values()

    def messages_of(self, task: str) -> list[Message]:
        """The messages of a task, in order of start."""
        return self._said.of(task)

    @property
    def message_changes(self) -> int:
        """A number that grows whenever a message begins, goes on or ends."""
        return self._said.changes

    def late_messages(self, since: int) -> Iterator[Message]:
        """The messages that went on after they had been closed, as far as a line after `since` says so."""
        return self._said.late(since)

    @property
    def tokens_in(self) -> int:
        """Input tokens of all calls, as the providers reported them."""
        return self._said.tokens_in

    @property
    def tokens_out(self) -> int:
        """Output tokens of all calls, as the providers reported them."""
        return self._said.tokens_out

    @property
    def loops(self) -> dict[str, int]:
        """Nodes that came back to an input that they had before, in this run: path → how many visits had it."""
        return self._visits.loops

    def span(self, span: str) -> Span | None:
        """Return the span with this id."""
        return self._spans.get(span)

    def rate(self, now: float = 0.0) -> float:
        """Output tokens a second of all calls that stream at present, by their own averages; at `now` silent ones have none."""
        return sum(message.rate(now) for message in self._streaming())

    def silent_calls(self, now: float) -> list[tuple[Task, Span]]:
        """LLM calls that have not said anything yet and have been at it for longer than a stream pauses."""
        return [
            (task, span)
            for task in self._open_tasks()
            for span in task.spans
            if span.kind == "llm" and span.ended is None and span.first_token is None and now - span.started >= SILENCE
        ]

    def _streaming(self) -> Iterator[Message]:
        for task in self._open_tasks():
            yield from (message for message in self.messages_of(task.id) if not message.finished)

    def _open_tasks(self) -> Iterator[Task]:
        """The tasks of the newest run that have not ended, in the order in which they were scheduled."""
        if self.run is not None and self.run.status == "running":
            yield from sorted(self._open, key=lambda task: task.seq)

    # ── the fold ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, event: Event) -> int:
        """Take in the next event; return its sequence number."""
        if type(event) is Again:
            return self._go_on(event)
        run = self.runs[-1].id if self.runs else ""
        if type(event) is RunStarted:
            run = event.run
        seq = self.index.add(event, run)
        self.now = max(self.now, event.at)
        kind = event.kind if isinstance(event, Unknown) else event.type
        self.counts[kind] = self.counts.get(kind, 0) + 1
        match event:
            case MessageChunk():
                self._said.take(event, seq, run)
            case CustomWritten():
                if task := self._touched(event.task):
                    task.customs += 1
            case TaskStarted():
                self._schedule(event, seq)
            case SpanStarted():
                self._begin(event, seq)
            case SpanEnded():
                self._finish(event, seq)
            case TaskEnded():
                self._end(event, seq)
            case ValueStored():
                self._visits.store(event)
                if agent := _agent(event.data):
                    self._agents[event.id] = agent
            case Updated():
                if task := self._tasks.get(event.task):
                    task.wrote = _keys(event.writes) or task.wrote
            case CheckpointSaved():
                self._save(event, seq, run)
            case Interrupted():
                self._ask(event, seq, run)
            case RunStarted():
                self._start(event, seq)
            case RunEnded():
                self._close(event, seq)
            case GraphLoaded():
                self.graph = event
            case Notice():
                self._note(event, seq)
            case Output():
                self._touched(event.task)
            case LoopDelayed():
                self.delays.append(event)
        return seq

    def _note(self, event: Notice, seq: int) -> None:
        """Keep what lgwatch says; what it says over and over stands in the journal, as every event does."""
        told = self._told[event.code] = self._told.get(event.code, 0) + 1
        if told <= REPEATED:
            self.notices.append((seq, event))

    def _go_on(self, event: Again) -> int:
        """Take in a chunk like one before it: which message it belongs to is known since then."""
        held = self._held.get(id(event.like))
        if held is None or not event.text or held.message.finished or held.message.parts[-1] is not held.part:
            return self._hold(event)
        seq = self.index.go_on(held.facet, held.task, event.at)
        self.now = max(self.now, event.at)
        self.counts["message"] += 1
        self._said.go_on(held.message, held.part, event, seq)
        return seq

    def _hold(self, event: Again) -> int:
        seq, like = self.apply(event.chunk()), event.like
        if event.text:
            message = self.messages[like.message]
            if len(self._held) >= HELD:
                self._held.clear()
            self._held[id(like)] = Held(like, message, message.parts[-1], self.index.facet[seq], self.index.task[seq])
        return seq

    def _start(self, event: RunStarted, seq: int) -> None:
        config = event.config if isinstance(event.config, dict) else {}
        limit = config.get("recursion_limit")
        self.runs.append(
            Run(
                event.run,
                event.thread,
                event.at,
                seq,
                event.resume,
                event.fork,
                limit=limit if isinstance(limit, int) else None,
            )
        )
        answers = event.resume if isinstance(event.resume, dict) else {}
        for one in self.interrupts.values():
            if one.id in answers:
                one.answered, one.answer = True, answers[one.id]
            elif one.breakpoint or event.input is not None or event.fork or event.thread != self._thread_of(one):
                one.answered = True  # the question is no longer asked
        self._open.clear()
        self._held.clear()
        self._visits.begin(event)
        self.task_changes += 1

    def _thread_of(self, one: Interrupt) -> str:
        return next((run.thread for run in self.runs if run.id == one.run), "")

    def _schedule(self, event: TaskStarted, seq: int) -> None:
        self.task_changes += 1
        current = self._current_run(event, seq)
        if not event.ns:
            current.step = max(current.step, event.step)
            current.first_step = current.first_step or event.step
        before = self._tasks.get(event.task)
        if before is not None:
            self.reopened.append(event.task)
        if before is not None and before.run == current.id:
            before.visits = before.attempts + 1
            before.spans = [span for span in before.spans if span.kind != "node"]
            before.status, before.ended, before.end_seq, before.closed_by = "waiting", None, None, ""
            before.error, before.interrupts = None, ()
            if before is current.tasks.get(event.task):
                self._open.add(before)
            return
        task = self._add_task(event, seq, current)
        task.triggers = event.triggers
        if before is not None:
            task.visits, task.before = before.attempts + 1, before.attempts
            task.known = before.status in ("done", "cached")
            task.same_input = before.same_input
        else:
            task.same_input = self._visits.take(event)

    def _current_run(self, event: Event, seq: int) -> Run:
        if not self.runs:  # a journal whose beginning was cut
            self.runs.append(Run("r1", "", event.at, seq))
            self._held.clear()
        return self.runs[-1]

    def _add_task(self, event: TaskStarted | TaskEnded, seq: int, run: Run) -> Task:
        task = Task(event.task, event.node, event.ns, run.id, event.step, seq, event.at)
        parent = self._parent(event.ns, run) if event.ns else None
        if parent is not None and parent.run == run.id and parent.id != task.id:
            task.parent = parent
            calls = {span.agent or span.name for span in parent.spans if span.kind == "tool" and span.ended is None}
            task.via = calls.pop() if len(calls) == 1 else ""
            parent.children.append(task)
            self._touched(parent.id)
        self._tasks[event.task] = run.tasks[event.task] = task
        self._open.add(task)
        for span in self._early.pop(event.task, []):
            self._adopt(task, span)
            if task.began is None:
                task.status, task.began = "running", span.started
                task.started = min(task.started, span.started)
        return task

    def _parent(self, ns: Namespace, run: Run) -> Task | None:
        """Return the task that runs the graph of a namespace."""
        if known := parent_task(ns):
            return self._tasks.get(known)
        # A graph that keeps its own checkpoints has a name for a namespace, the same in every run.
        while ns and ns[-1].isdecimal():
            ns = ns[:-1]
        found = (task for task in reversed(run.tasks.values()) if ns and task.node == ns[-1] and task.ns == ns[:-1])
        return next((task for task in found if task.open), None)

    @staticmethod
    def _adopt_tasks(task: Task, run: Run) -> None:
        """Take in the tasks of a graph that a task has run which was not known yet."""
        for child in run.tasks.values():
            if child.parent is None and child is not task and child.ns and parent_task(child.ns) == task.id:
                child.parent = task
                task.children.append(child)

    def _touched(self, task_id: str) -> Task | None:
        """A task that does anything has begun, even where no callback says so."""
        task = self._tasks.get(task_id)
        if task is not None and task.status == "waiting":
            task.status = "running"
            task.began = self.now
            self.task_changes += 1
        return task

    def _begin(self, event: SpanStarted, seq: int) -> None:
        span = Span(event.span, event.kind, event.name, event.at, seq, event.parent, event.model)
        if event.kind == "tool" and isinstance(event.input, dict):
            span.agent = _agent(event.input) or self._agents.get(str(event.input.get("$ref")), "")
        self._spans[event.span] = span
        self.task_changes += 1
        task = self._tasks.get(event.task)
        if task is None or not self.runs or task.run != self.runs[-1].id:
            # A node in another thread can be faster than the news of its task.
            self._early.setdefault(event.task, []).append(span)
            return
        if not task.open:
            self.reopened.append(task.id)
        self._touched(task.id)
        self._adopt(task, span)

    @staticmethod
    def _adopt(task: Task, span: Span) -> None:
        task.spans.append(span)
        if span.model and span.model not in task.models:
            task.models = (*task.models, span.model)

    def _finish(self, event: SpanEnded, seq: int) -> None:
        self.task_changes += 1
        cancelled = _is_cancelled(event.error)
        if event.status == "error" and not cancelled:
            self.errors.append(seq)
        span = self._spans.get(event.span)
        if span is None:
            return
        span.ended, span.error, span.end_seq = event.at, event.error, seq
        span.status = "cancelled" if cancelled else event.status
        if span.kind == "llm":
            span.finish = str(event.output.get("finish_reason") or "") if isinstance(event.output, dict) else ""
            self._said.call_ended(span, event.usage, seq)
        elif span.kind == "tool":
            span.goto = _goto(event.output)

    def _end(self, event: TaskEnded, seq: int) -> None:
        self.task_changes += 1
        run = self._current_run(event, seq)
        task = self._tasks.get(event.task)
        if task is not None and not task.open:
            self.reopened.append(event.task)
        if task is None or task.run != run.id:  # an error handler's task has an end and no start
            task = self._add_task(event, seq, run)
            if task.began is None:
                task.began = event.at
            if task.parent is None:
                self._adopt_tasks(task, run)
        task.end_seq, task.error, task.interrupts = seq, event.error, event.interrupts
        task.wrote = _keys(event.writes) or task.wrote
        status = "done"
        if _is_cancelled(event.error):
            status = "cancelled"
        elif event.error:
            status = "failed"
            self.errors.append(seq)
        elif event.interrupts:
            status = "interrupted"
        elif event.cached:
            status = "cached"
        self._shut(task, status, event.at)

    def _shut(self, task: Task, status: str, at: float, closed_by: str = "") -> None:
        """Close a task and, before it, everything that was still open inside of it."""
        inside = status if status in ("done", "interrupted") else "cancelled"
        if closed_by and task.known and task.began is None:
            status = "cached"  # LangGraph says nothing of a function's task whose result it has
        for child in task.children:
            if child.open:
                self._shut(child, inside, at, "parent")
        task.status, task.ended, task.closed_by = status, at, closed_by
        self._open.discard(task)
        attempt = next((span for span in reversed(task.spans) if span.kind == "node"), None)
        if status == "cancelled" and attempt is not None and attempt.status == "error":
            task.status, task.error = "failed", attempt.error
        for span in task.spans:
            if span.ended is None:
                span.ended, span.status = at, "ok" if status == "done" else status
        task.tokens = sum(message.tokens[0] for message in self.messages_of(task.id))
        for message in self.messages_of(task.id):
            if not message.finished:
                self._said.finish(message, "done" if status in ("done", "cached") else "cut")

    def _save(self, event: CheckpointSaved, seq: int, run: str) -> None:
        self.task_changes += 1
        self.checkpoints.append(
            Checkpoint(
                event.checkpoint, event.parent, event.step, event.source, event.next, event.ns, run, event.at, seq
            )
        )

    def _ask(self, event: Interrupted, seq: int, run: str) -> None:
        self.task_changes += 1
        self.interrupts[event.interrupt] = Interrupt(
            event.interrupt, event.value, event.node, event.ns, event.task, run, event.at, seq, event.schema
        )

    def _close(self, event: RunEnded, seq: int) -> None:
        self.task_changes += 1
        if event.status in ("failed", "crashed"):
            self.errors.append(seq)
        run = next((run for run in reversed(self.runs) if run.id == event.run), None)
        if run is None:  # the target could not be loaded: a run that never began
            run = Run(event.run, "", event.at, seq)
            self.runs.append(run)
            self._open.clear()
            self._held.clear()
        run.status, run.ended, run.error, run.end_seq = event.status, event.at, event.error, seq
        left = {"done": "done", "interrupted": "interrupted"}.get(event.status, "cancelled")
        for task in run.tasks.values():
            if task.open:
                self._shut(task, left, event.at, "run")
        for span in self._spans.values():  # of no task, or begun after its task's end
            if span.ended is None:
                span.ended, span.status = event.at, "ok" if left == "done" else left
        for message in self.messages.values():
            if not message.finished and message.run == run.id:
                self._said.finish(message, "done" if left == "done" else "cut")


def _goto(output: Json) -> tuple[str, ...]:
    """Return the nodes that a tool's command goes to; a command in a list is one of several things that were answered."""
    found: list[str] = []
    for one in output if isinstance(output, list) else [output]:
        fields = one.get("fields") if isinstance(one, dict) and one.get("$type") == "Command" else None
        to = fields.get("goto") if isinstance(fields, dict) else None
        for node in to if isinstance(to, list) else [to]:
            sent = node.get("fields") if isinstance(node, dict) else None
            name = sent.get("node") if isinstance(sent, dict) else node
            found += [name] if name and isinstance(name, str) else []
    return tuple(dict.fromkeys(found))


def _agent(data: Json) -> str:
    """Return which agent the input of a tool call names, as deep agents do; "" where it names none."""
    name = data.get("subagent_type") if type(data) is dict else None
    return name if isinstance(name, str) else ""


def _is_cancelled(error: dict[str, Json] | None) -> bool:
    """Whether the error is what a coroutine gets when its run is stopped: an end, and no failure of its own."""
    return error is not None and str(error.get("type", "")).rpartition(".")[2] == "CancelledError"


def _keys(writes: Json) -> tuple[str, ...]:
    """Return the state keys that a task wrote; `$ref`, `$type` and the like are none."""
    return tuple(key for key in writes if not key.startswith("$")) if isinstance(writes, dict) else ()

"""Stream part `(ns, mode, payload)` → events. Payloads are live aliases of the user's state: read on arrival, never
changed, never kept; past this module no LangChain object exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    Interrupted,
    Json,
    MessageChunk,
    Namespace,
    Notice,
    TaskEnded,
    TaskStarted,
    Updated,
)  # fmt: skip
from lgwatch.runner.calls import Calls
from lgwatch.runner.failure import failure
from lgwatch.runner.held import Held, Part
from lgwatch.runner.tasks import Running, Tasks

Snapshot = Callable[[object], Json]


class Memory(Protocol):
    """Snapshots with memory (`values.Values`)."""

    def snapshot(self, value: object) -> Json:
        """Return the JSON-safe form of a value."""

    def touch(self) -> None:
        """User code may have run since."""


class Decoder:
    """Turns the parts of one run's stream into events, in the order in which they arrive.

    `append` takes an event; `repeat` returns a function that appends a chunk with another text each time. One decoder
    per run, since task and interrupt ids come again when a thread goes on. Other threads may call `snapshot` and `touch`,
    and what `tasks` allows.
    """

    def __init__(
        self,
        append: Callable[[Event], None],
        repeat: Callable[[MessageChunk], Callable[[str], None]],
        memory: Memory,
        *,
        node_tags: Mapping[tuple[str, ...], tuple[str, ...]] | None = None,
        on_task_end: Callable[[str], None] = lambda task: None,
    ) -> None:
        self._append = append
        self.snapshot = memory.snapshot
        """The JSON-safe form of a value. Callbacks come from the threads of the nodes, so `memory` allows for several."""
        self.touch = memory.touch
        self.tasks = Tasks(node_tags or {}, on_task_end)
        self.pinned = False
        """Whether the namespace of a custom part ends with the segment of the task that wrote it."""
        self._guessed = False
        calls = Calls(append, repeat, self.tasks)
        self._modes: dict[str, Callable[[Namespace, Any], None]] = {
            "messages": calls.decode, "custom": self._custom, "updates": self._updates, "debug": self._debug,
        }  # fmt: skip
        self._held = Held()
        self._next: dict[Namespace, tuple[str, ...]] = {}
        self._ended_since: set[Namespace] = set()  # graphs in which tasks have ended since their last checkpoint
        self.stopped_after = False
        """Whether a breakpoint came before the checkpoint that would tell what is next, as it does before 1.2."""
        self._seen: set[str] = set()
        self._fresh = False  # whether no user code can have run since the last part
        self.interrupts: dict[str, Interrupted] = {}
        """What waits for an answer, by interrupt id."""
        self.state: Json = None
        """The root graph's state at the last checkpoint."""

    def decode(self, ns: Sequence[str], mode: str, payload: Any) -> None:
        """Append the events that this part stands for."""
        self._modes[mode](tuple(ns), payload)

    def flush(self, ns: Namespace | None = None) -> None:
        """Append what still waits for the result of its task, in one graph or in all; for the end of a step or the stream."""
        if not self._held.parts:
            return
        for part in self._held.rest(ns):
            if part.node:
                task = self.tasks.guess(part.ns, part.node)
                name = task.id if task else ""
                self._append(Updated(ns=part.ns, task=name, node=part.node, writes=part.writes))
            else:
                open_here = [task for task in self.tasks.by_id.values() if task.open and task.ns == part.ns]
                self._interrupt(part.ns, part.payload, open_here[0] if len(open_here) == 1 else None)

    # ── debug ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _debug(self, ns: Namespace, envelope: Mapping[str, Any]) -> None:
        kind, payload = envelope["type"], envelope["payload"]
        if self._held.parts and kind != "task_result":
            self.flush(ns)
        if kind == "task":
            self._started(ns, envelope.get("step", 0), payload)
        elif kind == "task_result":
            self._result(ns, envelope.get("step", 0), payload)
        elif kind == "checkpoint":
            self._saved(ns, payload)

    def _started(self, ns: Namespace, step: int, payload: Mapping[str, Any]) -> None:
        task, node = str(payload["id"]), str(payload["name"])
        metadata = payload.get("metadata")
        own = metadata.get("tags") if isinstance(metadata, dict) else None
        self.tasks.by_id[task] = Running(task, node, ns, step, self.tasks.tags(ns, node, own))
        if not self._fresh:
            self.touch()
            self._fresh = True
        self._append(
            TaskStarted(
                ns=ns, task=task, node=node, step=step,
                triggers=tuple(map(str, payload.get("triggers") or ())), input=self.snapshot(payload.get("input")),
            )
        )  # fmt: skip

    def _result(self, ns: Namespace, step: int, payload: Mapping[str, Any]) -> None:
        self._fresh = False
        self._ended_since.add(ns)
        task, node = str(payload["id"]), str(payload["name"])
        known = self.tasks.by_id.get(task)
        if known is None:  # `error_handler=` tasks end without a start
            known = Running(task, node, ns, step, ())
            self.tasks.by_id[task] = known
        result = payload.get("result")
        if isinstance(result, list):  # a list of pairs up to 0.4
            result = _folded(result)
        writes = self._take_held(ns, known, result, payload)
        error, asked = payload.get("error"), payload.get("interrupts")
        self._append(
            TaskEnded(
                ns=ns, task=task, node=node, step=step or known.step, writes=writes,
                error=None if error is None else failure(error),
                interrupts=tuple(map(interrupt_id, asked)) if asked else (),
            )
        )  # fmt: skip
        self.tasks.close(known)

    def _take_held(self, ns: Namespace, task: Running, result: Any, payload: Mapping[str, Any]) -> Json:
        """Append what waited for this result, pinned to its task; return the snapshot of the result."""
        if not self._held.parts:
            self.touch()
            return self._writes(result)
        update, same = self._held.update(ns, task.node, result)
        if update is not None:
            self._append(Updated(ns=ns, task=task.id, node=task.node, writes=update.writes))
        if asked := payload.get("interrupts"):
            self._interrupt(ns, self._held.interrupts(ns, set(map(interrupt_id, asked)), interrupt_id), task)
        return update.writes if update is not None and same else self._writes(result)

    def _writes(self, result: Any) -> Json:
        """Return the snapshot of a result, in which LangGraph puts several writes to one channel under `$writes`."""
        if type(result) is not dict:
            return self.snapshot(result)
        several = {channel: value["$writes"] for channel, value in result.items() if _is_several(value)}
        if not several:
            return self.snapshot(result)
        writes = self.snapshot({channel: value for channel, value in result.items() if channel not in several})
        told = {str(channel): {"$type": "writes", "items": self.snapshot(value)} for channel, value in several.items()}
        return {**writes, **told}

    def _saved(self, ns: Namespace, payload: Mapping[str, Any]) -> None:
        metadata = payload.get("metadata") or {}
        upcoming = tuple(map(str, payload.get("next") or ()))
        self._next[ns] = upcoming
        self._ended_since.discard(ns)
        self.touch()
        self._fresh = True  # the tasks that follow are told of before any of them starts
        values = self.snapshot(payload.get("values"))
        if not ns:
            self.state = values
        self._append(
            CheckpointSaved(
                ns=ns, checkpoint=_checkpoint_id(payload.get("config")) or "",
                parent=_checkpoint_id(payload.get("parent_config")), step=metadata.get("step", 0),
                source=str(metadata.get("source") or ""), next=upcoming, values=values,
            )
        )  # fmt: skip

    def stands_at(self, state: Any, ns: Namespace = ()) -> None:
        """Append the checkpoints of a thread's state, and of those in it, that came after the last of the stream."""
        if ns in self._ended_since and state.metadata:
            config, parent = state.config, state.parent_config
            saved = {"config": config, "parent_config": parent, "metadata": state.metadata, "next": state.next}
            self._saved(ns, {**saved, "values": state.values})
        for task in state.tasks:
            if hasattr(task.state, "tasks"):
                self.stands_at(task.state, (*ns, f"{task.name}:{task.id}"))

    # ── updates and interrupts ───────────────────────────────────────────────────────────────────────────────────

    def _updates(self, ns: Namespace, payload: Mapping[str, Any]) -> None:
        self._fresh = False
        self.touch()
        metadata = payload.get("__metadata__")
        cached = isinstance(metadata, dict) and bool(metadata.get("cached"))
        for node, update in payload.items():
            if node == "__interrupt__":
                self._interrupted(ns, update)
            elif node == "__metadata__" and cached:
                continue
            elif cached:
                self._cached(ns, str(node), update)
            else:
                # The task's result comes next and tells which of the tasks of this name it was.
                self._held.add(Part(ns, str(node), update, self.snapshot(update)))

    def _cached(self, ns: Namespace, node: str, update: Any) -> None:
        """A result out of the cache, or of a visit before the interrupt: no `task_result` follows."""
        task = self.tasks.guess(ns, node)
        writes = self.snapshot(update)
        self._append(Updated(ns=ns, task=task.id if task else "", node=node, writes=writes))
        if task is not None:
            self._append(TaskEnded(ns=ns, task=task.id, node=node, step=task.step, writes=writes, cached=True))
            self.tasks.close(task)

    def _interrupted(self, ns: Namespace, found: Any) -> None:
        asked = list(found) if isinstance(found, list | tuple) else [found]
        if not asked:
            self._breakpoint(ns)
        elif fresh := [one for one in asked if interrupt_id(one) not in self._seen]:
            # Each graph on the way up repeats it; the first to tell is the deepest.
            self._held.add(Part(ns, "", fresh))

    def _interrupt(self, ns: Namespace, asked: Iterable[Any], task: Running | None) -> None:
        for one in asked:
            name = interrupt_id(one)
            if name in self._seen:
                continue
            self._seen.add(name)
            event = Interrupted(
                ns=ns, interrupt=name, value=self.snapshot(_get(one, "value")), task=task.id if task else "",
                node=task.node if task else "", schema=self.snapshot(_get(one, "response_schema")),
            )  # fmt: skip
            self.interrupts[name] = event
            self._append(event)

    def _breakpoint(self, ns: Namespace) -> bool:
        """Handle a static breakpoint, an interrupt that holds nothing: the last checkpoint tells which node is next.

        Return whether a node waits there. A graph that stops after its last node has none: the node that runs it waits.
        """
        if any(event.ns[: len(ns)] == ns and len(event.ns) > len(ns) for event in self.interrupts.values()):
            return True  # a graph further down has stopped, and this one with it
        if ns in self._ended_since:
            self.stopped_after = True
        if self.stopped_after:
            return True
        upcoming = [node for node in self._next.get(ns, ()) if not node.startswith("__")]
        for node in upcoming:
            task = self.tasks.guess(ns, node)
            inner = (*ns, f"{node}:{task.id}") if task else ns
            if inner in self._next and inner != ns and self._breakpoint(inner):
                continue
            event = Interrupted(ns=ns, interrupt=f"breakpoint:{node}", node=node)
            self.interrupts[event.interrupt] = event
            self._append(event)
        return bool(upcoming)

    # ── custom ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _custom(self, ns: Namespace, payload: Any) -> None:
        self._fresh = False
        self.touch()
        data = self.snapshot(payload)
        task: Running | None = None
        node = task_id = ""
        if self.pinned:
            if ns:  # else it was written in a thread of which nobody knows whose it is
                ns, node, task_id = self.tasks.running("|".join(ns))
        elif task := self._infer(ns):
            node, task_id = task.node, task.id
        self._append(CustomWritten(ns=ns, task=task_id, node=node, data=data))

    def _infer(self, ns: Namespace) -> Running | None:
        """Return the only task that can have written to this namespace."""
        if not self._guessed:
            self._guessed = True
            text = "this LangGraph does not tell which node wrote a custom event: it is inferred from the running tasks"
            self._append(Notice(code="custom", text=text))
        # Up to 0.4 the namespace is always the root's; the writer may be anywhere.
        found = [task for task in self.tasks.by_id.values() if task.open and task.ns == ns]
        return found[0] if len(found) == 1 else None


# ── small readers ────────────────────────────────────────────────────────────────────────────────────────────────────


def _get(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)


def interrupt_id(found: Any) -> str:
    """Return an interrupt's id, "" when it has none."""
    # Up to 0.4 an interrupt has no id, only the namespace of its task.
    return str(_get(found, "id") or _get(found, "interrupt_id") or "|".join(map(str, _get(found, "ns") or ())))


def _checkpoint_id(config: Any) -> str | None:
    conf = config.get("configurable") if config else None
    found = conf.get("checkpoint_id") if conf else None
    return None if found is None else str(found)


def _folded(result: Iterable[Any]) -> Json:
    """Return a list of `(channel, value)` pairs as newer versions do: a dict, several writes under `$writes`."""
    folded: dict[str, list[Any]] = {}
    for pair in result:
        channel, value = pair
        folded.setdefault(str(channel), []).append(value)
    return {channel: values[0] if len(values) == 1 else {"$writes": values} for channel, values in folded.items()}


def _is_several(value: Any) -> bool:
    return type(value) is dict and type(value.get("$writes")) is list and len(value) == 1

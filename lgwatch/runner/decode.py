"""Stream part `(ns, mode, payload)` → events. Payloads are live aliases of the user's state: read on arrival, never
changed, never kept; past this module no LangChain object exists."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import is_
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
from lgwatch.runner import messages
from lgwatch.runner.failure import error_dict

KEPT_TASKS = 4096
"""Ended tasks that are remembered, so that what they left running can still be pinned to them."""
KEPT_CALLS = 256
"""LLM calls that are remembered after they ended."""
LONG = 65_536
"""Characters of one chunk above which its text is cut like any other value."""

Snapshot = Callable[[object], Json]


class Memory(Protocol):
    """Snapshots with memory (`values.Values`)."""

    def snapshot(self, value: object) -> Json:
        """Return the JSON-safe form of a value."""

    def touch(self) -> None:
        """User code may have run since."""


class Running:
    """A task as the stream told of it: what a chunk or a print needs to be pinned to it."""

    __slots__ = ("id", "node", "ns", "open", "step", "tags")

    def __init__(self, task: str, node: str, ns: Namespace, step: int, tags: tuple[str, ...]) -> None:
        self.id = task
        self.node = node
        self.ns = ns
        self.step = step
        self.tags = tags
        self.open = True


class Call:
    """One LLM call. LangGraph hands over the same metadata object with each of its chunks: that object is the key."""

    __slots__ = ("_append", "_repeat", "_repeats", "ended", "event", "metadata", "say")

    def __init__(
        self,
        metadata: Mapping[str, Any],
        event: MessageChunk,
        append: Callable[[Event], None],
        repeat: Callable[[MessageChunk], Callable[[str], None]],
    ) -> None:
        self.metadata = metadata  # held, so that no other object can get its address
        self.event = event
        self.ended = False
        self._append = append
        self._repeat = repeat
        self._repeats: dict[tuple[str, Json], Callable[[str], None]] = {}
        self.say = repeat(event)  # the hot path: a chunk that is text and nothing else

    def write(self, piece: messages.Piece, *, usage: dict[str, Json] | None, last: bool, whole: bool) -> None:
        """Append one event with everything that is known about the call."""
        call = piece.tool_call
        if usage is None and not (last or whole) and (call is None or len(call) == 1):
            key = (piece.kind, call and call["index"])
            if key not in self._repeats:
                self._repeats[key] = self._repeat(self._chunk(piece._replace(text=""), None, last=False, whole=False))
            self._repeats[key](piece.text)
        else:
            self._append(self._chunk(piece, usage, last=last, whole=whole))

    def _chunk(self, piece: messages.Piece, usage: dict[str, Json] | None, *, last: bool, whole: bool) -> MessageChunk:
        event = self.event
        return MessageChunk(
            ns=event.ns, message=event.message, role=event.role, node=event.node, task=event.task, step=event.step,
            tags=event.tags, model=event.model, name=event.name, text=piece.text, kind=piece.kind,
            tool_call=piece.tool_call, usage=usage, last=last, whole=whole,
        )  # fmt: skip


class Decoder:
    """Turns the parts of one run's stream into events, in the order in which they arrive.

    `append` takes an event; `repeat` returns a function that appends a chunk with another text each time. One decoder
    per run, since task and interrupt ids come again when a thread goes on. Other threads may call `snapshot`, `touch`,
    `sole` and `running`.
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
        self._repeat = repeat
        self.snapshot = memory.snapshot
        """The JSON-safe form of a value. Callbacks come from the threads of the nodes, so `memory` allows for several."""
        self.touch = memory.touch
        self._node_tags = node_tags or {}
        self._on_task_end = on_task_end
        self.pinned = False
        """Whether the namespace of a custom part ends with the segment of the task that wrote it."""
        self._guessed = False
        self._modes: dict[str, Callable[[Namespace, Any], None]] = {
            "messages": self._message, "custom": self._custom, "updates": self._updates, "debug": self._debug,
        }  # fmt: skip
        self._tasks: dict[str, Running] = {}
        self._ended: deque[Running] = deque()
        self._calls: dict[int, Call] = {}
        self._done: deque[Call] = deque()
        self._held: list[tuple[Namespace, str, Any, Json]] = []
        self._next: dict[Namespace, tuple[str, ...]] = {}
        self._seen: set[str] = set()
        self._fresh = False  # whether no user code can have run since the last part
        self.interrupts: dict[str, Interrupted] = {}
        """What waits for an answer, by interrupt id."""
        self.state: Json = None
        """The root graph's state at the last checkpoint."""

    def decode(self, ns: Sequence[str], mode: str, payload: Any) -> None:
        """Append the events that this part stands for."""
        self._modes[mode](tuple(ns), payload)

    def flush(self) -> None:
        """Append what still waits for the part after it; for the end of the stream."""
        held, self._held = self._held, []
        for ns, node, payload, writes in held:
            if node:
                task = self._guess(ns, node)
                self._append(Updated(ns=ns, task=task.id if task else "", node=node, writes=writes))
            else:
                open_here = [task for task in self._tasks.values() if task.open and task.ns == ns]
                self._interrupt(ns, payload, open_here[0] if len(open_here) == 1 else None)

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────

    def running(self, checkpoint_ns: str) -> tuple[Namespace, str, str]:
        """Return namespace, node and task id of a `langgraph_checkpoint_ns`."""
        *ns, last = checkpoint_ns.split("|")
        node, _, task = last.rpartition(":")
        known = self._tasks.get(task)
        # A `@task` runs in the graph of its caller though its segment stands below the caller's.
        return (known.ns if known else tuple(ns)), node, task

    def sole(self) -> Running | None:
        """Return the one task that can be at work, None when there are several or none."""
        found: Running | None = None
        for task in list(self._tasks.values()):
            if not task.open:
                continue
            # A task that runs a graph is open as long as the tasks in it.
            if found is None or (task.ns and task.ns[-1].endswith(found.id)):
                found = task
            elif not (found.ns and any(segment.endswith(task.id) for segment in found.ns)):
                return None
        return found

    def _guess(self, ns: Namespace, node: str) -> Running | None:
        """Return the oldest open task of this name; LangGraph does not say which one wrote an update."""
        for task in self._tasks.values():
            if task.open and task.node == node and task.ns == ns:
                return task
        return None

    def _close(self, task: Running) -> None:
        if not task.open:
            return
        task.open = False
        self._ended.append(task)
        if len(self._ended) > KEPT_TASKS:
            old = self._ended.popleft()
            if self._tasks.get(old.id) is old:
                del self._tasks[old.id]
        self._on_task_end(task.id)

    def _tags(self, ns: Namespace, node: str, own: object) -> tuple[str, ...]:
        """Return a task's own tags, those of its node, and those of the tasks that it runs in."""
        if own is None and not ns and not self._node_tags:
            return ()
        tags = dict.fromkeys(_strings(own))
        if (
            self._node_tags
        ):  # before 1.2.22 a task has no metadata, and after it a run's tags take the place of the node's
            tags.update(dict.fromkeys(self._node_tags.get(_names(ns, node), ())))
        for segment in ns:
            if outer := self._tasks.get(segment.rpartition(":")[2]):
                tags.update(dict.fromkeys(outer.tags))
        return tuple(tags)

    # ── debug ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _debug(self, ns: Namespace, envelope: Mapping[str, Any]) -> None:
        kind, payload = envelope["type"], envelope["payload"]
        if self._held and kind != "task_result":
            self.flush()
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
        self._tasks[task] = Running(task, node, ns, step, self._tags(ns, node, own))
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
        task, node = str(payload["id"]), str(payload["name"])
        known = self._tasks.get(task)
        if known is None:  # `error_handler=` tasks end without a start
            known = Running(task, node, ns, step, ())
            self._tasks[task] = known
        result = payload.get("result")
        if isinstance(result, list):  # a list of pairs up to 0.4
            result = _folded(result)
        writes = self._take_held(ns, known, result, payload)
        error, asked = payload.get("error"), payload.get("interrupts")
        self._append(
            TaskEnded(
                ns=ns, task=task, node=node, step=step or known.step, writes=writes,
                error=None if error is None else failure(error),
                interrupts=tuple(map(_interrupt_id, asked)) if asked else (),
            )
        )  # fmt: skip
        self._close(known)

    def _take_held(self, ns: Namespace, task: Running, result: Any, payload: Mapping[str, Any]) -> Json:
        """Append what waited for this result, pinned to its task; return the snapshot of the result."""
        if not self._held:
            self.touch()
            return self._writes(result)
        held, self._held = self._held, []
        found: list[Json] = []
        for part in held:
            part_ns, node, part_payload, writes = part
            if part_ns == ns and node and node == task.node:
                self._append(Updated(ns=ns, task=task.id, node=node, writes=writes))
                if _same(part_payload, result):
                    found.append(writes)
            elif part_ns == ns and not node and payload.get("interrupts"):
                self._interrupt(ns, part_payload, task)
            else:
                self._held = [part]
                self.flush()
        return found[0] if found else self._writes(result)

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

    # ── updates and interrupts ───────────────────────────────────────────────────────────────────────────────────

    def _updates(self, ns: Namespace, payload: Mapping[str, Any]) -> None:
        if self._held:
            self.flush()
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
                self._held.append((ns, str(node), update, self.snapshot(update)))

    def _cached(self, ns: Namespace, node: str, update: Any) -> None:
        """A result out of the cache, or of a visit before the interrupt: no `task_result` follows."""
        task = self._guess(ns, node)
        writes = self.snapshot(update)
        self._append(Updated(ns=ns, task=task.id if task else "", node=node, writes=writes))
        if task is not None:
            self._append(TaskEnded(ns=ns, task=task.id, node=node, step=task.step, writes=writes, cached=True))
            self._close(task)

    def _interrupted(self, ns: Namespace, found: Any) -> None:
        asked = list(found) if isinstance(found, list | tuple) else [found]
        if not asked:
            self._breakpoint(ns)
        elif fresh := [one for one in asked if _interrupt_id(one) not in self._seen]:
            # Each graph on the way up repeats it; the first to tell is the deepest.
            self._held.append((ns, "", fresh, None))

    def _interrupt(self, ns: Namespace, asked: Iterable[Any], task: Running | None) -> None:
        for one in asked:
            name = _interrupt_id(one)
            if name in self._seen:
                continue
            self._seen.add(name)
            event = Interrupted(
                ns=ns, interrupt=name, value=self.snapshot(_get(one, "value")), task=task.id if task else "",
                node=task.node if task else "", schema=self.snapshot(_get(one, "response_schema")),
            )  # fmt: skip
            self.interrupts[name] = event
            self._append(event)

    def _breakpoint(self, ns: Namespace) -> None:
        """Handle a static breakpoint, an interrupt that holds nothing: the last checkpoint tells which node is next."""
        if any(event.ns[: len(ns)] == ns and len(event.ns) > len(ns) for event in self.interrupts.values()):
            return  # a graph further down has stopped, and this one with it
        for node in self._next.get(ns, ()):
            task = self._guess(ns, node)
            inner = (*ns, f"{node}:{task.id}") if task else ns
            if inner in self._next and inner != ns:
                self._breakpoint(inner)
            elif not node.startswith("__"):
                event = Interrupted(ns=ns, interrupt=f"breakpoint:{node}", node=node)
                self.interrupts[event.interrupt] = event
                self._append(event)

    # ── custom ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _custom(self, ns: Namespace, payload: Any) -> None:
        self._fresh = False
        self.touch()
        data = self.snapshot(payload)
        task: Running | None = None
        node = task_id = ""
        if self.pinned and ns:
            segment = ns[-1]
            node, _, task_id = segment.rpartition(":")
            if task := self._tasks.get(task_id):
                ns = task.ns
            elif node:
                ns = ns[:-1]
        elif task := self._infer(ns):
            node, task_id = task.node, task.id
        if self._held:
            self.flush()
        self._append(CustomWritten(ns=ns, task=task_id, node=node, data=data))

    def _infer(self, ns: Namespace) -> Running | None:
        """Return the only task that can have written to this namespace."""
        if not self._guessed:
            self._guessed = True
            text = "this LangGraph does not tell which node wrote a custom event: it is inferred from the running tasks"
            self._append(Notice(code="custom", text=text))
        # Up to 0.4 the namespace is always the root's; the writer may be anywhere.
        found = [task for task in self._tasks.values() if task.open and task.ns == ns]
        return found[0] if len(found) == 1 else None

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _message(self, ns: Namespace, payload: tuple[Any, Mapping[str, Any]]) -> None:
        message, metadata = payload
        call = self._calls.get(id(metadata))
        if call is not None:
            # Nine chunks of ten are text and nothing else.
            own = getattr(message, "__dict__", None) or {}
            text = own.get("content")
            if (
                type(text) is str
                and text
                and not (
                    own.get("chunk_position")
                    or own.get("usage_metadata")
                    or own.get("tool_call_chunks")
                    or own.get("additional_kwargs")
                )
                and type(message).__name__ == "AIMessageChunk"
                and len(text) < LONG
            ):
                call.say(text)
                return
        if self._held:
            self.flush()
        self._slow_message(call, message, metadata)

    def _slow_message(self, call: Call | None, message: Any, metadata: Mapping[str, Any]) -> None:
        chunk = messages.is_chunk(message)
        from_model = "ls_model_type" in metadata or (chunk and "ls_provider" in metadata)
        if call is None:
            call = self._call(message, metadata)
            if from_model:
                self._calls[id(metadata)] = call
        elif not chunk:
            # A provider that changed its ids on the way: LangGraph takes the whole message for another one.
            if not call.ended:
                self._end_call(call, messages.Piece("text", ""), messages.usage(message))
            return
        whole = not (chunk and from_model)
        last = whole or messages.field(message, "chunk_position") == "last"
        self._say(call, message, last=last, whole=whole)
        if last:
            self._ended_call(call)

    def _say(self, call: Call, message: Any, *, last: bool, whole: bool) -> None:
        said = [piece if len(piece.text) < LONG else _cut(piece) for piece in messages.pieces(message)]
        usage = messages.usage(message)
        if not said:
            if not (last or usage):
                return  # an empty first chunk, or one with nothing but response metadata
            said = [messages.Piece("text", "")]
        *before, final = said
        for piece in before:
            call.write(piece, usage=None, last=False, whole=whole)
        call.write(final, usage=usage, last=last, whole=whole)

    def _call(self, message: Any, metadata: Mapping[str, Any]) -> Call:
        path = metadata.get("langgraph_checkpoint_ns")
        ns, node, task = self.running(path) if isinstance(path, str) else ((), "", "")
        running = self._tasks.get(task)
        tags = dict.fromkeys(_strings(metadata.get("tags")))
        tags.update(dict.fromkeys(running.tags if running else self._tags(ns, node, None)))
        step = metadata.get("langgraph_step")
        event = MessageChunk(
            ns=ns,
            message=str(messages.field(message, "id") or ""),
            role=messages.role(message),
            node=node or str(metadata.get("langgraph_node") or ""),
            task=task,
            step=step if isinstance(step, int) else 0,
            tags=tuple(tags),
            model=messages.model(message, metadata) if messages.role(message) == "ai" else "",
            name=str(messages.field(message, "name") or ""),
        )
        return Call(metadata, event, self._append, self._repeat)

    def _end_call(self, call: Call, piece: messages.Piece, usage: dict[str, Json] | None) -> None:
        call.write(piece, usage=usage, last=True, whole=False)
        self._ended_call(call)

    def _ended_call(self, call: Call) -> None:
        if call.ended:
            return
        call.ended = True
        self._done.append(call)
        if len(self._done) > KEPT_CALLS:
            self._calls.pop(id(self._done.popleft().metadata), None)


def node_tags(graph: Any) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the tags that nodes were given in their metadata, by the path of node names from the root."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        graphs = [((), graph), *((tuple(name.split("|")), inner) for name, inner in graph.get_subgraphs(recurse=True))]
        for path, one in graphs:
            for name, node in (getattr(one, "nodes", None) or {}).items():
                metadata = getattr(node, "metadata", None)
                if isinstance(metadata, Mapping) and (tags := tuple(_strings(metadata.get("tags")))):
                    key = (*path, str(name))
                    found[key] = tags
    except Exception:  # a graph of another kind has nothing to tell here
        return found
    return found


def _names(ns: Namespace, node: str) -> tuple[str, ...]:
    return (*(segment.rpartition(":")[0] for segment in ns if ":" in segment), node)


# ── small readers ────────────────────────────────────────────────────────────────────────────────────────────────────


def failure(error: object) -> dict[str, Json]:
    """Return `{type, message, traceback}` of what a task failed with: an exception, or its `repr` in older versions."""
    if isinstance(error, BaseException):
        return error_dict(error)
    return {"type": "", "message": str(error), "traceback": ""}


def _strings(tags: object) -> Iterator[str]:
    """Yield the user's own tags of a `tags` entry, which is user data: a list, a string, or anything."""
    if isinstance(tags, str):
        yield tags
    elif isinstance(tags, list | tuple | set | frozenset):
        for tag in tags:
            # LangGraph's own marks, which older versions leave in.
            if isinstance(tag, str) and not tag.startswith(("seq:step:", "graph:step:", "map:key:", "langsmith:")):
                yield tag


def _get(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)


def _interrupt_id(found: Any) -> str:
    # Up to 0.4 an interrupt has no id, only the namespace of its task.
    return str(_get(found, "id") or _get(found, "interrupt_id") or "|".join(map(str, _get(found, "ns") or ())))


def _checkpoint_id(config: Any) -> str | None:
    found = ((config or {}).get("configurable") or {}).get("checkpoint_id")
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


def _same(update: Any, result: Any) -> bool:
    """Whether an update and a result are the same objects under the same names."""
    return (
        type(update) is dict
        and type(result) is dict
        and update.keys() == result.keys()
        and all(map(is_, update.values(), map(result.__getitem__, update)))
    )


def _cut(piece: messages.Piece) -> messages.Piece:
    return piece._replace(text=f"{piece.text[:LONG]}… ({len(piece.text):,} characters)")

"""Runs a graph as nobody's watcher would, and notes what it streams; each run of a thread is an account of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from langgraph.types import Command

from lgwatch.events import Json
from lgwatch.runner.account.calls import Heard, error_of, said, task_at
from lgwatch.runner.account.plain import plain

MODES = ["updates", "messages", "values", "debug"]


async def take_account(
    graph: Any,
    given: Any,
    *,
    config: Mapping[str, Any] | None = None,
    answers: Sequence[Json] = (),
    sync: bool = False,
    **options: Any,
) -> dict[str, Json]:
    """Run the graph on a new thread, and go on with each of `answers`; return what happened.

    An answer is for every interrupt that waits, or an object `{"$for": {node: answer}}`; None goes on after a
    breakpoint, and `{"$input": …}` is no answer but a further input for the thread. `options` go to `stream`. What the graph raises is part of the account.
    """
    thread = {"configurable": {"thread_id": uuid.uuid4().hex, **((config or {}).get("configurable") or {})}}
    config = {**(config or {}), **thread}
    runs: list[Json] = []
    asked: dict[str, str] = {}
    state: Any = None
    for turn, answer in enumerate([None, *answers]):
        account = Account()
        await account.run(graph, given if turn == 0 else resume(answer, asked), config, options, sync=sync)
        asked = account.asked
        state = await _state(graph, config, sync=sync)
        stops = list(_upcoming(state)) if account.stopped and state is not None else []
        if account.stopped and state is not None:
            account.stands_at(state)
        runs.append(account.told(stops, kept=bool(getattr(graph, "checkpointer", None))))
    return {"runs": runs, "state": None if state is None else {"values": plain(state.values), "next": list(state.next)}}


def resume(answer: Json, asked: Mapping[str, str]) -> Any:
    """Return what a run goes on with; `asked` maps the ids of what waits to the nodes that ask."""
    if isinstance(answer, dict) and "$input" in answer:
        return answer["$input"]
    if not asked:
        return None
    if isinstance(answer, dict) and "$for" in answer:
        return Command(resume={name: answer["$for"][node] for name, node in asked.items() if node in answer["$for"]})
    return Command(resume=dict.fromkeys(asked, answer))


async def _state(graph: Any, config: Mapping[str, Any], *, sync: bool) -> Any:
    """Return the state that the thread was left with, None where nothing keeps one or it cannot be read."""
    if not getattr(graph, "checkpointer", None):
        return None
    try:
        if sync:
            return await asyncio.to_thread(graph.get_state, config, subgraphs=True)
        return await graph.aget_state(config, subgraphs=True)
    except Exception:  # after a failure: what was written and cannot be applied, an input that the state refuses
        return None


def _upcoming(state: Any, outer: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the nodes that a thread stands before, as paths of names."""
    for task in state.tasks:
        inner = list(_upcoming(task.state, (*outer, task.name))) if hasattr(task.state, "tasks") else []
        yield from inner or ["/".join([*outer, task.name])]


class Account:
    """The account of one run: fill it with `run`, then read `told`."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        """The nodes that wait for an answer, by interrupt id."""
        self.stopped = False
        """Whether a graph stopped at a breakpoint."""
        self._tasks: dict[str, dict[str, Json]] = {}
        self._facts: dict[str, list[Json]] = {name: [] for name in ("custom", "updates", "interrupts", "checkpoints")}
        self._heard = Heard()
        self._seen: set[str] = set()  # ids of messages in the stream
        self._channels: Any = None
        self._end: dict[str, Json] = {"status": "done", "error": None, "output": None}

    async def run(
        self, graph: Any, given: Any, config: Mapping[str, Any], options: Mapping[str, Any], *, sync: bool
    ) -> None:
        """Run the graph to its end, whatever end that is."""
        writer = self._writer(graph)
        self._channels = getattr(graph, "output_channels", None)
        config = {**config, "callbacks": [self._heard], "configurable": {**config["configurable"], **writer}}
        modes = MODES if writer else [*MODES, "custom"]
        how: dict[str, Any] = {"stream_mode": list(modes), "subgraphs": True, **options}
        try:
            if sync:
                await asyncio.to_thread(self._take_all, graph.stream(given, config, **how))
            else:
                async for part in graph.astream(given, config, **how):
                    self._take(*part)
        except Exception as error:
            self._end.update(status="failed", error=error_of(error))

    # ── who wrote a custom event ─────────────────────────────────────────────────────────────────────────────────

    def _writer(self, graph: Any) -> dict[str, Any]:
        """Return what makes LangGraph give the nodes our own writer, which is called where the node's config is known."""
        try:
            from langgraph._internal._constants import CONFIG_KEY_RUNTIME, CONFIG_KEY_STREAM
            from langgraph.config import get_config
            from langgraph.pregel.protocol import StreamProtocol
            from langgraph.runtime import Runtime
        except ImportError:  # an older LangGraph: who wrote is not known then
            return {}

        def write(data: Any) -> None:
            try:
                place = get_config()["metadata"]["langgraph_checkpoint_ns"]
            except RuntimeError:  # a thread without the node's context
                place = ""
            self._heard.does(task_at(place))
            self._facts["custom"].append({"task": task_at(place), "data": plain(data)})
            self._heard.order.append({"task": task_at(place), "kind": "custom"})

        # A graph takes its caller's writer if it has a caller, and with it the caller's stream; this one hears nothing.
        runtime: Any = Runtime(stream_writer=write, store=getattr(graph, "store", None))
        return {CONFIG_KEY_RUNTIME: runtime, CONFIG_KEY_STREAM: StreamProtocol(lambda chunk: None, set())}

    def _custom(self, ns: tuple[str, ...], payload: Any) -> None:
        self._facts["custom"].append({"task": None, "data": plain(payload)})

    # ── the parts of the stream ──────────────────────────────────────────────────────────────────────────────────

    def _take_all(self, parts: Iterator[Any]) -> None:
        for part in parts:
            self._take(*part)

    def _take(self, ns: Sequence[str], mode: str, payload: Any) -> None:
        getattr(self, f"_{mode}")(tuple(ns), payload)

    def _values(self, ns: tuple[str, ...], payload: Any) -> None:
        if not ns:
            if isinstance(payload, dict):
                # What is streamed holds private keys too, what is returned does not.
                keys = self._channels if isinstance(self._channels, list) else payload.keys() - {"__interrupt__"}
                payload = {key: value for key, value in payload.items() if key in keys}
            self._end["output"] = plain(payload)

    def _updates(self, ns: tuple[str, ...], payload: Mapping[str, Any]) -> None:
        cached = "__metadata__" in payload
        for node, writes in payload.items():
            if node == "__interrupt__":
                self._interrupt(ns, writes)
            elif node != "__metadata__":
                self._facts["updates"].append({"ns": list(ns), "node": node, "writes": plain(writes)})
                if cached:
                    self._cached(ns, node, writes)

    def _cached(self, ns: tuple[str, ...], node: str, writes: Any) -> None:
        for task in self._tasks.values():
            if task["node"] == node and task["ns"] == list(ns) and not task["end"]:
                task.update(end="cached", writes=plain(writes))
                return

    def _interrupt(self, ns: tuple[str, ...], asked: Sequence[Any]) -> None:
        if not asked:
            self.stopped = True
        for one in asked:
            if one.id not in self.asked:
                self.asked[one.id] = ""
                schema = plain(getattr(one, "response_schema", None))
                fact = {"id": one.id, "ns": list(ns), "value": plain(one.value), "schema": schema, "task": ""}
                self._facts["interrupts"].append(fact)

    def _debug(self, ns: tuple[str, ...], envelope: Mapping[str, Any]) -> None:
        getattr(self, f"_{envelope['type']}")(ns, envelope["step"], envelope["payload"])

    def _task(self, ns: tuple[str, ...], step: int, payload: Mapping[str, Any]) -> None:
        self._tasks[payload["id"]] = {
            "task": payload["id"], "ns": list(ns), "parent": self._parent(ns), "node": payload["name"], "step": step,
            "triggers": list(payload["triggers"]), "input": plain(payload["input"]), "writes": None, "error": None,
            "asked": 0, "end": "",
        }  # fmt: skip

    def _task_result(self, ns: tuple[str, ...], step: int, payload: Mapping[str, Any]) -> None:
        if payload["id"] not in self._tasks:  # an error handler's
            self._task(ns, step, {**payload, "triggers": (), "input": None})
        task, error, asked = self._tasks[payload["id"]], payload["error"], payload["interrupts"] or ()
        end = "interrupted" if asked else "done"
        if error is not None:
            end = "cancelled" if isinstance(error, asyncio.CancelledError) else "failed"
        task.update(
            writes=plain(payload["result"]), error=None if error is None else error_of(error), asked=len(asked), end=end
        )
        for one in asked:
            name = one["id"] if isinstance(one, dict) else one.id
            for fact in self._facts["interrupts"]:
                # Every graph on the way up repeats what its task asks; the one that is deepest has asked.
                if fact["id"] == name and (not fact["task"] or len(ns) > len(self._tasks[fact["task"]]["ns"])):
                    fact.update(task=payload["id"], ns=list(ns))
                    self.asked[name] = payload["name"]

    def _checkpoint(self, ns: tuple[str, ...], step: int, payload: Mapping[str, Any]) -> None:
        metadata = payload["metadata"]
        parent = (payload["parent_config"] or {}).get("configurable", {}).get("checkpoint_id")
        self._facts["checkpoints"].append({
            "ns": list(ns), "id": payload["config"]["configurable"]["checkpoint_id"], "parent": parent,
            "step": metadata["step"], "source": metadata["source"], "next": list(payload["next"]),
            "values": plain(payload["values"]),
        })  # fmt: skip

    def stands_at(self, state: Any, ns: tuple[str, ...] = ()) -> None:
        """Add the checkpoint at which a breakpoint after a node has stopped, which no stream before 1.2 tells of."""
        told = [fact["id"] for fact in self._facts["checkpoints"] if fact["ns"] == list(ns)]
        if state.metadata and state.config["configurable"]["checkpoint_id"] not in told:  # one not yet begun has none
            self._checkpoint(ns, 0, state._asdict())
        for task in state.tasks:
            if hasattr(task.state, "tasks"):
                self.stands_at(task.state, (*ns, f"{task.name}:{task.id}"))

    def _messages(self, ns: tuple[str, ...], payload: tuple[Any, Mapping[str, Any]]) -> None:
        message, metadata = payload
        if message.id not in self._seen:
            self._seen.add(message.id)
            place = metadata["langgraph_checkpoint_ns"]
            task, told = task_at(place), said(message)
            answer = message.response_metadata
            model = metadata.get("ls_model_name") or answer.get("model_name") or answer.get("model") or ""
            fact = {"id": message.id, "task": task, "place": place, "model": model if told["role"] == "ai" else ""}
            self._heard.messages.append({**fact, "tags": [], "whole": True, "status": "done", **told})
            self._heard.order.append({"task": task, "kind": "message", "id": message.id})

    # ── the account ──────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, stops: list[str], *, kept: bool) -> dict[str, Json]:
        """Return the account, in which tasks still have the ids of this run.

        `stops` are the nodes that the thread stands before at a breakpoint; `kept` tells that something saves states.
        """
        if self._end["status"] == "done" and (self.asked or stops or (self.stopped and not kept)):
            self._end["status"] = "interrupted"
        heard = self._heard.told()
        messages = [self._message(fact) for fact in heard.pop("messages")]
        facts: dict[str, Any] = {**self._facts, "checkpoints": self._facts["checkpoints"] if kept else None}
        spans = (heard[kind] for kind in ("attempts", "calls", "tools"))
        for fact in chain(messages, facts["custom"], facts["interrupts"], *spans):
            fact["path"] = self._path(fact)
        for fact in facts["updates"]:
            fact["own"] = True
        tasks = list(self._tasks.values())
        return {
            **self._end, **facts, **heard, "messages": messages, "tasks": tasks, "breakpoints": stops if kept else None
        }  # fmt: skip

    def _message(self, fact: dict[str, Json]) -> dict[str, Json]:
        tags = {*fact["tags"], *self._heard.tags_of(fact["task"])}
        task = self._tasks.get(fact["task"])
        while task is not None:
            tags.update(self._heard.tags_of(task["task"]))
            task = self._tasks.get(task["parent"])
        return {**fact, "tags": sorted(tags)}

    def _path(self, fact: Mapping[str, Json]) -> str:
        """Return where a fact is in names: by the graph of its task, or by what its callback said."""
        task = self._tasks.get(fact["task"] or "")
        place = [*task["ns"], task["node"]] if task is not None else fact.get("place", "").split("|")
        return "/".join(segment.rpartition(":")[0] or segment for segment in place if not segment.isdecimal())

    def _parent(self, ns: Sequence[str]) -> str:
        """Return the id of the task that runs the graph of a namespace."""
        while ns and ns[-1].isdecimal():  # further graphs of one task are numbered
            ns = ns[:-1]
        if not ns:
            return ""
        node, _, task = ns[-1].rpartition(":")
        if node:
            return task
        # A graph that keeps its own checkpoints has a name for a namespace, which is the same in every run.
        return next((one["task"] for one in self._tasks.values()
                     if one["node"] == ns[-1] and one["ns"] == list(ns[:-1]) and not one["end"]), "")  # fmt: skip

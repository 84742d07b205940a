"""What LangChain's callbacks tell of a run that nobody watches: attempts of nodes, calls of models, tools."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.errors import GraphBubbleUp

from lgwatch.events import Json
from lgwatch.runner.account.plain import plain

HIDDEN = "langsmith:hidden"
INNER = ("seq:step:", "graph:step:", "map:key:", "langsmith:")
"""How the tags begin that LangChain and LangGraph give."""


class Heard(BaseCallbackHandler):
    """Notes what callbacks tell, by the task that it happens in."""

    run_inline = True

    def __init__(self) -> None:
        self.messages: list[Json] = []
        """Messages in the order in which they began: `{"run": id}` for a call, else whatever is known."""
        self.order: list[dict[str, Json]] = []
        """What each task said and wrote, in order: `{"task": id, "kind": …}`."""
        self._ids: set[str] = set()  # of the messages of all calls whose tokens are streamed
        self._concurrent: set[str] = set()  # tasks in which several things went on at once
        self._attempts: dict[str, dict[str, Json]] = {}
        self._tools: dict[str, dict[str, Json]] = {}
        self._llms: dict[str, dict[str, Any]] = {}
        self._place: dict[str, str] = {}  # by run, the checkpoint namespace that it runs in
        self._tags: dict[str, set[str]] = {}  # by task
        self._busy: dict[str, int] = {}
        self._strands: dict[str, object] = {}  # by task, the thread or the asyncio task in which it does things
        self._threads: dict[str, set[int]] = {}  # by task, the threads in which its attempts began

    def tags_of(self, task: str) -> set[str]:
        """Return the tags that the attempts of a task came with: its node's, and those of the run."""
        return self._tags.get(task, set())

    def told(self) -> dict[str, Json]:
        """Return the attempts, the calls, the tools and the messages, and in which tasks their order means nothing."""
        calls = [
            {key: call[key] for key in ("task", "place", "status", "error", "given")} for call in self._llms.values()
        ]
        # In a thread, a chunk can be faster than the callback that tells of its call: which are whose is known now.
        return {
            "attempts": list(self._attempts.values()), "calls": calls, "tools": list(self._tools.values()),
            "messages": [self._message(fact) for fact in self.messages if fact.get("id") not in self._ids],
            "order": [fact for fact in self.order if fact.get("id") not in self._ids],
            "concurrent": sorted(self._concurrent),
        }  # fmt: skip

    def _message(self, fact: dict[str, Json]) -> dict[str, Json]:
        """Return what a message says: a call's chunks added up as LangChain adds them, or its one answer."""
        if "run" not in fact:
            return fact
        call = self._llms[fact["run"]]
        chunks = call["chunks"]
        whole = chunks[0] if chunks else call["answer"]
        for chunk in chunks[1:]:
            whole = whole + chunk
        status = {"ok": "done", "cancelled": "cut"}.get(call["status"], "failed")
        return {
            "task": call["task"],
            "place": call["place"], "tags": call["tags"], "model": call["model"], "whole": not chunks, "status": status,
            **said(whole),
        }  # fmt: skip

    def _enter(self, run: Any, metadata: Mapping[str, Any] | None) -> str:
        place = self._place[str(run)] = (metadata or {}).get("langgraph_checkpoint_ns") or ""
        return task_at(place)

    def does(self, task: str) -> None:
        """Note that a task does something here and now, in this thread and this asyncio task."""
        thread = threading.current_thread()
        strand: object = thread
        with suppress(RuntimeError):  # no loop runs in this thread
            strand = asyncio.current_task() or thread
        own = thread.ident in self._threads.get(task, ()) or thread.name.startswith(("MainThread", "asyncio_"))
        if not own or self._strands.setdefault(task, strand) is not strand:
            self._concurrent.add(task)

    def _begin(self, task: str) -> None:
        self.does(task)
        self._busy[task] = self._busy.get(task, 0) + 1
        if self._busy[task] > 1:
            self._concurrent.add(task)

    def _end(self, found: dict[str, Any] | None, error: BaseException | None = None) -> None:
        if found is None or found["status"] != "open":
            return
        steers = error is None or isinstance(error, GraphBubbleUp)
        found["status"] = "ok" if steers else "error"
        found["error"] = None if steers else error_of(error)
        if found["task"] in self._busy:
            self._busy[found["task"]] -= 1

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        tags: Any = None,
        metadata: Any = None,
        **kwargs: Any,
    ) -> None:
        """Note an attempt: the outermost thing that runs in the namespace of a task."""
        task = self._enter(run_id, metadata)
        outermost = self._place.get(str(parent_run_id)) != self._place[str(run_id)]
        if task and outermost and HIDDEN not in (tags or ()):
            place = self._place[str(run_id)]
            self._attempts[str(run_id)] = {"task": task, "place": place, "status": "open", "error": None}
            self._threads.setdefault(task, set()).add(threading.get_ident())
            self._tags.setdefault(task, set()).update(_own(tags), _own((metadata or {}).get("tags")))

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        """Note the end of an attempt."""
        self._end(self._attempts.get(str(run_id)))

    def on_chain_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """Note a failed attempt."""
        self._end(self._attempts.get(str(run_id)), error)

    # ── models ───────────────────────────────────────────────────────────────────────────────────────────────────

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: Any, tags: Any = None, metadata: Any = None, **kwargs: Any
    ) -> None:
        """Note a call, and what it was given."""
        shown = "nostream" not in (tags or ())
        self._call(run_id, metadata, given=plain(messages[0]), tags=list(_own(tags)), shown=shown)

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, metadata: Any = None, **kwargs: Any) -> None:
        """Note a call of a model of plain text, of which LangGraph streams nothing."""
        self._call(run_id, metadata, given=plain(prompts), tags=[], shown=False)

    def _call(self, run: Any, metadata: Mapping[str, Any] | None, *, given: Json, tags: list[str], shown: bool) -> None:
        task = self._enter(run, metadata)
        self._begin(task)
        self._llms[str(run)] = {
            "task": task, "place": self._place[str(run)], "status": "open", "error": None, "given": given, "chunks": [], "answer": None, "tags": tags,
            "shown": shown and bool(task), "said": False, "model": (metadata or {}).get("ls_model_name") or "",
        }  # fmt: skip

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: Any, **kwargs: Any) -> None:
        """Note a chunk of an answer."""
        call = self._llms.get(str(run_id))
        message = getattr(chunk, "message", None)
        if call is not None and message is not None:
            call["chunks"].append(message)
            self._show(str(run_id), call, message)

    def _show(self, run: str, call: dict[str, Any], message: Any) -> None:
        if call["shown"]:
            if not call["said"]:
                call["said"] = True
                self.messages.append({"run": run})
                self.order.append({"task": call["task"], "kind": "message"})
            if message.id:
                self._ids.add(message.id)

    def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
        """Note the end of a call, with the whole answer."""
        call = self._llms.get(str(run_id))
        if call is not None:
            message = getattr(response.generations[0][0], "message", None)
            if message is not None:
                call["answer"] = message
                self._show(str(run_id), call, message)
            self._end(call)

    def on_llm_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """Note a call that failed, or that was given up."""
        call = self._llms.get(str(run_id))
        self._end(call, error)
        if call is not None and isinstance(error, asyncio.CancelledError):
            call["status"] = "cancelled"

    # ── tools ────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: Any, metadata: Any = None, inputs: Any = None, **kwargs: Any
    ) -> None:
        """Note a tool, and what it was given."""
        task = self._enter(run_id, metadata)
        self._begin(task)
        name = kwargs.get("name") or (serialized or {}).get("name")
        given = plain(input_str if inputs is None else inputs)
        place = self._place[str(run_id)]
        self._tools[str(run_id)] = {
            "task": task,
            "place": place,
            "name": name,
            "status": "open",
            "error": None,
            "input": given,
        }

    def on_tool_end(self, output: Any, *, run_id: Any, **kwargs: Any) -> None:
        """Note the end of a tool."""
        self._end(self._tools.get(str(run_id)))

    def on_tool_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """Note a tool that failed."""
        self._end(self._tools.get(str(run_id)), error)


# ── small readers ────────────────────────────────────────────────────────────────────────────────────────────────────


def task_at(place: str) -> str:
    """Return the id of the task whose checkpoint namespace this is."""
    return place.rsplit("|", 1)[-1].rpartition(":")[2]


def error_of(error: Any) -> dict[str, Json]:
    """Return what an exception says, in short."""
    return {"type": type(error).__name__, "message": str(error)}


def _own(tags: Any) -> Iterator[str]:
    for tag in [tags] if isinstance(tags, str) else tags or ():
        if not tag.startswith(INNER):
            yield tag


def said(message: Any) -> dict[str, Json]:
    """Return what a message says, in LangChain's own reading of it."""
    kind = message.type.removesuffix("MessageChunk").lower()
    told: dict[str, Json] = {
        "role": message.role if kind == "chat" else kind, "name": message.name or "", "text": str(message.text),
        "thought": "", "calls": [], "others": 0, "usage": plain(getattr(message, "usage_metadata", None)),
    }  # fmt: skip
    if kind == "tool":
        told["calls"] = [{"id": message.tool_call_id, "status": message.status}]
        return told
    for block in message.content_blocks:
        own = block["value"] if block["type"] == "non_standard" else block
        if own.get("type") in {"reasoning", "thinking"}:
            told["thought"] += own.get("reasoning") or own.get("thinking") or ""
        elif block["type"] not in {"text", "tool_call", "tool_call_chunk", "invalid_tool_call"}:
            told["others"] += 1
    for call in getattr(message, "tool_calls", None) or ():
        told["calls"].append({"name": call["name"], "id": call["id"] or "", "args": plain(call["args"])})
    for call in getattr(message, "invalid_tool_calls", None) or ():
        told["calls"].append({"name": call["name"] or "", "id": call["id"] or "", "args": call["args"] or ""})
    return told

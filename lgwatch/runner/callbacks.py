"""What the stream lacks, as spans: each attempt's true start and end, LLM calls, tools, retrievers. Nothing that goes
wrong in here reaches the run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from lgwatch.events import Event, Json, Namespace, Notice, SpanEnded, SpanStarted
from lgwatch.runner import messages
from lgwatch.runner.channels import lost, lost_keys
from lgwatch.runner.decode import Decoder
from lgwatch.runner.failure import Failures, failure

Method = TypeVar("Method", bound=Callable[..., Any])


def _guarded(method: Method) -> Method:
    """Note the first failure of a callback and forget it: LangChain would log each one into the user's log."""

    @functools.wraps(method)
    def call(self: Spans, *args: Any, **kwargs: Any) -> None:
        if self.closed:
            return
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.failures.note(error)

    return call  # type: ignore[return-value]


class Spans(BaseCallbackHandler):
    """A callback handler for one run that appends `span_start` and `span_end`.

    Set `closed` when the run is over: threads that outlive it may still call. `output` is what the root graph gave
    back, as a live object, once it has ended.
    """

    run_inline = True
    raise_error = False

    def __init__(
        self,
        append: Callable[[Event], None],
        decoder: Decoder,
        known: Mapping[tuple[str, ...], frozenset[str]] | None = None,
    ) -> None:
        """`known` has the keys that nodes may write, by the path of names that leads to each of them."""
        super().__init__()
        self.closed = False
        self.output: Any = None
        self.ended = False
        """Whether the root graph has ended, and `output` holds what it returned."""
        self._append = append
        self._decoder = decoder
        self._tasks = decoder.tasks
        # By the number of the run's id: ids hash, compare and print themselves in Python.
        self._root = 0
        # Spans that have not ended; of an attempt also the checkpoint namespace, which is its task's own.
        self._open: dict[int, tuple[str, str | None]] = {}
        self._attempts: dict[str, tuple[Namespace, str, str]] = {}  # those that go on: namespace, node and task of each
        self.failures = Failures(append, "a span")
        self._known = known or {}
        self._lost: set[tuple[tuple[str, ...], str]] = set()

    def at_work(self) -> list[tuple[Namespace, str, str]]:
        """Return the places in which work goes on now, each with nothing going on inside of it. Other threads may ask."""
        attempts = dict(self._attempts)
        return [place for path, place in attempts.items() if not any(one.startswith(f"{path}|") for one in attempts)]

    def _start(
        self,
        kind: str,
        name: str,
        run_id: UUID,
        parent: UUID | None,
        metadata: Mapping[str, Any] | None,
        *,
        model: str = "",
        given: Json = None,
    ) -> None:
        path = metadata.get("langgraph_checkpoint_ns") if metadata else None
        ns: Namespace = ()
        node = task = ""
        if metadata and isinstance(path, str):
            ns, node, task = self._tasks.running(path, metadata.get("langgraph_path"))
        span = str(run_id)
        outer = self._open.get(parent.int) if parent is not None else None
        if kind == "node":
            attempt = path if isinstance(path, str) else ""
            self._attempts[attempt] = ns, node, task
            self._open[run_id.int] = span, attempt
        else:
            self._open[run_id.int] = span, None
        self._append(
            SpanStarted(
                ns=ns, span=span, parent=outer[0] if outer is not None else "", kind=kind, name=name, task=task,
                node=node, model=model, input=given,
            )
        )  # fmt: skip

    def _end(
        self,
        run_id: UUID,
        *,
        error: BaseException | None = None,
        usage: dict[str, Json] | None = None,
        output: Any = None,
    ) -> None:
        ended = self._open.pop(run_id.int, None)
        if ended is None:
            return
        span, attempt = ended
        if attempt is not None:
            self._attempts.pop(attempt, None)
        self._append(
            SpanEnded(
                span=span, status="ok" if error is None else "error",
                error=None if error is None else failure(error), usage=usage,
                output=None if output is None else self._decoder.snapshot(output),
            )
        )  # fmt: skip

    # ── chains: the root graph, and the attempts of nodes ────────────────────────────────────────────────────────

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note the start of a chain."""
        self.chain_began(run_id, parent_run_id, tags, metadata, kwargs.get("name"))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note the end of a chain."""
        self.chain_ended(outputs, run_id)

    def chain_began(
        self,
        run_id: UUID,
        parent: UUID | None,
        tags: Sequence[str] | None,
        metadata: Mapping[str, Any] | None,
        name: str | None,
    ) -> None:
        """Note the start of an attempt: the chain that bears its node's name. All others are inner workings."""
        try:
            if not self._root and parent is None:
                self._root = run_id.int
                return
            if name is None or not metadata or name != metadata.get("langgraph_node") or (tags and _HIDDEN in tags):
                return
            # A runnable in the node may have the node's name too, however deep: a prebuilt agent for one.
            if not self.closed and metadata.get("langgraph_checkpoint_ns") not in self._attempts:
                self._start("node", name, run_id, parent, metadata)
        except Exception as failed:
            self.failures.note(failed)

    def chain_ended(self, outputs: Any, run_id: UUID) -> None:
        """Note the end of an attempt, or what the root graph returned."""
        ended = self._open.get(run_id.int)
        if ended is not None:
            if self.closed:
                return
            try:
                self._end(run_id)
                if ended[1] and outputs is not None:
                    self._mind_keys(outputs, ended[1])
            except Exception as failed:
                self.failures.note(failed)
        elif run_id.int == self._root:
            self.output, self.ended = outputs, True

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note a failed attempt: when it is retried, no part of the stream tells."""
        if run_id.int in self._open:
            self._fail(run_id, error)

    @_guarded
    def _fail(self, run_id: UUID, error: BaseException) -> None:
        # `interrupt()` leaves its node by an exception that is no failure.
        self._end(run_id, error=None if type(error).__name__ in _SIGNALS else error)

    def _mind_keys(self, returned: Any, path: str) -> None:
        """Say which keys a node wrote for nothing: no part of the stream has them."""
        # A bare number is no node's name: it stands for a further graph that a function called.
        names = tuple([each.rpartition(":")[0] or each for each in path.split("|")])  # a generator costs twice as much
        known = self._known.get(names)
        if not known or (type(returned) is dict and returned.keys() <= known):
            return
        for key, near in lost_keys(returned, known):
            if (names, key) not in self._lost:
                self._lost.add((names, key))
                ns, node, task = self._tasks.running(path)
                text = f"{node} {lost(key, near, known)}"
                self._append(Notice(ns=ns, code="unknown_key", text=text, task=task, node=node))

    # ── models ───────────────────────────────────────────────────────────────────────────────────────────────────

    @_guarded
    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note an LLM call and the messages it was given."""
        given = messages[0] if len(messages) == 1 else messages
        self._llm(given, run_id, parent_run_id, metadata, name=_name(serialized, kwargs))

    @_guarded
    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a call of a model that takes plain text."""
        self._llm(prompts, run_id, parent_run_id, metadata, name=_name(serialized, kwargs))

    def _llm(
        self, given: Any, run_id: UUID, parent: UUID | None, metadata: Mapping[str, Any] | None, *, name: str
    ) -> None:
        self._decoder.touch()
        model = str((metadata or {}).get("ls_model_name") or "")
        self._start("llm", name, run_id, parent, metadata, model=model, given=self._decoder.snapshot(given))

    @_guarded
    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note the end of an LLM call, with its usage and the reason why the model stopped."""
        reason = _finish_reason(response)
        self._end(run_id, usage=_usage(response), output={"finish_reason": reason} if reason else None)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note an LLM call that failed: the stream just stops."""
        self._end(run_id, error=error)

    # ── tools and retrievers ─────────────────────────────────────────────────────────────────────────────────────

    @_guarded
    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        inputs: Any = None,
        **kwargs: Any,
    ) -> None:
        """Note a tool's call and what it was given."""
        name = _name(serialized, kwargs)
        self._decoder.touch()
        given = self._decoder.snapshot(input_str if inputs is None else inputs)
        self._start("tool", name, run_id, parent_run_id, metadata, given=given)

    @_guarded
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note what a tool gave back."""
        self._decoder.touch()
        self._end(run_id, output=output)

    @_guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note a tool that failed."""
        self._end(run_id, error=None if type(error).__name__ in _SIGNALS else error)

    @_guarded
    def on_retriever_start(
        self,
        serialized: Any,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a retriever's query."""
        name = _name(serialized, kwargs)
        given = self._decoder.snapshot(query)
        self._start("retriever", name, run_id, parent_run_id, metadata, given=given)

    @_guarded
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note what was found."""
        self._decoder.touch()
        self._end(run_id, output=documents)

    @_guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note a retriever that failed."""
        self._end(run_id, error=error)


_HIDDEN = "langsmith:hidden"
_SIGNALS = frozenset({"GraphInterrupt", "NodeInterrupt", "GraphBubbleUp", "ParentCommand"})
"""Exceptions by which LangGraph steers; none of them is a failure."""


def _name(serialized: Any, kwargs: Mapping[str, Any]) -> str:
    return str(kwargs.get("name") or (serialized or {}).get("name") or "")


def _usage(response: Any) -> dict[str, Json] | None:
    """Return the usage of an LLM result: of its message, or of the provider's own report."""
    for generations in getattr(response, "generations", None) or ():
        for generation in generations:
            if found := messages.usage(getattr(generation, "message", None)):
                return found
    return None


def _finish_reason(response: Any) -> str:
    """Return why the model stopped, in the provider's word; empty when nobody says."""
    for generations in getattr(response, "generations", None) or ():
        for generation in generations:
            told = getattr(getattr(generation, "message", None), "response_metadata", None)
            facts = {**(getattr(generation, "generation_info", None) or {}), **(told or {})}
            for name in ("finish_reason", "stop_reason", "done_reason"):
                if isinstance(reason := facts.get(name), str):
                    return reason
    return ""

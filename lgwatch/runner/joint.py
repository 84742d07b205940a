"""One callback handler in place of two: the one by which LangGraph streams messages hears for the spans of its run, too.

Each handler costs every node and every token of a graph. LangGraph makes its own when a run begins; in the graph's own
process that one takes what it hears to the spans as well, where it is known to be made as expected.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from typing_extensions import Self

from lgwatch.runner.callbacks import Spans

_HEARD = (
    "on_chain_start", "on_chain_end", "on_chain_error", "on_chat_model_start", "on_llm_start", "on_llm_end",
    "on_llm_error", "on_tool_start", "on_tool_end", "on_tool_error", "on_retriever_start", "on_retriever_end",
    "on_retriever_error",
)  # fmt: skip
"""What spans are made of. Tokens are not among it."""
_waiting: ContextVar[list[Spans] | None] = ContextVar("lgwatch_spans", default=None)
"""The spans of a run whose handler is not made yet."""
_joint: dict[type, type] = {}
"""By the handler of LangGraph, the one for both."""


def listen(graph: Any, spans: Spans) -> Any:
    """Return what to give as the `callbacks` of a run of `graph` in this context, so that `spans` hears of all of it.

    The root graph's own beginning and end are heard before there is a handler for messages, and by `spans` itself.
    """
    if not _can_join(graph):
        return _beside(graph, spans)
    _waiting.set([spans])
    return _Alone(handlers=[spans])


def _beside(graph: Any, spans: Spans) -> Any:
    """Return the handler, with those that are bound to the graph where the ones of a run would take their place."""
    bound = (getattr(graph, "config", None) or {}).get("callbacks")
    if not bound or _merged():
        return [spans]
    if isinstance(bound, BaseCallbackManager):
        both = bound.copy()
        both.add_handler(spans)
        return both
    return [*bound, spans]


def _merged() -> bool:
    """Whether LangGraph itself calls both the handlers that are bound and those of a run: before 1.0 it does not."""
    try:
        from langgraph._internal._config import ensure_config
    except ImportError:  # another LangGraph, built another way
        return True
    bound, given = BaseCallbackHandler(), BaseCallbackHandler()
    both: Any = ensure_config({"callbacks": [bound]}, {"callbacks": [given]})["callbacks"]
    return bound in both


class _Alone(BaseCallbackManager):
    """What has a handler for the root graph alone."""

    def copy(self) -> Self:
        """Return itself: LangGraph makes a copy for every task, to put another in its place."""
        return self


def _can_join(graph: Any) -> bool:
    """Whether the graph's run makes a handler for messages that is the one known here."""
    try:
        from langgraph.pregel import Pregel, main

        handler: Any = main.StreamMessagesHandler  # type: ignore[attr-defined]
        streams = type(graph).astream is Pregel.astream and type(graph).stream is Pregel.stream
        return streams and not (graph.config or {}).get("callbacks") and _prepared(handler)
    except (ImportError, AttributeError):  # another LangGraph, built another way
        return False


def _prepared(handler: type) -> bool:
    """Make those handlers of messages that a watched run makes hear for its spans; return whether one does on trial."""
    if handler not in _joint:
        _joint[handler] = _heard_by_both(handler)
        original: Callable[..., None] = handler.__init__  # type: ignore[misc]

        def begin(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            if type(self) is handler and (waiting := _waiting.get()):
                joint: Any = self
                joint.__class__, joint.lgwatch_spans = _joint[handler], waiting.pop()

        handler.__init__ = begin  # type: ignore[misc]
    return issubclass(handler, BaseCallbackHandler)


def _heard_by_both(handler: type) -> type:
    def heard(name: str) -> Callable[..., None]:
        told: Callable[..., None] = getattr(Spans, name)
        own: Callable[..., None] = getattr(handler, name)
        if own is getattr(BaseCallbackHandler, name):  # does nothing

            def hear(self: Any, *args: Any, **kwargs: Any) -> None:
                told(self.lgwatch_spans, *args, **kwargs)

            return hear

        # What spans are told never raises. Passing everything on twice costs, where it is done for every node.
        def began(
            self: Any,
            serialized: Any,
            inputs: Any,
            *,
            run_id: Any,
            parent_run_id: Any = None,
            tags: Any = None,
            metadata: Any = None,
            **more: Any,
        ) -> None:
            self.lgwatch_spans.chain_began(run_id, parent_run_id, tags, metadata, more.get("name"))
            own(
                self, serialized, inputs, run_id=run_id, parent_run_id=parent_run_id, tags=tags, metadata=metadata,
                **more,
            )  # fmt: skip

        def ended(self: Any, outputs: Any, *, run_id: Any, **more: Any) -> None:
            self.lgwatch_spans.chain_ended(outputs, run_id)
            own(self, outputs, run_id=run_id, **more)

        def both(self: Any, *args: Any, **kwargs: Any) -> None:
            told(self.lgwatch_spans, *args, **kwargs)
            own(self, *args, **kwargs)

        hears: dict[str, Callable[..., None]] = {"on_chain_start": began, "on_chain_end": ended}
        return hears.get(name, both)

    # Its name is LangGraph's: it stands in what LangChain logs of a handler that fails.
    return type(handler.__name__, (handler,), {name: heard(name) for name in _HEARD})

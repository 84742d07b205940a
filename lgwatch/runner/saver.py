"""The checkpointer that a graph without one gets: it keeps references and never serialises, so it cannot fail on what
a state holds."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver


class _References:
    """A serializer that hands back the very object it was given."""

    def dumps_typed(self, obj: Any) -> tuple[str, Any]:
        return "ref", obj

    def loads_typed(self, data: tuple[str, Any]) -> Any:
        return data[1]


class ReferenceSaver(InMemorySaver):
    """Checkpoints in memory, as live references.

    A node that changes its state in place changes earlier checkpoints too; LangGraph's own in-memory checkpointer
    would copy by serialising, and end a run that holds a lock or a generator in its state.
    """

    def __init__(self) -> None:
        super().__init__(serde=_References())

"""The checkpointer that a graph without one gets: it keeps references and never serialises, so it cannot fail on what
a state holds."""

from __future__ import annotations

import itertools
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver


class _References:
    """A serializer that hands back the objects it was given, in containers of their own."""

    def dumps_typed(self, obj: Any) -> tuple[str, Any]:
        return "ref", _own(obj)

    def loads_typed(self, data: tuple[str, Any]) -> Any:
        return _own(data[1])


def _own(obj: Any) -> Any:
    """Return a value whose outermost container nobody else holds.

    LangGraph goes on writing to the checkpoint that it has saved (`channel_versions`, `versions_seen`), and channels
    and reducers extend the lists that they hold; the saved ones must stay as they were.
    """
    if type(obj) is dict:
        if "versions_seen" in obj and "channel_versions" in obj:
            seen = {node: dict(versions) for node, versions in obj["versions_seen"].items()}
            return {**obj, "channel_versions": dict(obj["channel_versions"]), "versions_seen": seen}
        return obj.copy()
    return obj.copy() if type(obj) in {list, set} else obj


class ReferenceSaver(InMemorySaver):
    """Checkpoints in memory, as live references.

    A node that changes an object of its state in place changes it in earlier checkpoints too; LangGraph's own in-memory
    checkpointer would copy by serialising, and end a run that holds a lock or a generator in its state.
    """

    def __init__(self) -> None:
        super().__init__(serde=_References())
        self._versions = itertools.count(1)

    def get_next_version(self, current: Any, channel: Any) -> Any:
        """Return a version that no channel of any thread or fork had before; values are kept under their versions."""
        return next(self._versions)

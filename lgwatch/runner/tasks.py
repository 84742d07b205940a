"""The tasks of one run, as the stream tells of them, and what can be pinned to which."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lgwatch.events import Namespace

KEPT_TASKS = 4096
"""Ended tasks that are remembered, so that what they left running can still be pinned to them."""


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


class Tasks:
    """The tasks of a run by id. Other threads may call `running` and `sole`."""

    def __init__(
        self, node_tags: Mapping[tuple[str, ...], tuple[str, ...]], on_end: Callable[[str], None] = lambda task: None
    ) -> None:
        """`node_tags` are the nodes' own, by their path from the root, and at the root's the run's; `on_end` is told the id
        of a task that ended.
        """
        self.by_id: dict[str, Running] = {}
        self._ended: deque[Running] = deque()
        self._node_tags = node_tags
        self._on_end = on_end

    def running(self, checkpoint_ns: str, path: object = ()) -> tuple[Namespace, str, str]:
        """Return namespace, node and task id of a `langgraph_checkpoint_ns`; `path` is the `langgraph_path` with it."""
        known = self.by_id.get(checkpoint_ns.rpartition(":")[2])
        if known is not None:
            return known.ns, known.node, known.id
        # A callback can be faster than the news of its task.
        *ns, last = checkpoint_ns.split("|")
        node, _, task = last.rpartition(":")
        return tuple(ns[: len(ns) - _callers(node, path)]), node, task

    def sole(self) -> Running | None:
        """Return the one task that can be at work, None when there are several or none."""
        found: Running | None = None
        for task in list(self.by_id.values()):
            if not task.open:
                continue
            # A task that runs a graph is open as long as the tasks in it.
            if found is None or (task.ns and task.ns[-1].endswith(found.id)):
                found = task
            elif not (found.ns and any(segment.endswith(task.id) for segment in found.ns)):
                return None
        return found

    def guess(self, ns: Namespace, node: str) -> Running | None:
        """Return the oldest open task of this name; LangGraph does not say which one wrote an update."""
        for task in self.by_id.values():
            if task.open and task.node == node and task.ns == ns:
                return task
        return None

    def close(self, task: Running) -> None:
        """Note that a task has ended."""
        if not task.open:
            return
        task.open = False
        self._ended.append(task)
        if len(self._ended) > KEPT_TASKS:
            old = self._ended.popleft()
            if self.by_id.get(old.id) is old:
                del self.by_id[old.id]
        self._on_end(task.id)

    def tags(self, ns: Namespace, node: str, own: object) -> tuple[str, ...]:
        """Return a task's own tags, those of its node, and those of the tasks that it runs in."""
        if own is None and not ns and not self._node_tags:
            return ()
        tags = dict.fromkeys(own_tags(own))
        if self._node_tags:
            # Before 1.2.22 a task has no metadata, and after it a run's tags take the place of the node's.
            tags.update(dict.fromkeys(self._node_tags.get((), ())))
            tags.update(dict.fromkeys(self._node_tags.get(_names(ns, node), ())))
        for depth, segment in enumerate(ns):
            if outer := self.by_id.get(segment.rpartition(":")[2]):
                tags.update(dict.fromkeys(outer.tags))
            elif self._node_tags and ":" not in segment:  # a graph that keeps its own checkpoints
                tags.update(dict.fromkeys(self._node_tags.get(_names(ns[:depth], segment), ())))
        return tuple(tags)


def _callers(node: str, path: Any) -> int:
    """Return how many segments before a task's own are not graphs that it runs in, but tasks of the same graph.

    A `@task` runs in the graph of its caller though its segment stands below the caller's, and an error handler in that
    of the node that failed.
    """
    count = int(node.startswith("__error_handler__"))
    while type(path) is tuple and len(path) == 4 and path[0] == "__pregel_push" and path[3] is True:
        count, path = count + 1, path[1]
    return count


def own_tags(tags: object) -> Iterator[str]:
    """Yield the user's own tags of a `tags` entry, which is user data: a list, a string, or anything."""
    if isinstance(tags, str):
        yield tags
    elif isinstance(tags, list | tuple | set | frozenset):
        for tag in tags:
            # LangGraph's own marks, which older versions leave in.
            if isinstance(tag, str) and not tag.startswith(("seq:step:", "graph:step:", "map:key:", "langsmith:")):
                yield tag


def node_tags(graph: Any) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the tags that nodes were given in their metadata, by the path of node names from the root."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        graphs = [((), graph), *((tuple(name.split("|")), inner) for name, inner in graph.get_subgraphs(recurse=True))]
        for path, one in graphs:
            for name, node in (getattr(one, "nodes", None) or {}).items():
                metadata = getattr(node, "metadata", None)
                if isinstance(metadata, Mapping) and (tags := tuple(own_tags(metadata.get("tags")))):
                    key = (*path, str(name))
                    found[key] = tags
    except Exception:  # a graph of another kind has nothing to tell here
        return found
    return found


def run_tags(graph: Any, config: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the tags of a run and those bound to its graph, by the path of the root; empty when there are none."""
    bound = getattr(graph, "config", None)
    tags = [tag for one in (bound, config) if isinstance(one, Mapping) for tag in own_tags(one.get("tags"))]
    return {(): tuple(tags)} if tags else {}


def _names(ns: Namespace, node: str) -> tuple[str, ...]:
    return (*(segment.rpartition(":")[0] or segment for segment in ns if not segment.isdecimal()), node)

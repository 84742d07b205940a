"""A graph loaded in its process and not run: what it is, and what was said about it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

from lgwatch.errors import TargetError
from lgwatch.events import GraphLoaded, Json, Notice, RunEnded
from lgwatch.live import Launch, LiveRun

SETTLED = 0.3
"""Seconds without a word after which a loaded graph has nothing more to say."""


@dataclass(slots=True)
class Loaded:
    """A graph that was loaded and not run, and what was said about it."""

    graph: GraphLoaded
    notices: list[Notice] = field(default_factory=list)


def load_graph(launch: Launch) -> Loaded:
    """Load a graph in its process and return what it is. Raises TargetError."""
    with tempfile.TemporaryDirectory(prefix="lgwatch-") as folder:
        source = LiveRun(replace(launch, journal=Path(folder) / "load.jsonl"), keep=False)
        try:
            source.spawn()
            return _wait(source)
        finally:
            source.close()


def _wait(source: LiveRun) -> Loaded:
    graph: GraphLoaded | None = None
    notices: list[Notice] = []
    since = monotonic()
    while not source.finished and (graph is None or monotonic() - since < SETTLED):
        for event in source.poll():
            since = monotonic()
            match event:
                case GraphLoaded():
                    graph = event
                case Notice():
                    notices.append(event)
                case RunEnded(error=dict() as error):
                    raise _failure(error)
        sleep(0.01)
    if graph is None:
        raise TargetError(f"{source.label} was not loaded", "run `lgwatch doctor` on it")
    return Loaded(graph, notices)


def _failure(error: dict[str, Json]) -> TargetError:
    message, hint, detail = (str(error.get(key) or "") for key in ("message", "hint", "traceback"))
    return TargetError(message, hint, detail=detail.rstrip())

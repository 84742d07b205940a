"""Why a graph does not load, stream or resume: one check after the other, each with its fix. Runs no graph."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

from lgwatch import __version__, store
from lgwatch.errors import JournalError, LgwatchError, TargetError
from lgwatch.events import GraphLoaded, Json, Notice, RunEnded
from lgwatch.interpreters import find_interpreter
from lgwatch.live import Launch, LiveRun
from lgwatch.text import clean

PACKAGES = ("langgraph", "langchain-core", "orjson")
PROBE = """
import importlib.metadata, json, sys
found = {}
for name in %r:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps({"python": sys.version.split()[0], "packages": found}))
"""
SETTLED = 0.3
"""Seconds without a word after which a loaded graph has nothing more to say."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `good` is True, False, or None for what works with less; `fix` says what to do."""

    good: bool | None
    text: str
    fix: str = ""

    def __str__(self) -> str:
        sign = "⚠" if self.good is None else "✓" if self.good else "✗"
        lines = [f"{sign} {clean(self.text)}"]
        if self.fix:
            lines += [f"    {line}" for line in clean(self.fix, newlines=True).splitlines()]
        return "\n".join(lines)


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


def examine(python: str | None, launch: Callable[[str], Launch], *, asked: bool) -> Iterator[Check]:
    """Yield the checks as they are made. `launch` finds the target for an interpreter; `asked` tells that one was named."""
    yield Check(True, f"lgwatch {__version__}, in {sys.executable}")
    try:
        exe = find_interpreter(Path.cwd(), python).python
    except LgwatchError as error:
        yield Check(False, error.message, error.hint)
    else:
        usable = yield from _interpreter(exe)
        if usable:
            yield from _target(exe, launch, asked=asked)
    yield from _terminal()
    yield _state()


def _interpreter(exe: str) -> Generator[Check, None, bool]:
    try:
        done = subprocess.run(
            [exe, "-c", PROBE % (PACKAGES,)],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        yield Check(False, f"{exe} does not run Python code: {error}", "name another interpreter with --python")
        return False
    versions: dict[str, str] = found["packages"]
    yield Check(True, f"graphs run in {exe}, Python {found['python']}")
    if missing := [name for name in PACKAGES if name not in versions]:
        yield Check(
            False,
            f"{', '.join(missing)} not installed there",
            "install langgraph there, or name your project's interpreter with --python",
        )
        return False
    listed = ", ".join(f"{name} {versions[name]}" for name in PACKAGES[:2])
    old = versions["langgraph"].split(".")[0] == "0"
    yield Check(None if old else True, listed, "langgraph 1.0 and later are supported; upgrade it" if old else "")
    if found["python"].startswith("3.10."):
        yield Check(
            None,
            "before Python 3.11 async nodes do not pass their config on by themselves",
            "hand `config` to the model's call, or use Python 3.11, to see tokens and custom events of async nodes",
        )
    return True


def _target(exe: str, launch: Callable[[str], Launch], *, asked: bool) -> Iterator[Check]:
    try:
        found = launch(exe)
    except LgwatchError as error:
        yield Check(False if asked else None, error.message, error.hint)
        return
    yield Check(True, f"the target is {found.target}")
    started = monotonic()
    try:
        loaded = load_graph(found)
    except LgwatchError as error:
        yield Check(False, error.message, "\n".join(part for part in (error.hint, error.detail) if part))
        return
    nodes = sum(node.get("kind") not in ("start", "end") for node in loaded.graph.nodes)
    yield Check(True, f"it loads in {monotonic() - started:.1f} s: {nodes} node{'s' * (nodes != 1)}")
    if "checkpointer" not in [notice.code for notice in loaded.notices]:
        yield Check(True, "it has a checkpointer of its own: interrupts can be answered, threads go on")
    for notice in loaded.notices:
        yield Check(True if notice.code == "checkpointer" else None, notice.text)
    schema = loaded.graph.input_schema
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield Check(True, f"its input has the keys {', '.join(schema['properties'])}")


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Check(None, "stdout is no terminal", "a run is printed as short text (--plain) when there is no screen")
        return
    if term in ("", "dumb"):
        yield Check(None, f"TERM is {term or 'not set'}", "set TERM, for example to xterm-256color, to get the screen")
        return
    size = shutil.get_terminal_size()
    small = size.columns < 80 or size.lines < 24
    depth = "16 million colours" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else "256 colours or fewer"
    colours = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else depth
    yield Check(
        None if small else True,
        f"terminal {term}, {size.columns}x{size.lines}, {colours}",
        "the screen is made for 80x24 and more" if small else "",
    )
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        yield Check(
            None, f"the terminal's encoding is {encoding}", "set LANG to a UTF-8 locale to see glyphs and boxes"
        )


def _state() -> Check:
    try:
        return Check(True, f"runs are recorded in {store.writable_folder()}")
    except JournalError as error:
        return Check(None, error.message, error.hint)

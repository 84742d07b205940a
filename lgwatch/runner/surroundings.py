"""What is to be said of where a graph runs, before it does: another interpreter than lgwatch's, a langgraph too old."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from lgwatch import OLDEST_LANGGRAPH


def about(why: str, langgraph: str) -> Iterator[tuple[str, str]]:
    """Yield notices as code and sentence; `why` this interpreter was chosen is empty where nobody needs to be told."""
    if why:
        versions = f"Python {platform.python_version()}" + (f", langgraph {langgraph}" if langgraph else "")
        yield "interpreter", f"the graph runs in {_short(sys.executable)} ({versions}): {why}"
    if langgraph and is_old(langgraph):
        yield "old", f"{old_sentence(langgraph)}; upgrade it if something is missing or wrong"


def is_old(version: str) -> bool:
    """Whether a version of langgraph is older than what is tested."""
    numbers = [int(part) if part.isdecimal() else 0 for part in version.split(".")[:3]]
    return tuple(numbers) < OLDEST_LANGGRAPH


def old_sentence(version: str) -> str:
    """Return what is to be said about it."""
    return f"langgraph {version} is older than {'.'.join(map(str, OLDEST_LANGGRAPH))}, the oldest that lgwatch is tested with"


def _short(executable: str) -> str:
    """Return the path from the working directory if it is below, which is where a project's environment is."""
    path = Path(executable)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return executable

"""The Python that would run the graph: which, why, and whether it has what that takes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator

from lgwatch import OLDEST_LANGGRAPH
from lgwatch.doctor.check import Check
from lgwatch.interpreters import Interpreter

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


def examine(chosen: Interpreter) -> Generator[Check, None, bool]:
    """Yield what there is to say of an interpreter; return whether it can run a graph."""
    python = chosen.python
    try:
        done = subprocess.run(
            [python, "-c", PROBE % (PACKAGES,)],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        yield Check(False, f"{python} does not run Python code: {error}", "name another interpreter with --python")
        return False
    versions: dict[str, str] = found["packages"]
    why = chosen.why or "lgwatch's own"
    yield Check(True, f"graphs run in {python}, Python {found['python']} ({why})")
    if _numbers(found["python"]) < (3, 10):
        yield Check(False, "lgwatch needs Python 3.10 or later to run a graph", "name a newer one with --python")
        return False
    if missing := [name for name in PACKAGES if name not in versions]:
        yield Check(
            False,
            f"{', '.join(missing)} not installed there",
            f"install it there ({python} -m pip install langgraph), or name your project's interpreter with --python",
        )
        return False
    old = _numbers(versions["langgraph"]) < OLDEST_LANGGRAPH
    oldest = ".".join(map(str, OLDEST_LANGGRAPH))
    yield Check(
        None if old else True,
        ", ".join(f"{name} {versions[name]}" for name in PACKAGES[:2]),
        f"langgraph {oldest} is the oldest that lgwatch is tested with; upgrade it" if old else "",
    )
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:3])

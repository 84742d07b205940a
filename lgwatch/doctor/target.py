"""The graph itself: found, imported, built, and looked at in its own interpreter. It is not run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic

from lgwatch.doctor.check import Check
from lgwatch.doctor.loading import Loaded, load_graph
from lgwatch.errors import LgwatchError
from lgwatch.interpreters import LANGGRAPH, Environment, environments
from lgwatch.live import Launch

DISTRIBUTIONS = {
    "dotenv": "python-dotenv",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
}
"""What to install for a module, where that has another name."""

_MISSING = re.compile(r"No module named '([\w.]+)'")
_RELATIVE = "attempted relative import"


def examine(launch: Launch) -> Iterator[Check]:
    """Yield what there is to say of the target."""
    found = replace(launch, diagnose=True)
    yield Check(True, f"the target is {found.target}")
    started = monotonic()
    try:
        loaded = load_graph(found)
    except LgwatchError as error:
        yield _failure(found, error)
        return
    nodes = sum(node.get("kind") not in ("start", "end") for node in loaded.graph.nodes)
    yield Check(True, f"it loads in {monotonic() - started:.1f} s: {nodes} node{'s' * (nodes != 1)}")
    schema = loaded.graph.input_schema
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield Check(True, f"its input has the keys {', '.join(schema['properties'])}")
    yield from _said(loaded)


def _said(loaded: Loaded) -> Iterator[Check]:
    for notice in loaded.notices:
        kind, _, word = notice.code.partition(":")
        text, _, fix = notice.text.partition("\n")
        if kind == "doctor":
            yield Check({"good": True, "wrong": False}.get(word), text, fix)
        elif kind in ("checkpointer", "compiled"):
            yield Check(True, text)
        elif kind == "unwrapped":
            yield Check(None, text, "name the graph itself if what is around it matters")
        elif kind == "loading":
            yield Check(None, text, "move what takes long into a node, or into a function that makes the graph")
        elif kind not in ("interpreter", "old"):  # said of the interpreter before
            yield Check(None, text, fix)


def _failure(launch: Launch, error: LgwatchError) -> Check:
    """Return why it does not load; for a module that is missing, where it is."""
    detail = [error.detail] if error.detail else []
    told = f"{error.message}\n{error.detail}"
    names = _MISSING.findall(told)
    if _RELATIVE in told:
        fix = "name it as a module of its package (package.module:attr) with --app-dir at the folder above the package"
        return Check(False, error.message, "\n".join([fix, *detail]))
    if names and "--app-dir" not in error.hint and error.detail:
        return Check(False, error.message, "\n".join([_where(names[-1], launch), *detail]))
    return Check(False, error.message, "\n".join(part for part in (error.hint, *detail) if part))


def _where(module: str, launch: Launch) -> str:
    """Return what to do about a module that the graph's interpreter does not have."""
    top = module.partition(".")[0]
    folders = _folders(launch)
    for one in environments(folders):
        if one.has(top) and not _is_used(one, launch):
            if one.has(LANGGRAPH):
                return f"{top} is in {one.origin}: run it there with --python {one.python}"
            return f"{top} is in {one.origin}, which has no langgraph: install that there ({one.python} -m pip install langgraph)"
    return f"install it there: {launch.python} -m pip install {DISTRIBUTIONS.get(top, top.replace('_', '-'))}"


def _folders(launch: Launch) -> Sequence[Path]:
    place = Path(launch.target.rpartition(":")[0])
    return [place.parent, launch.app_dir] if place.is_absolute() else [launch.app_dir]


def _is_used(environment: Environment, launch: Launch) -> bool:
    return str(environment.python) == launch.python

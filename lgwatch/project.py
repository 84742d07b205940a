"""What the working directory says about a run: which graph, which variables. Reads text, imports none of it."""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from lgwatch.errors import TargetError
from lgwatch.interpreters import upward
from lgwatch.scan import Found, scan

FORMS = "Name it as package.module:attr, path/to/file.py:attr, or by a name in langgraph.json."
PROJECT_FILE = "langgraph.json"

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A graph that was named or found.

    `target` is `module:attr` or `/abs/path.py:attr`, with nothing after the colon where the runner has to find the
    only graph in it; `label` is what the user typed, or what to call what was found; `paths` are local folders that
    have to be importable; `env` holds the variables that langgraph.json sets.
    """

    target: str
    label: str
    paths: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)


def resolve_target(text: str | None, cwd: Path) -> Target:
    """Return the graph that `text` names, or the only one of the project when it is empty.

    Nothing is imported: whether a module exists and holds a graph is for the runner to find out, in its interpreter.
    """
    cwd = cwd.absolute()
    text = (text or "").strip()
    project_file = next((p for folder in upward(cwd) if (p := folder / PROJECT_FILE).is_file()), None)
    if not text:
        return _only_graph(cwd, project_file)
    if re.fullmatch(r"[^:/\\]+", text) and project_file is not None and not text.endswith(".py"):
        named = _named(text, cwd, project_file)
        if named is not None:
            return named
    return Target(_normalised(text, cwd), text, _paths(project_file))


def find_env_file(cwd: Path) -> Path | None:
    """Return the nearest `.env` from `cwd` upward, None when there is none below the home directory."""
    # A password manager may serve the file as a named pipe, which is no regular file.
    candidates = (folder / ".env" for folder in upward(cwd.absolute()))
    return next((path for path in candidates if path.exists() and not path.is_dir()), None)


def load_env(path: Path) -> dict[str, str]:
    """Return the variables of an environment file; a name without a value is left out."""
    if not path.exists() or path.is_dir():
        raise TargetError(f"There is no environment file {path}.", "Check --env-file and the env of langgraph.json.")
    try:
        values = dotenv_values(path)
    except (OSError, ValueError) as error:
        raise TargetError(
            f"The environment file {path} cannot be read: {error}.",
            "It needs lines of the form NAME=value in UTF-8; --no-env leaves it out.",
        ) from error
    return {name: value for name, value in values.items() if value is not None}


# --- the forms of a target


def _normalised(text: str, cwd: Path) -> str:
    place, colon, attr = text.rpartition(":")
    if not colon or (text.endswith(".py") and not _MODULE.fullmatch(attr)):
        place, colon, attr = text, "", ""
    if colon and not _MODULE.fullmatch(attr):
        raise TargetError(f"{text!r} does not name a graph: {attr!r} is not an attribute.", FORMS)
    if place.endswith(".py") or "/" in place or os.sep in place:
        return f"{_file(place, cwd)}:{attr}"
    if not _MODULE.fullmatch(place):
        raise TargetError(f"{text!r} does not name a graph.", FORMS)
    return f"{place}:{attr}"


def _file(place: str, folder: Path) -> Path:
    path = Path(os.path.normpath(folder / Path(place).expanduser()))
    if not path.name.endswith(".py") and path.with_name(path.name + ".py").is_file():
        path = path.with_name(path.name + ".py")
    if path.is_dir():
        raise TargetError(f"{place} is a folder, not a Python file.", FORMS)
    if not path.is_file():
        names = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=3)
        raise TargetError(f"There is no file {path}.", f"Did you mean {_either(near)}?" if near else FORMS)
    if path.suffix != ".py":
        raise TargetError(f"{place} is not a Python file.", FORMS)
    return path


# --- langgraph.json


def _named(name: str, cwd: Path, project_file: Path) -> Target | None:
    """Return the graph of that name in langgraph.json; None when the name can only be a module's."""
    attempt: TargetError | None = None
    try:
        config = _config(project_file)
    except TargetError as error:
        config, attempt = {}, error
    graphs = config.get("graphs") or {}
    if name in graphs:
        return _graph(name, config, project_file)
    if "." in name or (cwd / name).exists() or (cwd / f"{name}.py").is_file():
        return None
    if attempt is not None:
        raise attempt
    near = difflib.get_close_matches(name, graphs, n=3)
    if near:
        raise TargetError(f"{project_file} has no graph {name!r}.", f"Did you mean {_either(near)}?")
    return None


def _graph(name: str, config: dict[str, Any], project_file: Path) -> Target:
    value = config["graphs"][name]
    place = value.get("path") if isinstance(value, dict) else value
    if not isinstance(place, str) or not place:
        raise TargetError(
            f"{project_file} does not say where the graph {name!r} is.",
            f'Write it as "{name}": "./path/to/file.py:attr" under "graphs".',
        )
    target = _normalised(place, project_file.parent)
    return Target(target, name, _paths(project_file), _variables(config, project_file))


def _config(project_file: Path) -> dict[str, Any]:
    try:
        config = json.loads(project_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TargetError(
            f"{project_file} cannot be read: {error}.", "Correct it, or name the graph as path/to/file.py:attr."
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("graphs", {}), dict):
        raise TargetError(
            f"{project_file} has no object of graphs.", 'It needs {"graphs": {"name": "./path/to/file.py:attr"}}.'
        )
    return config


def _variables(config: dict[str, Any], project_file: Path) -> dict[str, str]:
    env = config.get("env")
    if isinstance(env, str) and env:
        return load_env(project_file.parent / env)
    if isinstance(env, dict):
        return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in env.items()}
    return {}


def _paths(project_file: Path | None) -> list[str]:
    """Return the folders that installing the local `dependencies` would make importable."""
    if project_file is None:
        return []
    try:
        dependencies = _config(project_file).get("dependencies")
    except TargetError:  # a graph that is named in full does not need the file
        return []
    paths: list[str] = []
    for dependency in dependencies if isinstance(dependencies, list) else []:
        if not isinstance(dependency, str) or not dependency.startswith("."):
            continue
        folder = Path(os.path.normpath(project_file.parent / dependency))
        sources = folder / "src"
        for path in (folder, sources if not (sources / "__init__.py").exists() else folder):
            if path.is_dir() and str(path) not in paths:
                paths.append(str(path))
    return paths


# --- nothing was named


def _only_graph(cwd: Path, project_file: Path | None) -> Target:
    if project_file is not None:
        config = _config(project_file)
        names = list(config.get("graphs") or {})
        if len(names) == 1:
            return _graph(names[0], config, project_file)
        if names:
            raise TargetError(
                f"{project_file} has {len(names)} graphs: {_listed(names)}.", f"Name one, such as {names[0]}."
            )
    found = scan(cwd)
    best = [one for one in found if one.kind == max(f.kind for f in found)]
    labels = [_label(one, cwd) for one in best]
    if len(best) == 1 and best[0].kind > Found.FACTORY:
        return Target(f"{best[0].path}:{best[0].name}", labels[0], _paths(project_file))
    if not best:
        raise TargetError(f"No graph was found in {cwd}.", FORMS)
    if best[0].kind == Found.FACTORY:
        raise TargetError(
            f"No graph was found in {cwd}, only functions that build one: {_listed(labels)}.",
            f"Name one, such as {labels[0]}.",
        )
    raise TargetError(f"{len(best)} graphs were found: {_listed(labels)}.", f"Name one, such as {labels[0]}.")


def _label(found: Found, cwd: Path) -> str:
    return f"{found.path.relative_to(cwd)}:{found.name}"


def _listed(names: list[str], most: int = 12) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _either(names: list[str]) -> str:
    return " or ".join(names)

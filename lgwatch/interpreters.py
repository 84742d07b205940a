"""Which Python runs a graph, and why: looks at folders and starts nothing, since the first picture waits for it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lgwatch.errors import TargetError

LANGGRAPH = "langgraph/graph"
"""A folder that only the distribution with the graphs has; the name before the slash is shared by several."""
OLDEST_PYTHON = (3, 10)

_FOLDERS = (
    "lib/python*/site-packages",
    "lib/python*/dist-packages",
    "lib64/python*/site-packages",
    "Lib/site-packages",
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that runs a graph; `why` is a phrase, empty for lgwatch's own."""

    python: str
    why: str = ""

    def __str__(self) -> str:
        return self.python


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment's folder, its interpreter, and how it was come by (`the project's .venv`)."""

    folder: Path
    python: Path
    origin: str

    @property
    def own(self) -> bool:
        """Whether it is the one that lgwatch itself runs in."""
        return _same(self.folder, Path(sys.prefix))

    @property
    def version(self) -> tuple[int, int] | None:
        """Python's version in it, from the names of its folders; None where they do not tell."""
        found = (re.search(r"python(\d+)\.(\d+)", str(folder)) for folder in site_packages(self.folder))
        return next(((int(one[1]), int(one[2])) for one in found if one), None)

    def has(self, module: str) -> bool:
        """Whether a module (`yaml`, `langgraph/graph`) stands in its folders; what only an import hook finds is not seen."""
        return any(
            (folder / module).is_dir() or (folder / f"{module}.py").is_file() or any(folder.glob(f"{module}.*.so"))
            for folder in site_packages(self.folder)
        )


def find_interpreter(cwd: Path, explicit: str | None = None, folders: Sequence[Path] = ()) -> Interpreter:
    """Return what runs the graph: the interpreter asked for, else the project's own environment, else lgwatch's.

    The project's is the active environment, or the nearest `.venv` or `venv` upward of `folders` or of `cwd`, that has
    langgraph. Where lgwatch's own interpreter has none either, any environment beats none. Raises TargetError.
    """
    if explicit:
        return Interpreter(_explicit(explicit, cwd), "as --python says")
    found = list(environments([*folders, cwd]))
    for one in found:
        if one.has(LANGGRAPH):
            if one.own:  # it was activated, or is the project's
                return Interpreter(sys.executable)
            _check_version(one)
            return Interpreter(str(one.python), f"{one.origin}, which has langgraph")
    if _has_langgraph():
        return Interpreter(sys.executable)
    other = next((one for one in found if not one.own), None)
    if other is None:
        raise TargetError(
            f"langgraph is not installed in {sys.executable}, and no virtual environment was found.",
            "Install langgraph there, or name your project's interpreter with --python PATH.",
        )
    # An environment can have langgraph in ways that a look at its folders does not show.
    return Interpreter(str(other.python), f"{other.origin}, since lgwatch's own has no langgraph")


def environments(folders: Sequence[Path]) -> Iterator[Environment]:
    """Yield the virtual environments that a project may mean, the likeliest first, each once."""
    places = [(os.environ.get("VIRTUAL_ENV"), "the active environment")]
    for folder in folders:
        for above in upward(folder.absolute()):
            places += [(str(above / name), f"the project's {name}") for name in (".venv", "venv")]
    places.append((os.environ.get("CONDA_PREFIX"), "the active conda environment"))
    seen: list[Path] = []
    for place, origin in places:
        python = python_of(Path(place)) if place else None
        if python is not None and not any(_same(Path(place or ""), other) for other in seen):
            seen.append(Path(place or ""))
            yield Environment(seen[-1], python, origin)


def upward(folder: Path) -> Iterator[Path]:
    """Yield the folder and its parents; the home directory is not anybody's project unless one stands in it."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- Path.home() raises where there is no home
    yield folder
    for parent in folder.parents:
        if home in {folder, parent}:
            return
        yield parent


def python_of(environment: Path) -> Path | None:
    """Return the interpreter of an environment, None when the folder is none."""
    candidates = (environment / "bin" / "python", environment / "Scripts" / "python.exe")
    return next((python for python in candidates if python.is_file() and os.access(python, os.X_OK)), None)


def site_packages(environment: Path) -> list[Path]:
    """Return the folders that an environment imports packages from, also those that it was told of."""
    found = [folder for pattern in _FOLDERS for folder in environment.glob(pattern)]
    if base := _base(environment):
        found += [folder for pattern in _FOLDERS for folder in base.glob(pattern)]
    for folder in list(found):
        for file in folder.glob("*.pth"):
            with suppress(OSError, ValueError):
                lines = file.read_text(encoding="utf-8").splitlines()
                found += [path for line in lines if line[:6] not in ("import", "") and (path := folder / line).is_dir()]
    return found


def _base(environment: Path) -> Path | None:
    """Return the Python that an environment was made of, where it shares the packages of that one."""
    try:
        text = (environment / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    settings = {
        key.strip(): value.strip() for key, equals, value in (line.partition("=") for line in text.splitlines())
    }
    shared = settings.get("include-system-site-packages", "").lower() == "true"
    return Path(settings["home"]).parent if shared and settings.get("home") else None


def _check_version(environment: Environment) -> None:
    version = environment.version
    if version is not None and version < OLDEST_PYTHON:
        raise TargetError(
            f"{environment.origin} ({environment.folder}) has Python {version[0]}.{version[1]}, and lgwatch needs 3.10 to run a graph.",
            "Make it anew with a newer Python, or name another interpreter with --python PATH.",
        )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _explicit(explicit: str, folder: Path) -> str:
    # Links stay as they are: a virtual environment's python is a link, and its place is what makes it one.
    path = Path(os.path.normpath(folder.absolute() / Path(explicit).expanduser()))
    if path.is_dir():
        python = python_of(path)
    elif path.is_file():
        python = path if os.access(path, os.X_OK) else None
    else:
        on_path = shutil.which(explicit) if path.name == explicit else None
        python = Path(on_path) if on_path else None
    if python is None:
        raise TargetError(
            f"{explicit} is not a Python interpreter that can be started.",
            "--python takes a path such as .venv/bin/python, or a command on the PATH such as python3.12.",
        )
    return str(python)


def _has_langgraph() -> bool:
    name, folder = LANGGRAPH.split("/")
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    locations = spec.submodule_search_locations if spec is not None else None
    return any((Path(location) / folder).is_dir() for location in locations or [])

"""Importing a module of the user's, by name or by file. It ends up in `sys.modules` under one name, and shadows nothing."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.machinery
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from lgwatch.errors import TargetError
from lgwatch.runner.failure import is_framework, message_of, traceback_text, type_name

_MAX_MODULES = 2_000
_PRIVATE = "lgwatch_target_"


def import_module_of(place: str, attr: str = "", *, app_dir: str, paths: Sequence[str] = ()) -> ModuleType:
    """Import a module, named by its dotted name or by an absolute path that ends in `.py`."""
    for path in reversed([app_dir, *paths]):
        _first_on_path(path)
    if place.endswith(".py"):
        return _import_file(Path(place), app_dir)
    return _guarded(place, place, lambda: importlib.import_module(place), attr=attr, folders=[app_dir, *paths])


def near(name: str, names: Sequence[str]) -> list[str]:
    """Return the few names that are most like `name`."""
    by_case = {other.lower(): other for other in names}
    return [by_case[match] for match in difflib.get_close_matches(name.lower(), by_case, n=3, cutoff=0.6)]


def where_is_import() -> str:
    """Return what the main thread is importing and where it is, such as `importing agent, at agent.py:12`; else "".

    It reads the stack of the running thread and may be called from any other.
    """
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 -- the documented way to another thread's stack
    place = user_place = module = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if not is_framework(name):
            here = f"{name}:{frame.f_lineno}"
            place = place or here
            if not user_place and not _is_library(name):
                user_place = here
            if not module and frame.f_code.co_name == "<module>":
                module = str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return (
        f"importing {module.removeprefix(_PRIVATE)}, at {user_place or place}"
        if module and module != "__main__"
        else ""
    )


def _is_library(filename: str) -> bool:
    return filename.startswith((str(Path(os.__file__).parent), "<")) or "site-packages" in filename


# --- files


def _import_file(path: Path, app_dir: str) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"There is no file {path}.", "Name it as path/to/file.py:attr.")
    root, name = _package_name(path, Path(app_dir))
    if root != path.parent:
        _first_on_path(str(root))
        _refuse_foreign(name.partition(".")[0], root, path)
        return _guarded(name, str(path), lambda: importlib.import_module(name))
    # A file that is named like something installed must not take its place for everybody who imports that.
    taken = _found_elsewhere(path.stem, path.parent)
    if taken:
        _last_on_path(str(path.parent))
    else:
        _on_path(str(path.parent), after=app_dir)
        if path.stem.isidentifier() and _is_same(_origin(path.stem), path):
            return _guarded(path.stem, str(path), lambda: importlib.import_module(path.stem))
    private = _PRIVATE + re.sub(r"\W", "_", path.stem)
    return _guarded(private, str(path), lambda: _load_as(private, path))


def _package_name(path: Path, app_dir: Path) -> tuple[Path, str]:
    """Return the folder that has to be importable and the dotted name that a file then has.

    Files in packages keep their relative imports. A folder without `__init__.py` is a package too when the file in it
    imports relatively.
    """
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and "." not in folder.name and folder.parent != folder:
        parts.insert(0, folder.name)
        folder = folder.parent
    missing = _relative_levels(path) - (len(parts) - 1)
    if missing > 0 and app_dir in folder.parents and len(folder.relative_to(app_dir).parts) >= missing:
        parts = [*folder.relative_to(app_dir).parts, *parts]
        folder = app_dir
    elif missing > 0:
        for _ in range(missing):
            parts.insert(0, folder.name)
            folder = folder.parent
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return folder, ".".join(parts)


def _relative_levels(path: Path) -> int:
    """Return how many packages up the file's relative imports reach."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return 0  # the import itself will say it
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


def _refuse_foreign(top: str, root: Path, path: Path) -> None:
    """Raise when the name of a file's outermost package already belongs to another one."""
    loaded = sys.modules.get(top)
    if loaded is not None and not any(_is_same(place, root / top) for place in getattr(loaded, "__path__", ())):
        raise TargetError(
            f"{path} belongs to a package {top!r}, but that name already means {_origin_of(loaded)}.",
            "Rename the package's folder, or run from a file outside of it.",
        )


def _load_as(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported as a Python file", name=name)
    module = importlib.util.module_from_spec(spec)
    # Pickling, dataclasses and type hints look a class's module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _found_elsewhere(name: str, folder: Path) -> bool:
    if name in sys.stdlib_module_names:
        return True
    others = [entry for entry in sys.path if not _is_same(entry, folder)]
    try:
        spec = importlib.machinery.PathFinder.find_spec(name, others)
    except (ImportError, ValueError):
        return False
    if spec is not None and spec.origin is None:
        # A bare folder of that name is a package only if something importable is in it, such as an installed one.
        return any("site-packages" in location for location in spec.submodule_search_locations or ())
    return spec is not None


def _origin(name: str) -> str:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    return (spec.origin or "") if spec is not None else ""


def _origin_of(module: ModuleType) -> str:
    places = list(getattr(module, "__path__", ()))
    return str(getattr(module, "__file__", None) or (places[0] if places else "a built-in module"))


def _is_same(one: str | Path, other: str | Path) -> bool:
    try:
        return bool(one) and Path(one).samefile(other)
    except OSError:
        return False


# --- sys.path


def _first_on_path(folder: str) -> None:
    while folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)


def _on_path(folder: str, *, after: str) -> None:
    if folder not in sys.path:
        sys.path.insert(sys.path.index(after) + 1 if after in sys.path else 0, folder)


def _last_on_path(folder: str) -> None:
    while folder in sys.path:
        sys.path.remove(folder)
    sys.path.append(folder)


# --- what can go wrong


def _guarded(
    name: str, place: str, load: Callable[[], ModuleType], *, attr: str = "", folders: Sequence[str] = ()
) -> ModuleType:
    """Import, and turn whatever the user's code does into a TargetError: it is reported, not obeyed."""
    try:
        return load()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing and f"{name}.".startswith(f"{missing}."):
            raise _not_found(name, missing, attr, folders) from error
        raise _failed(place, error, missing) from error
    except ImportError as error:
        raise _failed(place, error, "") from error
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}" if error.filename else place
        raise TargetError(
            f"{where} is not valid Python: {error.msg}.",
            f"It was read by Python {sys.version_info.major}.{sys.version_info.minor}, {sys.executable}.",
            detail=traceback_text(error),
        ) from error
    except SystemExit as error:
        raise TargetError(
            f"{place} called sys.exit({error.code!r}) while it was imported.",
            'Move what only a script should do behind `if __name__ == "__main__":`.',
            detail=traceback_text(error),
        ) from error
    except KeyboardInterrupt as error:
        raise TargetError(
            f"{place} was interrupted while it was imported.",
            "The traceback shows where; work that takes long belongs into a node or a factory.",
            detail=traceback_text(error),
        ) from error
    except BaseException as error:
        raise TargetError(
            f"{place} raised {type_name(error)} while it was imported: {message_of(error)}",
            "The traceback shows where in your code.",
            detail=traceback_text(error),
        ) from error


def _not_found(name: str, missing: str, attr: str, folders: Sequence[str]) -> TargetError:
    modules = list(_local_modules(folders))
    parent, _, last = name.rpartition(".")
    is_package = any(module.startswith(f"{parent}.") for module in modules)
    similar = [*(m for m in modules if m.endswith(f".{name}")), *near(name, modules)][:3]
    if not attr and parent in modules and not (is_package and similar):
        hint = f"Did you mean {parent}:{last}?"
    else:
        guess = f"Did you mean {' or '.join(dict.fromkeys(similar))}? " if similar else ""
        looked = ", ".join(dict.fromkeys(folders))
        hint = f"{guess}Looked in {looked} and what {sys.executable} has installed."
    return TargetError(f"There is no module {missing!r}.", hint)


def _failed(place: str, error: ImportError, missing: str) -> TargetError:
    if missing:
        top = missing.partition(".")[0]
        local = [entry for entry in sys.path[:4] if entry and not _is_library(entry)]
        homes = {Path(entry) / home for entry in local for home in _homes(top, entry)}
        message = f"{place} imports {missing!r}, which {sys.executable} does not have."
        hint = (
            f"It is in {min(homes)}; make that importable with --app-dir."
            if homes
            else "Install it there, or choose your project's own interpreter with --python."
        )
    else:
        message = f"{place} cannot be imported: {message_of(error)}."
        hint = f"The traceback shows which import failed; the interpreter is {sys.executable}."
    return TargetError(message, hint, detail=traceback_text(error))


def _homes(top: str, folder: str) -> Iterator[str]:
    """Yield the folders under `folder`, relative to it, that hold a module of that name."""
    for module in _local_modules([folder]):
        parts = module.split(".")
        if parts[-1] == top and len(parts) > 1:
            yield "/".join(parts[:-1])


def _local_modules(folders: Sequence[str]) -> Iterator[str]:
    """Yield the dotted names of the modules in some folders, three levels deep."""
    left = _MAX_MODULES
    for folder in folders:
        for root, children, files in os.walk(folder):
            parts = Path(root).relative_to(folder).parts
            children[:] = [
                name
                for name in children
                if name.isidentifier() and len(parts) < 3 and not (Path(root) / name / "pyvenv.cfg").exists()
            ]
            children[:] = [name for name in children if name not in {"node_modules", "__pycache__"}]
            stems = [name[:-3] for name in files if name.endswith(".py") and name[:-3].isidentifier()]
            for name in [*children, *(stem for stem in stems if stem != "__init__")]:
                left -= 1
                if left < 0:
                    return
                yield ".".join((*parts, name))

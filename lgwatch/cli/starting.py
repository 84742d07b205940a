"""From options to what the graph's process is started with, and to the place of its journal."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lgwatch.errors import InputError, JournalError, TargetError

if TYPE_CHECKING:
    from lgwatch.live import Launch


def launch_of(
    text: str | None,
    *,
    python: str | None = None,
    app_dir: Path | None = None,
    env_file: Path | None = None,
    no_env: bool = False,
    own: bool = False,
) -> Launch:
    """Return what to start for a target; its journal has no place yet. Raises TargetError.

    `own` takes lgwatch's own interpreter where none is asked for, whatever the project has.
    """
    from lgwatch.interpreters import Interpreter, find_interpreter
    from lgwatch.live import Launch
    from lgwatch.project import find_env_file, load_env, resolve_target

    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise TargetError("the current directory was deleted", "go to another one: cd") from None
    folder = app_dir.absolute() if app_dir is not None else here
    if not folder.is_dir():
        raise TargetError(f"there is no folder {app_dir}", "--app-dir names the folder to import from")
    target = resolve_target(text, folder)
    env_path = None if no_env else env_file or find_env_file(here)
    place = Path(target.target.rpartition(":")[0])
    near = [place.parent, folder] if place.is_absolute() else [folder]
    chosen = Interpreter(sys.executable) if own and python is None else find_interpreter(here, python, near)
    return Launch(
        target=target.target,
        label=target.label,
        journal=Path(),
        python=chosen.python,
        why="" if python else chosen.why,  # who has named it knows
        app_dir=folder,
        paths=tuple(target.paths),
        env={**(load_env(env_path) if env_path is not None else {}), **target.env},
    )


def recorded(launch: Launch, journal: Path | None, *, keep: bool = True) -> tuple[Launch, bool]:
    """Return the launch with the place of its journal, and whether the journal stays."""
    from lgwatch import store

    if journal is not None and not keep:
        raise InputError("both --journal and --no-journal were given", "choose one")
    if journal is None:
        path = store.new_path(launch.label, warn=lambda text: print(f"note: {text}", file=sys.stderr))
        return replace(launch, journal=path), keep
    path = journal.expanduser().absolute()
    if path.exists():
        raise JournalError(f"{journal} exists already", "name another file, or remove it")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise JournalError(f"cannot write {journal}: no folder to write to", "name a file in a folder of yours")
    return replace(launch, journal=path), keep

"""The folder of past runs: names for new journals, a list of old ones, and a limit on both. Never touches a journal that is being written."""

from __future__ import annotations

import fcntl
import math
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import time

from lgwatch.errors import JournalError
from lgwatch.events import GraphLoaded, Notice, Output, RunEnded, Unknown, ValueStored
from lgwatch.journal import JournalReader, decode

KEEP_RUNS = 50
KEEP_BYTES = 2 << 30
KEEP_DAYS = math.inf
COUNTED = 8 << 20
"""Bytes up to which the events of a journal are counted; nobody waits for the lines of a bigger one."""
TAIL = 1 << 16
AFTERWARDS = (GraphLoaded, Notice, Output, Unknown, ValueStored)
"""Events that can stand outside of a run."""
SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class RunFile:
    """What the folder's list says of a journal.

    `status` is the last run's: `running`, `done`, `interrupted`, `failed`, `stopped`, `crashed`, or `loaded` when none
    was started; `started` is ISO 8601; `duration` is in seconds, `size` in bytes; `events` is None for a big journal.
    """

    path: Path
    target: str
    started: str
    status: str
    duration: float
    size: int
    events: int | None

    @property
    def name(self) -> str:
        """What `lgwatch open` and `lgwatch runs --delete` call it."""
        return self.path.name.removesuffix(SUFFIX)


def folder() -> Path:
    """Return where journals are kept: `$LGWATCH_STATE`, else `lgwatch/runs` in the XDG state directory."""
    if chosen := os.environ.get("LGWATCH_STATE"):
        return Path(chosen).expanduser().absolute()
    # A relative XDG path is invalid by its specification, and is to be ignored.
    state = Path(os.environ.get("XDG_STATE_HOME") or "")
    base = state if state.is_absolute() else Path("~/.local/state").expanduser()
    return base / "lgwatch" / "runs"


def writable_folder() -> Path:
    """Return the folder of past runs after making it (mode 0700). Raises JournalError when it cannot be written."""
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if "LGWATCH_STATE" not in os.environ:  # a folder that somebody chose has the mode that somebody gave it
            path.chmod(0o700)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, RuntimeError) as error:  # no home directory is a RuntimeError
        reason = error.strerror if isinstance(error, OSError) else error
        raise JournalError(f"cannot write to {path}: {reason}", "set LGWATCH_STATE to a folder of yours") from None
    return path


def new_path(target: str, *, warn: Callable[[str], None] | None = None) -> Path:
    """Return where the journal of a new run of `target` goes: a name that sorts by time and is nobody else's.

    Where the folder cannot be written the journal goes to a temporary one; `warn` is called with a sentence about it.
    """
    try:
        where = writable_folder()
    except JournalError as error:
        where = Path(tempfile.mkdtemp(prefix="lgwatch-"))
        if warn is not None:
            warn(f"{error.message}; this run is recorded in {where}")
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%S")
    stem = f"{now}-{_slug(target)}"
    number = 1
    while not _claim(path := where / (stem + (f"-{number}" if number > 1 else "") + SUFFIX)):
        number += 1
    return path


def _slug(target: str) -> str:
    """`pkg.agents:graph` → `agents`, `src/bot.py:app` → `bot-app`."""
    place, _, attr = target.partition(":")
    last = re.split(r"[/\\]", place.removesuffix(".py"))[-1].rpartition(".")[2]
    words = [last] if attr in ("", "graph") else [last, attr]
    return re.sub(r"[^A-Za-z0-9_]+", "-", "-".join(words)).strip("-")[:40] or "run"


def _claim(path: Path) -> bool:
    """Reserve a name: the journal itself is created by the graph's process, some time later."""
    if path.exists():
        return False
    try:
        os.close(os.open(path.with_name(f".{path.name}"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def being_written(path: Path) -> bool:
    """Whether a process has the journal open for writing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks cannot tell
        return False
    finally:
        os.close(fd)
    return False


def prune(keep: float | None = None, max_bytes: float | None = None, max_days: float | None = None) -> list[Path]:
    """Delete the oldest journals beyond `keep` files and `max_bytes` in all, and those that nobody wrote to for
    `max_days`; return what was deleted.

    Without arguments the limits are `$LGWATCH_KEEP_RUNS`, `$LGWATCH_KEEP_BYTES` and `$LGWATCH_KEEP_DAYS`, else 50, 2 GiB
    and any age. A limit of 0 keeps nothing.
    """
    keep = _setting("LGWATCH_KEEP_RUNS", KEEP_RUNS) if keep is None else keep
    max_bytes = _setting("LGWATCH_KEEP_BYTES", KEEP_BYTES) if max_bytes is None else max_bytes
    max_days = _setting("LGWATCH_KEEP_DAYS", KEEP_DAYS) if max_days is None else max_days
    oldest = time() - max_days * 86_400
    gone: list[Path] = []
    kept = total = 0
    for path in _journals():
        with suppress(OSError):
            about = path.stat()
            fits = kept < keep and total + about.st_size <= max_bytes and about.st_mtime >= oldest
            if fits or being_written(path):
                kept, total = kept + 1, total + about.st_size
            else:
                path.unlink()
                gone.append(path)
    with suppress(OSError):
        for claim in folder().glob(f".*{SUFFIX}"):
            if claim.with_name(claim.name[1:]).exists() or claim.stat().st_mtime < time() - 3600:
                claim.unlink()
    return gone


def _setting(name: str, default: float) -> float:
    try:
        limit = float(os.environ[name])
    except (KeyError, ValueError):
        return default
    return limit if limit >= 0 else default


def _journals() -> list[Path]:
    """The journals in the folder, newest first: their names begin with the time."""
    try:
        return sorted((path for path in folder().glob(f"*{SUFFIX}") if path.name[0] != "."), reverse=True)
    except (OSError, RuntimeError):
        return []


def runs() -> list[RunFile]:
    """Return what there is, newest first; files that are no journals are left out."""
    found: list[RunFile] = []
    for path in _journals():
        with suppress(JournalError, OSError):
            found.append(look(path))
    return found


def look(path: Path) -> RunFile:
    """Return what the header and the last lines of a journal say. Raises JournalError."""
    reader = JournalReader(path)
    header = reader.header
    reader.close()
    size = path.stat().st_size
    status, duration = _end(path, size)
    events = _count(path) if size <= COUNTED else None
    return RunFile(path, header.target, header.started, status, duration, size, events)


def _end(path: Path, size: int) -> tuple[str, float]:
    """Return the last run's status and the last event's time, from as much of the file's end as it takes."""
    window, last = TAIL, 0.0
    while True:
        start = max(0, size - window)
        with path.open("rb") as file:
            file.seek(start)
            _, *lines = file.read(size - start).split(b"\n")[:-1] or [b""]  # the first is the header, or cut
        for line in reversed(lines):
            event = decode(line)
            last = max(last, event.at)
            if isinstance(event, RunEnded):
                return event.status, last
            if not isinstance(event, AFTERWARDS):
                return ("running" if being_written(path) else "crashed"), last
        if start == 0:
            return "loaded", last
        window *= 8


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)


def find(name: str) -> Path:
    """Return the journal that `name` means: a file, or a name that the list shows. Raises JournalError."""
    if (path := Path(name)).is_file():
        return path
    if os.sep not in name and (kept := folder() / (name.removesuffix(SUFFIX) + SUFFIX)).is_file():
        return kept
    raise JournalError(f"there is no journal {name}", "`lgwatch runs` lists those that there are")


def delete(name: str) -> Path:
    """Delete a journal of the folder by its name. Raises JournalError when it is not there or is being written."""
    path = folder() / (name.removesuffix(SUFFIX) + SUFFIX)
    if path.parent != folder() or not path.is_file():
        raise JournalError(f"there is no run {name}", "`lgwatch runs` lists those that there are")
    if being_written(path):
        raise JournalError(f"{name} is still being written", "stop that run first")
    path.unlink()
    return path

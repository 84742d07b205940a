"""Tells when the source of a project was changed, for `--reload`. Looks at times and sizes, reads nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lgwatch.scan import python_files


class Changes:
    """Call it now and then: true once for every change since it was made, or since the last call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._look()

    def __call__(self) -> bool:
        """Whether a Python file under the folder was changed, added or removed."""
        now = self._look()
        before, self._seen = self._seen, now
        return now != before

    def _look(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in python_files(self._folder):
            with suppress(OSError):  # removed between the listing and the look
                status = path.stat()
                found[path] = (status.st_mtime_ns, status.st_size)
        return found

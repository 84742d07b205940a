"""A text in a program of the user's, `$PAGER` or `$EDITOR`: lgwatch leaves the screen to it and comes back after it."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from lgwatch.text import clean
from lgwatch.tui.lines.editor import command, program


def read_outside(app: App[Any], kind: str, text: str, suffix: str) -> str:
    """Open the text in the person's `PAGER` or `EDITOR`; return why that failed, empty when it did not.

    What an editor saves is a copy: nobody reads it back.
    """
    with tempfile.NamedTemporaryFile("w", suffix=suffix, encoding="utf-8", errors="replace") as file:
        file.write(clean(text, newlines=True))
        file.flush()
        return _leave_to(app, [*program(kind), file.name])


def open_at(app: App[Any], file: str, line: int) -> str:
    """Open a source file at a line in the person's editor; return why that failed, empty when it did not."""
    if not file:
        return "where it is written is not known"
    if not Path(file).is_file():
        return f"{file} is not on this machine"
    return _leave_to(app, command(program("EDITOR"), file, line))


def _leave_to(app: App[Any], words: list[str]) -> str:
    try:
        with app.suspend():
            # Ctrl+C in it is meant for it alone. A handler, since a child would inherit that a signal is ignored.
            before = signal.signal(signal.SIGINT, lambda *_: None)
            try:
                subprocess.run(words, check=False)
            finally:
                signal.signal(signal.SIGINT, before)
    except OSError as error:
        return f"cannot start {words[0]}: {error.strerror}"
    except SuspendNotSupported:
        return "the screen cannot be left here"
    app.refresh()
    return ""

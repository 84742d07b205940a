"""The person's programs, as command lines: which pager or editor, and how it opens a file at a line; nothing here runs it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

VARIABLES = {"PAGER": (("PAGER",), "less"), "EDITOR": (("VISUAL", "EDITOR"), "vi")}
"""Where a program is named, the first one that names any, and what it is where none does."""
WITH_COLON = ("subl", "zed", "hx", "helix")
"""Editors that take `file:line`."""
WITH_GOTO = ("code", "code-insiders", "codium", "cursor", "windsurf")
"""Editors that take `-g file:line`."""


def program(kind: str) -> list[str]:
    """Return the words of the person's `PAGER` or `EDITOR`, with its own options; there is at least one."""
    names, usual = VARIABLES[kind]
    return next(filter(None, (_words(os.environ.get(name, "")) for name in names)), [usual])


def command(words: list[str], file: str, line: int) -> list[str]:
    """Return the words of the command that opens a file at a line; `words` are those of the editor.

    An editor that is not known gets `+line file`, as vi and emacs and most others want it.
    """
    name = Path(words[0]).stem
    if name in WITH_GOTO:
        return [*words, "-g", f"{file}:{line}"]
    return [*words, f"{file}:{line}"] if name in WITH_COLON else [*words, f"+{line}", file]


def _words(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text) if word]
    except ValueError:  # a quotation mark without its other half
        return text.split()

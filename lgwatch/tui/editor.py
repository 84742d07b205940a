"""The person's editor, as a command line that opens a file at a line; nothing here runs it."""

from __future__ import annotations

import shlex
from pathlib import Path

WITH_COLON = ("subl", "zed", "hx", "helix")
"""Editors that take `file:line`."""
WITH_GOTO = ("code", "code-insiders", "codium", "cursor", "windsurf")
"""Editors that take `-g file:line`."""


def command(editor: str, file: str, line: int) -> list[str]:
    """Return the words of the command; `editor` is what `$VISUAL` or `$EDITOR` says, with its own options.

    An editor that is not known gets `+line file`, as vi and emacs and most others want it. No words: no editor.
    """
    try:
        words = shlex.split(editor)
    except ValueError:  # a quotation mark without its other half
        words = editor.split()
    if not words:
        return []
    name = Path(words[0]).stem
    if name in WITH_GOTO:
        return [*words, "-g", f"{file}:{line}"]
    return [*words, f"{file}:{line}"] if name in WITH_COLON else [*words, f"+{line}", file]

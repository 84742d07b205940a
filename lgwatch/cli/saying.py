"""What the program says about itself, on stderr: stdout carries data only."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print the text, which may be the graph's, so that a terminal obeys none of it."""
    from lgwatch.text import clean

    print(clean(text, newlines=True), file=sys.stderr)

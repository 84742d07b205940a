"""The terminal: whether there is a screen, how large, in how many colours, with a mouse or without."""

from __future__ import annotations

import curses
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress

from lgwatch.doctor.check import Check

WITHOUT_MOUSE = frozenset({"linux", "ansi", "cons25"})
"""Terminals that report no mouse, whatever their description says."""


def examine() -> Iterator[Check]:
    """Yield what there is to say of the terminal at stdout."""
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Check(True, "stdout is no terminal: a run is printed as short text (--plain)")
        return
    if term in ("", "dumb", "unknown"):
        yield Check(
            None,
            f"TERM is {term or 'not set'}: there is no screen",
            "set TERM to what your terminal is, for example xterm-256color",
        )
        return
    size = shutil.get_terminal_size()
    small = size.columns < 80 or size.lines < 24
    yield Check(
        None if small else True,
        f"terminal {term}, {size.columns}x{size.lines}",
        "the screen is made for 80x24 and more" if small else "",
    )
    yield _colours(term)
    yield _mouse(term)
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        yield Check(
            None, f"the terminal's encoding is {encoding}", "set LANG to a UTF-8 locale to see glyphs and boxes"
        )


def _colours(term: str) -> Check:
    if os.environ.get("NO_COLOR"):
        return Check(None, "NO_COLOR is set: the screen has no colours", "unset NO_COLOR to see them")
    if os.environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return Check(True, "16 million colours")
    if term.endswith(("-256color", "-kitty")):  # what the screen's library goes by
        return Check(True, "256 colours")
    count = _capability("colors")
    if count is not None and count < 8:
        return Check(
            None,
            f"a terminal of the kind {term} has no colours",
            "set TERM to what your terminal really is, for example xterm-256color",
        )
    return Check(None, "16 colours", "set TERM=xterm-256color, or COLORTERM=truecolor, if your terminal has more")


def _mouse(term: str) -> Check:
    # Every terminal that can report a mouse names the key by which it does; some of the oldest descriptions lack it.
    named = term.startswith(
        ("xterm", "screen", "tmux", "rxvt", "alacritty", "foot", "kitty", "wezterm", "vte", "konsole", "ghostty")
    )
    if term not in WITHOUT_MOUSE and (named or _has_mouse_key(term)):
        return Check(True, "the mouse works where the terminal passes it on")
    return Check(None, f"a terminal of the kind {term} has no mouse", "everything works by keys; ? lists them")


def _capability(name: str) -> int | None:
    with suppress(curses.error, TypeError):
        curses.setupterm(os.environ.get("TERM"), 1)
        return curses.tigetnum(name)
    return None


def _has_mouse_key(term: str) -> bool:
    with suppress(curses.error, TypeError):
        curses.setupterm(term, 1)
        return bool(curses.tigetstr("kmous"))
    return False

"""The small vocabulary of the screen: glyphs of states, colours of nodes, times and amounts as people read them."""

from __future__ import annotations

import os
from functools import lru_cache
from zlib import crc32

from lgwatch.tui.lines.look import NODE_HUES
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.text import ASCII, cell_len, clean, crop

STILL = os.environ.get("LGWATCH_MOTION") == "off" or os.environ.get("TEXTUAL_ANIMATIONS") == "none"
"""Whether nothing moves by itself (`LGWATCH_MOTION=off`)."""

_STATES = {
    "done": ("✓", "+", "ok"),
    "ok": ("✓", "+", "ok"),
    "cached": ("✓", "+", "info"),
    "running": ("⠹", "*", "accent"),
    "loading": ("⠹", "*", "accent"),
    "ready": ("·", ".", "dim"),
    "waiting": ("·", ".", "dim"),
    "failed": ("✗", "x", "error"),
    "error": ("✗", "x", "error"),
    "crashed": ("✗", "x", "error"),
    "interrupted": ("■", "#", "warn"),
    "cancelled": ("∅", "-", "dim"),
    "stopped": ("∅", "-", "warn"),
    "cut": ("✂", "%", "warn"),
    "checkpoint": ("◆", "@", "info"),
    "fork": ("◇", "o", "info"),
    "notice": ("⚠", "!", "warn"),
}
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""The frames of a running thing, ten a second."""
SPARKS = ".:-=+*#@" if ASCII else "▁▂▃▄▅▆▇█"


def glyph(state: str, now: float = 0.0) -> tuple[str, str]:
    """Return the sign of a state and the name of its style; a running thing's sign turns with `now` (seconds)."""
    sign, plain, style = _STATES.get(state, ("?", "?", "dim"))
    if ASCII:
        return plain, style
    if style == "accent" and not STILL:
        return SPINNER[int(now * 10) % len(SPINNER)], style
    return sign, style


def tick(now: float) -> int:
    """Return a number that changes when running things must be redrawn: ten times a second."""
    return int(now * 10)


@lru_cache(maxsize=4096)
def node_style(path: str) -> str:
    """Return the style of a node path: the same on every pane and in every run."""
    return f"node{crc32(path.encode(errors='replace')) % len(NODE_HUES)}"


def seconds(value: float) -> str:
    """Return a duration in at most six cells: `83ms`, `1.24s`, `42.1s`, `3m07s`, `2h05m`."""
    if value < 0.0995:
        return f"{value * 1000:.0f}ms"
    if value < 9.995:
        return f"{value:.2f}s"
    if value < 99.95:
        return f"{value:.1f}s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def clock(value: float) -> str:
    """Return elapsed time as a clock that does not jump in width: `00:12.4`."""
    minutes, rest = divmod(max(value, 0.0), 60)
    return f"{int(minutes):02d}:{int(rest * 10) / 10:04.1f}"


def amount(value: int) -> str:
    """Return a count with thin groups: `1 204`."""
    return f"{value:,}".replace(",", " ")


def count(value: int, thing: str) -> str:
    """Return `1 task`, `12 tasks`, and nothing for none."""
    return f"{amount(value)} {thing}{'' if value == 1 else 's'}" if value else ""


def size(value: int) -> str:
    """Return bytes as `4.1 kB`."""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value = value / 1000  # type: ignore[assignment]
    return f"{value:.1f} GB"


def fit(left: Row, right: Row, width: int) -> Row:
    """Return one row with `left` at the left, cut with … where it must be, and `right` at the right."""
    room = width - sum(cell_len(clean(text)) for text, _ in right)
    if room < 4 and right:
        return fit(left, [], width)
    row: Row = []
    used = 0
    for text, style in left:
        shown = clean(text)
        cells = cell_len(shown)
        if used + cells > room - bool(right):
            shown = crop(shown, room - bool(right) - used, "…")
            row.append((shown, style))
            used += cell_len(shown)
            break
        row.append((shown, style))
        used += cells
    return [*row, (" " * (room - used), ""), *right] if right else row


def cells(row: Row) -> int:
    """Return the cells that a row takes."""
    return sum(cell_len(clean(text)) for text, _ in row)

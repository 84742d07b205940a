"""The app's own theme."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="lgwatch",
    primary="#6ea8fe",
    secondary="#c792ea",
    accent="#4fd6be",
    warning="#ffc777",
    error="#ff757f",
    success="#9ece6a",
    foreground="#d5d9e6",
    background="#0e1017",
    surface="#161923",
    panel="#1c2030",
    boost="#1a1e2b",
    dark=True,
)

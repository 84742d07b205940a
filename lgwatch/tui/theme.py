"""The app's own themes: a dark one, and one for light rooms, that the palette offers."""

from __future__ import annotations

import os
from collections.abc import Container

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

LIGHT = Theme(
    name="lgwatch-light",
    primary="#2f5fd0",
    secondary="#7a3fb0",
    accent="#00796b",
    warning="#a85b00",
    error="#c4262e",
    success="#3a7d1c",
    foreground="#23262f",
    background="#fbfbfd",
    surface="#eef0f5",
    panel="#e6e9f0",
    boost="#e9ecf3",
    dark=False,
)


def chosen(known: Container[str]) -> str:
    """Return the name of the theme that `LGWATCH_THEME` asks for: `light`, or one that is `known`; else the dark one."""
    asked = os.environ.get("LGWATCH_THEME", "")
    name = LIGHT.name if asked == "light" else asked
    return name if name in known else DARK.name

"""The terminal's writer: a slow terminal is not given more pictures than it can show."""

from __future__ import annotations

from typing import Any

from textual.app import App


def terminal_is_behind(app: App[Any]) -> bool:
    """Return whether what was painted before still waits to be written: a slow terminal is not given more pictures.

    An app asks before it shows data, and shows it in a later frame. Keys are answered all the same.
    """
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and queue.qsize() > 0

"""The escape key: Textual looks ten times a second whether one was the key or the beginning of a longer sequence; this
lets it look once more as soon as that can be told.
"""

from __future__ import annotations

import selectors
from types import SimpleNamespace
from typing import Any

from textual import constants


class _Attentive(selectors.SelectSelector):
    """Waits no longer than an escape may take, once after each input."""

    _after_input = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._after_input:
            soon = constants.ESCAPE_DELAY + 0.001
            timeout = soon if timeout is None else min(timeout, soon)
        ready = super().select(timeout)
        self._after_input = bool(ready)
        return ready


def quick_escape() -> None:
    """Let the terminal's driver tell an escape after `ESCDELAY`; where there is no such driver, nothing changes."""
    try:
        from textual.drivers import linux_driver  # late: there is none on Windows
    except ImportError:
        return
    driver: Any = linux_driver
    if getattr(driver, "selectors", None) is selectors:
        driver.selectors = SimpleNamespace(**{**vars(selectors), "SelectSelector": _Attentive})

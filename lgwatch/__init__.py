"""Watch and debug LangGraph runs live, in the terminal.

The public Python API reads journals: `read_journal(path)` gives a loaded `Session`, `events(path)` the events with
their references resolved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lgwatch.journal import events, read_journal

__version__ = "0.1.0"
__all__ = ["events", "read_journal"]


def __getattr__(name: str) -> object:
    # The runner imports this package in the user's interpreter: nothing but the version may load with it.
    if name in __all__:
        from lgwatch import journal

        return getattr(journal, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

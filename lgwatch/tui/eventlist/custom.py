"""The custom events: what nodes wrote with the stream writer, one row each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.index import Facet
from lgwatch.refs import preview
from lgwatch.session import Session
from lgwatch.tui.eventlist.rows import EventRows, TimedPane, where
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount

if TYPE_CHECKING:
    from lgwatch.sources import Source


_DIGITS = re.compile(r'"[^"]*"|(?<![\w.])(-?\d+\.\d{11,}(?:e[+-]?\d+)?)(?![\w.])')
"""A text, which is left alone, or a number with more digits than anybody reads."""


def _custom(facet: Facet, line: dict[str, Json], width: int) -> Row:
    return [where(facet.path, max(8, min(24, width // 4))), *payload(line.get("data"))]


def payload(data: Json) -> Row:
    """Return one line of a payload: strings as they are, one-key objects led by their key, the rest as JSON."""
    if isinstance(data, str):
        return [(data, "")]
    if isinstance(data, dict) and data and not any(key.startswith("$") for key in data):
        spans: Row = []
        for key, value in data.items():
            shown_value = value if isinstance(value, str) else _short(preview(value, 120))
            spans += [("  " if spans else "", ""), (f"{key} ", "dim"), (shown_value, _value_style(value))]
        return spans
    return [(_short(preview(data, 400)), "")]


def _short(text: str) -> str:
    """Return a preview without the digits that only binary fractions have; the page of the event has all of them."""
    return _DIGITS.sub(lambda found: f"{float(found[1]):.10g}" if found[1] else found[0], text)


def _value_style(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return "accent"
    return "info" if isinstance(value, int | float) else ""


class CustomPane(TimedPane):
    """What nodes wrote with the stream writer."""

    title_: ClassVar[str] = "Custom"
    empty_: ClassVar[str] = "no custom event"
    help_: ClassVar[str] = (
        "What nodes wrote with the stream writer: offset, node path, payload. enter opens the payload."
    )
    rows: EventRows

    def __init__(self, source: Source) -> None:
        rows = EventRows(source, lambda facet: facet.type == "custom", _custom, resolve=True, kind="custom")
        super().__init__(rows, source, id="custom")
        rows.reading = lambda: not self.view.following

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        if self.rows.update(session, keep):
            self.view.show()
            total = session.counts.get("custom", 0)
            part = f"{amount(len(self.rows))} of {amount(total)}" if keep else amount(total)
            self.mark("", part if total else "")

"""The list of every event in the order in which it came: when, in which step, what, where, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lgwatch.events import Json, error_text
from lgwatch.filter import Filter
from lgwatch.index import Facet, shown
from lgwatch.refs import preview
from lgwatch.session import Session
from lgwatch.tui.custom import payload
from lgwatch.tui.eventrows import EventRows, TimedPane, where
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import amount

if TYPE_CHECKING:
    from lgwatch.sources import Source

_WORDS: dict[str, tuple[str, str]] = {
    "graph": ("graph", "info"),
    "run": ("run", "bold accent"),
    "run_result": ("run end", "bold accent"),
    "task": ("task", "ok"),
    "task_result": ("result", "ok"),
    "update": ("update", "dim"),
    "message": ("message", ""),
    "custom": ("custom", "info"),
    "checkpoint": ("checkpoint", "info"),
    "interrupt": ("interrupt", "warn"),
    "span_start": ("span", "faint"),
    "span_end": ("span end", "faint"),
    "output": ("output", "dim"),
    "notice": ("notice", "warn"),
}


def _event(facet: Facet, line: dict[str, Json], width: int) -> Row:
    word, style = _WORDS.get(facet.type, (facet.type, "warn"))
    if line.get("error"):
        style = "error"
    step = f"s{facet.step}" if facet.step is not None else ""
    room = max(8, min(22, width // 5))
    head: Row = [(f"{step:<4}", "faint"), (f"{word:<11}", style), where(facet.path, room)]
    return [*head, *_summary(facet, line)]


def _summary(facet: Facet, line: dict[str, Json]) -> Row:
    get = line.get
    error = get("error")
    if isinstance(error, dict):
        kind, colon, said = error_text(error).partition(": ")
        return [(kind + colon, "error"), (said, "")]
    match facet.type:
        case "message":
            call = get("tool_call")
            name = f"{call.get('name') or '…'}" if isinstance(call, dict) else ""
            return [(f"{get('kind', 'text')} ", "dim"), (name and f"{name} ", "tool"), (_flat(get("text", "")), "")]
        case "task":
            return [(f"{', '.join(map(str, get('triggers', [])))}  ", "faint"), (preview(get("input"), 200), "")]
        case "task_result" | "update":
            return [(preview(get("writes"), 300), "" if get("writes") else "dim")]
        case "checkpoint":
            following = ", ".join(map(str, get("next", []))) or "the end"
            return [(f"{str(get('checkpoint', ''))[:8]} → {following}  ", ""), (preview(get("values"), 200), "dim")]
        case "span_start":
            return [(f"{get('kind', '')} ", "dim"), (f"{get('name', '')} {get('model', '')}", "")]
        case "span_end":
            name = f"{get('kind', '')} {get('name', '')} ".lstrip()
            usage = preview(get("usage"), 100) if get("usage") else ""
            return [(name, "dim"), (f"{get('status', 'ok')} ", ""), (usage, "faint")]
        case "interrupt":
            return [(preview(get("value"), 300), "")]
        case "run":
            return [(f"{get('run')} on thread {get('thread')}  ", ""), (preview(get("input"), 200), "dim")]
        case "run_result":
            return [(f"{get('status', 'done')}  ", "bold"), (preview(get("output"), 200), "dim")]
        case "output" | "notice":
            return [(_flat(get("text", "")).removesuffix("\\n"), "")]
        case "custom":
            return payload(get("data"))
        case "graph":
            return [(f"{len(get('nodes', []))} nodes, {len(get('edges', []))} edges", "")]
    return [(preview({k: v for k, v in line.items() if k not in ("type", "at", "ns")}, 300), "dim")]


def _flat(text: Json) -> str:
    return str(text).replace("\n", "\\n")


class EventsPane(TimedPane):
    """Every event in the order in which it came."""

    title_: ClassVar[str] = "Events"
    empty_: ClassVar[str] = "no event yet"
    help_: ClassVar[str] = (
        "Every event of the journal in order: offset, step, type, node path, what it says. enter opens it."
    )
    rows: EventRows

    def __init__(self, source: Source) -> None:
        super().__init__(EventRows(source, shown, self._event, strict=True), source, id="events")
        self._version = -1

    def _event(self, facet: Facet, line: dict[str, Json], width: int) -> Row:
        """The end of a span says only which one; what it was is known."""
        session = self.rows.session
        span = session.span(str(line.get("span"))) if session is not None and facet.type == "span_end" else None
        return _event(facet, line | {"kind": span.kind, "name": span.name} if span is not None else line, width)

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        self.rows.update(session, keep)
        if self.rows.version != self._version:  # others ask for the rows, too
            self._version = self.rows.version
            self.view.show()
            total = len(session.index) - 1 - session.counts.get("value", 0)
            part = f"{amount(len(self.rows))} of {amount(total)}" if keep else amount(total)
            self.mark("", part)

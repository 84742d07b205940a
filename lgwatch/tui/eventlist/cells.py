"""One event as one line: the columns of the event list, what stands in them, and what a filter would call it.

Pure functions of an event's facet and its line; where the cursor is, is not known here.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from lgwatch.events import Json, error_text
from lgwatch.filter.payloads import STATES
from lgwatch.index import Facet
from lgwatch.refs import preview
from lgwatch.text import colourless
from lgwatch.tui.eventlist.custom import payload
from lgwatch.tui.eventlist.rows import where
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import cells, fit, seconds, size
from lgwatch.tui.lines.text import cell_len, clean, crop

SIZED = 72
"""Cells of a row from which on there is a column of sizes."""
COLUMNS = ("time", "step", "kind", "node", "summary", "size")
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
    "loop": ("loop delay", "warn"),
}


class Cell(NamedTuple):
    """What a filter would call a cell: a field and its value. Of a number that is a measure it is the `bound` that counts."""

    field: str
    value: str
    bound: bool = False


def columns(facet: Facet, line: dict[str, Json], bytes_: int, time: tuple[str, str], width: int) -> list[Row]:
    """Return the cells of an event's row, from the left, each with the blanks that part it from the next."""
    word, style = _WORDS.get(facet.type, (facet.type, "warn"))
    if line.get("error"):
        style = "error"
    step = f"s{facet.step}" if facet.step is not None else ""
    room = max(8, min(22, width // 5))
    row: list[Row] = [[time], [(f"{step:<4}", "faint")], [(f"{word:<11}", style)], [where(facet.path, room)]]
    right: Row = [(f" {size(bytes_):>7}", "warn" if bytes_ >= 100_000 else "faint")] if width >= SIZED else []
    left = width - sum(cells(cell) for cell in row) - cells(right)
    summary = fit(summary_of(facet, line), [], left)
    blank = max(left - cells(summary), 0) if right else 0
    return [*row, [*summary, (" " * blank, "")], right]


def cell_of(column: int, facet: Facet, line: dict[str, Json], bytes_: int, at: float) -> Cell | None:
    """Return what a filter would call the cell of a column; None where it has no word for it."""
    match COLUMNS[column]:
        case "time":
            # Not rounded up: the event itself is not before it.
            return Cell("t", f"{max(floor(round(at * 1000, 3)), 0) / 1000:.3f}", bound=True)
        case "step":
            return Cell("step", str(facet.step)) if facet.step is not None else None
        case "kind":
            return Cell("type", facet.type)
        case "node":
            return Cell("path", facet.path) if facet.path else None
        case "size":
            return Cell("size", str(bytes_), bound=True)
    return _said(facet, line)


def _said(facet: Facet, line: dict[str, Json]) -> Cell | None:
    """What tells one event from others of its type."""
    if facet.type == "custom":
        return _first("data", line.get("data"))
    if facet.type in STATES and facet.type not in ("task_result", "run_result"):
        return _first("state", line.get(STATES[facet.type]))
    for field in ("name", "status", "kind", "level", "stream"):
        if value := getattr(facet, field):
            return Cell(field, str(value))
    return None


def _first(field: str, payload: Json) -> Cell | None:
    """The first key of a payload that has a short value."""
    for key, value in payload.items() if isinstance(payload, dict) else ():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if plain and key.replace("_", "").isalnum() and len(str(value)) <= 60:
            return Cell(f"{field}.{key}", str(value))
    return None


def lit(cell: Row) -> Row:
    """Return a cell as it looks under the cursor: its text, without the blanks behind it."""
    text = "".join(clean(part) for part, _ in cell)
    shown = len(text.rstrip())
    row: Row = []
    for part, style in cell:
        head = crop(clean(part), shown)
        shown -= cell_len(head)
        row.append((head, f"{style} match"))
        row.append((clean(part)[len(head) :], style))
    return row


def summary_of(facet: Facet, line: dict[str, Json]) -> Row:
    """Return what the event says in one line."""
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
            return [(_flat(colourless(str(get("text", "")))).removesuffix("\\n"), "")]
        case "loop":
            return [("the event loop was ", "dim"), (f"{seconds(_number(get('delay')))} late", "")]
        case "custom":
            return payload(get("data"))
        case "graph":
            return [(f"{len(get('nodes', []))} nodes, {len(get('edges', []))} edges", "")]
    return [(preview({k: v for k, v in line.items() if k not in ("type", "at", "ns")}, 300), "dim")]


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _flat(text: Json) -> str:
    return str(text).replace("\n", "\\n")

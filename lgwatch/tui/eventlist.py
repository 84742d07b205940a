"""Rows that are events: their numbers are held, their lines are read from the journal when they are looked at."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.index import Facet, Selection, shown
from lgwatch.refs import preview
from lgwatch.session import Session
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Row, Rows
from lgwatch.tui.signs import amount, fit, node_style
from lgwatch.tui.text import cell_len, clean, crop

if TYPE_CHECKING:
    from lgwatch.sources import Source

PATIENCE = 0.004
"""Seconds for which one update may read lines to ask a filter about their text."""


class EventRows(Rows):
    """The events that `of` and the filter keep, one row each, drawn by `draw(facet, line, width)`."""

    slice = 200

    def __init__(
        self,
        source: Source,
        of: Callable[[Facet], bool],
        draw: Callable[[Facet, dict[str, Json], int], Row],
        *,
        resolve: bool = False,
    ) -> None:
        """Rows for the events of which `of` is true; with `resolve` their references are replaced before `draw`."""
        self._source = source
        self._line = source.resolved if resolve else source.line
        self._of = of
        self._draw = draw
        self.session: Session | None = None
        self._keep = Filter()
        self._selection: Selection | None = None
        self._asked = 0
        self._texts: array[int] = array("I")
        self.seqs: array[int] = array("I")
        self.times = Times()

    def update(self, session: Session, keep: Filter) -> bool:
        """Take in new events, or a new filter; return whether the rows changed."""
        fresh = self._selection is None or session is not self.session or keep != self._keep
        if fresh:
            self.session, self._keep = session, keep
            self._selection = Selection(
                session.index, lambda facet: self._of(facet) and keep(facet), keep if keep.moments else None
            )
            self._asked, self._texts = 0, array("I")
        assert self._selection is not None
        fresh |= self.times.set(session)
        new = self._selection.update()
        if not keep.texts:
            self.seqs = self._selection.seqs
            return fresh or new > 0
        return self._ask(keep) or fresh

    def _ask(self, keep: Filter) -> bool:
        """Read some of the lines that were not read yet, and keep those whose text fits."""
        assert self._selection is not None
        before, deadline = len(self._texts), perf_counter() + PATIENCE
        for seq in self._selection.seqs[self._asked :]:
            if keep.text(self._text(seq)):
                self._texts.append(seq)
            self._asked += 1
            if perf_counter() > deadline:
                break
        self.seqs = self._texts
        return len(self._texts) > before

    def _text(self, seq: int) -> str:
        """What an event says: a message's or a print's text, the whole line of anything else."""
        line = self._source.line(seq)
        if line.get("type") in ("message", "output"):
            return str(line.get("text", ""))
        return json.dumps(self._source.resolved(seq), ensure_ascii=False)

    @property
    def total(self) -> int:
        """How many there are without the text part of the filter."""
        return len(self._selection) if self._selection is not None else 0

    def __len__(self) -> int:
        return len(self.seqs)

    def key(self, index: int) -> Hashable:
        """An event never changes, only what its time is told from."""
        return (self.seqs[index], self.times.key(self.seqs, index))

    def index_of(self, key: Hashable) -> int | None:
        """Find an event again after the filter changed: itself, or the next one that is kept."""
        if not isinstance(key, tuple) or not self.seqs:
            return None
        return min(bisect_left(self.seqs, key[0]), len(self.seqs) - 1)

    def row(self, index: int, width: int) -> Row:
        """Read the event's line and draw it."""
        seq = self.seqs[index]
        facet = self.session.index.facet_of(seq) if self.session else Facet("", "", "", None, "")
        return fit([self.times.stamp(self.seqs, index, width), *self._draw(facet, self._line(seq), width)], [], width)


class Times:
    """What the time column says: seconds since the first run began, the clock, or the distance to the row before."""

    MODES: ClassVar[tuple[str, ...]] = ("start", "delta", "clock")
    NARROW = 56
    """Cells of a row below which the column is short."""

    def __init__(self) -> None:
        self.mode = "start"
        self._zero = 0.0
        self._began: datetime | None = None
        self._at: array[float] = array("d")

    def set(self, session: Session) -> bool:
        """Take in the session; return whether all times are told anew."""
        self._at = session.index.at
        zero = session.runs[0].started if session.runs else 0.0
        try:
            self._began = datetime.fromisoformat(session.header.started.replace("Z", "+00:00"))
        except ValueError:
            self._began = None
        fresh = zero != self._zero
        self._zero = zero
        return fresh

    def key(self, seqs: array[int], index: int) -> Hashable:
        """Return what a row's time depends on besides its event."""
        return (self.mode, seqs[index - 1] if index else 0) if self.mode == "delta" else (self.mode, self._zero)

    def stamp(self, seqs: array[int], index: int, width: int) -> tuple[str, str]:
        """Return a row's time, right-aligned."""
        at, short = self._at[seqs[index]], width < self.NARROW
        if self.mode == "clock" and self._began is not None:
            text = f"{(self._began + timedelta(seconds=at)).astimezone():%H:%M:%S.%f}"
            return text[: 8 if short else 12] + " ", "time"
        if self.mode == "delta":
            at -= self._at[seqs[index - 1]] if index else at
            return (f"{at:+6.2f} " if short else f"{at:+8.3f} "), "time"
        return (f"{at - self._zero:6.2f} " if short else f"{at - self._zero:8.3f} "), "time"


def where(path: str, room: int) -> tuple[str, str]:
    """Return a node path in `room` cells, its end where it is too long."""
    shown = clean(path) or "·"
    if cell_len(shown) > room:
        shown = clean(path.rpartition("/")[2])
    shown = crop(shown, room, "…")
    return shown + " " * (room - cell_len(shown) + 1), node_style(path) if path else "faint"


# ── custom events ────────────────────────────────────────────────────────────────────────────────────────────────────


def _custom(facet: Facet, line: dict[str, Json], width: int) -> Row:
    return [where(facet.path, max(8, min(24, width // 4))), *_payload(line.get("data"))]


def _payload(data: Json) -> Row:
    """One line of a payload: strings as they are, one-key objects led by their key, the rest as JSON."""
    if isinstance(data, str):
        return [(data, "")]
    if isinstance(data, dict) and data and not any(key.startswith("$") for key in data):
        spans: Row = []
        for key, value in data.items():
            shown_value = value if isinstance(value, str) else preview(value, 120)
            spans += [("  " if spans else "", ""), (f"{key} ", "dim"), (shown_value, _value_style(value))]
        return spans
    return [(preview(data, 400), "")]


def _value_style(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return "accent"
    return "info" if isinstance(value, int | float) else ""


class TimedPane(Pane):
    """A list of events with a time column."""

    rows: EventRows | ConsoleRows

    def next_times(self) -> str:
        """Tell times the next way; return its name."""
        times = self.rows.times
        times.mode = times.MODES[(times.MODES.index(times.mode) + 1) % len(times.MODES)]
        self.view.show()
        return times.mode


class CustomPane(TimedPane):
    """What nodes wrote with the stream writer."""

    title_: ClassVar[str] = "Custom"
    empty_: ClassVar[str] = "no custom event"
    help_: ClassVar[str] = (
        "What nodes wrote with the stream writer: offset, node path, payload. enter opens the payload."
    )
    rows: EventRows

    def __init__(self, source: Source) -> None:
        rows = EventRows(source, lambda facet: facet.type == "custom", _custom, resolve=True)
        super().__init__(rows, source, id="custom")

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        if self.rows.update(session, keep):
            self.view.show()
            total = session.counts.get("custom", 0)
            part = f"{amount(len(self.rows))} of {amount(total)}" if keep else amount(total)
            self.mark("", part if total else "")

    def subject(self) -> Subject | None:
        """The event under the cursor."""
        return _event_subject(self.rows, self.chosen)


def _event_subject(rows: EventRows, index: int | None) -> Subject | None:
    if index is None:
        return None
    return _event_page(rows.session, rows.seqs[index])


def _event_page(session: Session | None, seq: int) -> Subject:
    facet = session.index.facet_of(seq) if session is not None else Facet("", "", "", None, "")
    return Subject(" · ".join(part for part in (facet.type, facet.path, f"line {seq}") if part), (seq,))


# ── the plain list of events ─────────────────────────────────────────────────────────────────────────────────────────

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
        return [(f"{error.get('type')}: ", "error"), (str(error.get("message", "")), "")]
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
            return _payload(get("data"))
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
        super().__init__(EventRows(source, shown, self._event), source, id="events")

    def _event(self, facet: Facet, line: dict[str, Json], width: int) -> Row:
        """The end of a span says only which one; what it was is known."""
        session = self.rows.session
        span = session.span(str(line.get("span"))) if session is not None and facet.type == "span_end" else None
        return _event(facet, line | {"kind": span.kind, "name": span.name} if span is not None else line, width)

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        if self.rows.update(session, keep):
            self.view.show()
            total = len(session.index) - 1 - session.counts.get("value", 0)
            part = f"{amount(len(self.rows))} of {amount(total)}" if keep else amount(total)
            self.mark("", part)

    def subject(self) -> Subject | None:
        """The event under the cursor."""
        return _event_subject(self.rows, self.chosen)


# ── the console ──────────────────────────────────────────────────────────────────────────────────────────────────────

_STREAMS = {"stdout": "", "stderr": "warn", "log": "dim", "warning": "warn"}
_LEVELS = {"WARNING": "warn", "ERROR": "error", "CRITICAL": "bold error", "INFO": "", "DEBUG": "faint"}
OUTPUTS = 500
"""Output events that one update may read to count their lines."""


class ConsoleRows(Rows):
    """What the graph's process printed, line by line; one `output` event may hold several."""

    slice = 200

    def __init__(self, source: Source) -> None:
        self._source = source
        self._events = EventRows(source, lambda facet: facet.type == "output", lambda *_: [])
        self._read = 0
        self.session: Session | None = None
        self._lines: array[int] = array("I")
        self.seqs: array[int] = array("I")

    def update(self, session: Session, keep: Filter) -> bool:
        """Take in new output; return whether the rows changed."""
        before = self._events.seqs
        changed = self._events.update(session, keep)
        if self._events.seqs is not before or session is not self.session:
            self.session = session
            self._read, self._lines, self.seqs = 0, array("I"), array("I")
        read = self._events.seqs[self._read : self._read + OUTPUTS]
        for seq in read:
            lines = max(1, str(self._source.line(seq).get("text", "")).rstrip("\n").count("\n") + 1)
            self.seqs.extend([seq] * lines)
            self._lines.extend(range(lines))
        self._read += len(read)
        return bool(read) or changed

    @property
    def behind(self) -> bool:
        """Whether there is more to read."""
        return self._read < len(self._events.seqs)

    def __len__(self) -> int:
        return len(self.seqs)

    def key(self, index: int) -> Hashable:
        """A printed line never changes."""
        return (self.seqs[index], self._lines[index], self.times.key(self.seqs, index))

    @property
    def times(self) -> Times:
        """The time column."""
        return self._events.times

    def index_of(self, key: Hashable) -> int | None:
        """Find a line again after the filter changed: itself, or the next one that is kept."""
        if not isinstance(key, tuple) or not self.seqs:
            return None
        index = min(bisect_left(self.seqs, key[0]), len(self.seqs) - 1)
        return min(index + (key[1] if self.seqs[index] == key[0] else 0), len(self.seqs) - 1)

    def row(self, index: int, width: int) -> Row:
        """Draw one printed line; only the first of an event says when and where."""
        seq, number = self.seqs[index], self._lines[index]
        line = self._source.line(seq)
        facet = self.session.index.facet_of(seq) if self.session else Facet("", "", "", None, "")
        text = str(line.get("text", "")).rstrip("\n").split("\n")[number]
        stream = str(line.get("stream", "stdout"))
        style = _LEVELS.get(facet.level or "", _STREAMS.get(stream, ""))
        room = max(8, min(20, width // 5))
        time = self.times.stamp(self.seqs, index, width)
        if number:
            return fit([(" " * (len(time[0]) + room + 1), ""), (text, style)], [], width)
        return fit([time, where(facet.path, room), (_origin(facet, line, width), "dim"), (text, style)], [], width)


def _origin(facet: Facet, line: dict[str, Json], width: int) -> str:
    """Level and logger of a log line, as far as there is room for them; the colour tells the level, too."""
    level, logger = facet.level or "", str(line.get("logger", ""))
    if width < 72:
        return f"{level}: " if level and level not in ("INFO", "DEBUG") else ""
    return f"{level} {logger}: " if logger else f"{level}: " if level else ""


class ConsolePane(TimedPane):
    """What the graph's process printed, logged and warned."""

    title_: ClassVar[str] = "Console"
    empty_: ClassVar[str] = "nothing was printed or logged"
    help_: ClassVar[str] = (
        "Prints, log lines, warnings and raw output of the graph's process, with the node they came from."
    )
    rows: ConsoleRows

    def __init__(self, source: Source) -> None:
        super().__init__(ConsoleRows(source), source, id="console")

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw what came since."""
        if self.rows.update(session, keep):
            self.view.show()
            self.mark("", amount(len(self.rows)) if len(self.rows) else "")

    @property
    def behind(self) -> bool:
        """Whether there is more to read."""
        return self.rows.behind

    def subject(self) -> Subject | None:
        """The output event under the cursor."""
        index = self.chosen
        return None if index is None else _event_page(self.rows.session, self.rows.seqs[index])

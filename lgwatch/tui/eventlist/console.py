"""The console: what the graph's process printed, logged and warned, line by line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from lgwatch.columns import Column
from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.index import Facet
from lgwatch.session import Session
from lgwatch.tui.eventlist.colours import coloured
from lgwatch.tui.eventlist.rows import EventRows, Timed, TimedPane, Times, where
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount, fit

if TYPE_CHECKING:
    from lgwatch.sources import Source

_STREAMS = {"stdout": "", "stderr": "warn", "log": "dim", "warning": "warn"}
_LEVELS = {"WARNING": "warn", "ERROR": "error", "CRITICAL": "bold error", "INFO": "", "DEBUG": "faint"}
OUTPUTS = 500
"""Output events that one update may read to count their lines."""


class ConsoleRows(Timed):
    """What the graph's process printed, line by line; one `output` event may hold several."""

    slice = 200

    def __init__(self, source: Source) -> None:
        self._source = source
        self._events = EventRows(source, lambda facet: facet.type == "output", lambda *_: [], kind="output")
        self._events.reading = lambda: True  # their lines are counted from the first one on
        self._read = 0
        self.session: Session | None = None
        self._lines: Column[int] = Column("I")
        self.seqs: Column[int] = Column("I")

    def update(self, session: Session, keep: Filter) -> bool:
        """Take in new output; return whether the rows changed."""
        before = self._events.seqs
        changed = self._events.update(session, keep)
        if self._events.seqs is not before or self._events.stable < self._read or session is not self.session:
            self.session = session
            self._read, self._lines, self.seqs = 0, Column("I"), Column("I")
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
        return self._events.behind or self._read < len(self._events.seqs)

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
        *before, text = str(line.get("text", "")).rstrip("\n").split("\n")[: number + 1]
        stream = str(line.get("stream", "stdout"))
        style = _LEVELS.get(facet.level or "", _STREAMS.get(stream, ""))
        room = max(8, min(20, width // 5))
        time = self.times.stamp(self.seqs, index, width)
        said = coloured(text, style, "".join(before))
        if number:
            return fit([(" " * (len(time[0]) + room + 1), ""), *said], [], width)
        return fit([time, where(facet.path, room), (_origin(facet, line, width), "dim"), *said], [], width)


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

"""Reading: how far a message has been written into its block; Column: the readings of a node that stand together."""

from __future__ import annotations

from lgwatch.records import Message
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount, fit, glyph, node_style
from lgwatch.tui.messages.flow import PATIENCE, Block, Level, Wrapped


class Reading:
    """How far a message has been written."""

    __slots__ = ("block", "caller", "live", "message", "read", "results", "rows", "seen")

    def __init__(self, message: Message, block: Block, rows: Wrapped) -> None:
        self.message = message
        self.block = block
        self.rows = rows
        self.read: list[int] = []  # characters of each part
        self.seen: object = None  # what the header depends on
        self.live = False  # unfolded for as long as it is being written
        self.results: dict[str, Message] = {}  # of its tools, by the id of the call
        self.caller: Reading | None = None  # whose call it is the result of


class Column:
    """The messages of a node, one after the other; what it says meanwhile is in another lane, which is another column."""

    __slots__ = ("counted", "lane", "path", "readings", "rows", "stale", "tokens")

    def __init__(self, path: str, lane: int, level: Level) -> None:
        self.path = path
        self.lane = lane
        self.rows = Wrapped(patience=PATIENCE / 6)  # there are others beside it
        self.rows.show_level(level)
        self.readings: list[Reading] = []
        self.tokens = 0  # of its finished messages, as far as they are shown
        self.counted = False  # whether some of them are chunks that were counted: nobody reported the tokens
        self.stale = False  # whether they must be counted anew

    @property
    def speaking(self) -> Message | None:
        """The message that is being written, if it is shown; None when nobody speaks."""
        last = self.readings[-1]
        return None if last.message.finished or last.block.place < 0 else last.message

    def heading(self, now: float, width: int, *, chosen: bool = False) -> Row:
        """Return the row that stands above it: whose column it is, and how much it holds; whether keys mean it."""
        if self.stale:
            self.stale = False
            self.tokens, self.counted = 0, False
            for reading in self.readings:
                if reading.block.place >= 0 and reading.message.finished:
                    self._add(reading.message)
        message, tokens, about, rate = self.speaking, self.tokens, self.counted, ""
        if message is not None:
            spoken, reported = message.tokens
            tokens, about = tokens + spoken, about or not reported
            rate = f" {speed:.0f}/s" if (speed := message.rate(now)) else ""
        sign, style = glyph("ok" if message is None else "running", now)
        left = [
            ("▸" if chosen else " ", "accent"),
            (f"{sign} ", style),
            (self.path or "?", f"bold {node_style(self.path)}"),
        ]
        if self.lane:
            left.append((f" ·{self.lane + 1}", "dim"))
        many = (f"{amount(self.rows.shown)} msg  ", "faint") if width >= 34 else ("", "")
        said = f"{'~' * about}{amount(tokens)} tok" if tokens else ""
        return fit(left, [many, (said, "dim"), (rate, "accent"), (" ", "")], width)

    def _add(self, message: Message) -> None:
        tokens, reported = message.tokens
        self.tokens += tokens
        self.counted |= bool(tokens) and not reported

"""The question of an interrupt, above the line where it is answered; several are answered one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lgwatch.events import Json
from lgwatch.records import Interrupt
from lgwatch.review import Review, readable, reviews
from lgwatch.tui.lines.rows import Lines, Rows
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.lines.text import clean, plain, wrap
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.tree.rows import JsonRows

if TYPE_CHECKING:
    from lgwatch.sources import Source


class Question(Vertical):
    """Shows one pending interrupt; keeps the answers given so far until all are there."""

    DEFAULT_CSS = """
    Question { display: none; height: auto; max-height: 12; border: heavy $warning; border-title-color: $warning;
               border-title-style: bold; border-subtitle-color: $foreground 60%; padding: 0 1; }
    Question.-on { display: block; }
    Question > LineView { height: 5; }
    """

    def __init__(self, source: Source) -> None:
        super().__init__(id="question")
        self._source = source
        self.pending: list[Interrupt] = []
        self.answers: dict[str, Json] = {}
        self.at = 0
        self.value: Json = None
        """What is asked, with every reference resolved."""
        self.rows = JsonRows()
        self.view = LineView(self.rows)

    def compose(self) -> ComposeResult:
        """The value that the node sent."""
        yield self.view

    def ask(self, pending: list[Interrupt]) -> None:
        """Show the first of these interrupts that has no answer yet."""
        known = {one.seq: self.answers[one.id] for one in self.pending if one.id in self.answers}
        self.pending = pending
        self.answers = {one.id: known[one.seq] for one in pending if one.seq in known}
        self.at = next((at for at, one in enumerate(pending) if one.id not in self.answers), 0)
        self.add_class("-on")
        self.screen.add_class("-asking")
        self._show()

    def hide(self) -> None:
        """Let the person look around; the answers so far are kept."""
        self.remove_class("-on")
        self.screen.remove_class("-asking")

    def done(self) -> None:
        """Nothing is asked any more."""
        self.pending, self.answers = [], {}
        self.hide()

    @property
    def current(self) -> Interrupt | None:
        """The interrupt that is shown."""
        return self.pending[self.at] if self.at < len(self.pending) else None

    def answer(self, value: Json) -> bool:
        """Keep the answer and go to the next question; return whether all have been gone through."""
        if (current := self.current) is not None:
            self.answers[current.id] = value
        return self.skip()

    def skip(self) -> bool:
        """Go to the next question without an answer; return whether all have been gone through."""
        self.at += 1
        if self.at < len(self.pending):
            self._show()
            return False
        return True

    def on_resize(self) -> None:
        """A text is wrapped for the width that there is."""
        self._show()

    def _show(self) -> None:
        current = self.current
        if current is None:
            return
        value = self.value = self._source.resolved(current.seq).get("value", current.value)
        asked = reviews(value)
        self.border_title = Content(plain(clean(f"{glyph('interrupted')[0]} {self._title(current, asked)}")))
        if current.breakpoint:
            ways = "i go on"
        elif asked:
            ways = f"i decide: {', '.join(asked[0].allowed)}"
        else:
            ways = "i answer"
        skips = " · an empty answer skips" if len(self.pending) > 1 else ""
        self.border_subtitle = Content(plain(clean(f"{ways} · esc look around{skips}")))
        rows = self._rows(current, value)
        self.view.styles.height = max(1, min(7, len(rows)))
        self.view.show(rows)

    def _title(self, current: Interrupt, asked: Sequence[Review]) -> str:
        what = "Interrupt"
        if current.breakpoint:
            what = "Breakpoint"
        elif asked:
            what = f"May {asked[0].name} be called?" if len(asked) == 1 else f"May these {len(asked)} tools be called?"
        many = f" {self.at + 1} of {len(self.pending)}" if len(self.pending) > 1 else ""
        where = _where(current)
        if sum(one.path == current.path for one in self.pending) > 1:  # lanes of one node
            where += f" · {current.id[:8]}"
        return f"{what}{many} · {where}"

    def _rows(self, current: Interrupt, value: Json) -> Rows:
        """What is asked: a text as it is, anything else as a tree."""
        if current.breakpoint:
            value = f"The run stopped before {_where(current)}, and asks nothing."
        if isinstance(value, str) and value.strip():
            text = clean(value.rstrip(), newlines=True)
            return Lines([(text[start:end], "")] for start, end in wrap(text, max(20, self.app.size.width - 6)))
        value = readable(value) or value
        self.rows.set(value if isinstance(value, dict) and value and "$type" not in value else {"value": value})
        return self.rows


def _where(one: Interrupt) -> str:
    return one.path or one.id.partition(":")[2]

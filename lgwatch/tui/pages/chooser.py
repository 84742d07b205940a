"""The chooser: every node path, tag and model that was seen, with a tick each; a tick writes the filter, and only that."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from lgwatch.filter import Filter
from lgwatch.filter.mix import Choice, choices, clear, only, toggle
from lgwatch.session import Session
from lgwatch.tui.lines.bar import Bar, hints
from lgwatch.tui.lines.pane import CALM
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, fit, node_style
from lgwatch.tui.lines.text import ASCII
from lgwatch.tui.lines.view import LineView

_NAMES = {"path": "Nodes", "tag": "Tags", "model": "Models"}


class ChoiceRows(Rows):
    """The choices below the names of their fields."""

    def __init__(self) -> None:
        self.lines: list[Choice | str] = []

    def set(self, found: list[Choice]) -> bool:
        """Show these; return whether they are other ones."""
        lines: list[Choice | str] = []
        for field, name in _NAMES.items():
            if of_field := [choice for choice in found if choice.field == field]:
                lines += [name, *of_field]
        changed = lines != self.lines
        self.lines = lines
        return changed

    def choice(self, index: int | None) -> Choice | None:
        """Return what stands in the row."""
        line = self.lines[index] if index is not None and 0 <= index < len(self.lines) else None
        return line if isinstance(line, Choice) else None

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, index: int) -> Hashable:
        """A choice says all that its row shows."""
        return self.lines[index]

    def row(self, index: int, width: int) -> Row:
        """Draw a tick, the value, and how many messages are kept of those that have it."""
        line = self.lines[index]
        if isinstance(line, str):
            return [(f" {line}", "title")]
        style = node_style(line.value) if line.field == "path" else "accent" if line.field == "tag" else ""
        tick = ("x" if ASCII else "✓") if line.shown else " "
        part = amount(line.count) if line.kept == line.count else f"{amount(line.kept)} of {amount(line.count)}"
        left: Row = [
            (f"  [{tick}] ", "ok" if line.shown else "faint"),
            (line.value or "·", style if line.shown else "faint"),
        ]
        return fit(left, [(f"{part} ", "dim")], width)


class TickView(LineView):
    """Rows of which a click chooses one."""

    def on_click(self, event: events.Click) -> None:
        """Turn the tick that was clicked on."""
        event.prevent_default()  # the click is used up: two are no double click
        if not self._on_bar and (index := self.top + event.y) < len(self.rows):
            self.select(index)
            self.post_message(self.Selected(self, index))


class Chooser(ModalScreen[None]):
    """Ticks over the filter; the panes behind it show what it keeps at once."""

    see_through: ClassVar[bool] = True
    DEFAULT_CSS = """
    Chooser { align: left middle; }
    Chooser > Vertical { width: 47; max-width: 94%; height: 80%; border: heavy $accent; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "Back", id="chooser.leave", tooltip="Back to the panes; the filter stays"),
        Binding("space", "tick", "Tick", id="chooser.tick", tooltip="Keep, or leave out, what is under the cursor"),
        Binding("s", "solo", "Only this", id="chooser.solo", tooltip="Keep only what is under the cursor; again: all"),
        Binding("X", "clear", "Clear", id="chooser.clear", tooltip="Tick everything again"),
    ]

    def __init__(self, apply: Callable[[str], None]) -> None:
        """`apply` puts an expression in force."""
        super().__init__()
        self._apply = apply
        self._keep = Filter()
        self._seen = (-1, -1)
        self._counted = -CALM
        self.rows = ChoiceRows()
        self.view = TickView(self.rows, cursor_row=True)
        self.keys = Bar()

    def compose(self) -> ComposeResult:
        """A frame with the ticks and the keys."""
        with Vertical() as frame:
            frame.border_title = "Keep"
            yield self.view
            yield self.keys

    def on_mount(self) -> None:
        """Say what the keys do."""
        self.view.focus()
        self.view.empty = [("  nothing has run yet", "faint")]
        self.call_after_refresh(self._say_keys)

    def _say_keys(self) -> None:
        pairs = [("esc", "Back", "screen.dismiss"), ("space", "Tick", "screen.tick"), ("s", "Only this", "screen.solo"),
                 ("X", "Clear", "screen.clear")]  # fmt: skip
        self.keys.show(hints(pairs, self.keys.size.width or 50))
        self.view.select(1)

    def grow(self, session: Session, keep: Filter, *, paused: bool = False) -> None:
        """Draw the choices as the session and the filter are now; what only counts on waits for a moment."""
        seen = (session.message_changes, session.task_changes)
        if keep == self._keep and (seen == self._seen or monotonic() - self._counted < CALM):
            return
        self._keep, self._seen, self._counted = keep, seen, monotonic()
        if self.rows.set(choices(session, keep)):
            self.view.show()

    @on(LineView.Selected)
    def _on_selected(self, event: LineView.Selected) -> None:
        event.stop()
        self._turn(self.rows.choice(event.index))

    def action_tick(self) -> None:
        """Turn the tick under the cursor."""
        self._turn(self.rows.choice(self.view.cursor))

    def action_solo(self) -> None:
        """Keep only what is under the cursor; where that is so, everything."""
        if choice := self.rows.choice(self.view.cursor):
            self._apply(only(self._keep, choice.field, choice.value))

    def action_clear(self) -> None:
        """Tick everything again."""
        self._apply(clear(self._keep))

    def _turn(self, choice: Choice | None) -> None:
        if choice is not None:
            self._apply(toggle(self._keep, choice.field, choice.value))

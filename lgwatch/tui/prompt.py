"""The line at the bottom where a person types: a filter, a search, an input, an answer. Nothing else takes letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.suggester import Suggester
from textual.widgets import Input

from lgwatch.tui.lines.bar import Bar, line
from lgwatch.tui.lines.look import Look
from lgwatch.tui.lines.rows import Row, shifted
from lgwatch.tui.lines.signs import fit
from lgwatch.tui.lines.text import cell_len, clean

LABEL = 10
"""Cells of the label that stand before the text: as many as ` filter ▸ ` takes, which is wanted most often."""


class _Words(Suggester):
    """Completes the last word of the line from what `words` gives now."""

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=False)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        """Return the line with its last word completed."""
        quote = value.rfind('"') if value.count('"') % 2 else len(value)  # a space in quotation marks ends no word
        cut = value.rfind(" ", 0, quote) + 1
        start, last = value[:cut], value[cut:]
        bare = last.lstrip("!-")
        if len(bare) < 2:
            return None
        for word in self._words():
            if word.startswith(bare) and word != bare:
                return f"{start}{last[: len(last) - len(bare)]}{word}"
        return None


class Line(Input):
    """The text; while nobody types, what holds stands there instead, so that typing begins without a layout."""

    def __init__(self) -> None:
        super().__init__(id="prompt-input", compact=True)
        self.can_focus = False
        self._held: Row | None = []
        self._look: Look | None = None

    def hold(self, row: Row | None) -> None:
        """Show these spans, and take no text; None to take text."""
        if row != self._held:
            self._held = row
            self.can_focus = row is None
            self.refresh()

    @property
    def scroll_offset(self) -> Offset:
        """How far the text stands to the left: as far as the cursor needs it, and never with room left at the end.

        What was scrolled for another text, or before the line had another width, is not to hide the beginning of this one.
        """
        width = self.scrollable_content_region.width
        cursor = cell_len(self.value[: self.cursor_position])
        least, most = cursor - width + 1, min(cursor, self.content_width - width)
        return Offset(max(0, least, min(round(self.scroll_x), most)), 0)

    def notify_style_update(self) -> None:
        """Resolve the styles anew."""
        super().notify_style_update()
        self._look = None

    def render_line(self, y: int) -> Strip:
        """Draw the text, or what holds."""
        if self._held is None:
            return super().render_line(y)
        if self._look is None:
            self._look = Look(self)
        return line(fit(self._held, [], self.size.width) if y == 0 else [], self.size.width, self._look)

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        if self._held is not None:
            event.prevent_default()  # there is no text to select


class Prompt(Horizontal):
    """One line: what it is for, the text, and a note at the right."""

    DEFAULT_CSS = """
    Prompt { height: 1; background: $boost; }
    Prompt > Bar { background: $boost; }
    Prompt > #prompt-label { width: 10; }
    Prompt > #prompt-note { width: 28; display: none; }
    Prompt.-noted > #prompt-note { display: block; }
    Prompt > Input { width: 1fr; border: none; height: 1; padding: 0; background: $boost; }
    """

    class Changed(Message):
        """The text is another one; for a filter and a search it works as it is typed."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Submitted(Changed):
        """The text is meant."""

    class Left(Message):
        """The person turned away with escape."""

        def __init__(self, purpose: str) -> None:
            super().__init__()
            self.purpose = purpose

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(id="prompt")
        self.purpose = ""
        self.label = Bar(id="prompt-label")
        self.note = Bar(id="prompt-note")
        self._suggester = _Words(words)
        self._cells = LABEL
        self.input = Line()

    def compose(self) -> ComposeResult:
        """Label, text, note."""
        yield self.label
        yield self.input
        yield self.note

    def open(self, purpose: str, label: str, text: str = "", hint: str = "") -> None:
        """Ask for text."""
        self.purpose = purpose
        self._give(len(label) + 4)
        self.input.hold(None)
        self.label.show([(f" {label} ▸ ", "bold accent")])
        self.input.placeholder = hint
        self.input.suggester = self._suggester if purpose == "filter" else None
        self.input.value = text
        self.input.cursor_position = len(text)
        self.screen.set_focus(self.input)  # at once: the next key is for it

    def rest(self, label: Row, note: Row) -> None:
        """Show what holds while nobody types."""
        if not self.purpose:
            self.label.show(label)
            self.input.hold(shifted([(clean(text), names) for text, names in label], LABEL))
        self.set_class(bool(note), "-noted")
        self.note.show(note)

    def close(self) -> None:
        """Stop asking."""
        self.purpose = ""
        self._give(LABEL)
        self.input.hold([])

    def _give(self, cells: int) -> None:
        """Let the label have so many cells at least; other ones are a layout, which takes as long as all the rest."""
        cells = max(cells, LABEL)
        if cells != self._cells:
            self._cells = cells
            self.label.styles.width = cells

    @on(Input.Changed)
    def _on_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.purpose:
            self.post_message(self.Changed(self.purpose, event.value))

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self.purpose, event.value))

    def key_escape(self) -> None:
        """Turn away."""
        if self.purpose:
            self.post_message(self.Left(self.purpose))

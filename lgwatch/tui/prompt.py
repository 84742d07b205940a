"""The line at the bottom where a person types: a filter, a search, an input, an answer. Nothing else takes letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from lgwatch.tui.bar import Bar
from lgwatch.tui.rows import Row


class _Words(Suggester):
    """Completes the last word of the line from what `words` gives now."""

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=False)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        """Return the line with its last word completed."""
        head, _, last = value.rpartition(" ")
        start = f"{head} " if head else ""
        bare = last.lstrip("!-")
        if len(bare) < 2:
            return None
        for word in self._words():
            if word.startswith(bare) and word != bare:
                return f"{start}{last[: len(last) - len(bare)]}{word}"
        return None


class Prompt(Horizontal):
    """One line: what it is for, the text, and a note at the right."""

    DEFAULT_CSS = """
    Prompt { height: 1; background: $boost; }
    Prompt > Bar { background: $boost; }
    Prompt > #prompt-label { width: 1fr; }
    Prompt > #prompt-note { width: 28; display: none; }
    Prompt.-noted > #prompt-note { display: block; }
    Prompt > Input { width: 1fr; border: none; height: 1; padding: 0; background: $boost; display: none; }
    Prompt.-typing > Input { display: block; }
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
        self.input = Input(id="prompt-input", compact=True)

    def compose(self) -> ComposeResult:
        """Label, text, note."""
        yield self.label
        yield self.input
        yield self.note

    def open(self, purpose: str, label: str, text: str = "", hint: str = "") -> None:
        """Ask for text."""
        self.purpose = purpose
        self.add_class("-typing")
        self.label.styles.width = len(label) + 4
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
        self.set_class(bool(note), "-noted")
        self.note.show(note)

    def close(self) -> None:
        """Stop asking."""
        self.purpose = ""
        self.remove_class("-typing")
        self.label.styles.width = "1fr"

    def on_mount(self) -> None:
        """Begin at rest."""
        self.close()

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

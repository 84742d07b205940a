"""The inspector: the full payload of whatever was selected, loaded from the journal when it is opened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from lgwatch.events import Json
from lgwatch.tui import chrome
from lgwatch.tui.bar import Bar
from lgwatch.tui.lines import LineView
from lgwatch.tui.outside import read_outside
from lgwatch.tui.pane import Subject
from lgwatch.tui.signs import fit
from lgwatch.tui.text import clean
from lgwatch.tui.tree import JsonRows, path_text

if TYPE_CHECKING:
    from lgwatch.sources import Source


_PLUMBING = frozenset({"node", "step", "ns", "task", "span", "parent", "message", "checkpoint"})
"""Where something belongs, which stands below what it is."""


def load(subject: Subject, source: Source) -> dict[str, Json]:
    """Return the sections of a subject's page: its facts, then each journal line with references resolved."""
    sections: dict[str, Json] = dict(subject.sections)
    if subject.text:
        sections["text"] = subject.text
    if subject.facts:
        sections["facts"] = subject.facts
    for seq in subject.seqs:
        line = source.resolved(seq)
        title = str(line.get("type", "line"))
        at = line.get("at")
        name = f"{title} at {at:.3f}" if isinstance(at, float | int) else title
        payload = {key: line[key] for key in sorted(line, key=_PLUMBING.__contains__) if key not in ("type", "at")}
        sections[name if name not in sections else f"{name} (line {seq})"] = payload
    return sections


class Inspector(ModalScreen[None]):
    """Pretty, folded, searchable JSON."""

    DEFAULT_CSS = """
    Inspector { align: center middle; background: $background 60%; }
    Inspector > Vertical { width: 92%; height: 88%; border: heavy $accent; background: $surface; padding: 0 1; }
    Inspector Input { border: none; height: 1; padding: 0; display: none; background: $boost; }
    Inspector Input.-on { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="inspector.leave", tooltip="Back to the panes"),
        Binding("space", "fold", "Fold", id="inspector.fold", tooltip="Open or close the value under the cursor"),
        Binding(
            "asterisk", "fold_all", "Fold all", id="inspector.fold_all", tooltip="Open one level more, or fold all"
        ),
        Binding("slash", "search", "Find", id="inspector.find", tooltip="Search in keys and values"),
        Binding("y", "copy", "Copy", id="inspector.copy", tooltip="Copy the value under the cursor as JSON"),
        Binding("Y", "copy_path", "Copy path", id="inspector.copy_path", tooltip="Copy the path of the value"),
        Binding("p", "pager", "Pager", id="inspector.pager", tooltip="Read the value in $PAGER"),
    ]

    def __init__(self, subject: Subject, source: Source) -> None:
        super().__init__()
        self.subject = subject
        self.rows = JsonRows(open_texts=True)
        self.rows.set(load(subject, source))
        self.view = LineView(self.rows, cursor_row=True)
        self.keys = Bar()

    def compose(self) -> ComposeResult:
        """A frame with the tree, the search line and the keys."""
        with Vertical() as frame:
            frame.border_title = Content(clean(self.subject.title))
            yield self.view
            yield Input(placeholder="search in keys and values", id="inspector-search", compact=True)
            yield self.keys

    def on_mount(self) -> None:
        """Say what the keys do."""
        self.view.focus()

    def _say(self, status: str) -> None:
        keys = [
            ("esc", "Back", "screen.leave"), ("enter", "Fold", "screen.fold"), ("*", "More", "screen.fold_all"),
            ("/", "Find", "screen.search"), ("y", "Copy", "screen.copy"), ("Y", "Path", "screen.copy_path"),
            ("p", "Pager", "screen.pager"),
        ]  # fmt: skip
        width = self.keys.size.width
        self.keys.show(fit(chrome.keys(keys, width), [(f" {status} ", "warn")] if status else [], width))

    def on_resize(self) -> None:
        """As many keys as there is room for."""
        self.call_after_refresh(self._say, self.view.found)

    @on(LineView.Selected)
    def _on_selected(self, event: LineView.Selected) -> None:
        event.stop()
        self.action_fold()

    @on(LineView.Searched)
    def _on_searched(self, event: LineView.Searched) -> None:
        event.stop()
        self._say(event.status)

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._unfold_for(event.value)
        self.view.search(event.value)
        self._close_search()

    def _unfold_for(self, text: str) -> None:
        """What is folded is searched too: open one level more until something is found or all is open."""
        for _ in range(12):
            if not text or self.rows.find(text.lower(), 0, 1, len(self.rows), self.view.width_of_rows()) is not None:
                return
            before = len(self.rows)
            self.rows.toggle_all()
            if len(self.rows) <= before or len(self.rows) > 50_000:
                return

    def _close_search(self) -> None:
        self.query_one(Input).remove_class("-on")
        self.set_focus(self.view)

    def action_leave(self) -> None:
        """Close the search line, or the inspector."""
        if self.query_one(Input).has_class("-on"):
            self._close_search()
        else:
            self.dismiss()

    def action_fold(self) -> None:
        """Open or close the value under the cursor."""
        if self.view.cursor is not None:
            self.rows.toggle(self.view.cursor)
            self.view.show()

    def action_fold_all(self) -> None:
        """Open one level more, or fold all."""
        self.rows.toggle_all()
        self.view.show()

    def action_search(self) -> None:
        """Ask what to search for."""
        search = self.query_one(Input)
        search.add_class("-on")
        self.set_focus(search)  # at once: the next key is for it

    def _value(self) -> Json:
        cursor = self.view.cursor
        return self.rows.lines[cursor].value if cursor is not None and cursor < len(self.rows.lines) else None

    def action_copy(self) -> None:
        """Copy the value under the cursor."""
        value = self._value()
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        self.app.copy_to_clipboard(text)
        self._say("copied")

    def action_copy_path(self) -> None:
        """Copy the path of the value under the cursor."""
        if self.view.cursor is not None:
            self.app.copy_to_clipboard(path_text(self.rows.lines[self.view.cursor].path))
            self._say("path copied")

    def action_pager(self) -> None:
        """Leave the screen to the user's pager."""
        value = self._value()
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        if trouble := read_outside(self.app, "PAGER", text, ".json"):
            self._say(trouble)

"""The inspector: the full payload of whatever was selected, read from the journal as far as it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from lgwatch.clock import Clock
from lgwatch.events import Json
from lgwatch.records import Run
from lgwatch.refs import resolve
from lgwatch.tui.lines.bar import Bar, hints
from lgwatch.tui.lines.pane import Subject
from lgwatch.tui.lines.signs import fit
from lgwatch.tui.lines.text import clean, crop, plain
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.pages.help import Help
from lgwatch.tui.tree.rows import JsonRows
from lgwatch.tui.tree.view import TreeView

if TYPE_CHECKING:
    from lgwatch.sources import Source


_PLUMBING = frozenset({"node", "step", "ns", "task", "span", "parent", "message", "checkpoint"})
"""Where something belongs, which stands below what it is."""


def load(subject: Subject, source: Source, runs: Sequence[Run], *, whole: bool = True) -> dict[str, Json]:
    """Return the sections of a subject's page: its facts, then each journal line, with its time in the session's `runs`.

    References are replaced by what they stand for, unless what is wanted is not the `whole` page.
    """
    clock = Clock(runs)
    given = dict(subject.sections)
    sections: dict[str, Json] = resolve(given, source.value) if whole else given
    if subject.text:
        sections["text"] = subject.text
    if subject.facts:
        sections["facts"] = subject.facts
    for seq in subject.seqs:
        line = source.resolved(seq) if whole else source.line(seq)
        title = str(line.get("type", "line"))
        at = line.get("at")
        error = line.get("error")
        if not whole and isinstance(error, dict) and error.get("traceback"):
            sections.setdefault("traceback", error["traceback"])  # what an error is opened for
        name = f"{title} at {clock.active(at) if clock else at:.3f}" if isinstance(at, float | int) else title
        payload = {key: line[key] for key in sorted(line, key=_PLUMBING.__contains__) if key not in ("type", "at")}
        sections[name if name not in sections else f"{name} (line {seq})"] = payload
    return sections


LONG_TEXT = 1 << 20
"""Characters up to which a text that has a section of its own is open at first."""


class Inspector(ModalScreen[None]):
    """Pretty, folded, searchable JSON."""

    DEFAULT_CSS = """
    Inspector { align: center middle; background: $background 60%; }
    Inspector > Vertical { width: 92%; height: 88%; border: heavy $accent; background: $surface; padding: 0 1;
                           border-subtitle-color: $foreground 70%; }
    Inspector Input { border: none; height: 1; padding: 0; display: none; background: $boost; }
    Inspector Input.-on { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="inspector.leave", tooltip="Back to the panes"),
        Binding("space", "fold", "Fold", id="inspector.fold", tooltip="Open or close the value under the cursor"),
        Binding("question_mark,f1", "help", "Help", id="inspector.help", tooltip="What works here"),
        Binding("slash", "search", "Find", id="inspector.find", tooltip="Search in keys and values, folded ones too"),
    ]

    def __init__(self, subject: Subject, source: Source, runs: Sequence[Run]) -> None:
        """Show a subject; its times are told as those of the session's `runs`."""
        super().__init__()
        self.subject = subject
        self.rows = JsonRows(source, open_texts=LONG_TEXT)
        self.rows.set(load(subject, source, runs, whole=False))
        self.view = TreeView(self.rows)
        self.keys = Bar()
        self._frame = Vertical()

    def compose(self) -> ComposeResult:
        """A frame with the tree, the search line and the keys."""
        with self._frame as frame:
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
            ("/", "Find", "screen.search"), ("y", "JSON", "screen.press('copy')"),
            ("Y", "Path", "screen.press('copy_path')"), ("P", "Python", "screen.press('copy_python')"),
            ("p", "Pager", "screen.press('pager')"), ("-", "Out", "screen.press('fold_outer')"),
        ]  # fmt: skip
        width = self.keys.size.width
        self.keys.show(fit(hints(keys, width), [(f" {status} ", "warn")] if status else [], width))

    def on_resize(self) -> None:
        """As many keys as there is room for."""
        self.call_after_refresh(self._say, self.view.found)

    @on(LineView.Searched)
    def _on_searched(self, event: LineView.Searched) -> None:
        event.stop()
        self._say(event.status)

    @on(Told)
    def _on_told(self, event: Told) -> None:
        event.stop()
        self._say(event.text)

    @on(TreeView.At)
    def _on_at(self, event: TreeView.At) -> None:
        event.stop()
        self._frame.border_subtitle = Content(plain(crop(clean(event.path), max(self.size.width * 3 // 4, 10), "…")))

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.view.search(event.value)
        self._close_search()

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
        self.view.action_fold()

    def action_fold_all(self) -> None:
        """Open one level more, or fold all."""
        self.view.action_fold_all()

    async def action_press(self, action: str) -> None:
        """Do what a key of the view does."""
        await self.app.run_action(action, self.view)

    def action_help(self) -> None:
        """Show what works here."""
        self.app.push_screen(Help(self.screen, None))

    def action_search(self) -> None:
        """Ask what to search for."""
        search = self.query_one(Input)
        search.add_class("-on")
        self.set_focus(search)  # at once: the next key is for it

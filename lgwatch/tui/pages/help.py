"""What works here: the focused pane's own words, then every binding that is live, read from the bindings themselves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from lgwatch.filter import FIELDS
from lgwatch.tui.lines.pane import Pane
from lgwatch.tui.lines.rows import Lines, Row
from lgwatch.tui.lines.text import wrap
from lgwatch.tui.lines.view import LineView

_SHOWN = {
    "slash": "/", "question_mark": "?", "space": "space", "escape": "esc", "left_square_bracket": "[", "asterisk": "*",
    "right_square_bracket": "]", "less_than_sign": "<", "greater_than_sign": ">", "colon": ":", "exclamation_mark": "!",
    "comma": ",", "full_stop": ".", "plus": "+", "equals_sign": "=", "minus": "-", "backslash": "\\", "underscore": "_",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "pageup": "page up", "pagedown": "page down",
}  # fmt: skip


LIVE = ("compose", "rerun", "stop")
"""Actions that do nothing on a recording."""


def key_name(key: str) -> str:
    """Return a key as it is printed on it."""
    return " ".join(_SHOWN.get(one, one.replace("ctrl+", "^")) for one in key.split(","))


def rows(screen: Screen[object], pane: Pane | None, width: int) -> list[Row]:
    """Return the text of the help."""
    lines: list[Row] = []
    if pane is not None:
        lines.append([(pane.title_, "title")])
        lines += [[("  " + pane.help_[start:end], "")] for start, end in wrap(pane.help_, width - 4)]
        lines.append([])
    lines.append([("Keys that work here", "title")])
    by_action: dict[str, list[str]] = {}
    words: dict[str, tuple[str, str]] = {}
    # What the screen does stands first; how one moves is the same everywhere.
    idle = () if getattr(getattr(screen.app, "source", None), "live", True) else LIVE
    for active in sorted(screen.active_bindings.values(), key=lambda active: _rank(active.node)):
        binding = active.binding
        if not active.enabled or binding.action in idle or not (binding.tooltip or binding.description):
            continue
        by_action.setdefault(binding.action, []).append(key_name(binding.key))
        words.setdefault(binding.action, (binding.description, binding.tooltip))
    for action, keys in by_action.items():
        description, tooltip = words[action]
        lines.append([(f"  {' '.join(keys):<16}", "bold accent"), (f"{description:<16}", ""), (tooltip, "dim")])
    lines += [[], [("Filter: terms are joined by a space (and), values by a comma (or), ! or - negates", "title")]]
    lines += [[(f"  {name + ':':<16}", "bold accent"), (field.help, "dim")] for name, field in FIELDS.items()]
    lines.append([('  * stands for any text, "two words" for a phrase, re:/…/ for a regular expression', "dim")])
    return lines


def _rank(node: DOMNode) -> int:
    return 0 if isinstance(node, App) else 2 if isinstance(node, LineView) else 1


class Help(ModalScreen[None]):
    """Lists what works where one is."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > Vertical { width: 96; max-width: 94%; height: 88%; border: heavy $accent; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "app.pop_screen", "Back", id="help.leave", tooltip="Back to the panes")
    ]

    def __init__(self, behind: Screen[object], pane: Pane | None) -> None:
        super().__init__()
        self._behind = behind
        self._pane = pane
        self.view = LineView()

    def compose(self) -> ComposeResult:
        """A frame with the text."""
        with Vertical() as frame:
            frame.border_title = "Help"
            frame.border_subtitle = "esc back"
            yield self.view

    def on_mount(self) -> None:
        """Fill in the text."""
        self.view.show(Lines(rows(self._behind, self._pane, 90)))
        self.view.focus()

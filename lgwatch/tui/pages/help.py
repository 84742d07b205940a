"""What works here: the focused pane's own words, then every binding that is live, read from the bindings themselves."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from lgwatch.filter import FIELDS
from lgwatch.tui.lines.pane import Pane
from lgwatch.tui.lines.rows import Lines, Row
from lgwatch.tui.lines.signs import cells
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


FIRST = (
    "filter", "search", "inspect", "pane", "app.focus_next", "pause", "zoom", "solo", "compose", "rerun", "stop", "help",
    "leave",
)  # fmt: skip
"""What one needs in the first hour, most wanted first; the rest stands below, by where it works."""
_TOGETHER = {
    "pane": ("View", ""), "superstep": ("Superstep", "The one before, the next, in all panes"),
    "event": ("Event", "The one before, the next that the filter keeps"),
    "visit": ("Visit", "The node's one before, the next"), "app.focus": ("Pane", "The next pane, the one before"),
}  # fmt: skip
"""Actions that are one thing to a person, by the word that they begin with; without a sentence it is made of their names."""
KEYS, WORD = 14, 14
"""Cells of the first two columns."""


class _Key(NamedTuple):
    """A row of the help: the keys, the word in the line of keys, and a sentence."""

    keys: list[str]
    word: str
    sentence: str
    where: str


def rows(screen: Screen[object], pane: Pane | None, width: int) -> list[Row]:
    """Return the text of the help, at most `width` cells wide."""
    found = _bindings(screen)
    lines = _section("To begin with", [found.pop(action) for action in FIRST if action in found], width)
    if pane is not None:
        lines.append([(pane.title_, "title")])
        lines += [*([("  " + pane.help_[start:end], "")] for start, end in wrap(pane.help_, width - 2)), []]
    for title, where in (("In this pane", "pane"), ("Everywhere", "app"), ("To move", "move")):
        lines += _section(title, [key for key in found.values() if key.where == where], width)
    lines.append([("Filter: a space is and, a comma is or, ! or - is not", "title")])
    for name, field in FIELDS.items():
        lines += _columns(f"{name}:", "", field.help, width)
    told = '  * stands for any text, "two words" for a phrase, re:/…/ for a regular expression'
    return [*lines, *([(told[start:end], "dim")] for start, end in wrap(told, width))]


def _bindings(screen: Screen[object]) -> dict[str, _Key]:
    """Return what works here, by action; what is one thing to a person is one."""
    # What is played back starts nothing; a graph whose process has ended can be loaded again.
    app = screen.app
    live = getattr(getattr(app, "source", None), "live", True) or getattr(app, "request", None) is not None
    moves = {each.action for each in LineView.BINDINGS if isinstance(each, Binding)}
    found: dict[str, _Key] = {}
    for active in sorted(screen.active_bindings.values(), key=lambda active: _rank(active.node)):
        binding = active.binding
        if not active.enabled or (binding.action in LIVE and not live):
            continue
        if not (binding.tooltip or binding.description) or binding.action == "quit":
            continue
        stem = "app.focus" if binding.action.startswith("app.focus_") else binding.action.partition("(")[0]
        if stem not in _TOGETHER or not isinstance(active.node, (App, Screen)):
            where = "move" if binding.action in moves else "app" if isinstance(active.node, (App, Screen)) else "pane"
            word = binding.description if binding.tooltip else binding.description.partition(" ")[0]
            key = found.setdefault(binding.action, _Key([], word, binding.tooltip or binding.description, where))
        else:
            word, sentence = _TOGETHER[stem]
            name = "app.focus_next" if stem == "app.focus" else stem
            key = found.setdefault(name, _Key([], word, sentence, "app" if stem in ("pane", "app.focus") else "move"))
            if not sentence:
                found[name] = key = key._replace(sentence=f"{key.sentence} · {binding.description}".removeprefix(" · "))
        key.keys.append(key_name(binding.key))
    return found


def _section(title: str, keys: list[_Key], width: int) -> list[Row]:
    lines: list[Row] = [[(title, "title")]] if keys else []
    for key in keys:
        names = f"{key.keys[0]} … {key.keys[-1]}" if len(key.keys) > 4 else " ".join(key.keys)
        lines += _columns(names, key.word, key.sentence if key.sentence != key.word else "", width)
    return [*lines, []] if lines else []


def _columns(keys: str, word: str, sentence: str, width: int) -> list[Row]:
    """Return one entry: its sentence goes on below itself where it must."""
    head: Row = [(f"  {keys:<{KEYS}} ", "bold accent")] + ([(f"{word:<{WORD}} ", "")] if word else [])
    start = cells(head)
    parts = [sentence[at:end] for at, end in wrap(sentence, max(16, width - start))] or [""]
    return [[*head, (parts[0], "dim")], *([(" " * start, ""), (part, "dim")] for part in parts[1:])]


def _rank(node: DOMNode) -> int:
    return 0 if isinstance(node, App) else 2 if isinstance(node, LineView) else 1


class Help(ModalScreen[None]):
    """Lists what works where one is."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > Vertical { width: 104; max-width: 96%; height: 92%; border: heavy $accent; background: $surface; padding: 0 1; }
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
        """Let the text be scrolled."""
        self.view.focus()

    def on_resize(self) -> None:
        """Fill in the text, for the width that there is."""
        self.view.show(Lines(rows(self._behind, self._pane, min(104, self.app.size.width * 96 // 100) - 6)))

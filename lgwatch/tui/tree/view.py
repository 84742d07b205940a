"""A view on a tree of values: fold, search in all of it whether open or not, copy, and the path of what is under the cursor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import perf_counter
from typing import ClassVar

from textual import events, on
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from lgwatch.events import Json
from lgwatch.tui.lines.outside import read_outside
from lgwatch.tui.lines.search import PATIENCE, Search
from lgwatch.tui.lines.signs import amount
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.tree.branch import Path
from lgwatch.tui.tree.parts import path_text
from lgwatch.tui.tree.pythonic import as_python
from lgwatch.tui.tree.rows import JsonRows

MOST = 5000
"""Matches after which a search stops to count."""
Found = tuple[tuple[int, ...], Path]


class TreeView(LineView):
    """Values that can be opened, searched and copied. `root` is where their paths begin: 1 leaves out the section."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "fold", "Fold", show=False, id="tree.fold", tooltip="Open or close the value under the cursor"
        ),
        Binding(
            "asterisk",
            "fold_all",
            "Fold all",
            show=False,
            id="tree.fold_all",
            tooltip="Open one level more, or fold all",
        ),
        Binding("minus", "fold_outer", "Fold outer", show=False, id="tree.fold_outer", tooltip="Close what this is in"),
        Binding("y", "copy", "Copy", show=False, id="tree.copy", tooltip="Copy the value under the cursor as JSON"),
        Binding("Y", "copy_path", "Copy path", show=False, id="tree.copy_path", tooltip="Copy the path of the value"),
        Binding("P", "copy_python", "Copy Python", show=False, id="tree.copy_python", tooltip="Copy it as Python"),
        Binding("p", "pager", "Pager", show=False, id="tree.pager", tooltip="Read the value in $PAGER"),
    ]

    class At(LineView.RowMessage):
        """The cursor is at another value; `path` is how Python would write where."""

        def __init__(self, view: LineView, index: int, path: str) -> None:
            super().__init__(view, index)
            self.path = path

    def __init__(self, rows: JsonRows, *, root: int = 1, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(rows, cursor_row=True, id=id)
        self.tree_rows = rows
        self._from = root
        self._at = ""
        self._text = ""
        self._hunt: Iterator[Found | None] = iter(())
        self._found: list[Found] = []
        self._whole = False  # whether everything was looked at
        self._here: tuple[int, ...] = ()
        self._way = 1

    # --- where the cursor is

    @property
    def in_tree(self) -> bool:
        """Whether the values are shown, and not other rows in their place."""
        return self.rows is self.tree_rows

    @property
    def path(self) -> str:
        """The path of the value under the cursor."""
        spot = self.tree_rows.spot(self.cursor) if self.cursor is not None and self.in_tree else None
        return path_text(spot.path, self._from) if spot is not None else ""

    def value(self) -> Json:
        """Return the value under the cursor, whole."""
        return self.tree_rows.value(self.cursor) if self.cursor is not None and self.in_tree else None

    def _update(self) -> None:
        super()._update()
        if self.cursor is not None and (path := self.path) != self._at:
            self._at = path
            self.post_message(self.At(self, self.cursor, path))

    # --- folding

    def action_choose(self) -> None:
        """Open or close the value under the cursor, or open the row."""
        if self.in_tree:
            self.action_fold()
        else:
            super().action_choose()

    def action_fold(self) -> None:
        """Open or close the value under the cursor, or open the row."""
        if not self.in_tree:
            super().action_choose()
        elif self.cursor is not None:
            self.tree_rows.toggle(self.cursor)
            self.show()

    @on(LineView.Selected)
    def _on_double_click(self, event: LineView.Selected) -> None:
        """A double click opens a value as `enter` does."""
        if self.in_tree and event.view is self:
            event.stop()
            self.action_fold()

    def on_click(self, event: events.Click) -> None:
        """A click on the sign of a value opens or closes it."""
        index = self.top + event.y
        spot = self.tree_rows.spot(index) if self.in_tree and event.chain == 1 else None
        if (
            spot is not None
            and spot.text < 0
            and self.tree_rows.sign_at(spot) <= event.x + self.left < (self.tree_rows.sign_at(spot) + 2)
        ):
            self.tree_rows.toggle(index)
            self.show()

    def action_fold_all(self) -> None:
        """Open one level more, or fold all."""
        if self.in_tree:
            self.tree_rows.toggle_all()
            self.show()

    def action_fold_outer(self) -> None:
        """Close the value that the one under the cursor is in, and go there."""
        spot = self.tree_rows.spot(self.cursor) if self.cursor is not None and self.in_tree else None
        if spot is None:
            return
        outer = spot.path if spot.text >= 0 or spot.below is not None else spot.path[:-1]
        index = self.tree_rows.row_of(outer) if outer else None
        if index is not None:
            self.tree_rows.toggle(index)
            self.select(index)
            self.show()

    # --- search: what is folded is searched too

    def search(self, text: str | None) -> None:
        """Look for `text` in all keys and values, from the cursor on; None or an empty text ends the search."""
        if not self.in_tree:
            super().search(text)
            return
        self._text = text or ""
        self._search = Search(self._text) if self._text else None
        self._places = self._search.places if self._search is not None else None
        self._strips.clear()
        self._frame = []
        self._hunt = self.tree_rows.matches(self._text) if self._text else iter(())
        self._found, self._whole = [], not self._text
        self._begin(1, inclusive=True)
        self._update()

    def next_match(self, step: int = 1) -> None:
        """Go to the next match (or, with -1, the one before), around the end."""
        if not self.in_tree:
            super().next_match(step)
        elif self._text:
            self._begin(step, inclusive=False)

    def _begin(self, way: int, *, inclusive: bool) -> None:
        here = self.tree_rows.place_of(self.cursor or 0)
        self._here = here[:-1] if inclusive and len(here) == 1 and self.cursor in (None, 0) else here
        self._way, self._wanted = way, bool(self._text)
        self._inclusive = inclusive
        self._go_on()

    _wanted = False
    _inclusive = False

    def _go_on(self) -> None:
        """Look at some more values, go to the match that is wanted once it is sure, and come back for the rest."""
        deadline = perf_counter() + PATIENCE
        while not self._whole and perf_counter() < deadline:
            try:
                found = next(self._hunt)
            except StopIteration:
                self._whole = True
                break
            if found is not None:
                self._found.append(found)
                self._whole = len(self._found) >= MOST
                if self._wanted and self._way > 0 and self._after(found[0]):
                    self._reach(found)
        if self._wanted and self._whole:
            self._reach_known()
        self._say_found()
        if not self._whole:
            self.set_timer(0.001, self._go_on)

    def _after(self, place: tuple[int, ...]) -> bool:
        return place >= self._here if self._inclusive else place > self._here

    def _reach_known(self) -> None:
        if not self._found:
            self._wanted = False
        elif self._way > 0:
            self._reach(next((one for one in self._found if self._after(one[0])), self._found[0]))
        else:
            self._reach(next((one for one in reversed(self._found) if one[0] < self._here), self._found[-1]))

    def _reach(self, found: Found) -> None:
        self._wanted = False
        self._here = found[0]
        index = self.tree_rows.reveal(found[1], self._text)
        if index is not None:
            self._update()
            self._arrive(index)

    def _say_found(self) -> None:
        if not self._text:
            status = ""
        elif not self._found:
            status = "no match" if self._whole else "…"
        else:
            number = next((number for number, one in enumerate(self._found, 1) if one[0] == self._here), 0)
            more = "+" if not self._whole or len(self._found) >= MOST else ""
            status = f"{amount(number)}/{amount(len(self._found))}{more}"
        if status != self.found:
            self.found = status
            self.post_message(self.Searched(self, status))

    # --- out of here

    def action_copy(self) -> None:
        """Copy the value under the cursor: a text as it is, anything else as JSON."""
        self._copy(_text_of(self.value()), "copied")

    def action_copy_path(self) -> None:
        """Copy the path of the value under the cursor."""
        self._copy(self.path, f"copied {self.path}")

    def action_copy_python(self) -> None:
        """Copy the value under the cursor as a Python expression."""
        self._copy(as_python(self.value()), "copied as Python")

    def _copy(self, text: str, told: str) -> None:
        if self.cursor is None or not self.in_tree:
            raise SkipAction  # the screen knows what is selected
        self.app.copy_to_clipboard(text)
        self.post_message(Told(told))

    def action_pager(self) -> None:
        """Leave the screen to the user's pager."""
        if not self.in_tree:
            raise SkipAction
        value = self.value()
        suffix = ".txt" if isinstance(value, str) else ".json"
        if trouble := read_outside(self.app, "PAGER", _text_of(value), suffix):
            self.post_message(Told(trouble))


def _text_of(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

"""The view of the state pane: a tree of values, with the keys that walk, compare and tell histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from lgwatch.tui.tree.view import TreeView

if TYPE_CHECKING:
    from lgwatch.tui.state.pane import StatePane


class StateView(TreeView):
    """The values of a state, or rows about it; its keys are answered by the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_square_bracket", "walk(-1)", "State before", show=False, id="state.before", tooltip="State before"
        ),
        Binding("right_square_bracket", "walk(1)", "Next state", show=False, id="state.next", tooltip="Next state"),
        Binding(
            "d", "compare", "Diff", show=False, id="state.diff", tooltip="Mark this state and compare; again: back"
        ),
        Binding(
            "h", "history", "History", show=False, id="state.history", tooltip="How this key came to be; again: back"
        ),
        Binding("v", "graph", "Graph", show=False, id="state.graph", tooltip="The states of the next graph"),
        Binding("escape", "back", "Back", show=False, id="state.back", tooltip="Back to the values"),
    ]
    pane: StatePane

    def action_walk(self, way: int) -> None:
        """Go to the next state, or to the one before."""
        self.pane.walk(way)

    def action_compare(self) -> None:
        """Compare with another state, or go back to the values."""
        self.pane.compare()

    def action_history(self) -> None:
        """Show the history of the key under the cursor, or go back to the values."""
        self.pane.tell_history()

    def action_graph(self) -> None:
        """Show the states of the next graph."""
        self.pane.next_graph()

    def action_back(self) -> None:
        """Go back to the values; there, the screen has a use for the key."""
        if self.pane.mode == "values":
            raise SkipAction
        self.pane.turn("values")

    def action_last(self) -> None:
        """Go to the newest state, and follow it."""
        self.pane.follow()

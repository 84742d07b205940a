"""NodesView: the line view of the node panel, which goes from node to node where the rows are a drawing.

It owns where one looks, never what is drawn.
"""

from __future__ import annotations

from textual import events

from lgwatch.tui.lines.rows import Rows
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.nodes.graph import GraphRows


class NodesView(LineView):
    """The rows of one of the views. On a drawing the arrows go from node to node, and `following` keeps what runs in sight."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows, tail=True, cursor_row=True)
        self.graph: GraphRows | None = None
        """The drawing, while it is what is shown."""
        self._watching = True

    @property
    def deep(self) -> bool:
        """Whether there is a drawing with something in it that opens."""
        drawing = self.graph.drawing if self.graph is not None else None
        return drawing is not None and drawing.plan.deepest > 0

    def show_as(self, view: str, rows: Rows) -> None:
        """Show other rows: only a list grows at its end, and a drawing has no cursor that is a row."""
        self.graph = rows if isinstance(rows, GraphRows) else None
        self._port.tail = view == "list"
        self._port.cursor_row = self.graph is None
        self.left = 0
        self.show(rows)

    def keep_in_sight(self) -> None:
        """Scroll a drawing to what runs, unless the person went elsewhere."""
        row = self.graph.running_row() if self.graph is not None and self._watching else None
        if row is not None and not self.top < row < self.top + self.size.height - 1:
            self.scroll_rows(row - self.size.height // 2)
            self._watching = True

    def scroll_rows(self, top: int) -> None:
        """Make `top` the first visible row; a person who scrolls a drawing reads there."""
        self._watching = False
        super().scroll_rows(top)

    def follow(self) -> None:
        """Go to the end and stay there; on a drawing, to what runs."""
        if self.graph is None:
            super().follow()
            return
        self._watching = True
        self.select_node(self.graph.newest())
        self._watching = True
        self.keep_in_sight()

    def select_node(self, node: str) -> None:
        """Put the cursor on a node of the drawing and scroll it into view."""
        row = self.graph.select(node) if self.graph is not None else None
        if row is None:
            return
        height = self.size.height
        if not self.top < row < self.top + height - 1:
            self.scroll_rows(row - 1 if row <= self.top else row - height + 2)
        self._watching = False
        self.show()

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows; on a drawing to the node above or below."""
        if self.graph is None:
            super().action_move(rows)
        elif abs(rows) > 1 or not (node := self.graph.beside(0, rows)):
            self.scroll_rows(self.top + rows)
        else:
            self.select_node(node)

    def action_shift(self, steps: int) -> None:
        """Shift the text sideways; on a drawing go to the node beside."""
        if self.graph is None:
            super().action_shift(steps)
        else:
            self.select_node(self.graph.beside(steps, 0))

    def action_first(self) -> None:
        """Go to the first row, or node."""
        if self.graph is None:
            super().action_first()
        else:
            self.scroll_rows(0)
            self.select_node(self.graph.first())

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the node that was clicked."""
        if self.graph is not None and self.text_selection is None:
            self.select_node(self.graph.place(event.x, self.top + event.y, self.width_of_rows()))

"""The node panel: where the run is and where it has been, as the drawn graph, as a list by superstep, or as a table.

The person's choice of a view is kept; where there is no room for the drawing, and until a choice is made, the list
stands in for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.records import Run, Task
from lgwatch.session import Session
from lgwatch.transitions import END, START, node_id
from lgwatch.tui.lines.outside import open_at
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Rows
from lgwatch.tui.lines.signs import count, seconds
from lgwatch.tui.lines.spot import Spot, of_event, of_task
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.nodes.graph import GraphRows
from lgwatch.tui.nodes.lanes import Lanes
from lgwatch.tui.nodes.run import run_subject
from lgwatch.tui.nodes.steps import NodeRows, outcome
from lgwatch.tui.nodes.table import TableRows
from lgwatch.tui.nodes.view import NodesView

if TYPE_CHECKING:
    from lgwatch.sources import Source

__all__ = ["NodeRows", "NodesPane", "outcome", "task_subject"]

VIEWS = ("list", "graph", "table")
"""In the order in which `v` goes through them."""
WIDE = 140
"""Cells of a screen on which a drawing is what one sees first, if most of it can be seen at once."""


class NodesPane(Pane):
    """Where the run is and where it has been."""

    title_: ClassVar[str] = "Nodes"
    empty_: ClassVar[str] = "no task has begun"
    help_: ClassVar[str] = (
        "v goes from the list to the drawn graph and to a table. The list has every task by superstep (the number at "
        "the left); brackets join the tasks that run side by side, what ran inside a node is indented below it. ×2 "
        "counts attempts, ⚙ names the tools or the agent that a task calls, ← what set it off, → the branch that it "
        "chose, and why: the function that chose. On the graph, lines that were taken are bright and say how often, "
        "the last one is coloured for a second; arrows go from node to node. ⚠×3 is the third visit with the same "
        "input. b marks a breakpoint (●): the next run stops before the node. enter opens a task, or what is folded."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "next_view", "View", show=False, id="nodes.view", tooltip="Nodes as the graph, a list, a table"),
        Binding("S", "sort", "Sort", show=False, id="nodes.sort", tooltip="Sort the table by the next column"),
        Binding("plus,equals_sign", "deeper(1)", "Deeper", show=False, id="nodes.deeper", tooltip="Open subgraphs"),
        Binding("minus", "deeper(-1)", "Less deep", show=False, id="nodes.higher", tooltip="Close subgraphs"),
        Binding(
            "b", "mark", "Break", show=False, id="nodes.mark", tooltip="Set or remove a breakpoint before the node"
        ),
        Binding("e", "source", "Source", show=False, id="nodes.source", tooltip="Open the node's source in $EDITOR"),
    ]
    rows: Rows

    class Marked(Message):
        """The person wants a breakpoint before a node, or no longer."""

        def __init__(self, node: str) -> None:
            super().__init__()
            self.node = node

    def __init__(self, rows: NodeRows, source: Source, *, id: str) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(rows, source, id=id)
        self.steps = rows
        self.graph = GraphRows(transitions=rows.transitions)
        self.table = TableRows()
        self.wanted = ""
        """The view that the person chose."""
        self.marks: Collection[str] = ()
        """Ids of the nodes with a breakpoint; `*` for all of the root graph. Whoever keeps them may change them."""
        self.shown = "list"
        self._session: Session | None = None
        self._keep: Filter | None = None
        self._now = 0.0
        self._moved = False  # whether the drawing is to be painted anew

    def make_view(self, rows: Rows) -> NodesView:
        """Return the view on the rows."""
        self.nodes_view = NodesView(rows)
        return self.nodes_view

    # --- what is shown

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Redraw what changed."""
        self._session, self._keep, self._now = session, keep, now
        for rows in (self.steps, self.graph, self.table):
            rows.marks = self._marked_nodes()
        view = self._fitting(session, keep, now)
        other = view != self.shown
        if other:
            self._turn(view)
        changed = self._moved
        if view == "list":
            changed = self.steps.update(session, keep, now)
        elif view == "table":
            changed = self.table.update(session, now)
        run = session.run
        if changed or other or (run is not None and run.status == "running"):
            self.nodes_view.show()
            self.nodes_view.keep_in_sight()
        if other and view == "table":
            self.nodes_view.select(1)  # the heading is no node
        if changed or other:
            self._say(session)

    def _turn(self, view: str) -> None:
        self.shown = view
        self.rows = {"graph": self.graph, "list": self.steps, "table": self.table}[view]
        self.nodes_view.show_as(view, self.rows)

    def _fitting(self, session: Session, keep: Filter, now: float) -> str:
        """Return the view that is wanted and has room."""
        if self.wanted in ("list", "table"):
            return self.wanted
        width, height = self.nodes_view.width_of_rows(), self.nodes_view.size.height
        if not height:  # not laid out yet
            return self.shown
        if not self.wanted and (
            self.app.size.width < WIDE or keep
        ):  # a drawing shows all there is, whatever a filter keeps
            return "list"
        self.graph.height = height
        before = self.graph.drawing
        self._moved = self.graph.update(session, now)
        self.graph.resize(width)
        drawing = self.graph.drawing
        self._moved |= drawing is not before
        if drawing is None or not (self.wanted or self.shown == "graph" or drawing.height <= height * 1.5):
            return "list"
        return "graph"

    def _say(self, session: Session) -> None:
        """Name the view and what there is in the border."""
        run = session.run
        if run is None and self.shown == "list" and not self.wanted:
            self.mark("", "")
            return
        tasks = run.tasks.values() if run is not None else ()
        lanes = sum(task.status == "running" and not task.children for task in tasks)
        total = count(sum(len(one.tasks) for one in session.runs), "task")
        parts = [f"{lanes} at once" if lanes > 1 else "", total]
        title = self.shown
        drawing = self.graph.drawing
        if title == "graph" and drawing is not None and drawing.plan.deepest:
            parts.insert(0, f"depth {drawing.depth}/{drawing.plan.deepest}")
        elif title == "table":
            parts[0] = f"by {self.table.sort}" if self.table.sort != "graph" else ""
        elif title == "list" and self.wanted == "graph" and session.graph is not None:
            if self.size.width > 46:
                title = "list (the graph needs more room)"
            else:
                parts = ["graph: no room"]
        self.mark(title, " · ".join(part for part in parts if part))

    def _again(self) -> None:
        if self._session is not None and self._keep is not None:
            self.show(self._session, self._keep, self._now)
            self.nodes_view.show()
            self._say(self._session)
            self.settle(at_once=True)

    # --- keys

    def action_next_view(self) -> None:
        """Show the next view: list, graph, table."""
        at = VIEWS.index(self.wanted or self.shown)
        self.wanted = VIEWS[(at + 1) % len(VIEWS)]
        self._again()

    def action_sort(self) -> None:
        """Sort the table by the next column; from another view, go to the table."""
        if self.shown == "table":
            self.table.order()
            self.nodes_view.show()
        else:
            self.wanted = "table"
        self._again()

    def action_deeper(self, step: int) -> None:
        """Open or close subgraphs on the drawing."""
        if self.shown == "graph":
            self.graph.deeper(step)
            self._again()
            if self.graph.selected and self.graph.drawing is not None:
                self.nodes_view.select_node(self.graph.drawing.shown(self.graph.selected) or "")

    def action_mark(self) -> None:
        """Ask for a breakpoint before the node under the cursor, or take it away."""
        node = self._node()
        if node and node.rpartition(":")[2] not in (START, END):
            self.post_message(self.Marked(node))

    def _marked_nodes(self) -> frozenset[str]:
        if "*" in self.marks:
            return frozenset(str(node["id"]) for node in self._told() if ":" not in str(node["id"]))
        return frozenset(self.marks)

    @on(LineView.Selected)
    def _fold(self, event: LineView.Selected) -> None:
        """Open or close a row that stands for many; what else is chosen, is opened by the screen."""
        if self.shown == "list" and self.steps.fold(event.index):
            event.stop()
            self._again()

    def action_source(self) -> None:
        """Open the source of the node under the cursor in the person's editor."""
        node = self._node()
        told = next((one for one in self._told() if one.get("id") == node), {})
        file, line = str(told.get("file") or ""), told.get("line")
        if trouble := open_at(self.app, file, line if isinstance(line, int) else 1):
            self.post_message(Told(trouble))

    # --- what is selected

    def _told(self) -> list[dict[str, Json]]:
        graph = self._session.graph if self._session is not None else None
        return graph.nodes if graph is not None else []

    def _node(self) -> str:
        """The id of the node under the cursor."""
        if self.shown == "graph":
            return self.graph.selected or self.graph.newest()
        index = self.chosen
        if index is None:
            return ""
        if self.shown == "table":
            stats = self.table.node(index)
            return stats.id if stats is not None else ""
        of = self.steps.of(index)
        return "" if of is None or isinstance(of, Run) else node_id(of.tasks[0] if isinstance(of, Lanes) else of)

    def subject(self) -> Subject | None:
        """The task, the node's newest task, or the run under the cursor."""
        if self.shown != "list":
            return self._node_subject(self._node())
        index = self.chosen
        of = self.steps.of(index) if index is not None else None
        if isinstance(of, Run):
            return run_subject(of)
        task = of.tasks[-1] if isinstance(of, Lanes) else of
        return self._page(task, node_id(task)) if task is not None else None

    def _page(self, task: Task, node: str) -> Subject:
        """The page of a task, with what is known of its node and of its way."""
        subject, ways = task_subject(task), self.steps.transitions
        chosen, other = ways.choices(task)
        branch = {"led to": list(chosen), "not to": list(other), "why": ways.reason(task)} if chosen else {}
        looped = {"visits with this input": task.same_input} if task.same_input > 1 else {}
        return replace(subject, facts={**subject.facts, **looped, **branch, "node": self._node_facts(node)})

    def _node_facts(self, node: str) -> dict[str, Json]:
        taken = self.steps.transitions.taken
        return {
            "visits": self.steps.transitions.visits.get(node, 0),
            "came from": {source: times for (source, target), times in taken.items() if target == node},
            "led to": {target: times for (source, target), times in taken.items() if source == node},
            "breakpoint": node in self._marked_nodes(),
        }

    def spot(self) -> Spot | None:
        """The task under the cursor, or the newest one of the node; the end of the run whose error is no task's."""
        index = self.chosen
        of = self.steps.of(index) if index is not None and self.shown == "list" else None
        if (
            isinstance(of, Run)
            and of.end_seq is not None
            and self.steps.error_of(of) == index
            and self._session is not None
        ):
            return of_event(self._session, of.end_seq)
        if isinstance(of, Lanes):
            of = of.tasks[-1]
        task = of if isinstance(of, Task) else self.graph.task(self._node()) if self.shown != "list" else None
        return of_task(task) if task is not None else None

    def reveal(self, session: Session, spot: Spot) -> None:
        """Go to the task, to the fan-out that it is in, or to its node; to the error of no task, if that is what it is."""
        task = spot.task_in(session)
        if task is None:
            run = next((run for run in session.runs if run.id == spot.run and run.end_seq == spot.seq), None)
            index = self.steps.error_of(run) if run is not None and self.shown == "list" else None
            if index is not None:
                self.nodes_view.reveal(index)
            return
        if self.shown == "graph":
            drawing = self.graph.drawing
            self.nodes_view.select_node((drawing.shown(node_id(task)) if drawing is not None else None) or "")
            return
        for index in range(len(self.rows)):
            if self.shown == "table":
                stats = self.table.node(index)
                found = stats is not None and stats.id == node_id(task)
            else:
                of = self.steps.of(index)
                found = of is task or (
                    isinstance(of, Lanes) and not self.steps.lines[index].opened and task in of.tasks
                )
            if found:
                self.nodes_view.reveal(index)
                return

    def _node_subject(self, node: str) -> Subject | None:
        if not node or self._session is None:
            return None
        self.graph.update(self._session, self._now)
        task = self.graph.task(node)
        if task is not None:
            return self._page(task, node)
        told = next((one for one in self._told() if one.get("id") == node), {"id": node})
        never = "" if told.get("kind") in ("start", "end") else " · has not run"
        return Subject(f"{node}{never}", (), {**told, **self._node_facts(node)})


def task_subject(task: Task) -> Subject:
    """Return the page of a task: its start, its result, and what was folded from its spans."""
    facts = {
        "status": task.status + (f" (closed by its {task.closed_by})" if task.closed_by else ""),
        "path": task.path,
        "step": task.step,
        "attempts": task.attempts,
        "waited": seconds((task.began or task.started) - task.started),
        "triggers": list(task.triggers),
        "tags": list(task.tags),
        "models": list(task.models),
        "spans": [
            {
                "kind": span.kind,
                "name": span.name,
                "at": round(span.started, 3),
                "took": seconds(span.ended - span.started) if span.ended is not None else "running",
                "status": span.status,
                **({"error": span.error} if span.error else {}),
            }
            for span in task.spans
        ],
    }
    seqs = tuple(seq for seq in (task.seq, task.end_seq) if seq is not None)
    return Subject(f"{task.path} · step {task.step}", seqs, facts, task=task.id, whole=True)

"""Pictures of the node panel: graphs of ten shapes in the middle of a run, as large as the panel is on three screens.

The panels stand alone, without the rest of the app, side by side: 80x24, 120x36, 200x60.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal

from lgwatch.events import Event, GraphLoaded
from lgwatch.filter import Filter
from lgwatch.session import Session
from lgwatch.tui.nodes.pane import NodeRows, NodesPane
from lgwatch.tui.theme import DARK
from tests.factories import attempt, play, result, run, task
from tests.tui.shapes import END, SHAPES, START
from tests.tui.stage import Stage, write

SIZES = {"80x24": (26, 12), "120x36": (40, 16), "200x60": (50, 29)}
"""How large the panel is on these screens, with its border."""
WIDE = 1_000


class Panels(App[None]):
    """Node panels of three sizes on the same session."""

    CSS = "Horizontal { height: auto; } NodesPane { min-width: 0; } LineView { width: 100%; }"

    def __init__(self, session: Session, stage: Stage) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "lgwatch"
        self.session = session
        self.panes = [NodesPane(NodeRows(), stage, id=f"nodes-{width}") for width, _ in SIZES.values()]

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self.panes

    def on_mount(self) -> None:
        for pane, (width, height) in zip(self.panes, SIZES.values(), strict=True):
            pane.styles.width, pane.styles.height = width, height
            pane.wanted, pane.graph.depth = "graph", 3
            pane.marks = {"search", "tools", "join"}

    def draw(self) -> None:
        """Show the session as it is a moment after its last event."""
        for pane in self.panes:
            pane.show(self.session, Filter(), self.session.now + 0.25)
            pane.settle(at_once=True)


def halfway(shape: str) -> Session:
    """A run that went on for some steps; what it does last still runs, and what is inside of it."""
    nodes, edges = SHAPES[shape]
    events = [GraphLoaded(nodes=nodes, edges=edges), run(config={"recursion_limit": 25})]
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge["source"], []).append(edge["target"])
    lanes = [START]
    for step in range(1, 5):
        before, after = (
            lanes,
            list(dict.fromkeys(to for name in lanes for to in targets.get(name, ())[:2] if to != END)),
        )
        if not after or "work" in lanes:
            break
        lanes = after
        for name in before if step > 1 else ():
            events += [result(name, id=f"{name}-{step - 1}-{number}", step=step - 1) for number in range(_times(name))]
        for name in lanes:
            for number in range(_times(name)):
                id_ = f"{name}-{step}-{number}"
                trigger = "__pregel_push" if _times(name) > 1 else f"branch:to:{name}"
                events.append(task(name, id=id_, step=step, triggers=(trigger,), input={"topic": "cats"}))
                events += [attempt(id_)] if number % 7 == 0 else []
            events += _inside(name, id_, (), targets)
    return play(*events, start=False)


def _inside(node: str, id_: str, ns: tuple[str, ...], targets: dict[str, list[str]]) -> Iterator[Event]:
    """The first task of the graph in a node, and of the graphs in it."""
    for inner in targets.get(f"{node}:{START}", ()):
        where, name = (*ns, f"{node.rpartition(':')[2]}:{id_}"), inner.rpartition(":")[2]
        told = inner.replace(":", "-")
        yield task(name, id=told, ns=where, triggers=(f"branch:to:{name}",))
        yield attempt(told)
        yield from _inside(inner, told, where, targets)


def _times(name: str) -> int:
    return WIDE if name == "work" else 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_graph_in_the_middle_of_a_run(snap_compare, tmp_path, shape):
    app = Panels(halfway(shape), Stage(write(tmp_path / "run.jsonl", run())))

    async def before(pilot):
        await pilot.pause()
        pilot.app.draw()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(sum(width for width, _ in SIZES.values()), 29), run_before=before)

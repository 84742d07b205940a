"""The app's keys and the tabs that some of them choose: one table, which help, palette and tests read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

if TYPE_CHECKING:
    from lgwatch.tui.lines.view import LineView

PRESETS = (
    ("1", "Watch", ()), ("2", "Tokens", ("tokens",)), ("3", "Custom", ("custom",)),
    ("4", "Timeline", ("timeline", "events")), ("5", "State", ("state",)), ("6", "Runs", ("runs",)),
    ("7", "Console", ("console",)),
)  # fmt: skip
"""Key, name and panes of each tab; no panes means all that there is room for."""
BINDINGS: tuple[Binding, ...] = (
    Binding("space", "pause", "Pause", id="pause", tooltip="Stop the picture, not the intake; again goes on"),
    Binding("f", "filter", "Filter", id="filter", tooltip="Filter all panes: node:… tag:… type:… or a word"),
    Binding("slash", "search", "Find", id="search", tooltip="Search in the focused pane; n and N go on"),
    Binding("F", "follow", "Follow", id="follow", tooltip="Follow the end of the focused pane"),
    Binding("enter,o", "inspect", "Inspect", id="inspect", tooltip="Open what is selected, or answer the interrupt"),
    Binding("s", "solo", "Solo", id="solo", tooltip="Only the node of what is selected; again: its tags; again: all"),
    Binding("x", "mute", "Mute", id="mute", tooltip="Leave out the node of what is selected, or take it in again"),
    Binding("X", "clear", "Clear", id="clear", tooltip="Take solo, mute and what was chosen out of the filter"),
    Binding("c", "mix", "Choose", id="mix", tooltip="Choose among the nodes, tags and models that were seen"),
    Binding("Y", "snippet", "Snippet", id="snippet", tooltip="Copy Python that keeps the same in your own loop"),
    Binding("T", "only_task", "This task", id="only_task", tooltip="Only the selected task in all panes; again: all"),
    Binding(
        "left_square_bracket", "superstep(-1)", "Step back", show=False, id="step.before", tooltip="Superstep before"
    ),
    Binding("right_square_bracket", "superstep(1)", "Step on", show=False, id="step.next", tooltip="Next superstep"),
    Binding("comma", "event(-1)", "Event back", show=False, id="event.before", tooltip="The event before"),
    Binding(
        "full_stop", "event(1)", "Event on", show=False, id="event.next", tooltip="Next event that the filter keeps"
    ),
    Binding("left_curly_bracket", "visit(-1)", "Visit back", show=False, id="visit.before", tooltip="Visit before"),
    Binding(
        "right_curly_bracket", "visit(1)", "Visit on", show=False, id="visit.next", tooltip="The node's next visit"
    ),
    Binding("exclamation_mark", "trouble", "Trouble", show=False, id="trouble", tooltip="Next error or notice"),
    Binding("z", "zoom", "Zoom", id="zoom", tooltip="The focused pane on the whole screen, and back"),
    Binding("i", "compose", "Input", id="compose", tooltip="Give input, or answer the interrupt"),
    Binding("r", "rerun", "Run again", id="rerun", tooltip="Run the same input again, on a new thread"),
    Binding("ctrl+x", "stop", "Stop", id="stop", tooltip="Stop after this superstep; again cancels, then kills"),
    Binding("y", "copy", "Copy", id="copy", tooltip="Copy what is selected"),
    Binding("p", "outside('PAGER')", "Pager", id="pager", tooltip="Read what is selected in $PAGER"),
    Binding("e", "outside('EDITOR')", "Editor", id="editor", tooltip="Open what is selected in $EDITOR"),
    Binding("P", "prompt", "Prompt", id="prompt", tooltip="What the call of the lit message was given"),
    Binding("t", "times", "Times", id="times", tooltip="Time column: the run's time, since the row before, clock"),
    *(
        Binding(key, f"pane('{key}')", name, show=False, id=f"pane.{name.lower()}", tooltip=f"Show {name}")
        for key, name, _ in PRESETS
    ),
    Binding("question_mark,f1", "help", "Help", id="help", tooltip="What works here"),
    Binding("colon,ctrl+p", "command_palette", "Palette", show=False, id="palette", tooltip="Every action by name"),
    Binding("escape", "step_back", "Back", show=False, id="back", tooltip="Back: zoom, search, then the filter"),
    Binding("ctrl+c", "interrupt", "Stop or copy", show=False, id="interrupt", tooltip="Copy the selection, else stop"),
    Binding("q", "leave", "Quit", id="leave", tooltip="Leave; a run that goes on is asked about first"),
)


def actions(view: LineView) -> Iterator[tuple[Binding, DOMNode | None]]:
    """Yield what the palette offers: the app's actions, then those of the view that has the keys and of what is around it,
    each with whose it is."""
    yield from ((binding, None) for binding in BINDINGS if binding.action != "command_palette")
    known = {"Open", *(binding.description for binding in BINDINGS)}
    for owner in (node for node in view.ancestors_with_self if not isinstance(node, (App, Screen))):
        for binding in dict.fromkeys(each for cls in type(owner).__mro__ for each in vars(cls).get("BINDINGS", ())):
            if isinstance(binding, Binding) and binding.description not in known:
                known.add(binding.description)
                yield binding, owner

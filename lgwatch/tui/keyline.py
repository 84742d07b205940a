"""The keys that the last line names: those that matter most now, most wanted first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lgwatch.tui.eventlist.pane import EventView
from lgwatch.tui.messages.pane import MessageView
from lgwatch.tui.nodes.view import NodesView
from lgwatch.tui.state.view import StateView
from lgwatch.tui.timeline.view import TimeView

if TYPE_CHECKING:
    from lgwatch.tui.app import WatchApp

_TYPING = {
    "filter": ("Keep", "Clear"), "search": ("Find", "Leave"), "answer": ("Answer", "Look around"),
    "input": ("Run", "Leave"),
}  # fmt: skip


STATE = (
    ("[ ]", "Step", ""), ("d", "Diff", "app.simulate_key('d')"), ("h", "History", "app.simulate_key('h')"),
    ("Y", "Path", "app.simulate_key('Y')"),
)  # fmt: skip
"""What is special to the pane of the state."""
TIMELINE = (
    ("+ -", "Closer", "app.simulate_key('plus')"), ("0", "All", "app.simulate_key('0')"), ("[ ]", "Step", ""),
    ("m", "Mark", "app.simulate_key('m')"), ("C", "Critical path", "app.simulate_key('C')"),
    ("T", "This task", "app.only_task"),
)  # fmt: skip
"""What is special to the waterfall."""
EVENTS = (
    ("← →", "Cell", ""), ("=", "Keep", "app.simulate_key('equals_sign')"), ("\\", "Drop", "app.simulate_key('backslash')"),
    ("S", "Sort", "app.simulate_key('S')"), ("T", "This task", "app.only_task"),
)  # fmt: skip
"""What is special to the list of events."""


def keys(app: WatchApp) -> Iterator[tuple[str, str, str]]:
    """Yield key, word, and the action of a click."""
    status, live = app.session.status, app.source.live
    if app.prompt.purpose:
        yes, no = _TYPING[app.prompt.purpose]
        yield from (("enter", yes, ""), ("esc", no, ""))
        if app.prompt.purpose == "filter":
            yield ("→", "Complete", "")
        return
    asking = app.control.asking
    if asking:
        current = app.question.current
        yield ("enter", "Go on" if current is not None and current.breakpoint else "Answer", "app.compose")
    elif status == "interrupted" and live:
        waits = app.session.waiting
        yield ("i", "Go on" if waits and waits[0].breakpoint else "Answer", "app.compose")
    elif app.control.ended:
        yield ("r", "Load again", "app.rerun")
    elif live and status not in ("running", "loading"):
        yield from (("r", "Run again", "app.rerun"), ("i", "Input", "app.compose"))
    yield ("space", "Go on" if app.paused else "Pause", "app.pause")
    yield ("f", "Filter", "app.filter")
    if isinstance(app.focused, NodesView):
        yield ("v", "View", "app.simulate_key('v')")
    else:
        yield ("/", "Find", "app.search")
    if isinstance(app.focused, StateView):
        yield from STATE
    if isinstance(app.focused, MessageView):
        if not asking:
            yield ("enter", "Fold", "")
    elif not asking:
        yield ("enter", "Inspect", "app.inspect")
    if status == "running" and live:
        yield ("^x", "Stop", "app.stop")
    yield ("?", "Help", "app.help")
    if isinstance(app.focused, TimeView):
        yield from TIMELINE
    elif isinstance(app.focused, EventView):
        yield from EVENTS
    if isinstance(app.focused, NodesView):
        yield ("b", "Break", "app.simulate_key('b')")
        if app.focused.deep:
            yield from (("+", "Deeper", "app.simulate_key('plus')"), ("-", "Less deep", "app.simulate_key('minus')"))
        yield ("S", "Sort", "app.simulate_key('S')")
        yield from (("e", "Source", "app.simulate_key('e')"), ("/", "Find", "app.search"))
    if isinstance(app.focused, MessageView):
        yield from (("s", "Solo", "app.solo"), ("o", "Inspect", "app.inspect"))
    yield ("q", "Quit", "app.leave")
    if isinstance(app.focused, MessageView):
        yield from (("x", "Mute", "app.mute"), ("c", "Choose", "app.mix"))
    yield from (("z", "Zoom", "app.zoom"), ("F", "Follow", "app.follow"), ("y", "Copy", "app.copy"))
    yield from (("t", "Times", "app.times"), ("^p", "Palette", "app.command_palette"))

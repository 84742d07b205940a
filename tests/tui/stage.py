"""A stage for the screen: a journal that a test writes, under a clock that a test sets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from lgwatch.events import Event, Json
from lgwatch.journal import JournalReader, encode
from lgwatch.sources import RunRequest
from lgwatch.tui.app import WatchApp

PATIENCE = 60.0
RECORDINGS = Path(__file__).parent.parent / "recordings"
HEADER = {"lgwatch": 1, "target": "stage:graph", "started": "2026-11-20T12:00:00.000Z"}


class Stage:
    """A source that looks live; what happens is what the test says, and `asked` is what the screen asked for."""

    live = True
    finished = False

    def __init__(self, path: Path, *, until: float = 1e9, label: str = "stage:graph") -> None:
        self.path = path
        self.until = until
        self.label = label
        self.at = 0.0
        self.asked: list[tuple[str, object]] = []
        self.rungs = ["drain", "cancel", "terminate", "kill"]
        self._reader = JournalReader(path)
        self.header = self._reader.header
        self.size, self.block = self._reader.size, self._reader.block
        self.raw, self.line, self.resolved = self._reader.raw, self._reader.line, self._reader.resolved
        self.value, self.value_seq = self._reader.value, self._reader.value_seq

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return what was written until the moment that is looked at."""
        events = [event for event in self._reader.poll(budget) if event.at <= self.until]
        if events:
            self.at = max(self.at, events[-1].at)
        return events

    def spawn(self) -> None:
        """Nothing is to be loaded."""

    def close(self) -> None:
        self._reader.close()

    def now(self) -> float:
        return self.at

    def start(self, request: RunRequest) -> None:
        self.asked.append(("start", request))

    def resume(self, answers: dict[str, Json] | None) -> None:
        self.asked.append(("resume", answers))

    def stop(self) -> str:
        self.asked.append(("stop", None))
        return self.rungs.pop(0)


class Filed(Stage):
    """The same, of a recording that nobody can tell anything."""

    live = False


def write(path: Path, *events: Event | Iterable[Event], after: float = 0.0) -> Path:
    """Append events to a journal, a tenth of a second apart where none says when it was."""
    at = after
    with path.open("ab") as file:
        if not file.tell():
            file.write(json.dumps(HEADER).encode() + b"\n")
        for event in (one for each in events for one in ((each,) if isinstance(each, Event) else each)):
            at = event.at or round(at + 0.1, 6)
            file.write(encode(replace(event, at=at)))
    return path


def recorded(name: str, *, until: float = 1e9) -> WatchApp:
    """The screen on the recording of a sample, as it was at a moment."""
    return WatchApp(Stage(RECORDINGS / f"{name}.jsonl", until=until, label=f"{name}:graph"))


def played(path: Path, *events: Event | Iterable[Event], filter_text: str = "") -> WatchApp:
    """The screen on these events, as if the run went on."""
    return WatchApp(
        Stage(write(path / "run.jsonl", *events)), filter_text=filter_text, request=RunRequest(input={}, has_input=True)
    )


async def drawn(pilot) -> None:
    """Wait until everything that is written stands on the screen."""
    app = pilot.app
    for _ in range(50):
        await pilot.pause()
        before = len(app.session.index)
        app.take(app.source.poll())
        app.chrome.changed()
        if app.chrome.news_until:  # how slow the machine is must not decide whether a notice is still news
            app.chrome.news_until = float("inf")
        for pane in app.panes:  # a number in a border is set a few times a second: no clock may decide what is seen
            pane._marked = -1.0
        app.draw()
        await pilot.pause()
        if len(app.session.index) == before:
            return


async def until(pilot, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await pilot.pause(0.01)


def text_of(app: WatchApp) -> str:
    """What the screen shows, as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def pane_text(app: WatchApp, name: str) -> str:
    """What a pane's rows show, whatever is visible of them."""
    view = app.pane(name).view
    return "\n".join(view.render_line(y).text.rstrip() for y in range(view.size.height))


async def shown(pilot, *keys):
    """Press keys, type what begins with a quote, and wait for what they do."""
    if not pilot.app.session.counts:
        await drawn(pilot)
    for key in keys:
        if key.startswith("'"):
            pilot.app.screen.focused.insert_text_at_cursor(key[1:])
        else:
            await pilot.press(key)
    await drawn(pilot)


def bar(app, name):
    return "".join(text for text, _ in app.query_one(f"#{name}")._row)

"""Why a run could not begin, in full and with what to try: there is nothing else to look at. It gives no advice of its own."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lgwatch.events import Json
from lgwatch.records import Run
from lgwatch.session import Session
from lgwatch.tui.lines.rows import Lines, Row
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.lines.text import clean, plain, wrap
from lgwatch.tui.lines.view import LineView


def failure_of(session: Session) -> Run | None:
    """Return the last run if it failed before any of its tasks began: no pane can show anything of it."""
    run = session.run
    return run if run is not None and run.error and not run.tasks and run.status in ("failed", "crashed") else None


def rows(error: dict[str, Json], width: int) -> list[Row]:
    """Return the error as rows: what happened, where in the user's code, and what to try."""
    parts = [
        (f"{error.get('message') or error.get('type') or 'it failed'}", "error"),
        (str(error.get("traceback") or ""), "dim"),
        (str(error.get("hint") or ""), ""),
    ]
    found: list[Row] = []
    for text, style in parts:
        shown = clean(text.rstrip(), newlines=True)
        found += [[(shown[start:end], style)] for start, end in wrap(shown, width)] if shown else []
    return found


class Failure(Vertical):
    """A box above the line where one types, as high as what it has to say."""

    DEFAULT_CSS = """
    Failure { display: none; height: auto; max-height: 50%; border: heavy $error; border-title-color: $error;
              border-title-style: bold; border-subtitle-color: $foreground 60%; padding: 0 1; }
    Failure.-on { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="failure")
        self.view = LineView(tail=False)
        self._told: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """The error."""
        yield self.view

    def mind(self, session: Session, label: str, ways: str) -> None:
        """Show how the last run failed to begin, or nothing; `ways` is what one can do about it."""
        run = failure_of(session)
        told = (run and run.id, run and run.seq, ways, self.app.size)
        if told == self._told:
            return
        self._told = told
        self.set_class(run is not None, "-on")
        if run is None:
            return
        loaded = session.graph is not None
        what = f"the run of {label} could not begin" if loaded else f"{label} does not load"
        self.border_title = Content(plain(clean(f"{glyph('failed')[0]} {what}")))
        self.border_subtitle = Content(plain(clean(ways)))
        lines = Lines(rows(run.error or {}, max(20, self.app.size.width - 5)))
        self.view.styles.height = max(1, min(len(lines), self.app.size.height // 2 - 2))
        self.view.show(lines)

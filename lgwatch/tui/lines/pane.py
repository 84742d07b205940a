"""Pane: a titled picture of the session. `show` may be called as often as one likes; widgets own scroll and selection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from traceback import format_exception
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.records import Message, Task
from lgwatch.session import Session
from lgwatch.tui.lines.bar import Bar
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.lines.spot import Spot
from lgwatch.tui.lines.text import clean, plain
from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView, Rows

if TYPE_CHECKING:
    from lgwatch.sources import Source


@dataclass(frozen=True, slots=True)
class Subject:
    """What is selected: a title, the journal lines that tell of it, and facts that are folded from many lines."""

    title: str
    seqs: tuple[int, ...] = ()
    facts: dict[str, Json] = field(default_factory=dict)
    text: str = ""
    """What `y` copies; empty for the JSON of the whole."""
    task: str = ""
    whole: bool = False
    """Whether it is the task itself, which has a page of its own."""
    sections: dict[str, Json] = field(default_factory=dict)
    """The whole page where it is no journal line."""


CALM = 0.2
"""Seconds between two changes of a border that are only another number."""
REST = 1.0
"""Seconds after which a pane that could not be drawn tries again."""
Found = TypeVar("Found")
NUMBER = re.compile(r"\d[\d., ]*(?:ms|s|m)?")


class Pane(Vertical):
    """A bordered part of the screen with one `LineView`. Subclasses set `title_`, and refresh `rows` in `show`."""

    DEFAULT_CSS = """
    Pane { border: round $foreground 25%; border-title-color: $foreground 80%; border-subtitle-color: $foreground 55%;
           padding: 0; min-width: 10; min-height: 3; }
    Pane:focus-within { border: heavy $accent; border-title-color: $accent; border-title-style: bold; }
    """
    title_: ClassVar[str] = ""
    help_: ClassVar[str] = ""
    empty_: ClassVar[str] = ""
    tail: ClassVar[bool] = True
    cursor: ClassVar[bool] = True
    filtered: ClassVar[bool] = True

    def __init__(self, rows: Rows, source: Source, *, id: str) -> None:  # noqa: A002  Textual's own name for it
        super().__init__(id=id)
        self.rows = rows
        self.source = source
        self.view = self.make_view(rows)
        self._kept: Filter | None = None  # what the rows were last drawn with
        self._wanted = ("", "")
        self._marks = ("", "\0")  # what the border says
        self._marked = -CALM  # when it was last changed
        self.trouble = ""
        """The traceback of the last error of ours in it, for a report; empty when there was none."""
        self._complaint: Bar | None = None  # says so in the pane, while it is not drawn
        self._rest_until = 0.0

    def make_view(self, rows: Rows) -> LineView:
        """Return the view on the rows."""
        return LineView(rows, tail=self.tail, cursor_row=self.cursor)

    def compose(self) -> ComposeResult:
        """The view, and whatever a subclass puts above it."""
        yield self.view

    def on_mount(self) -> None:
        """Give the border its title."""
        self.mark("", "")

    def say_empty(self, keep: Filter) -> None:
        """Let the empty view say why it is empty."""
        why = "nothing that the filter keeps" if keep and self.filtered else self.empty_
        self.view.empty = [(f"  {why}", "faint")] if why else []

    def mark(self, right: str, bottom: str) -> None:
        """Set what stands in the border: beside the title, and at the bottom right.

        A border is painted with all that is in it, so a number that runs is set a few times a second; `settle` sees to
        the last one.
        """
        self._wanted = (right, bottom)
        self.settle()

    def settle(self, *, at_once: bool = False) -> None:
        """Let the border say what it was last told to: when it is calm, or at once."""
        now = monotonic()
        soon = now - self._marked < CALM and not at_once
        if self._wanted == self._marks or (soon and _words(self._wanted) == _words(self._marks)):
            return
        self._marks, self._marked = self._wanted, now
        right, bottom = self._wanted
        title = f"{self.title_} · {right}" if right else self.title_
        self.border_title = Content(plain(clean(title)))
        self.border_subtitle = Content(plain(clean(bottom)))

    @property
    def views(self) -> list[LineView]:
        """All views of rows that grow with the session."""
        return [self.view]

    def grow(self, session: Session, keep: Filter, now: float) -> None:
        """Show the session as it is now; rows that came since are news, unless another filter or a search brought them."""
        if monotonic() < self._rest_until and keep is self._kept:
            return
        self._rest_until = 0.0
        self.safely(lambda: self._grow(session, keep, now), None)
        if self._complaint is not None:
            self._complaint.display = self._rest_until > 0

    def _grow(self, session: Session, keep: Filter, now: float) -> None:
        growing = keep is self._kept and not self.behind
        self._kept = keep
        for view in self.views:
            view.growing = growing
        try:
            self.show(session, keep, now)
        finally:
            for view in self.views:  # what comes between two looks is a fold, or another width
                view.growing = False

    def safely(self, work: Callable[[], Found], otherwise: Found) -> Found:
        """Return what some work of the pane gives, `otherwise` where it raises: an error of ours in one pane ends no screen.

        The pane says what happened, and rests for a moment; its `trouble` is the traceback.
        """
        try:
            return work()
        except Exception as error:  # ours, on data that nobody thought of
            self._rest_until = monotonic() + REST
            if not self.trouble:
                self.post_message(
                    Told(f"{glyph('failed')[0]} {self.title_} could not be drawn; nothing recorded is lost")
                )
            self.trouble = "".join(format_exception(error))
            if self._complaint is None:
                self._complaint = Bar()
                self.mount(self._complaint, before=0)
            what = clean(f" {type(error).__name__}: {error}")
            self._complaint.show([
                (f" {glyph('failed')[0]} not drawn, the journal is intact:", "error"), (what, "dim"),
            ])  # fmt: skip
            return otherwise

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw the session as it is at `now` (seconds since the journal's start), as far as `keep` lets it through."""
        raise NotImplementedError

    @property
    def behind(self) -> bool:
        """Whether there is more to take in than one `show` does."""
        return False

    def subject(self) -> Subject | None:
        """Return what is selected, None when nothing is."""
        return None

    def spot(self) -> Spot | None:
        """Return where in the run the selected thing is, None when nothing is selected or it is nowhere in a run."""
        return None

    def reveal(self, session: Session, spot: Spot) -> None:
        """Go to what this pane shows of the spot that was selected in another one; stay where it shows nothing of it."""

    def record_of(self, session: Session) -> Message | Task | None:
        """Return what a solo of the selected thing is about: the task that it belongs to."""
        subject = self.subject()
        return session.find_task(subject.task) if subject is not None and subject.task else None

    @property
    def chosen(self) -> int | None:
        """The row under the cursor; before there is one, the last row that is visible."""
        index = self.view.cursor
        if index is None:
            index = min(self.view.top + self.view.size.height, len(self.rows)) - 1
        return index if 0 <= index < len(self.rows) else None


def _words(marks: tuple[str, str]) -> list[str]:
    return [NUMBER.sub("", mark) for mark in marks]

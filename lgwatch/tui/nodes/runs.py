"""The runs of this session: each start, each answer to an interrupt, each fork."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from lgwatch.events import error_text
from lgwatch.filter import Filter
from lgwatch.records import Run
from lgwatch.session import Session
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Row, Rows
from lgwatch.tui.lines.signs import amount, fit, glyph, seconds, tick
from lgwatch.tui.nodes.pane import outcome
from lgwatch.tui.nodes.run import run_subject

if TYPE_CHECKING:
    from lgwatch.sources import Source


class RunRows(Rows):
    """One row a run."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.session: Session | None = None
        self.now = 0.0

    def __len__(self) -> int:
        return len(self.runs)

    def key(self, index: int) -> Hashable:
        """A running run's row is always in motion."""
        run = self.runs[index]
        return (run.id, outcome(run, self.session), len(run.tasks), tick(self.now) if run.status == "running" else 0)

    def row(self, index: int, width: int) -> Row:
        """Draw a run."""
        run = self.runs[index]
        status = outcome(run, self.session)
        sign, style = glyph("done" if status == "answered" else status, self.now)
        how = "resumed" if run.resume is not None else f"fork of {run.fork[:8]}" if run.fork else "started"
        left: Row = [
            (f" {sign} ", style),
            (f"{run.id:<4}", "title"),
            (f"{status:<12}", style),
            (f"{seconds(run.elapsed(self.now)):>6}  ", "time"),
            (f"{amount(len(run.tasks)):>5} tasks  {run.step:>3} steps  ", "dim"),
            (f"{how} at {run.started:.1f}s on thread {run.thread}", "dim"),
        ]
        if run.error:
            left.append((f"  {error_text(run.error)}", "error"))
        return fit(left, [], width)


class RunsPane(Pane):
    """What was run in this session."""

    title_: ClassVar[str] = "Runs"
    empty_: ClassVar[str] = "no run yet"
    help_: ClassVar[str] = (
        "The runs of this session: each start, each answer to an interrupt. r runs the same input again."
    )
    filtered: ClassVar[bool] = False
    rows: RunRows

    def __init__(self, source: Source) -> None:
        super().__init__(RunRows(), source, id="runs")

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Draw the runs."""
        self.rows.runs, self.rows.session, self.rows.now = session.runs, session, now
        self.view.show()
        self.mark("", str(len(session.runs) or ""))

    def subject(self) -> Subject | None:
        """The run under the cursor."""
        index = self.chosen
        if index is None:
            return None
        return run_subject(self.rows.runs[index])

"""The lines around the panes: header, tabs, filter line, keys; what they say, as functions from the session to spans."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from lgwatch.clock import Clock, chain
from lgwatch.events import error_text
from lgwatch.filter import Filter
from lgwatch.records import Run
from lgwatch.session import Session
from lgwatch.tui.keymap import PRESETS
from lgwatch.tui.lines.bar import Bar, hints
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount, cells, clock, fit, glyph, tick
from lgwatch.tui.lines.text import ASCII, clean, crop

if TYPE_CHECKING:
    from lgwatch.tui.app import WatchApp

WORDS = {
    "loading": "LOADING", "ready": "READY", "running": "RUN", "done": "DONE", "interrupted": "INTERRUPTED",
    "failed": "FAILED", "stopped": "STOPPED", "crashed": "CRASHED",
}  # fmt: skip

LIMIT = 1000
"""Recursion limits up to which the step is shown against the limit: more is no limit that a graph is meant to meet."""
NEWS = 6.0
"""Seconds for which a notice stands beside the tabs: of the run, and of the clock of who watches."""


def header(session: Session, label: str, now: float, width: int, *, recording: bool, paused: bool) -> Row:
    """Return the first line: what runs, how it is, how long, how much."""
    run = session.run
    status = session.status
    sign, style = glyph(status, now)
    row: Row = [(" lgwatch ", "bold accent"), (f" {crop(clean(label), max(14, width // 4), '…')} ", "title")]
    if run is not None and run.thread and width >= 100:
        row.append((f" thread {crop(clean(run.thread), 9, '…')} ", "dim"))
    row += [(f" {sign} ", style), (WORDS.get(status, status.upper()), f"bold {style}")]
    if run is not None:
        row.append((f" {clock(Clock(chain(session.runs), now).total)}", "title"))
        if run.step > 0:
            row += _step(run, width)
    if session.tokens_in or session.tokens_out:
        row.append((f"   ↑{amount(session.tokens_in)} ↓{amount(session.tokens_out)}", ""))
    right: Row = []
    if width >= 110 and (place := _environment(session)):
        right.append((f" {place} ", "dim"))
    if paused:
        right.append((" ❚❚ PAUSED ", "chip"))
    if width >= 90:
        right.append((f"  ev {amount(len(session.index) - 1 - session.counts.get('value', 0))} ", "dim"))
    if word := _left_out(session):
        right.append((f" {word} ", "warn"))
    right.append((" REC ● " if recording else " ▷ FILE ", "error" if recording else "dim"))
    rate = (f"   {session.rate(now):.0f} tok/s", "accent")
    if session.rate(now) and cells([*row, rate, *right]) < width:  # the beginning of a number is another number
        row.append(rate)
    return fit(row, right, width)


def _left_out(session: Session) -> str:
    """Return what the journal does not have, as its first line says."""
    extra = session.header.extra
    return "NO CONTENT" if extra.get("no_content") else "REDACTED" if extra.get("redacted") else ""


def _environment(session: Session) -> str:
    """Return the name of the environment that the graph runs in, where it is another than that of the screen."""
    python = str(session.header.extra.get("interpreter") or "")
    folder = Path(python).parent.parent
    if not python or folder == Path(sys.prefix):
        return ""
    return f"{crop(clean(folder.name), 14, '…')} py{session.header.python}"


def _step(run: Run, width: int) -> Row:
    """The superstep; where there is a limit that counts, how much of it the run has used, also as a bar."""
    limit = run.limit
    if limit is None or not 0 < limit <= LIMIT:
        return [(f"   step {run.step}", "dim")]
    used = min(max(run.steps, 1), limit)
    style = "warn" if used > limit * 0.8 else "dim"
    told = f"{used}/{limit}" if run.first_step <= 1 else f"{run.step} · {used}/{limit}"
    room = 20 if width >= 170 else 10 if width >= 100 else 0
    full = max(round(room * used / limit), 1) if room else 0
    on, off = ("=", ".") if ASCII else ("▓", "░")
    bar = [(f" {on * full}", "warn" if style == "warn" else "accent"), (off * (room - full), "faint")] if room else []
    return [(f"   step {told}", style), *bar]


def tabs(names: Sequence[tuple[str, str]], chosen: str, width: int) -> Row:
    """Return the second line: the panes by number."""
    row: Row = []
    for key, name in names:
        style = "bold accent" if key == chosen else "dim"
        text = f" {key} {name} " if width >= 100 or key == chosen else f" {key} {name[:4].rstrip()} "
        row += [(text, f"{style} @app.pane('{key}')"), ("│", "faint")]
    return row[:-1]


def beside(row: Row, attention: Row, width: int) -> Row:
    """Return the row with what must not be overlooked at its right, cut where it must be."""
    room = width - cells(row) - 3
    if room < 12 or not attention:
        return row
    text, style = attention[0]
    return fit(row, [(crop(text, room, "…") + " ", style)], width)


def attention(session: Session, hint: str, *, live: bool, news: bool = True) -> Row:
    """Return what the person should see now, as one span: a hint, an interrupt, an error, the last notice.

    Without `news` the notice was there long enough: the session's clock stands still when a run is over.
    """
    if hint:
        return [(clean(hint), "warn")]
    waiting = session.waiting
    if waiting:
        sign, style = glyph("interrupted")
        many = f" {len(waiting)}" if len(waiting) > 1 else ""
        return [
            (
                f"{sign}{many} waiting for you: press i" if live else f"{sign} ended waiting for an answer",
                f"bold {style}",
            )
        ]
    run = session.run
    if run is not None and run.error:
        failed = (task for task in run.tasks.values() if task.status == "failed")
        where = next(
            (f"{task.path}: " for task in failed if not any(one.status == "failed" for one in task.children)), ""
        )
        return [(clean(f"{glyph('failed')[0]} {where}{error_text(run.error)}"), "error")]
    node, times = max(session.loops.items(), key=lambda loop: loop[1], default=("", 0))
    if times:
        more = f" · {len(session.loops) - 1} more" if len(session.loops) > 1 else ""
        return [(f"{glyph('notice')[0]} {clean(node)} visited {times}× with identical input{more}", "warn")]
    # What has come true is no news: the graph is loaded, the input that it needs was given, its process is gone.
    past = {"loading": session.graph is not None, "needs_input": run is not None, "checkpointer": not live}
    last = next((notice for _, notice in reversed(session.notices) if not past.get(notice.code)), None)
    if news and last is not None and session.now - last.at < NEWS:
        return [(f"{glyph('notice')[0]} {clean(last.text)}", "dim")]
    return []


def filter_line(session: Session, keep: Filter, kept: int, width: int, attention: Row) -> tuple[Row, Row]:
    """Return the filter as it stands, and its count; without one, what must be seen and has no room elsewhere."""
    total = len(session.index) - 1 - session.counts.get("value", 0)
    if not keep and attention:
        return [(" ", ""), *fit(attention, [], width - 2)], []
    if not keep:
        hint = "f to filter: node:… tag:… type:… or a word" if width >= 100 else "f: node:… tag:… or a word"
        return [(" filter ▸ ", "faint"), (hint, "faint")], []
    return (
        [(" filter ▸ ", "bold accent"), (keep.source, "")],
        [(f"{amount(kept)} of {amount(total)} events ".rjust(28), "dim")],
    )


class Chrome:
    """The lines as widgets, and what is said in them for a while: a hint, an error, that there is news."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app
        self.header = Bar(id="header")
        self.tabs = Bar(id="tabs")
        self.keys = Bar(id="keys")
        self.hint = ""
        self.error = ""
        self.news_until = 0.0
        """When a notice is no news any more, on the monotonic clock."""
        self._hint_until = 0.0
        self._drawn: object = None

    def say(self, text: str, seconds: float) -> None:
        """Show a short text beside the tabs for a while."""
        self.hint, self._hint_until = text, monotonic() + seconds

    def tell(self) -> None:
        """Show the last notice of the run for a while."""
        self.news_until = monotonic() + NEWS

    def forget(self) -> bool:
        """Drop a hint that was there for long enough; return whether there was one."""
        if not self.hint or monotonic() <= self._hint_until:
            return False
        self.hint = ""
        return True

    def changed(self) -> None:
        """Draw everything the next time."""
        self._drawn = None

    def draw(self, now: float) -> None:
        """Show what is to be said at `now` (seconds since the journal's start), if it is something else than before."""
        app, session, width = self._app, self._app.session, self._app.size.width
        source, keep = app.source, app.keep
        if not app.furnished:
            self.header.show(header(session, source.label, now, width, recording=source.live, paused=app.paused))
            self.keys.show(hints([("q", "Quit", "app.leave")], width))
            return
        from lgwatch.tui.keyline import keys

        kept, news = app.panes.kept(session, keep), monotonic() < self.news_until
        state = (
            len(session.index), kept, tick(now), width, app.paused, self.hint, self.error, keep, app.panes.tab,
            app.focused, source.live, app.prompt.purpose, app.control.asking, news,
        )  # fmt: skip
        if state == self._drawn:
            return
        self._drawn = state
        self.header.show(header(session, source.label, now, width, recording=source.live, paused=app.paused))
        names = [(key, name) for key, name, _ in PRESETS]
        notes = attention(session, self.hint, live=source.live, news=news)
        row = tabs(names, app.panes.tab, width)
        if there := self.tabs.display and (bool(keep) or cells(row) + cells(notes) + 3 < width):
            row = beside(row, notes, width)
        self.tabs.show(row)
        app.prompt.rest(*filter_line(session, keep, kept, width, [] if there else notes))
        if self.error:
            self.keys.show(fit([(f" {glyph('failed')[0]} {self.error}", "error")], [], width))
        elif keep and notes and not there and not app.prompt.purpose:  # who types wants to know what enter does
            self.keys.show([(" ", ""), *fit(notes, [], width - 2)])
        else:
            self.keys.show(hints(list(keys(app)), width))

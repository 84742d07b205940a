"""From a source to a front end: the screen, or print; and from its end to the exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import typer

from lgwatch.cli.saying import say
from lgwatch.errors import InputError

if TYPE_CHECKING:
    from lgwatch.events import Json
    from lgwatch.headless import Mode
    from lgwatch.live import Launch
    from lgwatch.session import Session
    from lgwatch.sources import RunRequest, Source
    from lgwatch.tui.lines.pane import Pane


@dataclass
class View:
    """How a run is looked at: `mode` None means on the screen.

    With `tidy` a journal in which nothing began is removed: there is no run to list. `changed` asks for a fresh start (`AGAIN`); `request` and `filter_text` are then what the screen was left with.
    """

    mode: Mode | None
    filter_text: str = ""
    resumes: Sequence[Json] = field(default_factory=list)
    keep: bool = True
    tidy: bool = False
    changed: Callable[[], bool] | None = None
    request: RunRequest | None = None


AGAIN = -1
"""Instead of an exit code: the source was changed, and the run begins anew."""


def print_mode(*, json: bool, plain: bool) -> Mode | None:
    """Return how to print; None for the screen, which needs a terminal."""
    if json and plain:
        raise InputError("both --json and --plain were given", "choose one")
    if json:
        return "json"
    return "plain" if plain or not _has_screen() else None


def _has_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _has_keyboard()


def _has_keyboard() -> bool:
    """Whether keys can be read; where stdin is something else, the terminal itself takes its place."""
    if sys.stdin is not None and sys.stdin.isatty():
        return True
    return os.access("/dev/tty", os.R_OK | os.W_OK)


def go(recording: tuple[Launch, bool], request: RunRequest, view: View, *, reload: bool = False) -> NoReturn:
    """Run a graph, watch it, make room among the recorded runs, and exit."""
    from lgwatch import store
    from lgwatch.changes import Changes
    from lgwatch.live import LiveRun

    launch, keep = recording
    launch = replace(launch, config=request.config)
    view.changed = Changes(launch.app_dir) if reload else None
    first, number = launch.journal, 1
    while (code := watch(LiveRun(launch, keep=keep), request, view)) == AGAIN:
        # Changed code needs a process of its own, and a process a journal.
        number += 1
        launch = replace(launch, journal=first.with_stem(f"{first.stem}-{number}"))
        request = view.request or request
    store.prune()
    raise typer.Exit(code)


def watch(source: Source, request: RunRequest | None, view: View) -> int:
    """Show the source on the screen or in print until it is over; return the exit code."""
    from lgwatch.filter import parse
    from lgwatch.session import Session

    keep = parse(view.filter_text)
    session = Session()
    try:
        if view.mode is None:
            return _screen(source, session, request, view)
        from lgwatch import headless

        if request is not None:
            source.start(request)
        return headless.watch(
            source, session, mode=view.mode, keep=keep, out=sys.stdout.buffer, err=sys.stderr, resumes=view.resumes
        )
    finally:
        source.close()
        if view.tidy:
            from lgwatch.plain import began

            if not began(session):
                source.path.unlink(missing_ok=True)


def tell_troubles(panes: Iterable[Pane]) -> None:
    """Print the tracebacks of panes that could not be drawn: they are what a report needs."""
    for pane in panes:
        if pane.trouble:
            with suppress(OSError):
                say(
                    f"lgwatch: {pane.title_} could not be drawn, an error of lgwatch itself; please report it:\n{pane.trouble}"
                )


def _screen(source: Source, session: Session, request: RunRequest | None, view: View) -> int:
    if sys.stderr.isatty():  # what is imported now takes a moment
        say(f"lgwatch: loading {source.label}")

    # Nothing that is made until the first picture is garbage; the app collects again when it is there.
    gc.disable()
    from lgwatch.tui.app import WatchApp

    if not sys.stdin.isatty():  # it was a pipe with the input; from here on keys are read
        os.dup2(os.open("/dev/tty", os.O_RDONLY), 0)
    app = WatchApp(source, session=session, filter_text=view.filter_text, request=request, changed=view.changed)
    app.run()
    source.close()
    if app.furnished:
        tell_troubles(app.panes)
    if app.reloading:
        view.request, view.filter_text = app.request, app.keep.source
        return AGAIN

    from lgwatch.headless import exit_code, tell_error
    from lgwatch.plain import began, summary

    if app.return_code:  # an error of lgwatch itself ended the screen, and is told
        return app.return_code
    for event in source.poll():  # how the run ended when the screen was left
        session.apply(event)
    with suppress(OSError):  # the terminal may be gone: its window was closed
        tell_error(sys.stderr, session)
        if began(session) or not view.tidy:
            print(summary(session, source.path if view.keep else None), flush=True)
    return exit_code(session)

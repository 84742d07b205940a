"""What is selected, and what can be done with it: open it, copy it, read it in another program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lgwatch.tui.app import WatchApp
    from lgwatch.tui.lines.pane import Subject


class Selected:
    """The subject of the pane that has the keys."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app

    def open(self) -> None:
        """Open the page of what is selected, if anything is."""
        subject = self._app.panes.subject()
        if subject is not None:
            self.show(subject)

    def open_prompt(self) -> None:
        """Open what the call of the lit message was given."""
        pane = self._app.panes.tokens
        subject = pane.prompt() if self._app.panes.focused is pane else None
        if subject is None:
            self._app.say("no call whose prompt is known is selected")
        else:
            self.show(subject)

    def show(self, subject: Subject) -> None:
        """Open the page of a task, or the value of anything else."""
        from lgwatch.tui.pages.inspector import Inspector
        from lgwatch.tui.pages.task import TaskPage

        app, panes = self._app, self._app.panes
        task = app.session.find_task(subject.task) if subject.whole else None
        if task is None:
            app.push_screen(Inspector(subject, app.source, app.session.runs))
            return
        app.push_screen(TaskPage(task, subject, app.source, panes.state.flags, panes.nodes.steps.transitions))
        app.call_later(app.draw)

    def copy(self) -> None:
        """Copy its text, or its JSON."""
        title, text, _ = self._text()
        if title:
            self._app.copy_to_clipboard(text)
            self._app.say(f"copied {title}")

    def read_in(self, variable: str) -> None:
        """Open its text, or its JSON, in the program that an environment variable names."""
        from lgwatch.tui.lines.outside import read_outside

        title, text, suffix = self._text()
        if title and (trouble := read_outside(self._app, variable, text, suffix)):
            self._app.say(trouble)

    def _text(self) -> tuple[str, str, str]:
        """Title, text and kind of file of what is selected; all empty when nothing is."""
        from lgwatch.tui.pages.inspector import load

        subject = self._app.panes.subject()
        if subject is None:
            return "", "", ""
        if subject.text:
            return subject.title, subject.text, ".md"
        page = load(subject, self._app.source, self._app.session.runs)
        return subject.title, json.dumps(page, indent=2, ensure_ascii=False), ".json"

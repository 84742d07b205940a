"""What a person asks of the run, and what the run asks of the person. It tells the source, and draws nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgwatch.errors import InputError
from lgwatch.events import Json
from lgwatch.review import decided
from lgwatch.review import hint as how_to_decide
from lgwatch.tui.composer import check, hint_for, read_answer, read_input

if TYPE_CHECKING:
    from lgwatch.sources import RunRequest
    from lgwatch.tui.app import WatchApp

_RUNGS = {
    "drain": "stopping after this step; ^x again cancels",
    "cancel": "cancelling; ^x again ends the process",
    "terminate": "terminating; ^x again kills",
    "kill": "killed",
}


class Control:
    """Input, answers, another run, stop. The app's `request` is what is run; None where there is nothing to run."""

    def __init__(self, app: WatchApp) -> None:
        self._app = app
        self.breakpoints = set(app.request.interrupt_before if app.request is not None else ())
        """Ids of the nodes that are marked: a run that starts stops before those of the root graph."""
        self._asked: tuple[int, ...] = ()
        self._looking_around = False

    def begin(self) -> None:
        """Start what was asked for on the command line."""
        if self._app.request is not None:
            self._start(self._app.request)

    def _start(self, request: RunRequest) -> None:
        """Start a run that stops at the breakpoints, as far as LangGraph can: inside of a subgraph it cannot."""
        stops = tuple(sorted(node for node in self.breakpoints if ":" not in node))
        self._app.source.start(replace(request, interrupt_before=stops))

    @property
    def _busy(self) -> bool:
        return self._app.session.status in ("running", "loading")

    @property
    def ended(self) -> bool:
        """Whether there was a process to run the graph, and it is gone: to run it again is to load it again."""
        return self._app.request is not None and not self._app.source.live

    def ways(self, *, reloads: bool) -> str:
        """Return what there is to do about a run that could not begin."""
        if self._app.request is None:
            return ""
        if not self.ended:
            return "i another input · r the same again"
        return "goes on when a Python file is saved · r now" if reloads else "r load it again · q leave"

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def asking(self) -> bool:
        """Whether a question stands open that nobody turned away from."""
        question = self._app.question
        return question.current is not None and question.has_class("-on")

    def mind(self) -> bool:
        """Show what the run asks now, or take it away; return whether the run waits for the person."""
        app = self._app
        waiting = app.session.waiting if app.source.live else []
        asked = tuple(one.seq for one in waiting)
        if asked != self._asked:
            self._asked, self._looking_around = asked, False
            if waiting:
                app.question.ask(waiting)
            else:
                app.question.done()
        return bool(waiting)

    def compose(self) -> None:
        """Give input, or answer the interrupt."""
        app = self._app
        if self.ended:
            app.say("the graph's process has ended: r loads it again")
        elif not app.source.live:
            app.say("this is a recording: nothing to answer")
        elif waiting := app.session.waiting:
            self._looking_around = False
            if not app.question.has_class("-on"):
                app.question.ask(waiting)
            current = app.question.current
            if current is not None and current.breakpoint:
                self._resume()
            elif current is not None:
                self._ask_for_answer()
        elif self._busy:
            app.say("the run goes on: input is for when it has ended")
        else:
            app.prompt.open("input", "input", "", hint_for(self._schema, words=True))

    @property
    def _schema(self) -> Json:
        graph = self._app.session.graph
        return graph.input_schema if graph else None

    def submitted(self, purpose: str, text: str) -> None:
        """Take the text of the prompt: an input, or an answer."""
        if purpose == "input":
            self._take_input(text)
        elif purpose == "answer":
            self._take_answer(text)

    def turned_away(self) -> None:
        """Let the person look around before answering."""
        self._looking_around = True
        self._app.question.hide()

    def _take_input(self, text: str) -> None:
        app = self._app
        try:
            value, message = read_input(text, self._schema)
        except InputError as error:
            app.chrome.error = f"{error.message} — {error.hint}"
            return
        app.chrome.error = ""
        app.unsay()
        app.close_prompt()
        if self._app.request is None:
            return
        run = app.session.run
        thread = run.thread if run is not None else self._app.request.thread
        self._app.request = replace(
            self._app.request, input=value, has_input=message is None, message=message, thread=thread
        )
        app.pointer.follow_all()
        self._start(self._app.request)

    def _take_answer(self, text: str) -> None:
        app = self._app
        current = app.question.current
        if current is None:
            app.close_prompt()
            return
        if not text.strip():
            finished = app.question.skip()
        else:
            try:
                words = decided(text, app.question.value)
                value = read_answer(text, current.schema) if words is None else check(words, current.schema)
            except InputError as error:
                app.chrome.error = f"{error.message} — {error.hint}"
                return
            finished = app.question.answer(value)
        app.chrome.error = ""
        if not finished:
            self._ask_for_answer()
            return
        app.close_prompt()
        if app.question.answers:
            self._resume()
        else:
            self.turned_away()

    def _ask_for_answer(self) -> None:
        question = self._app.question
        current, many = question.current, len(question.pending)
        if current is not None:
            number = f" {question.at + 1}/{many}" if many > 1 else ""
            hint = how_to_decide(question.value) or (
                hint_for(current.schema) if current.schema else "text or JSON; empty skips"
            )
            self._app.prompt.open("answer", f"answer{number}", "", hint)

    def _resume(self) -> None:
        answers = dict(self._app.question.answers) or None
        self._app.question.done()
        self._app.source.resume(answers)

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def rerun(self) -> None:
        """Run the same input again."""
        app = self._app
        if self.ended:
            app.begin_anew()
        elif not app.source.live or app.request is None:
            app.say("this is a recording: it cannot be run again")
        elif self._busy:
            app.say("the run goes on: stop it first with ctrl+x")
        else:
            app.pointer.follow_all()
            self._start(replace(app.request, thread=None))

    def mark(self, node: str) -> str:
        """Set a node's breakpoint, or remove it; return what that means, in words."""
        marks = self.breakpoints
        if "*" in marks:  # as the command line has it: before every node
            graph = self._app.session.graph
            told = graph.nodes if graph is not None else []
            marks.remove("*")
            marks.update(
                str(one["id"]) for one in told if ":" not in str(one["id"]) and one["kind"] not in ("start", "end")
            )
        marks ^= {node}
        name = node.rpartition(":")[2]
        if self._app.request is None or not self._app.source.live:
            return f"{name} is {'' if node in marks else 'no longer '}marked; a recording stops nowhere"
        if node not in marks:
            return f"from the next run on, nothing stops before {name}"
        if ":" in node:
            return f"{name} is marked; a run cannot be told to stop inside of a subgraph yet"
        return f"the next run stops before {name}" + ("" if self._busy else ": r runs again")

    def stop(self) -> None:
        """Go one step down the ladder: drain, cancel, terminate, kill."""
        self._app.say(_RUNGS.get(self._app.source.stop(), "nothing runs"))

"""The token pane: one block per message, in order of start; parallel calls grow side by side, never mixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.records import Message
from lgwatch.session import Session
from lgwatch.tui.lines.pane import Pane, Subject
from lgwatch.tui.lines.rows import Rows
from lgwatch.tui.lines.signs import amount, count, seconds
from lgwatch.tui.lines.spot import Spot
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.messages.blocks import MessageBlocks, clean_text
from lgwatch.tui.messages.deck import Deck
from lgwatch.tui.messages.heading import WHY_NO_USAGE, finish_reason, unreported
from lgwatch.tui.messages.view import MessageView

if TYPE_CHECKING:
    from lgwatch.sources import Source

__all__ = ["MessageView", "TokensPane", "message_subject"]


class TokensPane(Pane):
    """What the models say."""

    title_: ClassVar[str] = "Tokens"
    empty_: ClassVar[str] = "no model has said anything"
    help_: ClassVar[str] = (
        "One block per LLM call or returned message: node path, model, #tags, step, time to first token, tokens (~ where "
        "the provider has not reported them), tokens a second. ∴ is reasoning, ⚙ a tool call, → its result, ▣ an image or the like. { and } go from "
        "message to message. The one whose first row is lit is folded by enter, opened by o, copied by y, soloed by s. v puts each "
        "node in a column of its own, and what it says at once in lanes, ·2, ·3; left and right go from column to column."
    )
    _one: MessageView

    def __init__(self, source: Source) -> None:
        self.blocks = MessageBlocks()
        self.deck = Deck(self.blocks)
        super().__init__(self.blocks.rows, source, id="tokens")

    @property
    def view(self) -> MessageView:
        """The view that keys are for; where messages stand in columns, that of one of them."""
        return self.deck.active if self.deck.display and self.deck.slots else self._one

    @view.setter
    def view(self, view: LineView) -> None:
        assert isinstance(view, MessageView)
        self._one = view

    @property
    def views(self) -> list[LineView]:
        """The messages below each other, and those of every column."""
        return [self._one, *(slot.view for slot in self.deck.slots)]

    def make_view(self, rows: Rows) -> LineView:
        """Return a view that knows blocks."""
        return MessageView(self.blocks)

    def compose(self) -> ComposeResult:
        """The messages below each other, and their columns."""
        yield self._one
        yield self.deck

    def say_empty(self, keep: Filter) -> None:
        """Let the empty view say why it is empty."""
        super().say_empty(keep)
        self.deck.empty = self._one.empty = self.view.empty

    @on(MessageView.Regrouped)
    async def _on_regrouped(self) -> None:
        """Show the messages below each other, or their columns."""
        focused = self.view.has_focus
        by_node = self.blocks.group == "node"
        if by_node:
            await self.deck.prepare()
        self.deck.display, self._one.display = by_node, not by_node
        if focused:
            self.view.focus()

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Let the blocks grow."""
        if self.blocks.update(session, keep, now):
            if self.deck.display:
                self.deck.show(now)
            else:
                self._one.show()
        self._tell(session, keep, now)

    def _tell(self, session: Session, keep: Filter, now: float) -> None:
        total = len(session.message_list)
        text = f"{amount(self.blocks.kept)} of {amount(total)} messages" if keep else count(total, "message")
        if waiting := session.silent_calls(now):
            task, span = min(waiting, key=lambda call: call[1].started)
            who = task.path if len(waiting) == 1 else f"{len(waiting)} calls"
            text = " · ".join(filter(None, (f"{who} silent {seconds(now - span.started)}", text)))
        group = self.blocks.group
        how = self.deck.told if group == "node" else "one stream" if group == "stream" else ""
        self.mark(how, text)

    def subject(self) -> Subject | None:
        """The message that is lit."""
        message = self.record
        return message_subject(message) if message is not None else None

    @property
    def record(self) -> Message | None:
        """The message that is lit."""
        block = self.view.current
        return self.blocks.message(block.key) if block is not None else None

    def spot(self) -> Spot | None:
        """The message that is lit."""
        message = self.record
        return Spot(message.run, message.task, message.seq, message.started) if message is not None else None

    def reveal(self, session: Session, spot: Spot) -> None:
        """Go to the message of the spot's task that is said at its line, or that was said last before, or to the first."""
        found = None
        for message in session.messages_of(spot.task) if spot.task else ():
            if message.run == spot.run and (found is None or message.seq <= spot.seq):
                found = message
        if found is not None and self.deck.display:
            self.deck.point_at(found)
        elif found is not None:
            self._one.point_at(found.id)

    def record_of(self, session: Session) -> Message | None:
        """A solo is about the message that is lit."""
        return self.record

    def prompt(self) -> Subject | None:
        """What the call of the lit message was given."""
        message = self.record
        if message is None or message.span is None:
            return None
        given = self.source.resolved(message.span.seq).get("input")
        return Subject(f"prompt · {message.path}", sections=dict(_prompts(given)), task=message.task)


def message_subject(message: Message) -> Subject:
    """Return the page of a message: its text, its calls, its usage, and the prompt of its call."""
    facts: dict[str, Json] = {
        "role": message.role,
        "path": message.path,
        "model": message.model,
        "tags": list(message.tags),
        "step": message.step,
        "status": message.status if message.finished else "running",
        "usage": message.usage or (WHY_NO_USAGE if unreported(message) else "not reported"),
    }
    if any(part.kind != "text" for part in message.parts):
        facts["parts"] = [
            {"kind": part.kind, **({"tool_call": part.tool_call} if part.tool_call else {}), "text": part.text}
            for part in message.parts
        ]
    seqs = (message.span.seq,) if message.span is not None else (message.seq,)
    if reason := finish_reason(message):
        facts["finish reason"] = reason
    return Subject(f"message · {message.path}", seqs, facts, clean_text(message), message.task)


def _prompts(given: Json) -> Iterator[tuple[str, Json]]:
    """Return a prompt as sections: a text by its role, whatever else it may be as it is."""
    for number, one in enumerate(given if isinstance(given, list) else [given], 1):
        fields = one.get("fields") if isinstance(one, dict) else None
        role = str(one.get("$type", "")).removesuffix("Message").lower() if isinstance(one, dict) else ""
        text = fields.get("content") if isinstance(fields, dict) else None
        plain = isinstance(text, str) and text and isinstance(fields, dict) and not fields.get("tool_calls")
        yield f"{number} {role or 'prompt'}", text if plain else one

"""The token pane: one block per message, in order of start; parallel calls grow side by side, never mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.records import Message
from lgwatch.session import Session
from lgwatch.tui.blocks import GROUPS, MessageBlocks, clean_text
from lgwatch.tui.flow import Block, Level
from lgwatch.tui.heading import NO_USAGE, finish_reason, unreported
from lgwatch.tui.lines import LineView
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Rows
from lgwatch.tui.signs import amount, count

if TYPE_CHECKING:
    from lgwatch.sources import Source

LEVELS = {
    Level.HEADER: "headers only", Level.START: "the beginning of each block", Level.BODY: "all but reasoning and prompts",
    Level.ALL: "everything",
}  # fmt: skip
BY = {"call": "a block per call", "node": "a block per node", "stream": "one stream, as a user of the chat sees it"}


class MessageView(LineView):
    """Scrolls through blocks; one of them is the current one: the one that was picked as long as it is in view, else
    the one that stands where the scrollbar's thumb does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_curly_bracket", "jump(-1)", "Previous", show=False, id="tokens.previous", tooltip="Previous message"
        ),
        Binding("right_curly_bracket", "jump(1)", "Next", show=False, id="tokens.next", tooltip="Next message"),
        Binding(
            "enter", "fold", "Fold", show=False, id="tokens.fold", tooltip="Fold the message to a line, or unfold it"
        ),
        Binding(
            "less_than_sign", "level(-1)", "Less", show=False, id="tokens.less", tooltip="Show less of all messages"
        ),
        Binding(
            "greater_than_sign",
            "level(1)",
            "More",
            show=False,
            id="tokens.more",
            tooltip="Show more of all messages: lines, beginnings, bodies, reasoning and prompts too",
        ),
        Binding("M", "markdown", "Markdown", show=False, id="tokens.markdown", tooltip="Finished messages as markdown"),
        Binding(
            "v", "group", "Group", show=False, id="tokens.group", tooltip="A block per call, per node, or one stream"
        ),
    ]

    class Told(TextualMessage):
        """The person should read a short text: what a key has done."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Regrouped(TextualMessage):
        """The blocks are other ones: the pane must be shown anew."""

    def __init__(self, blocks: MessageBlocks) -> None:
        super().__init__(blocks.rows, tail=True)
        self._blocks = blocks
        self._picked: Block | None = None

    @property
    def current(self) -> Block | None:
        """The block that enter and y are about; None when there is none."""
        rows, count, height = self._blocks.rows, len(self.rows), self.size.height
        if not count:
            return None
        if self._picked is not None and self._in_view(self._picked):
            return self._picked
        if count <= height:
            return rows.block_at(count - 1)
        return rows.block_at(self.top + (height - 1) * self.top // (count - height))

    def _in_view(self, block: Block) -> bool:
        rows = self._blocks.rows
        first = rows.first_row(block)
        if first is None or first >= self.top + self.size.height:
            return False
        return first >= self.top or rows.block_at(self.top) is block

    def _update(self) -> None:
        super()._update()
        if self._blocks.choose(self.current if self.has_focus else None):
            super()._update()

    def scroll_rows(self, top: int) -> None:
        """Scroll; what was picked before is no longer meant."""
        self._picked = None
        super().scroll_rows(top)

    def follow(self) -> None:
        """Go to the end, and to what is being said there."""
        self._picked = None
        super().follow()

    def action_jump(self, step: int) -> None:
        """Go to the previous or next message."""
        rows, current = self._blocks.rows, self.current
        if current is None:
            return
        first = rows.first_row(current) or 0
        if step < 0:
            target = rows.block_at(first - 2) if first > 1 else current
        else:
            target = rows.block_after(current) or current
        if target is not None:
            self._go_to(target)

    def _go_to(self, block: Block) -> None:
        first = self._blocks.rows.first_row(block) or 0
        last = self._blocks.rows.last_row(block)
        if first < self.top or last >= self.top + self.size.height:
            self.scroll_rows(first if first < self.top else min(first, last - self.size.height + 1))
        self._pick(block)

    def _pick(self, block: Block | None) -> None:
        self._picked = block
        self._update()

    def action_fold(self) -> None:
        """Fold the current message to its header, or show all of it; while a question is open the key answers."""
        block = self.current
        if block is None or self.screen.has_class("-asking"):
            self.action_choose()
            return
        self._blocks.rows.unfold(block, Level.ALL if block.level < Level.BODY else Level.HEADER)
        self._picked = block
        self._update()

    def action_level(self, step: int) -> None:
        """Show less or more of every message."""
        level = self._blocks.rows.show_level(self._blocks.rows.level + step)
        self._update()
        self.post_message(self.Told(f"shown: {LEVELS[level]}"))

    def action_markdown(self) -> None:
        """Show finished messages as markdown, or plain again."""
        on = self._blocks.turn_markdown()
        self._update()
        self.post_message(self.Told("finished messages are markdown" if on else "messages are plain text"))

    def action_group(self) -> None:
        """Show a block per call, a block per node, or one stream."""
        group = GROUPS[(GROUPS.index(self._blocks.group) + 1) % len(GROUPS)]
        self._picked = None
        self._blocks.show_by(group)
        self.post_message(self.Told(f"grouped: {BY[group]}"))
        self.post_message(self.Regrouped())

    def _arrive(self, index: int) -> None:
        if self._search is not None:  # what is found in folded text is unfolded
            index = self._blocks.rows.uncover(index, self._search.text)
            self._update()
        super()._arrive(index)
        self._pick(self._blocks.rows.block_at(index))

    def on_click(self, event: events.Click) -> None:
        """Pick the message that was clicked on; a double click opens it."""
        event.prevent_default()  # what a view does with a click is done below
        if (index := self.top + event.y) < len(self.rows):
            self._pick(self._blocks.rows.block_at(index))
        super().on_click(event)


class TokensPane(Pane):
    """What the models say."""

    title_: ClassVar[str] = "Tokens"
    empty_: ClassVar[str] = "no model has said anything"
    help_: ClassVar[str] = (
        "One block per LLM call or returned message: node path, model, #tags, step, time to first token, tokens (~ where "
        "the provider has not reported them), tokens a second. ∴ is reasoning, ⚙ a tool call, → its result, ▣ an image or the like. { and } go from "
        "message to message. The one whose first row is lit is folded by enter, opened by o, copied by y, soloed by s."
    )
    view: MessageView

    def __init__(self, source: Source) -> None:
        self.blocks = MessageBlocks()
        super().__init__(self.blocks.rows, source, id="tokens")

    def make_view(self, rows: Rows) -> LineView:
        """Return a view that knows blocks."""
        return MessageView(self.blocks)

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Let the blocks grow."""
        if self.blocks.update(session, keep, now):
            self.view.show()
            total = len(session.message_list)
            text = f"{amount(self.blocks.kept)} of {amount(total)} messages" if keep else count(total, "message")
            self.mark("" if self.blocks.group == GROUPS[0] else f"by {self.blocks.group}", text)

    def subject(self) -> Subject | None:
        """The message that is lit."""
        block, message = self.view.current, self.record
        if block is None or message is None:
            return None
        subject = message_subject(message)
        return replace(subject, text=self.blocks.text(block.key)) if self.blocks.group != GROUPS[0] else subject

    @property
    def record(self) -> Message | None:
        """The message that is lit; of a column, its last one."""
        block = self.view.current
        return self.blocks.message(block.key) if block is not None else None

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
        "usage": message.usage or (NO_USAGE if unreported(message) else "not reported"),
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

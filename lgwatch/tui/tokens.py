"""The token pane: one block per message, in order of start; parallel calls grow side by side, never mixed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from lgwatch.events import Json
from lgwatch.filter import Filter
from lgwatch.records import Message, Part
from lgwatch.session import Session
from lgwatch.tui.flow import Block, Wrapped
from lgwatch.tui.lines import LineView
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Row, Rows
from lgwatch.tui.signs import amount, cells, count, fit, glyph, node_style, seconds

if TYPE_CHECKING:
    from lgwatch.sources import Source

_STYLES = {"text": "", "reasoning": "reasoning", "tool_call": "tool", "tool_result": "tool", "other": "dim"}
_ROLES = {"human": "human", "system": "system", "tool": "tool result", "ai": ""}


class _Reading:
    """How far a message's block has been written."""

    __slots__ = ("block", "message", "read", "seen")

    def __init__(self, message: Message, block: Block) -> None:
        self.message = message
        self.block = block
        self.read: list[int] = []  # characters of each part
        self.seen: object = None  # what the header depends on


class MessageBlocks:
    """Copies what is new in a session's messages to the blocks of a `Wrapped`."""

    def __init__(self) -> None:
        self.rows = Wrapped()
        self.current: Block | None = None
        self._session: Session | None = None
        self._keep = Filter()
        self._changes = -1
        self._known = 0
        self._open: list[_Reading] = []
        self._now = 0.0

    def update(self, session: Session, keep: Filter, now: float) -> bool:
        """Write what came since; return whether anything changed."""
        self._now = now
        if session is not self._session:
            self._session, self._known, self._open, self._changes = session, 0, [], -1
            self.rows.drop(len(self.rows.blocks))
        changed = False
        if keep != self._keep:
            self._keep = keep
            self._sieve()
            changed = True
        if session.message_changes == self._changes and not self._open:
            return changed
        self._changes = session.message_changes
        for message in session.message_list[self._known :]:
            block = self.rows.add(message.id, lambda width, message=message: self._first_row(message, width))  # type: ignore[misc]
            self._open.append(_Reading(message, block))
            changed = True
        self._known = len(session.message_list)
        grown = [reading for reading in self._open if self._write(reading)]
        self._open = [reading for reading in self._open if not _settled(reading.message)]
        if grown and keep.texts:
            self._sieve()
        return changed or bool(grown)

    def _sieve(self) -> None:
        keep = self._keep
        self.rows.keep((lambda block: self._kept(block.key)) if keep else None)

    def _kept(self, key: Hashable) -> bool:
        message = self.message(key)
        if message is None or not self._keep(message):
            return False
        return not self._keep.texts or self._keep.text("".join(part.text for part in message.parts))

    def message(self, key: Hashable) -> Message | None:
        """Return the message of a block's key."""
        return self._session.messages.get(str(key)) if self._session else None

    def _write(self, reading: _Reading) -> bool:
        message, block = reading.message, reading.block
        grown = False
        for number, part in enumerate(message.parts):
            if number == len(reading.read):
                reading.read.append(0)
                if prefix := _prefix(part, message):
                    self.rows.append(block, prefix, _STYLES.get(part.kind, "dim"), number)
            text = part.text
            if len(text) > reading.read[number]:
                self.rows.append(block, text[reading.read[number] :], _STYLES.get(part.kind, "dim"), number)
                reading.read[number] = len(text)
                grown = True
        seen = (message.chunks, message.status, message.finished, message.usage, message.repeats, message.first_token)
        if seen != reading.seen or not message.finished:
            reading.seen = seen
            self.rows.touch(block)
            self.rows.mark(block, open=not message.finished)
            grown = True
        return grown

    def choose(self, block: Block | None) -> bool:
        """Let this block be the one that keys are about; return whether it was another one before."""
        before, self.current = self.current, block
        if before is block:
            return False
        for one in (before, block):
            if one is not None:
                self.rows.touch(one)
        return True

    def _first_row(self, message: Message, width: int) -> Row:
        row = self._header(message, width)
        if self.current is None or self.current.key != message.id:
            return row
        row.append((" " * (width - cells(row)), ""))
        return [(text, f"cursor-blur {style}") for text, style in row]

    def _header(self, message: Message, width: int) -> Row:
        state = message.status if message.finished else "running"
        sign, style = glyph("ok" if state == "done" else state, self._now)
        path = message.path or message.name or "?"
        left: Row = [(f"{sign} ", style), (path, f"bold {node_style(message.path)}")]
        if role := _ROLES.get(message.role, message.role):
            left.append((f" {role}", "tool" if message.role == "tool" else "dim"))
        if message.role == "tool" and message.name:
            left.append((f" {message.name}", "tool"))
        if message.repeats:
            left.append((" ↻ said again", "dim"))
        if message.status in ("failed", "cut") and message.finished:
            left.append((" broke off" if message.status == "cut" else " failed", "error"))
        if message.model and width >= 44:
            left.append((f"  {message.model}", "dim"))
        left += [(f" #{tag}", "accent") for tag in message.tags if width >= 40]
        return fit(left, self._figures(message, width), width)

    def _figures(self, message: Message, width: int) -> Row:
        """Step, time to first token, tokens and tokens a second, as many as there is room for."""
        if message.whole and not message.usage:
            return [(f"s{message.step}", "faint")]
        figures: Row = []
        if width >= 70:
            figures.append((f"s{message.step}  ", "faint"))
        wait = message.first_token_after()
        if wait is not None and width >= 60:
            figures.append((f"first {seconds(wait)}  ", "dim"))
        tokens, reported = message.tokens
        if tokens:
            figures.append((f"{'' if reported else '~'}{amount(tokens)} tok", "dim"))
        rate = message.rate()
        if rate and width >= 50:
            figures.append((f"  {rate:.0f}/s", "accent" if not message.finished else "dim"))
        return figures


def _settled(message: Message) -> bool:
    return message.finished and (message.span is None or message.span.ended is not None)


def _prefix(part: Part, message: Message) -> str:
    if part.kind == "tool_call" and part.tool_call is not None:
        return f"⚙ {part.tool_call.get('name') or '…'} "
    return "∴ " if part.kind == "reasoning" else ""


class MessageView(LineView):
    """Scrolls through blocks; one of them is the current one: the one that was picked as long as it is in view, else
    the one that stands where the scrollbar's thumb does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_curly_bracket", "jump(-1)", "Previous", show=False, id="tokens.previous", tooltip="Previous message"
        ),
        Binding("right_curly_bracket", "jump(1)", "Next", show=False, id="tokens.next", tooltip="Next message"),
    ]

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

    def _arrive(self, index: int) -> None:
        super()._arrive(index)
        self._pick(self._blocks.rows.block_at(index))

    def on_click(self, event: events.Click) -> None:
        """Pick the message that was clicked on; a double click opens it."""
        if (index := self.top + event.y) < len(self.rows):
            self._pick(self._blocks.rows.block_at(index))
        super().on_click(event)


class TokensPane(Pane):
    """What the models say."""

    title_: ClassVar[str] = "Tokens"
    empty_: ClassVar[str] = "no model has said anything"
    help_: ClassVar[str] = (
        "One block per LLM call or returned message: node path, model, #tags, step, time to first token, tokens (~ where "
        "the provider has not reported them), tokens a second. ∴ is reasoning, ⚙ a tool call. { and } go from message to "
        "message; enter opens the one whose first row is lit, y copies its text."
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
            shown = sum(block.place >= 0 for block in self.rows.blocks) if keep else total  # type: ignore[attr-defined]
            part = f"{amount(shown)} of {amount(total)}" if keep else amount(total)
            self.mark("", f"{part} messages" if keep else count(total, "message"))

    def subject(self) -> Subject | None:
        """The message that is lit."""
        block = self.view.current
        message = self.blocks.message(block.key) if block else None
        return message_subject(message) if message else None


def message_subject(message: Message) -> Subject:
    """Return the page of a message: its text, its calls, its usage, and the prompt of its call."""
    facts: dict[str, Json] = {
        "role": message.role,
        "path": message.path,
        "model": message.model,
        "tags": list(message.tags),
        "step": message.step,
        "status": message.status if message.finished else "running",
        "usage": message.usage or "not reported by the provider",
    }
    if any(part.kind != "text" for part in message.parts):
        facts["parts"] = [
            {"kind": part.kind, **({"tool_call": part.tool_call} if part.tool_call else {}), "text": part.text}
            for part in message.parts
        ]
    seqs = (message.span.seq,) if message.span is not None else (message.seq,)
    return Subject(f"message · {message.path}", seqs, facts, message.text, message.task)

"""The token pane: one block per message, in order of start; parallel calls grow side by side, never mixed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from lgwatch.filter import Filter
from lgwatch.records import Message, Part
from lgwatch.session import Session
from lgwatch.tui.flow import Block, Wrapped
from lgwatch.tui.pane import Pane, Subject
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import amount, count, fit, glyph, node_style, seconds

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
            block = self.rows.add(message.id, lambda width, message=message: self._header(message, width))  # type: ignore[misc]
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


class TokensPane(Pane):
    """What the models say."""

    title_: ClassVar[str] = "Tokens"
    empty_: ClassVar[str] = "no model has said anything"
    help_: ClassVar[str] = (
        "One block per LLM call or returned message: node path, model, #tags, step, time to first token, tokens (~ where "
        "the provider has not reported them), tokens a second. ∴ is reasoning, ⚙ a tool call. enter opens a message."
    )
    cursor: ClassVar[bool] = False

    def __init__(self, source: Source) -> None:
        self.blocks = MessageBlocks()
        super().__init__(self.blocks.rows, source, id="tokens")

    def show(self, session: Session, keep: Filter, now: float) -> None:
        """Let the blocks grow."""
        if self.blocks.update(session, keep, now):
            self.view.show()
            total = len(session.message_list)
            shown = sum(block.place >= 0 for block in self.rows.blocks) if keep else total  # type: ignore[attr-defined]
            part = f"{amount(shown)} of {amount(total)}" if keep else amount(total)
            self.mark("", f"{part} messages" if keep else count(total, "message"))

    def subject(self) -> Subject | None:
        """The message at the top of what is visible, or at its end while following."""
        view = self.view
        index = len(self.rows) - 1 if view.following else view.top + (1 if view.top else 0)
        block = self.blocks.rows.block_at(max(index, 0)) if len(self.rows) else None
        message = self.blocks.message(block.key) if block else None
        return message_subject(message) if message else None


def message_subject(message: Message) -> Subject:
    """Return the page of a message: its text, its calls, its usage, and the prompt of its call."""
    facts = {
        "role": message.role,
        "path": message.path,
        "model": message.model,
        "tags": list(message.tags),
        "step": message.step,
        "status": message.status if message.finished else "running",
        "usage": message.usage or "not reported by the provider",
        "parts": [
            {"kind": part.kind, **({"tool_call": part.tool_call} if part.tool_call else {}), "text": part.text}
            for part in message.parts
        ],
    }
    seqs = (message.span.seq,) if message.span is not None else (message.seq,)
    return Subject(f"message · {message.path}", seqs, facts, message.text, message.task)

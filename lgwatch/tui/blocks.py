"""Messages written into blocks: one block per call, per node, or one stream. What was written is only ever appended to,
but for a finished call, which is written anew once: with its arguments in order, and its tools' results under them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

from lgwatch.filter import Filter
from lgwatch.records import Message, Part
from lgwatch.session import Session
from lgwatch.text import clean
from lgwatch.tui.flow import Block, Level, Wrapped
from lgwatch.tui.heading import heading
from lgwatch.tui.rows import Row
from lgwatch.tui.signs import amount, cells, fit, glyph, node_style
from lgwatch.tui.speech import ordered, said

GROUPS = ("call", "node", "stream")
"""What one block holds: the message of a call, all messages of a node, all that a user of the chat would see."""


class _Reading:
    """How far a message has been written."""

    __slots__ = ("block", "caller", "live", "message", "read", "results", "seen")

    def __init__(self, message: Message, block: Block) -> None:
        self.message = message
        self.block = block
        self.read: list[int] = []  # characters of each part
        self.seen: object = None  # what the header depends on
        self.live = False  # unfolded for as long as it is being written
        self.results: dict[str, Message] = {}  # of its tools, by the id of the call
        self.caller: _Reading | None = None  # whose call it is the result of


class MessageBlocks:
    """Copies what is new in a session's messages to the blocks of a `Wrapped`."""

    def __init__(self) -> None:
        self.rows = Wrapped()
        self.current: Block | None = None
        self.group = GROUPS[0]
        self.markdown = False
        self._session: Session | None = None
        self._keep = Filter()
        self._now = 0.0
        self._begin()

    def _begin(self) -> None:
        self._changes = -1
        self._known = 0  # messages
        self._line = -1  # of the journal: the last one that was looked at
        self._readings: dict[str, _Reading] = {}
        self._open: list[_Reading] = []
        self._callers: dict[str, _Reading] = {}  # by the id of a tool call
        self._answers: dict[str, _Reading] = {}  # results whose call is not finished, by the same
        self._columns: dict[str, Block] = {}  # by what they are the columns of
        self._queues: dict[str, deque[_Reading]] = {}  # what is still to be written into each, the oldest first
        self._held: dict[str, list[Message]] = {}  # what each column holds
        self.current = None
        self.rows.drop(len(self.rows.blocks))

    def update(self, session: Session, keep: Filter, now: float) -> bool:
        """Write what came since; return whether anything changed."""
        self._now = now
        changed = False
        if session is not self._session:
            self._session = session
            self._begin()
        if keep != self._keep:
            self._keep = keep
            changed = True
            if self.group != GROUPS[0]:
                self._begin()
            else:
                self._sieve()
                self._fold_results()
        if session.message_changes == self._changes and not self._open:
            return changed
        self._changes = session.message_changes
        grown = self._by_call(session) if self.group == GROUPS[0] else self._by_column(session)
        self._line = len(session.index) - 1
        return changed or grown

    def show_by(self, group: str) -> None:
        """Let one block hold the message of a call, all of a node, or all that is said."""
        self.group = group
        self._begin()
        self._sieve()

    def message(self, key: Hashable) -> Message | None:
        """Return the message of a block's key; of a column, the last one in it."""
        if self._session is None:
            return None
        held = self._held.get(str(key))
        return held[-1] if held else self._session.messages.get(str(key))

    @property
    def kept(self) -> int:
        """How many messages the filter keeps."""
        if self.group == GROUPS[0]:
            return sum(block.place >= 0 for block in self.rows.blocks)
        return len(self._readings)

    def text(self, key: Hashable) -> str:
        """Return what the block says, cleaned, as it is copied and read elsewhere."""
        messages = self._held.get(str(key)) or [message for message in [self.message(key)] if message is not None]
        return "\n\n".join(filter(None, map(clean_text, messages)))

    # ── one block per call ───────────────────────────────────────────────────────────────────────────────────────────

    def _by_call(self, session: Session) -> bool:
        for message in session.message_list[self._known :]:
            block = self.rows.add(message.id, lambda width, message=message: self._first_row(message, width))  # type: ignore[misc]
            reading = self._readings[message.id] = _Reading(message, block)
            if not message.finished and self.rows.level is Level.BODY:
                reading.live = True  # reasoning is read as it comes
                self.rows.unfold(block, Level.ALL)
            self._open.append(reading)
        fresh = len(session.message_list) > self._known
        self._known = len(session.message_list)
        for message in session.late_messages(self._line):
            reading = self._readings[message.id]
            if reading not in self._open:
                self._open.append(reading)
        grown = [reading for reading in self._open if self._write(reading)]
        self._open = [reading for reading in self._open if not _settled(reading.message)]
        if grown and self._keep.texts:
            self._sieve()
        return fresh or bool(grown)

    def _sieve(self) -> None:
        keep = self._keep if self.group == GROUPS[0] else Filter()
        self.rows.keep((lambda block: self._keeps(self.message(block.key))) if keep else None)

    def _fold_results(self) -> None:
        for reading in self._readings.values():
            if reading.caller is not None:  # a result is read under its call, unless only the result is kept
                self.rows.touch(reading.block)
                self.rows.mark(reading.block, folded=reading.caller.block.place >= 0)

    def _keeps(self, message: Message | None) -> bool:
        if message is None or not self._keep(message):
            return False
        return not self._keep.texts or self._keep.text("".join(part.text for part in message.parts))

    def _write(self, reading: _Reading) -> bool:
        message, block = reading.message, reading.block
        written = sum(reading.read)
        self._write_parts(reading)
        grown = sum(reading.read) > written
        seen = (
            message.chunks, message.status, message.finished, message.usage, message.repeats, message.first_token,
            message.last_seq if message.finished else 0, message.span is not None and message.span.ended,
        )  # fmt: skip
        if seen != reading.seen or not message.finished:
            reading.seen = seen
            self.rows.touch(block)
            self.rows.mark(block, open=not message.finished)
            if message.finished:
                self._finish(reading)
            grown = True
        return grown

    def _write_parts(self, reading: _Reading) -> None:
        message, block = reading.message, reading.block
        for number, (part, (key, prefix, text, style)) in enumerate(
            zip(message.parts, said(message.parts), strict=True)
        ):
            detail = is_detail(part, message)
            if number == len(reading.read):
                reading.read.append(0)
                if prefix:
                    self.rows.append(block, prefix, style, key, detail=detail)
            if len(text) > reading.read[number]:
                self.rows.append(block, text[reading.read[number] :], style, key, detail=detail)
                reading.read[number] = len(text)

    def _finish(self, reading: _Reading) -> None:
        """Make of a message what it is once it is finished: it may be that for a second time."""
        message, block = reading.message, reading.block
        if reading.live:
            reading.live = False
            if block.level is Level.ALL:
                self.rows.unfold(block, self.rows.level)
        if message.repeats and block.level is Level.BODY:
            self.rows.unfold(block, Level.HEADER)
        for call in _ids(message, "tool_call"):
            self._callers.setdefault(call, reading)
            if (answer := self._answers.pop(call, None)) is not None:
                self._join(answer, call)
        if any(part.kind == "tool_call" for part in message.parts):
            self._write_anew(reading)
        for call in _ids(message, "tool_result"):
            self._join(reading, call)
        self._depict(reading)

    def _join(self, answer: _Reading, call: str) -> None:
        """Let a tool's result stand under its call; its own block keeps the first row."""
        caller = self._callers.get(call)
        if caller is None:
            self._answers[call] = answer
        elif caller.results.setdefault(call, answer.message) is answer.message and answer.caller is None:
            answer.caller = caller
            self.rows.touch(answer.block)
            self.rows.mark(answer.block, folded=caller.block.place >= 0)
            self._write_anew(caller)

    def _write_anew(self, reading: _Reading) -> None:
        """Write a finished message with its arguments in order, and what its tools gave back."""
        block = reading.block
        self.rows.rewrite(block)
        for number, (part, text, style) in enumerate(self._finished(reading)):
            self.rows.append(block, text, style, number, detail=is_detail(part, reading.message))
        reading.read = [len(one.text) for one in said(reading.message.parts)]
        self._depict(reading)

    def _finished(self, reading: _Reading) -> Iterator[tuple[Part, str, str]]:
        """Return what stands in a finished block: part, text and style of each."""
        parts = reading.message.parts
        for part, (_, prefix, text, style) in zip(parts, said(parts), strict=True):
            if part.kind != "tool_call":
                yield part, prefix + text, style
                continue
            yield part, prefix + ordered(text), style
            result = reading.results.get(str((part.tool_call or {}).get("id") or ""))
            for one in result.parts if result is not None else ():
                failed = (one.tool_call or {}).get("status") == "error"
                yield one, f"{'✗' if failed else '→'} {ordered(one.text)}", "error" if failed else "dim"

    # ── one block per node, or for all ───────────────────────────────────────────────────────────────────────────────

    def _by_column(self, session: Session) -> bool:
        """Write messages below each other in order of start: one that speaks while another does waits for its end."""
        if self._keep.texts and any(self._belongs(m) is not (m.id in self._readings) for m in session.message_list):
            self._begin()  # what a message says may let it in, or out, at any time
            self._changes = session.message_changes
        for message in session.message_list[self._known :]:
            if self._belongs(message):
                self._queue(message)
        self._known = len(session.message_list)
        for message in session.late_messages(self._line):
            late = self._readings.get(message.id)
            if late is not None and late not in (queue := self._queues[str(late.block.key)]):
                queue.append(late)
        grown = False
        for column, queue in self._queues.items():
            while queue:
                head = queue[0]
                before = sum(head.read), len(head.read)
                self._write_in_column(head)
                grown |= before != (sum(head.read), len(head.read)) or head.message.finished
                if not head.message.finished:
                    break
                queue.popleft()
            self.rows.touch(self._columns[column])
            self.rows.mark(self._columns[column], open=bool(queue))
        self._open = [reading for queue in self._queues.values() for reading in queue]
        return grown or bool(self._open)

    def _belongs(self, message: Message) -> bool:
        return bool(self._column(message)) and self._keeps(message)

    def _column(self, message: Message) -> str:
        """Return what a message is in the column of; empty for none."""
        if self.group == "node":
            return message.path or message.role
        said = message.role in ("ai", "human") and not message.repeats
        return f"thread {self._thread(message.run)}" if said else ""

    def _thread(self, run: str) -> str:
        runs = self._session.runs if self._session is not None else ()
        return next((one.thread for one in runs if one.id == run), "")

    def _queue(self, message: Message) -> None:
        column = self._column(message)
        block = self._columns.get(column)
        if block is None:
            block = self._columns[column] = self.rows.add(column, lambda width: self._column_row(column, width))
            self._queues[column], self._held[column] = deque(), []
        reading = self._readings[message.id] = _Reading(message, block)
        self._queues[column].append(reading)
        self._held[column].append(message)

    def _write_in_column(self, reading: _Reading) -> None:
        message, block, rows = reading.message, reading.block, self.rows
        wanted = [part for part in message.parts if self.group == "node" or part.kind in ("text", "other")]
        if not reading.read and wanted:
            words = ["" if message.role == "ai" else message.role, f"s{message.step}" if self.group == "node" else ""]
            label = " ".join(filter(None, words))
            if block.parts:  # an empty row between two messages
                rows.append(block, f"\n{label}", "faint", (message.id, "label"))
            elif message.role != "ai":
                rows.append(block, label, "faint", (message.id, "label"))
        for number, (part, (place, prefix, text, style)) in enumerate(zip(wanted, said(wanted), strict=True)):
            key, detail = (message.id, place), is_detail(part, message)
            if number == len(reading.read):
                reading.read.append(0)
                if prefix:
                    rows.append(block, prefix, style, key, detail=detail)
            if len(text) > reading.read[number]:
                rows.append(block, text[reading.read[number] :], style, key, detail=detail)
                reading.read[number] = len(text)

    def _column_row(self, column: str, width: int) -> Row:
        held = self._held.get(column, [])
        busy = any(not message.finished for message in held)
        sign, style = glyph("running" if busy else "ok", self._now)
        tokens = sum(message.tokens[0] for message in held)
        many = f"{amount(len(held))} message{'s' * (len(held) != 1)}"
        name = (f"{column or '?'} ", f"bold {node_style(column)}" if self.group == "node" else "title")
        return self._lit(
            column, fit([(f"{sign} ", style), name, (many, "dim")], [(f"{amount(tokens)} tok", "dim")], width), width
        )

    # ── how blocks look ──────────────────────────────────────────────────────────────────────────────────────────────

    def turn_markdown(self) -> bool:
        """Show finished blocks as markdown, or as plain text again; return whether it is markdown now."""
        self.markdown = not self.markdown
        for reading in self._readings.values():
            self._depict(reading)
        return self.markdown

    def _depict(self, reading: _Reading) -> None:
        wanted = self.markdown and self.group == GROUPS[0] and reading.message.finished
        if wanted:
            self.rows.depict(reading.block, lambda width, details: self._picture(reading, width, details=details))
        elif reading.block.picture is not None:
            self.rows.depict(reading.block, None)

    def _picture(self, reading: _Reading, width: int, *, details: bool) -> list[Row]:
        """Return the rows of a finished block: its text as markdown, all else as it is."""
        from lgwatch.tui.markdown import markdown, plain  # its parser is not needed for the first picture

        rows: list[Row] = []
        for part, text, style in self._finished(reading):
            if part.kind == "text":
                rows += markdown(text, width)
                continue
            lines = [[(span, style) for span, _ in row] for row in plain(text, width)]
            folded = is_detail(part, reading.message) and not details and len(lines) > 1
            rows += [[*lines[0], (" …", "dim")]] if folded else lines
        return rows

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
        reading = self._readings.get(message.id)
        under = reading is not None and reading.caller is not None and reading.caller.block.place >= 0
        row = heading(message, self._attempt(message), self._now, width, under_call=under)
        return self._lit(message.id, row, width)

    def _lit(self, key: str, row: Row, width: int) -> Row:
        if self.current is None or self.current.key != key:
            return row
        row.append((" " * (width - cells(row)), ""))
        return [(text, f"cursor-blur {style}") for text, style in row]

    def _attempt(self, message: Message) -> int:
        """Return which attempt of its node a message comes from."""
        task = self._session.find_task(message.task) if self._session is not None else None
        if task is None or task.run != message.run:
            return 1
        begun = sum(span.kind == "node" and span.started <= message.started for span in task.spans)
        return task.visits - 1 + max(1, begun)


def is_detail(part: Part, message: Message) -> bool:
    """Whether a part is shown whole only where all is: reasoning, prompts, and what a tool gave back."""
    under_call = part.kind == "tool_result" and message.role != "tool"
    return under_call or part.kind == "reasoning" or message.role in ("system", "human")


def clean_text(message: Message) -> str:
    """Return what a message says, without control characters; where it says nothing, what it calls or returns."""
    text = message.text or "\n".join(
        f"{(part.tool_call or {}).get('name', '')} {part.text}".strip() for part in message.parts
    )
    return clean(text, newlines=True)


def _ids(message: Message, kind: str) -> list[str]:
    calls = (part.tool_call for part in message.parts if part.kind == kind and part.tool_call)
    return [str(call["id"]) for call in calls if call.get("id")]


def _settled(message: Message) -> bool:
    return message.finished and (message.span is None or message.span.ended is not None)

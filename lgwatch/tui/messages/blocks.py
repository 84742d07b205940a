"""Messages written into blocks, one for each; the blocks stand below each other, in a column per node, or as one stream.
What was written is only ever appended to, but for a finished call, which is written anew once: with its arguments in
order, and its tools' results under them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

from lgwatch.filter import Filter
from lgwatch.filter.mix import keeps
from lgwatch.records import Message, Part
from lgwatch.session import Session
from lgwatch.text import clean
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import cells
from lgwatch.tui.messages.flow import Block, Level, Wrapped
from lgwatch.tui.messages.heading import chat_heading, heading
from lgwatch.tui.messages.reading import Column, Reading
from lgwatch.tui.messages.speech import ordered, said

GROUPS = ("call", "node", "stream")
"""All messages below each other; a column for each node; all that a user of the chat would see."""


class MessageBlocks:
    """Copies what is new in a session's messages to the blocks of a `Wrapped`, or of one for each column."""

    def __init__(self) -> None:
        self.rows = Wrapped()
        self.columns: dict[tuple[str, int], Column] = {}
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
        self._readings: dict[str, Reading] = {}
        self._open: list[Reading] = []
        self._callers: dict[str, Reading] = {}  # by the id of a tool call
        self._answers: dict[str, Reading] = {}  # results whose call is not finished, by the same
        self._queue: deque[Message] = deque()  # of one stream: what is still to be said, the oldest first
        self._meant: set[str] = set()  # of one stream: what is said, or will be
        self._unsettled: list[Message] = []  # of one stream with a filter: what may say more
        self.columns.clear()
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
            if self.group == "stream":
                self._begin()
            else:
                self._sieve()
                self._fold_results()
        if session.message_changes == self._changes and not self._open:
            return changed
        self._changes = session.message_changes
        grown = self._in_turn(session) if self.group == "stream" else self._at_once(session)
        self._line = len(session.index) - 1
        return changed or grown

    def show_by(self, group: str) -> None:
        """Let all messages stand below each other, in a column per node, or as one stream."""
        self.group = group
        self._begin()
        self._sieve()

    def message(self, key: Hashable) -> Message | None:
        """Return the message of a block's key."""
        return self._session.messages.get(str(key)) if self._session is not None else None

    @property
    def kept(self) -> int:
        """How many messages the filter keeps."""
        return sum(rows.shown for rows in self._all_rows())

    def _all_rows(self) -> list[Wrapped]:
        return [column.rows for column in self.columns.values()] if self.group == "node" else [self.rows]

    def text(self, key: Hashable) -> str:
        """Return what the block says, cleaned, as it is copied and read elsewhere."""
        message = self.message(key)
        return clean_text(message) if message is not None else ""

    def show_level(self, step: int) -> Level:
        """Show less (-1) or more (1) of every message; return how much that is."""
        level = self.rows.show_level(self.rows.level + step)
        for column in self.columns.values():
            column.rows.show_level(level)
        return level

    # ── a block for each message, at once ────────────────────────────────────────────────────────────────────────────

    def _at_once(self, session: Session) -> bool:
        for message in session.message_list[self._known :]:
            self._open.append(self._add(message, self._rows_of(message)))
        fresh = len(session.message_list) > self._known
        self._known = len(session.message_list)
        for message in session.late_messages(self._line):
            reading = self._readings[message.id]
            if reading not in self._open:
                self._open.append(reading)
        grown = [reading for reading in self._open if self._write(reading)]
        self._open = [reading for reading in self._open if not _settled(reading.message)]
        if self._keep:
            self._sieve_grown(grown)
        return fresh or bool(grown)

    def _rows_of(self, message: Message) -> Wrapped:
        if self.group != "node":
            return self.rows
        place = (message.path or message.role, message.lane)
        column = self.columns.get(place)
        if column is None:
            column = self.columns[place] = Column(*place, self.rows.level)
            self._sieve_rows(column.rows)
        return column.rows

    def column_of(self, message: Message) -> Column | None:
        """Return the column that a message stands in, where there are such."""
        return self.columns.get((message.path or message.role, message.lane))

    def _add(self, message: Message, rows: Wrapped) -> Reading:
        block = rows.add(message.id, lambda width: self._first_row(message, width))
        reading = self._readings[message.id] = Reading(message, block, rows)
        if (column := self.column_of(message)) is not None:
            column.readings.append(reading)
        if not message.finished and rows.level is Level.BODY:
            reading.live = True  # reasoning is read as it comes
            rows.unfold(block, Level.ALL)
        return reading

    def _sieve(self) -> None:
        for rows in self._all_rows():
            self._sieve_rows(rows)
        for column in self.columns.values():
            column.stale = True

    def _sieve_grown(self, grown: list[Reading]) -> None:
        """What a message says may let it in, or out, at any time; those that said nothing are not asked."""
        for reading in grown:
            if reading.rows.ask_again(reading.block) and (column := self.column_of(reading.message)) is not None:
                column.stale = True

    def _sieve_rows(self, rows: Wrapped) -> None:
        keep = self._keep if self.group != "stream" else Filter()
        rows.keep((lambda block: self._keeps(self.message(block.key))) if keep else None)

    def _fold_results(self) -> None:
        for reading in self._readings.values():
            if reading.caller is not None:  # a result is read under its call, unless only the result is kept
                reading.rows.touch(reading.block)
                reading.rows.mark(reading.block, folded=reading.caller.block.place >= 0)

    def _keeps(self, message: Message | None) -> bool:
        return message is not None and keeps(self._keep, message)

    def _write(self, reading: Reading) -> bool:
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
            reading.rows.touch(block)
            reading.rows.mark(block, open=not message.finished)
            if message.finished:
                self._finish(reading)
                if (column := self.column_of(message)) is not None:
                    column.stale = True
            grown = True
        return grown

    def _parts(self, message: Message) -> list[Part]:
        """Return what is shown of a message: in a chat, only what is meant for the other side."""
        if self.group != "stream":
            return message.parts
        return [part for part in message.parts if part.kind in ("text", "other")]

    def _write_parts(self, reading: Reading) -> None:
        message, block, rows = reading.message, reading.block, reading.rows
        parts = self._parts(message)
        for number, (part, (key, prefix, text, style)) in enumerate(zip(parts, said(parts), strict=True)):
            detail = self._is_detail(part, message)
            if number == len(reading.read):
                reading.read.append(0)
                if prefix:
                    rows.append(block, prefix, style, key, detail=detail)
            if len(text) > reading.read[number]:
                rows.append(block, text[reading.read[number] :], style, key, detail=detail)
                reading.read[number] = len(text)

    def _finish(self, reading: Reading) -> None:
        """Make of a message what it is once it is finished: it may be that for a second time."""
        message, block = reading.message, reading.block
        if reading.live:
            reading.live = False
            if block.level is Level.ALL:
                reading.rows.unfold(block, reading.rows.level)
        if message.repeats and block.level is Level.BODY:
            reading.rows.unfold(block, Level.HEADER)
        if self.group == "stream":
            self._depict(reading)
            return
        for call in _ids(message, "tool_call"):
            self._callers.setdefault(call, reading)
            if (answer := self._answers.pop(call, None)) is not None:
                self._join(answer, call)
        if any(part.kind == "tool_call" for part in message.parts):
            self._write_anew(reading)
        for call in _ids(message, "tool_result"):
            self._join(reading, call)
        self._depict(reading)

    def _join(self, answer: Reading, call: str) -> None:
        """Let a tool's result stand under its call; its own block keeps the first row."""
        caller = self._callers.get(call)
        if caller is None:
            self._answers[call] = answer
        elif caller.results.setdefault(call, answer.message) is answer.message and answer.caller is None:
            answer.caller = caller
            answer.rows.touch(answer.block)
            answer.rows.mark(answer.block, folded=caller.block.place >= 0)
            self._write_anew(caller)

    def _write_anew(self, reading: Reading) -> None:
        """Write a finished message with its arguments in order, and what its tools gave back."""
        block = reading.block
        reading.rows.rewrite(block)
        for number, (part, text, style) in enumerate(self._finished(reading)):
            reading.rows.append(block, text, style, number, detail=self._is_detail(part, reading.message))
        reading.read = [len(one.text) for one in said(reading.message.parts)]
        self._depict(reading)

    def _finished(self, reading: Reading) -> Iterator[tuple[Part, str, str]]:
        """Return what stands in a finished block: part, text and style of each."""
        parts = self._parts(reading.message)
        for part, (_, prefix, text, style) in zip(parts, said(parts), strict=True):
            if part.kind != "tool_call":
                yield part, prefix + text, style
                continue
            yield part, prefix + ordered(text), style
            result = reading.results.get(str((part.tool_call or {}).get("id") or ""))
            for one in result.parts if result is not None else ():
                failed = (one.tool_call or {}).get("status") == "error"
                yield one, f"{'✗' if failed else '→'} {ordered(one.text)}", "error" if failed else "dim"

    # ── one stream ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _in_turn(self, session: Session) -> bool:
        """Write messages in order of start: one that speaks while another does waits for its end."""
        if self._keep and any(self._belongs(m) is not (m.id in self._meant) for m in self._told_since(session)):
            self._begin()  # what a message says may let it in, or out, at any time
            self._changes = session.message_changes
        if self._keep:
            self._unsettled += [one for one in session.message_list[self._known :] if not _settled(one)]
        meant = [message for message in session.message_list[self._known :] if self._belongs(message)]
        self._queue.extend(meant)
        self._meant.update(message.id for message in meant)
        self._known = len(session.message_list)
        for message in session.late_messages(self._line):
            reading = self._readings.get(message.id)
            if reading is not None and reading not in self._open:
                self._open.append(reading)
        while self._queue and all(reading.message.finished for reading in self._open):
            self._open.append(self._add(self._queue.popleft(), self.rows))
            self._write(self._open[-1])
        grown = [reading for reading in self._open if self._write(reading)]
        self._open = [reading for reading in self._open if not _settled(reading.message)]
        return bool(meant or grown)

    def _told_since(self, session: Session) -> list[Message]:
        """Return the messages that were known and of which more was told since."""
        told = [*self._unsettled, *session.late_messages(self._line)]
        self._unsettled = [one for one in self._unsettled if not _settled(one)]
        return told

    def _belongs(self, message: Message) -> bool:
        return message.role in ("ai", "human") and not message.repeats and self._keeps(message)

    def _thread(self, run: str) -> str:
        runs = self._session.runs if self._session is not None else ()
        return next((one.thread for one in runs if one.id == run), "")

    # ── how blocks look ──────────────────────────────────────────────────────────────────────────────────────────────

    def turn_markdown(self) -> bool:
        """Show finished blocks as markdown, or as plain text again; return whether it is markdown now."""
        self.markdown = not self.markdown
        for reading in self._readings.values():
            self._depict(reading)
        return self.markdown

    def _depict(self, reading: Reading) -> None:
        if self.markdown and reading.message.finished:
            reading.rows.depict(reading.block, lambda width, details: self._picture(reading, width, details=details))
        elif reading.block.picture is not None:
            reading.rows.depict(reading.block, None)

    def _picture(self, reading: Reading, width: int, *, details: bool) -> list[Row]:
        """Return the rows of a finished block: its text as markdown, all else as it is."""
        from lgwatch.tui.messages.markdown import markdown, plain  # its parser is not needed for the first picture

        rows: list[Row] = []
        for part, text, style in self._finished(reading):
            if part.kind == "text":
                rows += markdown(text, width)
                continue
            lines = [[(span, style) for span, _ in row] for row in plain(text, width)]
            folded = self._is_detail(part, reading.message) and not details and len(lines) > 1
            rows += [[*lines[0], (" …", "dim")]] if folded else lines
        return rows

    def choose(self, block: Block | None) -> bool:
        """Let this block be the one that keys are about; return whether it was another one before."""
        before, self.current = self.current, block
        if before is block:
            return False
        for one in (before, block):
            if one is not None:
                one.version += 1
        return True

    def _first_row(self, message: Message, width: int) -> Row:
        if self.group == "stream":
            return self._lit(message.id, chat_heading(message, self._thread(message.run), width), width)
        reading = self._readings.get(message.id)
        under = reading is not None and reading.caller is not None and reading.caller.block.place >= 0
        in_column = self.group == "node"
        row = heading(
            message, self._attempt(message), self._now, width,
            agent=self._agent(message), under_call=under, in_column=in_column,
        )  # fmt: skip
        return self._lit(message.id, row, width)

    def _lit(self, key: str, row: Row, width: int) -> Row:
        if self.current is None or self.current.key != key:
            return row
        row.append((" " * (width - cells(row)), ""))
        return [(text, f"cursor-blur {style}") for text, style in row]

    def _is_detail(self, part: Part, message: Message) -> bool:
        """Whether a part is shown whole only where all is: reasoning, prompts, and what a tool gave back."""
        if self.group == "stream":
            return False
        under_call = part.kind == "tool_result" and message.role != "tool"
        return under_call or part.kind == "reasoning" or message.role in ("system", "human")

    def _agent(self, message: Message) -> str:
        """Return what the tool call names that a message's node works in, "" outside of any: `critic`."""
        task = self._session.find_task(message.task) if self._session is not None else None
        while task is not None and not task.via:
            task = task.parent
        return task.via if task is not None else ""

    def _attempt(self, message: Message) -> int:
        """Return which attempt of its node, in its run, a message comes from."""
        task = self._session.find_task(message.task) if self._session is not None else None
        if task is None or task.run != message.run:
            return 1
        begun = sum(span.kind == "node" and span.started <= message.started for span in task.spans)
        return task.visits - 1 - task.before + max(1, begun)


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

"""What was said: the part of a session's fold that makes messages of chunks, and adds up their tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lgwatch.events import Again, Json, MessageChunk
from lgwatch.records import Message, Part, Span, Task
from lgwatch.texts import Texts


class Messages:
    """The messages of a session, by id and in order of start. Filled by `Session.apply` alone."""

    def __init__(self, spans: Mapping[str, Span], touched: Callable[[str], Task | None]) -> None:
        """`spans` are the session's, by id; `touched(id)` returns the task that does something, which has begun."""
        self.by_id: dict[str, Message] = {}
        self.all: list[Message] = []
        self.changes = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self._spans = spans
        self._touched = touched
        self._of: dict[str, list[Message]] = {}  # by task
        self._in: dict[str, list[Message]] = {}  # by LLM span
        self._late: dict[
            str, int
        ] = {}  # those that went on after their end, by the line that told so, the last one last
        self._texts = Texts()
        self._first: dict[int, Message] = {}  # to say a text, by the hash of it and of run, task and role
        self._lanes: dict[str, list[Message]] = {}  # the last message in each lane, by node path

    def of(self, task: str) -> list[Message]:
        """Return the messages of a task, in order of start."""
        return self._of.get(task, [])

    def late(self, since: int) -> Iterator[Message]:
        """The messages that went on, or learned their usage, after they were closed and after the line `since`."""
        for name in reversed(self._late):
            if self._late[name] <= since:
                return
            yield self.by_id[name]

    def _belated(self, message: Message, seq: int) -> None:
        self._late.pop(message.id, None)
        self._late[message.id] = seq

    def call_ended(self, span: Span, usage: dict[str, Json] | None, seq: int) -> None:
        """Close the messages of an LLM call, with the usage that its end tells if they told none."""
        messages = self._in.get(span.id, [])
        if usage and span.usage is None and not any(message.usage for message in messages):
            span.usage = usage
            self._count(usage)
        for message in messages:
            if message.finished:
                self._belated(message, seq)
            message.usage = message.usage or span.usage
            self.finish(message, {"ok": "done", "cancelled": "cut"}.get(span.status, "failed"))

    def take(self, event: MessageChunk, seq: int, run: str) -> None:
        """Take in one chunk."""
        self.changes += 1
        message = self.by_id.get(event.message)
        if message is None:
            message = self._open(event, seq, run)
        message.last_seq = seq
        if message.finished:
            self._belated(message, seq)
        if event.usage and (message.span is None or message.span.usage is None):  # else the call's end told it
            message.usage = _sum(message.usage, event.usage)
            self._count(event.usage)
        if event.text or event.tool_call:
            if message.first_token is None:
                message.first_token = event.at
                if message.span is not None:
                    message.span.first_token = event.at
            message.last_token = event.at
            if event.kind in ("text", "reasoning", "tool_call"):
                message.chunks += not event.whole
            self._part(message, event).pieces.append(event.text)
        if event.last:
            self.finish(message, "done")

    def go_on(self, message: Message, part: Part, event: Again, seq: int) -> None:
        """Take in one more piece of the last part of a message that is not finished."""
        self.changes += 1
        message.last_seq = seq
        message.last_token = event.at
        message.chunks += 1
        part.pieces.append(event.text)

    def _open(self, event: MessageChunk, seq: int, run: str) -> Message:
        message = Message(
            event.message, event.role, event.node, event.ns, event.task, run, event.step, seq, event.at,
            event.tags, event.model, event.name, whole=event.whole,
        )  # fmt: skip
        message.lane = self._lane(message)
        self.by_id[event.message] = message
        self.all.append(message)
        self._of.setdefault(event.task, []).append(message)
        task = self._touched(event.task)
        if task is not None:
            task.messages += 1
            if not set(event.tags) <= set(task.tags):
                task.tags = tuple(dict.fromkeys((*task.tags, *event.tags)))
            if event.model and event.model not in task.models:
                task.models = (*task.models, event.model)
        message.span = self._span_of(event, task)
        if message.span is not None:
            self._in.setdefault(message.span.id, []).append(message)
            message.started = message.span.started
            message.model = message.model or message.span.model
            message.usage = message.span.usage
            # In a thread, the end of a call can be faster than its chunks.
            if message.span.status in ("error", "cancelled"):
                self.finish(message, "failed" if message.span.status == "error" else "cut")
        return message

    def _lane(self, message: Message) -> int:
        """Return the lane of a message that begins: that of its task if nobody speaks there, else the first such one."""
        lanes = self._lanes.setdefault(message.path, [])
        free = [number for number, last in enumerate(lanes) if last.finished]
        own = (number for number in free if lanes[number].task == message.task)
        lane = next(own, free[0] if free else len(lanes))
        lanes[lane : lane + 1] = [message]
        return lane

    def _span_of(self, event: MessageChunk, task: Task | None) -> Span | None:
        """The LLM call that a message comes from: LangChain names the message after the call (`lc_run--UUID`, before
        version 1 `run--UUID`), unless the provider gives ids of its own; then the task's one open call is meant."""
        if event.role != "ai":
            return None
        call = event.message.removeprefix("lc_").removeprefix("run--")[:36]
        if call in self._spans:
            return self._spans[call]
        free = [
            span
            for span in (task.spans if task else ())
            if span.kind == "llm" and span.id not in self._in and (span.ended is None or event.whole)
        ]
        return free[0] if len(free) == 1 and free[0].ended is None else None

    def _part(self, message: Message, event: MessageChunk) -> Part:
        kind, call = event.kind, event.tool_call
        if kind == "tool_call" and call is not None:
            for part in reversed(message.parts):
                if part.kind == kind and part.tool_call is not None and _same_call(part.tool_call, call):
                    part.tool_call.update({key: value for key, value in call.items() if value})
                    return part
        elif message.parts and message.parts[-1].kind == kind and kind not in ("other", "tool_result"):
            return message.parts[-1]
        message.parts.append(Part(kind, tool_call=dict(call) if call else None))
        return message.parts[-1]

    def _count(self, usage: dict[str, Json]) -> None:
        self.tokens_in += _whole(usage.get("input_tokens"))
        self.tokens_out += _whole(usage.get("output_tokens"))

    def finish(self, message: Message, status: str) -> None:
        """Close a message: nothing more of it will come."""
        self.changes += 1
        message.finished, message.status = True, status
        if status == "done":
            self._compare(message)
        for part in message.parts:
            self._texts.take(part, len(part.text))

    def _compare(self, message: Message) -> None:
        """A node that wraps an answer anew sends its text a second time, under another id."""
        if text := message.text:
            first = self._first.setdefault(hash((message.run, message.task, message.role, text)), message)
            if message.whole and first is not message and first.text == text:
                message.repeats = first.id


def _same_call(known: dict[str, Json], call: dict[str, Json]) -> bool:
    """Whether a piece belongs to a tool call; some providers give every call the same index, or none."""
    if known.get("index") != call.get("index"):
        return False
    return not (known.get("id") and call.get("id")) or known["id"] == call["id"]


def _sum(total: dict[str, Json] | None, usage: dict[str, Json]) -> dict[str, Json]:
    """Return the usage of a call so far and one more chunk's, added up."""
    added = dict(total or {})
    for key, value in usage.items():
        known = added.get(key)
        added[key] = known + value if isinstance(known, int) and isinstance(value, int) else value
    return added


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0

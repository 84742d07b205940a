"""LLM calls and the messages of nodes: parts of the mode `messages` → `message` events, one id for all chunks of a call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk

from lgwatch.events import Event, Json, MessageChunk, Namespace
from lgwatch.runner import messages
from lgwatch.runner.tasks import Tasks, own_tags

KEPT_CALLS = 256
"""LLM calls that are remembered after they ended."""
LONG = 65_536
"""Characters of one chunk above which its text is cut like any other value."""


class Call:
    """One LLM call. LangGraph hands over the same metadata object with each of its chunks: that object is the key."""

    __slots__ = ("_append", "_repeat", "_repeats", "ended", "event", "metadata", "say")

    def __init__(
        self,
        metadata: Mapping[str, Any],
        event: MessageChunk,
        append: Callable[[Event], None],
        repeat: Callable[[MessageChunk], Callable[[str], None]],
    ) -> None:
        self.metadata = metadata  # held, so that no other object can get its address
        self.event = event
        self.ended = False
        self._append = append
        self._repeat = repeat
        self._repeats: dict[tuple[str, Json], Callable[[str], None]] = {}
        self.say = repeat(event)  # the hot path: a chunk that is text and nothing else

    def write(self, piece: messages.Piece, *, usage: dict[str, Json] | None, last: bool, whole: bool) -> None:
        """Append one event with everything that is known about the call."""
        call = piece.tool_call
        if usage is None and not (last or whole) and (call is None or len(call) == 1):
            key = (piece.kind, call and call["index"])
            if key not in self._repeats:
                self._repeats[key] = self._repeat(self._chunk(piece._replace(text=""), None, last=False, whole=False))
            self._repeats[key](piece.text)
        else:
            self._append(self._chunk(piece, usage, last=last, whole=whole))

    def _chunk(self, piece: messages.Piece, usage: dict[str, Json] | None, *, last: bool, whole: bool) -> MessageChunk:
        event = self.event
        return MessageChunk(
            ns=event.ns, message=event.message, role=event.role, node=event.node, task=event.task, step=event.step,
            tags=event.tags, model=event.model, name=event.name, text=piece.text, kind=piece.kind,
            tool_call=piece.tool_call, usage=usage, last=last, whole=whole,
        )  # fmt: skip


class Calls:
    """The LLM calls of one run."""

    def __init__(
        self,
        append: Callable[[Event], None],
        repeat: Callable[[MessageChunk], Callable[[str], None]],
        tasks: Tasks,
    ) -> None:
        self._append = append
        self._repeat = repeat
        self._tasks = tasks
        self._calls: dict[int, Call] = {}
        self._done: deque[Call] = deque()

    def decode(self, ns: Namespace, payload: tuple[Any, Mapping[str, Any]]) -> None:
        """Append the events of one part of the mode `messages`."""
        message, metadata = payload
        call = self._calls.get(id(metadata))
        if call is not None and type(message) is AIMessageChunk:
            # Nine chunks of ten are text and nothing else.
            get = message.__dict__.get
            text = get("content")
            if (
                type(text) is str
                and 0 < len(text) < LONG
                and not (
                    get("chunk_position")
                    or get("usage_metadata")
                    or get("tool_call_chunks")
                    or get("additional_kwargs")
                )
            ):
                call.say(text)
                return
        self._take(call, message, metadata)

    def _take(self, call: Call | None, message: Any, metadata: Mapping[str, Any]) -> None:
        chunk = messages.is_chunk(message)
        from_model = "ls_model_type" in metadata or (chunk and "ls_provider" in metadata)
        if call is None:
            call = self._call(message, metadata)
            if from_model:
                self._calls[id(metadata)] = call
        elif not chunk:
            # A provider that changed its ids on the way: LangGraph takes the whole message for another one.
            if not call.ended:
                self._end_call(call, messages.Piece("text", ""), messages.usage(message))
            return
        whole = not (chunk and from_model)
        last = whole or messages.field(message, "chunk_position") == "last"
        self._say(call, message, last=last, whole=whole)
        if last:
            self._ended_call(call)

    def _say(self, call: Call, message: Any, *, last: bool, whole: bool) -> None:
        said = [piece if len(piece.text) < LONG else _cut(piece) for piece in messages.pieces(message)]
        usage = messages.usage(message)
        if not said:
            if not (last or usage):
                return  # an empty first chunk, or one with nothing but response metadata
            said = [messages.Piece("text", "")]
        *before, final = said
        for piece in before:
            call.write(piece, usage=None, last=False, whole=whole)
        call.write(final, usage=usage, last=last, whole=whole)

    def _call(self, message: Any, metadata: Mapping[str, Any]) -> Call:
        path = metadata.get("langgraph_checkpoint_ns")
        ns: Namespace = ()
        node = task = ""
        if isinstance(path, str):
            ns, node, task = self._tasks.running(path, metadata.get("langgraph_path"))
        running = self._tasks.by_id.get(task)
        tags = dict.fromkeys(own_tags(metadata.get("tags")))
        tags.update(dict.fromkeys(running.tags if running else self._tasks.tags(ns, node, None)))
        step = metadata.get("langgraph_step")
        event = MessageChunk(
            ns=ns,
            message=str(messages.field(message, "id") or ""),
            role=messages.role(message),
            node=node or str(metadata.get("langgraph_node") or ""),
            task=task,
            step=step if isinstance(step, int) else 0,
            tags=tuple(tags),
            model=messages.model(message, metadata) if messages.role(message) == "ai" else "",
            name=str(messages.field(message, "name") or ""),
        )
        return Call(metadata, event, self._append, self._repeat)

    def _end_call(self, call: Call, piece: messages.Piece, usage: dict[str, Json] | None) -> None:
        call.write(piece, usage=usage, last=True, whole=False)
        self._ended_call(call)

    def _ended_call(self, call: Call) -> None:
        if call.ended:
            return
        call.ended = True
        self._done.append(call)
        if len(self._done) > KEPT_CALLS:
            self._calls.pop(id(self._done.popleft().metadata), None)


def _cut(piece: messages.Piece) -> messages.Piece:
    return piece._replace(text=f"{piece.text[:LONG]}… ({len(piece.text):,} characters)")

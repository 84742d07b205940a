"""What a message says, piece by piece: text, reasoning, tool calls, results. Knows every provider's shapes, no stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from lgwatch.events import Json
from lgwatch.values import snapshot

OTHER_LIMIT = 4096
"""Characters of a content block of unknown kind that are kept."""


class Piece(NamedTuple):
    """A part of a message: fields as in `MessageChunk`."""

    kind: str
    text: str
    tool_call: dict[str, Json] | None = None


def field(message: object, name: str) -> Any:
    """Return a field of a message, None when it has none. A message of a remote graph is a plain dict."""
    if isinstance(message, Mapping):
        return message.get(name)
    return getattr(message, name, None)


def role(message: object) -> str:
    """Return who speaks: `ai`, `human`, `system`, `tool`, or whatever role a custom message names."""
    kind = str(field(message, "type") or field(message, "role") or "")
    kind = kind.removesuffix("MessageChunk").removesuffix("Message").lower()
    if kind == "chat":
        kind = str(field(message, "role") or kind)
    return {"assistant": "ai", "user": "human"}.get(kind, kind) or "other"


def is_chunk(message: object) -> bool:
    """Whether the message is a part of one that is being streamed."""
    return str(field(message, "type") or "").endswith("Chunk") or type(message).__name__.endswith("Chunk")


def usage(message: object) -> dict[str, Json] | None:
    """Return the token counts that came with the message, None without any."""
    found = field(message, "usage_metadata")
    return snapshot(dict(found)) if isinstance(found, Mapping) and found else None


def model(message: object, metadata: Mapping[str, Any]) -> str:
    """Return the model's name as the run's metadata or the provider's answer tells it; empty when neither does."""
    response = field(message, "response_metadata")
    response = response if isinstance(response, Mapping) else {}
    return str(metadata.get("ls_model_name") or response.get("model_name") or response.get("model") or "")


def pieces(message: object) -> Iterator[Piece]:
    """Yield what the message (or chunk) says, in the order in which a reader would want it."""
    if role(message) == "tool":
        status = field(message, "status")
        call = {"id": str(field(message, "tool_call_id") or ""), **({"status": str(status)} if status else {})}
        text = "".join(piece.text for piece in _content(field(message, "content")))
        yield Piece("tool_result", text, call)
        return
    extra = field(message, "additional_kwargs")
    # DeepSeek and what is compatible with it.
    if isinstance(extra, Mapping) and isinstance(thought := extra.get("reasoning_content"), str) and thought:
        yield Piece("reasoning", thought)
    # OpenAI's chat completions; its responses have a content block for it.
    if isinstance(extra, Mapping) and isinstance(refused := extra.get("refusal"), str) and refused:
        yield Piece("other", _line({"type": "refusal", "refusal": refused}))
    yield from _content(field(message, "content"))
    yield from _tool_calls(message)


def _content(content: object) -> Iterator[Piece]:
    if isinstance(content, str):
        if content:
            yield Piece("text", str(content))
    elif isinstance(content, list | tuple):
        for block in content:
            yield from _content(block) if isinstance(block, str) else _block(block)
    elif content is not None:
        yield Piece("other", _line(content))


def _block(block: object) -> Iterator[Piece]:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or not isinstance(kind, str):
        yield Piece("other", _line(block))
    elif kind in _TEXT:
        if text := _TEXT[kind](block):
            yield Piece("text", text)
    elif kind in _REASONING:
        # A signature, or an encrypted thought: nothing that a reader could read.
        if text := _REASONING[kind](block):
            yield Piece("reasoning", text)
    elif kind not in _CALLS:
        yield Piece("other", _line(block))


def _text(block: Mapping[str, Any], key: str) -> str:
    value = block.get(key)
    return value if isinstance(value, str) else ""


def _reasoning(block: Mapping[str, Any]) -> str:
    """Read `reasoning` blocks: LangChain's own hold a string, OpenAI's a list of summaries (or of contents)."""
    if text := _text(block, "reasoning"):
        return text
    parts = block.get("summary") or block.get("content") or ()
    if isinstance(parts, str):
        return parts
    return "".join(_text(part, "text") for part in parts if isinstance(part, Mapping))


def _bedrock(block: Mapping[str, Any]) -> str:
    inner = block.get("reasoning_content")
    return _text(inner, "text") if isinstance(inner, Mapping) else ""


_Reader = Callable[[Mapping[str, Any]], str]
_TEXT: dict[str, _Reader] = {
    "text": lambda block: _text(block, "text"),
    "output_text": lambda block: _text(block, "text"),
}
_REASONING: dict[str, _Reader] = {
    "thinking": lambda block: _text(block, "thinking"),
    "reasoning": _reasoning,
    "reasoning_content": _bedrock,
    "redacted_thinking": lambda block: "",
}
# LangChain repeats these in `tool_calls` or `tool_call_chunks`.
_CALLS = {"tool_use", "input_json_delta", "function_call", "tool_call", "tool_call_chunk", "invalid_tool_call"}


def _tool_calls(message: object) -> Iterator[Piece]:
    chunks = field(message, "tool_call_chunks")
    if chunks and is_chunk(message):
        for position, chunk in enumerate(chunks):
            yield _call(chunk, position, chunk.get("args"))
        return
    calls = [*(field(message, "tool_calls") or ()), *(field(message, "invalid_tool_calls") or ())]
    for position, call in enumerate(calls):
        yield _call(call, position, call.get("args"))


def _call(call: Mapping[str, Any], position: int, args: object) -> Piece:
    index = call.get("index")
    about: dict[str, Json] = {"index": index if isinstance(index, int | str) else position}
    about.update({key: str(call[key]) for key in ("id", "name") if call.get(key)})
    return Piece("tool_call", args if isinstance(args, str) else "" if args is None else _line(args, None), about)


def _line(value: object, limit: int | None = OTHER_LIMIT) -> str:
    text = orjson.dumps(snapshot(value)).decode()
    return text if limit is None or len(text) <= limit else text[:limit] + "…"

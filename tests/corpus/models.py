"""Models that play a script: streamed chunk by chunk, in one piece, or broken off. No key, no network, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool as make_tool
from pydantic import Field

__all__ = ["Echo", "Script", "answers", "calls", "make_tool", "says", "usage"]


class Script(BaseChatModel):
    """Streams the chunks that it was given; an exception among them ends the stream."""

    chunks: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "script"

    def _played(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        for chunk in self.chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield AIMessageChunk(content=chunk) if isinstance(chunk, str) else chunk.model_copy()

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for chunk in self._played(messages):
            yield ChatGenerationChunk(message=chunk)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        whole: Any = None
        for chunk in self._played(messages):
            whole = chunk if whole is None else whole + chunk
        message = AIMessage(
            content=whole.content, tool_calls=whole.tool_calls, usage_metadata=whole.usage_metadata,
            additional_kwargs=whole.additional_kwargs, response_metadata=whole.response_metadata,
        )  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=message)])

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[one.name for one in tools])


class Echo(Script):
    """Says the last message again, word by word; calls the tools of its script as long as no tool has answered."""

    def _played(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        if self.chunks and not any(message.type == "tool" for message in messages):
            yield from super()._played(messages)
            return
        for number, word in enumerate(str(messages[-1].content).split()):
            yield AIMessageChunk(content=word if not number else f" {word}")


def says(*chunks: Any, **options: Any) -> Script:
    """A model that streams these chunks: texts, chunks of messages, or an exception in the end."""
    return Script(chunks=list(chunks), **options)


def answers(*chunks: Any, **options: Any) -> Script:
    """A model that answers in one piece."""
    return Script(chunks=list(chunks), disable_streaming=True, **options)


def calls(name: str, args: str, *, id: str = "call-1", index: int = 0) -> list[AIMessageChunk]:  # noqa: A002  its name
    """The chunks of a tool call: its name, then its arguments in two pieces."""
    half = len(args) // 2
    return [
        AIMessageChunk(
            content="", tool_call_chunks=[{"type": "tool_call_chunk", "name": named, "args": part, "id": its, "index": index}]
        )
        for named, part, its in ((name, "", id), (None, args[:half], None), (None, args[half:], None))
    ]  # fmt: skip


def usage(read: int, written: int) -> AIMessageChunk:
    """The chunk in which a provider reports what a call has cost."""
    tokens = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return AIMessageChunk(content="", usage_metadata=tokens)

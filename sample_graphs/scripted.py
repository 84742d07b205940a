"""A chat model that plays a script at a realistic pace: no key, no network, and no state shared between calls.

The samples ask `chat_model` for their models. With OPENAI_API_KEY or OPENAI_BASE_URL set they get ChatOpenAI instead
(OPENAI_MODEL names the model). LGWATCH_SAMPLE_PACE is a factor on every pause: 2 is half as fast, 0 has no pauses.
"""

import asyncio
import json
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata, add_ai_message_chunks
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool


@dataclass(frozen=True)
class Reply:
    """What the model says: reasoning first, then text, then tool calls as (name, arguments); `fails` is raised last."""

    text: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    fails: Exception | None = None


Script = str | Reply | Callable[[list[BaseMessage]], str | Reply]


def chat_model(
    script: Script, *, tags: Sequence[str] = (), name: str | None = None, model: str = "offline-mini", rate: float = 60
) -> BaseChatModel:
    """Return a model that plays `script` at `rate` tokens a second, or ChatOpenAI when the environment has one."""
    if online():
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model=os.environ.get("OPENAI_MODEL") or "gpt-4o-mini",
            # Servers of one's own want no key, but the client refuses to start without one.
            api_key=os.environ.get("OPENAI_API_KEY") or "none",  # type: ignore[arg-type]
            stream_usage=True,
            tags=list(tags) or None,
            name=name,
        )
    return ScriptedChatModel(script=script, tags=list(tags) or None, name=name, model=model, rate=rate)


def online() -> bool:
    """Return whether the samples talk to a real model."""
    return bool(os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"))


def pause(seconds: float) -> None:
    """Work for a while: sleep for `seconds` times the pace."""
    if delay := seconds * _pace():
        time.sleep(delay)


class ScriptedChatModel(BaseChatModel):
    """Plays a script: token by token, with usage, reasoning blocks and tool calls in pieces."""

    script: Any
    model: str = "offline-mini"
    rate: float = 60
    """Tokens a second."""
    latency: float = 0.35
    """Seconds to the first token."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(ls_provider="scripted", ls_model_name=self.model, ls_model_type="chat")

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for delay, chunk in self._play(messages):
            if delay:
                time.sleep(delay)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for delay, chunk in self._play(messages):
            await asyncio.sleep(delay)
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole(list(self._stream(messages)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole([chunk async for chunk in self._astream(messages)])

    def _play(self, messages: list[BaseMessage]) -> Iterator[tuple[float, ChatGenerationChunk]]:
        """Yield each chunk with the pause before it, in seconds."""
        reply = self.script(messages) if callable(self.script) else self.script
        if isinstance(reply, str):
            reply = Reply(reply)
        reasoned, chunks = _chunks(reply)
        # The same reply has the same rhythm, so that recordings of it can be compared.
        rhythm = random.Random(f"{self.model} {reply.text}")
        beat = _pace() / self.rate
        delay = self.latency * _pace() * rhythm.uniform(0.7, 1.3)
        for chunk in chunks:
            yield delay, ChatGenerationChunk(message=chunk)
            delay = beat * rhythm.uniform(0.4, 1.6)
        if reply.fails is not None:
            raise reply.fails
        yield delay, ChatGenerationChunk(message=self._last(messages, reply, reasoned, len(chunks)))

    def _last(self, messages: list[BaseMessage], reply: Reply, reasoned: int, tokens: int) -> AIMessageChunk:
        """Return the chunk that ends a reply: what it cost, and why it ended."""
        # Four characters a token and four tokens of frame a message: the usual rule of thumb.
        read = sum(4 + len(message.text) // 4 for message in messages)
        usage = UsageMetadata(input_tokens=read, output_tokens=tokens, total_tokens=read + tokens)
        if reasoned:
            usage["output_token_details"] = {"reasoning": reasoned}
        return AIMessageChunk(
            content=[] if reply.reasoning else "",
            usage_metadata=usage,
            response_metadata={"model_name": self.model, "finish_reason": "tool_calls" if reply.calls else "stop"},
            chunk_position="last",
        )


def raw_client(script: Script) -> Any:
    """Return a provider's client without LangChain: `client.chat.completions.create(model=…, messages=…, stream=True)`."""
    if online():
        from openai import OpenAI

        return OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or "none")
    model = ScriptedChatModel(script=script, rate=75)

    def create(**request: Any) -> Iterator[SimpleNamespace]:
        for delay, chunk in model._play(convert_to_messages(request["messages"])):  # noqa: SLF001 - a client and a model of one module play the same scripts
            if delay:
                time.sleep(delay)
            delta = SimpleNamespace(content=chunk.message.text or None)
            yield SimpleNamespace(model=model.model, choices=[SimpleNamespace(index=0, delta=delta)])

    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))


def attempt(config: RunnableConfig) -> int:
    """Return which attempt of its task this is, from 1; to be called once in each attempt."""
    task = config["metadata"]["langgraph_checkpoint_ns"]
    with _lock:
        _attempts[task] += 1
        return _attempts[task]


def pieces(text: str) -> list[str]:
    """Cut a text the way tokens do: short words whole with the space before them, long words in parts."""
    return re.findall(r"[ \t]*\w{1,8}|[ \t]*[^\w\s]|\s+", text)


_lock = threading.Lock()
_attempts: Counter[str] = Counter()


def _pace() -> float:
    return float(os.environ.get("LGWATCH_SAMPLE_PACE") or 1)


def _chunks(reply: Reply) -> tuple[int, list[AIMessageChunk]]:
    """Return how many of a reply's chunks are reasoning, and the chunks."""
    thoughts = [
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": piece, "index": 0}])
        for piece in pieces(reply.reasoning)
    ]
    texts = [
        # Content that began as blocks goes on as blocks; all else is plain text, as most providers send it.
        AIMessageChunk(content=[{"type": "text", "text": piece, "index": 1}] if thoughts else piece)
        for piece in pieces(reply.text)
    ]
    calls = [
        AIMessageChunk(content=[] if thoughts else "", tool_call_chunks=[part])
        for index, (name, args) in enumerate(reply.calls)
        for part in _call(index, name, args)
    ]
    return len(thoughts), thoughts + texts + calls


def _call(index: int, name: str, args: Mapping[str, Any]) -> Iterator[ToolCallChunk]:
    """Yield a tool call as providers send it: first its name and id, then its arguments in pieces."""
    text = json.dumps(args, ensure_ascii=False)
    # The same call of the same reply has the same id, whoever asks.
    ident = f"call_{random.Random(f'{index} {name} {text}').getrandbits(64):016x}"
    yield tool_call_chunk(name=name, args="", id=ident, index=index)
    for piece in pieces(text):
        yield tool_call_chunk(args=piece, index=index)


def _whole(chunks: list[ChatGenerationChunk]) -> ChatResult:
    first, *rest = [chunk.message for chunk in chunks if isinstance(chunk.message, AIMessageChunk)]
    ai = add_ai_message_chunks(first, *rest)
    return ChatResult(
        generations=[
            ChatGeneration(
                message=AIMessage(
                    content=ai.content,
                    tool_calls=ai.tool_calls,
                    usage_metadata=ai.usage_metadata,
                    response_metadata=ai.response_metadata,
                )
            )
        ]
    )

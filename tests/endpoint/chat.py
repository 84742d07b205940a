"""The API `chat/completions`: an answer as one object, or as the data of server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.endpoint.answers import Answer, Request


def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(body.get("messages") or ())


def whole(request: Request, answer: Answer) -> dict[str, Any]:
    """Return the answer in one piece; usage is always told then."""
    calls = [
        {
            "id": request.call(index),
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(args)},
        }
        for index, (name, args) in enumerate(answer.calls)
    ]
    message = {"role": "assistant", "content": answer.text or None, **({"tool_calls": calls} if calls else {})}
    return {
        "id": f"chatcmpl-{request.number}", "object": "chat.completion", "created": 0, "model": request.body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": answer.reason, "logprobs": None}],
        "usage": usage(answer),
    }  # fmt: skip


def opening(request: Request) -> Iterator[str]:
    yield chunk(request, {"role": "assistant", "content": ""})


def pieces(request: Request, answer: Answer) -> Iterator[str]:
    for piece in answer.pieces():
        match piece.kind:
            case "reasoning":  # as DeepSeek and those who follow it send it
                delta: dict[str, Any] = {"reasoning_content": piece.text}
            case "text":
                delta = {"content": piece.text}
            case "call":
                named = {"name": piece.text, "arguments": ""}
                call = {
                    "index": piece.index,
                    "id": request.call(piece.index),
                    "type": "function",
                    "function": named,
                }
                delta = {"tool_calls": [call]}
            case "arguments":
                delta = {"tool_calls": [{"index": piece.index, "function": {"arguments": piece.text}}]}
        yield chunk(request, delta)


def closing(request: Request, answer: Answer) -> Iterator[str]:
    """Yield the reason and, only if it was asked for, the usage."""
    yield chunk(request, {}, reason=answer.reason)
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({**frame(request), "choices": [], "usage": usage(answer)})
    yield "[DONE]"


def chunk(request: Request, delta: dict[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({**frame(request), "choices": [choice]})


def frame(request: Request) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": 0, "model": request.body["model"],
    }  # fmt: skip


def usage(answer: Answer) -> dict[str, Any]:
    read, written = answer.read, answer.written
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

"""The API `responses`: an answer as one object, or as the data of server-sent events, item after item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from tests.endpoint.answers import Answer, Piece, Request


def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the input in the form of chat completions."""
    given = body.get("input") or ()
    found: list[dict[str, Any]] = []
    if body.get("instructions"):
        found.append({"role": "system", "content": body["instructions"]})
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        match item.get("type", "message"):
            case "message":
                found.append({"role": item["role"], "content": item.get("content")})
            case "function_call":
                call = {"id": item["call_id"], "function": {"name": item["name"], "arguments": item["arguments"]}}
                found.append({"role": "assistant", "content": "", "tool_calls": [call]})
            case "function_call_output":
                found.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
    return found


def whole(request: Request, answer: Answer) -> dict[str, Any]:
    """Return the answer in one piece."""
    items = [_done(kind, index, list(group), request) for kind, index, group in _items(answer)]
    return {**_frame(request), "status": "completed", "output": items, "usage": usage(answer)}


def opening(request: Request) -> Iterator[str]:
    yield _event("response.created", response=_frame(request))


def pieces(request: Request, answer: Answer) -> Iterator[str]:
    """Yield one event for each piece; what opens and closes its item is part of the first and of the last."""
    for position, (kind, index, said) in enumerate(_items(answer)):
        item = _done(kind, index, [piece for piece in said if piece.kind == "call"], request)
        place = {"output_index": position, "item_id": item["id"]}
        before = [_event("response.output_item.added", output_index=position, item=item)]
        name, at = "", {}
        match kind:
            case "reasoning":
                name, at = "response.reasoning_summary_text", {**place, "summary_index": 0}
                part = {"type": "summary_text", "text": ""}
                before.append(_event("response.reasoning_summary_part.added", **at, part=part))
            case "text":
                name, at = "response.output_text", {**place, "content_index": 0}
                part = {"type": "output_text", "text": "", "annotations": []}
                before.append(_event("response.content_part.added", **at, part=part))
            case _:
                name, at = "response.function_call_arguments", place
        for piece in said:
            delta = _event(f"{name}.delta", **at, delta=piece.text) if piece.kind != "call" else ""
            yield "\n".join(filter(None, [*before, delta]))
            before = []
        yield _event("response.output_item.done", output_index=position, item=_done(kind, index, said, request))


def closing(request: Request, answer: Answer) -> Iterator[str]:
    yield _event("response.completed", response=whole(request, answer))


def usage(answer: Answer) -> dict[str, Any]:
    thought = sum(piece.kind == "reasoning" for piece in answer.pieces())
    return {
        "input_tokens": answer.read, "output_tokens": answer.written, "total_tokens": answer.read + answer.written,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip


def _items(answer: Answer) -> Iterator[tuple[str, int, list[Piece]]]:
    kinds = {"arguments": "call"}
    for (kind, index), said in groupby(answer.pieces(), lambda piece: (kinds.get(piece.kind, piece.kind), piece.index)):
        yield kind, index, list(said)


def _done(kind: str, index: int, said: list[Piece], request: Request) -> dict[str, Any]:
    """Return an item with what was said of it so far."""
    text = "".join(piece.text for piece in said if piece.kind != "call")
    match kind:
        case "reasoning":
            summary = [{"type": "summary_text", "text": text}] if said else []
            return {"id": f"rs_{request.number}", "type": "reasoning", "summary": summary}
        case "text":
            content = [{"type": "output_text", "text": text, "annotations": []}] if said else []
            return {
                "id": f"msg_{request.number}",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
    name = next((piece.text for piece in said if piece.kind == "call"), "")
    return {
        "id": f"fc_{request.number}_{index}", "type": "function_call", "call_id": request.call(index), "name": name,
        "arguments": text, "status": "completed",
    }  # fmt: skip


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "sequence_number": 0, **fields})


def _frame(request: Request) -> dict[str, Any]:
    return {
        "id": f"resp_{request.number}", "object": "response", "created_at": 0, "model": request.body["model"],
        "status": "in_progress", "output": [], "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": None,
    }  # fmt: skip

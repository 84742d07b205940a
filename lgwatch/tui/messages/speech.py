"""How the parts of a message are shown: text as it is, reasoning, calls, refusals, images and the rest each in its way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lgwatch.events import Json
from lgwatch.records import Part
from lgwatch.tui.lines.signs import size

STYLES = {"text": "", "reasoning": "reasoning", "tool_call": "tool", "tool_result": "tool", "other": "dim"}
SHORT = 60
"""Characters of arguments that need no rows of their own."""


class Said(NamedTuple):
    """A stretch of a block: parts with the same `key` flow into each other; `prefix` stands before the first."""

    key: int
    prefix: str
    text: str
    style: str


def said(parts: Iterable[Part]) -> Iterator[Said]:
    """Yield how each part is shown, in order."""
    refusal = None
    for number, part in enumerate(parts):
        if part.kind != "other":
            refusal = None
            yield Said(number, prefix_of(part), part.text, STYLES.get(part.kind, "dim"))
            continue
        block = _content_block(part.text)
        if block.get("type") == "refusal" and isinstance(block.get("refusal"), str):
            # It streams in pieces, as text does; each is a content block of its own.
            yield Said(
                number if refusal is None else refusal, "⊘ " if refusal is None else "", block["refusal"], "warn"
            )
            refusal = number if refusal is None else refusal
            continue
        refusal = None
        yield Said(number, "▣ ", described(block) if block else part.text, "dim")


def prefix_of(part: Part) -> str:
    """Return what stands before a part's text."""
    if part.kind == "tool_call" and part.tool_call is not None:
        return f"⚙ {part.tool_call.get('name') or '…'} "
    return {"reasoning": "∴ "}.get(part.kind, "")


def ordered(text: str) -> str:
    """Return JSON with a row for each value where it is long, and any other text as it is."""
    if text[:1] not in "{[" or len(text) <= SHORT:
        return text
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(value, indent=2, ensure_ascii=False)


def described(block: dict[str, Json]) -> str:
    """Return one line for a content block that is no text: `image · image/png · 12.3 kB`, or its address."""
    kind = str(block.get("type", ""))
    media = next((word for word in ("image", "audio", "video", "file") if word in kind), None)
    if media is None:
        return f"{kind}  {json.dumps(block, ensure_ascii=False)}"
    inner = block.get(kind)
    about = {**(inner if isinstance(inner, dict) else {"url": inner} if isinstance(inner, str) else {}), **block}
    facts = [media]
    source = about.get("source")
    if isinstance(source, dict):
        about = {**source, **about}
    mime = about.get("mime_type") or about.get("media_type") or about.get("format")
    url = next((value for key in ("url", "file_id", "filename") if isinstance(value := about.get(key), str)), "")
    data = next((value for key in ("base64", "data", "file_data") if isinstance(value := about.get(key), str)), "")
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        mime, url = mime or head.removeprefix("data:").partition(";")[0], ""
    if mime:
        facts.append(str(mime))
    if data:
        facts.append(size(len(data) * 3 // 4))
    if url:
        facts.append(url)
    return " · ".join(facts)


def _content_block(text: str) -> dict[str, Json]:
    try:
        block = json.loads(text)
    except (ValueError, RecursionError):  # cut by the runner, or nothing that is JSON
        return {}
    return block if isinstance(block, dict) else {}

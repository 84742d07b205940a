"""Tool calls that wait for a person's decision, in the form of LangChain's human-in-the-loop middleware: what is asked,
and what words such as `approve` or `reject: too much` mean as an answer. Any other question is left alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lgwatch.errors import InputError
from lgwatch.events import Json

WORDS = {
    "approve": "approve", "yes": "approve", "y": "approve", "ok": "approve",
    "reject": "reject", "no": "reject", "n": "reject",
    "edit": "edit", "respond": "respond",
}  # fmt: skip
"""What may be typed, in small letters → the decision that it is."""
EVERY = ("approve", "edit", "reject", "respond")


@dataclass(frozen=True, slots=True)
class Review:
    """One tool call to decide on, and the decisions that are allowed."""

    name: str
    args: Json
    allowed: tuple[str, ...] = EVERY


def reviews(value: Json) -> list[Review]:
    """Return the tool calls that an interrupt's value asks about; none when it asks about anything else."""
    if not isinstance(value, dict):
        return []
    if value.get("type") == "tool_approval" and "args" in value:
        return [Review(str(value.get("name")), value["args"])]
    asked, how = value.get("action_requests"), value.get("review_configs")
    if not (isinstance(asked, list) and isinstance(how, list)):
        return []
    allowed = {
        one.get("action_name"): tuple(map(str, one.get("allowed_decisions") or EVERY))
        for one in how
        if isinstance(one, dict)
    }
    if not all(isinstance(one, dict) for one in asked):
        return []
    return [Review(str(one.get("name")), one.get("args"), allowed.get(one.get("name"), EVERY)) for one in asked]


def decided(text: str, value: Json) -> Json:
    """Return the answer that words give to such a question, None when the text is JSON or the question another.

    Words for one call do for several; with `;` between them each call has its own. Raises InputError.
    """
    asked = reviews(value)
    if not asked or text.lstrip()[:1] in ("{", "["):
        return None
    parts = text.split(";") if len(asked) > 1 else [text]
    if len(parts) == 1:
        parts *= len(asked)
    if len(parts) != len(asked):
        raise InputError(f"{len(asked)} calls wait for a decision, and {len(parts)} were given", hint(value))
    decisions = [_decision(part.strip(), one) for part, one in zip(parts, asked, strict=True)]
    return {"decisions": decisions} if "action_requests" in value else decisions[0]


def hint(value: Json) -> str:
    """Return what may be typed, "" when no tool call is asked about."""
    asked = reviews(value)
    if not asked:
        return ""
    first = asked[0]
    # What is left out stays as it was: one argument is example enough.
    some = dict(list(first.args.items())[:1]) if isinstance(first.args, dict) else {}
    ways = {
        "approve": "approve", "reject": "reject: why", "respond": "respond: text",
        "edit": f"edit {json.dumps(some, ensure_ascii=False)}",
    }  # fmt: skip
    told = " · ".join(ways[way] for way in ("approve", "reject", "edit", "respond") if way in first.allowed)
    return f"{told} · for all, or one each with ;" if len(asked) > 1 else told


def readable(value: Json) -> Json:
    """Return what is asked without its wrapping: tools and arguments, and what was said about them; None for any other.

    A description that only says the same again is left out.
    """
    asked = reviews(value)
    if not asked:
        return None
    requests = value.get("action_requests", [value])
    told: dict[str, Json] = {}
    for number, (one, request) in enumerate(zip(asked, requests, strict=False), 1):
        before = f"{number} " if len(asked) > 1 else ""
        told[before + one.name] = one.args
        said = str(request.get("description") or "")
        if said and not (f"Tool: {one.name}" in said and "Args:" in said):
            told[f"{before}description"] = said
    return told


def _decision(text: str, asked: Review) -> Json:
    word, _, rest = text.replace(":", " ", 1).partition(" ") if text else ("", "", "")
    way, rest = WORDS.get(word.lower(), ""), rest.strip()
    if way not in asked.allowed:
        said = f"{word!r} is no decision about {asked.name}" if not way else f"{way} is not allowed for {asked.name}"
        raise InputError(said, f"these are: {', '.join(asked.allowed)}")
    if way == "edit":
        return {"type": way, "edited_action": {"name": asked.name, "args": _args(text, asked)}}
    if way == "respond" and not rest:
        raise InputError("there is no text to respond with", "write it behind the word: respond: in blue")
    return {"type": way, "message": rest} if rest and way != "approve" else {"type": way}


def _args(text: str, asked: Review) -> Json:
    """Return the arguments that stand behind the word; what is left out stays as it was."""
    start = text.find("{")
    try:
        given = json.loads(text[start:]) if start >= 0 else None
    except ValueError as error:
        raise InputError(f"the arguments are not JSON: {error}", "check quotes and brackets") from None
    if not isinstance(given, dict):
        raise InputError(f"the arguments of {asked.name} are missing", f"such as: edit {json.dumps(asked.args)}")
    return {**(asked.args if isinstance(asked.args, dict) else {}), **given}

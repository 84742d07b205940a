"""What a person types, made into input and answers; checked against the graph's own schema before anything runs."""

from __future__ import annotations

import json
from typing import Any

from lgwatch.errors import InputError
from lgwatch.events import Json


def read_input(text: str, schema: Json) -> tuple[Json, str | None]:
    """Return `(input, None)` for JSON, or `(None, message)` for plain text to a graph with `messages`.

    Plain text also does where the graph takes a string, or one key that is a string. Raises InputError.
    """
    text = text.strip()
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    looks_like_json = text[:1] in ("{", "[", '"')
    if not looks_like_json:
        if "messages" in properties:
            return None, text
        keys = _wanted(schema)
        if len(keys) == 1 and _takes_text(properties.get(keys[0], {})):
            return check({keys[0]: text}, schema), None
        if isinstance(schema, dict) and schema.get("type") == "string":
            return text, None
    return check(_json(text, schema), schema), None


def read_answer(text: str, schema: Json) -> Json:
    """Return an interrupt's answer: JSON where the text is JSON, else the text itself. Raises InputError."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        meant_as_json = text.strip()[:1] in ("{", "[")
        answer = _json(text, None) if meant_as_json else text
    return check(answer, schema)


def check(value: Json, schema: Json) -> Json:
    """Return the value if the schema takes it. Raises InputError that says where it does not fit."""
    if not isinstance(schema, dict):
        return value
    from jsonschema import Draft202012Validator, ValidationError

    try:
        Draft202012Validator(schema).validate(value)
    except ValidationError as error:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(
            "."
        )
        said = error.message if len(error.message) < 200 else error.message[:200] + "…"
        raise InputError(f"{where or 'the value'}: {said}", hint_for(schema)) from None
    except Exception:  # the graph's own schema cannot be used: not the fault of who types
        return value
    return value


def hint_for(schema: Json, *, words: bool = False) -> str:
    """Return what may be typed, as an example of JSON; `words` where plain text does for a graph that wants one string."""
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    if "messages" in properties:
        return "type what the user says, or JSON"
    keys = _wanted(schema)
    text = words and len(keys) == 1 and _takes_text(properties.get(keys[0], {}))
    example = {key: _example(properties.get(key, {})) for key in keys[:4]}
    if not example:
        return "type JSON"
    return f"type {f'the {keys[0]}, or ' if text else ''}JSON such as {json.dumps(example, ensure_ascii=False)}"


def _wanted(schema: Json) -> list[str]:
    if not isinstance(schema, dict):
        return []
    return list(schema.get("required") or schema.get("properties", {}))


def _takes_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string"


def _example(schema: dict[str, Any]) -> Json:
    kinds: dict[str, Json] = {"string": "…", "integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
    return kinds.get(str(schema.get("type")), "…")


def _json(text: str, schema: Json) -> Json:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = hint_for(schema) if isinstance(schema, dict) else "check quotes and brackets"
        raise InputError(f"not JSON: {error.msg} at column {error.colno}", hint) from None
    except RecursionError:
        raise InputError("the JSON is nested too deep", "make it flatter") from None

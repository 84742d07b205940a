"""Any Python value → JSON, for the account of a graph that nobody watches: by the values' own methods, in few lines.

It trusts the graph, as an account that runs beside it may; the journal's own `values` does not, and is not used here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from lgwatch.events import Json

WRITTEN = (dt.date, dt.time, dt.timedelta, uuid.UUID, decimal.Decimal, pathlib.PurePath)
DEEP = 30


def plain(value: Any, depth: int = 0) -> Json:
    """Return a value as JSON; what is none of it becomes `{"$type": name}` with what can be told of it."""
    if value is None or type(value) in (bool, float) or (type(value) is int and value.bit_length() < 64):
        return value
    if type(value) is int:
        return {"$type": "int", "value": str(value)}
    if depth > DEEP:
        return {"$type": "…"}
    name = type(value).__name__

    def inner(one: Any) -> Json:
        return plain(one, depth + 1)

    if isinstance(value, enum.Enum):
        return {"$type": name, "name": value.name, "value": inner(value.value)}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, BaseModel):
        fields = {key: getattr(value, key) for key in type(value).model_fields} | (value.model_extra or {})
        return {"$type": name, "fields": {key: inner(one) for key, one in fields.items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {"$type": name, "fields": {key: inner(one) for key, one in fields.items()}}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value) or list(value) == ["$writes"]:
            return {str(key): inner(one) for key, one in value.items()}
        return {"$type": "dict", "items": [[inner(key), inner(one)] for key, one in value.items()]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"$type": name, "fields": {key: inner(one) for key, one in value._asdict().items()}}  # type: ignore[attr-defined]
    if isinstance(value, (list, tuple)):
        return [inner(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return {"$type": "set", "items": [inner(one) for one in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"$type": name, "size": len(value)}
    if isinstance(value, WRITTEN):
        return {"$type": name, "value": value.isoformat() if hasattr(value, "isoformat") else str(value)}
    if isinstance(value, BaseException):
        return {"$type": name, "fields": {"message": str(value)}}
    if name in {"Send", "Command", "Interrupt", "Overwrite"}:
        slots = [*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", {})]
        return {"$type": name, "fields": {key: inner(getattr(value, key)) for key in slots}}
    return {"$type": name}

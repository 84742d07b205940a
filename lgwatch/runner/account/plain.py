"""Any Python value → JSON, for the account of a graph that nobody watches: by the values' own methods, in few lines.

It trusts the graph, as an account that runs beside it may; the journal's own `values` does not, and is not used here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import pathlib
import uuid
from collections import UserList
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from lgwatch.events import Json

WRITTEN = (dt.date, dt.time, dt.timedelta, uuid.UUID, decimal.Decimal, pathlib.PurePath)
DEEP = 30
"""Levels of one value that are told."""


def plain(value: Any) -> Json:
    """Return a value as JSON; what is none of it becomes `{"$type": name}` with what can be told of it."""
    return _plain(value, 0)


def _plain(value: Any, depth: int) -> Json:
    if isinstance(value, enum.Enum):
        return {"$type": type(value).__name__, "name": value.name, "value": _plain(value.value, depth + 1)}
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, (int, float)):
        return _number(value)
    if depth > DEEP:
        return {"$type": "…"}
    try:
        return _object(value, lambda inner: _plain(inner, depth + 1))
    except Exception:  # a user's class: how an account is taken must not look like a failure of the graph
        return {"$type": type(value).__name__}


def _number(value: float) -> Json:
    if isinstance(value, int):
        return int(value) if value.bit_length() < 64 else {"$type": "int", "value": str(value)}
    return float(value) if math.isfinite(value) else {"$type": "float", "value": str(float(value))}


def _object(value: Any, inner: Callable[[Any], Json]) -> Json:
    name = type(value).__name__
    fields = _fields(value)
    if fields is not None:
        return {"$type": name, "fields": {key: inner(one) for key, one in fields.items()}}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value) or list(value) == ["$writes"]:
            return {str(key): inner(one) for key, one in value.items()}
        return {"$type": "dict", "items": [[inner(key), inner(one)] for key, one in value.items()]}
    if isinstance(value, (list, tuple, UserList)):
        return [inner(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return {"$type": "set", "items": [inner(one) for one in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"$type": name, "size": len(value)}
    if isinstance(value, WRITTEN):
        return {"$type": name, "value": value.isoformat() if hasattr(value, "isoformat") else str(value)}
    if isinstance(value, BaseException):
        return {"$type": name, "fields": {"message": str(value)}}
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # a number of numpy's
        return inner(value.item())
    return {"$type": "type" if isinstance(value, type) else name}


def _fields(value: Any) -> dict[str, Any] | None:
    """Return what an object declares to hold, None for what declares nothing."""
    if isinstance(value, type):
        return None
    if isinstance(value, BaseModel):
        return {key: getattr(value, key) for key in type(value).model_fields} | (value.model_extra or {})
    if dataclasses.is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    if type(value).__name__ in {"Send", "Command", "Interrupt", "Overwrite"}:
        names = [*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", {})]
        return {name: getattr(value, name) for name in names}
    return None

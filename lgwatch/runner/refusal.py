"""What a run was given and could not use: errors that are about the input or the context, named as such."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from lgwatch.errors import InputError
from lgwatch.events import Json
from lgwatch.runner.failure import message_of, traceback_text
from lgwatch.runner.needs import field_types

MOST = 5
"""Fields that are named."""


def checked_context(schema: Any, given: Json) -> Json:
    """Return a context that makes an instance of the schema, as LangGraph will. Raises InputError."""
    if not inspect.isclass(schema) or not (issubclass(schema, BaseModel) or dataclasses.is_dataclass(schema)):
        return given
    if not isinstance(given, dict):
        raise InputError("the context is not an object", _context_hint(schema))
    try:
        schema(**given)
    except (TypeError, ValueError) as error:
        raise InputError(f"the context does not fit: {said(error)}", _context_hint(schema)) from error
    except Exception:  # foreign code: the run will say what is wrong with it
        return given
    return given


def refused(graph: Any, error: BaseException, context: Json, *, began: bool) -> InputError | None:
    """Return the error as one about what the run was given; None when it is the graph's own.

    `began` tells whether any task was scheduled: before, only the input can be what does not fit.
    """
    if not began and (_is_validation(error) or (isinstance(error, TypeError) and "__init__()" in message_of(error))):
        return InputError(f"the input does not fit: {said(error)}", "`lgwatch graph` lists the keys of the input")
    schema = getattr(graph, "context_schema", None)
    name = _missing(error)
    if schema is None or not name or name in (context or {}) or name not in field_types(schema):
        return None
    if isinstance(error, KeyError) and name in (getattr(graph, "channels", None) or ()):
        return None  # a key of the state
    return InputError(
        f"this graph's context needs the field {name}", _context_hint(schema), detail=traceback_text(error)
    )


def said(error: BaseException) -> str:
    """Return what is wrong with which field, on one line."""
    if not _is_validation(error):
        return message_of(error).partition(".__init__() ")[2] or message_of(error)
    found: list[Mapping[str, Any]] = error.errors()  # type: ignore[attr-defined]  # pydantic's, checked by its name
    told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:MOST]]
    more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
    return "; ".join([*told, *more])


def _is_validation(error: BaseException) -> bool:
    return type(error).__name__ == "ValidationError" and callable(getattr(error, "errors", None))


def _missing(error: BaseException) -> str:
    """Return the field that was read of a context which has none, or not this one."""
    if isinstance(error, AttributeError) and error.obj is None:
        return str(error.name)
    return error.args[0] if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str) else ""


def _context_hint(schema: Any) -> str:
    example = ", ".join(f"{json.dumps(name)}: …" for name in list(field_types(schema))[:MOST])
    return f"give it with --context '{{{example}}}'"

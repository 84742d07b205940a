"""Options that are plain strings, or were not given, need no validation library: importing one delays the first picture.

Recent releases of typer coerce every value, None too, through pydantic, whose import takes longer than all of typer's.
The commands made of these classes load it for the values that need it; where typer has no such step, nothing changes.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command that coerces late."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help option too."""
        return [_late(param) for param in super().get_params(ctx)]


class Group(TyperGroup):
    """A group of commands that coerces its own options late."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help option too."""
        return [_late(param) for param in super().get_params(ctx)]


def _late(param: Any) -> Any:
    if getattr(param, "_runtime_param", param) is None and hasattr(param, "type_descriptor"):
        param._runtime_param = _AsGiven()  # noqa: SLF001 - typer offers no other way, and makes its own when this is None
    return param


class _AsGiven:
    """What coerces the values of one parameter: not at all, where there is nothing to do."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if type(value) is str and param.type_descriptor.annotation is str:
            return value
        param._runtime_param = None  # noqa: SLF001 - see above
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

"""A snapshot as the Python that makes it anew: what one pastes into a test. Objects of other libraries by their names."""

from __future__ import annotations

from collections.abc import Iterable

from lgwatch.events import Json

WIDE = 100
"""Characters of a line from which a container has a line for each of its parts."""
_QUIET: tuple[Json, ...] = ({}, [], None, "", False)
"""What a field need not be told of: it is what most of them are by themselves."""


def as_python(value: Json, indent: int = 0) -> str:
    """Return a Python expression for a snapshot; what was cut stays visible as a comment."""
    if isinstance(value, list):
        return _row("[", (as_python(one, indent + 4) for one in value), "]", indent)
    if not isinstance(value, dict):
        return repr(value)
    if isinstance(kind := value.get("$type"), str):
        return _tagged(kind, value, indent)
    if "$cut" in value and len(value) == 1:
        return f"...  # {value['$cut']}"
    return _row("{", (f"{name!r}: {as_python(one, indent + 4)}" for name, one in value.items()), "}", indent)


def _tagged(kind: str, value: dict[str, Json], indent: int) -> str:
    fields, items = value.get("fields"), value.get("items")
    if isinstance(fields, dict):
        said = {name: one for name, one in fields.items() if one not in _QUIET or name == "content"}
        return _row(f"{kind}(", (f"{name}={as_python(one, indent + 4)}" for name, one in said.items()), ")", indent)
    if isinstance(items, list):
        start, end = ("{", "}") if kind == "set" and items else (f"{kind}([", "])")
        return _row(start, (as_python(one, indent + 4) for one in items), end, indent)
    if kind in ("str", "bytes", "bytearray"):
        head = value.get("head", "")
        return f"b'{head}'" if kind == "bytes" else repr(head)
    if "repr" in value:
        return f"...  # {value['repr']}"
    if "value" in value:
        return f"{kind}({as_python(value['value'], indent + 4)})"
    return f"{kind}(...)"


def _row(start: str, parts: Iterable[str], end: str, indent: int) -> str:
    told = list(parts)
    line = start + ", ".join(told) + end
    if len(line) + indent <= WIDE and "\n" not in line and "#" not in line:
        return line
    inner = "".join(
        f"\n{' ' * (indent + 4)}{part}," if "  # " not in part else _commented(part, indent) for part in told
    )
    return f"{start}{inner}\n{' ' * indent}{end}"


def _commented(part: str, indent: int) -> str:
    code, _, comment = part.partition("  # ")
    return f"\n{' ' * (indent + 4)}{code},  # {comment}" if "\n" not in part else f"\n{' ' * (indent + 4)}{part},"

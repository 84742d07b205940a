"""What a JSON value is to a reader: the parts that it opens to, a word for what it is, and the path that leads to it."""

from __future__ import annotations

from lgwatch.events import Json
from lgwatch.tui.lines.signs import amount
from lgwatch.tui.tree.branch import Name, Path


class Words(str):
    """A remark that stands where a value would: not quoted, and not one of the graph's."""

    __slots__ = ()


def parts(value: Json) -> tuple[list[Name] | range, list[Json]]:
    """Return the names and the values of what a value opens to: a tagged object to its fields or items."""
    if isinstance(value, dict):
        fields, items = value.get("fields"), value.get("items")
        if "$type" in value and isinstance(fields, dict):
            return list(fields), list(fields.values())
        if "$type" in value and isinstance(items, list):
            return range(len(items)), items
        return list(value), list(value.values())
    return (range(len(value)), value) if isinstance(value, list) else ([], [])


def children(value: Json) -> list[tuple[Name, Json]]:
    """Return what a value opens to, each child with its name."""
    names, items = parts(value)
    return list(zip(names, items, strict=True))


def label(value: Json) -> str:
    """Return what an open value is: its type and size."""
    if isinstance(value, dict):
        return str(value["$type"]) if "$type" in value else f"{len(value)} keys" if len(value) != 1 else ""
    if isinstance(value, list):
        return f"list {amount(len(value))}"
    return f"{amount(len(value))} characters" if isinstance(value, str) else ""


def style(value: Json) -> str:
    """Return the style of a value's preview."""
    if isinstance(value, str):
        return "ok"
    if isinstance(value, bool) or value is None:
        return "accent"
    return "changed" if isinstance(value, int | float) else ""


def word(value: Json) -> str:
    """Return a value that is no container as JSON has it, a text without its quotation marks."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def path_text(path: Path, start: int = 1) -> str:
    """Return the path of a value as Python would write it after the section's name: `messages[3].content`."""
    text = ""
    for part in path[start:]:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]" if text else part
    return text or str(path[0])

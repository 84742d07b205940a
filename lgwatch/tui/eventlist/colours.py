"""The colours of printed lines, as styles of the theme; all else that a terminal would obey stays in the text, to be seen."""

from __future__ import annotations

from lgwatch.text import SGR
from lgwatch.tui.lines.rows import Row

_NAMES = ("dim", "error", "ok", "warn", "info", "tool", "accent", "")
"""Black, red, green, yellow, blue, magenta, cyan, white: by what they mean here, so that they can be read on any ground."""
_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_ENDS = {21: "bold", 22: "bold dim", 23: "italic", 24: "underline", 27: "reverse", 29: "strike"}


def coloured(text: str, base: str, before: str = "") -> Row:
    """Return the text in spans, in the style `base` where it has no colour; `before` is what was printed in front of it."""
    if "\x1b" not in text and "\x1b" not in before:
        return [(text, base)]
    colour, attributes = "", dict[str, bool]()
    for found in SGR.finditer(before):
        colour = _obeyed(found[1], colour, attributes)
    row: Row = []
    at = 0
    for found in SGR.finditer(text):
        row.append((text[at : found.start()], _style(base, colour, attributes)))
        colour, at = _obeyed(found[1], colour, attributes), found.end()
    row.append((text[at:], _style(base, colour, attributes)))
    return [span for span in row if span[0]]


def _style(base: str, colour: str, attributes: dict[str, bool]) -> str:
    return " ".join(name for name in (*attributes, colour or base) if name)


def _obeyed(codes: str, colour: str, attributes: dict[str, bool]) -> str:
    """Take in one sequence; return the colour that holds after it. Colours by number or parts are shown as none."""
    numbers = [int(code) for code in codes.replace(":", ";").split(";") if code] or [0]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            attributes.clear()
            colour = ""
        elif code in (38, 48, 58):
            del numbers[: 2 if numbers[:1] == [5] else 4]
            colour = "" if code == 38 else colour
        elif 30 <= code <= 37 or 90 <= code <= 97:
            colour = _NAMES[code % 10]
        elif code == 39:
            colour = ""
        elif code in _ATTRIBUTES:
            attributes[_ATTRIBUTES[code]] = True
        elif code in _ENDS:
            for name in _ENDS[code].split():
                attributes.pop(name, None)
    return colour

"""Text from a graph, made safe for a terminal: whatever is shown anywhere has come through `clean`."""

from __future__ import annotations

import re

TAB = 4
"""Columns between two tab stops, counted from the beginning of the text or of its line."""

HAZARD = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"  # invisible, or reorders text
    "\u115f\u1160\u3164\uffa0"  # letters without a picture
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
    "\U0001f3fb-\U0001f3ff]"  # colours of skin
)
_HAZARD_KEEPING_NEWLINES = re.compile(HAZARD.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
# Joiners, variation selectors and colours of skin belong to ordinary writing, but terminals disagree on the width of what
# they make. Without them every character keeps a width of its own.
_DROPPED = re.compile("[\u00ad\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


SGR = re.compile("\x1b\\[([0-9;:]{0,64})m")
"""What sets the colour of the text behind it: of all that a terminal obeys the only thing that says nothing itself."""


def colourless(text: str) -> str:
    """Return `text` without its colours; everything else that a terminal would obey is still there."""
    return SGR.sub("", text) if "\x1b" in text else text


def _stand_in(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if _DROPPED.match(char):
        return ""
    if 0xD800 <= code <= 0xDFFF or code >= 0xFFF0:
        return "\N{REPLACEMENT CHARACTER}"
    return f"⟨U+{code:04X}⟩"


def clean(text: str, *, newlines: bool = False) -> str:
    """Return `text` with a visible stand-in for everything that a terminal would obey instead of show.

    Tabs become spaces. Newlines become `␊`, unless `newlines` keeps them (and reads CR LF as one).
    """
    if text.isascii() and text.isprintable():
        return text
    if newlines:
        if "\r\n" in text:
            text = text.replace("\r\n", "\n")
        hazard = _HAZARD_KEEPING_NEWLINES
    else:
        hazard = HAZARD
    if not hazard.search(text):
        return text
    if "\t" in text:
        text = "\n".join(line.expandtabs(TAB) for line in text.split("\n"))
    return hazard.sub(_stand_in, text)

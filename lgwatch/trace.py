"""A traceback as text, taken apart: the error in its own words, and the frames with whose code they are, the newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lgwatch.events import Json

_FRAME = re.compile(r'^\s*File "(?P<file>.+?)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_FOREIGN = re.compile(r"(?:^|/)(?:site-packages|dist-packages)/|/lib/python\d|^<frozen|(?:^|/)lgwatch/runner/")


@dataclass(frozen=True, slots=True)
class Frame:
    """One call: its file and line, the function, and the source as it stood in the traceback."""

    file: str
    line: int
    name: str
    code: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is the user's code, and no library's."""
        return _FOREIGN.search(self.file) is None


@dataclass(slots=True)
class Raised:
    """One exception: what it says, its frames from where it was raised outwards, and what led from the one before to it."""

    words: list[str] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    link: str = ""


def parse(text: str) -> list[Raised]:
    """Return the exceptions of a traceback, the last one first; what is no traceback is one with words and no frames."""
    chain = [Raised()]
    code: list[str] = []
    for line in text.splitlines():
        found = _FRAME.match(line)
        now = chain[-1]
        if found is not None:
            code = []
            now.frames.insert(0, Frame(found["file"], int(found["line"]), found["name"] or "", ()))
        elif line in _LINKS:
            chain.append(Raised(link=line))
        elif now.frames and line.startswith("    ") and not now.words:
            # Carets below the code say little in a terminal's width.
            if line.strip(" ^~"):
                code.append(line.strip())
                first = now.frames[0]
                now.frames[0] = Frame(first.file, first.line, first.name, tuple(code))
        elif line.strip() and not line.startswith("Traceback (most recent call last)"):
            now.words.append(line)
    return [one for one in reversed(chain) if one.words or one.frames]


def frames_first(raised: Raised) -> list[Frame]:
    """Return an exception's frames, the user's own before those of libraries, each group from where it was raised."""
    return sorted(raised.frames, key=lambda frame: not frame.own)


def of_error(error: Mapping[str, Json]) -> list[Raised]:
    """Return the exceptions that the journal's `error` tells of, the last one first, never none."""
    chain = parse(str(error.get("traceback") or ""))
    said = ": ".join(part for part in (str(error.get("type") or ""), str(error.get("message") or "")) if part)
    if not chain:
        return [Raised([said or "an error without words"])]
    chain[0].words = chain[0].words or [said]
    return chain

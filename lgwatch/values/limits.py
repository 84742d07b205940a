"""How much of a value is shown, and how a cut is marked: the numbers that every module about values shares."""

from __future__ import annotations

from typing import Final

from lgwatch.events import Json

DEPTH: Final = 40
"""Levels of nesting that are shown; deeper is `{"$cut": {"depth": 40}}`."""
ITEMS: Final = 10_000
"""Elements of one container that are shown."""
NODES: Final = 200_000
"""Elements of one value that are shown, all containers together."""
TEXT: Final = 65_536
"""Characters of one string that are shown."""
ALL_TEXT: Final = 4 * 1024 * 1024
"""Characters of one value that are shown, all strings together."""
SECONDS: Final = 0.5
"""Time after which the rest of a value is cut."""
REPR_SECONDS: Final = 0.2
"""Time that a `__repr__` written in Python gets; a type that needs more is not asked again."""
REPR: Final = 2_000
"""Characters of a `repr` that are shown."""
HEAD: Final = 256
"""Bytes of a binary value that are shown."""

REF_AT: Final = 128
"""Encoded size in bytes from which a value is stored once and referred to."""
MESSAGE_REF_AT: Final = 64
"""The same for messages, which a conversation repeats in every step."""
LONG: Final = 16
"""Lists with more elements are remembered, so that growing ones are stored as what was appended."""
FEW: Final = 8
"""Entries of a dict up to which it is worth a look whether it is small and plain."""


def cut(size: int, shown: int) -> Json:
    """Return the mark of what is left out when `shown` of `size` are there."""
    return {"$cut": {"size": size, "shown": shown}}

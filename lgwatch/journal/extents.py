"""Where the lines of a journal are that was cut while it was read. A position is given once: no line takes another's."""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import NamedTuple


class _Extent(NamedTuple):
    """What begins at a position: so much of the file, or what the reader has told itself."""

    begin: int
    at: int
    """Where in the file it begins; of what stands in no file, 0."""
    told: bytes | None = None


class Extents:
    """Positions of a journal's lines, and where in its file they are. They differ once the file was cut."""

    def __init__(self) -> None:
        self._extents = [_Extent(0, 0)]

    def in_file(self, position: int) -> int:
        """Return where in the file a position after everything that was told is."""
        last = self._extents[-1]
        return position - last.begin + last.at

    def tell(self, line: bytes, position: int, size: int) -> None:
        """Let a line that stands in no file be next; after it comes what the file has from `size` on."""
        self._extents += [_Extent(position, 0, line), _Extent(position + len(line), size)]

    def read(self, fd: int, start: int, end: int) -> bytes:
        """Return what is between two positions; newlines stand for what the file has lost."""
        if len(self._extents) == 1:
            return os.pread(fd, end - start, start)
        found = bytearray()
        number = bisect_right(self._extents, start, key=lambda one: one.begin) - 1
        while start < end:
            extent = self._extents[number]
            last = number + 1 == len(self._extents)
            stop = end if last else min(end, self._extents[number + 1].begin)
            found += self._piece(fd, number, start - extent.begin, stop - start)
            number, start = number + 1, max(stop, start)
        return bytes(found)

    def _piece(self, fd: int, number: int, offset: int, size: int) -> bytes:
        extent = self._extents[number]
        if extent.told is not None:
            return extent.told[offset : offset + size]
        start = extent.at + offset
        # What was cut off may have been written anew, with other lines.
        left = min((one.at for one in self._extents[number + 1 :] if one.told is None), default=start + size)
        there = max(min(size, left - start), 0)
        return os.pread(fd, there, start).ljust(size, b"\n")

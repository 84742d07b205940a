"""Columns of numbers that only grow: what is old lies in a file without a name, which the watcher's memory does not hold.

A short column is an array. The system takes the file back when the process ends, however it ends; where there is no
room for one, a column stays in memory.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Generic, TypeVar, overload

Number = TypeVar("Number", int, float)

TAIL = 1 << 14
"""Items that stand in memory before they go to the file."""
AT_ONCE = 1 << 16
"""Items that are read from the file at a time, where many are wanted."""
SHIFT = 9
BLOCK = 1 << SHIFT
"""Items that are read at a time, where one is."""
BLOCKS = 32
"""Blocks that a column remembers. A mapped file would be read faster, and would count as memory wherever it was read."""


class Shelf:
    """Bytes in a file without a name: what was put there can be read for as long as the shelf is held by somebody."""

    def __init__(self) -> None:
        self.size = 0
        self._fd = -1
        self._full = False

    def put(self, data: bytes | memoryview) -> bool:
        """Append the bytes; return whether there was room for them."""
        if self._full:
            return False
        try:
            if self._fd < 0:
                self._fd = _nameless()
            room = os.pwrite(self._fd, data, self.size) == len(data)
        except OSError:
            room = False
        # What was written of it in part, is behind the end, and no mapping reaches there.
        self._full = not room
        self.size += len(data) if room else 0
        return room

    def cut(self, size: int) -> None:
        """Forget what is behind the first `size` bytes."""
        self.size = size

    def read(self, start: int, size: int) -> bytes:
        """Return bytes that were put there."""
        return os.pread(self._fd, size, start)

    def __del__(self) -> None:
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)


def _nameless() -> int:
    """Return a new file that has no name. Not in `/tmp` where that can be helped: it often is memory. Raises OSError."""
    lasting = "/var/tmp"  # noqa: S108 - the file is made without a name, or with a random one that it loses at once
    own = None if os.environ.get("TMPDIR") or not os.access(lasting, os.W_OK) else lasting
    with tempfile.TemporaryFile(dir=own, buffering=0) as file:
        return os.dup(file.fileno())


class Column(Sequence[Number], Generic[Number]):
    """Numbers in the order in which they came, all of one C type; `append` is an array's own.

    Who appends, says now and then that the column may `settle`; `extend` does so by itself. Slices are arrays.
    """

    __slots__ = ("_blocks", "_code", "_cold", "_heads", "_shelf", "_tail", "append", "loose")

    append: Callable[[Number], None]
    """Add a number."""

    def __init__(self, code: str, items: Iterable[Number] = (), *, loose: bool = False) -> None:
        """A column of the array type `code`, such as `"I"`. While it is `loose` it stays in memory, and may grow in front."""
        self.loose = loose
        self._code = code
        self._tail: array[Number] = array(code)
        self._cold = 0  # how many are on the shelf
        self._shelf: Shelf | None = None
        self._blocks: dict[int, array[Number]] = {}  # those that were read, by their number
        self._heads: array[Number] = array(code)  # the first number of each block on the shelf
        self.append = self._tail.append
        self.extend(items)

    def extend(self, items: Iterable[Number]) -> None:
        """Add numbers."""
        self._tail.extend(items)
        if len(self._tail) >= TAIL:
            self.settle()

    def prepend(self, items: Iterable[Number]) -> None:
        """Add numbers before the first one."""
        assert not self._cold, "what is on the shelf does not move"
        self._tail[:0] = array(self._code, items)

    def cut(self, length: int) -> None:
        """Forget all but the first `length` numbers."""
        del self._tail[max(length - self._cold, 0) :]
        if length < self._cold and self._shelf is not None:
            # Blocks are whole: what begins the last one goes back to the tail.
            start = length - length % BLOCK
            self._tail[:0] = self._slice(start, length, 1)
            self._cold = start
            self._shelf.cut(start * self._tail.itemsize)
            self._blocks.clear()
            del self._heads[start // BLOCK :]

    def settle(self) -> None:
        """Put what is old where it takes no memory."""
        whole = len(self._tail) - len(self._tail) % BLOCK
        if whole < TAIL or self.loose:
            return
        self._shelf = self._shelf or Shelf()
        with memoryview(self._tail) as tail, tail[:whole].cast("B") as data:
            room = self._shelf.put(data)
        if room:
            self._cold += whole
            self._heads.extend(self._tail[:whole:BLOCK])
            del self._tail[:whole]

    def __len__(self) -> int:
        return self._cold + len(self._tail)

    @overload
    def __getitem__(self, index: int) -> Number: ...
    @overload
    def __getitem__(self, index: slice) -> array[Number]: ...
    def __getitem__(self, index: int | slice) -> Number | array[Number]:
        cold = self._cold
        if not cold:
            return self._tail[index]
        if type(index) is slice:
            return self._slice(*index.indices(len(self)))
        if index < 0:
            index += len(self)
            if index < 0:
                raise IndexError(index)
        if index >= cold:
            return self._tail[index - cold]
        return (self._blocks.get(index >> SHIFT) or self._block(index >> SHIFT))[index & BLOCK - 1]

    def _block(self, number: int) -> array[Number]:
        """Read a block."""
        if len(self._blocks) >= BLOCKS:
            self._blocks.clear()
        block = self._blocks[number] = self._slice(number * BLOCK, (number + 1) * BLOCK, 1)
        return block

    def bisect_left(self, number: Number) -> int:
        """Return where a number is among ascending ones, or would be; one block is read for it."""
        tail = self._tail
        if not self._cold or (tail and tail[0] < number):
            return self._cold + bisect_left(tail, number)
        block = max(bisect_left(self._heads, number) - 1, 0)
        return block * BLOCK + bisect_left(self._blocks.get(block) or self._block(block), number)

    def _slice(self, start: int, stop: int, step: int) -> array[Number]:
        if step != 1:
            return array(self._code, (self[index] for index in range(start, stop, step)))
        found: array[Number] = array(self._code)
        if start < min(stop, self._cold) and self._shelf is not None:
            size = self._tail.itemsize
            found.frombytes(self._shelf.read(start * size, (min(stop, self._cold) - start) * size))
        found.extend(self._tail[max(start - self._cold, 0) : max(stop - self._cold, 0)])
        return found

    def gather(self, indices: Sequence[int]) -> Iterator[Number]:
        """Yield the numbers at ascending indices, one after the other without a call for each."""
        if not indices or not self._cold:
            return map(self._tail.__getitem__, indices)
        if indices[0] >= self._cold:
            return map(self._tail.__getitem__, map((-self._cold).__add__, indices))
        return chain.from_iterable(map(self._near, self._stretches(indices)))

    def _stretches(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        for start in range(0, len(indices), AT_ONCE):
            yield indices[start : start + AT_ONCE]

    def _near(self, indices: Sequence[int]) -> Iterator[Number]:
        first, last = indices[0], indices[-1]
        if last - first > 16 * len(indices) + AT_ONCE:  # too far from each other for what lies between to be read
            return map(self.__getitem__, indices)
        return map(self[first : last + 1].__getitem__, map((-first).__add__, indices))

    def __iter__(self) -> Iterator[Number]:
        return chain.from_iterable(self[start : start + AT_ONCE] for start in range(0, len(self), AT_ONCE))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Column, array)):
            return NotImplemented
        return len(self) == len(other) and self[:] == other[:]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Column({self._code!r}, {len(self)} items, {self._cold} of them on the shelf)"

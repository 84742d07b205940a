"""What the target opened, held open by one task from its first step to its last: what is built on cancel scopes (a
client of a tool server, say) can only be left by the task that entered it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

Built = TypeVar("Built")

PATIENCE = 1.0
"""Seconds that user code gets to leave what it has entered."""


class Opened:
    """Context managers that stay open between `open` and `close`; `lost` is told of an end that nobody asked for."""

    def __init__(self, lost: Callable[[BaseException], None]) -> None:
        self._lost = lost
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self, build: Callable[[AsyncExitStack], Awaitable[Built]]) -> Built:
        """Return what `build` makes with the stack. Raises what it raises."""
        ready: asyncio.Future[Built] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(build, ready), name="lgwatch-opened")
        self._task.add_done_callback(self._ended)
        try:
            return await ready
        except asyncio.CancelledError:
            self._task.cancel()
            raise

    async def close(self) -> None:
        """Leave everything. Raises what that raises, and TimeoutError when it takes too long."""
        self._closing.set()
        if self._task is None or self._task.done():
            return
        await asyncio.wait({self._task}, timeout=PATIENCE)
        if not self._task.done():
            self._task.cancel()
            raise TimeoutError(f"it takes longer than {PATIENCE:g} s")
        self._task.result()

    async def _hold(self, build: Callable[[AsyncExitStack], Awaitable[Built]], ready: asyncio.Future[Built]) -> None:
        async with AsyncExitStack() as stack:
            try:
                built = await build(stack)
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)
                return
            ready.set_result(built)
            await self._closing.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._closing.is_set() or task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._lost(error)

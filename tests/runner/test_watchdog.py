from __future__ import annotations

import asyncio
import time

from lgwatch.events import Event, LoopDelayed
from lgwatch.runner.watchdog import BEAT, LATE, PAUSE, Watchdog


def blocked(times: int, seconds: float) -> tuple[list[LoopDelayed], float]:
    """What is told of a loop that is blocked this often, and for how long it was watched."""
    told: list[Event] = []

    async def block() -> float:
        began = time.monotonic()
        with Watchdog(told.append):
            for _ in range(times):
                time.sleep(seconds)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        return time.monotonic() - began

    took = asyncio.run(block())
    return [event for event in told if type(event) is LoopDelayed], took


def test_a_loop_that_does_not_turn_is_told_of_with_its_delay() -> None:
    told, took = blocked(1, 3 * BEAT)
    assert len(told) == 1
    assert LATE <= told[0].delay <= told[0].window <= took


def test_many_delays_are_told_as_the_longest_of_half_a_second_and_none_is_left_out_at_the_end() -> None:
    told, took = blocked(8, 1.5 * BEAT)
    assert 2 <= len(told) <= took / PAUSE + 2
    assert any(event.window > event.delay for event in told)
    assert sum(event.window for event in told) <= took


def test_what_comes_after_the_run_is_not_told() -> None:
    told: list[Event] = []

    async def run() -> None:
        with Watchdog(told.append):
            time.sleep(2 * BEAT)  # a question waits, and is answered when nobody asks any more
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert told == []

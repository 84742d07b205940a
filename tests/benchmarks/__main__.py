"""`python -m tests.benchmarks [NAME …] [--json]`: every measure in one table: what, measured, bound, ok.

The load of the machine is told with it: the bounds are for one that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

from tests.benchmarks import (
    bench_drawing,
    bench_events,
    bench_lines,
    bench_runner,
    bench_screen,
    bench_soak,
    bench_stream,
    bench_values,
)
from tests.benchmarks.bench_screen import Measure

RATIOS = {"agents": 1.02, "tokens": 1.25, "steps": 1.25, "sends": 1.25}
"""How many times as long a graph may take when it is watched."""


def runner(case: str) -> Iterator[Measure]:
    """What watching costs a graph, against its bare stream with the same modes."""
    found = bench_runner.spawn(case, 3 if case in ("agents", "conversation") else bench_runner.ROUNDS)
    if case in RATIOS:
        yield Measure(f"{case}: watched to bare", found["watched"] / found["bare"], RATIOS[case], "x")
    if case == "customs":
        extra = (found["watched"] - found["bare"]) / 5_000
        yield Measure("customs: cost of an event", extra * 1e6, 12, "µs")
    if case == "conversation":
        yield Measure("conversation: journal to final state", found["size_ratio"], 6, "x")
        late = found["late"] / found["early"] if found["early"] > 0 else 0.0
        yield Measure("conversation: last hundred steps to first", late, 1.5, "x")


def line_views() -> Iterator[Measure]:
    """Two line views under load, without the rest of the screen."""
    found = bench_lines.measure("lean", 10_000, 100, (200, 60))
    yield Measure("line views, 10000 events/s: key to picture, p50", found["p50_ms"], None, "ms")
    yield Measure("line views, 10000 events/s: key to picture, p99", found["p99_ms"], 50, "ms")


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {
    **{f"runner_{case}": partial(runner, case) for case in bench_runner.CASES},
    "line_views": line_views,
    **{f"drawing_{name}": measure for name, measure in bench_drawing.MEASURES.items()},
    **{f"values_{name}": measure for name, measure in bench_values.MEASURES.items()},
    **{f"events_{name}": measure for name, measure in bench_events.MEASURES.items()},
    **{f"screen_{name}": measure for name, measure in bench_screen.MEASURES.items()},
    **{f"tokens_{name}": measure for name, measure in bench_stream.MEASURES.items()},
}


BY_HAND: dict[str, Callable[[], Iterator[Measure]]] = {"soak": lambda: bench_soak.measure(5_000_000)}
"""What takes minutes, and is measured only by its name."""


def main() -> int:
    """Print the table; return how many bounds do not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which of {', '.join(MEASURES)}, all by default; or {', '.join(BY_HAND)}",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in MEASURES | BY_HAND]:
        parser.error(f"there is no {unknown[0]!r}: one of {', '.join(MEASURES)}")
    missed = 0
    for name in options.names or MEASURES:
        for row in (MEASURES | BY_HAND)[name]():
            missed += not row.ok
            line = {**asdict(row), "ok": row.ok, "load": round(os.getloadavg()[0], 2)}
            print(json.dumps(line) if options.json else row, flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {missed} bounds missed", file=sys.stderr)
    return min(missed, 100)


if __name__ == "__main__":
    sys.exit(main())

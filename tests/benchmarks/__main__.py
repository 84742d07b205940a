"""`python -m tests.benchmarks [NAME …]`: every budget in one table: what, measured, bound, whether it holds, the naive way.

NAME is a bench or a group of them; all are measured without one. The bounds are for a machine that does nothing else: what
it does besides is told with the table. Ctrl+C ends it with what was measured until then.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import (
    bench_drawing,
    bench_events,
    bench_lines,
    bench_runner,
    bench_screen,
    bench_soak,
    bench_stream,
    bench_tokens,
    bench_values,
)
from tests.benchmarks.measure import Measure
from tests.benchmarks.table import chosen, compared, document, markdown

GROUPS = {
    "runner": bench_runner, "screen": bench_screen, "lines": bench_lines, "stream": bench_stream, "tokens": bench_tokens,
    "events": bench_events, "values": bench_values, "drawing": bench_drawing, "soak": bench_soak,
}  # fmt: skip
BENCHES: dict[str, Callable[[], Iterator[Measure]]] = {
    f"{group}.{name}": bench for group, module in GROUPS.items() for name, bench in module.MEASURES.items()
}


def measured(names: list[str], failed: dict[str, str]) -> Iterator[Measure]:
    """Run benches and yield their rows; one that fails is noted in `failed`, and the others go on."""
    began = time.monotonic()
    for name, bench in chosen(BENCHES, names).items():
        print(f"[{time.monotonic() - began:4.0f} s] {name}", file=sys.stderr, flush=True)
        try:
            for row in bench():
                yield replace(row, name=name)
        except Exception as error:
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"


def main() -> int:
    """Print the table; return how many bounds do not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(GROUPS)}, or one of {', '.join(BENCHES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there, for --compare of a later run")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="then tell what is different from that table")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown, dated, with the machine")
    options = parser.parse_args()
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else None
    found: list[Measure] = []
    failed: dict[str, str] = {}
    load = os.getloadavg()[0]
    try:
        for row in measured(options.names, failed):
            found.append(row)
            print(row, file=sys.stderr if options.markdown else sys.stdout, flush=True)
    except KeyboardInterrupt:
        print("the table ends here", file=sys.stderr)
    except KeyError as error:
        parser.error(f"there is no {error.args[0]!r}: one of {', '.join([*GROUPS, *BENCHES])}")
    table = document(found, failed, load)
    if options.json:
        options.json.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in (*(markdown(table) if options.markdown else ()), *(compared(before, table) if before else ())):
        print(line)
    missed = sum(row.holds is False for row in found) + len(failed)
    print(f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after; {missed} missed", file=sys.stderr)
    return min(missed, 100)


if __name__ == "__main__":
    sys.exit(main())

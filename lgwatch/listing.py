"""The list of recorded runs, as a table for people and as lines for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lgwatch.plain import duration
from lgwatch.store import RunFile
from lgwatch.text import clean

HEADS = ("NAME", "TARGET", "STATUS", "TOOK", "EVENTS", "SIZE")


def as_table(runs: Sequence[RunFile]) -> Iterator[str]:
    """Yield the table's lines, nothing when there are no runs."""
    rows = [
        (
            run.name,
            run.target,
            run.status,
            duration(run.duration),
            "many" if run.events is None else f"{run.events}",
            _size(run.size),
        )
        for run in runs
    ]
    if not rows:
        return
    table = [HEADS, *([clean(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        left = "  ".join(cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True))
        right = "  ".join(cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True))
        yield f"{left}  {right}"


def as_json(runs: Sequence[RunFile]) -> Iterator[str]:
    """Yield a JSON object for each run."""
    for run in runs:
        yield json.dumps(
            {
                "name": run.name,
                "path": str(run.path),
                "target": run.target,
                "started": run.started,
                "status": run.status,
                "duration": round(run.duration, 6),
                "events": run.events,
                "size": run.size,
            },
            ensure_ascii=False,
        )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"

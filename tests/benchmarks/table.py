"""The table of budgets: which benches are meant, and their rows as Markdown, as JSON, and beside those of another day.

What it tells of the machine is what makes numbers comparable: neither its name nor any path.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Measure, number

Benches = Mapping[str, Callable[[], Iterator[Measure]]]
PACKAGES = ("langgraph", "textual", "orjson")
NOISE = 0.15
"""Two measures of the same differ by so much on a machine that does little else."""


def chosen(benches: Benches, names: Iterable[str]) -> dict[str, Callable[[], Iterator[Measure]]]:
    """Return the benches of these names, a group (`runner` of `runner.steps`) whole; all when there is no name.

    Raises KeyError with a name that is none.
    """
    found: dict[str, Callable[[], Iterator[Measure]]] = {}
    for name in names:
        mine = {key: bench for key, bench in benches.items() if name in (key, key.partition(".")[0])}
        if not mine:
            raise KeyError(name)
        found |= mine
    return found or dict(benches)


def machine() -> dict[str, Any]:
    """Return what numbers depend on."""
    return {
        "cores": os.cpu_count(), "processor": _processor(), "system": platform.system(),
        "python": platform.python_version(), **{name: version(name) for name in PACKAGES},
    }  # fmt: skip


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return models[0] if models else platform.machine()


def document(measured: Iterable[Measure], failed: Mapping[str, str], load: float) -> dict[str, Any]:
    """Return the table as JSON: when, where, and its rows; `load` is what the machine did besides before the first."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(), "load_before": round(load, 2),
        "rows": [{**asdict(row), "holds": row.holds} for row in measured], "failed": dict(failed),
    }  # fmt: skip


def told_of(document: Mapping[str, Any]) -> str:
    """Return in one line when and where a table was made."""
    where = document["machine"]
    packages = ", ".join(f"{name} {where[name]}" for name in PACKAGES if name in where)
    return (
        f"{document['date'][:10]}, {where['cores']} cores of {where['processor']}, {where['system']}, "
        f"Python {where['python']}, {packages}; load before {number(document['load_before'])}"
    )


def markdown(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table as Markdown: what has a bound, or a naive way beside it."""
    yield f"Measured on {told_of(document)}."
    yield ""
    yield "| what | measured | bound | holds | the naive way |"
    yield "|---|--:|--:|---|---|"
    for told in document["rows"]:
        row = _row(told)
        if row.bound is None and row.naive is None:
            continue
        bound = "" if row.bound is None else f"{number(row.bound)} {row.unit}".rstrip()
        verdict = {None: "", True: "yes", False: "**no**"}[row.holds]
        naive = "" if row.naive is None else f"{number(row.naive)} {row.unit} ({row.naive_is})"
        cells = (row.what, f"{number(row.value)} {row.unit}".rstrip(), bound, verdict, naive)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines on what is different: by more than noise, in whether it holds, or in being measured at all."""
    yield f"against {told_of(before)}"
    if before["machine"] != now["machine"]:
        yield "  another machine or other versions: differences may be theirs"
    old, new = ({(row["name"], row["what"]): _row(row) for row in each["rows"]} for each in (before, now))
    measured = {name for name, _ in new} | set(now["failed"])
    for key, row in new.items():
        if (was := old.get(key)) is None:
            yield f"  new      {row}"
        elif difference := _difference(was, row):
            yield f"  {difference}"
    for (name, what), was in old.items():
        if name in measured and (name, what) not in new:
            yield f"  gone     {was}"


def _difference(was: Measure, row: Measure) -> str:
    turned = was.holds != row.holds
    larger = max(abs(was.value), abs(row.value))
    if not turned and abs(row.value - was.value) <= NOISE * larger:
        return ""
    way = "worse " if row.value > was.value else "better"
    by = f"x{number(row.value / was.value)}" if was.value else ""
    end = f"  now {'holds' if row.holds else 'MISSED'}" if turned and row.holds is not None else ""
    return f"{way}   {row.name:22} {row.what:64} {number(was.value)} → {number(row.value)} {row.unit}  {by}{end}"


def _row(told: Mapping[str, Any]) -> Measure:
    return Measure(**{key: value for key, value in told.items() if key != "holds"})

"""One row of the table of budgets: what was measured, its bound, and what the naive way costs. Every bench yields these.

A bench is a module with `MEASURES`: the names of what it measures, each with a function that yields rows; `table.py` runs
them, names the rows and prints them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """What was measured, in `unit`."""

    what: str
    """The same words in every run: by them a run is compared with an earlier one."""
    value: float
    bound: float | None = None
    """What `value` may not be above; None for what is only told."""
    unit: str = ""
    naive: float | None = None
    """The same of the naive way, measured in the same run; None where there is none."""
    naive_is: str = ""
    """What the naive way is."""
    name: str = ""
    """The bench that it is of; the table fills it in."""

    @property
    def holds(self) -> bool | None:
        """Whether the bound holds; None without one."""
        return None if self.bound is None else self.value <= self.bound

    def __str__(self) -> str:
        verdict = {None: "", True: "holds", False: "MISSED"}[self.holds]
        bound = "" if self.bound is None else f"≤ {number(self.bound)}"
        beside = "" if self.naive is None else f"{number(self.naive)} {self.unit}  {self.naive_is}".rstrip()
        told = f"{number(self.value)} {self.unit:2}"
        return f"{self.name:22} {self.what:64} {told:>12}  {bound:8} {verdict:6}  {beside}".rstrip()


def number(value: float) -> str:
    """Return a number with as many digits as mean something."""
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value)}"
    return (
        f"{value:.0f}"
        if size >= 100
        else f"{value:.1f}"
        if size >= 10
        else f"{value:.2f}"
        if size >= 1
        else f"{value:.2g}"
    )

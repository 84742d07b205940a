"""One finding of the doctor, as a line that a person reads."""

from __future__ import annotations

from dataclasses import dataclass

from lgwatch.text import clean


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `good` is True, False, or None for what works with less; `fix` says what to do."""

    good: bool | None
    text: str
    fix: str = ""

    def __str__(self) -> str:
        sign = "⚠" if self.good is None else "✓" if self.good else "✗"
        lines = [f"{sign} {clean(self.text)}"]
        if self.fix:
            lines += [f"    {line}" for line in clean(self.fix, newlines=True).splitlines()]
        return "\n".join(lines)

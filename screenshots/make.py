"""Make the pictures: replay recordings of the samples on the real screen, without a terminal, and save what it shows.

    python screenshots/make.py [NAME …]        SVG, and PNG beside it where resvg-py is installed

A shot is a recording, the moment at which it is looked at, a size in cells and keys that are pressed first. The same
recording gives the same picture: time is the recording's, not the clock's.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from lgwatch.events import Event  # noqa: E402  the checkout's own package, wherever this is started
from lgwatch.sources import Recording  # noqa: E402
from lgwatch.tui.app import WatchApp  # noqa: E402

RECORDINGS = ROOT / "tests" / "recordings"


class Moment(Recording):
    """A recording of which only the first `until` seconds have happened yet."""

    def __init__(self, path: Path, until: float, label: str) -> None:
        super().__init__(path)
        self.until = until
        self.label = label
        self._rest: list[Event] | None = None

    @property
    def live(self) -> bool:
        """It looks as the live run did."""
        return True

    @property
    def finished(self) -> bool:
        """Nothing more comes."""
        return self._rest is not None

    def poll(self, budget: float | None = None) -> list[Event]:
        """Return what happened until the moment, once."""
        if self._rest is not None:
            return []
        self._rest = []
        while events := super().poll():
            self._rest += events
        return [event for event in self._rest if event.at <= self.until]

    def now(self) -> float:
        """Return the moment."""
        last = self._rest[-1].at if self._rest else 0.0
        return min(self.until, last)


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    recording: str
    at: float
    size: tuple[int, int] = (120, 36)
    keys: tuple[str, ...] = ()
    filter: str = ""


SHOTS = (
    Shot("watch", "research", 8.0),
    Shot("watch-80x24", "research", 8.0, (80, 24)),
    Shot("watch-200x60", "research", 8.0, (200, 60)),
    Shot("graph", "research", 11.0, (120, 44), keys=("shift+tab", "v")),
    Shot("done", "research", 1e9),
    Shot("filter", "joke_and_poem", 1.9, filter="tag:joke"),
    Shot("parallel", "joke_and_poem", 1.9),
    Shot("tools", "tool_agent", 1e9),
    Shot("timeline", "research", 1e9, keys=("4",)),
    Shot("interrupt", "approval", 1e9),
    Shot("failed", "flaky", 1e9),
    Shot("console", "noisy", 1e9, keys=("7",)),
    Shot("inspector", "tool_agent", 1e9, keys=("shift+tab", "down", "enter")),
)


async def draw(shot: Shot) -> str:
    """Return the shot as SVG."""
    source = Moment(RECORDINGS / f"{shot.recording}.jsonl", shot.at, f"{shot.recording}:graph")
    app = WatchApp(source, filter_text=shot.filter)
    async with app.run_test(size=shot.size) as pilot:
        for _ in range(8):
            await pilot.pause(0.05)
        for key in shot.keys:
            await pilot.press(key)
        for _ in range(8):
            await pilot.pause(0.05)
        svg = app.export_screenshot(title="lgwatch")
    # A picture needs no network: whoever looks at it has a monospaced font.
    svg = re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)
    return re.sub(r"terminal-\d+", "terminal", svg)


def png(svg: str) -> bytes | None:
    """Return the picture as PNG; None where the library for it is not installed."""
    try:
        import resvg_py
    except ImportError:
        return None
    local = svg.replace("Fira Code", "DejaVu Sans Mono").replace("arial", "DejaVu Sans")
    return bytes(resvg_py.svg_to_bytes(svg_string=local, zoom=2))


def main(names: list[str]) -> None:
    """Make the named shots, or all."""
    for shot in SHOTS:
        if (names and shot.name not in names) or not (RECORDINGS / f"{shot.recording}.jsonl").exists():
            continue
        svg = asyncio.run(draw(shot))
        (HERE / f"{shot.name}.svg").write_text(svg, encoding="utf-8")
        if (picture := png(svg)) is not None:
            (HERE / f"{shot.name}.png").write_bytes(picture)
        print(shot.name)


if __name__ == "__main__":
    main(sys.argv[1:])

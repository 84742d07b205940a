"""What a terminal shows after many small paints is what the views hold."""

import json
import random
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.terminal import Terminal
from tests.live import PATIENCE

pytestmark = pytest.mark.terminal

SIZE = (60, 16)
KEYS = ["k", "j", "g", "G", "pageup", "pagedown", "left", "right", "n", "N", "ctrl+u", "ctrl+d", "tab"]
CALM = 40
"""Changes at the end during which nobody scrolls: only single lines are painted, no paint of a whole view hides a lapse."""
CALM_KEYS = ["k", "j", "tab"]


def main(seed: str, path: str) -> None:
    """Change two views at random, then write what they hold."""
    from textual.app import App
    from textual.containers import Vertical

    from lgwatch.tui.lines.view import Lines, LineView
    from lgwatch.tui.messages.flow import Wrapped

    chance = random.Random(seed)

    class Changing(App):
        CSS = "Vertical { border: round $primary; }"

        def compose(self):
            self.log_rows, self.flow = Lines([[(f"first {n}", "")] for n in range(5)], limit=60), Wrapped()
            self.views = [LineView(self.log_rows, tail=True, cursor_row=True), LineView(self.flow, tail=True)]
            for view in self.views:
                with Vertical():
                    yield view

        def on_mount(self):
            self.left = 120
            self.blocks = []
            self.set_interval(0.01, self.change)

        async def change(self):
            self.left -= 1
            if self.left == 0:
                self.call_after_refresh(self.set_timer, 0.1, self.tell)
            if self.left <= 0:
                return
            for _ in range(chance.randrange(3)):
                self.log_rows.append(
                    [(f"{self.left} ", "time"), (chance.choice(["你好 needle", "x" * 70, "é"]), "node2")]
                )
            if not self.blocks or chance.random() < 0.1:
                self.blocks.append(self.flow.add(self.left, lambda width, left=self.left: [(f"block {left}", "title")]))
            block = chance.choice(self.blocks[-3:])
            self.flow.append(
                block, chance.choice(["word ", "你好", "\n", "needle ", "\x1b[31m"]), chance.choice(["", "", "tool"])
            )
            self.flow.mark(block, open=chance.random() < 0.5)
            if self.left == 60:
                self.views[chance.randrange(2)].search("needle")
            if self.left == CALM:
                for view in self.views:
                    view.scroll_rows(0)
            for view in self.views:
                view.show()
            if chance.random() < 0.3:
                self.simulate_key(chance.choice(KEYS if self.left > CALM else CALM_KEYS))

        def tell(self):
            for view in self.views:
                view.show()
            self.call_after_refresh(self.set_timer, 0.1, self.write)

        def write(self):
            held = [[strip.text for strip in view.render_lines(view.size.region)] for view in self.views]
            Path(path + ".part").write_text(json.dumps(held), encoding="utf-8")
            Path(path + ".part").rename(path)

    Changing().run()


def shown(line: str) -> str:
    # pyte puts an empty cell behind a wide character.
    return "".join(line.split())


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_what_was_painted_is_what_the_views_hold(seed, tmp_path):
    path = tmp_path / "held.json"
    with Terminal([sys.executable, "-m", "tests.tui.test_lines_terminal", str(seed), str(path)], *SIZE) as terminal:
        deadline = time.monotonic() + PATIENCE
        while not path.exists() and time.monotonic() < deadline and terminal.process.poll() is None:
            time.sleep(0.02)
        assert path.exists(), "\n".join(terminal.screen())
        held = json.loads(path.read_text(encoding="utf-8"))
        screen = terminal.screen()
    first, second = held
    painted = [line[1:-1] if line.startswith("│") else line for line in screen]
    assert [shown(line) for line in painted[1 : 1 + len(first)]] == [shown(line) for line in first]
    assert [shown(line) for line in painted[3 + len(first) : -1]] == [shown(line) for line in second]


if __name__ == "__main__":
    main(*sys.argv[1:])

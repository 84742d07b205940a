"""From key to first picture of a state of ten megabytes: the value browser, against a stock tree that is built whole.

Both run in this process on a terminal that drops what it is given.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from textual.app import App
from textual.widgets import Tree

from lgwatch.events import CheckpointSaved, RunStarted, ValueStored
from lgwatch.journal import encode
from lgwatch.tui.lines.pane import Subject
from lgwatch.tui.pages.inspector import Inspector
from tests.benchmarks.measure import Measure
from tests.tui.stage import HEADER, Filed

SIZE = (120, 36)
NEEDLE = "the needle"


def state(megabytes: int = 10) -> dict[str, Any]:
    """A state of so many megabytes: lists of documents, of which the last one is looked for."""
    words = "the position of the evidence matters more than its length " * 4
    made = {
        f"documents_{number}": [
            {"id": f"d{number}-{item}", "text": f"{item} {words}", "score": item / 7, "tags": ["a", "b"]}
            for item in range(90)
        ]
        for number in range(megabytes * 36)
    }
    made["last"] = [{"text": NEEDLE}]
    return made


def journal(path: Path, megabytes: int = 10) -> tuple[Path, int]:
    """Write a journal with that state, its lists stored once as the runner does; return it and the checkpoint's line."""
    refs = {}
    with path.open("wb") as file:
        file.write(json.dumps(HEADER).encode() + b"\n")
        file.write(encode(RunStarted(run="r1", at=0.1)))
        for number, (key, value) in enumerate(state(megabytes).items()):
            file.write(encode(ValueStored(id=f"v{number}", data=value, at=0.2)))
            refs[key] = {"$ref": f"v{number}"}
        file.write(encode(CheckpointSaved(checkpoint="c1", step=1, values=refs, at=0.3)))
    return path, len(refs) + 2


class Browsing(App[None]):
    """The inspector on an empty screen."""


class Stock(App[None]):
    """A stock tree with a node for every value."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.data = data

    def build(self) -> Tree[Any]:
        tree: Tree[Any] = Tree("state")
        todo = [(tree.root, self.data)]
        while todo:
            node, value = todo.pop()
            for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(inner, (dict, list)):
                    todo.append((node.add(str(name)), inner))
                else:
                    node.add_leaf(f"{name}  {str(inner)[:80]}")
        tree.root.expand()
        return tree


async def _until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def _ours(path: Path, seq: int) -> dict[str, Any]:
    source = Filed(path)
    source.poll()
    app = Browsing()
    async with app.run_test(size=SIZE) as pilot:
        began = time.perf_counter()
        screen = Inspector(Subject("state", (seq,)), source, ())  # type: ignore[arg-type]
        app.push_screen(screen)
        await _until(lambda: screen.view._frame and app.screen is screen)
        await _until(lambda: "documents_0" in "".join(screen.view.render_line(y).text for y in range(4)))
        opened = time.perf_counter() - began
        keys = [await _key(screen, pilot, key) for key in _keys()]
        began = time.perf_counter()
        screen.view.search(NEEDLE)
        await _until(lambda: screen.view.found == "1/1")
        found = time.perf_counter() - began
    source.close()
    return {"open": opened, "keys": sorted(keys), "search": found}


def _keys() -> Iterator[str]:
    yield from ("down", "down", "enter", "down", "enter", "down", "enter", "pagedown", "pagedown", "end", "home")
    yield from ("down", "asterisk", "pagedown", "end", "pageup", "home", "down", "minus", "down", "enter")


async def _key(screen: Inspector, pilot: Any, key: str) -> float:
    """Return the seconds that one key takes until there is nothing left to paint."""
    began = time.perf_counter()
    action = {"asterisk": "fold_all", "minus": "fold_outer", "enter": "fold", "down": "move(1)", "pagedown": "page(1)",
              "pageup": "page(-1)", "end": "last", "home": "first"}[key]  # fmt: skip
    await pilot.app.run_action(action, screen.view)
    for y in range(screen.view.size.height):
        screen.view.render_line(y)
    return time.perf_counter() - began


async def _naive(data: Any) -> float:
    app = Stock(data)
    async with app.run_test(size=SIZE):
        began = time.perf_counter()
        tree = app.build()
        await app.mount(tree)
        await _until(lambda: tree.size.height and "state" in tree.render_line(0).text)
        return time.perf_counter() - began


def measure(megabytes: int = 10) -> dict[str, float]:
    """Return milliseconds: to open, the worst key, to search to the very end, and to open with the stock tree."""
    with tempfile.TemporaryDirectory() as folder:
        path, seq = journal(Path(folder) / "big.jsonl", megabytes)
        size = path.stat().st_size
        ours = asyncio.run(_ours(path, seq))
    naive = asyncio.run(_naive(state(megabytes)))
    return {
        "megabytes": size / 1e6, "open_ms": ours["open"] * 1e3, "key_worst_ms": ours["keys"][-1] * 1e3,
        "search_ms": ours["search"] * 1e3, "stock_open_ms": naive * 1e3,
    }  # fmt: skip


def browser(megabytes: int = 10) -> Iterator[Measure]:
    """The value browser on a large state."""
    found, what = measure(megabytes), f"a state of {megabytes} MB"
    stock = found["stock_open_ms"]
    yield Measure(f"{what}: opened, first picture", found["open_ms"], 50, "ms", stock, "a stock Tree of it")
    yield Measure(f"{what}: worst key", found["key_worst_ms"], 50, "ms", stock, "to build a stock Tree")
    yield Measure(f"{what}: found at its very end", found["search_ms"], None, "ms")


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {"browser": browser}

"""From key to picture while events pour in: two line views, against stock widgets fed event by event.

The keys are typed into a pseudo-terminal and timed until their effect stands in its output; the module run as a program is
one of the two apps in it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import re
import sys
import threading
import time
from pathlib import Path

from tests.benchmarks.measure import Measure

ROOT = Path(__file__).parents[2]
WORDS = ["the ", "of ", "position ", "evid", "ence ", "matters ", "more\n", "than ", "its ", "length. "]
BLOCK = 2000
"""Tokens in a message."""
TOKENS = 10
"""One of so many events is a row of the log, the others are tokens."""


class Load:
    """Events that are due by now, at a steady rate."""

    def __init__(self, rate):
        self.rate = rate
        self.made = 0
        self.began = time.perf_counter()

    def due(self, most=5000):
        """Return the numbers of the events to make now."""
        until = min(int((time.perf_counter() - self.began) * self.rate), self.made + most)
        numbers = range(self.made, until)
        self.made = until
        return numbers


def lean(rate):
    from textual.app import App
    from textual.binding import Binding
    from textual.containers import Vertical
    from textual.widgets import Static

    from lgwatch.tui.lines.text import SafetyNet
    from lgwatch.tui.lines.view import Lines, LineView
    from lgwatch.tui.lines.writer import terminal_is_behind
    from lgwatch.tui.messages.flow import Wrapped

    class Lean(App):
        CSS = "Static { height: 1; } #pane { border: round $primary; }"
        BINDINGS = (Binding("x", "mark", priority=True),)

        def compose(self):
            yield Static("ready", id="mark")
            self.tokens, self.log_rows = Wrapped(), Lines()
            self.token_view = LineView(self.tokens, tail=True)
            self.log_view = LineView(self.log_rows, tail=True, cursor_row=True)
            with Vertical(id="pane"):
                yield self.token_view
                yield self.log_view

        def get_line_filters(self):
            return [*super().get_line_filters(), SafetyNet()]

        def on_mount(self):
            self.marks = 0
            self.mark = self.query_one("#mark", Static)
            self.call_after_refresh(self.begin)

        def begin(self):
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)
            self.load = Load(rate)
            self.streams = []
            self.set_interval(1 / 60, self.pump)

        def pump(self):
            log = []
            for number in self.load.due():
                if number % TOKENS:
                    if number % BLOCK != 1 and self.streams:
                        stream = self.streams[number % 3 % len(self.streams)]
                    else:
                        for old in self.streams[:-2]:
                            self.tokens.mark(old, open=False)
                        name = f"node {number // BLOCK}"
                        stream = self.tokens.add(
                            name, lambda width, name=name: [(name, "node1 bold"), ("  gpt", "dim")]
                        )
                        self.tokens.mark(stream, open=True)
                        self.streams = [*self.streams[-2:], stream]
                    self.tokens.append(stream, WORDS[number % len(WORDS)])
                else:
                    log.append([(f"{number:9} ", "time"), ("task ", "accent"), (f"{{'step': {number}}}", "")])
            self.log_rows.extend(log)
            if not terminal_is_behind(self):
                self.token_view.show()
                self.log_view.show()

        def action_mark(self):
            self.marks += 1
            self.mark.update(f"KEY#{self.marks:06} of {self.load.made}", layout=False)

    return Lean()


def naive(rate):
    from textual.app import App
    from textual.binding import Binding
    from textual.message import Message
    from textual.widgets import DataTable, RichLog, Static

    class Came(Message):
        def __init__(self, number):
            super().__init__()
            self.number = number

    class Naive(App):
        CSS = "Static { height: 1; } RichLog { height: 1fr; } DataTable { height: 1fr; }"
        BINDINGS = (Binding("x", "mark", priority=True),)

        def compose(self):
            yield Static("ready", id="mark")
            yield RichLog()
            yield DataTable()

        def on_mount(self):
            self.marks = self.took = 0
            self.text, self.table = self.query_one(RichLog), self.query_one(DataTable)
            self.table.add_columns("n", "kind", "data")
            self.call_after_refresh(threading.Thread(target=self.produce, daemon=True).start)

        def produce(self):
            load = Load(rate)
            while self.is_running:
                for number in load.due():
                    self.post_message(Came(number))
                time.sleep(1 / 60)

        def on_came(self, message):
            self.took += 1
            if message.number % TOKENS:
                self.text.write(WORDS[message.number % len(WORDS)])
            else:
                self.table.add_row(str(message.number), "task", f"{{'step': {message.number}}}")

        def action_mark(self):
            self.marks += 1
            self.query_one("#mark", Static).update(f"KEY#{self.marks:06} of {self.took}")

    return Naive()


APPS = {"lean": lean, "naive": naive}


def measure(name, rate, keys, size):
    """Return what one app does under load: latencies in milliseconds, processor time and bytes a second."""
    from tests.benchmarks.terminal import Terminal, percentile

    argv = [sys.executable, "-m", "tests.benchmarks.bench_lines", "--app", name, "--rate", str(rate)]
    with Terminal(argv, *size, env={"PYTHONPATH": str(ROOT), "TEXTUAL_FPS": "120"}, cwd=ROOT) as terminal:
        terminal.wait_for("ready", 20)
        time.sleep(1)
        began, cpu, size_then = time.perf_counter(), terminal.cpu(), len(terminal.raw)
        times, taken = [], []
        pauses = itertools.cycle((0.03, 0.08, 0.05, 0.037, 0.061))
        for number, pause in zip(range(1, keys + 1), pauses, strict=False):
            try:
                marker = f"KEY#{number:06} of "
                times.append(terminal.latency("x", marker, 8))
                taken.append((time.perf_counter(), int(after(terminal.raw, marker.encode()))))
            except TimeoutError:
                times.append(8.0)
                break
            time.sleep(pause)
        spent = time.perf_counter() - began
        return {
            "app": name,
            "events_per_s": round((taken[-1][1] - taken[0][1]) / (taken[-1][0] - taken[0][0])) if len(taken) > 1 else 0,
            "keys": len(times),
            "p50_ms": round(percentile(times, 0.5) * 1000, 1),
            "p99_ms": round(percentile(times, 0.99) * 1000, 1),
            "cpu": round((terminal.cpu() - cpu) / spent, 2),
            "kB_per_s": round((len(terminal.raw) - size_then) / spent / 1000),
        }


def after(output, marker):
    """Return the digits behind the last `marker`."""
    return re.match(rb"\d+", output[output.rfind(marker) + len(marker) :])[0]


def keys(times=100, stock_rate=10_000, size=(200, 60)):
    """Yield how soon keys are answered; the stock widgets may get fewer events, for they answer hardly at all."""
    ours, stock = measure("lean", 10_000, times, size), measure("naive", stock_rate, 8, size)
    beside = f"RichLog and DataTable, {stock_rate} single events/s"
    for part, bound in (("p50", None), ("p99", 50)):
        mine, its = ours[f"{part}_ms"], stock[f"{part}_ms"]
        yield Measure(f"line views, 10000 events/s: key to picture, {part}", mine, bound, "ms", its, beside)


MEASURES = {"keys": keys}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app", choices=APPS, required=True)
    parser.add_argument("--rate", type=int, required=True)
    options = parser.parse_args()
    APPS[options.app](options.rate).run()


if __name__ == "__main__":
    main()

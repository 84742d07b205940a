"""What holds for every test: a property is no question of speed, and CI asks the same examples every time.

Nothing of the terminal and the shell that the tests were started from is handed down. Whoever measures has the machine
to itself, also where several workers share the tests. `--core` leaves out what is not of the core, unread: it may
import what an old langgraph has no release of.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.versions import is_core

settings.register_profile(
    "suite", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

# The measures of another terminal; a library that edits lines sets them for every process that is started after it.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# What is started hundreds of times is compiled once, also where the shell says that nothing is to be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell's background job ignores Ctrl-C, and one of `nohup` the end of its terminal. A program inherits that, and does
# not end by the signals with which tests end it; from a process that catches a signal it inherits nothing.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core", action="store_true", help="only what must hold with every langgraph that is supported")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether a file is left out; None leaves that to others."""
    return True if config.getoption("--core") and not is_core(collection_path) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let no other worker run a test while one measures; waiting for that is no part of the test's own time."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    run = item.config._tmp_path_factory.getbasetemp().parent
    with (run / "door").open("a") as door, (run / "room").open("a") as room:
        fcntl.flock(door, fcntl.LOCK_EX)  # nobody comes in any more where one waits to be alone
        fcntl.flock(room, fcntl.LOCK_EX if item.get_closest_marker("benchmark") else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # a fork of the test holds the file, too

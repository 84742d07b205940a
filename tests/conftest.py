"""What holds for every test: a property is no question of speed, and CI asks the same examples every time.

`--core` leaves out what is not of the core, unread: it may import what an old langgraph has no release of.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.versions import is_core

settings.register_profile(
    "suite", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core", action="store_true", help="only what must hold with every langgraph that is supported")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether a file is left out; None leaves that to others."""
    return True if config.getoption("--core") and not is_core(collection_path) else None

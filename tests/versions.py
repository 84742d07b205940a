"""The core of the suite, which must hold on every supported pair of Python and langgraph; and what some pairs lack.

What needs more than there is, is skipped and says which version brings it. Whether a feature is there is asked of the
packages themselves; the version is only what a person is told.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CORE = (
    "runner", "test_truth.py", "test_states_truth.py", "test_filter_truth.py", "test_self_check.py", "test_snippet.py",
    "test_values.py", "test_projection.py", "test_journal.py", "test_session.py", "test_sources.py", "test_process.py",
    "test_samples.py", "test_openai.py", "test_headless.py", "test_cli.py", "test_doctor.py",
)  # fmt: skip
"""What LangGraph has a part in: the runner, the truth of what it tells, and the programs that start it.

The rest is the screen, which sees a journal and no LangGraph, and agents of packages that want a LangGraph of their own.
"""


def is_core(path: Path) -> bool:
    """Whether a file or folder of tests is of the core, or holds what is."""
    tests = Path(__file__).parent
    try:
        part = path.relative_to(tests).parts[:1]
    except ValueError:  # what is above
        return True
    return not part or part[0] in CORE


class Feature(NamedTuple):
    """What brings a feature, in words, and whether it is here."""

    since: str
    here: bool


def has(module: str, name: str = "") -> bool:
    """Whether a module can be imported, and has this name."""
    try:
        found = importlib.import_module(module)
    except ImportError:
        return False
    return not name or hasattr(found, name)


def takes(module: str, path: str, parameter: str) -> bool:
    """Whether a function of the module has this parameter."""
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return parameter in inspect.signature(found).parameters


FEATURES = {
    "async context": Feature("Python 3.11", sys.version_info >= (3, 11)),
    "create_agent": Feature("langchain 1.0, which is for langgraph 1.0", has("langchain.agents", "create_agent")),
    "tool runtime": Feature("langchain 1.0, which is for langgraph 1.0", has("langchain.tools", "ToolRuntime")),
    "server runtime": Feature("langgraph-sdk 0.3", has("langgraph_sdk.runtime")),
    "Overwrite": Feature("langgraph 1.0", has("langgraph.types", "Overwrite")),
    "schemas of answers": Feature("langgraph 1.2", takes("langgraph.types", "interrupt", "response_schema")),
    "timeouts": Feature("langgraph 1.2", takes("langgraph.graph", "StateGraph.add_node", "timeout")),
    "error handlers": Feature("langgraph 1.2", takes("langgraph.graph", "StateGraph.add_node", "error_handler")),
}


def lacking(*features: str) -> str:
    """Return why these are not all here, and what brings them; empty when they are."""
    return "; ".join(f"{name}: since {FEATURES[name].since}" for name in features if not FEATURES[name].here)


def needs(*features: str) -> pytest.MarkDecorator:
    """Mark a test that is about these."""
    return pytest.mark.skipif(bool(lacking(*features)), reason=lacking(*features))

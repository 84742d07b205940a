from __future__ import annotations

import sys

import pytest

from tests.benchmarks.bench_runner import spawn

# The measured numbers are far below; on a busy machine only what breaks an order of growth shall fail.
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="async nodes have no context before Python 3.11"),
]


@pytest.mark.parametrize("case", ["tokens", "steps", "sends"])
def test_a_burst_costs_the_graph_little(case: str) -> None:
    found = spawn(case, 3)
    assert found["watched_cpu"] < 2 * found["bare_cpu"]


def test_a_custom_event_costs_no_more_than_a_few_of_its_own() -> None:
    found = spawn("customs", 3)
    assert found["watched_cpu"] < 7 * found["bare_cpu"]


def test_a_conversation_grows_with_what_is_new() -> None:
    found = spawn("conversation", 2)
    assert found["size_ratio"] < 6
    assert found["slower_late"] < 3


def test_a_paced_agent_does_not_notice() -> None:
    found = spawn("agents", 1)
    assert found["watched"] < 1.5 * found["bare"]

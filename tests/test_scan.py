from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from lgwatch import scan as scan_module
from lgwatch.scan import Found, scan


def kinds(folder: Path, source: str) -> dict[str, int]:
    (folder / "agent.py").write_text("import langgraph\n" + dedent(source))
    return {found.name: found.kind for found in scan(folder)}


@pytest.mark.parametrize(
    "value",
    [
        "builder.compile(checkpointer=saver)",
        "StateGraph(State).add_node(step).add_edge(START, 'step').compile()",
        "create_agent(model, tools=[])",
        "agents.create_react_agent(model, [])",
        "create_supervisor([a, b], model=model).compile()",
        "builder.compile().with_config(recursion_limit=50)",
        "build().compile()",
    ],
)
def test_a_call_that_makes_a_graph_is_found(tmp_path: Path, value: str) -> None:
    assert kinds(tmp_path, f"graph = {value}") == {"graph": Found.GRAPH}


@pytest.mark.parametrize(
    "source",
    [
        "import re\nPATTERN = re.compile('x')",
        "graph = None",
        "def compile_it():\n    graph = builder.compile()",
        "if __name__ == '__main__':\n    graph = builder.compile()",
        "class Agent:\n    graph = builder.compile()",
        "graph = builder.compile()\ngraph = None",
        "def _make():\n    return builder.compile()",
    ],
)
def test_what_is_no_graph_of_the_module_is_not_found(tmp_path: Path, source: str) -> None:
    assert kinds(tmp_path, source) == {}


def test_an_entrypoint_is_found_by_its_decorator(tmp_path: Path) -> None:
    assert kinds(tmp_path, "@entrypoint(checkpointer=saver)\nasync def flow(x):\n    return x") == {"flow": Found.GRAPH}


def test_a_builder_counts_only_if_the_module_never_compiles_it(tmp_path: Path) -> None:
    assert kinds(tmp_path, "builder = StateGraph(State)") == {"builder": Found.UNCOMPILED}
    compiled = "builder = StateGraph(State)\ngraph: object = builder.compile()"
    assert kinds(tmp_path, compiled) == {"graph": Found.GRAPH}


def test_graphs_in_blocks_that_run_on_import_are_found(tmp_path: Path) -> None:
    source = """
    try:
        with warnings.catch_warnings():
            graph = builder.compile()
    except ImportError:
        other = builder.compile()
    """
    assert kinds(tmp_path, source) == {"graph": Found.GRAPH, "other": Found.GRAPH}


def test_a_function_that_returns_a_graph_is_the_least_sure(tmp_path: Path) -> None:
    assert kinds(tmp_path, "def make():\n    return StateGraph(State).compile()") == {"make": Found.FACTORY}


def test_environments_tests_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    source = "graph = builder.compile()"
    for place in (".hidden/a.py", "node_modules/a.py", "tests/a.py", "mine/a.py", "test_a.py", "a_test.py"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(source)
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    (tmp_path / "broken.py").write_text("graph = builder.compile(")
    (tmp_path / "ok").mkdir()
    (tmp_path / "ok" / "agent.py").write_text(source)
    assert [found.path for found in scan(tmp_path)] == [tmp_path / "ok" / "agent.py"]


def test_the_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "MAX_FILES", 5)
    for number in range(10):
        (tmp_path / f"agent_{number}.py").write_text("graph = builder.compile()")
    assert len(scan(tmp_path)) == 5
    (tmp_path / "agent_0.py").write_text("graph = builder.compile()\n#" + "x" * scan_module.MAX_SIZE)
    assert len(scan(tmp_path)) == 4

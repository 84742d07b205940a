from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lgwatch import project
from lgwatch.errors import TargetError
from lgwatch.project import Target, find_env_file, load_env, resolve_target

GRAPH = "from langgraph.graph import StateGraph\ngraph = StateGraph(dict).compile()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is a home directory's child, so that nothing above it counts."""
    return tmp_path


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("HOME", str(home))
    return home


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def configured(folder: Path, **config: object) -> None:
    write(folder, {"langgraph.json": json.dumps(config)})


def refused(text: str | None, folder: Path) -> TargetError:
    with pytest.raises(TargetError) as caught:
        resolve_target(text, folder)
    assert caught.value.message.endswith(".") or caught.value.message.endswith("?")
    assert caught.value.hint
    return caught.value


# --- forms


@pytest.mark.parametrize("text", ["agent:graph", "my.pkg.agent:graph", "agent:Holder.graph", "größe:graph"])
def test_a_dotted_name_is_taken_as_it_is(folder: Path, text: str) -> None:
    assert resolve_target(text, folder) == Target(text, text)


def test_a_module_without_an_attribute_leaves_it_to_the_loader(folder: Path) -> None:
    assert resolve_target("my.agent", folder).target == "my.agent:"


def test_a_file_is_made_absolute(folder: Path) -> None:
    write(folder, {"src/agent.py": GRAPH})
    for text, attr in (("src/agent.py:graph", "graph"), ("./src/../src/agent.py", ""), ("src/agent:a.b", "a.b")):
        found = resolve_target(text, folder)
        assert (found.target, found.label) == (f"{folder / 'src/agent.py'}:{attr}", text)
    assert resolve_target(f"{folder}/src/agent.py:graph", Path("/")).target == f"{folder}/src/agent.py:graph"


@pytest.mark.parametrize(
    "text", ["agent:", "agent:my-graph", ":graph", "a b:graph", "a..b:graph", "my-agent:graph", "a:b:c"]
)
def test_a_bad_form_is_answered_with_the_forms(folder: Path, text: str) -> None:
    assert "package.module:attr" in refused(text, folder).hint


def test_a_missing_file_is_answered_with_near_names(folder: Path) -> None:
    write(folder, {"agent.py": GRAPH})
    error = refused("agnet.py:graph", folder)
    assert (str(folder / "agnet.py") in error.message, error.hint) == (True, "Did you mean agent.py?")
    assert "folder" in refused("./", folder).message
    write(folder, {"notes/x.txt": ""})
    assert "not a Python file" in refused("notes/x.txt:graph", folder).message


# --- langgraph.json


def test_a_name_in_langgraph_json_brings_its_paths_and_its_environment(folder: Path) -> None:
    write(folder, {"src/agent.py": GRAPH, "libs/shared/x.py": "", "settings.env": "KEY=value\nEMPTY\n"})
    configured(
        folder,
        dependencies=[".", "./libs/shared", "langchain_openai", "./gone"],
        graphs={"agent": "./src/agent.py:graph", "other": {"path": "pkg.mod:make", "description": "…"}},
        env="settings.env",
    )
    (folder / "deep" / "er").mkdir(parents=True)
    found = resolve_target("agent", folder / "deep" / "er")
    assert found.target == f"{folder / 'src/agent.py'}:graph"
    assert found.label == "agent"
    assert found.paths == [str(folder), str(folder / "src"), str(folder / "libs/shared")]
    assert found.env == {"KEY": "value"}
    assert resolve_target("other", folder).target == "pkg.mod:make"


def test_its_environment_may_be_a_mapping(folder: Path) -> None:
    configured(folder, graphs={"a": "m:g"}, env={"NAME": "x", "NUMBER": 3, "FLAG": True})
    assert resolve_target("a", folder).env == {"NAME": "x", "NUMBER": "3", "FLAG": "true"}


def test_an_environment_file_that_it_names_has_to_be_there(folder: Path) -> None:
    configured(folder, graphs={"a": "m:g"}, env="gone.env")
    assert "gone.env" in refused("a", folder).message


def test_a_full_target_gets_the_paths_of_langgraph_json_even_from_a_broken_one(folder: Path) -> None:
    configured(folder, dependencies=["."], graphs={"a": "m:g"})
    assert resolve_target("agent:graph", folder).paths == [str(folder)]
    write(folder, {"langgraph.json": "{"})
    assert resolve_target("agent:graph", folder).paths == []
    assert "cannot be read" in refused("a", folder).message


def test_a_misspelled_name_is_answered_with_the_near_ones(folder: Path) -> None:
    configured(folder, graphs={"researcher": "m:g", "writer": "m:h"})
    assert refused("reseacher", folder).hint == "Did you mean researcher?"
    write(folder, {"reseacher.py": GRAPH})
    assert resolve_target("reseacher", folder).target == "reseacher:"


@pytest.mark.parametrize("config", ["[]", '{"graphs": []}', '{"graphs": {"a": 3}}', '{"graphs": {"a": {}}}'])
def test_a_langgraph_json_of_another_shape_is_refused(folder: Path, config: str) -> None:
    write(folder, {"langgraph.json": config})
    refused("a", folder)


def test_a_graph_in_another_language_is_refused(folder: Path) -> None:
    write(folder, {"agent.ts": ""})
    configured(folder, graphs={"a": "./agent.ts:graph"})
    assert "not a Python file" in refused("a", folder).message


# --- nothing named


def test_nothing_means_the_only_graph_of_langgraph_json(folder: Path) -> None:
    configured(folder, graphs={"a": "m:g"})
    assert resolve_target(None, folder).label == "a"
    configured(folder, graphs={"a": "m:g", "b": "m:h"})
    error = refused("", folder)
    assert ("a, b" in error.message, error.hint) == (True, "Name one, such as a.")


def test_nothing_means_the_only_graph_that_the_source_shows(folder: Path) -> None:
    write(folder, {"src/agent.py": GRAPH, "src/tools.py": "import langgraph\nbuilder = StateGraph(dict)"})
    found = resolve_target(None, folder)
    assert (found.target, found.label) == (f"{folder / 'src/agent.py'}:graph", "src/agent.py:graph")


def test_several_graphs_are_listed_and_none_is_explained(folder: Path) -> None:
    assert "package.module:attr" in refused(None, folder).hint
    write(folder, {"a.py": "import langgraph\ndef make(): return b.compile()"})
    assert "a.py:make" in refused(None, folder).message
    write(folder, {"a.py": GRAPH, "b.py": GRAPH})
    error = refused(None, folder)
    assert ("a.py:graph, b.py:graph" in error.message, error.hint) == (True, "Name one, such as a.py:graph.")


def test_resolving_imports_nothing_of_the_user(folder: Path) -> None:
    write(folder, {"agent.py": GRAPH + "open('imported', 'w')\nraise SystemExit(9)"})
    code = "import sys; from lgwatch.project import resolve_target; from pathlib import Path\n"
    code += f"resolve_target(None, Path({str(folder)!r})); assert 'langgraph' not in sys.modules"
    root = Path(project.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(root)})
    assert not (folder / "imported").exists()


# --- environment files


def test_the_environment_file_is_found_upward_but_not_in_the_home_directory(folder: Path, home: Path) -> None:
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    (home / ".env").write_text("HOME_KEY=1")
    try:
        assert find_env_file(deep) is None
        assert find_env_file(home) == home / ".env"
    finally:
        (home / ".env").unlink()
    (folder / ".env").write_text("KEY=1")
    (folder / "a" / ".env").mkdir()
    assert find_env_file(deep) == folder / ".env"


def test_an_environment_file_is_read_by_the_rules_of_dotenv(folder: Path) -> None:
    path = folder / ".env"
    path.write_text("# a comment\nexport A=1\nB='two words' # more\nEMPTY=\nALONE\n")
    assert load_env(path) == {"A": "1", "B": "two words", "EMPTY": ""}


def test_an_environment_file_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "bad").write_bytes(b"A=\xff\xfe\n")
    for path in (folder / "gone", folder, folder / "bad"):
        with pytest.raises(TargetError) as caught:
            load_env(path)
        assert str(path) in caught.value.message

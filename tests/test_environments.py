"""Two environments: lgwatch in its own, the graph in the project's. And the oldest langgraph, in a real one."""

from __future__ import annotations

import fcntl
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lgwatch
from lgwatch.errors import TargetError
from lgwatch.events import CustomWritten, Event, Interrupted, Notice
from lgwatch.interpreters import Environment, find_interpreter
from lgwatch.runner import surroundings
from tests.live import ROOT, agent, environment, node

pytestmark = pytest.mark.timeout(300)  # whichever test is the first to need the environment waits for it

OLDEST = re.search(r'"langgraph>=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
"""What `pyproject.toml` promises."""


# ── which interpreter ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; nothing above it counts, and no environment is active."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "project"
    path.mkdir()
    return path


def looks_like(path: Path, *, langgraph: bool = True, version: str = "3.12", cfg: str = "") -> str:
    """Make what looks like a virtual environment, and return its interpreter."""
    python = path / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    (path / "pyvenv.cfg").write_text(cfg)
    packages = path / f"lib/python{version}/site-packages"
    packages.mkdir(parents=True)
    if langgraph:
        (packages / "langgraph" / "graph").mkdir(parents=True)
    return str(python)


def test_this_interpreter_serves_where_there_is_no_other(folder: Path) -> None:
    assert find_interpreter(folder) == find_interpreter(folder, None, [folder / "src"])
    assert (find_interpreter(folder).python, find_interpreter(folder).why) == (sys.executable, "")


def test_the_projects_environment_goes_before_this_one(folder: Path) -> None:
    python = looks_like(folder / ".venv")
    (folder / "deep" / "er").mkdir(parents=True)
    found = find_interpreter(folder / "deep" / "er")
    assert found.python == python
    assert "the project's .venv" in found.why


def test_an_environment_is_found_without_starting_anything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_like(folder / ".venv")
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **kwargs: pytest.fail("the first picture waits for this"))
    before = set(sys.modules)
    assert find_interpreter(folder).why
    assert not {name for name in set(sys.modules) - before if name.startswith("langgraph")}


def test_the_environment_beside_the_target_goes_before_that_of_the_working_directory(folder: Path) -> None:
    looks_like(folder / ".venv")
    python = looks_like(folder / "other" / ".venv")
    assert find_interpreter(folder, None, [folder / "other"]).python == python


def test_an_environment_without_langgraph_is_not_the_graphs(folder: Path) -> None:
    looks_like(folder / "inner" / ".venv", langgraph=False)
    assert find_interpreter(folder / "inner").python == sys.executable
    python = looks_like(folder / ".venv")
    assert find_interpreter(folder / "inner").python == python
    (folder / ".venv/lib/python3.12/site-packages/langgraph/graph").rmdir()
    assert find_interpreter(folder / "inner").python == sys.executable, "the SDK alone has a folder of that name, too"


def test_the_active_environment_goes_before_the_projects(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_like(folder / ".venv")
    active = looks_like(folder / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(folder / "active"))
    assert find_interpreter(folder).python == active
    assert "active" in find_interpreter(folder).why


def test_lgwatchs_own_environment_when_active_is_what_is_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_like(folder / ".venv")
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert find_interpreter(folder).python == sys.executable
    assert find_interpreter(folder).why == ""


def test_a_project_of_which_lgwatch_is_a_part_needs_no_other(folder: Path) -> None:
    (folder / ".venv").symlink_to(sys.prefix)
    assert find_interpreter(folder).why == ""


def test_the_interpreter_that_was_asked_for_wins_and_stays_a_link(folder: Path) -> None:
    looks_like(folder / ".venv")
    python = looks_like(folder / "env")
    (folder / "link").symlink_to(python)
    assert find_interpreter(folder, "link").python == str(folder / "link")
    assert find_interpreter(folder, "env").python == python
    assert find_interpreter(folder, "env/bin/python").python == python
    assert Path(find_interpreter(folder, "sh").python).name == "sh"


def test_an_interpreter_that_cannot_be_started_is_refused(folder: Path) -> None:
    (folder / "text").write_text("")
    for explicit in ("text", "gone/python", "no-such-command-here", "."):
        with pytest.raises(TargetError) as caught:
            find_interpreter(folder, explicit)
        assert "--python" in caught.value.hint


def test_an_environment_of_a_python_that_is_too_old_is_named(folder: Path) -> None:
    looks_like(folder / ".venv", version="3.9")
    with pytest.raises(TargetError) as caught:
        find_interpreter(folder)
    assert "3.9" in caught.value.message
    assert "--python" in caught.value.hint


def test_packages_are_seen_where_an_environment_takes_them_from(folder: Path) -> None:
    looks_like(folder / "base")
    shared = f"home = {folder / 'base' / 'bin'}\ninclude-system-site-packages = true\n"
    python = looks_like(folder / ".venv", langgraph=False, cfg=shared)
    assert find_interpreter(folder).python == python
    (folder / ".venv" / "pyvenv.cfg").write_text(shared.replace("true", "false"))
    assert find_interpreter(folder).python == sys.executable
    packages = folder / ".venv/lib/python3.12/site-packages"
    (packages / "more.pth").write_text(f"import sys\n\n{folder / 'base/lib/python3.12/site-packages'}\n")
    assert find_interpreter(folder).python == python
    one = Environment(folder / ".venv", Path(python), "")
    (packages / "single.py").touch()
    (packages / "native.cpython-312.so").touch()
    assert [one.has(name) for name in ("single", "native", "langgraph/graph", "gone")] == [True, True, True, False]


def test_any_environment_serves_when_this_one_has_no_langgraph(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TargetError) as caught:
        find_interpreter(folder)
    assert "--python" in caught.value.hint
    bare = looks_like(folder / "inner" / ".venv", langgraph=False)
    assert find_interpreter(folder / "inner").python == bare
    python = looks_like(folder / ".venv")
    assert find_interpreter(folder / "inner").python == python, "one that has langgraph goes before one that has not"


# ── a real environment, with the oldest langgraph ────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def oldest(request: pytest.FixtureRequest) -> Path:
    """A virtual environment with the oldest langgraph and a module that nobody else has; made once, and kept."""
    name = f"langgraph-{OLDEST}-python{sys.version_info.major}.{sys.version_info.minor}"
    cache = request.config.cache
    assert cache is not None
    folder = Path(cache.mkdir(name)) / "venv"
    with (folder.parent / "lock").open("a") as lock:  # another worker may be making it
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_environment(folder)
    return folder


def make_environment(folder: Path) -> None:
    """Make it unless it is there; skip the test where that cannot be done."""
    ready = folder / "ready"
    if not (ready.exists() and (folder / "bin" / "python").exists()):  # the Python that it was made of may be gone
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", "--no-input"]
        done = subprocess.run(
            [*pip, "--disable-pip-version-check", "--retries", "1", f"langgraph=={OLDEST}"], capture_output=True,
            text=True, check=False, timeout=240,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"no environment could be made: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "only_here.py").write_text("WORDS = 'from the project'\n")
        ready.touch()


@pytest.fixture
def project(folder: Path, oldest: Path) -> Path:
    """A project with an environment of its own, on which its graph depends."""
    (folder / ".venv").symlink_to(oldest)
    (folder / "agent.py").write_text(
        "import importlib.util, sys\n"
        "import only_here\n"
        "from langgraph.graph import START, StateGraph\n"
        "from typing_extensions import TypedDict\n"
        "class State(TypedDict, total=False):\n"
        "    topic: str\n"
        "    text: str\n"
        "def writer(state):\n"
        "    seen = [name for name in ('textual', 'typer') if importlib.util.find_spec(name)]\n"
        "    return {'text': f'{state[\"topic\"]} {only_here.WORDS} {seen} {sys.prefix}'}\n"
        "graph = StateGraph(State).add_node('writer', writer).add_edge(START, 'writer').compile()\n"
    )
    return folder


def installed(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run lgwatch as an installed tool: nothing of it is on the path that the graph's process gets."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from lgwatch.cli import main; main()"
    kept = {name: value for name, value in environment(folder, **env).items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-c", code, *arguments], cwd=folder, env=kept,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def heard(done: subprocess.CompletedProcess[str], folder: Path) -> list[Event]:
    """The events of a run with --json, references resolved."""
    (folder / "heard.jsonl").write_text(done.stdout)
    return list(lgwatch.events(folder / "heard.jsonl"))


def ran_on(done: subprocess.CompletedProcess[str]) -> str:
    """The langgraph that the journal's header names."""
    return json.loads(done.stdout.splitlines()[0])["langgraph"]


GRAPH = ("run", "agent.py:graph", "-i", '{"topic": "cats"}')


def test_a_graph_runs_in_its_projects_environment(project: Path) -> None:
    done = installed(project, *GRAPH, "--json")
    assert done.returncode == 0, done.stderr
    assert ran_on(done) == OLDEST
    events = heard(done, project)
    assert events[-1].output["text"] == f"cats from the project [] {project / '.venv'}"
    (text,) = [event.text for event in events if isinstance(event, Notice) and event.code == "interpreter"]
    assert all(word in text for word in (".venv/bin/python", OLDEST, "the project's .venv"))


def test_the_interpreter_is_named_where_no_screen_is(project: Path) -> None:
    done = installed(project, *GRAPH, "--plain")
    assert "from the project" in done.stdout
    assert "note: the graph runs in .venv/bin/python" in done.stderr


def test_an_interpreter_that_is_named_wins_and_is_not_explained(project: Path) -> None:
    done = installed(project, *GRAPH, "--python", sys.executable)
    assert done.returncode == 2
    assert "only_here" in done.stderr
    assert "the graph runs in" not in done.stderr


def test_an_active_environment_serves_a_project_that_has_none(project: Path, oldest: Path) -> None:
    (project / ".venv").unlink()
    done = installed(project, *GRAPH, "--json", VIRTUAL_ENV=str(oldest))
    assert done.returncode == 0, done.stderr
    assert ran_on(done) == OLDEST


def test_a_demo_stays_in_lgwatchs_own_environment(project: Path) -> None:
    done = installed(project, "demo", "raw_client", "--json", LGWATCH_SAMPLE_PACE="0")
    assert done.returncode == 0, done.stderr
    assert ran_on(done) not in ("", OLDEST)


# ── the core on the oldest langgraph ─────────────────────────────────────────────────────────────────────────────────


def facts(journal: Path) -> dict[str, Any]:
    """What a run came to, in the words of the graph: no ids, no times."""
    session, events = lgwatch.read_journal(journal), list(lgwatch.events(journal))
    return {
        "tasks": sorted((task.path, task.step, task.status, task.attempts) for task in session.tasks()),
        "tokens": sorted((one.node, one.tags, "".join(part.text for part in one.parts)) for one in session.messages.values()),
        "custom": sorted((one.node, str(one.data)) for one in events if isinstance(one, CustomWritten)),
        "questions": [one.value for one in events if isinstance(one, Interrupted)],
        "runs": [(run.status, (run.error or {}).get("type")) for run in session.runs],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["approval", "flaky", "joke_and_poem", "map_reduce", "research", "tool_agent"])
def test_the_oldest_langgraph_tells_what_the_newest_does(folder: Path, oldest: Path, name: str) -> None:
    done = installed(
        folder, "demo", name, "--json", "--python", str(oldest / "bin" / "python"), LGWATCH_SAMPLE_PACE="0"
    )
    (folder / "run.jsonl").write_text(done.stdout)
    assert ran_on(done) == OLDEST
    assert facts(folder / "run.jsonl") == facts(ROOT / "tests" / "recordings" / f"{name}.jsonl")


def test_answers_reach_the_oldest_langgraph(folder: Path, oldest: Path) -> None:
    (folder / ".venv").symlink_to(oldest)
    agent(folder, node("return {'text': interrupt('which?') + interrupt('really?')}"))
    done = installed(folder, *GRAPH, "--json", "--resume", '"this"', "--resume", '", yes"')
    assert done.returncode == 0, done.stderr
    assert ran_on(done) == OLDEST
    assert heard(done, folder)[-1].output["text"] == "this, yes"


# ── what is said of versions ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_promised_is_what_is_tested() -> None:
    assert ".".join(map(str, lgwatch.OLDEST_LANGGRAPH)) == OLDEST


@pytest.mark.parametrize(("version", "old"), [("0.4.10", True), (OLDEST, False), ("0.6.9", True), ("1.3.0rc1", False)])
def test_a_langgraph_that_is_too_old_is_named_before_it_runs(version: str, old: bool) -> None:
    assert [code for code, _ in surroundings.about("", version)] == (["old"] if old else [])

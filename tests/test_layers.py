"""Who may import whom: the table of the architecture, proved on the source and on what is really loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lgwatch
from tests.live import ROOT, environment

PACKAGE = Path(lgwatch.__file__).parent
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if "sample_graphs" not in path.parts and path != PACKAGE / "__init__.py"
)

VOCABULARY = {"errors", "events"}
CORE = VOCABULARY | {"values", "refs", "records", "messages", "index", "visits", "filter", "session", "text"}
CORE |= {"clock", "columns", "selection", "texts"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "events": {"journal"},  # late: the module is also the public function that reads a journal
    "columns": set(),
    "scan": set(),
    "changes": {"scan"},
    "text": set(),
    "patterns": set(),
    "refs": {"events"},
    "values": {"values", "events", "orjson"},
    "texts": {"columns"},
    "records": {"events", "texts"},
    "index": {"columns", "events"},
    "selection": {"columns", "index"},
    "callers": {"records"},
    "clock": {"records"},
    "critical": {"callers", "records"},
    "messages": {"events", "records", "texts"},
    "visits": {"events"},
    "session": {"events", "records", "messages", "index", "visits"},
    "naming": {"events", "records"},
    "filter": VOCABULARY | {"filter", "patterns"},
    "filter.mix": {"filter", "records", "session"},
    "filter.kept": {"clock", "filter", "index", "selection", "session"},
    "transitions": {"callers", "events", "naming", "records", "session"},
    "difference": {"events", "refs"},
    "trace": {"events"},
    "reducers": {"difference", "events", "refs"},
    "review": VOCABULARY,
    "states": {"difference", "events", "records", "reducers", "refs", "session", "transitions"},
    "flags": {"difference", "events", "refs", "states"},
    "snippet": {"filter"},
    "journal": VOCABULARY | {"columns", "journal", "patterns", "values", "refs", "orjson"},
    "interpreters": {"errors"},
    "project": {"errors", "interpreters", "scan", "dotenv"},
    "store": VOCABULARY | {"journal"},
    "process": {"events"},
    "sources": VOCABULARY | {"journal", "store"},
    "live": VOCABULARY | {"journal", "process", "sources"},
    "samples": VOCABULARY,
    "arguments": VOCABULARY | {"patterns"},
    "accounts": VOCABULARY | {"lgwatch", "records"},
    "selfcheck": {"accounts", "events"},
    "outline": {"events", "text"},
    "plain": CORE | {"sources"},
    "listing": {"plain", "store", "text"},
    "headless": CORE | {"sources", "plain", "review", "orjson"},
    "doctor": VOCABULARY
    | {
        "accounts",
        "doctor",
        "interpreters",
        "lgwatch",
        "live",
        "process",
        "selfcheck",
        "sources",
        "store",
        "text",
    },
    "__main__": {"cli"},
}
"""What a module may import besides the standard library: our modules by their name, others by their package."""

RUNNER = VOCABULARY | {
    "lgwatch", "values", "journal", "runner", "orjson", "langgraph", "langgraph_sdk", "langchain_core", "pydantic",
    "typing_extensions",
}  # fmt: skip
TUI = CORE | {
    "critical", "difference", "flags", "review", "snippet", "states", "trace",
    "transitions", "tui",
    "textual", "rich", "jsonschema", "markdown_it", "pygments",
}  # fmt: skip


ROOMS: dict[str, set[str]] = {
    "lines": set(),
    "tree": {"lines"},
    "drawing": {"lines"},
    "messages": {"lines"},
    "eventlist": {"lines"},
    "state": {"lines", "tree"},
    "nodes": {"lines", "drawing"},
    "timeline": {"lines", "nodes"},
    "pages": {"lines", "tree", "messages", "state", "nodes"},
}
"""Which parts of the screen each part may import; what lies beside them is the frame, and none of them knows it."""


def imported(path: Path) -> Iterator[str]:
    """Yield what the module imports, late imports too; what only a type checker sees is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    here = ("lgwatch", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            modules = [alias.name for alias in node.names if _is_module(f"{name}.{alias.name}")]
            yield from (f"{name}.{module}" for module in modules) if modules else (name,)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("lgwatch") and (path.is_dir() or path.with_suffix(".py").is_file())


def used(path: Path) -> set[str]:
    """What the module needs: ours by their name in the package, others by their package, none of Python's own."""
    found = set()
    for name in imported(path):
        first, *rest = name.split(".")
        if first == "lgwatch":
            found.add(rest[0] if rest else "lgwatch")
        elif first not in sys.stdlib_module_names:
            found.add(first)
    return found


def allowed(path: Path) -> set[str] | None:
    """What the table says; None where anything goes."""
    where = path.relative_to(PACKAGE).parts
    if where[0] == "runner":
        return RUNNER
    if where[0] == "tui":
        return TUI
    if where[0] in {"values", "journal", "doctor", "filter"}:
        return ALLOWED.get(f"{where[0]}.{path.stem}", ALLOWED[where[0]])
    return None if where[0] == "cli" else ALLOWED.get(path.stem, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_what_its_layer_may(path: Path) -> None:
    may = allowed(path)
    if may is not None:
        assert used(path) - may == set()


@pytest.mark.parametrize(
    "room", sorted(path.name for path in (PACKAGE / "tui").iterdir() if (path / "__init__.py").is_file())
)
def test_a_part_of_the_screen_knows_the_parts_below_it_and_not_the_frame(room: str) -> None:
    names = {name for path in (PACKAGE / "tui" / room).glob("*.py") for name in imported(path)}
    parts = {name.split(".")[2] for name in names if name.startswith("lgwatch.tui.")}
    assert parts - {room} <= ROOMS[room]


@pytest.mark.parametrize("name", ["session", "filter", "records", "messages", "index", "selection", "visits"])
def test_the_core_has_no_clock_and_no_files(name: str) -> None:
    paths = [*(PACKAGE / name).glob("*.py")] or [PACKAGE / f"{name}.py"]
    assert {found for path in paths for found in imported(path)} & {
        "time",
        "threading",
        "json",
        "os",
        "io",
        "pathlib",
    } == set()


def test_only_the_runner_knows_langgraph_and_only_the_screen_textual() -> None:
    for path in MODULES:
        packages = used(path)
        home = path.relative_to(PACKAGE).parts[0]
        if home != "runner":
            assert not packages & {"langgraph", "langchain_core"}, path
        if home != "tui":
            assert not packages & {"textual", "rich"}, path


def loaded(code: str, *arguments: str) -> set[str]:
    """Return the packages and the modules of ours that are there after this code has run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment(Path("/nonexistent")), capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    names = done.stderr.split()
    return {name.partition(".")[0] for name in names} | {name for name in names if name.startswith("lgwatch")}


def test_the_screen_loads_no_langgraph() -> None:
    assert not loaded("import lgwatch.tui.app") & {"langgraph", "langchain_core", "langchain"}


def test_the_runner_loads_no_textual() -> None:
    # `rich` may come with LangGraph itself: its HTTP client loads it for a command line of its own, where click is there.
    assert not loaded("import lgwatch.runner.driver, lgwatch.runner.process") & {"textual", "typer", "dotenv"}


def test_the_core_loads_neither() -> None:
    assert not loaded("import lgwatch.session, lgwatch.filter") & {
        "langgraph", "langchain_core", "textual", "rich", "orjson", "lgwatch.journal", "lgwatch.sources",
    }  # fmt: skip


def test_the_package_itself_loads_no_more_than_the_vocabulary() -> None:
    assert {name for name in loaded("import lgwatch") if name.startswith("lgwatch")} == {"lgwatch", "lgwatch.events"}


HELP = """
import sys
from lgwatch.cli import main
sys.argv = ["lgwatch", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def test_help_loads_nothing_heavy() -> None:
    assert not loaded(HELP) & {
        "textual", "rich", "langgraph", "langchain_core", "orjson", "asyncio", "lgwatch.journal", "lgwatch.session",
    }  # fmt: skip


WITHOUT_SCREEN = """
import sys
from lgwatch.cli import main
try:
    main(["run", "nowhere.py", "--plain"])
except SystemExit as end:
    assert end.code == 2, end.code
"""


def test_a_run_in_print_loads_no_screen() -> None:
    assert "textual" not in loaded(WITHOUT_SCREEN)

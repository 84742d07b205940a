from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgwatch.errors import TargetError
from lgwatch.runner.imports import import_module_of, where_is_import
from tests.runner.projects import forgotten, package, write


@pytest.fixture(autouse=True)
def clean(tmp_path: Path) -> Iterator[None]:
    with forgotten(tmp_path):
        yield


def refused(place: str, folder: Path, attr: str = "") -> TargetError:
    with pytest.raises(TargetError) as caught:
        import_module_of(place, attr, app_dir=str(folder))
    assert caught.value.hint
    return caught.value


# --- names


def test_the_app_dir_comes_first_and_then_the_paths(tmp_path: Path) -> None:
    write(tmp_path, app__zz_agent="x = 'app'", lib__zz_agent="x = 'lib'", lib__zz_tools="")
    module = import_module_of("zz_agent", app_dir=str(tmp_path / "app"), paths=[str(tmp_path / "lib")])
    assert module.x == "app"
    assert sys.path[:2] == [str(tmp_path / "app"), str(tmp_path / "lib")]
    importlib.import_module("zz_tools")


def test_a_module_that_is_not_there_is_answered_with_near_names(tmp_path: Path) -> None:
    write(tmp_path, zz_agent="", src__zz_flows__writer="")
    error = refused("zz_agnet", tmp_path)
    assert "'zz_agnet'" in error.message
    assert "Did you mean zz_agent?" in error.hint
    assert "src.zz_flows.writer" in refused("zz_flows.writer", tmp_path).hint
    assert refused("zz_agent.graph", tmp_path).hint == "Did you mean zz_agent:graph?"
    assert "Did you mean src.zz_flows.writer" in refused("src.zz_flows.writr", tmp_path).hint
    assert refused("src.zz_flows.writer.graph", tmp_path).hint == "Did you mean src.zz_flows.writer:graph?"


def test_a_missing_import_of_the_module_is_told_from_a_missing_module(tmp_path: Path) -> None:
    write(tmp_path, zz_agent="import zz_tools\n", zz_other="import zz_not_installed.sub\n", src__zz_tools="")
    error = refused("zz_other", tmp_path)
    assert "zz_other imports 'zz_not_installed'" in error.message
    assert sys.executable in error.message
    assert "--python" in error.hint
    assert "import zz_not_installed.sub" in error.detail
    assert "importlib" not in error.detail
    assert "--app-dir" in refused("zz_agent", tmp_path).hint
    assert str(tmp_path / "src") in refused("zz_agent", tmp_path).hint


def test_a_name_that_cannot_be_imported_from_a_module_is_told(tmp_path: Path) -> None:
    write(tmp_path, zz_agent="from json import no_such_name\n")
    assert "no_such_name" in refused("zz_agent", tmp_path).message


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import sys\nsys.exit(7)", "called sys.exit(7)"),
        ("raise KeyboardInterrupt", "was interrupted"),
        ("raise ModuleNotFoundError('pip install it')", "pip install it"),
        ("import asyncio\nraise asyncio.CancelledError", "raised CancelledError"),
        ("def f():\n    1 / 0\nf()", "raised ZeroDivisionError"),
        ("class E(BaseException):\n    def __str__(self):\n        raise ValueError\nraise E", "raised E"),
    ],
)
def test_whatever_a_module_does_is_reported_and_not_obeyed(tmp_path: Path, source: str, told: str) -> None:
    write(tmp_path, zz_agent=source)
    error = refused("zz_agent", tmp_path)
    assert told in error.message
    assert "zz_agent.py" in error.detail
    assert "importlib" not in error.detail
    assert "zz_agent" not in sys.modules


def test_a_syntax_error_tells_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, zz_agent="x = 1\ny = = 2\n")
    error = refused("zz_agent", tmp_path)
    assert error.message.startswith(f"{tmp_path / 'zz_agent.py'}:2 is not valid Python")
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in error.hint


# --- files


def test_a_file_in_a_package_keeps_its_relative_imports(tmp_path: Path) -> None:
    package(tmp_path / "src" / "zz_app")
    package(tmp_path / "src" / "zz_app" / "flows")
    write(tmp_path, src__zz_app__tools="x = 5", src__zz_app__flows__agent="from ..tools import x\nfrom . import near",
          src__zz_app__flows__near="")  # fmt: skip
    module = import_module_of(str(tmp_path / "src/zz_app/flows/agent.py"), app_dir=str(tmp_path))
    assert (module.__name__, module.x) == ("zz_app.flows.agent", 5)
    assert sys.modules["zz_app.flows.agent"] is module
    top = import_module_of(str(tmp_path / "src/zz_app/__init__.py"), app_dir=str(tmp_path))
    assert top.__name__ == "zz_app"


def test_relative_imports_work_without_init_files_too(tmp_path: Path) -> None:
    write(tmp_path, zz_plain__agent="from .tools import x", zz_plain__tools="x = 6")
    module = import_module_of(str(tmp_path / "zz_plain/agent.py"), app_dir=str(tmp_path))
    assert (module.__name__, module.x) == ("zz_plain.agent", 6)
    write(tmp_path, out__zz_far__agent="from .tools import x", out__zz_far__tools="x = 7")
    module = import_module_of(str(tmp_path / "out/zz_far/agent.py"), app_dir=str(tmp_path / "zz_plain"))
    assert (module.__name__, module.x) == ("zz_far.agent", 7)


def test_a_package_whose_name_is_taken_is_refused(tmp_path: Path) -> None:
    package(tmp_path / "json")
    write(tmp_path, json__agent="")
    error = refused(str(tmp_path / "json/agent.py"), tmp_path)
    assert "'json'" in error.message
    assert "Rename" in error.hint


def test_a_lone_file_has_its_own_name_and_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, deep__zz_lone="from zz_tools import x", deep__zz_tools="x = 8")
    module = import_module_of(str(tmp_path / "deep/zz_lone.py"), app_dir=str(tmp_path))
    assert (module.__name__, module.x) == ("zz_lone", 8)
    assert importlib.import_module("zz_lone") is module
    assert sys.path[0] == str(tmp_path)


@pytest.mark.parametrize("place", ["", "deep__"])
@pytest.mark.parametrize("name", ["orjson", "colorsys"])
def test_a_lone_file_does_not_shadow_what_has_its_name(tmp_path: Path, name: str, place: str) -> None:
    """The installed module is loaded anew in a process of its own."""
    write(tmp_path, **{f"{place}{name}": f"import {name}\nMINE = True\n"})
    path = tmp_path / (f"{place}{name}.py".replace("__", "/"))
    code = (
        f"import sys; sys.modules.pop({name!r}, None)\n"
        "from lgwatch.runner.imports import import_module_of\n"
        f"module = import_module_of({str(path)!r}, app_dir={str(tmp_path)!r})\n"
        f"import {name}\n"
        f"assert module.MINE and not hasattr({name}, 'MINE') and module.{name} is {name}\n"
        "assert sys.modules[module.__name__] is module\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_a_file_beside_a_package_of_its_name_leaves_the_name_to_the_package(tmp_path: Path) -> None:
    package(tmp_path / "zz_both")
    write(tmp_path, zz_both="from zz_both.tools import x", zz_both__tools="x = 9")
    module = import_module_of(str(tmp_path / "zz_both.py"), app_dir=str(tmp_path))
    assert module.x == 9
    assert sys.modules["zz_both"] is not module


def test_classes_of_a_privately_named_module_can_be_pickled_and_typed(tmp_path: Path) -> None:
    source = """
    from __future__ import annotations
    from dataclasses import dataclass

    class Inner: ...

    @dataclass
    class State:
        x: Inner | None = None
    """
    (tmp_path / "zz-odd name.py").touch()
    write(tmp_path, **{"zz-odd name": source})
    module = import_module_of(str(tmp_path / "zz-odd name.py"), app_dir=str(tmp_path))
    assert module.__name__.isidentifier()
    assert pickle.loads(pickle.dumps(module.State())) == module.State()
    assert typing.get_type_hints(module.State)["x"] == (module.Inner | None)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    assert "There is no file" in refused(str(tmp_path / "zz_gone.py"), tmp_path).message


# --- a module that does not come back


def test_what_hangs_in_an_import_can_be_asked_from_another_thread(tmp_path: Path) -> None:
    write(tmp_path, zz_slow="import threading, zz_gate\n\ndef wait():\n    zz_gate.asked.wait(30)\n\nwait()\n",
          zz_gate="import threading\nasked = threading.Event()\n")  # fmt: skip
    answers: list[str] = []

    def ask() -> None:
        while not answers:
            place = where_is_import()
            if "zz_slow.py:4" in place:
                answers.append(place)
                sys.modules["zz_gate"].asked.set()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        import_module_of("zz_slow", app_dir=str(tmp_path))
    finally:
        answers.append("")
        thread.join()
    assert answers[0] == f"importing zz_slow, at {tmp_path / 'zz_slow.py'}:4"

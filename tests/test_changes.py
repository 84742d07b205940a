"""What `--reload` waits for."""

import os
from pathlib import Path

from lgwatch.changes import Changes


def write(path: Path, text: str, when: int) -> None:
    path.write_text(text)
    os.utime(path, (when, when))


def test_a_change_is_told_once(tmp_path: Path) -> None:
    write(tmp_path / "graph.py", "a = 1", 1000)
    changed = Changes(tmp_path)
    assert not changed()
    write(tmp_path / "graph.py", "a = 2", 2000)
    assert changed()
    assert not changed()


def test_a_file_that_comes_or_goes_is_a_change(tmp_path: Path) -> None:
    changed = Changes(tmp_path)
    (tmp_path / "nodes.py").write_text("")
    assert changed()
    (tmp_path / "nodes.py").unlink()
    assert changed()


def test_what_is_not_source_is_no_change(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    changed = Changes(tmp_path)
    (tmp_path / ".venv" / "lib" / "module.py").write_text("")
    (tmp_path / "notes.md").write_text("")
    assert not changed()

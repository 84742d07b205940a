"""The folder of past runs."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path

import pytest

from lgwatch import store
from lgwatch.errors import JournalError
from lgwatch.events import Event, Notice, Output
from lgwatch.journal import JournalWriter
from tests.factories import custom, ended, run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "runs"
    monkeypatch.setenv("LGWATCH_STATE", str(path))
    for name in ("LGWATCH_KEEP_RUNS", "LGWATCH_KEEP_BYTES", "LGWATCH_KEEP_DAYS"):
        monkeypatch.delenv(name, raising=False)
    return path


def record(folder: Path, name: str, *events: Event, target: str = "agent:graph") -> Path:
    """A journal that nobody writes to any more."""
    path = folder / f"{name}.jsonl"
    writer = JournalWriter(path, target=target)
    for event in events:
        writer.append(event)
    writer.close()
    return path


def names(found: list[store.RunFile]) -> list[str]:
    return [one.name for one in found]


def test_runs_are_kept_where_the_desktop_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGWATCH_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert store.folder() == Path("/somewhere/lgwatch/runs")
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/invalid")
    monkeypatch.setenv("HOME", "/home/me")
    assert store.folder() == Path("/home/me/.local/state/lgwatch/runs")


def test_names_sort_by_time_and_say_what_ran(folder: Path) -> None:
    path = store.new_path("sample_graphs.research:graph")
    assert path.parent == folder
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-research\.jsonl", path.name)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("target", "end"),
    [
        ("agent:graph", "agent"),
        ("agent:app", "agent-app"),
        ("src/my bots/bot.py:make.graph", "bot-make-graph"),
        ("a/b.py", "b"),
        ("../../etc/passwd", "passwd"),
        ("[bold]\x1b[2J", "bold-2J"),
        ("", "run"),
        ("é" * 300, "run"),
    ],
)
def test_any_target_gives_a_harmless_name(folder: Path, target: str, end: str) -> None:
    path = store.new_path(target)
    assert path.parent == folder
    assert path.stem[20:] == end


def test_two_runs_in_one_second_get_two_names(folder: Path) -> None:
    paths = {store.new_path("agent") for _ in range(20)}
    assert len(paths) == 20
    assert all(path.parent == folder for path in paths)


def test_where_the_folder_cannot_be_written_a_temporary_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LGWATCH_STATE", str(tmp_path / "file" / "runs"))
    said: list[str] = []
    path = store.new_path("agent", warn=said.append)
    assert path.parent.is_dir()
    assert not path.is_relative_to(tmp_path)
    assert str(path.parent) in said[0]
    assert store.runs() == []
    assert store.prune() == []
    path.parent.joinpath(f".{path.name}").unlink()
    path.parent.rmdir()


def test_the_list_has_the_newest_first_with_what_header_and_end_say(folder: Path) -> None:
    record(folder, "2026-01-01T00-00-00-a", run(), custom(1), ended())
    record(folder, "2026-01-02T00-00-00-b", run(), ended("failed"), target="other:graph")
    newest, oldest = store.runs()
    assert (newest.target, newest.status, newest.events) == ("other:graph", "failed", 2)
    assert (oldest.name, oldest.status, oldest.events) == ("2026-01-01T00-00-00-a", "done", 3)
    assert oldest.size == oldest.path.stat().st_size
    assert oldest.started.endswith("Z")
    assert oldest.duration >= 0


def test_the_status_is_the_last_runs_whatever_was_printed_after_it(folder: Path) -> None:
    record(folder, "a", run(), ended("failed"), run("r2"), ended(name="r2"), Output(text="bye"), Notice(code="x"))
    assert store.runs()[0].status == "done"


def test_a_journal_that_is_being_written_is_running(folder: Path) -> None:
    writer = JournalWriter(folder / "a.jsonl", target="agent")
    writer.append(run())
    assert store.runs()[0].status == "running"
    writer.close()
    assert store.runs()[0].status == "crashed", "nobody writes to it, and no result stands in it"


def test_a_journal_without_a_run_is_loaded(folder: Path) -> None:
    record(folder, "a", Notice(code="x", text="y"))
    assert store.runs()[0].status == "loaded"


def test_a_big_journal_is_not_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "COUNTED", 1000)
    monkeypatch.setattr(store, "TAIL", 64)
    record(folder, "a", run(), *(custom("x" * 100) for _ in range(100)), ended("stopped"))
    (found,) = store.runs()
    assert found.events is None
    assert found.status == "stopped"


def test_a_line_longer_than_the_tail_is_read_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "TAIL", 64)
    record(folder, "a", run(), ended(output="x" * 10_000))
    assert store.runs()[0].status == "done"


def test_what_is_no_journal_is_not_listed(folder: Path) -> None:
    record(folder, "a", run(), ended())
    (folder / "b.jsonl").write_text("hello\n")
    (folder / "c.jsonl").touch()
    (folder / "notes.txt").touch()
    assert names(store.runs()) == ["a"]


def test_the_oldest_go_beyond_a_number(folder: Path) -> None:
    paths = [record(folder, f"2026-01-0{day}", run(), ended()) for day in range(1, 6)]
    assert store.prune(keep=3) == [paths[1], paths[0]]
    assert len(store.runs()) == 3


def test_the_oldest_go_beyond_a_size(folder: Path) -> None:
    paths = [record(folder, f"2026-01-0{day}", run(), ended()) for day in range(1, 4)]
    size = paths[0].stat().st_size
    assert store.prune(max_bytes=2 * size + size // 2) == [paths[0]]


def test_what_nobody_wrote_to_for_days_goes_beyond_an_age(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (record(folder, f"2026-01-0{day}", run(), ended()) for day in (1, 2))
    week_ago = time.time() - 7 * 86_400
    os.utime(old, (week_ago, week_ago))
    assert store.prune() == []
    assert store.prune(max_days=8) == []
    monkeypatch.setenv("LGWATCH_KEEP_DAYS", "6.5")
    assert store.prune() == [old]
    assert new.exists()


@pytest.mark.parametrize("nonsense", ["nan", "-1", "", "ten"])
def test_a_limit_that_is_none_deletes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    record(folder, "2026-01-01", run(), ended())
    for name in ("LGWATCH_KEEP_RUNS", "LGWATCH_KEEP_BYTES", "LGWATCH_KEEP_DAYS"):
        monkeypatch.setenv(name, nonsense)
    assert store.prune() == []


def test_the_folder_that_nobody_chose_is_made_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGWATCH_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store.folder().mkdir(mode=0o755, parents=True)
    store.folder().chmod(0o755)
    assert stat.S_IMODE(store.writable_folder().stat().st_mode) == 0o700


def test_limits_can_be_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 4):
        record(folder, f"2026-01-0{day}", run(), ended())
    monkeypatch.setenv("LGWATCH_KEEP_RUNS", "not a number")
    assert store.prune() == []
    monkeypatch.setenv("LGWATCH_KEEP_RUNS", "1")
    assert len(store.prune()) == 2
    monkeypatch.setenv("LGWATCH_KEEP_BYTES", "1")
    assert len(store.prune()) == 1


def test_a_journal_that_is_being_written_is_never_removed(folder: Path) -> None:
    writer = JournalWriter(folder / "2026-01-01.jsonl", target="agent")
    record(folder, "2026-01-02", run(), ended())
    assert [path.stem for path in store.prune(keep=0)] == ["2026-01-02"]
    with pytest.raises(JournalError, match="still being written"):
        store.delete("2026-01-01")
    writer.close()
    assert len(store.prune(keep=0)) == 1


def test_claims_of_names_do_not_pile_up(folder: Path) -> None:
    path = store.new_path("agent")
    claim = folder / f".{path.name}"
    assert claim.exists()
    store.prune()
    assert claim.exists(), "its run may be about to begin"
    os.utime(claim, (0, 0))
    store.prune()
    assert not claim.exists()


def test_a_run_is_found_and_deleted_by_its_name(folder: Path) -> None:
    path = record(folder, "a", run(), ended())
    assert store.find("a") == store.find("a.jsonl") == path
    assert store.find(str(path)) == path
    assert store.delete("a") == path
    for call in (store.find, store.delete):
        with pytest.raises(JournalError, match="there is no"):
            call("a")


def test_nothing_outside_of_the_folder_is_deleted(folder: Path, tmp_path: Path) -> None:
    precious = record(tmp_path, "precious", run())
    folder.mkdir()
    for name in ("../precious", str(precious), str(precious.with_suffix(""))):
        with pytest.raises(JournalError):
            store.delete(name)
    assert precious.exists()

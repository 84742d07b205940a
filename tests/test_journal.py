"""The journal: what is written is read again, whatever happens to the file or the process."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lgwatch
from lgwatch.errors import JournalError
from lgwatch.events import (
    EVENTS,
    Again,
    CustomWritten,
    Event,
    GraphLoaded,
    MessageChunk,
    Notice,
    Output,
    RunEnded,
    TaskEnded,
    Unknown,
    ValueStored,
    defaults,
)
from lgwatch.journal import JournalReader, JournalWriter, decode, encode
from lgwatch.journal import reader as reading
from lgwatch.journal.lines import Decoder
from tests.factories import custom, ended, run, said, task, token

HEADER = b'{"lgwatch":1,"target":"app:graph","started":"2026-11-20T13:46:09.120Z"}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def written(path: Path, *events: Event) -> Path:
    writer = JournalWriter(path, target="app:graph")
    for event in events:
        writer.append(event)
    writer.close()
    return path


def read(path: Path) -> list[Event]:
    reader = JournalReader(path)
    try:
        return reader.poll()
    finally:
        reader.close()


def untimed(events: list[Event]) -> list[Event]:
    return [replace(event, at=0.0) for event in events]


# ── the header ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_header_says_what_was_run_and_with_what(path: Path):
    JournalWriter(path, target="app:graph", python="3.12.1", langgraph="1.2.22", extra={"label": "my run"}).close()
    header = JournalReader(path).header
    assert (header.version, header.target, header.python, header.langgraph) == (1, "app:graph", "3.12.1", "1.2.22")
    assert header.extra == {"label": "my run"}
    assert header.started.endswith("Z")


def test_a_newer_version_is_refused_with_what_to_upgrade(path: Path):
    path.write_bytes(b'{"lgwatch":2,"target":"x"}\n')
    with pytest.raises(JournalError, match="newer lgwatch") as caught:
        JournalReader(path)
    assert "upgrade lgwatch" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b"[1]\n", b'{"type":"run"}\n', b'{"lgwatch":"new"}\n', b'{"lgwatch":null}\n', b"\x00\xff\n", b'{"lgwatch":1',
     b'{"lgwatch":1,"target":"x"}', b"\x00" * 3_000_000],
    ids=["text", "list", "event", "version", "null", "binary", "cut", "no newline", "no lines"],
)  # fmt: skip
def test_another_kind_of_file_is_no_journal(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"not a journal|first line") as caught:
        JournalReader(path)
    assert caught.value.hint


def test_an_empty_file_is_said_to_be_empty(path: Path):
    path.touch()
    with pytest.raises(JournalError, match="is empty"):
        JournalReader(path)


def test_a_missing_file_and_a_folder_cannot_be_read(path: Path, tmp_path: Path):
    with pytest.raises(JournalError, match="No such file"):
        JournalReader(path)
    with pytest.raises(JournalError, match="directory"):
        JournalReader(tmp_path)
    with pytest.raises(JournalError, match="No such file"):
        JournalWriter.attach(path)


def test_refused_files_are_let_go_of(path: Path):
    path.write_bytes(b"hello\n")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(JournalError):
            JournalReader(path)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_nothing_but_strings_stands_in_the_header(path: Path):
    path.write_bytes(b'{"lgwatch":1,"target":null,"python":3.12}\n')
    assert (JournalReader(path).header.target, JournalReader(path).header.python) == ("", "3.12")


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────

text = st.text(max_size=8)
data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def _values(name: str, default: Any) -> st.SearchStrategy[Any]:
    if isinstance(default, float):
        return st.integers(0, 10**9).map(lambda micros: micros / 1_000_000)
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(-(2**31), 2**31)
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return st.lists(text, max_size=3).map(tuple)
    if isinstance(default, list):
        return st.lists(st.dictionaries(text, data, max_size=2), max_size=2)
    if name in ("error", "usage", "tool_call"):
        return st.none() | st.dictionaries(text, data, max_size=2)
    if name in ("parent", "fork"):
        return st.none() | text
    return data


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(cls, **{name: _values(name, default) for name, default in defaults(cls).items()})


unknown = st.builds(
    Unknown,
    at=_values("at", 0.0),
    ns=_values("ns", ()),
    kind=text.filter(lambda kind: kind not in EVENTS),
    data=st.dictionaries(text.filter(lambda key: key not in ("type", "at", "ns")), data, max_size=3),
)


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.type)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_event_is_read_as_it_was_written(cls: type[Event], draw: st.DataObject):
    event = draw.draw(events_of(cls))
    line = encode(event)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == event


@settings(max_examples=50, deadline=None)
@given(unknown)
def test_an_unknown_event_is_read_as_it_was_written(event: Unknown):
    assert decode(encode(event)[:-1]) == event


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | data.map(lambda value: json.dumps(value).encode()))
def test_any_line_at_all_is_some_event(line: bytes):
    assert isinstance(decode(line), Event)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_fields_of_a_wrong_type_count_as_left_out(kind: str, draw: st.DataObject):
    names = defaults(EVENTS[kind])
    line = draw.draw(st.dictionaries(st.sampled_from(sorted(names)), data))
    event = decode(json.dumps({"type": kind, **line}).encode())
    assert type(event) is EVENTS[kind]
    for name, default in names.items():
        if isinstance(default, (str, bool, int, tuple, float)):
            assert isinstance(getattr(event, name), (int, float) if isinstance(default, float) else type(default))
        elif name in ("error", "usage", "tool_call"):
            assert isinstance(getattr(event, name), dict | None)


def test_a_field_is_left_out_when_it_equals_its_default():
    assert (
        encode(token(node=""))
        == b'{"type":"message","at":0.000000,"message":"lc_run--01a1b2c3-0000-4000-8000-000000000001","step":1}\n'
    )
    assert encode(MessageChunk()) == b'{"type":"message","at":0.000000}\n'
    assert json.loads(encode(said("hi"))) == {
        "type": "message", "at": 0, "message": "m1", "node": "writer", "task": "writer", "step": 1, "text": "hi",
        "last": True, "whole": True,
    }  # fmt: skip


def test_false_is_not_taken_for_zero():
    assert decode(encode(CustomWritten(data=False))[:-1]) == CustomWritten(data=False)
    assert b'"data":0' in encode(CustomWritten(data=0))


def test_an_unknown_type_is_kept_whole(path: Path):
    path.write_bytes(HEADER + b'{"type":"weather","at":1.5,"ns":["a:1"],"sky":{"blue":true}}\n')
    reader = JournalReader(path)
    assert reader.poll() == [Unknown(at=1.5, ns=("a:1",), kind="weather", data={"sky": {"blue": True}})]
    assert reader.line(1)["sky"] == {"blue": True}


def test_unknown_fields_stay_on_the_line(path: Path):
    path.write_bytes(HEADER + b'{"type":"custom","at":1,"data":2,"mood":"good"}\n')
    reader = JournalReader(path)
    assert reader.poll() == [CustomWritten(at=1, data=2)]
    assert reader.line(1)["mood"] == "good"


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"nonsense", b'{"type":"custom"} trailing', b"\xff\xfe"])
def test_a_damaged_line_is_a_notice(line: bytes):
    event = decode(line)
    assert isinstance(event, Notice)
    assert event.code == "torn"
    assert str(len(line)) in event.text


@pytest.mark.parametrize(
    "name", ["lone \ud800 surrogate", 2**70, {1: 2}, object()], ids=["surrogate", "int", "key", "object"]
)
def test_what_json_cannot_hold_is_written_all_the_same(path: Path, name: Any):
    written(path, task("a", input=name), CustomWritten(ns=("a:1",), node="b", task="b", data={"x": name}))
    first, second = read(path)
    assert type(first).type == "task"
    assert isinstance(second, CustomWritten)
    assert (second.ns, second.node, second.task) == (("a:1",), "b", "b")


def test_a_node_may_have_any_name(path: Path):
    written(path, CustomWritten(ns=("\ud800:1",), node="\ud800", data=1))
    (event,) = read(path)
    assert isinstance(event, CustomWritten)
    assert len(event.ns) == 1
    assert event.data == 1


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_its_owner_may_read_a_journal(tmp_path: Path):
    path = tmp_path / "new" / "run.jsonl"
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_file_is_overwritten(path: Path):
    path.write_text("precious")
    with pytest.raises(JournalError, match="exists already") as caught:
        JournalWriter(path, target="x")
    assert "--journal" in caught.value.hint
    assert path.read_text() == "precious"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot write"):
        JournalWriter(tmp_path / "file" / "run.jsonl", target="x")


def test_the_writer_stamps_and_time_never_goes_back(path: Path):
    written(path, *(custom(n, at=1000.0 - n) for n in range(100)))
    stamps = [event.at for event in read(path)]
    assert stamps == sorted(stamps)
    assert stamps[-1] < 900


def test_now_goes_on(path: Path):
    writer = JournalWriter(path, target="x")
    before = writer.now()
    writer.append(custom(1))
    assert before <= read(path)[0].at + 1e-6
    assert read(path)[0].at <= writer.now() + 1e-6


def test_many_threads_write_whole_lines(path: Path):
    writer = JournalWriter(path, target="x")
    append = writer.repeat(token(node="100 % sure"))

    def work(number: int) -> None:
        for n in range(100):
            writer.append(custom({"thread": number, "n": n, "pad": "x" * 5_000}))
            append(f"{number}:{n}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = read(path)
    assert len(events) == 1600
    customs = {(event.data["thread"], event.data["n"]) for event in events if isinstance(event, CustomWritten)}
    assert len(customs) == 800
    assert {event.text for event in events if isinstance(event, MessageChunk)} == {
        f"{a}:{b}" for a in range(8) for b in range(100)
    }
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_two_processes_write_whole_lines(path: Path):
    writer = JournalWriter(path, target="x")
    program = (
        "import sys; from lgwatch.journal import JournalWriter; from lgwatch.events import CustomWritten\n"
        "writer = JournalWriter.attach(sys.argv[1])\n"
        "for n in range(300): writer.append(CustomWritten(data='y' * 3000, node='other'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as other:
        for _ in range(2_000):
            writer.append(custom("x" * 3_000))
            if other.poll() is not None:
                break
    assert other.returncode == 0
    events = read(path)
    assert all(isinstance(event, CustomWritten) for event in events)
    assert sum(getattr(event, "node", "") == "other" for event in events) == 300


@pytest.mark.parametrize(
    "event",
    [
        token("x", node="a", tags=("draft",), model="gpt", ns=("s:1",)),
        MessageChunk(),
        MessageChunk(node='%s %(x)d "quoted" \\', kind="tool_call", tool_call={"index": 0, "text": "text"}),
        MessageChunk(text="a", name="\0text\0"),
        MessageChunk(node="\ud800"),
    ],
    ids=["usual", "empty", "percent", "mark", "surrogate"],
)
@pytest.mark.parametrize("piece", ["hello", "", 'ü\n"\\\0', "100 %d", "\ud800"])
def test_repeat_writes_the_line_that_append_would(path: Path, event: MessageChunk, piece: str):
    writer = JournalWriter(path, target="x")
    writer.repeat(event)(piece)
    writer.append(replace(event, text=piece))
    first, second = path.read_bytes().splitlines()[1:]
    assert first.partition(b',"at":')[2].partition(b",")[2] == second.partition(b',"at":')[2].partition(b",")[2]


def test_a_write_that_fails_is_remembered_and_not_raised(path: Path):
    writer = JournalWriter(path, target="x")
    assert writer.failure is None
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._fd)
    os.close(full)
    writer.append(custom(1))
    writer.repeat(token())("x")
    assert writer.failure is not None
    assert "space" in str(writer.failure)


def test_a_line_that_was_cut_by_a_full_disk_does_not_spoil_the_next(path: Path, monkeypatch: pytest.MonkeyPatch):
    writer = JournalWriter(path, target="x")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, line: real(fd, line[:20]))
    writer.append(custom(1))
    monkeypatch.setattr(os, "write", real)
    writer.append(custom(2))
    writer.append(custom(3))
    torn, *rest = read(path)
    assert isinstance(torn, Notice)
    assert [getattr(event, "data", None) for event in rest] == [2, 3]


def test_a_closed_writer_writes_into_no_other_file(path: Path, tmp_path: Path):
    writer = JournalWriter(path, target="x")
    number = writer._fd
    writer.close()
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
    os.dup2(other, number)
    try:
        writer.append(custom(1))
        writer.close()
        assert (tmp_path / "other").read_bytes() == b""
        os.fstat(number)  # nor did it close it
    finally:
        os.close(number)
        os.close(other)
    assert writer.failure is None


def test_a_write_inside_a_write_does_not_hang(path: Path):
    writer = JournalWriter(path, target="x")

    def nested() -> None:
        with writer.lock:  # as when the garbage collector runs a `__del__` that prints
            writer.append(Output(text="from a finalizer"))

    thread = threading.Thread(target=nested, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert [getattr(event, "text", "") for event in read(path)] == ["from a finalizer"]


# ── going on ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_writer_goes_on_on_a_fresh_line_and_the_damage_shows(path: Path):
    written(path, run(), task("a"))
    path.write_bytes(path.read_bytes() + b'{"type":"custom","at":0.0,"da')
    reader = JournalReader(path)
    assert [event.type for event in reader.poll()] == ["run", "task"]
    assert reader.torn
    writer = JournalWriter.attach(path)
    writer.append(ended("crashed"))
    writer.close()
    notice, end = reader.poll()
    assert isinstance(notice, Notice)
    assert notice.code == "torn"
    assert isinstance(end, RunEnded)
    assert not reader.torn
    assert [event.type for event in read(path)] == ["run", "task", "notice", "run_result"]


def test_a_later_writers_time_follows_the_journals(path: Path):
    path.write_bytes(HEADER.replace(b"2026", b"2999") + encode(custom(1, at=50.0)))
    writer = JournalWriter.attach(path)
    for n in range(3):
        writer.append(custom(n))
    stamps = [event.at for event in read(path)]
    assert stamps == sorted(stamps)
    assert 50 <= stamps[-1] < 60


@pytest.mark.parametrize("started", ["", "yesterday", "2026-11-20T13:46:09.120", "2026-11-20T13:46:09.120Z"])
def test_a_later_writer_needs_no_date(path: Path, started: str):
    path.write_bytes(b'{"lgwatch":1,"started":"%b"}\n' % started.encode())
    JournalWriter.attach(path).append(custom(1))
    assert len(read(path)) == 1


def test_a_writer_may_follow_on_a_journal_of_nothing_but_its_header(path: Path):
    path.write_bytes(HEADER)
    JournalWriter.attach(path).append(custom(1))
    assert path.read_bytes().count(b"\n") == 2


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_torn_last_line_is_ignored(path: Path):
    written(path, run())
    assert not lgwatch.read_journal(path).notices
    path.write_bytes(path.read_bytes() + b'{"type":"cus')
    reader = JournalReader(path)
    assert len(reader.poll()) == 1
    assert reader.torn
    assert reader.poll() == []


def test_reading_follows_a_file_that_grows(path: Path):
    writer = JournalWriter(path, target="x")
    reader = JournalReader(path)
    assert reader.poll() == []
    for n in range(3):
        writer.append(custom(n))
        assert [getattr(event, "data", None) for event in reader.poll()] == [n]
    assert reader.poll() == []
    assert reader.position == (path.stat().st_size, path.stat().st_size)


def test_a_line_may_arrive_byte_by_byte(path: Path):
    path.write_bytes(HEADER)
    reader = JournalReader(path)
    found: list[Event] = []
    lines = encode(custom("größer 🐈", at=1.0)) + encode(custom("b", at=2.0))
    with path.open("ab", buffering=0) as file:
        for number in range(len(lines)):
            file.write(lines[number : number + 1])
            found += reader.poll()
            assert reader.torn == (lines[number : number + 1] != b"\n")
    assert found == [custom("größer 🐈", at=1.0), custom("b", at=2.0)]
    assert [reader.raw(seq) + b"\n" for seq in (1, 2)] == lines.splitlines(keepends=True)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1000, 1 << 20])
def test_chunks_may_end_anywhere(path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int):
    monkeypatch.setattr(reading, "CHUNK", chunk)
    events: list[Event] = [custom("🐈" * n, at=float(n)) for n in range(40)]
    path.write_bytes(b'{"lgwatch":1}\n' + b"".join(map(encode, events)))
    reader = JournalReader(path)
    assert reader.poll() == events
    assert [reader.line(seq)["at"] for seq in range(1, 41)] == [float(n) for n in range(40)]


def test_a_line_may_be_longer_than_a_chunk(path: Path):
    written(path, Output(text="x" * (3 * reading.CHUNK)), custom(1))
    reader = JournalReader(path)
    first, second = reader.poll()
    assert isinstance(first, Output)
    assert (len(first.text), getattr(second, "data", None)) == (3 * reading.CHUNK, 1)
    assert len(reader.line(1)["text"]) == 3 * reading.CHUNK


def test_a_budget_gives_everything_in_the_end(path: Path):
    events: list[Event] = [custom(n, at=float(n)) for n in range(1000)]
    path.write_bytes(HEADER + b"".join(map(encode, events)))
    reader = JournalReader(path)
    polls = []
    while found := reader.poll(0.0):
        polls.append(found)
    assert [event for found in polls for event in found] == events
    assert len(polls) > 5
    assert reader.position[0] == path.stat().st_size


def test_reading_all_of_a_file_ends_where_it_ended(path: Path):
    writer = JournalWriter(path, target="x")
    writer.append(custom(0))
    reader = JournalReader(path)
    found = []
    for event in reader.read():
        writer.append(event)
        found.append(event)
    assert len(found) == 1
    assert len(list(reader.read())) == 1


def test_a_budget_is_kept_also_by_long_lines(path: Path):
    written(path, *(Output(text="x" * 100_000) for _ in range(20)))
    reader = JournalReader(path)
    assert len(reader.poll(0.0)) == 1
    assert len(reader.poll()) == 19


def test_any_line_can_be_read_again(path: Path):
    lines = [encode(custom({"n": n, "pad": "ü" * (n % 50)}, at=float(n))) for n in range(1000)]
    path.write_bytes(HEADER + b"".join(lines))
    reader = JournalReader(path)
    reader.poll()
    assert reader.raw(0) + b"\n" == HEADER
    for seq in (1, 500, 1000, 7, 999):
        assert reader.raw(seq) + b"\n" == lines[seq - 1]
        assert reader.line(seq)["data"]["n"] == seq - 1
    with pytest.raises(IndexError):
        reader.raw(1001)


def test_a_damaged_line_reads_as_nothing(path: Path):
    path.write_bytes(HEADER + b"oops\n[1]\n")
    reader = JournalReader(path)
    assert [event.type for event in reader.poll()] == ["notice", "notice"]
    assert (reader.line(1), reader.raw(1), reader.line(2), reader.resolved(2)) == ({}, b"oops", {}, {})


def test_a_deleted_file_can_still_be_read(path: Path):
    written(path, custom(1))
    reader = JournalReader(path)
    path.unlink()
    event, told = reader.poll()
    assert getattr(told, "code", "") == "gone"
    assert event.data == reader.line(1)["data"] == 1  # type: ignore[attr-defined]
    assert reader.poll() == []


def test_a_file_that_grows_while_it_is_read_was_not_cut(path: Path, monkeypatch: pytest.MonkeyPatch):
    written(path, custom(1))
    reader = JournalReader(path)
    asked = os.pread

    def pread(fd: int, size: int, at: int) -> bytes:  # between the look at the size and the read
        with path.open("ab") as file:
            file.write(encode(custom(2)))
        return asked(fd, size, at)

    monkeypatch.setattr(reading.os, "pread", pread)
    events = reader.poll()
    monkeypatch.undo()
    assert [getattr(event, "data", event) for event in events + reader.poll()] == [1, 2]


def test_a_file_that_was_cut_is_told_and_read_on(path: Path):
    written(path, custom(1), custom(2))
    reader = JournalReader(path)
    reader.poll()
    os.truncate(path, reader.offsets[2] + 5)
    (told,) = reader.poll()
    assert (getattr(told, "code", ""), reader.line(3)["code"]) == ("cut", "cut")
    assert (reader.line(1)["data"], reader.line(2)) == (1, {})
    with path.open("ab") as file:  # as a writer that hears nothing of it
        file.writelines(encode(custom(number)) for number in range(3, 6))
    assert [getattr(event, "data", None) for event in reader.poll()] == [3, 4, 5]
    assert [reader.line(seq).get("data") for seq in range(1, 7)] == [1, None, None, 3, 4, 5]
    assert list(reader.offsets) == sorted(reader.offsets)
    lines, begins = reader.block(1, 1 << 20)
    assert [decode(line).type for line in lines.splitlines() if line][-3:] == ["custom"] * 3
    assert [lines[begin:].split(b"\n")[0] for begin in begins[2:]] == [reader.raw(seq) for seq in range(3, 7)]
    assert [reader.size(seq) for seq in (1, 3, 4)] == [len(reader.raw(seq)) for seq in (1, 3, 4)]
    assert reader.position == (path.stat().st_size,) * 2


def test_a_file_that_is_cut_again_and_again_never_shows_another_line_in_a_lines_place(path: Path):
    written(path, *(custom(number) for number in range(20)))
    reader, seen = JournalReader(path), [None]
    chance = random.Random(7)
    for turn in range(30):
        seen += [getattr(event, "data", None) for event in reader.poll()]
        if turn % 3 == 2:
            os.truncate(path, chance.randrange(80, max(path.stat().st_size, 81)))
            seen += [getattr(event, "data", None) for event in reader.poll()]
        with path.open("ab") as file:  # as a writer that hears nothing of it
            file.writelines(encode(custom(turn * 100 + number)) for number in range(turn % 4))
    seen += [getattr(event, "data", None) for event in reader.poll()]
    assert seen.count(None) > 2
    for seq, data in enumerate(seen[1:], 1):
        assert reader.line(seq).get("data") in (data, None)
    assert [reader.line(seq).get("data") for seq in range(len(seen) - 2, len(seen))] == seen[-2:]


def test_a_line_that_was_torn_when_the_name_was_lost_is_read_whole(path: Path):
    written(path, custom(1))
    reader = JournalReader(path)
    line = encode(custom(2, at=1.0))
    with path.open("ab", buffering=0) as file:
        file.write(line[:30])
        assert len(reader.poll()) == 1
        path.unlink()
        (told,) = reader.poll()
        assert (getattr(told, "code", ""), reader.torn) == ("gone", True)
        file.write(line[30:] + encode(custom(3, at=2.0)) + line[:9])
        assert [getattr(event, "data", None) for event in reader.poll()] == [2, 3]
        assert [reader.line(seq).get("data") for seq in range(1, 5)] == [1, None, 2, 3]
        assert (reader.raw(3) + b"\n", reader.line(2)["code"], reader.torn) == (line, "gone", True)


def test_what_was_written_after_a_cut_is_there_when_the_name_is_lost(path: Path):
    written(path, *(custom(number) for number in range(6)))
    reader = JournalReader(path)
    reader.poll()
    os.truncate(path, reader.offsets[2])
    reader.poll()
    with path.open("ab") as file:
        file.writelines(encode(custom(number)) for number in range(10, 13))
    reader.poll()
    path.unlink()
    (told,) = reader.poll()
    assert getattr(told, "code", "") == "gone"
    expected = [0, *[None] * 6, 10, 11, 12, None]
    assert [reader.line(seq).get("data") for seq in range(1, len(reader.offsets))] == expected


def chain(length: int) -> list[Event]:
    """A conversation that grows: each list is stored as what is appended to the one before."""
    first = ValueStored(id="v0", data=["m0"])
    return [
        first,
        *(ValueStored(id=f"v{n}", data={"$ref": f"v{n - 1}", "$append": [f"m{n}"]}) for n in range(1, length)),
    ]


@pytest.mark.parametrize("length", [1, 2, 1000])
def test_references_are_resolved_through_chains(path: Path, length: int):
    last = TaskEnded(task="a", writes={"messages": {"$ref": f"v{length - 1}"}}, error={"type": "E", "message": "m"})
    written(path, *chain(length), last)
    reader = JournalReader(path)
    reader.poll()
    assert reader.line(length + 1)["writes"] == {"messages": {"$ref": f"v{length - 1}"}}
    expected = {"messages": [f"m{n}" for n in range(length)]}
    assert reader.resolved(length + 1)["writes"] == expected
    (event,) = lgwatch.events(path)
    assert isinstance(event, TaskEnded)
    assert (event.writes, event.error) == (expected, {"type": "E", "message": "m"})


def test_a_reference_to_nothing_is_left_as_it_is(path: Path):
    written(path, custom({"$ref": "v9"}))
    reader = JournalReader(path)
    reader.poll()
    assert reader.resolved(1)["data"] == {"$ref": "v9"}
    assert [getattr(event, "data", None) for event in lgwatch.events(path)] == [{"$ref": "v9"}]


def test_a_value_whose_line_is_gone_is_left_as_it_is(path: Path):
    written(path, custom({"$ref": "v1"}), ValueStored(id="v1", data="x" * 100))
    reader = JournalReader(path)
    reader.poll()
    os.truncate(path, reader.offsets[2] + 5)
    assert reader.resolved(1)["data"] == {"$ref": "v1"}


def test_values_inside_of_values_are_resolved(path: Path):
    written(
        path, ValueStored(id="v1", data="long text"), ValueStored(id="v2", data={"content": {"$ref": "v1"}}),
        GraphLoaded(nodes=[{"id": "a", "x": {"$ref": "v2"}}]),
    )  # fmt: skip
    (event,) = lgwatch.events(path)
    assert isinstance(event, GraphLoaded)
    assert event.nodes == [{"id": "a", "x": {"content": "long text"}}]


def test_the_public_functions_refuse_what_is_no_journal(path: Path):
    path.write_text("hello\n")
    calls: list[Callable[[], object]] = [lambda: lgwatch.read_journal(path), lambda: list(lgwatch.events(path))]
    for call in calls:
        with pytest.raises(JournalError):
            call()


def test_nodes_and_edges_that_are_no_objects_are_left_out() -> None:
    event = decode(b'{"type":"graph","at":1.0,"nodes":[{"id":"a"},"b",null],"edges":7}')
    assert (event.nodes, event.edges) == ([{"id": "a"}], [])  # type: ignore[attr-defined]


@pytest.mark.parametrize("tail", [b"", b'{"type":"custom","at":9', b"nonsense\n" * 20_000])
def test_a_writer_that_goes_on_stamps_after_the_last_event_whatever_follows_it(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "run.jsonl"
    body = b'{"type":"custom","at":%.1f,"data":"' + b"x" * 200_000 + b'"}\n'
    path.write_bytes(b'{"lgwatch":1,"started":"nobody knows"}\n' + body % 3 + body % 1e9 + tail)
    writer = JournalWriter.attach(path)
    writer.append(Notice(code="here", text=""))
    writer.close()
    reader = JournalReader(path)
    *_, last = reader.poll()
    assert (getattr(last, "code", ""), last.at >= 1e9) == ("here", True)
    reader.close()


def test_a_writer_that_goes_on_reads_no_more_than_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.jsonl"
    line = b'{"type":"custom","at":1.0,"data":"' + b"x" * 1_000 + b'"}\n'
    path.write_bytes(b'{"lgwatch":1}\n' + line * 5_000)
    read, real = [], os.pread
    monkeypatch.setattr(os, "pread", lambda *asked: (read.append(asked[1]), real(*asked))[1])
    JournalWriter.attach(path).close()
    assert sum(read) < 300_000


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"message","at":0.1,"message":"m","node":"w","text":"a"}',
        b'{"type":"message","at":0.2,"message":"m","node":"w","text":"b \\"quoted\\" \\n\\u00e9"}',
        b'{"type":"message","at":0.3,"message":"m","node":"w","text":"c","last":true}',
        b'{"type":"message","at":0.4,"message":"m","node":"w","text":"d \\" e","kind":"reasoning","last":true}',
        b'{"type":"message","at":0.5,"message":"m","node":"w","text":"caf\xc3\xa9 \xf0\x9f\x90\x88"}',
        b'{"type":"message","at":0.6,"message":"m","text":"","kind":"tool_call","tool_call":{"index":0,"text":"no"}}',
        b'{"type":"message","at":0.7,"tool_call":{"index":0,"text":"no"},"text":"yes"}',
        b'{"type":"message","at":0.8,"usage":{"a":1,"text":"no"}}',
        b'{"type":"message","at":0.9,"message":"m","node":"w","text":"ends here',
        b'{"type":"message","at":1.0,"message":"m","node":"w","text":"\xff"}',
        b'{"type":"message","at":"x","message":"m","node":"w","text":"a"}',
        b'{"type":"message","at":1,"text":"a"}',
        b'{"type":"message","at":1.1,"text":"back\\\\"}',
        b'{"type":"custom","at":1.2,"data":{"text":"a"}}',
    ],
)  # fmt: skip
def test_tokens_that_are_alike_are_decoded_as_if_each_was_the_first(line: bytes):
    decoder = Decoder()
    before = b'{"type":"message","at":0.01,"message":"m","node":"w","text":"before"}'
    for one in (before, line, before, line):
        assert decoder(one) == decode(one)
    decoder.brief = True
    for one in (before, line, before, line):
        event = decoder(one)
        assert (event.chunk() if type(event) is Again else event) == decode(one)


def test_who_asks_for_it_is_told_of_chunks_in_brief(path: Path):
    reader = JournalReader(written(path, *(token(text) for text in "abc"), token("d", last=True), token("e"), ended()))
    told = reader.poll(brief=True)
    assert [type(event).__name__ for event in told] == [
        "MessageChunk", "Again", "Again", "MessageChunk", "Again", "RunEnded",
    ]  # fmt: skip
    assert [event.text for event in told[:-1] if isinstance(event, (MessageChunk, Again))] == list("abcde")

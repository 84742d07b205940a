"""Columns: arrays whose beginning lies in a file without a name."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch import columns
from lgwatch.columns import Column, Shelf
from tests.live import ROOT

SMALL = 16
"""Items of a tail, in these tests."""


@pytest.fixture(autouse=True)
def _short_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "TAIL", SMALL)
    monkeypatch.setattr(columns, "AT_ONCE", SMALL + 3)
    monkeypatch.setattr(columns, "SHIFT", 3)
    monkeypatch.setattr(columns, "BLOCK", 8)
    monkeypatch.setattr(columns, "BLOCKS", 2)


def files() -> int:
    """How many files the process has open."""
    return len(list(Path("/dev/fd").iterdir()))


steps = st.lists(st.one_of(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 9), max_size=40), st.none()), max_size=40)


@settings(max_examples=100, deadline=None)
@given(steps, st.integers(-150, 150), st.integers(-150, 150), st.sampled_from([None, 1, 2, -1, -3]))
def test_a_column_is_the_array_of_the_same_numbers(
    told: list[int | list[int] | None], start: int, stop: int, step: int
):
    column, expected = Column[int]("I"), array("I")
    for one in told:
        if one is None:
            column.settle()
        elif isinstance(one, list):
            column.extend(one)
            expected.extend(one)
        else:
            column.append(one)
            expected.append(one)
    assert len(column) == len(expected)
    assert list(column) == list(expected)
    assert column == expected
    assert column[start:stop:step] == expected[start:stop:step]
    assert [column[place] for place in range(-len(expected), len(expected))] == [*expected, *expected]
    for wrong in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            column[wrong]
    some = range(max(start, 0), len(expected), abs(step or 1))
    assert list(column.gather(array("I", some))) == [expected[place] for place in some]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 200)), max_size=12))
def test_a_column_grows_in_front_while_it_is_loose_and_is_cut_at_any_time(told: list[tuple[bool, int, int]]):
    column, expected = Column[int]("I", loose=True), list[int]()
    for loose, many, length in told:
        column.loose &= loose
        if column.loose:
            column.prepend(range(many))
            expected[:0] = range(many)
        column.extend(range(100, 100 + many))
        expected.extend(range(100, 100 + many))
        assert list(column) == expected
        column.cut(length)
        del expected[length:]
        assert list(column) == [column[place] for place in range(len(column))] == expected


def test_sorted_numbers_are_searched_wherever_they_lie():
    column = Column("d", (number / 2 for number in range(1_000)))
    for number in (-1.0, 0.0, 3.5, 3.6, 499.5, 500.0):
        expected = sorted(number / 2 for number in range(1_000))
        assert bisect_left(column, number) == bisect_left(expected, number)
        assert column.bisect_left(number) == bisect_left(expected, number)
        assert bisect_right(column, number, 5, 900) == bisect_right(expected, number, 5, 900)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=120).map(sorted), st.integers(-1, 41))
def test_where_a_number_belongs_is_found_in_one_block(numbers: list[int], sought: int):
    assert Column("q", numbers).bisect_left(sought) == bisect_left(numbers, sought)


def test_a_short_column_has_no_file_and_a_dropped_one_leaves_none():
    gc.collect()
    before = files()
    short = Column("I", range(SMALL - 1))
    assert files() == before
    long = Column("I", range(SMALL * 10))
    assert long[3] == 3
    assert files() > before
    assert list(short) == list(long)[: SMALL - 1]
    del long
    assert files() == before


def test_what_was_looked_at_stays_right_while_the_column_grows():
    column = Column("Q", range(SMALL))
    old = iter(column)
    seen = [next(old), column[1]]
    column.extend(range(SMALL, SMALL * 9))
    assert [*seen[:1], *old] == list(range(SMALL))
    assert [column[1], column[SMALL + 1], column[-1]] == [1, SMALL + 1, SMALL * 9 - 1]


@pytest.mark.parametrize("fault", ["no folder", "full at once", "full later", "full in part"])
def test_a_column_that_finds_no_room_stays_in_memory(fault: str, monkeypatch: pytest.MonkeyPatch):
    real, calls = os.pwrite, [0]

    def no_folder() -> int:
        raise FileNotFoundError(2, "No usable temporary directory found")

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        calls[0] += 1
        if fault == "full in part":
            return real(fd, data[:7], offset)
        if fault == "full at once" or calls[0] > 2:
            raise OSError(28, "No space left on device")
        return real(fd, data, offset)

    if fault == "no folder":
        monkeypatch.setattr(columns, "_nameless", no_folder)
    monkeypatch.setattr("lgwatch.columns.os.pwrite", pwrite)
    column = Column[int]("I")
    for number in range(SMALL * 20):
        column.append(number)
        column.settle()
    assert list(column) == list(range(SMALL * 20))
    assert [column[0], column[SMALL * 3], column[-1]] == [0, SMALL * 3, SMALL * 20 - 1]


def test_a_file_without_a_name_stands_in_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    shelf = Shelf()
    assert shelf.put(b"hello")
    assert shelf.read(1, 3) == b"ell"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is told in /proc")
def test_a_long_column_takes_no_memory_and_a_look_at_all_of_it_neither():
    script = """
import os
from lgwatch.columns import Column

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

column, chunk = Column("Q", range(100_000)), range(100_000)
list(zip(column, column.gather(range(0, 100_000, 2))))
before = resident()
for _ in range(60):
    column.extend(chunk)
assert sum(column) == 61 * sum(chunk)
assert sum(column.gather(range(0, len(column), 7)))
print((resident() - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) < 16_000, "as an array it is 48 MB"


def test_a_process_that_may_write_no_file_has_its_columns_in_memory():
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
from lgwatch.columns import Column
column = Column("Q", range(200_000))
column.extend(range(200_000))
assert list(column) == [*range(200_000)] * 2
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=True)

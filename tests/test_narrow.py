"""A value of a cell, written into the filter and taken out again."""

from __future__ import annotations

from typing import Any

import pytest

from lgwatch.filter import parse
from lgwatch.filter.narrow import bound, drop, keep_only


@pytest.mark.parametrize(
    ("before", "field", "value", "after"),
    [
        ("", "type", "custom", "type=custom"),
        ("type=custom", "type", "message", "type=message"),
        ("type=custom", "type", "custom", ""),
        ("type:task word", "type", "custom", "type:task word type=custom"),
        ("!type=custom", "type", "task", "!type=custom type=task"),
        ("", "path", "a b/c", 'path="a b/c"'),
        ("data.url=x", "data.url", "y", "data.url=y"),
        ("data.url=x", "data.other", "y", "data.url=x data.other=y"),
        ("", "step", "3", "step=3"),
    ],
)
def test_only_one_value_is_kept(before: str, field: str, value: str, after: str):
    assert keep_only(parse(before), field, value) == after
    parse(after)


@pytest.mark.parametrize(
    ("before", "field", "value", "after"),
    [
        ("", "type", "custom", "!type=custom"),
        ("!type=custom", "type", "task", "!type=custom,task"),
        ("!type=custom,task", "type", "custom", "!type=task"),
        ("!type=custom", "type", "custom", ""),
        ("!type:custom", "type", "task", "!type:custom !type=task"),
        ("type=custom x", "node", "a,b", 'type=custom x !node="a,b"'),
    ],
)
def test_values_are_dropped_one_after_the_other(before: str, field: str, value: str, after: str):
    assert drop(parse(before), field, value) == after
    parse(after)


@pytest.mark.parametrize("press", [keep_only, drop])
@pytest.mark.parametrize(
    ("field", "value"), [("type", "message"), ("path", "a b/c"), ("step", "3"), ("data.url", "x,y")]
)
def test_what_is_kept_and_then_dropped_is_no_contradiction(press: Any, field: str, value: str):
    other = {keep_only: drop, drop: keep_only}[press]
    last = other(parse(press(parse("word"), field, value)), field, value)
    assert last == other(parse("word"), field, value)
    assert other(parse(last), field, value) == "word"


def test_only_the_value_itself_changes_sides():
    assert keep_only(parse("!type=custom,task"), "type", "task") == "!type=custom type=task"
    assert drop(parse("type=custom,task x"), "type", "task") == "type=custom x !type=task"
    assert drop(parse("path=Writer"), "path", "writer") == "!path=writer"  # a filter knows no upper and lower case
    assert drop(parse("type:task"), "type", "task") == "type:task !type=task"  # what was typed is not touched


def test_a_bound_takes_the_place_of_its_opposite():
    assert bound(parse("t>=1.500 t<9"), "t", "<", "1.500") == "t<1.500"
    assert bound(parse("size<7"), "size", ">=", "7") == "size>=7"
    assert bound(parse("t>=1"), "t", "<", "2") == "t>=1 t<2"


def test_a_number_that_is_dropped_is_dropped_again():
    first = drop(parse(""), "step", "3")
    assert first == "!step=3"
    assert not drop(parse(first), "step", "3")


def test_a_measure_is_a_bound():
    assert bound(parse(""), "t", ">=", "1.500") == "t>=1.500"
    assert bound(parse("t>=1.500 t<9"), "t", ">=", "2") == "t<9 t>=2"
    assert bound(parse("t>=2"), "t", ">=", "2") == ""

from __future__ import annotations

import datetime as dt
import enum
from typing import NamedTuple

import orjson
import pytest
from langchain_core.messages import HumanMessage
from langgraph.types import Interrupt

from lgwatch.events import Json
from lgwatch.refs import preview, resolve
from lgwatch.values import snapshot


class Point(NamedTuple):
    x: int
    y: int


class Color(enum.Enum):
    RED = 1


def test_an_unknown_reference_is_left_as_it_is() -> None:
    data = {"a": {"$ref": "v9"}, "b": [{"$ref": "v1"}], "c": {"$ref": "v9", "$append": [1]}}
    assert resolve(data, {"v1": [1]}.__getitem__) == {**data, "b": [[1]]}
    assert resolve(data, {}.get) == data


def test_references_that_lead_in_circles_are_left() -> None:
    stored = {"v1": [{"$ref": "v2"}], "v2": {"a": {"$ref": "v1"}}, "v3": {"$ref": "v3", "$append": [1]}}
    data = resolve([{"$ref": "v1"}, {"$ref": "v3"}], stored.__getitem__)
    assert orjson.dumps(data)


def test_very_long_chains_and_deep_nesting_are_resolved() -> None:
    stored: dict[str, Json] = {"v0": [0]}
    for i in range(1, 5_000):
        stored[f"v{i}"] = {"$ref": f"v{i - 1}", "$append": [i]}
    assert resolve({"$ref": "v4999"}, stored.__getitem__) == list(range(5_000))
    nested: dict[str, Json] = {"v0": [0]} | {f"v{i}": [{"$ref": f"v{i - 1}"}] for i in range(1, 5_000)}
    data = resolve({"$ref": "v4999"}, nested.__getitem__)
    depth = 0
    while data != 0:
        data, depth = data[0], depth + 1
    assert depth == 5_000


def test_resolving_does_not_change_what_is_stored() -> None:
    stored = {"v1": [1], "v2": {"$ref": "v1", "$append": [{"$ref": "v3"}]}, "v3": {"a": 1}}
    before = orjson.dumps(stored)
    assert resolve({"x": {"$ref": "v2"}}, stored.__getitem__) == {"x": [1, {"a": 1}]}
    assert orjson.dumps(stored) == before


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"done": 3, "of": 5}, '{"done": 3, "of": 5}'),
        ([True, None, 1.5], "[true, null, 1.5]"),
        (HumanMessage("hi\nyou"), 'HumanMessage "hi you"'),
        ({"messages": [1] * 212}, '{"messages": list 212}'),
        (ValueError("bad"), 'ValueError "bad"'),
        (Interrupt(value="ok?", id="1"), 'Interrupt "ok?"'),
        (Point(1, 2), 'Point {"x": 1, "y": 2}'),
        ({1, 2}, "set [1, 2]"),
        ({1: "a"}, '{1: "a"}'),
        (b"abc", "bytes 3"),
        (Color.RED, "Color RED"),
        (dt.date(2026, 1, 2), "date 2026-01-02"),
        (float("nan"), "nan"),
        (dict, "type dict"),
    ],
    ids=repr,
)
def test_a_preview_is_one_short_line(value: object, line: str) -> None:
    assert preview(snapshot(value)) == line


def test_a_preview_is_cut_visibly() -> None:
    assert preview(snapshot("x" * 200), 20) == '"' + "x" * 18 + "…"
    assert preview({"a": {"$ref": "v1"}, "b": {"$ref": "v2", "$append": [1]}}) == '{"a": …, "b": …}'
    assert len(preview(snapshot(list(range(10_000))), 30)) == 30
    assert preview({"$type": 3, "$ref": {}, "fields": []}, 30)


def test_a_message_without_text_is_told_by_the_tools_that_it_calls_wherever_those_are_stored():
    message: Json = {"$type": "AIMessage", "fields": {"content": "", "tool_calls": [{"$ref": "v1"}, {"name": "add"}]}}
    stored: dict[str, Json] = {"v1": {"name": "search", "args": {}}}
    assert preview(message, 80, stored.__getitem__) == 'AIMessage ["search", "add"]'
    assert preview(message, 80) == 'AIMessage […, "add"]'

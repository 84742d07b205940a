"""The vocabulary: names of places, and the table that the journal is built from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

import lgwatch
from lgwatch.events import EVENTS, NOTICES, Event, Namespace, TaskStarted, Unknown, defaults, parent_task, path


@pytest.mark.parametrize(
    ("ns", "node", "expected"),
    [
        ((), "", ""),
        ((), "writer", "writer"),
        (("research:1",), "", "research"),
        (("research:1",), "web", "research/web"),
        (("sub:1", "inner:2"), "leaf", "sub/inner/leaf"),
        (("par:1", "1"), "x", "par/x"),
        (("sub",), "ia", "sub/ia"),
        (("out:1", "sub", "2"), "ia", "out/sub/ia"),
        (("a b/ü [bold]:1",), "x", "a b/ü [bold]/x"),
    ],
)
def test_a_path_is_made_of_node_names(ns: Namespace, node: str, expected: str):
    assert path(ns, node) == expected


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        ((), ""),
        (("sub:1",), "1"),
        (("sub:1", "inner:2"), "2"),
        (("par:1", "1"), "1"),
        (("par:7", "1", "2"), "7"),
        (("3",), ""),
        (("sub",), ""),
        (("out:1", "sub"), ""),
        (("out:1", "sub", "inner:2"), "2"),
    ],
)
def test_the_parent_task_stands_in_the_last_segment_that_names_one(ns: Namespace, expected: str):
    assert parent_task(ns) == expected


def test_an_event_is_true_once_built():
    event = TaskStarted(task="1")
    with pytest.raises(FrozenInstanceError):
        event.task = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        TaskStarted("1")  # type: ignore[misc]


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.type)
def test_every_field_has_a_default_because_lines_leave_them_out(cls: type[Event]):
    assert defaults(cls) == {one.name: getattr(cls(), one.name) for one in fields(cls)}
    assert list(defaults(cls))[:2] == ["at", "ns"]


def test_every_class_is_in_the_table_under_its_name():
    assert {cls.type: cls for cls in Event.__subclasses__() if cls.type} == EVENTS
    assert Unknown not in EVENTS.values()


def test_no_field_is_named_like_a_key_that_every_line_has():
    assert all("type" not in defaults(cls) for cls in EVENTS.values())


def written_codes() -> Iterator[str]:
    """The codes of notices that the source writes or compares: `Notice(code="…")`, `notice("…", …)`."""
    for module in Path(lgwatch.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(call, ast.MatchClass):
                name, given = ast.unparse(call.cls), dict(zip(call.kwd_attrs, call.kwd_patterns, strict=True))
                value = getattr(given.get("code"), "value", None)
            elif isinstance(call, ast.Call):
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                keyword = next((one.value for one in call.keywords if one.arg == "code"), None)
                value = keyword if name == "Notice" else next(iter(call.args), None)
            else:
                continue
            if name in ("Notice", "notice") and isinstance(value, ast.Constant):
                yield value.value


def test_every_notice_has_a_code_of_the_table():
    codes = set(written_codes())
    assert len(codes) > 15
    assert codes <= set(NOTICES)

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import types
import uuid
from typing import Any, NamedTuple

import orjson
import pydantic
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.types import Command, Interrupt, Send

from lgwatch.events import Json
from lgwatch.values import snapshot
from lgwatch.values.limits import DEPTH, ITEMS, TEXT
from tests.shelf import Shelf, talk
from tests.versions import needs


class Color(enum.Enum):
    RED = 1


class Level(str, enum.Enum):
    HIGH = "high"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Plain:
    name: str
    tags: list[str]

    @property
    def danger(self) -> str:
        raise AssertionError("a property was called")


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int


class Model(pydantic.BaseModel, extra="allow"):
    name: str
    inner: Plain | None = None

    @pydantic.computed_field
    @property
    def danger(self) -> str:
        raise AssertionError("a computed field was called")


# ── what each type looks like


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**64 - 1, 2**64 - 1),
        (2**64, {"$type": "int", "value": "18446744073709551616"}),
        (1.5, 1.5),
        (float("nan"), {"$type": "float", "value": "nan"}),
        (float("-inf"), {"$type": "float", "value": "-inf"}),
        ("héllo", "héllo"),
        ("a\ud800b", "a\\ud800b"),
        ((1, "a"), [1, "a"]),
        ({2, 10, 1}, {"$type": "set", "items": [1, 2, 10]}),
        (frozenset({"b", "a"}), {"$type": "set", "items": ["a", "b"]}),
        (b"\x00ab", {"$type": "bytes", "size": 3, "head": "\\x00ab"}),
        (bytearray(b"ab"), {"$type": "bytearray", "size": 2, "head": "ab"}),
        (memoryview(b"ab"), {"$type": "memoryview", "size": 2, "head": "ab"}),
        ({1: "a"}, {"$type": "dict", "items": [[1, "a"]]}),
        ({"$ref": "v1"}, {"$type": "dict", "items": [["$ref", "v1"]]}),
        ({(1, 2): None}, {"$type": "dict", "items": [[[1, 2], None]]}),
        (dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), {"$type": "datetime", "value": "2026-01-02T00:00:00+00:00"}),
        (dt.date(2026, 1, 2), {"$type": "date", "value": "2026-01-02"}),
        (dt.time(1, 2), {"$type": "time", "value": "01:02:00"}),
        (dt.timedelta(days=1, seconds=1), {"$type": "timedelta", "value": "1 day, 0:00:01"}),
        (uuid.UUID(int=1), {"$type": "UUID", "value": "00000000-0000-0000-0000-000000000001"}),
        (decimal.Decimal("1.10"), {"$type": "Decimal", "value": "1.10"}),
        (pathlib.PurePosixPath("/a/b"), {"$type": "PurePosixPath", "value": "/a/b"}),
        (1 + 2j, {"$type": "complex", "value": "(1+2j)"}),
        (range(3), {"$type": "range", "value": "range(0, 3)"}),
        (Color.RED, {"$type": "Color", "name": "RED", "value": 1}),
        (Level.HIGH, {"$type": "Level", "name": "HIGH", "value": "high"}),
        (Point(1, 2), {"$type": "Point", "fields": {"x": 1, "y": 2}}),
        (Plain("a", ["b"]), {"$type": "Plain", "fields": {"name": "a", "tags": ["b"]}}),
        (Slotted(3), {"$type": "Slotted", "fields": {"x": 3}}),
        (Model(name="a", more=1), {"$type": "Model", "fields": {"name": "a", "inner": None, "more": 1}}),
        (types.SimpleNamespace(a=1), {"$type": "SimpleNamespace", "fields": {"a": 1}}),
        (collections.deque([1, 2]), {"$type": "deque", "items": [1, 2]}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (collections.Counter("aa"), {"a": 2}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.UserDict(a=1), {"a": 1}),
        (collections.UserList([1]), [1]),
        (dict, {"$type": "type", "name": "dict"}),
        (orjson.loads, {"$type": "builtin_function_or_method", "name": "orjson.loads"}),
        (talk, {"$type": "function", "name": f"{talk.__module__}.talk"}),
        (collections, {"$type": "module", "name": "collections"}),
        (HumanMessage("hi"), {"$type": "HumanMessage", "fields": {"content": "hi"}}),
        (AIMessage(""), {"$type": "AIMessage", "fields": {"content": ""}}),
        (
            ToolMessage("4", tool_call_id="c1", name="add"),
            {
                "$type": "ToolMessage",
                "fields": {"content": "4", "name": "add", "tool_call_id": "c1", "status": "success"},
            },
        ),
        (Send("a", {"x": 1}), {"$type": "Send", "fields": {"node": "a", "arg": {"x": 1}}}),
        (Command(goto="b", update={"x": 1}), {"$type": "Command", "fields": {"update": {"x": 1}, "goto": "b"}}),
        (Interrupt(value="ok?", id="i1"), {"$type": "Interrupt", "fields": {"value": "ok?", "id": "i1"}}),
        (ValueError("bad"), {"$type": "ValueError", "fields": {"message": "bad", "args": ["bad"]}}),
        (KeyError("k"), {"$type": "KeyError", "fields": {"message": "'k'", "args": ["k"]}}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_has_its_form(value: object, data: Json) -> None:
    assert snapshot(value) == data
    assert type(snapshot(value)) is type(data)


@needs("Overwrite")
def test_a_value_that_takes_the_place_of_others_has_its_form() -> None:
    from langgraph.types import Overwrite

    assert snapshot(Overwrite([1])) == {"$type": "Overwrite", "fields": {"value": [1], "type": "__overwrite__"}}


def test_an_exception_with_an_attribute_of_the_same_name_is_not_cut() -> None:
    error = ValueError("bad")
    error.message, error.code = "worse", 7  # type: ignore[attr-defined]
    assert snapshot(error)["fields"] == {"message": "bad", "args": ["bad"], "code": 7}


def test_a_typed_array_and_a_view_of_a_dict_are_read_in_part() -> None:
    data = snapshot(array.array("i", range(100_000)))
    assert (data["shape"], data["head"][:3], data["$cut"]) == ([100_000], [0, 1, 2], {"size": 100_000, "shown": 16})
    assert snapshot({"a": 1}.keys()) == ["a"]
    assert snapshot({"a": 1}.items()) == [["a", 1]]


def test_nested_dicts_with_a_late_odd_key_are_read_once() -> None:
    value: Any = "bottom"
    for _ in range(DEPTH - 1):
        value = {"in": value, 1: 2}
    assert "bottom" in orjson.dumps(snapshot(value)).decode()


def test_an_ordered_dict_keeps_its_own_order() -> None:
    value = collections.OrderedDict(a=1, b=2)
    value.move_to_end("a")
    assert list(snapshot(value)) == ["b", "a"]


def test_a_document_shows_its_fields() -> None:
    fields = snapshot(Document("text", metadata={"a": 1}))["fields"]
    assert (fields["page_content"], fields["metadata"]) == ("text", {"a": 1})


def test_a_huge_int_shows_its_head_in_hexadecimal() -> None:
    data = snapshot(0xABCDEF << 1_000_000)
    assert data["value"].startswith("0xabcdef")
    assert data["$cut"]["size"] == 1_000_024


def test_an_array_shows_shape_and_head_only() -> None:
    np = pytest.importorskip("numpy")
    data = snapshot(np.arange(20_000.0).reshape(100, 200).T)
    assert (data["shape"], data["dtype"], data["head"][:2]) == ([200, 100], "float64", [0.0, 200.0])
    assert data["$cut"] == {"size": 20_000, "shown": 16}
    assert snapshot([np.float64(1.5), np.int32(2), np.bool_(True)]) == [1.5, 2, True]


def test_a_long_string_shows_its_head_and_its_size() -> None:
    data = snapshot("x" * 100_000)
    assert data == {"$type": "str", "head": "x" * TEXT, "$cut": {"size": 100_000, "shown": TEXT}}


def test_a_long_list_and_a_large_dict_end_with_a_cut() -> None:
    cut = {"size": ITEMS + 5, "shown": ITEMS}
    assert snapshot(list(range(ITEMS + 5)))[-1] == {"$cut": cut}
    assert snapshot({str(i): i for i in range(ITEMS + 5)})["$cut"] == cut
    assert snapshot(set(range(ITEMS + 5)))["items"][-1] == {"$cut": cut}


# ── what is hostile


def test_a_list_that_holds_itself_is_marked() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert snapshot(value) == [1, {"$cycle": 1}]
    assert Shelf().seen({"a": value}) == {"a": [1, {"$cycle": 1}]}


def test_nesting_of_five_thousand_levels_is_cut() -> None:
    value: Any = "bottom"
    for _ in range(5_000):
        value = {"in": [value]}
    data = snapshot(value)
    for _ in range(DEPTH // 2):
        data = data["in"][0]
    assert data == {"$cut": {"depth": DEPTH}}


def test_user_code_near_the_recursion_limit_gets_a_mark() -> None:
    def descend() -> Json:
        try:
            return descend()
        except RecursionError:
            return snapshot({"a": [[[1]]]})

    assert orjson.dumps(descend())


def refuse(*_: object, **__: object) -> Any:
    raise AssertionError("user code was called")


HOSTILE = dict.fromkeys(
    ["__getattribute__", "__getattr__", "__eq__", "__hash__", "__len__", "__iter__", "__bool__", "__getitem__",
     "__contains__", "__str__", "__repr__", "__format__", "__index__", "__int__", "__float__", "__del__", "items", "keys",
     "values", "copy", "get", "isascii", "encode"],
    refuse,
) | {"__class__": property(refuse), "__del__": lambda self: None}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "made", "data"),
    [
        (str, "text", "text"),
        (int, 5, 5),
        (float, 2.5, 2.5),
        (list, [1], [1]),
        (tuple, (1,), [1]),
        (dict, {"a": 1}, {"a": 1}),
        (set, {1}, {"$type": "set", "items": [1]}),
        (bytes, b"a", {"$type": "Hostile", "size": 1, "head": "a"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_subclass_with_hostile_overrides_is_read_past_them(base: Any, made: Any, data: Json) -> None:
    hostile = type("Hostile", (base,), HOSTILE)
    value = base.__new__(hostile, made)
    if base in {list, dict, set}:
        base.__init__(value, made)
    assert snapshot(value) == data
    assert type(snapshot(value)) is type(data)
    assert Shelf().seen([value] * 20) == [data] * 20


def test_an_object_that_refuses_everything_is_named() -> None:
    assert snapshot(type("Hostile", (), HOSTILE)()) == {
        "$type": "Hostile",
        "repr": "<Hostile, its repr raised AssertionError>",
    }


def test_a_hostile_metaclass_has_no_say() -> None:
    meta = type("Meta", (type,), {**HOSTILE, "__instancecheck__": refuse, "mro": type.mro, "__call__": type.__call__})
    cls = type.__new__(meta, "Victim", (), {})
    assert snapshot(object.__new__(cls))["$type"] == "Victim"
    assert snapshot(cls)["name"].endswith("Victim")


def test_a_wide_value_is_cut_by_its_number_of_elements() -> None:
    inner = {str(i): i for i in range(1_000)}
    data = snapshot([[dict(inner) for _ in range(100)] for _ in range(10)])
    assert len(orjson.dumps(data)) < 5_000_000
    assert "$cut" in orjson.dumps(data).decode()


def test_all_text_together_is_bounded() -> None:
    value = [f"{i} " + "x" * 60_000 for i in range(500)]
    for data in (snapshot(value), Shelf().seen(value)):
        assert len(orjson.dumps(data)) < 5_000_000
        assert data[-1] == {"$cut": {"size": 500, "shown": len(data) - 1}}

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import threading
import types
import uuid
from typing import Annotated, Any, NamedTuple
from unittest import mock

import orjson
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Interrupt, Overwrite, Send
from typing_extensions import TypedDict

from lgwatch.events import Json
from lgwatch.limits import DEPTH, ITEMS, REPR, TEXT
from lgwatch.refs import preview, resolve
from lgwatch.values import Values, snapshot


class Shelf:
    """Values with the stored ones at hand."""

    def __init__(self) -> None:
        self.stored: dict[str, Json] = {}
        self.values = Values(self._store)

    def _store(self, name: str, data: Json) -> None:
        assert name not in self.stored
        # As the journal does: on the line it is bytes, and nobody can change it afterwards.
        self.stored[name] = orjson.loads(orjson.dumps(data))

    def snapshot(self, value: object) -> Json:
        self.values.touch()
        return self.values.snapshot(value)

    def whole(self, data: Json) -> Json:
        return resolve(data, self.stored.__getitem__)

    def seen(self, value: object) -> Json:
        return self.whole(self.snapshot(value))

    @property
    def size(self) -> int:
        return sum(len(orjson.dumps(data)) for data in self.stored.values())


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def talk(count: int) -> list[HumanMessage]:
    return [HumanMessage(f"message {i} " + "some words " * 15, id=f"id-{i}") for i in range(count)]


def contents(data: Json) -> list[str]:
    return [message["fields"]["content"] for message in data]


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
        (talk, {"$type": "function", "name": f"{__name__}.talk"}),
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
        (Overwrite([1]), {"$type": "Overwrite", "fields": {"value": [1], "type": "__overwrite__"}}),
        (ValueError("bad"), {"$type": "ValueError", "fields": {"message": "bad", "args": ["bad"]}}),
        (KeyError("k"), {"$type": "KeyError", "fields": {"message": "'k'", "args": ["k"]}}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_has_its_form(value: object, data: Json) -> None:
    assert snapshot(value) == data
    assert type(snapshot(value)) is type(data)


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


def test_a_list_that_holds_itself_is_marked(shelf: Shelf) -> None:
    value: list[Any] = [1]
    value.append(value)
    assert snapshot(value) == [1, {"$cycle": 1}]
    assert shelf.seen({"a": value}) == {"a": [1, {"$cycle": 1}]}


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


def test_a_repr_that_never_returns_is_given_up_and_not_asked_again() -> None:
    asked = []

    class Sleepy:
        def __repr__(self) -> str:
            asked.append(1)
            threading.Event().wait()
            return ""

    first, second = snapshot(Sleepy()), snapshot(Sleepy())
    assert first == second == {"$type": "Sleepy", "repr": "<Sleepy, its repr took too long>"}
    assert len(asked) == 1


def test_a_repr_that_computes_for_ever_is_ended() -> None:
    asked: list[threading.Thread] = []

    class Busy:
        def __repr__(self) -> str:
            asked.append(threading.current_thread())
            while True:
                pass

    assert "took too long" in snapshot(Busy())["repr"]
    asked[0].join(10)
    assert not asked[0].is_alive()


def raising() -> str:
    raise KeyboardInterrupt


def recursing() -> str:
    return recursing() + ""


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (raising, "<Odd, its repr raised KeyboardInterrupt>"),
        (recursing, "<Odd, its repr raised RecursionError>"),
        (lambda: 7, "<Odd, its repr raised TypeError>"),
        (lambda: "a\udcffb", "a\\udcffb"),
    ],
)
def test_a_repr_that_fails_is_told(answer: Any, shown: str) -> None:
    class Odd:
        def __repr__(self) -> str:
            return answer()

    assert snapshot(Odd()) == {"$type": "Odd", "repr": shown}


def test_a_huge_repr_is_cut() -> None:
    class Huge:
        def __repr__(self) -> str:
            return "x" * 10_000_000

    assert snapshot(Huge()) == {"$type": "Huge", "repr": "x" * REPR, "$cut": {"size": 10_000_000, "shown": REPR}}


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
def test_a_subclass_with_hostile_overrides_is_read_past_them(base: Any, made: Any, data: Json, shelf: Shelf) -> None:
    hostile = type("Hostile", (base,), HOSTILE)
    value = base.__new__(hostile, made)
    if base in {list, dict, set}:
        base.__init__(value, made)
    assert snapshot(value) == data
    assert type(snapshot(value)) is type(data)
    assert shelf.seen([value] * 20) == [data] * 20


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


def test_a_mock_that_answers_everything_is_a_repr() -> None:
    data = snapshot({"model": mock.MagicMock(name="llm")})
    assert data["model"]["$type"] == "MagicMock"
    assert "llm" in data["model"]["repr"]


def test_a_lock_a_file_and_a_generator_are_told_by_their_repr(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "f").open("w") as file:
        for value in (threading.Lock(), file, (i for i in range(3)), object()):
            assert snapshot(value)["repr"].startswith("<")


def test_a_wide_value_is_cut_by_its_number_of_elements() -> None:
    inner = {str(i): i for i in range(1_000)}
    data = snapshot([[dict(inner) for _ in range(100)] for _ in range(10)])
    assert len(orjson.dumps(data)) < 5_000_000
    assert "$cut" in orjson.dumps(data).decode()


def test_slow_reprs_together_are_bounded(shelf: Shelf) -> None:
    asked = []

    def slow(name: str) -> object:
        def answer(self: object) -> str:
            asked.append(name)
            threading.Event().wait(0.15)  # less than one may take
            return name

        return type(name, (), {"__repr__": answer})()

    data = snapshot([slow(f"Slow{i}") for i in range(100)])
    assert data[0]["repr"] == "Slow0"
    assert "$cut" in data[-1]
    assert len(asked) < 10


def test_all_text_together_is_bounded(shelf: Shelf) -> None:
    value = [f"{i} " + "x" * 60_000 for i in range(500)]
    for data in (snapshot(value), shelf.seen(value)):
        assert len(orjson.dumps(data)) < 5_000_000
        assert data[-1] == {"$cut": {"size": 500, "shown": len(data) - 1}}


# ── stored once


def test_small_values_stay_in_place(shelf: Shelf) -> None:
    assert shelf.snapshot({"done": 3, "of": 5}) == {"done": 3, "of": 5}
    assert not shelf.stored


def test_equal_content_of_other_objects_is_the_same_reference(shelf: Shelf) -> None:
    first, second = shelf.snapshot({"messages": talk(3)}), shelf.snapshot({"messages": talk(3)})
    assert first == second
    assert len(shelf.stored) == 3
    assert first["messages"] == [{"$ref": "v1"}, {"$ref": "v2"}, {"$ref": "v3"}]


def test_a_large_value_is_itself_a_reference(shelf: Shelf) -> None:
    assert shelf.snapshot("x" * 1_000) == {"$ref": "v1"}
    assert shelf.snapshot({"draft": "x" * 1_000}) == {"draft": {"$ref": "v1"}}


def test_a_value_is_stored_before_it_is_referred_to() -> None:
    stored: dict[str, Json] = {}

    def store(name: str, data: Json) -> None:
        assert set(references(data)) <= set(stored)
        stored[name] = data

    data = Values(store).snapshot({"messages": talk(40), "texts": ["a" * 500, {"b": "c" * 500}]})
    assert set(references(data)) <= set(stored)


def references(data: Json) -> list[str]:
    if isinstance(data, dict):
        found = [name for value in data.values() for name in references(value)]
        return [data["$ref"], *found] if isinstance(data.get("$ref"), str) else found
    return [name for value in data for name in references(value)] if isinstance(data, list) else []


def test_a_store_that_fails_leaves_the_value_in_place() -> None:
    def full(name: str, data: Json) -> None:
        raise OSError("no space left")

    messages = talk(40)
    values = Values(full)
    for _ in range(2):
        assert contents(values.snapshot({"messages": messages})["messages"]) == [m.content for m in messages]
        values.touch()
    assert values.snapshot(list(range(ITEMS + 1)))[-1] == {"$cut": {"size": ITEMS + 1, "shown": ITEMS}}


def test_a_growing_list_is_stored_as_what_was_appended(shelf: Shelf) -> None:
    messages: list[Any] = talk(40)
    first = shelf.snapshot(messages)
    second = shelf.snapshot([*messages, SystemMessage("more", id="x")])
    added = shelf.stored[second["$ref"]]
    assert added["$ref"] == first["$ref"]
    assert len(added["$append"]) == 1
    assert contents(shelf.whole(first)) == contents(shelf.whole(second))[:40]


def test_a_thousand_steps_take_space_for_what_is_new(shelf: Shelf) -> None:
    messages: list[Any] = []
    snapshots = []
    for message in talk(1_000):
        messages = [*messages, message]
        snapshots.append(shelf.snapshot({"messages": messages}))
    final = shelf.whole(snapshots[-1])
    assert final == snapshot({"messages": messages})
    assert shelf.size < 3 * len(orjson.dumps(final))
    for step in (0, 15, 16, 17, 80, 500, 998):
        assert contents(shelf.whole(snapshots[step])["messages"]) == [m.content for m in messages[: step + 1]]


def test_a_growing_list_of_equal_but_other_objects_grows_too(shelf: Shelf) -> None:
    for count in range(20, 200):
        data = shelf.snapshot(talk(count))
    assert contents(shelf.whole(data)) == [m.content for m in talk(199)]
    assert shelf.size < 3 * len(orjson.dumps(snapshot(talk(199))))


def test_chains_of_appended_pieces_stay_short(shelf: Shelf) -> None:
    log: list[Any] = [f"entry {i} {'.' * 20}" for i in range(20)]
    for i in range(2_000):
        log = [*log, i]
        data = shelf.snapshot(log)
    hops = 0
    while isinstance(data, dict):
        data = shelf.stored[data["$ref"]]
        data = data if isinstance(data, dict) else None
        hops += 1
    assert hops <= 40


def test_many_growing_lists_do_not_push_each_other_out(shelf: Shelf) -> None:
    for count in range(20, 120):
        for kind in range(10):
            shelf.snapshot([{"kind": kind, "i": i, "pad": "p" * 100} for i in range(count)])
    whole = sum(len(orjson.dumps([{"kind": k, "i": i, "pad": "p" * 100} for i in range(119)])) for k in range(10))
    assert shelf.size < 3 * whole


def test_branches_of_one_list_are_both_right(shelf: Shelf) -> None:
    left = talk(100)
    right = left[:60]
    for i in range(20):
        left = [*left, HumanMessage(f"left {i}", id=f"l{i}")]
        right = [*right, HumanMessage(f"right {i}", id=f"r{i}")]
        assert contents(shelf.seen(left)) == [m.content for m in left]
        assert contents(shelf.seen(right)) == [m.content for m in right]


def test_a_list_that_shrinks_or_changes_its_start_is_right(shelf: Shelf) -> None:
    messages = talk(100)
    for value in (messages, messages[:50], messages[10:], messages[:50], [messages[5], *messages[1:]], messages):
        assert contents(shelf.seen(value)) == [m.content for m in value]


def test_a_list_past_the_limit_still_grows_cheaply(shelf: Shelf) -> None:
    values = [f"entry {i}" for i in range(ITEMS + 10)]
    shelf.snapshot(values)
    before = shelf.size
    data = shelf.seen([*values, "x"])
    assert data[-1] == {"$cut": {"size": ITEMS + 11, "shown": ITEMS}}
    assert len(data) == ITEMS + 1
    assert shelf.size - before < 1_000


def test_types_that_compare_equal_are_told_apart(shelf: Shelf) -> None:
    pads = ["p" * 50] * 20
    for value in ([*pads, 1], [*pads, True], [*pads, 1.0], [1, *pads], [True, *pads]):
        assert orjson.dumps(shelf.seen(value)) == orjson.dumps(value)


# ── changes in place


def test_a_changed_content_shows_and_what_was_stored_stays(shelf: Shelf) -> None:
    for count in (3, 40, 500):
        messages = talk(count)
        before = shelf.snapshot({"messages": messages})
        for i in (0, count // 2, count - 1):
            messages[i].content = f"CHANGED {i} of {count}"
            assert contents(shelf.seen({"messages": messages})["messages"]) == [m.content for m in messages]
        assert contents(shelf.whole(before)["messages"]) == [m.content for m in talk(count)]


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.additional_kwargs.update(x=1),
        lambda message: message.additional_kwargs.setdefault("deep", {}).update(y=[1]),
        lambda message: message.tool_calls[0]["args"].update(x=9),
        lambda message: message.response_metadata["usage"].append(4),
        lambda message: setattr(message, "id", "other"),
        lambda message: setattr(message, "custom", "extra"),
        lambda message: setattr(message, "content", [{"type": "text", "text": "t"}]),
        lambda message: setattr(message, "__dict__", {**message.__dict__, "name": "renamed"}),
    ],
)
@pytest.mark.parametrize("count", [1, 30])
def test_a_changed_field_of_a_message_shows(shelf: Shelf, change: Any, count: int) -> None:
    message = AIMessage(
        "hello", id="1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c"}], response_metadata={"usage": [1]}
    )
    messages = [*talk(count), message]
    before = shelf.seen(messages)
    assert before == snapshot(messages)
    change(message)
    after = shelf.seen(messages)
    assert after == snapshot(messages)
    assert after != before


def test_a_field_deep_in_a_long_list_shows_after_a_bounded_number_of_looks(shelf: Shelf) -> None:
    messages = talk(400)
    shelf.snapshot(messages)
    messages[100].additional_kwargs["late"] = True
    looks = [shelf.seen(messages)[100] == snapshot(messages[100]) for _ in range(400 // 16)]
    assert looks[-1]


def test_content_blocks_that_are_edited_in_place_show(shelf: Shelf) -> None:
    message = AIMessage([{"type": "text", "text": "a"}], id="1")
    messages = [*talk(100), message]
    shelf.snapshot(messages)
    message.content[0]["text"] = "b"
    assert shelf.seen(messages)[-1] == snapshot(message)


@pytest.mark.parametrize("count", [2, 100])
def test_plain_containers_are_read_again(shelf: Shelf, count: int) -> None:
    state: dict[str, Any] = {"d": {"k": 1, "pad": "p" * 200}, "log": [{"i": i, "pad": "p" * 100} for i in range(count)]}
    before = shelf.snapshot(state)
    was = snapshot(state)
    state["d"]["k"] = 9
    state["log"][0]["i"] = "changed"
    state["log"].append(7)
    assert shelf.seen(state) == snapshot(state)
    assert shelf.whole(before) == was


def test_without_touch_the_same_object_is_not_read_again(shelf: Shelf) -> None:
    messages = talk(30)
    first = shelf.values.snapshot(messages)
    messages[0].content = "CHANGED"
    assert shelf.values.snapshot(messages) == first
    assert shelf.snapshot(messages) != first


def test_objects_that_are_gone_are_not_taken_for_new_ones(shelf: Shelf) -> None:
    for i in range(3_000):
        text = f"{i} " + "x" * 200
        assert shelf.seen({"m": [HumanMessage(text), text]})["m"][1] == text


def test_snapshots_from_many_threads_are_right(shelf: Shelf) -> None:
    base = talk(50)
    wrong: list[object] = []

    def work(name: int) -> None:
        messages: list[Any] = base
        for i in range(50):
            messages = [*messages, HumanMessage(f"{name}-{i}", id=f"{name}-{i}")]
            if contents(shelf.seen(messages)) != [m.content for m in messages]:
                wrong.append((name, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_real_graph_that_edits_its_state_in_place_is_recorded_as_it_was(shelf: Shelf) -> None:
    class State(TypedDict):
        messages: Annotated[list[Any], add_messages]

    def write(state: State) -> dict[str, Any]:
        return {"messages": [AIMessage("written", id="w")]}

    def edit(state: State) -> dict[str, Any]:
        state["messages"][-1].content = "EDITED"
        return {"messages": []}

    graph = StateGraph(State).add_node("write", write).add_node("edit", edit)
    graph.add_edge(START, "write").add_edge("write", "edit").add_edge("edit", END)
    parts = [shelf.snapshot(p) for p in graph.compile().stream({"messages": talk(20)}, stream_mode="values")]
    assert [shelf.whole(part)["messages"][-1]["fields"]["content"] for part in parts][1:] == ["written", "EDITED"]


# ── for every value

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
keys = st.text(max_size=8).filter(lambda key: not key.startswith("$"))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
json_like = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=25) | st.dictionaries(keys.filter(str.isprintable), inner, max_size=8),
    max_leaves=60,
)
anything = st.recursive(
    scalars | st.text(max_size=200) | st.binary() | st.floats() | st.integers() | st.datetimes() | st.decimals() | st.builds(HumanMessage, st.text(st.characters(exclude_categories=["Cs"]))),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=40,
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(st.lists(json_like, max_size=4))
def test_json_comes_back_as_it_was(history: list[Any]) -> None:
    shelf = Shelf()
    for value in history:
        data = shelf.snapshot(value)
        assert orjson.dumps(shelf.whole(data)) == orjson.dumps(value)
        assert snapshot(value) == value
        assert len(orjson.dumps(data)) <= 8_192


@settings(deadline=None, max_examples=100)
@given(anything)
def test_anything_becomes_json_with_and_without_references(value: Any) -> None:
    shelf = Shelf()
    assert orjson.dumps(shelf.seen(value)) == orjson.dumps(snapshot(value))
    assert preview(snapshot(value))


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_any_history_of_edits_is_recorded_as_it_happened(data: st.DataObject) -> None:
    shelf = Shelf()
    messages: list[Any] = talk(data.draw(st.integers(0, 60)))
    past: list[tuple[Json, Json]] = []
    for i in range(12):
        match data.draw(st.sampled_from(["append", "extend", "drop", "edit", "copy", "insert"])):
            case "append":
                messages.append(HumanMessage(f"new {i}", id=f"n{i}"))
            case "extend":
                messages = [*messages, *talk(3)]
            case "drop":
                messages = messages[: data.draw(st.integers(0, len(messages)))]
            case "edit" if said := [m for m in messages if isinstance(m, HumanMessage)]:
                data.draw(st.sampled_from(said)).content = f"edit {i} " + "e" * 100
            case "insert":
                messages.insert(data.draw(st.integers(0, len(messages))), {"role": "user", "content": f"{i}"})
            case _:
                messages = [m.model_copy() if isinstance(m, HumanMessage) else m for m in messages]
        past.append((shelf.snapshot({"messages": messages}), snapshot({"messages": messages})))
    for stored, was in past:
        assert shelf.whole(stored) == was


# ── reading snapshots


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

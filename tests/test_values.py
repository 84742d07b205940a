from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from lgwatch.events import Json
from lgwatch.refs import preview
from lgwatch.values import Values, projection, snapshot
from lgwatch.values.limits import ITEMS
from lgwatch.values.seen import RECENT
from tests.shelf import Shelf, contents, talk


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


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
    looks = [shelf.seen(messages)[100] == snapshot(messages[100]) for _ in range(400 // 8)]
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


# ── lists of messages, and threads


@pytest.mark.parametrize("count", [30, 300])
def test_a_message_that_is_replaced_anywhere_by_one_with_the_same_content_shows_at_once(
    shelf: Shelf, count: int
) -> None:
    messages = talk(count)
    for i in (0, count // 2, count - 1):
        shelf.snapshot(messages)
        messages[i] = messages[i].model_copy(update={"name": "replaced"})
        assert shelf.seen(messages) == snapshot(messages)


@pytest.mark.parametrize("count", [30, 300])
def test_a_message_that_loses_its_content_shows_at_once(shelf: Shelf, count: int) -> None:
    messages = talk(count)
    shelf.snapshot(messages)
    del messages[5].__dict__["content"]
    assert shelf.seen(messages) == snapshot(messages)


def test_a_field_of_one_of_the_last_messages_of_a_long_list_shows_at_once(shelf: Shelf) -> None:
    messages = talk(400)
    for i in range(400 - RECENT, 400):
        shelf.snapshot(messages)
        messages[i].additional_kwargs["late"] = i
        assert shelf.seen(messages)[i] == snapshot(messages[i])


def test_a_list_of_messages_that_goes_on_with_something_else_is_right(shelf: Shelf) -> None:
    messages: list[Any] = talk(100)
    shelf.snapshot(messages)
    for added in ({"role": "user", "content": "a"}, HumanMessage("b"), 7, {"role": "user", "content": "c"}):
        messages = [*messages, added]
        assert shelf.seen(messages) == snapshot(messages)
    messages[50].name = "changed"
    assert shelf.seen(messages) == snapshot(messages)
    messages[100]["content"] = "CHANGED"
    assert shelf.seen(messages) == snapshot(messages)


class Gate:
    """A value whose repr lasts until it is let go."""

    def __init__(self) -> None:
        self.asked, self.open = threading.Event(), threading.Event()

    def __repr__(self) -> str:
        self.asked.set()
        self.open.wait()
        return "gate"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECONDS", "REPR_SECONDS"):
        monkeypatch.setattr(projection, name, 60.0)


@pytest.mark.usefixtures("patient")
def test_no_thread_waits_for_the_repr_that_another_one_asked_for(shelf: Shelf) -> None:
    gate = Gate()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(shelf.values.snapshot, [gate, "x" * 500])
        try:
            assert gate.asked.wait(30)
            assert shelf.seen({"text": "y" * 500}) == {"text": "y" * 500}
            assert not waiting.done()
        finally:
            gate.open.set()
        assert shelf.whole(waiting.result(30)) == [{"$type": "Gate", "repr": "gate"}, "x" * 500]


@pytest.mark.usefixtures("patient")
def test_a_list_that_two_threads_continue_at_one_time_is_right_for_both(shelf: Shelf) -> None:
    start, gate = talk(40), Gate()
    shelf.snapshot(start)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(shelf.values.snapshot, [*start, gate])
        try:
            assert gate.asked.wait(30)
            other = [*start, *talk(3)]
            assert shelf.seen(other) == snapshot(other)
        finally:
            gate.open.set()
        assert shelf.whole(waiting.result(30)) == snapshot([*start, gate])
    assert shelf.seen(other) == snapshot(other)


@pytest.mark.usefixtures("patient")
def test_what_was_read_before_a_touch_is_not_taken_for_what_it_is_after(shelf: Shelf) -> None:
    gate = Gate()
    state = {"k": 1, "gate": gate, "these": "p" * 50, "make": "p" * 50, "it": "p" * 50, "large": "p" * 50}
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(shelf.values.snapshot, state)
        try:
            assert gate.asked.wait(30)
            shelf.values.touch()
            state["k"] = 2
        finally:
            gate.open.set()
        assert shelf.whole(waiting.result(30))["k"] == 1
    assert shelf.whole(shelf.values.snapshot(state))["k"] == 2

"""The states of a run, who wrote them, what changed, and what is wrong with them: from events as a journal has them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgwatch.difference import differences, same
from lgwatch.events import Event, GraphLoaded, ValueStored
from lgwatch.flags import Flags
from lgwatch.journal import encode
from lgwatch.reducers import joined
from lgwatch.session import Session
from lgwatch.states import History, State, States
from tests.factories import checkpoint, ended, result, resumed, run, task

REDUCERS = {"d": "", "notes": "add", "messages": "add_messages", "topic": "", "best": "best_of"}


class Told:
    """A session, and the lines that it was folded from."""

    def __init__(self, *events: Event | list[Event]) -> None:
        self.lines: list[dict[str, Any]] = [{}]
        self.stored: dict[str, Any] = {}
        self.session = Session()
        self.states = States(self.lines.__getitem__, self.stored.__getitem__)
        self.flags = Flags(self.states)
        self.tell(GraphLoaded(channels={"": REDUCERS}), *events)

    def tell(self, *events: Event | list[Event]) -> None:
        for event in (one for each in events for one in ([each] if isinstance(each, Event) else each)):
            at = event.at or round(self.session.now + 0.1, 6)
            self.lines.append(json.loads(encode(replace(event, at=at))))
            if isinstance(event, ValueStored):
                self.stored[event.id] = event.data
            self.session.apply(replace(event, at=at))
        self.states.update(self.session)
        while self.flags.update():
            pass

    def all(self) -> list[State]:
        return self.states.of()

    def who(self, number: int) -> dict[str, str]:
        states = self.all()
        before = states[number - 1] if number % len(states) else None
        return {key: writer.words() for key, writer in self.states.writers(states[number], before).items()}

    def texts(self) -> list[str]:
        return [flag.text for flag in self.flags.all]


def message(text: str, name: str, kind: str = "AIMessage") -> dict[str, Any]:
    return {"$type": kind, "fields": {"content": text, "id": name}}


def step(node: str, number: int, before: Any, writes: Any, after: Any, **more: Any) -> list[Event]:
    return [
        task(node, step=number, input=before, **more), result(node, step=number, writes=writes),
        checkpoint(f"c{number}", step=number, source="loop", values=after),
    ]  # fmt: skip


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_tells_who_wrote_which_key_and_through_which_reducer() -> None:
    told = Told(
        run(input={"topic": "cats"}), checkpoint("a", step=-1, source="input", values={"notes": []}),
        checkpoint("b", step=0, source="loop", values={"notes": [], "topic": "cats"}),
        task("web", step=1, input={"topic": "cats"}), task("arxiv", step=1, input={"topic": "cats"}),
        result("web", writes={"notes": ["w"]}), result("arxiv", writes={"notes": ["x"], "topic": "dogs"}),
        checkpoint("c", step=1, source="loop", values={"notes": ["w", "x"], "topic": "dogs"}),
    )  # fmt: skip
    assert told.who(1) == {"topic": "input"}
    assert told.who(2) == {"notes": "web, arxiv: add", "topic": "arxiv"}
    assert not any(state.rebuilt for state in told.all())


def test_many_tasks_of_a_node_are_counted_and_writes_are_found_behind_references() -> None:
    tasks = [task("look", id=f"t{n}", step=1) for n in range(4)]
    results = [result("look", id=f"t{n}", writes={"$ref": "v1"}) for n in range(4)]
    told = Told(
        run(), ValueStored(id="v1", data={"notes": ["a note"]}), checkpoint("a", step=0, values={"notes": []}), tasks,
        results, checkpoint("b", step=1, values={"notes": ["a note"] * 4}),
    )  # fmt: skip
    assert told.who(1) == {"notes": "look ×4: add"}


def test_a_checkpoint_that_is_told_again_after_a_question_is_one_state_and_a_task_counts_once() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"topic": "x"}), task("ask", step=1),
        result("ask", interrupts=("i1",)), resumed({"i1": "yes"}), checkpoint("a", step=0, values={"topic": "x"}),
        task("ask", step=1), result("ask", writes={"topic": "y"}), checkpoint("b", step=1, values={"topic": "y"}),
    )  # fmt: skip
    assert [state.step for state in told.all()] == [0, 1]
    assert told.who(1) == {"topic": "ask"}


def test_what_a_person_wrote_from_outside_is_told_as_such() -> None:
    told = Told(
        run(),
        checkpoint("a", step=0, values={"topic": "x"}),
        checkpoint("b", step=1, source="update", values={"topic": "y"}),
    )
    assert told.who(1) == {"topic": "update_state"}


def test_the_history_of_a_key_has_the_states_in_which_it_changed() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"n": 1}), checkpoint("b", step=1, values={"n": 1, "m": 2}),
        checkpoint("c", step=2, values={"n": 3}),
    )  # fmt: skip
    assert history(told, "n") == [(0, 1), (2, 3)]
    assert history(told, "m") == [(1, 2), (2, None)]


def history(told: Told, key: str) -> list[tuple[int, Any]]:
    found = History(told.states, key)
    found.update()
    return [(state.step, value) for state, value in found.found]


def test_a_history_reads_only_what_came_since_and_a_few_states_at_a_time() -> None:
    told = Told(run(), *(checkpoint(f"c{step}", step=step, values={"n": step // 2}) for step in range(50)))
    found, read = History(told.states, "n"), []
    told.states._read = lambda seq: read.append(seq) or told.lines[seq]  # type: ignore[func-returns-value]
    while found.update(20) and found.behind:
        assert len(read) in (20, 40)
    assert len(read) == 50
    told.tell(checkpoint("more", step=50, values={"n": 7}))
    read.clear()
    assert found.update(20)
    assert len(read) == 1
    assert not found.update(20)
    assert len(read) == 1
    assert [(state.step, value) for state, value in found.found] == history(told, "n")


def test_a_history_has_what_a_rebuilt_state_came_to_be() -> None:
    told = Told(run(input={"best": "a"}), task("a", step=1, input={"best": "a"}), result("a", writes={"best": "b"}))
    found = History(told.states, "best")
    found.update(20)
    before = found.edition
    told.tell(task("b", step=2, input={"best": "ab"}))
    assert found.update(20)
    assert found.edition > before
    assert [value for _, value in found.found] == ["a", "ab"]
    told.tell(result("b", step=2, writes={"best": "ab"}), ended(output={"best": "abc"}))
    found.update(20)
    assert [(state.step, value) for state, value in found.found] == history(told, "best")


# ── without a checkpointer ───────────────────────────────────────────────────────────────────────────────────────────


def test_without_checkpoints_the_states_are_rebuilt_from_updates_by_their_reducers() -> None:
    told = Told(
        run(input={"topic": "cats"}), task("a", step=1, input={"topic": "cats", "notes": []}),
        result("a", writes={"notes": ["one"], "messages": [message("hi", "m1")]}),
        task("b", step=2, input={"topic": "cats"}), result("b", step=2, writes={"notes": ["two"], "topic": "dogs"}),
    )  # fmt: skip
    assert [state.rebuilt for state in told.all()] == [True] * 3
    assert told.states.values(told.all()[-1]) == {
        "topic": "dogs", "notes": ["one", "two"], "messages": [message("hi", "m1")],
    }  # fmt: skip
    assert told.who(2) == {"notes": "b: add", "topic": "b"}


def test_what_the_next_tasks_saw_corrects_what_an_unknown_reducer_made() -> None:
    told = Told(
        run(input={"best": "a"}), task("a", step=1, input={"best": "a"}), result("a", writes={"best": "b"}),
        task("b", step=2, input={"best": "ab"}),
    )  # fmt: skip
    assert told.states.values(told.all()[1]) == {"best": "ab"}
    told.tell(result("b", step=2, writes={"best": "c"}), ended(output={"best": "abc"}))
    assert told.states.values(told.all()[-1]) == {"best": "abc"}


def test_a_step_that_goes_on_has_no_state_yet() -> None:
    told = Told(run(), task("a", step=1, input={}), task("b", step=1, input={}), result("a", writes={"topic": "x"}))
    assert [state.step for state in told.all()] == [0]
    told.tell(result("b", writes={"notes": ["n"]}))
    assert [state.step for state in told.all()] == [0, 1]


def test_states_are_rebuilt_a_few_tasks_at_a_time_and_come_to_be_the_same() -> None:
    story: list[Event | list[Event]] = [run(input={"best": "a"})]
    for step in range(1, 30):
        story.append([task(f"t{step}", step=step, input={"best": "a" * step})])
        story.append([result(f"t{step}", step=step, writes={"best": "b" * step})])
    wide = [task(f"w{n}", step=30, triggers=("__pregel_push",)) for n in range(40)]
    story += [wide, [result(f"w{n}", step=30, writes={"notes": [n]}) for n in range(40)], ended(output={"topic": "x"})]
    told, read = Told(*story), []

    def line(seq: int) -> dict[str, Any]:
        read.append(seq)
        return told.lines[seq]

    few = States(line, told.stored.__getitem__, most=10)
    flags, slices = Flags(few), 0
    few.update(told.session)
    while few.behind:
        assert len(read) <= 30
        flags.update()
        read.clear()
        few.update(told.session)
        slices += 1
    while flags.update():
        pass
    assert slices >= 8
    assert [few.values(one) for one in few.of()] == [told.states.values(one) for one in told.all()]
    assert [one.step for one in few.of()] == [one.step for one in told.all()]
    assert flags.all == told.flags.all


def test_messages_are_joined_by_id_as_langgraph_does() -> None:
    before = [message("one", "1"), message("two", "2")]
    after = [message("TWO", "2"), message("three", "3"), message("", "1", "RemoveMessage")]
    made = joined("add_messages", before, after, {}.__getitem__)
    assert [one["fields"]["content"] for one in made] == ["TWO", "three"]
    assert joined("add_messages", before, [message("", "__remove_all__", "RemoveMessage")], {}.__getitem__) == []
    assert joined("add", 1, 2, {}.__getitem__) == 3
    assert joined("or_", {"a": 1}, {"b": 2}, {}.__getitem__) == {"a": 1, "b": 2}
    assert joined("best_of", "a", "b", {}.__getitem__) == "b"


# ── differences ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2, "b": 3}, [("changed", ("a",)), ("added", ("b",))]),
        ({"a": 1, "b": {"c": 1}}, {"b": {"c": 2}}, [("changed", ("b", "c")), ("removed", ("a",))]),
        ([1, 2, 3], [0, 1, 2, 3], [("added", (0,))]),
        ([1, 2, 3], [1, 3], [("removed", (1,))]),
        ([{"n": 1}], [{"n": 2}], [("changed", (0, "n"))]),
        ("a", ["a"], [("changed", ())]),
    ],
)  # fmt: skip
def test_what_changed_is_told_by_its_path(before: Any, after: Any, changes: list[Any]) -> None:
    assert [(one.kind, one.path) for one in differences(before, after)] == changes
    assert same(before, after) is not bool(changes)


def test_messages_are_told_apart_by_their_ids_wherever_they_stand() -> None:
    before = [message("one", "1"), message("two", "2"), message("three", "3")]
    after = [message("zero", "0"), message("two!", "2"), message("three", "3")]
    assert [(one.kind, one.path, one.before, one.after) for one in differences(before, after)] == [
        ("added", (0,), None, message("zero", "0")),
        ("changed", (1, "content"), "two", "two!"),
        ("removed", (0,), message("one", "1"), None),
    ]


def test_equal_references_are_never_read_and_others_are() -> None:
    def lookup(ref: str) -> Any:
        assert ref != "same"
        return {"old": [1, 2], "new": [1, 2, 3]}[ref]

    before, after = [{"a": {"$ref": name}, "b": {"$ref": "same"}} for name in ("old", "new")]
    assert [(one.kind, one.path) for one in differences(before, after, lookup)] == [("added", ("a", 2))]


# ── what is wrong with a state ───────────────────────────────────────────────────────────────────────────────────────


def test_a_value_that_a_node_changed_without_writing_it_is_told_with_the_node_and_the_place() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"d": {"k": 1}, "topic": "x"}),
        step("sly", 1, {}, {"topic": "y"}, {"d": {"k": 2}, "topic": "y"}),
    )  # fmt: skip
    assert told.texts() == ["sly changed d.k in place, without writing it"]
    assert told.flags.of(told.all()[-1])[0].nodes == ("sly",)


def test_of_tasks_side_by_side_nobody_knows_which_one_it_was() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"d": [1]}), task("a", step=1), task("b", step=1), result("a"), result("b"),
        checkpoint("c", step=1, source="loop", values={"d": [1, 2]}),
    )  # fmt: skip
    assert told.texts() == ["one of a, b changed d[1] in place, without writing it"]


def test_a_list_that_grew_by_more_than_was_written_was_changed_in_place_too() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"notes": ["1"]}),
        step("sly", 1, {}, {"notes": ["3"]}, {"notes": ["1", "2", "3"]}),
    )  # fmt: skip
    assert told.texts() == ["sly changed notes in place, besides writing to it"]


def test_what_nodes_wrote_and_what_only_prints_itself_another_way_is_no_news() -> None:
    told = Told(
        run(), checkpoint("a", step=0, values={"notes": ["1"], "o": {"$type": "Lock", "repr": "at 1"}}),
        step("good", 1, {}, {"notes": ["2"]}, {"notes": ["1", "2"], "o": {"$type": "Lock", "repr": "at 2"}}),
    )  # fmt: skip
    assert told.texts() == []


def test_a_state_that_swelled_in_one_step_names_the_node_and_the_key() -> None:
    big = ["word " * 6000 for _ in range(4)]
    told = Told(
        run(), checkpoint("a", step=0, values={"notes": ["1"], "topic": "x"}),
        step("hoard", 1, {}, {"notes": big}, {"notes": ["1", *big], "topic": "x"}),
        step("good", 2, {}, {"topic": "y"}, {"notes": ["1", *big], "topic": "y"}),
    )  # fmt: skip
    assert len(told.texts()) == 1
    assert told.texts()[0].startswith("hoard made the state ")
    assert told.texts()[0].endswith("120 kB, most of it in notes")


def test_a_rebuilt_state_is_judged_when_nothing_more_will_be_told_of_it() -> None:
    told = Told(
        run(input={"d": {"k": 1}}), task("sly", step=1, input={"d": {"k": 1}}), result("sly", writes={"topic": "x"})
    )
    assert told.texts() == []
    told.tell(task("next", step=2, input={"d": {"k": 2}}), result("next", step=2), ended())
    assert told.texts() == ["sly changed d.k in place, without writing it"]


json_values = st.recursive(
    st.none() | st.integers(0, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(json_values, json_values)
@example([None, {"a": None}, {"a": 0}], [[], None, {}])  # what is gone from an element that another place has now
def test_nothing_changed_only_between_equal_values_and_every_change_is_one(before: Any, after: Any) -> None:
    found = list(differences(before, after))
    assert bool(found) is (before != after)
    for change in found:
        if change.kind != "removed":
            assert _at(after, change.path) == change.after
        if change.kind != "added":
            assert change.kind == "changed" or _at(before, change.path) == change.before
        assert change.before != change.after or change.kind != "changed"


def _at(value: Any, path: Any) -> Any:
    for part in path:
        value = value[part]
    return value

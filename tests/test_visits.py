"""Visits of a node with an input that it had before."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lgwatch.events import ValueStored
from lgwatch.session import Session
from lgwatch.sources import Recording
from tests.factories import ended, interrupted, play, result, resumed, run, task
from tests.live import ROOT


def visits(*inputs, node="critique"):
    return [
        event
        for step, given in enumerate(inputs, 1)
        for event in (
            task(node, id=f"{node}{step}", step=step, input=given),
            result(node, id=f"{node}{step}", step=step),
        )
    ]


def same(session):
    return [one.same_input for one in session.tasks()]


def stored(name, data):
    return ValueStored(id=name, data=data)


def test_visits_with_the_same_input_are_counted():
    session = play(visits({"n": 1}, {"n": 1}, {"n": 2}, {"n": 1}))
    assert same(session) == [1, 2, 1, 3]
    assert session.loops == {"critique": 3}


@pytest.mark.parametrize(("one", "other"), [(-1, -2), (1, True), (1, 1.0), ("1", 1), ([], {}), (None, "None")])
def test_values_that_only_look_alike_are_others(one, other):
    assert same(play(visits({"n": one}, {"n": other}))) == [1, 1]


def test_an_empty_input_tells_nothing():
    assert same(play(visits({}, {}, None, None))) == [1, 1, 1, 1]


def test_what_is_sent_side_by_side_did_not_come_back():
    events = [task("work", id=f"w{number}", step=2, input={"n": 1}) for number in range(4)]
    session = play(*events, task("work", id="late", step=3, input={"n": 1}))
    assert same(session) == [1, 1, 1, 1, 2]


def test_a_graph_that_is_run_again_inside_of_a_node_begins_anew():
    events = [task("inner", id=f"i{number}", ns=(f"sub:s{number}",), step=1, input={"n": 1}) for number in range(2)]
    assert same(play(*events)) == [1, 1]


def test_another_run_begins_anew_and_an_answer_goes_on():
    again = play(visits({"n": 1}), ended(), run("r2", input={"n": 1}), task("critique", id="x", step=9, input={"n": 1}))
    assert same(again) == [1, 1]
    answered = play(
        visits({"n": 1}), task("ask", step=2), interrupted("ask"), resumed({"ask-ask": 1}),
        task("ask", step=2), task("critique", id="x", step=3, input={"n": 1}),
    )  # fmt: skip
    assert answered.task("critique").same_input == 2


def test_a_task_that_is_visited_again_after_an_answer_is_no_loop():
    session = play(
        task("ask", step=2, input={"n": 1}), interrupted("ask"), resumed({"ask-ask": 1}),
        task("ask", step=2, input={"n": 1}),
    )  # fmt: skip
    assert same(session) == [1, 1]
    assert session.loops == {}


def test_equal_lists_are_equal_however_they_were_stored_in_pieces():
    whole = stored("v3", [{"$ref": "v1"}, "b", "c", {"n": 1}])
    pieces = [stored("v4", [{"$ref": "v1"}, "b"]), stored("v5", {"$ref": "v4", "$append": ["c", {"n": 1}]})]
    other = stored("v6", {"$ref": "v4", "$append": ["c", {"n": 2}]})
    given = [{"messages": {"$ref": name}, "n": 1} for name in ("v3", "v5", "v6")]
    session = play(run(), stored("v1", {"text": "a"}), whole, pieces, other, visits(*given), start=False)
    assert same(session) == [1, 2, 1]


PARTS = st.lists(st.sampled_from([1, True, 1.0, "1", -1, -2, None, [1], {"a": 1}, {"$ref": "v1"}]), max_size=6)


@example(one=[1], other=["1"], equal=False, cuts=set(), other_cuts=set())
@given(PARTS, PARTS, st.booleans(), st.sets(st.integers(1, 5)), st.sets(st.integers(1, 5)))
def test_inputs_are_the_same_if_and_only_if_they_hold_the_same(one, other, equal, cuts, other_cuts):
    events, inputs = [run(), stored("v1", "long")], []
    other = one if equal else other
    for values, places in ((one, sorted(cuts)), (other, sorted(other_cuts))):
        for start, end in zip([0, *places], [*places, None], strict=True):
            name = f"v{len(events)}"
            before = {"$ref": f"v{len(events) - 1}"}
            events.append(stored(name, {**before, "$append": values[start:end]} if start else values[start:end]))
        inputs.append({"messages": {"$ref": name}})
    session = play(events, visits(*inputs), start=False)
    assert same(session) == [1, 2 if repr(one) == repr(other) else 1]


def test_an_input_that_is_stored_whole_is_compared_by_what_it_holds():
    values = [stored("v1", {"text": "a"}), stored("v2", {"m": {"$ref": "v1"}}), stored("v3", {"m": {"$ref": "v1"}})]
    session = play(run(), values, visits({"$ref": "v2"}, {"$ref": "v3"}, {"$ref": "v9"}), start=False)
    assert same(session) == [1, 2, 1]


def test_no_value_of_a_strange_journal_is_too_deep_or_too_far_away():
    deep = []
    for _ in range(3_000):
        deep = [deep, {"$ref": "v1"}]
    session = play(run(), stored("v99999999", 1), stored("vx", 1), stored("v1", deep), visits({"n": deep}), start=False)
    assert same(session) == [1]


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "recordings").glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_agents_of_the_samples_do_not_go_in_circles(path):
    source, session = Recording(path), Session()
    while events := source.poll():
        for event in events:
            session.apply(event)
    assert session.loops == {}

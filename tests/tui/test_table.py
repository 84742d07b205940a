import pytest

from lgwatch.tui.nodes.table import COLUMNS, ORDERS, NodeTable, TableRows
from tests.factories import attempt, call, called, ended, interrupted, play, result, resumed, run, span_end, task, token
from tests.test_transitions import deep_agent


def filled(*events, now=None, **more):
    session = play(*events, **more)
    table = NodeTable()
    table.update(session, session.now if now is None else now)
    return table.nodes


def worked(node, start, end, *, name=""):
    name = name or node
    return [task(node, id=name, at=start), attempt(name, at=start), result(node, id=name, at=end)]


def test_times_of_a_node_are_of_the_visits_that_ended():
    events = [
        event for number in range(1, 21) for event in worked("a", number, number + number / 20, name=f"a{number}")
    ]
    node = filled(*events, task("a", id="open"))["a"]
    assert node.visits == 21
    assert node.mean == pytest.approx(sum(range(1, 21)) / 20 / 20)
    assert node.p95 == pytest.approx(0.95)


def test_the_share_of_a_node_counts_parallel_visits_once():
    nodes = filled(run(at=0.001), worked("a", 1, 3, name="a1"), task("b", id="a2", at=3.0), start=False)
    assert nodes["a"].share == pytest.approx(2 / 2.999)
    session = play(
        run(at=1e-9), task("a", id="a1", at=1), task("a", id="a2", at=1), attempt("a1", at=1), attempt("a2", at=2),
        result("a", id="a1", at=3), result("a", id="a2", at=4), ended(at=8), start=False,
    )  # fmt: skip
    table = NodeTable()
    table.update(session, 8)
    assert table.nodes["a"].share == pytest.approx(3 / 8)


def test_a_node_that_runs_has_its_share_up_to_now():
    session = play(run(at=1e-9), task("a", at=1), attempt("a", at=2), start=False)
    table = NodeTable()
    table.update(session, 4)
    assert table.nodes["a"].share == pytest.approx(0.5)
    assert table.update(session, 6)
    assert table.nodes["a"].share == pytest.approx(4 / 6)


def test_retries_errors_and_cache_hits_are_counted():
    nodes = filled(
        task("a"), attempt("a", 1), span_end("a-1", status="error"), attempt("a", 2), span_end("a-2"), result("a"),
        task("c"), result("c", cached=True),
    )  # fmt: skip
    assert (nodes["a"].errors, nodes["a"].retries) == (1, 1)
    assert nodes["c"].cached == 1


def test_tokens_and_the_time_to_the_first_one_come_from_the_calls():
    nodes = filled(
        task("writer", at=1), call(at=2), token("Hello", at=2.5), token("!", last=True, usage={"input_tokens": 7, "output_tokens": 2}),
        called(), result("writer"),
    )  # fmt: skip
    node = nodes["writer"]
    assert node.first_token == pytest.approx(0.5)
    assert (node.tokens_in, node.tokens_out) == (7, 2)


def test_a_call_that_told_its_tokens_only_at_its_end_counts():
    node = filled(task("writer"), call(), called(usage={"input_tokens": 3, "output_tokens": 4}), result("writer"))[
        "writer"
    ]
    assert (node.tokens_in, node.tokens_out) == (3, 4)


def rows_of(session):
    rows = TableRows()
    rows.update(session, session.now)
    return rows


def text(rows, width=100):
    return ["".join(part for part, _ in rows.row(index, width)) for index in range(len(rows))]


SESSION = play(
    task("sub", id="s", at=1), task("in", ns=("sub:s",), at=1), attempt("in", at=1), result("in", ns=("sub:s",), at=2),
    result("sub", id="s", at=2), worked("other", 3, 7),
)  # fmt: skip


def test_a_row_for_every_node_nested_as_it_ran():
    shown = text(rows_of(SESSION))
    assert [line.split()[1] for line in shown[1:]] == ["sub", "in", "other"]
    assert shown[2].startswith("  ")
    assert {len(line) for line in shown} == {100}


def test_an_agent_that_a_tool_call_runs_has_a_row_with_what_is_inside_of_it():
    shown = text(rows_of(play(run(), deep_agent(), start=False)))
    assert [line.split()[1:3] for line in shown[1:]] == [
        ["tools", "2"], ["researcher", "1"], ["model", "1"], ["critic", "1"], ["model", "1"],
    ]  # fmt: skip
    assert [len(line) - len(line.lstrip()) for line in shown[1:]] == [0, 2, 4, 2, 4]


def test_visits_with_the_same_input_have_a_sign_and_a_number():
    events = [task("a", id=f"a{step}", step=step, input={"n": 1}) for step in range(1, 4)]
    shown = text(rows_of(play(*events)), 120)
    assert "⚠ 3" in shown[1]
    assert "×3" in shown[1]


def test_a_visit_that_goes_on_after_an_answer_is_one_visit():
    session = play(task("ask"), interrupted("ask"), resumed({"ask-ask": 1}), task("ask"), result("ask"))
    assert rows_of(session).node(1).visits == 1


def test_a_breakpoint_stands_beside_the_name():
    rows = rows_of(SESSION)
    rows.marks = frozenset({"sub:in"})
    assert [("●" in line) for line in text(rows)] == [False, False, True, False]
    assert {len(line) for line in text(rows)} == {100}


def test_rows_change_places_only_when_asked():
    rows = rows_of(SESSION)
    key = rows.key(3)
    assert rows.order("mean") == "mean"
    assert rows.node(1).name == "other"
    assert rows.node(0) is None
    assert rows.index_of(key) == 1
    assert "▾mean" in text(rows)[0]
    for name in ORDERS:
        rows.order(name)
        assert {len(line) for line in text(rows)} == {100}, name
    rows.order("mean")
    assert [rows.order() for _ in ORDERS][-1] == "mean"


@pytest.mark.parametrize("width", [20, 38, 60, 140])
def test_columns_that_have_no_room_are_left_out(width):
    shown = text(rows_of(SESSION), width)
    assert all(len(line) <= width or width == 20 for line in shown)
    assert "visits" in shown[0]
    assert (width < 90) or all(column.title in shown[0] for column in COLUMNS)


def test_nothing_is_done_when_nothing_happened():
    rows = rows_of(SESSION)
    assert not rows.update(SESSION, SESSION.now + 1)

from lgwatch.events import GraphLoaded
from lgwatch.tui.graph import GraphRows
from lgwatch.tui.picture import EDGE_STYLES
from lgwatch.tui.signs import amount
from tests.factories import attempt, ended, failed, play, result, run, task
from tests.tui.shapes import END, SHAPES, START


def loaded(shape):
    told, links = SHAPES[shape]
    return GraphLoaded(nodes=told, edges=links)


def drawn(session, *, width=58, now=None, rows=None, depth=1):
    rows = rows or GraphRows(depth)
    rows.update(session, session.now if now is None else now)
    rows.resize(width)
    return rows


def text(rows, width=58):
    return "\n".join("".join(part for part, _ in rows.row(index, width)) for index in range(len(rows)))


def style_of(rows, wanted, width=58):
    return next(style for index in range(len(rows)) for part, style in rows.row(index, width) if wanted in part)


LOOP = (
    loaded("loop"),
    run(),
    task("agent"),
    attempt("agent"),
    result("agent"),
    task("tools", step=2),
    attempt("tools"),
)


def test_the_picture_shows_which_nodes_ran_and_which_one_does():
    rows = drawn(play(*LOOP, start=False))
    assert "✓ agent" in text(rows)
    assert style_of(rows, "tools").startswith("bold")
    assert rows.running_row() == rows.drawing.boxes["tools"].rect.y + 1
    assert rows.nodes_at(rows.running_row()) == ["tools"]
    assert rows.task("tools").status == "running"


def test_nothing_moves_while_the_run_goes_on():
    rows = GraphRows()
    pictures = []
    for count in range(2, len(LOOP) + 1):
        session = play(*LOOP[:count], start=False)
        rows = drawn(session)
        pictures.append({name: box.rect for name, box in rows.drawing.boxes.items()})
    assert all(picture == pictures[0] for picture in pictures)


def test_the_last_transition_is_seen_at_once_and_then_calms_down():
    session = play(*LOOP, start=False)
    rows = drawn(session, now=session.now + 0.1)
    assert rows._edge(("agent", "tools")) == "last"
    assert rows._edge((START, "agent")) == "taken"
    assert rows._edge(("agent", END)) == ""
    assert drawn(session, now=session.now + 5, rows=rows)._edge(("agent", "tools")) == "taken"
    assert set(EDGE_STYLES) == {"", "taken", "last"}


def test_visits_and_failures_stand_beside_the_node():
    events = [loaded("fan-out"), run(), task("plan"), result("plan")]
    for number in range(1_000):
        events += [task("work", id=f"w{number}", step=2, triggers=("__pregel_push",))]
    events += [result("work", id=f"w{number}", step=2) for number in range(1_000)]
    assert f"×{amount(1_000)}" in text(drawn(play(*events, start=False)))
    rows = drawn(play(loaded("one"), run(), task("only"), failed("only"), start=False))
    assert "✗ only" in text(rows)


def test_an_edge_that_is_taken_without_being_told_of_appears_and_moves_no_column():
    told = loaded("disconnected")
    before = drawn(play(told, run(), start=False))
    after = drawn(play(told, run(), task("triage"), result("triage"), task("sales", step=2), start=False))
    assert ("triage", "sales") in after.drawing.edges
    assert {name: box.rect.x for name, box in before.drawing.boxes.items()} == {
        name: box.rect.x for name, box in after.drawing.boxes.items()
    }


def test_agents_that_the_graph_does_not_know_are_inside_of_the_node_that_calls_them():
    session = play(
        loaded("one"), run(), task("only"), task("model", id="m", ns=("only:only",)), attempt("only"), start=False
    )  # fmt: skip
    rows = drawn(session)
    assert rows.drawing.boxes["only"].open
    assert "model" in text(rows)
    rows.deeper(-1)
    assert "model" not in text(drawn(session, rows=rows))
    assert not rows.drawing.boxes["only"].open


def test_there_are_no_rows_where_there_is_no_room():
    rows = drawn(play(loaded("branches"), run(), start=False), width=14)
    assert rows.drawing is None
    assert len(rows) == 0
    assert len(drawn(play(run(), start=False))) == 0


def test_a_look_at_a_run_that_stands_still_changes_nothing():
    session = play(*LOOP[:5], start=False)
    rows = drawn(session, now=session.now + 5)
    rows.update(session, session.now + 6)
    assert not rows.update(session, session.now + 7)


def test_rows_of_another_drawing_are_other_pictures():
    session = play(loaded("nested"), run(), start=False)
    rows = drawn(session)
    before = rows.key(2)
    rows.deeper()
    drawn(session, rows=rows)
    assert rows.key(2) != before
    assert rows.index_of(before) == 2


def test_when_nothing_runs_no_transition_is_the_last_one():
    session = play(*LOOP, result("tools", step=2), ended(), start=False)
    rows = drawn(session)
    assert rows._edge(("agent", "tools")) == "taken"


def test_arrows_go_to_the_next_node_in_a_direction_and_past_start_and_end():
    rows = drawn(play(loaded("diamond"), run(), start=False))
    assert rows.beside(0, 1) == rows.first()
    way = [rows.first()]
    rows.select(way[0])
    while node := rows.beside(0, 1):
        rows.select(node)
        way.append(node)
    assert len(way) == 3
    assert way[1] in ("left", "right")
    rows.select("left")
    across = [rows.beside(step, 0) for step in (1, -1)]
    assert sorted(across) == ["", "right"]


def test_what_one_is_inside_of_is_not_beside_it():
    session = play(loaded("one"), run(), task("only"), task("model", id="m", ns=("only:only",)), start=False)
    rows = drawn(session)
    rows.select("only:model")
    assert [rows.beside(1, 0), rows.beside(-1, 0), rows.beside(0, -1)] == ["", "", "only"]


def test_a_drawing_that_took_long_rests_while_only_ways_appear(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr("lgwatch.tui.graph.monotonic", lambda: next(clock))
    told = loaded("disconnected")
    session = play(told, run(), start=False)
    rows = drawn(session)
    for event in (task("triage"), result("triage"), task("sales", step=2)):
        session.apply(event)
    drawn(session, rows=rows)
    assert ("triage", "sales") not in rows.drawing.edges
    for _ in range(100):
        drawn(session, rows=rows)
    assert ("triage", "sales") in rows.drawing.edges

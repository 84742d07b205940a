import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.events import GraphLoaded, Interrupted
from lgwatch.transitions import node_id
from lgwatch.tui.drawing.picture import EDGE_STYLES
from lgwatch.tui.lines.signs import amount
from lgwatch.tui.nodes.graph import GraphRows
from tests.factories import attempt, ended, failed, play, result, run, task
from tests.test_transitions import deep_agent
from tests.tui.shapes import END, SHAPES, START, chain, edges, node
from tests.tui.test_drawing import leads


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
    monkeypatch.setattr("lgwatch.tui.nodes.graph.monotonic", lambda: next(clock))
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


def test_a_node_says_that_it_had_its_input_before():
    visits = [task("only", id=f"o{step}", step=step, input={"n": 1}) for step in range(1, 5)]
    ended_ = [result("only", id=f"o{step}", step=step) for step in range(1, 5)]
    events = [event for pair in zip(visits, ended_, strict=True) for event in pair]
    assert "⚠×4" in text(drawn(play(loaded("one"), run(), events, start=False)))
    other = [task("only", id="o9", step=9, input={"n": 2}), result("only", id="o9", step=9)]
    assert "⚠" not in text(drawn(play(loaded("one"), run(), events, other, start=False)))


def test_edges_tell_how_often_they_were_taken():
    visits = [
        event
        for step, node in enumerate(["agent", "tools"] * 3, 1)
        for event in (task(node, id=f"{node}{step}", step=step), result(node, id=f"{node}{step}", step=step))
    ]
    rows = drawn(play(loaded("loop"), run(), visits, start=False))
    assert "continue ×3" in text(rows)
    assert "─×2─" in text(rows)
    assert "×3" not in text(drawn(play(*LOOP, start=False)))


def test_a_node_that_leads_back_to_itself_says_how_often():
    visits = [
        event
        for step in range(1, 5)
        for event in (task("only", id=f"o{step}", step=step), result("only", id=f"o{step}", step=step))
    ]
    rows = drawn(play(loaded("one"), run(), visits, start=False))
    assert "×4 ↺3" in text(rows)


def test_a_breakpoint_stands_on_its_node_or_on_what_it_is_inside_of():
    session = play(loaded("nested"), run(), start=False)
    rows = drawn(session, depth=3)
    before = text(rows)
    rows.marks = frozenset({"team:lead"})
    rows.update(session, session.now)
    assert text(rows).count("●") == 1
    assert text(rows).replace("●", "║") == before
    rows.deeper(-3)
    drawn(session, rows=rows)
    assert "○ · team" in text(rows)


def test_agents_that_tool_calls_run_are_boxes_of_their_own_with_the_state_of_the_call():
    session = play(loaded("one"), run(), task("only"), deep_agent(), start=False)
    rows = drawn(session, width=100, depth=2)
    assert rows.drawing.boxes["tools:researcher"].kind == "subgraph"
    assert "✓ researcher" in text(rows, 100)
    assert "✓ critic" in text(rows, 100)
    assert rows.task("tools:critic") is session.find_task("t2")


def test_a_run_on_another_thread_has_the_picture_to_itself_and_nothing_moves():
    once = (task("triage"), result("triage"), task("sales", step=2), result("sales", step=2), ended())
    rows = drawn(play(loaded("disconnected"), run(), once, start=False))
    before = {name: box.rect for name, box in rows.drawing.boxes.items()}
    again = play(loaded("disconnected"), run(), once, run("r2", thread="2"), task("triage", id="t2"), start=False)
    rows = drawn(again)
    assert "· sales" in text(rows)
    assert rows._edge(("triage", "sales")) == ""
    assert rows._edge((START, "triage")) == "last"
    assert rows.task("sales").run == "r1"
    assert {name: box.rect for name, box in rows.drawing.boxes.items()} == before
    same = play(loaded("disconnected"), run(), once, run("r2"), task("triage", id="t2"), start=False)
    assert "✓ sales" in text(drawn(same))


def test_a_node_that_a_run_stands_before_is_lit():
    stop = [Interrupted(interrupt="breakpoint:tools", node="tools"), ended("interrupted")]
    rows = drawn(play(loaded("loop"), run(), task("agent"), result("agent"), stop, start=False))
    assert "■ tools" in text(rows)
    assert rows.running_row() == rows.drawing.boxes["tools"].rect.y + 1
    assert rows.task("tools") is None


# --- any graph, any run


@st.composite
def runs(pick):
    """A graph that tells of a part of itself, and a run on it that goes where it likes."""
    names = [f"node_{letter}" for letter in "abcdefg"[: pick(st.integers(1, 7))]]
    known = names[: pick(st.integers(1, len(names)))]
    outer = pick(st.sampled_from(known))
    inside = [f"{outer}:{name}" for name in (START, "in_x", "in_y", END)] if pick(st.booleans()) else []
    every = [START, *known, END, *inside]
    pairs = pick(st.lists(st.tuples(st.sampled_from([START, *known]), st.sampled_from([*known, END])), max_size=12))
    links = edges(*((a, b) for a, b in pairs[::2]), conditional=pairs[1::2]) + (chain(*inside) if inside else [])
    events = [GraphLoaded(nodes=[node(name, name == outer and bool(inside)) for name in every], edges=links), run()]
    steps = pick(st.lists(st.lists(st.sampled_from(names), min_size=1, max_size=3), max_size=6))
    for step, lanes in enumerate(steps, 1):
        for lane, name in enumerate(lanes):
            trigger = pick(st.sampled_from(["__pregel_push", f"branch:to:{name}"]))
            id_ = f"{name}-{step}-{lane}"
            events.append(task(name, id=id_, step=step, triggers=(trigger,)))
            for number, inner in enumerate(pick(st.lists(st.sampled_from(["in_x", "in_y", "in_z"]), max_size=2)), 1):
                ns = (f"{name}:{id_}",)
                events += [task(inner, id=f"{id_}-{number}", ns=ns, step=number, triggers=(f"branch:to:{inner}",))]
                events += [result(inner, id=f"{id_}-{number}", ns=ns, step=number)]
            events.append(result(name, id=id_, step=step))
    return play(*events, *([ended()] if pick(st.booleans()) else []), start=False)


@settings(max_examples=120, deadline=None)
@given(runs())
def test_every_node_and_every_taken_edge_is_on_the_drawing_exactly_once(session):
    rows = drawn(session, width=600, depth=9)
    ways, drawing = rows.transitions, rows.drawing
    shown = text(rows, 600)
    told = ways.nodes()
    assert sorted(drawing.boxes) == sorted(one["id"] for one in told)
    for one in told:
        name = {START: "START", END: "END"}.get(one["name"], one["name"])
        same = sum(other["name"] == one["name"] for other in told)
        assert len(re.findall(rf"(?<!\w){name}(?!\w)", shown)) == same, name
    for edge in ways.taken:
        assert drawing.edges.count(edge) == 1
        assert rows._edge(edge) in ("taken", "last")
        assert edge[0] == edge[1] or leads(drawing, *edge), edge
    known = {(edge["source"], edge["target"]) for edge in session.graph.edges}
    assert set(drawing.edges) == known | set(ways.taken)
    assert [edge for edge in drawing.edges if rows._edge(edge)] == [
        edge for edge in drawing.edges if edge in ways.taken
    ]
    assert {node for task in session.tasks() for node in [node_id(task)]} <= set(drawing.boxes)

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.tui.drawing.boxes import draw
from lgwatch.tui.drawing.picture import EDGE_STYLES, Mark, Picture
from lgwatch.tui.drawing.tallies import places, tally
from lgwatch.tui.lines.text import cell_len
from tests.tui.shapes import END, KINDS, SHAPES, START, chain, edges

GOLDEN = Path(__file__).parent / "drawings"


def text(drawing, *, node=lambda _: Mark(), edge=lambda _: "", times=lambda _: 0, width=0):
    picture = Picture(drawing, node, edge, times)
    rows = [picture.row(index, width or drawing.width) for index in range(len(picture))]
    return "\n".join("".join(part for part, _ in row).rstrip() for row in rows)


def kind_of(name):
    return KINDS.get(name.rpartition(":")[2], "node")


# --- the shapes


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_drawn_as_it_was(shape):
    """The drawings are files beside this one; `DRAWINGS=write` writes them anew."""

    def node(name):
        return Mark("✓", caption=(("1.24s", ""), ("×1000" if name == "work" else "×3", "")))

    told, links = SHAPES[shape]
    pictures = []
    for width in (34, 58, 110):
        drawing = draw(told, links, width=width, depth=9)
        pictures.append(f"-- {width}\n{text(drawing, node=node) if drawing else 'a list'}\n")
    path = GOLDEN / f"{shape}.txt"
    if os.environ.get("DRAWINGS") == "write":
        path.write_text("\n".join(pictures), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "\n".join(pictures)


def test_a_subgraph_opens_as_deep_as_it_may():
    told, links = SHAPES["nested"]
    for depth, shown in ((0, {START, "team", END}), (1, {"team:lead"}), (2, {"team:lead:agent"})):
        drawing = draw(told, links, depth=depth)
        assert shown <= set(drawing.boxes)
        assert drawing.depth == depth
        assert not any(name.count(":") > depth for name in drawing.boxes)
    assert draw(told, links, depth=0).shown("team:lead:agent:model") == "team"
    assert draw(told, links, depth=0).drawn(("team:lead:agent:model", "team:lead:agent:tools")) is None
    assert draw(told, links, depth=9).depth == 3


def test_a_subgraph_that_has_no_room_stays_closed():
    drawing = draw(*SHAPES["nested"], width=15, depth=3)
    assert drawing.depth == 0


def test_a_drawing_that_has_no_room_is_none():
    assert draw(*SHAPES["branches"], width=14) is None


def test_there_is_air_between_the_layers_where_there_is_room():
    assert draw(*SHAPES["chain"]).height + 4 == draw(*SHAPES["chain"], height=40).height
    assert draw(*SHAPES["chain"], height=13).height == draw(*SHAPES["chain"]).height


def test_the_node_at_a_place_is_the_innermost_one():
    drawing = draw(*SHAPES["nested"], depth=9)
    rect = drawing.boxes["team:lead:agent:model"].rect
    assert drawing.at(rect.x + 1, rect.y + 1) == "team:lead:agent:model"
    assert drawing.at(drawing.boxes["team"].rect.x, drawing.boxes["team"].rect.y) == "team"
    assert drawing.at(drawing.width + 9, 0) is None
    assert drawing.order()[:2] == [START, "team"]


def test_a_line_that_several_edges_share_shows_the_one_that_happened_last():
    drawing = draw(*SHAPES["branches"])
    states = {("route", "branch_a"): "taken", ("route", "branch_b"): "last"}
    picture = Picture(drawing, lambda _: Mark(), lambda edge: states.get(edge, ""))
    x, y = drawing.path(("route", "branch_a"))[0]
    at, styles = 0, {}
    for part, style in picture.row(y, drawing.width):
        styles |= dict.fromkeys(range(at, at + cell_len(part)), style)
        at += cell_len(part)
    assert styles[x] == EDGE_STYLES["last"]


def test_only_the_rows_of_a_node_change_when_its_state_does():
    drawing = draw(*SHAPES["loop"])
    states = {"agent": "·"}
    picture = Picture(drawing, lambda name: Mark(states.get(name, "")), lambda _: "")
    before = [picture.key(index) for index in range(len(picture))]
    states["agent"] = "✓"
    after = [picture.key(index) for index in range(len(picture))]
    rect = drawing.boxes["agent"].rect
    changed = {index for index, (one, other) in enumerate(zip(before, after, strict=True)) if one != other}
    assert changed == set(range(rect.y, rect.y + rect.height))
    assert picture.index_of(after[2]) == 2


# --- any graph


@st.composite
def graphs(pick):
    names = [f"n{number}" for number in range(pick(st.integers(0, 9)))]
    every = [*(pick(st.sampled_from([[START], []]))), *names, *(pick(st.sampled_from([[END], []])))]
    told = [
        {"id": name, "name": name * pick(st.integers(1, 5)) if name in names else name, "kind": kind_of(name)}
        for name in every
    ]
    links = []
    if names and pick(st.booleans()):
        inner = [f"{names[0]}:{name}" for name in (START, "a", "b", END)]
        told += [{"id": name, "name": name.rpartition(":")[2], "kind": kind_of(name)} for name in inner]
        links += chain(*inner) + edges(conditional=[(inner[2], inner[1], "again")])
    if every:
        ends = st.sampled_from(every)
        labels = st.sampled_from(["", "", "", "yes", "carry on"])
        for source, target, label in pick(st.lists(st.tuples(ends, ends, labels), max_size=24)):
            links += edges(conditional=[(source, target, label)])
        observed = pick(st.lists(st.tuples(ends, ends), max_size=3))
    else:
        observed = []
    return told, links, observed


def cells_of(rect):
    return {(x, y) for x in range(rect.x, rect.x + rect.width) for y in range(rect.y, rect.y + rect.height)}


def inside_of(inner, outer):
    return inner.startswith(f"{outer}:")


@settings(max_examples=150, deadline=None)
@given(graphs(), st.sampled_from([0, 40, 80]))
def test_boxes_labels_and_captions_have_their_cells_for_themselves(graph, width):
    told, links, observed = graph
    drawing = draw(told, links, width=width, depth=1, observed=observed)
    if drawing is None:
        assert width
        return
    boxes = drawing.boxes
    assert set(boxes) == {node["id"] for node in told if drawing.depth or ":" not in node["id"]}
    assert not width or drawing.width <= width
    owners = {}
    for one, other in combinations(boxes.values(), 2):
        if inside_of(other.id, one.id):
            assert cells_of(other.rect) < cells_of(one.rect)
        else:
            assert not cells_of(one.rect) & cells_of(other.rect)
    for box in boxes.values():
        for slot in box.slots:
            owners |= dict.fromkeys(cells_of(slot), box.id) if slot.width > 0 else {}
    for x, y, label in drawing.labels.values():
        place = {(x + cell, y) for cell in range(cell_len(label))}
        assert not place & owners.keys()
        owners |= dict.fromkeys(place, "label")
    lines = drawing.cells
    for cell, owner in owners.items():
        assert cell not in lines or owner == "label"
        assert 0 <= cell[0] < drawing.width
        assert 0 <= cell[1] < drawing.height
        at = drawing.at(*cell)
        assert at is None or at == owner or boxes[at].open


@settings(max_examples=150, deadline=None)
@given(graphs(), st.sampled_from([0, 40, 80]))
def test_every_edge_is_drawn_and_none_runs_through_a_node(graph, width):
    told, links, observed = graph
    drawing = draw(told, links, width=width, depth=1, observed=observed)
    if drawing is None:
        return
    known = {node["id"] for node in told}
    pairs = {(link["source"], link["target"]) for link in links} | set(observed)
    assert len(drawing.edges) == len(set(drawing.edges))
    for pair in pairs:
        if pair[0] != pair[1] and drawing.shown(pair[0]) == pair[0] and drawing.shown(pair[1]) == pair[1]:
            assert pair in drawing.edges
    for source, target in drawing.edges:
        assert {source, target} <= known
        if source == target:
            assert drawing.boxes[source].again or drawing.boxes[source].kind in ("start", "end")
        else:
            assert leads(drawing, source, target), (source, target)
    for (x, y), (char, _) in drawing.cells.items():
        at = drawing.at(x, y)
        if at is not None and not drawing.boxes[at].open:
            assert char in "▼┬╤├╟"


ARMS = {
    "│": "NS", "─": "EW", "╭": "ES", "╮": "SW", "╰": "EN", "╯": "NW", "├": "ENS", "┤": "NSW", "┬": "ESW", "┴": "ENW",
    "┼": "ENSW", "╵": "N", "╷": "S", "╶": "E", "╴": "W", "▼": "N", "◂": "E", "╤": "ESW", "╟": "ENS",
}  # fmt: skip
"""The sides at which a character is joined to what is beside it."""
STEPS = (("E", "W", 1, 0), ("W", "E", -1, 0), ("S", "N", 0, 1), ("N", "S", 0, -1))


def leads(drawing, source, target):
    """Whether the edge's own cells lead from the one to the other, each joined to the next one as it is drawn; a step may
    pass over a line that is crossed, and over a label."""
    path, lines = set(drawing.path((source, target))), drawing.cells
    for edges_, (x, y, text_) in drawing.labels.items():
        path |= {(x + cell, y) for cell in range(cell_len(text_)) if (source, target) in edges_}
    labels = {(x + cell, y) for x, y, text in drawing.labels.values() for cell in range(cell_len(text))}
    start, end = around(drawing.boxes[source].rect), around(drawing.boxes[target].rect)
    reached = path & start
    fresh = list(reached)
    while fresh:
        x, y = fresh.pop()
        for out, into, dx, dy in STEPS:
            step = (x + dx, y + dy)
            while step not in path and (step in lines or step in labels):
                step = (step[0] + dx, step[1] + dy)
            if step not in path or step in reached:
                continue
            here, there = (lines.get(cell, ("", None))[0] for cell in ((x, y), step))
            if all(
                cell in labels or side in ARMS[char] for cell, char, side in (((x, y), here, out), (step, there, into))
            ):
                reached.add(step)
                fresh.append(step)
    return any(lines[cell][0] in "▼◂" for cell in reached & end & lines.keys())


def around(rect):
    return {
        (x, y) for x in range(rect.x - 1, rect.x + rect.width + 1) for y in range(rect.y - 1, rect.y + rect.height + 1)
    }


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_the_lines_that_share_a_cell_come_from_one_node_or_lead_to_one(graph):
    told, links, observed = graph
    drawing = draw(told, links, depth=1, observed=observed)
    for _, shared in drawing.cells.values():
        together, rest = set(list(shared)[:1]), set(shared)
        while more := {
            edge
            for edge in rest - together
            if any(a == b for other in together for a, b in zip(edge, other, strict=True))
        }:
            together |= more
        assert together == rest


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_an_edge_that_is_seen_at_run_time_moves_no_node_to_another_column(graph):
    told, links, observed = graph
    before, after = draw(told, links, depth=1), draw(told, links, depth=1, observed=observed)
    if not any(":" in node["id"] for node in told):  # an open box may grow by the lane that is inside of it
        assert {box.id: box.rect.x for box in before.boxes.values()} == {
            box.id: box.rect.x for box in after.boxes.values()
        }


@settings(max_examples=100, deadline=None)
@given(graphs(), st.sampled_from(["", "taken", "last"]))
def test_no_state_changes_where_anything_is(graph, state):
    told, links, observed = graph
    drawing = draw(told, links, depth=1, observed=observed)
    quiet = text(drawing, node=lambda _: Mark(" "))
    busy = text(drawing, node=lambda _: Mark("✓", "ok", "bold", "accent"), edge=lambda _: state)
    assert quiet == busy.replace("✓", " ")


# --- how often


def cells_at(place):
    return {(x, place.y) for x in range(place.x, place.x + place.width)}


def test_a_count_of_any_size_takes_four_cells_at_most():
    for power in range(8):
        for digit in (1, 9):
            assert cell_len(tally(digit * 10**power)) <= 4
    assert [tally(2), tally(1_234), tally(99_999), tally(100_000)] == ["×2", "×1k", "×99k", "×.1M"]


def test_a_loop_tells_how_often_each_of_its_edges_was_taken():
    taken = {("agent", "tools"): 3, ("tools", "agent"): 12, ("agent", END): 1}
    drawing = draw(*SHAPES["loop"])
    rows = text(drawing, times=lambda edge: taken.get(edge, 0)).splitlines()
    assert any("continue ×3" in row for row in rows)
    assert any("─×12─" in row for row in rows)
    assert not any("×1 " in row for row in rows)


@settings(max_examples=150, deadline=None)
@given(graphs(), st.sampled_from([0, 40, 80]))
def test_a_tally_has_its_place_for_itself_and_moves_nothing(graph, width):
    told, links, observed = graph
    drawing = draw(told, links, width=width, depth=1, observed=observed)
    if drawing is None:
        return
    found, lines, owners = places(drawing), drawing.cells, set()
    for box in drawing.boxes.values():
        owners |= cells_of(box.rect) if not box.open else cells_of(replace(box.rect, height=2))
        owners |= {cell for slot in box.slots for cell in cells_of(slot) if slot.width > 0}
    for x, y, label in drawing.labels.values():
        owners |= {(x + cell, y) for cell in range(cell_len(label))}
    for edge, place in found.items():
        assert not cells_at(place) & owners
        owners |= cells_at(place)
        assert all(lines[cell][1] == {edge} for cell in cells_at(place) & lines.keys())
    quiet, busy = text(drawing).splitlines(), text(drawing, times=lambda _: 345).splitlines()
    shown = {cell for place in found.values() for cell in cells_at(place)}
    for y, (before, after) in enumerate(zip(quiet, busy, strict=True)):
        if any(cell_len(char) != 1 for char in before):
            continue
        longest = max(len(before), len(after))
        for x, (one, other) in enumerate(zip(before.ljust(longest), after.ljust(longest), strict=True)):
            assert one == other or (x, y) in shown

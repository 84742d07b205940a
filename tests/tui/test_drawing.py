from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.tui.drawing import draw
from lgwatch.tui.picture import Mark, Picture
from lgwatch.tui.text import cell_len

START, END = "__start__", "__end__"


def nodes(*names, subgraphs=(), ends=True):
    told = [{"id": name, "name": name.rpartition(":")[2], "kind": kind_of(name)} for name in names]
    for node in told:
        if node["id"] in subgraphs:
            node |= {"kind": "subgraph", "subgraph": node["id"]}
    first, last = ({"id": START, "name": START, "kind": "start"}, {"id": END, "name": END, "kind": "end"})
    return [first, *told, last] if ends else told


def kind_of(name):
    return {START: "start", END: "end"}.get(name.rpartition(":")[2], "node")


def edges(*pairs, conditional=()):
    told = [{"source": pair[0], "target": pair[1], "conditional": False} for pair in pairs]
    for source, target, *label in conditional:
        told.append({"source": source, "target": target, "conditional": True, **({"label": label[0]} if label else {})})
    return told


def chain(*names):
    return edges(*pairwise(names))


def text(drawing, *, node=lambda _: Mark(), edge=lambda _: "", width=0):
    picture = Picture(drawing, node, edge)
    rows = [picture.row(index, width or drawing.width) for index in range(len(picture))]
    return "\n".join("".join(part for part, _ in row).rstrip() for row in rows)


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
    for cell, owner in owners.items():
        assert cell not in drawing.cells or owner == "label"
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


def leads(drawing, source, target):
    """Whether the edge's own cells lead from the one to the other; a step may pass over a line that is crossed."""
    path = set(drawing.path((source, target)))
    for edges_, (x, y, text_) in drawing.labels.items():
        path |= {(x + cell, y) for cell in range(cell_len(text_)) if (source, target) in edges_}
    labels = {(x + cell, y) for x, y, text in drawing.labels.values() for cell in range(cell_len(text))}
    start, end = around(drawing.boxes[source].rect), around(drawing.boxes[target].rect)
    reached = path & start
    fresh = list(reached)
    while fresh:
        x, y = fresh.pop()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            step = (x + dx, y + dy)
            while step not in path and (step in drawing.cells or step in labels):
                step = (step[0] + dx, step[1] + dy)
            if step in path and step not in reached:
                reached.add(step)
                fresh.append(step)
    return any(drawing.cells[cell][0] in "▼◂" for cell in reached & end & drawing.cells.keys())


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
    busy = text(drawing, node=lambda _: Mark("✓", "ok", "bold", "accent", (("1.24s", "time"),)), edge=lambda _: state)
    assert quiet == busy.replace("✓", " ").replace("1.24s", "     ") or len(quiet.split("\n")) == len(busy.split("\n"))

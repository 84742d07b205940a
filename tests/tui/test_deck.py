"""Columns of messages: who stands where, which are in the window, and what keys, mouse and search do there."""

from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from lgwatch.tui.lines.rows import Lines
from lgwatch.tui.lines.search import Search
from lgwatch.tui.messages.deck import MOST, NARROW, SHORT, Sought, shape, window
from lgwatch.tui.messages.flow import Level
from tests.factories import call, called, play, run, said, task, token
from tests.tui.stage import drawn, played, shown, text_of, until, write

SIZE = (120, 36)
NAMES = ["ann", "bob", "cid", "dan", "eve"]


def crowd(names=NAMES):
    """A node with each of these names, which has said twenty lines."""
    for number, name in enumerate(names):
        yield task(name, step=number)
        yield said("\n".join(f"{name} {line}" for line in range(20)), message=f"m{name}", node=name)


def fan(many):
    """Calls of one node that go on at once, none of them finished."""
    for number in range(many):
        yield task("draft", id=f"t{number}")
        yield call(number + 1, node="draft")
    for number in range(many):
        yield token(f"draft number {number}", number + 1, node="draft")


def deck_of(app):
    return app.pane("tokens").deck


def slots(app):
    """Heading and messages of each place that is in use."""
    found = []
    for slot in deck_of(app).slots:
        if slot.display:
            rows = (slot.view.render_line(y).text.strip() for y in range(slot.view.size.height))
            found.append(("".join(text for text, _ in slot.head._row).strip(), "\n".join(rows)))
    return found


def places(app):
    return [slot.region for slot in deck_of(app).slots if slot.display]


# ── where columns stand ──────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 400), st.integers(1, 120), st.integers(0, 200))
def test_columns_have_room_and_none_is_left_out_that_had_some(width, height, many):
    beside, below = shape(width, height, many)
    assert beside == 1 or beside * NARROW <= width
    assert below == 1 or below * SHORT <= height
    room = max(width // NARROW, 1) * max(height // SHORT, 1)
    assert min(many, room, MOST // beside * beside) <= beside * below <= MOST
    assert beside * (below - 1) < max(many, 1)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 12), st.integers(0, 29))
def test_the_window_shows_most_of_those_who_speak_and_moves_no_more_than_it_must(speaking, room, first):
    last = max(len(speaking) - room, 0)
    first = min(first, last)
    moved = window(speaking, room, first)
    heard = [sum(speaking[start : start + room]) for start in range(last + 1)]
    assert heard[moved] == max(heard)
    assert abs(moved - first) == min(abs(start - first) for start in range(last + 1) if heard[start] == max(heard))


def test_what_a_node_says_at_once_is_in_lanes_and_what_it_says_in_turn_is_in_one():
    session = play(
        task("a"), task("b", step=2), call(1, node="a"), call(2, node="a"), token("x", 1, node="a"), token("y", 2, node="a"),
        called(2), token("z", 1, node="a"), said("w", message="w", node="a"), called(1), said("v", message="v", node="a"),
    )  # fmt: skip
    assert [message.lane for message in session.message_list] == [0, 1, 1, 0]


async def test_calls_that_go_on_at_once_grow_side_by_side(tmp_path):
    app = played(tmp_path, run(), fan(3))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v")
        assert [head.lstrip("▸ ").split()[1] for head, _ in slots(app)] == ["draft"] * 3
        regions = places(app)
        assert len({region.y for region in regions}) == 1
        assert all(one.right <= other.x for one, other in pairwise(regions))
        for number in (2, 0, 1):
            write(app.source.path, token(f" grows {number}", number + 1, node="draft"), after=5 + number)
            await drawn(pilot)
            assert f"draft number {number} grows {number}▌" in slots(app)[number][1]


async def test_columns_for_which_there_is_no_room_beside_each_other_stand_below_each_other(tmp_path):
    app = played(tmp_path, run(), crowd(["ann", "bob"]))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v")
        assert len({region.x for region in places(app)}) == 2
        await pilot.resize_terminal(60, 36)
        await drawn(pilot)
        assert len({region.x for region in places(app)}) == 1
        assert ["ann 19" in slots(app)[0][1], "bob 19" in slots(app)[1][1]] == [True, True]


async def test_a_column_comes_with_the_first_words_of_a_node_and_goes_with_the_filter(tmp_path):
    app = played(tmp_path, run(), crowd(["ann", "bob"]))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v")
        assert len(slots(app)) == 2
        write(app.source.path, task("cid"), said("Hello.", message="c", node="cid"), after=9)
        await drawn(pilot)
        assert len(slots(app)) == 3
        await shown(pilot, "f", "'!node:bob", "enter")
        assert [head.lstrip("▸ ").split()[1] for head, _ in slots(app)] == ["ann", "cid"]
        await shown(pilot, "f", "escape")
        assert len(slots(app)) == 3


# ── keys and mouse ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_left_and_right_go_to_the_other_columns_and_keys_mean_the_one_that_is_lit(tmp_path):
    app = played(tmp_path, run(), crowd())
    async with app.run_test(size=(80, 16)) as pilot:  # room for four of them
        await shown(pilot, "2", "v")
        await shown(pilot, *["right"] * 4, "y")
        assert app.clipboard.startswith("eve 0\n")
        assert any("eve" in head for head, _ in slots(app))
        await shown(pilot, "left", "s")
        assert app.keep.source == "path=dan"
        await shown(pilot, "X", "x")
        assert app.keep.source == "!path=dan"


async def test_each_column_scrolls_by_itself_and_tells_what_came_below(tmp_path):
    app = played(tmp_path, run(), crowd(["ann", "bob"]))
    async with app.run_test(size=(120, 20)) as pilot:
        await shown(pilot, "2", "v", "home")
        assert "ann 0" in slots(app)[0][1]
        assert "bob 19" in slots(app)[1][1]
        write(app.source.path, said("more", message="more", node="ann"), after=9)
        await drawn(pilot)
        assert "3 new" in slots(app)[0][1]
        assert "new" not in slots(app)[1][1]
        await shown(pilot, "F")
        assert slots(app)[0][1].endswith("more")


async def test_a_click_chooses_a_column_and_a_key_goes_on_from_there(tmp_path):
    app = played(tmp_path, run(), crowd(["ann", "bob", "cid"]))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v")
        await pilot.click(deck_of(app).slots[2], offset=(5, 3))
        await shown(pilot, "y")
        assert app.clipboard.startswith("cid 0")
        await shown(pilot, "left", "y")
        assert app.clipboard.startswith("bob 0")
        await shown(pilot, "1", "tab")
        assert app.focused is not None
        assert app.focused.id is None or app.focused not in [slot.view for slot in deck_of(app).slots]


async def test_a_search_goes_through_all_columns_and_brings_the_one_with_the_text(tmp_path):
    app = played(tmp_path, run(), crowd())
    async with app.run_test(size=(80, 20)) as pilot:
        await shown(pilot, "2", "v", "slash", "'dan 7", "enter")
        view = deck_of(app).active
        await until(pilot, lambda: deck_of(app).active.found == "1/1")
        assert deck_of(app).active is not view or "dan 7" in text_of(app)
        assert any("dan" in head and "dan 7" in rows for head, rows in slots(app))
        await shown(pilot, "slash", "'e 1", "enter")
        await until(pilot, lambda: deck_of(app).active.found.endswith("/11"))
        await shown(pilot, "escape", "escape")  # the zoom, then the search
        assert not any(slot.view.found for slot in deck_of(app).slots)


def sought(*texts):
    """What a search looks through: a column of lines for each of the texts."""
    return Sought([SimpleNamespace(rows=Lines([[(line, "")] for line in text.split()])) for text in texts])


def test_a_row_that_a_filter_has_taken_away_is_the_last_one_that_is_left():
    assert sought("a b", "c", "").place(2) == (1, 0)
    assert sought("a b", "c", "").place(9) == (1, 0)
    assert sought("a b").find("b", 7, -1, 8, 80) == 1


def test_a_search_goes_on_where_rows_become_fewer_while_it_looks(monkeypatch):
    rows = sought("a b", "c d")
    find = rows.find

    def fewer(*asked):
        rows.columns[1:] = []
        return find(*asked)

    monkeypatch.setattr(rows, "find", fewer)
    monkeypatch.setattr(rows, "slice", 1)
    search = Search("nothing")
    search.begin(rows, 0, 1)
    assert search.go_on(rows, 80) is None
    assert search.status == "no match"


async def test_what_is_selected_elsewhere_is_brought_into_the_window_and_lit(tmp_path):
    app = played(tmp_path, run(), crowd())
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "v")
        room = len(slots(app))
        assert room < 5
        found = []
        for name in ("eve", "ann"):
            deck_of(app).point_at(app.session.messages[f"m{name}"])
            await drawn(pilot)
            found.append((deck_of(app).active.current.key, any(name in head for head, _ in slots(app))))
        assert found == [("meve", True), ("mann", True)]


async def test_levels_and_folds_hold_for_columns_too(tmp_path):
    app = played(tmp_path, run(), crowd(["ann", "bob"]))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "2", "v", "less_than_sign", "less_than_sign")
        assert [column.rows.level for column in app.pane("tokens").blocks.columns.values()] == [Level.HEADER] * 2
        assert not any("ann 0" in rows or "bob 0" in rows for _, rows in slots(app))
        await shown(pilot, "enter")
        assert ["ann 0" in slots(app)[0][1], "bob 0" in slots(app)[1][1]] == [True, False]

"""How much of a block is shown: levels, folding, pictures, and the search that finds what is not shown."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.tui.messages.block import START
from lgwatch.tui.messages.flow import CARET, Level, Wrapped

WIDTH = 20


def titled(title: str):
    return lambda width: [(title, "title")]


def shown(rows: Wrapped, width: int = WIDTH) -> list[str]:
    while rows.resize(width):
        pass
    return ["".join(text for text, _ in rows.row(index, width)) for index in range(len(rows))]


def story(*, going: bool = False) -> Wrapped:
    """Three blocks, the second with a long thought before its text."""
    rows = Wrapped()
    rows.append(rows.add("a", titled("A")), "one\ntwo")
    block = rows.add("b", titled("B"))
    rows.append(block, "hm 1\nhm 2\nhm 3", "reasoning", detail=True)
    rows.append(block, "text 1\ntext 2\ntext 3\ntext 4\ntext 5")
    rows.append(rows.add("c", titled("C")), "end")
    rows.mark(block, open=going)
    return rows


def of(rows: Wrapped, key: str):
    return next(block for block in rows.blocks if block.key == key)


def test_by_default_all_but_details_is_shown_and_of_these_the_first_row() -> None:
    assert shown(story()) == [
        "A", "one", "two", "", "B", "hm 1 …", "text 1", "text 2", "text 3", "text 4", "text 5", "", "C", "end",
    ]  # fmt: skip


def test_each_level_shows_more() -> None:
    rows = story()
    rows.show_level(Level.HEADER)
    assert shown(rows) == ["A", "", "B", "", "C"]
    rows.show_level(rows.level + 1)
    assert shown(rows) == ["A", "one", "two", "", "B", "hm 1 …", "text 1", "text 2", "⋯ 3 more", "", "C", "end"]
    rows.show_level(Level.ALL)
    assert shown(rows)[4:9] == ["B", "hm 1", "hm 2", "hm 3", "text 1"]


def test_levels_end_at_the_first_and_the_last() -> None:
    rows = story()
    assert rows.show_level(7) is Level.ALL
    assert rows.show_level(-1) is Level.HEADER


def test_a_beginning_that_is_all_but_one_row_is_shown_whole() -> None:
    rows = Wrapped()
    rows.append(rows.add("a"), "\n".join("1234"))
    rows.show_level(Level.START)
    assert shown(rows) == list("1234")


def test_the_beginning_of_what_is_being_said_has_the_caret_at_the_line_that_counts() -> None:
    rows = story(going=True)
    rows.show_level(Level.START)
    key = rows.key(8)
    assert shown(rows)[8] == "⋯ 3 more" + CARET
    rows.append(of(rows, "b"), "\nand more")
    assert shown(rows)[8] == "⋯ 4 more" + CARET
    assert rows.key(8) != key


def test_one_block_is_folded_and_unfolded_by_itself() -> None:
    rows = story()
    rows.toggle(of(rows, "b"))
    assert shown(rows)[:6] == ["A", "one", "two", "", "B", ""]
    rows.toggle(of(rows, "b"))
    assert shown(rows) == shown(story())
    rows.show_level(Level.START)
    rows.toggle(of(rows, "b"))
    assert shown(rows) == shown(story())


def test_a_level_is_for_all_blocks_whatever_was_folded_and_for_those_to_come() -> None:
    rows = story()
    rows.toggle(of(rows, "a"))
    rows.show_level(Level.BODY)
    assert shown(rows) == shown(story())
    rows.show_level(Level.HEADER)
    rows.append(rows.add("d", titled("D")), "more")
    assert shown(rows)[-1] == "D"


def test_a_reader_stays_at_the_text_when_the_level_changes() -> None:
    rows = story()
    before = shown(rows)
    for level in (Level.ALL, Level.START, Level.HEADER):
        rows.show_level(Level.BODY)
        keys = [rows.key(index) for index in range(len(rows))]
        rows.show_level(level)
        after = shown(rows)
        places = [rows.index_of(key) for key in keys]
        assert places == sorted(places)
        if level is Level.ALL:
            assert [after[place] for place in places] == [line.removesuffix(" …") for line in before]


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def loud(text: str):
    return lambda width, details: [[(line.upper(), "bold")] for line in text.split("\n")]


def test_a_picture_stands_for_the_body_until_it_is_taken_away() -> None:
    rows = story()
    rows.depict(of(rows, "a"), loud("one\nand a\nhalf"))
    assert shown(rows)[:5] == ["A", "ONE", "AND A", "HALF", ""]
    assert rows.row(1, WIDTH) == [("ONE", "bold")]
    rows.depict(of(rows, "a"), None)
    assert shown(rows) == shown(story())


def test_a_picture_is_folded_like_a_body() -> None:
    rows = story()
    rows.depict(of(rows, "a"), loud("\n".join("abcdef")))
    rows.show_level(Level.START)
    assert shown(rows)[:6] == ["A", "A", "B", "C", "⋯ 3 more", ""]
    rows.show_level(Level.HEADER)
    assert shown(rows)[:2] == ["A", ""]


def test_a_picture_is_drawn_for_the_width_and_told_whether_details_are_wanted() -> None:
    rows, asked = story(), []
    rows.depict(of(rows, "a"), lambda width, details: asked.append((width, details)) or [[("x", "")]])
    shown(rows, 20)
    shown(rows, 30)
    rows.show_level(Level.ALL)
    shown(rows, 30)
    shown(rows, 30)
    assert asked == [(20, False), (30, False), (30, True)]


def test_only_pictures_near_the_reader_are_drawn_and_few_are_kept() -> None:
    rows, drawn = Wrapped(), []
    for number in range(3000):
        block = rows.add(number, titled(str(number)))
        rows.append(block, "text\n" * 5)
        rows.depict(block, lambda width, details, number=number: drawn.append(number) or [[("picture", "")]] * 5)
    while rows.resize(WIDTH):
        pass
    len(rows)
    assert 0 < len(drawn) < 100
    assert min(drawn) > 2800
    for index in range(0, len(rows), 7):
        rows.row(index, WIDTH)
    assert sum(block.drawn is not None for block in rows.blocks) < 100


def test_a_reader_stays_about_where_a_picture_takes_the_place_of_the_text() -> None:
    rows = Wrapped()
    for name in "abc":
        rows.append(rows.add(name, titled(name)), "\n".join(f"{name}{number}" for number in range(100)))
    key = rows.key(shown(rows).index("b50"))
    rows.depict(of(rows, "b"), loud("\n".join(f"b{number // 2}" for number in range(200))))
    lines = shown(rows)
    assert lines[rows.index_of(key)] in ("B48", "B49", "B50", "B51", "B52")
    key = rows.key(lines.index("B20"))
    shown(rows, 40)
    assert shown(rows)[rows.index_of(key)] == "B20"


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def hits(rows: Wrapped, text: str, step: int = 1) -> list[int]:
    found, start = [], 0 if step > 0 else len(rows) - 1
    while 0 <= start < len(rows) and (at := rows.find(text, start, step, len(rows), WIDTH)) is not None:
        found.append(at)
        start = at + step
    return found


@pytest.mark.parametrize("step", [1, -1])
def test_text_that_is_not_shown_is_found_where_something_stands_for_it(step: int) -> None:
    rows = story()
    rows.show_level(Level.HEADER)
    lines = shown(rows)
    assert hits(rows, "text 4", step) == [lines.index("B")]
    assert hits(rows, "end", step) == [lines.index("C")]
    rows.show_level(Level.START)
    lines = shown(rows)
    assert hits(rows, "text 4", step) == [lines.index("⋯ 3 more")]
    assert hits(rows, "hm 3", step) == [lines.index("hm 1 …")]
    assert hits(rows, "text", step) == [6, 7, 8][::step]


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("text", ["text 1", "text 4", "hm 1", "hm 3", "end", "two", "TEXT 4"])
def test_what_was_found_is_uncovered(level: Level, text: str) -> None:
    rows = story()
    rows.show_level(level)
    found = rows.find(text, 0, 1, len(rows), WIDTH)
    if text == "TEXT 4":
        assert found is None
        return
    at = rows.uncover(found, text)
    assert text in shown(rows)[at]


def test_a_match_that_is_seen_uncovers_nothing() -> None:
    rows = story()
    before = shown(rows)
    for text in ("B", "hm 1", "text 2"):
        index = rows.find(text, 0, 1, len(rows), WIDTH)
        assert rows.uncover(index, text) == index
    assert shown(rows) == before


def test_a_picture_is_searched_as_it_is_seen() -> None:
    rows = Wrapped()
    block = rows.add("a", titled("A"))
    rows.append(block, "some **bold** word")
    rows.depict(block, lambda width, details: [[("some ", ""), ("bold", "bold"), (" word", "")]])
    assert hits(rows, "bold word") == [1]
    assert hits(rows, "**bold") == []
    rows.show_level(Level.HEADER)
    assert hits(rows, "bold word") == [0]
    at = rows.uncover(0, "bold word")
    assert shown(rows)[at] == "some bold word"


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS = st.lists(
    st.tuples(st.sampled_from(["aa bb ", "x" * 25, "one\ntwo\n\n", "Aa\n", "你好 "]), st.integers(0, 2), st.booleans()),
    min_size=1, max_size=12,
)  # fmt: skip


def filled(blocks: list[list[tuple[str, int, bool]]], levels: list[int]) -> Wrapped:
    rows = Wrapped()
    for number, parts in enumerate(blocks):
        block = rows.add(number, titled(f"Title {number}") if number % 3 else None)
        for text, part, detail in parts:
            rows.append(block, text * (part + 1), "reasoning" if detail else "", part, detail=detail)
        rows.unfold(block, Level(max(levels[number % len(levels)], block.header is None)))
    return rows


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=5), st.lists(st.integers(0, 3), min_size=1, max_size=5), st.integers(5, 30))
def test_lines_show_the_rows_of_the_body_in_order_and_count_the_others(
    blocks: list[list[tuple[str, int, bool]]], levels: list[int], width: int
) -> None:
    rows = filled(blocks, levels)
    shown(rows, width)
    for block in rows.blocks:
        total, lines = block.rows(width), block.lines(width)
        told = [block.row_of(line, width) for line in range(lines)]
        seen = [row for row, _ in told if row >= 0]
        assert seen == sorted(set(seen))
        assert all(block.shows(row, width) for row in seen)
        assert len(seen) + sum(hidden for _, hidden in told) == (total if block.level else 0)
        assert len(seen) == lines - (told[-1][0] < 0 if told else 0)
        if block.level is Level.ALL:
            assert seen == list(range(total))
        if block.level is Level.START:
            assert lines <= START + 1
        for row in range(total):
            line = block.line_of(row, width)
            assert line == (seen.index(row) if row in seen else line)
            assert -1 <= line < max(lines, 1)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(PARTS, min_size=1, max_size=4), st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.sampled_from(["aa", "two", "好", "title 2", "x", "nothing"]), st.sampled_from([1, -1]),
)  # fmt: skip
def test_searching_finds_each_line_with_the_text_and_what_stands_for_it_once(
    blocks: list[list[tuple[str, int, bool]]], levels: list[int], text: str, step: int
) -> None:
    rows = filled(blocks, levels)
    lines = shown(rows)
    found = hits(rows, text, step)
    assert found == sorted(set(found), reverse=step < 0)
    assert {index for index, line in enumerate(lines) if text in line.lower()} <= set(found)
    everything = filled(blocks, [Level.ALL])
    assert bool(found) == any(text in line.lower() for line in shown(everything))
    random.seed(1)
    for index in random.sample(found, min(len(found), 3)):
        fresh = filled(blocks, levels)
        shown(fresh)
        at = fresh.uncover(index, text)
        assert text in shown(fresh)[at].lower()

from lgwatch.tui.lines.rows import Lines, overlay, shifted
from lgwatch.tui.lines.search import Search
from lgwatch.tui.lines.viewport import Viewport


def texts(rows):
    return ["".join(text for text, _ in rows.row(index, 80)) for index in range(len(rows))]


def numbered(count):
    return [[(str(number), "")] for number in range(count)]


def test_a_log_keeps_its_latest_rows_and_says_what_went():
    rows = Lines(limit=8)
    for row in numbered(9):
        rows.append(row)
    assert texts(rows)[0] == "… 4 earlier rows are not kept here; the journal has them"
    assert texts(rows)[1:] == ["4", "5", "6", "7", "8"]
    rows.extend(numbered(3))
    assert texts(rows)[0].startswith("… 7 earlier")


def test_rows_are_found_again_after_older_ones_went():
    rows = Lines(numbered(8), limit=8)
    key = rows.key(6)
    rows.append([("8", "")])
    assert texts(rows)[rows.index_of(key)] == "6"
    assert rows.index_of(0) == 0
    rows.clear()
    assert rows.index_of(key) is None


def test_a_first_row_that_says_what_went_is_drawn_again_when_it_changes():
    rows = Lines(numbered(9), limit=8)
    before = rows.key(0)
    rows.extend(numbered(4))
    assert rows.key(0) != before


def test_finding_looks_at_as_many_rows_as_it_may():
    rows = Lines(numbered(30))
    assert rows.find("7", 0, 1, 7, 80) is None
    assert rows.find("7", 0, 1, 8, 80) == 7
    assert rows.find("7", 26, -1, 30, 80) == 17


def test_an_overlay_cuts_spans_where_it_begins_and_ends():
    row = [("abc", "ok"), ("def", "")]
    assert overlay(row, [(2, 4)], "match") == [("ab", "ok"), ("c", "ok match"), ("d", " match"), ("ef", "")]
    assert overlay(row, [], "match") is row


def test_a_shift_takes_cells_from_the_left():
    assert shifted([("ab", "ok"), ("cdef", "")], 3) == [("def", "")]
    assert shifted([("你好", ""), ("x", "ok")], 2) == [("好", ""), ("x", "ok")]
    assert shifted([("ab", "")], 8) == []


def test_a_reader_at_the_end_sees_new_rows_and_one_who_left_it_is_told_how_many_came():
    rows = Lines(numbered(20))
    port = Viewport(rows, tail=True, cursor_row=False)
    port.settle(20, 5)
    assert (port.top, port.new) == (15, 0)
    port.scroll(10)
    rows.extend(numbered(4))
    port.settle(24, 5)
    assert (port.top, port.following, port.new) == (10, False, 4)
    port.scroll(99)
    assert (port.top, port.following, port.new) == (19, True, 0)


def test_rows_that_a_filter_or_a_fold_brings_back_are_no_news():
    rows = Lines(numbered(20))
    port = Viewport(rows, tail=True, cursor_row=False)
    port.settle(20, 5)
    port.scroll(10)
    port.growing = False
    rows.clear()
    port.settle(0, 5)
    rows.extend(numbered(30))
    port.settle(30, 5)
    assert (port.following, port.new) == (False, 0)
    port.growing = True
    rows.extend(numbered(3))
    port.settle(33, 5)
    assert port.new == 3


def test_what_is_selected_stays_in_view_where_there_is_less_room():
    port = Viewport(Lines(numbered(20)), tail=True, cursor_row=True)
    port.settle(20, 12)
    port.reveal(10)
    port.settle(20, 12)
    port.settle(20, 3)
    assert port.top <= port.cursor == 10 < port.top + 3
    port.settle(20, 12)
    assert port.top <= 10 < port.top + 12
    port.settle(20, 4)
    port.scroll(0)  # who scrolled away from it, does not want it
    port.settle(20, 3)
    assert port.top == 0


def test_the_thumb_stays_inside_and_touches_both_ends():
    rows = Lines(numbered(1000))
    port = Viewport(rows, tail=False, cursor_row=False)
    port.settle(1000, 10)
    assert port.thumb(1000) == range(1)
    port.scroll(1000)
    assert port.thumb(1000) == range(9, 10)
    port.settle(8, 10)
    assert port.thumb(8) == range(0)


def through(search, rows):
    """Go on with a search to its end; return the rows that it found."""
    found = []
    while search.going:
        if (index := search.go_on(rows, 80)) is not None:
            found.append(index)
            search.arrived(index)
    return found


def test_a_search_counts_what_it_found_a_slice_at_a_time(monkeypatch):
    monkeypatch.setattr("lgwatch.tui.lines.search.PATIENCE", 0.0)
    rows = Lines(numbered(500))
    rows.slice = 10
    search = Search("7")
    search.begin(rows, 100, 1)
    assert through(search, rows) == [107]
    assert search.status == f"20/{sum('7' in str(number) for number in range(500))}"
    search.begin(rows, 106, -1)
    assert through(search, rows) == [97]
    assert search.status.startswith("19/")


def test_a_search_with_very_many_matches_counts_some_of_them(monkeypatch):
    monkeypatch.setattr("lgwatch.tui.lines.search.COUNTED", 50)
    rows = Lines(numbered(500))
    search = Search("1")
    search.begin(rows, 0, 1)
    assert (through(search, rows), search.status) == ([1], "1/50+")
    search.begin(rows, 400, 1)
    assert (through(search, rows), search.status) == ([401], "found")
    search = Search("x")
    search.begin(rows, 0, 1)
    assert (through(search, rows), search.status) == ([], "no match")

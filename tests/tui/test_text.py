import random
import unicodedata
from array import array

import pytest
from rich.segment import Segment
from textual.color import Color

from lgwatch.tui.lines.text import SafetyNet, cell_len, clean, crop, row_starts, wrap

HOSTILE = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
HOSTILE += ["\u2028", "\u2029", "\ud800", "\udfff", "\u200b", "\u200e", "\ufeff", "\U000e0041", "\u3164", "\uffff"]


@pytest.mark.parametrize("char", HOSTILE, ids=lambda char: f"U+{ord(char):04X}")
def test_no_control_character_passes(char):
    cleaned = clean(f"a{char}b")
    assert char not in cleaned
    assert cleaned.isprintable()
    assert cleaned[0] == "a"
    assert cleaned[-1] == "b"
    assert len(cleaned) > 2
    cleaned.encode()


def test_control_characters_have_pictures():
    assert clean("\x1b]52;c;\x07") == "␛]52;c;␇"
    assert clean("\x7f\x00") == "␡␀"
    assert clean("\u202eevil\x9b") == "⟨U+202E⟩evil⟨U+009B⟩"
    assert clean("\ud83d") == "\N{REPLACEMENT CHARACTER}"


def test_newlines_stay_only_when_wanted():
    assert clean("a\r\nb\rc\n", newlines=True) == "a\nb␍c\n"
    assert clean("a\nb") == "a␊b"
    assert clean("one\ntwo", newlines=True) == "one\ntwo"


def test_tabs_go_to_the_next_stop():
    assert clean("a\tb") == "a   b"
    assert clean("x\na\tb", newlines=True) == "x\na   b"


def test_joiners_variation_selectors_and_colours_of_skin_leave_plain_characters():
    assert clean("❤\ufe0f") == "❤"
    assert clean("👍\U0001f3fd!") == "👍!"
    assert cell_len(clean("👩\u200d🚀")) == 4


def test_ordinary_writing_is_untouched():
    for text in ("", "plain", "naïve 你好 — “ok”", "עברית", "e\u0301", "🙂"):
        assert clean(text) is text


def test_a_crop_never_takes_more_cells_than_it_has():
    for text in ("hello", "你好吗", "a你b好", "e\u0301e\u0301e\u0301"):
        for cells in range(8):
            assert cell_len(crop(text, cells)) <= cells
            assert cell_len(crop(text, cells, "…")) <= cells
    assert crop("hello", 4, "…") == "hel…"
    assert crop("hello", 5, "…") == "hello"
    assert crop("你好", 3) == "你"


def rows(text, width):
    return [text[start:end] for start, end in wrap(text, width)]


def test_words_are_kept_whole_where_they_fit():
    assert rows("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert rows("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert rows("a\n\nb", 5) == ["a", "", "b"]
    assert rows("", 5) == [""]
    assert rows("    indented_word_that_is_long", 10)[0] == "    indent"


def test_wide_characters_wrap_by_cells():
    assert rows("你好吗朋友", 4) == ["你好", "吗朋", "友"]
    assert rows("ab 你好", 4) == ["ab", "你好"]
    assert rows("你", 1) == ["你"]


ALPHABET = ["a", "bc", " ", "  ", "\n", "word", "你好", "é", "e\u0301", "🙂", "x" * 15]


@pytest.mark.parametrize("width", [1, 2, 5, 13, 40])
def test_rows_fit_and_lose_nothing_but_spaces_and_newlines(width):
    random.seed(width)
    for _ in range(100):
        text = "".join(random.choices(ALPHABET, k=40))
        pieces = rows(text, width)
        assert "".join("".join(pieces).split()) == "".join(text.split())
        assert all(cell_len(piece) <= max(width, 2) for piece in pieces)


@pytest.mark.parametrize("width", [1, 4, 11, 30])
def test_appended_text_moves_no_break_that_was_made(width):
    random.seed(width)
    for _ in range(50):
        whole, starts = "", array("L", [0])
        for piece in random.choices(ALPHABET, k=60):
            whole += piece
            row_starts(whole, width, starts[-1], starts)
        fresh = array("L", [0])
        row_starts(whole, width, 0, fresh)
        assert starts == fresh


def test_a_pile_of_combining_marks_is_not_one_endless_row():
    assert len(rows("e" + "\u0301" * 10_000, 10)) > 50


def test_the_net_stops_what_was_not_cleaned():
    black = Color(0, 0, 0)
    segments = SafetyNet().apply([Segment("a\x1b]52;c;x\x07b\x9b\u202e"), Segment("ok")], black)
    assert "".join(segment.text for segment in segments) == "a]52;c;xbok"
    assert all(unicodedata.category(char)[0] != "C" for segment in segments for char in segment.text)


def test_the_net_lets_harmless_lines_and_control_segments_through():
    black = Color(0, 0, 0)
    harmless = [Segment("plain 你好")]
    assert SafetyNet().apply(harmless, black) is harmless
    control = Segment("\x1b[?25l", None, [(1,)])
    assert SafetyNet().apply([control, Segment("\x07")], black)[0] is control

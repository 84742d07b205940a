"""Markdown as rows: what it looks like, that it fits, and that no text can break it."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgwatch.text import HAZARD
from lgwatch.tui.lines.look import COLOURS
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.text import cell_len
from lgwatch.tui.messages.markdown import DENSE, LONG, markdown, plain

ATTRIBUTES = {"bold", "italic", "underline", "strike"}


def lines(text: str, width: int = 40) -> list[str]:
    return ["".join(span for span, _ in row) for row in markdown(dedent(text).strip("\n"), width)]


def styles(text: str, width: int = 40) -> dict[str, str]:
    return {span: style for row in markdown(dedent(text).strip("\n"), width) for span, style in row}


def test_paragraphs_wrap_and_stand_apart() -> None:
    assert lines("the quick brown fox\n\njumps", 12) == ["the quick", "brown fox", "", "jumps"]


def test_a_newline_stays_one() -> None:
    assert lines("Roses are red\nViolets are blue") == ["Roses are red", "Violets are blue"]


def test_emphasis_is_style_and_no_sign() -> None:
    text = "a **b** *c* ***d*** ~~e~~ `f*` \\*g\\*"
    assert lines(text) == ["a b c d e f* *g*"]
    found = styles(text)
    assert (found["b"], found["c"], set(found["d"].split())) == ("bold", "italic", {"bold", "italic"})
    assert (found["e"], found["f*"]) == ("strike", "accent")


def test_headings_are_bold_without_their_signs() -> None:
    assert lines("# One\ntext\n## Two") == ["One", "", "text", "", "Two"]
    found = styles("# One\n#### Four\n\nplain")
    assert "bold" in found["One"]
    assert found["Four"] == "bold"
    assert found["plain"] == ""


def test_lists_hang_and_nest() -> None:
    text = """
        - one that is long
        - two
          1. first
          2. second
        - three

        after
    """
    assert lines(text, 12) == [
        "• one that", "  is long", "• two", "  1. first", "  2. second", "• three", "", "after",
    ]  # fmt: skip


def test_a_list_with_room_between_its_items_keeps_it() -> None:
    assert lines("1. a\n\n2. b\n\n   c") == ["1. a", "", "2. b", "", "   c"]


def test_numbers_go_on_from_the_first() -> None:
    assert lines("9. a\n9. b") == ["9. a", "10. b"]


def test_an_empty_item_is_a_row() -> None:
    assert lines("- \n- b") == ["• ", "• b"]


def test_quotes_have_a_bar() -> None:
    assert lines("> one\n> two\n>\n> three\n\nfour") == ["▎ one", "▎ two", "▎ ", "▎ three", "", "four"]


def test_code_has_a_gutter_and_keeps_its_spaces() -> None:
    text = """
        see
        ```
        if x:
            **y**
        ```
        end
    """
    assert lines(text) == ["see", "", "│ if x:", "│     **y**", "", "end"]


def test_code_of_a_known_language_has_colours() -> None:
    found = styles('```python\ndef f():\n    return "x"  # why\n```')
    assert found["def"] == "accent"
    assert found["# why"] == "faint"


def test_code_of_an_unknown_language_is_plain() -> None:
    assert lines("```wat\nx y\n```") == ["│ wat", "│ x y"]


def test_a_long_line_of_code_goes_on_in_the_next_row() -> None:
    assert lines("```\nabcdefghij\n```", 8) == ["│ abcdef", "│ ghij"]


def test_a_table_has_columns() -> None:
    text = """
        | name | n |
        |:-----|--:|
        | 你好 | 1 |
        | *b*  | 22 |
    """
    assert lines(text) == ["name │  n", "─────┼───", "你好 │  1", "b    │ 22"]


def test_a_table_that_is_too_wide_wraps_in_its_cells() -> None:
    text = "|a|b|\n|-|-|\n|the quick brown fox|x|"
    assert lines(text, 14) == ["a          │ b", "───────────┼──", "the quick  │ x", "brown fox  │  "]


def test_a_table_without_room_for_columns_is_read_line_by_line() -> None:
    text = "|aaa|bbb|ccc|ddd|\n|-|-|-|-|\n|1|2|3|4|"
    assert lines(text, 20) == ["aaa │ bbb │ ccc │", "ddd", "1 │ 2 │ 3 │ 4"]


def test_a_link_shows_where_it_goes() -> None:
    assert lines("[docs](https://x.y) <https://z.w>") == ["docs (https://x.y) https://z.w"]
    assert lines("![a cat](cat.png)") == ["🖼 a cat (cat.png)"]


def test_html_is_shown_and_not_obeyed() -> None:
    assert lines("a <b>c</b>\n\n<div>d</div>") == ["a <b>c</b>", "", "<div>d</div>"]


def test_control_characters_are_visible_also_where_an_entity_hides_them() -> None:
    assert lines("a\x1b[31mb &#27;[0m `\x07` [x](\x9b)") != []
    text = "".join(lines("a\x1b[31mb `\x07` &#x202e;"))
    assert "␛[31m" in text
    assert "␇" in text
    assert not HAZARD.search(text)


def test_markup_of_other_tools_is_text() -> None:
    assert lines("[bold]x[/bold] [link=y]") == ["[bold]x[/bold] [link=y]"]


def test_text_that_is_too_long_is_plain() -> None:
    text = "**b** " * (LONG // 6 + 1)
    assert markdown(text, 40) == plain(text, 40)
    assert markdown("**x**\n" * 4001, 40) == plain("**x**\n" * 4001, 40)


@pytest.mark.parametrize("sign", ["[", "![", "*a_", "~~a", "[a]("])
def test_a_paragraph_of_nothing_but_signs_is_plain(sign: str) -> None:
    text = sign * (DENSE + 1)
    assert "".join(lines(text)).replace(" ", "") == text


MARKS = st.sampled_from(
    ["#", "# ", "- ", "1. ", "> ", "```", "```py\n", "\n", "\n\n", "  ", "    ", "|", "|-|-|\n", "*", "**", "_", "`", "[",
     "](", ")", "![", "<", ">", "\\", "~~", "---\n", "&#27;", "\t", "\x1b[2J", "你好", "e\u0301\u0301", "👩‍👩‍👧", "\u202e", "\x00",
     "\r\n", "=\n", "word ", "http://x.y", "\ud800", "a" * 30]
)  # fmt: skip
TEXTS = st.one_of(st.lists(MARKS, max_size=40).map("".join), st.text(max_size=200))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(1, 60))
@example("> " * 60 + "x", 3)
@example("- " * 60 + "x", 5)
@example("|a" * 60 + "\n" + "|-" * 60 + "\n" + "|b" * 60, 7)
@example("1234567. x", 4)
def test_any_text_makes_rows_that_fit_and_harm_nobody(text: str, width: int) -> None:
    for row in markdown(text, width):
        shown = "".join(span for span, _ in row)
        # A character of two cells does not fit in one, wherever it is put.
        assert sum(cell_len(span) for span, _ in row) <= max(width, 2)
        assert not HAZARD.search(shown)
        assert set(" ".join(style for _, style in row).split()) <= ATTRIBUTES | COLOURS.keys()


def letters(rows: list[Row]) -> str:
    return "".join(char for row in rows for span, _ in row for char in span if char.isalnum())


@given(st.lists(st.sampled_from(["word ", "- ", "> ", "\n", "\n\n", "## ", "*", "`", "1. ", "    "]), max_size=30))
def test_no_word_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    assert letters(markdown(text, 30)).count("word") == text.count("word")

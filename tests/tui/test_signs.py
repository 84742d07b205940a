import subprocess
import sys

import pytest

from lgwatch.tui.lines.signs import amount, cells, clock, count, fit, glyph, node_style, seconds, size


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0ms"), (0.0834, "83ms"), (0.0996, "0.10s"), (1.239, "1.24s"), (9.996, "10.0s"), (42.06, "42.1s"),
     (99.96, "1m40s"), (187, "3m07s"), (7500, "2h05m")],
)  # fmt: skip
def test_a_duration_has_three_digits_or_two_units(value, text):
    assert seconds(value) == text


def test_a_clock_does_not_jump_in_width():
    assert [clock(value) for value in (0, 12.44, 59.99, 61.05, 3599.9)] == [
        "00:00.0", "00:12.4", "00:59.9", "01:01.0", "59:59.9",
    ]  # fmt: skip


def test_amounts_are_grouped_and_counted_things_have_their_plural():
    assert amount(1234567) == "1 234 567"
    assert (count(0, "task"), count(1, "task"), count(1200, "task")) == ("", "1 task", "1 200 tasks")
    assert [size(value) for value in (12, 4100, 120_000, 5_000_000, 2e9)] == [
        "12 B",
        "4.1 kB",
        "120 kB",
        "5.0 MB",
        "2.0 GB",
    ]


def test_a_state_has_a_sign_and_a_style_and_what_is_unknown_too():
    assert glyph("done") == ("✓", "ok")
    assert glyph("failed") == ("✗", "error")
    assert glyph("nonsense") == ("?", "dim")


def test_a_running_sign_turns_with_the_time_and_with_nothing_else():
    assert glyph("running", 0.0) == glyph("running", 0.05) != glyph("running", 0.15)
    assert glyph("done", 0.0) == glyph("done", 0.15)


def test_a_nodes_colour_is_the_same_in_every_process():
    code = "from lgwatch.tui.lines.signs import node_style; print(node_style('research/web'))"
    seen = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
                       cwd=".").stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert seen == {node_style("research/web")}


def test_ascii_mode_has_ascii_signs_only():
    code = (
        "from lgwatch.tui.lines import signs; from lgwatch.tui.timeline import pane as timeline; from lgwatch.tui.lines.text import plain\n"
        "text = ''.join(signs.glyph(state)[0] for state in signs._STATES) + ''.join(t for t, _ in timeline.LEGEND)\n"
        "assert (text + plain('╭├╰│─…×←↑↓●▸▾▌⚙∴↻■')).isascii(), text"
    )
    subprocess.run([sys.executable, "-c", code], env={"LGWATCH_ASCII": "1"}, check=True)


def test_a_row_is_cut_at_the_left_part_and_keeps_the_right_one():
    row = fit([("a long name", "x"), (" more", "y")], [("1.2s", "time")], 14)
    assert "".join(text for text, _ in row) == "a long n… 1.2s"
    assert cells(row) == 14
    assert "".join(text for text, _ in fit([("家家家家家家", "")], [("1s", "")], 9)) == "家家…  1s"
    assert fit([("name", "")], [("1.2s", "time")], 3) == [("na…", "")]

"""The README is part of the product: what it lists is what there is."""

import re
from pathlib import Path

from lgwatch.events import EVENTS, defaults
from lgwatch.filter import FIELDS

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_journal_table_names_every_event_type_and_every_field_of_it() -> None:
    rows = [line for line in README[README.index("## The journal") :].splitlines() if line.startswith("| `")]
    for name, event in EVENTS.items():
        row = next(row for row in rows if f"`{name}`" in row.split("|")[1])
        told = set(re.findall(r"\w+", row.split("|")[2]))
        assert set(defaults(event)) - {"at", "ns"} <= told, f"{name}: {set(defaults(event)) - told}"


def test_the_filter_table_names_every_field() -> None:
    table = README[README.index("### The filter") : README.index("## What it can watch")]
    told = set(re.findall(r"`(\w+)`", table))
    assert set(FIELDS) - {"text"} <= told  # a word means the text


def test_two_commands_set_everything_up_on_a_bare_machine() -> None:
    commands = re.findall(r"<!-- (run|test) -->\n```sh\n(.+)\n```\n<!-- end -->", README)
    assert [name for name, _ in commands] == ["run", "test"]
    assert all("python3 -m venv" in command and "pip install" in command for _, command in commands)


def test_every_picture_that_it_shows_is_there() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parent.parent / path).is_file(), path

import random

from lgwatch.tui.tree.parts import children, label, path_text
from lgwatch.tui.tree.rows import JsonRows


def drawn(rows, width=60):
    rows.resize(width)
    return ["".join(text for text, _ in rows.row(index, width)).rstrip() for index in range(len(rows))]


def tree(**sections):
    rows = JsonRows()
    rows.set(sections)
    return rows


def test_what_is_flat_is_open_and_what_is_deep_is_folded():
    rows = tree(state={"n": 1, "inner": {"deep": {"deeper": 1}}})
    assert drawn(rows) == [
        "▾ state  2 keys", "    n  1", "  ▾ inner", '    ▸ deep  {"deeper": 1}',
    ]  # fmt: skip


def test_a_row_is_opened_and_closed_and_stays_so_when_values_change():
    rows = tree(state={"inner": {"deep": {"deeper": 1}}})
    rows.toggle(2)
    assert drawn(rows)[-1] == "        deeper  1"
    rows.set({"state": {"inner": {"deep": {"deeper": 2}}}})
    assert drawn(rows)[-1] == "        deeper  2"
    rows.toggle(0)
    assert len(drawn(rows)) == 1
    assert drawn(rows)[0].startswith('▸ state  {"inner"')


def test_everything_opens_level_by_level_and_then_folds():
    rows = tree(state={"a": {"b": {"c": {"d": 1}}}})
    first = len(rows)
    rows.toggle_all()
    rows.toggle_all()
    assert len(rows) > first
    assert drawn(rows)[-1].strip() == "d  1"
    rows.toggle_all()
    assert len(rows) == first


def test_a_long_text_opens_to_rows_of_its_own_and_any_of_them_closes_it():
    rows = tree(text="word " * 40)
    assert len(rows) == 1
    rows.toggle(0)
    rows.resize(40)
    assert all(len(line) <= 40 for line in drawn(rows, 40))
    assert drawn(rows, 40)[1].startswith("  │ word")
    rows.toggle(3)
    assert len(rows) == 1


def test_a_page_may_open_its_texts_by_itself():
    rows = JsonRows(open_texts=1000)
    rows.set({"text": "one\ntwo", "facts": {"long": "x" * 100}})
    assert drawn(rows)[:3] == ["▾ text  7 characters", "  │ one", "  │ two"]
    assert drawn(rows)[4].startswith("  ▸ long")


def test_a_long_list_is_folded_at_first():
    assert len(tree(state={"few": [1] * 3, "many": [1] * 200})) == 6


def test_a_tagged_object_opens_to_its_fields():
    value = {"$type": "HumanMessage", "fields": {"content": "hi"}}
    assert children(value) == [("content", "hi")]
    assert label(value) == "HumanMessage"
    assert children({"$type": "set", "items": [3]}) == [(0, 3)]


def test_the_row_of_a_path_is_found_again():
    rows = tree(state={"a": 1, "b": 2})
    key = rows.key(2)
    rows.set({"state": {"a0": 0, "a": 1, "b": 2}})
    assert rows.index_of(key) == 3
    assert rows.index_of("no path") is None


def test_a_path_reads_as_python_does():
    assert path_text(("state", "messages", 3, "content")) == "messages[3].content"
    assert path_text(("state",)) == "state"


def test_control_characters_stay_out_of_a_text_that_is_open():
    rows = tree(text="a\x1b[31m" + "b" * 70)
    rows.toggle(0)
    assert "\x1b" not in "".join(drawn(rows)[1:])


def _flat(rows, sections, opened, path=()):
    """The rows of an open value, told the simple way."""
    found = []
    for name, value in sections:
        here = (*path, name)
        found.append(here)
        if here in opened:
            found += _flat(rows, children(value), opened, here)
    return found


def test_rows_are_those_of_a_tree_that_is_walked_whole_whatever_is_opened_and_closed():
    rng = random.Random(7)

    def made(depth):
        kind = rng.random()
        if depth == 0 or kind < 0.3:
            return rng.randrange(9)
        if kind < 0.65:
            return {f"k{n}": made(depth - 1) for n in range(rng.randrange(4))}
        return [made(depth - 1) for _ in range(rng.randrange(5))]

    for _ in range(20):
        value = {"a": made(5), "b": made(5)}
        rows = JsonRows(depth=0)
        rows.set(value)
        opened = set()
        for _ in range(40):
            index = rng.randrange(len(rows))
            path = rows.spot(index).path
            if children(rows.spot(index).value):
                opened ^= {path}
            rows.toggle(index)
            expected = _flat(rows, value.items(), opened)
            assert [rows.spot(number).path for number in range(len(rows))] == expected
            assert [rows.row_of(path) for path in expected] == list(range(len(expected)))

"""The value browser: what is folded is found, paths are told, and values are copied as JSON and as Python."""

import json

from textual.app import App

from lgwatch.events import ValueStored
from lgwatch.tui.tree.parts import path_text
from lgwatch.tui.tree.pythonic import as_python
from lgwatch.tui.tree.rows import JsonRows
from lgwatch.tui.tree.view import TreeView
from tests.factories import custom, run, task
from tests.tui.stage import played, shown, text_of, until


class Shelf:
    """Stored values, and which of them were read."""

    def __init__(self, **values):
        self.values = values
        self.read = []

    def value(self, ref):
        self.read.append(ref)
        return self.values[ref]

    def value_seq(self, ref):
        return list(self.values).index(ref)

    def raw(self, seq):
        name = list(self.values)[seq]
        return json.dumps({"type": "value", "id": name, "data": self.values[name]}, separators=(",", ":")).encode()


def rows_of(shelf, **sections):
    rows = JsonRows(shelf)
    rows.set(sections)
    rows.resize(80)
    return rows


def drawn(rows):
    return ["".join(text for text, _ in rows.row(index, 80)).rstrip() for index in range(len(rows))]


class Browser(App):
    """A browser alone on a screen."""

    def __init__(self, rows):
        super().__init__()
        self.view = TreeView(rows, root=0)

    def compose(self):
        yield self.view


async def searched(pilot, text):
    pilot.app.view.search(text)
    await until(pilot, lambda: pilot.app.view.found not in ("", "…") and not pilot.app.view.found.endswith("+"))
    return pilot.app.view.found


# ── nothing is read before it is looked at ───────────────────────────────────────────────────────────────────────────


def test_a_heavy_value_is_not_read_for_its_row_which_shows_how_it_begins():
    shelf = Shelf(v1=[{"n": n, "text": "word " * 20} for n in range(1000)], v2={"small": 1})
    rows = rows_of(shelf, state={"heavy": {"$ref": "v1"}, "light": {"$ref": "v2"}})
    assert drawn(rows)[1].startswith("  ▸ heavy  ")
    assert 'kB  [{"n":0' in drawn(rows)[1]
    assert "v1" not in shelf.read
    assert "    small  1" in drawn(rows)[3]
    rows.toggle(1)
    assert len(rows) == 1004
    assert drawn_one(rows, 2).startswith('    ▸ 0  {"n": 0, "text": "word word')
    assert "v1" in shelf.read


def test_a_long_list_opens_without_a_row_for_each_of_its_elements_being_made():
    rows = rows_of(None, state={"many": list(range(1_000_000))})
    rows.toggle(1)
    assert len(rows) == 1_000_002
    assert drawn_one(rows, 700_000) == "      699998  699998"
    assert rows.row_of(("state", "many", 999_999)) == 1_000_001
    rows.toggle(1)
    assert len(rows) == 2


def drawn_one(rows, index):
    return "".join(text for text, _ in rows.row(index, 80)).rstrip()


def test_what_was_opened_inside_a_list_moves_the_rows_below_it():
    rows = rows_of(None, state={"many": [{"n": {"deep": n}} for n in range(100)], "last": "end"})
    rows.toggle(1)
    rows.toggle(rows.row_of(("state", "many", 50)))
    rows.toggle(rows.row_of(("state", "many", 50, "n")))
    assert drawn_one(rows, rows.row_of(("state", "many", 50, "n", "deep"))) == "          deep  50"
    assert drawn_one(rows, rows.row_of(("state", "last"))) == '    last  "end"'
    assert [rows.row_of(rows.spot(index).path) for index in range(len(rows))] == list(range(len(rows)))


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_search_finds_keys_and_values_that_are_folded_or_stored_and_opens_them():
    shelf = Shelf(v1={"deep": [{"needle": 1}, {"other": ["a needle here"]}]})
    rows = rows_of(shelf, state={"outer": {"inner": {"$ref": "v1"}}, "NEEDLE": None})
    app = Browser(rows)
    async with app.run_test(size=(80, 24)) as pilot:
        assert await searched(pilot, "needle") == "1/3"
        assert app.view.path == "state.outer.inner.deep[0].needle"
        await pilot.press("n")
        assert app.view.value() == "a needle here"
        assert app.view.path == "state.outer.inner.deep[1].other[0]"
        await pilot.press("n")
        assert app.view.path == "state.NEEDLE"
        await pilot.press("n")
        assert app.view.found == "1/3"
        await pilot.press("N")
        assert app.view.path == "state.NEEDLE"
        assert await searched(pilot, "Needle") == "no match"


async def test_a_match_in_a_long_text_is_gone_to_in_the_row_where_it_stands():
    rows = rows_of(None, page={"text": "word " * 100 + "straw " + "word " * 100})
    app = Browser(rows)
    async with app.run_test(size=(60, 24)) as pilot:
        assert await searched(pilot, "straw") == "1/1"
        assert "straw" in rows.text(app.view.cursor, 59)


# ── out of here ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_value_is_copied_as_json_as_python_and_as_its_path():
    message = {"$type": "HumanMessage", "fields": {"content": "hi", "id": "m1", "additional_kwargs": {}}}
    app = Browser(rows_of(None, messages=[message], note="plain"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "y")
        assert json.loads(app.clipboard) == message
        await pilot.press("P")
        assert app.clipboard == "HumanMessage(content='hi', id='m1')"
        await pilot.press("Y")
        assert app.clipboard == "messages[0]"
        await pilot.press("G", "y")
        assert app.clipboard == "plain"


async def test_a_click_on_the_sign_and_a_double_click_anywhere_open_a_value():
    app = Browser(rows_of(None, state={"outer": {"inner": {"deep": 1}}}))
    async with app.run_test(size=(80, 24)) as pilot:
        assert len(app.view.rows) == 3
        await pilot.click(TreeView, offset=(4, 2))
        assert len(app.view.rows) == 4
        await pilot.click(TreeView, offset=(20, 1))
        assert len(app.view.rows) == 4
        await pilot.click(TreeView, offset=(20, 1), times=2)
        assert len(app.view.rows) == 2


async def test_minus_closes_what_the_value_is_in_and_goes_there():
    app = Browser(rows_of(None, state={"outer": {"inner": 1}}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        assert app.view.path == "state.outer.inner"
        await pilot.press("minus")
        assert app.view.path == "state.outer"
        assert len(app.view.rows) == 2


async def test_the_inspector_tells_the_path_and_reads_a_stored_value_when_it_is_opened(tmp_path):
    events = [
        run(),
        task("writer"),
        ValueStored(id="v1", data={"a": {"b": ["x" * 70]}}),
        custom({"big": {"$ref": "v1"}}),
    ]
    app = played(tmp_path, *events)
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "3", "enter", "slash", "'xxxx", "enter")
        await until(pilot, lambda: app.screen.view.found == "1/1")
        assert app.screen.view.path == "data.big.a.b[0]"
        assert "data.big.a.b[0]" in text_of(app)


def test_a_snapshot_becomes_the_python_that_makes_it():
    assert as_python({"a": [1, None, True], "b": {"$type": "set", "items": [1]}}) == "{'a': [1, None, True], 'b': {1}}"
    assert as_python({"$type": "tuple", "items": [1]}) == "tuple([1])"
    assert as_python({"$type": "set", "items": []}) == "set([])"
    assert as_python({"$type": "bytes", "size": 3, "head": "a\\x00b"}) == "b'a\\x00b'"
    assert as_python({"$type": "UUID", "value": "1"}) == "UUID('1')"
    assert eval(as_python({"text": "it's " * 40, "more": ["x" * 50, "y" * 50]})) == {
        "text": "it's " * 40, "more": ["x" * 50, "y" * 50],
    }  # fmt: skip
    assert as_python([{"$type": "Lock", "repr": "<lock>"}]) == "[\n    ...,  # <lock>\n]"


def test_a_path_reads_as_python_does_whatever_the_keys_are():
    assert path_text(("state", "messages", 3, "tool_calls", 0, "args")) == "messages[3].tool_calls[0].args"
    assert path_text(("state", "my key", "a-b")) == "my key['a-b']"
    assert path_text(("state", "n"), 0) == "state.n"

import json
from array import array
from dataclasses import replace

import pytest

from lgwatch.events import Output, ValueStored
from lgwatch.filter import Filter, parse
from lgwatch.session import Session
from lgwatch.tui.eventlist.colours import coloured
from lgwatch.tui.eventlist.console import ConsolePane
from lgwatch.tui.eventlist.custom import CustomPane
from lgwatch.tui.eventlist.pane import EventsPane
from lgwatch.tui.eventlist.rows import Times
from tests.factories import attempt, checkpoint, custom, ended, failed, interrupted, result, run, span_end, task, token
from tests.tui.stage import Stage, drawn, played, shown, text_of, write


@pytest.fixture
def told(tmp_path):
    """Show events in a pane; return its rows as texts."""

    def show(pane, *events, keep="", width=100):
        path = tmp_path / "run.jsonl"
        source = Stage(
            path if path.exists() and len(path.read_bytes().splitlines()) > len(events) else write(path, *events)
        )
        session = Session()
        for event in source.poll():
            session.apply(event)
        rows = pane(source).rows
        for _ in range(3):
            rows.update(session, parse(keep))
        return ["".join(text for text, _ in rows.row(index, width)).rstrip() for index in range(len(rows))]

    return show


def test_a_custom_event_is_one_line_of_offset_path_and_payload(told):
    lines = told(
        CustomPane, run(), task("w"), custom({"done": 3, "of": [1, 2]}, "w"), custom("text", "w"), custom(None, "w")
    )
    assert lines[0].split() == ["0.200", "w", "done", "3", "of", "[1,", "2]"]
    assert lines[1].endswith("text")
    assert lines[2].endswith("null")


def test_a_print_of_several_lines_is_several_rows_and_says_once_when_and_where(told):
    lines = told(
        ConsolePane, run(), Output(text="one\ntwo\n\nfour\n", node="w", task="w"), Output(text="next", node="w")
    )
    assert [line.strip() for line in lines] == [
        "0.100 w                    one",
        "two",
        "",
        "four",
        "0.200 w                    next",
    ]
    assert lines[1].index("two") == lines[0].index("one")


def test_colours_are_taken_out_of_what_is_printed_and_nothing_else_is(told):
    printed = Output(text="\x1b[1;31mred\x1b[0m and \x1b[38;2;1;2;3mmore\x1b[m \x1b[2Jseen\x1b[3", node="w")
    for pane in (ConsolePane, EventsPane):
        assert any("red and more ␛[2Jseen␛[3" in line for line in told(pane, run(), printed))


@pytest.mark.parametrize(
    ("text", "before", "spans"),
    [
        ("plain", "", [("plain", "warn")]),
        ("\x1b[31mred\x1b[39m not", "", [("red", "error"), (" not", "warn")]),
        ("\x1b[1;92mok\x1b[22m ok\x1b[m", "", [("ok", "bold ok"), (" ok", "ok")]),
        ("\x1b[38;5;201mx\x1b[34my", "", [("x", "warn"), ("y", "info")]),
        ("goes on\x1b[0m", "\x1b[4;36mfirst line", [("goes on", "underline accent")]),
        ("\x1b[38;2;1mx\x1b[;mz\x1b[999mw", "", [("x", "warn"), ("z", "warn"), ("w", "warn")]),
    ],
)
def test_a_colour_that_is_printed_is_one_of_the_theme(text, before, spans):
    assert coloured(text, "warn", before) == spans


def test_a_number_is_told_with_as_many_digits_as_are_meant(told):
    data = {
        "sum": 0.1 + 0.2,
        "all": [2 / 3, 1e-12, 1.5],
        "text": "0.30000000000000004",
        "in": {"s": "0.30000000000000004"},
    }
    (line,) = told(CustomPane, run(), custom(data, "w"), width=200)
    assert "sum 0.3  all [0.6666666667, 1e-12, 1.5]  text 0.30000000000000004" in line
    assert '{"s": "0.30000000000000004"}' in line


def test_a_log_line_says_its_level_and_logger_where_there_is_room(told):
    event = Output(stream="log", text="careful", level="WARNING", logger="app.web", node="w")
    assert "WARNING app.web: careful" in told(ConsolePane, run(), event)[0]


def test_a_filter_by_text_asks_what_was_said(told):
    events = [run(), Output(text="alpha", node="w"), Output(text="beta", node="w")]
    assert len(told(ConsolePane, *events, keep="alp")) == 1


def test_every_type_of_event_says_something(told):
    lines = told(
        EventsPane, run(input={"a": 1}), task("w", triggers=("branch:to:w",), input={"q": 2}), attempt("w"), token("a\nb", node="w"),
        span_end("w-1"), custom({"x": 1}, "w"), checkpoint("abcdefghijk", step=1, next=("v",), values={"k": 1}), Output(text="hi\n"),
        failed("w"), interrupted("v", "sure?"), ended("interrupted"), width=140,
    )  # fmt: skip
    for line, words in zip(
        lines,
        ("r1 on thread 1", '{"q": 2}', "node w", "a\\nb", "node w ok", "x 1", "abcdefgh → v", "hi", "ValueError: boom", "sure?",
         "result", "interrupted"),
        strict=True,
    ):  # fmt: skip
        assert words in line


def test_a_type_that_nobody_knows_is_shown_all_the_same(told, tmp_path):
    path = write(tmp_path / "run.jsonl", run())
    with path.open("a") as file:
        file.write('{"type":"novelty","at":0.5,"what":"new"}\n')
    assert "novelty" in told(EventsPane)[1]
    assert '{"what": "new"}' in told(EventsPane)[1]


def test_times_need_no_more_room_than_they_are_given():
    times, session = Times(), Session()
    session.apply(run())
    session.apply(custom(1))
    times.set(session)
    seqs = array("I", [1, 2])
    for mode in Times.MODES:
        times.mode = mode
        wide, narrow = times.stamp(seqs, 1, 100)[0], times.stamp(seqs, 1, 40)[0]
        assert len(narrow) <= len(wide) <= 13
        assert wide.endswith(" ")


def test_the_reader_stays_at_the_event_or_the_next_one_that_is_kept(tmp_path):
    source = Stage(write(tmp_path / "run.jsonl", run(), *(custom({"n": n}, "ab"[n % 2]) for n in range(10))))
    session = Session()
    for event in source.poll():
        session.apply(event)
    rows = CustomPane(source).rows
    rows.update(session, Filter())
    key = rows.key(4)
    rows.update(session, parse("node:b"))
    assert rows.seqs[rows.index_of(key)] == rows.seqs[2] > key[0] - 1
    assert rows.index_of(None) is None


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────

STORY = [
    run(), task("plan"), custom({"url": "arxiv.org", "n": 1}, "plan"), custom({"url": "wiki.org", "n": 2}, "plan"),
    task("write", step=2), custom("x" * 3000, "write"), ended(),
]  # fmt: skip


@pytest.mark.parametrize("keep", ["!type:task", "type:custom done", "size>1"])
def test_rows_under_a_reader_stay_until_those_of_another_filter_are_complete(tmp_path, monkeypatch, keep):
    monkeypatch.setattr("lgwatch.tui.eventlist.rows.SLICE", 10)
    monkeypatch.setattr("lgwatch.tui.eventlist.rows.PATIENCE", 0.0)
    source = Stage(write(tmp_path / "run.jsonl", run(), *(custom({"done": n}) for n in range(60)), ended()))
    session = Session()
    for event in source.poll():
        session.apply(event)
    rows = EventsPane(source).rows
    rows.reading = lambda: False
    everything = Filter()
    rows.update(session, everything)
    assert rows.behind
    assert rows.seqs[-1] == 62  # who follows sees what is newest at once
    while rows.behind:
        rows.update(session, everything)
    rows.reading = lambda: True
    some = parse(keep)
    rows.update(session, some)
    assert rows.behind
    assert len(rows) == 62
    while rows.behind:
        rows.update(session, some)
    assert len(rows) == {"!type:task": 62, "type:custom done": 60, "size>1": 62}[keep]


@pytest.mark.parametrize("pane", [EventsPane, CustomPane, ConsolePane])
@pytest.mark.parametrize("keep", ["", "dur>1s", "dur>1s done"])
def test_rows_that_come_by_and_by_are_those_that_come_at_once(tmp_path, monkeypatch, pane, keep):
    monkeypatch.setattr("lgwatch.tui.eventlist.rows.SLICE", 3)
    monkeypatch.setattr("lgwatch.tui.eventlist.rows.PATIENCE", 0.0)
    lines = [
        run(), task("a"), attempt("a"), custom("done 1", "a"), Output(text="done\n2\n", node="a", task="a"), task("b"),
        attempt("b"), custom("done 3", "b"), Output(text="done 4", node="b", task="b"),
        *(custom(f"done {n}", "b") for n in range(9)), replace(result("a"), at=9.0), custom("x", "b"), replace(result("b"), at=9.1),
        Output(text="the end is done\n", node="a", task="a"),
    ]  # fmt: skip
    source, session = Stage(write(tmp_path / "run.jsonl", *lines)), Session()
    rows, some = pane(source).rows, parse(keep)
    for event in source.poll():
        session.apply(event)
        rows.update(session, some)
    while rows.behind:
        rows.update(session, some)
    monkeypatch.undo()
    whole = pane(source).rows
    for _ in range(3):
        whole.update(session, some)
    assert rows.seqs == whole.seqs
    assert len(rows) > 0


async def at_cell(pilot, row, column):
    """Go to a cell of the event list."""
    app = pilot.app
    await shown(pilot, "4")
    app.pane("events").view.focus()
    await shown(pilot, "g", *["down"] * row, *["right"] * (column + 1))
    return app


@pytest.mark.parametrize(
    ("row", "column", "key", "text"),
    [
        (2, 2, "equals_sign", "type=custom"), (2, 2, "backslash", "!type=custom"), (4, 3, "equals_sign", "path=write"),
        (4, 1, "backslash", "!step=2"), (2, 4, "equals_sign", "data.url=arxiv.org"), (3, 0, "equals_sign", "t>=0.300"),
        (3, 0, "backslash", "t<0.300"), (6, 4, "equals_sign", "status=done"),
    ],
)  # fmt: skip
async def test_a_key_on_a_cell_keeps_or_drops_its_value(tmp_path, row, column, key, text):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_cell(pilot, row, column)
        await shown(pilot, key)
        assert app.keep.source == text
        seqs = list(app.pane("events").rows.seqs)
        assert seqs
        assert (row + 1 in seqs) is (key == "equals_sign")


async def test_a_cell_without_a_word_in_the_filter_says_so(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_cell(pilot, 0, 3)
        await shown(pilot, "equals_sign")
        assert not app.keep
        assert "no word" in text_of(app)


async def test_a_large_event_is_found_by_sorting_and_all_stands_as_it_came_again(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_cell(pilot, 1, 5)
        rows = app.pane("events").rows
        await shown(pilot, "S")
        assert rows.seq_at(0) == 6
        assert "by size, largest first" in str(app.pane("events").border_title)
        await shown(pilot, "g")
        assert app.pane("events").spot().seq == 6
        await shown(pilot, "S", "S")
        assert [rows.seq_at(index) for index in range(len(rows))] == [1, 2, 3, 4, 5, 6, 7]
        await shown(pilot, "left", "left", "S")
        assert [rows.facet(rows.seq_at(index)).path for index in range(3, 7)] == ["plan", "plan", "write", "write"]


async def test_what_comes_while_events_are_sorted_stands_at_the_end(tmp_path):
    app = played(tmp_path, *STORY[:-1])
    async with app.run_test(size=(120, 36)) as pilot:
        await at_cell(pilot, 1, 5)
        await shown(pilot, "S")
        write(tmp_path / "run.jsonl", custom("late", "write"), after=9.0)
        await drawn(pilot)
        rows = app.pane("events").rows
        assert rows.seq_at(len(rows) - 1) == 7
        assert rows.place(6) == 6


def test_who_asks_for_a_payload_sees_what_has_one(told):
    events = [run(input={"route": "deep"}), task("w", input={"route": "quick"}), custom({"route": "deep"}, "w")]
    assert len(told(EventsPane, *events, keep="state.route=deep")) == 1
    assert len(told(EventsPane, *events, keep="data.route=deep")) == 1
    assert len(told(CustomPane, *events, keep="state.route=deep")) == 1


def test_a_size_is_told_and_asked_for(told):
    lines = told(EventsPane, *STORY, keep="size>1kB", width=120)
    assert len(lines) == 1
    assert lines[0].endswith("3.1 kB")


@pytest.mark.parametrize(
    "word",
    [
        "needle",
        "NEEDLE",
        '"say \\"hi\\""',
        "näh",
        "!needle",
        "re:/needle [0-9]+/",
        "needle dog",
        "cat,needle 7",
        'text:""',
    ],
)
def test_a_text_is_found_in_many_lines_as_in_each_of_them(tmp_path, monkeypatch, word):
    monkeypatch.setattr("lgwatch.tui.eventlist.sift.BLOCK", 4000)
    texts = ["cat", "a Needle 7", 'they say "hi"', "näher", "dog", "needle dog"]
    stored = ValueStored(id="v1", data="a needle that is stored")
    events = [
        run(),
        stored,
        *(custom(f"{texts[n % 6]} {n}", "w") for n in range(400)),
        custom({"$ref": "v1"}, "w"),
        ended(),
    ]
    source = Stage(write(tmp_path / "run.jsonl", *events))
    session = Session()
    for event in source.poll():
        session.apply(event)
    rows, keep = CustomPane(source).rows, parse(word)
    rows.update(session, keep)
    while rows.behind:
        rows.update(session, keep)
    customs = [seq for seq in range(1, len(session.index)) if session.index.facet_of(seq).type == "custom"]
    assert list(rows.seqs) == [
        seq for seq in customs if keep.text(json.dumps(source.resolved(seq), ensure_ascii=False))
    ]

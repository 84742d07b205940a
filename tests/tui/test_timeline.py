from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.events import MouseScrollUp

from lgwatch.clock import Clock, chain
from lgwatch.critical import critical_path
from lgwatch.events import LoopDelayed, Notice
from lgwatch.filter import Filter, parse
from lgwatch.records import Run, Task
from lgwatch.tui.lines.signs import glyph
from lgwatch.tui.timeline import shares, waterfall
from lgwatch.tui.timeline.axis import Axis, Window, label
from lgwatch.tui.timeline.bars import Cells, Together
from lgwatch.tui.timeline.strips import Delays, Marks, Strips, _even, crossed
from lgwatch.tui.timeline.waterfall import TimelineRows
from tests.factories import (
    attempt,
    call,
    called,
    checkpoint,
    custom,
    ended,
    failed,
    interrupted,
    play,
    result,
    resumed,
    run,
    span_end,
    task,
    token,
)  # fmt: skip
from tests.tui.stage import played, recorded, shown, text_of

ERROR = {"type": "ValueError", "message": "boom", "traceback": ""}


def at(moment, event):
    return replace(event, at=moment)


def bars(session, width=80, keep=None):
    rows = TimelineRows()
    rows.update(session, keep or Filter(), session.now, width)
    return ["".join(text for text, _ in rows.row(index, width)) for index in range(len(rows))], rows


def column(rows, moment):
    return rows.axis.column(rows.clock.active(moment))


# ── bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bar_begins_and_ends_in_its_columns():
    session = play(
        at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a")), at(5.0, result("a")), at(10.0, ended()),
    )  # fmt: skip
    (line,), rows = bars(session)
    room, columns = rows.label(80), rows.axis.columns
    assert line[room] == "━"
    assert line[column(rows, 4.9) + room] == "━"
    assert line[column(rows, 5.0) + room + 1] == " "
    assert line.index("5.00s") > room + column(rows, 5.0)
    assert len(line) <= 80
    assert columns > 40


def test_inside_a_bar_are_the_silence_the_first_token_the_tokens_and_the_failed_attempts():
    session = play(
        at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a", 1)), at(1.0, span_end("a-1", status="error", error=ERROR)),
        at(3.0, attempt("a", 2)), at(3.0, call(1, node="a")), at(5.0, token("x", 1, node="a")), at(9.0, called(1)),
        at(10.0, result("a")), at(10.0, ended()),
    )  # fmt: skip
    (line,), _ = bars(session, 120)
    order = [line.index(sign) for sign in ("━", "✗", "┄", "▁", "▌", "▆")]
    assert order == sorted(order)
    assert "×2" in line


def test_a_task_that_was_scheduled_and_has_not_begun_waits():
    session = play(at(0.001, run()), at(0.5, task("a")), at(4.0, task("b")))
    lines, _ = bars(session)
    assert "░" in lines[0]
    assert "waiting" in lines[0]
    assert "━" not in lines[0]


def test_a_failed_task_and_an_interrupted_one_end_with_their_signs():
    session = play(
        run(), task("a"), attempt("a"), failed("a"), task("b"), attempt("b"), interrupted("b"), ended("interrupted")
    )
    lines, _ = bars(session)
    assert lines[0].count("✗") == 2  # the state, and the end of the bar
    assert lines[1].count("■") == 2


def test_every_critical_path_has_pictures_of_its_own():
    session = play(run(), task("a"), attempt("a"), result("a"))
    _, rows = bars(session)
    known = {rows.key(0)}
    for turn in range(1, 20):
        rows.critical = None
        rows.critical = critical_path(session.runs, session.now)  # in the place in memory of the one before
        assert rows.update(session, Filter(), session.now, 80)
        known.add(rows.key(0))
        assert len(known) == turn + 1


def test_what_ran_inside_a_task_is_nested_below_it():
    session = play(
        task("team"), task("ask", ns=("team:team",)), task("deep", ns=("team:team", "ask:ask")), task("read", ns=("team:team",)),
    )  # fmt: skip
    lines, _ = bars(session)
    assert [line[2:11].rstrip(" ░") for line in lines] == ["team", "├ ask", "│ └ deep", "└ read"]


def test_a_wide_fan_out_is_one_row_until_it_is_opened():
    session = play(run(), task("plan", step=1), *(task("ask", id=f"ask{n}", step=2) for n in range(1000)))
    for number in range(400):
        session.apply(at(101.0, replace(attempt("ask"), task=f"ask{number}", span=f"s{number}")))
    lines, rows = bars(session)
    assert len(lines) == 2
    assert "▸ ask" in lines[1]
    assert "×1 000" in lines[1]
    assert rows.place("r1", "ask999") == 1
    assert rows.fold(1)
    rows.update(session, Filter(), session.now, 80)
    assert len(rows) == 1002
    assert rows.place("r1", "ask999") == 1001
    assert not rows.fold(1, only_open=True)
    assert rows.fold(1)


moments = st.floats(0, 20).map(lambda at: round(at, 2))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(moments, moments, st.booleans()), min_size=1, max_size=12),
    st.tuples(moments, st.floats(0.5, 30)),
    st.integers(1, 30),
)
def test_the_cells_of_a_fan_out_count_the_tasks_whose_bars_would_be_there(told, window, columns: int):
    tasks = [
        Task(
            str(number),
            "a",
            (),
            "r1",
            1,
            number,
            0.0,
            began=min(times),
            ended=None if runs else max(times),
            status=status,
        )
        for number, (*times, runs) in enumerate(told)
        for status in ["running" if runs else "done"]
    ]
    start, span = window
    cells = Cells(Clock([Run("r1", "", 0.0, 1)], 20.0), Axis.window(start, start + span, columns), 20.0, 0)
    ran = [(cells.place(task.began), cells.place(task.ended)) for task in tasks]
    assert Together(tasks).levels(cells) == [
        sum(first <= column <= last for first, last in ran) for column in range(columns)
    ]


def test_the_row_of_a_fan_out_tells_how_many_ran_at_which_time():
    session = play(at(0.001, run()), *(at(0.002, task("ask", id=f"a{n}")) for n in range(60)))
    for number in range(60):
        session.apply(at(0.003, replace(attempt("ask"), task=f"a{number}", span=f"s{number}")))
    for number in range(60):
        session.apply(at(10.0 if number < 55 else 20.0, result("ask", id=f"a{number}")))
    (line,), rows = bars(session)
    room = rows.label(80)
    assert line[room + column(rows, 5.0)] > line[room + column(rows, 15.0)] > " "
    assert "20.0s" in line


def test_a_filter_keeps_a_bar_with_all_that_it_is_inside_of():
    session = play(task("outer"), task("inner", ns=("outer:outer",)), task("other"))
    lines, _ = bars(session, keep=parse("path:outer/inner"))
    assert len(lines) == 2


DEEDS = st.lists(
    st.tuples(st.sampled_from(["begin", "end", "inside", "wide", "again"]), st.integers(0, 5), st.integers(-1, 1)),
    max_size=25,
)


@given(DEEDS)
@example([("wide", 0, 1), ("end", 0, 0), ("begin", 1, 1), ("end", 9, 0), ("inside", 0, 0), ("begin", 2, -1)])
def test_rows_that_grow_with_a_run_are_those_of_the_whole_run(deeds):
    session, grown, began, step = play(run()), TimelineRows(), [], 1

    def begin(name, node, *, ns=(), at_step):
        session.apply(task(node, id=name, ns=ns, step=at_step))
        began.append((name, node, at_step))

    for number, (deed, which, way) in enumerate(deeds):
        name, known = f"t{number}", began[which % len(began)] if began else None
        if deed == "begin":
            step = max(step + way, 1)
            begin(name, f"node{which}", at_step=step)
        elif deed == "wide":
            for lane in range(8 + which):
                begin(f"{name}-{lane}", "wide", at_step=step)
        elif deed == "inside" and known:
            begin(name, "inner", ns=(f"{known[1]}:{known[0]}",), at_step=1)
        elif deed == "end":
            for one, node, at_step in began[which:]:
                session.apply(result(node, id=one, step=at_step))
        elif deed == "again" and known:
            session.apply(task(known[1], id=known[0], step=known[2]))
        whole = TimelineRows()
        for rows in (grown, whole):
            rows.update(session, Filter(), session.now, 80)
        assert [_of(line) for line in grown.lines] == [_of(line) for line in whole.lines]


def _of(line):
    return line.lead, line.opened, [one.id for one in getattr(line.of, "tasks", [line.of])]


def test_the_rows_of_steps_that_are_over_are_not_made_again(monkeypatch):
    made = []
    monkeypatch.setattr(waterfall, "_tree", lambda tasks, *_: made.extend(tasks) or iter(()))
    session, rows = play(run()), TimelineRows()
    for step in range(50):
        session.apply(task("n", id=f"t{step}", step=step))
        rows.update(session, Filter(), session.now, 80)
        session.apply(result("n", id=f"t{step}", step=step))
    assert len(made) < 3 * 50


def test_an_error_of_no_task_has_a_row_where_it_was():
    error = {**ERROR, "message": "these do not add up"}
    session = play(
        at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a")), at(5.0, result("a")),
        at(8.0, ended("failed", error=error)), at(8.0, custom(1)),
    )  # fmt: skip
    (_, line), rows = bars(session, 120)
    assert line.startswith("✗ the run")
    assert line[rows.label(120) + column(rows, 8.0)] == "✗"
    assert "ValueError: these do not add up" in line
    assert rows.run(1) is session.run
    assert rows.place("r1", "") == 1
    (_, narrow), rows = bars(session, 40)
    assert narrow.rstrip().endswith(("✗", "…"))
    assert len(narrow) <= 40


def test_an_error_that_a_task_has_too_is_that_tasks():
    session = play(task("a"), attempt("a"), failed("a"), ended("failed", error=ERROR))
    assert len(bars(session)[0]) == 1
    session = play(task("a"), attempt("a"), failed("a", "healed"), task("b"), ended("failed", error=ERROR))
    assert bars(session)[0][-1].startswith("✗ the run")


def test_a_search_looks_at_paths():
    session = play(task("outer"), task("inner", ns=("outer:outer",)))
    _, rows = bars(session)
    assert rows.text(1, 80) == "outer/inner"


# ── the axis ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_time_that_a_person_took_to_answer_is_left_out():
    session = play(
        at(0.001, run()), at(0.002, task("ask")), at(1.0, interrupted("ask")[0]), at(1.0, interrupted("ask")[1]),
        at(1.0, ended("interrupted")), at(500.0, run("r2", resume={"ask-ask": 1})), at(500.0, task("ask")), at(502.0, ended(name="r2")),
    )  # fmt: skip
    clock = Clock(chain(session.runs), session.now)
    assert clock.total == pytest.approx(3.0, abs=0.01)
    assert clock.active(300.0) == pytest.approx(1.0, abs=0.01)
    assert clock.active(501.0) == pytest.approx(2.0, abs=0.01)
    for moment in (0.5, 500.5, 501.9):
        assert clock.moment(clock.active(moment)) == pytest.approx(moment)


def test_a_new_run_has_a_timeline_of_its_own():
    session = play(run(), task("a"), result("a"), ended(), run("r2"), task("b"))
    assert [one.id for one in chain(session.runs)] == ["r2"]
    assert "b" in bars(session)[0][0]


@pytest.mark.parametrize("total", [0.001, 0.3, 7, 59, 600, 9000, 1e6])
@pytest.mark.parametrize("columns", [1, 8, 40, 170])
def test_an_axis_has_labels_that_do_not_touch_and_fits_its_columns(total, columns):
    for axis in (Axis.fit(total, columns), Axis.window(total * 0.3, total * 0.5, columns)):
        line = axis.text()
        assert len(line) == columns
        if columns >= 40:
            assert len(line.split()) >= 2
            assert len(set(line.split())) == len(line.split())
    axis = Axis.fit(total, columns)
    assert axis.span >= total
    assert 0 <= axis.place(total) < columns


@pytest.mark.parametrize(
    ("second", "text"), [(0, "0s"), (0.25, "0.25s"), (59, "59s"), (60, "1m"), (90, "1m30"), (90.5, "1m30.5"), (3900, "1h05"), (7200, "2h")]
)  # fmt: skip
def test_a_tick_is_told_as_people_say_it(second, text):
    assert label(second) == text


def test_a_clock_without_runs_is_none():
    clock = Clock([], 0.0)
    assert not clock
    assert clock.active(5.0) == 0
    assert clock.moment(2.0) == 2.0


def test_a_zoom_keeps_what_it_is_about_in_its_column():
    window = Window()
    before = window.axis(10.0, 100)
    window.zoom(0.5, 4.0, before, 10.0)
    after = window.axis(10.0, 100)
    assert after.span == pytest.approx(before.span / 2)
    assert after.place(4.0) == pytest.approx(before.place(4.0), abs=1)
    window.zoom(4, 4.0, after, 10.0)
    assert window.span is None


def test_a_window_on_what_is_newest_moves_with_it_and_any_other_stays():
    window = Window()
    window.zoom(0.2, 10.0, window.axis(10.0, 100), 10.0)
    first = window.axis(10.0, 100)
    assert window.axis(14.0, 100).start > first.start
    window.pan(-3.0, 14.0)
    held = window.axis(14.0, 100)
    assert window.axis(20.0, 100).start == held.start
    window.now()
    assert window.axis(20.0, 100).end >= 20.0


def test_to_go_on_at_the_end_of_a_window_never_leads_back():
    window, total = Window(), 10.0
    window.look(2.0, 4.0, total)
    window.show(total, total)
    start = window.start
    assert window.pan(0.25, total)
    assert window.start >= start


# ── marks and strips ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_marks_stand_at_their_time():
    session = play(
        at(0.001, run()), at(1.0, checkpoint("c1")), at(3.0, Notice(code="blocked", text="the event loop is blocked at a.py:1")),
        at(5.0, failed("a")), at(8.0, interrupted("b")[0]), at(10.0, ended("interrupted")),
    )  # fmt: skip
    runs = chain(session.runs)
    clock, axis = Clock(runs, session.now), Axis.fit(10.0, 60)
    line = "".join(text for text, _ in Marks().row(session, runs, clock, axis, session.now))
    for moment, sign in ((1.0, "◆"), (3.0, "⚠"), (5.0, "✗"), (8.0, "■")):
        assert line[axis.column(clock.active(moment))] == sign


def test_marks_are_searched_for_and_not_walked_through(monkeypatch):
    session = play(
        at(0.001, run()), *(at(1.0 + n / 100, checkpoint(f"c{n}", source="fork" if n % 3 else "loop")) for n in range(3000)),
        *(at(40.0 + n / 100, failed("a")) for n in range(500)), at(50.0, ended()),
    )  # fmt: skip
    runs = chain(session.runs)
    clock, axis, placed = Clock(runs, session.now), Axis.window(10.0, 60.0, 40), []
    expected = Cells(clock, axis, session.now, 0)
    for one in session.checkpoints:
        expected.put(one.at, *glyph("fork" if one.source == "fork" else "checkpoint"))
    for seq in session.errors:
        expected.put(session.index.at[seq], *glyph("failed"))
    place = Cells.place
    monkeypatch.setattr(Cells, "place", lambda cells, moment: placed.append(moment) or place(cells, moment))
    assert Marks().row(session, runs, clock, axis, session.now) == expected.row()
    assert len(placed) < 1000


def test_a_new_run_has_marks_of_its_own_and_what_comes_is_added():
    session, marks = play(at(0.5, run()), at(1.0, checkpoint("c1")), at(2.0, ended())), Marks()

    def columns():
        runs = chain(session.runs)
        clock, axis = Clock(runs, session.now), Axis.fit(10.0, 10)
        line = "".join(text for text, _ in marks.row(session, runs, clock, axis, session.now))
        return [column for column, sign in enumerate(line) if sign != " "]

    assert len(columns()) == 1
    session.apply(at(20.0, run("r2")))
    assert columns() == []
    session.apply(at(24.0, interrupted("b")[0]))
    session.apply(at(26.0, checkpoint("c2")))
    assert len(columns()) == 2
    session.apply(at(29.0, interrupted("b")[0]))  # it is asked again: it stands where it was asked last
    assert len(columns()) == 2


@pytest.mark.parametrize(
    ("counts", "levels"),
    [
        ([2, 3, 2, 3, 2, 3], [2.25, 2.5, 2.5, 2.5, 2.5, 2.75]),
        ([0, 1, 0, 1, 0, 1, 0], [0, 0.75, 0.5, 0.5, 0.5, 0.75, 0]),
        ([0, 4, 4, 4, 0, 0, 9], [0, 4, 4, 4, 0, 0, 9]),
        ([], []),
    ],
)
def test_a_steady_stream_has_no_teeth(counts, levels):
    assert _even(counts) == levels


def test_strips_count_what_the_filter_keeps_at_its_time():
    events = [at(2.0 + n / 100, token("x", node="w")) for n in range(50)]
    session = play(at(0.001, run()), at(0.002, task("w")), *events, at(5.0, custom(1, "w")), at(10.0, ended()))
    clock, axis = Clock(chain(session.runs), session.now), Axis.fit(10.0, 40)
    strips = Strips()
    strips.update(session, Filter())
    ((dots, _),) = strips.customs(session, clock, axis)
    assert dots.strip() == "·"
    assert dots.index("·") == axis.column(clock.active(5.0))
    ((columns, _),), top = strips.tokens(session, clock, axis)
    assert {index for index, sign in enumerate(columns) if sign != " "} <= set(
        range(axis.column(1.9), axis.column(2.6) + 1)
    )
    assert top > 20
    strips.update(session, parse("!node:w"))
    assert not strips.customs(session, clock, axis)[0][0].strip()


# ── keys and mouse ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_delays_of_the_loop_stand_over_the_time_they_took_and_the_longest_is_told():
    session = play(
        at(0.001, run()), at(2.0, LoopDelayed(delay=0.06, window=0.06)), at(6.0, LoopDelayed(delay=0.8, window=1.0)),
    )  # fmt: skip
    delays, axis = Delays(), Axis.fit(10.0, 60)

    def drawn():
        runs = chain(session.runs)
        clock = Clock(runs, 10.0)
        delays.update(session, runs, clock, axis)
        row = delays.row()
        columns = {moment: axis.column(clock.active(moment)) for moment in (1.97, 3.0, 5.5, 8.9)}
        return "".join(text for text, _ in row), columns, [style for text, style in row for _ in text]

    line, columns, styles = drawn()
    assert line.endswith(" 0.80s")
    assert (line[columns[1.97]], line[columns[3.0]], line[columns[5.5]]) == ("▁", " ", "█")
    assert (styles[columns[1.97]], styles[columns[5.5]]) == ("info", "warn")
    assert (delays.at(columns[5.5]), delays.at(columns[3.0])) == (0.8, 0.0)
    session.apply(at(9.0, LoopDelayed(delay=0.4, window=0.4)))
    assert drawn()[0][columns[8.9]] == "▅"
    delays.update(session, chain(session.runs), Clock(chain(session.runs), 10.0), Axis.window(7.0, 10.0, 30))
    assert delays.row()[-1][0] == " 0.40s"  # what is not in the window does not count
    session.apply(at(20.0, run("r2")))
    runs = chain(session.runs)
    delays.update(session, runs, Clock(runs, 21.0), axis)
    assert delays.row() == []


def test_the_cursor_and_the_mark_go_through_the_strips():
    row = crossed([("ab", "x"), ("c", "y")], [(1, "hair"), (4, "marked")])
    assert row == [("a", "x"), ("b", "x hair"), ("c", "y"), (" ", ""), (" ", " marked")]


async def test_the_cursor_tells_how_late_the_loop_was(tmp_path):
    app = played(
        tmp_path, at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a")),
        at(0.9, LoopDelayed(delay=0.5, window=0.5)), at(1.0, result("a")), at(1.0, ended()),
    )  # fmt: skip
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4", "g")
        assert "loop delay" in text_of(app)
        pane = app.pane("timeline")
        pane.point(pane.rows.axis.column(0.7))
        await shown(pilot)
        assert "event loop 0.50s late" in text_of(app)
        pane.point(pane.rows.axis.column(0.2))
        await shown(pilot)
        assert "late" not in str(pane.border_subtitle)


async def test_keys_zoom_move_and_fit_the_window():
    app = recorded("research")
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4")
        pane = app.pane("timeline")
        whole = pane.rows.axis
        await shown(pilot, "plus", "plus")
        closer = pane.rows.axis
        assert closer.span < whole.span / 2
        await shown(pilot, "left")
        assert pane.rows.axis.start < closer.start
        await shown(pilot, "0")
        assert pane.rows.axis == whole


async def test_the_cursor_tells_its_time_and_how_far_the_mark_is():
    app = recorded("research")
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4", "g", "right", "m", *["right"] * 4)
        pane = app.pane("timeline")
        reading = "".join(text for text, _ in pane.axis._row)
        assert pane.rows.hair > pane.rows.mark
        assert f"{pane.rows.hair:.3f}s Δ+" in reading
        assert "plan" in str(pane.border_subtitle)
        await shown(pilot, "L", "H", "m", "m")
        assert pane.rows.mark is None


async def wheel(pilot, view, column):
    await pilot._post_mouse_events([MouseScrollUp], view, (column, 3), 0)


async def test_the_wheel_zooms_over_bars_and_scrolls_over_names_and_a_drag_looks_closer():
    app = recorded("research")
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "4")
        pane = app.pane("timeline")
        whole, top = pane.rows.axis, pane.view.top
        await wheel(pilot, pane.view, 60)
        await pilot.pause()
        assert pane.rows.axis.span < whole.span
        await wheel(pilot, pane.view, 3)
        await pilot.pause()
        assert pane.view.top < top
        await shown(pilot, "0")
        await pilot.mouse_down(pane.view, offset=(40, 2))
        await pilot.hover(pane.view, offset=(60, 2))
        await pilot.mouse_up(pane.view, offset=(60, 2))
        await pilot.pause()
        assert pane.rows.axis.span < whole.span / 3


async def test_a_closed_fan_out_is_opened_by_right_and_closed_by_enter(tmp_path):
    app = played(tmp_path, run(), *(task("ask", id=f"ask{n}") for n in range(100)))
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4", "g")
        pane = app.pane("timeline")
        assert len(pane.rows) == 1
        await shown(pilot, "right")
        assert len(pane.rows) == 101
        await shown(pilot, "enter")
        assert len(pane.rows) == 1


async def test_the_critical_path_is_lit_and_its_shares_stand_beside_it():
    app = recorded("research")
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4", "C")
        text = text_of(app)
        assert "critical path" in text
        assert "took" in text
        await shown(pilot, "C")
        assert "critical path" not in text_of(app)


@pytest.fixture
def weighed(monkeypatch):
    """Which runs the critical path was looked for in, each time."""
    found = []
    monkeypatch.setattr(
        shares, "critical_path", lambda runs, now: found.append([r.id for r in runs]) or critical_path(runs, now)
    )
    return found


def test_the_critical_path_of_runs_that_ended_is_found_once_and_is_that_of_all(weighed, monkeypatch):
    monkeypatch.setattr(shares, "REST", 0)
    session, weighing = (
        play(task("a"), result("a"), task("b", step=2), resumed("yes"), task("a", id="a2", step=2)),
        shares.Weighing(),
    )
    for number in range(5):
        session.apply(task("b", id=f"b{number}", step=3 + number, at=session.now + 1))
        assert weighing.update(chain(session.runs), session.task_changes, session.now)
        assert weighing.path == critical_path(chain(session.runs), session.now)
    assert weighed == [["r1"], *[["r2"]] * 5]
    assert not weighing.update(chain(session.runs), session.task_changes, session.now)


def test_the_critical_path_of_a_run_that_goes_on_rests_and_is_found_at_its_end(weighed, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(shares, "monotonic", lambda: clock.__setitem__(0, clock[0] + 0.1) or clock[0])
    session, weighing = play(task("a")), shares.Weighing()
    for number in range(10):
        session.apply(task("b", id=f"b{number}", step=2 + number, at=session.now + 1))
        weighing.update(chain(session.runs), session.task_changes, session.now)
    assert len(weighed) == 2
    session.apply(replace(ended(), at=session.now + 1))
    assert weighing.update(chain(session.runs), session.task_changes, session.now)
    assert weighing.path == critical_path(chain(session.runs), session.now)


async def test_strips_are_there_where_there_is_room():
    app = recorded("research")
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot)
        assert not app.pane("timeline").has_class("-roomy")
        await shown(pilot, "4")
        assert "tok/s" in text_of(app)


@pytest.mark.parametrize("size", [(120, 36), (30, 8)])
@pytest.mark.parametrize("events", [(), (run(), task("a"))], ids=["nothing", "a task"])
async def test_every_key_works_where_there_is_little_to_see(tmp_path, events, size):
    app = played(tmp_path, *events)
    async with app.run_test(size=size) as pilot:
        await shown(pilot, "4")
        for key in (
            "plus",
            "minus",
            "0",
            "left",
            "right",
            "L",
            "H",
            "m",
            "m",
            "C",
            "C",
            "enter",
            "escape",
            "4",
            "G",
            "g",
            "up",
            "down",
        ):
            await pilot.press(key)
        await shown(pilot)
        assert app.is_running
        assert app.pane("timeline").rows.axis.columns >= 1


async def test_an_error_of_no_task_is_walked_to_and_opened_with_what_the_last_step_did(tmp_path):
    error = {**ERROR, "message": "these do not add up", "traceback": "Traceback (most recent call last):\nValueError"}
    app = played(
        tmp_path, run(), Notice(code="checkpointer", text="checkpoints are kept in memory"), task("one"), attempt("one"),
        task("two"), attempt("two"), result("one", writes={"v": 1}), result("two", writes={"v": 2}),
        ended("failed", error=error),
    )  # fmt: skip
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(pilot, "4", "exclamation_mark")
        pane = app.pane("timeline")
        assert pane.rows.run(pane.view.cursor) is app.session.run
        assert "2 of 2: ✗ ValueError: these do not add up" in text_of(app)
        await shown(pilot, "1")
        nodes = app.pane("nodes")
        assert nodes.view.cursor == nodes.steps.error_of(app.session.run) == 2
        assert nodes.spot() == pane.spot()
        await shown(pilot, "4")
        pane.view.focus()
        await shown(pilot, "enter")
        page = text_of(app)
        assert "these do not add up" in page
        assert "Traceback" in page
        assert all(f'{node}  "done, wrote v"' in page for node in ("one", "two"))

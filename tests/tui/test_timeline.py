from dataclasses import replace

import pytest

from lgwatch.filter import Filter, parse
from lgwatch.tui.timeline import Clock, TimelineRows, chain
from tests.factories import attempt, call, called, ended, interrupted, play, result, run, span_end, task, token

ERROR = {"type": "ValueError", "message": "boom", "traceback": ""}


def at(moment, event):
    return replace(event, at=moment)


def bars(session, width=80, keep=None):
    rows = TimelineRows()
    rows.update(session, keep or Filter(), session.now, width)
    return ["".join(text for text, _ in rows.row(index, width)) for index in range(len(rows))], rows


def test_a_bar_begins_and_ends_in_its_columns():
    session = play(
        at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a")), at(5.0, result("a")), at(10.0, ended()),
    )  # fmt: skip
    (bar,), rows = bars(session)
    room, columns = rows.label(80), rows.clock.columns
    assert bar[room] == "━"
    assert bar[rows.clock.column(4.9) + room] == "━"
    assert bar[rows.clock.column(5.0) + room + 1] == " "
    assert bar.index("5.00s") > room + rows.clock.column(5.0)
    assert len(bar) <= 80
    assert columns > 40


def test_inside_a_bar_are_the_silence_the_tokens_and_the_failed_attempts():
    session = play(
        at(0.001, run()), at(0.002, task("a")), at(0.003, attempt("a", 1)), at(1.0, span_end("a-1", status="error", error=ERROR)),
        at(3.0, attempt("a", 2)), at(3.0, call(1, node="a")), at(5.0, token("x", 1, node="a")), at(9.0, called(1)),
        at(10.0, result("a")), at(10.0, ended()),
    )  # fmt: skip
    (bar,), _ = bars(session, 120)
    order = [bar.index(sign) for sign in ("━", "✗", "·", "░", "▆")]
    assert order == sorted(order)
    assert "×2" in bar


def test_a_task_that_was_scheduled_and_has_not_begun_is_dotted():
    session = play(at(0.001, run()), at(0.5, task("a")), at(4.0, task("b")))
    lines, _ = bars(session)
    assert "·" in lines[0]
    assert "waiting" in lines[0]
    assert "━" not in lines[0]


def test_the_time_that_a_person_took_to_answer_is_left_out():
    session = play(
        at(0.001, run()), at(0.002, task("ask")), at(1.0, interrupted("ask")[0]), at(1.0, interrupted("ask")[1]),
        at(1.0, ended("interrupted")), at(500.0, run("r2", resume={"ask-ask": 1})), at(500.0, task("ask")), at(502.0, ended(name="r2")),
    )  # fmt: skip
    clock = Clock(chain(session), session.now, 60)
    assert clock.total == pytest.approx(3.0, abs=0.01)
    assert clock.active(300.0) == pytest.approx(1.0, abs=0.01)
    assert clock.active(501.0) == pytest.approx(2.0, abs=0.01)


def test_a_new_run_has_a_timeline_of_its_own():
    session = play(run(), task("a"), result("a"), ended(), run("r2"), task("b"))
    assert [one.id for one in chain(session)] == ["r2"]
    assert "b" in bars(session)[0][0]


@pytest.mark.parametrize("total", [0.001, 0.3, 7, 59, 600, 9000, 1e6])
@pytest.mark.parametrize("columns", [1, 8, 40, 170])
def test_an_axis_has_labels_that_do_not_touch_and_fits_its_columns(total, columns):
    session = play(at(0.001, run()), at(0.001 + total, ended()))
    clock = Clock(session.runs, session.now, columns)
    axis = clock.axis()
    assert len(axis) == columns
    assert clock.span >= clock.total
    assert 0 <= clock.column(session.now) < columns
    if columns >= 40:
        assert len(axis.split()) >= 2
        assert len(set(axis.split())) == len(axis.split())


def test_a_filter_keeps_a_bar_with_all_that_it_is_inside_of():
    session = play(task("outer"), task("inner", ns=("outer:outer",)), task("other"))
    lines, _ = bars(session, keep=parse("path:outer/inner"))
    assert len(lines) == 2


def test_a_clock_without_runs_is_none():
    clock = Clock([], 0.0, 10)
    assert not clock
    assert clock.column(5.0) == 0

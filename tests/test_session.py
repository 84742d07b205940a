"""The fold: what a session holds after the events of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lgwatch
from lgwatch.events import (
    EVENTS,
    Again,
    Event,
    GraphLoaded,
    Header,
    Interrupted,
    LoopDelayed,
    MessageChunk,
    Notice,
    Output,
    RunStarted,
    SpanStarted,
    Unknown,
    defaults,
)
from lgwatch.journal import JournalReader, encode
from lgwatch.records import OPEN, Task
from lgwatch.session import Session
from tests.factories import (
    CALL,
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
    said,
    span_end,
    task,
    token,
    update,
)

# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_is_loading_then_ready_then_what_its_newest_run_is():
    session = Session()
    assert session.status == "loading"
    session.apply(GraphLoaded(target="app:graph"))
    assert session.status == "ready"
    session.apply(run())
    assert session.status == "running"
    session.apply(ended())
    assert session.status == "done"


def test_a_run_knows_its_limit_its_step_and_how_long_it_took():
    session = play(
        run(at=1.0, config={"recursion_limit": 25}), task("a", step=3), task("in", ns=("a:a",), step=9), ended(at=4.0)
    )
    assert session.run is not None
    assert (session.run.limit, session.run.step) == (25, 3)
    assert session.run.elapsed(99.0) == pytest.approx(3.0)


def test_a_running_run_takes_until_now():
    session = play(run(at=1.0), task("a", at=5.0))
    assert session.run is not None
    assert session.run.elapsed(session.now) == pytest.approx(4.0)


def test_a_result_without_a_run_is_a_run_that_never_began():
    session = play(ended("failed", error={"type": "TargetError", "message": "no such module"}), start=False)
    assert [(one.id, one.status) for one in session.runs] == [("r1", "failed")]
    assert session.runs[0].error == {"type": "TargetError", "message": "no such module"}
    assert session.errors == [1]


def test_tasks_without_a_run_event_still_belong_to_a_run():
    session = play(task("a"), result("a"), failed("b"), start=False)
    assert [one.node for one in session.tasks()] == ["a", "b"]
    assert session.status == "running"


def test_a_lone_end_of_a_task_belongs_to_a_run_too():
    session = play(failed("b"), start=False)
    assert [one.status for one in session.tasks()] == ["failed"]


def test_events_are_counted_by_their_type():
    session = play(task("a"), custom(1, "a"), custom(2, "a"), Unknown(kind="weather", data={"sky": "blue"}))
    assert session.counts == {"run": 1, "task": 1, "custom": 2, "weather": 1}
    assert session.task("a").customs == 2


def test_notices_are_kept_with_their_line_numbers():
    session = play(Notice(code="saver", text="kept in memory"))
    assert [(seq, one.code) for seq, one in session.notices] == [(2, "saver")]


def test_delays_of_the_event_loop_are_kept_and_are_of_no_task():
    late = LoopDelayed(at=2.0, delay=0.3, window=0.5)
    session = play(task("a"), late)
    assert session.delays == [late]
    assert session.index.task_of(3) == ""
    assert session.task("a").status == "waiting"


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_scheduled_task_waits_until_its_node_is_entered():
    session = play(task("a"))
    assert session.task("a").status == "waiting"
    assert session.task("a").elapsed(session.now) == 0
    session = play(task("a", at=1.0), attempt("a", at=2.0), result("a", at=5.0))
    assert (session.task("a").started, session.task("a").began) == (1.0, 2.0)
    assert session.task("a").elapsed(99.0) == pytest.approx(3.0)


@pytest.mark.parametrize(
    "sign",
    [
        token("hi", node="a"),
        custom(1, "a"),
        Output(text="print", task="a"),
        SpanStarted(span="s", kind="tool", task="a"),
        task("in", ns=("a:a",)),
    ],
    ids=lambda event: event.type,
)
def test_a_task_that_does_anything_has_begun(sign: Event):
    assert play(task("a"), sign).task("a").status == "running"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (result("a", writes={"x": 1}), "done"),
        (failed("a"), "failed"),
        (result("a", interrupts=("i",)), "interrupted"),
        (result("a", cached=True), "cached"),
        (result("a", error={"type": "E"}, interrupts=("i",)), "failed"),
    ],
)
def test_a_result_tells_how_a_task_ended(end: Event, status: str):
    session = play(task("a"), end)
    assert session.task("a").status == status
    assert not session.task("a").open


def test_a_function_whose_result_is_known_after_a_resume_is_no_further_attempt():
    inner = ("workflow:workflow",)
    first = [task("workflow"), task("write", ns=inner), attempt("write"), result("write", ns=inner)]
    again = [task("workflow"), task("write", ns=inner), result("workflow")]
    session = play(run(), first, interrupted("workflow"), resumed(), again, ended(name="r2"))
    write = session.task("write")
    assert (write.run, write.status, write.attempts) == ("r2", "cached", 1)
    session = play(run(), first, interrupted("workflow"), resumed(), again[:2], attempt("write", 2), again[2:])
    assert (session.task("write").status, session.task("write").attempts) == ("done", 2)


def test_a_cached_task_is_closed_by_its_update():
    session = play(task("a"), update("a", {"x": 1}), result("a", writes={"x": 1}, cached=True), ended())
    assert (session.task("a").status, session.task("a").closed_by, session.task("a").wrote) == ("cached", "", ("x",))


def test_an_update_that_is_stored_elsewhere_names_no_keys():
    session = play(task("a"), update("a", {"x": 1, "y": 2}), result("a", writes={"$ref": "v1"}))
    assert session.task("a").wrote == ("x", "y")


def test_a_retry_is_another_attempt_of_the_same_task():
    error = {"type": "ConnectionError", "message": "flaky"}
    session = play(
        task("a"), attempt("a", 1), span_end("a-1", status="error", error=error), attempt("a", 2), span_end("a-2"),
        result("a"),
    )  # fmt: skip
    assert session.task("a").attempts == 2
    assert [span.status for span in session.task("a").spans] == ["error", "ok"]
    assert session.errors == [4]


def test_a_resumed_task_counts_a_second_attempt():
    session = play(task("ask"), interrupted("ask"), resumed(), task("ask"))
    assert session.task("ask").attempts == 2
    assert session.task("ask").status == "waiting"


def test_an_attempt_that_is_told_before_its_task_is_its_tasks():
    session = play(attempt("a"), task("a"), result("a"))
    assert [span.id for span in session.task("a").spans] == ["a-1"]
    assert (session.task("a").attempts, session.task("a").began) == (1, pytest.approx(0.2))


def test_an_attempt_after_a_resume_that_is_told_early_belongs_to_the_new_visit():
    session = play(task("ask"), attempt("ask", 1), interrupted("ask"), resumed(), attempt("ask", 2), task("ask"))
    first, second = session.tasks()
    assert [[span.id for span in one.spans] for one in (first, second)] == [["ask-1"], ["ask-2"]]
    assert (first.attempts, second.attempts) == (1, 2)


def test_attempts_add_up_over_retries_and_visits():
    session = play(
        task("ask"), attempt("ask", 1), span_end("ask-1", status="error"), attempt("ask", 2), interrupted("ask"),
        resumed(), task("ask"), attempt("ask", 3),
    )  # fmt: skip
    assert session.task("ask").attempts == 3


def test_to_go_on_after_an_answer_is_no_retry():
    session = play(
        task("ask"), attempt("ask", 1), span_end("ask-1", status="error"), attempt("ask", 2), interrupted("ask"),
        resumed(), task("ask"), attempt("ask", 3),
    )  # fmt: skip
    assert [one.tries for one in session.tasks()] == [2, 1]
    session = play(task("a"), attempt("a", 1), failed("a"), task("a"), attempt("a", 2))
    assert session.task("a").tries == 2


def test_a_second_visit_in_the_same_run_counts_too_and_starts_afresh():
    session = play(task("a"), attempt("a", 1), failed("a"), task("a"), attempt("a", 2))
    assert session.task("a").attempts == 2
    assert (session.task("a").status, session.task("a").error, session.task("a").ended) == ("running", None, None)


def test_each_run_keeps_its_own_visit_of_a_resumed_task():
    session = play(task("ask"), interrupted("ask"), resumed(), task("ask"), result("ask"), ended(name="r2"))
    assert [[one.status for one in each.tasks.values()] for each in session.runs] == [["interrupted"], ["done"]]


def test_an_error_handlers_task_has_an_end_and_no_start():
    session = play(task("a"), failed("a"), result("__error_handler__a", writes={"x": 1}), ended())
    handler = session.task("__error_handler__a")
    assert (handler.status, handler.wrote, handler.elapsed(9.0)) == ("done", ("x",), 0)


def test_an_error_handler_took_as_long_as_its_attempt():
    session = play(task("a"), failed("a"), attempt("h", at=1.0), span_end("h-1", at=3.0), result("h", at=3.0))
    assert session.task("h").elapsed(9.0) == pytest.approx(2.0)


def test_an_error_handler_inside_a_subgraph_is_inside_its_task():
    session = play(task("sub"), failed("__error_handler__a", ns=("sub:sub",)))
    assert session.task("sub").children == [session.task("__error_handler__a")]


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_namespace_tree_is_the_task_tree():
    session = play(task("sub"), task("inner", ns=("sub:sub",)), task("leaf", ns=("sub:sub", "inner:inner")))
    leaf = session.task("leaf")
    assert (leaf.path, leaf.depth) == ("sub/inner/leaf", 2)
    assert leaf.parent is session.task("inner")
    assert session.task("sub").children == [session.task("inner")]


def test_a_second_graph_inside_one_task_has_a_bare_number_and_the_same_parent():
    session = play(task("par"), task("x", ns=("par:par",)), task("y", ns=("par:par", "1")))
    assert [child.path for child in session.task("par").children] == ["par/x", "par/y"]
    assert session.task("y").depth == 1


def test_a_task_is_found_by_id_by_node_and_by_path():
    session = play(task("sub", id="1"), task("a", id="2", ns=("sub:1",)), task("a", id="3", ns=("sub:1",)))
    assert session.task("2").id == "2"
    assert session.task("a").id == session.task("sub/a").id == "3"
    with pytest.raises(KeyError):
        session.task("nobody")


# ── tasks without a result ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_parents_end_closes_what_is_inside_of_it():
    session = play(task("sub"), task("a", ns=("sub:sub",)), task("b", ns=("sub:sub", "a:a")), result("sub"))
    for name in ("a", "b"):
        assert (session.task(name).status, session.task(name).closed_by) == ("done", "parent")
    assert session.task("sub").closed_by == ""


@pytest.mark.parametrize(
    ("status", "left"),
    [("done", "done"), ("interrupted", "interrupted"), ("failed", "cancelled"), ("stopped", "cancelled"),
     ("crashed", "cancelled")],
)  # fmt: skip
def test_a_runs_end_closes_the_rest(status: str, left: str):
    session = play(task("a"), attempt("a"), call(node="a"), token("ha", node="a"), ended(status))
    one = session.task("a")
    assert (one.status, one.closed_by) == (left, "run")
    assert all(span.ended is not None for span in one.spans)
    assert all(message.finished for message in session.messages.values())


def test_a_result_after_the_parents_end_is_believed():
    session = play(task("sub"), task("a", ns=("sub:sub",)), result("sub"), failed("a", ns=("sub:sub",)))
    assert (session.task("a").status, session.task("a").closed_by) == ("failed", "")


def test_a_cancelled_task_whose_last_attempt_failed_is_a_failed_task():
    error = {"type": "TimeoutError", "message": ""}
    session = play(task("a"), attempt("a"), span_end("a-1", status="error", error=error), ended("failed"))
    assert (session.task("a").status, session.task("a").error) == ("failed", error)


def test_a_task_that_was_stopped_in_the_middle_is_cancelled_and_no_error() -> None:
    stopped = {"type": "asyncio.CancelledError", "message": "", "traceback": ""}
    session = play(
        task("a"), attempt("a"), call(1, node="a"), token("Hel", 1, node="a"), called(1, status="error", error=stopped),
        span_end("a-1", status="error", error=stopped), task("b"), result("b", error=stopped), ended("stopped"),
    )  # fmt: skip
    assert [session.task(name).status for name in "ab"] == ["cancelled", "cancelled"]
    assert [one.status for one in session.messages.values()] == ["cut"]
    assert session.errors == []


def test_messages_that_go_on_after_their_end_are_told_of_newest_first() -> None:
    session = play(
        task("a"), token("Hel", 1, node="a"), token("Wor", 2, node="a"), result("a"), token("lo", 1, node="a"),
        token("ld", 2, node="a"), token("!", 1, node="a"),
    )  # fmt: skip
    first, second = session.message_list
    assert [one.text for one in (first, second)] == ["Hello!", "World"]
    assert list(session.late_messages(-1)) == [first, second]
    assert list(session.late_messages(second.last_seq)) == [first]
    assert list(session.late_messages(first.last_seq)) == []


def test_why_a_model_stopped_stands_at_its_call() -> None:
    session = play(task("a"), call(1, node="a"), token("x", 1, node="a"), called(1, output={"finish_reason": "length"}))
    assert session.message_list[0].span is not None
    assert session.message_list[0].span.finish == "length"


def test_a_task_that_is_cancelled_while_it_tries_again_is_no_failed_task():
    session = play(task("a"), attempt("a"), span_end("a-1", status="error"), attempt("a", 2), ended("stopped"))
    assert session.task("a").status == "cancelled"


def test_spans_and_messages_that_begin_after_their_tasks_end_are_closed_by_the_run():
    session = play(task("a"), result("a"), call(node="a"), token("late", node="a"), ended())
    assert session.task("a").spans[0].ended is not None
    assert all(message.finished for message in session.messages.values())
    assert session.task("a").status == "done"


def test_spans_and_messages_of_no_task_are_closed_by_the_run():
    session = play(call(node=""), token("who?", node=""), ended("failed"))
    found = session.span(CALL.format(1))
    assert found is not None
    assert (found.status, [one.status for one in session.messages.values()]) == ("cancelled", ["cut"])


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("begins", [task("a"), ended("crashed", "r9")], ids=["task", "run"])
def test_chunks_told_in_brief_are_of_the_run_that_goes_on(begins: Event):
    def runs(brief: bool) -> list[str]:
        session, like = Session(), token("a", at=0.1)
        for event in (like, token("b", at=0.2), replace(begins, at=0.3), token("c", at=0.4)):
            short = brief and isinstance(event, MessageChunk) and event is not like
            session.apply(Again(at=event.at, like=like, text=event.text) if short else event)
        return [session.index.facet_of(seq).run for seq in range(1, len(session.index))]

    assert runs(brief=True) == runs(brief=False)
    assert runs(brief=True)[-1]


def test_chunks_add_up_to_a_message():
    session = play(task("writer"), token("Hel"), token("lo"), token(last=True))
    (message,) = session.messages.values()
    assert (message.text, message.status, message.chunks) == ("Hello", "done", 2)
    assert session.messages_of("writer") == session.message_list == [message]


@pytest.mark.parametrize("form", ["lc_run--{}", "run--{}", "{}", "run--{}-0"])
def test_a_message_is_joined_with_its_call_by_the_run_id(form: str):
    session = play(task("writer"), call(1), call(2), token("hi", message=form.format(CALL.format(2))))
    (message,) = session.messages.values()
    assert message.span is session.span(CALL.format(2))
    assert message.model == "gpt-4o"


def test_a_message_with_an_id_of_its_own_is_of_the_one_open_call():
    session = play(task("writer"), call(1), called(1), call(2), token("hi", message="msg_01X"))
    assert session.messages["msg_01X"].span is session.span(CALL.format(2))


def test_with_two_open_calls_a_foreign_id_tells_nothing():
    session = play(task("writer"), call(1), call(2), token("hi", message="msg_01X"))
    assert session.messages["msg_01X"].span is None


def test_two_foreign_ids_do_not_share_a_call():
    session = play(task("writer"), call(1), token("a", message="m1"), call(2), token("b", message="m2"))
    assert [one.span.id for one in session.message_list if one.span] == [CALL.format(1), CALL.format(2)]


def test_a_human_message_comes_from_no_call():
    session = play(task("writer"), call(1), said("hello", role="human"))
    assert session.messages["m1"].span is None


def test_the_first_token_is_measured_from_the_calls_start():
    session = play(task("writer"), call(1, at=2.0), token(at=2.2), token("Hi", at=2.5), token(" you", at=3.0))
    (message,) = session.messages.values()
    assert message.first_token_after() == pytest.approx(0.5)
    assert message.span is not None
    assert message.span.first_token == 2.5
    assert message.rate() == pytest.approx(2.0)
    assert session.rate() == pytest.approx(2.0)


def test_without_a_call_the_time_to_the_first_token_is_not_known():
    session = play(task("writer"), token("hi"))
    assert session.message_list[0].first_token_after() is None
    assert session.message_list[0].rate() == 0


def test_a_stream_that_has_gone_silent_has_no_rate_and_says_for_how_long():
    session = play(task("writer"), token("a", at=1.0), token("b", at=2.0))
    (message,) = session.message_list
    assert (message.silent(2.5), session.rate(2.5)) == (0, 1)
    assert (message.silent(9.0), session.rate(9.0)) == (7.0, 0)
    session.apply(token("", last=True, at=20.0))
    assert message.silent(30.0) == 0
    assert message.rate(30.0) == 1


def test_a_call_that_has_not_said_anything_for_long_is_told():
    session = play(task("writer"), call(1, at=1.0))
    assert session.silent_calls(2.0) == []
    ((found, span),) = session.silent_calls(9.0)
    assert (found.node, 9.0 - span.started) == ("writer", 8.0)
    session.apply(token("At last", at=9.5))
    assert session.silent_calls(20.0) == []


def test_what_streams_and_what_is_silent_is_found_without_a_look_at_each_task(monkeypatch: pytest.MonkeyPatch):
    over = [event for number in range(500) for event in (task("a", id=f"a{number}"), result("a", id=f"a{number}"))]
    session = play(*over, task("writer"), call(1))
    asked: list[Task] = []
    monkeypatch.setattr(Task, "open", property(lambda one: asked.append(one) or one.status in OPEN))
    assert [found.node for found, _ in session.silent_calls(session.now + 9)] == ["writer"]
    assert session.rate() == 0
    assert len(asked) < 10


def test_what_is_open_are_the_newest_runs_tasks_in_their_order():
    session = play(task("left"), task("a"), task("b"), result("a"), task("a", step=2))
    assert [one.id for one in session._open_tasks()] == ["left", "a", "b"]
    session.apply(run("r2"))
    session.apply(task("c"))
    assert [one.id for one in session._open_tasks()] == ["c"]


def test_what_came_in_one_burst_has_no_rate():
    session = play(task("writer"), token("a", at=1.0), token("b", at=1.001), token("c", at=1.002))
    assert session.message_list[0].rate() == 0
    session.apply(token("d", at=2.0))
    assert session.message_list[0].rate() == pytest.approx(3.0)


def test_a_finished_message_streams_no_more():
    session = play(task("writer"), token("a", at=1.0), token("b", at=2.0), token("", last=True))
    assert session.rate() == 0


def test_a_failed_call_leaves_half_a_message():
    session = play(task("writer"), call(), token("Once upon"), called(status="error"))
    assert (session.message_list[0].status, session.message_list[0].text) == ("failed", "Once upon")


def test_a_call_ends_its_message_where_no_chunk_is_marked_as_the_last():
    session = play(task("writer"), call(), token("Hi"), called())
    assert session.message_list[0].status == "done"


# usage


def test_usage_is_summed_over_chunks():
    session = play(
        task("writer"), call(),
        token("a", usage={"input_tokens": 9}), token("b", usage={"output_tokens": 3, "tier": "x"}),
        token("c", usage={"output_tokens": 2}, last=True),
    )  # fmt: skip
    assert session.message_list[0].usage == {"input_tokens": 9, "output_tokens": 5, "tier": "x"}
    assert (session.tokens_in, session.tokens_out) == (9, 5)
    assert session.message_list[0].tokens == (5, True)


def test_a_calls_usage_counts_where_the_chunks_had_none():
    session = play(task("writer"), call(), token("a"), called(usage={"input_tokens": 9, "output_tokens": 5}))
    assert session.message_list[0].tokens == (5, True)
    assert (session.tokens_in, session.tokens_out) == (9, 5)


def test_a_calls_usage_is_not_counted_a_second_time():
    usage = {"input_tokens": 9, "output_tokens": 5}
    session = play(task("writer"), call(), token("a", usage=usage), called(usage=usage))
    assert (session.tokens_in, session.tokens_out) == (9, 5)


def test_chunks_that_arrive_after_their_calls_end_are_not_counted_again():
    usage = {"input_tokens": 9, "output_tokens": 5}
    session = play(task("writer"), call(), token("a"), called(usage=usage), token("b", usage=usage, last=True))
    assert (session.tokens_in, session.tokens_out) == (9, 5)
    session = play(task("writer"), call(), called(usage=usage), token("ab", usage=usage, whole=True, last=True))
    assert (session.tokens_in, session.tokens_out) == (9, 5)
    assert session.message_list[0].tokens == (5, True)


def test_a_call_that_no_message_tells_of_counts_too():
    session = play(task("writer"), call(), called(usage={"input_tokens": 9, "output_tokens": 5}))
    assert (session.tokens_in, session.tokens_out) == (9, 5)


def test_without_usage_the_chunks_are_counted_and_said_to_be():
    session = play(task("writer"), token("a"), token("b"), token(last=True))
    assert session.message_list[0].tokens == (2, False)


# parts


def test_the_pieces_of_a_tool_call_are_merged_by_index():
    session = play(
        task("writer"),
        token(kind="tool_call", tool_call={"index": 0, "id": "c1", "name": "search"}),
        token('{"q":', kind="tool_call", tool_call={"index": 0, "id": None, "name": None}),
        token('"cats"}', kind="tool_call", tool_call={"index": 0}),
    )
    (part,) = session.message_list[0].parts
    assert part.text == '{"q":"cats"}'
    assert part.tool_call == {"index": 0, "id": "c1", "name": "search"}
    assert session.message_list[0].tools == ("search",)


def test_two_tool_calls_stay_two_also_when_they_alternate():
    session = play(
        task("writer"),
        *(
            token(text, kind="tool_call", tool_call={"index": index, "name": name})
            for index, name, text in [(0, "add", "[1"), (1, "sub", "[3"), (0, "", ",2]"), (1, "", ",4]")]
        ),
    )
    assert [part.text for part in session.message_list[0].parts] == ["[1,2]", "[3,4]"]
    assert session.message_list[0].tools == ("add", "sub")


def test_calls_with_the_same_index_and_other_ids_are_two():
    session = play(
        task("writer"),
        token("{}", kind="tool_call", tool_call={"index": 0, "id": "c1", "name": "add"}),
        token("{}", kind="tool_call", tool_call={"index": 0, "id": "c2", "name": "sub"}),
    )
    assert session.message_list[0].tools == ("add", "sub")


def test_a_tool_call_goes_on_after_a_text_in_between():
    session = play(
        task("writer"),
        token("[1", kind="tool_call", tool_call={"index": 0, "name": "add"}),
        token("Well."),
        token(",2]", kind="tool_call", tool_call={"index": 0}),
    )
    assert [(part.kind, part.text) for part in session.message_list[0].parts] == [
        ("tool_call", "[1,2]"), ("text", "Well."),
    ]  # fmt: skip


def test_folding_does_not_change_the_event():
    event = token(kind="tool_call", tool_call={"index": 0, "name": "add"})
    play(task("writer"), event, token("x", kind="tool_call", tool_call={"index": 0, "id": "c1"}))
    assert event.tool_call == {"index": 0, "name": "add"}


def test_reasoning_and_text_are_parts_in_the_order_in_which_they_came():
    session = play(
        task("writer"),
        token("Hm", kind="reasoning"), token("m.", kind="reasoning"), token("Yes"), token("!"),
        token("Or?", kind="reasoning"),
    )  # fmt: skip
    message = session.message_list[0]
    assert [(part.kind, part.text) for part in message.parts] == [
        ("reasoning", "Hmm."), ("text", "Yes!"), ("reasoning", "Or?"),
    ]  # fmt: skip
    assert message.text == "Yes!"


def test_each_tool_result_is_a_part_of_its_own():
    session = play(
        task("tools"), said("4", node="tools", role="tool", kind="tool_result", name="add", tool_call={"id": "c1"})
    )
    (part,) = session.messages["m1"].parts
    assert (part.kind, part.text, session.messages["m1"].tools) == ("tool_result", "4", ("add",))


# repeats


def test_a_rewrapped_message_is_marked_as_a_repetition():
    session = play(task("writer"), call(), token("Hel"), token("lo", last=True), called(), said("Hello"))
    assert session.messages["m1"].repeats == session.message_list[0].id
    assert session.message_list[0].repeats == ""


def test_a_message_that_was_ended_by_its_call_is_repeated_too():
    session = play(task("writer"), call(), token("Hello"), called(), said("Hello"))
    assert session.messages["m1"].repeats


@pytest.mark.parametrize(
    "other",
    [said("Hello!"), said("Hello", role="human"), said("Hello", node="critic"), said("")],
    ids=["text", "role", "task", "empty"],
)
def test_what_differs_is_no_repetition(other: MessageChunk):
    session = play(task("writer"), task("critic"), token("Hello", last=True), other)
    assert session.messages["m1"].repeats == ""


def test_the_same_text_after_a_resume_is_no_repetition():
    session = play(
        task("ask"), said("Shall I?", node="ask"), interrupted("ask"), resumed({"ask-ask": "yes"}),
        task("ask"), said("Shall I?", node="ask", message="m2"),
    )  # fmt: skip
    assert session.messages["m2"].repeats == ""


def test_tags_and_models_of_messages_are_their_tasks_too():
    session = play(
        task("writer"), token("a", 1, tags=("draft", "x"), model="m-1"), token("b", 2, tags=("x", "y"), model="m-2")
    )
    assert session.task("writer").tags == ("draft", "x", "y")
    assert session.task("writer").models == ("m-1", "m-2")
    assert session.task("writer").messages == 2


def test_five_thousand_returned_messages_are_folded_without_comparing_each_with_each():
    session = Session()
    for number in range(5_000):
        session.apply(said(f"line {number % 2_500}", message=f"m{number}"))
    assert session.messages["m2500"].repeats == "m0"
    assert sum(bool(one.repeats) for one in session.message_list) == 2_500


# ── interrupts and checkpoints ───────────────────────────────────────────────────────────────────────────────────────


def test_nobody_waits_while_a_run_goes_on():
    session = play(task("ask"), interrupted("ask"))
    assert session.waiting == []
    session.apply(ended("interrupted"))
    assert [(one.id, one.value, one.path) for one in session.waiting] == [("ask-ask", "go on?", "ask")]


def test_an_answer_ends_the_waiting():
    session = play(task("ask"), interrupted("ask"), resumed({"ask-ask": {"ok": True}}), ended("interrupted", "r2"))
    assert session.waiting == []
    assert session.interrupts["ask-ask"].answer == {"ok": True}


def test_an_interrupt_that_got_no_answer_still_waits():
    session = play(
        task("a"), task("b"), interrupted("a"), interrupted("b"), resumed({"ask-a": 1}), ended("interrupted", "r2")
    )
    assert [one.id for one in session.waiting] == ["ask-b"]


def test_an_interrupt_that_is_asked_again_waits_again():
    session = play(
        task("a"), interrupted("a"), resumed({"ask-a": "x"}), task("a"), interrupted("a"), ended("interrupted", "r2")
    )
    assert [one.id for one in session.waiting] == ["ask-a"]


@pytest.mark.parametrize(
    "anew",
    [run("r2", input={"x": 1}), run("r2", fork="1f0a"), run("r2", thread="2", input={})],
    ids=["input", "fork", "thread"],
)
def test_a_run_that_begins_anew_makes_old_questions_moot(anew: RunStarted):
    session = play(task("a"), interrupted("a"), ended("interrupted"), anew, ended("interrupted", "r2"))
    assert session.waiting == []
    assert session.interrupts["ask-a"].answer is None


def test_a_breakpoint_waits_until_the_run_goes_on():
    stop = Interrupted(interrupt="breakpoint:b", node="b")
    session = play(task("a"), result("a"), stop, ended("interrupted"))
    assert [one.breakpoint for one in session.waiting] == [True]
    session = play(task("a"), result("a"), stop, resumed(), ended("interrupted", "r2"))
    assert session.waiting == []


def test_checkpoints_are_kept_in_order_with_their_line_numbers():
    session = play(checkpoint("c1", step=-1, source="input", next=("a",)), checkpoint("c2", parent="c1", ns=("sub:1",)))
    assert [(one.id, one.parent, one.step, one.seq) for one in session.checkpoints] == [
        ("c1", None, -1, 2),
        ("c2", "c1", 0, 3),
    ]
    assert session.checkpoints[1].ns == ("sub:1",)


# ── the fold is total, and the same however the events arrive ────────────────────────────────────────────────────────

names = st.sampled_from(["", "a", "b", "c"])
at = st.floats(0, 100)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b", "$ref"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "$ref", "index", "id", "name", "recursion_limit", "input_tokens", "output_tokens"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
_BY_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "at": at,
    "delay": at,
    "window": at,
    "ns": st.lists(st.sampled_from(["a:a", "b:b", "1", ":", "c"]), max_size=3).map(tuple),
    "kind": st.sampled_from(["text", "tool_call", "tool_result", "reasoning", "other", "node", "llm", "tool", ""]),
    "status": st.sampled_from(["done", "ok", "error", "failed", "interrupted", "crashed", "?"]),
    "interrupt": st.sampled_from(["a", "breakpoint:a"]),
    "role": st.sampled_from(["ai", "human"]),
    "message": st.sampled_from(["a", "run--b", "lc_run--c", ""]),
}


def _values(name: str, default: Any) -> st.SearchStrategy[Any]:
    if name in _BY_FIELD:
        return _BY_FIELD[name]
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(-3, 9)
    if isinstance(default, str):
        return names
    if isinstance(default, tuple):
        return st.lists(names, max_size=2).map(tuple)
    if isinstance(default, list):
        return st.just([])
    if name in ("error", "usage", "tool_call"):
        return st.none() | st.dictionaries(
            st.sampled_from(["index", "id", "name", "input_tokens", "output_tokens"]), json
        )
    if name in ("parent", "fork"):
        return st.none() | names
    return json


anything: st.SearchStrategy[Event] = st.one_of(
    *(
        st.builds(cls, **{name: _values(name, default) for name, default in defaults(cls).items()})
        for cls in EVENTS.values()
    ),
    st.builds(Unknown, at=at, kind=names, data=st.dictionaries(names, json, max_size=2)),
)


def dump(thing: Any, seen: dict[int, int]) -> Any:
    """Everything that is reachable from a session, as plain values; what was met before, as its number."""
    if isinstance(thing, (str, int, float, bytes, type(None))):
        return thing
    if id(thing) in seen:
        return f"#{seen[id(thing)]}"
    seen[id(thing)] = len(seen)
    if isinstance(thing, dict):
        return {repr(key): dump(value, seen) for key, value in thing.items()}
    if isinstance(thing, Iterable):
        return [dump(one, seen) for one in thing]
    if is_dataclass(thing):
        return {one.name: dump(getattr(thing, one.name), seen) for one in fields(thing)}
    return dump(vars(thing), seen)


def records(session: Session) -> Any:
    """Everything that people see of a session."""
    look(session)
    return dump(
        {
            "runs": session.runs, "messages": session.messages, "checkpoints": session.checkpoints,
            "interrupts": session.interrupts, "errors": session.errors, "counts": session.counts,
            "tokens": (session.tokens_in, session.tokens_out), "now": session.now,
            "at": session.index.at, "facet": [session.index.facet_of(seq) for seq in range(len(session.index))],
            "task": [session.index.task_of(seq) for seq in range(len(session.index))],
        },
        {},
    )  # fmt: skip


def look(session: Session) -> None:
    """Ask whatever a pane asks."""
    assert session.status
    assert isinstance(session.rate(), float | int)
    newest = session.run.tasks.values() if session.run is not None and session.run.status == "running" else ()
    assert list(session._open_tasks()) == [one for one in newest if one.open]
    assert all(one.id in session.interrupts for one in session.waiting)
    for one in session.tasks():
        assert (one.attempts >= 1, one.depth >= 0, one.elapsed(session.now) >= 0) == (True, True, True), one
        assert isinstance(one.path, str)
        assert session.messages_of(one.id) is not None
    for message in session.messages.values():
        assert isinstance(message.text, str)
        assert message.tokens[0] >= 0 or message.usage
        assert message.rate() is not None
        assert message.tools is None or all(message.tools)
        message.first_token_after()


@settings(max_examples=100, deadline=None)
@given(st.lists(anything, max_size=30))
def test_no_sequence_of_events_makes_the_fold_raise(events: list[Event]):
    session = Session()
    for seq, event in enumerate(events, 1):
        assert session.apply(event) == seq
        look(session)
    session.apply(ended(at=200.0))
    if session.run is not None and session.run.id == "r1":
        assert not any(one.open for one in session.run.tasks.values())


@settings(max_examples=40, deadline=None)
@given(events=st.lists(anything, max_size=25), cut=st.integers(0, 5000))
def test_a_file_read_in_two_halves_gives_the_same_session(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], cut: int
):
    path: Path = tmp_path_factory.mktemp("halves") / "run.jsonl"
    head, lines = b'{"lgwatch":1,"target":"app:graph"}\n', b"".join(map(encode, events))
    path.write_bytes(head + lines[:cut])
    reader = JournalReader(path)
    session = Session(reader.header)
    for event in reader.poll():
        session.apply(event)
    with path.open("ab") as file:
        file.write(lines[cut:])
    for event in reader.poll():
        session.apply(event)
    reader.close()
    assert records(session) == records(lgwatch.read_journal(path))
    path.unlink()


pieces = st.builds(
    token, st.sampled_from(["", "a", 'b"\\n', "\u00e9"]), st.integers(1, 2), node=st.sampled_from(["a", "b"]),
    kind=st.sampled_from(["text", "text", "text", "reasoning", "other"]), last=st.sampled_from([False] * 9 + [True]),
    usage=st.sampled_from([None] * 9 + [{"output_tokens": 2}]), at=st.floats(0, 100),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(*[pieces] * 6, anything), max_size=60), st.integers(0, 60), st.booleans(), st.booleans())
def test_what_is_told_in_brief_gives_the_same_session(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], cut: int, first: bool, then: bool
):
    path: Path = tmp_path_factory.mktemp("brief") / "run.jsonl"
    path.write_bytes(b'{"lgwatch":1,"target":"app:graph"}\n' + b"".join(map(encode, events[:cut])))
    reader = JournalReader(path)
    session = Session(reader.header)
    for event in reader.poll(brief=first):
        session.apply(event)
    with path.open("ab") as file:
        file.write(b"".join(map(encode, events[cut:])))
    for event in reader.poll(brief=then):
        session.apply(event)
    reader.close()
    assert records(session) == records(lgwatch.read_journal(path))
    path.unlink()


def test_a_session_knows_the_journals_header():
    assert Session(Header(target="app:graph")).header.target == "app:graph"
    assert Session().header == Header()


def test_a_notice_that_comes_over_and_over_is_kept_so_many_times(monkeypatch):
    monkeypatch.setattr("lgwatch.session.REPEATED", 3)
    session = play(run(), (Notice(code="blocked", text=str(n)) for n in range(10)), Notice(code="lost"), start=False)
    assert [notice.code for _, notice in session.notices] == ["blocked"] * 3 + ["lost"]
    assert session.counts["notice"] == 11

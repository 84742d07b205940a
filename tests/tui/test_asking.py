"""What the screen asks for and what it is told: input, answers, stops."""

from lgwatch.events import GraphLoaded, Interrupted, Notice, Output
from lgwatch.sources import RunRequest
from lgwatch.tui.pages.inspector import Inspector
from tests.factories import (
    call,
    called,
    checkpoint,
    custom,
    ended,
    interrupted,
    result,
    run,
    task,
    token,
)  # fmt: skip
from tests.tui.stage import bar, drawn, pane_text, played, shown, text_of, until, write

SIZE = (120, 36)
STORY = [
    run(), task("writer"), call(1), token("Cats are ", 1, tags=("joke",)), token("soft.", 1, tags=("joke",)),
    called(1), custom({"progress": 1}, "writer"), result("writer", writes={"joke": "…"}),
    task("critic", step=2), call(2, node="critic"), token("Dogs are loud.", 2, node="critic", tags=("poem",)), called(2),
    custom({"progress": 2}, "critic"), Output(text="a print", task="critic", node="critic"),
    checkpoint("c1", step=1, values={"joke": "soft", "n": 1}),
]  # fmt: skip


# ── input and control ────────────────────────────────────────────────────────────────────────────────────────────────

CHAT = GraphLoaded(target="x", input_schema={"type": "object", "properties": {"messages": {"type": "array"}}})
FORM = GraphLoaded(
    target="x",
    input_schema={
        "type": "object", "required": ["topic", "n"],
        "properties": {"topic": {"type": "string"}, "n": {"type": "integer"}},
    },
)  # fmt: skip


async def test_a_graph_that_needs_input_asks_for_it(tmp_path):
    app = played(tmp_path, CHAT, Notice(code="needs_input", text="the graph needs input: messages"))
    app.request = RunRequest()
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await until(pilot, lambda: app.prompt.purpose == "input")
        assert "the graph needs input" in bar(app, "tabs")
        await shown(pilot, "'hello", "enter")
        request = app.source.asked[-1][1]
        assert (request.message, request.has_input) == ("hello", False)
        assert not app.prompt.purpose


async def test_json_input_is_checked_by_the_schema_and_an_error_keeps_the_text(tmp_path):
    app = played(tmp_path, FORM, run(thread="t9"), ended())
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "i", "'" + '{"topic": "cats", "n": "x"}', "enter")
        assert app.prompt.input.value == '{"topic": "cats", "n": "x"}'
        assert "n: 'x' is not of type 'integer'" in bar(app, "keys")
        assert [name for name, _ in app.source.asked] == ["start"]
        await shown(pilot, *["backspace"] * 4, "'3}", "enter")
        request = app.source.asked[-1][1]
        assert (request.input, request.has_input) == ({"topic": "cats", "n": 3}, True)
        assert request.thread == "t9"


async def test_r_runs_the_same_input_on_a_new_thread(tmp_path):
    app = played(tmp_path, run(thread="t9"), ended())
    app.request = RunRequest(input={"a": 1}, has_input=True, thread="t9")
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "r")
        first, again = (request for _, request in app.source.asked)
        assert again.input == first.input == {"a": 1}
        assert (first.thread, again.thread) == ("t9", None)


async def test_r_does_nothing_while_the_run_goes_on(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "r")
        assert len(app.source.asked) == 1
        assert "the run goes on" in text_of(app)


async def test_ctrl_x_goes_down_the_ladder_and_says_what_comes_next(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        words = []
        for _ in range(4):
            await shown(pilot, "ctrl+x")
            words.append(text_of(app))
        assert [name for name, _ in app.source.asked] == ["start", *["stop"] * 4]
        for said_, word in zip(words, ("stopping after", "cancelling", "terminating", "killed"), strict=True):
            assert word in said_


async def test_q_asks_while_a_run_goes_on(tmp_path):
    app = played(tmp_path, *STORY)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, "q")
        assert app.is_running
        assert "q again stops it and leaves" in text_of(app)
        await pilot.press("q")
        await until(pilot, lambda: app._exit)


async def test_q_leaves_at_once_when_nothing_runs(tmp_path):
    app = played(tmp_path, run(), ended())
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await pilot.press("q")
        await until(pilot, lambda: app._exit)


# ── interrupts ───────────────────────────────────────────────────────────────────────────────────────────────────────

NESTED = [
    run(), task("sales"), task("legal"), task("approve", ns=("sales:sales",)), task("sign", ns=("legal:legal",)),
    *interrupted("approve", {"action": "send", "to": "a@b.c"}, id="i1", ns=("sales:sales",)),
    *interrupted("sign", "sign here?", id="i2", ns=("legal:legal",)), ended("interrupted"),
]  # fmt: skip


async def test_an_interrupt_is_announced_and_answered_with_text(tmp_path):
    app = played(tmp_path, run(), task("ask"), interrupted("ask", "go on?", id="i1"), ended("interrupted"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert app.screen.has_class("-waiting")
        assert "INTERRUPTED" in bar(app, "header")
        assert "waiting for you: press i" in bar(app, "tabs")
        assert "Interrupt · ask" in app.question.border_title
        assert "go on?" in text_of(app)
        await shown(pilot, "i", "'yes", "enter")
        assert app.source.asked[-1] == ("resume", {"i1": "yes"})
        assert not app.question.has_class("-on")


async def test_enter_answers_too_and_json_is_json(tmp_path):
    app = played(tmp_path, run(), task("ask"), interrupted("ask", "go on?", id="i1"), ended("interrupted"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "enter", "'" + '{"ok": true}', "enter")
        assert app.source.asked[-1] == ("resume", {"i1": {"ok": True}})


async def test_interrupts_of_nested_graphs_are_answered_one_after_the_other_by_id(tmp_path):
    app = played(tmp_path, *NESTED)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "2 waiting for you" in bar(app, "tabs")
        assert "1 of 2 · sales/approve" in app.question.border_title
        await shown(pilot, "i", "'accept", "enter")
        assert "2 of 2 · legal/sign" in app.question.border_title
        assert app.prompt.purpose == "answer"
        assert "sign here?" in text_of(app)
        await shown(pilot, "'no", "enter")
        assert app.source.asked[-1] == ("resume", {"i1": "accept", "i2": "no"})


async def test_an_empty_answer_skips_a_question_and_the_others_are_sent(tmp_path):
    app = played(tmp_path, *NESTED)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "i", "enter", "'no", "enter")
        assert app.source.asked[-1] == ("resume", {"i2": "no"})


async def test_escape_puts_a_question_aside_before_anything_is_typed(tmp_path):
    app = played(tmp_path, run(), task("ask"), *interrupted("ask", "Send it?"), ended("interrupted"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await until(pilot, lambda: app.question.has_class("-on"))
        await shown(pilot, "escape")
        assert not app.question.has_class("-on")
        await shown(pilot, "i")
        assert app.question.has_class("-on")
        assert app.prompt.purpose == "answer"


async def test_escape_lets_one_look_around_and_keeps_what_was_answered(tmp_path):
    app = played(tmp_path, *NESTED)
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "i", "'accept", "enter", "escape")
        assert not app.question.has_class("-on")
        assert not app.prompt.purpose
        await shown(pilot, "enter")
        assert isinstance(app.screen, Inspector) or not app.session.message_list
        await shown(pilot, "escape", "i")
        assert "2 of 2" in app.question.border_title
        await shown(pilot, "'no", "enter")
        assert app.source.asked[-1] == ("resume", {"i1": "accept", "i2": "no"})


async def test_a_question_that_is_asked_again_is_shown_again(tmp_path):
    app = played(tmp_path, run(), task("ask"), interrupted("ask", "first?", id="i1"), ended("interrupted"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        await shown(pilot, "i", "'x", "enter")
        # All within one look: the screen never sees the run going on.
        write(app.source.path, run("r2", resume={"i1": "x"}), task("ask"), interrupted("ask", "second?", id="i1"),
              ended("interrupted", "r2"), after=9)  # fmt: skip
        await drawn(pilot)
        assert "second?" in text_of(app)
        assert app.question.has_class("-on")
        assert "r1 answered" in pane_text(app, "nodes")
        assert "r2 interrupted · resumed" in pane_text(app, "nodes")


async def test_a_breakpoint_is_gone_on_from_without_an_answer(tmp_path):
    app = played(
        tmp_path, run(), task("a"), result("a"), Interrupted(interrupt="breakpoint:b", value=None), ended("interrupted")
    )
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "Breakpoint · b" in app.question.border_title
        assert "stopped before b" in text_of(app)
        assert "null" not in text_of(app)
        await shown(pilot, "i")
        assert app.source.asked[-1] == ("resume", None)


async def test_a_tool_call_that_waits_for_a_decision_is_decided_in_words(tmp_path):
    asked = {
        "action_requests": [{"name": "pay", "args": {"amount": 4}}],
        "review_configs": [{"action_name": "pay", "allowed_decisions": ["approve", "reject"]}],
    }
    app = played(tmp_path, run(), task("review"), interrupted("review", asked), ended("interrupted"))
    async with app.run_test(size=SIZE) as pilot:
        await drawn(pilot)
        assert "May pay be called?" in text_of(app)
        assert "i decide: approve, reject · esc" in text_of(app)
        await shown(pilot, "i")
        assert "approve · reject: why" in text_of(app)
        await shown(pilot, "'maybe", "enter")
        assert "'maybe' is no decision about pay" in bar(app, "keys")
        await shown(pilot, *["backspace"] * 5, "'no: too much", "enter")
    (answer,) = [answers for name, answers in app.source.asked if name == "resume"]
    assert list(answer.values()) == [{"decisions": [{"type": "reject", "message": "too much"}]}]

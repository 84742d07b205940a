"""What the screen looks like, as pictures that were looked at. A picture that changed is shown beside the old one in
`snapshot_report.html`; `--snapshot-update` takes the new ones."""

import json
import time

import pytest

from lgwatch.events import GraphLoaded, Interrupted, Notice, Output
from tests.factories import (
    CALL,
    attempt,
    call,
    called,
    custom,
    ended,
    failed,
    interrupted,
    result,
    run,
    said,
    span_end,
    task,
    token,
)  # fmt: skip
from tests.tui.stage import drawn, played, recorded, until

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 60)
BOOM = {"type": "ValueError", "message": "boom", "traceback": "Traceback …\n  line 3, in writer\nValueError: boom"}


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """A cursor that blinks and a zone of somewhere else would make other pictures."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def picture(snap_compare):
    """Compare the app, after some keys, with its picture."""

    def compare(app, size=MIDDLE, *keys, wait=None):
        async def before(pilot):
            await drawn(pilot)
            for key in keys:
                if len(key) > 1 and key.startswith("'"):
                    pilot.app.screen.focused.insert_text_at_cursor(key[1:])
                else:
                    await pilot.press(key)
                await drawn(pilot)
            for screen in pilot.app.screen_stack:
                if hasattr(screen.focused, "cursor_blink"):
                    screen.focused.cursor_blink = False
            if wait is not None:
                await until(pilot, lambda: wait(pilot.app))
            await drawn(pilot)

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


# ── recordings of the samples ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_a_run_in_the_middle(picture, size):
    assert picture(recorded("research", until=8.0), size)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x36"])
def test_a_question(picture, size):
    assert picture(recorded("approval"), size)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_two_models_at_once(picture, size):
    assert picture(recorded("joke_and_poem", until=2.0), size)


def test_a_run_that_failed(picture):
    assert picture(recorded("flaky"))


def test_tools_and_reasoning(picture):
    assert picture(recorded("tool_agent"), MIDDLE, "2", "g")


def test_nested_graphs_on_the_timeline(picture):
    assert picture(recorded("supervisor"), MIDDLE, "4")


def test_eight_lanes(picture):
    app = recorded("map_reduce", until=2.5)
    assert picture(app, MIDDLE)


def test_the_console(picture):
    assert picture(recorded("noisy"), MIDDLE, "7")


def test_a_recursion_limit_is_met(picture):
    assert picture(recorded("endless"), SMALL)


def test_the_state(picture):
    assert picture(recorded("research"), SMALL, "5", "down", "enter")


def test_runs_that_were_answered(picture):
    assert picture(recorded("approval-answered"), MIDDLE, "6")


def test_a_conversation_after_answers(picture):
    assert picture(recorded("approval-answered"), SMALL)


# ── special states ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_yet(picture, tmp_path):
    assert picture(played(tmp_path))


def test_a_graph_that_is_still_loading(picture, tmp_path):
    assert picture(
        played(tmp_path, Notice(code="loading", text="importing torch: site-packages/torch/__init__.py")), SMALL
    )


def test_every_state_of_a_task(picture, tmp_path):
    assert picture(
        played(
            tmp_path, run(config={"recursion_limit": 8}), task("plan", triggers=("branch:to:plan",)),
            result("plan", writes={"route": "deep"}), task("cached", step=2), result("cached", step=2, cached=True, writes={"a": 1}),
            task("retried", step=2), attempt("retried", 1), span_end("retried-1", status="error", error=BOOM),
            attempt("retried", 2), task("broken", step=2), attempt("broken"), failed("broken", step=2),
            task("outer", step=2), task("inner", ns=("outer:outer",)), attempt("inner"), result("outer", step=2),
            task("silent", step=2), attempt("silent"), result("silent", step=2), task("waits", step=2),
        ),
        MIDDLE,
    )  # fmt: skip


def test_two_interrupts_of_nested_graphs(picture, tmp_path):
    assert picture(
        played(
            tmp_path, run(), task("sales"), task("legal"), task("approve", ns=("sales:sales",)), task("sign", ns=("legal:legal",)),
            interrupted("approve", {"action": "send_email", "to": "sales@example.com"}, id="i1", ns=("sales:sales",)),
            interrupted("sign", "sign here?", id="i2", ns=("legal:legal",)), ended("interrupted"),
        ),
        SMALL, "i", "'accept", "enter",
    )  # fmt: skip


def test_a_breakpoint(picture, tmp_path):
    events = [run(), task("a"), result("a"), Interrupted(interrupt="breakpoint:b", value=None), ended("interrupted")]
    assert picture(played(tmp_path, events), SMALL)


def test_hostile_names_and_texts(picture, tmp_path):
    names = [
        "[bold]loud[/]",
        "[/]",
        "\x1b[31mred\x1b[0m",
        "עברית\u202eabc",
        "日本語の名前",
        "👩‍👩‍👧 family",
        "[@click=app.exit]x",
    ]
    events = [run()]
    for number, name in enumerate(names):
        events += [
            task(name, step=number), token(f"{name} says {name}", number, node=name, tags=("[red]",), model=name),
            custom({name: name}, name), Output(text=f"{name}\n{name}", task=name, node=name), result(name, writes={name: 1}),
        ]  # fmt: skip
    assert picture(played(tmp_path, events, ended("failed", error=BOOM | {"message": "[/] \x1b[2J"})), LARGE)


def test_a_filter_with_its_counts(picture):
    app = recorded("joke_and_poem", until=2.0)
    assert picture(app, MIDDLE, "f", "'tag:joke type:message,custom")


def test_a_filter_that_cannot_be_read(picture):
    app = recorded("joke_and_poem", until=2.0)
    assert picture(app, SMALL, "f", "'nod:joke")


def test_a_search(picture):
    app = recorded("joke_and_poem")
    keys = ("2", "g", "slash", "'light", "enter")
    assert picture(app, SMALL, *keys, wait=lambda app: app.pane("tokens").view.found not in ("", "…"))


def test_a_pause(picture):
    assert picture(recorded("research", until=8.0), SMALL, "space")


def test_help(picture):
    assert picture(recorded("flaky"), MIDDLE, "question_mark")


def test_an_inspector_folded_and_unfolded(picture):
    assert picture(recorded("tool_agent"), MIDDLE, "shift+tab", "g", "enter", "o", "asterisk", "asterisk")


def test_an_inspector_at_80x24(picture):
    assert picture(recorded("tool_agent"), SMALL, "o")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_tools_with_their_results_and_all_that_is_folded(picture, size):
    assert picture(recorded("tool_agent"), size, "2", "greater_than_sign", "g")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_only_the_beginning_of_every_message(picture, size):
    assert picture(recorded("research"), size, "2", "less_than_sign", "g")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_messages_by_node(picture, size):
    assert picture(recorded("supervisor"), size, "2", "v", "g")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_calls_that_go_on_at_once_in_columns(picture, size):
    assert picture(recorded("map_reduce", until=3.0), size, "2", "v")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_one_stream(picture, size):
    assert picture(recorded("supervisor"), size, "2", "v", "v", "g")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_blocks_of_every_kind_and_a_reader_who_went_up(picture, tmp_path, size):
    told = {"message": "lc_run--" + CALL.format(3)}
    blocks = (
        {"type": "image", "mime_type": "image/png", "base64": "iVBOR" * 999}, {"type": "refusal", "refusal": "I had rather not."}
    )  # fmt: skip
    events = [
        run(), task("writer"), attempt("writer", 1), call(1), token("It was a dark", 1, tags=("draft",)), called(1, status="error", error=BOOM),
        span_end("writer-1", status="error", error=BOOM), attempt("writer", 2), call(2), token("Storks sleep standing. ", 2, tags=("draft",)),
        token("One leg is enough.", 2), called(2, output={"finish_reason": "length"}), said("Storks sleep standing. One leg is enough.", message="again"),
        result("writer"), task("critic", step=2), said("Be kind.", message="sys", node="critic", role="system"), call(3, node="critic"),
        *(token(json.dumps(block), 3, node="critic", kind="other", **told) for block in blocks),
        called(3, usage={"input_tokens": 1234, "output_tokens": 21}), result("critic", step=2), task("editor", step=3),
        *(said(f"Line {number} of what the editor says.", message=f"e{number}", node="editor") for number in range(30)),
    ]  # fmt: skip
    assert picture(played(tmp_path, events), size, "2", "home")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_markdown(picture, tmp_path, size):
    text = (
        "# Storks\n\nThey fly **south** in *autumn*, with `200` others:\n\n1. over the Bosporus\n2. along the Nile\n\n"
        "> Nobody told them.\n\n| where | when |\n|---|---|\n| Chad | October |\n| 日本 | never |\n\n"
        "```python\ndef fly(bird: str) -> None:\n    print(bird)  # south\n```\n"
    )
    assert picture(played(tmp_path, run(), task("writer"), said(text)), size, "2", "M", "g")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_the_chooser(picture, size):
    assert picture(recorded("research", until=8.0), size, "c", "down", "space")


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_the_prompt_of_a_call(picture, size):
    assert picture(recorded("tool_agent"), size, "P")


def test_a_line_for_input(picture, tmp_path):
    schema = {
        "type": "object",
        "required": ["topic"],
        "properties": {"topic": {"type": "string"}, "n": {"type": "integer"}},
    }
    assert picture(played(tmp_path, GraphLoaded(target="x", input_schema=schema), run(), ended()), SMALL, "i")


def test_a_terminal_that_is_too_small(picture):
    assert picture(recorded("research", until=8.0), (60, 16))

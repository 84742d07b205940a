"""Text from a graph that tries to command the terminal: every byte that reaches it is one that lgwatch meant to write."""

import json
import re

import pytest

from tests.live import eventually
from tests.screens import ENTER, ESCAPE, answers_keys, hides, is_restored, leave, results, shows, started, until

pytestmark = pytest.mark.terminal

HOSTILE = {
    "erase": "\x1b[2J",
    "report": "\x1b[6n",
    "colour": "\x1b[38;5;201;5m",
    "leave": "\x1b[?1047l",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "link": "\x1b]8;;http@evil\x1b\\link",
    "device": "\x1bP+q544e\x1b\\",
    "reset": "\x1bc",
    "c1": "\x9b31m\x9d52;c;eA==\x9c\x90\x85",
    "controls": "\x08\x0b\x0c\x0e\x0f\x05\x07\x7f",
    "return": "over\rwritten",
    "bidi": "\u202e\u202d\u2066\u2067\u2069\u200f\u061c",
    "lines": "\u2028\u2029",
    "tags": "\U000e0041\U000e007f",
    "joined": "\u200b\ufeff",
}
EVIL = "<" + "|".join(f"{name}{text}" for name, text in HOSTILE.items()) + ">"
NAME = EVIL.replace("|", "/").replace(":", "")

# What the program itself has to say to a terminal.
MODES = "1049|1000|1003|1015|1006|25|1004|2026|2004|7"
MEANT = re.compile(
    r"\x1b\[(?:"
    r"[\d;]*m"  # colours
    r"|\d+;\d+H"  # where
    rf"|\?(?:{MODES})[hl]"
    r"|\?(?:2026|2048)\$p"  # does the terminal know them?
    r"|>\d+u|<u"  # keys with modifiers
    r")|\x1b\]22;[a-z-]*\x07"  # the mouse pointer
)
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
    "|\r(?!\n)"
)

BODY = f"""
import logging, warnings
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langgraph.graph import MessagesState

EVIL = {EVIL!r}
NAME = {NAME!r}

class Model(GenericFakeChatModel):
    def _get_ls_params(self, stop=None, **kwargs):
        return {{"ls_model_name": "m" + EVIL, "ls_provider": EVIL}}

class Both(TypedDict, total=False):
    messages: list

Both = TypedDict("Both", {{"messages": list, "key" + EVIL: str}}, total=False)

def speak(state):
    model = Model(messages=iter([AIMessage("said " + EVIL + " end " + EVIL)]), tags=["tag" + EVIL], name=EVIL)
    said = model.invoke([HumanMessage(EVIL)])
    print("printed", EVIL)
    os.write(1, ("raw " + EVIL + chr(10)).encode())
    os.write(2, b"half \\xff\\x9b31m \\xc2" + EVIL.encode() + bytes([10]))
    logging.getLogger("log" + EVIL).warning("logged %s", EVIL)
    warnings.warn("warned " + EVIL)
    get_stream_writer()({{"custom" + EVIL: EVIL, "list": [EVIL, {{EVIL: EVIL}}]}})
    get_stream_writer()(EVIL)
    call = {{"name": "tool" + EVIL, "args": {{EVIL: EVIL}}, "id": EVIL}}
    return {{
        "messages": [
            said,
            AIMessage([{{"type": "reasoning", "reasoning": EVIL}}, {{"type": "text", "text": EVIL}}], tool_calls=[call]),
            ToolMessage(EVIL, tool_call_id=EVIL, name="tool" + EVIL),
        ],
        "key" + EVIL: EVIL,
    }}

def ask(state):
    interrupt({{"question" + EVIL: EVIL}})
    raise type("Error" + EVIL, (Exception,), {{}})("failed " + EVIL)

graph = StateGraph(Both)
graph.add_node(NAME, speak, metadata={{EVIL: EVIL}})
graph.add_node("ask" + NAME, ask)
graph.add_edge(START, NAME)
graph.add_edge(NAME, "ask" + NAME)
graph = graph.compile(name=EVIL)
"""


def written(terminal):
    """All that reached the terminal, as text."""
    return bytes(terminal.raw).decode("utf-8", "surrogateescape")


def assert_meant(terminal):
    rest = MEANT.sub("", written(terminal))
    found = FORBIDDEN.search(rest)
    assert not found, repr(rest[max(0, found.start() - 80) : found.end() + 40])
    assert not re.search("[\udc80-\udcff]", rest), "not UTF-8"
    for name, text in HOSTILE.items():
        assert text not in written(terminal), name


@pytest.fixture
def target(tmp_path):
    from tests.live import agent

    agent(tmp_path, BODY)
    hostile = tmp_path / "evil\x1b]0;owned\x07\x9b31m.py"
    (tmp_path / "agent.py").rename(hostile)
    return f"{hostile.name}:graph"


def run_arguments(target, *more):
    given = {"messages": [{"role": "user", "content": EVIL}]}
    return (
        "run",
        target,
        "--input",
        json.dumps(given),
        "--journal",
        "run.jsonl",
        "--thread-id",
        "thread" + EVIL,
        *more,
    )


@pytest.mark.parametrize(("cols", "rows"), [(120, 36), (200, 60)])
def test_nothing_of_a_graph_commands_the_screen(tmp_path, target, cols, rows):
    with started(tmp_path, *run_arguments(target), cols=cols, rows=rows) as terminal:
        shows(terminal, "INTERRUPTED", "printed", "logged")
        terminal.send("i")
        shows(terminal, "answer")
        terminal.send("because\x9b \u202eof it" + ENTER)
        shows(terminal, "FAILED", "esc look around")  # a wrong answer is asked for again
        terminal.send(ESCAPE)
        hides(terminal, "esc look around")
        for pane in "234567":
            terminal.send(pane)
            until(terminal, lambda screen: "━┓" in screen)
            terminal.send("g")
            answers_keys(terminal)
            if pane in "237":
                look_into(terminal, "o" if pane == "2" else ENTER)
        terminal.send("1")
        shows(terminal, "╭─ Nodes")
        terminal.send("ftag:t")
        shows(terminal, "tag:t")
        terminal.send(ESCAPE)
        hides(terminal, "tag:t")
        terminal.send("?")
        shows(terminal, "To begin with")
        terminal.send(ESCAPE)
        hides(terminal, "To begin with")
        leave(terminal)
        assert is_restored(terminal)
        assert_meant(terminal)
    assert [result.status for result in results(tmp_path)] == ["interrupted", "failed"]


def look_into(terminal, key):
    """Open what is under the cursor, unfold it, and close it."""
    terminal.send(key)
    shows(terminal, "esc Back")
    terminal.send("***G")
    terminal.send(ESCAPE)
    hides(terminal, "esc Back")


def test_a_recording_is_no_more_dangerous_than_the_run(tmp_path, target):
    with started(tmp_path, *run_arguments(target, "--json")) as terminal:
        terminal.wait_for_exit(60)
    (tmp_path / "run.jsonl").rename(tmp_path / "run\x1b]0;owned\x07\x9b31m.jsonl")
    with started(tmp_path, "open", "run\x1b]0;owned\x07\x9b31m.jsonl", cols=200, rows=60) as terminal:
        shows(terminal, "INTERRUPTED", "printed")
        assert leave(terminal) == 0
        assert_meant(terminal)


def test_nothing_of_a_graph_commands_the_terminal_without_a_screen(tmp_path, target):
    with started(tmp_path, *run_arguments(target, "--plain", "--resume", json.dumps(EVIL))) as terminal:
        assert terminal.wait_for_exit(60) == 1
        assert "said" in written(terminal)
        assert_meant(terminal)
    with started(tmp_path, "open", "run.jsonl", "--plain") as terminal:
        assert terminal.wait_for_exit(60) == 0
        assert_meant(terminal)


@pytest.mark.parametrize("command", [("graph",), ("doctor",), ("graph", "--mermaid")])
def test_nothing_of_a_graph_commands_the_terminal_that_lists_it(tmp_path, target, command):
    with started(tmp_path, command[0], target, *command[1:]) as terminal:
        terminal.wait_for_exit(60)
        assert_meant(terminal)


def test_the_list_of_runs_and_the_errors_are_harmless(tmp_path, target):
    with started(tmp_path, "run", target, "--plain", "--input", json.dumps({"messages": []})) as terminal:
        terminal.wait_for_exit(60)
    for arguments in (
        ("runs",),
        ("open", EVIL),
        ("run", EVIL),
        ("run", target, "--plain", "--filter", EVIL),
        ("run", "x" + EVIL + ":y"),
    ):
        with started(tmp_path, *(argument.replace("\0", "") for argument in arguments)) as terminal:
            terminal.wait_for_exit(60)
            assert_meant(terminal)


def test_copying_writes_one_sequence_for_the_clipboard_and_nothing_of_the_text(tmp_path, target):
    with started(tmp_path, *run_arguments(target)) as terminal:
        shows(terminal, "INTERRUPTED", "printed")
        terminal.send("7gy")
        assert eventually(lambda: b"\x1b]52;" in terminal.raw)
        shows(terminal, "copied")
        leave(terminal)
        copied = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", written(terminal))
        assert len(copied) == 1
        assert written(terminal).count("\x1b]52;") == 1

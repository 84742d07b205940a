"""What the doctor finds: for each illness a small project that has it, and a project in which nothing is wrong."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.types import interrupt

from lgwatch.doctor import Check
from lgwatch.runner import loader
from lgwatch.runner.diagnosis import Finding, diagnose
from tests.corpus import cases
from tests.corpus.parts import create_agent
from tests.live import environment, lgwatch_command, program
from tests.test_environments import looks_like
from tests.versions import lacking

HEAD = """
from typing_extensions import TypedDict
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, StateGraph

class Whole(BaseChatModel):
    @property
    def _llm_type(self):
        return "whole"
    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage("hello"))])

class Streamed(Whole):
    streaming: bool = True
    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        yield ChatGenerationChunk(message=AIMessageChunk("hello"))

class State(TypedDict, total=False):
    topic: str
    summary: str

def compiled(*nodes, **options):
    graph, last = StateGraph(State), START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(last, node.__name__)
        last = node.__name__
    return graph.compile(**options)
"""

GOOD = """
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt

model = Streamed().with_config(tags=["draft"])

def ask(state):
    return {"topic": interrupt(state.get("topic"))}

def writer(state):
    return {"summary": model.invoke(state["topic"]).text}

graph = compiled(ask, writer, checkpointer=InMemorySaver())
"""


def project(folder: Path, body: str) -> Path:
    path = folder / "agent.py"
    path.write_text(HEAD + dedent(body))
    return path


def found(folder: Path, body: str) -> list[Finding]:
    """What there is to say of this graph, the good left out; read off the real thing in this process."""
    before = set(sys.modules), list(sys.path)
    try:
        graph = loader.import_target(f"{project(folder, body)}:graph", app_dir=str(folder))
        told = asyncio.run(diagnose(graph))
    finally:
        sys.path[:] = before[1]
        for name in set(sys.modules) - before[0]:
            if name == "agent" or name.startswith("lgwatch_target"):
                del sys.modules[name]
    assert all(one.fix for one in told if not one.good)
    assert all("\n" not in one.text + one.fix for one in told)
    return [one for one in told if not one.good]


def only(folder: Path, body: str) -> Finding:
    # An async node alone is something to tell before Python 3.11.
    (one,) = [one for one in found(folder, body) if "before Python 3.11" not in one.text]
    return one


# ── of the graph ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_a_good_graph_nothing_wrong_is_said(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


ON_PURPOSE = ("disable_streaming=True", "nostream", "no checkpointer", "no chat model")
"""What graphs of the corpus do that a person may want to be told of."""


def test_of_graphs_that_do_what_they_should_nothing_else_is_said() -> None:
    for name, case in cases().items():
        if lacking(*{*case.needs} - {"async context"}):  # it is not run
            continue
        graph = case.build()
        if not hasattr(graph, "nodes"):  # a builder, or something that has to be opened first
            continue
        for one in asyncio.run(diagnose(graph)):
            known = any(words in one.text for words in ON_PURPOSE) or "before Python 3.11" in one.text
            assert one.good or (one.good is None and known), (name, one)


def test_what_a_prebuilt_agent_was_made_with_is_seen() -> None:
    @tool
    def look(text: str) -> str:
        """Look."""
        return interrupt(text)

    model = ChatOpenAI(model="m", api_key="x", base_url="http://localhost:1/v1")
    told = [one.text for one in asyncio.run(diagnose(create_agent(model, [look]))) if not one.good]
    assert [text.partition(" ")[0] for text in told] in (["model:", "tools"], ["agent:", "tools"])
    assert "no token usage" in told[0]
    assert "interrupt()" in told[1]


SYNC_SAVER = """
from langgraph.checkpoint.memory import InMemorySaver

class SyncSaver(InMemorySaver):
    async def aget_tuple(self, config):
        raise NotImplementedError("use the asynchronous one")
"""


def test_async_nodes_do_not_go_with_a_saver_that_is_not(tmp_path: Path) -> None:
    node = "async def writer(state):\n    return {'summary': 'x'}\n"
    one = only(tmp_path, SYNC_SAVER + node + "graph = compiled(writer, checkpointer=SyncSaver())")
    assert one.good is False
    assert "writer" in one.text
    assert "SyncSaver" in one.text
    assert "--checkpointer memory" in one.fix
    inner = (
        node + "inner = compiled(writer)\ninner.__name__ = 'inner'\ngraph = compiled(inner, checkpointer=SyncSaver())"
    )
    assert "inner/writer" in only(tmp_path, SYNC_SAVER + inner).text


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="about Python 3.10")
def test_before_python_311_an_async_node_is_told_of(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "async def writer(state):\n    return {'summary': 'x'}\ngraph = compiled(writer)")
    assert (one.good, "writer" in one.text, "3.11" in one.fix) == (None, True, True)


def test_sync_nodes_go_with_a_sync_saver(tmp_path: Path) -> None:
    node = "def writer(state):\n    return {'summary': 'x'}\n"
    assert found(tmp_path, SYNC_SAVER + node + "graph = compiled(writer, checkpointer=SyncSaver())") == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("Whole()", "Whole cannot stream"),
        ("Streamed(disable_streaming=True)", "disable_streaming=True"),
        ("Streamed(disable_streaming='tool_calling')", "wherever it has tools"),
        ("Streamed(tags=['nostream'])", "nostream"),
        ("Streamed().with_config(tags=['nostream'])", "nostream"),
        ("Streamed(disable_streaming=True).with_retry()", "disable_streaming=True"),
        ("Streamed().with_fallbacks([Whole()])", "Whole cannot stream"),
        ("(lambda value: value) | Streamed(disable_streaming=True)", "disable_streaming=True"),
    ],
)
def test_a_model_that_does_not_stream_is_named_with_the_reason(tmp_path: Path, model: str, words: str) -> None:
    model = model.replace("(lambda value: value) |", "RunnableLambda(lambda value: value) |")
    body = f"""
from langchain_core.runnables import RunnableLambda
model = {model}
def writer(state):
    return {{"summary": model.invoke("x").text}}
graph = compiled(writer)
"""
    one = only(tmp_path, body)
    assert (one.good, one.text.partition(":")[0]) == (None, "writer")
    assert words in one.text


@pytest.mark.parametrize(
    "body",
    [
        # a method of an object that holds the model
        ("class Agent:\n    def __init__(self):\n        self.model = Whole()\n"
        "    def writer(self, state):\n        return {'summary': self.model.invoke('x').text}\n"
        "graph = StateGraph(State).add_node('writer', Agent().writer).add_edge(START, 'writer').compile()"),
        # a closure
        ("def make(model):\n    def writer(state):\n        return {'summary': model.invoke('x').text}\n    return writer\n"
        "graph = compiled(make(Whole()))"),
        # a function that the node calls
        ("model = Whole()\ndef answer(text):\n    return model.invoke(text).text\n"
        "def writer(state):\n    return {'summary': answer('x')}\ngraph = compiled(writer)"),
        # a tool of a tool node, and a node that is a graph
        ("from langchain_core.tools import tool\nfrom langgraph.prebuilt import ToolNode\nmodel = Whole()\n"
        "@tool\ndef look(text: str) -> str:\n    'Look.'\n    return model.invoke(text).text\n"
        "writer = ToolNode([look], name='writer')\ngraph = StateGraph(State).add_node('writer', writer)"
        ".add_edge(START, 'writer').compile()"),
        # a functional-API workflow
        "from langgraph.func import entrypoint\nmodel = Whole()\n@entrypoint()\ndef graph(text):\n    return model.invoke(text).text\n",
    ],
    ids=["method", "closure", "called", "tool", "entrypoint"],
)  # fmt: skip
def test_a_model_is_found_wherever_a_node_has_it_from(tmp_path: Path, body: str) -> None:
    assert "Whole cannot stream" in only(tmp_path, body).text


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("Whole()", "cannot stream"),
        ("Streamed(disable_streaming=True)", "disable_streaming=True"),
        ("Streamed(tags=['nostream'])", "nostream"),
        ("ChatOpenAI(model='m', base_url=URL)", "no token usage"),
        ("ChatOpenAI(model='m', base_url=URL, stream_usage=True)", ""),
        ("ChatOpenAI(model='m', disable_streaming=URL is None)", ""),
        ("Streamed()", ""),
    ],
)
def test_a_model_that_a_node_makes_is_judged_by_what_it_is_made_with(tmp_path: Path, made: str, words: str) -> None:
    body = f"""
from langchain_openai import ChatOpenAI
URL = "http://localhost:1/v1"
def writer(state):
    model = {made}
    return {{"summary": model.invoke("x").text}}
graph = compiled(writer)
"""
    told = found(tmp_path, body)
    assert [words in one.text for one in told] == [True] * bool(words)


def test_a_model_that_no_node_uses_is_not_named(tmp_path: Path) -> None:
    assert found(tmp_path, "other = Whole()\n" + GOOD) == []


def test_usage_that_will_not_be_reported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    body = """
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model="m", api_key="x", {options})
def writer(state):
    return {{"summary": model.invoke("x").text}}
graph = compiled(writer)
"""
    one = only(tmp_path, body.format(options="base_url='http://localhost:1/v1'"))
    assert "no token usage" in one.text
    assert "stream_usage=True" in one.fix
    assert found(tmp_path, body.format(options="base_url='http://localhost:1/v1', stream_usage=True")) == []
    assert found(tmp_path, body.format(options="")) == []


CLIENT = """
from langgraph.config import get_stream_writer
class Client:
    def stream(self):
        return ["x"]
Client.__module__ = "openai._client"
client = Client()
"""


def test_a_client_that_streams_past_langchain_is_named_unless_its_tokens_are_written(tmp_path: Path) -> None:
    silent = "def writer(state):\n    return {'summary': ''.join(client.stream())}\ngraph = compiled(writer)"
    one = only(tmp_path, CLIENT + silent)
    assert "openai's own client" in one.text
    assert "get_stream_writer" in one.fix
    told = "def writer(state):\n    get_stream_writer()(client.stream())\n    return {}\ngraph = compiled(writer)"
    assert found(tmp_path, CLIENT + told) == []


def test_a_thread_that_forgets_its_run_is_named(tmp_path: Path) -> None:
    body = """
from concurrent.futures import ThreadPoolExecutor
model = Streamed()
def writer(state):
    with ThreadPoolExecutor() as pool:
        return {"summary": pool.submit(model.invoke, "x").result().text}
graph = compiled(writer)
"""
    one = only(tmp_path, body)
    assert "ThreadPoolExecutor" in one.text
    assert "copy_context" in one.fix


@pytest.mark.parametrize("way", ["from langgraph.types import interrupt", "from langgraph import types"])
def test_interrupts_without_a_checkpointer_are_told(tmp_path: Path, way: str) -> None:
    call = "interrupt" if way.endswith("interrupt") else "types.interrupt"
    body = f"{way}\ndef ask(state):\n    return {{'topic': {call}('?')}}\ngraph = compiled(ask)"
    one = only(tmp_path, body)
    assert one.text.startswith("ask asks with interrupt()")
    assert "checkpointer=" in one.fix
    stops = "def ask(state):\n    return {'topic': 'x'}\ngraph = compiled(ask, interrupt_before=['ask'])"
    assert "breakpoints" in only(tmp_path, stops).text


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        ("return {'sumary': 'x'}", "sumary"),
        ("return Command(update={'sumary': 'x'})", "sumary"),
        ("return {'summary': state['topics']}", "topics"),
        ("return {'summary': state.get('topics', '')}", "topics"),
    ],
)
def test_a_misspelt_key_of_the_state_is_found_with_its_place(tmp_path: Path, statement: str, key: str) -> None:
    body = f"from langgraph.types import Command\ndef writer(state):\n    {statement}\ngraph = compiled(writer)"
    one = only(tmp_path, body)
    assert one.good is False
    assert repr(key) in one.text
    line = next(number for number, text in enumerate((HEAD + body).splitlines(), 1) if text.strip() == statement)
    assert f"agent.py:{line}" in one.text
    assert one.fix == f"did you mean {'summary' if key == 'sumary' else 'topic'!r}?"


@pytest.mark.parametrize(
    "body",
    [
        # what is sent is not the state
        ("from langgraph.types import Send\ndef spread(state):\n    return [Send('leaf', {'topics': 1})]\n"
        "def leaf(state):\n    return {'summary': state['topics']}\n"
        "graph = StateGraph(State).add_node(leaf).add_conditional_edges(START, spread, ['leaf']).compile()"),
        # a node's own schema
        ("class Private(TypedDict):\n    topics: str\ndef leaf(state: Private):\n    return {'summary': state['topics']}\n"
        "graph = compiled(leaf)"),
        # another graph's state, and a dict that is no update
        ("from langgraph.types import Command\ndef leaf(state):\n    def inner():\n        return {'sumary': 1}\n"
        "    return Command(graph=Command.PARENT, goto='x', update={'sumary': inner()})\ngraph = compiled(leaf)"),
        # properties and methods of a state that is a class
        ("from dataclasses import dataclass\n@dataclass\nclass Record:\n    topic: str = ''\n    @property\n"
        "    def topics(self):\n        return [self.topic]\ndef leaf(state):\n    return {'topic': state.topics[0]}\n"
        "graph = StateGraph(Record).add_node(leaf).add_edge(START, 'leaf').compile()"),
        # the first of a chain, whose result is the next one's input
        (
            "from langchain_core.runnables import RunnableLambda\n"
            "def leaf(state):\n    return {'sumary': 1}\nchain = RunnableLambda(leaf) | (lambda given: {'summary': 'x'})\n"
            "graph = StateGraph(State).add_node('leaf', chain).add_edge(START, 'leaf').compile()"
        ),
        # what a wrapper makes of it
        (
            "import functools\ndef renamed(node):\n    @functools.wraps(node)\n    def run(state):\n"
            "        return {'summary': node(state)['sumary']}\n    return run\n"
            "@renamed\ndef leaf(state):\n    return {'sumary': state['topic']}\ngraph = compiled(leaf)"
        ),
        # the first argument is not the state
        (
            "import functools\nfrom types import SimpleNamespace\ndef leaf(options, state):\n"
            "    return {'summary': options.topics}\n"
            "graph = StateGraph(State).add_node('leaf', functools.partial(leaf, SimpleNamespace(topics=1)))"
            ".add_edge(START, 'leaf').compile()"
        ),
        # a state that is one value
        ("import operator\nfrom typing import Annotated\n"
        "graph = StateGraph(Annotated[dict, operator.or_]).add_node('leaf', lambda state: {'sumary': 1})"
        ".add_edge(START, 'leaf').compile()"),
    ],
    ids=["sent", "private", "parent", "property", "chain", "wrapped", "partial", "root"],
)  # fmt: skip
def test_a_key_that_is_right_in_its_place_is_no_misspelt_one(tmp_path: Path, body: str) -> None:
    assert found(tmp_path, body) == []


def test_a_key_like_no_other_is_told_as_dropped(tmp_path: Path) -> None:
    one = only(tmp_path, "def writer(state):\n    return {'summary': 'x', 'elsewhere': 1}\ngraph = compiled(writer)")
    assert one.good is None
    assert "drops it" in one.text


# ── of the project, its interpreter and its terminal ─────────────────────────────────────────────────────────────────


def doctor(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return program(folder, "doctor", *arguments, HOME=str(folder.parent), **env)


def wrong(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """The one thing that is wrong, and its fix."""
    lines = done.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("✗")]
    assert done.returncode == 2
    return lines[at], lines[at + 1].strip()


def test_a_dependency_that_stands_in_the_projects_environment_tells_of_the_wrong_interpreter(tmp_path: Path) -> None:
    project(tmp_path, "import only_here")
    python = looks_like(tmp_path / ".venv")
    (tmp_path / ".venv/lib/python3.12/site-packages/only_here.py").touch()
    text, fix = wrong(doctor(tmp_path, "agent.py:graph", "--python", sys.executable))
    assert "only_here" in text
    assert fix == f"only_here is in the project's .venv: run it there with --python {python}"
    (tmp_path / ".venv/lib/python3.12/site-packages/langgraph/graph").rmdir()
    text, fix = wrong(doctor(tmp_path, "agent.py:graph"))
    assert "which has no langgraph" in fix


def test_a_dependency_that_is_nowhere_is_to_be_installed(tmp_path: Path) -> None:
    project(tmp_path, "import no_such_package.inner")
    text, fix = wrong(doctor(tmp_path, "agent.py:graph"))
    assert "no_such_package" in text
    assert fix == f"install it there: {sys.executable} -m pip install no-such-package"


def test_a_package_root_that_is_not_importable_is_named(tmp_path: Path) -> None:
    (tmp_path / "src" / "bot").mkdir(parents=True)
    (tmp_path / "src" / "bot" / "tools.py").touch()
    (tmp_path / "app").mkdir()
    project(tmp_path / "app", "import bot.tools")
    text, fix = wrong(doctor(tmp_path, "app/agent.py:graph"))
    assert "'bot" in text
    assert "--app-dir" in fix
    assert "src" in fix


def test_a_relative_import_without_a_package_is_told_how_to_be_one(tmp_path: Path) -> None:
    project(tmp_path, "from .tools import look")
    text, fix = wrong(doctor(tmp_path, "agent:graph"))
    assert "relative import" in text
    assert "package.module:attr" in fix
    assert "--app-dir" in fix


def test_a_project_without_a_graph_is_told_how_to_name_one(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("print('hello')\n")
    text, fix = wrong(doctor(tmp_path, "agent.py"))
    assert "no graph" in text
    assert "agent.py:function" in fix
    done = doctor(tmp_path)
    assert "⚠ No graph was found" in done.stdout


def test_an_interpreter_without_langgraph_is_named(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    project(tmp_path, GOOD)
    text, fix = wrong(doctor(tmp_path, "agent.py:graph", "--python", "bare"))
    assert "langgraph" in text
    assert "-m pip install langgraph" in fix


def on_terminal(folder: Path, *arguments: str, rows: int = 40, columns: int = 120, **env: str) -> tuple[int, str]:
    """Run the doctor on a terminal of this kind and size; return its exit code and what it said."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: value for name, value in environment(folder, HOME=str(folder.parent)).items()
            if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")}  # fmt: skip
    with subprocess.Popen(
        lgwatch_command("doctor", *arguments), cwd=folder, env={**kept, **env}, stdin=subprocess.DEVNULL, stdout=theirs,
    ) as doctor:  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 1 << 16):
                said += chunk
        except OSError:  # the other end is closed
            pass
        code = doctor.wait(timeout=60)
    os.close(ours)
    return code, said.decode()


@pytest.mark.terminal
def test_of_a_good_project_on_a_good_terminal_nothing_wrong_is_said(tmp_path: Path) -> None:
    project(tmp_path, GOOD)
    code, said = on_terminal(tmp_path, "agent.py:graph", TERM="xterm-256color", COLORTERM="truecolor")
    assert code == 0
    assert "⚠" not in said
    assert "✗" not in said
    for words in (
        f"langgraph {version('langgraph')}",
        "it loads in",
        "topic",
        "its models stream: Streamed",
        "InMemorySaver",
        "16 million",
        "mouse",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TERM": "vt100"}, ("no colours", "no mouse")),
        ({"TERM": "linux"}, ("16 colours", "no mouse")),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ("NO_COLOR is set",)),
        ({"TERM": "dumb"}, ("TERM is dumb",)),
        ({"TERM": "xterm-256color", "LC_ALL": "C", "PYTHONIOENCODING": "latin-1:replace"}, ("encoding",)),
    ],
)  # fmt: skip
@pytest.mark.terminal
def test_what_a_terminal_lacks_is_told(tmp_path: Path, env: Mapping[str, str], words: tuple[str, ...]) -> None:
    _, said = on_terminal(tmp_path, **env)
    for word in words:
        assert word in said


def test_what_was_done_to_get_a_graph_is_no_illness(tmp_path: Path) -> None:
    project(tmp_path, "graph = StateGraph(State).add_node('writer', lambda state: {}).add_edge(START, 'writer')")
    done = doctor(tmp_path, "agent.py:graph")
    assert "✓ The graph was not compiled" in done.stdout
    assert "⚠" not in done.stdout
    assert "✗" not in done.stdout


def test_a_check_is_a_line_and_its_fix_another() -> None:
    assert str(Check(None, "what \x1b[2Jis", "what to do")).splitlines() == ["⚠ what ␛[2Jis", "    what to do"]

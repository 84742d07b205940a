from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from lgwatch.events import Notice, Output, TaskStarted
from lgwatch.runner.callbacks import Spans
from lgwatch.runner.tasks import Tasks
from tests.runner.children import child, until

asynchronous = pytest.param(
    "async def", marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="no context in async nodes")
)


def said(run: object, **fields: object) -> list[str]:
    return [event.text for event in run.of(Output, **fields)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["def", asynchronous])
def test_prints_belong_to_the_task_that_printed(tmp_path: Path, kind: str) -> None:
    source = f"""
    {kind} left(state):
        print("from left", 1)
        print("to stderr", file=sys.stderr)
        return {{}}
    {kind} right(state):
        print("from right")
        return {{}}
    graph = StateGraph(State).add_node(left).add_node(right).add_edge(START, "left").add_edge(START, "right").compile()
    """
    with child(tmp_path, "print('at import')", source) as run:
        run.start()
        run.result()
        tasks = {event.node: event.task for event in run.of(TaskStarted)}
        found = {(event.stream, event.text): (event.node, event.task) for event in run.of(Output)}
        assert found == {
            ("stdout", "at import"): ("", ""),
            ("stdout", "from left 1"): ("left", tasks["left"]),
            ("stderr", "to stderr"): ("left", tasks["left"]),
            ("stdout", "from right"): ("right", tasks["right"]),
        }


def test_a_line_that_does_not_end_is_shown_all_the_same(tmp_path: Path) -> None:
    source = """
    def node(state):
        print("no end", end="", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        print("last words", end="")
        return {}
    graph = line(node)
    """
    with child(tmp_path, source) as run:
        run.start()
        assert run.await_one(Output, text="no end").node == "node"
        (tmp_path / "go").touch()
        run.result()
        assert run.await_one(Output, text="last words").node == "node"


def test_logging_tells_level_and_logger_and_leaves_the_users_setup_alone(tmp_path: Path) -> None:
    source = """
    assert not logging.getLogger().handlers
    assert logging.getLogger().level == logging.WARNING
    logging.basicConfig(level=logging.INFO)
    log = logging.getLogger("my.agent")
    def node(state):
        log.info("looked at %d", 3)
        log.debug("unseen")
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("oh")
        return {"log": [len(logging.getLogger().handlers)]}
    graph = line(node)
    """
    with child(tmp_path, source) as run:
        run.start()
        assert run.result().output == {"log": [1]}
        info, error = run.of(Output)
        assert (info.stream, info.text, info.level, info.logger) == ("log", "looked at 3", "INFO", "my.agent")
        assert (info.node, error.level) == ("node", "ERROR")
        assert error.text.startswith("oh\n")
        assert "ZeroDivisionError" in error.text


def test_a_warning_is_told_with_its_place(tmp_path: Path) -> None:
    source = "def node(state):\n    warnings.warn('careful', stacklevel=1)\n    return {}\ngraph = line(node)"
    with child(tmp_path, source) as run:
        run.start()
        run.result()
        event = run.of(Output)[0]
        assert (event.stream, event.level, event.node) == ("warning", "UserWarning", "node")
        assert event.text.startswith("careful (")
        assert "agent.py:" in event.text


def test_work_goes_on_in_the_innermost_tasks() -> None:
    decoder: Any = SimpleNamespace(tasks=Tasks({}))
    spans = Spans(lambda event: None, decoder)
    begun: dict[str, UUID] = {}

    def begin(path: str) -> None:
        node = path.rpartition("|")[2].partition(":")[0]
        begun[path] = uuid4()
        spans.chain_began(begun[path], uuid4(), None, {"langgraph_node": node, "langgraph_checkpoint_ns": path}, node)

    begin("outer:1")
    assert spans.at_work() == [((), "outer", "1")]
    begin("outer:1|inner:2")
    assert spans.at_work() == [(("outer:1",), "inner", "2")]
    begin("outer:12")  # begins with the same letters
    assert [task for _, _, task in spans.at_work()] == ["2", "12"]
    for path in list(begun)[1:]:
        spans.chain_ended(None, begun[path])
    assert spans.at_work() == [((), "outer", "1")]


def test_raw_output_belongs_to_the_only_task_at_work(tmp_path: Path) -> None:
    source = """
    def node(state):
        subprocess.run(["sh", "-c", "echo from a subprocess; echo and its errors >&2"])
        os.write(1, b"past python \\xff\\n")
        while not os.path.exists("go"):
            time.sleep(0.01)
        return {}
    graph = line(line(node))
    """
    with child(tmp_path, source.replace("line(line(node))", "line(node)")) as run:
        run.start()  # nothing waits until the stream has told of the task
        # Lines that are there at once may come as one event.
        for text in ("from a subprocess", "and its errors", "past python"):
            until(lambda text=text: text in "\n".join(said(run)), run)  # type: ignore[misc]
        assert {output.node for output in run.of(Output)} == {"node"}
        assert any("and its errors" in output.text for output in run.of(Output, stream="stderr"))
        (tmp_path / "go").touch()
        run.result()
        assert "past python \ufffd" in "\n".join(said(run))


def test_input_has_nobody_to_answer(tmp_path: Path) -> None:
    with child(tmp_path, "def node(state):\n    input('Name? ')\ngraph = line(node)") as run:
        run.start()
        error = run.result().error
        assert error is not None
        assert error["type"] == "EOFError"
        assert "interrupt()" in error["message"]
        assert "Name? " in said(run)


@pytest.mark.parametrize("read", ["sys.stdin.read()", "sys.stdin.readline()", "os.read(0, 1).decode()"])
def test_standard_input_is_empty(tmp_path: Path, read: str) -> None:
    with child(tmp_path, f"def node(state):\n    return {{'log': [{read}]}}\ngraph = line(node)") as run:
        run.start()
        assert run.result().output == {"log": [""]}


def test_a_breakpoint_is_passed_over_and_reported(tmp_path: Path) -> None:
    with child(tmp_path, "def node(state):\n    breakpoint()\n    return {}\ngraph = line(node)") as run:
        run.start()
        assert run.result().status == "done"
        assert "agent.py:" in run.of(Notice, code="breakpoint")[0].text


def test_of_a_breakpoint_its_place_is_told_and_not_what_its_author_wrote_there(tmp_path: Path) -> None:
    with child(tmp_path, "def node(state):\n    'cats' and breakpoint()\n    return {}\ngraph = line(node)") as run:
        run.start()
        assert run.result().status == "done"
        assert "cats" not in run.of(Notice, code="breakpoint")[0].text


def test_the_streams_have_what_code_expects_of_streams(tmp_path: Path) -> None:
    source = """
    def node(state):
        out = sys.stdout
        out.writelines(["a\\n", "b\\n"])
        out.buffer.write("ü\\n".encode())
        out.buffer.flush()
        out.reconfigure(encoding="latin-1")
        out.flush()
        out.close()
        print("after close")
        os.write(out.fileno(), b"")
        try:
            out.write(1)
        except TypeError as error:
            print("typed")
        import contextlib, io
        with contextlib.redirect_stdout(io.StringIO()) as held:
            print("held")
        return {"log": [out.isatty(), out.encoding, out.fileno(), out.writable(), held.getvalue()]}
    graph = line(node)
    """
    with child(tmp_path, source) as run:
        run.start()
        assert run.result().output == {"log": [False, "utf-8", 1, True, "held\n"]}
        assert said(run) == ["a", "b", "ü", "after close", "typed"]


def test_a_flood_of_prints_is_kept_in_order(tmp_path: Path) -> None:
    source = "def node(state):\n    for n in range(100_000):\n        print(n)\n    return {}\ngraph = line(node)"
    with child(tmp_path, source) as run:
        run.start()
        assert run.result().status == "done"
        assert said(run, stream="stdout") == [str(number) for number in range(100_000)]


def test_a_very_long_line_is_kept_in_pieces(tmp_path: Path) -> None:
    with child(tmp_path, "def node(state):\n    print('x' * 200_000)\n    return {}\ngraph = line(node)") as run:
        run.start()
        run.result()
        texts = said(run)
        assert "".join(texts) == "x" * 200_000
        assert max(map(len, texts)) <= 65_536

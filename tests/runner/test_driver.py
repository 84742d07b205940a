from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Interrupted,
    LoopDelayed,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
)  # fmt: skip
from lgwatch.runner.watchdog import BLOCKED
from tests.live import ASKED_TO_STOP
from tests.runner.children import child, until

NODE = """
def node(state):
    return {"log": ["x"]}
"""
ASK = """
def ask(state):
    return {"log": [interrupt("name?")]}
"""


def test_a_run_ends_with_its_result_and_the_final_state(tmp_path: Path) -> None:
    with child(tmp_path, NODE + "graph = line(node)") as run:
        run.start({"log": ["given"]})
        result = run.result()
        assert (result.status, result.output) == ("done", {"log": ["given", "x"]})
        assert run.events()[-1] == result
        started = run.of(RunStarted)[0]
        assert (started.run, started.thread, started.input) == ("r1", "1", {"log": ["given"]})


def test_a_graph_without_a_checkpointer_gets_one_that_is_announced(tmp_path: Path) -> None:
    source = "def node(state):\n    return {'log': [threading.Lock(), (n for n in ())]}\ngraph = line(node)"
    with child(tmp_path, source) as run:
        run.start()
        assert run.result().status == "done"
        assert len(run.of(CheckpointSaved)) == 3
        assert [event.code for event in run.of(Notice)] == ["checkpointer"]


def test_a_graph_keeps_its_own_checkpointer(tmp_path: Path) -> None:
    source = "from langgraph.checkpoint.memory import InMemorySaver\ngraph = line(node, checkpointer=InMemorySaver())"
    with child(tmp_path, NODE, source) as run:
        run.start()
        assert run.result().status == "done"
        assert not run.of(Notice)


@pytest.mark.parametrize("checkpointer", ["keep", "none"])
def test_the_output_of_a_run_is_what_invoke_returns_and_holds_no_private_key(tmp_path: Path, checkpointer: str) -> None:
    source = """
class Whole(TypedDict):
    question: str
    notes: str
    answer: str

class Answer(TypedDict):
    answer: str

def node(state):
    return {"notes": "private", "answer": "public"}

builder = StateGraph(Whole, output_schema=Answer)
builder.add_node(node)
builder.add_edge(START, "node")
graph = builder.compile()
"""
    with child(tmp_path, source, checkpointer=checkpointer) as run:
        run.start({"question": "?"})
        assert run.result().output == {"answer": "public"}


def test_without_a_checkpointer_the_output_is_still_known(tmp_path: Path) -> None:
    with child(tmp_path, NODE + "graph = line(node)", checkpointer="none") as run:
        run.start()
        assert run.result().output == {"log": ["x"]}
        assert not run.of(CheckpointSaved)


def test_a_failed_run_tells_the_error(tmp_path: Path) -> None:
    source = "def node(state):\n    raise ValueError('boom')\ngraph = line(node)"
    with child(tmp_path, source) as run:
        run.start()
        result = run.result()
        assert result.status == "failed"
        assert result.error is not None
        assert (result.error["type"], result.error["message"]) == ("ValueError", "boom")
        assert "agent.py" in result.error["traceback"]
        run.start()  # the process goes on
        assert run.result().status == "failed"


@pytest.mark.parametrize("how", ["sys.exit(3)", "raise KeyboardInterrupt"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_node_that_exits_ends_the_run_and_not_the_process(tmp_path: Path, how: str, kind: str) -> None:
    source = f"{kind} node(state):\n    if not state['log']:\n        {how}\n    return {{}}\ngraph = line(node)"
    with child(tmp_path, source) as run:
        run.start()
        result = run.result()
        assert result.status == "failed"
        assert result.error is not None
        assert result.error["type"] == ("SystemExit" if "exit" in how else "KeyboardInterrupt")
        run.start({"log": ["go"]}, thread="2")
        assert run.result().status == "done"


def test_the_recursion_limit_keeps_its_name(tmp_path: Path) -> None:
    source = """
    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").add_edge("node", "node").compile()
    """
    with child(tmp_path, NODE, source) as run:
        run.start(recursion_limit=4)
        error = run.result().error
        assert error is not None
        assert error["type"] == "GraphRecursionError"


def test_an_interrupt_is_answered_and_the_run_goes_on(tmp_path: Path) -> None:
    with child(tmp_path, ASK + "graph = line(ask)") as run:
        run.start()
        assert run.result().status == "interrupted"
        asked = run.of(Interrupted)[0]
        run.resume({asked.interrupt: "Ann"})
        result = run.result()
        assert (result.run, result.status, result.output) == ("r2", "done", {"log": ["Ann"]})
        assert run.of(RunStarted)[1].resume == {asked.interrupt: "Ann"}


def test_several_interrupts_are_answered_one_after_the_other(tmp_path: Path) -> None:
    source = """
    def ask2(state):
        return {"log": [interrupt("age?")]}
    graph = StateGraph(State).add_node(ask).add_node("sub", line(ask2)).add_edge(START, "ask").add_edge(START, "sub").compile()
    """
    with child(tmp_path, ASK, source) as run:
        run.start()
        run.result()
        by_value = {event.value: event.interrupt for event in run.of(Interrupted)}
        assert set(by_value) == {"name?", "age?"}
        run.resume({by_value["age?"]: 7})
        assert run.result().status == "interrupted"
        run.resume({by_value["name?"]: "Ann"})
        result = run.result()
        assert result.status == "done"
        assert sorted(map(str, result.output["log"])) == ["7", "Ann"]


def test_an_answer_to_an_unknown_interrupt_is_an_input_error(tmp_path: Path) -> None:
    with child(tmp_path, ASK + "graph = line(ask)") as run:
        run.start()
        run.result()
        run.resume({"nonsense": 1})
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        assert "nonsense" in error["message"]


AGE = """
def ask(state):
    name = interrupt("name?")
    return {"log": [name, int(interrupt("age?"))]}
"""


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("source", ["", "from langgraph.checkpoint.memory import InMemorySaver", "SYNC"])
def test_an_answer_that_fails_its_node_can_be_given_anew(tmp_path: Path, inner: bool, source: str) -> None:
    saver = "SyncOnly()" if source == "SYNC" else "InMemorySaver()" if source else "None"
    built = f"""
    inner = line(ask)
    graph = StateGraph(State).add_node("ask", {"inner" if inner else "ask"}).add_edge(START, "ask")
    graph = graph.compile(checkpointer={saver})
    """
    with child(tmp_path, AGE, SQLITE if source == "SYNC" else source, built) as run:
        run.start()
        run.result()
        run.resume({run.of(Interrupted)[0].interrupt: "Ann"})
        assert run.result().status == "interrupted"
        age = run.of(Interrupted, value="age?")[0]
        for wrong in ("abc", "def"):
            run.resume({age.interrupt: wrong})
            assert run.result().status == "failed"
            assert wrong in (run.result().error or {})["message"]
            *_, again, result = run.events()
            assert (again, result) == (replace(age, at=again.at), run.result())
        run.resume({age.interrupt: "7"})
        assert run.result().output == {"log": ["Ann", 7]}


def test_a_failure_after_the_answer_was_used_asks_nothing(tmp_path: Path) -> None:
    source = """
    def bad(state):
        raise ValueError("later")
    graph = line(ask, bad)
    """
    with child(tmp_path, ASK, source) as run:
        run.start()
        run.result()
        asked = run.of(Interrupted)
        run.resume({asked[0].interrupt: "Ann"})
        assert run.result().status == "failed"
        assert run.of(Interrupted) == asked


def test_answers_that_are_refused_leave_the_question_open(tmp_path: Path) -> None:
    with child(tmp_path, ASK + "graph = line(ask)") as run:
        run.start()
        run.result()
        asked = run.of(Interrupted)[0]
        run.resume({"nonsense": 1})
        run.result()
        assert [event.interrupt for event in run.of(Interrupted)] == [asked.interrupt] * 2
        run.resume({asked.interrupt: "Ann"})
        assert run.result().output == {"log": ["Ann"]}


def test_a_breakpoint_stops_and_goes_on(tmp_path: Path) -> None:
    source = """
    def after(state):
        return {"log": ["y"]}
    graph = line(node, after)
    """
    with child(tmp_path, NODE, source) as run:
        run.start(interrupt_before=["after"])
        assert run.result().status == "interrupted"
        assert run.of(Interrupted)[0].interrupt == "breakpoint:after"
        run.resume(None)
        result = run.result()
        assert (result.status, result.output) == ("done", {"log": ["x", "y"]})


def test_step_by_step_through_every_node(tmp_path: Path) -> None:
    source = """
    def after(state):
        return {"log": ["y"]}
    graph = line(node, after)
    """
    with child(tmp_path, NODE, source) as run:
        run.start(interrupt_before=["*"])
        stops = 0
        while run.result().status == "interrupted":
            stops += 1
            run.resume(None)
        assert stops == 2
        assert run.result().output == {"log": ["x", "y"]}


def test_a_start_without_input_asks_for_it_by_its_keys(tmp_path: Path) -> None:
    source = """
    class Story(TypedDict, total=False):
        topic: str
        text: str
    def write(state):
        return {"text": "about " + state["topic"]}
    graph = StateGraph(Story).add_node(write).add_edge(START, "write").compile()
    """
    with child(tmp_path, source) as run:
        run.send(command="start", run="r1", thread="1")
        assert run.await_one(Notice, code="needs_input").text == "this graph needs an input with the key topic"
        assert not run.of(RunStarted)
        run.start({"topic": "cats"})
        assert run.result().output == {"topic": "cats", "text": "about cats"}


def test_a_graph_that_needs_no_input_starts_without(tmp_path: Path) -> None:
    with child(tmp_path, NODE + "graph = line(node)") as run:
        run.send(command="start", run="r1", thread="1")
        assert run.result().output == {"log": ["x"]}


def test_a_factory_gets_the_config_of_the_run(tmp_path: Path) -> None:
    source = """
    def graph(config):
        words = config["configurable"]["words"]
        def say(state):
            return {"log": [words]}
        return line(say)
    """
    with child(tmp_path, source, config={"configurable": {"words": "hi"}}) as run:
        run.start()
        assert run.result().output == {"log": ["hi"]}


def test_a_message_becomes_the_users_message(tmp_path: Path) -> None:
    source = """
    from langgraph.graph import MessagesState
    def echo(state):
        return {"messages": [("ai", state["messages"][-1].content + "!")]}
    graph = StateGraph(MessagesState).add_node(echo).add_edge(START, "echo").compile()
    """
    with child(tmp_path, source) as run:
        run.start(message="hi")
        assert run.result().output["messages"][-1]["fields"]["content"] == "hi!"


def test_a_message_for_an_entrypoint_is_its_value(tmp_path: Path) -> None:
    source = """
    from langgraph.func import entrypoint
    @entrypoint()
    def graph(text: str) -> str:
        return text.upper()
    """
    with child(tmp_path, source) as run:
        run.start(message="hi")
        assert run.result().output == "HI"


@pytest.mark.parametrize(
    ("options", "said"),
    [({"message": "hi"}, "log"), ({"given": [1]}, "a list"), ({"given": {"lgo": []}}, "none of"),
     ({"config": [1]}, "config")],
)  # fmt: skip
def test_what_a_graph_does_not_take_is_an_input_error(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with child(tmp_path, NODE + "graph = line(node)") as run:
        run.start(**options)
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        assert said in error["message"]
        assert error["hint"]
        assert not run.of(TaskStarted)


def test_config_and_context_reach_the_nodes(tmp_path: Path) -> None:
    source = """
    from dataclasses import dataclass
    @dataclass
    class Context:
        who: str = "nobody"
    def node(state, runtime, config):
        conf = config["configurable"]
        return {"log": [runtime.context.who, conf["thread_id"], conf.get("key"), config.get("tags")]}
    from langchain_core.runnables import RunnableConfig
    from langgraph.runtime import Runtime
    node.__annotations__ = {"runtime": Runtime, "config": RunnableConfig}
    builder = StateGraph(State, context_schema=Context).add_node(node).add_edge(START, "node")
    graph = builder.compile()
    """
    with child(tmp_path, source) as run:
        config = {"configurable": {"key": "value"}, "tags": ["mine"]}
        run.start(thread="t7", config=config, context={"who": "Ann"})
        assert run.result().output == {"log": ["Ann", "t7", "value", ["mine"]]}
        run.start(thread="t8")
        assert run.result().output["log"][0] == "nobody"


CONTEXT = """
from dataclasses import dataclass
from langgraph.runtime import Runtime
from pydantic import BaseModel
class Model(BaseModel):
    user: str
@dataclass
class Data:
    user: str
class Dict(TypedDict):
    user: str
def node(state, runtime):
    context = runtime.context
    return {"log": [context["user"] if isinstance(context, dict) else context.user]}
node.__annotations__ = {"runtime": Runtime}
def made(schema):
    return StateGraph(State, context_schema=schema).add_node(node).add_edge(START, "node").compile()
"""


@pytest.mark.parametrize("schema", ["Model", "Data", "Dict"])
def test_a_context_that_is_missing_is_an_input_error_with_its_field(tmp_path: Path, schema: str) -> None:
    with child(tmp_path, CONTEXT + f"graph = made({schema})") as run:
        run.start()
        error = run.result().error
        assert error is not None
        assert (error["type"], error["message"]) == ("InputError", "this graph's context needs the field user")
        assert "--context" in error["hint"]
        run.start(context={"user": "Ann"})
        assert run.result().output == {"log": ["Ann"]}


@pytest.mark.parametrize("schema", ["Model", "Data"])
@pytest.mark.parametrize(("context", "said"), [({"usr": 1}, "us"), ("text", "not an object")])
def test_a_context_that_does_not_fit_is_an_input_error(tmp_path: Path, schema: str, context: object, said: str) -> None:
    with child(tmp_path, CONTEXT + f"graph = made({schema})") as run:
        run.start(context=context)
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        assert said in error["message"]
        assert not run.of(TaskStarted)


def test_an_input_that_the_state_refuses_is_an_input_error_and_a_write_is_not(tmp_path: Path) -> None:
    source = """
    from pydantic import BaseModel
    class Strict(BaseModel):
        number: int = 1
    def write(state):
        return {"number": "none"}
    def read(state):
        return {}
    graph = StateGraph(Strict).add_node(write).add_node(read).add_edge(START, "write").add_edge("write", "read").compile()
    """
    with child(tmp_path, source) as run:
        run.start({"number": "seven"})
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        assert "number: Input should be a valid integer" in error["message"]
        run.send(command="start", run="r2", thread="2")
        error = run.await_one(RunEnded, run="r2").error
        assert error is not None
        assert error["type"] == "ValidationError"


def test_an_entrypoint_whose_parameter_has_a_default_starts_with_it(tmp_path: Path) -> None:
    source = """
    from langgraph.func import entrypoint
    @entrypoint()
    def graph(number: int = 3) -> int:
        return number + 1
    """
    with child(tmp_path, source) as run:
        run.send(command="start", run="r1", thread="1")
        assert run.result().output == 4


def test_a_breakpoint_at_a_node_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    with child(tmp_path, NODE + "graph = line(node)") as run:
        run.start(interrupt_before=["nod"], interrupt_after=["*"])
        run.result()
        told = [event.text for event in run.of(Notice, code="breakpoint")]
        assert told == ["--interrupt-before: there is no node nod (near: node)"]


def test_without_a_checkpointer_it_is_said_that_nothing_can_be_resumed(tmp_path: Path) -> None:
    with child(tmp_path, ASK + "graph = line(ask)", checkpointer="none") as run:
        run.start()
        run.result()
        assert "leave out --checkpointer none" in run.of(Notice, code="interrupt")[0].text
        run.resume({run.of(Interrupted)[0].interrupt: "Ann"})
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        run.start(thread="2", interrupt_before=["ask"])
        run.result()
        assert "cannot go on" in run.of(Notice, code="breakpoint")[0].text


SQLITE = """
from langgraph.checkpoint.memory import InMemorySaver
class SyncOnly(InMemorySaver):
    async def aget_tuple(self, *arguments):
        raise NotImplementedError("use the asynchronous saver")
    aput = aput_writes = alist = aget_tuple
"""


def test_a_checkpointer_that_is_only_synchronous_is_run_synchronously(tmp_path: Path) -> None:
    with child(tmp_path, SQLITE + ASK + "graph = line(ask, checkpointer=SyncOnly())") as run:
        run.start()
        assert run.result().status == "interrupted"
        run.resume({run.of(Interrupted)[0].interrupt: "Ann"})
        assert run.result().output == {"log": ["Ann"]}


def test_a_synchronous_checkpointer_with_an_asynchronous_node_is_explained(tmp_path: Path) -> None:
    source = "async def node(state):\n    return {}\ngraph = line(node, checkpointer=SyncOnly())"
    with child(tmp_path, SQLITE, source) as run:
        run.start()
        error = run.result().error
        assert error is not None
        assert error["type"] == "InputError"
        assert "'node'" in error["message"]
        assert error["hint"]


@pytest.mark.parametrize("mode", ["sync", pytest.param("async", marks=pytest.mark.skipif(
    sys.version_info < (3, 11), reason="no context in async nodes"))])  # fmt: skip
def test_the_mode_can_be_chosen(tmp_path: Path, mode: str) -> None:
    source = """
    def node(state):
        get_stream_writer()("here")
        return {"log": [threading.current_thread().name]}
    graph = line(node)
    """
    with child(tmp_path, source, mode=mode) as run:
        run.start()
        assert run.result().status == "done"
        assert run.of(CustomWritten)[0].node == "node"


def test_draining_ends_the_run_after_the_superstep(tmp_path: Path) -> None:
    source = """
    async def slow(state):
        get_stream_writer()("in") if sys.version_info >= (3, 11) else print("in")
        while not asked_to_stop():
            await asyncio.sleep(0.01)
        return {"log": ["slow"]}
    def never(state):
        return {"log": ["never"]}
    graph = line(slow, never)
    """
    with child(tmp_path, ASKED_TO_STOP, source) as run:
        run.start()
        run.await_one(TaskStarted, node="slow")
        run.stop("drain")
        run.send(command="nonsense")  # obeyed after the run; commands are read in order
        assert run.result().status == "stopped"
        assert [event.node for event in run.of(TaskEnded)] == ["slow"]


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_cancelling_ends_the_run_at_once(tmp_path: Path, kind: str) -> None:
    wait = "await asyncio.sleep(300)" if kind == "async def" else "time.sleep(300)"
    with child(tmp_path, f"{kind} slow(state):\n    {wait}\ngraph = line(slow)", mode="async") as run:
        run.start()
        run.await_one(TaskStarted, node="slow")
        run.stop("cancel")
        assert run.result().status == "stopped"
        assert len(run.of(RunEnded)) == 1


def test_a_stopped_run_says_why_when_it_was_told(tmp_path: Path) -> None:
    with child(tmp_path, "async def slow(state):\n    await asyncio.sleep(300)\ngraph = line(slow)") as run:
        run.start()
        run.await_one(TaskStarted, node="slow")
        why = {"type": "Timeout", "message": "it took too long", "traceback": ""}
        run.stop("cancel", error=why)
        assert (run.result().status, run.result().error) == ("stopped", why)


def test_what_a_stopped_thread_still_does_comes_no_more(tmp_path: Path) -> None:
    source = """
    def slow(state):
        while not os.path.exists("go"):
            time.sleep(0.01)
        get_stream_writer()("late")
        open("left", "w").close()
        return {}
    graph = line(slow)
    """
    with child(tmp_path, source, mode="sync") as run:
        run.start()
        run.await_one(TaskStarted, node="slow")
        run.stop("cancel")
        assert run.result().status == "stopped"
        (tmp_path / "go").touch()
        until((tmp_path / "left").exists, run)
        run.start(thread="2")
        assert run.result().status == "done"
        assert [event.data for event in run.of(CustomWritten)] == ["late"]


def test_a_blocked_loop_is_noticed_with_its_line(tmp_path: Path) -> None:
    source = """
    async def block(state):
        while not os.path.exists("go"):
            time.sleep(0.05)
        return {}
    graph = line(block)
    """
    with child(tmp_path, source) as run:
        run.start()
        text = run.await_one(Notice, code="blocked").text
        assert "agent.py:" in text
        (tmp_path / "go").touch()
        assert run.result().status == "done"
        delay = max(run.of(LoopDelayed), key=lambda event: event.delay)
        assert BLOCKED <= delay.delay <= delay.window <= delay.at
        assert type(run.events()[-1]) is RunEnded


HELD = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def graph():
    entered = asyncio.current_task()
    yield line(node)
    if asyncio.current_task() is not entered:
        raise RuntimeError("left by another task")
    print("left", flush=True)
"""


def test_what_the_target_opened_is_left_by_the_task_that_entered_it(tmp_path: Path) -> None:
    with child(tmp_path, NODE + HELD) as run:
        run.start()
        assert run.result().status == "done"
        run.close()
        run.await_one(Output, text="left")
        assert run.of(Notice, code="close") == []


def test_what_the_target_opened_and_lost_is_told(tmp_path: Path) -> None:
    source = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def graph():
    task = asyncio.current_task()
    asyncio.get_running_loop().call_later(0.01, task.cancel)
    try:
        yield line(node)
    except asyncio.CancelledError:
        raise ConnectionError("the tool server is gone")
"""
    with child(tmp_path, NODE + source) as run:
        assert "ConnectionError: the tool server is gone" in run.await_one(Notice, code="close").text
        run.start()
        assert run.result().status == "done"

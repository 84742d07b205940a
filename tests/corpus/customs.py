"""Custom events: from nodes, tools, threads, background tasks, subgraphs. Each says in `by` which task wrote it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from langchain_core.callbacks import dispatch_custom_event
from langgraph.config import get_config, get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy, Send, StreamWriter

from tests.corpus import case
from tests.corpus.models import says
from tests.corpus.parts import Log, fan, line, noted, saved


def say(**data):
    """Write an event that is signed with the id of the task that writes it."""
    place = get_config()["metadata"]["langgraph_checkpoint_ns"]
    get_stream_writer()({"by": place.rpartition(":")[2], **data})


def sayer(*words):
    def node(state):
        for word in words:
            say(word=word)
        return {"log": list(words)}

    return node


@case({"log": []})
def from_parallel_nodes():
    """Parallel nodes that write; the namespace of LangGraph does not tell which."""
    return fan({"a": sayer(1, 2), "b": sayer(3), "c": sayer(4, 5)}, **saved())


@case({"log": []})
def from_sends():
    """Several tasks of one node that write."""
    graph = StateGraph(Log)

    def work(given):
        say(n=given["n"])

    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda state: [Send("work", {"n": n}) for n in range(4)])
    return graph.compile(**saved())


@case({"log": []})
def from_subgraphs():
    """Nodes of subgraphs that write, three deep, beside nodes of their parents."""
    third = line({"deep": sayer("third")})
    second = fan({"third": third, "mid": sayer("second")})
    return fan({"second": second, "top": sayer("first")}, **saved())


@case({"log": []})
def from_called_graphs():
    """A node that writes before and after it calls a graph that writes."""
    inner = line({"in": sayer("inside")})

    def call(state):
        say(word="before")
        inner.invoke({"log": []})
        say(word="after")

    return line({"call": call}, **saved())


@case({"log": []}, needs=("async context",))
def from_async_nodes():
    """Async nodes that write in turn."""

    def sayer_(word):
        async def node(state):
            for number in range(3):
                say(word=word, number=number)
                await asyncio.sleep(0)

        return node

    return fan({"a": sayer_("a"), "b": sayer_("b")}, **saved())


@case({"log": []}, needs=("async context",))
def from_background_tasks():
    """Tasks of asyncio that a node starts, and waits for."""

    async def node(state):
        async def work(number):
            await asyncio.sleep(0)
            say(number=number)

        await asyncio.gather(*(asyncio.create_task(work(number)) for number in range(3)))
        say(number="own")

    return line({"a": node}, **saved())


@case({"log": []}, needs=("async context",))
def after_the_end():
    """A background task that writes when its node has ended."""
    left = set()

    async def leave(state):
        gone = asyncio.Event()

        async def late():
            await gone.wait()
            say(word="late")

        task = asyncio.create_task(late())
        left.add(task)
        left.add(gone)
        say(word="in time")

    async def wait(state):
        for one in list(left):
            if isinstance(one, asyncio.Event):
                one.set()
        await asyncio.gather(*(one for one in left if isinstance(one, asyncio.Task)))
        left.clear()

    return line({"leave": leave, "wait": wait}, **saved())


@case({"log": []})
def from_threads():
    """Threads that a node starts, each with the node's context."""

    def node(state):
        with ThreadPoolExecutor(2) as pool:
            for one in [pool.submit(copy_context().run, lambda n=n: say(n=n)) for n in range(3)]:
                one.result()

    return fan({"a": node, "b": sayer("b")}, **saved())


@case({"log": []})
def from_lost_threads():
    """A thread without the node's context, in which the writer cannot be asked for, but one that was handed over works."""

    def node(state):
        writer, found = get_stream_writer(), []

        def work():
            try:
                get_stream_writer()
            except RuntimeError as error:
                found.append(type(error).__name__)
            try:
                writer({"word": "handed over"})
            except RuntimeError as error:
                found.append(type(error).__name__)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return {"log": found}

    return line({"a": node}, **saved())


@case({"log": []})
def by_every_door():
    """The writer as a parameter, of the runtime, and by `get_stream_writer`."""

    def parameter(state, writer: StreamWriter):
        writer({"door": "parameter"})

    def runtime(state, runtime: Runtime):
        runtime.stream_writer({"door": "runtime"})

    return fan({"parameter": parameter, "runtime": runtime, "function": sayer("function")}, **saved())


@case({"log": []})
def of_every_kind():
    """Payloads of every kind: None, a text, a list, an exception, a set, a large one, a model's message."""

    def node(state):
        writer = get_stream_writer()
        for one in (None, "text", 7, [1, {"a": 2}], ValueError("told"), {1, 2}, "x" * 10_000, says("hi").invoke("x")):
            writer(one)

    return line({"a": node}, **saved())


@case({"log": []})
def between_tokens():
    """Custom events before, between and after the tokens of two calls."""

    def node(state):
        say(word="before")
        for chunk in says("a", "b").stream("x"):
            say(after=chunk.text)
        said = says("c", "d").invoke("x")
        say(word="after")
        return {"messages": [said]}

    return line({"a": node}, **saved())


@case({"log": []})
def of_failed_attempts():
    """Events of an attempt that fails, and of the one that does not."""
    tries = []

    def node(state):
        tries.append(1)
        say(attempt="begun")
        if len(tries) % 2:
            raise ConnectionError("again")

    graph = StateGraph(Log)
    graph.add_node("a", node, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    graph.add_edge(START, "a")
    return graph.compile(**saved())


@case({"log": []})
def dispatched():
    """`dispatch_custom_event`, which is LangChain's and no part of the stream."""

    def node(state):
        dispatch_custom_event("progress", {"n": 1})
        say(word="own")

    return line({"a": node, "b": noted("b")}, **saved())

"""Faults: errors everywhere, retries, caches, timeouts, error handlers, limits, returns of the wrong kind."""

import asyncio

from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send

from tests.corpus import case
from tests.corpus.customs import say
from tests.corpus.models import says
from tests.corpus.parts import Log, fan, line, noted, saved


def fails(error=None):
    def node(state):
        raise error or ValueError("boom")

    return node


def single(node, name="a", *, after=None, compiled=None, **options):
    graph = StateGraph(Log)
    graph.add_node(name, node, **options)
    graph.add_edge(START, name)
    if after is not None:
        graph.add_node("after", after)
        graph.add_edge(name, "after")
    return graph.compile(**saved(**(compiled or {})))


@case({"log": []})
def failing_node():
    """A node that fails."""
    return line({"ok": noted("ok"), "fail": fails()}, **saved())


@case({"log": []})
def failing_oddly():
    """An exception with an empty message, a cause, and notes."""

    class OddError(Exception):
        def __str__(self):
            return ""

    def node(state):
        try:
            {}["missing"]
        except KeyError as error:
            raise OddError from error

    return single(node)


@case({"log": []}, needs=("async context",))
def failing_beside_others():
    """A node that fails while another one waits, which is cancelled; a third has finished before."""
    ready = {}

    async def done(state):
        return {"log": ["done"]}

    async def waits(state):
        ready["waits"].set()
        await asyncio.Event().wait()

    async def fail(state):
        ready["waits"] = asyncio.Event()
        await ready["waits"].wait()
        await asyncio.sleep(0.01)
        raise ValueError("boom")

    async def starts(state):
        ready["waits"] = asyncio.Event()

    graph = StateGraph(Log)
    for name, node in {"done": done, "waits": waits, "fail": fail}.items():
        graph.add_node(name, node)
    graph.add_node("starts", starts)
    graph.add_edge(START, "starts")
    for name in ("fail", "done", "waits"):
        graph.add_edge("starts", name)

    async def waits_better(state):
        while "waits" not in ready:
            await asyncio.sleep(0)
        ready["waits"].set()
        await asyncio.Event().wait()

    graph.nodes["waits"].runnable.afunc = waits_better
    return graph.compile(**saved())


@case({"log": []})
def failing_branch():
    """A conditional edge that fails after its node has written."""
    graph = StateGraph(Log)
    graph.add_node("a", noted("a"))
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", lambda state: {}["missing"])
    return graph.compile(**saved())


@case({"log": []})
def failing_first_branch():
    """The conditional edge of START that fails."""
    graph = StateGraph(Log)
    graph.add_node("a", noted("a"))
    graph.add_conditional_edges(START, lambda state: {}["missing"])
    return graph.compile(**saved())


@case({"log": []})
def failing_reducer():
    """A reducer that fails: no task does."""
    return fan({"a": lambda state: {"log": 5}, "b": noted("b")}, **saved())


@case({"log": []})
def wrong_return():
    """A node that returns a text where a state is wanted."""
    return single(lambda state: "text")


@case({"log": []})
def returns_a_list():
    """A node that returns a list where a state is wanted."""
    return single(lambda state: ["a", "b"])


@case({"log": []})
def generator_node():
    """A node that is a generator: what it yields last counts."""

    def node(state):
        yield {"log": ["first"]}
        yield {"log": ["last"]}

    return single(node, after=noted("x"))


@case({"log": []}, config={"recursion_limit": 4})
def without_end():
    """A loop that comes to the recursion limit."""
    graph = StateGraph(Log)
    graph.add_node("again", noted("x"))
    graph.add_edge(START, "again")
    graph.add_edge("again", "again")
    return graph.compile(**saved())


@case({"log": []})
def retried():
    """A node that succeeds at its third attempt."""
    tries = []

    def node(state):
        tries.append(1)
        if len(tries) % 3:
            raise ConnectionError(f"attempt {len(tries) % 3}")
        return {"log": ["at last"]}

    return single(node, after=noted("x"), retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))


@case({"log": []})
def retried_in_vain():
    """A node that fails at every attempt."""
    return single(fails(ConnectionError("never")),
                  retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False))  # fmt: skip


@case({"log": []})
def retried_subgraph():
    """A subgraph as a node that is tried again as a whole."""
    tries = []

    def shaky(state):
        tries.append(1)
        if len(tries) % 2:
            raise ConnectionError("shaky")
        return {"log": ["ok"]}

    return single(line({"before": noted("b"), "shaky": shaky}), name="sub",
                  retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))  # fmt: skip


@case({"log": []})
def cached():
    """A node out of the cache: the same input twice."""
    graph = StateGraph(Log)
    graph.add_node("slow", lambda given: {"log": [given["n"]]}, cache_policy=CachePolicy())
    graph.add_node("again", noted())
    graph.add_conditional_edges(START, lambda state: [Send("slow", {"n": 1}), Send("slow", {"n": 2})])
    graph.add_edge("slow", "again")
    graph.add_conditional_edges(
        "again", lambda state: [Send("slow", {"n": 1}), Send("slow", {"n": 3})] if len(state["log"]) < 3 else "__end__"
    )
    return graph.compile(**saved(cache=InMemoryCache()))


@case({"log": []}, needs=("async context", "timeouts"))
def timed_out():
    """A node that takes longer than it may."""

    async def slow(state):
        await asyncio.Event().wait()

    return single(slow, timeout=0.05)


@case({"log": []}, needs=("async context",))
def step_timed_out():
    """A step that takes longer than it may."""

    async def slow(state):
        await asyncio.Event().wait()

    graph = fan({"slow": slow, "quick": noted("q")}, **saved())
    graph.step_timeout = 0.2
    return graph


@case({"log": []}, needs=("error handlers",))
def handled():
    """A node with an error handler, after which the graph goes on."""

    def handle(state, error):
        return {"log": [f"handled {type(error).__name__}"]}

    return single(fails(), after=noted("after"), error_handler=lambda state: {"log": ["handled"]})


@case({"log": []}, needs=("error handlers",))
def handled_by_a_command():
    """An error handler that says where to go on."""
    graph = StateGraph(Log)
    graph.add_node("a", fails(), error_handler=lambda state: Command(update={"log": ["handled"]}, goto="b"))
    graph.add_node("b", noted("b"))
    graph.add_node("c", noted("c"))
    graph.add_edge(START, "a")
    graph.add_edge("a", "c")
    return graph.compile(**saved())


@case({"log": []}, needs=("error handlers",))
def handled_with_words():
    """An error handler that speaks and writes, in a subgraph."""

    def handle(state):
        say(word="handling")
        return {"messages": [says("all ", "well", tags=["handler"]).invoke("x")]}

    return line({"sub": single(fails(), after=noted("after"), error_handler=handle)}, **saved())


@case({"log": []}, needs=("error handlers",))
def handled_by_a_graph():
    """An error handler that calls a graph."""
    inner = line({"x": noted("x"), "y": noted("y")})
    return single(fails(), after=noted("after"), error_handler=lambda state: inner.invoke({"log": []}))


@case({"log": []}, needs=("error handlers",))
def handled_in_vain():
    """An error handler that fails itself, after retries."""
    return single(fails(), error_handler=fails(KeyError("handler")),
                  retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=ValueError))  # fmt: skip


@case({"messages": []})
def failing_after_speech():
    """A node that fails after its model has spoken and after an event."""

    def node(state):
        says("said ", "before").invoke("x")
        raise RuntimeError("afterwards")

    return fan({"a": node}, **saved())


@case({"log": []}, needs=("async context",))
def failing_deep_with_others():
    """A failure three deep, with tasks that are still running on every level."""

    async def waits(state):
        await asyncio.Event().wait()

    async def fail(state):
        await asyncio.sleep(0.02)
        raise ValueError("deep")

    third = fan({"fail": fail, "waits": waits})
    second = fan({"third": third, "waits": waits})
    return fan({"second": second, "waits": waits}, **saved())

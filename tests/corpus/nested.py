"""Graphs in graphs: as nodes, as calls, several in one task, three deep, with savers and threads of their own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from tests.corpus import case
from tests.corpus.parts import InMemorySaver, Log, fan, line, noted, saved


class Other(TypedDict, total=False):
    topic: str
    text: str


def other(**options):
    return line({"write": lambda state: {"text": f"about {state['topic']}"}, "mend": lambda state: {"text": "mended"}},
                Other, **options)  # fmt: skip


def inner(*notes, **options):
    return line({name: noted(name) for name in notes or ("x", "y")}, **options)


@case({"log": ["given"]})
def as_a_node():
    """A subgraph as a node, with the state of its parent."""
    return line({"a": noted("a"), "sub": inner(), "b": noted("b")}, **saved())


@case({"log": []})
def as_a_call():
    """A subgraph with a state of its own, called by a node."""
    graph = other()
    return line({"call": lambda state: {"log": [graph.invoke({"topic": "cats"})["text"]]}}, **saved())


@case({"log": []}, needs=("async context",))
def as_an_async_call():
    """A subgraph that an async node awaits."""
    graph = other()

    async def call(state):
        return {"log": [(await graph.ainvoke({"topic": "cats"}))["text"]]}

    return line({"call": call}, **saved())


@case({"log": []})
def two_in_one_task():
    """Two subgraphs called one after the other by one task, and one of them again."""
    first, second = other(), inner("i")

    def call(state):
        return {
            "log": [
                first.invoke({"topic": "a"})["text"],
                *second.invoke({"log": []})["log"],
                first.invoke({"topic": "b"}),
            ]
        }

    return line({"call": call}, checkpointer=None)


@case({"log": []}, needs=("async context",))
def two_at_once_in_one_task():
    """Two different subgraphs at the same time in one task."""
    first, second = other(), inner("i")

    async def call(state):
        found = await asyncio.gather(first.ainvoke({"topic": "a"}), second.ainvoke({"log": []}))
        return {"log": list(found)}

    return line({"call": call}, checkpointer=None)


@case({"log": []})
def three_deep():
    """Three graphs in one another, and a node beside each of them."""
    third = inner("deep")
    second = line({"before": noted("before"), "third": third})
    return fan({"second": second, "beside": noted("beside")}, **saved())


@case({"log": []})
def same_names():
    """Subgraphs of the same make under two names, with nodes that have the names of their parents."""
    return fan(
        {"left": line({"left": noted(1), "x": noted(2)}), "x": line({"left": noted(3), "x": noted(4)})}, **saved()
    )


@case({"log": []})
def sent_to():
    """`Send` to a subgraph: several of its runs at once."""
    graph = StateGraph(Log)
    graph.add_node("sub", inner("x", "y"))
    graph.add_conditional_edges(START, lambda state: [Send("sub", {"log": [n]}) for n in range(3)])
    return graph.compile(**saved())


@case({"log": []})
def own_saver():
    """A subgraph with a checkpointer of its own, as a node."""
    return line({"sub": inner(checkpointer=InMemorySaver()), "b": noted("b")}, **saved())


@case({"log": []})
def own_memory():
    """A subgraph that keeps its state between runs (`checkpointer=True`), as a node."""
    return line({"sub": inner(checkpointer=True)}, **saved())


@case({"log": []})
def no_saver():
    """A subgraph that must not be saved (`checkpointer=False`)."""
    return line({"sub": inner(checkpointer=False)}, **saved())


@case({"log": []})
def own_memory_unsaved():
    """A subgraph that would keep its state, in a parent that keeps none."""
    return line({"a": noted("a"), "sub": inner(checkpointer=True)})


@case({"log": []})
def own_thread():
    """A graph that a node calls on a thread of its own, by a checkpointer of its own."""
    graph = other(checkpointer=InMemorySaver())

    def call(state):
        return {"log": [graph.invoke({"topic": "cats"}, {"configurable": {"thread_id": "its own"}})["text"]]}

    return line({"call": call}, **saved())


@case({"log": []})
def streamed_by_a_node():
    """A node that streams a subgraph itself, and keeps what came."""
    graph = other()

    def call(state):
        return {"log": list(graph.stream({"topic": "cats"}, stream_mode="updates"))}

    return line({"call": call}, **saved())


@case({"log": []})
def called_in_a_loop():
    """A node that calls its subgraph on each of its visits."""
    graph = StateGraph(Log)
    sub = inner("i")
    graph.add_node("call", lambda state: {"log": sub.invoke({"log": []})["log"]})
    graph.add_edge(START, "call")
    graph.add_conditional_edges("call", lambda state: "call" if len(state["log"]) < 3 else "__end__")
    return graph.compile(**saved())


@case({"log": []})
def called_in_a_thread():
    """A subgraph that a node calls in a thread of its own making, with and without the node's context."""
    graph = other()

    def call(state):
        with ThreadPoolExecutor(1) as pool:
            kept = pool.submit(copy_context().run, graph.invoke, {"topic": "kept"}).result()
            lost = pool.submit(graph.invoke, {"topic": "lost"}).result()
        return {"log": [kept, lost]}

    return line({"call": call}, checkpointer=None)


@case({"log": []}, needs=("async context",))
def fails_inside():
    """A node of a subgraph fails, and the whole graph with it."""

    async def fail(state):
        raise ValueError("inside")

    return line({"sub": line({"ok": noted("ok"), "fail": fail})}, **saved())


@case({"log": []})
def fails_and_is_caught():
    """A node catches what the subgraph that it calls has failed with."""

    def fail(state):
        raise ValueError("inside")

    graph = line({"fail": fail})

    def call(state):
        try:
            graph.invoke({"log": []})
        except ValueError as error:
            return {"log": [str(error)]}

    return line({"call": call, "b": noted("b")}, **saved())

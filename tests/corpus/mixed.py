"""Awkward combinations: features that are told right alone, and must be told right together."""

import asyncio
import functools

from langchain_core.messages import ChatMessage, FunctionMessage
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langgraph.cache.memory import InMemoryCache
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, interrupt
from pydantic import BaseModel

from tests.corpus import case
from tests.corpus.customs import say, sayer
from tests.corpus.models import Echo, answers, calls, says
from tests.corpus.parts import InMemorySaver, Log, fan, line, noted, saved


def sends(node, count=2, name="work", **options):
    """A graph that runs a node in several tasks at once."""
    graph = StateGraph(Log)
    graph.add_node(name, node, **options)
    graph.add_conditional_edges(START, lambda state: [Send(name, {"log": [n], "messages": []}) for n in range(count)])
    return graph


@case({"log": []})
def model_in_an_edge():
    """A conditional edge that asks a model where to go, and writes an event."""

    def route(state):
        say(word="routing")
        return says("le", "ft", tags=["router"]).invoke("x").text

    graph = StateGraph(Log)
    for name in ("ask", "left", "right"):
        graph.add_node(name, noted(name))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", route, ["left", "right"])
    return graph.compile(**saved())


@case({"log": []})
def model_in_the_first_edge():
    """The conditional edge of START asks a model: no task is there yet."""
    graph = StateGraph(Log)
    graph.add_node("left", noted("l"))
    graph.add_conditional_edges(START, lambda state: says("le", "ft").invoke("x").text, ["left", END])
    return graph.compile(**saved())


@case({"messages": []})
def subgraphs_that_speak_in_sends():
    """Several runs of one subgraph at once, each with a model, an event and a failed attempt."""
    tries = {}

    def node(state):
        number = state["log"][0]
        tries[number] = tries.get(number, 0) + 1
        say(number=number)
        said = says(f"a{number} ", f"b{number}", tags=[f"t{number}"]).invoke("x")
        if tries[number] % 2:
            raise ConnectionError("once")
        return {"messages": [said]}

    inner = StateGraph(Log)
    inner.add_node("speak", node, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    inner.add_edge(START, "speak")
    return sends(inner.compile(), 3, "sub").compile(**saved())


@case({"log": []}, answers=["one", "two"])
def subgraphs_that_ask_in_sends():
    """Several runs of one subgraph at once, each asking twice, with an event before."""

    def ask(state):
        say(asking=state["log"][0])
        return {"log": [interrupt([state["log"][0], 1]), interrupt([state["log"][0], 2])]}

    return sends(line({"first": noted("f"), "ask": ask}), 2, "sub").compile(**saved())


@case({"log": []}, answers=["yes"])
def tasks_that_ask_in_a_subgraph():
    """A `@task` that asks, called beside another one by a node of a subgraph."""

    @task
    def review(text):
        say(reviewing=text)
        return interrupt(f"{text}?")

    @task
    def double(text):
        return says(text, text, tags=["task"]).invoke("x").text

    def node(state):
        first, second = double("x"), review("y")
        return {"log": [first.result(), second.result()]}

    return line({"sub": line({"node": node}), "end": noted("end")}, **saved())


@case([1, 2], needs=("async context",))
def tasks_that_speak_at_once():
    """Async tasks with models, awaited together, under an entrypoint that calls another one."""

    @task
    async def write(number):
        get_stream_writer()({"number": number})
        return (await says(f"w{number} ", "on").ainvoke("x")).text

    @entrypoint()
    async def inner(numbers):
        return list(await asyncio.gather(*(write(number) for number in numbers)))

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(numbers):
        return await inner.ainvoke(numbers)

    return flow


@case({"messages": []}, needs=("async context",))
def speaking_after_the_end():
    """A model that goes on in the background after its node has ended."""
    left = []

    async def leave(state):
        gate = asyncio.Event()

        async def late():
            await gate.wait()
            return await says("la", "te", tags=["late"]).ainvoke("x")

        left.extend([gate, asyncio.create_task(late())])

    async def wait(state):
        gate, running = left
        left.clear()
        gate.set()
        return {"messages": [await running]}

    return line({"leave": leave, "wait": wait}, **saved())


@case({"messages": []})
def cached_speech():
    """A node with a model out of the cache: nothing is said the second time."""
    graph = StateGraph(Log)
    graph.add_node("speak", lambda given: {"messages": [says("on", "ce").invoke("x")]}, cache_policy=CachePolicy())
    graph.add_node("again", noted("again"))
    graph.add_conditional_edges(START, lambda state: [Send("speak", {"n": 1})])
    graph.add_edge("speak", "again")
    graph.add_conditional_edges("again", lambda state: [Send("speak", {"n": 1})] if len(state["log"]) < 2 else END)
    return graph.compile(**saved(cache=InMemoryCache()))


@case({"messages": []})
def parallel_runnables():
    """A node that is a parallel of two chains with models."""
    node = RunnableParallel(a=says("a1 ", "a2", tags=["a"]), b=says("b1 ", "b2", tags=["b"]))
    return line({"both": RunnableLambda(lambda state: "x") | node | (lambda found: {"messages": [found["a"], found["b"]]})},
                **saved())  # fmt: skip


@case({"messages": []})
def runnable_of_the_same_name():
    """A runnable inside a node that has the node's name."""
    inner = RunnableLambda(lambda text: says("deep", "er").invoke(text)).with_config(run_name="work")
    return line({"work": lambda state: {"messages": [inner.invoke("x")]}}, **saved())


@case({"messages": []})
def models_of_all_wrappings():
    """A model with a retry, with bound arguments, with a structured output, and with a run name."""

    class Answer(BaseModel):
        word: str

    class Structured(Echo):
        def bind_tools(self, tools, **kwargs):
            return self

    model = Structured(chunks=calls("Answer", '{"word": "yes"}'))

    def node(state):
        retried = says("re", "tried").with_retry().invoke("x")
        bound = says("bo", "und").bind(stop=["."]).invoke("x")
        named = says("na", "med").with_config(run_name="narrator").invoke("x")
        word = model.with_structured_output(Answer).invoke("x").word
        return {"messages": [retried, bound, named], "log": [word]}

    return line({"work": node}, **saved())


@case({"messages": []})
def roles_of_all_kinds():
    """Messages of custom roles, and the old ones of functions."""
    return line({"say": lambda state: {"messages": [ChatMessage("c", role="critic"), FunctionMessage("f", name="fn")]}},
                **saved())  # fmt: skip


@case({"log": []})
def nodes_of_all_makes():
    """Nodes that are objects, partial functions, methods and lambdas."""

    class Worker:
        def __call__(self, state):
            say(word="called")
            return {"log": ["object"]}

        def method(self, state):
            return {"log": ["method"]}

    def part(word, state):
        return {"log": [word]}

    worker = Worker()
    return fan({"object": worker, "partial": functools.partial(part, "p"), "method": worker.method}, **saved())


@case({"log": []}, answers=[None, None, "x"])
def breakpoints_in_parallel_subgraphs():
    """Breakpoints in two subgraphs at once, and a question behind one of them."""
    left = line({"a": noted("a"), "ask": lambda state: {"log": [interrupt("?")]}}, interrupt_before=["ask"])
    right = line({"b": noted("b"), "c": noted("c")}, interrupt_before=["c"])
    return line({"both": fan({"left": left, "right": right}), "end": noted("end")}, **saved())


@case({"log": []}, answers=["x"], before=("sub",), after=("sub",))
def breakpoints_around_a_question():
    """Breakpoints before and after a subgraph that asks."""
    inner = line({"ask": lambda state: {"log": [interrupt("?")]}})
    return line({"sub": inner, "end": noted("end")}, **saved())


@case({"log": []})
def limits_inside():
    """A subgraph that a node calls with a limit of its own, and comes to it."""
    inner = StateGraph(Log)
    inner.add_node("again", noted("x"))
    inner.add_edge(START, "again")
    inner.add_edge("again", "again")
    looping = inner.compile()

    def call(state):
        try:
            return looping.invoke({"log": []}, {"recursion_limit": 3})
        except RecursionError as error:
            return {"log": [type(error).__name__]}

    return line({"call": call}, checkpointer=None)


@case({"messages": []})
def streamed_inside():
    """A node that streams a subgraph's messages itself, in another mode, and events of the run as LangChain has them."""
    graph = line({"speak": lambda state: {"messages": [says("in", "ner").invoke("x")]}})

    def node(state):
        chunks = [chunk.text for chunk, _ in graph.stream({"messages": []}, stream_mode="messages")]
        return {"log": chunks}

    return line({"node": node}, **saved())


@case({"log": []}, needs=("async context",))
def one_of_many_fails():
    """One of several tasks of a node fails while the others wait; their events and tokens stay."""

    async def work(given):
        number = given["log"][0]
        say(number=number)
        await says(f"t{number}").ainvoke("x")
        if number == 1:
            await asyncio.sleep(0.05)
            raise ValueError("one")
        await asyncio.Event().wait()

    return sends(work, 3).compile(**saved())


@case({"log": []})
def commands_into_subgraphs():
    """A command that sends to a subgraph with updates, and a subgraph that answers its parent by a command."""
    inner = line({"up": lambda state: Command(graph=Command.PARENT, goto="end", update={"log": ["from inside"]})})
    graph = StateGraph(Log)
    graph.add_node("go", lambda state: Command(goto=[Send("sub", {"log": ["sent"]}), "beside"], update={"log": ["go"]}))
    graph.add_node("sub", inner)
    graph.add_node("beside", sayer("beside"))
    graph.add_node("end", noted("end"), defer=True)
    graph.add_edge(START, "go")
    return graph.compile(**saved())


@case({"messages": []}, answers=["sure"])
def asked_between_two_models():
    """Two models around a question in a subgraph, in parallel with a model outside; the first speaks twice."""

    def node(state):
        first = says("may ", "I?", tags=["first"]).invoke("x")
        answer = interrupt(first.text)
        return {"messages": [answers("you ", answer, tags=["second"]).invoke("x")]}

    def beside(state):
        return {"messages": [says("be", "side").invoke("x")]}

    return fan({"sub": line({"node": node}), "beside": beside}, **saved())


@case({"log": []})
def hidden_node():
    """A node that LangGraph is told to hide."""
    graph = StateGraph(Log)
    graph.add_node("seen", noted("s"))
    graph.add_node("hidden", RunnableLambda(sayer("h")).with_config(tags=["langsmith:hidden"]))
    graph.add_edge(START, "seen")
    graph.add_edge("seen", "hidden")
    return graph.compile(**saved())


@case({"log": []})
def named_and_configured():
    """A graph with a name of its own and a bound config, as a node of another one."""
    inner = line({"x": sayer("x")}, name="inner graph").with_config(tags=["bound"], metadata={"team": "a"})
    return line({"sub": inner, "end": noted("end")}, **saved(name="outer graph"))

"""The functional API: entrypoints and tasks, and both in graphs."""

import time

from langgraph.cache.memory import InMemoryCache
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.types import CachePolicy, RetryPolicy, interrupt

from tests.corpus import case
from tests.corpus.models import says
from tests.corpus.parts import InMemorySaver, line, noted, saved


@task
def double(number):
    return number * 2


@task
def nested(number):
    return double(double(number).result()).result()


@case(3)
def sequential():
    """An entrypoint that calls tasks one after the other."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        return double(double(number).result()).result()

    return flow


@case([1, 2, 3])
def parallel():
    """An entrypoint that calls the same task several times at once."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(numbers):
        return [one.result() for one in [double(number) for number in numbers]]

    return flow


@case(1)
def tasks_in_tasks():
    """A task that calls tasks."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        return nested(number).result()

    return flow


@case(1, needs=("async context",))
def awaited():
    """Async tasks in an async entrypoint."""

    @task
    async def add(number):
        return number + 1

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(number):
        return await add(await add(number))

    return flow


@case(1)
def unsaved():
    """An entrypoint without a checkpointer."""

    @entrypoint()
    def flow(number):
        return double(number).result()

    return flow


@case(2)
def returned_and_saved():
    """An entrypoint that saves something else than it returns."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number, *, previous=None):
        return entrypoint.final(value=number, save=(previous or 0) + number)

    return flow


@case("cats")
def speaking_tasks():
    """Tasks with a model and with custom events."""

    @task
    def write(topic):
        get_stream_writer()({"by": "write", "about": topic})
        return says("about ", topic, tags=["writer"]).invoke(topic).text

    @entrypoint(checkpointer=InMemorySaver())
    def flow(topic):
        get_stream_writer()({"by": "flow"})
        return [write(topic).result(), write("dogs").result()]

    return flow


@case("draft", answers=["good"])
def asks_between_tasks():
    """An entrypoint that asks between two tasks; the first is not run again."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(text):
        first = double(text).result()
        answer = interrupt({"text": first})
        return [first, answer, double(answer).result()]

    return flow


@case("draft", answers=["good"])
def asks_in_a_task():
    """A task that asks."""

    @task
    def review(text):
        return interrupt(text)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(text):
        return [double(text).result(), review(text).result()]

    return flow


@case(1)
def retried_task():
    """A task that succeeds at its third attempt."""
    tries = []

    @task(retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False))
    def shaky(number):
        tries.append(number)
        if len(tries) % 3:
            raise ConnectionError("shaky")
        return number

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        return shaky(number).result()

    return flow


@case(1)
def cached_task():
    """A task out of the cache: called twice with the same argument, one after the other."""

    @task(cache_policy=CachePolicy())
    def slow(number):
        return number + 1

    cache = InMemoryCache()

    @entrypoint(checkpointer=InMemorySaver(), cache=cache)
    def flow(number):
        first = slow(number).result()
        while not cache._cache:  # it is written in the background
            time.sleep(0.001)
        return [first, slow(number).result()]

    return flow


@case(1)
def failing_task():
    """A task that fails, and an entrypoint that catches it."""

    @task
    def fail(number):
        raise ValueError("no")

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        try:
            return fail(number).result()
        except ValueError as error:
            return str(error)

    return flow


@case({"log": []})
def tasks_in_a_node():
    """Tasks that a node of a graph calls."""
    return line({"a": lambda state: {"log": [double(2).result(), double(3).result()]}, "b": noted("b")}, **saved())


@case({"log": []})
def entrypoint_in_a_node():
    """An entrypoint that a node calls, and a graph that an entrypoint's task calls."""
    graph = line({"x": noted("x")})

    @task
    def ask_graph(number):
        return graph.invoke({"log": [number]})["log"]

    @entrypoint()
    def flow(number):
        return ask_graph(number).result()

    return line({"call": lambda state: {"log": flow.invoke(1)}}, **saved())


@case(3)
def graph_in_an_entrypoint():
    """An entrypoint that calls a graph."""
    graph = line({"x": noted("x"), "y": noted("y")})

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        return [double(number).result(), graph.invoke({"log": [number]})["log"]]

    return flow


@case("cats")
def speaking_graph_in_a_task():
    """A task that calls a graph, in which a model speaks and an event is written."""

    def write(state):
        get_stream_writer()({"by": "x"})
        return {"messages": [says("in ", "deep").invoke("x")]}

    graph = line({"x": write})

    @task
    def ask_graph(topic):
        return graph.invoke({"log": [topic]})["log"]

    @entrypoint(checkpointer=InMemorySaver())
    def flow(topic):
        return ask_graph(topic).result()

    return flow

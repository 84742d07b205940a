"""Savers: in memory, in SQLite by both of its ways, opened by factories; durability is the run's own business."""

import contextlib
import sqlite3
import tempfile
import threading
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.types import interrupt

from tests.corpus import case
from tests.corpus.models import Echo, says
from tests.corpus.parts import InMemorySaver, fan, line, noted, saved


def database():
    return Path(tempfile.mkdtemp(prefix="lgwatch-corpus-")) / "state.sqlite"


def in_sqlite():
    return SqliteSaver(sqlite3.connect(database(), check_same_thread=False))


@case({"log": []}, sync=True)
def sqlite():
    """A saver that only works synchronously."""
    return line({"a": noted("a"), "b": noted("b")}, checkpointer=in_sqlite())


@case({"log": []}, sync=True, answers=["x"])
def sqlite_asked():
    """A question in a graph that is saved synchronously, in a subgraph."""
    inner = line({"ask": lambda state: {"log": [interrupt("deep?")]}})
    return line({"sub": inner, "end": noted("e")}, checkpointer=in_sqlite())


@case({"messages": []}, sync=True)
def sqlite_spoken():
    """Parallel models in a graph that runs synchronously."""

    def talks(name):
        return lambda state: {"messages": [says(f"{name}1 ", f"{name}2", tags=[name]).invoke("x")]}

    return fan({name: talks(name) for name in "ab"}, checkpointer=in_sqlite())


@case({"log": []}, answers=["x"], needs=("async context",))
@contextlib.asynccontextmanager
async def async_sqlite():
    """A saver that only works asynchronously, opened by a context manager."""

    async def ask(state):
        return {"log": [interrupt("name?")]}

    async with AsyncSqliteSaver.from_conn_string(str(database())) as saver:
        yield line({"a": noted("a"), "ask": ask}, checkpointer=saver)


@case({"log": []}, sync=True)
def synchronously():
    """A graph in memory that runs by `stream`, with parallel nodes and a subgraph."""
    return fan({"a": noted("a"), "sub": line({"x": noted("x")})}, **saved())


@case({"log": []}, sync=True)
def synchronous_failure():
    """A failure beside a node that goes on, by `stream`: its result still comes."""

    begun = threading.Event()

    def fail(state):
        begun.wait(10)
        raise ValueError("boom")

    def goes_on(state):
        begun.set()
        threading.Event().wait(0.05)
        return {"log": ["late"]}

    return fan({"fail": fail, "late": goes_on}, **saved())


@case(1, sync=True)
def synchronous_entrypoint():
    """An entrypoint with tasks, by `stream`."""

    @task
    def double(number):
        return number * 2

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number):
        return [one.result() for one in (double(number), double(number + 1))]

    return flow


@case({"log": []}, sync=True, answers=["x"])
@contextlib.contextmanager
def sqlite_of_a_factory():
    """A saver that only works synchronously, opened by a context manager."""
    with SqliteSaver.from_conn_string(str(database())) as saver:
        yield line({"ask": lambda state: {"log": [interrupt("name?")]}}, checkpointer=saver)


def again(**given):
    """A further input for the same thread."""
    return {"$input": given}


@case({"messages": [("user", "one")]}, answers=[again(messages=[("user", "two")]), again(messages=[("user", "three")])])
def three_turns():
    """A conversation of three turns on one thread."""
    return line({"talk": lambda state: {"messages": [Echo().invoke(state["messages"])]}}, **saved())


@case({"log": []}, answers=[again(log=["more"]), again(log=["and more"])])
def turns_of_a_memory():
    """A subgraph that remembers from turn to turn (`checkpointer=True`), beside one that does not."""
    return fan(
        {
            "keeps": line({"x": noted("x"), "y": lambda state: {"value": len(state["log"])}}, checkpointer=True),
            "forgets": line({"x": noted("x")}),
        },
        **saved(),
    )


@case(2, answers=[{"$input": 3}, {"$input": 4}])
def turns_of_an_entrypoint():
    """An entrypoint that adds up over three turns."""

    @entrypoint(checkpointer=InMemorySaver())
    def flow(number, *, previous=None):
        return entrypoint.final(value=number, save=(previous or 0) + number)

    return flow


@case({"log": []}, answers=["first", again(log=["new"]), "second"])
def asked_in_each_turn():
    """A question in each of two turns, in a subgraph, with a finished task beside it."""
    inner = line({"ask": lambda state: {"log": [interrupt("deep?")]}})
    return fan({"sub": inner, "beside": noted("b")}, **saved())


@case({"log": []}, answers=[again(log=["instead"])])
def left_for_another_turn():
    """A question that is left open, and the thread begins anew."""
    return line({"ask": lambda state: {"log": [interrupt("?") if len(state["log"]) < 1 else "no"]}}, **saved())


@case({"log": [], "value": 1}, answers=[again(log=[], value=0)])
def again_after_a_failure():
    """A run that fails after a node that has finished, and another one on the same thread."""

    def fail(state):
        return {"log": [1 // (1 - state["value"])]}

    return line({"ok": noted("ok"), "fail": fail}, **saved())


@case({"log": [], "value": 1}, answers=[None])
def going_on_after_a_failure():
    """A run that fails once, and goes on where it failed, with nothing new."""
    tries = []

    def fail(state):
        tries.append(1)
        if len(tries) % 2:
            raise ConnectionError("once")
        return {"log": ["then"]}

    return line({"ok": noted("ok"), "fail": fail}, **saved())

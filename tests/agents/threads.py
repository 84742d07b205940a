"""A conversation in a database: with the saver for synchronous code, and with the one for asynchronous code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from tests.endpoint import Request


def reply(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
    model = ChatOpenAI(model="mock-1", stream_usage=True)
    return {"messages": [model.invoke(state["messages"], config)]}


builder = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")


@contextmanager
def sync() -> Iterator[Any]:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        yield builder.compile(checkpointer=saver)


@asynccontextmanager
async def asynchronous() -> AsyncIterator[Any]:
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        yield builder.compile(checkpointer=saver)


def answer(request: Request) -> str:
    return f"That was message {len(request.messages)}."

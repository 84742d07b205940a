"""An agent that makes other agents while it runs: its tool `task` starts one for every piece of work."""

from __future__ import annotations

from typing import Any

from deepagents import create_deep_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.endpoint import Answer, Request


@tool
def search(query: str) -> str:
    """Search the web."""
    return f"All about {query}."


def graph(**more: Any) -> Any:
    critic = {"name": "critic", "description": "Finds faults.", "system_prompt": "You find faults.", "tools": []}
    model = ChatOpenAI(model="mock-1", stream_usage=True)
    return create_deep_agent(model, [search], system_prompt="You lead.", subagents=[critic], **more)


def asking() -> Any:
    """The same, where a person decides on every search."""
    return graph(interrupt_on={"search": True}, checkpointer=InMemorySaver())


def answer(request: Request) -> str | Answer:
    if "You find faults." in request.system:
        return "It is too short."
    if "You lead." not in request.system:
        return f"Found: {request.last}" if request.results else Answer(calls=[("search", {"query": request.last})])
    match len(request.results):
        case 0:
            work = [{"description": topic, "subagent_type": "general-purpose"} for topic in ("bread", "cheese")]
            return Answer("Two at once.", calls=[("task", one) for one in work])
        case 2:
            return Answer(calls=[("task", {"description": "Read it.", "subagent_type": "critic"})])
    return "Bread and cheese, then."

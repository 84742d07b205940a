"""A supervisor that hands work to two agents, which hand it back."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph_supervisor import create_supervisor

from tests.endpoint import Answer, Request


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def search(query: str) -> str:
    """Search the annual reports."""
    return "The north has 67000 people, the south 164000."


def graph() -> Any:
    model = ChatOpenAI(model="mock-1", stream_usage=True)
    library = create_agent(model, [search], name="library", system_prompt="You find facts.")
    maths = create_agent(model, [add], name="maths", system_prompt="You add.")
    return create_supervisor([library, maths], model=model, prompt="You lead.", output_mode="full_history").compile()


def answer(request: Request) -> str | Answer:
    if request.system == "You find facts.":
        return Answer(calls=[("search", {"query": "people"})]) if "north" not in request.last else request.last
    if request.system == "You add.":
        return "231000" if request.last == "231000" else Answer(calls=[("add", {"a": 67000, "b": 164000})])
    asked = [call["function"]["name"] for said in request.messages for call in said.get("tool_calls") or ()]
    if "transfer_to_library" not in asked:
        return Answer("First the facts.", calls=[("transfer_to_library", {})])
    return "231000 people." if "transfer_to_maths" in asked else Answer(calls=[("transfer_to_maths", {})])

"""Two agents that hand the conversation to each other; the thread remembers with whom one talks."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from tests.endpoint import Answer, Request


def graph() -> Any:
    model = ChatOpenAI(model="mock-1", stream_usage=True)
    alice = create_agent(model, [create_handoff_tool(agent_name="Bob")], name="Alice", system_prompt="You are Alice.")
    bob = create_agent(model, [create_handoff_tool(agent_name="Alice")], name="Bob", system_prompt="You are Bob.")
    return create_swarm([alice, bob], default_active_agent="Alice").compile(checkpointer=InMemorySaver())


def answer(request: Request) -> str | Answer:
    if request.role == "user" and "Alice" in request.system:
        return Answer(calls=[("transfer_to_bob", {})])
    return "Ahoy! " + request.system

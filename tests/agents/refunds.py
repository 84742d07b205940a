"""A prebuilt agent with middleware around its model, and a person who is asked before a tool is used."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ModelCallLimitMiddleware, before_model
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.endpoint import Answer, Request


@tool
def look_up(customer: str) -> str:
    """Look up what a customer has bought."""
    return f"{customer} has bought a bicycle for 400 EUR"


@tool
def refund(customer: str, amount: float) -> str:
    """Give a customer money back."""
    return f"{amount:.0f} EUR given back to {customer}"


@before_model
def greet(state: Any, runtime: Any) -> dict[str, Any] | None:
    return None


def graph() -> Any:
    return create_agent(
        ChatOpenAI(model="mock-1", stream_usage=True),
        [look_up, refund],
        system_prompt="You work at the counter of a shop.",
        middleware=[
            greet,
            ModelCallLimitMiddleware(run_limit=5),
            HumanInTheLoopMiddleware(interrupt_on={"refund": True}),
        ],
        checkpointer=InMemorySaver(),
        name="counter",
    )


def answer(request: Request) -> str | Answer:
    match len(request.results):
        case 0:
            return Answer("Let me see.", calls=[("look_up", {"customer": "Ann"}), ("look_up", {"customer": "Bob"})])
        case 2:
            return Answer(calls=[("refund", {"customer": "Ann", "amount": 400})])
    return f"This is what happened: {request.results[-1]}."

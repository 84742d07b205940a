"""A node fails once and recovers; the next one fails twice and takes the run down with it.

Look at the attempts in the node panel and the timeline: `fetch_rates` is red, then green, on its second attempt; the
tokens of its first attempt stay in sight. `settle` is out of attempts after two, so the run ends as failed; `enter` on
it shows the traceback.
"""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, StreamWriter
from typing_extensions import Required, TypedDict

from .scripted import Reply, attempt, chat_model, pause

EXAMPLE = {"invoice": "2026-0417", "amount": 1280.0}


class PaymentDeclinedError(Exception):
    """The bank said no."""


cut_off = chat_model(
    Reply("Rates of this morning: 1 EUR is 1.08", fails=ConnectionError("the rates service hung up mid-sentence")),
    tags=["rates"],
    name="rates",
)
rates = chat_model("Rates of this morning: 1 EUR is 1.0842 USD, 0.8391 GBP, 169.20 JPY.", tags=["rates"], name="rates")


class Payment(TypedDict, total=False):
    invoice: Required[str]
    amount: Required[float]
    rates: str
    receipt: str


def fetch_rates(state: Payment, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    number = attempt(config)
    writer({"asking": "rates", "attempt": number})
    model = cut_off if number == 1 else rates
    message = model.invoke("What are the exchange rates this morning? One line.", config)
    return {"rates": message.text}


def settle(state: Payment, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    number = attempt(config)
    for step in ("connect", "authorise", "debit"):
        pause(0.3)
        writer({"bank": step, "attempt": number})
    raise PaymentDeclinedError(f"invoice {state['invoice']}: the account does not cover {state['amount']:.2f} EUR")


def receipt(state: Payment) -> dict[str, Any]:
    return {"receipt": f"{state['invoice']} paid"}


builder = StateGraph(Payment)
builder.add_node(fetch_rates, retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.3, jitter=False))
builder.add_node(settle, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.3, jitter=False))
builder.add_node(receipt)
builder.add_edge(START, "fetch_rates")
builder.add_edge("fetch_rates", "settle")
builder.add_edge("settle", "receipt")
builder.add_edge("receipt", END)
graph = builder.compile(name="flaky")

"""A supervisor hands work to two specialists, each a graph of its own, until it is content.

Look at the node panel: `researcher` and `writer` are subgraphs, and their nodes are nested under the task that ran
them. The supervisor has no edges out of it: it returns `Command(goto=…)`. Filter with `path:researcher`.
"""

import re
from typing import Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from .scripted import chat_model

EXAMPLE = {"messages": [{"role": "user", "content": "Who invented the croissant? A short piece for the shop window."}]}

LEADS = """\
Three leads: a crescent roll called kipferl, baked in Vienna since the Middle Ages; a Viennese officer, August Zang, \
who opened a bakery in Paris around 1838; and French recipes of the early 1900s that fold butter into the dough."""

FACTS = """\
- The siege story (Vienna, 1683, bakers hear the tunnels) appears only long afterwards. Leave it out.
- Zang: Boulangerie Viennoise, 92 rue de Richelieu, steam oven, copied all over Paris within a few years.
- His kipferl was closer to brioche. The flaky, buttery croissant is in print only from about 1905.
- So: an Austrian shape, a French dough, and about seventy years between them."""

DRAFT = """\
The croissant was invented twice. In about 1838 an Austrian officer called August Zang opened a bakery in the rue de \
Richelieu, with a steam oven and a crescent roll from home, and Paris stood in line. The other half took seventy years: \
somebody, whose name nobody wrote down, folded the butter in."""

POLISHED = """\
INVENTED TWICE

In 1838 or so, an Austrian officer brought Paris a crescent. Seventy years later, a French baker whose name nobody \
wrote down folded the butter in.

We have been folding since five this morning. It is a crescent, it is French, and it is still warm."""


def decide(messages: list[BaseMessage]) -> str:
    told = {message.name for message in messages}
    if "writer" in told:
        return "It is short, it is true, and it makes me hungry.\nNEXT: finish"
    if "researcher" in told:
        return "The facts are in, and the legend is out. Somebody with a light hand, please.\nNEXT: writer"
    return "Everybody knows a story about this one, which is a reason to check it first.\nNEXT: researcher"


boss = chat_model(decide, tags=["supervisor"], name="supervisor", model="offline-large", rate=75)
scout = chat_model(LEADS, tags=["researcher"], name="scout", rate=60)
checker = chat_model(FACTS, tags=["researcher"], name="checker", rate=60)
drafter = chat_model(DRAFT, tags=["writer"], name="drafter", rate=70)
polisher = chat_model(POLISHED, tags=["writer"], name="polisher", model="offline-large", rate=45)

BRIEF = SystemMessage(
    "You lead a researcher and a writer. Say in one sentence why, then on a line of its own `NEXT: researcher`, "
    "`NEXT: writer` or `NEXT: finish`. First the facts, then the text, then finish."
)


def supervisor(state: MessagesState, config: RunnableConfig) -> Command[Literal["researcher", "writer", "__end__"]]:
    message = boss.invoke([BRIEF, *state["messages"]], config)
    goto: Literal["researcher", "writer", "__end__"] = "__end__"
    match re.findall(r"NEXT:\s*(\w+)", message.text):
        case [*_, "researcher"]:
            goto = "researcher"
        case [*_, "writer"]:
            goto = "writer"
    return Command(goto=goto, update={"messages": [message.model_copy(update={"name": "supervisor"})]})


def leads(state: MessagesState, config: RunnableConfig) -> MessagesState:
    message = scout.invoke([*state["messages"], HumanMessage("List three leads in one sentence.")], config)
    return {"messages": [message.model_copy(update={"name": "scout"})]}


def check(state: MessagesState, config: RunnableConfig) -> MessagesState:
    message = checker.invoke([*state["messages"], HumanMessage("Which of it is true? Four lines.")], config)
    return {"messages": [message.model_copy(update={"name": "researcher"})]}


def draft(state: MessagesState, config: RunnableConfig) -> MessagesState:
    message = drafter.invoke([*state["messages"], HumanMessage("Write it as one paragraph.")], config)
    return {"messages": [message.model_copy(update={"name": "drafter"})]}


def polish(state: MessagesState, config: RunnableConfig) -> MessagesState:
    message = polisher.invoke([*state["messages"], HumanMessage("Half as long, and warmer.")], config)
    return {"messages": [message.model_copy(update={"name": "writer"})]}


researcher = StateGraph(MessagesState).add_sequence([leads, check]).add_edge(START, "leads")
writer = StateGraph(MessagesState).add_sequence([draft, polish]).add_edge(START, "draft")

builder = StateGraph(MessagesState)
builder.add_node(supervisor)
builder.add_node("researcher", researcher.compile(name="researcher"))
builder.add_node("writer", writer.compile(name="writer"))
builder.add_edge(START, "supervisor")
builder.add_edge("researcher", "supervisor")
builder.add_edge("writer", "supervisor")
graph = builder.compile(name="supervisor")

"""An agent calls two tools at once, and the tools report how far they are.

Look at the custom-event log while the step `tools` runs: both tools write their progress with a stream writer. In the
token pane a tool call's arguments arrive in pieces, and its result follows as a message of its own: `kind:tool_call`,
`kind:tool_result`.
"""

from typing import Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from .scripted import Reply, chat_model, pause

EXAMPLE = {"messages": [{"role": "user", "content": "I have Saturday free in Lisbon. Beach or museum?"}]}

FORECAST = {"lisbon": ("Saturday: sun until noon, then a north-west wind of 38 km/h; 22 °C.", "IPMA, updated 06:00")}
OPEN = {"lisbon": "Calouste Gulbenkian Museum: 10:00-18:00, garden free, last entry 17:30, no queue before 11:00."}


@tool
def forecast(city: str, day: str) -> str:
    """Return the weather in a city on a day of this week."""
    write = get_stream_writer()
    for percent, station in ((20, "coast"), (45, "airport"), (70, "hills"), (100, "model run 06Z")):
        pause(0.35)
        write({"tool": "forecast", "percent": percent, "read": station})
    text, source = FORECAST.get(city.lower(), ("Mild, some clouds, no rain worth an umbrella.", "climate average"))
    return f"{text} ({source})"


@tool
def opening_hours(city: str, kind: Literal["museum", "market"]) -> str:
    """Return what is open in a city, with opening hours."""
    write = get_stream_writer()
    for number, place in enumerate(("Gulbenkian", "Azulejo", "MAAT"), start=1):
        pause(0.55)
        write({"tool": "opening_hours", "checked": f"{number}/3", "place": place})
    return OPEN.get(city.lower(), f"The city {kind} is open 10:00-17:00.")


def script(messages: list[BaseMessage]) -> Reply:
    if not isinstance(messages[-1], ToolMessage):
        return Reply(
            "Let me look at the sky and at the doors before I send you anywhere.",
            calls=[
                ("forecast", {"city": "Lisbon", "day": "Saturday"}),
                ("opening_hours", {"city": "Lisbon", "kind": "museum"}),
            ],
        )
    return Reply(
        "Both, in that order.\n\n"
        "Take the 8:30 train to Carcavelos: the morning is yours, 22 degrees and hardly a breath. At noon the wind "
        "turns north-west and the sand starts to travel, so be on the train back by then. The Gulbenkian is open "
        "until six, and the best room is the last one: Lalique's glass, in a light that changes as the clouds come "
        "in. Keep the garden for the end. It is free, and the ducks expect you."
    )


TOOLS = [forecast, opening_hours]
model = chat_model(script, tags=["agent"], name="travel agent", model="offline-large", rate=65).bind_tools(TOOLS)
SYSTEM = SystemMessage("You plan free days. Look things up with your tools before you answer, then answer in prose.")


def agent(state: MessagesState, config: RunnableConfig) -> MessagesState:
    return {"messages": [model.invoke([SYSTEM, *state["messages"]], config)]}


def act_or_end(state: MessagesState) -> Literal["tools", "__end__"]:
    last = state["messages"][-1]
    return "tools" if getattr(last, "tool_calls", None) and not isinstance(last, HumanMessage) else "__end__"


builder = StateGraph(MessagesState)
builder.add_node(agent)
builder.add_node("tools", ToolNode(TOOLS))
builder.add_edge(START, "agent")
builder.add_conditional_edges("agent", act_or_end, {"tools": "tools", "__end__": END})
builder.add_edge("tools", "agent")
graph = builder.compile(name="tool agent")

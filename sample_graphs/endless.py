"""A watch that is never over: the graph goes round until somebody stops it.

Look at `ctrl+x`: once asks the run to end after the step it is in, again takes it away. Until then the panes stay as
quick at step 10 000 as at step 10. The state is two small values, however long it runs.
"""

from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.types import StreamWriter
from typing_extensions import TypedDict

from .scripted import pause

EXAMPLE = {"rounds": 0}

MOONS = "🌑🌒🌓🌔🌕🌖🌗🌘"


class Watch(TypedDict, total=False):
    rounds: int
    sky: str


def look(state: Watch) -> dict[str, Any]:
    pause(0.3)
    return {"sky": MOONS[state.get("rounds", 0) % len(MOONS)]}


def note(state: Watch, writer: StreamWriter) -> dict[str, Any]:
    rounds = state.get("rounds", 0) + 1
    pause(0.1)
    writer({"round": rounds, "sky": state["sky"], "ships": rounds * rounds % 7})
    return {"rounds": rounds}


builder = StateGraph(Watch)
builder.add_node(look)
builder.add_node(note)
builder.add_edge(START, "look")
builder.add_edge("look", "note")
builder.add_edge("note", "look")
graph = builder.compile(name="endless").with_config(recursion_limit=1_000_000_000)

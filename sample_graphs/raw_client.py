"""A node streams a provider's own client, so its tokens travel as custom events and not as messages.

Look at the custom-event log: every token is an event of the node `narrate`, while the token pane stays empty, because
LangGraph only sees the models of LangChain. Wrap the client in a chat model and it moves over.
"""

import os
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import StreamWriter
from typing_extensions import Required, TypedDict

from .scripted import raw_client

EXAMPLE = {"place": "a lighthouse in winter"}

TEXT = """\
The lamp is electric now and needs nobody. Still, at four each afternoon, Ines climbs the hundred and twelve steps, \
wipes the salt from the glass that no salt can reach, and stays until the first turn of the beam. Somebody, she says, \
should be there when it starts."""

client = raw_client(TEXT)


class Scene(TypedDict, total=False):
    place: Required[str]
    scene: str
    words: int


def narrate(state: Scene, writer: StreamWriter) -> dict[str, Any]:
    text = ""
    stream = client.chat.completions.create(
        model=os.environ.get("OPENAI_MODEL") or "gpt-4o-mini",
        messages=[{"role": "user", "content": f"Describe {state['place']} in three sentences."}],
        stream=True,
    )
    for chunk in stream:
        if chunk.choices and (token := chunk.choices[0].delta.content):
            text += token
            writer({"token": token})
    writer({"done": True, "characters": len(text)})
    return {"scene": text}


def count(state: Scene) -> dict[str, Any]:
    return {"words": len(state["scene"].split())}


builder = StateGraph(Scene)
builder.add_node(narrate)
builder.add_node(count)
builder.add_edge(START, "narrate")
builder.add_edge("narrate", "count")
builder.add_edge("count", END)
graph = builder.compile(name="raw client")

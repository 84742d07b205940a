"""One outline fans out into eight drafts, and they come back as one text.

Look at the node panel: `draft` runs eight times in step 2, one task for each `Send`, and the timeline shows eight bars
that start together and end apart. Filter with `node:draft`, and `text:bread` finds two lanes of them.
"""

import operator
import re
from typing import Annotated, Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import Required, TypedDict

from .scripted import chat_model

EXAMPLE = {"subject": "an ordinary day in Pompeii, the year before"}

SECTIONS = {
    "Before dawn": "The bakers are up first. Thirty-odd ovens for eleven thousand people; the donkeys walk their circle "
    "in the dark, and by the time the sky is grey the street smells of bread marked with the baker's stamp.",
    "The fountain": "There is one at nearly every corner, its stone lip worn hollow on the side where you lean. Whoever "
    "comes for water leaves with the news, and pays for it with some of their own.",
    "Walls that talk": "Someone loves Rufus. Someone does not. A candidate for aedile is recommended by the fruit "
    "sellers, by the mule drivers and, in a mocking hand, by the late drinkers.",
    "Lunch, standing": "Few kitchens, many counters: a hundred and fifty of them, with jars sunk into the marble. Hot "
    "lentils, a little fish, wine let down with warm water, and an elbow in the ribs from the next in the queue.",
    "The baths": "Rich and poor pay the same small coin and are then equally naked. The philosophers complain of the "
    "noise: the grunting, the splashing, and the sausage seller who will not lower his voice.",
    "The fuller's yard": "Your toga is white because a boy treads it in a tub that you would rather not ask about. He "
    "sings as he does it. The song has not survived; the tub has.",
    "A garden": "Behind the house, four columns and a fig tree. A painter has made the back wall into a further garden, "
    "with birds nobody has to feed. In the real one, a dog sleeps on the warm stones.",
    "After dark": "Lamps at the counters, dice in the back room. The ground shakes a little, as it has for years, and "
    "nobody puts down a cup.",
}  # fmt: skip


def drafted(messages: list[BaseMessage]) -> str:
    asked = messages[-1].text
    return next((text for title, text in SECTIONS.items() if f'"{title}"' in asked), "A blank page, for once.")


planner = chat_model("\n".join(f"{n}. {t}" for n, t in enumerate(SECTIONS, 1)), tags=["outline"], rate=70)
drafter = chat_model(drafted, tags=["draft"], name="drafter", rate=42)
closer = chat_model(
    "Nothing on this day was worth writing down, and so it had to be kept in another way. What we have of it is eight "
    "small scenes and a loaf of bread, black, cut in eight, with the stamp still readable.",
    tags=["close"],
    model="offline-large",
)


class Section(TypedDict):
    number: int
    title: str
    subject: str


class Draft(TypedDict):
    number: int
    text: str


class Essay(TypedDict, total=False):
    subject: Required[str]
    titles: list[str]
    drafts: Annotated[list[Draft], operator.add]
    essay: str


async def outline(state: Essay, config: RunnableConfig) -> dict[str, Any]:
    message = await planner.ainvoke(f"List eight section titles, numbered, for an essay on {state['subject']}.", config)
    return {"titles": re.findall(r"^\s*\d+[.)]\s*(.+?)\s*$", message.text, re.MULTILINE)}


def each_section(state: Essay) -> list[Send]:
    subject = state["subject"]
    return [
        Send("draft", Section(number=number, title=title, subject=subject))
        for number, title in enumerate(state["titles"], start=1)
    ]


async def draft(state: Section, config: RunnableConfig) -> dict[str, Any]:
    message = await drafter.ainvoke(
        f'Write the section "{state["title"]}" of an essay on {state["subject"]}: three sentences, no heading.', config
    )
    return {"drafts": [Draft(number=state["number"], text=f"{state['title']}. {message.text}")]}


async def merge(state: Essay, config: RunnableConfig) -> dict[str, Any]:
    body = "\n\n".join(part["text"] for part in sorted(state["drafts"], key=lambda part: part["number"]))
    message = await closer.ainvoke(f"Write two closing sentences for this essay:\n\n{body}", config)
    return {"essay": f"{body}\n\n{message.text}"}


builder = StateGraph(Essay)
builder.add_node(outline)
builder.add_node(draft)
builder.add_node(merge)
builder.add_edge(START, "outline")
builder.add_conditional_edges("outline", each_section, ["draft"])
builder.add_edge("draft", "merge")
builder.add_edge("merge", END)
graph = builder.compile(name="map reduce")

"""Two models write at the same time, and an editor joins them.

Look at the token pane: the joke and the poem stream side by side and never mix. Filter with `tag:joke` or `tag:poem`.
In the node panel the two tasks share step 1, and `editor` waits for both.
"""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from typing_extensions import Required, TypedDict

from .scripted import chat_model

JOKE = """\
A cat applies for a job at the post office.

"Can you type?" asks the manager. The cat sits down at the keyboard and types ninety words a minute.
"Can you handle a difficult customer?" The cat stares at the wall behind him until he apologises.
"Well," says the manager, "but this office serves the whole world. Do you speak a foreign language?"

The cat looks at him for a long time, and says: "Woof.\""""

POEM = """\
She keeps the window as a lighthouse would,
one lamp of green above the sleeping street,
and counts the gulls, and would come if she could,
and folds the whole Atlantic round her feet.

You think she waits for you. She waits for light,
that slow gold tide along the kitchen floor,
and lends you, out of kindness, half the night,
a little engine purring at your door."""

EDITOR = """\
Read the joke at lunch and the poem after dark. They are about the same animal: one that knows exactly what it is \
doing, and lets us believe that it is doing it for us."""

joke_model = chat_model(JOKE, tags=["joke"], name="joke writer", rate=48)
poem_model = chat_model(POEM, tags=["poem"], name="poem writer", model="offline-large", rate=62)
editor_model = chat_model(EDITOR, tags=["editor"], name="editor", rate=80)

EXAMPLE = {"topic": "cats"}


class Page(TypedDict, total=False):
    topic: Required[str]
    joke: str
    poem: str
    page: str


async def joke(state: Page, config: RunnableConfig) -> dict[str, Any]:
    message = await joke_model.ainvoke(f"Tell a short joke about {state['topic']}.", config)
    return {"joke": message.text}


async def poem(state: Page, config: RunnableConfig) -> dict[str, Any]:
    message = await poem_model.ainvoke(f"Write two quatrains about {state['topic']}.", config)
    return {"poem": message.text}


async def editor(state: Page, config: RunnableConfig) -> dict[str, Any]:
    message = await editor_model.ainvoke(
        f"Introduce both in two sentences.\n\nJoke:\n{state['joke']}\n\nPoem:\n{state['poem']}", config
    )
    return {"page": f"{message.text}\n\n{state['joke']}\n\n{state['poem']}"}


builder = StateGraph(Page)
builder.add_node(joke)
builder.add_node(poem)
builder.add_node(editor)
builder.add_edge(START, "joke")
builder.add_edge(START, "poem")
builder.add_edge(["joke", "poem"], "editor")
builder.add_edge("editor", END)
graph = builder.compile(name="joke and poem")

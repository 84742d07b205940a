"""A workflow of functions: tasks side by side, one in another, and a question to a person at the end."""

from __future__ import annotations

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.types import interrupt

from tests.endpoint import Request


@task
def title(topic: str) -> str:
    return topic.title()


@task
def write(topic: str) -> str:
    model = ChatOpenAI(model="mock-1", stream_usage=True)
    return f"{title(topic).result()}: {model.invoke(f'Write about {topic}.').text}"


@entrypoint(checkpointer=InMemorySaver())
def graph(topics: list[str]) -> str:
    written = [write(topic) for topic in topics]
    text = "\n".join(one.result() for one in written)
    return f"{text}\n{interrupt({'question': 'Which last line?', 'text': text})}"


def answer(request: Request) -> str:
    return f"A text on {request.last.split()[-1]}"

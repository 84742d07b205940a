"""Models: streamed and not, several in one node, with tags of every kind, messages of every content-block kind."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, Send

from tests.corpus import case
from tests.corpus.models import Echo, answers, calls, says, usage
from tests.corpus.parts import Log, fan, line, noted, saved


def talks(model, prompt="go"):
    def node(state):
        return {"messages": [model.invoke(prompt)]}

    return node


@case({"messages": []})
def streamed():
    """A model that streams, and a node that returns its message."""
    return line({"write": talks(says("Hel", "lo", " there", usage(3, 3)))}, **saved())


@case({"messages": []})
def in_one_piece():
    """A model that does not stream."""
    return line({"write": talks(answers("Hello ", "there", usage(3, 2)))}, **saved())


@case({"messages": []}, needs=("async context",))
def awaited():
    """An async node that awaits a model, and one that iterates over its stream."""
    model = says("a", "b", "c")

    async def wait(state):
        return {"messages": [await model.ainvoke("x")]}

    async def walk(state):
        return {"log": [chunk.text async for chunk in model.astream("x")]}

    return line({"wait": wait, "walk": walk}, **saved())


@case({"messages": []})
def unseen():
    """A model with the tag `nostream`, whose message is returned, and another one's that is not."""
    shy = says("not ", "shown", tags=["nostream"])

    def node(state):
        shy.invoke("forgotten")
        return {"messages": [shy.invoke("returned")]}

    return line({"write": node}, **saved())


@case({"messages": []})
def not_returned():
    """A model whose answer the node keeps to itself."""
    return line({"think": lambda state: {"log": [len(says("a ", "thought").invoke("x").text)]}}, **saved())


@case({"messages": []})
def wrapped_anew():
    """A node that wraps an answer in a message of its own."""
    return line({"write": lambda state: {"messages": [AIMessage(says("as ", "new").invoke("x").text)]}}, **saved())


@case({"messages": []})
def several_in_one_node():
    """Three calls in one node, one after the other, of two models."""

    def node(state):
        first = says("one ", "two", tags=["draft"]).invoke("x")
        second = says("three", tags=["final"]).invoke("x")
        third = says("four ", "five", tags=["draft"]).invoke("x")
        return {"messages": [first, second, third]}

    return line({"write": node}, **saved())


@case({"messages": []}, needs=("async context",))
def at_once_in_one_node():
    """Two models at the same time in one node, token by token in turn."""

    async def node(state):
        models = [says("a1 ", "a2 ", "a3", tags=["a"]), says("b1 ", "b2 ", "b3", tags=["b"])]
        return {"messages": await asyncio.gather(*(model.ainvoke("x") for model in models))}

    return line({"write": node}, **saved())


@case({"messages": []})
def side_by_side():
    """Models in parallel nodes."""
    return fan({name: talks(says(f"{name}1 ", f"{name}2", tags=[name])) for name in "abc"}, **saved())


@case({"messages": []})
def sent():
    """One node in several tasks at once, with a model each."""
    graph = StateGraph(Log)
    graph.add_node("write", lambda given: {"messages": [Echo().invoke(f"about {given['n']} only")]})
    graph.add_conditional_edges(START, lambda state: [Send("write", {"n": n}) for n in range(3)])
    return graph.compile(**saved())


@case({"messages": []}, config={"tags": ["run"], "metadata": {"user": "ada"}})
def tagged_everywhere():
    """Tags of the model, of a binding, of the call, of the node and of the run."""
    model = says("tag", "ged", tags=["model"]).with_config(tags=["binding"])

    def node(state):
        return {"messages": [model.invoke("x", {"tags": ["call"]}), AIMessage("of the node")]}

    graph = StateGraph(Log)
    graph.add_node("write", node, metadata={"tags": ["node"]})
    graph.add_node("plain", talks(says("plain")))
    graph.add_edge(START, "write")
    graph.add_edge("write", "plain")
    return graph.compile(**saved())


@case({"messages": []})
def tagged_inside():
    """Tags of a node that is a subgraph hold for what is said in it; a node's own come on top."""
    inner = StateGraph(Log)
    inner.add_node("write", talks(says("in", "side", tags=["model"])), metadata={"tags": ["inner"]})
    inner.add_node("plain", talks(says("plain")))
    inner.add_edge(START, "write")
    inner.add_edge("write", "plain")
    graph = StateGraph(Log)
    graph.add_node("sub", inner.compile(), metadata={"tags": ["outer"]})
    graph.add_edge(START, "sub")
    return graph.compile(**saved())


@case({"messages": []})
def tagged_memory():
    """Tags of a node that is a subgraph with a memory of its own, which has no task's id in its namespace."""
    inner = line({"write": talks(says("in", "side", tags=["model"]))}, checkpointer=True)
    graph = StateGraph(Log)
    graph.add_node("sub", inner, metadata={"tags": ["outer"]})
    graph.add_edge(START, "sub")
    return graph.compile(**saved())


@case({"messages": []})
def tagged_sends():
    """Tags of a node in several tasks, each with a subgraph of its own, under tags of the run."""
    inner = StateGraph(Log)
    inner.add_node("write", talks(says("in", "side")), metadata={"tags": ["inner"]})
    inner.add_edge(START, "write")
    graph = StateGraph(Log)
    graph.add_node("sub", inner.compile(), metadata={"tags": ["outer"]})
    graph.add_conditional_edges(START, lambda state: [Send("sub", {"messages": []}) for _ in range(2)])
    return graph.compile(**saved()).with_config(tags=["bound"])


@case({"messages": []})
def tagged_calls():
    """Tags of a node whose function calls a graph, whose nodes have none and some."""
    inner = StateGraph(Log)
    inner.add_node("write", talks(says("in", "side", tags=["model"])), metadata={"tags": ["inner"]})
    inner.add_node("plain", talks(says("plain")))
    inner.add_edge(START, "write")
    inner.add_edge("write", "plain")
    called = inner.compile()
    graph = StateGraph(Log)
    graph.add_node("call", lambda state: called.invoke({"messages": []}), metadata={"tags": ["outer"]})
    graph.add_edge(START, "call")
    return graph.compile(**saved())


@case({"messages": []})
def chained():
    """A node that is a chain of a prompt, a model and a parser, with tags of its own."""
    chain = ChatPromptTemplate.from_messages([("human", "{q}")]) | says("chain", "ed") | StrOutputParser()
    node = (RunnableLambda(lambda state: {"q": "?"}) | chain | (lambda text: {"log": [text]})).with_config(
        tags=["chain"]
    )
    return line({"write": node}, **saved())


@case({"messages": []})
def streamed_in_a_thread():
    """A model that runs in a thread of the node's own, with the node's context."""

    def node(state):
        with ThreadPoolExecutor(1) as pool:
            return {"messages": [pool.submit(copy_context().run, says("in ", "a thread").invoke, "x").result()]}

    return line({"write": node}, **saved())


@case({"messages": []})
def batched():
    """A model that answers several prompts at once."""
    return line({"write": lambda state: {"messages": Echo().batch(["one a", "two b", "three c"])}}, **saved())


@case({"messages": []})
def broken_off():
    """A model that fails in the middle of its answer; the node goes on."""

    def node(state):
        try:
            says("half of ", ConnectionError("the line is dead")).invoke("x")
        except ConnectionError as error:
            return {"log": [str(error)]}

    return line({"write": node}, **saved())


@case({"messages": []})
def broken_off_and_again():
    """A model that fails at the first attempt of its node, and speaks again at the second."""
    tries = []

    def node(state):
        tries.append(1)
        model = says("half", ConnectionError("dead")) if len(tries) % 2 else says("the ", "whole")
        return {"messages": [model.invoke("x")]}

    graph = StateGraph(Log)
    graph.add_node("write", node, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    graph.add_edge(START, "write")
    return graph.compile(**saved())


@case({"messages": []})
def fallen_back():
    """A model that fails, and another one in its place."""
    model = says("half", ConnectionError("dead"), tags=["first"]).with_fallbacks(
        [says("the ", "other", tags=["second"])]
    )
    return line({"write": lambda state: {"messages": [model.invoke("x")]}}, **saved())


@case({"messages": []})
def not_a_chat_model():
    """A model of plain text, of which LangGraph streams nothing."""
    return line({"write": lambda state: {"log": [FakeListLLM(responses=["plain text"]).invoke("x")]}}, **saved())


@case({"messages": []})
def langchains_fake():
    """LangChain's own fake model, which streams word by word."""
    return line({"write": talks(GenericFakeChatModel(messages=iter([AIMessage("hello big world")])))}, **saved())


@case({"messages": [HumanMessage("given", id="h1")]})
def returned_messages():
    """Messages that nodes return without a model: of every role, in a command, in a list, in a field."""
    return line(
        {
            "roles": lambda state: {
                "messages": [
                    HumanMessage("h"),
                    SystemMessage("s"),
                    AIMessage("a", name="bot"),
                    ToolMessage("t", tool_call_id="c"),
                ]
            },
            "command": lambda state: Command(update={"messages": [AIMessage("by command")]}),
            "field": lambda state: {"value": AIMessage("in a field")},
            "again": lambda state: {"messages": state["messages"][-1:]},
            "nested": lambda state: {"value": {"deep": AIMessage("too deep")}},
        },
        **saved(),
    )


@case({"messages": []})
def tool_calls():
    """Two tool calls in pieces, in one answer, with text before them."""
    return line(
        {
            "write": talks(
                says("let me see", *calls("look", '{"q": "cats"}'), *calls("count", "{}", id="call-2", index=1))
            )
        },
        **saved(),
    )


@case({"messages": []})
def tool_calls_in_one_piece():
    """Tool calls of a model that does not stream, one of them with arguments that are no JSON."""
    return line(
        {
            "write": talks(answers(*calls("look", '{"q": "cats"}'))),
            "bad": lambda state: {
                "messages": [
                    AIMessage("", invalid_tool_calls=[{"name": "x", "args": "{no", "id": "i", "error": "bad"}])
                ]
            },
        },
        **saved(),
    )


@case({"messages": []})
def thoughts():
    """Reasoning, as Anthropic, OpenAI, DeepSeek and LangChain have it."""
    anthropic = [
        AIMessageChunk(content=[{"type": "thinking", "thinking": "let me ", "index": 0}]),
        AIMessageChunk(content=[{"type": "thinking", "thinking": "think", "index": 0}]),
        AIMessageChunk(content=[{"type": "thinking", "signature": "sig", "index": 0}]),
        AIMessageChunk(content=[{"type": "text", "text": "so: ", "index": 1}]),
        AIMessageChunk(content=[{"type": "text", "text": "yes", "index": 1}]),
    ]
    openai = [
        AIMessageChunk(
            content=[
                {
                    "type": "reasoning",
                    "id": "rs",
                    "summary": [{"type": "summary_text", "text": "hm", "index": 0}],
                    "index": 0,
                }
            ],
            response_metadata={"model_provider": "openai"},
        ),
        AIMessageChunk(content=[{"type": "text", "text": "no", "index": 1}]),
    ]
    deepseek = [
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": "deep "}),
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": "thought"}),
        AIMessageChunk(content="done"),
    ]
    own = [
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": "my own", "index": 0}]),
        AIMessageChunk(content=[{"type": "text", "text": "fine", "index": 1}]),
    ]
    nodes = {name: talks(says(*chunks)) for name, chunks in
             (("anthropic", anthropic), ("openai", openai), ("deepseek", deepseek), ("own", own))}  # fmt: skip
    return line(nodes, **saved())


@case({"messages": []})
def other_blocks():
    """Blocks that are no text: an image, a file, audio, a citation's text, a server's own tool."""
    blocks = [
        {"type": "text", "text": "look: "},
        {"type": "image", "url": "https://example.org/cat.png"},
        {"type": "file", "base64": "aGk=", "mime_type": "text/plain"},
        {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
        {"type": "text", "text": "cited", "annotations": [{"type": "citation", "url": "https://example.org"}]},
    ]
    return line(
        {"write": lambda state: {"messages": [AIMessage(content=blocks), HumanMessage(content=blocks[:2])]}}, **saved()
    )


@case({"messages": []})
def counted():
    """Usage on several chunks, with details, and on none."""
    detailed = AIMessageChunk(
        content="",
        usage_metadata={
            "input_tokens": 5,
            "output_tokens": 2,
            "total_tokens": 7,
            "input_token_details": {"cache_read": 4},
        },
    )
    return line(
        {
            "split": talks(says(usage(9, 0), "a", usage(0, 4))),
            "details": talks(says("b", detailed)),
            "none": talks(says("c")),
        },
        **saved(),
    )


@case({"messages": []})
def empty_answers():
    """A model that says nothing, and one that says only spaces and newlines."""
    return line({"nothing": talks(says("")), "spaces": talks(says(" ", "\n\n", "\t"))}, **saved())


@case({"messages": []})
def every_letter():
    """Text with wide letters, emoji, control characters, escapes, and a very long chunk."""
    return line({"write": talks(says("日本", "👩‍👩‍👧", "\x1b[31m", "[bold]", "a\u0301", "x" * 70000))}, **saved())


@case({"messages": []})
def ids_of_the_provider():
    """A provider with message ids of its own, and one that changes them on the way."""
    own = [AIMessageChunk(content="a", id="msg_1"), AIMessageChunk(content="b", id="msg_1")]
    late = [AIMessageChunk(content="a"), AIMessageChunk(content="b", id="resp_1")]
    return line({"own": talks(says(*own)), "late": talks(says(*late))}, **saved())


@case({"messages": []})
def quiet_in_loud():
    """A model with `nostream` inside a subgraph beside one that streams."""
    inner = fan({"quiet": talks(says("qu", "iet", tags=["nostream"])), "loud": talks(says("lo", "ud"))})
    return line({"sub": inner, "after": noted("x")}, **saved())

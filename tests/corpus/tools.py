"""Tools and prebuilt agents: tools that write, speak, ask, fail, command; middleware; agents in agents."""

from typing import Annotated, Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from tests.corpus import case
from tests.corpus.customs import say
from tests.corpus.models import Echo, answers, calls, says
from tests.corpus.parts import InMemorySaver, Log, create_agent, line, saved

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


@tool
def look(q: str) -> str:
    """Look something up."""
    say(tool="look", q=q)
    return f"found {q}"


@tool
def ask_model(q: str) -> str:
    """Ask a model."""
    return says("the ", "model ", "says ", q, tags=["inner"]).invoke(q).text


@tool
def fail(q: str) -> str:
    """Fail."""
    raise ValueError(f"no {q}")


@tool
def ask_human(q: str) -> str:
    """Ask a person."""
    return interrupt({"question": q})


@tool
def note(q: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
    """Write to the state."""
    return Command(update={"value": q, "messages": [ToolMessage("noted", tool_call_id=tool_call_id)]})


def calling(*names):
    """A model that calls these tools, and then says the last answer again."""
    chunks = [
        chunk
        for number, name in enumerate(names)
        for chunk in calls(name, '{"q": "cats"}', id=f"call-{number}", index=number)
    ]
    return Echo(chunks=chunks)


def agent(*tools, model=None, **options):
    return create_agent(
        model or calling(*(one.name for one in tools)), list(tools), checkpointer=InMemorySaver(), **options
    )


@case(HELLO)
def one_tool():
    """An agent that calls a tool, which writes an event."""
    return agent(look)


@case(HELLO)
def several_tools():
    """An agent that calls three tools at once: each is a task of its own."""
    return agent(look, ask_model, look, model=calling("look", "ask_model", "look"))


@case(HELLO)
def tool_with_a_model():
    """A tool that calls a model, whose tokens are the tool's."""
    return agent(ask_model)


@case(HELLO, answers=["me"])
def tool_that_asks():
    """A tool that asks a person."""
    return agent(ask_human)


@case(HELLO, answers=["both"])
def two_tools_that_ask():
    """Two calls of a tool that ask at the same time, beside one that does not."""
    return agent(ask_human, look, model=calling("ask_human", "look", "ask_human"))


@case(HELLO)
def failing_tool():
    """A tool that fails, and the agent with it."""
    return agent(fail)


@case({**HELLO, "log": []})
def tool_that_commands():
    """A tool that writes to the state by a command; a tool node in a graph of one's own."""
    graph = StateGraph(Log)
    model = calling("note", "look")
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([note, look]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(**saved())


@case(HELLO)
def failing_tool_is_told():
    """A tool node that turns errors into messages."""
    graph = StateGraph(Log)
    graph.add_node("model", lambda state: {"messages": [calling("fail").invoke("x")]})
    graph.add_node("tools", ToolNode([fail], handle_tool_errors=True))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    return graph.compile(**saved())


@case(HELLO, needs=("create_agent",))
def with_middleware():
    """An agent with middleware, which are nodes of its graph."""
    from langchain.agents.middleware import before_model

    @before_model
    def count(state: Any, runtime: Any) -> dict[str, Any] | None:
        get_stream_writer()({"messages": len(state["messages"])})
        return None

    return agent(look, middleware=[count])


@case(HELLO, answers=[{"decisions": [{"type": "approve"}]}], needs=("create_agent",))
def approved():
    """An agent that must ask before it calls a tool."""
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    return agent(look, middleware=[HumanInTheLoopMiddleware(interrupt_on={"look": True})])


@case(HELLO, answers=[{"decisions": [{"type": "reject", "message": "no cats"}]}], needs=("create_agent",))
def rejected():
    """An agent whose tool call is refused."""
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    return agent(look, middleware=[HumanInTheLoopMiddleware(interrupt_on={"look": True})])


@case(HELLO)
def agent_as_a_tool():
    """An agent that another agent calls as a tool."""
    inner = create_agent(calling("look"), [look], name="inner")

    @tool
    def delegate(q: str) -> str:
        """Ask the other agent."""
        return inner.invoke({"messages": [{"role": "user", "content": q}]})["messages"][-1].text

    return agent(delegate)


@case(HELLO)
def agent_as_a_node():
    """Two agents as nodes of a graph, one after the other."""
    first = create_agent(calling("look"), [look], name="first")
    second = create_agent(says("the ", "end"), [], name="second")
    return line({"first": first, "second": second}, **saved())


@case(HELLO, needs=("async context",))
def awaited_tools():
    """Async tools, called by a model that does not stream."""

    @tool
    async def wait(q: str) -> str:
        """Wait."""
        say(tool="wait")
        return q

    class Whole(Echo):
        disable_streaming: Any = True

    return agent(wait, model=Whole(chunks=calls("wait", '{"q": "x"}')))


@case(HELLO, needs=("tool runtime",))
def tool_that_streams():
    """A tool that uses its runtime to write and to read the state."""
    from langchain.tools import ToolRuntime

    @tool
    def count(q: str, runtime: ToolRuntime) -> str:
        """Count."""
        runtime.stream_writer({"seen": len(runtime.state["messages"])})
        return "counted"

    return agent(count)


@case(HELLO)
def tool_called_by_a_node():
    """A tool that a node calls by itself."""
    return line({"a": lambda state: {"messages": [AIMessage(look.invoke({"q": "dogs"}))]}}, **saved())


@case(HELLO)
def not_streamed_agent():
    """An agent whose model answers in one piece."""
    return agent(look, model=answers("no tools today"))

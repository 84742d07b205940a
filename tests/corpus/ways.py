"""Ways: conditional edges, `Send`, `Command`, loops, joins, deferred nodes."""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from tests.corpus import case
from tests.corpus.parts import Log, fan, line, noted, saved


def built(nodes, *edges, **options):
    graph = StateGraph(Log)
    for name, node in nodes.items():
        graph.add_node(name, node)
    for source, target in edges:
        if callable(target):
            graph.add_conditional_edges(source, target)
        else:
            graph.add_edge(source, target)
    return graph.compile(**saved(**options))


@case({"log": []})
def typed_branch():
    """A conditional edge whose targets its annotation tells."""

    def choose(state) -> Literal["left", "right"]:
        return "right"

    return built({"ask": noted(), "left": noted("l"), "right": noted("r")}, (START, "ask"), ("ask", choose))


@case({"log": []})
def untyped_branch():
    """A conditional edge of which nobody knows where it leads, to several nodes at once."""
    return built(
        {"ask": noted(), "left": noted("l"), "right": noted("r")},
        (START, "ask"),
        ("ask", lambda state: ["left", "right"]),
    )


@case({"log": []})
def mapped_branch():
    """A conditional edge with a map from what it returns to nodes, from START too."""
    graph = StateGraph(Log)
    for name in ("a", "b", "c"):
        graph.add_node(name, noted(name))
    graph.add_conditional_edges(START, lambda state: True, {True: "a", False: "b"})
    graph.add_conditional_edges("a", lambda state: "no", {"no": "c", "yes": END})
    return graph.compile(**saved())


@case({"log": []})
def loop():
    """A loop that is left when there is enough."""
    return built(
        {"more": noted("x")}, (START, "more"), ("more", lambda state: END if len(state["log"]) > 3 else "more")
    )


@case({"log": []})
def joined():
    """A node that waits for three others, one of them two steps away."""
    graph = StateGraph(Log)
    for name in ("a", "b", "c", "far", "join"):
        graph.add_node(name, noted(name))
    for name in ("a", "b", "c"):
        graph.add_edge(START, name)
    graph.add_edge("c", "far")
    graph.add_edge(["a", "b", "far"], "join")
    return graph.compile(**saved())


@case({"log": []})
def not_joined():
    """Two ways of different length to one node, which runs twice."""
    return built(
        {"a": noted("a"), "b": noted("b"), "long": noted("l"), "end": noted("e")},
        (START, "a"), (START, "b"), ("a", "end"), ("b", "long"), ("long", "end"),
    )  # fmt: skip


@case({"log": []})
def deferred():
    """A deferred node, which runs when nothing else is left."""
    graph = StateGraph(Log)
    for name in ("a", "b", "far"):
        graph.add_node(name, noted(name))
    graph.add_node("last", noted("last"), defer=True)
    graph.add_edge(START, "a")
    graph.add_edge(START, "b")
    graph.add_edge("b", "far")
    graph.add_edge("a", "last")
    graph.add_edge("far", "last")
    return graph.compile(**saved())


@case({"log": []})
def sends():
    """`Send`: one task for each subject, with inputs of its own, and then one that collects."""
    return built(
        {"plan": noted(), "work": lambda given: {"log": [given["n"] * 2]}, "collect": noted("sum")},
        (START, "plan"), ("plan", lambda state: [Send("work", {"n": n}) for n in range(4)]), ("work", "collect"),
    )  # fmt: skip


@case({"log": []})
def sends_of_any_value():
    """`Send` with values that are no state: a text, a number, a list, None."""
    return built(
        {"work": lambda given: {"log": [repr(given)]}},
        (START, lambda state: [Send("work", one) for one in ("text", 7, [1, 2], None)]),
    )


@case({"log": []})
def sends_and_edges():
    """`Send` to a node that an ordinary edge leads to as well, in one step."""
    return built(
        {"a": noted("a"), "work": lambda given: {"log": [given.get("n", "edge")]}},
        (START, "a"), ("a", lambda state: [Send("work", {"n": 1}), Send("work", {"n": 2}), "work"]),
    )  # fmt: skip


@case({"log": []})
def commands():
    """`Command`: update and goto in one, to one node, to several, to the end."""

    def a(state) -> Command[Literal["b", "c"]]:
        return Command(update={"log": ["a"]}, goto=["b", "c"])

    def b(state):
        return Command(goto=END)

    return built({"a": a, "b": b, "c": lambda state: Command(update={"log": ["c"]})}, (START, "a"))


@case({"log": []})
def commands_that_send():
    """`Command` with several `Send`s, and a list of commands and an update."""

    def a(state):
        return [
            Command(goto=[Send("w", {"n": 1}), Send("w", {"n": 2})]),
            {"log": ["plain"]},
            Command(update={"value": 1}),
        ]

    return built({"a": a, "w": lambda given: {"log": [given["n"]]}}, (START, "a"))


@case({"log": []})
def to_the_parent():
    """`Command` of a subgraph that goes on in its parent."""
    inner = line(
        {"hand": lambda state: Command(graph=Command.PARENT, update={"log": ["up"]}, goto="next")}, compiled=False
    )
    return built({"sub": inner.compile(), "next": noted("n")}, (START, "sub"))


@case({"log": []})
def to_the_parent_from_a_call():
    """`Command` to the parent by a subgraph that a node calls, while another node runs beside it."""
    inner = line({"hand": lambda state: Command(graph=Command.PARENT, update={"log": ["up"]}, goto="next")})

    def call(state):
        return inner.invoke({"log": []})

    return built({"call": call, "beside": noted("beside"), "next": noted("n")}, (START, "call"), (START, "beside"))


@case({"log": []})
def to_nowhere():
    """`Command` to a node that does not exist, which LangGraph leaves out without a word."""
    return built({"a": lambda state: Command(goto="nowhere")}, (START, "a"))


@case({"log": []})
def twice_the_same_key():
    """Two parallel nodes write a value that has no reducer: the graph fails, and no task does."""
    return fan({"a": lambda state: {"value": 1}, "b": lambda state: {"value": 2}}, **saved())


@case({"log": []})
def wide():
    """Forty tasks of one node in one step."""
    return built(
        {"w": lambda given: {"log": [given["n"]]}}, (START, lambda state: [Send("w", {"n": n}) for n in range(40)])
    )


@case({"log": []})
def several_updates():
    """A node that writes to one channel several times in one step."""
    return built(
        {"a": lambda state: [{"log": [1]}, {"log": [2]}, Command(update=[("log", [3]), ("value", 4)])]}, (START, "a")
    )

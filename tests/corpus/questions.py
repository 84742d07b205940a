"""Interrupts: in every position, several at once, answered one by one, with schemas, and static breakpoints."""

from typing import Literal

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

from tests.corpus import case
from tests.corpus.customs import say
from tests.corpus.models import says
from tests.corpus.parts import InMemorySaver, Log, fan, line, noted, saved


def asks(*questions):
    def node(state):
        return {"log": [interrupt(question) for question in questions]}

    return node


class Verdict(BaseModel):
    good: bool
    why: str = ""


@case({"log": []}, answers=["Ada"])
def in_a_node():
    """A node that asks once, and one after it."""
    return line({"before": noted("b"), "ask": asks({"q": "name?"}), "after": noted("a")}, **saved())


@case({"log": []})
def left_alone():
    """A question that nobody answers."""
    return line({"ask": asks("name?"), "after": noted("a")}, **saved())


@case({"log": []})
def without_a_saver():
    """A question in a graph without a checkpointer."""
    return line({"ask": asks("name?"), "after": noted("a")})


@case({"log": []}, answers=["one", "two"])
def twice_in_one_node():
    """A node that asks twice; it runs from its top each time."""
    return line({"ask": asks("first?", "second?")}, **saved())


@case({"log": []}, answers=["yes"])
def in_parallel():
    """Three parallel nodes of which two ask, both answered at once."""
    return fan({"a": asks("a?"), "b": asks("b?"), "c": noted("c")}, **saved())


@case({"log": []}, answers=[{"$for": {"a": 1}}, {"$for": {"b": 2}}])
def one_by_one():
    """Two parallel questions, answered one after the other."""
    return fan({"a": asks("a?"), "b": asks("b?"), "c": noted("c")}, **saved())


@case({"log": []}, answers=["x"])
def in_a_subgraph():
    """A node of a subgraph that asks; it is told once, though each graph on the way up repeats it."""
    inner = line({"before": noted("b"), "ask": asks("deep?"), "after": noted("a")})
    return line({"sub": line({"inner": inner}), "end": noted("end")}, **saved())


@case({"log": []}, answers=["x"])
def in_a_called_subgraph():
    """A graph that a node calls asks; the node runs again from its top."""
    inner = line({"before": noted("b"), "ask": asks("deep?")})

    def call(state):
        say(word="begun")
        return {"log": inner.invoke({"log": []})["log"]}

    return line({"call": call, "end": noted("end")}, **saved())


@case({"log": []}, answers=["x"])
def in_parallel_subgraphs():
    """Two subgraphs that ask at the same time, beside a node that does not."""
    return fan({"s": line({"ask": asks("s?")}), "t": line({"ask": asks("t?")}), "c": noted("c")}, **saved())


@case({"log": []}, answers=["x", "y"])
def in_sends():
    """Several tasks of one node that ask, each of them twice."""
    graph = StateGraph(Log)
    graph.add_node("ask", lambda given: {"log": [interrupt([given["n"], 1]), interrupt([given["n"], 2])]})
    graph.add_conditional_edges(START, lambda state: [Send("ask", {"n": n}) for n in range(2)])
    return graph.compile(**saved())


@case({"log": []}, answers=[{"good": True, "why": "so"}], needs=("schemas of answers",))
def with_a_schema():
    """A question that says what its answer must look like."""

    def ask(state):
        verdict = interrupt("good?", response_schema=Verdict)
        return {"log": [verdict.why if isinstance(verdict, Verdict) else verdict]}

    return line({"ask": ask}, **saved())


@case({"log": []}, answers=[{"good": "perhaps"}])
def answered_wrong():
    """An answer that the node cannot use."""

    def ask(state):
        answer = interrupt("good?")
        return {"log": [Verdict(**answer).good]}

    return line({"ask": ask}, **saved())


@case({"messages": []}, answers=["go on"])
def after_speech():
    """A node that speaks and writes before it asks: both happen again when it is answered."""

    def node(state):
        say(word="before")
        first = says("shall ", "I?").invoke("x")
        answer = interrupt(first.text)
        return {"messages": [first, says("you said ", answer).invoke("x")]}

    return line({"ask": node}, **saved())


@case({"log": []}, answers=["left"])
def leads_the_way():
    """A node that asks where to go on."""

    def ask(state) -> Command[Literal["left", "right"]]:
        return Command(goto=interrupt("where?"), update={"log": ["asked"]})

    graph = StateGraph(Log)
    for name, node in {"ask": ask, "left": noted("l"), "right": noted("r")}.items():
        graph.add_node(name, node)
    graph.add_edge(START, "ask")
    return graph.compile(**saved())


@case({"log": []}, answers=[None, None], before=("b", "c"))
def stopped_before():
    """Static breakpoints before two nodes, of the run."""
    return line({"a": noted("a"), "b": noted("b"), "c": noted("c")}, **saved())


@case({"log": []}, answers=[None], after=("a",))
def stopped_after():
    """A static breakpoint after a node, of the run."""
    return line({"a": noted("a"), "b": noted("b")}, **saved())


@case({"log": []}, answers=[None])
def compiled_to_stop():
    """Static breakpoints that the graph was compiled with, before two nodes of one step."""
    return fan({"a": noted("a"), "b": noted("b")}, **saved(interrupt_before=["a", "b"]))


@case({"log": []}, answers=[None, None])
def stopped_inside():
    """Static breakpoints in a subgraph."""
    inner = line({"x": noted("x"), "y": noted("y")}, interrupt_before=["y"], interrupt_after=["y"])
    return line({"sub": inner, "end": noted("end")}, **saved())


@case({"log": []}, after=("b",))
def stopped_after_the_last():
    """A breakpoint after the last node: nothing is left to do."""
    return line({"a": noted("a"), "b": noted("b")}, **saved())


@case({"log": []}, before=("b",))
def stopped_unsaved():
    """A breakpoint in a graph without a checkpointer, which stops it for good."""
    return line({"a": noted("a"), "b": noted("b")})


@case({"log": []}, answers=["x"], before=("ask",))
def stopped_before_a_question():
    """A breakpoint before a node that asks, which is passed, and the question left open."""
    return line({"a": noted("a"), "ask": asks("name?")}, **saved())


@case({"log": []}, answers=["x"])
def own_saver_asks():
    """A subgraph with a checkpointer of its own that asks."""
    return line({"sub": line({"ask": asks("deep?")}, checkpointer=InMemorySaver()), "end": noted("e")}, **saved())


@case({"log": []}, answers=["x"])
def caught():
    """A node that would catch any exception around its question."""

    def ask(state):
        try:
            return {"log": [interrupt("name?")]}
        except ValueError:
            return {"log": ["never"]}

    return fan({"ask": ask, "other": noted("o")}, **saved())

"""States: reducers, every kind of schema, private channels, managed values, inputs, outputs, context, stores."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import operator
import pathlib
import threading
import types
import uuid
from typing import Annotated, Any, NamedTuple

from langgraph.channels import EphemeralValue, UntrackedValue
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.corpus import case
from tests.corpus.parts import Log, fan, line, noted, saved


class Pair(NamedTuple):
    left: int
    right: list


class Colour(enum.Enum):
    RED = "red"


class Point(BaseModel):
    x: int = 0
    tags: list[str] = []


class Pydantic(BaseModel):
    question: str
    points: Annotated[list[Point], operator.add] = []
    answer: str | None = None


@dataclasses.dataclass
class Dataclass:
    question: str = ""
    found: Annotated[list[Any], operator.add] = dataclasses.field(default_factory=list)


class Whole(TypedDict, total=False):
    question: str
    notes: str
    answer: str


class Question(TypedDict):
    question: str


class Answer(TypedDict):
    answer: str


class Private(TypedDict, total=False):
    question: str
    secret: str


class Managed(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    left: RemainingSteps
    last: IsLastStep


class Passing(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    passing: Annotated[Any, EphemeralValue(Any)]
    unsaved: Annotated[Any, UntrackedValue(Any)]


@dataclasses.dataclass
class Context:
    user: str = "nobody"


@case()
def nothing_kept():
    """A graph without a checkpointer."""
    return line({"a": noted("a"), "b": noted("b")})


@case({"log": ["given"]})
def added_up():
    """A reducer that adds up what three parallel nodes write."""
    return fan({"a": noted(1), "b": noted(2), "c": noted(3)}, **saved())


@case({"seen": {"a": 1}})
def reduced_by_hand():
    """A reducer of one's own, which merges dicts."""

    class Seen(TypedDict):
        seen: Annotated[dict[str, int], lambda old, new: {**old, **new}]

    return fan({"b": lambda state: {"seen": {"b": 2}}, "c": lambda state: {"seen": {"c": 3}}}, Seen, **saved())


@case({"messages": [{"role": "user", "content": "hi"}]})
def conversation():
    """`add_messages`: dicts and tuples become messages, an id replaces, a removal removes."""
    from langchain_core.messages import AIMessage, RemoveMessage

    return line(
        {
            "say": lambda state: {"messages": [AIMessage("draft", id="m1"), ("system", "quiet")]},
            "better": lambda state: {"messages": [AIMessage("better", id="m1")]},
            "drop": lambda state: {"messages": [RemoveMessage(id="m1")]},
        },
        MessagesState,
        **saved(),
    )


@case({"question": "?"})
def pydantic_state():
    """A pydantic model as the state, with models in it."""
    return line(
        {
            "find": lambda state: {"points": [Point(x=len(state.question), tags=["t"])]},
            "answer": lambda state: Pydantic(question=state.question, answer=str(len(state.points))),
        },
        Pydantic,
        **saved(),
    )


@case({"question": 1})
def pydantic_refuses():
    """A pydantic state that refuses its input."""
    return line({"find": lambda state: {}}, Pydantic, **saved())


@case({"question": "?"})
def dataclass_state():
    """A dataclass as the state; a node returns an instance of it."""
    return line(
        {"find": lambda state: {"found": [state.question]}, "again": lambda state: Dataclass("!", ["more"])},
        Dataclass,
        **saved(),
    )


@case(["given"])
def root_state():
    """A state that is one channel and no object."""
    return line({"a": lambda state: ["a"], "b": lambda state: [len(state)]}, Annotated[list, operator.add], **saved())


@case({"question": "?"})
def private_channel():
    """Two nodes share a key that the graph's state does not have."""

    def write(state: Whole) -> Private:
        return {"secret": "s"}

    def read(state: Private) -> Whole:
        return {"answer": state["secret"] + state["question"]}

    return line({"write": write, "read": read}, Whole, **saved())


@case({"log": []})
def managed_values():
    """Managed values: how many steps are left, and whether this is the last one."""

    def look(state: Managed):
        return {"log": [state["left"], state["last"]]}

    return line({"a": look, "b": look}, Managed, **saved())


@case({"question": "?"})
def input_and_output_schema():
    """Input and output schemas that are parts of the state."""
    graph = StateGraph(Whole, input_schema=Question, output_schema=Answer)
    graph.add_node("note", lambda state: {"notes": "n"})
    graph.add_node("answer", lambda state: {"answer": state["notes"]})
    graph.add_edge(START, "note")
    graph.add_edge("note", "answer")
    return graph.compile(**saved())


@case({"log": []}, context={"user": "ada"})
def context_given():
    """A context for the run, as a dataclass made of what was given."""

    def who(state: Log, runtime: Runtime[Context]):
        return {"log": [runtime.context.user]}

    graph = StateGraph(Log, context_schema=Context)
    graph.add_node("who", who)
    graph.add_edge(START, "who")
    return graph.compile(**saved())


@case({"log": []})
def stored_values():
    """A store that nodes write to and read from."""

    def put(state: Log, runtime: Runtime):
        runtime.store.put(("facts",), "k", {"v": 1})
        return {"log": ["put"]}

    def get(state: Log, runtime: Runtime):
        return {"log": [runtime.store.get(("facts",), "k").value]}

    return line({"put": put, "get": get}, store=InMemoryStore(), **saved())


@case({"log": ["old"]}, needs=("Overwrite",))
def overwritten():
    """`Overwrite` puts a value in the place of what a reducer has added up."""
    from langgraph.types import Overwrite

    return line({"a": noted("a"), "only": lambda state: {"log": Overwrite(["only"])}}, **saved())


@case({"log": []})
def nothing_returned():
    """Nodes that return nothing, an empty dict, or a key that the state does not have."""
    return line(
        {"none": lambda state: None, "empty": lambda state: {}, "misspelt": lambda state: {"lgo": ["x"]}}, **saved()
    )


@case({"log": []})
def passing_channels():
    """Channels that last for one step, and that are not saved."""

    def write(state):
        return {"passing": "p", "unsaved": "u", "log": ["w"]}

    def read(state):
        return {"log": [state.get("passing"), state.get("unsaved")]}

    return line({"write": write, "read": read, "late": read}, Passing, **saved())


@case({"log": []})
def values_of_all_kinds():
    """Values that are no JSON: sets, bytes, enums, moments, models, dataclasses, tuples, keys that are no strings."""
    return line(
        {
            "make": lambda state: {
                "log": [
                    {"b", "a"},
                    b"bytes",
                    Colour.RED,
                    dt.date(2024, 1, 2),
                    Point(x=1),
                    Dataclass("q"),
                    (1, 2),
                ],
                "value": {1: "one", "float": 0.5, "none": None, "id": uuid.UUID(int=5), "big": 2**70, "$type": "no"},
            },
            "pass": noted("end"),
        },
    )


@case({"log": []})
def values_of_odd_kinds():
    """Values that are odder: numbers that are none, cycles, classes, functions, objects that refuse to be looked at."""

    class Refuses:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __repr__(self):
            raise RuntimeError("no")

    circle: list = [1]
    circle.append(circle)
    values = [
        float("nan"), -float("inf"), 1 + 2j, range(3), circle, Refuses(), Refuses, Point, len, values_of_all_kinds,
        collections.deque([1, 2]), collections.UserDict(a=1), collections.UserList([1]), collections.Counter("aab"),
        collections.defaultdict(list, a=[1]), collections.OrderedDict(b=1), types.SimpleNamespace(a=1), Pair(1, [2]),
        types.MappingProxyType({"a": 1}), decimal.Decimal("1.5"), pathlib.PurePosixPath("/x"), KeyError("k"),
        ValueError("a", 2), dt.datetime(2024, 1, 2, 3, tzinfo=dt.timezone.utc), (n for n in ()),
        {"k" * 5000: 1}, {("a", 1): {None: 2}}, frozenset(), bytearray(b"x"), memoryview(b"xy"), "x" * 200_000, Colour,
    ]  # fmt: skip
    return line({"make": lambda state: {"log": values, "value": values}, "pass": noted("end")})


@case({"log": []})
def values_that_cannot_be_saved():
    """A state that holds a lock and a generator; only a graph that saves nothing can have it."""
    return line({"make": lambda state: {"value": [threading.Lock(), (n for n in ())]}, "pass": noted("end")})


@case({"log": [], "value": {"count": 1}})
def changed_in_place():
    """A node that changes its input in place, and returns something else."""

    def change(state):
        state["value"]["count"] += 1
        state["log"].append("by hand")
        return {"log": [state["value"]["count"]]}

    return line({"a": change, "b": change})


@case({"log": []})
def long_values():
    """Texts and lists that grow, and come again in every step."""
    return line({name: noted(name * 5000, list(range(300))) for name in "abc"}, **saved())


@case({"log": []})
def names_of_all_kinds():
    """Node names with spaces, slashes, brackets and letters of other alphabets."""
    return line({"a b/ü✓ [bold]": noted(1), "узел": noted(2), "__x__": noted(3)}, **saved())


@case({"log": []})
def one_node_and_end():
    """A node that leads to END by a conditional edge at once."""
    graph = StateGraph(Log)
    graph.add_node("only", noted("x"))
    graph.add_edge(START, "only")
    graph.add_conditional_edges("only", lambda state: END)
    return graph.compile(**saved())

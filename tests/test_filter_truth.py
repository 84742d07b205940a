"""Whose tokens are these: on random graphs, `node:` and `tag:` select exactly what an account without lgwatch says."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import lgwatch
from lgwatch.events import MessageChunk
from lgwatch.filter import parse, quoted
from tests.corpus import Case
from tests.corpus.models import answers, says
from tests.corpus.parts import Log, saved
from tests.truth import Truth, truth

TAGS = ("draft", "final", "two words", "a,b", 'quo"te', "star*", "ü", "node:x", "-x", "9")
NODES = ("left", "right", "two words", "ü/x")
Levels = frozenset[str]


@dataclass
class Voice:
    """A call of a model: how it answers, and its tags at each level."""

    number: int
    streamed: bool
    returned: bool
    model: Levels
    binding: Levels
    call: Levels
    quiet: bool = False

    @property
    def text(self) -> str:
        return f"one{self.number} two{self.number}"

    def node_part(self) -> Any:
        make = says if self.streamed else answers
        tags = [*self.model, *(["nostream"] if self.quiet else [])]
        model: Any = make(f"one{self.number}", f" two{self.number}", tags=tags or None)
        if self.binding:
            model = model.with_config(tags=list(self.binding))
        return model.invoke("x", {"tags": list(self.call)} if self.call else None)


@dataclass
class Place:
    """A node: what it says, or the graph that it is (`called` in a function, or as a node), in one task or several."""

    name: str
    tags: Levels
    tasks: int
    voices: list[Voice] = field(default_factory=list)
    inner: list[Place] = field(default_factory=list)
    called: bool = False

    def node(self) -> Any:
        if not self.inner:

            def speak(state: Any) -> Any:
                return {"messages": [said for voice in self.voices if (said := voice.node_part()) and voice.returned]}

            return speak
        graph = built(self.inner).compile()
        return (lambda state: {"log": graph.invoke({"log": []})["log"]}) if self.called else graph


def built(places: list[Place]) -> Any:
    """A graph whose nodes run side by side."""
    graph = StateGraph(Log)
    for place in places:
        graph.add_node(place.name, place.node(), metadata={"tags": sorted(place.tags)} if place.tags else None)
        if place.tasks == 1:
            graph.add_edge(START, place.name)
    if sent := [place for place in places if place.tasks > 1]:
        graph.add_conditional_edges(
            START, lambda state: [Send(place.name, {"log": []}) for place in sent for _ in range(place.tasks)]
        )
    return graph


def tags() -> st.SearchStrategy[Levels]:
    return st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(TAGS), max_size=2))


@st.composite
def graphs(
    draw: Callable[[st.SearchStrategy[Any]], Any], depth: int = 0, count: list[int] | None = None
) -> list[Place]:
    count = count if count is not None else [0]
    places = []
    for name in draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True)):
        place = Place(name, draw(tags()), draw(st.sampled_from((1, 1, 2))))
        if depth < 2 and draw(st.integers(0, 3)) == 0:
            place.inner = draw(graphs(depth + 1, count))
            place.called = draw(st.booleans())
        else:
            for _ in range(draw(st.integers(1, 2))):
                count[0] += 1
                place.voices.append(
                    Voice(count[0], draw(st.booleans()), draw(st.booleans()), draw(tags()), draw(tags()), draw(tags()),
                          quiet=draw(st.integers(0, 5)) == 0)
                )  # fmt: skip
        places.append(place)
    return places


def spoken(
    places: Iterable[Place], outer: tuple[str, ...], around: Levels, tasks: int = 1
) -> Iterator[tuple[str, str, Levels]]:
    """Each call whose tokens are streamed, as the graph was made: where, what, and its tags of all levels."""
    for place in places:
        where, tagged = (*outer, place.name), around | place.tags
        for voice in place.voices:
            if not voice.quiet:
                yield from [("/".join(where), voice.text, tagged | voice.model | voice.binding | voice.call)] * (
                    tasks * place.tasks
                )
        yield from spoken(place.inner, where, tagged, tasks * place.tasks)


def chosen(records: Iterable[Any], expression: str) -> Counter[tuple[str, str]]:
    keep = parse(expression)
    return Counter((record.path, record.text) for record in records if keep(record))


def expected(found: Truth, holds: Callable[[dict[str, Any]], bool]) -> Counter[tuple[str, str]]:
    facts = [fact for run in found.told["runs"] for fact in run["messages"]]
    return Counter((fact["path"], fact["text"]) for fact in facts if holds(fact))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(places=graphs(), run=tags(), bound=tags())
def test_node_and_tag_select_exactly_the_tokens_of_the_account(places: list[Place], run: Levels, bound: Levels) -> None:
    def build() -> Any:
        graph = built(places).compile(**saved())
        return graph.with_config(tags=sorted(bound)) if bound else graph

    case = Case(
        "random", "", build, {"log": []}, config={"tags": sorted(run)} if run else {}, sync=sys.version_info < (3, 11)
    )
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "run.jsonl"
        found = asyncio.run(truth(case, journal))
        assert not found.comparison.differences
        session = lgwatch.read_journal(journal)
        events = [event for event in lgwatch.events(journal) if isinstance(event, MessageChunk)]

    made = Counter((where, text, levels) for where, text, levels in spoken(places, (), run | bound))
    told = Counter(
        (fact["path"], fact["text"], frozenset(fact["tags"]))
        for fact in found.told["runs"][0]["messages"]
        if (fact["path"], fact["text"]) in {(where, text) for where, text, _ in made}
    )
    assert told >= made, "the account is not what the graph was made of"

    for tag in TAGS:
        has = expected(found, lambda fact, tag=tag: tag in fact["tags"])
        assert chosen(session.message_list, f"tag:{quoted(tag)}") == has
        assert chosen(session.message_list, f"!tag:{quoted(tag)}") == expected(found, lambda fact: True) - has
        keep = parse(f"tag:{quoted(tag)}")
        said: dict[str, str] = {}
        for event in filter(keep, events):
            said[event.message] = said.get(event.message, "") + event.text
        assert Counter(said.values()) == Counter(text for (_, text), times in has.items() for _ in range(times))
    kinds = [session.index.facet_of(seq) for seq in session.index.of_type.get("message", ())]
    for node in NODES:
        keep = parse(f"node:{quoted(node)}")
        assert list(map(keep, kinds)) == list(map(keep, events)), "the event list filters otherwise"
        inside = expected(found, lambda fact, node=node: _inside(node, found, fact))
        assert chosen(session.message_list, f"node:{quoted(node)}") == inside
        for tag in TAGS[:3]:
            both = expected(found, lambda fact, node=node, tag=tag: tag in fact["tags"] and _inside(node, found, fact))
            assert chosen(session.message_list, f"node:{quoted(node)} tag:{quoted(tag)}") == both


def _inside(node: str, found: Truth, fact: dict[str, Any]) -> bool:
    """Whether a message is of this node, or of one in the graphs that it runs, by the tasks of the account."""
    tasks = {task["task"]: task for task in found.told["runs"][0]["tasks"]}
    task = tasks.get(fact["task"])
    while task is not None:
        if task["node"] == node:
            return True
        task = tasks.get(task["parent"])
    return False

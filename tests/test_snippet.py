"""The code for a filter, run on the graph that it is for, prints what the filter keeps of that graph's journal."""

from __future__ import annotations

import ast
import asyncio
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph

from lgwatch.events import MessageChunk
from lgwatch.filter import Filter, parse
from lgwatch.index import facet
from lgwatch.snippet import snippet
from tests.runner.runs import Log, play, says


def thinking(text: str) -> AIMessageChunk:
    return AIMessageChunk(content=[{"type": "reasoning", "reasoning": text}])


JOKE = says("Knock ", "knock. ", tags=["joke", "Funny"])
POEM = says("Roses ", "are ", "red. ", tags=["poem"])
THOUGHTS = says(thinking("hm "), "so ", thinking("well "), "it is. ", tags=["deep one"])


def jester(state: Log, config: RunnableConfig) -> Log:
    return {"messages": [JOKE.invoke("tell", config)]}


def poet(state: Log, config: RunnableConfig) -> Log:
    return {"messages": [POEM.with_config(tags=["called"]).invoke("write", config)]}


def thinker(state: Log, config: RunnableConfig) -> Log:
    return {"messages": [THOUGHTS.invoke("think", config)]}


def clerk(state: Log) -> Log:
    return {"messages": [HumanMessage("over to you. "), ToolMessage("42 ", tool_call_id="c", name="add")]}


def inner() -> Any:
    graph = StateGraph(Log)
    graph.add_node("poet", poet, metadata={"tags": ["inside"]})
    graph.add_node("thinker", thinker)
    graph.add_edge(START, "poet")
    graph.add_edge("poet", "thinker")
    return graph.compile()


def outer() -> Any:
    graph = StateGraph(Log)
    graph.add_node("jester", jester, metadata={"tags": ["stage"]})
    graph.add_node("poet", poet)
    graph.add_node("team", inner(), metadata={"tags": ["house"]})
    graph.add_node("clerk", clerk)
    for name in ("jester", "poet", "team", "clerk"):
        graph.add_edge(START, name)
    return graph.compile()


GRAPH = outer()


def inputs() -> Any:
    return {"messages": [HumanMessage("start. ")]}


@pytest.fixture(scope="module")
def journal() -> list[MessageChunk]:
    recorded = play(GRAPH, inputs(), config={"tags": ["run-1"]})
    assert recorded.error is None
    return recorded.of(MessageChunk)


def kept(journal: list[MessageChunk], keep: Filter) -> list[str]:
    """What the filter keeps of the journal, task by task: parallel calls come in any order."""
    asked = [term.field for term in keep.terms]
    found: dict[str, str] = {}
    for event in journal:
        wanted = event.kind in ("text", "tool_result") or "kind" in asked
        if wanted and keep(facet(event, "r1")) and keep.text(event.text):
            found[event.task] = found.get(event.task, "") + event.text
    return sorted(text for text in found.values() if text)


async def printed(code: str, graph: Any = GRAPH) -> list[str]:
    """What the code prints, task by task."""
    found: dict[str, str] = {}

    class Labelled:
        """The user's graph, but for the run's tags and the note of who speaks."""

        nodes, get_subgraphs = graph.nodes, graph.get_subgraphs
        task = ""

        async def astream(self, given: Any, **options: Any) -> Any:
            async for part in graph.astream(given, {"tags": ["run-1"]}, **options):
                self.task = part[1][1]["langgraph_checkpoint_ns"]
                yield part

    labelled = Labelled()

    def note(text: str, **options: Any) -> None:
        found[labelled.task] = found.get(labelled.task, "") + text

    scope: dict[str, Any] = {"graph": labelled, "inputs": inputs(), "print": note}
    exec("async def main():\n" + indent(code, "    "), scope)
    await scope["main"]()
    return sorted(text for text in found.values() if text)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "node:poet",
        "node:team",
        "!node:team",
        "node:po*,jester",
        "node:re:/^(JEST|cle)/",
        "path:poet",
        "path:team/poet",
        "path:team/*",
        "!path=poet,jester",
        "path:team/*,clerk",
        "tag:joke",
        "tag:FUNNY",
        "tag:joke,poem",
        "!tag:joke,poem",
        "tag:called !node:team",
        "tag:stage",
        "tag:house",
        "tag:inside",
        "tag:run-1 role:ai",
        'tag:"deep one"',
        "tag:d*",
        "tag:nowhere",
        "model:script-1",
        "!model:script-1",
        "model:scr*",
        "kind:text",
        "kind:reasoning",
        "!kind:reasoning",
        "kind:reasoning,text node:thinker",
        "kind:tool_result",
        "role:ai",
        "!role:ai",
        "role:human,tool",
        "step:1",
        "step>1",
        "!step=2..3",
        "step=1,3..4 role:ai",
        "red",
        '"knock."',
        "!red",
        "kind:reasoning hm",
        "re:/^r/",
        "name:add",
        "type:message",
        "type:custom",
        "status:failed",
        "tag:poem !node:team step>0 s",
    ],
)
async def test_the_loop_prints_what_the_filter_keeps(journal: list[MessageChunk], expression: str) -> None:
    keep = parse(expression)
    assert await printed(snippet(keep)) == kept(journal, keep)


def test_every_filter_of_that_list_would_tell_a_difference(journal: list[MessageChunk]) -> None:
    everything = kept(journal, Filter())
    assert len(everything) == 6
    for expression in (
        "node:poet",
        "tag:house",
        "path:team/*",
        "kind:reasoning",
        "step>1",
        "!tag:joke,poem",
        "role:ai",
    ):
        assert kept(journal, parse(expression)) not in ([], everything), expression


def test_what_a_loop_cannot_know_is_said() -> None:
    code = snippet(parse("tag:joke attempt>1 run:r1 t>5 hello"))
    assert "# attempt>1 is left out: it says nothing about tokens\n" in code
    assert "# run:r1 is left out: a stream loop is not told it\n" in code
    assert "# t>5 is left out" in code
    assert "# hello is asked of each piece here" in code


def test_a_plain_filter_is_a_few_lines() -> None:
    assert snippet(parse("role:ai step>=2")) == (
        "# What lgwatch shows for: role:ai step>=2\n"
        'async for ns, (chunk, metadata) in graph.astream(inputs, stream_mode="messages", subgraphs=True):\n'
        "    if (\n"
        '        chunk.type.removesuffix("MessageChunk").lower() == "ai"\n'
        '        and metadata["langgraph_step"] >= 2\n'
        "    ):\n"
        '        print(chunk.text, end="", flush=True)\n'
    )


@settings(deadline=None)
@given(
    st.sampled_from(["node", "path", "tag", "kind", "role", "model", "name", "text"]),
    st.text(max_size=12), st.sampled_from(["", "!"]), st.integers(0, 10**400),
)  # fmt: skip
def test_whatever_the_values_are_it_is_code_that_says_it_and_nothing_else(
    field: str, value: str, negated: str, number: int
) -> None:
    from lgwatch.filter import quoted

    code = snippet(parse(f"{negated}{field}:{quoted(value)},x step>{number}"))
    (function,) = ast.parse("async def main():\n" + indent(code, "    ")).body
    kinds = [type(statement) for statement in function.body]  # type: ignore[attr-defined]
    assert kinds[-1] is ast.AsyncFor
    assert set(kinds) <= {ast.AsyncFor, ast.FunctionDef, ast.Assign, ast.Import}
    assert all(line.isprintable() for line in code.split("\n"))
    assert value.lower() in {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}


def test_the_loop_can_be_run_from_a_script(journal: list[MessageChunk]) -> None:
    assert asyncio.run(printed(snippet(parse("tag:poem")))) == kept(journal, parse("tag:poem"))

from collections.abc import Iterable

import pytest

from lgwatch.callers import caller
from lgwatch.events import GraphLoaded, SpanEnded, SpanStarted
from lgwatch.records import Task
from lgwatch.session import Session
from lgwatch.sources import Recording
from lgwatch.transitions import Transitions, chosen_in_words, node_id
from tests.factories import attempt, ended, failed, interrupted, play, result, resumed, run, task
from tests.live import ROOT

START, END = "__start__", "__end__"


def graph(*edges, conditional=()):
    every = dict.fromkeys(name for edge in (*edges, *conditional) for name in edge)
    return GraphLoaded(
        nodes=[{"id": name, "name": name.rpartition(":")[2], "kind": "node"} for name in every],
        edges=[{"source": a, "target": b, "conditional": False} for a, b in edges]
        + [{"source": a, "target": b, "conditional": True} for a, b in conditional],
    )


def taken(*events, start=True):
    transitions = Transitions()
    transitions.update(play(*events, start=start))
    return transitions


def visit(node, step, *, triggers=None, **more):
    """A task that begins and is done."""
    name = more.pop("id", "") or f"{node}-{step}"
    yield task(node, id=name, step=step, triggers=triggers or (f"branch:to:{node}",), **more)
    yield result(node, id=name, step=step, **more)


LOOP = graph((START, "agent"), ("tools", "agent"), conditional=(("agent", "tools"), ("agent", END)))


def test_the_way_of_a_loop_is_counted_edge_by_edge():
    transitions = taken(
        LOOP, run(), visit("agent", 1), visit("tools", 2), visit("agent", 3), visit("tools", 4), visit("agent", 5), ended(),
        start=False,
    )  # fmt: skip
    assert transitions.taken == {
        (START, "agent"): 1, ("agent", "tools"): 2, ("tools", "agent"): 2, ("agent", END): 1,
    }  # fmt: skip
    assert transitions.visits == {"agent": 3, "tools": 2}
    assert transitions.last == (("agent", END),)
    assert not transitions.dynamic


def test_a_branch_tells_where_it_led_and_where_not():
    session = play(LOOP, run(), visit("agent", 1), visit("tools", 2), start=False)
    transitions = Transitions()
    transitions.update(session)
    assert transitions.choices(session.task("agent-1")) == (("tools",), (END,))
    assert transitions.choices(session.task("tools-2")) == ((), ())
    assert transitions.sources(session.task("tools-2")) == ("agent",)
    assert chosen_in_words(("sub:tools", END)) == "tools, END"


def test_a_way_that_the_graph_does_not_tell_of_is_a_dynamic_edge():
    lies = graph((START, "a"), ("a", END), conditional=())
    lies.nodes.append({"id": "b", "name": "b", "kind": "node"})
    transitions = taken(lies, run(), visit("a", 1), visit("b", 2), ended(), start=False)
    assert transitions.taken == {(START, "a"): 1, ("a", "b"): 1, ("b", END): 1}
    assert transitions.observed() == [("a", "b"), ("b", END)]
    assert list(transitions.dynamic) == [("a", "b"), ("b", END)]


def test_a_node_that_goes_where_it_likes_is_the_cause_rather_than_one_with_a_fixed_way():
    told = graph((START, "free"), (START, "fixed"), ("fixed", "after"))
    told.nodes.append({"id": "far", "name": "far", "kind": "node"})
    transitions = taken(
        told, run(), visit("free", 1), visit("fixed", 1), visit("after", 2), visit("far", 2), start=False
    )
    assert ("free", "far") in transitions.dynamic
    assert ("fixed", "far") not in transitions.taken
    assert transitions.taken["fixed", "after"] == 1


def test_a_fan_out_by_send_is_counted_for_every_task():
    told = graph((START, "plan"), ("work", "merge"), conditional=(("plan", "work"),))
    sent = [visit("work", 2, id=f"w{number}", triggers=("__pregel_push",)) for number in range(1_000)]
    transitions = taken(told, run(), visit("plan", 1), *sent, visit("merge", 3), start=False)
    assert transitions.taken["plan", "work"] == 1_000
    assert transitions.taken["work", "merge"] == 1  # one visit came of all of them
    assert transitions.visits["work"] == 1_000


def test_a_join_knows_the_nodes_that_it_waited_for():
    told = graph((START, "a"), (START, "b"), ("b", "c"), ("a", "join"), ("c", "join"))
    transitions = taken(
        told,
        run(),
        visit("a", 1),
        visit("b", 1),
        visit("c", 2),
        visit("join", 3, triggers=("join:a+c:join",)),
        start=False,
    )
    assert transitions.taken["a", "join"] == 1
    assert transitions.taken["c", "join"] == 1


def test_a_graph_inside_of_a_node_has_its_own_start_and_end():
    told = graph((START, "sub"), ("sub", END), ("sub:__start__", "sub:in"), ("sub:in", "sub:__end__"))
    transitions = taken(
        told,
        run(),
        task("sub", id="s1", step=1),
        visit("in", 1, ns=("sub:s1",)),
        result("sub", id="s1", step=1),
        ended(),
        start=False,
    )
    assert transitions.taken == dict.fromkeys(
        ((START, "sub"), ("sub:__start__", "sub:in"), ("sub:in", "sub:__end__"), ("sub", END)), 1
    )


def test_nodes_that_nobody_told_of_are_found_where_they_ran():
    told = graph((START, "lead"), ("lead", END))
    session = play(
        told, run(), task("lead", id="l", step=1), task("agent", id="x", ns=("lead:l",)), visit("model", 1, ns=("lead:l", "agent:x")),
        result("agent", id="x", ns=("lead:l",)), start=False,
    )  # fmt: skip
    transitions = Transitions()
    transitions.update(session)
    assert list(transitions.unknown) == [
        "lead:agent",
        "lead:__start__",
        "lead:agent:model",
        "lead:agent:__start__",
        "lead:agent:__end__",
    ]
    assert node_id(session.task("model-1")) == "lead:agent:model"
    inside = {(edge["source"], edge["target"]) for edge in transitions.edges()} - {(START, "lead"), ("lead", END)}
    assert ("lead:agent:__start__", "lead:agent:model") in inside
    assert transitions.observed() == []
    kinds = {node["id"]: (node["kind"], node.get("subgraph")) for node in transitions.nodes()}
    assert kinds["lead"][1] == "lead"
    assert kinds["lead:agent"][0] == "subgraph"
    assert kinds["lead:agent:__end__"][0] == "end"


def deep_agent():
    """An agent that calls two others by one tool, side by side: only their calls tell who they are."""
    yield from (task("tools", id=name, step=3, triggers=("__pregel_push",)) for name in ("t1", "t2"))
    for name, agent in (("t1", "researcher"), ("t2", "critic")):
        yield SpanStarted(span=f"call-{name}", kind="tool", name="task", task=name, node="tools",
                          input={"subagent_type": agent})  # fmt: skip
    for name in ("t1", "t2"):
        yield from visit("model", 1, id=f"m-{name}", ns=(f"tools:{name}",))
        yield SpanEnded(span=f"call-{name}")
        yield result("tools", id=name, step=3)


def test_an_agent_that_runs_in_a_tool_call_is_inside_of_what_the_call_names():
    session = play(graph((START, "tools")), run(), deep_agent(), ended(), start=False)
    transitions = Transitions()
    transitions.update(session)
    assert [node_id(one) for one in session.tasks()] == [
        "tools", "tools", "tools:researcher:model", "tools:critic:model",
    ]  # fmt: skip
    assert transitions.visits["tools:researcher"] == 1
    assert transitions.taken["tools:critic:__start__", "tools:critic:model"] == 1
    assert {node["id"] for node in transitions.nodes()} >= {"tools:researcher", "tools:critic:__end__"}


def test_two_tools_that_run_at_once_in_one_task_do_not_tell_whose_agent_it_is():
    calls = [SpanStarted(span=name, kind="tool", name=name, task="tools", node="tools") for name in ("a", "b")]
    session = play(run(), task("tools"), calls, task("model", ns=("tools:tools",)), start=False)
    assert node_id(session.task("model")) == "tools:model"


def test_what_a_task_calls_is_no_way_on_from_it():
    push = ("__pregel_push",)
    transitions = taken(
        graph((START, "flow"), ("flow", END)), run(), task("flow", step=0, triggers=(START,)),
        visit("slow", 0, id="s1", triggers=push), visit("slow", 0, id="s2", triggers=push), result("flow", step=0), ended(),
        start=False,
    )  # fmt: skip
    assert transitions.taken == {(START, "flow"): 1, ("flow", "slow"): 2, ("flow", END): 1}


def test_a_task_that_another_task_calls_comes_from_that_one():
    push = ("__pregel_push",)
    inner = SpanStarted(span="inner-1", parent="outer-1", kind="node", name="inner", task="inner", node="inner")
    transitions = taken(
        graph((START, "flow"), ("flow", END)), run(), task("flow", step=0, triggers=(START,)), attempt("flow"),
        task("outer", step=0, triggers=push), attempt("outer"), inner, task("inner", step=0, triggers=push),
        result("inner", step=0), result("outer", step=0), result("flow", step=0), ended(), start=False,
    )  # fmt: skip
    assert transitions.taken["flow", "outer"] == 1
    assert transitions.taken["outer", "inner"] == 1


def test_a_handover_to_the_graph_above_is_no_way_to_the_end_of_its_own():
    inner = ("alice:alice",)
    transitions = taken(
        graph((START, "alice"), ("alice", END)), run(), task("alice"), visit("model", 1, ns=inner),
        task("tools", step=2, ns=inner), result("alice"), visit("bob", 2), ended(), start=False,
    )  # fmt: skip
    assert ("alice:model", "alice:tools") in transitions.taken
    assert ("alice:tools", "alice:__end__") not in transitions.taken


def test_a_parallel_branch_that_ended_early_reached_the_end():
    told = graph((START, "a"), (START, "b"), ("a", END), ("b", "c"), ("c", END))
    transitions = taken(told, run(), visit("a", 1), visit("b", 1), visit("c", 2), ended(), start=False)
    assert transitions.taken["a", END] == 1
    assert ("b", END) not in transitions.taken


def test_an_answer_goes_on_where_the_run_stopped():
    told = graph((START, "ask"), ("ask", "act"), ("act", END))
    transitions = taken(told, run(), task("ask", step=1), interrupted("ask"), resumed({"ask-ask": 1}), task("ask", step=1), result("ask"), visit("act", 2), ended(name="r2"), start=False)  # fmt: skip
    assert transitions.taken == {(START, "ask"): 1, ("ask", "act"): 1, ("act", END): 1}
    assert transitions.visits == {"ask": 1, "act": 1}


def test_a_second_run_begins_at_the_start():
    told = graph((START, "a"), ("a", END))
    transitions = taken(told, run(), visit("a", 1), ended(), run("r2"), visit("a", 4), ended(name="r2"), start=False)
    assert transitions.taken == {(START, "a"): 2, ("a", END): 2}


def test_a_run_that_failed_did_not_reach_the_end():
    transitions = taken(graph((START, "a"), ("a", END)), run(), task("a"), failed("a"), ended("failed"), start=False)
    assert transitions.taken == {(START, "a"): 1}


def test_an_error_handler_was_set_off_by_the_node_whose_error_it_handles():
    told = graph((START, "a"), ("a", END))
    transitions = taken(told, run(), task("a"), failed("a"), result("__error_handler__a"), ended(), start=False)
    assert transitions.taken["a", "__error_handler__a"] == 1


def test_taking_in_event_by_event_gives_what_taking_in_at_once_gives():
    for path in sorted((ROOT / "tests" / "recordings").glob("*.jsonl")):
        source, session, step_by_step = Recording(path), Session(), Transitions()
        while events := source.poll():
            for event in events:
                session.apply(event)
                step_by_step.update(session)
        at_once = Transitions()
        at_once.update(session)
        assert step_by_step.taken == at_once.taken, path.stem
        assert step_by_step.visits == at_once.visits
        assert not step_by_step.update(session)
        assert set(step_by_step.dynamic) == set()


@pytest.mark.parametrize("name", ["research", "supervisor", "tool_agent"])
def test_every_node_of_a_recorded_run_was_come_to_as_often_as_it_was_visited(name):
    source, session, transitions = Recording(ROOT / "tests" / "recordings" / f"{name}.jsonl"), Session(), Transitions()
    while events := source.poll():
        for event in events:
            session.apply(event)
    transitions.update(session)
    for node, visits in transitions.visits.items():
        assert sum(count for edge, count in transitions.taken.items() if edge[1] == node) == visits


def test_a_branch_tells_who_chose_it_and_in_which_words():
    told = graph((START, "plan"), conditional=(("plan", "deep"), ("plan", "quick")))
    told.edges[1] |= {"router": "route_by_depth", "label": "long"}
    told.edges[2] |= {"router": "route_by_depth"}
    for target, words in (("deep", 'route_by_depth → "long"'), ("quick", "route_by_depth")):
        session = play(told, run(), visit("plan", 1), visit(target, 2), start=False)
        transitions = Transitions()
        transitions.update(session)
        assert transitions.reason(session.task("plan-1")) == words
        assert transitions.last_of is session.task("plan-1")
        assert transitions.reason(session.task(f"{target}-2")) == ""


def test_a_way_that_is_not_told_of_was_chosen_by_the_router_of_its_node():
    told = graph((START, "plan"))
    told.nodes[1]["router"] = "somewhere"
    told.nodes.append({"id": "far", "name": "far", "kind": "node"})
    session = play(told, run(), visit("plan", 1), visit("far", 2), start=False)
    transitions = Transitions()
    transitions.update(session)
    assert transitions.choices(session.task("plan-1")) == (("far",), ())
    assert transitions.reason(session.task("plan-1")) == "somewhere"


@pytest.mark.parametrize("parent", ["", "flow-1", "a span of nobody"], ids=["untold", "of the caller", "of nobody"])
def test_who_called_a_thousand_tasks_is_found_without_comparing_each_with_each(
    parent: str, monkeypatch: pytest.MonkeyPatch
):
    looked: list[int] = []

    def counted(one: Task, beside: Iterable[Task], main: Iterable[Task]) -> Task | None:
        looked.append(len(list(beside)) + len(list(main)))
        return caller(one, beside, main)

    monkeypatch.setattr("lgwatch.transitions.caller", counted)
    calls = [
        event
        for number in range(1_000)
        for event in (
            task("work", id=f"w{number}", step=0, triggers=("__pregel_push",)),
            SpanStarted(span=f"s{number}", parent=parent, kind="node", name="work", task=f"w{number}", node="work"),
        )
    ]
    ways = taken(run(), task("flow", step=0), attempt("flow"), *calls, start=False)
    assert ways.taken["flow", "work"] == 1_000
    assert sum(looked) <= 3_000


def test_a_thousand_tasks_that_were_sent_from_the_start_are_not_compared_with_each_other(
    monkeypatch: pytest.MonkeyPatch,
):
    looked: list[int] = []
    monkeypatch.setattr("lgwatch.transitions.caller", lambda one, beside, main: looked.append(len(list(main))))
    sent = [task("work", id=f"w{number}", step=1, triggers=("__pregel_push",)) for number in range(1_000)]
    assert taken(run(), *sent, start=False).taken == {(START, "work"): 1_000}
    assert sum(looked) == 0

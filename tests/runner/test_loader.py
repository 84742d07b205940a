from __future__ import annotations

import asyncio
import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lgwatch.errors import TargetError
from lgwatch.runner.loader import Loaded, build, import_target
from tests.runner.projects import COMPILED, GRAPH, forgotten, write
from tests.versions import needs


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with forgotten(tmp_path):
        yield tmp_path


def load(folder: Path, attr: str = "graph", config: dict[str, Any] | None = None, *, run: bool = True) -> Loaded:
    """Load as the runner does, and run what was loaded on the same loop while its contexts are open."""
    target = import_target(f"zz_agent:{attr}", app_dir=str(folder))

    async def built() -> Loaded:
        async with contextlib.AsyncExitStack() as stack:
            loaded = await build(target, config=config, stack=stack)
            if run:
                assert await loaded.graph.ainvoke({"topic": "cats"}) == {"topic": "cats!"}
            return loaded

    return asyncio.run(built())


def refused(folder: Path, attr: str = "graph") -> TargetError:
    with pytest.raises(TargetError) as caught:
        load(folder, attr)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


# --- what an attribute may be


def test_a_compiled_graph_is_used_as_it_is(folder: Path) -> None:
    write(folder, zz_agent=COMPILED)
    loaded = load(folder)
    assert (loaded.name, loaded.notices) == ("told", ())


def test_a_dotted_attribute_is_followed(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "class Holder:\n    inner = graph\n")
    assert load(folder, "Holder.inner").name == "told"


def test_a_graph_that_was_not_compiled_is_compiled_with_a_notice(folder: Path) -> None:
    write(folder, zz_agent=GRAPH)
    assert [code for code, _ in load(folder, "builder").notices] == ["compiled"]


def test_an_entrypoint_is_a_graph(folder: Path) -> None:
    source = (
        "from langgraph.func import entrypoint\n@entrypoint()\ndef flow(x):\n    return {'topic': x['topic'] + '!'}\n"
    )
    write(folder, zz_agent=source)
    assert load(folder, "flow").notices == ()


@needs("create_agent")
def test_a_prebuilt_agent_is_a_graph(folder: Path) -> None:
    source = """
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    graph = create_agent(GenericFakeChatModel(messages=iter(["hi"])), [])
    """
    write(folder, zz_agent=source)
    assert load(folder, run=False).notices == ()


def test_a_remote_graph_is_used_as_it_is(folder: Path) -> None:
    source = "from langgraph.pregel.remote import RemoteGraph\ngraph = RemoteGraph('a', url='http://localhost:1')\n"
    write(folder, zz_agent=source)
    assert load(folder, run=False).name == "a"


@pytest.mark.parametrize(
    "factory",
    [
        "def make(): return graph",
        "def make(): return builder",
        "make = lambda: graph",
        "import functools\nmake = functools.partial(lambda x: graph, 1)",
        "class Maker:\n    def __call__(self): return graph\nmake = Maker()",
        "class Maker:\n    def build(self): return graph\nmake = Maker().build",
        "def make(model='x', *args, **kwargs):\n    assert model == 'x'; return graph",
        "async def make(): return graph",
        "async def inner(): return graph\ndef make(): return inner()",
        "def make(): return lambda: graph",
        "@contextlib.contextmanager\ndef make(): yield graph",
        "@contextlib.asynccontextmanager\nasync def make(): yield graph",
        "@contextlib.asynccontextmanager\nasync def opened(): yield graph\nmake = opened()",
        "def make(): yield graph",
        "async def make(): yield graph",
    ],
)
def test_a_factory_of_any_kind_leads_to_its_graph(folder: Path, factory: str) -> None:
    write(folder, zz_agent=f"import contextlib\n{COMPILED}\n{factory}\n")
    assert isinstance(load(folder, "make"), Loaded)


@pytest.mark.parametrize(
    "signature",
    ["config", "config: RunnableConfig", "settings: RunnableConfig", "cfg", "cfg: dict", "config=None", "config, /"],
)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_a_factory_gets_the_config_it_asks_for(folder: Path, signature: str, future: str) -> None:
    name = signature.split(":", maxsplit=1)[0].split("=", maxsplit=1)[0].split(",", maxsplit=1)[0]
    source = f"{future}from langchain_core.runnables import RunnableConfig\n{COMPILED}\n"
    source += f"def make({signature}):\n    assert {name}['configurable']['model'] == 'm'\n    return graph\n"
    write(folder, zz_agent=source)
    config = {"configurable": {"model": "m"}}
    load(folder, "make", config)
    assert config == {"configurable": {"model": "m"}}


def test_a_factory_can_rely_on_configurable(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "def make(config):\n    config['configurable'].get('x')\n    return graph\n")
    load(folder, "make")


@needs("server runtime")
@pytest.mark.parametrize(
    "signature",
    ["runtime", "rt: ServerRuntime", "rt: ServerRuntime[dict]", "config, runtime: ServerRuntime", "runtime=None"],
)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_a_factory_gets_the_runtime_of_a_run(folder: Path, signature: str, future: str) -> None:
    name = "rt" if signature.startswith("rt") else "runtime"
    source = f"{future}from langgraph_sdk.runtime import ServerRuntime\n{COMPILED}\n"
    source += f"async def make({signature}):\n    assert {name}.execution_runtime is {name}\n"
    source += f"    assert {name}.access_context == 'threads.create_run' and {name}.user is None\n"
    source += f"    {name}.store.put(('a',), 'b', {{}})\n    return graph\n"
    write(folder, zz_agent=source)
    load(folder, "make")


def test_a_factory_may_ask_for_the_runtime_of_langgraph(folder: Path) -> None:
    source = f"from langgraph.runtime import Runtime\n{COMPILED}\n"
    source += "def make(runtime: Runtime[None]):\n    assert isinstance(runtime, Runtime)\n    return graph\n"
    write(folder, zz_agent=source)
    load(folder, "make")


def test_a_context_stays_open_while_the_graph_runs_and_closes_on_its_loop(folder: Path) -> None:
    source = (
        COMPILED
        + """
import asyncio, contextlib
events = []

@contextlib.asynccontextmanager
async def make():
    events.append(asyncio.get_running_loop())
    yield graph
    events.append(asyncio.get_running_loop())
"""
    )
    write(folder, zz_agent=source)
    target = import_target("zz_agent:make", app_dir=str(folder))
    events = target.__wrapped__.__globals__["events"]  # type: ignore[attr-defined]

    async def drive() -> None:
        async with contextlib.AsyncExitStack() as stack:
            loaded = await build(target, stack=stack)
            await loaded.graph.ainvoke({"topic": "x"})
            assert len(events) == 1
        assert events == [asyncio.get_running_loop()] * 2

    asyncio.run(drive())


def test_a_factory_that_starts_a_loop_of_its_own_still_works(folder: Path) -> None:
    source = COMPILED + "import asyncio\nasync def inner(): return graph\ndef make(): return asyncio.run(inner())\n"
    write(folder, zz_agent=source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the coroutine of the first attempt
        load(folder, "make")


def test_a_module_may_start_a_loop_while_it_is_imported(folder: Path) -> None:
    write(folder, zz_agent="import asyncio\n" + COMPILED + "graph = asyncio.run(asyncio.sleep(0, graph))\n")
    load(folder)


@pytest.mark.parametrize(
    ("wrapped", "told"),
    [
        ("graph.bind(stop=1)", "stop"),
        ("graph.with_retry()", "RunnableRetry"),
        ("graph.with_fallbacks([graph])", "without fallbacks"),
        ("(lambda x: x) | graph | (lambda x: x)", "2 other steps"),
        ("(lambda x: x) | graph.with_retry()", "sequence"),
    ],
)
def test_a_graph_is_unwrapped_with_a_notice(folder: Path, wrapped: str, told: str) -> None:
    source = f"from langchain_core.runnables import RunnableLambda\n{COMPILED}\nwrapped = {wrapped}\n"
    write(folder, zz_agent=source.replace("= (lambda", "= RunnableLambda(lambda"))
    loaded = load(folder, "wrapped")
    assert loaded.notices[0][0] == "unwrapped"
    assert told in loaded.notices[0][1]


@pytest.mark.parametrize(
    "wrapped",
    [
        "graph.bind(x=1).with_config(tags=['mine'])",
        "graph.with_retry().with_config(tags=['mine'])",
        "(RunnableLambda(lambda x: x) | graph).with_config(tags=['mine'])",
        "graph.with_fallbacks([graph]).with_config(tags=['mine'])",
        "graph.with_config(recursion_limit=3).bind(x=1).with_config(tags=['mine'], recursion_limit=7)",
    ],
)
def test_the_config_of_what_is_wrapped_around_goes_with_the_graph(folder: Path, wrapped: str) -> None:
    write(folder, zz_agent=f"from langchain_core.runnables import RunnableLambda\n{COMPILED}\nwrapped = {wrapped}\n")
    config = load(folder, "wrapped").graph.config
    assert config["tags"] == ["mine"]
    if "recursion_limit" in wrapped:
        assert config["recursion_limit"] == 7


# --- without an attribute


def test_the_only_graph_of_a_module_needs_no_name(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "again = graph\n")
    assert load(folder, "").name == "told"
    write(folder, zz_other=GRAPH)
    assert import_target("zz_other:", app_dir=str(folder)) is not None


def test_several_graphs_are_listed(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "second = builder.compile()\n")
    error = refused(folder, "")
    assert "graph, second" in error.message
    assert "zz_agent:graph" in error.hint


def test_a_module_without_a_graph_is_told(folder: Path) -> None:
    write(folder, zz_agent="x = 1")
    assert "no graph" in refused(folder, "").message


# --- errors


def test_a_missing_attribute_is_answered_with_the_graphs_and_near_names(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "def make_graph(): return graph\n")
    error = refused(folder, "grahp")
    assert "'grahp'" in error.message
    assert "The graphs there: graph." in error.hint
    assert "Did you mean graph" in error.hint
    write(folder, zz_none="x = 1")
    with pytest.raises(TargetError, match="There is no graph"):
        import_target("zz_none:graph", app_dir=str(folder))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("3", "an int"),
        ("None", "None"),
        ("State", "the class State"),
        ("{'a': graph}", "a dict"),
        ("contextlib", "the module contextlib"),
        ("RunnableLambda(lambda x: x)", "a RunnableLambda of langchain_core"),
        ("lambda: 'text'", "a str"),
        ("lambda: None", "None"),
    ],
)
def test_what_is_no_graph_is_said_to_be_what_it_is(folder: Path, value: str, told: str) -> None:
    source = f"import contextlib\nfrom langchain_core.runnables import RunnableLambda\n{COMPILED}\nvalue = {value}\n"
    write(folder, zz_agent=source)
    assert told in refused(folder, "value").message


def test_a_node_is_not_taken_for_a_factory(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "def node(state): raise AssertionError('called')\n")
    assert "takes 'state'" in refused(folder, "node").message
    assert "takes 'state'" in refused(folder, "step").message


@pytest.mark.parametrize("decorator", ["", "@contextlib.asynccontextmanager\nasync "])
def test_what_a_factory_raises_is_told_with_the_users_traceback(folder: Path, decorator: str) -> None:
    source = f"import contextlib\ndef deeper():\n    return 1 / 0\n{decorator}def make():\n    yield deeper()\n"
    write(folder, zz_agent=source if decorator else source.replace("yield", "return"))
    error = refused(folder, "make")
    assert "ZeroDivisionError: division by zero" in error.message
    assert "return 1 / 0" in error.detail
    assert "loader" not in error.detail
    assert "contextlib.py" not in error.detail


@pytest.mark.parametrize(
    ("body", "told"), [("sys.exit('bye')", "sys.exit('bye')"), ("raise KeyboardInterrupt", "KeyboardInterrupt")]
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_factory_that_ends_the_process_is_reported_and_not_obeyed(
    folder: Path, kind: str, body: str, told: str
) -> None:
    write(folder, zz_agent=f"import sys\n{kind} make():\n    {body}\n")
    assert told in refused(folder, "make").message


def test_a_graph_that_cannot_be_compiled_is_told_in_langgraphs_words(folder: Path) -> None:
    write(folder, zz_agent="from langgraph.graph import StateGraph\nbuilder = StateGraph(dict)\n")
    error = refused(folder, "builder")
    assert "cannot be compiled" in error.message
    assert "entrypoint" in error.message


def test_a_factory_that_never_gets_to_a_graph_is_given_up(folder: Path) -> None:
    write(folder, zz_agent="def make(): return make\n")
    assert "No graph was reached" in refused(folder, "make").message


def test_several_graphs_in_a_sequence_are_refused(folder: Path) -> None:
    write(folder, zz_agent=COMPILED + "wrapped = graph | graph\n")
    assert "holds 2 graphs" in refused(folder, "wrapped").message


def test_a_target_that_hides_behind_a_hostile_class_is_only_refused(folder: Path) -> None:
    source = """
    class Lazy:
        @property
        def __class__(self):
            raise RuntimeError("not configured")

    lazy = Lazy()

    def __getattr__(name):
        raise ValueError(name)
    """
    write(folder, zz_agent=source)
    assert "no graph" in refused(folder, "").message
    assert "ValueError" in refused(folder, "other").message
    assert "not configured" in refused(folder, "lazy").message
    write(folder, zz_maker="import zz_agent\ndef make(): return zz_agent.lazy\n")
    target = import_target("zz_maker:make", app_dir=str(folder))

    async def built() -> None:
        async with contextlib.AsyncExitStack() as stack:
            await build(target, stack=stack)

    with pytest.raises(TargetError, match="not configured"):
        asyncio.run(built())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a task tells whether it was asked to end since 3.11")
def test_a_cancellation_inside_a_factory_is_its_failure_and_one_from_outside_is_obeyed(folder: Path) -> None:
    write(
        folder,
        zz_agent="import asyncio\nasync def make(): raise asyncio.CancelledError\nasync def wait(): await asyncio.Event().wait()\n",
    )
    assert "CancelledError" in refused(folder, "make").message
    target = import_target("zz_agent:wait", app_dir=str(folder))

    async def stopped() -> None:
        async with contextlib.AsyncExitStack() as stack:
            building = asyncio.ensure_future(build(target, stack=stack))
            await asyncio.sleep(0)
            building.cancel()
            with pytest.raises(asyncio.CancelledError):
                await building

    asyncio.run(stopped())

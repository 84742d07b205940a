"""What watching costs the graph, as ratios in one run: the whole runner against the bare stream with its parts thrown
away, in the graph's own process, interleaved. `python -m tests.benchmarks.bench_runner [CASE…]` prints the numbers."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Measure

ROUNDS = 7
MODES = ["updates", "messages", "custom", "debug"]


# ── graphs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def model(count: int, pause: float = 0.0) -> Any:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    class Tokens(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "tokens"

        def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=AIMessage("x"))])

        async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            start = time.perf_counter()
            for number in range(count):
                if pause and (ahead := start + number * pause - time.perf_counter()) > 0:
                    await asyncio.sleep(ahead)
                part = ChatGenerationChunk(message=AIMessageChunk(content=f"token{number} "))
                if run_manager:
                    await run_manager.on_llm_new_token(part.text, chunk=part)
                yield part

    return Tokens()


def state() -> Any:
    import operator
    from typing import Annotated

    from typing_extensions import TypedDict

    return TypedDict("State", {"n": int, "log": Annotated[list, operator.add]}, total=False)


def tokens() -> Any:
    from langgraph.graph import START, StateGraph

    async def talk(state: Any) -> Any:
        await model(5_000).ainvoke("x")
        return {"n": 1}

    return StateGraph(state()).add_node("talk", talk).add_edge(START, "talk")


def steps() -> Any:
    from langgraph.graph import END, START, StateGraph

    async def step(state: Any) -> Any:
        return {"n": state["n"] + 1}

    graph = StateGraph(state()).add_node("step", step).add_edge(START, "step")
    return graph.add_conditional_edges("step", lambda state: END if state["n"] >= 1_000 else "step")


def sends() -> Any:
    from langgraph.graph import START, StateGraph
    from langgraph.types import Send

    async def work(state: Any) -> Any:
        return {"log": [state["n"]]}

    graph = StateGraph(state()).add_node("work", work)
    return graph.add_conditional_edges(START, lambda state: [Send("work", {"n": n}) for n in range(1_000)], ["work"])


def customs() -> Any:
    from langgraph.config import get_stream_writer
    from langgraph.graph import START, StateGraph

    async def write(state: Any) -> Any:
        writer = get_stream_writer()
        for number in range(5_000):
            writer({"progress": number, "of": 5_000, "what": "reading"})
        return {"n": 1}

    return StateGraph(state()).add_node("write", write).add_edge(START, "write")


def conversation() -> Any:
    from langchain_core.messages import AIMessage
    from langgraph.graph import END, START, MessagesState, StateGraph

    async def say(state: Any) -> Any:
        number = len(state["messages"])
        return {"messages": [AIMessage(f"{number}: " + "word " * 100, id=f"m{number}")]}

    graph = StateGraph(MessagesState).add_node("say", say).add_edge(START, "say")
    return graph.add_conditional_edges("say", lambda state: END if len(state["messages"]) >= 1_000 else "say")


def agents() -> Any:
    """Twenty streams of a hundred tokens a second for a second and a half."""
    from langgraph.config import get_stream_writer
    from langgraph.graph import START, StateGraph

    async def talk(state: Any) -> Any:
        get_stream_writer()({"progress": 0.5})
        await model(150, 0.01).ainvoke("x")
        return {"log": [1]}

    graph = StateGraph(state())
    for number in range(20):
        graph.add_node(f"talk{number}", talk)
        graph.add_edge(START, f"talk{number}")
    return graph


CASES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "tokens": (tokens, {"n": 0}),
    "steps": (steps, {"n": 0}),
    "sends": (sends, {"n": 0}),
    "customs": (customs, {"n": 0}),
    "conversation": (conversation, {"messages": []}),
    "agents": (agents, {"n": 0}),
}


Ends = tuple[float, float]

# ── measuring, in the child ──────────────────────────────────────────────────────────────────────────────────────────


class Watched:
    """A driver with a journal of its own, as the runner has it."""

    def __init__(self, builder: Any, folder: str) -> None:
        from lgwatch.journal import JournalWriter
        from lgwatch.runner.console import Console
        from lgwatch.runner.driver import Driver

        self.path = Path(folder) / f"{time.monotonic_ns()}.jsonl"
        self.journal = JournalWriter(self.path, target="bench")
        self.driver = Driver(self.journal, Console(self.journal.append), mode="async")
        self.builder = builder

    async def run(self, given: Any) -> tuple[float, float]:
        """Return seconds of wall and of processor time from start to result."""
        from lgwatch.runner.process import settle

        await self.driver.load(self.builder.compile(), "bench")
        settle()
        queue: asyncio.Queue[Any] = asyncio.Queue()
        queue.put_nowait({"command": "start", "run": "r1", "input": given, "recursion_limit": 100_000})
        queue.put_nowait(None)
        wall, used = time.perf_counter(), time.process_time()
        await self.driver.serve(queue)
        spent = time.perf_counter() - wall, time.process_time() - used
        self.journal.close()
        assert b'"status":"failed"' not in self.path.read_bytes()[-3_000:]
        return spent


async def bare(builder: Any, given: Any) -> tuple[float, float]:
    graph = builder.compile()
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 100_000}
    wall, used = time.perf_counter(), time.process_time()
    async for _ in graph.astream(given, config, stream_mode=MODES, subgraphs=True):
        pass
    return time.perf_counter() - wall, time.process_time() - used


async def naive(builder: Any, given: Any, folder: str) -> float:
    """Return seconds of wall of the same stream with a line of JSON for each part, as one would write it first."""
    graph = builder.compile()
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 100_000}
    wall = time.perf_counter()
    with (Path(folder) / "naive.jsonl").open("w") as file:
        async for part in graph.astream(given, config, stream_mode=MODES, subgraphs=True):
            print(json.dumps(part, default=repr), file=file, flush=True)
    return time.perf_counter() - wall


async def measure(case: str, rounds: int) -> dict[str, Any]:
    """Run both in turn and return the medians."""
    make, given = CASES[case]
    plain, watched, simple = [], [], []
    spans: list[Ends] = []
    size = 0
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            gc.unfreeze()
            gc.collect()
            first = await bare(make(), given)
            gc.collect()
            run = Watched(make(), folder)
            second = await run.run(given)
            size = run.path.stat().st_size
            if case == "conversation" and turn:
                spans.append(ends_of(run.path))
            lines = run.path.read_bytes().count(b"\n")
            if turn < rounds:
                run.path.unlink()
            gc.unfreeze()
            gc.collect()
            # It writes all messages again with each step: a thousand of them are no matter of seconds.
            third = await naive(make(), given, folder) if case != "conversation" else None
            if turn:  # the first warms up
                plain.append(first)
                watched.append(second)
                simple += [third] if third is not None else []
        found = {
            "case": case, "bare": statistics.median(wall for wall, _ in plain),
            "watched": statistics.median(wall for wall, _ in watched), "bytes": size, "lines": lines,
            "naive": statistics.median(simple) if simple else None,
            "bare_cpu": statistics.median(used for _, used in plain),
            "watched_cpu": statistics.median(used for _, used in watched),
        }  # fmt: skip
        if case == "conversation":
            found.update(await growth(run.path, spans, make, given))
    return found


def ends_of(journal: Path) -> Ends:
    """Return when the tasks of a journal ended, as the seconds of an early and of a late hundred of them."""
    events = [json.loads(text) for text in journal.read_bytes().splitlines()[1:]]
    return hundreds([event["at"] for event in events if event["type"] == "task_result"])


def hundreds(ends: list[float]) -> Ends:
    return ends[110] - ends[10], ends[-1] - ends[-101]


async def growth(journal: Path, spans: list[Ends], make: Callable[[], Any], given: Any) -> dict[str, float]:
    """Compare the journal with the final state, and its late steps with its early ones, net of what bare steps cost.

    Each is the best of its rounds: the difference of single ones says more of the machine than of the program.
    """
    final: list[Any] = []
    bare_spans: list[Ends] = []
    for _ in spans:
        times: list[float] = []
        final.clear()
        gc.unfreeze()
        gc.collect()
        async for _, mode, payload in (
            make().compile().astream(given, {"recursion_limit": 100_000}, stream_mode=MODES, subgraphs=True)
        ):
            if mode == "debug" and payload["type"] == "task_result":
                times.append(time.perf_counter())
                final += payload["payload"]["result"]["messages"]
        bare_spans.append(hundreds(times))
    (early, bare_early), (late, bare_late) = (
        (min(watched), min(bare)) for watched, bare in zip(zip(*spans), zip(*bare_spans), strict=True)
    )
    state = len(json.dumps({"messages": [message.model_dump() for message in final]}))
    return {
        "early": early - bare_early, "late": late - bare_late, "slower_late": (late / bare_late) / (early / bare_early),
        "state": state, "size_ratio": journal.stat().st_size / state,
    }  # fmt: skip


def spawn(case: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure one case in a process of its own."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_runner", "--child", case, str(rounds)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


RATIOS = {"agents": 1.02, "tokens": 1.25, "steps": 1.25, "sends": 1.25}
"""How many times as long a graph may take when it is watched."""


def rows(case: str, rounds: int | None = None) -> Iterator[Measure]:
    """Yield what watching costs a graph, against its bare stream with the same modes."""
    found = spawn(case, rounds or (3 if case in ("agents", "conversation") else ROUNDS))
    bare, beside = found["bare"], "json.dumps of every part, flushed"
    its = found["naive"] / bare if found["naive"] else None
    yield Measure(f"{case}: watched to bare", found["watched"] / bare, RATIOS.get(case), "x", its, beside)
    yield Measure(f"{case}: watched to bare, processor", found["watched_cpu"] / found["bare_cpu"], None, "x")
    if case == "customs":
        mine, its = ((found[way] - bare) / 5_000 * 1e6 for way in ("watched", "naive"))
        yield Measure("customs: cost of an event", mine, 12, "µs", its, beside)
    if case == "conversation":
        yield Measure("conversation: journal to final state", found["size_ratio"], 6, "x")
        late = found["late"] / found["early"] if found["early"] > 0 else 0.0
        yield Measure("conversation: last hundred steps to first", late, 1.5, "x")
        # What the fast test looks at: net of the bare steps, two small numbers are divided.
        yield Measure("conversation: how much slower late steps get, to bare ones", found["slower_late"], None, "x")


MEASURES: dict[str, Callable[[], Iterator[Measure]]] = {case: partial(rows, case) for case in CASES}


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(asyncio.run(measure(sys.argv[2], int(sys.argv[3])))))
        return
    for case in sys.argv[1:] or CASES:
        found = spawn(case, 3 if case in ("agents", "conversation") else ROUNDS)
        extra = found["watched"] - found["bare"]
        print(
            f"{case:13} bare {found['bare'] * 1e3:7.1f} ms   watched {found['watched'] * 1e3:7.1f} ms   "
            f"x{found['watched'] / found['bare']:.3f} (cpu x{found['watched_cpu'] / found['bare_cpu']:.3f})   "
            f"{found['lines']} lines, {extra / found['lines'] * 1e6:.1f} µs each, {found['bytes'] / 1e6:.2f} MB"
        )
        if case == "conversation":
            print(
                f"{'':13} journal {found['size_ratio']:.2f} x the final state; "
                f"a hundred steps early {found['early'] * 1e3:.1f} ms, late {found['late'] * 1e3:.1f} ms (net)"
            )


if __name__ == "__main__":
    main()

"""What will not work, or not be seen, when this graph runs: read off the graph itself, which is not run.

Taken inside of the graph's interpreter, by `lgwatch doctor`. A finding is a fact about this graph and one sentence on
what to do; where nobody can tell, nothing is said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from lgwatch.runner import way
from lgwatch.runner.parts import Model, Part, models_of, names_in, parts, reached
from lgwatch.runner.spelling import misspelt

CODE = "doctor"
"""Begins the code of a notice that is a finding; after a colon follows how bad it is."""
CLIENTS = frozenset(
    {"openai", "anthropic", "mistralai", "groq", "cohere", "ollama", "together", "litellm", "huggingface_hub"}
)
"""Packages whose clients stream past LangChain."""
THREADS = frozenset({"run_in_executor", "ThreadPoolExecutor", "Thread"})
"""Ways to start work that forget which run it belongs to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: `good` is True, False for what is wrong, None for what works with less; `fix` is what to do."""

    good: bool | None
    text: str
    fix: str = ""

    @property
    def notice(self) -> tuple[str, str]:
        """Return it as a notice's code and text, the fix on a line of its own."""
        word = "less" if self.good is None else "good" if self.good else "wrong"
        return f"{CODE}:{word}", "\n".join(filter(None, (self.text, self.fix)))


async def diagnose(graph: Any) -> list[Finding]:
    """Return what there is to say of a graph, before lgwatch has given it anything."""
    found: list[Finding] = []
    nodes: list[Part] = []
    with contextlib.suppress(Exception):
        nodes = list(parts(graph))
    for check in (_models, _threads, _interrupts, _old_python, misspelt_keys):
        with contextlib.suppress(Exception):  # foreign objects; what cannot be looked at is not told
            found += list(check(graph, nodes))
    with contextlib.suppress(Exception):
        found += await _saver(graph)
    return found


async def _saver(graph: Any) -> list[Finding]:
    saver = getattr(graph, "checkpointer", None)
    if saver is None or isinstance(saver, bool):
        return []
    kind = type(saver).__name__
    if not await way.saver_is_sync(graph, {"configurable": {"thread_id": "lgwatch doctor"}}):
        return [Finding(True, f"it has a checkpointer of its own ({kind}): interrupts can be answered, threads go on")]
    only = way.async_only(graph)
    if not only:
        return [Finding(True, f"its checkpointer ({kind}) works only synchronously, and so do its nodes: they fit")]
    return [
        Finding(
            False,
            f"its node {only} runs only asynchronously, and its checkpointer ({kind}) works only synchronously: neither way can run it",
            f"use the asynchronous form of the checkpointer (such as Async{kind}), or --checkpointer memory",
        )
    ]


# ── what streams ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _models(graph: Any, nodes: list[Part]) -> Iterator[Finding]:
    told: set[str] = set()
    streams: dict[str, None] = {}
    for part in nodes:
        for model in models_of(part):
            name = model.kind.__name__
            why = _why_no_tokens(model)
            if why is None:
                streams[name] = None
                why = _why_no_usage(model)
            if why is not None and (text := f"{part.path}: {name} {why[0]}") not in told:
                told.add(text)
                yield Finding(None, text, why[1])
        yield from _clients(part)
    if streams:
        yield Finding(True, f"its models stream: {', '.join(streams)}")


def _why_no_tokens(model: Model) -> tuple[str, str] | None:
    """Return why a model's tokens will not be seen, and what to do; None when they will."""
    kind, settings = model.kind, model.settings
    if not issubclass(kind, BaseChatModel):
        return (
            "is no chat model, and LangGraph streams the tokens of chat models only",
            "use the provider's chat model to see tokens",
        )
    if "nostream" in model.tags:
        return "is tagged nostream, so LangGraph hides its tokens", "take the tag away to see them"
    if kind._stream is BaseChatModel._stream and kind._astream is BaseChatModel._astream:  # noqa: SLF001 - what LangChain itself asks
        return (
            "cannot stream: its class answers in one piece",
            "give the class a _stream method, or use a model that has one",
        )
    if settings.get("disable_streaming") is True:
        return "has disable_streaming=True and answers in one piece", "leave it out to see tokens"
    if settings.get("disable_streaming") == "tool_calling":
        return (
            'has disable_streaming="tool_calling" and answers in one piece wherever it has tools',
            "leave it out to see tokens",
        )
    if settings.get("streaming") is False:
        return "has streaming=False and answers in one piece", "leave it out to see tokens"
    return None


def _why_no_usage(model: Model) -> tuple[str, str] | None:
    if model.settings.get("stream_usage", True) or model.settings.get("use_responses_api"):
        return None
    return (
        "will report no token usage, since it streams while it is watched",
        "make it with stream_usage=True (endpoints with a base URL of their own do not get it by default)",
    )


def _clients(part: Part) -> Iterator[Finding]:
    for value in reached(part):
        package = type(value).__module__.partition(".")[0]
        if package not in CLIENTS or not hasattr(type(value), "__init__") or isinstance(value, type):
            continue
        names = set().union(*map(names_in, part.functions)) if part.functions else set()
        writes = "get_stream_writer" in names or any(_takes_writer(one) for one in part.functions)
        if not writes:
            yield Finding(
                None,
                f"{part.path}: it calls {package}'s own client ({type(value).__name__}), whose tokens pass LangChain by",
                "call the model through LangChain, or write its tokens with get_stream_writer()",
            )
        return


def _takes_writer(function: Callable[..., Any]) -> bool:
    return bool(
        {"writer", "runtime"}
        & set(function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount])
    )


def _threads(graph: Any, nodes: list[Part]) -> Iterator[Finding]:
    for part in nodes:
        used = set().union(*map(names_in, part.functions)) if part.functions else set()
        if (ways := used & THREADS) and "copy_context" not in used and any(True for _ in models_of(part)):
            yield Finding(
                None,
                f"{part.path}: work that it starts with {' and '.join(sorted(ways))} forgets its run, so models called there do not stream",
                "use asyncio.to_thread, or run it in contextvars.copy_context()",
            )


def _old_python(graph: Any, nodes: list[Part]) -> Iterator[Finding]:
    if way.OLD_PYTHON and (only := way.async_only(graph)):
        yield Finding(
            None,
            f"before Python 3.11 an async node such as {only} has no stream writer, and streams a model only where it hands its config on",
            "use Python 3.11 or later, or take config as a parameter and pass it to the model's call",
        )


# ── interrupts and state ─────────────────────────────────────────────────────────────────────────────────────────────


def _interrupts(graph: Any, nodes: list[Part]) -> Iterator[Finding]:
    if getattr(graph, "checkpointer", None) or not hasattr(graph, "checkpointer"):
        return
    asking = [part.path for part in nodes if any(map(_asks, part.functions))]
    stops = getattr(graph, "interrupt_before_nodes", None) or getattr(graph, "interrupt_after_nodes", None)
    if not asking and not stops:
        return
    what = f"{asking[0]} asks with interrupt()" if asking else "it is compiled with breakpoints"
    yield Finding(
        None,
        f"{what}, and the graph has no checkpointer: lgwatch lends it one in memory, anywhere else an answer finds nothing to go on with",
        "compile it with one: builder.compile(checkpointer=InMemorySaver())",
    )


def _asks(function: Callable[..., Any]) -> bool:
    from langgraph.types import interrupt

    names = names_in(function)
    if any(function.__globals__.get(name) is interrupt for name in names):
        return True
    # `types.interrupt(…)`, and an import inside of the function
    return (
        "interrupt" in names
        and "interrupt" not in function.__globals__
        and "interrupt" not in function.__code__.co_freevars
    )


def misspelt_keys(graph: Any, nodes: list[Part]) -> Iterator[Finding]:
    """Yield the keys that nodes write or read and that the state does not have."""
    for one in misspelt(nodes):
        guess = f"did you mean {one.near!r}?" if one.near else "add it to the state, or leave it out"
        if one.written:
            text = f"{one.path} writes {one.key!r} ({one.place}), which is no key of the state: LangGraph drops it in silence"
            yield Finding(False if one.near else None, text, guess)
        else:
            yield Finding(False, f"{one.path} reads {one.key!r} ({one.place}), which is no key of the state", guess)

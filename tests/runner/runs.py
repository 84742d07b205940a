"""Factories: real graphs and models, and what a run of them decodes to."""

from __future__ import annotations

import asyncio
import operator
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypedDict, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import START, StateGraph
from pydantic import Field

from lgwatch.events import Event, MessageChunk
from lgwatch.runner.callbacks import Spans
from lgwatch.runner.custom import pin_custom_events
from lgwatch.runner.decode import Decoder
from lgwatch.runner.joint import listen
from lgwatch.runner.tasks import node_tags
from lgwatch.values import snapshot

MODES = ["updates", "messages", "custom", "debug"]
Found = TypeVar("Found", bound=Event)


class Log(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    messages: Annotated[list[Any], operator.add]


class Script(BaseChatModel):
    """A chat model that streams the chunks it was given, or answers in one piece when there is nothing to stream."""

    chunks: list[Any] = Field(default_factory=list)
    whole: Any = None

    @property
    def _llm_type(self) -> str:
        return "script"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {}

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {**super()._get_ls_params(stop=stop, **kwargs), "ls_model_name": "script-1"}

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if self.whole is None:
            raise ConnectionError("the line is dead")
        return ChatResult(generations=[ChatGeneration(message=self.whole.model_copy())])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for chunk in self.chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            message = AIMessageChunk(content=chunk) if isinstance(chunk, str) else chunk.model_copy()
            part = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(str(part.text), chunk=part)
            yield part

    @property
    def _streams(self) -> bool:
        return self.whole is None

    def _should_stream(self, **kwargs: Any) -> bool:
        return self._streams and super()._should_stream(**kwargs)


def says(*chunks: Any, **kwargs: Any) -> Script:
    return Script(chunks=list(chunks), **kwargs)


def answers(message: BaseMessage | str, **kwargs: Any) -> Script:
    return Script(whole=AIMessage(content=message) if isinstance(message, str) else message, **kwargs)


def line(*nodes: Callable[..., Any], state: Any = Log, names: Sequence[str] = (), **options: Any) -> Any:
    """A graph whose nodes run one after the other."""
    graph = StateGraph(state)
    names = names or [node.__name__ for node in nodes]
    for name, node in zip(names, nodes, strict=True):
        graph.add_node(name, node)
    for source, target in zip([START, *names], names, strict=False):
        graph.add_edge(source, target)
    return graph.compile(**options)


def fan(*nodes: Callable[..., Any], state: Any = Log, **options: Any) -> Any:
    """A graph whose nodes run side by side."""
    graph = StateGraph(state)
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(START, node.__name__)
    return graph.compile(**options)


class Plain:
    """Snapshots without memory: what an event holds is what is in it."""

    def snapshot(self, value: object) -> Any:
        return snapshot(value)

    def touch(self) -> None: ...


class Recorded(list[Event]):
    """The events of a run, and the exception that ended it."""

    error: BaseException | None = None
    decoder: Decoder

    def of(self, cls: type[Found], **fields: Any) -> list[Found]:
        return [
            event
            for event in self
            if type(event) is cls and all(getattr(event, name) == value for name, value in fields.items())
        ]

    def one(self, cls: type[Found], **fields: Any) -> Found:
        found = self.of(cls, **fields)
        assert len(found) == 1, f"{len(found)} of {cls.__name__} {fields} in {self}"
        return found[0]

    def text(self, **fields: Any) -> str:
        return "".join(event.text for event in self.of(MessageChunk, **fields))


def decoder_of(events: list[Event], **options: Any) -> Decoder:
    def repeat(event: MessageChunk) -> Callable[[str], None]:
        return lambda text: events.append(replace(event, text=text))

    return Decoder(events.append, repeat, Plain(), **options)


def play(
    graph: Any,
    given: Any = None,
    *,
    sync: bool = False,
    config: dict[str, Any] | None = None,
    pinned: bool = True,
    spans: bool = False,
    **options: Any,
) -> Recorded:
    """Run the graph and decode its stream."""
    events = Recorded()
    events.decoder = decoder_of(events, node_tags=node_tags(graph))
    events.decoder.pinned = pin_custom_events() if pinned else False
    config = {**(config or {})}
    config["configurable"] = {"thread_id": uuid.uuid4().hex, **config.get("configurable", {})}
    if spans:
        config["callbacks"] = listen(graph, Spans(events.append, events.decoder))
    given = {"log": []} if given is None else given

    async def consume() -> None:
        async for part in graph.astream(given, config, stream_mode=MODES, subgraphs=True, **options):
            events.decoder.decode(*part)

    try:
        if sync:
            for part in graph.stream(given, config, stream_mode=MODES, subgraphs=True, **options):
                events.decoder.decode(*part)
        else:
            asyncio.run(consume())
    except Exception as error:
        events.error = error
    events.decoder.flush()
    return events


def parts(*given: tuple[Any, str, Any], **options: Any) -> Recorded:
    """Decode parts that were written by hand: what other versions send."""
    events = Recorded()
    events.decoder = decoder_of(events, **options)
    for part in given:
        events.decoder.decode(*part)
    events.decoder.flush()
    return events

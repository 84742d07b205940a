"""Starts, resumes and stops runs of one graph, on one event loop for the life of the process. Each run ends with
exactly one `run_result`, its last event."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from langgraph.types import Command

from lgwatch.errors import InputError, LgwatchError
from lgwatch.events import Interrupted, Json, Notice, RunEnded, RunStarted, ValueStored
from lgwatch.journal import JournalWriter
from lgwatch.runner import pending, way
from lgwatch.runner import request as asking
from lgwatch.runner.attach import attach
from lgwatch.runner.callbacks import Spans
from lgwatch.runner.channels import known_keys
from lgwatch.runner.console import NOWHERE, Console, Place
from lgwatch.runner.custom import pin_custom_events
from lgwatch.runner.decode import Decoder
from lgwatch.runner.failure import Failures, error_dict, message_of, type_name
from lgwatch.runner.joint import listen
from lgwatch.runner.opened import Opened
from lgwatch.runner.refusal import refused
from lgwatch.runner.run import Run
from lgwatch.runner.tasks import node_tags, run_tags
from lgwatch.runner.watchdog import Watchdog
from lgwatch.values import Values

MODES = ["updates", "messages", "custom", "debug"]
GRACE = 0.5
"""Seconds that a run gets to end by itself after an exception has left the event loop."""


@dataclass
class Request:
    """A run as it was asked for, checked."""

    run: str
    thread: str
    input: Any
    config: dict[str, Any]
    options: dict[str, Any]
    event: RunStarted
    context: Json = None
    durability: str = ""
    """When the attached checkpointer saves (`exit`, `async`, `sync`); all but `exit` keep what a fork can start from."""
    answers: dict[str, Json] | None = None
    """Of a resumed run: what it answers, by interrupt id."""


class Driver:
    """Runs a graph when it is told to. `serve` is the loop's main task; `stop` may be called from any thread."""

    def __init__(
        self, journal: JournalWriter, console: Console, *, checkpointer: str = "keep", mode: str = "auto"
    ) -> None:
        self._journal = journal
        self._console = console
        self._checkpointer = checkpointer
        self._mode = mode
        self._graph: Any = None
        self._opened: Opened | None = None
        self._values = Values(self._store)
        self._settings: Mapping[str, Json] = {}
        self._waiting: dict[str, dict[str, Interrupted]] = {}  # by thread, by interrupt id
        self._failed_answers: dict[str, Json] = {}  # by interrupt id, what a run was given that failed
        self._pinned = False
        self._node_tags: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._keys: dict[tuple[str, ...], frozenset[str]] = {}
        self._attached = False
        self._noticed: set[str] = set()
        self.run: Run | None = None
        """The run that is going on."""

    def _store(self, name: str, data: Json) -> None:
        self._journal.append(ValueStored(id=name, data=data))

    def notice(self, code: str, text: str) -> None:
        """Say something once."""
        if (code + text) not in self._noticed:
            self._noticed.add(code + text)
            self._journal.append(Notice(code=code, text=text))

    # ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def load(
        self, target: object, label: str, config: Mapping[str, Json] | None = None, *, diagnosed: bool = False
    ) -> None:
        """Make a graph of what was imported, and tell what it is; `config` is for factories. Raises TargetError.

        When it is to be `diagnosed`, each finding is a notice.
        """
        from lgwatch.runner import loader
        from lgwatch.runner.describe import describe

        given = config if isinstance(config, Mapping) else None  # what is none is told when the run starts
        self._opened = Opened(lambda error: self.notice("close", f"what the target opened has ended: {_said(error)}"))
        loaded = await self._opened.open(lambda stack: loader.build(target, config=given, stack=stack))
        for code, text in loaded.notices:
            self.notice(code, text)
        self._graph = loaded.graph
        self._journal.append(describe(loaded.graph, label))
        if diagnosed:
            from lgwatch.runner.diagnosis import diagnose

            for finding in await diagnose(self._graph):
                self.notice(*finding.notice)
        self._attached = attach(self._graph, self._checkpointer, self.notice)
        self._pinned = pin_custom_events()
        self._node_tags = node_tags(self._graph)
        self._keys = known_keys(self._graph)

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def serve(self, commands: asyncio.Queue[dict[str, Json] | None]) -> None:
        """Obey commands, one run after the other, until None comes."""
        while (command := await commands.get()) is not None:
            kind = command.get("command")
            if kind == "start":
                await self._obey(command, self._start)
            elif kind == "resume":
                await self._obey(command, self._resume)
            else:
                self.notice("command", f"an unknown command was left out: {kind}")
        await self.close()

    async def close(self) -> None:
        """Leave what the target opened."""
        try:
            if self._opened is not None:
                await self._opened.close()
        except BaseException as error:  # foreign code at the very end: nothing is left to do but to say it
            self.notice("close", f"closing the target failed: {_said(error)}")

    async def _obey(self, command: Mapping[str, Json], request: Callable[[Mapping[str, Json]], Request]) -> None:
        try:
            asked = request(command)
        except asking.NeedsInput as needs:
            self._journal.append(Notice(code="needs_input", text=str(needs)))
            return
        except (LgwatchError, TypeError, ValueError) as error:
            told = error if isinstance(error, LgwatchError) else InputError(str(error), "look at the run's options")
            self._journal.append(
                RunStarted(
                    run=str(command.get("run")), thread=asking.thread_of(command), input=command.get("input"),
                    resume=command.get("answers"), config=command.get("config"),
                )
            )  # fmt: skip
            if command.get("command") == "resume":
                for event in self._waiting.get(self._thread_of(command), {}).values():
                    self._journal.append(event)
            self._journal.append(RunEnded(run=str(command.get("run")), status="failed", error=error_dict(told)))
            return
        for text in asking.unknown_nodes(self._graph, self._settings):
            self.notice("breakpoint", text)
        if asked.options and getattr(self._graph, "checkpointer", None) is None:
            self.notice("breakpoint", f"a run that stops at a breakpoint cannot go on: {self._why_not()}")
        await self._go(asked)

    def _start(self, command: Mapping[str, Json]) -> Request:
        thread = asking.thread_of(command)
        given = asking.graph_input(self._graph, command)
        self._settings = command
        event = RunStarted(
            run=str(command["run"]), thread=thread, input=self._values.snapshot(given), config=command.get("config")
        )
        return self._request(command, command, thread, given, event)

    def _thread_of(self, command: Mapping[str, Json]) -> str:
        """The thread that a resume is about."""
        return str(command.get("thread") or asking.thread_of(self._settings))

    def _resume(self, command: Mapping[str, Json]) -> Request:
        thread = self._thread_of(command)
        answers = command.get("answers")
        if answers is not None and not isinstance(answers, dict):
            raise InputError("the answers are not an object", "map each interrupt's id to its answer")
        if getattr(self._graph, "checkpointer", None) is None:
            raise InputError("nothing can be resumed: the graph has no checkpointer", self._way_out())
        waiting = self._waiting.get(thread, {})
        answers = {key: value for key, value in (answers or {}).items() if not key.startswith("breakpoint:")}
        if unknown := [key for key in answers if waiting and key not in waiting]:
            raise InputError(
                f"no interrupt {unknown[0]} is waiting on thread {thread}", f"these are: {', '.join(waiting)}"
            )
        given: Any = None if not answers else Command(resume=answers)
        if any("|" in key for key in answers):  # up to 0.4 interrupts have no ids: there is one answer for all
            given = Command(resume=next(iter(answers.values())))
        event = RunStarted(run=str(command["run"]), thread=thread, resume=command.get("answers") or {})
        asked = self._request(command, {**self._settings, **_given(command)}, thread, given, event)
        return replace(asked, answers=answers)

    def _request(
        self,
        command: Mapping[str, Json],
        settings: Mapping[str, Json],
        thread: str,
        given: Any,
        event: RunStarted,
    ) -> Request:
        options: dict[str, Any] = {}
        for name in ("interrupt_before", "interrupt_after"):
            if nodes := settings.get(name):
                options[name] = "*" if nodes in ("*", ["*"]) else nodes
        config = asking.config_of(settings, thread)
        if "recursion_limit" in config:  # whoever watches says how far there is to go
            told = event.config if isinstance(event.config, dict) else {}
            event = replace(event, config={**told, "recursion_limit": config["recursion_limit"]})
        context = asking.context_of(self._graph, settings.get("context"))
        durability = str(settings.get("durability") or "")
        return Request(str(command["run"]), thread, given, config, options, event, context, durability)

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _go(self, asked: Request) -> None:
        run = Run(asked.run, asked.thread, self._journal)
        tags = self._node_tags | run_tags(self._graph, asked.config)
        decoder = Decoder(run.append, run.repeat, self._values, node_tags=tags, on_task_end=self._console.flush)
        decoder.pinned = self._pinned
        spans = Spans(run.append, decoder, self._keys)
        self._journal.append(asked.event)
        self._console.locate = decoder.tasks.running
        self._console.sole = lambda: _place(spans, decoder)
        self.run = run
        run.task = asyncio.ensure_future(self._follow(run, asked, decoder, spans))
        try:
            await asyncio.wait({run.task})
        finally:
            self._close_run(run, decoder, spans)

    async def _follow(self, run: Run, asked: Request, decoder: Decoder, spans: Spans) -> None:
        """Run the graph to its end, whatever end that is."""
        try:
            options = self._options(run, asked, spans)
            with Watchdog(run.append):
                await self._take_back(asked)
                sync = await way.is_sync(self._graph, asked.config, self._mode, self.notice)
                if not sync:
                    await self._stream(run, asked, options, decoder)
            if sync:  # nothing of the graph is on the loop
                await self._stream_in_thread(run, asked, options, decoder)
        except (
            BaseException
        ) as error:  # SystemExit and KeyboardInterrupt of a node too: they end the run, not the process
            try:
                if isinstance(error, Exception) and not run.stop:
                    await self._ask_again(run, asked, decoder)
            finally:
                self._failed(run, asked, error, decoder)
        else:
            decoder.flush()
            if decoder.stopped_after:
                await self._look_what_is_next(run, asked, decoder)
            self._finished(run, decoder, spans)

    def _options(self, run: Run, asked: Request, spans: Spans) -> dict[str, Any]:
        config = {**asked.config, "callbacks": listen(self._graph, spans)}
        options: dict[str, Any] = {"config": config, "stream_mode": list(MODES), "subgraphs": True, **asked.options}
        known = inspect.signature(type(self._graph).astream).parameters
        if asked.context is not None and "context" in known:
            options["context"] = asked.context
        if self._attached and "durability" in known:
            # A checkpoint for each step costs a tiny step a fifth of its time; the same checkpoints are told either way.
            options["durability"] = asked.durability or "exit"
        if "control" in known:
            from langgraph.runtime import RunControl

            run.control = options["control"] = RunControl()
        if way.leaves_out_custom(self._graph, self._mode):
            options["stream_mode"].remove("custom")
        return options

    async def _stream(self, run: Run, asked: Request, options: dict[str, Any], decoder: Decoder) -> None:
        decode, guard = decoder.decode, Failures(run.append, "a part of the stream")
        async with aclosing(self._graph.astream(asked.input, **options)) as stream:
            async for ns, mode, payload in stream:
                try:
                    decode(ns, mode, payload)
                except Exception as error:
                    guard.note(error)
                if run.stop and _may_leave(run, ns, mode, payload):
                    break

    async def _stream_in_thread(self, run: Run, asked: Request, options: dict[str, Any], decoder: Decoder) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[BaseException | None] = loop.create_future()
        guard = Failures(run.append, "a part of the stream")

        def arrive(outcome: BaseException | None) -> None:
            if not done.done():  # else the run was cancelled meanwhile
                done.set_result(outcome)

        def consume() -> None:
            outcome: BaseException | None = None
            try:
                stream = self._graph.stream(asked.input, **options)
                for ns, mode, payload in stream:
                    with run.lock:
                        if run.ended.is_set():
                            break
                        try:
                            decoder.decode(ns, mode, payload)
                        except Exception as error:
                            guard.note(error)
                    if run.stop == "cancel" or (run.stop and _may_leave(run, ns, mode, payload)):
                        stream.close()
                        break
            except BaseException as error:  # carried over to the run's own end
                outcome = error
            loop.call_soon_threadsafe(arrive, outcome)

        # Not a pool's thread: a node that never returns must not keep the process from ending.
        within = contextvars.copy_context()  # the spans of the run are in it
        threading.Thread(target=within.run, args=(consume,), name="lgwatch-stream", daemon=True).start()
        if (outcome := await done) is not None:
            raise outcome

    def _failed(self, run: Run, asked: Request, error: BaseException, decoder: Decoder) -> None:
        decoder.flush()
        kind = type(error).__name__
        if run.escaped is not None and isinstance(error, asyncio.CancelledError):
            error = run.escaped
        elif kind == "GraphDrained" or (run.stop and isinstance(error, (asyncio.CancelledError, GeneratorExit))):
            run.end("stopped", output=decoder.state)
            return
        began = bool(decoder.tasks.by_id) or asked.answers is not None
        told = refused(self._graph, error, asked.context, began=began) or error
        run.end("failed", error=error_dict(told), output=decoder.state)

    async def _take_back(self, asked: Request) -> None:
        """Make room for other answers to what was answered in a run that failed."""
        waiting = self._waiting.get(asked.thread, {}) if asked.answers is not None else {}
        failed = [(event, self._failed_answers.pop(name)) for name, event in waiting.items()
                  if name in self._failed_answers]  # fmt: skip
        if failed:
            await pending.take_back(self._graph, asked.config, failed)

    async def _ask_again(self, run: Run, asked: Request, decoder: Decoder) -> None:
        """Tell once more what the thread waits at: an answer that a node cannot use must not be its last."""
        decoder.flush()
        told = {**self._waiting.pop(run.thread, {}), **decoder.interrupts}
        try:
            still = await pending.still_asked(self._graph, asked.config, told)
        except Exception as error:  # a checkpointer is foreign code
            run.append(Notice(code="waiting", text=f"what waits for an answer cannot be told: {message_of(error)}"))
            return
        for name, event in still.items():
            if name in (asked.answers or {}):
                self._failed_answers[name] = (asked.answers or {})[name]
            if name not in decoder.interrupts:
                run.append(event)
        self._waiting[run.thread] = still

    async def _look_what_is_next(self, run: Run, asked: Request, decoder: Decoder) -> None:
        """Tell where a breakpoint has left the thread, and before which nodes, where the stream did not."""
        try:
            state = await pending.state_of(self._graph, asked.config)
        except Exception as error:  # a checkpointer is foreign code, and there may be none
            run.append(Notice(code="waiting", text=f"what is next cannot be told: {message_of(error)}"))
            return
        decoder.stands_at(state)
        for event in pending.breakpoints(state):
            decoder.interrupts[event.interrupt] = event
            run.append(event)

    def _finished(self, run: Run, decoder: Decoder, spans: Spans) -> None:
        waiting = decoder.interrupts
        self._waiting[run.thread] = dict(waiting)
        if waiting:
            if getattr(self._graph, "checkpointer", None) is None:
                self.notice("interrupt", f"the graph waits for an answer and cannot be resumed: {self._why_not()}")
            run.end("interrupted", output=decoder.state)
        elif run.stop and not spans.ended:
            run.end("stopped", output=decoder.state)
        else:
            decoder.touch()
            run.end(
                "done", output=decoder.snapshot(_returned(self._graph, spans.output)) if spans.ended else decoder.state
            )

    def _why_not(self) -> str:
        """Why nothing can be resumed, and what to do about it."""
        return f"the graph has no checkpointer; {self._way_out()}"

    def _way_out(self) -> str:
        return "leave out --checkpointer none" if self._checkpointer == "none" else "compile it with a checkpointer"

    def _close_run(self, run: Run, decoder: Decoder, spans: Spans) -> None:
        spans.closed = True
        if run.ended.is_set():
            self.run = None
        else:  # cancelled from outside: the process is about to end
            run.end("stopped")
        self._console.locate = lambda path: NOWHERE
        self._console.sole = lambda: NOWHERE

    # ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────

    def stop(self, how: str, why: dict[str, Json] | None = None) -> None:
        """End the run after this superstep (`drain`) or now (`cancel`); `why` is its error then. For any thread."""
        run = self.run
        if run is None or run.task is None:
            return
        run.why = why or run.why
        run.stop = "cancel" if "cancel" in (how, run.stop) else "drain"
        if run.control is not None:
            run.control.request_drain("stopped")
        if how == "cancel":
            task = run.task
            task.get_loop().call_soon_threadsafe(task.cancel)

    def escaped(self, error: BaseException, loop: asyncio.AbstractEventLoop) -> None:
        """An exception has left the event loop, as SystemExit and KeyboardInterrupt do; it ends the run."""
        run = self.run
        if run is None or run.task is None or run.escaped is not None:
            return
        run.escaped = error
        # In most cases the same exception also reaches the run by the ordinary way, with a better traceback.
        loop.call_later(GRACE, run.task.cancel)


def _may_leave(run: Run, ns: tuple[str, ...], mode: str, payload: Any) -> bool:
    """Whether the superstep is over, for a LangGraph that cannot be asked to drain."""
    return run.control is None and not ns and mode == "debug" and payload["type"] != "task_result"


def _given(command: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in command.items() if value is not None and key not in ("command", "answers")}


def _returned(graph: Any, streamed: Any) -> Any:
    """Return what `invoke` would: of the channels that a stream ends with, which may be private, those of the output."""
    channels = getattr(graph, "output_channels", None)
    if not isinstance(streamed, dict) or isinstance(getattr(graph, "stream_channels_asis", ""), str):
        return streamed
    if isinstance(channels, str):
        return streamed.get(channels)
    return {name: streamed[name] for name in channels if name in streamed} if channels else streamed


def _place(spans: Spans, decoder: Decoder) -> Place:
    """Return the only place that raw output can come from. Who works is known before the stream tells of its task, and
    what it wrote last arrives when it has ended."""
    if working := spans.at_work():
        return working[0] if len(working) == 1 else NOWHERE
    task = decoder.tasks.sole()
    return (task.ns, task.node, task.id) if task else NOWHERE


def _said(error: BaseException) -> str:
    """Return an exception on one line; a group of them says what its only member says."""
    members = getattr(error, "exceptions", None)
    if isinstance(members, tuple) and len(members) == 1:
        return _said(members[0])
    return f"{type_name(error)}: {message_of(error)}"

"""Runs a graph of the corpus twice: as it is, for an account; and by lgwatch's runner, for a journal."""

from __future__ import annotations

import asyncio
import copy
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lgwatch
from lgwatch.accounts import account_of
from lgwatch.events import Json
from lgwatch.journal import JournalWriter
from lgwatch.runner import loader
from lgwatch.runner.account import resume, take_account
from lgwatch.runner.account.plain import plain
from lgwatch.runner.console import Console
from lgwatch.runner.driver import Driver
from lgwatch.selfcheck import Comparison, compare
from tests.corpus import Case


@dataclass
class Truth:
    """Both accounts of a graph, what differs, and what the graph itself was left with after lgwatch had run it."""

    told: dict[str, Json]
    seen: dict[str, Json]
    comparison: Comparison
    left: Json


class Orders(asyncio.Queue[Any]):
    """The commands of a watched run: it starts, and goes on with the answers once it waits.

    `left` is in the end the state that the thread was left with, None where it cannot be read.
    """

    def __init__(self, case: Case, journal: Path, driver: Driver) -> None:
        super().__init__()
        self.left: Json = None
        self._case, self._journal, self._driver = case, journal, driver
        self._thread = uuid.uuid4().hex
        self._answers = list(case.answers)
        self._runs = 0

    async def get(self) -> dict[str, Json] | None:
        self._runs += 1
        if self._runs == 1:
            return {**start(self._case), "command": "start", "run": "r1", "thread": self._thread}
        if self._answers:
            given, run = self._answers.pop(0), f"r{self._runs}"
            if isinstance(given, dict) and "$input" in given:
                again = {**start(self._case), "input": given["$input"]}
                return {**again, "command": "start", "run": run, "thread": self._thread}
            return {"command": "resume", "run": run, "answers": answer(given, self._journal)}
        with suppress(Exception):  # a state that the failed run has left unreadable
            config = {"configurable": {**self._case.config.get("configurable", {}), "thread_id": self._thread}}
            graph = self._driver._graph
            found = graph.get_state(config) if self._case.sync else await graph.aget_state(config)
            self.left = {"values": plain(found.values), "next": list(found.next)}
        return None


def start(case: Case) -> dict[str, Json]:
    """What a run of the graph is started with."""
    return {
        "input": copy.deepcopy(case.given), "config": case.config, "context": case.context,
        "interrupt_before": list(case.before), "interrupt_after": list(case.after),
    }  # fmt: skip


def answer(given: Json, journal: Path) -> dict[str, Json] | None:
    """What a run goes on with: the answer to each question that the journal says is open."""
    command = resume(given, {one.id: one.node for one in lgwatch.read_journal(journal).waiting if not one.breakpoint})
    return None if command is None else command.resume


async def watch(case: Case, journal: Path) -> Json:
    """Run the graph by lgwatch's own runner, in this process; return the state that its thread was left with."""
    writer = JournalWriter(journal, target=case.name, python="", langgraph="")
    driver = Driver(writer, Console(writer.append), mode="sync" if case.sync else "auto")
    await driver.load(case.build, case.name, case.config)
    orders = Orders(case, journal, driver)
    await driver.serve(orders)
    writer.close()
    return orders.left


async def account(case: Case) -> dict[str, Json]:
    """Take the account of the graph."""
    options = {"interrupt_before": list(case.before), "interrupt_after": list(case.after)}
    options = {name: value for name, value in options.items() if value}
    if case.context is not None:
        options["context"] = case.context
    async with AsyncExitStack() as stack:
        graph = (await loader.build(case.build, config=case.config, stack=stack)).graph
        given = copy.deepcopy(case.given)
        return await take_account(graph, given, config=case.config, answers=case.answers, sync=case.sync, **options)


async def bare(case: Case) -> Json:
    """Return what the graph returns when it is only invoked."""
    async with AsyncExitStack() as stack:
        graph = (await loader.build(case.build, config=case.config, stack=stack)).graph
        config = {**case.config, "configurable": {**case.config.get("configurable", {}), "thread_id": uuid.uuid4().hex}}
        given = copy.deepcopy(case.given)
        if case.sync:
            return plain(await asyncio.to_thread(graph.invoke, given, config, context=case.context))
        return plain(await graph.ainvoke(given, config, context=case.context))


async def truth(case: Case, journal: Path) -> Truth:
    """Run the graph both ways and compare."""
    told = await account(case)
    left = await watch(case, journal)
    seen = account_of(journal)
    return Truth(told, seen, compare(told, seen), left)

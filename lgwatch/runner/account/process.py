"""The process that takes an account: one graph, one order on stdin, one answer in a file. Nothing of it is watched."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, BinaryIO

from lgwatch.errors import InputError, LgwatchError, TargetError
from lgwatch.events import Json


def main() -> None:
    """Answer the order on stdin, which whoever asked holds open: when it closes, nobody wants the account any more."""
    orders = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)  # the graph may read from stdin
    os.dup2(nothing, 0)
    asked = json.loads(orders.readline())
    threading.Thread(target=_leave_with, args=(orders,), daemon=True).start()
    answer(asked)


def _leave_with(orders: BinaryIO) -> None:
    orders.read()
    os._exit(1)


def answer(asked: Mapping[str, Json]) -> None:
    """Write the account that is asked for, or why there is none, to the file that the order names as `out`."""
    try:
        told = {"account": _obey(asked)}
    except BaseException as error:  # whatever a target can do
        from lgwatch.runner.failure import error_dict

        if not isinstance(error, LgwatchError):
            found = error_dict(error)
            error = TargetError(
                f"the graph did not come to an end: {found['type']}: {found['message']}", "see the traceback"
            )
            error.detail = str(found["traceback"])
        told = {"error": error_dict(error)}
    Path(asked["out"]).write_text(json.dumps(told), encoding="utf-8")


def _obey(asked: Mapping[str, Json]) -> Json:
    from lgwatch.runner import loader

    # The module may start a loop of its own, which it cannot from inside of ours.
    target = loader.import_target(str(asked["target"]), app_dir=str(asked["app_dir"]), paths=asked["paths"])
    return asyncio.run(_taken(target, asked))


async def _taken(target: object, asked: Mapping[str, Json]) -> Json:
    from lgwatch.runner import loader, request, way
    from lgwatch.runner.account.take import take_account

    async with AsyncExitStack() as stack:
        graph = (await loader.build(target, config=asked.get("config"), stack=stack)).graph
        try:
            given = request.graph_input(graph, asked)
        except request.NeedsInput as needs:
            raise InputError(str(needs), "give it with --input") from None
        config = request.config_of(asked, str(asked["thread"]))
        options: dict[str, Any] = {}
        if (context := request.context_of(graph, asked.get("context"))) is not None:
            options["context"] = context
        sync = await way.is_sync(graph, config, "auto", lambda code, text: None)
        return await take_account(graph, given, config=config, answers=asked["answers"], sync=sync, **options)

"""What the commands take, as typer reads it from the annotation of a parameter: one name for each argument and option."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Optional

import typer

from lgwatch.errors import InputError

REDACT_PATTERN = "--redact-pattern"

TargetArgument = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Argument(metavar="TARGET", help="module:attr, file.py:attr, or a name in langgraph.json."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="No screen: the journal's lines on stdout.")]
PlainFlag = Annotated[bool, typer.Option("--plain", help="No screen: short text on stdout.")]
FilterOption = Annotated[
    str, typer.Option("--filter", "-f", metavar="EXPR", help="What to show: node:writer !tag:draft")
]
PythonOption = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--python", metavar="EXE", help="Interpreter that runs the graph."),
]
AppDirOption = Annotated[
    Optional[Path],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--app-dir", metavar="DIR", help="Folder to import from; the current one by default."),
]
EnvFileOption = Annotated[
    Optional[Path],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--env-file", metavar="FILE", help="Environment file; the nearest .env by default."),
]
NoEnvFlag = Annotated[bool, typer.Option("--no-env", help="Read no .env file.")]

# ── of `run` alone

MessageArgument = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Argument(metavar="MESSAGE", help="A short form of the input for graphs with messages."),
]
InputOption = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="The input."),
]
ConfigOption = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--config", "-c", metavar="JSON|@FILE", help="The run's config."),
]
ContextOption = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--context", metavar="JSON|@FILE", help="The run's context."),
]
ThreadOption = Annotated[
    Optional[str],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--thread-id", "-t", metavar="ID", help="Thread to run on; a new one by default."),
]
RecursionLimitOption = Annotated[
    Optional[int],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--recursion-limit", metavar="N", min=1, help="Supersteps before the run is given up."),
]


def _positive(timeout: Optional[float]) -> Optional[float]:  # noqa: UP045  what typer understands on 3.10
    if timeout is not None and timeout <= 0:
        raise InputError("--timeout has to be more than 0 seconds", "leave it out to wait as long as it takes")
    return timeout


TimeoutOption = Annotated[
    Optional[float],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--timeout", metavar="S", callback=_positive, help="Seconds after which a run is stopped."),
]
InterruptBeforeOption = Annotated[
    str, typer.Option("--interrupt-before", metavar="N,…", help="Stop before these nodes; * for all.")
]
InterruptAfterOption = Annotated[
    str, typer.Option("--interrupt-after", metavar="N,…", help="Stop after these nodes; * for all.")
]
ResumeOption = Annotated[
    Optional[list[str]],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--resume", metavar="JSON|@FILE", help="Answers to interrupts, in order. Repeatable."),
]
CheckpointerOption = Annotated[
    str, typer.Option("--checkpointer", metavar="keep|memory|none", help="The graph's own, else memory.")
]
SyncFlag = Annotated[
    Optional[bool],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--sync/--async", help="How to run it; found out by default."),
]
JournalOption = Annotated[
    Optional[Path],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--journal", metavar="PATH", help="Where to record; the folder of past runs by default."),
]
NoJournalFlag = Annotated[bool, typer.Option("--no-journal", help="Delete the journal at the end.")]
ReloadFlag = Annotated[bool, typer.Option("--reload", help="Begin anew when a Python file under the app dir changes.")]
RedactFlag = Annotated[
    bool,
    typer.Option(
        "--redact",
        help="Mask what looks like a key or a password before it is recorded; --redact=REGEX masks more. Repeatable.",
    ),
]
RedactPatternOption = Annotated[
    Optional[list[str]],  # noqa: UP045  what typer understands on 3.10
    typer.Option(REDACT_PATTERN, hidden=True),
]
NoContentFlag = Annotated[bool, typer.Option("--no-content", help="Record structure and timing only.")]


def spelt_out(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments with `--redact=REGEX` as an option of its own: typer has no option with a value or without."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            yield from arguments[at:]
            return
        if argument.startswith("--redact="):
            yield from ("--redact", f"{REDACT_PATTERN}={argument.removeprefix('--redact=')}")
        else:
            yield argument

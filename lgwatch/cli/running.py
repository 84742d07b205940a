"""The commands that run a graph: `run`, `demo`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from lgwatch.cli.options import (
    AppDirOption,
    CheckpointerOption,
    ConfigOption,
    ContextOption,
    EnvFileOption,
    FilterOption,
    InputOption,
    InterruptAfterOption,
    InterruptBeforeOption,
    JournalOption,
    JsonFlag,
    MessageArgument,
    NoContentFlag,
    NoEnvFlag,
    NoJournalFlag,
    PlainFlag,
    PythonOption,
    RecursionLimitOption,
    RedactFlag,
    RedactPatternOption,
    ReloadFlag,
    ResumeOption,
    SyncFlag,
    TargetArgument,
    ThreadOption,
    TimeoutOption,
)
from lgwatch.cli.starting import launch_of, recorded
from lgwatch.cli.watching import View, go, print_mode
from lgwatch.errors import InputError

EXAMPLES = """\b
Examples:
  lgwatch run agent.py:graph "What is the capital of Samoa?"
  lgwatch run agent.py:graph -i '{"topic": "cats"}' -f 'tag:draft'
  lgwatch run agent --interrupt-before '*'
  lgwatch run agent "hello" --json | jq .
"""


def run(
    target: TargetArgument = None,
    message: MessageArgument = None,
    *,
    input_: InputOption = None,
    config: ConfigOption = None,
    context: ContextOption = None,
    thread_id: ThreadOption = None,
    recursion_limit: RecursionLimitOption = None,
    timeout: TimeoutOption = None,
    interrupt_before: InterruptBeforeOption = "",
    interrupt_after: InterruptAfterOption = "",
    resume: ResumeOption = None,
    checkpointer: CheckpointerOption = "keep",
    sync: SyncFlag = None,
    json: JsonFlag = False,
    plain: PlainFlag = False,
    filter_: FilterOption = "",
    journal: JournalOption = None,
    no_journal: NoJournalFlag = False,
    redact: RedactFlag = False,
    redact_pattern: RedactPatternOption = None,
    no_content: NoContentFlag = False,
    python: PythonOption = None,
    app_dir: AppDirOption = None,
    env_file: EnvFileOption = None,
    no_env: NoEnvFlag = False,
    reload: ReloadFlag = False,
) -> None:
    """Run a graph and watch it."""
    from lgwatch.arguments import json_argument, names, patterns
    from lgwatch.sources import RunRequest

    if message is not None and input_ is not None:
        raise InputError("both MESSAGE and --input were given", "give the input once")
    if checkpointer not in ("keep", "memory", "none"):
        raise InputError(f"--checkpointer cannot be {checkpointer!r}", "it is keep, memory or none")
    settings = json_argument(config, "--config", kind=dict) or {}
    configured = settings.get("configurable")
    if thread_id is None and isinstance(configured, dict) and configured.get("thread_id") is not None:
        thread_id = str(configured["thread_id"])
    request = RunRequest(
        input=json_argument(input_, "--input", stdin=True),
        has_input=input_ is not None,
        message=message,
        thread=thread_id,
        config=settings,
        context=json_argument(context, "--context"),
        recursion_limit=recursion_limit,
        interrupt_before=names(interrupt_before),
        interrupt_after=names(interrupt_after),
        timeout=timeout,
    )
    view = View(
        print_mode(json=json, plain=plain), filter_, [json_argument(one, "--resume") for one in resume or ()],
        keep=not no_journal, tidy=journal is None,
    )  # fmt: skip
    launch = replace(
        launch_of(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env),
        checkpointer=checkpointer,
        mode="auto" if sync is None else "sync" if sync else "async",
        redact=patterns(redact_pattern or ()) if redact or redact_pattern else None,
        content=not no_content,
    )
    if reload and view.mode is not None:
        raise InputError("--reload works on the screen", "leave out --json, --plain and the pipe")
    go(recorded(launch, journal, keep=view.keep), request, view, reload=reload)


def demo(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which of them; `--list` tells.")] = "research",
    *,
    list_: Annotated[bool, typer.Option("--list", help="List the bundled graphs.")] = False,
    json: JsonFlag = False,
    plain: PlainFlag = False,
    filter_: FilterOption = "",
    python: PythonOption = None,
) -> None:
    """Watch a bundled graph that needs no key and no network."""
    from lgwatch import samples
    from lgwatch.sources import RunRequest

    if list_:
        for sample in samples.samples():
            print(f"{sample.name:<16} {sample.title}")
        return
    sample = samples.find(name)
    launch = launch_of(f"{sample.path}:graph", python=python, app_dir=sample.path.parent.parent, no_env=True, own=True)
    launch = replace(launch, label=f"demo {sample.name}")
    request = RunRequest(input=sample.example, has_input=sample.example is not None)
    go(recorded(launch, None), request, View(print_mode(json=json, plain=plain), filter_, tidy=True))

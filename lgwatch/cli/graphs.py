"""The commands that look at a graph: `graph`, and `doctor`, which runs it only for its self-check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lgwatch.cli.options import (
    AppDirOption,
    ConfigOption,
    ContextOption,
    EnvFileOption,
    InputOption,
    NoEnvFlag,
    PythonOption,
    TargetArgument,
    TimeoutOption,
)
from lgwatch.cli.starting import launch_of
from lgwatch.errors import InputError

if TYPE_CHECKING:
    from lgwatch.live import Launch

AnswersOption = Annotated[
    Optional[list[str]],  # noqa: UP045  what typer understands on 3.10
    typer.Option("--resume", metavar="JSON|@FILE", help="Answers, in order, each to all that waits. Repeatable."),
]
SelfCheckFlag = Annotated[
    bool, typer.Option("--self-check", help="Run it twice, as it is and watched, and compare both, fact by fact.")
]


def graph(
    target: TargetArgument = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Nodes, edges and schemas as one JSON object.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flowchart.")] = False,
    python: PythonOption = None,
    app_dir: AppDirOption = None,
    env_file: EnvFileOption = None,
    no_env: NoEnvFlag = False,
) -> None:
    """Show the nodes, edges and schemas of a graph."""
    from lgwatch import outline
    from lgwatch.doctor import load_graph

    launch = launch_of(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env)
    loaded = load_graph(launch).graph
    print(outline.as_json(loaded) if json else outline.as_mermaid(loaded) if mermaid else outline.as_text(loaded))


def doctor(
    target: TargetArgument = None,
    *,
    self_check: SelfCheckFlag = False,
    input_: InputOption = None,
    config: ConfigOption = None,
    context: ContextOption = None,
    resume: AnswersOption = None,
    timeout: TimeoutOption = None,
    python: PythonOption = None,
    app_dir: AppDirOption = None,
    env_file: EnvFileOption = None,
    no_env: NoEnvFlag = False,
) -> None:
    """Say why a graph does not load, stream or resume.

    Every check that fails comes with its fix.

    With --self-check it runs the graph twice, each time on a new thread: as it is, and watched. It compares what happens
    with what lgwatch tells. Where both differ the graph runs again, up to two times, to see what differs by itself.
    """
    from lgwatch import doctor as checks

    def launch() -> Launch:
        return launch_of(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env)

    if self_check:
        from lgwatch.arguments import json_argument
        from lgwatch.doctor.self_check import Trial
        from lgwatch.doctor.self_check import self_check as lines
        from lgwatch.sources import RunRequest

        request = RunRequest(
            input=json_argument(input_, "--input", stdin=True),
            has_input=input_ is not None,
            config=json_argument(config, "--config", kind=dict) or {},
            context=json_argument(context, "--context"),
        )
        answers = [json_argument(one, "--resume") for one in resume or ()]
        for line in lines(Trial(launch(), request, answers, timeout)):
            print(line, flush=True)
        return
    if any(option is not None for option in (input_, config, context, timeout)) or resume:
        raise InputError(
            "an input, a config, a context, answers and a timeout are for --self-check", "the other checks run no graph"
        )

    good = True
    for check in checks.examine(python, launch, asked=target is not None):
        print(check, flush=True)
        good = good and check.good is not False
    raise typer.Exit(0 if good else 2)

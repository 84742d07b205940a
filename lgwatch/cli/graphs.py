"""The commands that look at a graph without running it: `graph`, `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lgwatch.cli.options import AppDirOption, EnvFileOption, NoEnvFlag, PythonOption, TargetArgument
from lgwatch.cli.starting import launch_of

if TYPE_CHECKING:
    from lgwatch.live import Launch


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
    python: PythonOption = None,
    app_dir: AppDirOption = None,
    env_file: EnvFileOption = None,
    no_env: NoEnvFlag = False,
) -> None:
    """Say why a graph does not load, stream or resume: every check with its fix."""
    from lgwatch import doctor as checks

    def launch() -> Launch:
        return launch_of(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env)

    good = True
    for check in checks.examine(python, launch, asked=target is not None):
        print(check, flush=True)
        good = good and check.good is not False
    raise typer.Exit(0 if good else 2)

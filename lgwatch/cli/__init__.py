"""The command line: picks a source and a front end. Whatever is heavy is imported inside of the command that needs it.

The commands stand in modules of their own, by what they are about: `running`, `recordings`, `graphs`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from lgwatch import __version__
from lgwatch.cli import graphs, recordings, running
from lgwatch.cli.coercion import Command, Group
from lgwatch.cli.options import spelt_out
from lgwatch.cli.saying import say
from lgwatch.errors import LgwatchError

EXAMPLES = """\b
Examples:
  lgwatch demo                         a graph that needs no key
  lgwatch run agent.py:graph "hello"   your own graph, and what the user says
  lgwatch open NAME                    a run that `lgwatch runs` lists
"""

app = typer.Typer(
    cls=Group,
    name="lgwatch",
    help="Watch and debug LangGraph runs live, in the terminal.",
    epilog=EXAMPLES,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"lgwatch {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command(cls=Command, epilog=running.EXAMPLES)(running.run)
app.command("open", cls=Command)(recordings.open_)
app.command(cls=Command)(recordings.runs)
app.command(cls=Command)(graphs.graph)
app.command(cls=Command)(running.demo)
app.command(cls=Command)(graphs.doctor)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    code: int | None
    try:
        given = sys.argv[1:] if arguments is None else arguments
        code = app(args=list(spelt_out(given)), prog_name="lgwatch", standalone_mode=False)
        sys.stdout.flush()
    except LgwatchError as error:
        if error.detail:
            say(error.detail)
        say(f"error: {error.message}")
        if error.hint:
            say(f"try: {error.hint}")
        code = error.exit_code
    except BrokenPipeError:
        code = 0
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        # A usage error is click's, which typer brings along under a name that differs from version to version.
        if not hasattr(error, "format_message"):
            raise
        say(f"error: {' '.join(error.format_message().split()).rstrip('.')}")
        context = getattr(error, "ctx", None)
        say(f"try: {context.command_path if context is not None else 'lgwatch'} --help")
        code = 2
    _leave_quietly()
    sys.exit(code or 0)


def _leave_quietly() -> None:
    """A reader of stdout that went away is no reason for a traceback at the very end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

"""The command line: picks a source and a front end. Whatever is heavy is imported inside of the command that needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Optional

import typer

from lgwatch import __version__
from lgwatch.errors import InputError, JournalError, LgwatchError, TargetError

if TYPE_CHECKING:
    from lgwatch.events import Json
    from lgwatch.headless import Mode
    from lgwatch.live import Launch
    from lgwatch.session import Session
    from lgwatch.sources import RunRequest, Source

app = typer.Typer(
    name="lgwatch",
    help="Watch and debug LangGraph runs live, in the terminal.",
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


# ── what the commands take ───────────────────────────────────────────────────────────────────────────────────────────

# Options that several commands share; typer reads them from the annotation. `Optional` is what it understands on 3.10.
TargetArgument = Annotated[
    Optional[str],  # noqa: UP045  see above
    typer.Argument(metavar="[TARGET]", help="module:attr, file.py:attr, or a name in langgraph.json."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="No screen: the journal's lines on stdout.")]
PlainFlag = Annotated[bool, typer.Option("--plain", help="No screen: short text on stdout.")]
FilterOption = Annotated[
    str, typer.Option("--filter", "-f", metavar="EXPR", help="What to show: node:writer !tag:draft")
]
PythonOption = Annotated[
    Optional[str],  # noqa: UP045  see above
    typer.Option("--python", metavar="EXE", help="Interpreter that runs the graph."),
]
AppDirOption = Annotated[
    Optional[Path],  # noqa: UP045  see above
    typer.Option("--app-dir", metavar="DIR", help="Folder to import from; the current one by default."),
]
EnvFileOption = Annotated[
    Optional[Path],  # noqa: UP045  see above
    typer.Option("--env-file", metavar="FILE", help="Environment file; the nearest .env by default."),
]
NoEnvFlag = Annotated[bool, typer.Option("--no-env", help="Read no .env file.")]


@dataclass
class View:
    """How a run is looked at: `mode` None means on the screen.

    `changed` asks for a fresh start (`AGAIN`); `request` and `filter_text` are then what the screen was left with.
    """

    mode: Mode | None
    filter_text: str = ""
    resumes: Sequence[Json] = field(default_factory=list)
    keep: bool = True
    changed: Callable[[], bool] | None = None
    request: RunRequest | None = None


AGAIN = -1
"""Instead of an exit code: the source was changed, and the run begins anew."""


@app.command()
def run(
    target: TargetArgument = None,
    message: Annotated[
        Optional[str],  # noqa: UP045  see above
        typer.Argument(metavar="[MESSAGE]", help="A short form of the input for graphs with messages."),
    ] = None,
    *,
    input_: Annotated[
        Optional[str],  # noqa: UP045  see above
        typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="The input."),
    ] = None,
    config: Annotated[
        Optional[str],  # noqa: UP045  see above
        typer.Option("--config", "-c", metavar="JSON|@FILE", help="The run's config."),
    ] = None,
    context: Annotated[
        Optional[str],  # noqa: UP045  see above
        typer.Option("--context", metavar="JSON|@FILE", help="The run's context."),
    ] = None,
    thread_id: Annotated[
        Optional[str],  # noqa: UP045  see above
        typer.Option("--thread-id", "-t", metavar="ID", help="Thread to run on; a new one by default."),
    ] = None,
    recursion_limit: Annotated[
        Optional[int],  # noqa: UP045  see above
        typer.Option("--recursion-limit", metavar="N", min=1, help="Supersteps before the run is given up."),
    ] = None,
    timeout: Annotated[
        Optional[float],  # noqa: UP045  see above
        typer.Option("--timeout", metavar="S", help="Seconds after which a run is stopped."),
    ] = None,
    interrupt_before: Annotated[
        str, typer.Option("--interrupt-before", metavar="N,…", help="Stop before these nodes; * for all.")
    ] = "",
    interrupt_after: Annotated[
        str, typer.Option("--interrupt-after", metavar="N,…", help="Stop after these nodes; * for all.")
    ] = "",
    resume: Annotated[
        Optional[list[str]],  # noqa: UP045  see above
        typer.Option("--resume", metavar="JSON|@FILE", help="Answers to interrupts, in order. Repeatable."),
    ] = None,
    checkpointer: Annotated[
        str, typer.Option("--checkpointer", metavar="keep|memory|none", help="The graph's own, else memory.")
    ] = "keep",
    sync: Annotated[
        Optional[bool],  # noqa: UP045  see above
        typer.Option("--sync/--async", help="How to run it; found out by default."),
    ] = None,
    json: JsonFlag = False,
    plain: PlainFlag = False,
    filter_: FilterOption = "",
    journal: Annotated[
        Optional[Path],  # noqa: UP045  see above
        typer.Option("--journal", metavar="PATH", help="Where to record; the folder of past runs by default."),
    ] = None,
    no_journal: Annotated[bool, typer.Option("--no-journal", help="Delete the journal at the end.")] = False,
    python: PythonOption = None,
    app_dir: AppDirOption = None,
    env_file: EnvFileOption = None,
    no_env: NoEnvFlag = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Begin anew when a Python file under the app dir changes.")
    ] = False,
) -> None:
    """Run a graph and watch it."""
    from lgwatch.arguments import json_argument, names
    from lgwatch.sources import RunRequest

    if message is not None and input_ is not None:
        raise InputError("both MESSAGE and --input were given", "give the input once")
    if checkpointer not in ("keep", "memory", "none"):
        raise InputError(f"--checkpointer cannot be {checkpointer!r}", "it is keep, memory or none")
    if timeout is not None and timeout <= 0:
        raise InputError("--timeout has to be more than 0 seconds", "leave it out to wait as long as it takes")
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
        _mode(json=json, plain=plain), filter_, [json_argument(one, "--resume") for one in resume or ()],
        keep=not no_journal,
    )  # fmt: skip
    launch = replace(
        _launch(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env),
        checkpointer=checkpointer,
        mode="auto" if sync is None else "sync" if sync else "async",
    )
    if reload and view.mode is not None:
        raise InputError("--reload works on the screen", "leave out --json, --plain and the pipe")
    _go(_recorded(launch, journal, keep=view.keep), request, view, reload=reload)


@app.command("open")
def open_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A journal, or a name that `lgwatch runs` lists.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on while it is still being written.")] = False,
    json: JsonFlag = False,
    plain: PlainFlag = False,
    expand: Annotated[bool, typer.Option("--expand", help="With --json: resolve references.")] = False,
    filter_: FilterOption = "",
) -> None:
    """Look at a journal, finished or still growing.

    The exit code is 0 when it could be opened; with --follow it is that of the run.
    """
    from lgwatch.sources import Recording
    from lgwatch.store import find

    if expand and not json:
        raise InputError("--expand is about JSON lines", "give --json --expand")
    mode = "expand" if expand else _mode(json=json, plain=plain)
    code = _watch(Recording(find(file), follow=follow), None, View(mode, filter_))
    raise typer.Exit(code if follow else 0)


@app.command()
def runs(
    json: Annotated[bool, typer.Option("--json", help="One JSON object per run.")] = False,
    delete: Annotated[
        Optional[list[str]],  # noqa: UP045  see above
        typer.Option("--delete", metavar="NAME", help="Delete a recorded run. Repeatable."),
    ] = None,
    more: Annotated[Optional[list[str]], typer.Argument(metavar="[NAME…]", hidden=True)] = None,  # noqa: UP045  see above
) -> None:
    """List the recorded runs, newest first."""
    from lgwatch import listing, store

    if more and not delete:
        raise InputError(f"`lgwatch runs` takes no {more[0]!r}", "open a run with `lgwatch open NAME`")
    if delete:
        for name in [*delete, *(more or [])]:
            print(f"deleted {store.delete(name)}", file=sys.stderr)
        return
    found = store.runs()
    if not found and not json:
        print(f"no runs are recorded in {store.folder()}", file=sys.stderr)
    for line in listing.as_json(found) if json else listing.as_table(found):
        print(line)


@app.command()
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

    launch = _launch(target, python=python, app_dir=app_dir, env_file=env_file, no_env=no_env)
    loaded = load_graph(launch).graph
    print(outline.as_json(loaded) if json else outline.as_mermaid(loaded) if mermaid else outline.as_text(loaded))


@app.command()
def demo(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Which of them; `--list` tells.")] = "research",
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
    launch = _launch(f"{sample.path}:graph", python=python, app_dir=sample.path.parent.parent, no_env=True)
    launch = replace(launch, label=f"demo {sample.name}")
    request = RunRequest(input=sample.example, has_input=sample.example is not None)
    _go(_recorded(launch, None), request, View(_mode(json=json, plain=plain), filter_))


@app.command()
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

    def launch(exe: str) -> Launch:
        return _launch(target, python=exe, app_dir=app_dir, env_file=env_file, no_env=no_env)

    good = True
    for check in checks.examine(python, launch, asked=target is not None):
        print(check, flush=True)
        good = good and check.good is not False
    raise typer.Exit(0 if good else 2)


# ── from options to a source, from a source to a front end ───────────────────────────────────────────────────────────


def _mode(*, json: bool, plain: bool) -> Mode | None:
    """Return how to print; None for the screen, which needs a terminal."""
    if json and plain:
        raise InputError("both --json and --plain were given", "choose one")
    if json:
        return "json"
    return "plain" if plain or not _has_screen() else None


def _has_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _has_keyboard()


def _has_keyboard() -> bool:
    """Whether keys can be read; where stdin is something else, the terminal itself takes its place."""
    if sys.stdin is not None and sys.stdin.isatty():
        return True
    return os.access("/dev/tty", os.R_OK | os.W_OK)


def _launch(
    text: str | None,
    *,
    python: str | None = None,
    app_dir: Path | None = None,
    env_file: Path | None = None,
    no_env: bool = False,
) -> Launch:
    from lgwatch.live import Launch
    from lgwatch.project import find_env_file, find_python, load_env, resolve_target

    here = Path.cwd()
    folder = app_dir.absolute() if app_dir is not None else here
    if not folder.is_dir():
        raise TargetError(f"there is no folder {app_dir}", "--app-dir names the folder to import from")
    target = resolve_target(text, folder)
    env_path = None if no_env else env_file or find_env_file(here)
    return Launch(
        target=target.target,
        label=target.label,
        journal=Path(),
        python=find_python(here, python),
        app_dir=folder,
        paths=tuple(target.paths),
        env={**(load_env(env_path) if env_path is not None else {}), **target.env},
    )


def _recorded(launch: Launch, journal: Path | None, *, keep: bool = True) -> tuple[Launch, bool]:
    """Return the launch with the place of its journal, and whether the journal stays."""
    from lgwatch import store

    if journal is not None and not keep:
        raise InputError("both --journal and --no-journal were given", "choose one")
    if journal is None:
        path = store.new_path(launch.label, warn=lambda text: print(f"note: {text}", file=sys.stderr))
        return replace(launch, journal=path), keep
    path = journal.expanduser().absolute()
    if path.exists():
        raise JournalError(f"{journal} exists already", "name another file, or remove it")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise JournalError(f"cannot write {journal}: no folder to write to", "name a file in a folder of yours")
    return replace(launch, journal=path), keep


def _go(recorded: tuple[Launch, bool], request: RunRequest, view: View, *, reload: bool = False) -> NoReturn:
    from lgwatch import store
    from lgwatch.changes import Changes
    from lgwatch.live import LiveRun

    launch, keep = recorded
    launch = replace(launch, config=request.config)
    view.changed = Changes(launch.app_dir) if reload else None
    first, number = launch.journal, 1
    while (code := _watch(LiveRun(launch, keep=keep), request, view)) == AGAIN:
        # Changed code needs a process of its own, and a process a journal.
        number += 1
        launch = replace(launch, journal=first.with_stem(f"{first.stem}-{number}"))
        request = view.request or request
    store.prune()
    raise typer.Exit(code)


def _watch(source: Source, request: RunRequest | None, view: View) -> int:
    """Show the source on the screen or in print until it is over; return the exit code."""
    from lgwatch.filter import parse
    from lgwatch.session import Session

    keep = parse(view.filter_text)
    session = Session()
    try:
        if view.mode is None:
            return _screen(source, session, request, view)
        from lgwatch.headless import watch

        if request is not None:
            source.start(request)
        return watch(
            source, session, mode=view.mode, keep=keep, out=sys.stdout.buffer, err=sys.stderr, resumes=view.resumes
        )
    finally:
        source.close()


def _screen(source: Source, session: Session, request: RunRequest | None, view: View) -> int:
    if sys.stderr.isatty():  # what is imported now takes a moment
        _say(f"lgwatch: loading {source.label}")

    from lgwatch.tui.app import WatchApp

    if not sys.stdin.isatty():  # it was a pipe with the input; from here on keys are read
        os.dup2(os.open("/dev/tty", os.O_RDONLY), 0)
    app = WatchApp(source, session=session, filter_text=view.filter_text, request=request, changed=view.changed)
    app.run()
    source.close()
    if app.reloading:
        view.request, view.filter_text = app.request, app.keep.source
        return AGAIN

    from lgwatch.headless import exit_code, tell_error
    from lgwatch.plain import summary

    for event in source.poll():  # how the run ended when the screen was left
        session.apply(event)
    with suppress(OSError):  # the terminal may be gone: its window was closed
        tell_error(sys.stderr, session)
        print(summary(session, source.path if view.keep else None), flush=True)
    return exit_code(session)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    code: int | None
    try:
        code = app(args=list(arguments) if arguments is not None else None, prog_name="lgwatch", standalone_mode=False)
        sys.stdout.flush()
    except LgwatchError as error:
        if error.detail:
            _say(error.detail)
        _say(f"error: {error.message}")
        if error.hint:
            _say(f"try: {error.hint}")
        code = error.exit_code
    except BrokenPipeError:
        code = 0
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        # A usage error is click's, which typer brings along under a name that differs from version to version.
        if not hasattr(error, "format_message"):
            raise
        _say(f"error: {' '.join(error.format_message().split()).rstrip('.')}")
        context = getattr(error, "ctx", None)
        _say(f"try: {context.command_path if context is not None else 'lgwatch'} --help")
        code = 2
    _leave_quietly()
    sys.exit(code or 0)


def _say(text: str) -> None:
    from lgwatch.text import clean

    print(clean(text, newlines=True), file=sys.stderr)


def _leave_quietly() -> None:
    """A reader of stdout that went away is no reason for a traceback at the very end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

"""The commands about what was recorded: `open`, `runs`."""

from __future__ import annotations

import sys
from typing import Annotated, Optional

import typer

from lgwatch.cli.options import FilterOption, JsonFlag, PlainFlag
from lgwatch.cli.watching import View, print_mode, watch
from lgwatch.errors import InputError


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
    mode = "expand" if expand else print_mode(json=json, plain=plain)
    code = watch(Recording(find(file), follow=follow), None, View(mode, filter_))
    raise typer.Exit(code if follow else 0)


def runs(
    json: Annotated[bool, typer.Option("--json", help="One JSON object per run.")] = False,
    delete: Annotated[
        Optional[list[str]],  # noqa: UP045  see above
        typer.Option("--delete", metavar="NAME", help="Delete a recorded run. Repeatable."),
    ] = None,
    more: Annotated[Optional[list[str]], typer.Argument(metavar="NAME…", hidden=True)] = None,  # noqa: UP045  see above
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

"""Values on the command line: JSON, `@file`, `-`. What cannot be read is said with its line and column."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lgwatch.errors import InputError
from lgwatch.events import Json
from lgwatch.patterns import EndlessError, Pattern


def json_argument(text: str | None, option: str, *, kind: type | None = None, stdin: bool = False) -> Json:
    """Return the value that an option gives as JSON, in `@file`, or with `stdin` in `-`; None when it was not given.

    Raises InputError, also when `kind` is given and the value is something else.
    """
    if text is None:
        return None
    where = option
    if text.startswith("@"):
        where = text[1:]
        text = _file(Path(where).expanduser(), option)
    elif stdin and text == "-":
        where = "stdin"
        text = sys.stdin.read()
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{where} is no JSON: {error.msg} at {place}", _hint(text, option, error)) from None
    except RecursionError:
        raise InputError(f"{where} is no JSON that can be read: it is nested too deeply", "give less of it") from None
    if kind is not None and not isinstance(value, kind):
        raise InputError(f"{option} has to be a JSON object", f"write it as {option} '{{\"key\": …}}'")
    return value


def _file(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", f"{option} @FILE takes the path of a file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8", f"{option} @FILE takes a text file with JSON") from None


def _hint(text: str, option: str, error: json.JSONDecodeError) -> str:
    lines = text.splitlines() or [""]
    line = lines[min(error.lineno, len(lines)) - 1]
    if not text.strip():
        return f'write it as {option} \'{{"key": "value"}}\''
    if "'" in text or text.strip()[0] not in '{["-0123456789tfn':
        return f'a text needs double quotes, as in {option} \'"text"\' or {option} \'{{"key": "text"}}\''
    start = max(0, error.colno - 30)
    return f"look at {line[start : error.colno + 10]!r}"


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def patterns(texts: Sequence[str]) -> tuple[str, ...]:
    """Return regular expressions as they are. Raises InputError for what is none, matches everything or has no end."""
    for text in texts:
        try:
            Pattern(text)
            if re.compile(text).fullmatch(""):
                raise InputError(
                    f"--redact={text} matches nothing at all, and so everywhere", "leave it empty to mask known shapes"
                )
        except (re.error, OverflowError, RuntimeError) as error:
            position = getattr(error, "pos", None)
            where = "" if position is None else f" at character {position + 1}"
            raise InputError(
                f"--redact={text} is no regular expression: {getattr(error, 'msg', error)}{where}",
                "a character that means itself takes a backslash, as in --redact='\\(secret\\)'",
            ) from None
        except EndlessError as error:
            raise InputError(f"--redact={text} could take for ever: {error}", "write it without") from None
    return tuple(texts)

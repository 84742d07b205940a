"""What to tell of an exception: the user's frames, and no more text than a screen can use. Nothing here raises, whatever the exception does."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from lgwatch.errors import LgwatchError
from lgwatch.events import Event, Json, Notice

MAX_TEXT = 64 * 1024
MAX_MESSAGE = 16 * 1024
MAX_CAUSE = 300
MAX_CHAIN = 8
MAX_GROUP = 5
MAX_FRAMES = 200

_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"

_OWN = str(Path(__file__).resolve().parent / "x")[:-1]
_STDLIB = str(Path(sysconfig.get_path("stdlib")))
_STDLIB_PARTS = {"asyncio", "concurrent", "importlib", "runpy.py", "contextlib.py", "threading.py", "contextvars.py"}
_PACKAGES = {"langgraph", "langgraph_sdk", "langsmith", "pydantic", "pydantic_core"}


def error_dict(error: BaseException) -> dict[str, Json]:
    """Return `{type, message, traceback}`, `cause` where the message tells too little, `hint` where there is one."""
    if isinstance(error, LgwatchError):
        told = {"type": type(error).__name__, "message": error.message, "traceback": error.detail, "hint": error.hint}
        return {key: _clean(value, MAX_TEXT) for key, value in told.items()}
    told = {"type": type_name(error), "message": message_of(error), "traceback": traceback_text(error)}
    if cause := cause_of(error):
        told["cause"] = cause
    if told["type"] == "GraphRecursionError":
        if not any(not is_framework(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__)):
            told["traceback"] = ""  # LangGraph's own frames say nothing of it
        told["hint"] = "let it go further with --recursion-limit N, or see why the graph does not come to its end"
    return told


def type_name(error: BaseException) -> str:
    """Return the name of the exception's class."""
    return _clean(str(type.__dict__["__name__"].__get__(type(error))), 200)


def message_of(error: BaseException) -> str:
    """Return `str(error)`, or what can be said in its place."""
    try:
        return _clean(str(error), MAX_MESSAGE)
    except BaseException as failure:  # foreign code, which may even exit
        return f"<its message cannot be shown: str() raised {type_name(failure)}>"


def cause_of(error: BaseException) -> str:
    """Return on one line what an exception was raised from, the deepest cause that has words of its own; often empty.

    The clients of model providers say "Connection error." and leave all else to the cause.
    """
    said, found, silent = message_of(error), "", ""
    for cause, _ in list(_chain(error, explicit=True))[1:]:
        text = " ".join(message_of(cause).split())
        if text and text not in said:
            found = f"{type_name(cause)}: {text}"
        silent = silent or ("" if text else type_name(cause))
    return _clean(found or silent, MAX_CAUSE)


def traceback_text(error: BaseException, *, user_only: bool = True) -> str:
    """Return the traceback as Python prints it, with causes and notes; `user_only` cuts the frames of frameworks.

    An exception that passed only through frameworks keeps the last few frames.
    """
    try:
        text = "\n".join(_sections(error, user_only=user_only, depth=0))
    except BaseException as failure:  # whatever is left that foreign classes can do
        text = f"{type_name(error)}: <its traceback cannot be shown: {type_name(failure)}>"
    return _clean(text, MAX_TEXT)


def is_framework(filename: str) -> bool:
    """Say whether a frame's file belongs to LangGraph, to what drives it, or to lgwatch."""
    if filename.startswith(("<frozen ", _OWN)):
        return True
    parts = Path(filename).parts
    for index, part in enumerate(parts[:-1]):
        if part in {"site-packages", "dist-packages"}:
            top = parts[index + 1]
            return top in _PACKAGES or top.startswith("langchain")
    return filename.startswith(_STDLIB) and not _STDLIB_PARTS.isdisjoint(Path(filename).relative_to(_STDLIB).parts[:1])


def _is_library(filename: str) -> bool:
    """Say whether a frame's file is installed code, whosever."""
    return filename.startswith(_STDLIB) or not {"site-packages", "dist-packages"}.isdisjoint(Path(filename).parts)


def _sections(error: BaseException, *, user_only: bool, depth: int) -> Iterator[str]:
    """Yield the exceptions of the chain, the oldest first, with what links them."""
    chain = list(_chain(error))
    for one, link in reversed(chain):
        yield _one(one, user_only=user_only, cause=one is not error)
        members = getattr(one, "exceptions", None)
        if isinstance(members, tuple) and depth < 2:
            for number, member in enumerate(members[:MAX_GROUP], 1):
                yield f"\n  Sub-exception {number} of {len(members)}:"
                inner = "\n".join(_sections(member, user_only=user_only, depth=depth + 1))
                yield "\n".join("    " + line for line in inner.splitlines())
            if len(members) > MAX_GROUP:
                yield f"\n  … and {len(members) - MAX_GROUP} more sub-exceptions"
        if link:
            yield f"\n{link}\n"


def _chain(error: BaseException, *, explicit: bool = False) -> Iterator[tuple[BaseException, str]]:
    """Yield the exception and what it came from, each with the sentence that leads on to the one before it.

    `explicit` goes by `raise … from` alone.
    """
    seen: set[int] = set()
    link = ""
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(current))
        yield current, link
        if current.__cause__ is not None:
            current, link = current.__cause__, _CAUSE
        elif current.__context__ is not None and not current.__suppress_context__ and not explicit:
            current, link = current.__context__, _CONTEXT
        else:
            current = None


def _one(error: BaseException, *, user_only: bool, cause: bool) -> str:
    lines: list[str] = []
    frames = _frames(error.__traceback__, user_only=user_only)
    if cause and user_only and all(_is_library(frame.f_code.co_filename) for frame, _ in frames):
        frames = []  # a client's error comes through four libraries, of whose frames none helps: what they say does
    if frames:
        lines.append("Traceback (most recent call last):\n")
        if len(frames) > MAX_FRAMES:
            half = MAX_FRAMES // 2
            lines += _formatted(frames[:half])
            lines.append(f"  … {len(frames) - MAX_FRAMES} frames …\n")
            lines += _formatted(frames[-half:])
        else:
            lines += _formatted(frames)
    lines += _last_lines(error)
    return "".join(lines).rstrip("\n")


def _frames(tb: TracebackType | None, *, user_only: bool) -> list[tuple[FrameType, int]]:
    frames = [(frame, line) for frame, line in traceback.walk_tb(tb) if line is not None]
    if not user_only:
        return frames
    frames = [(frame, line) for frame, line in frames if not frame.f_code.co_filename.startswith(_OWN)]
    own = [(frame, line) for frame, line in frames if not is_framework(frame.f_code.co_filename)]
    # Of a file that is not Python nothing ran but the import, and that has no source to show.
    return own or [(frame, line) for frame, line in frames[-3:] if not frame.f_code.co_filename.startswith("<frozen ")]


def _formatted(frames: list[tuple[FrameType, int]]) -> list[str]:
    # The source is read from the files as they are now; a file that changed or is gone costs only its line.
    return traceback.StackSummary.extract(iter(frames)).format()


def _last_lines(error: BaseException) -> list[str]:
    """Return the lines that name the exception: for a syntax error the place too, for a name a suggestion."""
    try:
        lines = traceback.format_exception_only(type(error), error)
    except BaseException:  # foreign code: `__str__`, `__dir__`, `__getattr__`
        return [f"{type_name(error)}: {message_of(error)}\n"]
    if sys.version_info < (3, 11):
        notes: Any = getattr(error, "__notes__", None)
        told = "".join(lines)  # a backport may have told them already
        lines += [f"{n}\n" for n in (notes if isinstance(notes, list) else []) if isinstance(n, str) and n not in told]
    return lines


def _clean(text: str, most: int) -> str:
    """Return text that every JSON writer takes, cut in its middle when it is longer than `most` characters."""
    if len(text) > most:
        head, tail = most // 4, most // 2
        text = f"{text[:head]}\n… {len(text) - head - tail} characters …\n{text[-tail:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def failure(error: object) -> dict[str, Json]:
    """Return `{type, message, traceback}` of what a task failed with: an exception, or its `repr` in older versions."""
    if isinstance(error, BaseException):
        return error_dict(error)
    return {"type": "", "message": str(error), "traceback": ""}


class Failures:
    """Notes the first failure of lgwatch itself in a run, which goes on; the others are like it."""

    def __init__(self, append: Callable[[Event], None], what: str) -> None:
        """`what` could not be recorded: `a span`."""
        self._append = append
        self._what = what
        self._noted = False

    def note(self, error: BaseException) -> None:
        """Say it, if nothing was said before."""
        if not self._noted:
            self._noted = True
            text = f"{self._what} could not be recorded: {type_name(error)}: {message_of(error)}"
            self._append(Notice(code="internal", text=text))

"""What a value says of itself: its own code, run in a thread of its own against a clock, so that no caller is held up."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, Final

from lgwatch.values.limits import REPR, REPR_SECONDS
from lgwatch.values.raw import name_of, raw

if TYPE_CHECKING:
    from collections.abc import Callable

_TOGETHER: Final = 16  # threads that may be stuck at one time
_IDLE: Final[list[_Asker]] = []
_GIVEN_UP: Final[list[_Asker]] = []
_SLOW: Final[dict[int, type]] = {}  # the types whose `repr` took too long, by id


def ask(function: Callable[[Any], str], value: object, seconds: float) -> tuple[str, int]:
    """Return the first `REPR` characters of what a function says of a value, and the full size."""
    cls = type(value)
    if function is repr and raw(cls, "__repr__") is object.__repr__:
        return _measured(object.__repr__(value))
    if id(cls) in _SLOW:
        return _measured(f"<{name_of(cls)}, its repr took too long>")
    if sum(asker.thread.is_alive() for asker in _GIVEN_UP) >= _TOGETHER:
        return _measured(f"<{name_of(cls)}, too many others are still at their repr>")
    asker = _idle_asker()
    answer = asker.ask(function, value, seconds)
    if answer is not None:
        _IDLE.append(asker)
        return answer
    _GIVEN_UP[:] = [other for other in _GIVEN_UP if other.thread.is_alive()] + [asker]
    if seconds >= REPR_SECONDS:
        _SLOW[id(cls)] = cls
    return _measured(f"<{name_of(cls)}, its repr took too long>")


def _measured(text: str) -> tuple[str, int]:
    # With the string's own methods: what a `__repr__` returned may be of a subclass.
    return str.__getitem__(text, slice(0, REPR)), str.__len__(text)


def _idle_asker() -> _Asker:
    with contextlib.suppress(IndexError):  # there is none
        while True:
            asker = _IDLE.pop()
            if asker.thread.is_alive():
                return asker
    return _Asker()


class _Asker:
    """A thread that calls what may never return."""

    def __init__(self) -> None:
        self.questions: queue.SimpleQueue[tuple[Callable[[Any], str], object]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self.is_given_up = False
        self.thread = threading.Thread(target=self._answer_all, name="lgwatch-repr", daemon=True)
        self.thread.start()

    def ask(self, function: Callable[[Any], str], value: object, seconds: float) -> tuple[str, int] | None:
        """Return the answer and its full size, or None when it did not come in time."""
        self.questions.put((function, value))
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            self.is_given_up = True
            _interrupt(self.thread)
            return None

    def _answer_all(self) -> None:
        while not self.is_given_up:
            self.answers.put(_answer(*self.questions.get()))


def _answer(function: Callable[[Any], str], value: object) -> tuple[str, int]:
    try:
        return _measured(function(value))
    except BaseException as error:
        return _measured(f"<{name_of(type(value))}, its repr raised {name_of(type(error))}>")


def _interrupt(thread: threading.Thread) -> None:
    """End a thread that computes for ever; one that waits for ever stays, which costs nothing."""
    import ctypes

    with contextlib.suppress(Exception):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))

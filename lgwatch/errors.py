"""What lgwatch itself can fail at: every error is one sentence on what happened and one on what to try."""

from __future__ import annotations

from typing import ClassVar


class LgwatchError(Exception):
    """Something that the person at the terminal can act on.

    `message` says what happened, `hint` what to try; `detail` is text to show below both, such as the user's own
    traceback, and may be empty.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "", *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.hint, self.detail) if part)


class TargetError(LgwatchError):
    """The graph cannot be found, imported or built."""


class InputError(LgwatchError):
    """The input, the configuration or an answer is not what the graph takes."""


class FilterError(LgwatchError):
    """A filter expression cannot be read; `position` is the offset of the first bad character."""

    def __init__(self, message: str, hint: str = "", *, position: int = 0) -> None:
        super().__init__(message, hint)
        self.position = position


class JournalError(LgwatchError):
    """A journal cannot be opened, read or written."""

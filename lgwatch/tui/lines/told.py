"""Told: what a pane or a view has to say to the person; whoever shows short texts shows it."""

from __future__ import annotations

from textual.message import Message


class Told(Message):
    """The person should read a short text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

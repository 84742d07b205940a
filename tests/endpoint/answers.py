"""What a client asks and what a script answers, whichever of the two APIs carries it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Request:
    """What came in: `messages` have the form of chat completions for both APIs."""

    path: str
    body: dict[str, Any]
    number: int = 0
    """The requests are counted from 1; the ids of messages come from it."""
    key: str = ""
    retry: int = 0
    """Which retry of the client's own this is, by its header; 0 for the first try."""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def call(self, index: int) -> str:
        """The id of an answer's tool call: the same conversation has the same ids, whenever it takes place."""
        said = json.dumps(self.messages, sort_keys=True).encode()
        return f"call_{hashlib.sha1(said, usedforsecurity=False).hexdigest()[:12]}_{index}"

    @property
    def last(self) -> str:
        """The text of the last message."""
        return text_of(self.messages[-1]) if self.messages else ""

    @property
    def role(self) -> str:
        """Who said the last message."""
        return str(self.messages[-1]["role"]) if self.messages else ""

    @property
    def system(self) -> str:
        """The texts of the system messages."""
        return "\n".join(text_of(message) for message in self.messages if message["role"] in ("system", "developer"))

    @property
    def tools(self) -> list[str]:
        """The names of the tools that were offered."""
        return [tool.get("function", tool).get("name", "") for tool in self.body.get("tools") or ()]

    @property
    def results(self) -> list[str]:
        """What the tools said, since the last message of a person."""
        said: list[str] = []
        for message in reversed(self.messages):
            if message["role"] == "user":
                break
            if message["role"] == "tool":
                said.insert(0, text_of(message))
        return said


@dataclass(frozen=True)
class Answer:
    """What the model says: reasoning, text, tool calls, in pieces. `fault` happens `after` so many of them.

    `hangs up` closes the connection in the middle, `errs` sends an error in the stream, `stalls` says nothing more
    until the client goes away or the endpoint closes.
    """

    text: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    finish: str = ""
    fault: Literal["", "hangs up", "errs", "stalls"] = ""
    after: int = 0
    read: int = 11
    """Input tokens that the usage reports."""

    def pieces(self) -> Iterator[Piece]:
        """Yield what is sent one after the other."""
        for word in words(self.reasoning):
            yield Piece("reasoning", word)
        for word in words(self.text):
            yield Piece("text", word)
        for index, (name, args) in enumerate(self.calls):
            yield Piece("call", name, index)
            for word in words(json.dumps(args, ensure_ascii=False)):
                yield Piece("arguments", word, index)

    @property
    def reason(self) -> str:
        """Why it ends, in the words of chat completions."""
        return self.finish or ("tool_calls" if self.calls else "stop")

    @property
    def written(self) -> int:
        """Output tokens that the usage reports."""
        return sum(piece.kind != "call" for piece in self.pieces())


class Piece(NamedTuple):
    """The next thing that is said; `index` counts the tool calls."""

    kind: Literal["reasoning", "text", "call", "arguments"]
    text: str
    index: int = 0


@dataclass(frozen=True)
class Refusal:
    """No answer, but an HTTP error; `retry_after` is in seconds."""

    status: int
    message: str = "The server had an error while processing your request."
    code: str = ""
    retry_after: float | None = None


Script = Callable[[Request], "str | Answer | Refusal"]


def words(text: str) -> list[str]:
    """Cut a text as tokens do: each word with the space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def text_of(message: Mapping[str, Any]) -> str:
    """Return what a message says, which may be in blocks."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)

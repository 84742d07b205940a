"""What must not reach the disk: secrets by their shape, or all content. Every line passes here, or none of this is there.

Two veils: `Redaction` masks what looks like a secret in everything that users' text can be in; `Structure` leaves out
the content of every event and keeps what happened, where and when. A journal that is written without a veil has none of
this on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lgwatch.events import (
    CheckpointSaved,
    CustomWritten,
    Event,
    GraphLoaded,
    Interrupted,
    Json,
    MessageChunk,
    Notice,
    Output,
    RunEnded,
    RunStarted,
    SpanEnded,
    SpanStarted,
    TaskEnded,
    TaskStarted,
    Updated,
    ValueStored,
)  # fmt: skip
from lgwatch.journal.writer import JournalWriter

MASK = "[redacted]"

CONTENT: dict[type[Event], tuple[str, ...]] = {
    GraphLoaded: ("input_schema", "output_schema", "context_schema"),
    RunStarted: ("input", "resume", "config"),
    TaskStarted: ("input",),
    TaskEnded: ("writes", "error"),
    Updated: ("writes",),
    MessageChunk: ("text",),
    CustomWritten: ("data",),
    CheckpointSaved: ("values",),
    Interrupted: ("value", "schema"),
    SpanStarted: ("input",),
    SpanEnded: ("error", "output"),
    Output: ("text",),
    ValueStored: ("data",),
    Notice: ("text",),
    RunEnded: ("error", "output"),
}
"""The fields that hold what users, models and nodes say; the others are names, ids, numbers and times."""


class Veil(Protocol):
    """What stands between events and a journal. `header` is what the journal's first line says of it, `told` a sentence."""

    header: dict[str, Json]
    told: str

    def events(self, event: Event) -> Iterable[Event]:
        """Yield what is to be written when this event comes: it, veiled, with what was held back; or nothing yet."""

    def text(self, text: str) -> str:
        """Return a text that is not in an event."""


def veil_of(redact: Sequence[str] | None, *, content: bool = True) -> Veil | None:
    """Return the veil that was asked for: patterns to redact besides what is known (None for no redaction), or no content.

    Raises `re.error` for what is no regular expression.
    """
    if not content:
        return Structure()
    return Redaction(redact) if redact is not None else None


class VeiledWriter(JournalWriter):
    """A writer through a veil."""

    veil: Veil

    def append(self, event: Event) -> None:
        """Write what the veil leaves of the event."""
        with self._lock:  # what is held back keeps its place
            for one in self.veil.events(event):
                super().append(one)

    def repeat(self, event: MessageChunk) -> Callable[[str], None]:
        """Return a function that appends `event` with another `text` each time."""
        return lambda text: self.append(replace(event, text=text))


def new_writer(
    path: Path | str, veil: Veil | None, *, target: str, python: str = "", langgraph: str = "",
    extra: dict[str, Json] | None = None,
) -> JournalWriter:  # fmt: skip
    """Create a journal, whose header says what veil it is written through. Raises JournalError."""
    if veil is None:
        return JournalWriter(path, target=target, python=python, langgraph=langgraph, extra=extra)
    extra = {**(extra or {}), **veil.header}
    writer = VeiledWriter(path, target=veil.text(target), python=python, langgraph=langgraph, extra=extra)
    writer.veil = veil
    return writer


def attached_writer(path: Path | str, veil: Veil | None, *, shared: bool = False) -> JournalWriter:
    """Go on with a journal that exists, and that somebody else writes to if it is `shared`. Raises JournalError."""
    if veil is None:
        return JournalWriter.attach(path, shared=shared)
    writer = VeiledWriter.attach(path, shared=shared)
    assert isinstance(writer, VeiledWriter)
    writer.veil = veil
    return writer


# ── structure and timing only ────────────────────────────────────────────────────────────────────────────────────────

_SAFE_NOTICES = frozenset(
    {"checkpointer", "compiled", "python310", "interpreter", "old", "breakpoint", "interrupt", "veil"}
)
"""Notices of which lgwatch has written every word, but for names of nodes and places of files."""
_SHAPE = frozenset({
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "format", "items", "oneOf", "prefixItems", "properties",
    "required", "title", "type",
})  # fmt: skip
"""Keys of a JSON Schema that tell a shape and nothing else."""


class Structure:
    """Leaves out all content."""

    def __init__(self) -> None:
        self.header: dict[str, Json] = {"no_content": True}
        self.told = "only structure and timing are recorded: nothing that goes in, comes out or is said in between"

    def text(self, text: str) -> str:
        """Return the text: what is watched is structure."""
        return text

    def events(self, event: Event) -> Iterator[Event]:
        """Yield the event without its content; stored values are nothing but content."""
        if isinstance(event, Notice):
            yield event if event.code in _SAFE_NOTICES else replace(event, text="")
        elif not isinstance(event, ValueStored):
            names = CONTENT.get(type(event), ())
            yield replace(event, **{name: _shape(name, getattr(event, name)) for name in names})


def _shape(name: str, value: Json) -> Json:
    """Return what a field of content shows of the run's structure."""
    if name == "text":
        return ""
    if not isinstance(value, dict):
        return None
    if name.endswith("schema"):
        return _bare_schema(value)
    if name == "error":
        return {"type": str(value.get("type") or ""), "message": "", "traceback": ""}
    if name == "config":
        return {"recursion_limit": value["recursion_limit"]} if "recursion_limit" in value else None
    if name in ("writes", "resume") and not any(key.startswith("$") for key in value):
        return dict.fromkeys(value)  # the channels that were written, the interrupts that were answered
    return None


def _bare_schema(schema: Json, *, names: bool = False) -> Json:
    """Return a JSON Schema without what its author put into it; in an object of `names`, keys are the user's."""
    if isinstance(schema, list):
        return [_bare_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _bare_schema(one, names=not names and key in ("properties", "$defs"))
        for key, one in schema.items()
        if names or key in _SHAPE
    }


# ── secrets by their shape ───────────────────────────────────────────────────────────────────────────────────────────

_BREAKS = r"\s\"'\\,;&(){}\[\]<>\u2e80-\U0010ffff"
"""Characters that no secret has, for a class of a regular expression: at one of them none is in the middle. The last
are those of scripts that put no space between words."""
_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|"
    r"(?:auth|access|refresh|id|session|bearer|api)[_-]?token|client[_-]?secret|credentials?"
)
_SECRET_KEY = re.compile(rf"(?:{_NAMES}|authorization|cookie)s?$", re.IGNORECASE)
"""A key of an object whose value is a secret: `OPENAI_API_KEY`, `db_password`, `x-api-key`."""

SHAPES: tuple[str, ...] = (
    r"\b[srp]k[-_](?:ant-|proj-|live[-_]|test[-_]|or-|lf-)?[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic, Stripe …
    r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b",  # AWS
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",  # GitHub
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",  # GitLab
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"\bAIza[0-9A-Za-z_-]{30,}",  # Google
    r"\bya29\.[0-9A-Za-z_-]{20,}",
    r"\bhf_[A-Za-z0-9]{20,}",  # Hugging Face
    r"\b(?:gsk|pplx|tvly|fw|r8|xai|nvapi|jina|cohere)[-_][A-Za-z0-9_-]{20,}",  # model and search providers
    r"\blsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}",  # LangSmith
    r"\b(?:npm|pypi|dop_v1|shpat|SG)[-_.][A-Za-z0-9_.-]{20,}",
    r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]*",  # JSON web tokens
)
"""Secrets that are known by themselves: one word each. What can begin anywhere has an end, so that no text takes long."""
BLOCK = r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
"""A private key."""
_BEGUN = re.compile(r"-----BEGIN [A-Z -]*\Z")
"""What may become one."""
LED: tuple[str, ...] = (
    r"\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}",
    rf"((?:{_NAMES}|authorization)s?\\?[\"']?\s*[:=]\s*(?:(?:bearer|basic)\s+)?\\?[\"']?)(?!(?:bearer|basic)\s)[^{_BREAKS}]{{4,}}",
    r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,200}:)[^\s/@]{1,500}(?=@)",
)
"""Secrets that are known by what stands before them, which is their first group and stays."""

_LONG_WORD = re.compile(r"[A-Za-z0-9_.~+/=-]{15,}")
"""What is at least as long as the shortest of `SHAPES`: most texts have none, and need no closer look."""
_LEADS = ("bearer", "basic", "pass", "pwd", "secret", "key", "token", "credential", "authorization", "://")
"""One of these stands in whatever `LED` matches, in small letters."""
_BREAK = re.compile(f"[{_BREAKS}]")
REACH = 64
"""Characters that are held back while a message streams, where patterns were given: these may match anything."""
BEHIND = 160
"""Characters before a piece in which a match may begin."""
HELD = 8_192
"""Characters that are held back at most: a word that is longer is written as it comes."""


class Redaction:
    """Masks secrets. The text of a message that streams is held back to the end of its last word, so that none is split.

    Not seen: a match longer than `HELD`, and what a message says of a secret in words of its own. Ids, node names, tags
    and times are never changed.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """`patterns` are regular expressions, all of whose match is masked. Raises `re.error`."""
        self.header: dict[str, Json] = {"redacted": True}
        more = f", and what {len(patterns)} pattern{'s match' if len(patterns) > 1 else ' matches'}" if patterns else ""
        self.told = f"what has the shape of a key or a password is masked before it is recorded{more}"
        given = [re.compile(pattern) for pattern in patterns]
        self._reach = REACH if given else 0
        self._given = given
        self._shapes = re.compile("|".join(SHAPES))
        self._block = re.compile(BLOCK)
        self._led = [re.compile(led, re.IGNORECASE) for led in LED]
        self._streams: dict[tuple[str, str, Json], _Stream] = {}

    def text(self, text: str) -> str:
        """Return the text with every secret in it masked."""
        spans = self.spans(text)
        return _masked(text, spans) if spans else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets stand, in order and apart from each other."""
        found = [match.span() for one in self._given for match in one.finditer(text)]
        for word in _LONG_WORD.finditer(text):
            found += [match.span() for match in self._shapes.finditer(text, *word.span())]
        if "-----BEGIN" in text:
            found += [match.span() for match in self._block.finditer(text)]
        lower = text.lower()
        if any(lead in lower for lead in _LEADS):
            found += [(match.end(1), match.end()) for one in self._led for match in one.finditer(text)]
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for span in found if span[0] < span[1]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def value(self, value: Json, *, named: bool = True) -> Json:
        """Return a value with the secrets in its texts and keys masked; `named` masks what stands under a telling key."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            if (
                named
                and len(value) == 2
                and all(isinstance(one, str) for one in value)
                and _SECRET_KEY.search(value[0])
            ):
                return [self.text(value[0]), MASK]  # a header, or an entry of a mapping whose keys are not all texts
            return [self.value(one, named=named) for one in value]
        if not isinstance(value, dict):
            return value
        told: dict[str, Json] = {}
        for key, one in value.items():
            if key == "$ref":  # not content, but where it is
                told[key] = one
            elif named and one not in (None, "", True, False) and _SECRET_KEY.search(key):
                told[self.text(key)] = MASK
            else:
                told[self.text(key)] = self.value(one, named=named)
        return told

    def events(self, event: Event) -> Iterator[Event]:
        """Yield the event, masked; of a message that streams, as much as nothing can change any more."""
        if isinstance(event, MessageChunk) and not event.whole:
            yield from self._streamed(event)
            return
        if self._streams and isinstance(event, (TaskEnded, RunEnded)):
            # Not at the end of a call's span: that is told by callbacks, which are ahead of the stream.
            yield from self._flushed(lambda stream: _is_over(stream.event, event))
        names = CONTENT.get(type(event), ())
        changed = {name: self.value(getattr(event, name), named=not name.endswith("schema")) for name in names}
        yield replace(event, **changed) if changed else event

    def _streamed(self, event: MessageChunk) -> Iterator[Event]:
        key = (event.message, event.kind, (event.tool_call or {}).get("index"))
        if event.last:
            yield from self._flushed(lambda stream: stream.event.message == event.message and stream.key != key)
        stream = self._streams.setdefault(key, _Stream(key, event))
        stream.add(event.text)
        text = self._ready(stream, whole=event.last)
        if event.last:
            del self._streams[key]
        if text or event.last or event.usage or len(event.tool_call or ()) > 1:
            yield replace(event, text=text)

    def _flushed(self, over: Callable[[_Stream], bool]) -> Iterator[Event]:
        for key, stream in [(key, stream) for key, stream in self._streams.items() if over(stream)]:
            del self._streams[key]
            if text := self._ready(stream, whole=True):
                call = {"index": key[2]} if key[2] is not None else stream.event.tool_call
                yield replace(stream.event, text=text, usage=None, tool_call=call)

    def _ready(self, stream: _Stream, *, whole: bool) -> str:
        """Return the masked text that can be written now, and take it from what is held."""
        before, held = stream.before, stream.held
        cut = len(held)
        final = whole or cut >= HELD
        if not final:
            begun = _BEGUN.search(held) if "-----BEGIN" in held else None
            cut = min(stream.edge, max(0, cut - self._reach), begun.start() if begun else cut)
            if not cut:  # in the middle of a word
                return ""
        spans = [(start - len(before), end - len(before)) for start, end in self.spans(before + held)]
        if not final:
            for start, end in spans:
                if start < cut < end or (end == len(held) and start < cut):
                    cut = max(0, start)
        stream.take(cut)
        return _masked(
            held[:cut], [(max(0, start), min(end, cut)) for start, end in spans if end > 0 and max(0, start) < cut]
        )


@dataclass(slots=True)
class _Stream:
    """A message, or a tool call's arguments, that streams: what was written of it last, and what is held back."""

    key: tuple[str, str, Json]
    event: MessageChunk
    before: str = ""
    held: str = ""
    edge: int = 0
    """Offset in what is held behind the last character that no secret has."""

    def add(self, text: str) -> None:
        """Hold more."""
        if at := _last_break(text):
            self.edge = len(self.held) + at
        self.held += text

    def take(self, cut: int) -> None:
        """Let go of so many characters."""
        self.before = (self.before + self.held[:cut])[-BEHIND:]
        self.held = self.held[cut:]
        self.edge = max(0, self.edge - cut)


def _last_break(text: str) -> int:
    """Return the offset behind the last character that no secret has."""
    at = len(text)
    while at and not _BREAK.match(text, at - 1):
        at -= 1
    return at


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


def _is_over(chunk: MessageChunk, event: TaskEnded | RunEnded) -> bool:
    """Whether a message says nothing more once this has ended."""
    return isinstance(event, RunEnded) or chunk.task == event.task

"""Secrets by their shape, by what stands before them, or by a given pattern: masked before they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lgwatch.events import Event, Json, MessageChunk, RunEnded, TaskEnded
from lgwatch.journal.content import CONTENT
from lgwatch.patterns import Pattern

MASK = "[redacted]"

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
    # All pairs of a header, and what stands between them at the end: while a message streams, another may come.
    (
        rf"((?:cookie2?|cookies)\\?[\"']?\s*[:=]\s*\\?[\"']?)[^{_BREAKS}=]{{1,100}}=(?:\\?\")?[^{_BREAKS}]*"
        rf"(?:(?:\\?\")?;[ \t]*[^{_BREAKS}]*(?:(?<==)\\?\"[^{_BREAKS}]*)?)*(?:\\?\"?\Z)?"
    ),
    r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,200}:)[^\s/@]{1,500}(?=@)",
)
"""Secrets that are known by what stands before them, which is their first group and stays."""

_LONG_WORD = re.compile(r"[A-Za-z0-9_.~+/=-]{15,}")
"""What is at least as long as the shortest of `SHAPES`: most texts have none, and need no closer look."""
_LEADS = ("bearer", "basic", "pass", "pwd", "secret", "key", "token", "credential", "authorization", "cookie", "://")
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
        """`patterns` are regular expressions, all of whose match is masked. Raises `re.error` and EndlessError."""
        self.header: dict[str, Json] = {"redacted": True}
        more = f", and what {len(patterns)} pattern{'s match' if len(patterns) > 1 else ' matches'}" if patterns else ""
        self.told = f"what has the shape of a key or a password is masked before it is recorded{more}"
        given = [Pattern(pattern) for pattern in patterns]
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
        found = [span for one in self._given for span in one.spans(text)]
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

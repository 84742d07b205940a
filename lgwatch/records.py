"""What a session holds: runs, tasks, spans, messages, checkpoints, interrupts. Filled by `Session.apply` alone.

All times are seconds since the journal's start; `seq` is the number of the journal line that tells of the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import ClassVar

from lgwatch.events import Json, Namespace, path
from lgwatch.texts import Place

SILENCE = 2.0
"""Seconds without a token after which a stream counts as silent."""
BURST = 0.05
"""Seconds in which a whole answer has come that was held back on its way: they tell nothing of the model's speed."""
OPEN = ("waiting", "running")
"""States of a task that has not ended."""


def _share(record: object, *names: str) -> None:
    """Let records that say the same word share it: each line of the journal brings its own, and there may be a million."""
    for name in names:
        word = getattr(record, name)
        if type(word) is str:
            setattr(record, name, intern(word))


@dataclass(slots=True, eq=False)
class Span:
    """Work inside a task: one attempt of its node, an LLM call, a tool. Times are seconds since the journal's start."""

    id: str
    kind: str
    name: str
    started: float
    seq: int
    parent: str = ""
    model: str = ""
    ended: float | None = None
    status: str = "running"
    error: dict[str, Json] | None = None
    first_token: float | None = None
    end_seq: int | None = None
    usage: dict[str, Json] | None = None
    """Of an LLM call whose messages told none before it ended."""
    agent: str = ""
    """Of a tool call that runs one of several agents: which one it names."""
    finish: str = ""
    """Why the model stopped, in the provider's word: `stop`, `length` …; empty where it is not known."""
    goto: tuple[str, ...] = ()
    """Of a tool that answered with a command: the nodes that it handed over to."""

    def __post_init__(self) -> None:
        _share(self, "parent", "kind", "name", "model")


@dataclass(slots=True, eq=False)
class Task:
    """One execution of a node. `started` is when it was scheduled, `began` when its first attempt really ran.

    `status` is `waiting`, `running`, `done`, `cached`, `failed`, `interrupted` or `cancelled`. A task that LangGraph
    reports no result for is closed by its parent's end or by the run's; `closed_by` says which ("" otherwise).
    """

    id: str
    node: str
    ns: Namespace
    run: str
    step: int
    seq: int
    started: float
    triggers: tuple[str, ...] = ()
    parent: Task | None = None
    visits: int = 1
    before: int = 0
    """How often its node was begun in runs before: it waited for an answer there, or failed, and goes on in this one."""
    known: bool = False
    """Whether a run before had its result already: then it is looked up, and its node does not run again."""
    via: str = ""
    """The tool call of its parent in which its graph runs: the agent that the call names, or the tool; "" for none."""
    same_input: int = 1
    """How many visits of its node had the same input by then, in this run and itself included."""
    status: str = "waiting"
    closed_by: str = ""
    began: float | None = None
    ended: float | None = None
    end_seq: int | None = None
    error: dict[str, Json] | None = None
    wrote: tuple[str, ...] = ()
    interrupts: tuple[str, ...] = ()
    children: list[Task] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    messages: int = 0
    customs: int = 0
    tokens: int = 0
    """Output tokens of its messages, once it has ended."""

    def __post_init__(self) -> None:
        _share(self, "id", "node", "run")

    @property
    def path(self) -> str:
        """Node path from the root graph: `research/web`."""
        return path(self.ns, self.node)

    @property
    def attempts(self) -> int:
        """How often its node was begun: retries, and visits of the same task on a resume."""
        begun = sum(span.kind == "node" for span in self.spans)
        return max(1, self.visits - 1 + (begun or self.status != "cached"))

    @property
    def tries(self) -> int:
        """How often its node was begun in its own run: to go on after an answer is no retry."""
        return max(1, self.attempts - self.before)

    @property
    def task(self) -> str:
        """Its id, under the name that its events have for it."""
        return self.id

    @property
    def took(self) -> float | None:
        """Seconds that it ran, None before it has ended."""
        return None if self.ended is None else self.elapsed(self.ended)

    @property
    def depth(self) -> int:
        """How many tasks it is inside of."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in OPEN

    def elapsed(self, now: float) -> float:
        """Seconds that it ran, up to `now` while it runs; 0 while it waits."""
        if self.began is None:  # nothing told of its start, or there was none
            return 0.0 if self.ended is None or self.known else max(0.0, self.ended - self.started)
        return max(0.0, (now if self.ended is None else self.ended) - self.began)


@dataclass(slots=True, eq=False)
class Part:
    """A stretch of a message of one kind; `tool_call` is `{index, id?, name?}` for calls, `{id, status?}` for results."""

    kind: str
    pieces: list[str] = field(default_factory=list)
    tool_call: dict[str, Json] | None = None
    place: Place | None = None
    """Where its text lies, of a long one that was finished long ago; then `pieces` are what came after it all the same."""

    @property
    def text(self) -> str:
        """All of its text so far."""
        if self.place is not None:
            if not self.pieces:
                return self.place.read()
            self.pieces.insert(0, self.place.read())
            self.place = None
        if len(self.pieces) > 1:
            self.pieces[:] = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def begins(self) -> None:
        """It has no rows."""
        return None

    @property
    def written(self) -> bool:
        """Whether its text is in memory, in one piece."""
        return self.place is None and len(self.pieces) == 1

    def lay(self, place: Place) -> None:
        """Forget the text: it can be read at this place."""
        self.place = place
        self.pieces.clear()


@dataclass(slots=True, eq=False)
class Message:
    """One LLM call's message, or one that a node returned. `repeats` names the message whose text it says again."""

    type: ClassVar[str] = "message"
    """What its events are: a filter asks for it."""
    id: str
    role: str
    node: str
    ns: Namespace
    task: str
    run: str
    step: int
    seq: int
    started: float
    tags: tuple[str, ...] = ()
    model: str = ""
    name: str = ""
    parts: list[Part] = field(default_factory=list)
    span: Span | None = None
    first_token: float | None = None
    last_token: float | None = None
    chunks: int = 0
    usage: dict[str, Json] | None = None
    whole: bool = False
    finished: bool = False
    status: str = "running"
    repeats: str = ""
    last_seq: int = 0
    lane: int = 0
    """Which of the messages that its node had open at once it is: the lowest number that was free when it began."""

    def __post_init__(self) -> None:
        _share(self, "task", "node", "run", "role", "model", "name")

    @property
    def path(self) -> str:
        """Node path from the root graph: `research/web`."""
        return path(self.ns, self.node)

    @property
    def text(self) -> str:
        """What it says: its text parts, without reasoning and tool calls."""
        return "".join(part.text for part in self.parts if part.kind == "text")

    @property
    def tools(self) -> tuple[str, ...] | None:
        """Names of the tools that it calls or answers for; None when there are none."""
        names = [str(part.tool_call.get("name") or self.name) for part in self.parts if part.tool_call]
        return tuple(name for name in names if name) or None

    @property
    def tokens(self) -> tuple[int, bool]:
        """Output tokens, and whether the provider reported them; chunks are counted while it did not."""
        reported = (self.usage or {}).get("output_tokens")
        return (int(reported), True) if isinstance(reported, int) and reported else (self.chunks, False)

    @property
    def took(self) -> float | None:
        """Seconds from its start to its last token, None before it is finished."""
        return None if not self.finished or self.last_token is None else max(0.0, self.last_token - self.started)

    def silent(self, now: float) -> float:
        """Seconds since its last token, while it has not ended and they are more than a stream pauses; else 0."""
        if self.finished or self.last_token is None or now - self.last_token < SILENCE:
            return 0.0
        return now - self.last_token

    def rate(self, now: float = 0.0) -> float:
        """Tokens a second between its first and its last token; 0 when that cannot be told, or it is silent at `now`."""
        if self.silent(now):
            return 0.0
        if self.first_token is None or self.last_token is None or self.last_token - self.first_token < BURST:
            return 0.0
        return (self.tokens[0] - 1) / (self.last_token - self.first_token)

    def first_token_after(self) -> float | None:
        """Seconds from the call's start to its first token; None when the start is not known."""
        if self.first_token is None or self.span is None:
            return None
        return max(0.0, self.first_token - self.span.started)


@dataclass(slots=True, eq=False)
class Checkpoint:
    """The state was saved after `step`; its values stand in the journal at `seq`."""

    id: str
    parent: str | None
    step: int
    source: str
    next: tuple[str, ...]
    ns: Namespace
    run: str
    at: float
    seq: int

    def __post_init__(self) -> None:
        _share(self, "id", "parent", "source", "run")


@dataclass(slots=True, eq=False)
class Interrupt:
    """A node asks; `answered` tells that a later run brought `answer`, or began anew and made the question moot.

    A breakpoint's id starts with `breakpoint:`.
    """

    id: str
    value: Json
    node: str
    ns: Namespace
    task: str
    run: str
    at: float
    seq: int
    schema: Json = None
    answered: bool = False
    answer: Json = None

    @property
    def path(self) -> str:
        """Node path from the root graph."""
        return path(self.ns, self.node)

    @property
    def breakpoint(self) -> bool:
        """Whether the run stopped here because it was told to, not because a node asks."""
        return self.id.startswith("breakpoint:")


@dataclass(slots=True, eq=False)
class Run:
    """One invocation: `status` is `running`, `done`, `interrupted`, `failed`, `stopped` or `crashed`."""

    id: str
    thread: str
    started: float
    seq: int
    resume: Json = None
    fork: str | None = None
    status: str = "running"
    ended: float | None = None
    error: dict[str, Json] | None = None
    end_seq: int | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    step: int = 0
    first_step: int = 0
    """Where it began: a run that goes on with a thread counts its supersteps from there."""
    limit: int | None = None

    @property
    def steps(self) -> int:
        """How many supersteps of the root graph it has begun."""
        return self.step - self.first_step + 1 if self.first_step else 0

    def elapsed(self, now: float) -> float:
        """Seconds from its start to its end, or to `now`."""
        return max(0.0, (now if self.ended is None else self.ended) - self.started)

"""A filter as Python code for a stream loop of one's own. What such a loop cannot know becomes a comment that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from lgwatch.filter import Filter, Term, Value, parse_terms, starred

_PATH = '''\
def path(metadata):
    """Node path from the root graph: research/web."""
    segments = metadata["langgraph_checkpoint_ns"].split("|")
    return "/".join(segment.rpartition(":")[0] or segment for segment in segments if not segment.isdecimal())
'''
_NODES = '''\
def nodes(metadata):
    """The node that speaks, and the nodes around it."""
    return [metadata["langgraph_node"], *path(metadata).split("/")]
'''
_TAGS = '''\
graphs = {"": graph, **dict(graph.get_subgraphs(recurse=True))}


def tags(metadata):
    """Tags of the model, the call and the nodes around; the run's on what a model streams, not on returned messages."""
    found, names = [metadata.get("tags")], path(metadata).split("/")
    for depth, name in enumerate(names):
        node = getattr(graphs.get("|".join(names[:depth])), "nodes", {}).get(name)
        found.append((getattr(node, "metadata", None) or {}).get("tags"))
    return {tag for some in found for tag in ([some] if isinstance(some, str) else some or ())}
'''
_MODEL = '''\
def model(chunk, metadata):
    """Name of the model; None when nobody told it."""
    told = chunk.response_metadata
    return metadata.get("ls_model_name") or told.get("model_name") or told.get("model")
'''
_PIECES = '''\
def pieces(chunk):
    """What a chunk says, as (kind, text)."""
    if chunk.type == "tool":
        yield "tool_result", chunk.text
        return
    for block in chunk.content_blocks:
        if block["type"] in ("text", "reasoning"):
            yield block["type"], block.get(block["type"]) or ""
        elif "tool_call" in block["type"]:
            yield "tool_call", str(block.get("args") or "")
        else:
            yield "other", str(block)
'''


@dataclass(frozen=True, slots=True)
class _Known:
    """What a stream loop knows of a field: an expression for its value (or its `several` values, or maybe `none`)."""

    expression: str
    helpers: tuple[str, ...] = ()
    several: bool = False
    none: bool = False


_KNOWN = {
    "node": _Known("nodes(metadata)", (_PATH, _NODES), several=True),
    "path": _Known("path(metadata)", (_PATH,)),
    "tag": _Known("tags(metadata)", (_PATH, _TAGS), several=True),
    "kind": _Known("kind", (_PIECES,)),
    "role": _Known('chunk.type.removesuffix("MessageChunk")'),
    "model": _Known("model(chunk, metadata)", (_MODEL,), none=True),
    "name": _Known("chunk.name", none=True),
    "step": _Known('metadata["langgraph_step"]'),
    "text": _Known("chunk.text"),
}
_SILENT = ("status", "level", "stream", "attempt")
_ORDER = (_PATH, _NODES, _TAGS, _MODEL, _PIECES)


def snippet(keep: Filter) -> str:
    """Return code that prints from the user's own `graph.astream` what the filter keeps of its tokens.

    It stands in an async function in which `graph` and `inputs` are known.
    """
    terms = parse_terms(keep.source)
    in_pieces = any(term.field == "kind" for term in terms)
    comments: list[str] = []
    conditions: list[str] = []
    needed: set[str] = set()
    for term in terms:
        if comment := _comment(term):
            comments.append(comment)
        if (known := _KNOWN.get(term.field)) is not None:
            needed.update(known.helpers)
            conditions.append(_condition(term, "text" if in_pieces and term.field == "text" else known.expression))
        elif term.field == "type" and not term(_A_MESSAGE):
            conditions.append("False")
    imports = ["import re\n"] if any("re." in condition for condition in conditions) else []
    head = f"# What lgwatch shows for: {_one_line(keep.source)}" if keep else "# Every token"
    parts = [*imports, *(helper for helper in _ORDER if helper in needed)]
    loop = "\n".join([head, *comments, *_loop(conditions, in_pieces=in_pieces)])
    # Two empty lines around functions and one after imports, as formatters want it.
    code = "\n\n".join([*parts, loop]) if needed else "\n".join([*parts, loop])
    return code + "\n"


def _loop(conditions: list[str], *, in_pieces: bool) -> Iterable[str]:
    yield 'async for ns, (chunk, metadata) in graph.astream(inputs, stream_mode="messages", subgraphs=True):'
    indent = "    "
    if in_pieces:
        yield f"{indent}for kind, text in pieces(chunk):"
        indent += "    "
    if len(conditions) == 1:
        yield f"{indent}if {conditions[0]}:"
        indent += "    "
    elif conditions:
        yield f"{indent}if ("
        yield f"{indent}    {conditions[0]}"
        yield from (f"{indent}    and {condition}" for condition in conditions[1:])
        yield f"{indent}):"
        indent += "    "
    yield f'{indent}print({"text" if in_pieces else "chunk.text"}, end="", flush=True)'


class _AMessage:
    type = "message"


_A_MESSAGE = _AMessage()


def _comment(term: Term) -> str:
    """Return what must be said about the term; empty when the code says it all."""
    source = _one_line(term.source)
    if term.field == "type":
        return "" if term(_A_MESSAGE) else f"# {source} keeps no tokens: they are messages"
    if term.field == "text":
        return f"# {source} is asked of each piece here; lgwatch's token pane asks the whole message"
    if term.field in _KNOWN:
        return ""
    if term.field in _SILENT:
        return f"# {source} is left out: it says nothing about tokens"
    return f"# {source} is left out: a stream loop is not told it"


def _one_line(source: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in source)


def _condition(term: Term, expression: str) -> str:
    """Return the expression that is true where the term says nothing against a chunk."""
    known = _KNOWN[term.field]
    if all(value.how == "is" for value in term.values):
        return _equal(term, expression, known)
    one = "value" if known.several else expression
    tests = list(dict.fromkeys(_test(value, one, term) for value in term.values))
    if known.several:
        return f"{'not ' * term.negated}any({' or '.join(tests)} for value in {expression})"
    joined = " or ".join(tests)
    if term.negated:
        joined = f"not ({joined})"
    if known.none:
        return f"(not {expression} or {joined})"
    return f"({joined})" if len(tests) > 1 and not term.negated else joined


def _equal(term: Term, expression: str, known: _Known) -> str:
    texts = list(dict.fromkeys(value.text.lower() for value in term.values))
    values = texts[0] if len(texts) == 1 else None
    if known.several:
        lower = f"map(str.lower, {expression})"
        if values is not None:
            return f"{_literal(values)} {'not ' * term.negated}in {lower}"
        return f"{'not ' * term.negated}{_set(texts)}.intersection({lower})"
    sign = ("!=" if term.negated else "==") if values is not None else "not in" if term.negated else "in"
    test = f"{expression}.lower() {sign} {_set(texts) if values is None else _literal(values)}"
    return f"(not {expression} or {test})" if known.none else test


def _set(texts: list[str]) -> str:
    return "{" + ", ".join(map(_literal, texts)) + "}"


def _test(value: Value, one: str, term: Term) -> str:
    if value.how == "number":
        if len(value.bounds) == 2:
            return f"{_number(value.bounds[0])} <= {one} <= {_number(value.bounds[1])}"
        operator = "==" if term.operator in (":", "=") else term.operator
        return f"{one} {operator} {_number(value.bounds[0])}"
    if value.how == "matches":
        return f"re.search({_literal(value.text)}, {one}, re.IGNORECASE)"
    if value.how == "like":
        return f"re.fullmatch({_literal(starred(value.text.lower()))}, {one}.lower(), re.DOTALL)"
    return (
        f"{value.text.lower()!r} in {one}.lower()" if value.how == "has" else f"{one}.lower() == {value.text.lower()!r}"
    )


def _literal(text: str) -> str:
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written


def _number(number: float) -> str:
    if not isfinite(number):
        return f'float("{number}")'
    return repr(int(number) if number.is_integer() else number)

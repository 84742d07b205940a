"""The filter language: what an expression keeps, and where it says that it cannot be read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgwatch.errors import FilterError
from lgwatch.events import MessageChunk, Output
from lgwatch.filter import FIELDS, Filter, parse
from lgwatch.filter.kept import kept as selected
from lgwatch.index import facet
from tests.factories import attempt, ended, failed, play, result, run, said, span_end, task, token

NODES = ["plan", "writer", "research", "web"]
TAGS = ["draft", "final"]


def record(**known: Any) -> SimpleNamespace:
    return SimpleNamespace(**known)


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("node:web", True),
        ("node:research", True),  # it happened inside of it
        ("node:writer", False),
        ("NODE:web", None),
        ("node:WEB", True),
        ("node=web", True),
        ("node:we", False),
        ("node:we*", True),
        ("node:*e*", True),
        ("node:w?b", False),
        ("node:writer,web", True),
        ("node:writer,plan", False),
        ("!node:web", False),
        ("-node:web", False),
        ("-node:writer", True),
        ("!node:writer,web", False),
        ("path:research/web", True),
        ("path:web", False),
        ("path:research/*", True),
        ("tag:draft", True),
        ("tag:final", False),
        ("tag:draft,final", True),
        ("!tag:final", True),
        ("type:message", True),
        ("type:message,custom", True),
        ("type:custom", False),
        ("kind:text", True),
        ("role:ai", True),
        ("model:gpt-*", True),
        ('model:"gpt-*"', False),
        ("run:r1", True),
        ("step:3", True),
        ("step=3", True),
        ("step=03", True),
        ("step>=3", True),
        ("step>3", False),
        ("step<4", True),
        ("step<=2", False),
        ("step=2..4", True),
        ("step:4..7", False),
        ("step:1,3", True),
        ("step:1,4..7", False),
        ("!step:3", False),
        ("node:re:/^w.b$/", True),
        ("node:re:/^w b$/", False),
        ("node:re:/A|B/,plan", True),
        (r"path:re:/research\/w/", True),
        ("node:web tag:draft step>1", True),
        ("node:web tag:final", False),
    ],
)
def test_a_field_keeps_what_has_its_value(expression: str, kept: bool | None):
    event = MessageChunk(ns=("research:1",), node="web", tags=("draft", "x"), model="gpt-4o", step=3)
    one = facet(event, "r1")
    if kept is None:
        with pytest.raises(FilterError):
            parse(expression)
    else:
        assert parse(expression)(one) is kept


@pytest.mark.parametrize(
    ("expression", "at", "kept"),
    [("t>5", 6.0, True), ("t>5s", 5.0, False), ("t<500ms", 0.4, True), ("t>+5s", 6.0, True), ("t>1.5m", 91.0, True),
     ("t=1..2", 1.5, True), ("t>-1", 0.0, True), ("t<=2k", 2000.0, True)],
)  # fmt: skip
def test_numbers_may_have_units(expression: str, at: float, kept: bool):
    assert parse(expression)(record(at=at)) is kept


def test_attempts_and_status_are_asked_of_tasks():
    session = play(task("a"), task("b"))
    assert [one.node for one in session.tasks() if parse("attempt>1")(one)] == []
    assert [one.node for one in session.tasks() if parse("status:waiting -node:b")(one)] == ["a"]


@pytest.mark.parametrize("word", ["failed", "error"])
def test_one_word_finds_all_that_failed(word: str):
    session = play(task("a"), attempt("a"), span_end("a-1", status="error"), failed("a"), task("b"), attempt("b"),
                   span_end("b-1", status="ok"), result("b"), ended("failed"), run("r2"), ended("crashed", "r2"))  # fmt: skip
    facets = [one for one in session.index.facets if one.status]
    assert {one.status for one in facets} == {"error", "failed", "ok", "done", "crashed"}
    found = [one.status for one in facets if parse(f"status:{word}")(one)]
    assert found == ["error", "failed", "failed", "crashed"]
    assert [one.status for one in facets if parse(f"!status={word}")(one)] == ["ok", "done"]
    assert [one.node for one in session.tasks() if parse(f"status:{word}")(one)] == ["a"]
    assert [one.status for one in facets if parse("status:crashed")(one)] == ["crashed"]


def test_a_tool_is_found_by_the_messages_that_call_it_or_answer_for_it():
    session = play(
        task("agent"),
        token("{}", node="agent", kind="tool_call", tool_call={"index": 0, "name": "search"}),
        said("42", node="tools", role="tool", kind="tool_result", name="add", tool_call={"id": "c"}),
    )
    assert [one.id for one in session.message_list if parse("tool:add")(one)] == ["m1"]
    assert [one.id for one in session.message_list if parse("tool:search")(one)] == [session.message_list[0].id]


def test_every_piece_of_a_tool_call_is_found_by_the_tools_name():
    session = play(
        task("agent"),
        token(node="agent", kind="tool_call", tool_call={"index": 0, "name": "search"}),
        token("{}", node="agent", kind="tool_call", tool_call={"index": 0}),
    )
    facets = [session.index.facet_of(seq) for seq in (3, 4)]
    assert [parse("tool:search")(one) for one in facets] == [True, True]
    assert [parse("tool:add")(one) for one in facets] == [False, False]


def test_a_node_may_have_a_slash_in_its_name():
    assert parse('node:"a b/ü"')(record(path="sub/a b/ü", node="a b/ü"))
    assert parse("node:x[1]")(record(path="x[1]", node="x[1]"))


def test_a_record_without_the_field_is_kept_either_way():
    for name in FIELDS:
        if name != "text":
            value = "3" if FIELDS[name].number else "x"
            assert parse(f"{name}:{value}")(record())
            assert parse(f"!{name}:{value}")(record())


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("level:error", [False, False, True, False, True]),
        ("level:warning", [False, False, False, True, True]),
        ("level:UserWarning", [False, False, False, True, True]),
        ("!level:error", [True, True, False, True, True]),
        ("!level:*", [True, True, False, False, True]),
    ],
)
def test_a_print_has_no_level_and_what_is_no_line_of_the_console_says_nothing_about_one(
    expression: str, kept: list[bool]
):
    lines = [
        Output(text="a"), Output(stream="stderr", text="b"), Output(stream="log", level="ERROR", text="c"),
        Output(stream="warning", level="UserWarning", text="d"), token("e"),
    ]  # fmt: skip
    assert [parse(expression)(line) for line in lines] == kept
    assert [parse(expression)(facet(line, "r1")) for line in lines] == kept
    session = play(run(), *lines)
    found = selected(session, parse(expression), lambda facet: facet.type in ("output", "message"))
    assert list(found.seqs) == [seq for seq, one in enumerate(kept, start=2) if one]


def test_an_empty_expression_keeps_everything():
    for source in ("", "  ", "\t\n"):
        assert not parse(source)
        assert parse(source)(record(node="a"))
        assert parse(source).text("anything")
    assert parse("a")


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "text", "kept"),
    [
        ("cat", "Concatenate", True),
        ("cat dog", "cat", False),
        ("cat dog", "dog cat", True),
        ("cat,dog", "a dog", True),
        ("!cat", "a dog", True),
        ("-cat", "a cat", False),
        ('"a cat"', "this is a cat", True),
        ('"a cat"', "a  cat", False),
        (r'"say \"hi\""', 'they say "hi"', True),
        ('"node:web"', "see node:web", True),
        ('"a, b"', "a, b", True),
        ("text:cat", "a cat", True),
        ('text:"a cat"', "a cat", True),
        ("re:/^a .*t$/", "a cat", True),
        ('re:/a "b/', 'a "b', True),
        ("!re:/c[ao]t/", "a cot", False),
        (r"re:/1\/2/", "1/2", True),
        ("a*b", "a*b", True),
        ("a*b", "axb", False),
        ("-5", "4", True),
        ("C++", "c++", True),
    ],
)
def test_bare_words_phrases_and_regular_expressions_ask_the_text(expression: str, text: str, kept: bool):
    found = parse(expression)
    assert found.text(text) is kept
    assert found(record(node="anything"))
    assert found.terms == ()


def test_fields_do_not_ask_the_text():
    assert parse("node:web").text("writer")


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "position", "message", "hint"),
    [
        ("nodee:web", 0, "no field 'nodee'", "did you mean node:"),
        ("node:web !tga:x", 10, "no field 'tga'", "did you mean tag:"),
        ("http://x", 0, "no field 'http'", "quote it"),
        ("zzz:1", 0, "no field 'zzz'", "node path tag"),
        ("node:", 5, "node: needs a value", "node:writer"),
        ("node: web", 5, "node: needs a value", "node:writer"),
        ("node:,", 5, "node: needs a value", "node:writer"),
        ("step>=", 6, "step>= needs a value", "step>=3"),
        ("step:x", 5, "'x' is no number", "step>=3"),
        ("step:1,x", 7, "'x' is no number", "step>=3"),
        ("step:1..", 5, "'1..' is no number", "step=3..7"),
        ("t>5parsec", 2, "'5parsec' is no number", "t>=3"),
        ("step>1..3", 5, "a range needs =", "step=1..3"),
        ("node>3", 4, "node is no number", "node:value"),
        ("!", 0, "cannot read '!'", "node:writer"),
        ("node:web ,", 9, "cannot read ','", "node:writer"),
        ('node:"web', 5, "a quote is not closed", '"'),
        ('cat "a dog', 4, "a quote is not closed", '"'),
        ('"', 0, "a quote is not closed", '"'),
        ('it"s', 2, "a quote is not closed", '"'),
        ("re:/abc", 0, "a regular expression is not closed", "/"),
        ("node:a,re:/abc def", 7, "a regular expression is not closed", "/"),
        ("node:re:/a(b/", 10, "bad regular expression", "between the slashes"),
        ("node:re:/a/b", 11, "right behind a value", "comma"),
        ("x re:/^(?!.*debug).*error/", 6, "could take for ever: it looks ahead", "two terms"),
        ('"a"b', 3, "right behind a value", "comma"),
    ],
)
def test_an_error_says_where_and_what_to_try(expression: str, position: int, message: str, hint: str):
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.position == position


@pytest.mark.parametrize("expression", ["re:/(a+)+$/", "re:/^(.*a){30}$/", "re:/^(a|a)*$/", "*a*a*a*a*a*a*a*a*b"])
def test_a_pattern_that_could_try_for_ever_answers_at_once(expression: str):
    text = "a" * 10_000 + "!"
    assert not parse(f"node:{expression}")(task(text))
    assert parse(f"!node:{expression}")(task(text))
    if expression.startswith("re:"):
        assert not parse(expression).text(text)


pieces = st.lists(
    st.sampled_from(["node:", "step", "tag:", ">=", "re:/", "/", '"', "\\", ",", " ", "!", "-", "*", "..", "3", "web", ":", "(", "[", "ü"]),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | pieces, st.text(max_size=10))
def test_any_text_at_all_is_a_filter_or_an_error_inside_of_it(source: str, text: str):
    found = read(source)
    if isinstance(found, FilterError):
        assert 0 <= found.position <= len(source)
        assert found.message
        assert found.hint
        return
    one = record(node=text, path=text, tags=(text,), step=len(text), at=1.5, kind="text", name=text)
    again = parse(str(found))
    assert (again(one), again.text(text), str(again)) == (found(one), found.text(text), str(found))
    assert [term.source for term in again.terms] == [term.source for term in found.terms]


def read(source: str) -> Filter | FilterError:
    try:
        return parse(source)
    except FilterError as error:
        return error


# ── and, or, not: as a reader would work it out ──────────────────────────────────────────────────────────────────────

records = st.builds(
    record,
    node=st.sampled_from(NODES), tags=st.lists(st.sampled_from(TAGS), max_size=2).map(tuple), step=st.integers(0, 5),
)  # fmt: skip
terms = st.one_of(
    st.tuples(st.booleans(), st.just("node"), st.lists(st.sampled_from(NODES), min_size=1, max_size=3)),
    st.tuples(st.booleans(), st.just("tag"), st.lists(st.sampled_from(TAGS), min_size=1, max_size=2)),
    st.tuples(st.booleans(), st.just("step"), st.lists(st.integers(0, 5), min_size=1, max_size=2)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(terms, max_size=4), records, st.sampled_from(["!", "-"]))
def test_space_is_and_comma_is_or_and_the_sign_is_not(
    told: list[tuple[bool, str, list[Any]]], one: SimpleNamespace, sign: str
):
    source = " ".join(f"{sign * no}{name}:{','.join(map(str, values))}" for no, name, values in told)
    has = {"node": {one.node}, "tag": set(one.tags), "step": {one.step}}
    assert parse(source)(one) is all(bool(has[name] & set(values)) is not no for no, name, values in told)


def test_a_filter_prints_as_what_was_typed():
    assert str(parse("  node:web   !tag:x ")) == "node:web   !tag:x"
    assert [term.source for term in parse('node:web !tag:x "a b"').terms] == ["node:web", "!tag:x"]
    assert str(Filter()) == ""


def test_every_field_has_a_sentence_of_help():
    assert all(one.help for one in FIELDS.values())


# ── payloads, tasks and lines ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "line", "kept"),
    [
        ("state.route=deep", {"type": "update", "writes": {"route": "deep"}}, True),
        ("state.route:DE*", {"type": "task", "input": {"route": "deep"}}, True),
        ("state.route=deep", {"type": "checkpoint", "values": {"route": "quick"}}, False),
        ("state.route=deep", {"type": "checkpoint", "values": {"other": "deep"}}, False),
        ("!state.route=deep", {"type": "checkpoint", "values": {"route": "quick"}}, True),
        ("state.count>3", {"type": "task_result", "writes": {"count": 4}}, True),
        ("state.count>3", {"type": "task_result", "writes": {"count": "many"}}, False),
        ("state.count=4", {"type": "task_result", "writes": {"count": 4}}, True),
        ("state.user.name=ann", {"type": "run", "input": {"user": {"name": "Ann"}}}, True),
        ("state.messages.content:*cats*", {"type": "run_result", "output": {"messages": [{"$type": "HumanMessage", "fields": {"content": "on cats"}}]}}, True),
        ("state.messages.1=b", {"type": "run", "input": {"messages": ["a", "b"]}}, True),
        ("state.messages=b", {"type": "run", "input": {"messages": ["a", "b"]}}, True),
        ("state.done=true", {"type": "update", "writes": {"done": True}}, True),
        ("state.done=null", {"type": "update", "writes": {"done": None}}, True),
        ("state:cats", {"type": "update", "writes": {"topic": "Cats"}}, True),
        ("data.url:*arxiv*", {"type": "custom", "data": {"url": "https://arxiv.org"}}, True),
        ("data.url:*arxiv*", {"type": "custom", "data": "arxiv"}, False),
        ("data.url:*arxiv*", {"type": "update", "writes": {"url": "arxiv"}}, None),
        ("state.route=deep", {"type": "message", "text": "deep"}, None),
        ("state.route=deep", {}, None),
    ],
)  # fmt: skip
def test_a_payload_is_asked_by_its_keys(expression: str, line: dict[str, Any], kept: bool | None):
    keep = parse(expression)
    assert keep.line(line) is (kept is not False)
    assert keep.line(line, strict=True) is bool(kept)
    assert keep(facet(MessageChunk(), "r1"))  # nothing that can be told without the line


def test_what_has_no_such_payload_is_kept_by_a_negation():
    assert parse("!state.route=deep").line({"type": "message"}, strict=True)


@pytest.mark.parametrize(
    ("expression", "names"),
    [("dur>1s", ["slow", "open"]), ("dur<=1s", ["quick", "open"]), ("tok>=2", ["slow"]), ("task:quick", ["quick"]), ("attempt=1", ["slow", "quick", "open"])],
)  # fmt: skip
def test_a_task_is_asked_how_long_it_took_and_what_it_said(expression: str, names: list[str]):
    session = play(
        task("slow"), replace(token("a", node="slow"), at=1.0), replace(token("b", node="slow"), at=1.1), replace(result("slow"), at=4.0),
        replace(task("quick"), at=4.1), replace(attempt("quick"), at=4.1), replace(result("quick"), at=4.2), replace(task("open"), at=5.0),
    )  # fmt: skip
    assert [one.node for one in session.tasks() if parse(expression)(one)] == names


def test_a_message_is_asked_for_its_own_time_tokens_and_the_tasks_it_is_inside_of():
    session = play(
        task("ask", ns=("team:t1",)), *(replace(token("x", node="ask", ns=("team:t1",)), at=float(n)) for n in range(1, 4)), result("ask", ns=("team:t1",)),
    )  # fmt: skip
    (message,) = session.message_list
    assert [parse(text)(message) for text in ("dur>1s", "dur>9s", "tok=3", "task:t1", "task:ask", "task:other")] == [
        True, False, True, True, True, False,
    ]  # fmt: skip


def test_sizes_have_units():
    assert [parse("size>1MB")(record(size=size)) for size in (1_000_000, 1_000_001)] == [False, True]
    assert parse("size=1kB..2kB")(record(size=1500))


def test_only_payloads_have_keys():
    for expression in ("node.x=1", "tag.y:z"):
        with pytest.raises(FilterError, match="no field"):
            parse(expression)

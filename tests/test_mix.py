"""Solo, mute and toggles: what they write, and that what a person wrote is left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgwatch.filter import Filter, parse, parse_terms
from lgwatch.filter.mix import _is_ours, choices, clear, mute, solo, toggle
from tests.factories import play, said, task, token

NAMES = ["writer", "critic", "a b", 'say "hi"', "back\\slash", "*", "re:/x/", "x,y", "", "Üben", "[red]"]
TAGS = ["draft", "final", "d*", "one two"]
MODELS = ["gpt-4o", "claude"]
TYPED = ["", "node:writer", "!tag:draft", '"a phrase" word', "path:re:/^a/ step>=2", "tag:draft,final -model:gpt-*"]


def record(path: str = "writer", tags: tuple[str, ...] = (), **more: Any) -> SimpleNamespace:
    return SimpleNamespace(path=path, node=path.rpartition("/")[2], tags=tags, **more)


def pressed(*moves: Any, typed: str = "") -> str:
    """The expression after a row of moves, each `(solo, record)`, `(toggle, field, value)` …"""
    keep = parse(typed)
    for move, *arguments in moves:
        keep = parse(move(keep, *arguments))
    return str(keep)


RECORDS = st.builds(
    record,
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(TAGS), unique=True, max_size=3).map(tuple),
    model=st.sampled_from([*MODELS, ""]),
)
VALUES = st.one_of(
    st.tuples(st.just("path"), st.sampled_from(NAMES)),
    st.tuples(st.just("tag"), st.sampled_from(TAGS)),
    st.tuples(st.just("model"), st.sampled_from(MODELS)),
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([solo, mute]), RECORDS), VALUES.map(lambda value: (toggle, *value)),
        st.just((clear,)),
    ),
    max_size=6,
)  # fmt: skip
FILTERS = st.builds(lambda moves, typed: parse(pressed(*moves, typed=typed)), MOVES, st.sampled_from(TYPED))
WORLD = [
    record(path, tags, model=model, step=step)
    for path in NAMES
    for tags in ((), ("draft",), ("final", "d*"), ("draft", "one two"))
    for model, step in (("gpt-4o", 1), ("claude", 3), ("", 2))
]


def kept(keep: Filter | str) -> list[bool]:
    keep = parse(str(keep))
    return [keep(one) for one in WORLD]


def test_solo_goes_from_the_node_to_its_tags_to_nothing() -> None:
    one = record("research/web", ("draft", "final"))
    steps = [pressed(*[(solo, one)] * times) for times in range(5)]
    assert steps == ["", "path=research/web", "tag=draft", "tag=final", ""]


def test_solo_of_another_record_takes_the_place_of_the_first() -> None:
    assert pressed((solo, record("a")), (solo, record("b"))) == "path=b"
    assert pressed((solo, record("a", ("x",))), (solo, record("a", ("x",))), (solo, record("b", ("x",)))) == ""
    assert pressed((solo, record("a", ("x",))), (solo, record("a", ("x",))), (solo, record("b"))) == "path=b"


def test_solo_and_mute_of_a_task_that_runs_a_graph_take_in_what_is_inside() -> None:
    one = record("team/research", children=["…"])
    assert pressed((solo, one)) == "node=research"
    inside = record("team/research/web")
    assert parse("node=research")(inside)
    assert not parse(pressed((mute, one)))(inside)


def test_mute_adds_up_and_comes_off_again() -> None:
    assert pressed((mute, record("a")), (mute, record("b c"))) == '!path=a,"b c"'
    assert pressed((mute, record("a")), (mute, record("b")), (mute, record("a"))) == "!path=b"


def test_mute_of_what_is_soloed_shows_the_others() -> None:
    assert pressed((solo, record("a")), (mute, record("a"))) == "!path=a"


def test_a_mute_of_a_tag_survives_the_solo_of_a_node() -> None:
    assert pressed((toggle, "tag", "draft"), (solo, record("a"))) == "path=a !tag=draft"


def test_clear_leaves_what_was_typed() -> None:
    typed = 'node:writer  !path:x "a phrase" tag:y step>2'
    after = pressed((solo, record("a")), (mute, record("b")), (toggle, "tag", "t"), (clear,), typed=typed)
    assert after == 'node:writer !path:x "a phrase" tag:y step>2'


def test_a_tick_goes_off_and_on() -> None:
    assert pressed((toggle, "tag", "a")) == "!tag=a"
    assert pressed((solo, record("a")), (toggle, "path", "b")) == "path=a,b"
    assert pressed((solo, record("a")), (toggle, "path", "a")) == "!path=*"
    assert pressed((solo, record("a")), (toggle, "path", "a"), (toggle, "path", "b")) == "path=b"


def test_several_terms_of_one_field_are_made_into_one() -> None:
    assert pressed((toggle, "path", "x"), typed="path=a,b path=b,c") == "path=b,x"
    assert pressed((toggle, "path", "x"), typed="path=a,b !path=b") == "path=a,x"
    assert pressed((toggle, "path", "x"), typed="!path=b path=a,b") == "path=a,x"


def test_values_in_another_case_are_the_same_value() -> None:
    assert pressed((toggle, "tag", "Draft"), (toggle, "tag", "draft")) == ""


@given(FILTERS, VALUES)
def test_a_toggle_and_another_is_none(keep: Filter, value: tuple[str, str]) -> None:
    assert kept(toggle(parse(toggle(keep, *value)), *value)) == kept(keep)


@given(FILTERS, VALUES)
def test_a_toggle_turns_the_tick(keep: Filter, value: tuple[str, str]) -> None:
    def ticked(keep: Filter) -> bool:
        ours = [term.source for term in parse_terms(keep.source) if _is_ours(term)]
        return parse(" ".join(ours))(SimpleNamespace(**{{"tag": "tags"}.get(value[0], value[0]): one}))

    field, name = value
    one: Any = (name,) if field == "tag" else name
    assert ticked(parse(toggle(keep, *value))) is not ticked(keep)


@given(FILTERS, RECORDS)
def test_clear_after_solo_and_mute_is_what_was_typed(keep: Filter, one: SimpleNamespace) -> None:
    plain = clear(keep)
    assert clear(parse(solo(keep, one))) == clear(parse(mute(keep, one))) == plain
    assert clear(parse(plain)) == plain


@given(st.sampled_from(TYPED), RECORDS)
def test_solo_all_the_way_round_is_where_it_began(typed: str, one: SimpleNamespace) -> None:
    keep = parse(clear(parse(typed)))
    for _ in range(2 + len(one.tags)):
        keep = parse(solo(keep, one))
    assert str(keep) == clear(parse(typed))


@given(st.sampled_from(TYPED), RECORDS)
def test_solo_keeps_the_record_and_what_shares_its_node_and_mute_the_rest(typed: str, one: SimpleNamespace) -> None:
    before = kept(typed)
    alone = kept(solo(parse(typed), one))
    without = kept(mute(parse(typed), one))
    assert alone == [was and other.path.lower() == one.path.lower() for was, other in zip(before, WORLD, strict=True)]
    assert without == [was and other.path.lower() != one.path.lower() for was, other in zip(before, WORLD, strict=True)]


def test_the_chooser_lists_paths_tags_and_models_with_counts() -> None:
    session = play(
        task("writer"),
        task("critic"),
        task("silent"),
        token("a", 1, tags=("draft", "x"), model="gpt-4o"),
        token("b", 2, node="critic", tags=("x",), model="gpt-4o"),
        said("c", node="writer", role="human"),
    )
    found = choices(session, parse("!tag=draft model:gpt-*"))
    assert [(one.field, one.value, one.count, one.kept, one.shown) for one in found] == [
        ("path", "critic", 1, 1, True),
        ("path", "silent", 0, 0, True),
        ("path", "writer", 2, 1, True),
        ("tag", "draft", 1, 0, False),
        ("tag", "x", 2, 1, True),
        ("model", "gpt-4o", 2, 1, True),
    ]


def test_the_chooser_counts_by_the_text_too() -> None:
    session = play(task("writer"), token("hello ", 1), token("world", 1), token("bye", 2))
    assert [one.kept for one in choices(session, parse('"hello world"'))] == [1]


@pytest.mark.parametrize("name", NAMES)
def test_a_solo_means_the_very_name(name: str) -> None:
    keep = parse(solo(Filter(), record(name)))
    assert [one for one in NAMES if keep(record(one))] == [name]

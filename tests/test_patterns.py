"""Patterns that somebody types: as `re` says, and soon, whatever the pattern and the text."""

import os
import random
import re
import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgwatch import patterns
from lgwatch.arguments import patterns as redacted
from lgwatch.errors import FilterError, InputError
from lgwatch.filter import parse
from lgwatch.patterns import EndlessError, Pattern

WILD = ["(a+)+$", "(a*)*b$", "(a|a)*b$", "(a|ab|b)+$", "(a?){40}a{40}$", "(.*a){25}$", "a*a*a*a*a*a*a*b$", r"^(\w+\s?)*$",
        "^(([a-z])+.)+[A-Z]$", "a.*z|a", "a[^z]*z|b"]  # fmt: skip


@pytest.fixture
def walked(monkeypatch):
    """As if every text were too long for `re`."""
    monkeypatch.setattr(patterns, "_most", lambda tree: -1)


@pytest.mark.parametrize("source", WILD)
def test_no_pattern_takes_for_ever(source):
    text, pattern, began = "a" * 20_000 + "!", Pattern(source), time.process_time()
    assert pattern.search(text) is (source == "a.*z|a")
    assert bool(list(pattern.spans(text))) is (source == "a.*z|a")
    assert time.process_time() - began < 20


def test_what_has_few_ways_is_asked_of_re_whatever_the_length():
    for source in ("error", "40[0-9]", r"\bword\b", "(?<=token=)x", "cat|dog", "colou?r", "[a-f0-9]{32}"):
        assert Pattern(source)._most == float("inf"), source


def test_the_more_ways_a_pattern_has_the_sooner_it_is_walked():
    assert Pattern(r"\w+")._most > Pattern(r"\w+@\w+")._most > Pattern(r"\w+@\w+\.\w+")._most > 20
    assert Pattern(r"(\w+,)*")._most < 0


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (r"(a+)\1", "refers back"),
        ("^(?!.*debug).*error", "looks ahead"),
        ("(x{1000}){1000}", "too many"),
    ],
)
def test_what_cannot_be_bounded_is_refused_with_the_reason(source, why):
    with pytest.raises(EndlessError, match=why):
        Pattern(source + "(b|bb)*")


def test_what_is_no_pattern_at_all_is_told_as_re_tells_it():
    with pytest.raises(re.error):
        Pattern("(")


ITEMS = st.sampled_from(
    ["a", "b", "ab", ".", r"\w", r"\s", "[ab]", "[^a]", r"\d", "é", "^", "$", r"\b", r"\B", r"\A", r"\Z", "(?<=a)", "(?!b)", "(?<!a|b)",
     "(?i:A)", "(?s:.)"]
)  # fmt: skip
SOURCES = st.recursive(
    ITEMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda arms: f"(?:{'|'.join(arms)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)
TEXTS = st.text("abA é1\n_", max_size=8)


@settings(max_examples=300, deadline=None)
@given(SOURCES, TEXTS, st.sampled_from([0, re.IGNORECASE, re.DOTALL, re.MULTILINE]))
@example("(?:a|ab)(?:c|bcd)(?:d*)", "abcd", 0)
@example("(?:$)?a", "\na", 0)
def test_what_is_walked_is_found_as_by_re(source, text, flags):
    pattern, expected = Pattern(source, flags), re.compile(source, flags).search(text)
    for most in (-1, pattern._most):
        pattern._most = most
        assert pattern.search(text) is (expected is not None)
        first = next(pattern.spans(text), None)
        if expected is None:
            assert first is None
        else:
            assert first[0] == expected.start()
            assert first[1] >= expected.end() or most > 0


def test_what_is_walked_is_masked_whole_and_apart(walked):
    spans = list(Pattern(r"sk-\w+|sk-\w+-\d+").spans("a sk-abc-12 b sk-x sk-y"))
    assert spans == [(2, 11), (14, 18), (19, 23)]


def test_a_long_walk_remembers_only_so_much(monkeypatch):
    monkeypatch.setattr(patterns, "KEPT", 100)
    pattern = Pattern(r"(\w+.)*$")
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5_000)))
    assert pattern.search(text)
    walk = pattern._both()[0]
    assert sum(len(ways.after) for ways in walk._known.values()) <= 101


def test_a_walk_remembers_only_so_many_places(monkeypatch):
    monkeypatch.setattr(patterns, "KEPT", 5_000)
    pattern, letters = Pattern("(a.{0,400}B)*C"), random.Random(1)
    assert not pattern.search("".join(letters.choices("abc", k=2_000)))
    walk = pattern._both()[0]
    assert sum(len(ways.places) for ways in walk._known.values()) <= 5_000 + 2 * 1_000


GROUPS = [
    r"(\w+)\s*(?!(foo|bar))\d*",
    "(?=(a))[ab]*c*d*e*",
    "(?<=(a)(b))[ab]*c*d*e*",
    "(?=((a)|(b))?a)[ab]*c*d*e*",
    "((?!(x)(y))[ab])*e",
]


@pytest.mark.parametrize("source", GROUPS)
def test_a_group_in_what_is_looked_at_has_room_for_its_match(source):
    code = (
        "import sys, re; from lgwatch.patterns import Pattern; text = 'ab' * 5_000; pattern = Pattern(sys.argv[1]);"
        "pattern._most = -1; assert pattern.search(text) is (re.search(sys.argv[1], text[:40]) is not None);"
        "sum(1 for _ in pattern.spans(text))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source],
        env=os.environ | {"PYTHONMALLOC": "debug"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_few_ways_of_a_few_letters_are_asked_of_re():
    assert Pattern("a.{0,1500}b")._most == float("inf")
    assert Pattern("(?:[a-f0-9]{4}-){8}")._most == float("inf")
    assert Pattern(r"\w{1,64}@\w{1,255}")._most < 1_000


@pytest.mark.parametrize(
    "source",
    [
        "(?:(?:aa){300}){300}b",
        "(?:(?:(?:aa){300}){300}|c)b",
        "(?=(?:(?:aa){300}){300}b)a",
        ".{0,1500}a.{0,1500}b",
        "(a.{0,1500}b)*",
    ],
)
def test_what_would_take_too_long_at_each_letter_is_refused(source):
    with pytest.raises(EndlessError, match=r"too many|looks ahead"):
        Pattern(source)


def test_what_is_empty_is_repeated_at_once():
    assert Pattern("(?:()){4000000000}a*b*c*d").search("a" * 5_000 + "d")


@pytest.mark.parametrize(
    "source", ["(" * 5_000 + ")" * 5_000, "a{99999999999999999999}", r"(a+)+\1", "(", "(?:(?:aa){300}){300}"]
)
def test_what_makes_no_pattern_is_told_where_it_is_typed(source):
    with pytest.raises(FilterError):
        parse(f"text:re:/{source}/")
    with pytest.raises(InputError):
        redacted([source])


def test_a_word_with_a_star_that_is_too_long_is_told_where_it_is_typed():
    with pytest.raises(FilterError, match="too long"):
        parse("node:" + "a" * 6_000 + "*")

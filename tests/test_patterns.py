"""Patterns that somebody types: as `re` says, and soon, whatever the pattern and the text."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lgwatch import patterns
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

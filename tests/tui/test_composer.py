import pytest

from lgwatch.errors import InputError
from lgwatch.tui.composer import check, hint_for, read_answer, read_input

CHAT = {"type": "object", "properties": {"messages": {"type": "array"}}}
FORM = {
    "type": "object",
    "required": ["topic", "n"],
    "properties": {"topic": {"type": "string"}, "n": {"type": "integer"}, "more": {"type": "string"}},
}
ONE = {"type": "object", "required": ["topic"], "properties": {"topic": {"type": "string"}, "n": {"type": "integer"}}}


def test_plain_text_is_a_message_where_the_graph_has_messages():
    assert read_input("  hello there ", CHAT) == (None, "hello there")


def test_json_is_input_even_where_the_graph_has_messages():
    assert read_input('{"messages": []}', CHAT) == ({"messages": []}, None)


def test_plain_text_is_the_one_string_that_is_required():
    assert read_input("cats", ONE) == ({"topic": "cats"}, None)


def test_plain_text_is_the_whole_input_of_a_graph_that_takes_a_string():
    assert read_input("cats", {"type": "string"}) == ("cats", None)


def test_plain_text_does_not_do_where_more_is_wanted_and_the_hint_says_what_is():
    with pytest.raises(InputError, match="not JSON") as told:
        read_input("cats", FORM)
    assert told.value.hint == 'type JSON such as {"topic": "…", "n": 1}'


def test_without_a_schema_anything_goes_that_is_json():
    assert read_input("[1, 2]", None) == ([1, 2], None)
    with pytest.raises(InputError):
        read_input("one, two", None)


def test_what_does_not_fit_the_schema_is_named_with_its_place():
    with pytest.raises(InputError, match=r"^n: 'x' is not of type 'integer'"):
        read_input('{"topic": "cats", "n": "x"}', FORM)
    with pytest.raises(InputError, match=r"^the value: 'n' is a required property"):
        read_input('{"topic": "cats"}', FORM)
    nested = {"properties": {"a": {"items": {"properties": {"b": {"type": "number"}}}}}}
    with pytest.raises(InputError, match=r"^a\[1\]\.b: "):
        check({"a": [{"b": 1}, {"b": "x"}]}, nested)


def test_json_that_is_broken_is_told_with_the_column():
    with pytest.raises(InputError, match="at column 11"):
        read_input('{"topic": }', FORM)


def test_json_that_is_nested_too_deep_is_an_error_and_no_crash():
    with pytest.raises(InputError):
        read_input("[" * 100_000, None)
    with pytest.raises(InputError, match="too deep"):
        read_answer("[" * 100_000, None)


def test_a_schema_that_is_broken_is_not_the_users_fault():
    assert check({"a": 1}, {"type": "nonsense"}) == {"a": 1}
    assert check({"a": 1}, {"properties": {"a": {"$ref": "#/$defs/Missing"}}}) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("yes", "yes"),
        ("true", True),
        ("3", 3),
        ('"3"', "3"),
        ('{"ok": [1]}', {"ok": [1]}),
        ("not json: {", "not json: {"),
    ],
)
def test_an_answer_is_json_where_it_is_json_and_else_text(text, answer):
    assert read_answer(text, None) == answer


def test_an_answer_that_was_meant_as_json_is_not_taken_for_text():
    with pytest.raises(InputError):
        read_answer('{"ok": tru}', None)


def test_an_answer_is_checked_by_the_interrupts_own_schema():
    assert read_answer("3", {"type": "integer"}) == 3
    with pytest.raises(InputError):
        read_answer("three", {"type": "integer"})


def test_the_hint_says_what_may_be_typed():
    assert hint_for(CHAT) == "type what the user says, or JSON"
    assert hint_for(None) == "type JSON"
    topic = {"properties": {"topic": {"type": "string"}, "n": {"type": "integer"}}, "required": ["topic"]}
    assert hint_for(topic, words=True) == 'type the topic, or JSON such as {"topic": "…"}'
    assert hint_for(topic) == 'type JSON such as {"topic": "…"}'  # an answer is what it says

from __future__ import annotations

import json
from typing import Any

import pytest

from lgwatch.errors import InputError
from lgwatch.review import decided, hint, readable, reviews


def request(*names: str, allowed: tuple[str, ...] = ("approve", "edit", "reject")) -> dict[str, Any]:
    return {
        "action_requests": [{"name": name, "args": {"to": "Ann", "amount": 4}, "description": "…"} for name in names],
        "review_configs": [{"action_name": name, "allowed_decisions": list(allowed)} for name in names],
    }


ONE_CALL = {"type": "tool_approval", "tool_call_id": "c1", "name": "pay", "args": {"amount": 4}, "description": ""}


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("approve", {"type": "approve"}),
        ("Yes", {"type": "approve"}),
        ("reject", {"type": "reject"}),
        ("reject: not today; ask again: later", {"type": "reject", "message": "not today; ask again: later"}),
        ("no not today", {"type": "reject", "message": "not today"}),
        ('edit {"amount": 3}', {"type": "edit", "edited_action": {"name": "pay", "args": {"to": "Ann", "amount": 3}}}),
        ('edit: {"a": "x: y"}', {"type": "edit", "edited_action": {"name": "pay", "args": {"to": "Ann", "amount": 4, "a": "x: y"}}}),
    ],
)  # fmt: skip
def test_words_are_a_decision(text: str, decision: dict[str, Any]) -> None:
    assert decided(text, request("pay")) == {"decisions": [decision]}


def test_one_word_decides_on_all_calls_and_several_on_one_each() -> None:
    assert decided("approve", request("pay", "post")) == {"decisions": [{"type": "approve"}] * 2}
    assert decided("approve; no: late", request("pay", "post")) == {
        "decisions": [{"type": "approve"}, {"type": "reject", "message": "late"}]
    }
    with pytest.raises(InputError, match="2 calls wait for a decision, and 3"):
        decided("yes; no; yes", request("pay", "post"))


def test_a_call_that_is_asked_about_alone_is_answered_alone() -> None:
    assert decided("respond: in blue", ONE_CALL) == {"type": "respond", "message": "in blue"}
    assert [one.name for one in reviews(ONE_CALL)] == ["pay"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("perhaps", "'perhaps' is no decision about pay"),
        ("", "'' is no decision about pay"),
        ("respond: me", "respond is not allowed for pay"),
        ("edit", "the arguments of pay are missing"),
        ("edit {amount: 3}", "the arguments are not JSON"),
    ],
)
def test_what_is_no_decision_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        decided(text, request("pay"))


@pytest.mark.parametrize("value", ["Go on?", None, {"question": "?"}, {"action_requests": 3}, [request("pay")]])
def test_any_other_question_is_left_alone(value: object) -> None:
    assert decided("approve", value) is None
    assert hint(value) == ""


def test_json_is_left_as_it_is() -> None:
    assert decided(json.dumps({"decisions": [{"type": "approve"}]}), request("pay")) is None


def test_the_hint_says_what_may_be_typed() -> None:
    assert hint(request("pay")) == 'approve · reject: why · edit {"to": "Ann"}'
    assert hint(request("pay", "post", allowed=("approve", "reject"))).endswith(
        "reject: why · for all, or one each with ;"
    )


def test_what_is_asked_is_told_without_its_wrapping() -> None:
    assert readable(ONE_CALL) == {"pay": {"amount": 4}}
    asked = request("pay", "post")
    asked["action_requests"][0]["description"] = "Tool execution requires approval\n\nTool: pay\nArgs: {}"
    asked["action_requests"][1]["description"] = "This letter cannot be called back."
    assert readable(asked) == {
        "1 pay": {"to": "Ann", "amount": 4},
        "2 post": {"to": "Ann", "amount": 4},
        "2 description": "This letter cannot be called back.",
    }
    assert readable({"question": "?"}) is None

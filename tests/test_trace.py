"""Tracebacks, taken apart."""

from __future__ import annotations

from lgwatch.trace import Frame, frames_first, of_error, parse

TEXT = """Traceback (most recent call last):
  File "/home/me/agent.py", line 12, in fetch
    return get(url)
           ^^^^^^^^
  File "/home/me/.venv/lib/python3.11/site-packages/httpx/_api.py", line 9, in get
    raise ConnectError("refused")
httpx.ConnectError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/me/agent.py", line 30, in node
    raise ValueError("no rates") from error
ValueError: no rates
on two lines
During task with name 'node' and id '1'
"""


def test_the_last_exception_stands_first_with_its_words_and_what_it_came_from_after_it() -> None:
    last, first = parse(TEXT)
    assert last.words == ["ValueError: no rates", "on two lines", "During task with name 'node' and id '1'"]
    assert last.frames == [Frame("/home/me/agent.py", 30, "node", ('raise ValueError("no rates") from error',))]
    assert first.words == ["httpx.ConnectError: refused"]


def test_the_users_frames_stand_before_those_of_libraries() -> None:
    first = parse(TEXT)[1]
    assert [frame.name for frame in first.frames] == ["get", "fetch"]
    assert [frame.name for frame in frames_first(first)] == ["fetch", "get"]
    assert [frame.own for frame in frames_first(first)] == [True, False]


def test_an_error_without_a_traceback_is_told_in_its_words() -> None:
    (only,) = of_error({"type": "GraphRecursionError", "message": "limit of 12", "traceback": ""})
    assert only.words == ["GraphRecursionError: limit of 12"]
    assert of_error({})[0].words == ["an error without words"]


def test_what_is_no_traceback_is_still_shown() -> None:
    assert of_error({"type": "X", "message": "y", "traceback": "just a line"})[0].words == ["just a line"]

import sys
import textwrap

import pytest

from tests.benchmarks.terminal import Terminal, percentile

pytestmark = pytest.mark.terminal


def program(source):
    return [sys.executable, "-c", textwrap.dedent(source)]


def test_keys_reach_the_program_and_its_output_the_screen():
    with Terminal(program("print('name?'); print('hello ' + input()); input()"), 40, 5) as terminal:
        terminal.wait_for("name?")
        assert terminal.latency("cat\r", "hello cat") > 0
        lines = terminal.wait_for_screen("hello cat")
        assert "name?" in lines[0]


def test_queries_are_answered():
    source = r"""
        import os, sys, termios, tty
        tty.setraw(0)
        os.write(1, b"\x1b[?2026$p")
        answer = os.read(0, 100)
        os.write(1, repr(answer).encode())
        os.read(0, 1)
    """
    with Terminal(program(source), 60, 5) as terminal:
        terminal.wait_for(r"\x1b[?2026;2$y")


def test_the_size_is_told_and_changes():
    source = r"""
        import os, signal
        signal.signal(signal.SIGWINCH, lambda *_: print("now", *os.get_terminal_size(1), flush=True))
        print("is", *os.get_terminal_size(1), flush=True)
        while True:
            signal.pause()
    """
    with Terminal(program(source), 81, 23) as terminal:
        terminal.wait_for("is 81 23")
        terminal.resize(100, 30)
        terminal.wait_for("now 100 30")


def test_waiting_ends_with_a_picture_of_the_screen():
    with (
        Terminal(program("print('something else'); input()"), 40, 5) as terminal,
        pytest.raises(TimeoutError, match="something else"),
    ):
        terminal.wait_for("something else")
        terminal.wait_for("never", timeout=0.2)


def test_the_exit_code_and_all_output_are_there():
    with Terminal(program("print('x' * 100_000); raise SystemExit(3)"), 80, 24) as terminal:
        assert terminal.wait_for_exit() == 3
        assert terminal.raw.count(b"x") == 100_000


def test_a_program_that_ignores_its_end_is_ended():
    source = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    with Terminal(program(source), 80, 24) as terminal:
        terminal.wait_for("up")
    assert terminal.process.returncode is not None


def test_a_slow_terminal_takes_its_time():
    with Terminal(program("print('y' * 20_000)"), 80, 24, throttle=100_000) as terminal:
        assert terminal.wait_for_exit() == 0
        assert terminal.reads[-1][0] - terminal.reads[0][0] > 0.1


def test_a_percentile_is_one_of_the_values():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([3, 1, 2], 0.99) == 3

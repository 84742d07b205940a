"""What nodes should not do and do: each is a function whose result says whether its world was what it is without lgwatch.

`graph` does one of them, in a thread or in the event loop. Run as a program, it does all of them without lgwatch.
"""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import contextlib
import ctypes
import gc
import io
import json
import logging
import logging.config
import logging.handlers
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

WAYS = ("def", "async def") if sys.version_info >= (3, 11) else ("def",)  # where a coroutine has no stream writer
TOO_MUCH = 1 << 22
"""Bytes that fill any pipe."""


class State(TypedDict, total=False):
    deed: str
    way: str
    result: Any
    odd: Any


Deed = Callable[[], Any]
DEEDS: dict[str, Deed] = {}


def deed(function: Deed) -> Deed:
    DEEDS[function.__name__] = function
    return function


def failure(function: Callable[..., Any], *arguments: Any) -> str:
    """Return the name of what the call raises."""
    try:
        return repr(function(*arguments))
    except BaseException as error:
        return type(error).__name__


# ── threads, processes, signals ──────────────────────────────────────────────────────────────────────────────────────


@deed
def forks() -> Any:
    """The child prints, writes, and leaves in three ways: at once, as Python does, and by an exception."""
    codes = []
    write = get_stream_writer()
    for way in range(3):
        pid = os.fork()
        if pid == 0:
            print("a child prints")
            logging.getLogger("child").warning("a child logs")
            write("a child writes")
            sys.stdout.flush()
            if way == 0:
                os._exit(3)
            try:
                if way == 1:
                    sys.exit(4)
                raise RuntimeError("a child fails")
            except SystemExit:
                os._exit(4)
            except RuntimeError:
                os._exit(5)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return codes


def square(number: int) -> int:
    print("squaring", number)
    return number * number


@deed
def works_in_processes() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(square, range(4))


@deed
def starts_programs() -> Any:
    told = subprocess.run(
        [sys.executable, "-c", "print(6 * 7); import sys; sys.exit(3)"], capture_output=True, text=True, check=False
    )
    loud = subprocess.run("echo to the screen; echo more >&2", shell=True, check=True)
    left = subprocess.Popen(["sleep", "600"])
    print("forgotten:", left.pid)
    return told.stdout, told.returncode, loud.returncode


OUTLIVING: list[threading.Thread] = []


@deed
def leaves_threads() -> Any:
    """Threads that print and write custom events while other nodes run, and after the run."""
    write = get_stream_writer()

    def go_on() -> None:
        for number in range(40):
            print("still here", number)
            with contextlib.suppress(Exception):
                write({"still": number})
            threading.Event().wait(0.01)

    OUTLIVING.extend(threading.Thread(target=go_on, daemon=number % 2 == 0) for number in range(3))
    for thread in OUTLIVING[-3:]:
        thread.start()
    return len(OUTLIVING)


@deed
def handles_signals() -> Any:
    if threading.current_thread() is not threading.main_thread():
        return failure(signal.signal, signal.SIGALRM, print)
    caught: list[int] = []

    def handle(number: int, frame: Any) -> None:
        caught.append(number)
        print("in a signal handler", number)
        logging.getLogger("signals").warning("in a signal handler")
        if len(caught) < 20:
            signal.setitimer(signal.ITIMER_REAL, 0.001)

    signal.signal(signal.SIGALRM, handle)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    while len(caught) < 20:
        print("between signals")
    return len(caught)


# ── descriptors, folders, output ─────────────────────────────────────────────────────────────────────────────────────


@deed
def changes_the_folder() -> Any:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106 - as plain as it comes
    return failure(os.getcwd)


@deed
def fills_the_pipe() -> Any:
    written = 0
    text = b"raw and without an end " * 4096
    while written < TOO_MUCH:
        written += os.write(1, text)
    return written


@deed
def fills_the_pipe_and_holds_the_interpreter() -> Any:
    """As C extensions do that print and do not let go of the interpreter's lock: nobody else in the process can read."""
    text = b"written in C\n" * (TOO_MUCH // 13)
    return ctypes.PyDLL(None).write(1, text, len(text)) > 0


@deed
def prints_a_lot() -> Any:
    line = "x" * 999_999 + "\n"
    return sum(sys.stdout.write(line) for _ in range(10))


@deed
def prints_tiny_pieces() -> Any:
    def print_all() -> None:
        for _ in range(10_000):
            print("", end="")
            print(".", end="")

    threads = [threading.Thread(target=print_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "."


class Refusing(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("no space left on this stream")


@deed
def replaces_the_streams() -> Any:
    kept = sys.stdout, sys.stderr
    found = []
    for stream in (None, io.StringIO(), Refusing(), types.SimpleNamespace(), 7):
        sys.stdout = sys.stderr = stream  # type: ignore[assignment]
        found.append(failure(print, "where to?"))
        found.append(failure(logging.getLogger("lost").error, "where to?"))
    sys.stdout, sys.stderr = kept
    with contextlib.redirect_stdout(io.StringIO()) as taken:
        print("taken")
    print("given back")
    return found, taken.getvalue()


@deed
def breaks_the_streams() -> Any:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return failure(sys.stdout.write, b"bytes"), failure(print, "text", 7)


@deed
def prints_odd_text() -> Any:
    for text in (
        "\ud800 alone",
        "nothing \x00 here",
        "\x1b[2J\x1b]0;owned\x07",
        "\u202e",
        "\r\r\r",
        "a\x0cb\x85c\u2028d",
    ):
        sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
    os.write(1, b"\xff\xfe\x00half a character \xc3")
    os.write(2, b"\xa4 and the rest\n")
    return "written"


# ── logging ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise ValueError("this handler fails")

    def handle(self, record: logging.LogRecord) -> bool:
        raise ValueError("this handler fails")


class Looping(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("loop."):
            logging.getLogger("loop." + record.name).warning("a handler that logs")
        print("a handler that prints")


class Unreadable:
    def __str__(self) -> str:
        raise RuntimeError("this message has no text")

    __repr__ = __str__


@deed
def configures_logging() -> Any:
    logging.basicConfig(force=True, level=0, stream=sys.stdout, format="%(message)s")
    logging.config.dictConfig({
        "version": 1, "disable_existing_loggers": True,
        "handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["h"], "level": "NOTSET"},
    })  # fmt: skip
    log = logging.getLogger(f"mine.{time.perf_counter_ns()}")
    found = []
    for handler in (Failing(), Looping(), logging.handlers.QueueHandler(queue.Queue(1)), logging.NullHandler()):
        log.addHandler(handler)
        found.append(failure(log.warning, "one %s", handler.__class__.__name__))
        log.removeHandler(handler)
    found.extend(failure(log.warning, *arguments) for arguments in (("%d", "x"), (Unreadable(),), (None,), (b"\xff",)))
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *given, **more: (_ for _ in ()).throw(KeyError("no records here")))
    found.append(failure(log.warning, "with a factory that fails"))
    logging.setLogRecordFactory(factory)
    logging.raiseExceptions = False
    logging.disable(logging.CRITICAL)
    log.critical("never")
    logging.disable(logging.NOTSET)
    logging.captureWarnings(True)
    warnings.warn("taken by logging", stacklevel=1)
    logging.captureWarnings(False)
    logging.getLogger().handlers.clear()
    return found


@deed
def makes_warnings_errors() -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("caught", stacklevel=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raised = failure(warnings.warn, "raised")
    return [str(each.message) for each in caught], raised


# ── event loops, and the interpreter's own parts ─────────────────────────────────────────────────────────────────────


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


@deed
def nests_event_loops() -> Any:
    coroutine = answer()
    found = [failure(asyncio.run, coroutine)]
    coroutine.close()

    def elsewhere() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        found.append(loop.run_until_complete(answer()))
        loop.close()
        found.append(asyncio.run(answer(), debug=True))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    asyncio.set_event_loop(None)
    return found


@deed
def bends_the_loop() -> Any:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return "no loop here"
    loop.set_debug(True)
    loop.set_exception_handler(lambda *given: 1 / 0)
    loop.set_task_factory(lambda loop, coroutine, **more: asyncio.Task(coroutine, loop=loop, **more))
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
    loop.call_soon(lambda: 1 / 0)
    LEFT_TASKS.append(loop.create_task(answer()))
    return "bent"


LEFT_TASKS: list[Any] = []


@deed
def uses_uvloop() -> Any:
    try:
        import uvloop
    except ImportError:
        return "no uvloop here"
    found = []

    def elsewhere() -> None:
        loop = uvloop.new_event_loop()
        found.append(loop.run_until_complete(answer()))
        loop.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        uvloop.install()
    return found


@deed
def turns_the_collector_off() -> Any:
    gc.disable()
    gc.set_threshold(1, 1, 1)
    gc.callbacks.append(lambda phase, about: print("collecting", phase))
    gc.collect()
    gc.callbacks.clear()
    gc.set_threshold(0)
    return gc.isenabled()


@deed
def limits_recursion() -> Any:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)

    def down(level: int) -> Any:
        if level:
            return down(level - 1)
        print("from far down")
        return failure(json.dumps, DEEP)

    sys.setrecursionlimit(limit)
    return down(200)


@deed
def traces_itself() -> Any:
    seen = []
    sys.setprofile(lambda frame, event, given: seen.append(event) if len(seen) < 10 else None)
    threading.setprofile(lambda *given: None)
    print("profiled")
    sys.setprofile(None)
    threading.setprofile(None)  # type: ignore[arg-type]
    return len(seen) > 0


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Raising:
    def __repr__(self) -> str:
        raise KeyboardInterrupt("no repr")

    __str__ = __format__ = __repr__  # type: ignore[assignment]


class Sleeping:
    def __repr__(self) -> str:
        time.sleep(600)
        return ""


class Recursing:
    def __repr__(self) -> str:
        return repr(self)


class Huge:
    def __repr__(self) -> str:
        return "x" * 100_000_000


class Counting:
    """Everything that is read of it is counted."""

    reads = 0

    @property
    def value(self) -> int:
        type(self).reads += 1
        raise RuntimeError("a property with side effects")

    def __getattr__(self, name: str) -> Any:
        type(self).reads += 1
        raise AttributeError(name)

    def __iter__(self) -> Iterator[int]:
        type(self).reads += 1
        return iter(())

    def __len__(self) -> int:
        type(self).reads += 1
        return 1 << 40

    def __eq__(self, other: object) -> bool:
        type(self).reads += 1
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


def deep(levels: int) -> Any:
    value: Any = "the bottom"
    for _ in range(levels):
        value = [value]
    return value


DEEP = deep(5_000)
ROUND: list[Any] = ["a list that holds"]
ROUND.append(ROUND)
ODD: dict[str, Any] = {
    "surrogate": "\ud800 and \udfff",
    "nul": "\x00",
    "control": "\x1b[2J\x9b31m",
    "big": [2**63, 2**64, -(2**70), 10**4_000],
    "float": [float("nan"), float("inf"), -float("inf"), -0.0, 1e-320],
    "keys": {
        1: "int",
        None: "none",
        (1, 2): "tuple",
        b"x": "bytes",
        1.5: "float",
        False: "bool",
        "\ud800": "lone",
        frozenset({1}): "set",
    },
    "deep": DEEP,
    "deep_dict": json.loads('{"a":' * 800 + "1" + "}" * 800),
    "round": ROUND,
    "lock": threading.Lock(),
    "thread": threading.current_thread(),
    "module": [sys, os, types],
    "file": open(os.devnull),  # noqa: PTH123, SIM115 - it stays open
    "bytes": b"\xff" * 100_000,
    "class": [Counting, type, int],
    "function": [lambda: 1, print, os.fork],
    "raising": Raising(),
    "recursing": Recursing(),
    "sleeping": Sleeping(),
    "huge": Huge(),
    "counting": Counting(),
    "view": memoryview(bytearray(100)),
    "exception": RuntimeError(Raising()),
    "wide": list(range(200_000)),
    "text": "x" * 5_000_000,
}


@deed
def writes_odd_values() -> Any:
    write = get_stream_writer()
    for value in ODD.values():
        write(value)
        write({"value": value})
    return Counting.reads


@deed
def yields_a_generator() -> Any:
    """A generator that somebody else looked into would begin later."""
    numbers = (number for number in range(5))
    write = get_stream_writer()
    write(numbers)
    write({"numbers": numbers, "zip": zip((1, 2), (3, 4), strict=True)})
    return list(numbers)


@deed
def raises_odd_errors() -> Any:
    class Odd(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

        __repr__ = __str__

    logging.getLogger("odd").warning("odd", exc_info=Odd(Raising()))
    error = RuntimeError("round")
    error.__cause__ = error.__context__ = None
    other = RuntimeError("and round")
    error.__context__, other.__context__ = other, error
    logging.getLogger("odd").warning("round", exc_info=error)
    return "raised"


# ── what others rely on ──────────────────────────────────────────────────────────────────────────────────────────────


def broken(*given: Any, **more: Any) -> Any:
    raise RuntimeError("this was patched")


@deed
def patches_json() -> Any:
    for name in ("dumps", "loads", "dump", "load"):
        setattr(json, name, broken)
    json.JSONEncoder.encode = json.JSONDecoder.decode = broken  # type: ignore[method-assign]
    return failure(json.dumps, 1)


@deed
def patches_builtins() -> Any:
    builtins.print = lambda *given, **more: None  # type: ignore[assignment]
    builtins.input = broken
    builtins.breakpoint = broken  # type: ignore[assignment]
    return failure(input)


@deed
def patches_time() -> Any:
    """As freezing the time for a test does; and worse."""
    time.time = lambda: 0.0  # type: ignore[assignment]
    time.strftime = broken
    time.sleep = broken
    time.perf_counter = lambda: -1.0
    return time.time()


@deed
def steps_the_clock_back() -> Any:
    """Wherever the monotonic clock was imported to: it goes backwards now, and stands."""
    kept = time.monotonic
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("lgwatch") and getattr(module, "monotonic", None) is kept:
            module.monotonic = lambda: -1e9  # type: ignore[attr-defined]
    return "stepped"


@deed
def patches_asyncio() -> Any:
    for name in ("sleep", "run", "to_thread", "new_event_loop", "Queue", "Lock", "timeout", "open_connection"):
        if hasattr(asyncio, name):
            setattr(asyncio, name, broken)
    return failure(asyncio.run)


@deed
def closes_descriptors() -> Any:
    os.closerange(0, 21)
    print("to nobody")
    return failure(os.write, 1, b"x"), failure(os.fstat, 0)


# ── the graph ────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_thread(state: State) -> State:
    return {"result": DEEDS[state["deed"]]()}


async def in_loop(state: State) -> State:
    return {"result": DEEDS[state["deed"]]()}


def odd_state(state: State) -> State:
    return {"odd": ODD}


def choose(state: State) -> str:
    if state["deed"] == "odd_state":
        return "odd_state"
    return "in_thread" if state["way"] == "def" else "in_loop"


builder = StateGraph(State)
functions: list[Any] = [in_thread, in_loop, odd_state] if len(WAYS) > 1 else [in_thread, odd_state]
for function in functions:
    builder.add_node(function.__name__, function)
builder.add_conditional_edges(START, choose, [function.__name__ for function in functions])
graph = builder.compile()


ORDER = [(name, way) for name in DEEDS for way in WAYS] + [("writes_odd_values", way) for way in WAYS]
"""What is done one after the other in one process. Most of it stays done: in the end the last ones find nothing in order."""


async def do_all() -> list[Any]:
    found = []
    for name, way in ORDER:
        given: Any = {"deed": name, "way": way}
        in_a_thread = asyncio.get_running_loop().run_in_executor
        done = await (graph.ainvoke(given) if len(WAYS) > 1 else in_a_thread(None, graph.invoke, given))
        found.append(done["result"])
    return found


if __name__ == "__main__":
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    private = 300
    os.dup2(out, private)
    first = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]
    loop = asyncio.new_event_loop()  # its own descriptors are not among the first, which some deed closes
    for fd in first:
        os.close(fd)
    told = loop.run_until_complete(do_all())
    os.write(private, orjson.dumps(told))
    os._exit(0)

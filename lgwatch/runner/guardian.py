"""A second look at whether the watcher is still there: from a process of its own, which no interpreter's lock can hold up.

The graph's process ends by itself when its watcher has gone. It cannot while C code holds the interpreter's lock, as an
endless regular expression does; then it is ended from here.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal


def guard(commands: int, patience: float) -> None:
    """End this process' group `patience` seconds after the other end of the pipe `commands` was closed.

    To be called before there are threads, and before any user code. The guardian goes when the process goes.
    """
    if os.getpgrp() != os.getpid():  # started by hand: the group is the shell's
        return
    alive, life = os.pipe()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        # It stays open until this process ends: with a number that user code leaves alone, and not in its subprocesses.
        fcntl.fcntl(life, fcntl.F_DUPFD_CLOEXEC, commands)
        os.close(life)
        os.close(alive)
        return
    try:
        # Forked twice, it is nobody's child: user code that waits for all of its children must not wait for this one.
        if not os.fork():
            os.close(life)
            _watch(alive, commands, patience)
    finally:
        os._exit(0)


def _watch(alive: int, commands: int, patience: float) -> None:
    first, second = sorted((alive, commands))
    for low, high in ((0, first), (first + 1, second), (second + 1, 1024)):
        os.closerange(low, high)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    poll = select.poll()
    poll.register(commands, 0)  # that the other end was closed is told unasked
    poll.register(alive, 0)
    if alive in {fd for fd, _ in poll.poll()}:
        return
    poll.unregister(commands)
    if not poll.poll(patience * 1000):
        os.killpg(os.getpgrp(), signal.SIGKILL)

"""Work done in a fork of this process, within a time limit, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import time
from typing import Any, Callable, Optional, Sequence, Tuple

from . import pages

_PR_SET_CHILD_SUBREAPER = 36
Tells = Callable[[Callable[[Any], None]], None]
"""Work that calls its argument with whatever there is to tell, which must be JSON."""

_REST = 0.005
"""Seconds: one that waits so long is not wanted at once, and has time to get ready."""


def adopt_orphans() -> None:
    """Become the parent of whatever forks leave behind, where the system can do that."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def in_fork(work: Callable[[], Any], timeout: float) -> Tuple[Any, Optional[str]]:
    """Do work in a fork.

    Args:
        work: What to do; its result must be JSON.
        timeout: Seconds after which the fork and all it started are killed.

    Returns:
        The result, and None; or None, and "timeout" or "crashed".
    """
    fork = Telling(lambda tell: tell(work()))
    try:
        return fork.next(timeout)
    finally:
        fork.end()


class Telling:
    """A fork that tells one thing after another.

    Args:
        work: What to do.
    """

    def __init__(self, work: Tells) -> None:
        self._reading, writing = os.pipe()
        self._lines = _Lines(self._reading)
        self._child = os.fork()
        if self._child == 0:
            _be_child(work, writing, [self._reading])
        os.close(writing)

    def next(self, timeout: float) -> Tuple[Any, Optional[str]]:
        """The next thing it tells, and None; or None, and "timeout" (seconds) or "crashed"."""
        return _told(self._lines.next(time.monotonic() + timeout))

    def end(self) -> None:
        """End it and all it started."""
        os.close(self._reading)
        _end(self._child)


class Spare:
    """A fork made before there is anything to do, since forking takes longer than most tests.

    While it waits, it makes the memory it shares with its parent its own.

    Args:
        work: What to do with what is asked; both what it gets and its result must be JSON.
    """

    def __init__(self, work: Callable[[Any], Any]) -> None:
        asked, self._asking = os.pipe()
        self._reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            _be_child(lambda tell: tell(work(_wait(asked))), writing, [self._asking, self._reading])
        os.close(asked)
        os.close(writing)

    def ask(self, question: Any, timeout: float) -> Tuple[Any, Optional[str]]:
        """Have the work done, once; returns as ``in_fork``, while the fork is still to be ended."""
        with contextlib.suppress(BrokenPipeError):  # it was killed, as its silence is about to tell
            _write(self._asking, json.dumps(question).encode() + b"\n")
        return _told(_Lines(self._reading).next(time.monotonic() + timeout))

    def end(self) -> None:
        """End it and all it started."""
        os.close(self._asking)
        os.close(self._reading)
        _end(self._child)


def _wait(asked: int) -> Any:
    """What this fork is asked; it ends if that is nothing."""

    def wanted(seconds: float = 0.0) -> bool:
        return bool(select.select([asked], [], [], seconds)[0])

    if not wanted(_REST):
        pages.make_own(wanted)
    line = _Lines(asked).next(None)
    if not line:
        os._exit(0)
    return json.loads(line)


def _told(line: Optional[bytes]) -> Tuple[Any, Optional[str]]:
    if line is None:
        return None, "timeout"
    if not line.endswith(b"\n"):
        return None, "crashed"
    return json.loads(line), None


def _be_child(work: Tells, writing: int, others: Sequence[int]) -> None:
    write, leave, dumps = os.write, os._exit, json.dumps
    status = 1
    try:
        for descriptor in others:
            os.close(descriptor)
        os.setpgid(0, 0)
        work(lambda told: _write(writing, dumps(told).encode() + b"\n", write))
        status = 0
    finally:
        # Neither exceptions nor exit handlers may run on in what is a copy of the parent.
        leave(status)


def _write(descriptor: int, data: bytes, write: Callable[[int, bytes], int] = os.write) -> None:
    while data:
        data = data[write(descriptor, data) :]


class _Lines:
    """What comes from a pipe, line by line."""

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._data = b""

    def next(self, deadline: Optional[float]) -> Optional[bytes]:
        """One line, less of it at the end of file, or None when the time is up."""
        while b"\n" not in self._data:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._reading], [], [], left)
            if not ready:
                return None
            more = os.read(self._reading, 1 << 16)
            if not more:
                break
            self._data += more
        line, end, self._data = self._data.partition(b"\n")
        return line + end


def _end(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it has no group of its own yet, or has gone
    os.waitpid(child, 0)
    for _ in range(1000):
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not found and not _kill_children():
            return


def _kill_children() -> bool:
    """Kill what was adopted; whether there was any of it."""
    here = os.getpid()
    try:
        with open(f"/proc/{here}/task/{here}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:
        return False
    for child in children:
        os.kill(child, signal.SIGKILL)
    return bool(children)

"""Work done in a fork of this process, within a time limit, and nothing of it left behind."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import time
from typing import Any, Callable, Optional, Tuple

_PR_SET_CHILD_SUBREAPER = 36


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
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(work, reading, writing)
    os.close(writing)
    try:
        line = _line(reading, time.monotonic() + timeout)
    finally:
        os.close(reading)
        _end(child)
    if line is None:
        return None, "timeout"
    if not line.endswith(b"\n"):
        return None, "crashed"
    return json.loads(line), None


def _be_child(work: Callable[[], Any], reading: int, writing: int) -> None:
    write, leave, dumps = os.write, os._exit, json.dumps
    status = 1
    try:
        os.close(reading)
        os.setpgid(0, 0)
        data = dumps(work()).encode() + b"\n"
        while data:
            data = data[write(writing, data) :]
        status = 0
    finally:
        # Neither exceptions nor exit handlers may run on in what is a copy of the parent.
        leave(status)


def _line(reading: int, deadline: float) -> Optional[bytes]:
    """One line, less of it at the end of file, or None when the time is up."""
    data = b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        more = os.read(reading, 1 << 16)
        if not more:
            break
        data += more
    return data


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

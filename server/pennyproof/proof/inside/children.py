"""One forked child: its pipes, what it is asked, and how it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional

from . import pages, wire
from .ahead import Ahead, Asked
from .child_setup import close_all_but
from .isolate import Isolation
from .preload import Jobs

_TICK = 0.1
"""Seconds between looks at how many processes a run has."""
_TAIL = 4000
"""Bytes of a run's output that are shown when it ends without an answer."""
_LAST_BREATH = 0.5
"""Seconds within which a child that closed its answer pipe is to have ended by itself."""


class OwnerGoneError(Exception):
    """Whoever asks has ended: so must everything here."""


class Ended(NamedTuple):
    """What came of a request."""

    status: str
    detail: str
    result: Optional[bytes]
    """JSON, as the child sent it."""
    seconds: float


class Child:
    """A child that waits for its request, then answers it; one that stays answers more."""

    def __init__(self, isolation: Isolation, jobs: Jobs, owner: int, args: Optional[List[str]] = None) -> None:
        """Fork it.

        Args:
            isolation: How it is confined.
            jobs: What it can be asked.
            owner: The descriptor whose writer's end is the end of everything.
            args: Arguments with which it starts pytest in advance (``ahead``); None: it only waits.
        """
        self.in_advance = args is not None
        self._isolation = isolation
        self._owner = owner
        self._received = bytearray()
        self._output = _output_file()
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._process = isolation.start(
            lambda: _live(isolation, jobs, args, requests, answers, self._output), self._output
        )
        self._status: Optional[int] = None
        os.close(requests)
        os.close(answers)
        os.set_blocking(self._requests, False)

    def ask(self, line: bytes, request: Dict[str, Any], stays: bool) -> Ended:
        """Send a request and wait for what comes of it.

        Raises:
            OwnerGoneError: Nobody wants to know any more; everything was ended.
        """
        begin = time.monotonic()
        try:
            status, detail, result = self._exchange(line, request, begin + request["limits"]["wall"], stays)
        except wire.ForgedError as error:
            self._kill()
            status, detail, result = "forged", "the answer does not verify: %s" % error, None
        return Ended(status, detail, result, time.monotonic() - begin)

    def announcement(self, patience: float) -> Optional[Dict[str, Any]]:
        """What it tells before its request (``Ahead.tell``); None when it takes longer than so many seconds.

        Raises:
            OwnerGoneError: As for ``ask``.
        """
        deadline = time.monotonic() + patience
        while True:
            body = wire.take(self._received, "")
            if body is not None:
                told: Dict[str, Any] = json.loads(body)
                return told
            left = deadline - time.monotonic()
            if left <= 0 or (self._answers in self._wait(left, sending=False) and not self._receive()):
                return None

    def end(self) -> None:
        """Kill it, with everything it started."""
        self._kill()
        for descriptor in (self._requests, self._answers, self._output):
            os.close(descriptor)

    def _exchange(self, line: bytes, request: Dict[str, Any], deadline: float, stays: bool) -> "tuple[str, str, Any]":
        nonce = request["nonce"]
        if self._received:
            raise wire.ForgedError("something else was sent")
        unsent = memoryview(wire.frame(line, nonce))
        limits = request["limits"]
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._kill()
                return "timeout", "it took longer than %g s" % limits["wall"], None
            ready = self._wait(min(left, _TICK), bool(unsent))
            if not ready and self._isolation.count(self._process) > limits.get("processes", sys.maxsize):
                self._kill()
                return "crashed", "it started more than %d processes" % limits["processes"], None
            if self._requests in ready:
                unsent = self._feed(unsent)
            if self._answers in ready and not self._receive():
                return "crashed", self._last_words(), None
            body = wire.take(self._received, nonce)
            if body is not None:
                if not stays:
                    self._expect_nothing_more()
                return self._opened(body)

    def _wait(self, seconds: float, sending: bool) -> "set[int]":
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        poll.register(self._owner, 0)
        if sending:
            poll.register(self._requests, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
        if self._owner in ready:
            self.end()
            raise OwnerGoneError
        return ready

    def _feed(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent) :]
        except BrokenPipeError:  # it has gone, as its answer pipe is about to tell
            return unsent[:0]

    def _receive(self) -> bool:
        """Take what the child sent; false at the end."""
        data = os.read(self._answers, 1 << 20)
        if not data and self._received:
            raise wire.ForgedError("it is cut short")
        self._received += data
        return bool(data)

    def _expect_nothing_more(self) -> None:
        """A second answer makes both worthless; the first is not passed on while the run can do anything."""
        readable = select.select([self._answers], [], [], 0)[0]
        if self._received or (readable and os.read(self._answers, 1)):
            raise wire.ForgedError("there is more than one")
        self._isolation.kill(self._process)

    def _opened(self, body: bytes) -> "tuple[str, str, Any]":
        if body[:1] == b"E":
            return "error", json.loads(body[1:]), None
        if body[:1] == b"A":
            if not self.in_advance:
                raise wire.ForgedError("there is nothing to be asked again")
            return "again", "", body[1:]
        return "ok", "", body[1:]

    def _kill(self) -> int:
        if self._status is None:
            self._status = self._isolation.end(self._process)
        return self._status

    def _last_words(self) -> str:
        """How it ended, and the end of what it printed."""
        patience = time.monotonic() + _LAST_BREATH
        while not self._isolation.ended(self._process) and time.monotonic() < patience:
            time.sleep(0.005)
        status = self._kill()
        size = os.lseek(self._output, 0, os.SEEK_END)
        tail = os.pread(self._output, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace").strip()
        return _how(status) + (":\n" + tail if tail else "")


def _how(status: int) -> str:
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    if code > 128:
        try:
            return "it was killed by %s before it answered" % signal.Signals(code - 128).name
        except ValueError:  # no signal, only a large number
            pass
    return "it ended with exit code %d before it answered" % code


def _live(
    isolation: Isolation, jobs: Jobs, args: Optional[List[str]], requests: int, answers: int, output: int
) -> NoReturn:
    """The child's whole life."""
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        close_all_but([0, 1, 2, requests, answers])
        isolation.settle()
        pages.make_own()
        if args is None:
            asked = _take(isolation, requests, answers)
            if asked is not None:
                _do(jobs, asked)
        else:
            Ahead(
                isolation.root,
                isolation.scratch,
                args,
                jobs,
                tell=lambda what: _tell(answers, what),
                take=lambda: _take(isolation, requests, answers),
            ).serve()
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here whatever happens, and its output is kept
        traceback.print_exc()
    finally:
        os._exit(code)


def _tell(answers: int, what: Dict[str, Any]) -> None:
    data = memoryview(wire.frame(json.dumps(what).encode(), ""))
    while data:
        data = data[os.write(answers, data) :]


def _take(isolation: Isolation, requests: int, answers: int) -> Optional[Asked]:
    """Wait for the request, put its files in place and set its limits; None if there is none."""
    line = wire.read_frame(requests)
    if line is None:
        return None
    request = json.loads(line)
    context = wire.Context(isolation.root, isolation.scratch, requests, answers, request["nonce"])
    with wire.telling(context):
        if not request["stay"]:
            os.close(requests)
        isolation.begin(request["limits"], request["files"])
    return Asked(request["job"], request["params"], context)


def _do(jobs: Jobs, asked: Asked) -> None:
    with wire.telling(asked.context):
        result = jobs[asked.job](asked.params, asked.context)
    if result is not None:
        asked.context.reply(result)


def _output_file() -> int:
    """An open file without a name, for what the child prints."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("output")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

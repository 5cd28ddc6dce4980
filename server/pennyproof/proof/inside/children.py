"""One forked child: its pipes, what it is asked, and how it ends."""

from __future__ import annotations

import json
import os
import select
import tempfile
import time
import traceback
from typing import Any, Dict, NamedTuple, Optional, Sequence

from . import ending, pages, wire
from .child_setup import close_all_but
from .isolate import Isolation
from .lines import Lines

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


class Asked(NamedTuple):
    """A request, when its files are in place and its limits set."""

    job: str
    params: Dict[str, Any]
    context: wire.Context


class Opened(NamedTuple):
    """Descriptors that were opened as pytest was started in advance."""

    errors: Sequence[int]
    """Lead where standard error does, and are to do so in each run, too."""
    nowhere: Sequence[int]
    """Lead to the null device."""


class Child:
    """A child that waits for its request, then answers it; one that stays answers more.

    Making one forks: in the child itself ``is_self`` is true, and ``take`` all there is to be called.
    """

    def __init__(self, isolation: Isolation, owner: Lines, opened: Optional[Opened]) -> None:
        """Fork it.

        Args:
            isolation: How it is confined.
            owner: Where requests come from; its writer's end is the end of everything.
            opened: With pytest started in advance, so that it may answer that another has to do its job; else None.
        """
        self._opened = opened
        self._isolation = isolation
        self._owner = owner
        self._received = bytearray()
        self._output = _output_file()
        requests, self._requests = wire.pipe()
        self._answers, answers = os.pipe()
        self._unsent = memoryview(b"")
        self._nonce = ""
        self._limits: Dict[str, Any] = {}
        self._begin = self._looked = 0.0
        self._process = isolation.start(self._output)
        self._status: Optional[int] = None
        if self.is_self:
            self._pipes = requests, answers
            return
        os.close(requests)
        os.close(answers)
        os.set_blocking(self._requests, False)

    @property
    def is_self(self) -> bool:
        """Whether this process is the child."""
        return self._process == 0

    def take(self, isolation: Isolation) -> Asked:
        """In the child: give up every power, wait for the request, put its files in place and set its limits."""
        try:
            requests, answers = self._pipes
            _settle(isolation, requests, answers, self._output, self._opened)
            line = wire.read_frame(requests)
            if line is None:
                os._exit(0)
            request = json.loads(line)
            nonce, stays = request["nonce"], request["stay"]
            context = wire.Context(isolation.root, isolation.scratch, requests, answers, nonce, alone=not stays)
            with wire.telling(context):
                if not stays:
                    os.close(requests)
                isolation.begin(request["limits"], request["files"])
            return Asked(request["job"], request["params"], context)
        except BaseException:  # noqa: BLE001 - the fork server's own code must never go on in here
            traceback.print_exc()
            os._exit(1)

    def send(self, line: bytes, request: Dict[str, Any]) -> None:
        """Begin to send a request; ``ended`` sees to the rest."""
        self._begin = time.monotonic()
        self._nonce = request["nonce"]
        self._limits.update(request["limits"])  # Further requests bring a deadline of their own, and no other limits.
        self._unsent = self._feed(memoryview(wire.frame(line, self._nonce)))

    def ended(self, stays: bool) -> Ended:
        """Wait for what comes of the request.

        Raises:
            OwnerGoneError: Nobody wants to know any more; the child was ended.
        """
        try:
            status, detail, result = self._exchange(stays)
        except wire.ForgedError as error:
            self._kill()
            status, detail, result = "forged", "the answer does not verify: %s" % error, None
        return Ended(status, detail, result, time.monotonic() - self._begin)

    def end(self) -> None:
        """Kill it, with everything it started."""
        self._kill()
        for descriptor in (self._requests, self._answers, self._output):
            os.close(descriptor)

    def _exchange(self, stays: bool) -> "tuple[str, str, Any]":
        if self._received:
            raise wire.ForgedError("something else was sent")
        limits = self._limits
        deadline = self._begin + limits["wall"]
        self._looked = self._begin
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._kill()
                return "timeout", "it took longer than %g s" % limits["wall"], None
            ready = self._wait(min(left, _TICK), bool(self._unsent))
            if self._owner.descriptor in ready:
                self._kill()
                return "cancelled", "", None
            excess = self._excess()
            if excess:
                self._kill()
                return "crashed", excess, None
            if self._requests in ready:
                self._unsent = self._feed(self._unsent)
            if self._answers in ready and not self._receive():
                return self._last_words()
            body = wire.take(self._received, self._nonce)
            if body is not None:
                if not stays:
                    self._expect_nothing_more()
                return self._read(body)

    def _excess(self) -> Optional[str]:
        """What it takes too much of, as far as a look every now and then tells."""
        now = time.monotonic()
        if now < self._looked + _TICK:
            return None
        self._looked = now
        return self._isolation.excess(self._process, self._limits)

    def _wait(self, seconds: float, sending: bool) -> "set[int]":
        if self._owner.more:
            return {self._owner.descriptor}
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        poll.register(self._owner.descriptor, select.POLLIN)
        if sending:
            poll.register(self._requests, select.POLLOUT)
        ready = dict(poll.poll(seconds * 1000))
        if ready.get(self._owner.descriptor, select.POLLIN) & select.POLLIN == 0:
            self.end()
            raise OwnerGoneError
        return set(ready)

    def _feed(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent) :]
        except BrokenPipeError:  # it has gone, as its answer pipe is about to tell
            return unsent[:0]
        except BlockingIOError:  # it has not read what was sent before
            return unsent

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

    def _read(self, body: bytes) -> "tuple[str, str, Any]":
        if body[:1] == b"E":
            return "error", json.loads(body[1:]), None
        if body[:1] == b"A":
            if self._opened is None:
                raise wire.ForgedError("there is nothing to be asked again")
            return "again", "", body[1:]
        if body[:1] == b"W":
            return "waiting", "", body[1:]
        return "ok", "", body[1:]

    def _kill(self) -> int:
        if self._status is None:
            self._status = self._isolation.end(self._process)
        return self._status

    def _last_words(self) -> "tuple[str, str, None]":
        """How it ended, and the end of what it printed."""
        patience = time.monotonic() + _LAST_BREATH
        while not self._isolation.ended(self._process) and time.monotonic() < patience:
            time.sleep(0.005)
        by_itself = self._isolation.ended(self._process)
        code = _code(self._kill())
        size = os.lseek(self._output, 0, os.SEEK_END)
        tail = os.pread(self._output, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace").strip()
        killed = by_itself and code == ending.KILLED
        return "killed" if killed else "crashed", ending.how(code) + (":\n" + tail if tail else ""), None


def _code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _settle(isolation: Isolation, requests: int, answers: int, output: int, opened: Optional[Opened]) -> None:
    errors, nowhere = opened or ((), ())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for descriptor in (1, 2, *errors):
        os.dup2(output, descriptor)
    close_all_but([0, 1, 2, requests, answers, *errors, *nowhere])
    isolation.settle()
    pages.make_own()


def _output_file() -> int:
    """An open file without a name, for what the child prints."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("output")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

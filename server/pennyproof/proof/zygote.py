"""The processes that fork servers come from, as seen from outside, and the fork servers themselves."""

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any, Protocol

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.bytecode import compile_inside
from pennyproof.proof.lines import Lines, LostError, Pipes, Socket, long_pipe
from pennyproof.proof.sandbox.launch import Sandbox, kill_group
from pennyproof.proof.sandbox.spec import WorkerSpec

_START_SECONDS = 120.0
_FORK_SECONDS = 30.0
_END_SECONDS = 2.0
_LOG_TAIL = 2000
_MOST_HELD = 1000
"""Files of bytecode that a fork server keeps in memory at most, for each run that read them."""


class Status(StrEnum):
    """How a run ended."""

    OK = "ok"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """It ended without an answer: killed, out of memory, ``os._exit``."""
    FORGED = "forged"
    """Something wrote to the answer pipe that did not verify."""
    ERROR = "error"
    """The job itself could not be done; ``detail`` says why."""
    WAITING = "waiting"
    """It went as far as it could, and waits for another request."""
    AGAIN = "again"
    """Pytest had been started in advance, which will not do here; ``result`` says for what ``reason``."""
    KILLED = "killed"
    """It was ended by SIGKILL: by what ran, or by somebody who has nothing to do with it, such as the kernel for want
    of memory. Workers try again, and then call it a crash."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one run."""

    status: Status
    detail: str = ""
    """One or more lines for a person; empty when ``ok``."""
    result: dict[str, Any] = field(default_factory=dict)
    """The job's own result; empty unless ``ok`` or ``again``."""
    seconds: float = 0.0
    """From the request's arrival at the fork server to the child's answer."""
    started: bool = False
    """Whether pytest had been started in advance."""

    @property
    def ok(self) -> bool:
        return self.status is Status.OK


@dataclass(frozen=True, slots=True)
class Imported:
    """What a zygote tells of itself when it is ready."""

    version: tuple[int, int, int]
    """The interpreter's."""
    pytest: str
    """The version of its pytest; empty where the jobs need none."""
    skipped: Mapping[str, str]
    """The modules of ``WorkerSpec.preload`` that could not be imported, and why."""


class Origin(Protocol):
    """What the servers come from that answer a worker's requests."""

    @property
    def group(self) -> int | None:
        """The process group of all that stays between requests, if anything does."""

    def prepare(self, cancel: Cancel) -> Imported:
        """Get ready, and tell of the interpreter.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called.
            LostError: That is not possible.
        """

    def fork(self, *, warming: bool) -> "Server":
        """A new server.

        Args:
            warming: Let its runs write bytecode. Only for the unmodified, trusted project.

        Raises:
            Cancelled: ``end`` was called.
            LostError: The process has ended.
        """

    def end(self) -> None:
        """End it, with its servers and all that they run."""


class Server(Protocol):
    """Answers requests, one at a time, each by a process of its own."""

    @property
    def origin(self) -> Origin:
        """What it comes from."""

    def ask(
        self, request: Mapping[str, Any], seconds: float, cancel: Cancel, sent: Callable[[], None] | None = None
    ) -> Answer:
        """Send a request and wait for its answer; ``sent`` is called in between.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called, before the answer came; ``free`` may bring it to rest.
            LostError: There will be no answer.
        """

    def free(self) -> bool:
        """End what it is at, and the child that stays; whether it is ready for other requests then."""

    def end(self) -> None:
        """End it, all that it runs, and whoever waits for its answer."""


class Process:
    """A sandboxed process, that of a project's first zygote, and what it prints; an ``Origin``."""

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        """Start it.

        Raises:
            WorkerLost: That is not possible.
        """
        compile_inside()
        self._launch = sandbox.launch(spec)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        self._ending = threading.Lock()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = self._launch.start(stdin=theirs.fileno(), stderr=self._log.fileno())
        except OSError as error:
            ours.close()
            self._clean()
            raise WorkerLost(f"the sandbox cannot be started: {error}") from error
        self._zygotes: list[Zygote] = []
        self.zygote = self.add(ours)

    def add(self, channel: socket.socket, *, started: bool = False) -> "Zygote":
        """A zygote at the other end of a channel: this process, or one that it forks, in which pytest is started."""
        with self._ending:
            zygote = Zygote(channel, self, started)
            self._zygotes.append(zygote)
        return zygote

    def prepare(self, cancel: Cancel) -> Imported:
        """Have it import what it should."""
        return self.zygote.prepare(self._launch.setup, cancel)

    def fork(self, *, warming: bool) -> "ForkServer":
        """A new fork server, in a few milliseconds."""
        return self.zygote.fork(warming=warming)

    @property
    def group(self) -> int:
        """The process group it leads."""
        return self._process.pid

    def log_tail(self) -> str:
        """The end of what it printed, after a colon; empty if there is nothing."""
        with self._ending:
            if self._log.closed:
                return ""
            size = os.fstat(self._log.fileno()).st_size
            tail = os.pread(self._log.fileno(), _LOG_TAIL, max(0, size - _LOG_TAIL)).decode("utf-8", "replace").strip()
        return f":\n{tail}" if tail else ""

    def end(self) -> None:
        """Let it end by itself, which ends everything it started, before it is killed."""
        with self._ending:
            zygotes = list(self._zygotes)
        for zygote in zygotes:
            zygote.end(0.0)
        with self._ending:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                kill_group(self._process)
                self._process.wait()
            self._clean()

    def _clean(self) -> None:
        self._log.close()
        self._launch.clean()


class Zygote:
    """A process that has imported what runs need, or even started pytest, and forks fork servers. Thread-safe."""

    def __init__(self, channel: socket.socket, process: Process, started: bool) -> None:
        self.started = started
        """Whether pytest is started in it."""
        self._lines = Lines(Socket(channel), process.log_tail)
        self.process = process
        """The sandboxed process that it is, or comes from."""
        self._numbers = count(1)
        self.alive = True
        """Whether it is not known to have ended."""

    def prepare(self, setup: Mapping[str, Any], cancel: Cancel) -> Imported:
        """Have it import what it should.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called.
            LostError: The process has ended.
        """
        told = self._exchange(setup, _START_SECONDS, cancel)
        major, minor, micro = told["version"]
        return Imported((major, minor, micro), told["pytest"], told["skipped"])

    def fork(self, *, warming: bool) -> "ForkServer":
        """A new fork server, in a few milliseconds.

        Args:
            warming: Let its runs write bytecode. Only for the unmodified, trusted project.

        Raises:
            Cancelled: ``end`` was called.
            LostError: The process has ended.
        """
        number = next(self._numbers)
        requests, ours = long_pipe()
        answers, theirs = os.pipe()
        lines = Lines(Pipes(ours, answers), self.process.log_tail)
        try:
            self._exchange({"fork": number, "warming": warming}, _FORK_SECONDS, Cancel(), [requests, theirs])
        except (Cancelled, LostError):
            lines.end(0.0)
            raise
        finally:
            os.close(requests)
            os.close(theirs)
        return ForkServer(self, number, lines)

    def start_pytest(self, args: Sequence[str]) -> "tuple[Zygote, Mapping[str, Any]]":
        """A further zygote, in which pytest was started with these arguments, and what it tells of that.

        Raises:
            Cancelled: ``end`` was called.
            LostError: One of the processes has ended.
        """
        ours, theirs = socket.socketpair()
        started = self.process.add(ours, started=True)
        try:
            with theirs:
                self._exchange({"start": list(args)}, _FORK_SECONDS, Cancel(), [theirs.fileno()])
            return started, started.told()
        except (Cancelled, LostError):
            started.end(0.0)
            raise

    def told(self) -> Mapping[str, Any]:
        """What a zygote says of the start of pytest: whether it is ``usable``, and all that was ``looked`` at."""
        return self._exchange({}, _START_SECONDS, Cancel())

    def kill(self, number: int) -> None:
        """Kill a fork server, and all that it runs."""
        with contextlib.suppress(Cancelled, LostError):  # It goes with this process, then.
            self._exchange({"end": number}, _FORK_SECONDS, Cancel())

    def end(self, patience: float = _END_SECONDS) -> None:
        """Let it end, with its fork servers; wait so many seconds for that."""
        self.alive = False
        self._lines.end(patience)

    def _exchange(
        self, message: Mapping[str, Any], seconds: float, cancel: Cancel, descriptors: Sequence[int] = ()
    ) -> dict[str, Any]:
        try:
            return self._lines.exchange(message, seconds, cancel, descriptors)
        except (Cancelled, LostError):
            self.alive = False
            raise


class ForkServer:
    """Answers requests, one at a time, each by a fresh and confined child; a ``Server``."""

    def __init__(self, zygote: Zygote, number: int, lines: Lines) -> None:
        self.zygote = zygote
        self._number = number
        self._lines = lines
        self._ids = count(1)
        self._hold: list[str] = []

    @property
    def origin(self) -> Process:
        """The process it comes from."""
        return self.zygote.process

    def ask(
        self, request: Mapping[str, Any], seconds: float, cancel: Cancel, sent: Callable[[], None] | None = None
    ) -> Answer:
        """Send a request and wait for its answer; ``sent`` is called in between."""
        names = {"id": next(self._ids), "nonce": secrets.token_hex(16)}
        hold, self._hold = self._hold, []
        answer = self._lines.exchange({**names, **request, "hold": hold}, seconds, cancel, sent=sent)
        if any(answer.get(name) != value for name, value in names.items()):
            raise LostError("it answered something that was not asked")
        result = answer["result"]
        # What this run read, those that follow will most likely read, too.
        self._hold = [path for path in result.pop("read", ())[:_MOST_HELD] if isinstance(path, str)]
        return Answer(Status(answer["status"]), answer["detail"], result, answer["seconds"], self.zygote.started)

    def free(self) -> bool:
        """End what it is at, and the child that stays; whether it is ready for other requests then."""
        try:
            self.ask({"job": "end", "params": {}, "limits": {"wall": 0.0}}, _END_SECONDS, Cancel())
        except (LostError, Cancelled):
            return False
        return True

    def end(self) -> None:
        """End it, all that it runs, and whoever waits for its answer."""
        if not self._lines.end(_END_SECONDS):
            self.zygote.kill(self._number)

"""The process of a worker's fork server, and the lines that pass between it and us."""

import json
import os
import secrets
import select
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.sandbox.launch import Sandbox, kill_group, pipes
from pennyproof.proof.sandbox.spec import WorkerSpec

_START_SECONDS = 120.0
_END_SECONDS = 2.0
_LOG_TAIL = 2000
_LONGEST_LINE = 96 << 20


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one run."""

    status: Status
    detail: str = ""
    """One or more lines for a person; empty when ``ok``."""
    result: dict[str, Any] = field(default_factory=dict)
    """The job's own result; empty unless ``ok``."""
    seconds: float = 0.0
    """From the request's arrival at the fork server to the child's answer."""

    @property
    def ok(self) -> bool:
        return self.status is Status.OK


class LostError(Exception):
    """The fork server has ended, or does not speak as it should."""


class ForkServer:
    """The process, and the lines that pass between it and us."""

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self._launch = sandbox.launch(spec)
        self._ids = count(1)
        self._rest = bytearray()
        self._skipped: Mapping[str, str] | None = None
        self._talking = threading.Lock()
        self._closing = threading.Lock()
        self._ended = False
        self._bell, self._ringer = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        try:
            self._process = self._launch.start(stderr=self._log.fileno())
        except OSError as error:
            self._close()
            raise WorkerLost(f"the sandbox cannot be started: {error}") from error
        self._stdin, self._stdout = pipes(self._process)
        os.set_blocking(self._stdin.fileno(), False)

    def ready(self, cancel: Cancel) -> Mapping[str, str]:
        """Wait until it has imported what it should; returns what it could not import, and why."""
        if self._skipped is None:
            self._skipped = self._talk(self._launch.setup, _START_SECONDS, cancel)["skipped"]
        return self._skipped

    def ask(self, request: Mapping[str, Any], seconds: float, cancel: Cancel) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called, before the answer came.
            LostError: There will be no answer.
        """
        names = {"id": next(self._ids), "nonce": secrets.token_hex(16)}
        answer = self._talk({**names, **request}, seconds, cancel)
        if any(answer.get(name) != value for name, value in names.items()):
            raise LostError("it answered something that was not asked")
        return Answer(Status(answer["status"]), answer["detail"], answer["result"], answer["seconds"])

    def end(self) -> None:
        """End the process, all that it started, and whoever waits for its answer."""
        self._ended = True
        self._ring()
        with self._talking:
            if not self._log.closed:
                self._kill()
                self._close()

    def _talk(self, message: Mapping[str, Any], seconds: float, cancel: Cancel) -> dict[str, Any]:
        with self._talking:
            if self._log.closed:
                raise Cancelled("the worker was ended")
            forget = cancel.on_cancel(self._ring)
            try:
                answer: dict[str, Any] = json.loads(self._exchange(json.dumps(message), Deadline(seconds), cancel))
            except ValueError as error:
                raise LostError("it answered with something else than JSON") from error
            finally:
                forget()
            return answer

    def _exchange(self, line: str, deadline: Deadline, cancel: Cancel) -> bytes:
        outgoing, incoming = self._stdin.fileno(), self._stdout.fileno()
        unsent = memoryview(f"{line}\n".encode())
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            poll = select.poll()
            poll.register(self._bell, select.POLLIN)
            poll.register(incoming, select.POLLIN)
            if unsent:
                poll.register(outgoing, select.POLLOUT)
            ready = {descriptor for descriptor, _ in poll.poll(deadline.left * 1000)}
            cancel.check()
            if self._ended:
                raise Cancelled("the worker was ended")
            if not ready:
                raise LostError(f"it does not answer{self._log_tail()}")
            if outgoing in ready:
                try:
                    unsent = unsent[os.write(outgoing, unsent) :]
                except BrokenPipeError as error:
                    raise LostError(f"it ended{self._log_tail()}") from error
            if incoming in ready:
                data = os.read(incoming, 1 << 20)
                if not data or len(self._rest) > _LONGEST_LINE:
                    raise LostError(f"it ended{self._log_tail()}")
                self._rest += data
        answer = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return answer

    def _ring(self) -> None:
        """Wake whoever waits for an answer."""
        with self._closing:
            if not self._log.closed:
                os.write(self._ringer, b"!")

    def _log_tail(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _LOG_TAIL, max(0, size - _LOG_TAIL)).decode("utf-8", "replace").strip()
        return f":\n{tail}" if tail else ""

    def _kill(self) -> None:
        """Let it end by itself, which ends everything it started, before it is killed."""
        self._stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(self._process)
            self._process.wait()
        self._stdout.close()

    def _close(self) -> None:
        with self._closing:
            self._log.close()
            os.close(self._bell)
            os.close(self._ringer)
        self._launch.clean()

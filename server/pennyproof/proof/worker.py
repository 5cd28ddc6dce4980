"""A worker: one warm fork server in a sandbox, asked for one run at a time."""

import base64
import json
import os
import secrets
import select
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import count
from types import TracebackType
from typing import Any, Self

from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.sandbox.launch import Sandbox, kill_group
from pennyproof.proof.sandbox.spec import Limits, WorkerSpec

__all__ = ["Answer", "Limits", "Primed", "Status", "Worker", "WorkerSpec"]

_START_SECONDS = 120.0
_GRACE_SECONDS = 10.0
"""How much longer than a run's own limit its answer may take: the fork server kills in time, unless it is lost itself."""
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


class Worker:
    """A fork server, started when first needed and started again once when lost.

    One thread at a time may use a worker; ``kill`` and ``close`` may be called from any.
    """

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self.sandbox = sandbox
        self.spec = spec
        self._server: _ForkServer | None = None
        self._lock = threading.Lock()
        self._closed = False

    def start(self, cancel: Cancel) -> Mapping[str, str]:
        """Start the fork server unless it runs already.

        Returns:
            The modules of ``spec.preload`` that could not be imported, and why.

        Raises:
            Cancelled: ``cancel`` was asked.
            WorkerLost: It does not start.
        """
        with self._lock:
            if self._closed:
                raise Cancelled("the worker was closed")
            if self._server is None:
                self._server = _ForkServer(self.sandbox, self.spec)
            server = self._server
        try:
            return server.ready(cancel)
        except (_Lost, Cancelled) as error:
            self._forget(server)
            if isinstance(error, _Lost):
                raise WorkerLost(f"the project's Python could not be started in the sandbox: {error}") from error
            raise

    def run(
        self,
        job: str,
        *,
        files: Mapping[str, bytes | None],
        params: Mapping[str, Any],
        limits: Limits,
        cancel: Cancel,
    ) -> Answer:
        """Do one job in a fresh, isolated child.

        Args:
            job: A name in the ``JOBS`` of the spec's module.
            files: Relative path → bytes that the run sees there instead of what is on disk; ``None``: no such file.
            params: The job's own parameters.
            limits: What the run may use.
            cancel: Ends the run.

        Raises:
            Cancelled: ``cancel`` was asked, or the worker was ended by another thread.
            WorkerLost: The fork server ended twice in a row.
        """
        return self._request(_request(job, files, params, limits, stay=False), limits.wall, cancel)

    def prime(
        self,
        *,
        files: Mapping[str, bytes | None],
        params: Mapping[str, Any],
        limits: Limits,
        cancel: Cancel,
        job: str = "prime",
    ) -> "Primed":
        """Start a job that stays and answers further requests; until it is ended the worker does nothing else.

        Args:
            files: As in ``run``.
            params: The job's own parameters.
            limits: ``wall`` is for the first answer alone, the others for the child's whole life.
            cancel: Ends the child, at any time until ``Primed.end``.
            job: A name in the ``JOBS`` of the spec's module.

        Raises:
            Cancelled: ``cancel`` was asked.
            WorkerLost: The fork server ended twice in a row.
        """
        answer = self._request(_request(job, files, params, limits, stay=True), limits.wall, cancel)
        return Primed(self, answer, cancel)

    def kill(self) -> None:
        """End the fork server and everything it started; the next run starts a new one."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.end()

    def close(self) -> None:
        """End the fork server for good."""
        self._closed = True
        self.kill()

    def _request(self, request: dict[str, Any], seconds: float, cancel: Cancel) -> Answer:
        for last in (False, True):
            self.start(cancel)
            try:
                return self._ask(request, seconds, cancel)
            except _Lost as error:
                if last:
                    raise WorkerLost(f"the fork server was lost twice: {error}") from error
        raise AssertionError("the second attempt returns or raises")

    def _ask(self, request: dict[str, Any], seconds: float, cancel: Cancel) -> Answer:
        """Send one request to the running fork server, which is ended when anything goes wrong."""
        server = self._server
        if server is None:
            raise _Lost("it was ended")
        try:
            return server.ask(request, seconds + _GRACE_SECONDS, cancel)
        except (_Lost, Cancelled):
            self._forget(server)
            raise

    def _forget(self, server: "_ForkServer") -> None:
        server.end()
        with self._lock:
            if self._server is server:
                self._server = None


class Primed:
    """A child that stays. Use as a context manager, which ends it."""

    def __init__(self, worker: Worker, answer: Answer, cancel: Cancel) -> None:
        self.answer = answer
        """The child's answer to the request that started it; when that is not ``ok`` the child has gone already."""
        self._worker = worker
        self._cancel = cancel
        self._alive = answer.ok

    @property
    def alive(self) -> bool:
        """Whether the child can be asked."""
        return self._alive

    def ask(self, params: Mapping[str, Any], timeout: float) -> Answer:
        """Send one request to the child and wait for its answer.

        Args:
            params: What the child's ``receive`` returns.
            timeout: Seconds; past them the child is killed and the answer is a ``timeout``.

        Returns:
            The answer. After any that is not ``ok`` or ``error`` the child is gone, and ``alive`` is false.

        Raises:
            Cancelled: The ``cancel`` given to ``prime`` was asked.
        """
        if not self._alive:
            return Answer(Status.ERROR, "the primed child has gone")
        self._alive = False
        request = {"job": "ask", "params": dict(params), "limits": {"wall": timeout}}
        try:
            answer = self._worker._ask(request, timeout, self._cancel)  # noqa: SLF001 - two halves of one thing
        except _Lost as error:
            return Answer(Status.CRASHED, str(error))
        self._alive = answer.status in (Status.OK, Status.ERROR)
        return answer

    def end(self) -> None:
        """End the child; the worker can be used again."""
        if not self._alive:
            return
        self._alive = False
        request = {"job": "end", "params": {}, "limits": {"wall": 0.0}}
        try:
            self._worker._ask(request, 0.0, Cancel())  # noqa: SLF001 - two halves of one thing
        except _Lost:
            self._worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()


class _Lost(Exception):
    """The fork server has ended, or does not speak as it should."""


class _ForkServer:
    """The process, and the lines that pass between it and us."""

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self._launch = sandbox.launch(spec)
        self._ids = count(1)
        self._rest = bytearray()
        self._skipped: Mapping[str, str] | None = None
        self._talking = threading.Lock()
        self._ended = False
        self._bell, self._ringer = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        try:
            self._process = self._launch.start(stderr=self._log.fileno())
        except OSError as error:
            self._close()
            raise WorkerLost(f"the sandbox cannot be started: {error}") from error

    def ready(self, cancel: Cancel) -> Mapping[str, str]:
        """Wait until it has imported what it should; returns what it could not import, and why."""
        if self._skipped is None:
            self._skipped = self._talk(self._launch.setup, _START_SECONDS, cancel)["skipped"]
        return self._skipped

    def ask(self, request: Mapping[str, Any], seconds: float, cancel: Cancel) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called, before the answer came.
            _Lost: There will be no answer.
        """
        names = {"id": next(self._ids), "nonce": secrets.token_hex(16)}
        answer = self._talk({**names, **request}, seconds, cancel)
        if any(answer.get(name) != value for name, value in names.items()):
            raise _Lost("it answered something that was not asked")
        return Answer(Status(answer["status"]), answer["detail"], answer["result"], answer["seconds"])

    def end(self) -> None:
        """End the process, all that it started, and whoever waits for its answer."""
        self._ended = True
        try:
            os.write(self._ringer, b"!")
        except OSError:  # closed: it was ended before
            return
        with self._talking:
            if not self._log.closed:
                self._kill()
                self._close()

    def _talk(self, message: Mapping[str, Any], seconds: float, cancel: Cancel) -> dict[str, Any]:
        with self._talking:
            if self._log.closed:
                raise Cancelled("the worker was ended")
            forget = cancel.on_cancel(lambda: os.write(self._ringer, b"!"))
            try:
                answer: dict[str, Any] = json.loads(self._exchange(json.dumps(message), Deadline(seconds), cancel))
            except ValueError as error:
                raise _Lost("it answered with something else than JSON") from error
            finally:
                forget()
            return answer

    def _exchange(self, line: str, deadline: Deadline, cancel: Cancel) -> bytes:
        assert self._process.stdin and self._process.stdout
        outgoing, incoming = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(outgoing, False)
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
                raise _Lost(f"it does not answer{self._log_tail()}")
            if outgoing in ready:
                try:
                    unsent = unsent[os.write(outgoing, unsent) :]
                except BrokenPipeError as error:
                    raise _Lost(f"it ended{self._log_tail()}") from error
            if incoming in ready:
                data = os.read(incoming, 1 << 20)
                if not data or len(self._rest) > _LONGEST_LINE:
                    raise _Lost(f"it ended{self._log_tail()}")
                self._rest += data
        answer = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return answer

    def _log_tail(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _LOG_TAIL, max(0, size - _LOG_TAIL)).decode("utf-8", "replace").strip()
        return f":\n{tail}" if tail else ""

    def _kill(self) -> None:
        """Let it end by itself, which ends everything it started, before it is killed."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(self._process)
            self._process.wait()
        self._process.stdout.close()

    def _close(self) -> None:
        self._log.close()
        os.close(self._bell)
        os.close(self._ringer)
        self._launch.clean()


def _request(
    job: str, files: Mapping[str, bytes | None], params: Mapping[str, Any], limits: Limits, *, stay: bool
) -> dict[str, Any]:
    return {
        "job": job,
        "stay": stay,
        "files": {path: None if data is None else base64.b64encode(data).decode() for path, data in files.items()},
        "params": dict(params),
        "limits": asdict(limits),
    }

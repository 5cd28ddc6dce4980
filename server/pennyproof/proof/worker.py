"""A worker: one warm fork server in a sandbox, asked for one run at a time."""

import base64
import threading
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.forkserver import Answer, ForkServer, LostError, Status
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.spec import Limits, WorkerSpec

__all__ = ["Answer", "Limits", "Primed", "Status", "Worker", "WorkerSpec"]

_GRACE_SECONDS = 10.0
"""How much longer than a run's own limit its answer may take; the fork server kills in time unless it is lost."""


class Worker:
    """A fork server, started when first needed and started again once when lost.

    One thread at a time may use a worker; ``kill`` and ``close`` may be called from any.
    """

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self.sandbox = sandbox
        self.spec = spec
        self._server: ForkServer | None = None
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
                self._server = ForkServer(self.sandbox, self.spec)
            server = self._server
        try:
            return server.ready(cancel)
        except (LostError, Cancelled) as error:
            self._forget(server)
            if isinstance(error, LostError):
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
            except LostError as error:
                if last:
                    raise WorkerLost(f"the fork server was lost twice: {error}") from error
        raise AssertionError("the second attempt returns or raises")

    def _ask(self, request: dict[str, Any], seconds: float, cancel: Cancel) -> Answer:
        """Send one request to the running fork server, which is ended when anything goes wrong."""
        server = self._server
        if server is None:
            raise LostError("it was ended")
        try:
            return server.ask(request, seconds + _GRACE_SECONDS, cancel)
        except (LostError, Cancelled):
            self._forget(server)
            raise

    def _forget(self, server: "ForkServer") -> None:
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
        except LostError as error:
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
        except LostError:
            self._worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()


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

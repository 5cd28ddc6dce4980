"""A worker: a fork server in a sandbox, asked for one run at a time."""

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.lines import LostError, SilentError
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.sandbox.spec import Limits, WorkerSpec
from pennyproof.proof.zygote import Answer, ForkServer, Server, Status, Zygote

__all__ = ["Answer", "Limits", "Nursery", "Primed", "Status", "Worker", "WorkerSpec"]

_GRACE_SECONDS = 10.0
"""How much longer than a run's own limit its answer may take; the fork server kills in time unless it is lost."""

_MOST_LOST = 3
"""Fork servers that may be lost to one request; the last of them comes from a process that was started for it."""

_MOST_KILLED = 2
"""Runs of one request that may be killed before that is put down to what they run: the child at work, and the one that
waited beside it and took its place."""


class Worker:
    """A fork server, forked when first needed and again when lost.

    One thread at a time may use a worker; ``kill`` and ``close`` may be called from any.
    """

    def __init__(self, nursery: Nursery, *, warming: bool = False) -> None:
        """Remember where fork servers come from.

        Args:
            nursery: Their origin.
            warming: Let runs write bytecode, and start pytest from the beginning. Only for the unmodified, trusted
                project.
        """
        self.nursery = nursery
        self._warming = warming
        self._lock = threading.Lock()
        self._plain: Server | None = None
        self._started: ForkServer | None = None
        """One in which pytest was started."""
        self._closed = False

    def run(
        self,
        job: str,
        *,
        files: Mapping[str, bytes | None],
        params: Mapping[str, Any],
        limits: Limits,
        cancel: Cancel,
        sent: Callable[[], None] | None = None,
    ) -> Answer:
        """Do one job in a fresh, isolated child.

        Args:
            job: A name in the ``JOBS`` of the spec's module.
            files: Relative path → bytes that the run sees there instead of what is on disk; ``None``: no such file.
            params: The job's own parameters.
            limits: What the run may use.
            cancel: Ends the run.
            sent: Called when the job is on its way, at least once.

        Raises:
            Cancelled: ``cancel`` was asked, or the worker was ended by another thread.
            WorkerLost: Fork servers end again and again, or none can be started.
        """
        return self._request(_request(job, files, params, limits, stay=False), limits.wall, cancel, sent)[0]

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
            WorkerLost: Fork servers end again and again, or none can be started.
        """
        answer, server = self._request(_request(job, files, params, limits, stay=True), limits.wall, cancel)
        return Primed(self, server, answer, cancel)

    def kill(self) -> None:
        """End the fork server and everything it started; the next run starts a new one."""
        with self._lock:
            servers: list[Server] = [server for server in (self._plain, self._started) if server]
            self._plain = self._started = None
        for server in servers:
            server.end()

    def close(self) -> None:
        """End the fork server for good."""
        self._closed = True
        self.kill()

    def _request(
        self, request: dict[str, Any], seconds: float, cancel: Cancel, sent: Callable[[], None] | None = None
    ) -> tuple[Answer, Server]:
        """Have one request answered, and by which fork server that was."""
        again, killed, lost = False, 0, 0
        while True:
            server = self._plain_server(cancel) if again else self._server(request, cancel)
            try:
                answer = self._ask(server, request, seconds, cancel, sent)
            except LostError as error:
                lost += 1
                if lost == _MOST_LOST or isinstance(error, SilentError):
                    raise WorkerLost(f"the fork server was lost again and again: {error}") from error
                # What ended one may have ended both, and where the next goes, too, what they come from is at fault.
                self.kill()
                if lost > 1:
                    self.nursery.give_up(server.origin)
                continue
            if answer.status is Status.AGAIN and isinstance(server, ForkServer) and not again:
                again = True
                self.nursery.unsuited(server.zygote, request["files"], answer.result)
            elif answer.status is Status.KILLED and killed < _MOST_KILLED:
                killed += 1
            else:
                return replace(answer, status=Status.CRASHED) if answer.status is Status.KILLED else answer, server

    def _ask(
        self,
        server: Server,
        request: dict[str, Any],
        seconds: float,
        cancel: Cancel,
        sent: Callable[[], None] | None = None,
    ) -> Answer:
        """Send one request to a fork server, which is ended unless it can be asked again."""
        try:
            return server.ask(request, seconds + _GRACE_SECONDS, cancel, sent)
        except LostError:
            self._forget(server)
            raise
        except Cancelled:
            self._free(server)
            raise

    def _free(self, server: Server) -> None:
        """Have a fork server end its child, or end it."""
        if not server.free():
            self._forget(server)

    def _server(self, request: Mapping[str, Any], cancel: Cancel) -> Server:
        """The fork server for a request: one in which pytest was started, if that is as good here."""
        if not self._warming:
            zygote = self.nursery.suited(request["files"], request["params"].get("args") or (), cancel)
            started = self._started_server(zygote)
            if started:
                return started
        return self._plain_server(cancel)

    def _started_server(self, zygote: Zygote | None) -> Server | None:
        with self._lock:
            server = self._started
        if zygote is None or (server and server.zygote is zygote):
            return server if zygote else None
        if server:
            self._forget(server)
        try:
            server = zygote.fork(warming=False)
        except (Cancelled, LostError):  # It has just been found out of date, or is lost.
            return None
        return self._keep(server)

    def _plain_server(self, cancel: Cancel) -> Server:
        with self._lock:
            if self._plain:
                return self._plain
        return self._keep(self.nursery.fork(cancel, warming=self._warming))

    def _keep(self, server: Server) -> Server:
        with self._lock:
            if not self._closed:
                if isinstance(server, ForkServer) and server.zygote.started:
                    self._started = server
                else:
                    self._plain = server
                return server
        server.end()
        raise Cancelled("the worker was closed")

    def _forget(self, server: Server) -> None:
        server.end()
        with self._lock:
            if self._plain is server:
                self._plain = None
            if self._started is server:
                self._started = None


class Primed:
    """A child that stays. Use as a context manager, which ends it."""

    def __init__(self, worker: Worker, server: Server, answer: Answer, cancel: Cancel) -> None:
        self.answer = answer
        """The answer to the request that started the child; unless ``ok`` or ``waiting``, that has gone already."""
        self._worker = worker
        self._server = server
        self._cancel = cancel
        self._alive = answer.status in (Status.OK, Status.WAITING)

    @property
    def alive(self) -> bool:
        """Whether the child can be asked."""
        return self._alive

    def ask(
        self,
        params: Mapping[str, Any],
        timeout: float,
        sent: Callable[[], None] | None = None,
        *,
        last: bool = False,
    ) -> Answer:
        """Send one request to the child and wait for its answer.

        Args:
            params: What the child's ``receive`` returns.
            timeout: Seconds; past them the child is killed and the answer is a ``timeout``.
            sent: Called when the request is on its way.
            last: End the child before its answer is believed.

        Returns:
            The answer. After any that is not ``ok`` or ``error`` the child is gone, and ``alive`` is false.

        Raises:
            Cancelled: The ``cancel`` given to ``prime`` was asked.
        """
        if not self._alive:
            return Answer(Status.ERROR, "the primed child has gone")
        self._alive = False
        request = {"job": "ask", "last": last, "params": dict(params), "limits": {"wall": timeout}}
        try:
            answer = self._worker._ask(self._server, request, timeout, self._cancel, sent)  # noqa: SLF001 - two halves
        except LostError as error:
            return Answer(Status.CRASHED, str(error))
        self._alive = answer.status in (Status.OK, Status.ERROR) and not last
        return answer

    def end(self) -> None:
        """End the child; the worker can be used again."""
        if not self._alive:
            return
        self._alive = False
        self._worker._free(self._server)  # noqa: SLF001 - two halves

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
        "files": encoded(files),
        "params": dict(params),
        "limits": asdict(limits),
    }


def encoded(files: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """Files as requests have them."""
    return {path: None if data is None else base64.b64encode(data).decode() for path, data in files.items()}

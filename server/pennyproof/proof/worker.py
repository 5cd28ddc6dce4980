"""A worker: one warm fork server in a sandbox, asked for one run at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from pennyproof.core.work import Cancel
from pennyproof.proof.sandbox import Sandbox
from pennyproof.proof.sandbox.spec import Limits, WorkerSpec

__all__ = ["Answer", "Limits", "Primed", "Status", "Worker", "WorkerSpec"]


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

    @property
    def ok(self) -> bool:
        return self.status is Status.OK


class Worker:
    """A fork server, started when first needed and started again once when lost.

    One thread at a time may use a worker; ``kill`` may be called from any.
    """

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self.sandbox = sandbox
        self.spec = spec

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
            Cancelled: ``cancel`` was asked.
            WorkerLost: The fork server ended twice in a row.
        """
        raise NotImplementedError

    def prime(
        self,
        *,
        files: Mapping[str, bytes | None],
        params: Mapping[str, Any],
        limits: Limits,
        cancel: Cancel,
        job: str = "prime",
    ) -> "Primed":
        """Start a job that stays and answers further requests; the worker does nothing else until it is ended.

        Args:
            files: As in ``run``.
            params: The job's own parameters.
            limits: For the whole of the child's life.
            cancel: Ends the child, at any time until ``Primed.end``.
            job: A name in the ``JOBS`` of the spec's module.

        Raises:
            Cancelled: ``cancel`` was asked.
            WorkerLost: The fork server ended twice in a row.
        """
        raise NotImplementedError

    def kill(self) -> None:
        """End the fork server and everything it started; the next run starts a new one."""

    def close(self) -> None:
        """End the fork server for good."""


class Primed:
    """A child that stays. Use as a context manager, which ends it."""

    answer: Answer
    """The child's answer to the request that started it; when that is not ``ok`` the child has gone already."""

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
        raise NotImplementedError

    @property
    def alive(self) -> bool:
        """Whether the child can be asked."""
        raise NotImplementedError

    def end(self) -> None:
        """End the child; the worker can be used again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

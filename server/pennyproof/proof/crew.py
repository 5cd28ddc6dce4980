"""Workers elsewhere: what they can be asked, and how they are found and let go."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import Protocol, TypeVar

from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import EnvironmentProblem

T = TypeVar("T")

_REST = 60.0
"""Seconds before workers that could not be reached are looked for again."""


class Crew(Protocol):
    """Workers elsewhere: a ``concurrent.futures.Executor``, and what it takes to look after them."""

    @property
    def threads(self) -> int:
        """How many jobs can run at the same time."""

    def submit(self, function: Callable[..., T], /, *args: object) -> Future[T]:
        """Have a worker call a function.

        Raises:
            EnvironmentProblem: There is none.
        """

    def everywhere(self, function: Callable[..., object], /, *args: object) -> None:
        """Have all workers call a function at once, beside what they are at; nobody waits for it."""

    def shutdown(self, wait: bool = True) -> None:
        """Let go of the workers."""


def connect(executor: str) -> Crew:
    """The workers that the setting ``proof.executor`` names.

    Raises:
        EnvironmentProblem: They cannot be reached.
    """
    try:
        from pennyproof.proof.cluster import Cluster  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(f"{error.name} is not installed: pip install 'pennyproof[cluster]'") from error
    return Cluster(executor.removeprefix("dask://"))


class Connection:
    """Finds workers when they are needed, and leaves them alone for a while where that was in vain. Thread-safe."""

    def __init__(self, connect: Callable[[], Crew]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._crew: Future[Crew] | None = None
        self._resting = Deadline(0.0)

    @property
    def threads(self) -> int:
        """How many jobs can run at the same time, as far as is known by now."""
        crew = self._crew
        return crew.result().threads if crew and crew.done() and not crew.exception() else 0

    def begin(self) -> Future[Crew] | None:
        """Look for the workers in the background; ``None`` where that was in vain a moment ago."""
        with self._lock:
            if self._crew is None and self._resting.passed:
                self._crew = Future()
                threading.Thread(
                    target=_resolve, args=(self._crew, self._connect), name="pennyproof-connect", daemon=True
                ).start()
            return self._crew

    def found(self, cancel: Cancel) -> Crew | None:
        """The workers, waited for; ``None`` where they are left alone.

        Raises:
            EnvironmentProblem: They cannot be reached; they are left alone for a while.
            Cancelled: ``cancel`` was asked.
        """
        crew = self.begin()
        if crew is None:
            return None
        if not settled(crew, inf, cancel):
            cancel.check()
        if crew.exception():
            self._rest(crew)
        return crew.result()

    def lost(self, crew: Crew) -> None:
        """Leave workers alone for a while."""
        known = self._crew
        if known and known.done() and not known.exception() and known.result() is crew:
            self._rest(known)

    def let_go(self) -> None:
        """Part with the workers; they are looked for again at the next need."""
        with self._lock:
            crew, self._crew, self._resting = self._crew, None, Deadline(0.0)
        if crew:
            crew.add_done_callback(_shut_down)

    def _rest(self, crew: Future[Crew]) -> None:
        with self._lock:
            if self._crew is not crew:
                return  # Another thread has seen to it.
            self._crew, self._resting = None, Deadline(_REST)
        _shut_down(crew)


def settled(future: Future[T], seconds: float, cancel: Cancel) -> bool:
    """Wait until a future is done, the seconds have passed, or ``cancel`` is asked; whether it is done."""
    awake = threading.Event()
    future.add_done_callback(lambda _: awake.set())
    forget = cancel.on_cancel(awake.set)
    try:
        awake.wait(None if seconds == inf else seconds)
    finally:
        forget()
    return future.done()


def _shut_down(crew: Future[Crew]) -> None:
    if not crew.exception():
        crew.result().shutdown(wait=False)


def _resolve(future: Future[T], make: Callable[[], T]) -> None:
    try:
        future.set_result(make())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is read
        future.set_exception(error)

"""The workers of a dask cluster: the one module beside the hosted tier that connects outward."""

import concurrent.futures
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar
from weakref import WeakSet

from distributed import Client, get_worker

from pennyproof.core.work import Deadline
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof.remote import Refused

log = logging.getLogger(__name__)

T = TypeVar("T")

_CONNECTING = 5.0
"""Seconds for the scheduler to answer."""
_CLOSING = 2.0
_REST = 60.0
"""Seconds for which a worker that refused a job gets no other."""
_FRESH = 1.0
"""Seconds for which the list of workers is believed."""


class Cluster(Executor):
    """A ``concurrent.futures.Executor`` whose workers are those of a dask cluster. Thread-safe.

    The scheduler gives the jobs of a worker that is lost to others. A worker that refuses a job gets no other for a
    while: it is done sooner than those that work, and so would be given all that follow.
    """

    def __init__(self, address: str) -> None:
        """Connect to a scheduler.

        Args:
            address: ``HOST:PORT``, reached by the protocol that dask's own configuration names.

        Raises:
            EnvironmentProblem: None answers.
        """
        for name in ("distributed", "distributed.client", "distributed.core"):
            # What goes wrong is told by whoever is here to be told, in one line.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=_CONNECTING, set_as_default=False, name="pennyproof")
            self._workers: dict[str, int] = self._client.nthreads()
            """Address → threads of each."""
        except (OSError, ValueError) as error:
            raise EnvironmentProblem(f"no scheduler answers at {address}") from error
        self._lock = threading.Lock()
        self._refused: dict[str, Deadline] = {}
        """Worker → when it may be asked again."""
        self._believed = Deadline(_FRESH)
        """Until when the list of workers is."""
        self._sent: WeakSet[Future[Any]] = WeakSet()

    @property
    def threads(self) -> int:
        """How many jobs can run at the same time."""
        return sum(self._workers.values())

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a worker call a function.

        Raises:
            EnvironmentProblem: There is none.
        """
        fit = self._fit()
        chosen = {} if fit is None else {"workers": fit, "allow_other_workers": True}
        # Not "pure": what is the same by its arguments is still to be done again.
        executor = self._client.get_executor(pure=False, **chosen)
        there: Future[tuple[str, T]] = executor.submit(_signed, function, args, kwargs)
        here: Future[T] = Future()
        with self._lock:
            self._sent.add(here)
        here.add_done_callback(lambda done: there.cancel() if done.cancelled() else None)
        there.add_done_callback(lambda done: self._take(done, here))
        return here

    def everywhere(self, function: Callable[..., object], /, *args: Any) -> None:
        """Have all workers call a function at once, beside what they are at; nobody waits for it."""
        threading.Thread(target=self._call, args=(function, *args), name="pennyproof-cluster", daemon=True).start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the cluster; its workers go on for others."""
        if wait and not cancel_futures:
            concurrent.futures.wait(self._unsettled())
        self._give_up()
        self._client.close(timeout=_CLOSING)

    def _call(self, function: Callable[..., object], *args: Any) -> None:
        try:
            self._client.run(function, *args, on_error="ignore")
        except Exception as error:  # noqa: BLE001 - workers that cannot be told keep to their deadlines
            log.info("not told to the workers: %s", error)

    def _take(self, there: Future[tuple[str, T]], here: Future[T]) -> None:
        """Pass the outcome of a task on."""
        if not here.set_running_or_notify_cancel():
            return
        try:
            worker, result = there.result()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is read
            here.set_exception(error)
            return
        if isinstance(result, Refused):
            with self._lock:
                self._refused[worker] = Deadline(_REST)
        here.set_result(result)

    def _fit(self) -> list[str] | None:
        """The workers that may be asked; ``None``: any."""
        if self._client.status != "running":
            raise EnvironmentProblem("the connection to the scheduler was lost")
        with self._lock:
            refused = {worker for worker, rest in self._refused.items() if not rest.passed}
            outdated = self._believed.passed
            if outdated:
                self._believed = Deadline(_FRESH)
        if outdated:  # In the background, since a scheduler that cannot be reached says so late.
            threading.Thread(target=self._look, name="pennyproof-cluster", daemon=True).start()
        fit = [worker for worker in self._workers if worker not in refused]
        if not fit:
            raise EnvironmentProblem("all its workers said no" if self._workers else "it has no workers")
        return fit if refused else None

    def _look(self) -> None:
        """See which workers there are, and let nobody wait for a job where there are none."""
        try:
            self._workers = self._client.nthreads()
        except (OSError, ValueError):  # The connection is lost, or closed, and so are all jobs.
            self._workers = {}
        if not self._workers:
            self._give_up()

    def _unsettled(self) -> list[Future[Any]]:
        with self._lock:
            return [future for future in self._sent if not future.done()]

    def _give_up(self) -> None:
        for future in self._unsettled():
            future.cancel()


def _signed(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, T]:
    """On a worker: who it is, and what the function returns."""
    return get_worker().address, function(*args, **kwargs)

"""Workers that are lent out, one thread each, and made when first needed."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, EnvironmentProblem
from pennyproof.proof.worker import Worker


class Pool:
    """At most ``size`` workers. Thread-safe."""

    def __init__(self, size: int, make: Callable[[], Worker]) -> None:
        self._size = size
        self._make = make
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._lent: set[Worker] = set()
        self._closed = False

    @contextlib.contextmanager
    def lend(self, cancel: Cancel) -> Iterator[Worker]:
        """A worker for the time of the block; waits until one is free.

        Raises:
            Cancelled: ``cancel`` was asked while waiting.
            EnvironmentProblem: The pool is closed.
        """
        worker = self._take(cancel)
        try:
            yield worker
        finally:
            self._give_back(worker)

    def kill(self) -> None:
        """End all fork servers and what they run; those that are used again start anew."""
        with self._changed:
            workers = [*self._idle, *self._lent]
        for worker in workers:
            worker.kill()

    def close(self) -> None:
        """End all workers for good; those lent out end as soon as they are given back."""
        with self._changed:
            self._closed = True
            unused, lent, self._idle = self._idle, list(self._lent), []
            self._changed.notify_all()
        for worker in lent:
            worker.kill()
        for worker in unused:
            worker.close()

    def _take(self, cancel: Cancel) -> Worker:
        forget = cancel.on_cancel(self._wake)
        try:
            with self._changed:
                while not (self._idle or len(self._lent) < self._size or cancel.asked or self._closed):
                    self._changed.wait()
                if cancel.asked:
                    raise Cancelled("cancelled")
                if self._closed:
                    raise EnvironmentProblem("the workers have been closed")
                worker = self._idle.pop() if self._idle else self._make()
                self._lent.add(worker)
                return worker
        finally:
            forget()

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            self._lent.discard(worker)
            if not self._closed:
                self._idle.append(worker)
            self._changed.notify()
        if self._closed:
            worker.close()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

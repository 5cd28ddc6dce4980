"""Workers that are lent out, one thread each, and made when first needed."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, EnvironmentProblem
from pennyproof.proof.worker import Worker


class Pool:
    """At most ``size`` workers. Thread-safe."""

    def __init__(
        self,
        size: int,
        make: Callable[[], Worker],
        *,
        used: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            size: How many there may be.
            make: Makes one.
            used: Called when one was given back.
            clock: Seconds, from any moment.
        """
        self._size = size
        self._make = make
        self._used = used
        self._clock = clock
        self._changed = threading.Condition()
        self._idle: list[tuple[Worker, float]] = []
        """With the time since when; the one that was used last comes last, and is lent first."""
        self._lent: set[Worker] = set()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a worker is lent."""
        return bool(self._lent)

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
            workers = [*(worker for worker, _ in self._idle), *self._lent]
        for worker in workers:
            worker.kill()

    def rest(self, seconds: float) -> float | None:
        """End the workers that were not used for so long; others are made when they are needed.

        Returns:
            Seconds until that holds of the next one; ``None`` where no other is unused.
        """
        with self._changed:
            latest = self._clock() - seconds
            unused = [worker for worker, since in self._idle if since <= latest]
            self._idle = self._idle[len(unused) :]
            left = self._idle[0][1] - latest if self._idle else None
        for worker in unused:
            worker.kill()
        return left

    def close(self) -> None:
        """End all workers for good; those lent out end as soon as they are given back."""
        with self._changed:
            self._closed = True
            unused, lent, self._idle = self._idle, list(self._lent), []
            self._changed.notify_all()
        for worker in lent:
            worker.kill()
        for worker, _ in unused:
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
                worker = self._idle.pop()[0] if self._idle else self._make()
                self._lent.add(worker)
                return worker
        finally:
            forget()

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            self._lent.discard(worker)
            if not self._closed:
                self._idle.append((worker, self._clock()))
            self._changed.notify()
        if self._closed:
            worker.close()
        self._used()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

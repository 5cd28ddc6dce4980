"""Runs that have gone as far as they can before the edited file is needed, and wait there for its text.

Who edits a file edits it again, and is told by the same tests. So the next run of these is begun before it is asked
for: it starts the tests, and waits where anything is about to look at that file (``inside/waiting.py``). What it has
done by then is what any run would have done, provided that nothing else has changed since; whether it has is looked at
before it is used.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.records import Recorded
from pennyproof.proof.sandbox.spec import Limits
from pennyproof.proof.worker import Answer, Primed, Status, Worker, encoded
from pennyproof.proof.workspace import Look

_LONGEST = 60.0
"""Seconds that a run may wait. Tests may tell the time, and are not to see that it stood still for long."""

Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Outset:
    """What a run begins with: all that it depends on, but for the files that it waits for."""

    recorded: Recorded
    look: Look
    """The files on disk, before it began."""
    placed: Files
    """Those that are other than on disk."""
    awaited: frozenset[str]
    params: Mapping[str, Any]
    """What to run."""
    each: float
    """Seconds for each test."""
    limits: Limits

    def is_like(self, other: "Outset") -> bool:
        """Whether a run that began with one may go on for the other, and what is on disk is still the same.

        How long things may take goes by how busy the machine was when the run began, which is not long ago.
        """
        on_disk = self.look is other.look or self.look.stamps == other.look.stamps
        mine, others = ((one.placed, one.awaited, one.params) for one in (self, other))
        return on_disk and self.recorded is other.recorded and mine == others


class Waitings:
    """The runs that wait. Thread-safe; nobody waits for one that is being begun."""

    def __init__(
        self,
        size: int,
        make: Callable[[], Worker],
        *,
        used: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; the first is begun when the same is asked for again.

        Args:
            size: How many there may be.
            make: Makes a worker for one.
            used: Called when one was used.
            clock: Seconds, from any moment.
        """
        self._size = size
        self._make = make
        self._used = used
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[_Waiting] = []
        self._spare: list[Worker] = []
        """Workers with no run that waits."""
        self._wanted: list[tuple[Worker, Outset]] = []
        """Runs that are to be begun, and by which worker."""
        self._taken = 0
        """How many workers are at work."""
        self._last: Outset | None = None
        self._never: Outset | None = None
        """What a run began with that came to its end, or could not be watched."""
        self._closed = False

    def run(
        self,
        outset: Outset,
        files: Files,
        watch: Mapping[str, Any],
        *,
        cancel: Cancel,
        sent: Callable[[], None],
    ) -> Answer | None:
        """Have a run that waits go on, if there is one; ``begin`` then begins another for the next time.

        Args:
            outset: What the run should have begun with.
            files: The content of those it waits for.
            watch: The parameters that go with them.
            cancel: Ends it.
            sent: Called when the files are on their way.

        Returns:
            What came of it; ``None`` where another run has to be made, from its beginning.

        Raises:
            Cancelled: ``cancel`` was asked.
        """
        waiting = self._take(outset)
        if waiting is None:
            return None
        try:
            return waiting.go_on(files, watch, cancel, sent)
        finally:
            with self._lock:
                self._wanted.append((waiting.worker, outset))

    def expect(self, outset: Outset) -> None:
        """Have a run begun by ``begin``, if this was asked for before, and none waits for it."""
        with self._lock:
            again = self._last is not None and self._last.is_like(outset)
            self._last = outset
            waits = any(waiting.fits(outset, self._clock()) for waiting in self._idle)
            never = self._never is not None and self._never.is_like(outset)
            if not again or waits or never or self._closed or not outset.look.settled:
                return
            worker = self._room()
            if worker is not None:
                self._taken += 1
                self._wanted.append((worker, outset))

    def begin(self) -> None:
        """Begin the runs that are to wait, in the background: when there is nothing else that anybody waits for."""
        with self._lock:
            wanted, self._wanted = self._wanted, []
        for worker, outset in wanted:
            threading.Thread(target=self._begin, args=(worker, outset), name="pennyproof-wait", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether one is at work or being begun."""
        return self._taken > 0

    def rest(self, seconds: float) -> float | None:
        """End the runs that have waited for so long, and at any rate those that have for too long.

        Returns:
            Seconds until that holds of the next one; ``None`` where there is none.
        """
        most = min(seconds, _LONGEST)
        with self._lock:
            latest = self._clock() - most
            old = [waiting for waiting in self._idle if waiting.since <= latest]
            self._idle = [waiting for waiting in self._idle if waiting.since > latest]
            left = self._idle[0].since - latest if self._idle else None
            ended = [*(waiting.worker for waiting in old), *self._spare]
            self._spare = []
        for worker in ended:
            worker.close()
        return left

    def close(self) -> None:
        """End all."""
        with self._lock:
            self._closed = True
            ended = [*(waiting.worker for waiting in self._idle), *self._spare, *(worker for worker, _ in self._wanted)]
            self._idle, self._spare, self._wanted = [], [], []
        for worker in ended:
            worker.close()

    def _take(self, outset: Outset) -> "_Waiting | None":
        now = self._clock()
        with self._lock:
            fit = [waiting for waiting in self._idle if waiting.fits(outset, now)]
            if not fit:
                return None
            self._idle.remove(fit[-1])
            self._taken += 1
            return fit[-1]

    def _room(self) -> Worker | None:
        """A worker for one more run, for which the one that has waited longest may have to end."""
        if self._spare:
            return self._spare.pop()
        if self._taken + len(self._idle) < self._size:
            return self._make()
        return self._idle.pop(0).worker if self._idle else None

    def _begin(self, worker: Worker, outset: Outset) -> None:
        waiting = _Waiting(worker, outset, self._clock())
        with self._lock:
            self._taken -= 1
            keep = not self._closed
            if keep and waiting.waits:
                self._idle.append(waiting)
            elif keep:
                self._spare.append(worker)
                self._never = outset if waiting.came_to_an_end else self._never
        if not keep:
            worker.close()
        self._used()


class _Waiting:
    """One run, begun at once, by one thread."""

    def __init__(self, worker: Worker, outset: Outset, since: float) -> None:
        self.worker = worker
        self.outset = outset
        self.since = since
        self._primed: Primed | None = None
        try:
            self._primed = worker.prime(
                job="wait",
                files=outset.placed,
                params={**outset.params, "each": outset.each, "awaited": sorted(outset.awaited)},
                limits=outset.limits,
                cancel=Cancel(),
            )
        except (Cancelled, WorkerLost):
            return

    def fits(self, outset: Outset, now: float) -> bool:
        """Whether it may go on for what is asked now."""
        return self.since > now - _LONGEST and self.outset.is_like(outset)

    @property
    def waits(self) -> bool:
        return self._primed is not None and self._primed.answer.status is Status.WAITING

    @property
    def came_to_an_end(self) -> bool:
        """Whether it had nothing to wait for, or could not be watched; what is ended for want of time may have had."""
        return self._primed is not None and self._primed.answer.status is Status.OK

    def go_on(self, files: Files, watch: Mapping[str, Any], cancel: Cancel, sent: Callable[[], None]) -> Answer | None:
        if self._primed is None:
            return None
        forget = cancel.on_cancel(self.worker.kill)
        request = {"files": encoded(files), **watch}
        try:
            answer = self._primed.ask(request, self.outset.limits.wall, sent, last=True)
        except Cancelled:
            cancel.check()
            return None
        finally:
            forget()
        cancel.check()
        return answer if answer.status in (Status.OK, Status.TIMEOUT) else None

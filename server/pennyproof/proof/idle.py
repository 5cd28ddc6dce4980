"""What is given up when nobody uses it: processes that wait cost memory, and little time to start again."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from pennyproof.proof.lint import Linter
from pennyproof.proof.nursery import Nursery

log = logging.getLogger(__name__)

_SPARES = 180.0
"""Seconds after which a worker goes that nobody used: a fork server, and the child that waits in it with a copy of all
that pytest needs. It costs tens of milliseconds when it is needed again, once for a whole burst of work; three minutes
are longer than most people think between two edits."""
_ALL = 1800.0
"""Seconds after which the processes go that workers are forked from. They cost up to some seconds, where large
libraries are imported; whoever does nothing for half an hour has gone to lunch."""


class Resting(Protocol):
    """Processes that can be given up."""

    @property
    def busy(self) -> bool:
        """Whether any is at work."""

    def rest(self, seconds: float) -> float | None:
        """End those not used for so many seconds; seconds until there are more, ``None``: never."""


_Pool = TypeVar("_Pool", bound=Resting)


class Idle:
    """Gives up in turn what was not used for long. Thread-safe.

    One thread sleeps while there is nothing to give up, minutes at a time, and ends when there is nothing left.

    Args:
        nursery: What workers come from.
        linter: Started again like these.
        clock: Seconds, from any moment.
    """

    def __init__(self, nursery: Nursery, linter: Linter, clock: Callable[[], float] = time.monotonic) -> None:
        self._pools: list[Resting] = []
        self._nursery = nursery
        self._linter = linter
        self._clock = clock
        self._changed = threading.Condition()
        self._used = clock()
        self._watching = False
        self._closed = False

    def watch(self, pool: _Pool) -> _Pool:
        """Look after these, too; returns them."""
        self._pools.append(pool)
        return pool

    def used(self) -> None:
        """Somebody needs what there is, or did until now."""
        with self._changed:
            self._used = self._clock()
            if not (self._watching or self._closed):
                self._watching = True
                threading.Thread(target=self._watch, name="pennyproof-idle", daemon=True).start()

    def look(self) -> float | None:
        """Give up what was not used for long; seconds until there may be more of that, ``None``: never."""
        before = self._nursery.footprint()
        left = self._used + _ALL - self._clock()
        if left > 0 or any(pool.busy for pool in self._pools):
            unused = [seconds for pool in self._pools if (seconds := pool.rest(_SPARES)) is not None]
            after = self._nursery.footprint()
            if before and after and after.runs < before.runs:
                log.info("workers that nobody used have ended: of %s stay %s", before, after)
            return min([left if left > 0 else _SPARES, *unused])
        for pool in self._pools:
            pool.rest(0.0)
        self._nursery.kill()
        self._linter.close()
        log.info("nothing was asked for in %.0f minutes; all have ended: %s", _ALL / 60, before)
        return None

    def close(self) -> None:
        """Give up nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _watch(self) -> None:
        while True:
            before = self._used
            left = self.look()
            with self._changed:
                if left is None and self._used == before:
                    self._watching = False
                    return
                if not self._closed:
                    self._changed.wait(left or _SPARES)
                if self._closed:
                    return

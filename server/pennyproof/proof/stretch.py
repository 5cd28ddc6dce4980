"""How much longer things take now than they would if nobody else used the machine.

Limits come from what tests took before. Where a build, a browser or another guest of the same host takes the cores
since then, a test that is as fast as ever does not end in time, and would speak against an edit that is right.
"""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

_MOST = 8
"""What hangs is ended some time, whoever else is at work."""
_FRESH = 0.5
"""Seconds for which the answer holds."""
_STOLEN, _IDLE = 7, (3, 4)
"""Fields of the first line of ``/proc/stat``, see proc(5): ticks that the host gave to others, and that nobody used."""

Ticks = tuple[int, int]
"""Processor time since the machine was started: wanted by this machine, and of that stolen from it by its host."""


class Stretch:
    """Watches the machine, from one question to the next. Thread-safe."""

    def __init__(
        self,
        ticks: Callable[[], Ticks | None],
        load: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to watch.

        Args:
            ticks: ``None`` where the system does not tell.
            load: How many processes want each core.
            clock: Seconds, from any moment.
        """
        self._read, self._load, self._clock = ticks, load, clock
        self._lock = threading.Lock()
        self._ticks = ticks()
        self._asked = clock()
        self._factor = 1

    def factor(self) -> int:
        """1, where the machine is about all ours, 2, 4 or 8: a limit is the same from one run to the next if it can."""
        with self._lock:
            if self._clock() - self._asked >= _FRESH:
                longer = max(1.0, self._load()) / max(1.0 - self._stolen(), 1 / _MOST)
                self._factor = min(_MOST, 2 ** round(math.log2(longer)))
                self._asked = self._clock()
            return self._factor

    def _stolen(self) -> float:
        """The share of the wanted time that others got, since this was asked before."""
        before, self._ticks = self._ticks, self._read()
        if before is None or self._ticks is None:
            return 0.0
        wanted, stolen = self._ticks[0] - before[0], self._ticks[1] - before[1]
        return stolen / wanted if wanted > 0 else 0.0


def ticks() -> Ticks | None:
    """Those of this machine, where it is one with Linux."""
    with contextlib.suppress(OSError, ValueError, IndexError), Path("/proc/stat").open("rb") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
        return sum(fields[: _STOLEN + 1]) - sum(fields[idle] for idle in _IDLE), fields[_STOLEN]
    return None


def load() -> float:
    """The average of the last minute; zero where the system does not tell (Windows)."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0


MACHINE = Stretch(ticks, load)
"""This one."""

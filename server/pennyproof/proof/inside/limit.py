"""What one test may take, kept by an alarm: a test that hangs costs itself, and not the run.

The alarm raises in the main thread, where the test is. What it cannot interrupt has a second chance to end and is then
killed with the whole process: code that catches everything by the handler, code in C by a timer of processor time. A
test that uses SIGALRM itself goes unlimited here; whoever asked for the run limits that. Where there are no alarms
(Windows), a thread ends the process at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Any, Iterator, Optional

_WINDING_UP = 1.0
"""Seconds for the teardown of a test that was interrupted, and for one that caught the interruption."""
_MOST_RINGS = 3
"""An alarm that has been ignored so often is ignored for good."""
_SOON = 0.02
"""Seconds until an alarm that came between setup, call and teardown, where nothing may be raised, comes again."""
_SHARE = 0.1
"""What a test may take once those that hang have used up their time together, as a share of the usual."""
_ALARMS = hasattr(signal, "setitimer")
OVERDUE = 128 + 14
"""Exit code of a process that was ended for want of an end: as if SIGALRM had, which not all systems have."""


class Timeout(BaseException):
    """A test did not end in time. No ``Exception``, since tests and their subjects catch those."""


def _leave() -> None:
    os._exit(OVERDUE)


class Limit:
    """Limits tests one after another.

    Args:
        each: Seconds that one test may take.
        patience: Seconds that all tests together may take that do not end in time.
    """

    def __init__(self, each: Optional[float], patience: Optional[float] = None) -> None:
        self._each = each
        self._patience = float("inf") if patience is None else patience
        self._seconds = 0.0
        self._rings = 0
        self._interruptible = False
        self._timer: Optional[threading.Timer] = None

    def begin(self, seconds: Optional[float] = None) -> None:
        """Set the alarm for a test, or for something else that may take ``seconds``."""
        self._rings = 0
        self._seconds = seconds or self._next()
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            return
        if not _ALARMS:
            self._timer = threading.Timer(self._seconds, _leave)
            self._timer.daemon = True
            self._timer.start()
            return
        if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
            signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        if signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
            signal.setitimer(signal.ITIMER_PROF, 3 * self._seconds + _WINDING_UP)

    def end(self) -> Optional[str]:
        """The test is over; says so if it did not end in time."""
        self._interruptible = False
        if not _ALARMS:
            if self._timer:
                self._timer.cancel()
            return None
        if self._is_set():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if not self._rings:
            return None
        self._patience -= self._seconds
        return self._said()

    def enter(self) -> None:
        """From here on the alarm may raise."""
        self._interruptible = True

    def leave(self) -> None:
        """From here on it may not."""
        self._interruptible = False

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """While this process waits for something else than what is limited."""
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0) if self._is_set() else (0.0, 0.0)
        yield
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)

    def _is_set(self) -> bool:
        return signal.getsignal(signal.SIGALRM) == self._ring

    def _next(self) -> float:
        each = self._each or 0.0
        return each if self._patience > 0 else each * _SHARE

    def _said(self) -> str:
        return "did not end within %.3g s" % self._seconds

    def _ring(self, *_: Any) -> None:
        if not self._interruptible:
            signal.setitimer(signal.ITIMER_REAL, _SOON)
            return
        self._rings += 1
        if self._rings == _MOST_RINGS:
            _leave()
        signal.setitimer(signal.ITIMER_REAL, _WINDING_UP)
        raise Timeout(self._said())

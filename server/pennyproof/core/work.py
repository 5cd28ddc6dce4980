"""Long work: how it tells of its progress, and how it is cancelled."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from pennyproof.core.candidates import Tier
from pennyproof.errors import Cancelled


class Progress(Protocol):
    """Where long work says how far it has come."""

    def report(self, message: str, fraction: float | None = None, *, tier: Tier | None = None) -> None:
        """Say what is being done, and by which tier; ``fraction`` is from 0 to 1 where the end is in sight."""


class Silent:
    """Progress that nobody watches."""

    def report(self, message: str, fraction: float | None = None, *, tier: Tier | None = None) -> None:
        """Say nothing."""


class Cancel:
    """Tells long work to stop: asked by the user, or at a deadline.

    Thread-safe. ``on_cancel`` callbacks run once, on the cancelling thread; they end what blocks.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when asked to stop (at once if that was before); returns how to take it back."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def check(self) -> None:
        """Raise Cancelled when asked to stop."""
        if self.asked:
            raise Cancelled("cancelled")


class Deadline:
    """A point in time by which work is to end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left == 0.0

"""Blocking work on threads of its own, and tasks that outlive the message that started them.

Reading messages never waits for either: pygls reads standard input on the pool on which its handlers run, and a few
slow handlers then stop all reading.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from pennyproof.errors import Cancelled
from pennyproof.lsp.calls import CURRENT

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """Threads for blocking work, and the tasks that nobody awaits."""

    def __init__(self, threads: int = 8, name: str = "pennyproof") -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._tasks: set[asyncio.Task[None]] = set()
        self.running = 0
        """How many blocking functions have been started and have not returned."""

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function on a thread.

        When the awaiting task is cancelled, the call's Cancel is asked and this returns at once: the function ends
        by itself, as soon as it looks.
        """
        context = contextvars.copy_context()
        self.running += 1
        future = asyncio.get_running_loop().run_in_executor(
            self._pool, partial(context.run, partial(function, *args, **kwargs))
        )
        future.add_done_callback(self._returned)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            call = CURRENT.get()
            if call is not None:
                call.cancel.ask()
            raise

    def spawn(self, work: Coroutine[object, object, object], name: str) -> None:
        """Run a coroutine that nobody awaits; what it raises is logged under ``name``."""
        task = asyncio.get_running_loop().create_task(_logged(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, seconds: float) -> None:
        """Cancel all tasks and take no more work; wait for what runs, but no longer than ``seconds``."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _returned(self, future: asyncio.Future[T]) -> None:
        self.running -= 1
        if not future.cancelled():
            future.exception()  # Seen here: the one who awaited it may have been cancelled.


async def _logged(work: Coroutine[object, object, object], name: str) -> None:
    try:
        await work
    except Cancelled:
        logger.debug("%s: cancelled", name)
    except Exception:
        logger.exception("%s failed", name)

"""Workers lent out."""

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, EnvironmentProblem
from pennyproof.proof.pool import Pool
from pennyproof.proof.worker import Worker


class FakeWorker:
    """Tells whether it was ended."""

    def __init__(self) -> None:
        self.killed = self.closed = False

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.closed = True


class Made:
    """A pool, and the workers it made."""

    def __init__(self, size: int) -> None:
        self.workers: list[FakeWorker] = []
        self.now = 0.0
        self.pool = Pool(size, self._make, clock=lambda: self.now)

    def _make(self) -> Worker:
        self.workers.append(FakeWorker())
        return cast("Worker", self.workers[-1])


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made(1)
    yield made
    made.pool.close()


def test_who_needs_a_worker_waits_for_one_that_is_lent(made: Made) -> None:
    lent = threading.Event()

    def borrow() -> None:
        with made.pool.lend(Cancel()):
            lent.set()

    with made.pool.lend(Cancel()):
        thread = threading.Thread(target=borrow)
        thread.start()
        assert not lent.is_set()
    thread.join(10)
    assert lent.is_set()
    assert len(made.workers) == 1


def test_waiting_can_be_cancelled(made: Made) -> None:
    cancel = Cancel()
    cancel.ask()
    with made.pool.lend(Cancel()), pytest.raises(Cancelled), made.pool.lend(cancel):
        raise AssertionError("it was lent")


def test_killing_ends_what_runs_and_what_waits(made: Made) -> None:
    with made.pool.lend(Cancel()):
        made.pool.kill()
        assert made.workers[0].killed
        assert not made.workers[0].closed


def test_closing_ends_those_that_are_lent_too(made: Made) -> None:
    with made.pool.lend(Cancel()):
        made.pool.close()
        assert made.workers[0].killed
    assert made.workers[0].closed
    with pytest.raises(EnvironmentProblem, match="closed"), made.pool.lend(Cancel()):
        raise AssertionError("it was lent")


def test_workers_that_nobody_uses_are_ended() -> None:
    made = Made(2)
    with made.pool.lend(Cancel()), made.pool.lend(Cancel()):
        assert made.pool.busy
        assert made.pool.rest(0.0) is None
    made.now = 100.0
    with made.pool.lend(Cancel()):
        used = made.workers[0]  # given back last, and lent first
    assert made.pool.rest(100.0) == 100.0
    assert [worker.killed for worker in made.workers] == [worker is not used for worker in made.workers]
    assert made.pool.rest(100.0) == 100.0
    made.now = 200.0
    assert made.pool.rest(100.0) is None
    assert all(worker.killed for worker in made.workers)
    with made.pool.lend(Cancel()):
        assert len(made.workers) == 3
    made.pool.close()

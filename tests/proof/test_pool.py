"""Workers lent out and started ahead."""

import threading
from collections.abc import Iterator, Mapping
from typing import cast

import pytest

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, EnvironmentProblem, WorkerLost
from pennyproof.proof.pool import Pool
from pennyproof.proof.worker import Worker


class FakeWorker:
    """Starts when the test lets it."""

    def __init__(self) -> None:
        self.may_start = threading.Event()
        self.closed = False
        self.error: Exception | None = None

    def start(self, cancel: Cancel) -> Mapping[str, str]:
        self.may_start.wait(10)
        if self.error:
            raise self.error
        if self.closed:
            raise Cancelled("closed")
        return {}

    def kill(self) -> None:
        self.may_start.set()

    def close(self) -> None:
        self.closed = True
        self.may_start.set()


class Made:
    """A pool, and the workers it made."""

    def __init__(self, size: int) -> None:
        self.workers: list[FakeWorker] = []
        self.pool = Pool(size, self._make)

    def _make(self) -> Worker:
        self.workers.append(FakeWorker())
        return cast("Worker", self.workers[-1])


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made(2)
    yield made
    made.pool.close()


def test_who_needs_a_worker_waits_for_one_that_starts(made: Made) -> None:
    made.pool.start_ahead(1)
    lent = threading.Event()

    def borrow() -> None:
        with made.pool.lend(Cancel()):
            lent.set()

    thread = threading.Thread(target=borrow)
    thread.start()
    assert not lent.is_set()
    made.workers[0].may_start.set()
    thread.join(10)
    assert lent.is_set()
    assert len(made.workers) == 1


def test_no_more_are_started_than_there_may_be(made: Made) -> None:
    made.pool.start_ahead(5)
    made.pool.start_ahead(2)
    assert len(made.workers) == 2


def test_one_that_does_not_start_is_lent_all_the_same(made: Made) -> None:
    made.pool.start_ahead(1)
    made.workers[0].error = WorkerLost("no")
    made.workers[0].may_start.set()
    with made.pool.lend(Cancel()) as worker:
        assert worker is cast("Worker", made.workers[0])


def test_waiting_for_one_that_starts_can_be_cancelled(made: Made) -> None:
    made.pool.start_ahead(1)
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Cancelled), made.pool.lend(cancel):
        raise AssertionError("it was lent")


def test_closing_ends_those_that_start(made: Made) -> None:
    made.pool.start_ahead(2)
    made.pool.close()
    assert [worker.closed for worker in made.workers] == [True, True]
    with pytest.raises(EnvironmentProblem, match="closed"), made.pool.lend(Cancel()):
        raise AssertionError("it was lent")
    made.pool.start_ahead(1)
    assert len(made.workers) == 2

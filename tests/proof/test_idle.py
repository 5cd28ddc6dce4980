"""What nobody uses is given up in turn, by a clock that the tests move, and comes back when it is needed."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel
from pennyproof.proof.idle import Idle
from pennyproof.proof.session import Session
from tests.proof.test_prover import SHOP, Proving

SPARES, ALL = 180.0, 1800.0

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how memory is shared")


class Resting(Proving):
    """A project whose processes are looked after by this clock alone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, SHOP)
        self.now = 0.0
        self.right = self.edit(("shop/cart.py", "result -= price", "result += price"))
        assert self.proved is Level.FIXES
        self.session.idle.close()
        self.idle = Idle(self.session.nursery, self.session.linter, lambda: self.now)
        for pool in (self.session.warming, self.session.mapping, self.session.pool):
            pool._clock = lambda: self.now
            pool._idle = [(worker, self.now) for worker, _ in pool._idle]
            self.idle.watch(pool)

    @property
    def session(self) -> Session:
        session = self.prover._session
        assert session
        return session

    @property
    def proved(self) -> Level:
        return self.prover.prove(self.snapshot, self.right, afresh=True, cancel=Cancel()).level

    @property
    def processes(self) -> tuple[int, int]:
        """All, and those that wait for work."""
        found = self.session.nursery.footprint()
        return (found.processes, found.runs) if found else (0, 0)


@pytest.fixture
def resting(tmp_path: Path) -> Iterator[Resting]:
    with Resting(tmp_path / "project") as made:
        yield made


@LINUX
def test_spares_are_given_up_first_then_all(resting: Resting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "pennyproof.proof.idle")
    all_of_them, waiting = resting.processes
    assert waiting
    assert resting.idle.look() == SPARES
    assert resting.processes == (all_of_them, waiting)
    resting.now = SPARES
    assert resting.idle.look() == ALL - SPARES
    assert 0 < resting.processes[0] < all_of_them
    assert resting.processes[1] == 0
    resting.now = ALL
    assert resting.idle.look() is None
    assert resting.processes == (0, 0)
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "workers that nobody used have ended",
        "nothing was asked for in 30 minutes; all have ended",
    ]
    assert all(" MB" in message for message in caplog.messages)
    assert resting.proved is Level.FIXES
    assert resting.processes[1]


@LINUX
def test_what_is_used_stays(resting: Resting) -> None:
    resting.now = ALL
    with resting.session.pool.lend(Cancel()):
        assert resting.idle.look() is not None
        assert resting.processes[0]
    resting.idle.used()
    resting.now += SPARES
    assert resting.idle.look() == ALL - SPARES
    assert resting.processes[0]
    resting.idle.close()


@LINUX
def test_what_was_given_up_is_warmed_again(resting: Resting) -> None:
    resting.now = ALL
    assert resting.idle.look() is None
    resting.prover.warm(resting.snapshot)
    resting.session.nursery.imported(Cancel())
    assert resting.processes[0]


@LINUX
def test_a_footprint_tells_what_those_that_wait_take(resting: Resting) -> None:
    found = resting.session.nursery.footprint()
    assert found
    assert 0 < found.of_runs < found.memory
    assert "MB for each of" in str(found)


@LINUX
def test_closing_ends_the_watch(resting: Resting) -> None:
    before = set(threading.enumerate())
    resting.idle.used()
    (watch,) = (thread for thread in set(threading.enumerate()) - before if thread.name == "pennyproof-idle")
    resting.idle.close()
    watch.join(10)
    assert not watch.is_alive()

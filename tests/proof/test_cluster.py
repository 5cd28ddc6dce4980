"""Proofs on a real dask cluster: a scheduler, and two workers that are processes of their own, on this machine."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof.crew import connect
from pennyproof.proof.fanout import FanOut
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.prover import Prover
from pennyproof.proof.remote import CHECKOUT
from tests.proof.test_prover import SHOP, TOTAL, Proving, write

pytest.importorskip("distributed", reason="needs the extra pennyproof[cluster]")

from distributed import Client, LocalCluster

from pennyproof.proof import cluster
from pennyproof.proof.cluster import Cluster


class Counting(Prover):
    """Proves here, and counts how often."""

    proved = 0

    def prove(self, *args: object, **kwargs: object) -> Verdict:
        self.proved += 1
        return super().prove(*args, **kwargs)  # type: ignore[arg-type]


class Clustered(Proving):
    """The shop, proved by a cluster."""

    def __init__(self, root: Path, address: str) -> None:
        self.address = address
        super().__init__(root, SHOP)
        options = ProofOptions(python=sys.executable, workers=2)
        self.prover: Counting = Counting(self.root, options, None)
        self.fan = FanOut(self.prover, options, "proof.executor", lambda: connect(f"dask://{address}"))

    def __exit__(self, *_: object) -> None:
        self.fan.close()

    def right(self, count: int) -> list[Candidate]:
        """So many different texts of the right edit."""
        return [self.edit(("shop/cart.py", "result -= price", f"result += price  # {at}")) for at in range(count)]

    def send(self, candidate: Candidate) -> Verdict:
        return self.fan.prove(self.snapshot, candidate, targets=[TOTAL], cancel=Cancel())


def small_cluster(size: int, home: Path) -> LocalCluster:
    return LocalCluster(
        n_workers=size,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        local_directory=str(home),
        silence_logs=logging.CRITICAL,
        env={"PENNYPROOF_HOME": str(home), "PENNYPROOF_TESTS_PYTHON": sys.executable},
    )


def address_of(workers: LocalCluster) -> str:
    return workers.scheduler_address.removeprefix("tcp://")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a scheduler with two workers."""
    with small_cluster(2, tmp_path_factory.mktemp("home")) as workers:
        yield address_of(workers)


@pytest.fixture
def shop(scheduler: str, tmp_path: Path) -> Iterator[Clustered]:
    with Clustered(tmp_path / "project", scheduler) as clustered:
        yield clustered


def pids(scheduler: str) -> Sequence[int]:
    with Client(scheduler, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the user was told."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("pennyproof")]


def test_workers_prove_and_a_killed_one_loses_no_verdict(shop: Clustered) -> None:
    with ThreadPoolExecutor(8) as threads:
        proofs = [threads.submit(shop.send, candidate) for candidate in shop.right(8)]
        wait(proofs, return_when="FIRST_COMPLETED")
        os.kill(pids(shop.address)[0], signal.SIGKILL)
        assert [proof.result(120).level for proof in proofs] == [Level.FIXES] * 8
    assert shop.prover.proved == 0
    assert shop.send(shop.edit(("shop/cart.py", "net + tax(net)", "net - tax(net)"))).level is Level.REJECTED


def test_another_revision_is_proved_here(shop: Clustered, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = write(tmp_path / "other", {**SHOP, "shop/tax.py": "RATE = 0.25\n"})
    with Client(shop.address, set_as_default=False) as client:
        client.run(exec, f"import os; os.environ['{CHECKOUT}'] = {str(other)!r}")
        assert shop.send(shop.right(1)[0]).level is Level.FIXES
        client.run(exec, f"import os; del os.environ['{CHECKOUT}']")
    assert shop.prover.proved == 1
    left_out = "proof.executor: a worker is left out, since its copy of the project is another revision: shop"
    # A slow cluster may find out a second time, while the first time is being told.
    assert set(told(caplog)) == {left_out, "proof.executor: all its workers said no; proved here instead"}


def test_a_cluster_that_goes_away_loses_no_verdict(tmp_path: Path) -> None:
    with (
        small_cluster(1, tmp_path / "home") as workers,
        Clustered(tmp_path / "project", address_of(workers)) as shop,
        ThreadPoolExecutor(4) as threads,
    ):
        proofs = [threads.submit(shop.send, candidate) for candidate in shop.right(4)]
        wait(proofs, return_when="FIRST_COMPLETED")
        workers.close()
        assert [proof.result(120).level for proof in proofs] == [Level.FIXES] * 4
        assert shop.prover.proved


def test_without_a_scheduler_proofs_are_made_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster, "_CONNECTING", 0.5)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with Clustered(tmp_path / "project", address) as shop:
            assert shop.send(shop.right(1)[0]).level is Level.FIXES
        assert shop.prover.proved == 1
        assert told(caplog) == [f"proof.executor: no scheduler answers at {address}; proved here instead"]
        with pytest.raises(EnvironmentProblem, match="no scheduler answers"):
            Cluster("no address")

"""A worker of a cluster, in this process: which jobs it takes, and that it stops in time."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled
from pennyproof.proof import remote
from pennyproof.proof.fanout import FanOut
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.remote import CHECKOUT, Failed, Job, Refused, answer
from pennyproof.proof.scope import Scope
from tests.proof.test_prover import SHOP, TOTAL, Proving, write

SLOW = {
    "pkg.py": "def slow():\n    return 0\n",
    "test_pkg.py": "from pkg import slow\n\ndef test_slow():\n    assert slow() == 1\n",
}


class Threads(ThreadPoolExecutor):
    """Threads of this process for workers, which remembers their jobs and answers."""

    threads = 2

    def __init__(self) -> None:
        super().__init__(self.threads)
        self.jobs: list[Job] = []
        self.futures: list[Future[Any]] = []
        self.begun = threading.Event()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def work() -> Any:
            self.begun.set()
            return function(*args, **kwargs)

        self.jobs += args
        future = super().submit(work)
        self.futures.append(future)
        return future

    @property
    def last(self) -> Any:
        """What the last job came to."""
        return self.futures[-1].result(30)

    def everywhere(self, function: Callable[..., object], /, *args: object) -> None:
        function(*args)


class Remote(Proving):
    """A project whose proofs are made by threads that take themselves for a cluster's worker."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        super().__init__(root, files)
        self.crew = Threads()
        options = ProofOptions(python=sys.executable, workers=1)
        self.fan = FanOut(self.prover, options, "proof.executor", lambda: self.crew)

    def __exit__(self, *_: object) -> None:
        self.fan.close()
        self.crew.shutdown()
        remote.close()

    def send(self, candidate: Candidate, cancel: Cancel | None = None, **asked: Any) -> Verdict:
        return self.fan.prove(self.snapshot, candidate, cancel=cancel or Cancel(), **asked)

    @property
    def right(self) -> Candidate:
        return self.edit(("shop/cart.py", "result -= price", "result += price"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("remote")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENNYPROOF_HOME", str(folder / "home"))
        patch.setenv("PENNYPROOF_TESTS_PYTHON", sys.executable)
        with Remote(folder / "project", SHOP) as proving:
            assert proving.send(proving.right, targets=[TOTAL]).level is Level.FIXES
            yield proving


@pytest.fixture
def job(shop: Remote) -> Job:
    """One that this process answers with a verdict."""
    return replace(shop.crew.jobs[0], identity="again")


def check(job: Job, reason: str, kind: type[Refused | Failed] = Refused) -> None:
    """The job comes to no verdict."""
    refused = answer(job)
    assert isinstance(refused, kind)
    assert reason in refused.reason
    assert len(refused.reason.splitlines()) == 1


def _said(verdict: Verdict) -> Verdict:
    """A verdict but for how it was come by."""
    return replace(verdict, seconds=0, route=None, uncovered=() if verdict.broken else verdict.uncovered)


def test_the_verdict_is_the_one_that_would_be_made_here(shop: Remote) -> None:
    wrong = shop.edit(("shop/cart.py", "net + tax(net)", "net - tax(net)"))
    for candidate in (shop.right, wrong):
        there, here = shop.send(candidate, targets=[TOTAL], afresh=True), shop.prove(candidate)
        assert replace(shop.crew.last, seconds=0) == replace(there, seconds=0)
        assert _said(there) == _said(here)


def test_open_buffers_are_sent_along(shop: Remote) -> None:
    text = SHOP["shop/cart.py"].replace("LIMIT = 3", "LIMIT = 4")
    snapshot = Snapshot(shop.root, {"shop/cart.py": Source(text)})
    candidate = shop.edit(("shop/cart.py", "result -= price", "result += price"))
    change = replace(candidate.changes[0], before=Source(text), after=Source(text.replace("-= price", "+= price")))
    verdict = shop.fan.prove(snapshot, Candidate((change,)), targets=[TOTAL], every_test=True, cancel=Cancel())
    assert shop.crew.last.fixed == verdict.fixed == (TOTAL,)
    assert "tests/test_cart.py::test_full" in {test.id for test in verdict.failed}


def test_files_in_another_folder_are_as_good_if_they_are_the_same(
    shop: Remote, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = write(tmp_path / "copy", SHOP)
    monkeypatch.setenv(CHECKOUT, str(copy))
    verdict = answer(job)
    assert isinstance(verdict, Verdict)
    assert verdict.level is Level.FIXES
    (copy / "shop" / "tax.py").write_text("RATE = 0.7\n")
    (copy / "notes.txt").write_text("mine")
    check(replace(job, buffers={"README": Source("")}), "another revision: README, notes.txt, shop")


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ({"release": "0.0"}, "instead of 0.0"),
        ({"environment": "python 2"}, "another Python"),
        ({"tests": "all pass"}, "where 2 of 6 fail"),
        ({"files": {}}, "another revision: shop, tests"),
    ],
)
def test_a_worker_where_something_differs_is_no_witness(job: Job, conditions: dict[str, Any], reason: str) -> None:
    check(replace(job, conditions=replace(job.conditions, **conditions)), reason)


def test_a_worker_without_the_project_says_so(job: Job, tmp_path: Path) -> None:
    check(replace(job, root=str(tmp_path / "nowhere")), CHECKOUT)


def test_what_would_be_an_error_here_is_left_to_here(job: Job) -> None:
    check(replace(job, scope=Scope(("tests/test_cart.py::test_none",))), "no test", Failed)


def test_a_worker_that_trusts_nothing_runs_nothing(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_TRUST", "never")
    monkeypatch.setenv(CHECKOUT, str(write(tmp_path / "copy", SHOP)))
    check(job, "trust")


def test_a_worker_stops_at_its_deadline_and_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", sys.executable)
    with Remote(tmp_path / "project", SLOW) as proving:
        hangs = proving.edit(("pkg.py", "    return 0\n", "    while True:\n        pass\n"))
        right = proving.edit(("pkg.py", "return 0", "return 1"))
        assert proving.send(right).level is Level.FIXES
        first = proving.crew.jobs[0]
        check(replace(first, identity="late", candidate=hangs, seconds=0.3), "no verdict within 0 s", Failed)
        proving.crew.begun.clear()
        cancel = Cancel()
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(proving.send, hangs, cancel)
            assert proving.crew.begun.wait(10)
            cancel.ask()
            with pytest.raises(Cancelled):
                waiting.result(10)
        # Not a verdict that says the tests took too long: that would have come at the end of their own time.
        assert "no verdict" in proving.crew.last.reason
        assert proving.send(right).level is Level.FIXES

"""Processes killed from outside, at any moment: verdicts come all the same, and are right."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Outcome
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline
from tests.processes import ROLES, kill, sandboxed
from tests.proof.test_prover import Proving

ONE, TWO = "test_pkg.py::test_one", "test_pkg.py::test_two"
SLOW = {
    "pkg.py": "def one():\n    return 0\n",
    "test_pkg.py": """\
import time

from pkg import one


def test_one():
    time.sleep(0.2)
    assert one() == 1


def test_two():
    assert one() < 2
""",
}
DELAYS = 0.0, 0.25
"""Seconds: as the request arrives, and while its test runs, more or less."""

ISOLATED = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proving]:
    with Proving(tmp_path_factory.mktemp("deaths") / "project", SLOW) as proving:
        assert [test.id for test in proving.baseline().failing] == [ONE]
        assert proving.prover.prove(proving.snapshot, right(proving), targets=[ONE], cancel=Cancel()).fixed == (ONE,)
        yield proving


def right(proving: Proving) -> Candidate:
    return proving.edit(("pkg.py", "return 0", "return 1"))


def wrong(proving: Proving) -> Candidate:
    return proving.edit(("pkg.py", "return 0", "return 7"))


@ISOLATED
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("role", ROLES)
def test_a_verdict_outlives_what_it_is_made_by(slow: Proving, role: str, delay: float) -> None:
    for candidate, level in ((right(slow), Level.FIXES), (wrong(slow), Level.REJECTED)):
        killer = threading.Timer(delay, kill, [ROLES[role]])
        killer.start()
        verdict = slow.prover.prove(slow.snapshot, candidate, targets=[ONE], cancel=Cancel())
        killer.join()
        assert verdict.level is level, verdict
        assert set(verdict.ran) == {ONE, TWO}


@ISOLATED
@pytest.mark.parametrize("role", ROLES)
def test_a_first_run_outlives_them_too(slow: Proving, role: str) -> None:
    # Another text each time, of which no outcome is known.
    (slow.root / "notes.py").write_text(f"role = {role!r}\n")
    killer = threading.Timer(0.1, kill, [ROLES[role]])
    killer.start()
    outcomes = slow.baseline().outcomes
    killer.join()
    assert {test: told.outcome for test, told in outcomes.items()} == {ONE: Outcome.FAILED, TWO: Outcome.PASSED}


@ISOLATED
@pytest.mark.parametrize("role", ROLES)
def test_a_screen_outlives_them_too(slow: Proving, role: str) -> None:
    candidates = [wrong(slow), right(slow), wrong(slow)]
    killer = threading.Timer(0.3, kill, [ROLES[role]])
    killer.start()
    screened = list(slow.prover.screen(slow.snapshot, iter(candidates), [ONE], cancel=Cancel(), deadline=Deadline(60)))
    killer.join()
    assert sorted(one.fixed for one in screened) == [(), (), (ONE,)]


@ISOLATED
def test_what_kills_itself_is_to_blame(slow: Proving) -> None:
    candidate = slow.edit(("pkg.py", "    return 0", "    import os\n    os.kill(os.getpid(), 9)"))
    verdict = slow.prover.prove(slow.snapshot, candidate, targets=[ONE], cancel=Cancel())
    assert verdict.level is Level.REJECTED
    assert verdict.reason
    assert "killed by SIGKILL" in verdict.reason


@ISOLATED
def test_the_processes_are_where_they_are_looked_for(slow: Proving) -> None:
    slow.prover.prove(slow.snapshot, right(slow), targets=[ONE], cancel=Cancel())
    patience = Deadline(60)  # One that waits for the next run is forked after the last one was answered.
    while not sandboxed().keys() >= set(ROLES.values()):
        assert not patience.passed, sandboxed()
        time.sleep(0.01)

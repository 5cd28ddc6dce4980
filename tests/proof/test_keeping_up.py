"""What is known of all tests is kept up in the background: who waits for that, and who does not."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pennyproof.assist.project import Project
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import Cancelled
from pennyproof.proof.prover import ProofOptions, Prover
from pennyproof.proof.suite import Suite
from tests.proof.test_importing import FILES, MENDED
from tests.proof.test_prover import write

PATIENCE = 60.0
NICE = "import os\n\ndef test_nice():\n    assert os.nice(0) == 19\n"


class Builds:
    """The runs of all tests, or of those that an edit affects, as they are asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[list[str] | None] = []
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.after: Callable[[], object] = lambda: None
        run = Suite.run

        def told(suite: Suite, test_ids: list[str] | None, progress: Silent) -> object:
            if test_ids is not None and not suite.as_configured:
                return run(suite, test_ids, progress)
            self.asked.append(test_ids)
            self.begun.set()
            assert self.may_go_on.wait(PATIENCE)
            found = run(suite, test_ids, progress)
            self.after()
            return found

        monkeypatch.setattr(Suite, "run", told)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    return Builds(monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = write(tmp_path / "p", FILES)
    options = ProofOptions(python=sys.executable, workers=1)
    made = Project(root, lambda root: Prover(root, options, tmp_path / "state"), tuple, trusted=True)
    yield made
    made.close()


def test_a_diff_is_proved_while_all_tests_run_and_the_verdict_says_by_which(project: Project, builds: Builds) -> None:
    builds.may_go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(project.keep_up, project.snapshot())
        assert builds.begun.wait(PATIENCE)
        verdict = project.prove(project.snapshot(), MENDED)
        assert (verdict.level, verdict.selection, keeping.done()) == (Level.FIXES, "imports", False)
        builds.may_go_on.set()
        keeping.result(PATIENCE)
    verdict = project.prove(project.snapshot(), MENDED)
    assert (verdict.level, verdict.selection, builds.asked) == (Level.FIXES, "map", [None])


def test_who_needs_all_tests_joins_the_run_that_is_under_way(project: Project, builds: Builds) -> None:
    builds.may_go_on.clear()
    with ThreadPoolExecutor(2) as threads:
        keeping = threads.submit(project.keep_up, project.snapshot())
        assert builds.begun.wait(PATIENCE)
        asking = threads.submit(project.run_tests, project.snapshot())
        builds.may_go_on.set()
        assert len(asking.result(PATIENCE).outcomes) == 4
        keeping.result(PATIENCE)
    assert builds.asked == [None]


def test_after_an_edit_only_affected_tests_run_and_after_none_nothing_does(project: Project, builds: Builds) -> None:
    project.keep_up(project.snapshot())
    project.keep_up(project.snapshot())
    (project.root / "pkg/b.py").write_text("def b():\n    return 2 - 1\n")
    project.keep_up(project.snapshot())
    failing = ["tests/test_a.py::test_a", "tests/test_process.py::test"]
    assert [asked and sorted(asked) for asked in builds.asked] == [None, sorted([*failing, "tests/test_b.py::test_b"])]


def test_sources_written_while_tests_run_are_taken_up(project: Project, builds: Builds) -> None:
    def write_once() -> None:
        builds.after = lambda: None
        (project.root / "pkg/b.py").write_text("def b():\n    return 2 - 1\n")

    builds.after = write_once
    project.keep_up(project.snapshot())
    first, second = builds.asked
    assert (first, "tests/test_b.py" in (second or ()), "tests/test_a.py" in (second or ())) == (None, True, False)
    assert not project.run_tests(project.snapshot()).outcomes["tests/test_b.py::test_b"].failed
    assert len(builds.asked) == 2


def test_it_gives_way_to_other_processes_and_requests_do_not(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"test_it.py": NICE})
    prover = Prover(root, ProofOptions(python=sys.executable, workers=1), None)
    project = Project(root, lambda _: prover, tuple, trusted=True)
    try:
        project.keep_up(project.snapshot())
        assert not project.run_tests(project.snapshot()).failing
    finally:
        project.close()


def test_it_ends_when_it_is_cancelled(project: Project, builds: Builds) -> None:
    cancel = Cancel()
    builds.may_go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(project.keep_up, project.snapshot(), cancel=cancel)
        assert builds.begun.wait(PATIENCE)
        cancel.ask()
        builds.may_go_on.set()
        with pytest.raises(Cancelled):
            keeping.result(PATIENCE)
    project.keep_up(project.snapshot())
    assert project.prove(project.snapshot(), MENDED).selection == "map"

"""Proofs before any baseline: by the tests whose files import what changes."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.assist.project import Project
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.proof.prover import ProofOptions, Prover
from tests.proof.test_prover import write

FILES = {
    "pkg/__init__.py": "",
    "pkg/a.py": "def a():\n    return 1\n",
    "pkg/b.py": "def b():\n    return 1\n",
    "tests/test_a.py": "from pkg.a import a\n\ndef test_a(): assert a() == 2\ndef test_true(): assert a()\n",
    "tests/test_b.py": "from pkg.b import b\n\ndef test_b(): assert b() == 1\n",
    "tests/test_process.py": "def test(): raise RuntimeError\n",
}
MENDED, BROKEN, OTHER = (
    f"--- a/pkg/{name}.py\n+++ b/pkg/{name}.py\n@@ -2 +2 @@\n-    return 1\n+    return {value}\n"
    for name, value in (("a", 2), ("a", 0), ("b", 2))
)
Open = Callable[..., Project]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    projects: list[Project] = []

    def make(**files: str) -> Project:
        root = write(tmp_path / "p", FILES | {name.replace("__", "/") + ".py": text for name, text in files.items()})
        options = ProofOptions(python=sys.executable, workers=1)
        project = Project(root, lambda root: Prover(root, options, None), tuple, trusted=True)
        projects.append(project)
        return project

    yield make
    for project in projects:
        project.close()


def prove(project: Project, diff: str) -> Verdict:
    return project.prove(project.snapshot(), diff)


def test_a_diff_is_proved_by_the_tests_that_import_what_it_changes(opened: Open) -> None:
    project = opened()
    verdict = prove(project, MENDED)
    assert (verdict.level, verdict.selection) == (Level.FIXES, "imports")
    assert (verdict.fixed, verdict.ran) == (
        ("tests/test_a.py::test_a",),
        ("tests/test_a.py::test_a", "tests/test_a.py::test_true"),
    )
    assert verdict.evidence() == "fixes 1 test, breaks 0 of 2 that ran"
    verdict = prove(project, BROKEN)
    assert (verdict.level, verdict.broken) == (Level.REJECTED, ("tests/test_a.py::test_true",))
    assert (prove(project, OTHER).broken) == ("tests/test_b.py::test_b",)


def test_how_much_these_would_notice_takes_no_run_of_the_others(opened: Open) -> None:
    project = opened()
    verdict = project.prove(project.snapshot(), MENDED, measuring=600.0)
    assert verdict.strength is not None
    assert verdict.strength.noticed == verdict.strength.slips
    again = project.prove(project.snapshot(), MENDED, measuring=600.0)
    assert replace(again, seconds=0.0, cached=False) == replace(verdict, seconds=0.0)
    assert prove(project, OTHER).selection == "imports"


def test_a_baseline_tells_more(opened: Open) -> None:
    project = opened()
    project.prover.baseline(project.snapshot(), cancel=Cancel(), progress=Silent())
    verdict = prove(project, MENDED)
    assert (verdict.selection, verdict.fixed) == ("map", ("tests/test_a.py::test_a",))


@pytest.mark.parametrize(
    "files",
    [
        {"tests__conftest": "from pkg.a import a\n\ndef pytest_runtest_setup(): pass\n"},
        {"tests__conftest": "collect_ignore = []\n"},
        {"tests__test_b": "from pkg import a, b\n", "tests__test_process": "import pkg.a\n"},
        {"tests__test_none": "from pkg.a import a\n"},
    ],
    ids=["acts on all tests", "chooses tests", "all import it", "a file without tests"],
)
def test_where_the_imports_do_not_tell_enough_all_tests_are_run(opened: Open, files: dict[str, str]) -> None:
    verdict = prove(opened(**files), MENDED)
    assert (verdict.level, verdict.selection) == (Level.FIXES, "map")


def test_what_is_new_takes_all_tests(opened: Open) -> None:
    verdict = prove(opened(), "--- /dev/null\n+++ b/pkg/c.py\n@@ -0,0 +1 @@\n+x = 1\n")
    assert (verdict.level, verdict.selection) == (Level.PARSES, "all")

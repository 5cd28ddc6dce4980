"""Tests that fail now and then, or for want of others: what verdicts make of them, in the real sandbox."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pennyproof.core.verdicts import Level
from pennyproof.proof import retrial
from tests.proof.projects import Project

M = "import random\n\nSEEN = []\n\n\ndef f(n):\n    return n\n\n\ndef g(n):\n    return n - 1\n"
HEAD = "import random\n\nimport m\n\n\n"
DRAWN = "def test_sometimes():\n    assert m.f(1) and random.random() < 0.5\n"
SOMETIMES = "test_m.py::test_sometimes"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many runs that chance has no say in these tests."""
    monkeypatch.setattr(retrial, "WITHOUT", 12)
    monkeypatch.setattr(retrial, "_CHANCY_WITHOUT", 12)


def project(folder: Path, test: str, **files: str) -> Project:
    return Project(folder / "p", {"m.py": M, "test_m.py": HEAD + test, **files}, Path(sys.executable))


def test_no_candidate_is_blamed_for_a_test_that_fails_now_and_then_nor_praised(tmp_path: Path) -> None:
    with project(tmp_path, f"{DRAWN}\n\ndef test_f():\n    assert m.f(1) == 1\n") as flaky:
        for number in range(12):
            # What failed whenever it ran so far may fail again; that is no news, and no doubt.
            failing = {test.id for test in flaky.baseline().failing} - flaky.baseline().flaky
            verdict = flaky.prove(("m.py", "return n\n", f"return n + 0 * {number}\n"), targets=[])
            assert (verdict.level, verdict.fixed) == (Level.PASSES, ()), verdict
            failed = {test.id for test in verdict.failed}
            assert failed - failing <= set(verdict.flaky) <= {SOMETIMES}
            assert ("flaky: test_m.py::test_sometimes" in verdict.evidence()) == bool(verdict.flaky)
        assert flaky.baseline().flaky == {SOMETIMES}


def test_lines_that_only_a_flaky_test_runs_are_not_covered(tmp_path: Path) -> None:
    with project(tmp_path, f"{DRAWN}\n\ndef test_g():\n    assert m.g(1) == 0\n") as flaky:
        while not flaky.baseline().flaky:
            flaky.prove(("m.py", "return n\n", "return n + 0\n"))
        verdict = flaky.prove(("m.py", "return n\n", "return 0 + n\n"))
        assert (verdict.level, [line.line for line in verdict.uncovered]) == (Level.PARSES, [7])


def test_a_candidate_that_is_a_gamble_is_not_let_through(tmp_path: Path) -> None:
    with project(tmp_path, "def test_f():\n    assert m.f(1) == 1\n") as steady:
        for number in range(4):
            verdict = steady.prove(("m.py", "return n\n", f"return random.choice([n, n + {number + 1}])\n"))
            if verdict.failed:
                assert verdict.level in (Level.REJECTED, Level.PARSES), verdict
                assert not (verdict.level is Level.PARSES and not verdict.flaky)


ORDER = """\
def test_first():
    m.SEEN.append(1)


def test_second():
    assert m.SEEN
    assert m.g(1) == 0


def test_third():
    assert m.g(2) == 1
"""


@pytest.mark.parametrize(
    ("new", "level", "broken"),
    [
        ("return -1 + n", Level.PASSES, ()),
        ("return n - 1 if n > 1 else 9", Level.REJECTED, ("test_m.py::test_second",)),
        ("return n - 1 if n < 2 else 9", Level.REJECTED, ("test_m.py::test_third",)),
    ],
)
def test_what_fails_for_want_of_another_test_is_looked_at_among_all(
    tmp_path: Path, new: str, level: Level, broken: tuple[str, ...]
) -> None:
    with project(tmp_path, ORDER) as ordered:
        verdict = ordered.prove(("m.py", "return n - 1", new))
        assert (verdict.level, verdict.selection, verdict.broken) == (level, "map", broken), verdict


SPOILT = """\
def test_spoils():
    m.SEEN.append(1)
    assert m.f(1) == 2


def test_spoilt():
    assert not m.SEEN
    assert m.g(1) == 0
"""


def test_what_passes_for_want_of_another_test_is_not_mended(tmp_path: Path) -> None:
    with project(tmp_path, SPOILT) as spoilt:
        assert spoilt.failing() == ["test_m.py::test_spoils", "test_m.py::test_spoilt"]
        verdict = spoilt.prove(("m.py", "return n - 1", "return -1 + n"), targets=["test_m.py::test_spoilt"])
        assert (verdict.fixed, verdict.level) == ((), Level.PARSES), verdict


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Level.FIXES),
        (
            {"conftest.py": "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef wait():\n    import time\n"},
            Level.FIXES,
        ),
    ],
)
def test_what_may_depend_on_chance_is_tried_again_before_it_is_called_mended(
    tmp_path: Path, files: Mapping[str, str], expected: Level
) -> None:
    with project(tmp_path, "def test_g():\n    assert m.g(1) == 2\n", **files) as plain:
        verdict = plain.prove(("m.py", "n - 1", "n + 1"), targets=["test_m.py::test_g"])
        assert (verdict.level, verdict.flaky) == (expected, ())

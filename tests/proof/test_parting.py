"""Tests of one proof in several runs at once: the verdict is that of one run, or one run is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pennyproof.core.outcomes import Baseline, Outcome, TestOutcome
from pennyproof.core.verdicts import Level
from pennyproof.proof import parting
from tests.proof.test_prover import Proving

M = "def double(n):\n    return n * 2\n\n\ndef half(n):\n    return n * 2\n"
TESTS = {
    "tests/test_double.py": """\
from m import double


def test_one():
    assert double(1) == 2


def test_two():
    assert double(2) == 4
""",
    "tests/test_half.py": """\
from m import double, half


def test_half():
    assert half(double(2)) == 2


def test_zero():
    assert half(0) == 0
""",
}
ONE, TWO = (f"tests/test_double.py::test_{name}" for name in ("one", "two"))
HALF, ZERO = (f"tests/test_half.py::test_{name}" for name in ("half", "zero"))


def outcome(test: str, seconds: float) -> TestOutcome:
    failed = test.startswith("failing")
    return TestOutcome(test, Outcome.FAILED if failed else Outcome.PASSED, seconds)


@pytest.mark.parametrize(
    ("seconds", "most", "expected"),
    [
        ({"a": 0.1, "b": 0.1}, 4, [["a", "b"]]),
        ({"a": 0.5, "b": 0.5}, 1, [["a", "b"]]),
        ({"a": 0.5, "b": 0.5}, 4, [["a"], ["b"]]),
        ({"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2}, 2, [["a", "b"], ["c", "d"]]),
        ({"a": 1.0, "b": 0.1, "c": 0.1}, 2, [["a"], ["b", "c"]]),
        ({"a": 0.3, "failing": 0.2, "b": 0.3}, 2, [["failing", "a"], ["b"]]),
        ({"failing": 2.0}, 2, [["failing"]]),
    ],
)
def test_parts_take_the_same_time(seconds: Mapping[str, float], most: int, expected: list[list[str]]) -> None:
    outcomes = {test: outcome(test, taken) for test, taken in seconds.items()}
    assert parting.parts(list(seconds), Baseline(outcomes, 1.0), most) == expected


@pytest.fixture
def proving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proving]:
    monkeypatch.setattr(parting, "_WORTH", 1e-9)
    with Proving(tmp_path / "project", {"m.py": M, **TESTS}, patching=False, workers=2) as made:
        made.baseline()
        yield made


@pytest.mark.parametrize(
    ("old", "new", "level", "fixed", "broken"),
    [
        ("def half(n):\n    return n * 2", "def half(n):\n    return n / 2", Level.FIXES, (HALF,), ()),
        ("def half(n):\n    return n * 2", "def half(n):\n    return n // 4", Level.PASSES, (), ()),
        ("def double(n):\n    return n * 2", "def double(n):\n    return n + n", Level.PASSES, (), ()),
        ("def double(n):\n    return n * 2", "def double(n):\n    return n + 1", Level.REJECTED, (), (TWO,)),
        ("def double(n):\n    return n * 2", "def double(n):\n    return 1 / 0", Level.REJECTED, (), (ONE, TWO)),
    ],
)
def test_the_verdict_is_that_of_one_run(
    proving: Proving, old: str, new: str, level: Level, fixed: tuple[str, ...], broken: tuple[str, ...]
) -> None:
    verdict = proving.prove(proving.edit(("m.py", old, new)), ONE, TWO, HALF, ZERO)
    assert (verdict.level, verdict.fixed, verdict.broken) == (level, fixed, broken), verdict
    assert sorted(verdict.ran) == [ONE, TWO, HALF, ZERO]
    assert (verdict.ran[0] == HALF) == (not broken)  # What failed before comes first, in the first of several parts.


def test_tests_that_need_others_before_them_run_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "_WORTH", 1e-9)
    test = "import m\n\ndef test_first():\n    m.seen = 1\n\ndef test_second():\n    assert m.seen == m.double(0) + 1\n"
    with Proving(tmp_path / "project", {"m.py": M, "test_m.py": test}, patching=False, workers=2) as proving:
        proving.baseline()
        candidate = proving.edit(("m.py", "def double(n):\n    return n * 2", "def double(n):\n    return n + n"))
        verdict = proving.prove(candidate, "test_m.py::test_first", "test_m.py::test_second")
    assert (verdict.level, verdict.passed) == (Level.PASSES, 2), verdict

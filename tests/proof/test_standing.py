"""Edits of functions tried where the unchanged project stands: they say what a run of their own says, or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Level, Route
from tests.proof.test_prover import Proving, kill_sandboxes, write

TESTS = "tests/test_numbers.py"
PROJECT = {
    "numbers_/__init__.py": "",
    "numbers_/sums.py": """\
import functools

LIMIT = 3


def add(a, b):
    return a - b


def double(a):
    result = a * 2
    return result


def at_import():
    return LIMIT


LIMITS = [at_import()]


@functools.lru_cache
def cached(a):
    return a + 1


class Sum:
    def __init__(self, *numbers):
        self.numbers = numbers

    def total(self):
        return sum(self.numbers)


def makes_adder(n):
    def adder(a):
        return a + n

    return adder


three = makes_adder(3)
""",
    TESTS: """\
import inspect
import unittest

import pytest

from numbers_ import sums


@pytest.fixture(scope="module")
def five():
    return sums.double(2) + 1


def test_add():
    assert sums.add(1, 2) == 3


@pytest.mark.parametrize("number", [1, 2])
def test_double(number):
    assert sums.double(number) == number + number


def test_fixture(five, tmp_path):
    (tmp_path / "five").write_text(str(five))
    assert five == 5


def test_limits():
    assert sums.LIMITS == [3]


def test_cached():
    assert sums.cached(1) == 2


def test_total():
    assert sums.Sum(1, 2).total() == 3


def test_three():
    assert sums.three(1) == 4


def test_source():
    assert "return a" in inspect.getsource(sums.add)


class Case(unittest.TestCase):
    def test_case(self):
        self.assertEqual(sums.double(3), 6)
""",
}
ADD = f"{TESTS}::test_add"
DOUBLES = [
    f"{TESTS}::test_double[1]",
    f"{TESTS}::test_double[2]",
    f"{TESTS}::test_fixture",
    f"{TESTS}::Case::test_case",
]


class Both:
    """One project, and two provers of it: one that tries edits first, and one that does not."""

    def __init__(self, folder: Path) -> None:
        self.trying = Proving(folder / "project", PROJECT, folder / "state", waiting=False)
        self.plain = Proving(folder / "project", PROJECT, folder / "state", patching=False, waiting=False)
        self.trying.baseline()

    def edit(self, old: str, new: str) -> Candidate:
        return self.trying.edit(("numbers_/sums.py", old, new))

    def stand(self) -> None:
        """Ask until what edits are tried in has been made, in the background."""
        wrong = self.edit("a - b", "a * b")
        assert any(self.trying.prove(wrong, ADD, afresh=True).route is Route.PATCHED for _ in range(200))

    def close(self) -> None:
        self.trying.prover.close()
        self.plain.prover.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("standing"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("old", "new", "ids", "level", "route"),
    [
        # What counts against an edit is told at once ...
        ("a - b", "a * b", [ADD], Level.PARSES, Route.PATCHED),
        ("a - b", "a.b", [ADD], Level.PARSES, Route.PATCHED),
        ("a * 2", "a * 3", DOUBLES, Level.REJECTED, Route.PATCHED),
        ("a * 2", "a", DOUBLES[2:3], Level.REJECTED, Route.PATCHED),
        ("a * 2", "a", DOUBLES[3:], Level.REJECTED, Route.PATCHED),
        ("a + 1", "a + 2", [f"{TESTS}::test_cached"], Level.REJECTED, Route.PATCHED),
        ("sum(self.numbers)", "len(self.numbers)", [f"{TESTS}::test_total"], Level.REJECTED, Route.PATCHED),
        ("return a + n", "return a * n", [f"{TESTS}::test_three"], Level.REJECTED, Route.PATCHED),
        # ... what speaks for it only after a run of its own ...
        ("a - b", "a + b", [ADD], Level.FIXES, Route.IMPORTED),
        ("a * 2", "a + a", DOUBLES, Level.PASSES, Route.IMPORTED),
        # ... and so is what cannot be seen here.
        ("return LIMIT", "return 4", [f"{TESTS}::test_limits"], Level.REJECTED, Route.IMPORTED),
        ("LIMIT = 3", "LIMIT = 4", [f"{TESTS}::test_limits"], Level.REJECTED, Route.IMPORTED),
        ("def add(a, b):", "def add(a, *, b):", [ADD], Level.PARSES, Route.IMPORTED),
        ("return a - b", "return None", [f"{TESTS}::test_source"], Level.REJECTED, Route.IMPORTED),
    ],
)
def test_the_verdict_is_that_of_a_run(
    both: Both, old: str, new: str, ids: list[str], level: Level, route: Route
) -> None:
    both.stand()
    candidate = both.edit(old, new)
    run = both.plain.prove(candidate, *ids)
    # On a busy machine there may be no time for it: then it says nothing.
    several = (both.trying.prove(candidate, *ids, afresh=True) for _ in range(20))
    tried = next((verdict for verdict in several if verdict.route is route), run)
    assert (tried.level, tried.route) == (level, route), tried
    assert run.route is Route.IMPORTED
    assert (tried.level, tried.gate, tried.fixed, tried.remaining) == (run.level, run.gate, run.fixed, run.remaining)
    # It ends with the first test that decides.
    assert tried.reason == run.reason
    assert tried.broken == run.broken[: len(tried.broken)]
    assert tried.failed == run.failed[: len(tried.failed)]


def test_what_is_on_disk_is_what_counts(both: Both) -> None:
    both.stand()
    write(both.trying.root, {TESTS: PROJECT[TESTS].replace("sums.add(1, 2) == 3", "sums.add(1, 2) == 2")})
    both.trying.snapshot = Snapshot(both.trying.root)
    verdict = both.trying.prove(both.edit("a - b", "a * b"), ADD, afresh=True)
    write(both.trying.root, {TESTS: PROJECT[TESTS]})
    both.trying.snapshot = Snapshot(both.trying.root)
    assert (verdict.level, verdict.route) == (Level.FIXES, Route.IMPORTED)


def test_children_that_are_lost_are_not_missed(both: Both) -> None:
    both.stand()
    kill_sandboxes()
    assert both.trying.prove(both.edit("a - b", "a * b"), ADD, afresh=True).level is Level.PARSES
    both.stand()


@pytest.mark.parametrize(
    ("left", "beside"),
    [
        ("open('left.txt', 'w').close()", DOUBLES[0]),
        ("open('numbers_/sums.py', 'a').close()", DOUBLES[1]),
        ("__import__('os').unlink('numbers_/sums.py')", DOUBLES[2]),
        ("__import__('tempfile').mkstemp(prefix='left')", DOUBLES[3]),
    ],
)
def test_what_one_try_leaves_behind_the_next_does_not_find(both: Both, left: str, beside: str) -> None:
    both.stand()
    leaving = both.edit("return a - b", f"{left}; return a * b")
    there = "any(name.startswith('left') for name in os.listdir(tempfile.gettempdir()) + os.listdir('.'))"
    found = f"import os, tempfile\n    return 0 if {there} or not os.path.exists('numbers_/sums.py') else a + b"
    looking = both.edit("return a - b", found)
    for _ in range(3):
        assert both.trying.prove(leaving, ADD, beside, afresh=True).level < Level.FIXES
        assert both.trying.prove(looking, ADD, afresh=True).level is Level.FIXES

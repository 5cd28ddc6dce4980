"""Spectrum-based fault localisation: how alike the tests that run a line and the tests that fail are."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from pennyproof.core.outcomes import Coverage

Place = tuple[str, int]
"""Path and line."""


def ochiai(failed: int, passed: int, failing: int) -> float:
    """Ochiai's coefficient of a line that ``failed`` of ``failing`` failing tests and ``passed`` passing tests run.

    Abreu, Zoeteweij and van Gemund, "An evaluation of similarity coefficients for software fault localization", PRDC
    2006, and "On the accuracy of spectrum-based fault localization", TAIC PART 2007, where it does best among the
    coefficients compared.
    """
    return failed / math.sqrt(failing * (failed + passed)) if failed else 0.0


def suspicions(coverage: Coverage, failing: Collection[str], passing: Iterable[str]) -> Mapping[Place, float]:
    """Ochiai's coefficient of every line that a failing test runs."""
    failed = _counts(coverage, failing)
    passed = _counts(coverage, passing)
    return {place: ochiai(count, passed[place], len(failing)) for place, count in failed.items()}


def _counts(coverage: Coverage, tests: Iterable[str]) -> Counter[Place]:
    return Counter(
        (path, line) for test in tests for path, lines in coverage.lines.get(test, {}).items() for line in lines
    )

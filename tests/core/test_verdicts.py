"""What a verdict says to a person: no more than what ran."""

import pytest

from pennyproof.core.verdicts import Gate, Level, Line, Strength, Verdict, rejected

FIXES = Verdict(Level.FIXES, fixed=("a", "b"), ran=("a", "b", "c"), selection="map")
TWO = Line("shop/cart.py", 9), Line("shop/cart.py", 12)


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (FIXES, "fixes 2 tests, breaks 0 of 3 that run these lines"),
        (Verdict(Level.FIXES, fixed=("a",), ran=("a",), selection="all"), "fixes 1 test, breaks 0 of 1 that ran"),
        (Verdict(Level.PASSES, ran=("a", "b"), selection="asked"), "breaks 0 of 2 that ran"),
        (Verdict(Level.PARSES), "parses; no test runs the changed lines"),
        (Verdict(Level.PARSES, reason="no test that passes runs a.py:1"), "no test that passes runs a.py:1"),
        (rejected(Gate.NAMES, "a.py:1: no"), "rejected by names: a.py:1: no"),
    ],
)
def test_evidence(verdict: Verdict, says: str) -> None:
    assert verdict.evidence() == says


@pytest.mark.parametrize(
    ("uncovered", "strength", "says"),
    [
        (TWO[:1], None, "; not covered: shop/cart.py:9"),
        (TWO, None, "; not covered: shop/cart.py:9 and 1 more"),
        ((), Strength(7, 8), "; would notice 7 of 8 slips in these lines"),
        ((), Strength(0, 1), "; would notice 0 of 1 slip in these lines"),
        (TWO, Strength(3, 3), "; not covered: shop/cart.py:9 and 1 more; would notice 3 of 3 slips in the rest"),
    ],
)
def test_what_it_is_worth(uncovered: tuple[Line, ...], strength: Strength | None, says: str) -> None:
    verdict = Verdict(Level.PASSES, ran=("a",), selection="map", uncovered=uncovered, strength=strength)
    assert verdict.evidence() == "breaks 0 of 1 that run these lines" + says

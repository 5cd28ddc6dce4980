"""Which few tests a screen asks."""

import pytest

from pennyproof.assist.priorities import guards, reinforced, telling_targets
from pennyproof.core.outcomes import CRASH, Baseline, Coverage, Failure, Outcome, TestOutcome
from tests.assist.scripted import baseline, failed, passed

T = "t.py::test_"


def ids(text: str) -> list[str]:
    return [name if "::" in name else T + name for name in text.split()]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ("", ""),
        ("a[2]", "a[2]"),
        # Another function tells more than other parameters, and two of them more than one.
        ("a[2] a[3] b[1] b[2]", "b[1] b[2]"),
        ("a[2] b[1] b[2] c", "b[1] c"),
        # Of many parameters two that lie apart.
        (" ".join(f"a[{number}]" for number in range(2, 10)), "a[2] a[7]"),
        # What lies in another file would have to be imported.
        ("u.py::test_c a[2]", "a[2]"),
    ],
)
def test_targets_that_differ_from_the_first_tell_most(others: str, expected: str) -> None:
    targets = [failed(test) for test in ids("a[1] " + others)]
    assert telling_targets(targets) == ids("a[1] " + expected)


def test_what_takes_long_or_does_not_end_is_no_further_target() -> None:
    crashing = TestOutcome(f"{T}b", Outcome.FAILED, 0.0, Failure(CRASH, "the test ended the process"))
    targets = [failed(f"{T}a", seconds=9), failed(f"{T}slow", seconds=0.2), crashing, failed(f"{T}c")]
    assert telling_targets(targets) == ids("a c")


def running(tests: dict[str, str], **seconds: float) -> Baseline:
    """Tests that run these functions of ``m.py``, as digits; the first one fails."""
    first, *others = ids(" ".join(tests))
    outcomes = [failed(first), *(passed(test, seconds.get(test.removeprefix(T), 0.001)) for test in others)]
    lines = zip([first, *others], tests.values(), strict=True)
    functions = Coverage({test: {"m.py": frozenset(map(int, run))} for test, run in lines})
    known = baseline(*outcomes)
    return Baseline(known.outcomes, known.seconds, functions=functions)


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        ({}, ""),
        ({"unrelated": "4"}, ""),
        ({"far": "1456", "near": "12", "same": "123"}, "same near far"),
        # Every function has its say before another parameter of one that had it.
        ({"a[1]": "123", "a[2]": "123", "a[3]": "123", "b": "12"}, "a[1] b a[3] a[2]"),
        ({"u.py::test_b": "123", "b": "12"}, "b"),
    ],
)
def test_guards_are_the_most_related_passing_tests(passing: dict[str, str], expected: str) -> None:
    known = running({"target": "123", **passing})
    assert guards(known.failing, known) == ids(expected)


def test_guards_are_few_and_quick() -> None:
    many = running({"target": "1", **{f"p{number}": "1" for number in range(50)}})
    assert len(guards(many.failing, many)) == 24
    slow = running({"target": "1", "a": "1", "b": "1", "c": "1", "d": "1"}, a=0.06, b=0.06, c=0.2, d=0.03)
    assert guards(slow.failing, slow) == ids("a d")


def test_what_a_proof_found_broken_leads_the_guards() -> None:
    known = running({"target": "1", "a": "1", "b": "1", "slow": "1", "u.py::test_c": "1"}, slow=0.2)
    standing = ids("a b")
    assert reinforced(ids("slow u.py::test_c b new"), standing, known) == ids("u.py::test_c b a")
    assert reinforced([], standing, known) == standing

"""Which failing tests are looked at together."""

import pytest

from pennyproof.assist.cohorts import cohorts, related_passing
from pennyproof.core.outcomes import Baseline, Coverage
from tests.assist.scripted import failed, passed


def lines(**tests: str) -> Coverage:
    """Test → lines of ``m.py``, as digits."""
    return Coverage({test: {"m.py": frozenset(map(int, run))} for test, run in tests.items()})


@pytest.mark.parametrize(
    ("failing", "passing", "expected"),
    [
        # One fault: whatever else they run, all run line 1, which no passing test runs.
        ({"a": "12", "b": "13", "c": "14"}, {"p": "234"}, [["a", "b", "c"]]),
        # Two faults, 3 and 4, behind code that everything runs.
        ({"a": "13", "b": "13", "c": "14"}, {"p": "1", "q": "12", "r": "1", "s": "1"}, [["a", "b"], ["c"]]),
        # Nothing in common.
        ({"a": "1", "b": "2"}, {}, [["a"], ["b"]]),
    ],
)
def test_failing_tests_that_run_the_most_suspicious_line_have_one_cause(
    failing: dict[str, str], passing: dict[str, str], expected: list[list[str]]
) -> None:
    found = cohorts([failed(test) for test in failing], lines(**failing, **passing), list(passing))
    assert [[test.id for test in group] for group in found] == expected


def test_tests_of_which_no_lines_are_known_go_by_where_they_failed() -> None:
    tests = [failed("a", ("m.py", 7)), failed("b", ("m.py", 7)), failed("c", ("m.py", 9)), failed("d")]
    found = cohorts(tests, Coverage(), [])
    assert [[test.id for test in group] for group in found] == [["a", "b"], ["c"], ["d"]]


def test_the_quickest_test_leads() -> None:
    found = cohorts([failed("a", seconds=2), failed("b", seconds=1)], lines(a="1", b="1"), [])
    assert [test.id for test in found[0]] == ["b", "a"]


def test_passing_tests_help_that_run_the_same_functions_the_most_alike_first() -> None:
    tests = [failed("a"), passed("near"), passed("far"), passed("elsewhere")]
    functions = lines(a="123", near="12", far="19", elsewhere="45")
    baseline = Baseline({test.id: test for test in tests}, 1.0, functions=functions)
    assert related_passing([tests[0]], baseline) == ["near", "far"]

"""The sides of a comparison, from the source and from what pytest or unittest reported."""

import ast

import pytest

from pennyproof.assist.explain.expectations import Comparison, comparison
from pennyproof.core.outcomes import Failure


@pytest.mark.parametrize(
    ("source", "message", "expected"),
    [
        ("assert f(1) == 4", "assert 3 == 4\n +  where 3 = f(1)", Comparison("f(1)", "==", "4", "3", "4")),
        ("assert x in xs", "assert 1 in [2, 3]", Comparison("x", "in", "xs", "1", "[2, 3]")),
        ("assert x == y, 'sums'", "AssertionError: sums\nassert 1 == 2", Comparison("x", "==", "y", "1", "2")),
        ("assert a is b", "assert <A of 3> is <A of 4>", Comparison("a", "is", "b", "<A of 3>", "<A of 4>")),
        ("assert a == b", "assert <x == y> == 3", Comparison("a", "==", "b", None, None)),
        ("self.assertEqual(f(1), 4)", "3 != 4", Comparison("f(1)", "==", "4", "3", "4")),
        ("self.assertEqual(f(1), 4, 'm')", "3 != 4 : m", Comparison("f(1)", "==", "4", "3", "4")),
        ("self.assertIn(a, b)", "1 not found in [2]", Comparison("a", "in", "b", None, None)),
        ("assert f(x)", "assert False", None),
        ("raise AssertionError('x')", "x", None),
    ],
)
def test_a_failed_comparison(source: str, message: str, expected: Comparison | None) -> None:
    assert comparison(Failure("AssertionError", message), ast.parse(source), 1) == expected


def test_other_exceptions_compare_nothing() -> None:
    assert comparison(Failure("KeyError", "'a'"), ast.parse("assert f(1) == 4"), 1) is None

"""Which mistakes are made on purpose: one table of texts, the parts to change between ``$`` and ``$``."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.rewrite.slips import Slip, slips

CART = """\
import math

def total(prices, rate=2):
    '''The sum.'''
    result = 0
    for price in prices:
        result += price
    return math.ceil(result) * rate
"""


def read(marked: str) -> tuple[str, list[tuple[int, int]]]:
    pieces = marked.split("$")
    ends = [sum(map(len, pieces[: at + 1])) for at in range(len(pieces))]
    return "".join(pieces), list(zip(ends[0::2], ends[1::2], strict=False))


def check(marked: str, *summaries: str, but: tuple[int, ...] = ()) -> list[Slip]:
    """These are made, in this order, and others may follow; every one is a change within the parts."""
    text, parts = read(marked)
    found = list(slips(text, parts, but=but))
    assert [slip.summary for slip in found[: len(summaries)]] == list(summaries)
    assert len({slip.text for slip in found} - {text}) == len(found)
    for slip in found:
        start = next(at for at, (old, new) in enumerate(zip(text, slip.text + "\0", strict=False)) if old != new)
        assert any(begin <= start < end for begin, end in parts), slip
    return found


@pytest.mark.parametrize(
    ("marked", "summaries"),
    [
        ("def f(a, b):\n$    return a < b\n$", ["replace `<` by `<=`", "remove `return a < b`"]),
        ("def f(a, b):\n$    return a and b\n$", ["replace `and` by `or`", "replace `a and b` by `not (a and b)`"]),
        ("def f(a):\n$    return not a\n$", ["replace `not a` by `a`"]),
        ("$RATE = 2\n$", ["replace `2` by `3`"]),
        ("def f(a):\n    a += 1\n$    a -= 1\n$    return a\n", ["replace `-=` by `+=`", "replace `1` by `2`"]),
        ("def f(a):\n$    a = 1\n$    b = 2\n$    c = 3\n$", ["replace `1` by `2`", "replace `3` by `4`"]),
        ("x = 'é'\r\n$n = 1\r\n$", ["replace `1` by `2`"]),
    ],
)
def test_slips(marked: str, summaries: list[str]) -> None:
    check(marked, *summaries)


@pytest.mark.parametrize(
    "marked",
    [
        "def f(a):\n$    # A comment.\n$    return a + 1\n",
        "def f(a):\n$    'What it does.'\n$    return a + 1\n",
        "$import os\nfrom math import ceil, floor\n$",
        "$def f(a=1):\n$    return a\n",
        "$x = (\n$",
        "x = 1$$\n",
        "",
        "$return 1 + 1\n$",
        f"$x = {'-' * 3000}1\n$",
    ],
    ids=["comment", "docstring", "imports", "header", "no Python", "nothing", "no text", "no program", "too deep"],
)
def test_where_there_is_nothing_to_get_wrong(marked: str) -> None:
    assert check(marked) == []


def test_what_was_there_before_is_no_slip() -> None:
    text, parts = read("def f(a, b):\n$    return a >= b\n$")
    before = text.replace(">=", "<")
    made = [slip.text for slip in slips(text, parts)]
    assert before in made
    assert [slip.text for slip in slips(text, parts, unlike=before)] == [text for text in made if text != before]


def test_lines_left_alone() -> None:
    marked = "def f(a):\n$    a = 1\n    if (a >\n            2):\n        a = 3\n$    return a\n"
    assert {slip.line for slip in check(marked)} == {2, 3, 5}
    assert {slip.line for slip in check(marked, but=(4,))} == {2, 5}


def test_all_that_can_go_wrong_with_a_comparison() -> None:
    found = check("def f(a, b):\n$    return a < b\n$")
    # Neither ``a + 1 < b`` nor its like, which are much the same as another operator.
    comparisons = [f"replace `<` by `{operator}`" for operator in ("<=", ">", ">=", "==")]
    assert sorted(slip.summary for slip in found) == sorted([*comparisons, "remove `return a < b`"])


def test_the_first_ones_are_spread_over_statements_and_kinds() -> None:
    first = list(islice(slips(CART, [(0, len(CART))]), 8))
    assert {slip.line for slip in first} == {5, 6, 7, 8}
    assert len({slip.summary for slip in first}) == 8


@given(st.integers(0, 8), st.integers(0, 8))
def test_they_are_always_the_same_and_always_python(first: int, last: int) -> None:
    lines = CART.splitlines(keepends=True)
    part = len("".join(lines[:first])), len("".join(lines[: max(first, last)]))
    found = list(slips(CART, [part]))
    assert found == list(slips(CART, [part]))
    for slip in found:
        compile(slip.text, "<test>", "exec")
        assert slip.text.startswith(CART[: part[0]])
        assert slip.text.endswith(CART[part[1] :])

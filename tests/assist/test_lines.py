"""Lines are found again, or known to be gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.assist.lines import LineMap


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("a\nb\nc\n", [1, 2, 3]),
        ("new\na\nb\nc\n", [2, 3, 4]),
        ("a\nB\nc\n", [1, None, 3]),
        ("c\n", [None, None, 1]),
        ("", [None, None, None]),
        ("a\nx\nb\ny\nc\n", [1, 3, 5]),
    ],
)
def test_lines_after_an_edit(after: str, found: list[int | None]) -> None:
    moved = LineMap("a\nb\nc\n", after)
    assert [moved.find(line) for line in (1, 2, 3)] == found
    assert moved.find(0) is None
    assert moved.find(4) is None


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_a_line_that_is_found_is_the_same_and_order_is_kept(old: list[str], new: list[str]) -> None:
    moved = LineMap("\n".join(old), "\n".join(new))
    pairs = [(line, found) for line in range(1, len(old) + 1) if (found := moved.find(line)) is not None]
    assert all(old[line - 1] == new[found - 1] for line, found in pairs)
    assert [found for _, found in pairs] == sorted(found for _, found in pairs)

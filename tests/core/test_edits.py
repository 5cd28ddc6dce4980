"""Edits against a naive model that applies them one by one from the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.edits import Edit, apply, between
from tests.core.test_positions import TEXTS


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text, and edits of it that do not overlap, in any order."""
    text = draw(TEXTS)
    bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    edits = [Edit(start, end, draw(TEXTS)) for start, end in zip(bounds[::2], bounds[1::2], strict=False)]
    return text, draw(st.permutations(edits))


@given(texts_with_edits())
def test_edits_together_do_what_they_do_one_by_one(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    expected = text
    for edit in sorted(edits, key=lambda edit: -edit.start):
        expected = expected[: edit.start] + edit.replacement + expected[edit.end :]
    assert apply(text, edits) == expected


@given(TEXTS, TEXTS)
def test_the_edits_between_two_texts_turn_one_into_the_other(before: str, after: str) -> None:
    edits = between(before, after)
    assert apply(before, edits) == after
    assert bool(edits) == (before != after)


@pytest.mark.parametrize(
    "edits", [[Edit(0, 2, ""), Edit(1, 3, "")], [Edit(2, 1, "")], [Edit(0, 9, "")], [Edit(-1, 1, "")]]
)
def test_edits_that_overlap_or_lie_outside_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps another or lies outside"):
        apply("abc", edits)


def test_insertions_at_one_place_all_count() -> None:
    assert apply("ab", [Edit(1, 1, "x"), Edit(1, 2, "y")]) == "axy"

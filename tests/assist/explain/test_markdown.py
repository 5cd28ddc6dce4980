"""Hostile and odd text stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.assist.explain.markdown import cell, code, fence, prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "`plain`"),
        ("a `b` c", "``a `b` c``"),
        ("`edge`", "`` `edge` ``"),
        ("two\nlines", "`two⏎lines`"),
        ("bell\x07", r"`bell\x07`"),
        ("", "` `"),
    ],
)
def test_code_spans(text: str, expected: str) -> None:
    assert code(text) == expected


def test_a_bar_does_not_end_a_cell() -> None:
    assert cell("a|b") == r"`a\|b`"


def test_prose_has_no_markup_left() -> None:
    assert prose("see [x](http://y)\n# *now* <b>") == r"see \[x\](http://y) \# \*now\* \<b\>"


@given(st.text(alphabet="`~ab\n"))
def test_a_fence_is_longer_than_any_within(text: str) -> None:
    ticks = fence(text).splitlines()[0]
    assert len(ticks) >= 3
    assert ticks not in text


@given(st.text())
def test_a_code_span_is_one_line(text: str) -> None:
    assert len(code(text).splitlines()) == 1

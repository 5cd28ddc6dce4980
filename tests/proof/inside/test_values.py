import signal
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.proof.inside.behaviour import Input, variants, vary
from pennyproof.proof.inside.values import Brief, TooSlow, guarded, shorten, time_limit

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


class Silent:
    def __init__(self) -> None:
        self.held = [1.23456789012]


class Renamed(list[int]):
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 << 4000, "<int of 4001 bits>"),
        ({"b", "a"}, "{'a', 'b'}"),
        (frozenset(), "frozenset()"),
        ((1,), "(1,)"),
        ([[[[[[1]]]]]], "[[[[<list of 1>]]]]"),
        (len, "<builtin_function_or_method len>"),
        (signal, "<module signal>"),
        (Silent, "<type Silent>"),
        (Silent(), "<Silent object>"),
        (Renamed(range(20_000)), "<Renamed of 20000>"),
        (Renamed([1]), "[1]"),
    ],
)
def test_values_are_shown_briefly(value: object, text: str) -> None:
    assert Brief()(value) == text


def test_attributes_and_digits_are_shown_when_asked_for() -> None:
    assert Brief(digits=9, attributes=True)(Silent()) == "Silent(held=[1.23456789])"


@given(PLAIN, st.integers(1, 80))
def test_no_text_is_longer_than_asked(value: Any, width: int) -> None:
    assert len(Brief(width=width)(value)) <= width
    assert len(shorten(repr(value), width)) <= width


def test_an_alarm_set_before_still_goes_off() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert guarded(_endless, 0.01) == "<takes too long>"
        while not rung:
            signal.pause()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rung == [1]


def test_time_limits_end_endless_code() -> None:
    with pytest.raises(TooSlow), time_limit(0.01):
        _endless()


def _endless() -> str:
    while True:
        time.monotonic()


@given(PLAIN)
def test_variants_keep_the_type(value: Any) -> None:
    assert all(type(other) is type(value) for other in variants(value))


def test_recorded_inputs_come_first_and_none_twice() -> None:
    recorded = [Input([1, True], {}), Input(["a"], {"key": None})]
    found = list(vary(recorded))
    assert found[:2] == recorded
    assert len({given.text() for given in found}) == len(found) > 8

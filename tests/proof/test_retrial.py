"""Who is blamed for a test that newly fails: made-up tests, whose runs are drawn from a seed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.proof.retrial import Memory, NoAnswerError, Order, Retrial, Ruling

NAMES = ("a", "b", "c")
ALL: Order = None
SOME: Order = NAMES[1:]


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - nothing is kept secret


@dataclass
class Suite:
    """How often tests fail (of one) in each circumstance, with and without the candidate."""

    random: Random = field(default_factory=lambda: dice(0))
    edited: Mapping[str, float] = field(default_factory=dict)
    unedited: Mapping[str, float] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    """Tests that fail unless another one runs before."""
    runs: list[tuple[str, Order]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def trial(self, name: str, rates: Mapping[str, float], order: Order, tests: frozenset[str]) -> frozenset[str]:
        self.runs.append((name, order))
        present = NAMES if order is None else order
        missing = {test for test, other in self.needs.items() if other not in present}
        return frozenset(test for test in tests if test in missing or self.random.random() < rates.get(test, 0))

    def retrial(self) -> Retrial:
        return Retrial(
            lambda order, tests: self.trial("edited", self.edited, order, tests),
            lambda order, tests: self.trial("unedited", self.unedited, order, tests),
            self.memory,
        )

    def first(self, order: Order) -> frozenset[str]:
        """What newly fails in the first run with the candidate."""
        return self.trial("edited", self.edited, order, frozenset(NAMES if order is None else order))


def ruled(suite: Suite, suspects: Collection[str], *orders: Order) -> Ruling:
    return suite.retrial().of_failing(sorted(suspects), orders)


def test_what_fails_with_the_candidate_and_never_without_is_broken() -> None:
    suite = Suite(edited={"a": 1})
    assert ruled(suite, "a", SOME, ALL) == Ruling()
    assert {order for _, order in suite.runs} == {("a",)}
    first = len(suite.runs)
    assert ruled(suite, "a", SOME, ALL) == Ruling()
    assert [name for name, _ in suite.runs[first:]] == ["edited", "edited"]  # The others are remembered.


@pytest.mark.parametrize(
    ("edited", "unedited", "needs", "orders", "expected"),
    [
        ({}, {"b": 0.5}, {}, [SOME, ALL], Ruling(flaky=frozenset("b"))),
        ({}, {}, {}, [SOME, ALL], Ruling(unsure=frozenset("b"))),
        ({}, {}, {"b": "a"}, [SOME, ALL], Ruling(cleared=frozenset("b"))),
        ({"b": 1}, {}, {"b": "a"}, [SOME, ALL], Ruling()),
        ({"b": 1}, {}, {"b": "a"}, [ALL], Ruling()),
        ({}, {}, {"b": "a"}, [SOME], Ruling(cleared=frozenset("b"))),
        ({"b": 1}, {"b": 1}, {}, [ALL], Ruling(flaky=frozenset("b"))),
    ],
)
def test_what_else_there_is(
    edited: dict[str, float], unedited: dict[str, float], needs: dict[str, str], orders: list[Order], expected: Ruling
) -> None:
    assert ruled(Suite(edited=edited, unedited=unedited, needs=needs), "b", *orders) == expected


@pytest.mark.parametrize("order", [ALL, SOME])
def test_where_the_runs_without_the_candidate_tell_nothing_nothing_is_said(order: Order) -> None:
    def silent(_: Order, __: frozenset[str]) -> frozenset[str]:
        raise NoAnswerError

    retrial = Retrial(lambda _, tests: tests, silent, Memory())
    assert retrial.of_failing(["b"], [order]) == Ruling(unseen=frozenset("b"))
    assert retrial.of_mended(["b"], order, chancy=frozenset("b")) == Ruling(unseen=frozenset("b"))


def test_of_many_that_fail_some_are_enough() -> None:
    tests = [f"t{number}" for number in range(200)]
    suite = Suite(edited=dict.fromkeys(tests, 1))
    assert ruled(suite, tests, ALL) == Ruling()
    assert len(suite.runs) < 10


RATES = [1 / 2, 1 / 3, 1 / 5, 1 / 10, 1 / 30]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("order", [ALL, SOME])
def test_a_candidate_is_hardly_ever_blamed_for_a_test_that_fails_now_and_then(rate: float, order: Order) -> None:
    blamed = 0
    for seed in range(2000):
        suite = Suite(dice(seed), {"b": rate}, {"b": rate})
        suspects = suite.first(order)
        blamed += bool(suspects and not ruled(suite, suspects, order, *([] if order is None else [ALL])).uncounted)
    assert blamed <= 20


@given(seed=st.integers(0, 10_000), rate=st.floats(0.01, 0.99), order=st.sampled_from([ALL, SOME]))
def test_a_candidate_that_makes_a_test_fail_now_and_then_is_never_cleared(seed: int, rate: float, order: Order) -> None:
    suite = Suite(dice(seed), edited={"b": rate})
    suspects = suite.first(order)
    if suspects:
        ruling = ruled(suite, suspects, order, *([] if order is None else [ALL]))
        assert not ruling.cleared
        assert not ruling.flaky


@given(
    seed=st.integers(0, 10_000), tests=st.sets(st.sampled_from(NAMES), min_size=1), order=st.sampled_from([ALL, SOME])
)
def test_what_always_fails_with_the_candidate_is_always_broken(seed: int, tests: set[str], order: Order) -> None:
    suite = Suite(dice(seed), edited=dict.fromkeys(tests, 1.0))
    suspects = suite.first(order)
    assert not (suspects and ruled(suite, suspects, order, *([] if order is None else [ALL])).uncounted)


@pytest.mark.parametrize("rate", [1 / 2, 2 / 3, 4 / 5, 9 / 10])
def test_a_candidate_hardly_ever_mends_a_test_that_passes_now_and_then(rate: float) -> None:
    mended = 0
    for seed in range(2000):
        suite = Suite(dice(seed), {"b": rate}, {"b": rate})
        # It failed in the baseline, and again, and passed with the candidate.
        failed = [suite.random.random() < rate for _ in range(3)]
        if failed == [True, True, False]:
            ruling = suite.retrial().of_mended(["b"], ALL, chancy=frozenset("b"))
            mended += not ruling.uncounted
    assert mended <= 20


def test_a_test_that_passes_without_the_candidate_in_the_same_order_was_not_mended() -> None:
    suite = Suite(unedited={"b": 1})
    assert suite.retrial().of_mended(["b", "c"], SOME, chancy=frozenset()) == Ruling(flaky=frozenset("c"))
    assert suite.retrial().of_mended(["b"], SOME, chancy=frozenset()) == Ruling()
    assert suite.runs == [("unedited", SOME)]


def test_a_test_that_is_no_matter_of_chance_costs_nothing_where_all_ran() -> None:
    suite = Suite(unedited={"b": 1})
    assert suite.retrial().of_mended(["b"], ALL, chancy=frozenset()) == Ruling()
    assert suite.runs == []

"""Whose fault it is that a test newly fails: the candidate's, chance's, or that of the tests it ran with.

One run of a test is one witness. A test may fail now and then whatever the code; it may fail because others did not run
before it; and a candidate may itself be a gamble. So whatever is said against a candidate, and what chance could say
for it, rests on several runs with it beside several without it, in the same circumstances: each in a fresh process,
first the tests by themselves, then in the order in which they failed, then among all. Runs without the candidate are
remembered, so that they are paid once; a verdict to which no test objects pays for none.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

Order = tuple[str, ...] | None
"""The tests that run, which they do in the order of the suite; ``None``: all."""

Trial = Callable[[Order, frozenset[str]], frozenset[str]]
"""Runs tests in a fresh process; those of the second argument that fail there. Raises NoAnswerError."""


class NoAnswerError(Exception):
    """A run without the candidate did not come to its end, so that it speaks neither for the candidate nor against."""


AGAIN = 2
"""How often a test that failed with a candidate has to fail once more in a row for that to be blamed."""
WITHOUT, _WITHOUT_SLOW = 6, 3
"""How often it has to be seen to pass without. A test that fails one time in N for no reason is then blamed on a
candidate in less than one of a hundred verdicts, whatever N is; in less than two where the tests are slow."""
_CHANCY_WITHOUT, _CHANCY_WITHOUT_SLOW = 6, 2
"""How often a test that may depend on chance has to fail once more without a candidate that is said to mend it."""
_CHANCY_WITH, _CHANCY_WITH_SLOW = 3, 1
"""How often it then has to pass once more with the candidate."""
_AT_ONCE = 20
"""So many tests are tried again together. Where one of them is broken, the verdict needs to know no more."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of the tests that newly failed, or were mended."""

    cleared: frozenset[str] = frozenset()
    """They do not count: they only miss the tests that usually run before them."""
    flaky: frozenset[str] = frozenset()
    """Nor do these: without the candidate, too, they fail at one time and pass at another."""
    unsure: frozenset[str] = frozenset()
    """They failed with the candidate once and passed once, and never failed without: nothing can be said."""
    unseen: frozenset[str] = frozenset()
    """Nor of these: what they do without the candidate could not be seen."""

    @property
    def unclear(self) -> frozenset[str]:
        """Those of which nothing can be said."""
        return self.unsure | self.unseen

    @property
    def uncounted(self) -> frozenset[str]:
        """Those that are no evidence."""
        return self.cleared | self.flaky | self.unclear

    def __or__(self, other: "Ruling") -> "Ruling":
        return Ruling(
            self.cleared | other.cleared,
            self.flaky | other.flaky,
            self.unsure | other.unsure,
            self.unseen | other.unseen,
        )


class Memory:
    """What tests were seen to do in one state of the project, without any candidate. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, Order, bool]] = Counter()
        self.chancy: dict[str, bool] = {}
        """Tests that were looked at for whether they may depend on chance, and whether they may."""

    def note(self, tests: Collection[str], order: Order, failed: Collection[str]) -> None:
        """One more run."""
        with self._lock:
            self._seen.update((test, order, test in failed) for test in tests)

    def passes(self, test: str, order: Order) -> int:
        """How often it passed."""
        with self._lock:
            return self._seen[test, order, False]

    def failures(self, test: str, order: Order) -> int:
        """How often it failed."""
        with self._lock:
            return self._seen[test, order, True]


_ALONE: Order = ()
"""The order under which runs of tests by themselves are remembered, whichever they shared a process with."""


class Retrial:
    """Runs tests once more, with the candidate and without.

    Args:
        edited: Runs tests with the candidate.
        unedited: Runs tests without it.
        memory: What is known of the tests without it.
        slow: Whether the tests take so long that fewer runs have to do.
    """

    def __init__(self, edited: Trial, unedited: Trial, memory: Memory, *, slow: bool = False) -> None:
        self._times = _WITHOUT_SLOW if slow else WITHOUT
        self._chancy_without = _CHANCY_WITHOUT_SLOW if slow else _CHANCY_WITHOUT
        self._chancy_with = _CHANCY_WITH_SLOW if slow else _CHANCY_WITH
        self._edited = edited
        self._unedited = unedited
        self._memory = memory

    def of_failing(self, suspects: Sequence[str], orders: Sequence[Order]) -> Ruling:
        """Which tests that newly fail are not the candidate's fault.

        Args:
            suspects: The tests.
            orders: The order in which they failed, then others in which they may be tried.
        """
        whole = Ruling()
        for first in range(0, len(suspects), _AT_ONCE):
            some = suspects[first : first + _AT_ONCE]
            try:
                ruling = self._rule(frozenset(some), orders)
            except NoAnswerError:
                ruling = Ruling(unseen=frozenset(some))
            whole |= ruling
            if not ruling.uncounted.issuperset(some):
                break
        return whole

    def of_mended(self, tests: Collection[str], order: Order, chancy: Collection[str]) -> Ruling:
        """Which tests, that failed before and passed now, may have done so for another reason than the candidate.

        Args:
            tests: The tests.
            order: The order in which they passed; that of the suite needs no further look.
            chancy: Those that may depend on chance.
        """
        try:
            if order is not None:
                self._see(order, tests, 1)
            self._see(_ALONE, chancy, self._chancy_without)
        except NoAnswerError:
            return Ruling(unseen=frozenset(tests))
        flaky = frozenset(
            test for test in tests if self._memory.passes(test, order) or self._memory.passes(test, _ALONE)
        )
        doubtful = frozenset(chancy) - flaky
        unsure = frozenset[str]()
        for _ in range(self._chancy_with if doubtful else 0):
            unsure |= self._edited(tuple(sorted(doubtful)), doubtful)
        return Ruling(flaky=flaky, unsure=unsure)

    def _rule(self, suspects: frozenset[str], orders: Sequence[Order]) -> Ruling:
        self._see(_ALONE, suspects, self._times)
        passed = frozenset(test for test in suspects if self._memory.passes(test, _ALONE))
        failed = frozenset(test for test in suspects if self._memory.failures(test, _ALONE))
        steady, flaky = passed - failed, passed & failed
        broken = self._failing_again(_ALONE, steady)
        # Only the order that they failed in can tell of those that fail by themselves without the candidate, too.
        unclear = suspects - broken - flaky
        unsure = frozenset[str]()
        for number, order in enumerate([] if broken else orders):
            failing = self._failing_again(order, unclear)
            if number == 0:
                unsure = unclear - failing  # They failed in this very order before, and now they pass.
            self._see(order, failing, 1)
            without = frozenset(test for test in failing if self._memory.failures(test, order))
            broken |= failing - without
            unclear = without
        if None in orders and not broken:
            flaky |= unclear  # In the order of the suite they passed, and now they fail there.
        return Ruling(suspects - broken - flaky - unsure, flaky, unsure)

    def _failing_again(self, order: Order, tests: frozenset[str]) -> frozenset[str]:
        """The tests that fail with the candidate each time."""
        for _ in range(AGAIN):
            tests = self._edited(tuple(sorted(tests)) if order == _ALONE else order, tests) if tests else tests
        return tests

    def _see(self, order: Order, tests: Collection[str], times: int) -> None:
        """Run tests without the candidate, until each has been seen so often, or is known to do now this, now that."""
        while wanting := frozenset(test for test in tests if self._is_wanting(test, order, times)):
            ran = tuple(sorted(wanting)) if order == _ALONE else order
            self._memory.note(wanting, order, self._unedited(ran, wanting))

    def _is_wanting(self, test: str, order: Order, times: int) -> bool:
        passes, failures = self._memory.passes(test, order), self._memory.failures(test, order)
        return passes + failures < times and not (passes and failures)

"""How long a run may take, from how long it took without the candidate.

Mutation testers face the same question; PIT allows 1.25 times the usual time and 4 s, Stryker 1.5 times and 5 s. Here
the factor is larger, since runs share the cores with one another and with an editor, and the constant is smaller,
since an endless loop is what many wrong candidates do and each costs the whole of it. Both grow where others use the
machine.
"""

from collections.abc import Sequence

from pennyproof.core.outcomes import TIMEOUT, Baseline, TestOutcome
from pennyproof.proof.sandbox.spec import Limits
from pennyproof.proof.stretch import MACHINE

_FACTOR = 5.0
_CONSTANT = 2.0
_SCREEN_CONSTANT = 0.25
"""In a primed child nothing is imported or collected, so that less can happen beside the tests themselves."""
_SLIP_CONSTANT = 0.5
"""What tests do when a slip makes them loop is of little interest, and the time for all slips is short."""
_LONGEST_SUITE = 3600.0
"""Seconds for a first run of many tests: long suites are in order, and what hangs is limited test by test."""
_MOST_HANGING = 3
"""So many tests of a candidate's run may hang before the others that do get little time."""


def suite_seconds(timeout: float) -> float:
    """Wall time in seconds for a first run of many tests, each of which may take ``timeout``."""
    return max(2 * timeout, _LONGEST_SUITE)


def alone_seconds(timeout: float) -> float:
    """Wall time in seconds for one test that takes no longer than ``timeout``, with what surrounds it."""
    return timeout + MACHINE.factor() * _CONSTANT


def each_seconds(baseline: Baseline, test_ids: Sequence[str] | None, timeout: float) -> float:
    """Seconds for any one of the tests (``None``: all) with a candidate in place."""
    known = [baseline.outcomes[test] for test in test_ids or baseline.outcomes if test in baseline.outcomes]
    slowest = max(map(_usual, known), default=0.0)
    return min(_longer(slowest, _CONSTANT), slowest + timeout)


def candidate_seconds(baseline: Baseline, test_ids: Sequence[str] | None, timeout: float) -> float:
    """Wall time in seconds for tests (``None``: all) of which the baseline is known."""
    outcomes = baseline.outcomes
    # Start-up, imports and collection happen in every run, however few its tests are.
    beside = max(0.0, baseline.seconds - sum(map(_usual, outcomes.values())))
    asked = [outcomes[test] for test in (outcomes if test_ids is None else test_ids) if test in outcomes]
    known = baseline.seconds if test_ids is None else beside + sum(map(_usual, asked))
    hanging = sum(map(hangs, asked))
    spared = min(hanging, _MOST_HANGING) * each_seconds(baseline, test_ids, timeout)
    return min(_longer(known, _CONSTANT), known + alone_seconds(timeout)) + spared


def screen_seconds(baseline: Baseline, targets: Sequence[str], timeout: float) -> float:
    """Wall time in seconds for the targets in a primed child."""
    known = tests_seconds(baseline, targets)
    return min(_longer(known, _SCREEN_CONSTANT), known + timeout)


def tests_seconds(baseline: Baseline, test_ids: Sequence[str]) -> float:
    """What tests usually take by themselves, in seconds, without start-up and imports."""
    return sum(_usual(baseline.outcomes[test]) for test in test_ids if test in baseline.outcomes)


def slip_seconds(usual: float) -> float:
    """Wall time in seconds for tests with a slip in place, which took ``usual`` without it just before."""
    return _longer(usual, _SLIP_CONSTANT)


def hangs(test: TestOutcome) -> bool:
    """Whether a test did not come to its end."""
    return test.failure is not None and test.failure.kind == TIMEOUT and "did not end within" in test.failure.message


def _longer(usual: float, constant: float) -> float:
    """What usually takes so many seconds may take these."""
    return MACHINE.factor() * (_FACTOR * usual + constant)


def _usual(test: TestOutcome) -> float:
    """What a test takes; one that hangs takes as long as it is let, which says nothing of when it is mended."""
    return 0.0 if hangs(test) else test.seconds


def limits(wall: float, cpu: float = 0.0) -> Limits:
    """What a run of at most ``wall`` seconds may use; processor time may exceed it where a test starts threads.

    Args:
        wall: Seconds.
        cpu: Seconds of processor time, if not as much as such a run can need.
    """
    return Limits(wall=wall, cpu=cpu or max(1.0, 2 * wall))

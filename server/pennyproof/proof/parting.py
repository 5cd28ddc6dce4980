"""The tests of one proof in several runs beside each other, where they take longer than to begin another run.

Each run has tests that follow one another, as many as take about the same time. Only what nobody objects to is believed
of that: tests that need others before them would fail for want of these, and then all run again in one.
"""

from collections.abc import Sequence
from itertools import chain

from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.proof import limits
from pennyproof.proof.answers import RunResult, merge_lines

_WORTH = 0.3
"""Seconds of tests that are worth a run of their own."""


def parts(ids: Sequence[str], baseline: Baseline, most: int) -> list[list[str]]:
    """Tests in the same order, cut into at most so many parts.

    Args:
        ids: The tests.
        baseline: Tells what they usually take; those that failed there stay in the first part.
        most: How many runs there may be at once.
    """
    whole = limits.tests_seconds(baseline, ids)
    count = min(most, int(whole / _WORTH))
    if count < 2:
        return [list(ids)]
    failed = {test.id for test in baseline.failing}
    failing = [test for test in ids if test in failed]
    found: list[list[str]] = [failing]
    seconds = limits.tests_seconds(baseline, failing)
    for test in ids:
        if test not in failed:
            if found[-1] and seconds >= whole * len(found) / count:
                found.append([])
            found[-1].append(test)
            seconds += limits.tests_seconds(baseline, [test])
    return found


def merged(runs: Sequence[RunResult]) -> RunResult:
    """What several runs tell together, of what a verdict is made from."""
    return RunResult(
        collected=tuple(chain.from_iterable(run.collected for run in runs)),
        unknown=tuple(chain.from_iterable(run.unknown for run in runs)),
        outcomes={test: outcome for run in runs for test, outcome in run.outcomes.items()},
        errors=tuple(dict.fromkeys(chain.from_iterable(run.errors for run in runs))),
        coverage=Coverage(),
        watched=merge_lines(run.watched for run in runs),
        watched_by=frozenset(chain.from_iterable(run.watched_by for run in runs)),
        watched_at_import=merge_lines(run.watched_at_import for run in runs),
        patched=frozenset(chain.from_iterable(run.patched for run in runs)),
        exit=next((run.exit for run in runs if run.exit != "ok"), "ok"),
        seconds=max(run.seconds for run in runs),
    )

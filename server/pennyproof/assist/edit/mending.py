"""Near misses mended by template: what a model wrote and some test speaks against is often one slip away from right.

That templates find such slips, and that models asked again often do not, is what Fan, Gao, Mirchev, Roychoudhury and
Tan report in "Automated Repair of Programs from Large Language Models", ICSE 2023. The fewer tests there are and the
more edits are tried, the likelier one passes by chance (Smith, Barr, Le Goues and Brun, "Is the Cure Worse Than the
Disease?", FSE 2015): so a miss has to be near, and only the likeliest edits of it are tried.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

from pennyproof.assist.edit.checks import Checks
from pennyproof.assist.ports import CandidateSource
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Baseline, Outcome, TestOutcome
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Deadline

_MOST_MISSES = 6
_AGREEING = 2
"""Tests that have to agree with a miss for each that speaks against it."""
_MOST_EDITS = 50
"""Of each miss."""
_MOST_MENDED = 3
"""Of each miss: the first are the likeliest, and what follows them only costs proofs."""
_SHARE = 0.3
"""Of the time that is left, for all of them."""
_LONGEST = 4.0
"""Seconds for each: templates find most of what they find at once."""


@dataclass(frozen=True, slots=True)
class _Miss:
    candidate: Candidate
    failed: tuple[str, ...]
    """Tests that speak against it."""
    passed: tuple[str, ...]


class Mending:
    """The near misses of one edit.

    Args:
        checks: What candidates are checked with.
        tiers: Where edits of misses come from; they cost nothing.
    """

    def __init__(self, checks: Checks, tiers: Sequence[CandidateSource]) -> None:
        self._checks = checks
        self._tiers = tiers
        self._misses: list[_Miss] = []

    def note(self, candidate: Candidate, verdict: Verdict) -> None:
        """Remember a candidate that did not hold, if few tests told so and more agree with it."""
        failed = tuple(dict.fromkeys(test.id for test in verdict.failed))
        passed = tuple(test for test in verdict.ran if test not in failed)
        if failed and len(passed) >= _AGREEING * len(failed):
            self._misses.append(_Miss(candidate, failed, passed))

    def candidates(self, deadline: Deadline) -> Iterator[Candidate]:
        """Mended misses that the quick screen lets through, those that missed least first; none comes twice.

        Raises:
            Cancelled: Asked to stop.
        """
        until = Deadline(deadline.left * _SHARE)
        nearest = sorted(self._misses, key=lambda miss: (len(miss.failed), -len(miss.passed)))[:_MOST_MISSES]
        self._misses.clear()
        for miss in nearest:
            if until.passed:
                return
            yield from self._mended(miss, Deadline(min(_LONGEST, until.left)))

    def _mended(self, miss: _Miss, deadline: Deadline) -> Iterator[Candidate]:
        problem = self._problem(miss)
        cancel, found = self._checks.cancel, 0
        for tier in self._tiers:
            with closing(
                self._checks.prover.screen(
                    self._checks.tests.snapshot,
                    islice(tier.propose(problem, cancel=cancel), _MOST_EDITS),
                    miss.failed,
                    guards=miss.passed,
                    base=miss.candidate,
                    cancel=cancel,
                    deadline=deadline,
                )
            ) as screened:
                for result in screened:
                    cancel.check()
                    mended = self._composed(miss, result.candidate) if result.promising else None
                    if mended is not None:
                        yield mended
                        found += 1
                    if found >= _MOST_MENDED:
                        return

    def _problem(self, miss: _Miss) -> Problem:
        """What a tier gets to see: the miss as the text that is there, and the tests that speak for and against it."""
        snapshot = _with(self._checks.tests.snapshot, miss.candidate)
        targets = tuple(TestOutcome(test, Outcome.FAILED) for test in miss.failed)
        outcomes = [*targets, *(TestOutcome(test, Outcome.PASSED) for test in miss.passed)]
        coverage = self._checks.prover.coverage(
            snapshot, [outcome.id for outcome in outcomes], cancel=self._checks.cancel
        )
        baseline = Baseline({outcome.id: outcome for outcome in outcomes}, 0.0)
        return Problem(snapshot, targets, baseline, coverage)

    def _composed(self, miss: _Miss, mend: Candidate) -> Candidate | None:
        """Both edits as one; ``None`` where the second reaches beyond what was to be edited."""
        (first,), (second,) = miss.candidate.changes, mend.changes
        region = self._checks.region
        if second.path != region.path or second.after is None or region.objection(second.after) is not None:
            return None
        change = FileChange(first.path, first.before, second.after)
        return replace(miss.candidate, changes=(change,), summary=f"{miss.candidate.summary}; {mend.summary}")


def _with(snapshot: Snapshot, candidate: Candidate) -> Snapshot:
    """The workspace as a candidate leaves it."""
    files = {path: source for path, source in candidate.files().items() if source is not None}
    return replace(snapshot, buffers={**snapshot.buffers, **files})

"""A problem: what a tier gets to see when it is asked for candidates."""

from dataclasses import dataclass

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, Coverage, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Problem:
    """Failing tests to be mended, and what running them told."""

    snapshot: Snapshot
    targets: tuple[TestOutcome, ...]
    """The failing tests to be mended by one edit, with their tracebacks and locals."""
    baseline: Baseline
    coverage: Coverage
    """Lines run by the targets, and by the passing tests that share code with them."""

    @property
    def provable(self) -> list[str]:
        """The failing tests to try a candidate on.

        The first target, the others where they come to an end or could be interrupted, and all else that comes to an
        end: what ends the process would spoil the rest, and what hangs for another reason takes its time.
        """
        first, *others = self.targets
        alike = (test.id for test in others if test.ends or (test.failure and test.failure.frames))
        rest = (test.id for test in self.baseline.failing if test.ends)
        return list(dict.fromkeys([first.id, *alike, *rest]))


@dataclass(frozen=True, slots=True)
class Screened:
    """A candidate after the quick screen, which is a filter and never evidence."""

    candidate: Candidate
    fixed: tuple[str, ...]
    """Targets that passed in the screen: none where the first did not, or a guard objects."""
    remaining: tuple[str, ...] = ()
    """Targets that were seen to fail still."""
    seconds: float = 0.0

    @property
    def survived(self) -> bool:
        return bool(self.fixed)

    @property
    def promising(self) -> bool:
        """Whether every target passed that was tried."""
        return self.survived and not self.remaining


@dataclass(frozen=True, slots=True)
class Survivor:
    """A candidate that was proved to mend at least one target and to break nothing."""

    candidate: Candidate
    verdict: Verdict
    behaviour: tuple[str, ...] | None = None
    """What the changed function returned on further inputs; ``None`` where that could not be seen."""

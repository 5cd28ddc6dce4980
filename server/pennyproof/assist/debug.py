"""Debug, the main job: a failing test gets an edit that was run against the tests before anybody sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.core.offers import Offer
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate
from pennyproof.core.work import Cancel, Deadline, Progress


@dataclass(frozen=True, slots=True)
class DebugResult:
    """What was found for the failing tests of a snapshot."""

    baseline: Baseline
    offers: tuple[Offer, ...]
    """One for each group of tests that one edit mends, best first; the alternatives of a group follow it."""
    tried: int
    """Candidates tried, rejected ones included."""
    rejected: Mapping[Gate, int]
    rejections: tuple[tuple[str, str], ...] = ()
    """The last candidates that were turned away after the screen: summary and reason."""
    spent_usd: float = 0.0
    seconds: float = 0.0


def debug(
    prover: Prover,
    tiers: Sequence[CandidateSource],
    snapshot: Snapshot,
    test_ids: Sequence[str] | None,
    *,
    deadline: Deadline,
    cancel: Cancel,
    progress: Progress,
) -> DebugResult:
    """Find proved edits for the failing tests, or for those of ``test_ids`` that fail."""
    raise NotImplementedError

"""Debug, the main job: a failing test gets an edit that was run against the tests before anybody sees it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pennyproof.assist.cascade import Search, Tally
from pennyproof.assist.cohorts import cohorts, related_passing
from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.core.candidates import Tier
from pennyproof.core.offers import Offer
from pennyproof.core.outcomes import Baseline, Coverage, TestOutcome
from pennyproof.core.problems import Problem, Survivor
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level
from pennyproof.core.work import Cancel, Deadline, Progress

if TYPE_CHECKING:
    from pennyproof.assist.attempts import Attempts, Conversation

MakeAttempts = Callable[[Tally], "Attempts | None"]
"""Makes what asks models; ``None`` where none may be asked."""

_MOST_ALTERNATIVES = 2
_MOST_TRACED_TARGETS = 200
_SHORTEST_TURN = 5.0
"""Seconds of search a cohort gets before the next one has its turn."""

_FREE_SHARE = 0.25
"""Of a search's turn, for the free tier where models may be asked after it: it finds most of what it finds at once."""

_HANGING_SHARE = 0.2
"""Of the time that is left, what tests that hang may take before anything is known."""

_WHOLE_SUITE_SECONDS = 20.0
"""An offer is proved once more against the whole suite where that takes no longer than this, or than half
the time that is left; else against all tests that are known to run the changed code."""


@dataclass(frozen=True, slots=True)
class DebugResult:
    """What was found for the failing tests of a snapshot."""

    baseline: Baseline
    offers: tuple[Offer, ...] = ()
    """One for each group of tests that one edit mends, best first; the alternatives of a group follow it."""
    tried: int = 0
    """Candidates tried, rejected ones included."""
    rejected: Mapping[Gate, int] = field(default_factory=dict)
    rejections: tuple[tuple[str, str], ...] = ()
    """The last candidates that got past the screen and were turned away: summary and reason."""
    notes: tuple[str, ...] = ()
    """Why models gave no answer, one line each."""
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
    attempts: MakeAttempts = lambda _: None,
) -> DebugResult:
    """Find proved edits for the failing tests, or for those of ``test_ids`` that fail.

    Args:
        prover: Runs the tests.
        tiers: Where candidates come from that cost nothing.
        snapshot: The workspace.
        test_ids: The failing tests to be mended; ``None``: all.
        deadline: When the search ends.
        cancel: Ends it too.
        progress: Told what is being done.
        attempts: Makes what asks models where those tiers do not suffice; called where a test fails.

    Raises:
        UnknownTest: An id in ``test_ids`` does not exist.
        NoTests: The project has no tests.
    """
    started = time.monotonic()
    progress.report("running the tests")
    if test_ids is not None:
        patience = deadline.left * _HANGING_SHARE
        prover.baseline(snapshot, test_ids=test_ids, patience=patience, cancel=cancel, progress=progress)
    patience = deadline.left * _HANGING_SHARE
    baseline = prover.baseline(snapshot, patience=patience, cancel=cancel, progress=progress)
    targets = [test for test in baseline.failing if test_ids is None or test.id in set(test_ids)]
    session = _Session(prover, tiers, snapshot, baseline, deadline, cancel, progress)
    models = attempts(session.tally) if targets else None
    if targets:
        session.mend(targets, models)
    return DebugResult(
        baseline,
        tuple(session.offers),
        session.tally.tried,
        dict(session.tally.rejected),
        tuple(session.tally.rejections),
        tuple(models.notes) if models else (),
        models.spent_usd if models else 0.0,
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True, slots=True)
class _Hunt:
    """All that is done about one cohort: the free search, then the models."""

    search: Search
    conversation: "Conversation | None"

    @property
    def exhausted(self) -> bool:
        return self.search.exhausted and (self.conversation is None or self.conversation.exhausted)

    def go(self, deadline: Deadline) -> list[Survivor]:
        """Search, and ask models where that leaves something unmended.

        Returns:
            Survivors, the best first; none where nothing holds.
        """
        if self.conversation is None or self.conversation.exhausted:
            return self.search.go(deadline)
        free = self.search.go(Deadline(min(deadline.left, max(_SHORTEST_TURN, deadline.left * _FREE_SHARE))))
        if any(not survivor.verdict.remaining for survivor in free):
            return free
        asked = self.conversation.go(deadline)
        return self.search.ranked([*free, *asked], deadline) if asked else free


@dataclass
class _Session:
    """One request: its searches take turns, and what they find becomes offers."""

    prover: Prover
    tiers: Sequence[CandidateSource]
    snapshot: Snapshot
    baseline: Baseline
    deadline: Deadline
    cancel: Cancel
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    offers: list[Offer] = field(default_factory=list)
    mended: set[str] = field(default_factory=set)

    def mend(self, targets: Sequence[TestOutcome], models: "Attempts | None") -> None:
        """Let the searches have the time in turns, until each has an offer, ran dry, or the time is up."""
        hunts = [_Hunt(search, models.begin(search.problem) if models else None) for search in self._searches(targets)]
        while hunts and not self.deadline.passed:
            for hunt in list(hunts):
                if self._turn(hunt, len(hunts)) or hunt.exhausted:
                    hunts.remove(hunt)

    def _searches(self, targets: Sequence[TestOutcome]) -> list[Search]:
        """One search for each cohort of targets, with the lines that its tests and their neighbours run."""
        quickest = sorted(targets, key=lambda test: test.seconds)[:_MOST_TRACED_TARGETS]
        related = related_passing(quickest, self.baseline)
        traced = [*(test.id for test in quickest), *related]
        coverage = self.prover.coverage(self.snapshot, traced, cancel=self.cancel)
        searches = []
        for cohort in cohorts(targets, coverage, related):
            problem = Problem(self.snapshot, tuple(cohort), self.baseline, _of(coverage, cohort, related))
            searches.append(Search(self.prover, self.tiers, problem, self.tally, self.cancel))
        return searches

    def _turn(self, hunt: "_Hunt", waiting: int) -> bool:
        """Give one hunt its share of the time; whether its cohort needs no more of it."""
        problem = hunt.search.problem
        first = problem.targets[0].id
        if first in self.mended:
            return True
        if self.deadline.passed:
            return False
        self.progress.report(f"free tier: looking for a fix for {first}", tier=Tier.FREE)
        share = max(_SHORTEST_TURN, self.deadline.left / waiting)
        found = self._offers(problem, hunt.go(Deadline(min(self.deadline.left, share))))
        self.offers += found
        self.mended.update(*(offer.verdict.fixed for offer in found[:1]))
        return bool(found)

    def _offers(self, problem: Problem, survivors: Sequence[Survivor]) -> list[Offer]:
        """The best survivor and its alternatives, each proved once more in a fresh process."""
        found: list[Offer] = []
        for survivor in survivors:
            candidate = survivor.candidate
            self.progress.report(f"proving once more: {candidate.summary}")
            every_test = self.baseline.seconds <= max(_WHOLE_SUITE_SECONDS, self.deadline.left / 2)
            verdict = self.prover.prove(
                self.snapshot,
                candidate,
                targets=problem.provable,
                every_test=every_test,
                afresh=True,
                cancel=self.cancel,
            )
            if verdict.level is not Level.FIXES:
                self.tally.reject(candidate, verdict)
                continue
            identity = f"o{len(self.offers) + len(found) + 1}"
            found.append(Offer(identity, candidate, verdict, alternative=bool(found)))
            if len(found) > _MOST_ALTERNATIVES or self.deadline.passed:
                break
        return found


def _of(coverage: Coverage, cohort: Iterable[TestOutcome], related: Iterable[str]) -> Coverage:
    """The part of the coverage that speaks of one cohort: its own tests and the passing ones, no other failing ones."""
    wanted = {*(test.id for test in cohort), *related}
    return Coverage({test: files for test, files in coverage.lines.items() if test in wanted})

"""The search for edits that mend one cohort of failing tests: tiers in turn, screen, proof, ranking."""

from collections import Counter, deque
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property

from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.assist.priorities import guards, reinforced, telling_targets
from pennyproof.core.candidates import Candidate
from pennyproof.core.problems import Problem, Screened, Survivor
from pennyproof.core.verdicts import Gate, Level, Verdict
from pennyproof.core.work import Cancel, Deadline

_MOST_SURVIVORS = 12
"""Enough to rank by agreement; the tail of a well-ordered search is rarely right."""

_BEST = 4
"""Edits that mend some targets only which are proved before others of their kind."""
_MOST_REJECTIONS = 50
_MOST_BROKEN = 4
"""Tests that one candidate breaks which become guards; the next candidate may well break others."""
_GRACE = 0.5, 0.25, 2.5
"""After the first promising candidate the screen goes on for this share of the time it took (at least, at most, in
seconds), so that a likelier edit a little further down is ranked beside it."""
_SETTLING = 0.3
"""The share of the time left that is spent on finding more than an edit that mends some of the targets."""


@dataclass
class Tally:
    """What became of the candidates of one request."""

    tried: int = 0
    rejected: Counter[Gate] = field(default_factory=Counter)
    rejections: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=_MOST_REJECTIONS))

    def reject(self, candidate: Candidate, verdict: Verdict) -> None:
        self.rejected[verdict.gate or Gate.TESTS] += 1
        self.rejections.append((candidate.summary, verdict.reason or "it mends none of the failing tests"))


class Search:
    """The search for one problem; ``go`` may be called again with more time, and carries on where it was."""

    def __init__(
        self, prover: Prover, tiers: Sequence[CandidateSource], problem: Problem, tally: Tally, cancel: Cancel
    ) -> None:
        self.problem = problem
        self._prover, self._tiers, self._tally, self._cancel = prover, tiers, tally, cancel
        self._candidates = self._propose()
        self._again: deque[Candidate] = deque()
        self._partial: list[Screened] = []
        """Those that mend the first target and not all others, to be proved where nothing better turns up."""
        self._tier = tiers[0]
        self._settled = False
        self._ran_out = False

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to try."""
        return self._ran_out and not self._partial

    @cached_property
    def _targets(self) -> list[str]:
        return telling_targets(self.problem.targets)

    @cached_property
    def _guards(self) -> list[str]:
        return guards(self.problem.targets, self.problem.baseline)

    def go(self, deadline: Deadline) -> list[Survivor]:
        """Search until a survivor leaves no target unmended, the candidates run out, or the time is up.

        Where the targets that remain fail for another reason the search cannot know it, so that it gives them a part
        of its time only.

        Returns:
            Survivors, the best first; none where nothing holds.
        """
        survivors: list[Survivor] = []
        while not deadline.passed and not self.exhausted:
            settling = bool(survivors)
            promising = self._screen(deadline, partial=not settling)
            survivors += self._prove(promising or ([] if settling else self._best_partial()))
            if any(not survivor.verdict.remaining for survivor in survivors) or (survivors and not promising):
                break
            if survivors and not settling:
                deadline = Deadline(deadline.left * _SETTLING)
        return self.ranked(survivors, deadline)

    def ranked(self, survivors: list[Survivor], deadline: Deadline) -> list[Survivor]:
        """Survivors of whatever tier, the likeliest to be right first."""
        if len(survivors) > 1:
            seen = self._prover.behaviours(
                self.problem.snapshot,
                [survivor.candidate for survivor in survivors],
                [test.id for test in self.problem.targets],
                cancel=self._cancel,
                deadline=deadline,
            )
            survivors = [replace(survivor, behaviour=seen.get(at)) for at, survivor in enumerate(survivors)]
        return self._tier.rank(self.problem, survivors) if survivors else []

    def _propose(self) -> Iterator[Candidate]:
        for tier in self._tiers:
            self._tier = tier
            yield from tier.propose(self.problem, cancel=self._cancel)

    def _screen(self, deadline: Deadline, *, partial: bool) -> list[Candidate]:
        """Candidates that mend every target tried: the first of them and those shortly after it.

        Those that mend some targets only are put aside where ``partial`` ones are of use. Once in a search they have to
        wait for better ones to turn up; after that they are as good as any.
        """
        promising: list[Candidate] = []
        at_first = deadline.left
        limit = Deadline(at_first * _SETTLING) if partial and self._partial else None
        with closing(self._results(deadline)) as results:
            for result in results:
                if result.promising:
                    if not promising:
                        limit = Deadline(min(deadline.left, _grace(at_first - deadline.left)))
                    promising.append(result.candidate)
                elif result.survived and partial:
                    self._partial.append(result)
                    if not limit:
                        settling = _grace(at_first - deadline.left) if self._settled else deadline.left * _SETTLING
                        limit, self._settled = Deadline(settling), True
                if len(promising) >= _MOST_SURVIVORS or (limit and limit.passed):
                    break
        return promising

    def _results(self, deadline: Deadline) -> Generator[Screened, None, None]:
        """What the quick screen says of each candidate; those left when it is closed come again in the next."""
        if self._ran_out:
            return
        handed_out: dict[int, Candidate] = {}

        def feed() -> Iterator[Candidate]:
            while candidate := self._again.popleft() if self._again else next(self._candidates, None):
                handed_out[id(candidate)] = candidate
                yield candidate
            self._ran_out = True

        screened = self._prover.screen(
            self.problem.snapshot, feed(), self._targets, guards=self._guards, cancel=self._cancel, deadline=deadline
        )
        try:
            with closing(screened):  # It holds workers until then.
                for result in screened:
                    self._cancel.check()
                    del handed_out[id(result.candidate)]
                    self._tally.tried += 1
                    if not result.survived:
                        self._tally.rejected[Gate.TESTS] += 1
                    yield result
        finally:
            self._hand_back(handed_out.values())

    def _best_partial(self) -> list[Candidate]:
        """The best few of those put aside; the others are screened again, by guards that know more by then."""
        ordered = [result.candidate for result in sorted(self._partial, key=lambda result: -len(result.fixed))]
        self._partial.clear()
        best, others = ordered[:_BEST], ordered[_BEST:]
        self._hand_back(others)
        self._tally.tried -= len(others)
        return best

    def _hand_back(self, candidates: Collection[Candidate]) -> None:
        """Have candidates come again in the next screen, before any new ones."""
        self._again.extend(candidates)
        self._ran_out = self._ran_out and not candidates

    def _prove(self, promising: Sequence[Candidate]) -> list[Survivor]:
        """Those that a proof finds to mend the first target; what the others break guards against their like."""

        def prove(candidate: Candidate) -> Verdict:
            targets = self.problem.provable
            return self._prover.prove(self.problem.snapshot, candidate, targets=targets, cancel=self._cancel)

        survivors = []
        broken: list[str] = []
        with ThreadPoolExecutor(self._prover.at_once, "prove") as threads:
            for candidate, verdict in zip(promising, threads.map(prove, promising), strict=True):
                if verdict.level is Level.FIXES and self.problem.targets[0].id in verdict.fixed:
                    survivors.append(Survivor(candidate, verdict))
                else:
                    self._tally.reject(candidate, verdict)
                    broken += verdict.broken[:_MOST_BROKEN]
        self._guards = reinforced(broken, self._guards, self.problem.baseline)
        return survivors


def _grace(seconds_so_far: float) -> float:
    share, least, most = _GRACE
    return min(max(share * seconds_so_far, least), most)

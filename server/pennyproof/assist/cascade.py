"""The search for edits that mend one cohort of failing tests: tiers in turn, screen, proof, ranking."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.core.candidates import Candidate
from pennyproof.core.problems import Problem, Screened, Survivor
from pennyproof.core.verdicts import Gate, Level, Verdict
from pennyproof.core.work import Cancel, Deadline

_MOST_SURVIVORS = 12
"""Enough to rank by agreement; the tail of a well-ordered search is rarely right."""

_MOST_REJECTIONS = 50
_GRACE = 0.5, 0.25, 2.5
"""After the first survivor the search goes on for this share of the time it took (at least, at most, in
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
        self._tier = tiers[0]
        self._settling = False
        self.exhausted = False

    def go(self, deadline: Deadline) -> list[Survivor]:
        """Search until a survivor leaves no target unmended, the candidates run out, or the time is up.

        Where the targets that remain fail for another reason the search cannot know it, so that it gives them a part
        of its time only.

        Returns:
            Survivors, the best first; none where nothing holds.
        """
        survivors: list[Survivor] = []
        while not deadline.passed and not self.exhausted:
            survivors += self._prove(self._screen(deadline))
            if any(not survivor.verdict.remaining for survivor in survivors):
                break
            if survivors and not self._settling:
                self._settling = True
                deadline = Deadline(deadline.left * _SETTLING)
        return self._rank(survivors, deadline) if survivors else []

    def _propose(self) -> Iterator[Candidate]:
        for tier in self._tiers:
            self._tier = tier
            yield from tier.propose(self.problem, cancel=self._cancel)

    def _screen(self, deadline: Deadline) -> list[Candidate]:
        """Candidates that the quick screen lets through, the first of them and those shortly after it."""
        handed_out: dict[int, Candidate] = {}
        promising: list[Candidate] = []
        whole = deadline.left
        limit = deadline

        def feed() -> Iterator[Candidate]:
            while True:
                candidate = self._again.popleft() if self._again else next(self._candidates, None)
                if candidate is None:
                    self.exhausted = True
                    return
                handed_out[id(candidate)] = candidate
                yield candidate

        first_target = [self.problem.targets[0].id]
        screened = self._prover.screen(
            self.problem.snapshot, feed(), first_target, cancel=self._cancel, deadline=deadline
        )
        try:
            for result in screened:
                self._cancel.check()
                del handed_out[id(result.candidate)]
                self._tally.tried += 1
                if result.survived:
                    if not promising:
                        limit = Deadline(min(deadline.left, _grace(whole - deadline.left)))
                    promising.append(result.candidate)
                else:
                    self._tally.rejected[Gate.TESTS] += 1
                if len(promising) >= _MOST_SURVIVORS or (promising and limit.passed):
                    break
        finally:
            _close(screened)
        if handed_out:
            self._again.extend(handed_out.values())
            self.exhausted = False
        return promising

    def _prove(self, promising: Sequence[Candidate]) -> list[Survivor]:
        def prove(candidate: Candidate) -> Verdict:
            targets = self.problem.provable
            return self._prover.prove(self.problem.snapshot, candidate, targets=targets, cancel=self._cancel)

        survivors = []
        with ThreadPoolExecutor(4, "prove") as threads:
            for candidate, verdict in zip(promising, threads.map(prove, promising), strict=True):
                if verdict.level is Level.FIXES and self.problem.targets[0].id in verdict.fixed:
                    survivors.append(Survivor(candidate, verdict))
                else:
                    self._tally.reject(candidate, verdict)
        return survivors

    def _rank(self, survivors: list[Survivor], deadline: Deadline) -> list[Survivor]:
        if len(survivors) > 1:
            seen = self._prover.behaviours(
                self.problem.snapshot,
                [survivor.candidate for survivor in survivors],
                [test.id for test in self.problem.targets],
                cancel=self._cancel,
                deadline=deadline,
            )
            survivors = [replace(survivor, behaviour=seen.get(at)) for at, survivor in enumerate(survivors)]
        return self._tier.rank(self.problem, survivors)


def _grace(seconds_so_far: float) -> float:
    share, least, most = _GRACE
    return min(max(share * seconds_so_far, least), most)


def _close(screened: Iterator[Screened]) -> None:
    """End a screen early: it holds workers until then."""
    close = getattr(screened, "close", None)
    if close is not None:
        close()

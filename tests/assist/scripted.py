"""A prover whose every answer a test writes down beforehand, for tests of what is built on provers."""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pennyproof.core.candidates import Candidate, Tier
from pennyproof.core.outcomes import Baseline, Coverage, Failure, Frame, Outcome, TestOutcome
from pennyproof.core.problems import Problem, Screened, Survivor
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level, Verdict, rejected
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import UnknownTest


def passed(test_id: str, seconds: float = 0.01) -> TestOutcome:
    return TestOutcome(test_id, Outcome.PASSED, seconds, path=test_id.partition("::")[0], line=1)


def failed(test_id: str, *frames: tuple[str, int], seconds: float = 0.01) -> TestOutcome:
    places = tuple(Frame(path, line, "f") for path, line in frames)
    failure = Failure("AssertionError", "assert 1 == 2", places)
    return TestOutcome(test_id, Outcome.FAILED, seconds, failure, test_id.partition("::")[0], 1)


def baseline(*tests: TestOutcome) -> Baseline:
    return Baseline({test.id: test for test in tests}, sum(test.seconds for test in tests))


@dataclass
class ScriptedProver:
    """Answers from tables; remembers what it was asked."""

    at_once: ClassVar[int] = 4
    tests: Baseline
    lines: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    mends: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Candidate's summary → tests it mends, in the screen and in the proof."""
    breaks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Candidate's summary → tests it breaks, seen by the proof, and by the screen where they are guards."""
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    proved: list[tuple[str, bool]] = field(default_factory=list)
    """Summary and ``every_test`` of each proof asked for."""
    targets: list[Sequence[str]] = field(default_factory=list)
    """The targets of each proof asked for."""
    guards: list[Sequence[str]] = field(default_factory=list)
    """The guards of each screen asked for."""
    notices: Mapping[str, bool] = field(default_factory=dict)
    """What a slip does → whether the tests notice it; those that are not named cannot be tried."""
    trouble: Exception | None = None
    """What is raised instead."""
    slips: list[Sequence[str]] = field(default_factory=list)
    """The summaries of the slips of each measurement."""
    alert: list[Sequence[str]] = field(default_factory=list)
    """The tests of each measurement."""
    open_screens: int = 0
    on_screen: Cancel | None = None
    """Asked to stop as soon as the first candidate was screened."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def baseline(
        self,
        snapshot: Snapshot,
        *,
        test_ids: Sequence[str] | None = None,
        patience: float | None = None,
        cancel: Cancel,
        progress: Progress,
    ) -> Baseline:
        unknown = set(test_ids or ()) - set(self.tests.outcomes)
        if unknown:
            raise UnknownTest(f"no such test: {min(unknown)}")
        return self.tests

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        return Coverage({test: self.lines[test] for test in test_ids if test in self.lines})

    def screen(
        self,
        snapshot: Snapshot,
        candidates: Iterator[Candidate],
        targets: Sequence[str],
        *,
        guards: Sequence[str] = (),
        base: Candidate | None = None,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Generator[Screened, None, None]:
        self.open_screens += 1
        self.guards.append(guards)
        try:
            for candidate in candidates:
                yield self._screened(candidate, targets, guards)
                if self.on_screen is not None:
                    self.on_screen.ask()
        finally:
            self.open_screens -= 1

    def _screened(self, candidate: Candidate, targets: Sequence[str], guards: Sequence[str]) -> Screened:
        mended = self.mends.get(candidate.summary, ())
        broken = self.breaks.get(candidate.summary, ())
        if targets[0] not in mended or not set(broken).isdisjoint(guards):
            return Screened(candidate, ())
        passing = tuple(test for test in targets if test in mended)
        return Screened(candidate, passing, tuple(test for test in targets if test not in mended))

    def warm(self, snapshot: Snapshot) -> None:
        """There is nothing to start."""

    def behaviours(
        self,
        snapshot: Snapshot,
        candidates: Sequence[Candidate],
        targets: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, tuple[str, ...]]:
        return {at: self.seen[one.summary] for at, one in enumerate(candidates) if one.summary in self.seen}

    def importing(self, snapshot: Snapshot, candidate: Candidate, *, cancel: Cancel) -> None:
        """The baseline tells more."""

    def prove(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        *,
        targets: Sequence[str] = (),
        test_ids: Sequence[str] | None = None,
        selection: str = "asked",
        every_test: bool = False,
        afresh: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        assert self.open_screens == 0, "a proof needs a worker that the screen still holds"
        with self.lock:
            self.proved.append((candidate.summary, every_test))
            self.targets.append(targets)
        broken = tuple(self.breaks.get(candidate.summary, ()))
        if broken:
            return replace(rejected(Gate.TESTS, f"breaks {broken[0]}"), broken=broken)
        mended = tuple(test for test in self.mends.get(candidate.summary, ()) if test in targets)
        remaining = tuple(test for test in targets if test not in mended)
        ran = tuple(self.tests.outcomes)
        return Verdict(Level.FIXES if mended else Level.PASSES, mended, remaining, ran=ran, passed=len(ran))

    def noticed(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        slips: Sequence[Candidate],
        tests: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, bool]:
        if self.trouble is not None:
            raise self.trouble
        self.slips.append([slip.summary for slip in slips])
        self.alert.append(list(tests))
        told = {at: self.notices.get(slip.summary.partition(": ")[2]) for at, slip in enumerate(slips)}
        return {at: noticed for at, noticed in told.items() if noticed is not None}

    def restart(self) -> None:
        """Nothing runs here that could be restarted."""

    def close(self) -> None:
        """Nothing runs here that could be closed."""


@dataclass
class ScriptedTier:
    """Proposes the summaries it was given, in order, and ranks by the table."""

    proposals: Sequence[str]
    tier: Tier = Tier.FREE
    problems: list[Problem] = field(default_factory=list)
    best: Sequence[str] = ()

    def propose(self, problem: Problem, *, cancel: Cancel) -> Iterator[Candidate]:
        self.problems.append(problem)
        for summary in self.proposals:
            yield Candidate((), summary=summary)

    def rank(self, problem: Problem, survivors: Sequence[Survivor]) -> list[Survivor]:
        order = {summary: at for at, summary in enumerate(self.best)}
        return sorted(survivors, key=lambda survivor: order.get(survivor.candidate.summary, len(order)))

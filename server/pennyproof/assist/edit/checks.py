"""Checks one candidate of an edit: against the docstrings' examples first, then against the project's own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pennyproof.assist.edit.examples import ExampleTests, as_tests, find_examples
from pennyproof.assist.edit.region import Region, touched_functions
from pennyproof.assist.explain.scopes import function_starts
from pennyproof.assist.ports import Prover
from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import NoTests


@dataclass
class Checks:
    """What there is to check the candidates of one edit with; baselines are made at the first need."""

    prover: Prover
    snapshot: Snapshot
    region: Region
    every_target: bool
    """Whether an edit has to mend all that fails now and runs the region, as the body of an unwritten function does."""
    cancel: Cancel
    progress: Progress
    tests: ExampleTests = field(init=False)

    def __post_init__(self) -> None:
        examples = find_examples(touched_functions(self.region))
        self.tests = as_tests(self.snapshot, self.region.path, examples)

    def prepare(self) -> None:
        """Run what is there as it is.

        Raises:
            EnvironmentProblem: Nothing can be run.
        """
        self.progress.report("running the tests")
        self.failing  # noqa: B018 - made once, and remembered

    @cached_property
    def failing(self) -> tuple[TestOutcome, ...]:
        """Examples that fail now, and failing tests of the project that run the region's functions."""
        return tuple(test for test in (*self._examples.failing, *self._targets) if test.failure)

    @property
    def proved_in(self) -> Snapshot:
        """What the verdict on a candidate that holds is of."""
        return self.tests.snapshot if self.tests.examples else self.snapshot

    def verdict(self, candidate: Candidate, *, afresh: bool = False) -> Verdict:
        """What the gates find; the examples run before the project's tests, since they tell more in less time."""
        of_examples = [test.id for test in self._examples.failing]
        by_examples = self.prover.prove(
            self.tests.snapshot,
            candidate,
            targets=of_examples,
            test_ids=self.tests.ids,
            afresh=afresh,
            cancel=self.cancel,
        )
        if self._baseline is None or not self._goes_on(by_examples, of_examples):
            return by_examples
        of_tests = [test.id for test in self._targets]
        by_tests = self.prover.prove(self.snapshot, candidate, targets=of_tests, afresh=afresh, cancel=self.cancel)
        if not self.tests.examples or not self._goes_on(by_tests, of_tests):
            return by_tests
        if by_tests.level <= Level.PARSES:
            return by_examples  # None of the project's tests runs the lines; the examples may.
        return self.prover.prove(
            self.tests.snapshot,
            candidate,
            targets=[*of_examples, *of_tests],
            test_ids=[*self.tests.ids, *by_tests.ran],
            afresh=afresh,
            cancel=self.cancel,
        )

    def holds(self, verdict: Verdict) -> bool:
        """Whether nothing that ran speaks against a candidate."""
        return verdict.level > Level.REJECTED and not (self.every_target and self.unmended(verdict))

    def unmended(self, verdict: Verdict) -> list[str]:
        """What failed before, runs the region's functions, and still fails."""
        return [test.id for test in self.failing if test.id not in verdict.fixed]

    def _goes_on(self, verdict: Verdict, targets: Sequence[str]) -> bool:
        """Whether it is worth while to run more tests."""
        unmended = set(targets) - set(verdict.fixed)
        return verdict.level > Level.REJECTED and not (self.every_target and unmended)

    def behaviours(self, candidates: Sequence[Candidate], deadline: Deadline) -> Mapping[int, tuple[str, ...]]:
        """What the region's function returns on inputs varied from those of the examples, by candidate."""
        if not self.tests.examples:
            return {}
        return self.prover.behaviours(
            self.tests.snapshot, candidates, list(self.tests.ids), cancel=self.cancel, deadline=deadline
        )

    @cached_property
    def _examples(self) -> Baseline:
        return self.prover.baseline(
            self.tests.snapshot, test_ids=self.tests.ids, cancel=self.cancel, progress=self.progress
        )

    @cached_property
    def _baseline(self) -> Baseline | None:
        try:
            return self.prover.baseline(self.snapshot, cancel=self.cancel, progress=self.progress)
        except NoTests:
            return None

    @cached_property
    def _targets(self) -> list[TestOutcome]:
        if self._baseline is None:
            return []
        starts = frozenset(
            start for _, function in touched_functions(self.region) for start in function_starts(function)
        )
        running = self._baseline.functions.tests_running(self.region.path, starts)
        return [test for test in self._baseline.failing if test.id in running and test.ends]


def described(test: TestOutcome) -> str:
    """A failing test and how it failed, in one line."""
    if test.failure is None:
        return test.id
    return f"{test.id}: {test.failure.kind}: {' '.join(test.failure.message.split())[:400]}"

"""Whether tests that pass with a candidate would notice slips in the lines that it changed.

All runs are those that verdicts come from: a fresh child, pytest, a signed result. What is said in the tests' favour is
sure as far as that goes: before any slip is tried the tests are seen to pass with the candidate in a run of the same
shape, so that none is called alert that fails for another reason.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Deadline
from pennyproof.proof import limits
from pennyproof.proof.answers import RunResult, read_run
from pennyproof.proof.judging import ran_at_import
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Recorded
from pennyproof.proof.selection import Change, analyse, select
from pennyproof.proof.worker import Answer, Status

_SHOWN_BY_ANY_RUN = frozenset({"TypeError", "AttributeError", "NameError", "UnboundLocalError"})
"""Failures that say nothing of what a test looks at: values of another kind than the code can do anything with."""

_FEWEST_RUNS = 3
"""Those that tell which tests count, that these pass by themselves, and whether they notice one slip."""


class Noticing:
    """Tries slips on tests, each with a worker that is free again afterwards.

    Args:
        pool: The workers.
        threads: How many slips are tried at once.
        options: The settings.
        recorded: What the tests do without the candidate.
        snapshot: What the candidate and the slips are based on.
        cancel: Ends it.
        deadline: No run goes on after it.
    """

    def __init__(
        self,
        pool: Pool,
        threads: int,
        options: ProofOptions,
        recorded: Recorded,
        snapshot: Snapshot,
        cancel: Cancel,
        deadline: Deadline,
    ) -> None:
        self._pool = pool
        self._threads = threads
        self._options = options
        self._recorded = recorded
        self._snapshot = snapshot
        self._cancel = cancel
        self._deadline = deadline

    def noticed(self, candidate: Candidate, slips: Sequence[Candidate], tests: Sequence[str]) -> Mapping[int, bool]:
        """Whether one of the tests that run the changed lines fails; see ``ports.Prover.noticed``.

        Raises:
            Cancelled: ``cancel`` was asked.
        """
        running = self._running(candidate, tests)
        usual = self._passing(candidate, running) if running else None
        if usual is None:
            return {}
        notices = partial(self._notices, candidate, running, usual)
        with ThreadPoolExecutor(self._threads, "pennyproof-slips") as threads:
            tried = list(threads.map(notices, slips))
        return {index: noticed for index, noticed in enumerate(tried) if noticed is not None}

    def _running(self, candidate: Candidate, tests: Sequence[str]) -> list[str]:
        """The tests that pass with the candidate and run lines that it changes."""
        change = analyse(candidate)
        baseline = self._recorded.baseline
        known = [test for test in tests if test not in baseline.flaky]
        chosen = select(change, baseline.functions, known)
        if chosen is not None:
            # Of those that failed no map tells what they run now.
            failing = {test.id for test in baseline.failing}
            known = [test for test in known if test in failing or test in chosen]
        if _FEWEST_RUNS * limits.tests_seconds(baseline, known) > self._deadline.left:
            return []  # Nobody waits for what would end without having tried a slip.
        run = self._run_whole(candidate, known, change) if known else None
        if run is None:
            return []
        everywhere = ran_at_import(change, run)
        return [test for test in known if test in run.passed and (everywhere or test in run.watched_by)]

    def _run_whole(self, candidate: Candidate, tests: Sequence[str], change: Change) -> RunResult | None:
        wall = limits.candidate_seconds(self._recorded.baseline, tests, self._options.timeout_seconds)
        answer = self._run(candidate, tests, wall, watch=change.watch(), within=change.within(self._snapshot))
        return read_run(answer.result, answer.seconds) if answer.ok else None

    def _passing(self, candidate: Candidate, tests: Sequence[str]) -> float | None:
        """The seconds in which the tests pass with the candidate, ``None`` where they do not."""
        wall = limits.candidate_seconds(self._recorded.baseline, tests, self._options.timeout_seconds)
        answer = self._run(candidate, tests, wall, maxfail=1)
        if not answer.ok or not read_run(answer.result, answer.seconds).passed.issuperset(tests):
            return None
        return answer.seconds

    def _notices(self, candidate: Candidate, tests: Sequence[str], usual: float, slip: Candidate) -> bool | None:
        """Whether a test fails with a slip in place; ``None`` where that cannot be told, or any run would show it."""
        answer = self._run(slip, tests, limits.slip_seconds(usual), maxfail=1)
        if answer.status in (Status.TIMEOUT, Status.CRASHED):
            # Without the slip they have to go through still: the machine may be at something else.
            return None if self._passing(candidate, tests) is None else True
        if not answer.ok:
            return None
        run = read_run(answer.result, answer.seconds)
        failed = next((test for test in run.outcomes.values() if test.failed), None)
        if failed is None:
            return False if run.passed.issuperset(tests) else None
        return None if failed.failure and failed.failure.kind in _SHOWN_BY_ANY_RUN else True

    def _run(self, candidate: Candidate, tests: Sequence[str], wall: float, **params: object) -> Answer:
        if self._deadline.passed:
            return Answer(Status.TIMEOUT)
        files = {**self._snapshot.buffers, **candidate.files()}
        with self._pool.lend(self._cancel) as worker:
            return worker.run(
                "run",
                files={path: source.data() if source else None for path, source in files.items()},
                params={"ids": list(tests), "args": list(self._options.args), **params},
                limits=limits.limits(min(wall, self._deadline.left)),
                cancel=self._cancel,
            )

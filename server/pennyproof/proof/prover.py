"""The gates in order: the one place where verdicts are made."""

import contextlib
import errno
import os
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.problems import Screened
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Verdict, rejected
from pennyproof.core.work import Cancel, Deadline, Progress, Silent
from pennyproof.errors import Cancelled, EnvironmentProblem, PennyproofError
from pennyproof.proof import gates, limits
from pennyproof.proof.answers import RunResult, UnreadableAnswer, read_run
from pennyproof.proof.baseline import expand
from pennyproof.proof.environment import Environment
from pennyproof.proof.judging import judge, newly_failing, ran_at_import
from pennyproof.proof.noticing import Noticing
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.reaching import reaches
from pennyproof.proof.records import Recorded, Records
from pennyproof.proof.screening import Screening, watch_behaviours
from pennyproof.proof.selection import Change, analyse, select
from pennyproof.proof.session import Beginning, Session, begin_session, open_session
from pennyproof.proof.suite import ending
from pennyproof.proof.worker import Status
from pennyproof.proof.workspace import Workspace

__all__ = ["ProofOptions", "Prover"]

_NOT_WRITABLE = ("PermissionError", f"OSError: [Errno {errno.EOVERFLOW}]")
"""How the answer of a run begins that could not put its files in place; the second is what an overlay says of folders
that anybody may write to, but whose owner it cannot name."""


class Prover:
    """Runs a project's tests in the sandbox; what ``assist`` knows as a ``Prover``. Thread-safe."""

    at_once = 4
    """Proofs that are worth asking for beside each other."""

    def __init__(
        self, root: Path, options: ProofOptions, state: Path | None, *, environ: Mapping[str, str] = os.environ
    ) -> None:
        """Prepare; nothing is started before the first need.

        Args:
            root: The project's folder.
            options: The settings.
            state: Where baselines and bytecode are kept; ``None``: in memory, and for the time of this process.
            environ: Tells which environment is active.
        """
        self.root = root.resolve()
        self._options = options
        self._state = state
        self._environ = environ
        self._workspace = Workspace(self.root)
        self._records = Records(self.root, state)
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._begun: Beginning | None = None
        """A session that has begun to be opened."""
        self._closed = False

    def warm(self, snapshot: Snapshot) -> None:
        """Begin to start what runs take, in the background."""
        with self._opening, contextlib.suppress(PennyproofError):  # Whoever opens it will be told.
            if not (self._session or self._begun or self._closed):
                self._begun = self._begin(snapshot)

    def environment(self, snapshot: Snapshot, *, cancel: Cancel) -> Environment:
        """The interpreter that runs the tests, known to work."""
        return self._opened(snapshot, cancel).environment

    def baseline(
        self,
        snapshot: Snapshot,
        *,
        test_ids: Sequence[str] | None = None,
        patience: float | None = None,
        cancel: Cancel,
        progress: Progress,
    ) -> Baseline:
        """What the tests do as they are."""
        session = self._opened(snapshot, cancel)
        recorded = session.baselines.get(snapshot, test_ids, patience=patience, cancel=cancel, progress=progress)
        whole = recorded.baseline
        if test_ids is None:
            return whole
        outcomes = {test: whole.outcomes[test] for test in expand(test_ids, whole)}
        seconds = sum(test.seconds for test in outcomes.values())
        return Baseline(outcomes, seconds, whole.errors, whole.flaky & outcomes.keys(), whole.functions)

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        """The lines that each of these tests runs."""
        session = self._opened(snapshot, cancel)
        return session.baselines.coverage(snapshot, test_ids, cancel=cancel)

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
        """Try candidates on the targets as fast as the machine can."""
        session, screening = self._screening(snapshot, targets, cancel, guards, base)
        yield from screening.screen(session.pool, session.workers, candidates, cancel=cancel, deadline=deadline)

    def behaviours(
        self,
        snapshot: Snapshot,
        candidates: Sequence[Candidate],
        targets: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, tuple[str, ...]]:
        """What the changed function returns on inputs varied from those of the targets."""
        session, screening = self._screening(snapshot, targets, cancel)
        with session.pool.lend(cancel) as worker:
            return watch_behaviours(screening, worker, candidates, cancel=cancel, deadline=deadline)

    def importing(self, snapshot: Snapshot, candidate: Candidate, *, cancel: Cancel) -> Sequence[str] | None:
        """The test files that may import what a candidate changes, where no baseline tells more."""
        if any(change.before is None or change.after is None for change in candidate.changes):
            return None  # What comes or goes may be looked for by any name.
        baselines = self._opened(snapshot, cancel).baselines
        return baselines.importing(snapshot, [change.path for change in candidate.changes])

    def prove(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        *,
        targets: Sequence[str] = (),
        test_ids: Sequence[str] | None = None,
        selection: str = "asked",
        every_test: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        """Take a candidate through all gates, the tests in a fresh process."""
        began = time.perf_counter()
        session = self._opened(snapshot, cancel)
        verdict = gates.edit(snapshot, candidate, session.baselines.test_files)
        if verdict is None:
            recorded = session.baselines.get(snapshot, test_ids, cancel=cancel, progress=Silent())
            # The first baseline may have shown further files to hold tests.
            verdict = gates.touches_tests(candidate, session.baselines.test_files)
        if verdict is None:
            chosen = None if test_ids is None else (test_ids, selection)
            verdict = self._run_and_lint(session, snapshot, candidate, recorded, targets, chosen, every_test, cancel)
        return verdict.taking(time.perf_counter() - began)

    def _run_and_lint(
        self,
        session: Session,
        snapshot: Snapshot,
        candidate: Candidate,
        recorded: Recorded,
        targets: Sequence[str],
        chosen: tuple[Sequence[str], str] | None,
        every_test: bool,
        cancel: Cancel,
    ) -> Verdict:
        """The other gates: ruff looks at the candidate while its tests run, and what it objects to ends them."""
        stop = Cancel()
        forget = cancel.on_cancel(stop.ask)
        objection = session.linting.submit(gates.lint, candidate, session.linter)
        objection.add_done_callback(lambda done: stop.ask() if done.exception() or done.result() else None)
        try:
            proof = _Proof(session, snapshot, candidate, self._options, recorded, stop)
            verdict = proof.verdict(targets, chosen, every_test=every_test)
        except Cancelled:
            cancel.check()
            rejection = objection.result()
            if rejection is None:
                raise
            return rejection
        finally:
            forget()
        return objection.result() or verdict

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
        """Which slips the tests that run the changed lines would notice."""
        session = self._opened(snapshot, cancel)
        recorded = session.baselines.get(snapshot, None, cancel=cancel, progress=Silent())
        noticing = Noticing(session.pool, session.workers, self._options, recorded, snapshot, cancel, deadline)
        return noticing.noticed(candidate, slips, tests)

    def restart(self) -> None:
        """End all workers; the next call finds the interpreter anew and starts others."""
        with self._opening:
            parts = self._session, self._begun
            self._session = self._begun = None
        for part in parts:
            if part:
                part.close()

    def close(self) -> None:
        """End all workers for good."""
        self._closed = True
        self.restart()

    def _opened(self, snapshot: Snapshot, cancel: Cancel) -> Session:
        cancel.check()
        with self._opening:
            if self._closed:
                raise EnvironmentProblem(f"the workers of {self.root} have been closed")
            if self._session and self._session.outdated:
                self._session.close()
                self._session = None
            if self._session is None:
                begun, self._begun = self._begun or self._begin(snapshot), None
                self._session = open_session(begun, self._workspace, self._options, self._records, cancel)
            return self._session

    def _begin(self, snapshot: Snapshot) -> Beginning:
        return begin_session(snapshot, self._workspace, self._options, self._state, self._environ)

    def _screening(
        self,
        snapshot: Snapshot,
        targets: Sequence[str],
        cancel: Cancel,
        guards: Sequence[str] = (),
        base: Candidate | None = None,
    ) -> tuple[Session, Screening]:
        session = self._opened(snapshot, cancel)
        baseline = session.baselines.get(snapshot, targets, cancel=cancel, progress=Silent()).baseline
        wanted, timeout = expand(targets, baseline), self._options.timeout_seconds
        first, others = wanted[:1], wanted[1:]
        files = {**snapshot.buffers, **(base.files() if base else {})}
        return session, Screening(
            buffers={path: source.data() if source else None for path, source in files.items()},
            targets=wanted,
            args=self._options.args,
            quick_seconds=limits.screen_seconds(baseline, first, timeout),
            full_seconds=limits.candidate_seconds(baseline, wanted, timeout),
            closer_seconds=max(limits.screen_seconds(baseline, tests, timeout) for tests in (others, guards)),
            hangs=limits.hangs(baseline.outcomes[first[0]]),
            guards=guards,
        )


class _Proof:
    """The gate ``tests`` for one candidate."""

    def __init__(
        self,
        session: Session,
        snapshot: Snapshot,
        candidate: Candidate,
        options: ProofOptions,
        recorded: Recorded,
        cancel: Cancel,
    ) -> None:
        self._session = session
        self._snapshot = snapshot
        self._options = options
        self._recorded = recorded
        self._cancel = cancel
        self._change: Change = analyse(candidate)
        self._reaches = reaches(candidate, snapshot.buffers)
        files = {**snapshot.buffers, **candidate.files()}
        self._files = {path: source.data() if source else None for path, source in files.items()}

    def verdict(self, targets: Sequence[str], chosen: tuple[Sequence[str], str] | None, *, every_test: bool) -> Verdict:
        """The verdict by the tests that were chosen, in the way that is named, or by those that have to run."""
        baseline = self._recorded.baseline
        targets = expand(targets, baseline) if targets else []
        if chosen is not None:
            test_ids, selection = chosen
            return self._judge(targets, expand(test_ids, baseline), selection)
        known = list(baseline.outcomes)
        selected = None if every_test else select(self._change, baseline.functions, known)
        if selected is None:
            return self._judge(targets, known, "all")
        return self._judge(targets, selected, "map")

    def _judge(self, targets: Sequence[str], selected: Sequence[str], selection: str) -> Verdict:
        # Those that hang or end the process would take the others with them: they run where they are asked for.
        asked = selected if selection == "asked" else targets
        left_out = self._recorded.unrunnable.difference(asked)
        ids = [test for test in dict.fromkeys([*targets, *selected]) if test not in left_out]
        run = self._run(ids, left_out, everything=selection == "all")
        if isinstance(run, Verdict):
            return run
        if selection == "map" and ran_at_import(self._change, run):
            return self._judge(targets, list(self._recorded.baseline.outcomes), "all")
        excused = frozenset[str]()
        if selection != "all" and newly_failing(self._recorded, run, ids):
            excused = self._failing_alone(ids)
        return judge(
            self._recorded, run, self._change, targets=targets, selected=ids, selection=selection, excused=excused
        )

    def _run(self, ids: Sequence[str], left_out: frozenset[str], *, everything: bool) -> RunResult | Verdict:
        """The signed result of running the tests with the candidate, or why there is none."""
        wall = limits.candidate_seconds(self._recorded.baseline, ids, self._options.timeout_seconds)
        params = {
            "ids": None if everything else ids,
            "args": [*self._options.args, *(f"--deselect={test}" for test in sorted(left_out) if everything)],
            "watch": self._change.watch(),
            "within": self._change.within(self._snapshot),
            "each": limits.each_seconds(self._recorded.baseline, ids, self._options.timeout_seconds),
            "changed": self._reaches,
        }
        with self._session.pool.lend(self._cancel) as worker:
            answer = worker.run(
                "run", files=self._files, params=params, limits=limits.limits(wall), cancel=self._cancel
            )
        if answer.status is Status.ERROR and answer.detail.startswith(_NOT_WRITABLE):
            # No candidate for this file can be tried, so that turning away each of them would say nothing.
            raise EnvironmentProblem(
                f"the edit cannot be put in place, since the sandbox may not write there: {answer.detail.strip()}; "
                "make the project's files and folders yours, and writable"
            )
        if not answer.ok:
            return rejected(Gate.TESTS, f"with the edit in place the test run {ending(answer)}")
        try:
            return read_run(answer.result, answer.seconds)
        except UnreadableAnswer:
            return rejected(Gate.TESTS, "with the edit in place the test run gave an answer that is none")

    def _failing_alone(self, ids: Sequence[str]) -> frozenset[str]:
        """Tests that do not pass without the candidate either, when only these tests run."""
        alone = self._session.baselines.alone(self._snapshot, ids, cancel=self._cancel, progress=Silent())
        return frozenset(ids) - {test.id for test in alone.baseline.passing}

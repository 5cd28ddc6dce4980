"""One candidate's way through the gates that take its time: its tests, and ruff beside them."""

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level, Route, Verdict, rejected
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof import gates, limits
from pennyproof.proof.answers import RunResult, read_run
from pennyproof.proof.baseline import expand
from pennyproof.proof.judging import judge, newly_failing, ran_at_import
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.records import Recorded
from pennyproof.proof.selection import Change, analyse, select
from pennyproof.proof.session import Session
from pennyproof.proof.suite import ending
from pennyproof.proof.worker import Status

_NOT_WRITABLE = ("PermissionError", f"OSError: [Errno {errno.EOVERFLOW}]")
"""How the answer of a run begins that could not put its files in place; the second is what an overlay says of folders
that anybody may write to, but whose owner it cannot name."""


class Linting:
    """The gates ``names`` and ``lint`` for one candidate, while its tests run; an objection ends these."""

    def __init__(self, session: Session, candidate: Candidate, stop: Cancel) -> None:
        self._session = session
        self._candidate = candidate
        self._route: Route | None = None
        self._stop = stop
        self._objection: Future[Verdict | None] | None = None

    def begin(self) -> None:
        """Begin, if that was not done; not before the tests are on their way, which this would hold up."""
        self._begun()

    def result(self) -> Verdict | None:
        """The rejection, if there is one."""
        return self._begun().result()

    def _begun(self) -> Future[Verdict | None]:
        if self._objection is None:
            self._objection = self._session.linting.submit(gates.lint, self._candidate, self._session.linter)
            self._objection.add_done_callback(self._heed)
        return self._objection

    def _heed(self, done: Future[Verdict | None]) -> None:
        if done.exception() or done.result():
            self._stop.ask()


class Proving:
    """The gate ``tests`` for one candidate."""

    def __init__(
        self,
        session: Session,
        snapshot: Snapshot,
        candidate: Candidate,
        options: ProofOptions,
        recorded: Recorded,
        cancel: Cancel,
        sent: Callable[[], None],
    ) -> None:
        self._session = session
        self._snapshot = snapshot
        self._options = options
        self._recorded = recorded
        self._cancel = cancel
        self._sent = sent
        self._candidate = candidate
        self._change: Change = analyse(candidate)
        files = {**snapshot.buffers, **candidate.files()}
        self._files = {path: source.data() if source else None for path, source in files.items()}

    def verdict(self, targets: Sequence[str], chosen: tuple[Sequence[str], str] | None, *, every_test: bool) -> Verdict:
        """The verdict by the tests that were chosen, in the way that is named, or by those that have to run."""
        baseline = self._recorded.baseline
        targets = expand(targets, baseline) if targets else []
        known = list(baseline.outcomes)
        if chosen is not None:
            tests, selection = expand(chosen[0], baseline), chosen[1]
        else:
            selected = None if every_test else select(self._change, baseline.functions, known)
            tests, selection = (known, "all") if selected is None else (selected, "map")
        verdict = self._judge(targets, tests, selection)
        return replace(verdict, route=verdict.route or self._route)

    def _judge(self, targets: Sequence[str], selected: Sequence[str], selection: str) -> Verdict:
        # Those that hang or end the process would take the others with them: they run where they are asked for.
        asked = selected if selection == "asked" else targets
        left_out = self._recorded.unrunnable.difference(asked)
        ids = [test for test in dict.fromkeys([*targets, *selected]) if test not in left_out]
        against = self._patched(ids, targets, selection)
        if against:
            return against
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

    def _patched(self, ids: Sequence[str], targets: Sequence[str], selection: str) -> Verdict | None:
        """The verdict of tests run where the unchanged project stands, if it says nothing in the candidate's favour."""
        if self._change.functions is None:
            return None
        verdict = self._tried(ids, targets, selection)
        if verdict and verdict.broken:
            again = self._tried(ids, targets, selection)
            # A test that fails now and then blames nobody.
            return verdict if again and again.broken == verdict.broken else None
        return verdict

    def _tried(self, ids: Sequence[str], targets: Sequence[str], selection: str) -> Verdict | None:
        standings = self._session.standings
        trial = standings.tried(
            self._snapshot, self._recorded, self._candidate, ids, cancel=self._cancel, sent=self._sent
        )
        if trial is None:
            return None
        run = RunResult.of(trial.outcomes, trial.patched)
        ran = [test for test in ids if test in run.outcomes]
        verdict = judge(self._recorded, run, self._change, targets=targets, selected=ran, selection=selection)
        if verdict.level > Level.PARSES or (run.passed and not verdict.broken):
            return None
        return replace(verdict, route=Route.PATCHED, uncovered=() if verdict.broken else verdict.uncovered)

    def _run(self, ids: Sequence[str], left_out: frozenset[str], *, everything: bool) -> RunResult | Verdict:
        """The signed result of running the tests with the candidate, or why there is none."""
        wall = limits.candidate_seconds(self._recorded.baseline, ids, self._options.timeout_seconds)
        params = {
            "ids": None if everything else ids,
            "args": [*self._options.args, *(f"--deselect={test}" for test in sorted(left_out) if everything)],
            "watch": self._change.watch(),
            "within": self._change.within(self._snapshot),
            "each": limits.each_seconds(self._recorded.baseline, ids, self._options.timeout_seconds),
        }
        with self._session.pool.lend(self._cancel) as worker:
            answer = worker.run(
                "run",
                files=self._files,
                params=params,
                limits=limits.limits(wall),
                cancel=self._cancel,
                sent=self._sent,
            )
        self._route = Route.IMPORTED if answer.started else Route.STARTED
        if answer.status is Status.ERROR and answer.detail.startswith(_NOT_WRITABLE):
            # No candidate for this file can be tried, so that turning away each of them would say nothing.
            raise EnvironmentProblem(
                f"the edit cannot be put in place, since the sandbox may not write there: {answer.detail.strip()}; "
                "make the project's files and folders yours, and writable"
            )
        if not answer.ok:
            return rejected(Gate.TESTS, f"with the edit in place the test run {ending(answer)}")
        return read_run(answer.result, answer.seconds)

    def _failing_alone(self, ids: Sequence[str]) -> frozenset[str]:
        """Tests that do not pass without the candidate either, when only these tests run."""
        alone = self._session.baselines.alone(self._snapshot, ids, cancel=self._cancel, progress=Silent())
        return frozenset(ids) - {test.id for test in alone.baseline.passing}

"""The gates in order: the one place where verdicts are made."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.problems import Screened
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress, Silent
from pennyproof.errors import EnvironmentProblem, PennyproofError
from pennyproof.proof import gates, limits, remembered
from pennyproof.proof.baseline import expand
from pennyproof.proof.beside import Beside, Changed, Footing
from pennyproof.proof.environment import Environment
from pennyproof.proof.noticing import Noticing
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.proving import Proving
from pennyproof.proof.records import Recorded, Records
from pennyproof.proof.remembered import Question
from pennyproof.proof.scope import Scope
from pennyproof.proof.screening import Screening, watch_behaviours
from pennyproof.proof.session import Beginning, Session, begin_session, open_session
from pennyproof.proof.workspace import Workspace

__all__ = ["ProofOptions", "Prover"]


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
        self._last: Footing | None = None
        """What the last verdict rested on."""
        self._closed = False

    def warm(self, snapshot: Snapshot) -> None:
        """Begin to start what runs take, in the background."""
        with self._opening, contextlib.suppress(PennyproofError):  # Whoever opens it will be told.
            if self._session:
                self._session.nursery.start()  # It may have been given up, since nobody used it.
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

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel, progress: Progress) -> None:
        """Have what is known of all tests ready before anybody asks; gives way to other processes."""
        self._opened(snapshot, cancel).baselines.keep_up(snapshot, cancel=cancel, progress=progress)

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
        afresh: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        """Take a candidate through all gates, the tests in a fresh process."""
        began = time.perf_counter()
        scope = Scope.of(targets, test_ids, selection, every_test=every_test)
        asked = _Asked(snapshot, candidate, scope, remembered.digest(candidate, scope), afresh)
        try:
            verdict = self._proved_as_before(asked, cancel) or self._proved(asked, cancel)
            return verdict.taking(time.perf_counter() - began)
        finally:
            last = self._last  # Another thread may restart everything meanwhile.
            if last is not None:
                last.session.waitings.begin()

    def _proved_as_before(self, asked: "_Asked", cancel: Cancel) -> Verdict | None:
        """The verdict, if all that it rests on turns out to be what the last one rested on."""
        last, snapshot, candidate = self._last, asked.snapshot, asked.candidate
        if last is None or not last.seems_to_hold(self._session, snapshot, asked.scope):
            return None
        session = last.session
        if not asked.afresh and session.verdicts.seem_to_have(asked.question(session), last.look):
            return None

        def look() -> Verdict | None:
            last.check(self._workspace)
            return gates.edit(snapshot, candidate, session.baselines.test_files) or gates.lint(
                candidate, session.linter
            )

        try:
            return self._run(last, asked, look, cancel)
        except Changed:
            return None

    def _proved(self, asked: "_Asked", cancel: Cancel) -> Verdict:
        """The verdict, from the beginning."""
        snapshot, candidate, test_ids = asked.snapshot, asked.candidate, asked.scope.test_ids
        session = self._opened(snapshot, cancel)

        def baseline() -> Recorded:
            return session.baselines.get(snapshot, test_ids, cancel=cancel, progress=Silent())

        if not asked.afresh:
            known = session.verdicts.find(asked.question(session), snapshot, baseline)
            if known:
                return known
        verdict = gates.edit(snapshot, candidate, session.baselines.test_files)
        if verdict is None:
            recorded = baseline()
            # The first baseline may have shown further files to hold tests.
            verdict = gates.touches_tests(candidate, session.baselines.test_files)
        if verdict is None:
            look = self._workspace.look(snapshot)
            self._last = footing = Footing(session, snapshot.buffers, test_ids, recorded, look)
            verdict = self._run(footing, asked, lambda: gates.lint(candidate, session.linter), cancel)
        return verdict

    def _run(self, footing: Footing, asked: "_Asked", look: Callable[[], Verdict | None], cancel: Cancel) -> Verdict:
        """The verdict by the tests, beside which there is a look at what needs none."""
        stop = Cancel()
        session, forget = footing.session, cancel.on_cancel(stop.ask)
        beside = Beside(session.beside, look, stop)
        try:
            proof = Proving(footing, asked.snapshot, asked.candidate, self._options, stop, beside.begin)
            verdict = proof.verdict(asked.scope)
            verdict = beside.result() or verdict
        except PennyproofError:
            cancel.check()
            objection = beside.result()
            if objection is None:
                raise
            verdict = objection
        finally:
            forget()
        verdict = replace(verdict, confined=session.confined or verdict.route is None)
        session.verdicts.keep(asked.question(session), footing.look, footing.recorded, verdict)
        return verdict

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
        recorded = session.baselines.known(snapshot, tests)
        if recorded is None:  # To run them all again may take longer than anybody waits for this.
            return {}
        noticing = Noticing(session.pool, session.workers, self._options, recorded, snapshot, cancel, deadline)
        return noticing.noticed(candidate, slips, tests)

    def restart(self) -> None:
        """End all workers; the next call finds the interpreter anew and starts others."""
        with self._opening:
            parts = self._session, self._begun
            self._session = self._begun = self._last = None
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one verdict is asked for."""

    snapshot: Snapshot
    candidate: Candidate
    scope: Scope
    digest: bytes
    afresh: bool
    """Whether it may not be one that is remembered."""

    def question(self, session: Session) -> Question:
        """The same, for those that are."""
        return Question(self.digest, session.baselines.test_files)

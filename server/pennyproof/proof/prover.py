"""All that is asked of proof about one project, and the processes that answer."""

import contextlib
import os
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.problems import Screened
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress, Silent
from pennyproof.errors import EnvironmentProblem, PennyproofError
from pennyproof.proof import limits
from pennyproof.proof.baseline import expand
from pennyproof.proof.environment import Environment
from pennyproof.proof.gatekeeper import Asked, Gatekeeper
from pennyproof.proof.noticing import Noticing
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.records import Records
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
        self._gatekeeper = Gatekeeper(self._workspace, options, self._opened)
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
        scope = Scope.of(targets, test_ids, selection, every_test=every_test)
        return self._gatekeeper.verdict(Asked.of(snapshot, candidate, scope, afresh=afresh), self._session, cancel)

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
            self._session = self._begun = None
            self._gatekeeper.forget()
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

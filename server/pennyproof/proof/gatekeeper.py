"""The gates in order: the one place where verdicts are made."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import PennyproofError
from pennyproof.proof import gates, remembered
from pennyproof.proof.beside import Beside, Changed, Footing
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.proving import Proving
from pennyproof.proof.records import Recorded
from pennyproof.proof.remembered import Question
from pennyproof.proof.scope import Scope
from pennyproof.proof.session import Session
from pennyproof.proof.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What one verdict is asked for."""

    snapshot: Snapshot
    candidate: Candidate
    scope: Scope
    digest: bytes
    afresh: bool
    """Whether it may not be one that is remembered."""

    @classmethod
    def of(cls, snapshot: Snapshot, candidate: Candidate, scope: Scope, *, afresh: bool) -> "Asked":
        """The same, with the digest by which it is remembered."""
        return cls(snapshot, candidate, scope, remembered.digest(candidate, scope), afresh)

    def question(self, session: Session) -> Question:
        """The same, for verdicts that are remembered."""
        return Question(self.digest, session.baselines.test_files)


class Gatekeeper:
    """Takes candidates through all gates, the tests in a fresh process. Thread-safe.

    Args:
        workspace: The files on disk.
        options: The settings.
        opened: The session that runs are made in, opened where there is none.
    """

    def __init__(
        self, workspace: Workspace, options: ProofOptions, opened: Callable[[Snapshot, Cancel], Session]
    ) -> None:
        self._workspace = workspace
        self._options = options
        self._opened = opened
        self._last: Footing | None = None
        """What the last verdict rested on."""

    def verdict(self, asked: Asked, session: Session | None, cancel: Cancel) -> Verdict:
        """The verdict; ``session`` is the one that is open, if any."""
        began = time.perf_counter()
        try:
            verdict = self._as_before(asked, session, cancel) or self._anew(asked, cancel)
            return verdict.taking(time.perf_counter() - began)
        finally:
            last = self._last  # Another thread may restart everything meanwhile.
            if last is not None:
                last.session.waitings.begin()

    def forget(self) -> None:
        """Rest on nothing of before."""
        self._last = None

    def _as_before(self, asked: Asked, session: Session | None, cancel: Cancel) -> Verdict | None:
        """The verdict, if all that it rests on turns out to be what the last one rested on."""
        last = self._last
        if last is None or not last.seems_to_hold(session, asked.snapshot, asked.scope):
            return None
        held = last.session
        if not asked.afresh and held.verdicts.seem_to_have(asked.question(held), last.look):
            return None

        def look() -> Verdict | None:
            last.check(self._workspace)
            objection = gates.edit(asked.snapshot, asked.candidate, held.baselines.test_files)
            return objection or gates.lint(asked.candidate, held.linter)

        try:
            return self._run(last, asked, look, cancel)
        except Changed:
            return None

    def _anew(self, asked: Asked, cancel: Cancel) -> Verdict:
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

    def _run(self, footing: Footing, asked: Asked, look: Callable[[], Verdict | None], cancel: Cancel) -> Verdict:
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

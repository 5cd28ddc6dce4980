"""What is looked at while the tests of a candidate run, since that takes no longer than they do.

These are the gates that need no run, and whether the project is still what it was at the verdict before. Who edits in
an editor asks again and again about the same files on disk, so that a run begins before anybody has looked at them.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel
from pennyproof.proof.records import Recorded
from pennyproof.proof.scope import Scope
from pennyproof.proof.session import Session
from pennyproof.proof.workspace import Look, Workspace


class Changed(Exception):
    """The project, or what runs its tests, is no longer what a run took it to be."""


@dataclass(frozen=True, slots=True)
class Footing:
    """What a proof rests on."""

    session: Session
    buffers: Mapping[str, Source]
    test_ids: tuple[str, ...] | None
    """The tests whose baseline was asked for; ``None``: all."""
    recorded: Recorded
    look: Look
    """The files, before anything ran."""

    def seems_to_hold(self, session: Session | None, snapshot: Snapshot, scope: Scope) -> bool:
        """Whether another proof is likely to rest on the same, as far as no look at the disk is needed to tell."""
        same = self.session is session and self.test_ids == scope.test_ids and self.buffers == snapshot.buffers
        return same and self.look.settled

    def check(self, workspace: Workspace) -> None:
        """Look whether it does hold.

        Raises:
            Changed: It does not.
        """
        same = not self.session.outdated and workspace.is_still(self.look)
        if not (same and self.session.baselines.holds(self.recorded, self.look, self.test_ids)):
            raise Changed


class Beside:
    """One look while the tests run; what it objects to ends these.

    Args:
        executor: Where to look.
        look: Returns the rejection, if there is one.
        stop: Ends the tests.
    """

    def __init__(self, executor: Executor, look: Callable[[], Verdict | None], stop: Cancel) -> None:
        self._executor = executor
        self._look = look
        self._stop = stop
        self._objection: Future[Verdict | None] | None = None

    def begin(self) -> None:
        """Begin, if that was not done; not before the tests are on their way, which this would hold up."""
        self._begun()

    def result(self) -> Verdict | None:
        """What came of it; raises what the look raised."""
        return self._begun().result()

    def _begun(self) -> Future[Verdict | None]:
        if self._objection is None:
            self._objection = self._executor.submit(self._look)
            self._objection.add_done_callback(self._heed)
        return self._objection

    def _heed(self, done: Future[Verdict | None]) -> None:
        if done.exception() or done.result():
            self._stop.ask()

"""What a worker of a cluster does: prove a candidate for somebody else, if it is a fit witness.

A verdict made elsewhere is worth as much as one made here only where everything that it depends on is the same:
Pennyproof, the files, the interpreter with its packages, and what the tests do without the candidate. The worker looks
at all of that before each proof and says no where it differs. It confines tests by a sandbox of its own, as its own
settings say.
"""

import atexit
import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennyproof import __version__
from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.errors import Cancelled, EnvironmentProblem, PennyproofError, Untrusted
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.prover import Prover
from pennyproof.proof.scope import Scope
from pennyproof.proof.workspace import Workspace
from pennyproof.settings import load, state_directory

CHECKOUT = "PENNYPROOF_CHECKOUT"
"""The environment variable of a worker that says where its copy of the project is, where that is another folder."""

BELIEVED = 0.5
"""Seconds for which conditions are taken to be as they were, so that proofs in a row do not look at the same again."""
_PATIENCE = 10.0
"""Seconds that the tests which hang may take together when a worker runs them for the first time."""
_MOST_CHECKOUTS = 4
"""Projects, or settings of them, whose warm processes one worker keeps."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to be the same on both sides for a verdict to hold on both."""

    files: Mapping[str, str]
    """File or folder at the top of the root → digest."""
    environment: str
    """Digest of the interpreter and its packages."""
    tests: str
    """Digest of what the tests do without the candidate."""
    release: str = __version__
    """Of Pennyproof."""


@dataclass(frozen=True, slots=True)
class Job:
    """One proof, as it is sent to another process."""

    identity: str
    root: str
    conditions: Conditions
    args: tuple[str, ...]
    """``tests.args`` of whoever asks."""
    timeout_seconds: float
    buffers: Mapping[str, Source]
    candidate: Candidate
    scope: Scope
    afresh: bool
    seconds: float
    """After which the worker stops, whether or not anybody still waits."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer of a worker that is no fit witness."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer of a worker that came to no verdict on this candidate."""

    reason: str


Answer = Verdict | Refused | Failed


def answer(job: Job) -> Answer:
    """Prove a candidate in this process, within the job's time."""
    cancel = Cancel()
    try:
        with _stoppable(job, cancel):
            return _checkout(job).prove(job, cancel)
    except Cancelled:
        return Failed(f"no verdict within {job.seconds:.0f} s")
    except EnvironmentProblem as problem:
        return Refused(str(problem))
    except PennyproofError as error:
        return Failed(str(error))


def stop(identity: str) -> None:
    """End a job of this process, if it is at work on it."""
    with _lock:
        cancel = _running.get(identity)
    if cancel:
        cancel.ask()


@atexit.register
def close() -> None:
    """End all that this process keeps warm, at its own end if not before."""
    with _lock:
        checkouts = list(_checkouts.values())
        _checkouts.clear()
    for checkout in checkouts:
        checkout.prover.close()


def digest_of_tests(baseline: Baseline) -> str:
    """Equal where the same tests pass, fail in the same way, or are flaky."""
    told = [
        [test.id, "flaky" if test.id in baseline.flaky else test.outcome, test.failure.kind if test.failure else ""]
        for test in baseline.outcomes.values()
    ]
    return _digest([sorted(told), sorted(error.path for error in baseline.errors)])


class Checkout:
    """A project's folder in this process, and what was found about it."""

    def __init__(self, root: Path, prover: Prover) -> None:
        self.root = root
        self.prover = prover
        self._workspace = Workspace(root, whole=None)
        self._snapshot = Snapshot(root)
        self._agreed: object = None
        """What the last jobs were found to agree with."""
        self._believed = Deadline(0.0)

    def snapshot(self, buffers: Mapping[str, Source]) -> Snapshot:
        """The folder with these buffers; the same object as before where they are the same, which saves walks."""
        snapshot = self._snapshot
        if snapshot.buffers != buffers:
            snapshot = self._snapshot = Snapshot(self.root, buffers)
        return snapshot

    def prove(self, job: Job, cancel: Cancel) -> Verdict | Refused:
        """The verdict, where this process may say it."""
        snapshot = self.snapshot(job.buffers)
        scope = job.scope
        agreed = snapshot, scope.test_ids, job.conditions
        if self._believed.passed or self._agreed != agreed:
            objection = self._objection(job, snapshot, cancel)
            if objection:
                return Refused(objection)
            self._agreed, self._believed = agreed, Deadline(BELIEVED)
        return self.prover.prove(
            snapshot,
            job.candidate,
            targets=scope.targets,
            test_ids=scope.test_ids,
            selection=scope.selection,
            every_test=scope.every_test,
            afresh=job.afresh,
            cancel=cancel,
        )

    def _objection(self, job: Job, snapshot: Snapshot, cancel: Cancel) -> str | None:
        """Why what is found here is no evidence there, cheapest first."""
        theirs = job.conditions
        if theirs.release != __version__:
            return f"it has Pennyproof {__version__} instead of {theirs.release}"
        files = self._workspace.parts(snapshot)
        other = sorted(name for name in {*files, *theirs.files} if files.get(name) != theirs.files.get(name))
        if other:
            return f"its copy of the project is another revision: {_some(other)}"
        if self.prover.environment(snapshot, cancel=cancel).inventory() != theirs.environment:
            return "it has another Python, or other packages"
        baseline = self.prover.baseline(
            snapshot, test_ids=job.scope.test_ids, patience=_PATIENCE, cancel=cancel, progress=Silent()
        )
        if digest_of_tests(baseline) != theirs.tests:
            failing, all_of_them = len(baseline.failing), len(baseline.outcomes)
            return f"the tests do otherwise there, where {failing} of {all_of_them} fail"
        return None


_lock = threading.Lock()
_running: dict[str, Cancel] = {}
_checkouts: OrderedDict[object, Checkout] = OrderedDict()


@contextmanager
def _stoppable(job: Job, cancel: Cancel) -> Iterator[None]:
    """Have the job's time, or ``stop``, ask for its end."""
    timer = threading.Timer(job.seconds, cancel.ask)
    timer.daemon = True
    with _lock:
        _running[job.identity] = cancel
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with _lock:
            _running.pop(job.identity, None)


def _checkout(job: Job) -> Checkout:
    """This process's copy of the project, with processes that stay warm.

    Raises:
        EnvironmentProblem: There is none.
        Untrusted: Whoever set this machine up says that nothing is trusted.
    """
    root = Path(os.environ.get(CHECKOUT, job.root)).resolve()
    key = root, job.args, job.timeout_seconds
    with _lock:
        found = _checkouts.get(key)
        if found is None:
            found = _checkouts[key] = _open(root, job)
        _checkouts.move_to_end(key)
        unused = _checkouts.popitem(last=False)[1] if len(_checkouts) > _MOST_CHECKOUTS else None
    if unused:
        unused.prover.close()
    return found


def _open(root: Path, job: Job) -> Checkout:
    if not root.is_dir():
        raise EnvironmentProblem(f"it has no folder {root} (its variable {CHECKOUT} may name another)")
    settings = load(root).settings
    if settings.trust == "never":
        raise Untrusted("its settings trust no project")
    options = ProofOptions(
        sandbox=settings.proof.sandbox,
        workers=settings.proof.workers,
        python=settings.tests.python,
        args=job.args,
        timeout_seconds=job.timeout_seconds,
    )
    return Checkout(root, Prover(root, options, state_directory()))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _digest(told: object) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()

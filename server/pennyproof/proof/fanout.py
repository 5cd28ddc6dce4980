"""Proofs sent to workers elsewhere, and made here where these do not help."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from math import inf

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.problems import Screened
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress, Silent
from pennyproof.errors import Cancelled, EnvironmentProblem
from pennyproof.proof import limits
from pennyproof.proof.crew import Connection, Crew, settled
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.prover import Prover
from pennyproof.proof.remote import BELIEVED, Answer, Conditions, Failed, Job, answer, digest_of_tests, stop
from pennyproof.proof.scope import Scope
from pennyproof.proof.workspace import Workspace

log = logging.getLogger(__name__)

_TRIES = 3
"""How many workers are asked for one proof before it is made here."""
_RUNS = 4
"""Runs of all tests in the time of one job: the worker's own first one, the proof, and what a doubtful one takes."""
_STARTING = 30.0
"""Seconds for a worker to start what runs take."""
_QUEUE = 2
"""Jobs for each thread of a worker: one that runs, one that waits, so that no thread waits for the next to arrive."""
_LONGEST = 200
"""Characters of what went wrong on another machine."""


class FanOut:
    """A prover that has workers elsewhere make its proofs. Thread-safe.

    A verdict is never lost with a worker: what no worker can or may say is proved here.
    """

    def __init__(self, prover: Prover, options: ProofOptions, name: str, connect: Callable[[], Crew]) -> None:
        """Prepare; nothing is connected to before the first need.

        Args:
            prover: Proves here.
            options: The settings it was made with.
            name: What the workers are called in messages.
            connect: Finds the workers; raises EnvironmentProblem where there are none.
        """
        self._here = prover
        self._options = options
        self._name = name
        self._connection = Connection(connect)
        self._workspace = Workspace(prover.root, whole=None)
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._known: tuple[Snapshot, tuple[str, ...] | None, tuple[Conditions, float]] | None = None
        """The last conditions, and of what."""
        self._believed = Deadline(0.0)

    @property
    def at_once(self) -> int:
        """How many proofs are worth asking for beside each other."""
        return max(self._here.at_once, _QUEUE * self._connection.threads)

    def warm(self, snapshot: Snapshot) -> None:
        """Begin to start what runs take here, and to connect."""
        self._here.warm(snapshot)
        self._connection.begin()

    def baseline(
        self,
        snapshot: Snapshot,
        *,
        test_ids: Sequence[str] | None = None,
        patience: float | None = None,
        cancel: Cancel,
        progress: Progress,
    ) -> Baseline:
        """What the tests do as they are, here."""
        return self._here.baseline(snapshot, test_ids=test_ids, patience=patience, cancel=cancel, progress=progress)

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel, progress: Progress) -> None:
        """Have what is known of all tests ready, here."""
        self._here.keep_up(snapshot, cancel=cancel, progress=progress)

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        """The lines that each of these tests runs."""
        return self._here.coverage(snapshot, test_ids, cancel=cancel)

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
        """Try candidates here: a screen takes less time than to send it."""
        return self._here.screen(
            snapshot, candidates, targets, guards=guards, base=base, cancel=cancel, deadline=deadline
        )

    def behaviours(
        self,
        snapshot: Snapshot,
        candidates: Sequence[Candidate],
        targets: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, tuple[str, ...]]:
        """What the changed function returns on varied inputs."""
        return self._here.behaviours(snapshot, candidates, targets, cancel=cancel, deadline=deadline)

    def importing(self, snapshot: Snapshot, candidate: Candidate, *, cancel: Cancel) -> Sequence[str] | None:
        """The test files that may import what a candidate changes."""
        return self._here.importing(snapshot, candidate, cancel=cancel)

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
        """Which slips the tests would notice, by runs here."""
        return self._here.noticed(snapshot, candidate, slips, tests, cancel=cancel, deadline=deadline)

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
        """Take a candidate through all gates, elsewhere if that can be."""
        began = time.perf_counter()
        crew = self._crew(cancel)
        if crew:
            scope = Scope.of(targets, test_ids, selection, every_test=every_test)
            job = self._job(snapshot, candidate, scope, afresh, cancel)
            verdict = self._sent(job, crew, cancel)
            if verdict:
                return verdict.taking(time.perf_counter() - began)
        return self._here.prove(
            snapshot,
            candidate,
            targets=targets,
            test_ids=test_ids,
            selection=selection,
            every_test=every_test,
            afresh=afresh,
            cancel=cancel,
        )

    def restart(self) -> None:
        """End the workers here, and look for the others anew."""
        self._here.restart()
        self._connection.let_go()

    def close(self) -> None:
        """End the workers here, and let go of the others."""
        self._connection.let_go()
        self._here.close()

    def _job(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        scope: Scope,
        afresh: bool,
        cancel: Cancel,
    ) -> Job:
        conditions, seconds = self._conditions(snapshot, scope.test_ids, cancel)
        return Job(
            identity=uuid.uuid4().hex,
            root=str(self._here.root),
            conditions=conditions,
            args=self._options.args,
            timeout_seconds=self._options.timeout_seconds,
            buffers=dict(snapshot.buffers),
            candidate=candidate,
            scope=scope,
            afresh=afresh,
            seconds=seconds,
        )

    def _conditions(
        self, snapshot: Snapshot, test_ids: tuple[str, ...] | None, cancel: Cancel
    ) -> tuple[Conditions, float]:
        """What has to be the same on a worker, and the seconds it may take."""
        with self._lock:
            if not self._believed.passed and self._known and self._known[0] is snapshot and self._known[1] == test_ids:
                return self._known[2]
        baseline = self._here.baseline(snapshot, test_ids=test_ids, patience=inf, cancel=cancel, progress=Silent())
        conditions = Conditions(
            files=self._workspace.parts(snapshot),
            environment=self._here.environment(snapshot, cancel=cancel).inventory(),
            tests=digest_of_tests(baseline),
        )
        seconds = _STARTING + _RUNS * limits.candidate_seconds(baseline, None, self._options.timeout_seconds)
        with self._lock:
            self._known, self._believed = (snapshot, test_ids, (conditions, seconds)), Deadline(BELIEVED)
        return conditions, seconds

    def _sent(self, job: Job, crew: Crew, cancel: Cancel) -> Verdict | None:
        """The verdict of a worker; ``None`` where none can say it."""
        for _ in range(_TRIES):
            try:
                future = crew.submit(answer, job)
            except Exception as error:  # noqa: BLE001 - as below
                self._say(f"{_short(error)}; proved here instead")
                self._connection.lost(crew)
                return None
            found = self._awaited(future, job, crew, cancel)
            if isinstance(found, Verdict):
                return found
            if isinstance(found, Failed):
                self._say(f"{found.reason}; proved here instead")
                return None
            self._say(f"a worker is left out, since {found.reason}")
        self._say(f"{_TRIES} workers in a row said no; proved here instead")
        return None

    def _awaited(self, future: Future[Answer], job: Job, crew: Crew, cancel: Cancel) -> Answer:
        """What became of a job."""
        patience = _QUEUE * job.seconds
        if not settled(future, patience, cancel):
            # A worker goes on with what has been cancelled, unless it is told.
            future.cancel()
            crew.everywhere(stop, job.identity)
            cancel.check()
            return Failed(f"no answer within {patience:.0f} s")
        try:
            return future.result()
        except CancelledError:
            return Failed("the workers were lost")
        except Exception as error:  # noqa: BLE001 - whatever befalls other machines must not cost a verdict
            return Failed(_short(error))

    def _crew(self, cancel: Cancel) -> Crew | None:
        """The workers; ``None`` while there are none."""
        try:
            return self._connection.found(cancel)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._say(f"{_short(error)}; proved here instead")
            return None

    def _say(self, what: str) -> None:
        """Tell the user once, and the log each time."""
        with self._lock:
            level = logging.INFO if what in self._told else logging.WARNING
            self._told.add(what)
        log.log(level, "%s: %s", self._name, what)


def _short(error: Exception) -> str:
    if isinstance(error, EnvironmentProblem):
        return str(error)
    line = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"

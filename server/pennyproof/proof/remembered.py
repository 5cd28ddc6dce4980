"""Verdicts that need no run: the same question, asked of the same files in the same environment.

What a verdict rests on is digested: the candidate, the tests asked for, every file of the project, data included, and
by way of the session that keeps the verdicts the interpreter, its packages and the settings. A verdict is told again
only where the files are known not to have changed *while it was made*: they are as they were before it, by times,
sizes and inodes, when somebody first asks for it again. From then on equal content is enough.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.proof.records import Recorded
from pennyproof.proof.scope import Scope
from pennyproof.proof.workspace import Look, Workspace

_MOST = 1000
"""Verdicts kept: more than one search makes, and about as many kilobytes, unless each breaks a whole suite."""
_LIFETIME = 300.0
"""Seconds for which one is told again. Tests may depend on what no digest shows, such as the time of day."""
_IN_VAIN = "did not end"
"""In what is told of tests that hang, and of whole runs: on a calmer machine they might have ended."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a verdict is asked for, as far as the caller says."""

    digest: bytes
    """Of the candidate, targets, ids, and how they were chosen."""
    protected: frozenset[str]
    """Files known to hold tests, which no candidate may change."""


@dataclass(slots=True)
class _Entry:
    verdict: Verdict
    signature: bytes
    """Of the files before the verdict was made."""
    recorded: Recorded
    made: float
    sure: bool = False
    """Whether the files were seen to be the same afterwards."""


class Verdicts:
    """The verdicts of one session. Thread-safe.

    Args:
        workspace: The files.
        clock: Seconds, from any moment.
    """

    def __init__(self, workspace: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Question, str], _Entry] = OrderedDict()
        self._signed: tuple[Look, bytes] | None = None
        """The last look, and its signature: many verdicts in a row begin with the same."""

    def seem_to_have(self, question: Question, look: Look) -> bool:
        """Whether there is a verdict for files as they were found, which may be a while ago."""
        with self._lock:
            return (question, look.digest) in self._entries

    def find(self, question: Question, snapshot: Snapshot, recorded: Callable[[], Recorded]) -> Verdict | None:
        """The verdict, if it is known and nothing has changed.

        Args:
            question: What is asked.
            snapshot: The workspace.
            recorded: The baseline that a proof would compare with now; called only where a verdict is known.
        """
        if not self.seem_to_have(question, self._workspace.look(snapshot)):  # To be wrong here costs a run.
            return None
        compared = recorded()
        now = self._workspace.look(snapshot, afresh=True)
        with self._lock:
            key = question, now.digest
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.sure = entry.sure or entry.signature == now.signature()
            if not entry.sure or entry.recorded is not compared or self._clock() - entry.made > _LIFETIME:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return replace(entry.verdict, cached=True)

    def keep(self, question: Question, before: Look, recorded: Recorded, verdict: Verdict) -> None:
        """Remember a verdict, if it says the same whenever it is made.

        Args:
            question: What was asked.
            before: The files before the verdict was made.
            recorded: The baseline it was compared with.
            verdict: What was found.
        """
        if before.settled and _lasting(verdict, recorded):
            with self._lock:
                if not (self._signed and self._signed[0] is before):
                    self._signed = before, before.signature()
                self._entries[question, before.digest] = _Entry(verdict, self._signed[1], recorded, self._clock())
                while len(self._entries) > _MOST:
                    self._entries.popitem(last=False)


def digest(candidate: Candidate, scope: Scope) -> bytes:
    """Digest what a proof is asked for."""
    total = hashlib.sha256(repr(scope).encode())
    for change in candidate.changes:
        for source in (change.before, change.after):
            text = source.text.encode("utf-8", "surrogatepass") if source else b""
            head = change.path, source.encoding if source else None, len(text)
            total.update(repr(head).encode() + text)
    return total.digest()


def _lasting(verdict: Verdict, recorded: Recorded) -> bool:
    """Whether another run would most likely come to the same: tests ran, and none that is flaky or hangs."""
    unsure = recorded.baseline.flaky | recorded.unrunnable | recorded.hurried
    told = [verdict.reason or "", *(test.message for test in verdict.failed)]
    return (
        verdict.level is not Level.UNCHECKED
        and bool(verdict.ran)
        and not verdict.flaky
        and unsure.isdisjoint(verdict.ran)
        and not any(_IN_VAIN in text for text in told)
    )

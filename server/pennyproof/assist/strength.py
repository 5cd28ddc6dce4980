"""How much a verdict is worth: slips are made in the lines that a candidate changed, and its tests are to notice."""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pennyproof.assist.ports import Prover
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.edits import between
from pennyproof.core.offers import Offer
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Strength, Verdict
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import EnvironmentProblem

logger = logging.getLogger(__name__)

MEASURING_SECONDS = 3.0
"""What it may take where somebody waits for it."""
_MOST_SLIPS = 12
_MOST_KNOWN = 16


def measured(
    prover: Prover,
    snapshot: Snapshot,
    candidate: Candidate,
    verdict: Verdict,
    *,
    deadline: Deadline,
    cancel: Cancel,
    progress: Progress,
) -> Verdict:
    """A verdict with its strength, where it has any that can be measured in time; else as it is.

    Args:
        prover: What the verdict comes from.
        snapshot: The workspace the candidate is based on.
        candidate: What was proved.
        verdict: What the proof found.
        deadline: Ends the measuring; what was tried by then counts.
        cancel: Ends it too, and frees its workers.
        progress: Told what is being done.

    Raises:
        Cancelled: ``cancel`` was asked.
    """
    if verdict.level < Level.PASSES or deadline.passed:
        return verdict
    progress.report("measuring how much the tests would notice")
    wrong = slips_of(candidate, verdict)
    failed = {*verdict.remaining, *(test.id for test in verdict.failed)}
    tests = [test for test in verdict.ran if test not in failed]
    if not wrong or not tests:
        return verdict
    try:
        told = prover.noticed(snapshot, candidate, wrong, tests, cancel=cancel, deadline=deadline)
    except EnvironmentProblem as error:
        # The verdict stands; whoever asks for the next run will be told as well.
        logger.info("how much the tests would notice could not be measured: %s", error)
        return verdict
    if not told:
        return verdict
    missed = tuple(wrong[index].summary for index, noticed in told.items() if not noticed)
    return replace(verdict, strength=Strength(len(told) - len(missed), len(told), missed))


class Strengths:
    """What was measured last: a verdict that is told again says it at once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Candidate, Verdict], Strength] = OrderedDict()

    def find(self, candidate: Candidate, verdict: Verdict) -> Strength | None:
        """The strength of a verdict on a candidate that was made before, of the same files, and measured then."""
        with self._lock:
            return self._known.get((candidate, _plain(verdict))) if verdict.cached else None

    def keep(self, candidate: Candidate, verdict: Verdict) -> None:
        """Remember the strength of a verdict, if it has one."""
        if verdict.strength is None:
            return
        with self._lock:
            self._known[candidate, _plain(verdict)] = verdict.strength
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)


def _plain(verdict: Verdict) -> Verdict:
    """A verdict as it is each time it is told."""
    return replace(verdict, seconds=0.0, strength=None, cached=False)


def measured_offer(
    prover: Prover, snapshot: Snapshot, offer: Offer, *, deadline: Deadline, cancel: Cancel, progress: Progress
) -> Offer:
    """An offer whose verdict says its strength, as ``measured`` has it."""
    candidate, verdict = offer.candidate, offer.verdict
    found = measured(prover, snapshot, candidate, verdict, deadline=deadline, cancel=cancel, progress=progress)
    return replace(offer, verdict=found)


def slips_of(candidate: Candidate, verdict: Verdict) -> list[Candidate]:
    """The candidate with one mistake each in lines that it changed, always the same ones.

    Lines that no test ran are left alone: that nothing is noticed there is known, and told, already.
    """
    changes = [change for change in candidate.changes if change.path.endswith(".py")]
    share = math.ceil(_MOST_SLIPS / max(len(changes), 1))
    found = [slip for change in changes for slip in islice(_slips_in(candidate, change, verdict), share)]
    return found[:_MOST_SLIPS]


def _slips_in(candidate: Candidate, change: FileChange, verdict: Verdict) -> Iterator[Candidate]:
    from pennyproof.rewrite.slips import slips  # noqa: PLC0415 - takes all templates, and most verdicts are not measured

    if change.after is None:
        return
    before, after = change.before.text if change.before else "", change.after
    changed = [(edit.start, edit.end) for edit in between(after.text, before)]
    uncovered = {line.line for line in verdict.uncovered if line.path == change.path}
    for slip in slips(after.text, changed, but=uncovered, unlike=before):
        wrong = replace(change, after=Source(slip.text, after.encoding))
        changes = tuple(wrong if other is change else other for other in candidate.changes)
        yield Candidate(changes, candidate.origin, f"{change.path}:{slip.line}: {slip.summary}")

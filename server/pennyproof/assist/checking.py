"""Checks a diff, from wherever it came."""

from collections.abc import Sequence
from dataclasses import replace

from pennyproof.assist.ports import Prover
from pennyproof.assist.strength import Strengths, measured
from pennyproof.core.candidates import Candidate, Origin
from pennyproof.core.diffs import apply, read
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import UnknownTest


def prove(
    prover: Prover,
    snapshot: Snapshot,
    diff: str,
    test_ids: Sequence[str] | None,
    *,
    cancel: Cancel,
    progress: Progress,
    measuring: float,
    strengths: Strengths,
) -> Verdict:
    """Check a unified diff; see ``Project.prove``."""
    candidate = Candidate(apply(read(diff), snapshot.read), Origin(), "the given diff")
    selection = "asked"
    importing = prover.importing(snapshot, candidate, cancel=cancel) if test_ids is None else None
    try:
        baseline = prover.baseline(snapshot, test_ids=importing, cancel=cancel, progress=progress)
    except UnknownTest:  # A file that looks like one of tests has none, or cannot be collected.
        importing = None
        baseline = prover.baseline(snapshot, cancel=cancel, progress=progress)
    if importing is not None:
        test_ids, selection = importing, "imports"
    progress.report("checking the diff")
    targets = [test.id for test in baseline.failing]
    verdict = prover.prove(snapshot, candidate, targets=targets, test_ids=test_ids, selection=selection, cancel=cancel)
    if measuring and (known := strengths.find(candidate, verdict)):
        return replace(verdict, strength=known)
    verdict = measured(
        prover, snapshot, candidate, verdict, deadline=Deadline(measuring), cancel=cancel, progress=progress
    )
    strengths.keep(candidate, verdict)
    return verdict

"""Several offers as one edit: each was proved by itself, so together they are proved once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pennyproof.assist.ports import Prover
from pennyproof.assist.strength import measured
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.edits import Edit, apply, between
from pennyproof.core.offers import Offer
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Deadline, Progress


@dataclass(frozen=True, slots=True)
class Union:
    """Offers that hold together."""

    offers: tuple[Offer, ...]
    candidate: Candidate
    """All their edits."""
    verdict: Verdict
    """Of all tests, with all the edits in place."""


def best_union(
    prover: Prover, snapshot: Snapshot, offers: Sequence[Offer], *, cancel: Cancel, progress: Progress
) -> Union | None:
    """The offers, best first, that hold together: all of them where they can, else as many as go with the first ones.

    Args:
        prover: Proves the union with every test of the project.
        snapshot: What all the offers are based on.
        offers: One for each group of tests, no alternatives.
        cancel: Ends the runs.
        progress: Is told what is being proved.

    Returns:
        ``None`` where nothing held.
    """
    whole = _prove_together(prover, snapshot, offers, cancel, progress)
    if whole is not None or len(offers) < 2:
        return whole
    best: Union | None = None
    for offer in offers:
        longer = (*best.offers, offer) if best else (offer,)
        best = _prove_together(prover, snapshot, longer, cancel, progress) or best
    return best


def measured_union(
    prover: Prover, snapshot: Snapshot, union: Union, *, deadline: Deadline, cancel: Cancel, progress: Progress
) -> Union:
    """The union with how much the tests would notice in all its lines, where that can be measured in time.

    Args:
        prover: What the union was proved by.
        snapshot: What the offers are based on.
        union: What holds together.
        deadline: Ends the measuring; what was tried by then counts.
        cancel: Ends it too, and frees its workers.
        progress: Is told what is being done.

    Raises:
        Cancelled: ``cancel`` was asked.
    """
    first, *others = (offer.verdict for offer in union.offers)
    if not others and first.strength and first.uncovered == union.verdict.uncovered:
        return replace(union, verdict=replace(union.verdict, strength=first.strength))  # The same edit, and lines.
    verdict = measured(
        prover, snapshot, union.candidate, union.verdict, deadline=deadline, cancel=cancel, progress=progress
    )
    return replace(union, verdict=verdict)


def merge(candidates: Iterable[Candidate]) -> tuple[FileChange, ...]:
    """The edits of candidates that are based on one snapshot, as one change for each file.

    Raises:
        ValueError: Two of them change the same lines in different ways.
    """
    changes: dict[str, list[FileChange]] = {}
    for candidate in candidates:
        for change in candidate.changes:
            changes.setdefault(change.path, []).append(change)
    return tuple(_merge_file(same_path) for same_path in changes.values())


def _merge_file(changes: Sequence[FileChange]) -> FileChange:
    first = changes[0]
    if all(change == first for change in changes):
        return first
    edits = set[Edit]()
    for change in changes:
        if change.before is None or change.after is None:
            raise ValueError(f"{change.path} is created or deleted by one edit and changed by another")
        edits |= set(between(change.before.text, change.after.text))
    before = first.before or Source("")
    return FileChange(first.path, before, Source(apply(before.text, edits), before.encoding))


def _prove_together(
    prover: Prover, snapshot: Snapshot, offers: Sequence[Offer], cancel: Cancel, progress: Progress
) -> Union | None:
    try:
        changes = merge(offer.candidate for offer in offers)
    except ValueError:
        return None
    progress.report("proving all edits together")
    candidate = Candidate(changes, summary="; ".join(offer.candidate.summary for offer in offers))
    targets = sorted({test for offer in offers for test in offer.verdict.fixed})
    verdict = prover.prove(snapshot, candidate, targets=targets, every_test=True, cancel=cancel)
    holds = verdict.level is Level.FIXES and set(targets) <= set(verdict.fixed)
    return Union(tuple(offers), candidate, verdict) if holds else None

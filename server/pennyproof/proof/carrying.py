"""A baseline brought up to date: what the affected tests do now, and for all others what they did."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pennyproof.core.outcomes import Baseline, Coverage, TestOutcome
from pennyproof.proof.answers import merge_lines, merge_names
from pennyproof.proof.basis import Basis, file_of
from pennyproof.proof.edits import Affected, Edits
from pennyproof.proof.records import Recorded


def carry(last: Recorded, edits: Edits, affected: Affected, new: Recorded | None) -> Recorded | None:
    """Join what is known of unaffected tests with what the affected ones did.

    Args:
        last: The baseline before the edits; it has a basis.
        edits: What changed since.
        affected: Which tests that may act on.
        new: What these did, run by themselves; ``None``: there are none.

    Returns:
        The baseline of all tests, its basis without the files; ``None`` where the run says that all have to run: it
        did not come to the end of what was asked for, or a test fails that did not fail before. That one may miss what
        other tests leave behind, and a baseline that has it fail for that reason would speak for any candidate.
    """
    if last.basis is None:
        return None
    before = last.baseline
    ran: Mapping[str, TestOutcome] = new.baseline.outcomes if new else {}
    if new and (new.basis is None or not _is_complete(last, last.basis, affected, new, new.basis)):
        return None
    outcomes = _in_order(before.outcomes, ran, affected)
    kept = {test for test in outcomes if test not in ran}
    known = {test: files for test, files in before.functions.lines.items() if test in kept}
    functions = {test: edits.moved(files) for test, files in known.items()}
    seconds = before.seconds - _seconds(before.outcomes.values()) + _seconds(outcomes.values())
    baseline = replace(
        before,
        outcomes=outcomes,
        seconds=max(seconds, 0.0),
        errors=new.baseline.errors if new else (),
        # A test that was seen to fail for no reason stays under suspicion.
        flaky=(before.flaky & outcomes.keys()) | (new.baseline.flaky if new else frozenset()),
        functions=Coverage({**functions, **(new.baseline.functions.lines if new else {})}),
    )
    return Recorded(
        baseline,
        last.patched | (new.patched if new else frozenset()),
        new.unrunnable if new else frozenset(),
        new.hurried if new else frozenset(),
        new.lines if new else Coverage(),
        _joined(last.basis, new.basis if new else None, edits, kept),
    )


def _is_complete(last: Recorded, old: Basis, affected: Affected, new: Recorded, basis: Basis) -> bool:
    before, now = last.baseline, new.baseline
    known_errors = {error.path for error in before.errors}
    return (
        affected.tests <= now.outcomes.keys()
        and all(test in affected for test in now.outcomes)
        and all(error.path in known_errors for error in now.errors)
        and not any(test.failed and not _known_to_fail(test.id, before) for test in now.outcomes.values())
        # What is watched in one run and not in the other would be missing from the coverage of either.
        and basis.unwatched.isdisjoint(old.loaded)
        and basis.loaded.isdisjoint(old.unwatched)
        and "" not in basis.at_import
    )


def _known_to_fail(test: str, before: Baseline) -> bool:
    """Whether a test failed before, or is known to do so now and then."""
    return test in before.flaky or (test in before.outcomes and before.outcomes[test].failed)


def _in_order(
    before: Mapping[str, TestOutcome], ran: Mapping[str, TestOutcome], affected: Affected
) -> dict[str, TestOutcome]:
    """All outcomes in the order in which a run of all would come to them: files that ran anew stay where they were."""
    by_file: dict[str, dict[str, TestOutcome]] = {}
    for test, outcome in ran.items():
        by_file.setdefault(file_of(test), {})[test] = outcome
    whole: dict[str, TestOutcome] = {}
    for test, outcome in before.items():
        file = file_of(test)
        if file in affected.files:
            whole.update(by_file.pop(file, {}))
        else:
            whole[test] = ran.get(test, outcome)
    for file in affected.files & by_file.keys():
        whole.update(by_file[file])
    return whole


def _joined(old: Basis, new: Basis | None, edits: Edits, kept: Collection[str]) -> Basis:
    seen = new or Basis({}, {})
    touched = {test: paths for test, paths in old.touched.items() if test in kept}
    return Basis(
        contents={},
        sources={},
        loaded=old.loaded | seen.loaded,
        early=old.early | seen.early,
        unwatched=old.unwatched | seen.unwatched,
        at_import=merge_lines([edits.moved(old.at_import), seen.at_import]),
        touched={**touched, **seen.touched},
        opened=merge_names([old.opened, seen.opened]),
    )


def _seconds(outcomes: Collection[TestOutcome]) -> float:
    return sum(test.seconds for test in outcomes if test.ends)

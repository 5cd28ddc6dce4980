"""From what ran to a verdict."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from pennyproof.core.outcomes import Outcome, TestOutcome
from pennyproof.core.verdicts import FailedTest, Gate, Level, Line, Verdict, rejected
from pennyproof.proof.answers import RunResult
from pennyproof.proof.records import Recorded
from pennyproof.proof.retrial import Ruling
from pennyproof.proof.selection import Change, Hunk


def judge(
    recorded: Recorded,
    run: RunResult,
    change: Change,
    *,
    targets: Sequence[str],
    selected: Sequence[str],
    selection: str,
    ruling: Ruling = Ruling(),  # noqa: B008 - it is frozen
) -> Verdict:
    """The verdict on a candidate whose run was completed and signed.

    Only the outcome ``passed`` counts: a test that passed at baseline and is now skipped, expected to fail, missing or
    in error is broken; so is one that did not fail before and does now. Flaky tests count neither way.

    Args:
        recorded: What the tests did without the candidate.
        run: What they did with it.
        change: What the candidate changes.
        targets: Tests that it should mend.
        selected: The tests that were to run.
        selection: How they were chosen.
        ruling: What further runs said of the tests that newly fail, or pass now.
    """
    objection = _tampering(recorded, run) or _collection(recorded, run)
    if objection:
        return rejected(Gate.TESTS, objection)
    flaky = recorded.baseline.flaky | ruling.flaky | ruling.unsure
    evidence = run.without(flaky | ruling.unseen)
    verdict = Verdict(
        Level.PARSES,
        fixed=tuple(newly_passing(recorded, evidence)),
        remaining=_remaining(recorded, evidence, change, targets),
        broken=tuple(test for test in newly_failing(recorded, run, selected) if test not in ruling.uncounted),
        ran=tuple(run.outcomes),
        passed=len(evidence.passed),
        uncovered=tuple(_uncovered(change, evidence)),
        selection=selection,
        failed=tuple(_failed(test) for test in run.outcomes.values() if test.failed),
        flaky=tuple(test for test in run.outcomes if test in flaky),
    )
    if verdict.broken:
        reason = f"breaks {verdict.broken[0]}: {_what_happened(verdict.broken[0], run)}"
        return replace(verdict, level=Level.REJECTED, gate=Gate.TESTS, reason=reason)
    if ruling.unsure:
        reason = f"{min(ruling.unsure)} failed once with the edit in place and passed once, and no run tells why"
        return replace(verdict, reason=reason)
    if ruling.unseen:
        reason = f"what {min(ruling.unseen)} does without the edit could not be seen: it did not end in time"
        return replace(verdict, reason=reason)
    if verdict.fixed:
        return replace(verdict, level=Level.FIXES)
    doubt = _doubt(change, evidence)
    return replace(verdict, reason=doubt) if doubt else replace(verdict, level=Level.PASSES)


def newly_failing(recorded: Recorded, run: RunResult, selected: Sequence[str]) -> list[str]:
    """The tests that newly fail, in the order in which they were to run."""
    flaky = recorded.baseline.flaky
    harmed = [test for test in selected if _passed_before(test, recorded) and test not in flaky]
    broken = [test for test in harmed if test not in run.passed]
    broken += [
        test.id
        for test in run.outcomes.values()
        if test.failed and not _failed_before(test.id, recorded) and test.id not in flaky
    ]
    return list(dict.fromkeys(broken))


def newly_passing(recorded: Recorded, run: RunResult) -> list[str]:
    """The tests that failed before and pass now."""
    return [test for test in run.outcomes if test in run.passed and _fixed(run.outcomes[test], recorded)]


def failing(recorded: Recorded, run: RunResult | None, tests: Collection[str]) -> frozenset[str]:
    """Those of the tests that a run shows in a bad light; all, if it came to nothing.

    What passed before has to pass. What did not must at least not fail, and what did not exist need not.
    """
    if run is None:
        return frozenset(tests)
    failed = {test.id for test in run.outcomes.values() if test.failed}
    return frozenset(
        test for test in tests if (test not in run.passed if _passed_before(test, recorded) else test in failed)
    )


def _passed_before(test: str, recorded: Recorded) -> bool:
    """Whether a test passed at baseline."""
    outcome = recorded.baseline.outcomes.get(test)
    return outcome is not None and outcome.outcome is Outcome.PASSED


def ran_at_import(change: Change, run: RunResult) -> bool:
    """Whether a change acts when its module is imported, and so on tests that no map connects with it."""
    return any(
        not hunk.lines.isdisjoint(run.watched_at_import.get(hunk.path, ())) for hunk in change.hunks if hunk.lines
    )


def _failed_before(test: str, recorded: Recorded) -> bool:
    """Whether a test failed at baseline, or could not even be collected."""
    outcome = recorded.baseline.outcomes.get(test)
    if outcome is None:
        return any(error.path == test.partition("::")[0] for error in recorded.baseline.errors)
    return outcome.failed and test not in recorded.baseline.flaky


def _fixed(test: TestOutcome, recorded: Recorded) -> bool:
    """Whether a test that passes now failed before, and not only for want of time."""
    if test.id in recorded.hurried and test.seconds > recorded.baseline.outcomes[test.id].seconds / 2:
        return False
    return _failed_before(test.id, recorded)


def _tampering(recorded: Recorded, run: RunResult) -> str | None:
    new = sorted(run.patched - recorded.patched)
    return f"changed pytest while it ran: {', '.join(new)}" if new else None


def _collection(recorded: Recorded, run: RunResult) -> str | None:
    known = {error.path for error in recorded.baseline.errors}
    for error in run.errors:
        if error.path not in known:
            message = error.message.strip().rpartition("\n")[2]
            what = f"{error.path} can no longer be collected" if error.path else "pytest no longer starts"
            return f"{what}: {message}"
    return None


def _remaining(recorded: Recorded, run: RunResult, change: Change, targets: Sequence[str]) -> tuple[str, ...]:
    reached = set(run.watched_by)
    for path, lines in change.functions or ():
        reached |= recorded.baseline.functions.tests_running(path, frozenset(lines))
    return tuple(test for test in targets if test in reached and test not in run.passed)


def _uncovered(change: Change, run: RunResult) -> list[Line]:
    """Changed lines that no passing test ran; around a deletion one line that ran is enough."""
    found: list[Line] = []
    for hunk in change.hunks:
        ran = _covered(hunk, run)
        if not (hunk.deletion and ran):
            found += [Line(hunk.path, line) for line in sorted((hunk.lines or frozenset()) - ran)]
    return found


def _doubt(change: Change, run: RunResult) -> str | None:
    """Why the tests that pass say nothing about some part of the change, or ``None``."""
    opaque = next((hunk for hunk in change.hunks if hunk.lines is None), None)
    if opaque:
        return f"no test can be seen to use {opaque.path}"
    running = [hunk for hunk in change.hunks if hunk.lines]
    if not running:
        return "no changed line is one that runs"
    silent = next((hunk for hunk in running if not _covered(hunk, run)), None)
    if silent:
        return f"no test that passes runs {silent.path}:{min(silent.lines or {0})}"
    return None


def _covered(hunk: Hunk, run: RunResult) -> frozenset[int]:
    """The changed lines that ran in a test that passed.

    What runs at import runs before any test and on behalf of all: it counts where at least one test then passed.
    """
    ran = run.watched.get(hunk.path, frozenset())
    if run.passed:
        ran |= run.watched_at_import.get(hunk.path, frozenset())
    return (hunk.lines or frozenset()) & ran


def _what_happened(test: str, run: RunResult) -> str:
    outcome = run.outcomes.get(test)
    if outcome is None:
        return "it no longer exists" if test in run.unknown or test not in run.collected else "it did not run"
    return _message(outcome) if outcome.failed else f"it is {outcome.outcome} now"


def _failed(test: TestOutcome) -> FailedTest:
    return FailedTest(test.id, _message(test))


def _message(test: TestOutcome) -> str:
    if test.failure is None:
        return str(test.outcome)
    first = test.failure.message.strip().partition("\n")[0]
    return f"{test.failure.kind}: {first}" if first else test.failure.kind

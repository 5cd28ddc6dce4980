"""``pennyproof fix``: debug the failing tests of a project."""

import argparse
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pennyproof.assist.strength import MEASURING_SECONDS
from pennyproof.cli.output import Bar, Style, coloured_diff, count, print_json, show_gaps, styled, warn
from pennyproof.cli.root import Session, add_root, session
from pennyproof.cli.writing import write_changes
from pennyproof.core.diffs import write as write_diff
from pennyproof.core.offers import Offer
from pennyproof.core.outcomes import Baseline, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Deadline
from pennyproof.errors import EnvironmentProblem

if TYPE_CHECKING:
    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.union import Union

_MOST_LISTED = 20
_MOST_REJECTIONS = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fix``."""
    parser.add_argument(
        "tests", nargs="*", metavar="TEST_ID", help="failing tests to mend, as pytest names them (default: all)"
    )
    add_root(parser)
    parser.add_argument("--offline", action="store_true", help="use the free tier only, whatever else is configured")
    parser.add_argument("--max-cost", type=_amount, metavar="USD", help="spend no more than this on models")
    parser.add_argument("--deadline", type=_seconds, default=60.0, metavar="S", help="seconds to search (default: 60)")
    parser.add_argument("--apply", action="store_true", help="write the best edits, once they are proved together")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Look for fixes, show them, and write them where that was asked for."""
    test_ids = list(dict.fromkeys(options.tests)) or None
    with session(options.root, _overrides(options)) as opened:
        from pennyproof.assist.report import debug_json  # noqa: PLC0415 - the workers start meanwhile

        snapshot = opened.project.snapshot()
        deadline = Deadline(options.deadline)
        with Bar() as bar:
            result = opened.project.debug(
                snapshot,
                test_ids,
                deadline=deadline,
                cancel=opened.cancel,
                progress=bar,
                offline=options.offline,
                before_first=lambda _: bar.clear(),  # A question may follow.
            )
            result = _measured(opened, snapshot, result, deadline, bar)
        for note in result.notes:
            warn(note)
        _refuse_if_nothing_could_run(result.baseline)
        targets = [test for test in result.baseline.failing if test_ids is None or test.id in test_ids]
        if not options.json:
            _show(opened, result, targets)
        union = _apply(opened, snapshot, result, deadline) if options.apply and result.offers else None
    if options.json:
        applied = {"applied": _union_json(union)} if options.apply else {}
        print_json({**debug_json(result, opened.project.root), **applied})
    elif options.apply and result.offers:
        _show_union(union)
    elif result.offers:
        print("\nTo write these edits: pennyproof fix --apply")
    if not targets:
        return 0
    return 0 if result.offers and (union or not options.apply) else 1


def _measured(
    opened: Session, snapshot: Snapshot, result: "DebugResult", deadline: Deadline, bar: Bar
) -> "DebugResult":
    """The leading offers with how much their tests would notice, as far as time is left for that."""
    project, until = opened.project, Deadline(min(MEASURING_SECONDS, deadline.left))
    measured = (
        offer
        if offer.alternative
        else project.measured(snapshot, offer, deadline=until, cancel=opened.cancel, progress=bar)
        for offer in result.offers
    )
    return replace(result, offers=tuple(measured))


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    return {} if options.max_cost is None else {"budget": {"perActionUsd": options.max_cost}}


def _amount(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is no amount of money: give US dollars, 0 or more")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is no time: give seconds, more than 0")
    return value


def _refuse_if_nothing_could_run(baseline: Baseline) -> None:
    """Files that cannot be collected leave the question unanswered, unless other tests fail."""
    for error in baseline.errors:
        warn(f"{error.path}: cannot be collected: {error.message.strip().splitlines()[-1]}")
    if baseline.errors and not baseline.failing:
        raise EnvironmentProblem(
            f"{count(len(baseline.errors), 'test file')} cannot be collected, "
            f"so nothing is known about the tests within: mend {baseline.errors[0].path} first"
        )


def _apply(opened: Session, snapshot: Snapshot, result: "DebugResult", deadline: Deadline) -> "Union | None":
    """Prove the leading offers together and write them."""
    from pennyproof.assist.union import best_union, measured_union  # noqa: PLC0415 - seldom asked for

    leading = [offer for offer in result.offers if not offer.alternative]
    prover, cancel = opened.project.prover, opened.cancel
    with Bar() as bar:
        union = best_union(prover, snapshot, leading, cancel=cancel, progress=bar)
        if union is not None:
            until = Deadline(min(MEASURING_SECONDS, deadline.left))
            union = measured_union(prover, snapshot, union, deadline=until, cancel=cancel, progress=bar)
    if union is not None:
        write_changes(snapshot, union.candidate.changes)
    return union


def _union_json(union: "Union | None") -> dict[str, object] | None:
    from pennyproof.assist.report import verdict_json  # noqa: PLC0415 - as above

    if union is None:
        return None
    return {
        "offers": [offer.id for offer in union.offers],
        "files": [change.path for change in union.candidate.changes],
        "verdict": verdict_json(union.verdict),
    }


def _show(opened: Session, result: "DebugResult", targets: list[TestOutcome]) -> None:
    _show_baseline(opened, result.baseline, targets)
    for offer in result.offers:
        _show_offer(offer)
    mended = {test for offer in result.offers for test in offer.verdict.fixed}
    if unmended := [test for test in targets if test.id not in mended]:
        print("\n" + styled(f"No fix that holds for {count(len(unmended), 'test')}", Style.YELLOW))
        _list_tests(unmended)
        for summary, reason in result.rejections[-_MOST_REJECTIONS:]:
            print(f"  tried: {summary}: {reason}")
    if targets:
        rejected = ", ".join(f"{number} by {gate}" for gate, number in result.rejected.items() if number)
        spent = f" for {result.spent_usd:.4f} USD" if result.spent_usd else ""
        tried = f"Tried {count(result.tried, 'candidate')} in {result.seconds:.1f} s{spent}"
        print(f"\n{styled(tried + (f'; rejected {rejected}' if rejected else ''), Style.DIM)}")


def _show_baseline(opened: Session, baseline: Baseline, targets: list[TestOutcome]) -> None:
    if not targets and baseline.failing:
        print("Nothing to fix: none of the tests asked for fails")
    elif not targets:
        print(f"Nothing to fix: {count(len(baseline.passing), 'test')} passed in {baseline.seconds:.1f} s")
    else:
        failing = len(baseline.failing)
        whole = f"{failing} of {count(len(baseline.outcomes), 'test')} in {opened.project.root.name}"
        asked = f", {len(targets)} asked for" if len(targets) < failing else ""
        print(styled(f"{whole} {'fails' if failing == 1 else 'fail'}{asked}", Style.BOLD))
        _list_tests(targets)
    for test in sorted(baseline.flaky):
        print(f"  {test} is flaky: it failed once and passed when run again")


def _list_tests(tests: list[TestOutcome]) -> None:
    for test in tests[:_MOST_LISTED]:
        print(f"  {styled(test.id, Style.RED)}" + (f"  {test.failure.headline}" if test.failure else ""))
    if len(tests) > _MOST_LISTED:
        print(f"  and {len(tests) - _MOST_LISTED} more")


def _show_offer(offer: Offer) -> None:
    if offer.alternative:
        print(styled(f"  or {offer.candidate.summary}: {offer.verdict.evidence()}", Style.DIM))
        return
    print(f"\n{styled(offer.candidate.summary, Style.BOLD)}")
    print(styled(offer.verdict.evidence(), Style.GREEN))
    show_gaps(offer.verdict)
    print(coloured_diff(write_diff(offer.candidate.changes)))


def _show_union(union: "Union | None") -> None:
    if union is None:
        print("\nThe edits do not hold together; nothing was written")
        return
    files = ", ".join(change.path for change in union.candidate.changes)
    print(f"\n{styled(f'Wrote {files}', Style.BOLD)}")
    print(styled(f"together: {union.verdict.evidence()}", Style.GREEN))
    if len(union.offers) > 1:  # Of a single one they have been shown.
        show_gaps(union.verdict)

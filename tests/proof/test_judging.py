"""From what ran to a verdict."""

from collections.abc import Mapping

import pytest

from pennyproof.core.outcomes import Baseline, CollectionError, Coverage, Failure, Outcome, TestOutcome
from pennyproof.core.verdicts import Gate, Level, Line, Verdict
from pennyproof.proof.answers import RunResult
from pennyproof.proof.judging import judge
from pennyproof.proof.records import Recorded
from pennyproof.proof.retrial import Ruling
from pennyproof.proof.selection import Change, Hunk

OUTCOMES = {letter: outcome for outcome in Outcome for letter in outcome.value[:1]} | {
    "x": Outcome.XFAILED,
    "X": Outcome.XPASSED,
}
LINE_5 = Change((Hunk("m.py", frozenset({5})),), None)


def outcomes(marks: Mapping[str, str]) -> dict[str, TestOutcome]:
    return {
        test: TestOutcome(test, OUTCOMES[mark], failure=Failure("AssertionError", "no\nmore") if mark == "f" else None)
        for test, mark in marks.items()
    }


def verdict(
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    change: Change = LINE_5,
    ran: frozenset[int] = frozenset({5}),
    at_import: frozenset[int] = frozenset(),
    ran_by: frozenset[str] = frozenset(),
    functions: Mapping[str, Mapping[str, frozenset[int]]] | None = None,
    flaky: frozenset[str] = frozenset(),
    ruling: Ruling = Ruling(),  # noqa: B008
    errors: tuple[str, ...] = (),
    known_errors: tuple[str, ...] = (),
    patched: frozenset[str] = frozenset(),
    known_patched: frozenset[str] = frozenset(),
) -> Verdict:
    baseline = Baseline(
        outcomes(before),
        1.0,
        tuple(CollectionError(path, "x") for path in known_errors),
        flaky,
        Coverage(functions or {}),
    )
    recorded = Recorded(baseline, known_patched)
    run = RunResult(
        collected=tuple(after),
        unknown=tuple(test for test in before if test not in after),
        outcomes=outcomes(after),
        errors=tuple(CollectionError(path, "Traceback\nImportError: no") for path in errors),
        coverage=Coverage(),
        watched={"m.py": ran},
        watched_by=ran_by,
        watched_at_import={"m.py": at_import},
        patched=patched,
        exit="ok",
        seconds=0.5,
    )
    targets = [test for test, mark in before.items() if mark in "fe"]
    return judge(recorded, run, change, targets=targets, selected=list(before), selection="all", ruling=ruling)


@pytest.mark.parametrize(
    ("before", "after", "level", "reason"),
    [
        ("pf", "pp", Level.FIXES, None),
        ("pff", "pfp", Level.FIXES, None),
        ("pe", "pp", Level.FIXES, None),
        ("pp", "pp", Level.PASSES, None),
        ("pf", "pf", Level.PASSES, None),
        ("pf", "fp", Level.REJECTED, "breaks t0: AssertionError: no"),
        ("pf", "sp", Level.REJECTED, "breaks t0: it is skipped now"),
        ("pf", "xp", Level.REJECTED, "breaks t0: it is xfailed now"),
        ("pf", "ep", Level.REJECTED, "breaks t0: error"),
        ("pf", "-p", Level.REJECTED, "breaks t0: it no longer exists"),
        ("pf", "ps", Level.PASSES, None),
        ("pf", "px", Level.PASSES, None),
        ("ps", "pf", Level.REJECTED, "breaks t1: AssertionError: no"),
        ("px", "pf", Level.REJECTED, "breaks t1: AssertionError: no"),
        ("ps", "pp", Level.PASSES, None),
        ("px", "pX", Level.PASSES, None),
        ("pf", "pe", Level.PASSES, None),
        ("p", "pf", Level.REJECTED, "breaks t1: AssertionError: no"),
        ("p", "pp", Level.PASSES, None),
    ],
)
def test_levels(before: str, after: str, level: Level, reason: str | None) -> None:
    def marked(marks: str) -> dict[str, str]:
        return {f"t{number}": mark for number, mark in enumerate(marks) if mark != "-"}

    found = verdict(marked(before), marked(after))
    assert (found.level, found.reason) == (level, reason)
    assert (found.gate is Gate.TESTS) == (level is Level.REJECTED)


def test_the_evidence_is_complete() -> None:
    found = verdict({"a": "p", "b": "f", "c": "f"}, {"a": "p", "b": "p", "c": "f"}, ran_by=frozenset("bc"))
    assert (found.fixed, found.remaining, found.broken, found.ran, found.passed) == (
        ("b",),
        ("c",),
        (),
        ("a", "b", "c"),
        2,
    )
    assert [(test.id, test.message) for test in found.failed] == [("c", "AssertionError: no")]
    assert found.evidence() == "fixes 1 test, breaks 0 of 3 that ran"


def test_a_flaky_test_is_never_fixed() -> None:
    found = verdict({"a": "p", "b": "f"}, {"a": "p", "b": "p"}, flaky=frozenset("b"))
    assert (found.level, found.fixed) == (Level.PASSES, ())


def test_a_test_that_fails_without_the_others_anyway_is_not_broken() -> None:
    cleared = Ruling(cleared=frozenset("a"))
    assert verdict({"a": "p", "b": "p"}, {"a": "f", "b": "p"}, ruling=cleared).level is Level.PASSES


def test_flaky_tests_count_neither_way() -> None:
    a = frozenset("a")
    known = verdict({"a": "p", "b": "p"}, {"a": "f", "b": "p"}, flaky=a)
    assert (known.level, known.passed, known.flaky) == (Level.PASSES, 1, ("a",))
    assert known.evidence() == "breaks 0 of 2 that ran; not counted, since flaky: a"
    found = verdict({"a": "p", "b": "p"}, {"a": "f", "b": "p"}, ruling=Ruling(flaky=a))
    assert found == known
    mended = verdict({"a": "f", "b": "p"}, {"a": "p", "b": "p"}, ruling=Ruling(flaky=a))
    assert (mended.level, mended.fixed, mended.flaky) == (Level.PASSES, (), ("a",))
    unsure = verdict({"a": "f", "b": "p"}, {"a": "p", "b": "f"}, ruling=Ruling(unsure=frozenset("b")))
    assert (unsure.level, unsure.fixed, unsure.flaky) == (Level.PARSES, ("a",), ("b",))
    assert unsure.evidence() == (
        "b failed once with the edit in place and passed once, and no run tells why; not counted, since flaky: b"
    )


def test_what_a_busy_machine_did_not_show_speaks_neither_way() -> None:
    found = verdict({"a": "f", "b": "p"}, {"a": "p", "b": "f"}, ruling=Ruling(unseen=frozenset("b")))
    assert (found.level, found.fixed, found.broken, found.flaky) == (Level.PARSES, ("a",), (), ())
    assert found.reason == "what b does without the edit could not be seen: it did not end in time"


def test_targets_that_cannot_reach_the_change_do_not_remain() -> None:
    change = Change(LINE_5.hunks, (("m.py", range(4, 9)),))
    functions = {"b": {"m.py": frozenset({4})}, "c": {"m.py": frozenset({9})}}
    found = verdict({"a": "p", "b": "f", "c": "f"}, {"a": "p", "b": "f", "c": "f"}, change=change, functions=functions)
    assert found.remaining == ("b",)


@pytest.mark.parametrize(
    ("hunks", "ran", "at_import", "level", "uncovered", "reason"),
    [
        ([{5, 6}], {5}, set(), Level.PASSES, [6], None),
        ([{5}, {8}], {5}, set(), Level.PARSES, [8], "no test that passes runs m.py:8"),
        ([{5}, set()], {5}, set(), Level.PASSES, [], None),
        ([set()], set(), set(), Level.PARSES, [], "no changed line is one that runs"),
        ([{5}], set(), {5}, Level.PASSES, [], None),
        ([None], set(), set(), Level.PARSES, [], "no test can be seen to use m.py"),
        ([{5}, None], {5}, set(), Level.PARSES, [], "no test can be seen to use m.py"),
    ],
)
def test_coverage(
    hunks: list[set[int] | None],
    ran: set[int],
    at_import: set[int],
    level: Level,
    uncovered: list[int],
    reason: str | None,
) -> None:
    change = Change(tuple(Hunk("m.py", None if lines is None else frozenset(lines)) for lines in hunks), None)
    found = verdict({"a": "p"}, {"a": "p"}, change=change, ran=frozenset(ran), at_import=frozenset(at_import))
    assert (found.level, found.reason) == (level, reason)
    assert found.uncovered == tuple(Line("m.py", line) for line in uncovered)


def test_around_a_deletion_one_line_is_enough() -> None:
    change = Change((Hunk("m.py", frozenset({4, 5}), deletion=True),), None)
    assert verdict({"a": "p"}, {"a": "p"}, change=change).uncovered == ()
    assert len(verdict({"a": "p"}, {"a": "p"}, change=change, ran=frozenset()).uncovered) == 2


def test_what_runs_at_import_counts_only_where_a_test_passes() -> None:
    found = verdict({"a": "f"}, {"a": "f"}, ran=frozenset(), at_import=frozenset({5}))
    assert found.level is Level.PARSES


def test_files_that_can_no_longer_be_collected() -> None:
    assert (
        verdict({"a": "p"}, {"a": "p"}, errors=("t.py",)).reason == "t.py can no longer be collected: ImportError: no"
    )
    assert verdict({"a": "p"}, {"a": "p"}, errors=("t.py",), known_errors=("t.py",)).level is Level.PASSES


def test_changing_pytest_while_it_runs() -> None:
    both = frozenset({"pytest.x", "conftest.y"})
    found = verdict({"a": "f"}, {"a": "p"}, patched=both, known_patched=frozenset({"conftest.y"}))
    assert (found.level, found.reason) == (Level.REJECTED, "changed pytest while it ran: pytest.x")
    assert verdict({"a": "f"}, {"a": "p"}, patched=both, known_patched=both).level is Level.FIXES

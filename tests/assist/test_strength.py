"""How much a verdict is worth, over a prover whose answers are written down."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.assist.strength import Strengths, measured
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import FailedTest, Gate, Level, Line, Strength, Verdict, rejected
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.errors import Cancelled, WorkerLost
from tests.assist.scripted import ScriptedProver, baseline

A, B, C = "test_a.py::test_a", "test_a.py::test_b", "test_a.py::test_c"
MORE = "def f(a, b):\n    return a > b\n"
ATLEAST = MORE.replace(">", ">=")
BACK, BELOW, GONE = "replace `>=` by `>`", "replace `>=` by `<=`", "remove `return a >= b`"
ALL_NOTICED = {BELOW: True, GONE: True}
PASSES = Verdict(Level.PASSES, ran=(A, B), passed=2, selection="map")


def edit(*files: tuple[str, str | None, str | None]) -> Candidate:
    return Candidate(
        tuple(
            FileChange(path, None if old is None else Source(old), None if new is None else Source(new))
            for path, old, new in files
        )
    )


def check(
    candidate: Candidate,
    notices: Mapping[str, bool],
    verdict: Verdict = PASSES,
    *,
    trouble: Exception | None = None,
    seconds: float = 60.0,
) -> tuple[Strength | None, ScriptedProver]:
    """What is measured, and what for; nothing else about the verdict changes."""
    prover = ScriptedProver(baseline(), notices=notices, trouble=trouble)
    snapshot, deadline = Snapshot(Path("/project")), Deadline(seconds)
    found = measured(prover, snapshot, candidate, verdict, deadline=deadline, cancel=Cancel(), progress=Silent())
    assert replace(found, strength=None) == verdict
    return found.strength, prover


@pytest.mark.parametrize(
    ("notices", "strength"),
    [
        ({BELOW: True, GONE: True}, Strength(2, 2)),
        ({BELOW: True, GONE: False}, Strength(1, 2, (f"a.py:2: {GONE}",))),
        ({BELOW: False, GONE: False}, Strength(0, 2, (f"a.py:2: {GONE}", f"a.py:2: {BELOW}"))),
        ({BELOW: True}, Strength(1, 1)),
        ({}, None),
    ],
    ids=["strong", "partly", "weak", "what cannot be tried does not count", "nothing can be tried"],
)
@pytest.mark.parametrize("level", [Level.PASSES, Level.FIXES])
def test_strength(level: Level, notices: Mapping[str, bool], strength: Strength | None) -> None:
    assert check(edit(("a.py", MORE, ATLEAST)), notices, replace(PASSES, level=level))[0] == strength


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (edit(("a.py", MORE, ATLEAST)), Verdict(Level.PARSES, ran=(A,))),
        (edit(("a.py", MORE, ATLEAST)), rejected(Gate.TESTS, "breaks test_a")),
        (edit(("a.py", MORE, ATLEAST)), replace(PASSES, uncovered=(Line("a.py", 2),))),
        (edit(("a.py", MORE, ATLEAST)), replace(PASSES, ran=())),
        (edit(("a.py", MORE, MORE.replace("def", "# More.\ndef"))), PASSES),
        (edit(("a.py", MORE + "    x = 1\n", MORE)), PASSES),
        (edit(("a.py", MORE, None)), PASSES),
        (edit(("a.txt", "1\n", "2\n")), PASSES),
    ],
    ids=[
        "not covered at all",
        "rejected",
        "not covered",
        "no tests",
        "a comment",
        "a deletion",
        "a deleted file",
        "no Python",
    ],
)
def test_nothing_is_measured_where_there_is_nothing_to_measure(candidate: Candidate, verdict: Verdict) -> None:
    strength, prover = check(candidate, ALL_NOTICED, verdict)
    assert (strength, prover.slips) == (None, [])


def test_no_slip_is_what_was_there_before() -> None:
    _, prover = check(edit(("a.py", MORE, ATLEAST)), {})
    assert f"a.py:2: {BELOW}" in prover.slips[0]
    assert f"a.py:2: {BACK}" not in prover.slips[0]


def test_only_tests_that_passed_are_asked() -> None:
    verdict = Verdict(Level.FIXES, fixed=(A,), remaining=(B,), ran=(A, B, C), failed=(FailedTest(B, "no"),))
    _, prover = check(edit(("a.py", MORE, ATLEAST)), ALL_NOTICED, verdict)
    assert prover.alert == [[A, C]]


def test_slips_are_made_in_every_changed_file_and_are_not_too_many() -> None:
    long = "def g(a):\n" + "".join(f"    a += {number}\n" for number in range(2, 40))
    _, prover = check(edit(("a.py", MORE, ATLEAST), ("b.py", None, long), ("c.txt", "1\n", "2\n")), {})
    (slips,) = prover.slips
    assert {slip.partition(":")[0] for slip in slips} == {"a.py", "b.py"}
    assert len(slips) <= 12


def test_time_that_is_up_is_not_spent() -> None:
    strength, prover = check(edit(("a.py", MORE, ATLEAST)), ALL_NOTICED, seconds=0.0)
    assert (strength, prover.slips) == (None, [])


def test_a_verdict_outlives_the_worker_that_would_measure_it() -> None:
    assert check(edit(("a.py", MORE, ATLEAST)), ALL_NOTICED, trouble=WorkerLost("the fork server was lost"))[0] is None


def test_a_cancel_ends_it() -> None:
    with pytest.raises(Cancelled):
        check(edit(("a.py", MORE, ATLEAST)), ALL_NOTICED, trouble=Cancelled("cancelled"))


@pytest.mark.parametrize(
    ("again", "found"),
    [
        (replace(PASSES, cached=True, seconds=0.5), Strength(1, 2)),
        (replace(PASSES, seconds=0.5), None),
        (replace(PASSES, cached=True, ran=(A,)), None),
    ],
    ids=["told again", "made anew", "of other tests"],
)
def test_a_strength_is_told_again_with_its_verdict(again: Verdict, found: Strength | None) -> None:
    strengths, candidate = Strengths(), edit(("a.py", MORE, ATLEAST))
    strengths.keep(candidate, replace(PASSES, seconds=2.0, strength=Strength(1, 2)))
    assert strengths.find(candidate, again) == found
    assert strengths.find(edit(("b.py", MORE, ATLEAST)), again) is None


def test_a_verdict_without_a_strength_leaves_nothing_to_tell() -> None:
    strengths, candidate = Strengths(), edit(("a.py", MORE, ATLEAST))
    strengths.keep(candidate, PASSES)
    assert strengths.find(candidate, replace(PASSES, cached=True)) is None


def test_of_many_strengths_the_last_are_known() -> None:
    strengths = Strengths()
    candidates = [edit((f"{number}.py", MORE, ATLEAST)) for number in range(40)]
    for candidate in candidates:
        strengths.keep(candidate, replace(PASSES, strength=Strength(1, 2)))
    assert strengths.find(candidates[0], replace(PASSES, cached=True)) is None
    assert strengths.find(candidates[-1], replace(PASSES, cached=True)) == Strength(1, 2)

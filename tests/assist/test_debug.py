"""Debug: from failing tests to proved offers, over a scripted prover."""

from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.assist.debug import DebugResult, debug
from pennyproof.core.outcomes import CRASH, Failure
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.errors import Cancelled, UnknownTest
from tests.assist.scripted import ScriptedProver, ScriptedTier, baseline, failed, passed

A, B, C = "tests/test_a.py::test_a", "tests/test_a.py::test_b", "tests/test_a.py::test_c"


def run(prover: ScriptedProver, tier: ScriptedTier, test_ids: list[str] | None = None) -> DebugResult:
    return debug(
        prover,
        [tier],
        Snapshot(Path("/")),
        test_ids,
        deadline=Deadline(30),
        cancel=Cancel(),
        progress=Silent(),
    )


def shown(result: DebugResult) -> list[str]:
    """Offers as ``id summary: tests it mends``, alternatives in brackets."""
    lines = []
    for offer in result.offers:
        line = f"{offer.id} {offer.candidate.summary}: {', '.join(offer.verdict.fixed)}"
        lines.append(f"({line})" if offer.alternative else line)
    return lines


def test_nothing_failing_means_nothing_is_tried() -> None:
    prover, tier = ScriptedProver(baseline(passed(A))), ScriptedTier(["x"])
    result = run(prover, tier)
    assert (shown(result), result.tried, tier.problems) == ([], 0, [])


def test_an_edit_that_mends_is_offered_and_was_proved_twice() -> None:
    prover = ScriptedProver(baseline(failed(A), passed(B)), mends={"right": [A]})
    result = run(prover, ScriptedTier(["wrong", "right", "also wrong"]))
    assert shown(result) == [f"o1 right: {A}"]
    assert prover.proved == [("right", False), ("right", True)]
    assert result.tried == 3
    assert result.rejected == {Gate.TESTS: 2}


def test_an_edit_that_breaks_another_test_is_turned_away_and_the_search_goes_on() -> None:
    prover = ScriptedProver(baseline(failed(A), passed(B)), mends={"greedy": [A], "right": [A]}, breaks={"greedy": [B]})
    result = run(prover, ScriptedTier(["greedy", "right"]))
    assert shown(result) == [f"o1 right: {A}"]
    assert result.rejections == (("greedy", f"breaks {B}"),)


def test_the_best_ranked_survivor_leads_and_the_others_are_alternatives() -> None:
    prover = ScriptedProver(baseline(failed(A)), mends={"one": [A], "two": [A], "three": [A]})
    result = run(prover, ScriptedTier(["one", "two", "three"], best=["three", "one"]))
    assert shown(result) == [f"o1 three: {A}", f"(o2 one: {A})", f"(o3 two: {A})"]


def test_each_group_of_tests_gets_an_offer_of_its_own() -> None:
    prover = ScriptedProver(
        baseline(failed(A), failed(B), passed(C)),
        lines={A: {"pkg/a.py": frozenset({1, 2})}, B: {"pkg/b.py": frozenset({1, 2})}},
        mends={"mend a": [A], "mend b": [B]},
    )
    assert shown(run(prover, ScriptedTier(["mend a", "mend b"]))) == [f"o1 mend a: {A}", f"o2 mend b: {B}"]


def test_tests_that_one_edit_mends_are_not_searched_again() -> None:
    prover = ScriptedProver(
        baseline(failed(A), failed(B)),
        lines={A: {"pkg/a.py": frozenset({1, 2})}, B: {"pkg/b.py": frozenset({1, 2})}},
        mends={"mend both": [A, B]},
    )
    tier = ScriptedTier(["mend both"])
    assert shown(run(prover, tier)) == [f"o1 mend both: {A}, {B}"]
    assert len(tier.problems) == 1


def test_tests_that_fail_at_one_place_are_one_cohort() -> None:
    prover = ScriptedProver(
        baseline(failed(A, ("pkg/a.py", 7), seconds=2), failed(B, ("pkg/a.py", 7), seconds=1)), mends={"right": [A, B]}
    )
    tier = ScriptedTier(["right"])
    run(prover, tier)
    assert [test.id for test in tier.problems[0].targets] == [B, A], "the quickest test comes first"


def test_only_the_tests_asked_for_are_targets() -> None:
    prover = ScriptedProver(baseline(failed(A), failed(B)), mends={"mend a": [A], "mend b": [B]})
    assert shown(run(prover, ScriptedTier(["mend a", "mend b"]), [B])) == [f"o1 mend b: {B}"]


def test_an_unknown_test_is_an_error() -> None:
    with pytest.raises(UnknownTest, match="test_z"):
        run(ScriptedProver(baseline(failed(A))), ScriptedTier([]), ["tests/test_a.py::test_z"])


def test_cancel_ends_the_search_and_lets_the_workers_go() -> None:
    cancel = Cancel()
    prover = ScriptedProver(baseline(failed(A)), on_screen=cancel)
    with pytest.raises(Cancelled):
        debug(
            prover,
            [ScriptedTier(["one", "two"])],
            Snapshot(Path("/")),
            None,
            deadline=Deadline(30),
            cancel=cancel,
            progress=Silent(),
        )
    assert prover.open_screens == 0


def test_a_test_that_ends_the_process_spoils_no_proof_but_its_own() -> None:
    crashing = replace(failed(B), failure=Failure(CRASH, "the test ended the process"))
    prover = ScriptedProver(baseline(failed(A), crashing), mends={"right": [A]})
    assert shown(run(prover, ScriptedTier(["right"]))) == [f"o1 right: {A}"]
    assert all(targets == [A] for targets in prover.targets[:2])


def test_edits_that_mend_some_do_not_end_the_search_for_one_that_mends_all() -> None:
    cohort = baseline(failed(A, ("pkg/a.py", 7)), failed(B, ("pkg/a.py", 7)))
    halves = [f"half {number}" for number in range(20)]
    prover = ScriptedProver(cohort, mends={**dict.fromkeys(halves, (A,)), "whole": [A, B]})
    result = run(prover, ScriptedTier([*halves, "whole"], best=["whole"]))
    assert shown(result)[0] == f"o1 whole: {A}, {B}"


def test_among_many_only_edits_that_mend_every_target_tried_are_proved() -> None:
    cohort = baseline(failed(A, ("pkg/a.py", 7)), failed(B, ("pkg/a.py", 7)))
    prover = ScriptedProver(cohort, mends={"half": [A], "whole": [A, B]})
    assert shown(run(prover, ScriptedTier(["half", "whole", "wrong"]))) == [f"o1 whole: {A}, {B}"]
    assert {summary for summary, _ in prover.proved} == {"whole"}


def test_where_nothing_mends_all_the_edits_that_mend_most_are_proved_first() -> None:
    places = [failed(test, ("pkg/a.py", 7)) for test in (A, B, C)]
    thirds = [f"third {number}" for number in range(20)]
    prover = ScriptedProver(baseline(*places), mends={**dict.fromkeys(thirds, (A,)), "most": [A, B]})
    result = run(prover, ScriptedTier([*thirds, "most"], best=["most"]))
    assert shown(result)[0] == f"o1 most: {A}, {B}"
    assert len({summary for summary, _ in prover.proved}) == 4


def test_edits_put_aside_are_all_proved_as_long_as_none_holds() -> None:
    places = [failed(A, ("pkg/a.py", 7)), failed(B, ("pkg/a.py", 7)), passed(C)]
    greedy = [f"greedy {number}" for number in range(30)]
    mends = {**dict.fromkeys(greedy, (A,)), "right": [A]}
    prover = ScriptedProver(baseline(*places), mends=mends, breaks=dict.fromkeys(greedy, (C,)))
    result = run(prover, ScriptedTier([*greedy, "right"]))
    assert shown(result) == [f"o1 right: {A}"]
    assert (result.tried, result.rejected) == (31, {Gate.TESTS: 30})


def test_what_a_proof_found_broken_guards_the_next_screen() -> None:
    greedy = [f"greedy {number}" for number in range(30)]
    prover = ScriptedProver(
        baseline(failed(A), passed(B), passed(C)),
        mends={**dict.fromkeys(greedy, (A,)), "right": [A]},
        breaks=dict.fromkeys(greedy, (C,)),
    )
    result = run(prover, ScriptedTier([*greedy, "right"]))
    assert shown(result) == [f"o1 right: {A}"]
    assert prover.guards == [[], [C]]
    assert len(prover.proved) == 12 + 2, "the others of its kind were turned away unproved"
    assert result.tried == 31


def test_an_edit_that_mends_some_ends_the_search_where_nothing_better_turned_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pennyproof.assist.cascade._SETTLING", 0.0)
    cohort = baseline(failed(A, ("pkg/a.py", 7)), failed(B, ("pkg/a.py", 7)))
    prover = ScriptedProver(cohort, mends={"half": [A], "whole": [A, B]})
    result = run(prover, ScriptedTier(["half", *["wrong"] * 20, "whole"]), [A, B])
    assert shown(result)[0] == f"o1 half: {A}"
    assert result.tried == 1

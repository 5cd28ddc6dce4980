"""The JSON that the command line and LSP share has exactly the fields that it is documented to have."""

from pathlib import Path

from pennyproof.assist import report
from pennyproof.assist.debug import DebugResult
from pennyproof.assist.report import debug_json, prove_json
from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.offers import Offer
from pennyproof.core.outcomes import Baseline, CollectionError
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import FailedTest, Gate, Level, Line, Strength, Verdict, rejected
from tests.assist.scripted import baseline, failed, passed

A, B = "test_a.py::test_a", "test_a.py::test_b"


def test_a_search() -> None:
    change = FileChange("a.py", Source("x = 1\n"), Source("x = 2\n"))
    verdict = Verdict(
        Level.FIXES, (A,), passed=2, ran=(A, B), uncovered=(Line("a.py", 1),), selection="map", seconds=0.12345
    )
    offer = Offer("o1", Candidate((change,), Origin(Tier.FREE, attempt=17), "replace `1` by `2`"), verdict)
    result = DebugResult(
        baseline(failed(A), passed(B)),
        (offer,),
        23,
        {Gate.NAMES: 2, Gate.TESTS: 20},
        (("replace `1` by `3`", "breaks test_b.py"),),
        ("deepseek-flash: the budget is used up",),
        0.002,
        1.9,
    )
    assert debug_json(result, Path("/project")) == {
        "root": "/project",
        "baseline": {"passed": 1, "failed": [A], "seconds": 0.02},
        "offers": [
            {
                "id": "o1",
                "title": "replace `1` by `2`: fixes 1 test, breaks 0 of 2 that run these lines; not covered: a.py:1",
                "diff": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n",
                "summary": "replace `1` by `2`",
                "alternative": False,
                "origin": {"tier": "free", "model": None, "attempt": 17},
                "verdict": {
                    "level": "fixes",
                    "fixed": [A],
                    "remaining": [],
                    "broken": [],
                    "passed": 2,
                    "ran": [A, B],
                    "uncovered": [{"path": "a.py", "line": 1}],
                    "flaky": [],
                    "selection": "map",
                    "route": None,
                    "gate": None,
                    "reason": None,
                    "seconds": 0.123,
                    "strength": None,
                    "cached": False,
                    "confined": True,
                },
                "cost_usd": 0.0,
            }
        ],
        "tried": 23,
        "rejected": {"parses": 0, "names": 2, "lint": 0, "tests": 20},
        "rejections": [{"summary": "replace `1` by `3`", "reason": "breaks test_b.py"}],
        "notes": ["deepseek-flash: the budget is used up"],
        "spent_usd": 0.002,
        "seconds": 1.9,
    }


def test_a_rejected_diff_names_its_gate_and_reason() -> None:
    verdict = prove_json(rejected(Gate.PARSES, "a.py does not parse"))
    assert (verdict["level"], verdict["gate"], verdict["reason"]) == ("rejected", "parses", "a.py does not parse")
    assert verdict["failed"] == []


def test_a_proof_tells_which_tests_failed() -> None:
    verdict = prove_json(Verdict(Level.REJECTED, broken=(B,), gate=Gate.TESTS, failed=(FailedTest(B, "assert 0"),)))
    assert verdict["failed"] == [{"id": B, "message": "assert 0"}]


def test_what_the_tests_would_notice() -> None:
    verdict = prove_json(Verdict(Level.PASSES, strength=Strength(7, 8, ("a.py:2: remove `x`",))))
    assert verdict["strength"] == {"noticed": 7, "slips": 8, "missed": ["a.py:2: remove `x`"]}


def test_a_run_counts_files_that_cannot_be_collected_as_failed() -> None:
    broken = CollectionError("test_c.py", "SyntaxError: invalid syntax", 3)
    result = report.tests_json(Baseline({B: passed(B), A: failed(A)}, 0.5, (broken,)))
    assert result == {
        "passed": 1,
        "failed": [
            {"id": A, "message": "assert 1 == 2"},
            {"id": "test_c.py", "message": "SyntaxError: invalid syntax"},
        ],
        "seconds": 0.5,
    }

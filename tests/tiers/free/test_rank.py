"""Which survivor leads."""

import pytest

from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.problems import Survivor
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.tiers.free.repair import FreeTier
from tests.tiers.free.problems import TARGET, problem

BEFORE = """\
def clamp(n, low, high):
    if n < low and n != 0:
        return low
    log(n)
    return min(n, 10)
"""
TEST = "def test_total():\n    assert clamp(42, 0, 10) == 10\n"


def survivor(
    old: str, new: str, prior: float = 0.02, *, behaviour: tuple[str, ...] | None = None, fixed: int = 1
) -> Survivor:
    after = BEFORE.replace(old, new)
    assert after != BEFORE
    change = FileChange("shop.py", Source(BEFORE), Source(after))
    tests = (TARGET, "tests/test_shop.py::test_more")[:fixed]
    return Survivor(Candidate((change,), Origin(Tier.FREE), new, prior), Verdict(Level.FIXES, fixed=tests), behaviour)


def leader(*survivors: Survivor) -> str:
    made = problem({"shop.py": BEFORE, "tests/test_shop.py": TEST}, {"shop.py": [2, 4, 5]})
    both_ways = FreeTier().rank(made, survivors), FreeTier().rank(made, survivors[::-1])
    assert both_ways[0][0] is both_ways[1][0]
    assert sorted(map(id, both_ways[0])) == sorted(map(id, survivors))
    return both_ways[0][0].candidate.summary


GOOD = survivor("min(n, 10)", "min(n, high)")


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("a larger edit", survivor("min(n, 10)", "min(n, max(high, low + 1 - 1))")),
        ("a condition dropped", survivor("n < low and n != 0", "n < low")),
        ("a condition settled", survivor("n < low and n != 0", "False", 0.05)),
        ("a statement removed", survivor("    log(n)\n", "", 0.021)),
        ("a constant answer", survivor("return min(n, 10)", "return 0", 0.03)),
        ("a number lifted from the tests", survivor("min(n, 10)", "min(n, 42)", 0.03)),
        ("a rarer template", survivor("min(n, 10)", "max(n, 10)", 0.01)),
    ],
)
def test_what_looks_right_leads(what: str, other: Survivor) -> None:
    assert leader(GOOD, other) == GOOD.candidate.summary, what


def test_more_targets_mended_outweighs_all_else() -> None:
    assert leader(GOOD, survivor("10", "n", 0.0001, fixed=2)) == "n"


def test_survivors_that_behave_alike_speak_for_one_another() -> None:
    alone = survivor("min(n, 10)", "min(low, 10)", 0.03, behaviour=("1", "5"))
    crowd = [
        survivor("min(n, 10)", f"{call}(n, high)", prior, behaviour=("1", "2"))
        for call, prior in (("max", 0.02), ("sum", 0.015))
    ]
    assert leader(alone, *crowd) == "max(n, high)"
    assert leader(alone, crowd[0]) == "min(low, 10)"


def test_survivors_that_could_not_be_watched_stand_alone() -> None:
    unseen = [survivor("min(n, 10)", f"{call}(n, high)", 0.01) for call in ("max", "sum")]
    assert leader(survivor("min(n, 10)", "min(low, 10)", 0.015), *unseen) == "min(low, 10)"

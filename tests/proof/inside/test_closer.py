"""The closer look over scripted forks: which tests are asked, in which order, and who is believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pennyproof.proof.inside.closer import Guards, Others


class Forks:
    """Runs tests as a table says: by the change that is in place, the tests that fail with it."""

    def __init__(self, failing: Mapping[str, str], reasons: Mapping[str, str]) -> None:
        self.failing, self.reasons = failing, reasons
        self.asked: list[str] = []

    def __call__(self, changes: Sequence[Any], ids: Sequence[str], *, everything: bool = False) -> dict[str, Any]:
        change = "".join(changes)
        self.asked.append(f"{change}: {' '.join(ids)}")
        if change in self.reasons:
            return {"passed": [], "failed": [], "reason": self.reasons[change]}
        alone = f"alone {ids[0]}" if len(ids) == 1 and not change else change
        failing = self.failing.get(alone, "").split()
        failed = [test for test in ids if test in failing]
        passed = [test for test in ids if test not in failing]
        if failed and not everything:
            passed, failed = list(ids[: ids.index(failed[0])]), failed[:1]
        return {"passed": passed, "failed": [[test, "AssertionError"] for test in failed], "reason": None}


@pytest.mark.parametrize(
    ("failing", "reasons", "candidates", "objections", "asked"),
    [
        pytest.param({}, {}, "x", [None], [": a b c", "x: a b c"], id="nothing is broken"),
        pytest.param({"x": "b c"}, {}, "x", ["breaks b"], [": a b c", "x: a b c", ": b"], id="the first objects"),
        pytest.param(
            {"x": "b", "y": "b", "z": "c"},
            {},
            "xyz",
            ["breaks b", "breaks b", "breaks c"],
            [": a b c", "x: a b c", ": b", "y: b a c", "z: b a c", ": c"],
            id="who objected goes first, and is made sure of once",
        ),
        pytest.param({"": "a b", "x": "a b"}, {}, "x", [None], [": a b c", "x: c"], id="failing anyway"),
        pytest.param({"": "a b c"}, {}, "xy", [None, None], [": a b c"], id="all failing anyway"),
        pytest.param(
            {"x": "b", "alone b": "b"},
            {},
            "x",
            [None],
            [": a b c", "x: a b c", ": b", "x: a c"],
            id="who fails alone is not believed",
        ),
        pytest.param({}, {"x": "timeout"}, "xy", ["timeout", None], [": a b c", "x: a b c", "y: a b c"], id="hangs"),
        pytest.param({}, {"": "crashed"}, "x", [None], [": a b c"], id="ends the process anyway"),
    ],
)
def test_guards(
    failing: dict[str, str],
    reasons: dict[str, str],
    candidates: str,
    objections: list[str | None],
    asked: list[str],
) -> None:
    forks = Forks(failing, reasons)
    guards = Guards(["a", "b", "c"], forks)
    assert [guards.objection(candidate) for candidate in candidates] == objections  # type: ignore[arg-type]  # Scripted.
    assert forks.asked == asked


@pytest.mark.parametrize(
    ("failing", "reasons", "expected"),
    [
        pytest.param({"": "a b", "x": "b"}, {}, (["a"], ["b"]), id="some are mended"),
        pytest.param({"": "a b"}, {}, (["a", "b"], []), id="all are"),
        pytest.param({"": "a", "x": "b"}, {}, (["a"], []), id="passing anyway"),
        pytest.param({"": "a b"}, {"x": "timeout"}, ([], ["a", "b"]), id="hangs"),
        pytest.param({}, {"": "crashed"}, ([], []), id="ends the process anyway"),
    ],
)
def test_others(failing: dict[str, str], reasons: dict[str, str], expected: tuple[list[str], list[str]]) -> None:
    others = Others(["a", "b"], Forks(failing, reasons))
    assert others.outcome("x") == expected  # type: ignore[arg-type]  # Scripted.


def test_nothing_is_run_where_nothing_is_asked_for() -> None:
    forks = Forks({}, {})
    assert (Guards([], forks).objection([]), Others([], forks).outcome([])) == (None, ([], []))
    assert forks.asked == []

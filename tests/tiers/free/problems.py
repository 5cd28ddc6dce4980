"""Problems made from text, for the tests of the free tier."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pennyproof.core.outcomes import Baseline, Coverage, Failure, Frame, Outcome, TestOutcome
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source

TARGET = "tests/test_shop.py::test_total"


def problem(
    files: Mapping[str, str],
    failing: Mapping[str, Sequence[int]],
    passing: Sequence[Mapping[str, Sequence[int]]] = (),
    frames: Sequence[Frame] = (),
    message: str = "",
    kind: str = "AssertionError",
) -> Problem:
    """One failing test that ran the lines of ``failing``, and passing tests that ran those of ``passing``."""
    failure = Failure(kind, message, tuple(frames))
    target = TestOutcome(TARGET, Outcome.FAILED, failure=failure, path="tests/test_shop.py", line=1)
    outcomes = {TARGET: target}
    lines = {TARGET: {path: frozenset(run) for path, run in failing.items()}}
    for number, ran in enumerate(passing):
        name = f"tests/test_shop.py::test_{number}"
        outcomes[name] = TestOutcome(name, Outcome.PASSED, path="tests/test_shop.py")
        lines[name] = {path: frozenset(run) for path, run in ran.items()}
    sources = {path: Source(text) for path, text in files.items()}
    return Problem(Snapshot(Path("/nowhere"), sources), (target,), Baseline(outcomes, 0.1), Coverage(lines))

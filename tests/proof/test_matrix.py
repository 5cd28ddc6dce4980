"""Verdicts on projects of many kinds: one right edit and one wrong one, each through the real prover."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pennyproof.core.verdicts import Gate, Level, Route
from tests.proof.matrix import ROWS
from tests.proof.matrix.rows import Row, nothing
from tests.proof.projects import Environment, Project, environment, tree, write


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], Environment]:
    """The environment for a row, which those share that change nothing in it."""
    folder = tmp_path_factory.mktemp("environments")
    made: dict[object, Environment] = {}

    def find(row: Row) -> Environment:
        key = row.plugins if row.prepare is nothing else row.name
        if key not in made:
            made[key] = environment(folder / str(len(made)), "plugins", *row.plugins)
        return made[key]

    return find


def check(row: Row, environment: Environment, folder: Path) -> None:
    root = write(folder / row.root, row.files)
    for name, target in row.links.items():
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)
    row.prepare(environment, root)
    before = tree(root)
    with Project(root, {}, environment.python) as project:
        baseline = project.baseline()
        assert row.fixes in [test.id for test in baseline.failing], baseline
        assert row.breaks not in [test.id for test in baseline.failing], baseline
        assert not baseline.flaky
        if row.passing is not None:
            assert len(baseline.passing) == row.passing
        for every_test in (False, True):
            verdict = project.prove(*row.right, targets=[row.fixes], every_test=every_test)
            assert (verdict.level, row.fixes in verdict.fixed) == (Level.FIXES, True), verdict
            assert verdict.flaky == ()
        verdict = project.prove(*row.wrong, targets=[row.fixes])
        assert (verdict.level, verdict.gate) == (Level.REJECTED, Gate.TESTS), verdict
        # Where the project stands, the first test that decides is the last.
        assert row.breaks in verdict.broken or (verdict.route is Route.PATCHED and verdict.broken)
        assert row.fixes not in verdict.fixed
    assert tree(root) == before


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[] if row.quick else pytest.mark.slow) for row in ROWS]
)
def test_a_kind_of_project(row: Row, environments: Callable[[Row], Environment], tmp_path: Path) -> None:
    check(row, environments(row), tmp_path)


OLD = [
    "unittest",
    "odd ids",
    "files of another kind",
    "fixtures and their ends",
    "doctests of modules",
    "xfail, strict",
]


@pytest.mark.parametrize("version", ["pytest-7", "pytest-8"])
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.name, marks=[] if row.name in OLD[:2] else pytest.mark.slow)
        for row in ROWS
        if row.name in OLD
    ],
)
def test_an_older_pytest(row: Row, version: str, tmp_path: Path) -> None:
    check(row, environment(tmp_path / "venv", version), tmp_path)

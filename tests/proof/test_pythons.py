"""A whole proof under the Python that plays the project's own; ``tests.pythons`` has each version play it."""

import ast
import os
import sys
from pathlib import Path

import pytest

from pennyproof.core.verdicts import Gate, Level
from pennyproof.proof.environment import OLDEST
from pennyproof.proof.sandbox.spec import INSIDE
from tests.proof.matrix import ROWS
from tests.proof.matrix.rows import Row
from tests.proof.projects import Project

PYTHON = Path(os.environ.get("PENNYPROOF_TEST_PYTHON", sys.executable))
NAMES = ["several files", "acts at import", "unittest", "fixtures and their ends", "conftest files at several levels"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in NAMES], ids=lambda row: row.name)
def test_a_proof(row: Row, tmp_path: Path) -> None:
    with Project(tmp_path / "p", row.files, PYTHON) as project:
        assert row.fixes in project.failing()
        right, wrong = (project.prove(*edits, targets=[row.fixes]) for edits in (row.right, row.wrong))
        assert (right.level, row.fixes in right.fixed) == (Level.FIXES, True), right
        assert (wrong.gate, row.breaks in wrong.broken) == (Gate.TESTS, True), wrong


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_inside_is_written_for_the_oldest(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), feature_version=OLDEST)

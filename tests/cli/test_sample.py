"""The bundled sample is what the demo says it is: a small library with real bugs, which its tests find."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pennyproof.cli.demo import SAMPLE

FIXES = {
    "bookshop/money.py": [("index <= left", "index < left")],
    "bookshop/periods.py": [("day <= self.start", "day < self.start"), ("day > self.end", "day >= self.end")],
    "bookshop/pricing.py": [("return max(offers,", "return None if not offers else max(offers,")],
    "bookshop/receipts.py": [("width - 2]", "width - 3]")],
    "bookshop/stock.py": [("copies > shelf.on_hand", "copies > shelf.available")],
}
"""What is wrong in each module; ``periods`` has one bug across two lines."""


def failing(root: Path) -> tuple[int, set[str]]:
    """How many tests there are, and which fail."""
    quick = ["--tb=no", "--disable-warnings", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest"]
    command = [sys.executable, "-m", "pytest", "-q", "-rA", *quick]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    reports = [line.split(" ")[:2] for line in output.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    return len(reports), {test for outcome, test in reports if outcome == "FAILED"}


def mended(folder: Path, fixes: Mapping[str, list[tuple[str, str]]]) -> Path:
    """A copy of the sample with some of its bugs mended."""
    root = folder / "sample"
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("__pycache__"))
    for path, edits in fixes.items():
        text = (root / path).read_text()
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (root / path).write_text(text)
    return root


@pytest.fixture(scope="module")
def as_shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, set[str]]:
    return failing(mended(tmp_path_factory.mktemp("shipped"), {}))


def test_most_of_its_many_tests_pass(as_shipped: tuple[int, set[str]]) -> None:
    number, failed = as_shipped
    assert number >= 40
    assert 4 <= len(failed) <= number // 4


def test_all_tests_pass_once_every_bug_is_mended(tmp_path: Path) -> None:
    number, failed = failing(mended(tmp_path, FIXES))
    assert number >= 40
    assert failed == set()


def test_every_buggy_module_fails_a_test_of_its_own(as_shipped: tuple[int, set[str]]) -> None:
    files = {test.partition("::")[0] for test in as_shipped[1]}
    assert {f"tests/test_{Path(module).stem}.py" for module in FIXES} <= files


@pytest.mark.parametrize("edit", FIXES["bookshop/periods.py"])
def test_half_a_fix_of_the_bug_across_two_lines_mends_nothing(
    edit: tuple[str, str], tmp_path: Path, as_shipped: tuple[int, set[str]]
) -> None:
    assert failing(mended(tmp_path, {"bookshop/periods.py": [edit]})) == as_shipped


def test_its_sources_are_some_three_hundred_lines() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in (SAMPLE / "bookshop").glob("*.py"))
    assert 250 <= lines <= 400

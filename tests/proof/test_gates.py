"""The gates that need no run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Level
from pennyproof.errors import OutsideRoot
from pennyproof.proof import gates
from pennyproof.proof.lint import Linter


@pytest.fixture(scope="module")
def linter() -> Iterator[Linter]:
    linter = Linter((3, 11))
    yield linter
    linter.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def check(
    root: Path,
    linter: Linter,
    after: str | None,
    gate: Gate | None,
    *words: str,
    before: str | None = "def f(a):\n    return a\n",
    path: str = "m.py",
    encoding: str = "utf-8",
) -> None:
    """An edit of ``m.py`` is turned away by ``gate`` with a reason that has all of ``words``, or by none."""
    old = None if before is None else Source(before, encoding)
    candidate = Candidate((FileChange(path, old, None if after is None else Source(after, encoding)),))
    snapshot = Snapshot(root, buffers={path: old} if old else {})
    verdict = gates.edit(snapshot, candidate, {"specs/checks.py"}) or gates.lint(candidate, linter)
    assert (verdict and verdict.gate) == gate, verdict
    if verdict:
        assert verdict.level is Level.REJECTED
        assert [word for word in words if word not in (verdict.reason or "")] == []


@pytest.mark.parametrize(
    ("after", "gate", "words"),
    [
        ("def f(a):\n    return a + 1\n", None, []),
        ("def f(a):\n    return a +\n", Gate.PARSES, ["m.py", "line 2"]),
        ("def f(a):\n    return a\0\n", Gate.PARSES, ["m.py"]),
        ("def f(a):\n    return " + "(" * 300 + "a" + ")" * 300, Gate.PARSES, ["m.py"]),
        ("def f(a):\n    return b\n", Gate.NAMES, ["m.py:2", "`b`", "F821"]),
        ("def f(a):\n    return len(a) + __file__\n", None, []),
        ("def f(a):\n    return math.pi\n", Gate.NAMES, ["`math`"]),
        ("import math\ndef f(a):\n    return math.pi\n", None, []),
        ("def f(a):\n    return a is 'x'\n", Gate.LINT, ["m.py:2", "F632"]),
        ("def f(a):\n    return '%s %s' % (a,)\n", Gate.LINT, ["F507"]),
        ("def f(a):\n    assert (a, 'x')\n", Gate.LINT, ["F631"]),
        ("return 1\n", Gate.PARSES, ["outside function"]),
        ("def f(a):\n    import os\n    return a\n", None, []),
        ("def f(a):\n    return a\n", Gate.PARSES, ["changes nothing"]),
        (None, None, []),
    ],
)
def test_edits(root: Path, linter: Linter, after: str | None, gate: Gate | None, words: list[str]) -> None:
    check(root, linter, after, gate, *words)


def test_only_new_findings_count(root: Path, linter: Linter) -> None:
    before = "def f(a):\n    print(_('x'))\n    return a is 'x'\n"
    check(root, linter, before + "    print(_('y'))\n", None, before=before)
    check(root, linter, before + "    return a is 'y'\n", Gate.LINT, "m.py:4", before=before)


def test_what_our_python_cannot_parse_either_is_for_the_run_to_tell(root: Path, linter: Linter) -> None:
    before = "def f(a):\n    return a\nthis is a grammar of the future\n"
    check(root, linter, before.replace("return a", "return a + 1"), None, before=before)


@pytest.mark.parametrize("path", ["tests/helpers.py", "test_m.py", "conftest.py", "pyproject.toml", "specs/checks.py"])
def test_tests_are_not_bent(root: Path, linter: Linter, path: str) -> None:
    check(root, linter, "x = 1\n", Gate.TESTS, f"touches {path}", path=path)
    check(root, linter, "x = 1\n", Gate.TESTS, f"touches {path}", before=None, path=path)


def test_the_edit_has_to_start_from_what_is_there(root: Path) -> None:
    (root / "m.py").write_text("x = 2\n")
    stale = Candidate((FileChange("m.py", Source("x = 1\n"), Source("x = 3\n")),))
    verdict = gates.edit(Snapshot(root), stale, ())
    assert verdict
    assert (verdict.gate, verdict.reason) == (Gate.PARSES, "m.py is not as the edit expects it: it has changed since")


def test_an_encoding_that_cannot_write_the_edit(root: Path, linter: Linter) -> None:
    check(root, linter, "x = '🙂'\n", Gate.PARSES, "latin-1", before="x = 'é'\n", encoding="latin-1")


def test_files_outside_the_root(root: Path, linter: Linter) -> None:
    with pytest.raises(OutsideRoot):
        check(root, linter, "x = 1\n", None, before=None, path="../m.py")


def test_ruff_is_started_again_when_it_dies(caplog: pytest.LogCaptureFixture) -> None:
    linter = Linter()
    try:
        assert [finding.message for finding in linter.findings("a.py", "x")] == ["Undefined name `x`"]
        assert linter._server is not None
        linter._server._process.kill()
        assert [finding.message for finding in linter.findings("a.py", "y")] == ["Undefined name `y`"]
        assert "starting it again" in caplog.text
    finally:
        linter.close()


def test_configuration_of_the_repository_is_not_read(tmp_path: Path) -> None:
    linter = Linter()
    try:
        (tmp_path / "ruff.toml").write_text('exclude = ["*"]\n')
        assert linter.findings(str(tmp_path / "a.py"), "x")
    finally:
        linter.close()


def test_grammar_newer_than_the_projects_python() -> None:
    linter = Linter((3, 8))
    try:
        (finding,) = linter.findings("a.py", "match 1:\n    case 1:\n        pass\n")
        assert "3.8" in finding.message
    finally:
        linter.close()

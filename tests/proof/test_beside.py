"""Runs that begin before anybody has looked whether the project is what it was: whatever has changed is seen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Level
from pennyproof.errors import PennyproofError
from pennyproof.proof.beside import Changed, Footing
from tests.proof.projects import write
from tests.proof.test_prover import Proving

TEST = "tests/test_m.py"
ADD, HALF = f"{TEST}::test_add", f"{TEST}::test_half"
PROJECT = {
    "m.py": "from other import HALF\n\n\ndef add(a, b):\n    return a - b\n\n\ndef half(a):\n    return a * HALF\n",
    "other.py": "HALF = 0.5\n",
    TEST: """\
import m


def test_add():
    assert m.add(1, 2) == 3


def test_half():
    assert m.half(2) == 1
""",
}
FILE = ("m.py", "a - b", "a + b")

Looks = list[bool]
"""Whether what was taken for granted turned out to hold, look by look."""


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    found: Looks = []
    check = Footing.check

    def watched(footing: Footing, *arguments: object) -> None:
        try:
            check(footing, *arguments)  # type: ignore[arg-type]
        except Changed:
            found.append(False)
            raise
        found.append(True)

    monkeypatch.setattr(Footing, "check", watched)
    return found


@pytest.fixture(params=[True, False], ids=["against an edit", "for it"])
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, looks: Looks
) -> Iterator[Proving]:
    """A project about which a first verdict was made, by runs of every kind."""
    monkeypatch.setattr("pennyproof.proof.workspace._RACY", 0)
    with Proving(tmp_path / "project", PROJECT, patching=request.param, waiting=not request.param) as proving:
        assert proving.prove(proving.edit(FILE), ADD, afresh=True).level is Level.FIXES
        assert looks == []
        yield proving


def test_what_did_not_change_is_looked_at_beside_the_run(project: Proving, looks: Looks) -> None:
    assert project.prove(project.edit(FILE), ADD, afresh=True).level is Level.FIXES
    assert project.prove(project.edit(("m.py", "a - b", "a * b")), ADD, afresh=True).level is Level.PARSES
    assert looks == [True, True]


@pytest.mark.parametrize(
    ("path", "old", "new", "level"),
    [("other.py", "0.5", "0.25", Level.FIXES), (TEST, "== 3", "== 4", Level.PARSES)],
    ids=["a module", "a test"],
)
def test_a_file_that_changed_on_disk(
    project: Proving, looks: Looks, path: str, old: str, new: str, level: Level
) -> None:
    write(project.root, {path: PROJECT[path].replace(old, new)})
    project.snapshot = Snapshot(project.root)
    verdict = project.prove(project.edit(FILE), ADD, afresh=True)
    assert (verdict.level, looks) == (level, [False])


def test_a_file_that_is_new_on_disk(project: Proving, looks: Looks) -> None:
    write(project.root, {"conftest.py": "raise SystemExit(3)\n"})
    project.snapshot = Snapshot(project.root)
    with pytest.raises(PennyproofError, match="pytest"):
        project.prove(project.edit(FILE), ADD, afresh=True)
    assert looks == [False]


def test_a_text_that_is_not_saved(project: Proving, looks: Looks) -> None:
    project.snapshot = Snapshot(project.root, {"m.py": Source(PROJECT["m.py"].replace("a - b", "b - a"))})
    verdict = project.prove(project.edit(("m.py", "b - a", "a + b")), ADD, afresh=True)
    assert (verdict.level, looks) == (Level.FIXES, [])


def install(project: Proving) -> None:
    session = project.prover._session
    assert session
    object.__setattr__(session, "fingerprint", "of other packages")


def edit_elsewhere(project: Proving) -> None:
    (project.root / "m.py").write_text(PROJECT["m.py"].replace("return a * HALF", "return HALF * a"))


@pytest.mark.parametrize(
    ("change", "level"), [(install, Level.FIXES), (edit_elsewhere, Level.REJECTED)], ids=["packages", "the file"]
)
def test_what_changes_while_the_run_begins(
    project: Proving, looks: Looks, change: Callable[[Proving], None], level: Level
) -> None:
    edit = project.edit(FILE)
    change(project)
    assert (project.prove(edit, ADD, afresh=True).level, looks) == (level, [False])


@pytest.mark.parametrize(
    ("edit", "gate", "words"),
    [
        (("m.py", "a - b", "a +"), Gate.PARSES, "m.py: line 5"),
        (("m.py", "a - b", "a + c"), Gate.NAMES, "`c`"),
        (("m.py", "a - b", "a is 'x'"), Gate.LINT, "F632"),
        ((TEST, "== 3", "== -1"), Gate.TESTS, "touches tests/test_m.py"),
        (("m.py", "a - b", "a.__closure__"), Gate.TESTS, "looks into the interpreter"),
    ],
)
def test_what_other_gates_object_to(
    project: Proving, looks: Looks, edit: tuple[str, str, str], gate: Gate, words: str
) -> None:
    verdict = project.prove(project.edit(edit), ADD, afresh=True)
    assert (verdict.level, verdict.gate, looks) == (Level.REJECTED, gate, [True])
    assert words in (verdict.reason or "")

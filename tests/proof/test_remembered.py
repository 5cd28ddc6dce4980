"""Verdicts told again: only where everything that they rest on is known to be the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import FailedTest, Gate, Level, Verdict, rejected
from pennyproof.core.work import Cancel
from pennyproof.proof import remembered, workspace
from pennyproof.proof.records import Recorded
from pennyproof.proof.remembered import Question, Verdicts, digest
from pennyproof.proof.scope import Scope
from pennyproof.proof.workspace import Workspace
from tests.assist.scripted import baseline, failed, passed
from tests.proof.test_prover import SHOP, TOTAL, Proving

ONE = "tests/test_a.py::test_one"
FIXES = Verdict(Level.FIXES, fixed=(ONE,), ran=(ONE,), passed=1, selection="map")
FILES = {"a.py": "x = 1\n", "data/table.csv": "1,2\n", "tests/conftest.py": "", "tests/test_a.py": "", "setup.cfg": ""}
CANDIDATE = Candidate((FileChange("a.py", Source("x = 1\n"), Source("x = 2\n")),))


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Memory:
    """A small project, and the verdict on one candidate of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, text in FILES.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        self.clock = Clock()
        self.workspace = Workspace(root)
        self.verdicts = Verdicts(self.workspace, self.clock)
        self.recorded = Recorded(baseline(failed(ONE)), frozenset())
        self.scope = Scope((ONE,))
        self.candidate = CANDIDATE
        self.protected = frozenset({"tests/test_a.py"})
        self.buffers: dict[str, Source] = {}

    def ask(self, **changes: Any) -> None:
        self.scope = replace(self.scope, **changes)

    @property
    def question(self) -> Question:
        return Question(digest(self.candidate, self.scope), self.protected)

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.root, dict(self.buffers))

    def keep(self, verdict: Verdict = FIXES, *, during: Callable[["Memory"], None] = lambda _: None) -> None:
        before = self.workspace.look(self.snapshot)
        during(self)
        self.verdicts.keep(self.question, before, self.recorded, verdict)

    @property
    def found(self) -> Verdict | None:
        return self.verdicts.find(self.question, self.snapshot, lambda: self.recorded)

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def rewrite(self, path: str) -> None:
        """Replace a file by one that holds the same."""
        (self.root / "new").write_text((self.root / path).read_text())
        (self.root / "new").replace(self.root / path)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    """One in which no file counts as just written."""
    monkeypatch.setattr(workspace, "_RACY", -1)
    return Memory(tmp_path)


def test_the_same_is_told_again_and_says_so(memory: Memory) -> None:
    memory.keep()
    assert memory.found == replace(FIXES, cached=True)
    assert memory.found == replace(FIXES, cached=True)


CHANGES: dict[str, Callable[[Memory], object]] = {
    "another edit": lambda it: setattr(
        it, "candidate", Candidate((FileChange("a.py", Source("x = 1\n"), Source("x = 3\n")),))
    ),
    "the same text instead of another": lambda it: setattr(
        it, "candidate", Candidate((FileChange("a.py", Source("x = 0\n"), Source("x = 2\n")),))
    ),
    "another file": lambda it: setattr(it, "candidate", Candidate((replace(CANDIDATE.changes[0], path="b.py"),))),
    "a deletion": lambda it: setattr(it, "candidate", Candidate((replace(CANDIDATE.changes[0], after=None),))),
    "other targets": lambda it: it.ask(targets=()),
    "only some tests": lambda it: it.ask(test_ids=(ONE,)),
    "tests chosen otherwise": lambda it: it.ask(selection="imports"),
    "all tests": lambda it: it.ask(every_test=True),
    "another file known to hold tests": lambda it: setattr(it, "protected", frozenset({"a.py", "tests/test_a.py"})),
    "another baseline": lambda it: setattr(it, "recorded", Recorded(baseline(failed(ONE)), frozenset())),
    "a source": lambda it: it.write("a.py", "x = 7\n"),
    "a data file": lambda it: it.write("data/table.csv", "2,1\n"),
    "a conftest file": lambda it: it.write("tests/conftest.py", "import os\n"),
    "configuration": lambda it: it.write("setup.cfg", "[tool:pytest]\n"),
    "a further file": lambda it: it.write("b.py", ""),
    "one file less": lambda it: (it.root / "setup.cfg").unlink(),
    "a buffer": lambda it: it.buffers.update({"a.py": Source("x = 9\n")}),
    "five minutes": lambda it: setattr(it.clock, "now", 301.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_rests_on_something_else_is_not_told(memory: Memory, change: str) -> None:
    memory.keep()
    CHANGES[change](memory)
    assert memory.found is None


def test_text_that_comes_back_brings_its_verdict_back(memory: Memory) -> None:
    memory.keep()
    memory.buffers["data/table.csv"] = Source("3,4\n")
    assert memory.found is None
    memory.buffers.clear()
    assert memory.found


@pytest.mark.parametrize("during", [True, False])
def test_files_may_have_changed_while_it_was_made(memory: Memory, during: bool) -> None:
    """Written and written back: what the tests saw in between is not known, unless it was seen that nobody did."""

    def written(memory: Memory) -> None:
        memory.rewrite("data/table.csv")

    if during:
        memory.keep(during=written)
        assert memory.found is None
    else:
        memory.keep()
        assert memory.found
        written(memory)
        assert memory.found


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        (FIXES, True),
        (rejected(Gate.TESTS, "the run ended"), False),
        (Verdict(Level.UNCHECKED, ran=(ONE,)), False),
        (Verdict(Level.REJECTED, ran=(ONE,), reason=f"breaks {ONE}: it is skipped now", gate=Gate.TESTS), True),
        (Verdict(Level.REJECTED, ran=(ONE,), reason=f"breaks {ONE}: Timeout: did not end within 2 s"), False),
        (replace(FIXES, failed=(FailedTest("other", "Timeout: did not end within 2 s"),)), False),
        (replace(FIXES, ran=(ONE, "flaky")), False),
        (replace(FIXES, ran=(ONE, "hangs")), False),
    ],
)
def test_what_another_run_may_see_otherwise_is_not_kept(memory: Memory, verdict: Verdict, kept: bool) -> None:
    tests = baseline(failed(ONE), passed("flaky"), failed("hangs"))
    memory.recorded = Recorded(replace(tests, flaky=frozenset({"flaky"})), frozenset(), frozenset({"hangs"}))
    memory.keep(verdict)
    assert bool(memory.found) == kept


@pytest.mark.parametrize("unseen", ["link", "hypothesis", "new"])
def test_files_that_cannot_be_told_apart_keep_nothing(memory: Memory, unseen: str, monkeypatch: Any) -> None:
    if unseen == "link":
        (memory.root / "link").symlink_to(memory.root.parent)
    elif unseen == "hypothesis":
        (memory.root / ".hypothesis").mkdir()
    else:
        monkeypatch.setattr(workspace, "_RACY", 2_000_000_000)
    memory.keep()
    assert memory.found is None


def test_it_is_bounded(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 2)
    for number in range(3):
        memory.ask(targets=(str(number),))
        memory.keep()
    found = []
    for number in range(3):
        memory.ask(targets=(str(number),))
        found.append(bool(memory.found))
    assert found == [False, True, True]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proving]:
    monkeypatch.setattr(workspace, "_RACY", -1)
    with Proving(tmp_path / "project", SHOP) as proving:
        yield proving


def test_a_proof_is_made_once_unless_it_is_asked_for_afresh(shop: Proving) -> None:
    right = shop.edit(("shop/cart.py", "result -= price", "result += price"))
    first = shop.prove(right)
    assert (first.level, first.cached) == (Level.FIXES, False)
    again = shop.prove(right)
    assert again == replace(first, cached=True, seconds=again.seconds)
    afresh = shop.prover.prove(shop.snapshot, right, targets=[TOTAL], afresh=True, cancel=Cancel())
    assert afresh == replace(first, seconds=afresh.seconds)
    (shop.root / "shop" / "tax.py").write_text(SHOP["shop/tax.py"].replace("0.5", "0.25"))
    assert not shop.prove(right).cached
    shop.prover.restart()
    assert not shop.prove(right).cached

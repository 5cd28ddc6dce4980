"""Runs begun before the edit is known: they say what a run from the beginning says, and wait where they have to."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Level, Route, Verdict
from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled
from pennyproof.proof.records import Recorded
from pennyproof.proof.sandbox.spec import Limits
from pennyproof.proof.waiting import Outset, Waitings
from pennyproof.proof.worker import Answer, Status, Worker
from pennyproof.proof.workspace import Look
from tests.proof.test_prover import Proving, kill_sandboxes, write

TEST = "tests/test_m.py"
ADD = f"{TEST}::test_add"
PROJECT = {
    "pkg/__init__.py": "",
    "pkg/other.py": "HALF = 0.5\n",
    "pkg/m.py": """\
from pkg.other import HALF

LIMIT = 3


def add(a, b):
    return a - b


def half(a):
    return a * HALF
""",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n",
    TEST: """\
import pkg.other
from pkg import m


def test_add(one):
    assert m.add(one, 2) == 3


def test_half():
    assert m.half(2) == 1


def test_limit():
    assert m.LIMIT == 3


def test_elsewhere():
    assert pkg.other.HALF == 0.5
""",
}
FILE = ("pkg/m.py", "a - b", "a + b")


class Both:
    """One project, and two provers of it: one that has runs wait, and one that does not."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        root, state = folder / "project", folder / "state"
        self.waiting = Proving(root, {**PROJECT, **files}, state, patching=False)
        self.plain = Proving(root, {}, state, patching=False, waiting=False)
        self.waiting.baseline()

    def prove(self, *edits: tuple[str, str, str], ids: tuple[str, ...] = (ADD,), tries: int = 40) -> Verdict:
        """The verdict of a run that waited, if there is one to be had."""
        candidate = self.waiting.edit(*edits)
        for _ in range(tries):
            verdict = self.waiting.prove(candidate, *ids, afresh=True)
            if verdict.route is Route.RESUMED:
                break
            self.rest()
        return verdict

    def rest(self) -> None:
        """Until nothing is being begun in the background."""
        session = self.waiting.prover._session
        assert session
        while session.waitings.busy:
            time.sleep(0.01)

    def close(self) -> None:
        self.waiting.prover.close()
        self.plain.prover.close()


@pytest.fixture(scope="module", autouse=True)
def _soon_settled() -> Iterator[None]:
    """Nobody writes twice in one moment here, so that none has to wait until that can be told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pennyproof.proof.workspace._RACY", 0)
        yield


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("waiting"), {})
    yield made
    made.close()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Both]]:
    projects: list[Both] = []
    yield projects
    for project in projects:
        project.close()


def check(project: Both, edits: list[tuple[str, str, str]], ids: tuple[str, ...], level: Level, route: Route) -> None:
    """A verdict is the same whether its run waited or not."""
    tried = project.prove(*edits, ids=ids, tries=40 if route is Route.RESUMED else 4)
    run = project.plain.prove(project.plain.edit(*edits), *ids, afresh=True)
    assert (tried.level, tried.route) == (level, route), tried
    assert run.route is not Route.RESUMED
    for field in ("level", "gate", "reason", "fixed", "remaining", "broken", "ran", "passed", "uncovered"):
        assert getattr(tried, field) == getattr(run, field), field


EVERY = tuple(f"{TEST}::test_{name}" for name in ("add", "half", "limit", "elsewhere"))


@pytest.mark.parametrize(
    ("edits", "ids", "level", "route"),
    [
        ([FILE], (ADD,), Level.FIXES, Route.RESUMED),
        ([FILE], EVERY, Level.FIXES, Route.RESUMED),
        ([("pkg/m.py", "a - b", "a * b")], (ADD,), Level.PARSES, Route.RESUMED),
        ([("pkg/m.py", "a * HALF", "a")], EVERY, Level.REJECTED, Route.RESUMED),
        ([("pkg/m.py", "LIMIT = 3", "LIMIT = 4")], EVERY, Level.REJECTED, Route.RESUMED),
        ([("pkg/m.py", "LIMIT = 3", "LIMIT = 1 / 0")], EVERY, Level.REJECTED, Route.RESUMED),
        ([("pkg/other.py", "0.5", "0.25")], EVERY, Level.REJECTED, Route.RESUMED),
        ([FILE, ("pkg/other.py", "0.5", "1 / 2")], EVERY, Level.FIXES, Route.RESUMED),
        ([FILE, ("pkg/__init__.py", "", "NAME = 1\n")], (ADD,), Level.FIXES, Route.RESUMED),
    ],
)
def test_the_verdict_is_that_of_a_run_from_the_beginning(
    both: Both, edits: list[tuple[str, str, str]], ids: tuple[str, ...], level: Level, route: Route
) -> None:
    check(both, edits, ids, level, route)


READS = "import pathlib\n\nTEXT = pathlib.Path(__file__).parent.parent.joinpath('pkg', 'm.py').read_text()\n"
LINKED = "import os\n\nos.symlink('pkg/m.py', 'linked.txt')\nTEXT = open('linked.txt').read()\n"
PROCESS = "import subprocess\n\nTEXT = subprocess.check_output(['cat', 'pkg/m.py'], text=True)\n"
THREAD = """\
import threading

texts = []
thread = threading.Thread(target=lambda: texts.append(open("pkg/m.py").read()))
thread.start()
thread.join()
TEXT = texts[0]
"""
LISTS = "import os\n\nTEXT = 'a + b' if 'm.py' in os.listdir('pkg') else ''\n"
BY_NAME = "import importlib, inspect\n\nTEXT = inspect.getsource(importlib.import_module('pkg.m'))\n"
BY_PATH = """\
import importlib.util, inspect

spec = importlib.util.spec_from_file_location("another", "pkg/m.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
TEXT = "a + b" if module.add(1, 2) == 3 else ""
"""
FINDER = """\
import importlib.abc, importlib.machinery, importlib.util, sys


class Loader(importlib.machinery.SourceFileLoader):
    pass


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pkg.m":
            return importlib.util.spec_from_file_location(name, "pkg/m.py", loader=Loader(name, "pkg/m.py"))


sys.meta_path.insert(0, Finder())
TEXT = "a + b"
"""


@pytest.mark.parametrize(
    ("conftest", "route"),
    [
        (READS, Route.RESUMED),
        (LINKED, Route.RESUMED),
        (PROCESS, Route.RESUMED),
        (THREAD, Route.RESUMED),
        (LISTS, Route.RESUMED),
        (BY_NAME, Route.RESUMED),
        (BY_PATH, Route.RESUMED),
        # Who finds modules in a way of its own may look at files unseen.
        (FINDER, Route.IMPORTED),
    ],
)
def test_nobody_sees_the_file_as_it_was(made: list[Both], tmp_path: Path, conftest: str, route: Route) -> None:
    test = "import conftest\nfrom pkg import m\n\n\ndef test_add():\n    assert m.add(1, 2) == 3, conftest\n"
    test += "    assert 'a + b' in conftest.TEXT\n"
    made.append(Both(tmp_path, {"tests/conftest.py": conftest, TEST: test}))
    check(made[0], [FILE], (ADD,), Level.FIXES, route)


def test_nothing_waits_for_a_file_that_nobody_looks_at(made: list[Both], tmp_path: Path) -> None:
    made.append(Both(tmp_path, {"pkg/unused.py": "X = 1\n"}))
    verdict = made[0].prove(("pkg/unused.py", "X = 1", "X = 2"), tries=4)
    assert verdict.route is Route.IMPORTED


def test_a_change_on_disk_is_seen(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    write(both.waiting.root, {"tests/conftest.py": PROJECT["tests/conftest.py"].replace("return 1", "return 5")})
    both.waiting.snapshot = Snapshot(both.waiting.root)
    verdict = both.waiting.prove(both.waiting.edit(FILE), ADD, afresh=True)
    write(both.waiting.root, PROJECT)
    both.waiting.snapshot = both.plain.snapshot = Snapshot(both.waiting.root)
    assert (verdict.level, verdict.route) == (Level.REJECTED, Route.IMPORTED)


def test_a_text_that_is_not_saved_is_seen(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    other = both.waiting.edit(("pkg/other.py", "0.5", "0.25")).changes[0].after
    assert other
    both.waiting.snapshot = Snapshot(both.waiting.root, {"pkg/other.py": other})
    verdict = both.waiting.prove(both.waiting.edit(FILE), *EVERY[:2], afresh=True)
    both.waiting.snapshot = both.plain.snapshot
    assert (verdict.route, verdict.fixed, verdict.passed) == (Route.IMPORTED, (ADD,), 1)


def test_runs_that_are_lost_are_not_missed(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    kill_sandboxes()
    assert both.waiting.prove(both.waiting.edit(FILE), ADD, afresh=True).level is Level.FIXES


def test_what_hangs_is_ended(made: list[Both], tmp_path: Path) -> None:
    hangs = {"pkg/m.py": "def add(a, b):\n    return a - b\n", TEST: PROJECT[TEST].partition("def test_half")[0]}
    made.append(Both(tmp_path, hangs))
    assert made[0].prove(FILE).route is Route.RESUMED
    check(made[0], [("pkg/m.py", "return a - b", "while True:\n        a = a")], (ADD,), Level.PARSES, Route.RESUMED)


def test_what_reaches_into_the_interpreter_is_ended(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    reaching = both.waiting.edit(
        ("pkg/m.py", "return a - b", "import sys\n    return sys._getframe().f_lineno and a + b")
    )
    verdict = both.waiting.prove(reaching, ADD, afresh=True)
    assert verdict.level is Level.REJECTED, verdict


def test_cancel_ends_it(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Cancelled):
        both.waiting.prover.prove(
            both.waiting.snapshot, both.waiting.edit(FILE), test_ids=[ADD], afresh=True, cancel=cancel
        )
    assert both.prove(FILE).level is Level.FIXES


def test_none_waits_for_long(both: Both) -> None:
    assert both.prove(FILE).route is Route.RESUMED
    both.rest()
    session = both.waiting.prover._session
    assert session
    assert session.waitings.rest(0.0) is None
    assert both.waiting.prove(both.waiting.edit(FILE), ADD, afresh=True).route is Route.IMPORTED


OUTSET = Outset(
    cast("Recorded", object()),
    Look({}, "", {}, {}, settled=True),
    {},
    frozenset({"m.py"}),
    {},
    1.0,
    Limits(),
)


class Begun:
    """A worker of which only the beginning of runs matters: how these end."""

    def __init__(self, *statuses: Status) -> None:
        self.statuses = list(statuses)

    def prime(self, **_: object) -> SimpleNamespace:
        return SimpleNamespace(answer=Answer(self.statuses.pop(0)))

    def close(self) -> None:
        self.statuses.clear()


@pytest.mark.parametrize(
    ("first", "left"), [(Status.OK, 1), (Status.TIMEOUT, 0), (Status.CRASHED, 0), (Status.WAITING, 1)]
)
def test_what_came_to_its_end_is_not_begun_again(first: Status, left: int) -> None:
    worker = Begun(first, Status.WAITING)
    waitings = Waitings(1, lambda: cast("Worker", worker))
    expect_again(waitings, 3)
    assert len(worker.statuses) == left


def test_another_is_begun_where_one_has_waited_for_too_long() -> None:
    worker = Begun(*[Status.WAITING] * 3)
    now = [0.0]
    waitings = Waitings(1, lambda: cast("Worker", worker), clock=lambda: now[0])
    expect_again(waitings, 3)
    assert len(worker.statuses) == 2
    now[0] = 61.0  # Nobody has ended the first one yet.
    expect_again(waitings, 3)
    assert len(worker.statuses) == 1


def expect_again(waitings: Waitings, times: int) -> None:
    """Ask for the same run as many times, and let it be begun."""
    for _ in range(times):
        waitings.expect(OUTSET)
        waitings.begin()
        while waitings.busy:
            time.sleep(0.001)

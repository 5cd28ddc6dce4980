"""Baselines brought up to date: which tests run again after an edit, and that a run of all would say the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.core.outcomes import Baseline, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.proof.suite import Suite
from tests.proof.test_prover import Proving

FILES = {
    "pkg/__init__.py": "",
    "pkg/a.py": """\
from pkg.base import made

LIMIT = 3


@made
def one(n):
    return n + 1


def two(n):
    inner = lambda: n + 2
    return inner()


def names():
    return ["x", "y"]
""",
    "pkg/b.py": "from pkg.base import SIZE\n\n\ndef size():\n    return SIZE\n",
    "pkg/base.py": "SIZE = 4\n\n\ndef made(function):\n    return function\n",
    "pkg/odd.py": "def odd():\n    return 1\n",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture(scope='session')\ndef given():\n    return 2\n",
    "tests/test_a.py": """\
import pytest

from pkg.a import names, one, two


def test_one(given):
    assert one(given) == 3


def test_two():
    assert two(1) == 3


@pytest.mark.parametrize("name", names())
def test_names(name):
    assert name


def test_shipping():
    assert False
""",
    "tests/test_b.py": "from pkg.b import size\n\n\ndef test_size():\n    assert size() == 4\n",
    "tests/test_odd.py": """\
import subprocess, sys

import pkg.odd


def test_odd():
    assert pkg.odd.odd()


def test_process():
    subprocess.run([sys.executable, "-c", "import pkg.b"], check=True)


def test_text():
    with open("pkg/b.py") as file:
        assert file.read()
""",
}
ALWAYS = ["tests/test_a.py::test_shipping", "tests/test_odd.py::test_process"]
"""It fails; and what runs in the process it starts is not seen."""
A, B, ODD = (f"tests/test_{name}.py" for name in ("a", "b", "odd"))


class Watching:
    """A project whose baselines are made one after the other, and what was run for each."""

    def __init__(self, proving: Proving, monkeypatch: pytest.MonkeyPatch) -> None:
        self.proving = proving
        self.asked: list[list[str] | None] = []
        """Sorted."""
        run = Suite.run

        def told(suite: Suite, test_ids: Sequence[str] | None, progress: object) -> object:
            self.asked.append(None if test_ids is None else sorted(test_ids))
            return run(suite, test_ids, progress)  # type: ignore[arg-type] # what it is given

        monkeypatch.setattr(Suite, "run", told)

    def baseline(self, buffers: Mapping[str, str] | None = None) -> Baseline:
        self.asked.clear()
        sources = {path: Source(text) for path, text in (buffers or {}).items()}
        self.proving.snapshot = Snapshot(self.proving.root, sources)
        return self.proving.baseline()

    def after(self, *edits: tuple[str, str, str]) -> Baseline:
        """The baseline with edits in buffers, after one without them."""
        self.baseline()
        return self.baseline(edited(*edits))


def edited(*edits: tuple[str, str, str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path, old, new in edits:
        text = texts.get(path, FILES[path])
        assert text.count(old) == 1, (path, old)
        texts[path] = text.replace(old, new)
    return texts


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proving]:
    folder = tmp_path_factory.mktemp("carrying")
    with Proving(folder / "project", FILES, folder / "state") as proving:
        yield proving


@pytest.fixture
def watching(project: Proving, monkeypatch: pytest.MonkeyPatch) -> Watching:
    return Watching(project, monkeypatch)


def timeless(baseline: Baseline) -> Baseline:
    """All that two runs of the same tests have in common."""
    outcomes: dict[str, TestOutcome] = {
        name: replace(test, seconds=0.0, failure=None) for name, test in baseline.outcomes.items()
    }
    return replace(baseline, outcomes=outcomes, seconds=0.0)


@pytest.mark.parametrize(
    ("edits", "asked"),
    [
        ([("pkg/a.py", "n + 2", "n + 3 - 1")], ["tests/test_a.py::test_two"]),
        ([("pkg/a.py", "    inner =", "    # Three lines,\n    # which say\n    # nothing.\n    inner =")], []),
        ([("pkg/a.py", "return n + 1", "m = n\n    return m + 1")], ["tests/test_a.py::test_one"]),
        ([("pkg/a.py", "LIMIT = 3", "LIMIT = 4")], [A]),
        ([("pkg/a.py", 'return ["x", "y"]', 'return ["x", "z", "w"]')], [A]),
        ([("pkg/b.py", "return SIZE", "return SIZE + 0")], [B, f"{ODD}::test_text"]),
        ([("pkg/base.py", "SIZE = 4", "SIZE = 2 + 2")], [A, B]),
        ([("pkg/base.py", "return function", "return (function)  # made")], []),
        ([("pkg/base.py", "    return function", "    made = function\n    return made")], [A, B]),
        ([("pkg/odd.py", "return 1", "return 2")], [f"{ODD}::test_odd"]),
        ([(B, "size() == 4", "4 == size()")], [B]),
        ([(A, "\n\ndef test_shipping", "def test_new():\n    pass\n\n\ndef test_shipping")], [A]),
        ([("tests/conftest.py", "return 2", "return 1 + 1")], [A, B, ODD]),
        ([("tests/conftest.py", "import pytest", "import pytest\ndef pytest_runtest_setup():\n    pass")], None),
    ],
)  # fmt: skip
def test_what_an_edit_may_affect_runs_again(
    watching: Watching, edits: list[tuple[str, str, str]], asked: list[str] | None
) -> None:
    carried = watching.after(*edits)
    if asked is None:
        assert watching.asked == [None]
        return
    always = [test for test in ALWAYS if test.partition("::")[0] not in asked]
    assert watching.asked == [sorted([*asked, *always])]
    with Proving(watching.proving.root, {}) as fresh:
        fresh.snapshot = watching.proving.snapshot
        assert timeless(carried) == timeless(fresh.baseline())


def test_a_test_that_newly_fails_is_confirmed_among_all_others(watching: Watching) -> None:
    baseline = watching.after(("pkg/a.py", "n + 2", "n + 20"))
    assert watching.asked == [sorted(["tests/test_a.py::test_two", *ALWAYS]), None]
    assert [test.id for test in baseline.failing] == ["tests/test_a.py::test_two", "tests/test_a.py::test_shipping"]


def test_another_run_of_the_program_goes_on_from_what_is_stored(
    project: Proving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Proving(project.root, {}, tmp_path / "state") as first:
        first.baseline()
    with Proving(project.root, {}, tmp_path / "state") as second:
        watching = Watching(second, monkeypatch)
        watching.baseline(edited(("pkg/a.py", "n + 2", "2 + n")))
        assert watching.asked == [sorted(["tests/test_a.py::test_two", *ALWAYS])]


@pytest.mark.parametrize("path", ["data.txt", "pkg/new.py"])
def test_files_that_come_or_are_not_python_take_all_tests(watching: Watching, path: str) -> None:
    watching.baseline()
    watching.baseline({path: ""})
    assert watching.asked == [None]


def test_nothing_runs_again_where_nothing_can_have_changed(watching: Watching, tmp_path: Path) -> None:
    files = {"m.py": "def f():\n    return 1\n", "test_m.py": "import m\ndef test(): assert m.f()\n"}
    with Proving(tmp_path / "p", files) as proving:
        watching.proving = proving
        watching.baseline()
        baseline = watching.baseline({"m.py": "\n# A comment.\n" + files["m.py"]})
        assert watching.asked == []
        assert baseline.functions.lines == {"test_m.py::test": {"m.py": {3}}}


def test_a_flaky_test_runs_again_and_stays_under_suspicion(watching: Watching, tmp_path: Path) -> None:
    flaky = "import m, conftest\ndef test_first(): conftest.RAN.append(1)\ndef test_alone(): assert not conftest.RAN\n"
    files = {"conftest.py": "RAN = []\n", "m.py": "def f():\n    return 1\n", "test_m.py": flaky}
    with Proving(tmp_path / "p", files) as proving:
        watching.proving = proving
        assert watching.baseline().flaky == {"test_m.py::test_alone"}
        assert watching.baseline({"m.py": "def f():\n    return 2\n"}).flaky == {"test_m.py::test_alone"}
        assert watching.asked == [["test_m.py::test_alone"]]

from pathlib import Path
from typing import Any

import pytest

from tests.proof.inside.harness import outcomes, run, write

KINDS = """
import unittest
import pytest

def test_passes(): pass
def test_fails(): assert 1 == 2
def test_exits(): raise SystemExit(0)
@pytest.mark.skip
def test_skipped(): pass
def test_skips_itself(): pytest.skip("no")
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.mark.xfail
def test_unexpected(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass

@pytest.fixture
def broken(): raise ValueError("set-up")
def test_set_up(broken): pass

@pytest.fixture
def leaking():
    yield
    raise ValueError("teardown")
def test_teardown(leaking): pass
def test_both(leaking): assert 0

@pytest.mark.parametrize("given", ["é[x]", "a\\nb", "a::b", 3])
def test_many(given): pass

class TestClass:
    def test_method(self): pass

class TestCase(unittest.TestCase):
    def test_equal(self): self.assertEqual(1, 2)
    def test_fine(self): pass
    @unittest.expectedFailure
    def test_known(self): assert 0
    def test_parts(self):
        for part in range(3):
            with self.subTest(part=part):
                assert part != 1

async def test_async_without_plugin(): pass
"""


def test_outcomes(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"tests/test_kinds.py": KINDS})
    found = {name.replace("tests/test_kinds.py::", ""): outcome for name, outcome in outcomes(run(root)).items()}
    assert found.pop("test_async_without_plugin") in ("failed", "skipped")
    assert found == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_exits": "failed",
        "test_skipped": "skipped",
        "test_skips_itself": "skipped",
        "test_expected": "xfailed",
        "test_unexpected": "xpassed",
        "test_strict": "failed",
        "test_set_up": "error",
        "test_teardown": "error",
        "test_both": "failed",
        "test_many[\\xe9[x]]": "passed",
        "test_many[a\\nb]": "passed",
        "test_many[a::b]": "passed",
        "test_many[3]": "passed",
        "TestClass::test_method": "passed",
        "TestCase::test_equal": "failed",
        "TestCase::test_fine": "passed",
        "TestCase::test_known": "xfailed",
        "TestCase::test_parts": "failed",
    }


HOSTILE = """
import time

class Raises:
    def __repr__(self): raise RuntimeError("no")
class Hangs:
    def __repr__(self):
        while True: pass
class Exits:
    def __repr__(self): raise SystemExit

def inner(number, text):
    raises, hangs, exits = Raises(), Hangs(), Exits()
    many = list(range(10**6))
    cyclic = []
    cyclic.append(cyclic)
    huge = 1 << 10**6
    raise KeyError("x" * 10**5)

def outer():
    kept = {"a": (1, 2.5)}
    return inner(3, "é" * 10**6)
"""


def test_a_failure_has_frames_and_bounded_values(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"code.py": HOSTILE, "test_it.py": "import code_\n"})
    (root / "code.py").rename(root / "code_.py")
    write(root, {"test_it.py": "import code_\ndef test_it():\n    code_.outer()\n"})
    result = run(root, locals=True)
    assert result is not None
    (told,) = result["outcomes"]
    assert (told["path"], told["line"], told["outcome"]) == ("test_it.py", 2, "failed")
    failure = told["failure"]
    assert failure["kind"] == "KeyError"
    assert len(failure["message"]) <= 2000
    assert len(failure["text"]) <= 8000
    assert [(frame["path"], frame["function"], frame["in_project"]) for frame in failure["frames"]] == [
        ("test_it.py", "test_it", True),
        ("code_.py", "outer", True),
        ("code_.py", "inner", True),
    ]
    values = dict(failure["frames"][2]["variables"])
    assert list(values)[:2] == ["number", "text"]
    assert values["number"] == "3"
    assert values["raises"] == "<raises RuntimeError>"
    assert values["hangs"] == "<takes too long>"
    assert values["exits"] == "<raises SystemExit>"
    assert values["many"].startswith("[0, 1, 2")
    assert all(len(value) <= 200 for value in values.values())
    assert dict(failure["frames"][1]["variables"]) == {"kept": "{'a': (1, 2.5)}"}


TWO = "def test_a(): assert 0\ndef test_b(): assert 0\ndef test_c(): pass\n"


@pytest.mark.parametrize(
    "addopts",
    [
        "-x",
        "--maxfail=1 --lf --ff --nf",
        "--sw",
        "-n 2",
        "-n 2 --dist=loadfile",
        "-l --tb=no -v --durations=3 -rA --pdb",
        "--junitxml=report.xml",
        "--collect-only",
        "-p no:terminal",
        "-s",
    ],
)
def test_configuration_does_not_get_in_the_way(tmp_path: Path, addopts: str) -> None:
    root = write(tmp_path / "p", {"pytest.ini": f"[pytest]\naddopts = {addopts}\n", "test_it.py": TWO})
    result = run(root, plugins="-n" in addopts)
    assert list(outcomes(result).values()) == ["failed", "failed", "passed"]
    assert not (root / "report.xml").exists()
    assert not (root / ".pytest_cache").exists()


@pytest.mark.parametrize("addopts", ["-k test_c", "-m 'not slow'", "--deselect test_it.py::test_a"])
def test_selection_of_the_project_holds_for_all_but_not_for_asked_tests(tmp_path: Path, addopts: str) -> None:
    ini = f"[pytest]\naddopts = {addopts}\nmarkers = slow\n"
    root = write(tmp_path / "p", {"pytest.ini": ini, "test_it.py": "import pytest\n@pytest.mark.slow\n" + TWO})
    assert "test_it.py::test_a" not in outcomes(run(root))
    assert outcomes(run(root, ids=["test_it.py::test_a"])) == {"test_it.py::test_a": "failed"}


@pytest.mark.parametrize(
    ("ids", "ran", "unknown"),
    [
        (
            ["test_it.py::test_c", "test_it.py::gone", "away.py::test"],
            ["test_c"],
            ["test_it.py::gone", "away.py::test"],
        ),
        (["away.py::test"], [], ["away.py::test"]),
        (["test_it.py"], ["test_a", "test_b", "test_c"], []),
    ],
)
def test_unknown_ids_do_not_end_the_run(tmp_path: Path, ids: list[str], ran: list[str], unknown: list[str]) -> None:
    root = write(tmp_path / "p", {"test_it.py": TWO})
    result = run(root, ids=ids)
    assert list(outcomes(result)) == [f"test_it.py::{name}" for name in ran]
    assert result is not None
    assert result["unknown"] == unknown


def test_files_that_cannot_be_collected_are_told_and_the_rest_runs(tmp_path: Path) -> None:
    files = {
        "test_syntax.py": "x = 1\ndef (:\n",
        "test_import.py": "import os\n\nimport not_there\n",
        "test_name.py": "\n\n\nundefined\n",
        "test_good.py": "def test(): pass\n",
    }
    result = run(write(tmp_path / "p", files))
    assert result is not None
    assert outcomes(result) == {"test_good.py::test": "passed"}
    errors = {error["path"]: error for error in result["errors"]}
    assert {path: error["line"] for path, error in errors.items()} == {
        "test_syntax.py": 2,
        "test_import.py": 3,
        "test_name.py": 4,
    }
    assert "not_there" in errors["test_import.py"]["message"]
    assert "undefined" in errors["test_name.py"]["message"]


@pytest.mark.parametrize(
    "files",
    [
        {"conftest.py": "raise RuntimeError('told')\n", "test_it.py": TWO},
        {"pytest.ini": "[pytest]\naddopts = --told-nobody\n", "test_it.py": TWO},
        {"conftest.py": "def pytest_collection_finish(): raise RuntimeError('told')\n", "test_it.py": TWO},
    ],
)
def test_what_keeps_pytest_from_running_is_told(tmp_path: Path, files: dict[str, str]) -> None:
    result = run(write(tmp_path / "p", files))
    assert result is not None
    assert result["outcomes"] == []
    assert "told" in result["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import os; os._exit(0)", None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None),
        ("import pytest; pytest.exit('enough', 0)", {"test_it.py::test_a": "passed"}),
        ("raise KeyboardInterrupt", {"test_it.py::test_a": "passed"}),
        ("print('x' * 10_000_000)", {f"test_it.py::test_{name}": "passed" for name in "abc"}),
    ],
)
def test_a_run_that_is_cut_short_claims_nothing_for_the_rest(
    tmp_path: Path, body: str, expected: dict[str, str] | None
) -> None:
    text = f"def test_a(): pass\ndef test_b():\n    {body}\ndef test_c(): pass\n"
    result = run(write(tmp_path / "p", {"test_it.py": text}))
    assert (None if result is None else outcomes(result)) == expected


def test_doctests_have_outcomes(tmp_path: Path) -> None:
    module = '"""\n>>> 1 + 1\n2\n"""\ndef wrong():\n    """\n    >>> 1\n    2\n    """\n'
    root = write(tmp_path / "p", {"pytest.ini": "[pytest]\naddopts = --doctest-modules\n", "m.py": module})
    expected = {"m.py::m": "passed", "m.py::m.wrong": "failed"}
    assert outcomes(run(root)) == expected
    assert outcomes(run(root, ids=["m.py::m.wrong"])) == {"m.py::m.wrong": "failed"}


def test_further_arguments_and_the_limit_of_failures(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"test_it.py": TWO})

    def names(**params: Any) -> list[str]:
        return [name.rsplit("_", 1)[1] for name in outcomes(run(root, **params))]

    assert names(args=["-k", "test_b"]) == ["b"]
    assert names(maxfail=1) == ["a"]


def test_messages_have_no_colours(tmp_path: Path) -> None:
    test = 'def test_a():\n    assert "one\\ntwo" == "one\\nthree"\n'
    root = write(tmp_path / "p", {"pytest.ini": "[pytest]\naddopts = --color=yes\n", "test_it.py": test})
    result = run(root)
    assert result is not None
    assert "- three" in result["outcomes"][0]["failure"]["message"]
    assert "\x1b" not in result["outcomes"][0]["failure"]["message"]

"""Examples in docstrings: which are found, and what running them as tests tells."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pennyproof.assist.edit.examples import Example, as_tests, find_examples
from pennyproof.assist.edit.region import lines_region, touched_functions
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source


def found(docstring: str, name: str = "f") -> list[tuple[str, str]]:
    function = ast.parse(f"def {name.rpartition('.')[2]}(x): {docstring!r}").body[0]
    assert isinstance(function, ast.FunctionDef)
    return [(example.code, example.value) for example in find_examples([(name, function)])]


@pytest.mark.parametrize(
    ("line", "code", "value"),
    [
        ("f(1) == 2", "f(1)", "2"),
        ("    f(1) => 2", "f(1)", "2"),
        ("f([1, 2], k='a)b') ==> (1, 'x')", "f([1, 2], k='a)b')", "(1, 'x')"),
        ("f('') -> ''", "f('')", "''"),
        ("f(-1.5) ➞ None   # nothing", "f(-1.5)", "None"),
        ("For example, `f(3)` is odd, and f(4) returns 5.", "f(4)", "5"),
        ("f(1) = [2,3]", "f(1)", "[2, 3]"),
        ("f(7) should return true", "f(7)", "True"),
        ("* f(0) gives {}", "f(0)", "{}"),
    ],
)
def test_what_a_line_of_prose_says_of_a_call_is_an_example(line: str, code: str, value: str) -> None:
    if "`f(3)`" in line:
        assert found(line) == []  # Only the first call of a line is looked at.
    else:
        assert found(line) == [(code, value)]


@pytest.mark.parametrize(
    ("docstring", "call"),
    [
        ("Example:\n\n    Input: [4, 2]\n    Output: [2, 1]  # why\n", ("f([4, 2])", "[2, 1]")),
        ("    Input: x = [4, 2]\n    Output: [2, 1]\n", ("f(x = [4, 2])", "[2, 1]")),
        ("For x = 'ab', the result should be ('b', False)", ("f(x = 'ab')", "('b', False)")),
        ("for x = 5 the output is 3.", ("f(x = 5)", "3")),
        ("for y = 5 the output is 3.", None),
        ("for 1, 2 the output is 3.", None),
        ("for all of them the result should be 3", None),
    ],
)
def test_so_is_what_is_said_of_arguments(docstring: str, call: tuple[str, str] | None) -> None:
    assert found(docstring) == ([call] if call else [])


@pytest.mark.parametrize(
    "line",
    ["f(n) = f(n - 1) + 1", "f(2) == 1 + 1", "g(1) == 2", "rf(1) == 2", "f(1) is fine", "f(1) ==", "f(", "f(a) == 1"],
)
def test_what_is_no_plain_call_with_a_plain_value_is_none(line: str) -> None:
    assert found(line) == []


def test_a_session_is_one_example_whatever_else_there_is() -> None:
    docstring = "Do it.\n\n>>> x = f(1)\n>>> x\n2\n\nf(2) == 3\n"
    assert found(docstring) == [(docstring.strip(), ""), ("f(2)", "3")]


def test_prose_about_methods_is_left_alone_and_their_sessions_are_not() -> None:
    docstring = ">>> Cart().f(1)\n2\n\nf(2) == 3"
    assert found(docstring, "Cart.f") == [(docstring, "")]


def test_a_session_that_is_none_is_left_out() -> None:
    assert found(">>>f(1)\n2") == []


MODULE = '''\
import doctest


class Shop:
    def open(self):
        """
        >>> Shop().open()
        'yes'
        """
        return "yes"


def half(n):
    """
    >>> half(4)
    2.0
    >>> half("4")
    Traceback (most recent call last):
    TypeError: ...
    """
    return n / 2


def wrong(n):
    """
    >>> wrong(1)
    1
    >>> wrong(2)
    3
    """
    return n


def quotes():
    """
    >>> quotes()
    ["a",  "b"]
    """
    return ["a", "b"]


def claims():
    """
    >>> claims() == 1
    """
    return 1


def later():
    """
    >>> later()  # doctest: +SKIP
    1
    """


def says():
    """says() == 2"""
    return 1


def cheats():
    """cheats() == 1"""
    doctest.DocTestRunner.run = lambda *rest, **more: None
    return 1
'''


def test_examples_run_as_tests_and_only_what_ran_passes(tmp_path: Path) -> None:
    package = tmp_path / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "shop.py").write_text(MODULE)
    (tmp_path / "test_pennyproof_examples.py").write_text("the user has a file of this name\n")
    region = lines_region("src/pkg/shop.py", Source(MODULE), 1, MODULE.count("\n"))
    tests = as_tests(Snapshot(tmp_path.resolve()), "src/pkg/shop.py", find_examples(touched_functions(region)))
    (path, source), *_ = tests.snapshot.buffers.items()
    assert path == "test_pennyproof_examples_.py"
    (tmp_path / path).write_text(source.text)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=line", *tests.ids]
    ran = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    told = dict(
        reversed(line.split(" ", 2)[:2]) for line in ran.stdout.splitlines() if line.startswith(("PASS", "FAIL"))
    )
    outcomes = {test.partition("::test_")[2]: outcome for test, outcome in told.items()}
    assert outcomes == {
        "Shop_open_1": "PASSED", "half_2": "PASSED", "wrong_3": "FAILED", "quotes_4": "PASSED", "claims_5": "PASSED",
        "says_7": "FAILED", "cheats_8": "FAILED",
    }  # fmt: skip
    assert "1 skipped" in ran.stdout
    assert "wrong(2) gave 2, expected 3" in ran.stdout
    assert "says() gave 1, expected 2" in ran.stdout
    assert "the code changes what its examples are checked with" in ran.stdout


def test_without_examples_there_is_one_test_which_is_skipped(tmp_path: Path) -> None:
    tests = as_tests(Snapshot(tmp_path), "shop.py", [])
    assert tests.ids == ("test_pennyproof_examples.py::test_nothing",)
    assert tests.examples == ()


def test_a_file_that_is_a_package_is_imported_as_one(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path.resolve(), {"pkg/__init__.py": Source("def f():\n    return 1\n")})
    tests = as_tests(snapshot, "pkg/__init__.py", [Example("f", "f()", "1")])
    assert (
        "FOLDER, MODULE, FILE = '.', 'pkg', 'pkg/__init__.py'"
        in tests.snapshot.buffers["test_pennyproof_examples.py"].text
    )

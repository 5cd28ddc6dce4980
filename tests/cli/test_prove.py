"""``pennyproof prove`` on a small real project."""

import io
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, tree, write

PROJECT = {
    "conftest.py": "",
    "calc.py": (
        "def half(x):\n    return x / 3\n\n\ndef double(x):\n    return x + x\n\n\ndef unused(x):\n    return x\n"
    ),
    "test_calc.py": (
        "from calc import double, half\n\n"
        "def test_half():\n    assert half(4) == 2\n\n"
        "def test_double():\n    assert double(4) == 8\n"
    ),
}


def diff(old: str, new: str, path: str = "calc.py") -> str:
    line = PROJECT.get(path, "").split("\n").index(old) + 1
    return f"--- a/{path}\n+++ b/{path}\n@@ -{line} +{line} @@\n-{old}\n+{new}\n"


MENDED = diff("    return x / 3", "    return x / 2")


@pytest.mark.parametrize(
    ("text", "code", "level", "field", "value"),
    [
        (MENDED, 0, "fixes", "fixed", ["test_calc.py::test_half"]),
        (diff("    return x + x", "    return 2 * x"), 0, "passes", "fixed", []),
        (diff("    return x", "    return -x"), 1, "parses", "uncovered", [{"path": "calc.py", "line": 10}]),
        (diff("    return x + x", "    return x * x"), 1, "rejected", "broken", ["test_calc.py::test_double"]),
    ],
    ids=["fixes", "passes", "not covered", "breaks"],
)
def test_verdicts(trusted: Run, text: str, code: int, level: str, field: str, value: object) -> None:
    write({**PROJECT, "a.diff": text})
    before = tree()
    ran = trusted("prove", "--diff", "a.diff", "--json")
    assert (ran.code, ran.stderr) == (code, "")
    assert ran.json["level"] == level
    assert ran.json[field] == value
    assert tree() == before


def test_the_verdict_is_told_to_a_person_with_what_broke(trusted: Run) -> None:
    write({**PROJECT, "a.diff": diff("    return x + x", "    return x * x")})
    ran = trusted("prove", "--diff", "a.diff")
    assert (ran.code, ran.stderr) == (1, "")
    assert ran.stdout.startswith("rejected by tests: ")
    assert "\n  broken     test_calc.py::test_double  AssertionError: assert 16 == 8\n" in ran.stdout


def test_the_diff_may_come_from_stdin_and_the_tests_be_chosen(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(PROJECT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MENDED.encode())))
    ran = trusted("prove", "--diff", "-", "--tests", "test_calc.py::test_half", "--json")
    assert ran.code == 0
    assert ran.json["ran"] == ["test_calc.py::test_half"]
    assert ran.json["selection"] == "asked"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MENDED.replace("x / 3", "x / 5"), "calc.py"),
        ("not a diff\n", "no unified diff found"),
        (MENDED.replace("calc.py", "../calc.py"), "is no file of the project"),
        (MENDED.replace("calc.py", "other.py"), "other.py: no such file"),
    ],
    ids=["does not apply", "no diff", "outside the root", "no such file"],
)
def test_bad_diffs(trusted: Run, text: str, says: str) -> None:
    write({**PROJECT, "a.diff": text})
    ran = trusted("prove", "--diff", "a.diff")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert says in ran.stderr


def test_a_diff_of_a_file_in_an_old_encoding(trusted: Run) -> None:
    write(PROJECT)
    source = "# -*- coding: latin-1 -*-\ndef name():\n    return 'Jos\xe9 '\n"
    Path("names.py").write_bytes(source.encode("latin-1"))
    write({"test_names.py": "from names import name\n\ndef test_name():\n    assert name() == 'Jos\\xe9'\n"})
    text = "--- a/names.py\n+++ b/names.py\n@@ -3 +3 @@\n-    return 'Jos\xe9 '\n+    return 'Jos\xe9'\n"
    Path("a.diff").write_bytes(text.encode("latin-1"))
    assert trusted("prove", "--diff", "a.diff", "--json").json["level"] == "fixes"


def test_an_unknown_test(trusted: Run) -> None:
    write({**PROJECT, "a.diff": MENDED})
    ran = trusted("prove", "--diff", "a.diff", "--tests", "test_calc.py::test_nothing")
    assert (ran.code, ran.stderr.count("\n")) == (2, 1)
    assert "test_calc.py::test_nothing" in ran.stderr


@pytest.mark.parametrize(
    ("test", "noticed"), [("    assert double(4) == 8\n", True), ("    double(4)\n", False)], ids=["strong", "weak"]
)
def test_a_verdict_says_how_much_the_tests_would_notice(
    trusted: Run, monkeypatch: pytest.MonkeyPatch, test: str, noticed: bool
) -> None:
    monkeypatch.setattr("pennyproof.cli.prove.MEASURING_SECONDS", 600.0)
    tests = PROJECT["test_calc.py"].replace("    assert double(4) == 8\n", test)
    assert test in tests
    write({**PROJECT, "test_calc.py": tests, "a.diff": diff("    return x + x", "    return 2 * x")})
    strength = trusted("prove", "--diff", "a.diff", "--json").json["strength"]
    assert strength["slips"] == strength["noticed"] + len(strength["missed"]) >= 1
    assert strength["noticed"] == (strength["slips"] if noticed else 0)
    ran = trusted("prove", "--diff", "a.diff")
    assert f"; would notice {strength['noticed'] if noticed else 0} of " in ran.stdout
    assert ("\n  unnoticed  calc.py:" in ran.stdout) is not noticed


def test_lines_that_no_test_runs_are_named_and_have_no_part_in_the_strength(
    trusted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pennyproof.cli.prove.MEASURING_SECONDS", 600.0)
    new = "    if x > 100:\n+        return 0 - x\n+    return 2 * x"
    text = diff("    return x + x", new).replace("@@ -6 +6 @@", "@@ -6 +6,3 @@")
    write({**PROJECT, "a.diff": text})
    ran = trusted("prove", "--diff", "a.diff")
    evidence, *details = ran.stdout.splitlines()
    assert (ran.code, ran.stderr) == (0, "")
    assert evidence.startswith("passes: breaks 0 of 2 that run these lines; not covered: calc.py:7; would notice ")
    assert evidence.endswith(" slips in the rest")
    assert "  not run    calc.py:7" in details
    assert not any("unnoticed  calc.py:7:" in line for line in details)

"""``pennyproof fix`` on small real projects."""

import os
import pty
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pennyproof.core.diffs import apply as apply_diff
from pennyproof.core.diffs import read as read_diff
from pennyproof.core.snapshots import Snapshot
from tests.cli.conftest import Run, tree, write

BIGGEST = """\
def biggest(items):
    best = items[0]
    for item in items:
        if item < best:
            best = item
    return best
""".replace("\n", "\r\n")
LAST = "def last(items, n):\n    return items[len(items) - n - 1 :]\n"
TESTS = {
    "test_biggest.py": (
        "from shop.biggest import biggest\n\n"
        "def test_biggest():\n    assert biggest([1, 3, 2]) == 3\n\n"
        "def test_one():\n    assert biggest([4]) == 4\n"
    ),
    "test_last.py": (
        "from shop.last import last\n\n"
        "def test_last():\n    assert last([1, 2, 3], 1) == [3]\n    assert last([1, 2, 3], 2) == [2, 3]\n\n"
        "def test_all():\n    assert last([1], 1) == [1]\n"
    ),
}
SHOP = {"shop/__init__.py": "", "shop/biggest.py": BIGGEST, "shop/last.py": LAST, "conftest.py": ""}
HEALED = {"shop/biggest.py": BIGGEST.replace("<", ">"), "shop/last.py": LAST.replace(" - 1", "")}
HOPELESS = {"test_hopeless.py": "def test_hopeless():\n    assert open('/dev/null').read() == 'the whole of Proust'\n"}


def test_nothing_fails(trusted: Run) -> None:
    write({**SHOP, **HEALED, **TESTS})
    ran = trusted("fix")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Nothing to fix: 4 tests passed in ")


def test_an_offer_is_shown_with_its_evidence_and_written_when_asked(trusted: Run) -> None:
    write({**SHOP, **TESTS, "shop/last.py": HEALED["shop/last.py"]})
    ran = trusted("fix", "--apply")
    assert (ran.code, ran.stderr) == (0, "")
    assert "1 of 4 tests in project fails" in ran.stdout
    assert "fixes 1 test, breaks 0 of " in ran.stdout
    assert "-        if item < best:" in ran.stdout
    assert "+        if item > best:" in ran.stdout
    assert "Wrote shop/biggest.py\ntogether: fixes 1 test, breaks 0 of 4 that ran" in ran.stdout


@pytest.mark.parametrize("seconds", [600.0, 0.0])
def test_an_offer_says_how_much_the_tests_would_notice_if_there_is_time(
    trusted: Run, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("pennyproof.cli.fix.MEASURING_SECONDS", seconds)
    write({**SHOP, **TESTS, "shop/last.py": HEALED["shop/last.py"]})
    ran = trusted("fix", "--json", "--offline", "--deadline", "600")
    assert (ran.code, ran.stderr) == (0, "")
    best, *others = (offer["verdict"]["strength"] for offer in ran.json["offers"])
    assert set(others) <= {None}
    if seconds:
        assert 1 <= best["noticed"] < best["slips"] == best["noticed"] + len(best["missed"])
    else:
        assert best is None


def test_only_the_tests_asked_for_are_mended_and_nothing_is_written(trusted: Run) -> None:
    write({**SHOP, **TESTS})
    before = tree()
    ran = trusted("fix", "test_last.py::test_last", "--json", "--offline", "--max-cost", "0")
    assert (ran.code, ran.stderr) == (0, "")
    assert tree() == before
    found = ran.json
    assert "applied" not in found
    assert found["root"] == str(Path.cwd())
    assert found["baseline"]["passed"] == 2
    assert set(found["baseline"]["failed"]) == {"test_biggest.py::test_biggest", "test_last.py::test_last"}
    best, *others = found["offers"]
    assert all(other["alternative"] for other in others)
    assert best["verdict"]["level"] == "fixes"
    assert best["verdict"]["fixed"] == ["test_last.py::test_last"]
    assert [change.path for change in apply_diff(read_diff(best["diff"]), Snapshot(Path.cwd()).read)] == [
        "shop/last.py"
    ]


def test_a_test_that_passes_needs_no_fix(trusted: Run) -> None:
    write({**SHOP, **TESTS})
    ran = trusted("fix", "test_last.py::test_all")
    assert (ran.code, ran.stdout) == (0, "Nothing to fix: none of the tests asked for fails\n")


def test_apply_writes_what_holds_together(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pennyproof.cli.fix.MEASURING_SECONDS", 600.0)
    write({**SHOP, **TESTS})
    Path("shop/biggest.py").chmod(0o755)
    ran = trusted("fix", "--apply", "--json", "--deadline", "600")
    assert (ran.code, ran.stderr) == (0, "")
    applied = ran.json["applied"]
    assert sorted(applied["files"]) == ["shop/biggest.py", "shop/last.py"]
    assert applied["verdict"]["level"] == "fixes"
    assert applied["verdict"]["passed"] == 4
    strength = applied["verdict"]["strength"]
    assert 1 <= strength["noticed"] <= strength["slips"] == strength["noticed"] + len(strength["missed"])
    assert Path("shop/biggest.py").read_bytes().count(b"\r\n") == BIGGEST.count("\r\n")
    assert Path("shop/biggest.py").stat().st_mode & 0o777 == 0o755


def test_no_fix_that_holds(trusted: Run) -> None:
    write(HOPELESS)
    before = tree()
    ran = trusted("fix", "--deadline", "5", "--apply")
    assert (ran.code, ran.stderr) == (1, "")
    assert "No fix that holds for 1 test" in ran.stdout
    assert tree() == before


BAD_PROJECTS = {
    "no tests": ({"a.py": "x = 1\n"}, [], "test"),
    "unknown test": (TESTS | SHOP, ["test_last.py::test_nothing"], "test_last.py::test_nothing"),
    "unknown file": (TESTS | SHOP, ["test_nothing.py::test_x"], "test_nothing.py"),
    "syntax error in a test": ({"test_a.py": "def test_x(:\n"}, [], "test_a.py"),
    "syntax error in a source": (
        {"a.py": "def f(:\n", "test_a.py": "import a\n\ndef test_x():\n    pass\n"},
        [],
        "test_a.py",
    ),
}


@pytest.mark.parametrize(("files", "argv", "says"), BAD_PROJECTS.values(), ids=BAD_PROJECTS)
def test_a_project_that_cannot_be_tested(trusted: Run, files: dict[str, str], argv: list[str], says: str) -> None:
    write(files)
    ran = trusted("fix", *argv)
    assert (ran.code, ran.stdout) == (2, "")
    assert says in ran.stderr.splitlines()[-1]
    assert all(line.startswith("pennyproof: ") for line in ran.stderr.splitlines())


def test_an_interpreter_without_pytest(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write({**SHOP, **TESTS})
    venv.create(".venv", with_pip=False)
    monkeypatch.delenv("PENNYPROOF_TESTS_PYTHON")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    ran = trusted("fix")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "has no pytest" in ran.stderr


def test_a_state_directory_that_cannot_be_written(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write({**SHOP, **HEALED, **TESTS, "state": "a file where a folder should be"})
    monkeypatch.setenv("PENNYPROOF_HOME", str(Path("state").resolve()))
    ran = trusted("fix")
    assert ran.code == 0
    assert ran.stdout.startswith("Nothing to fix: 4 tests passed")


def test_on_a_terminal_trust_is_asked_and_remembered(run: Run, tmp_path: Path) -> None:
    write({**SHOP, "a.diff": "no diff"})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PENNYPROOF_")}
    environment["PENNYPROOF_HOME"] = str(tmp_path)

    def prove(answer: str) -> str:
        controller, terminal = pty.openpty()
        try:
            os.write(controller, answer.encode())
            command = [sys.executable, "-m", "pennyproof", "prove", "--diff", "a.diff"]
            code = subprocess.run(command, stdin=terminal, stderr=terminal, env=environment, check=False).returncode
            assert code == 2
            return os.read(controller, 1 << 16).decode()
        finally:
            os.close(controller)
            os.close(terminal)

    shown = prove("\n")
    assert f"Run the tests of {Path.cwd()} in the sandbox? [y/N]" in shown
    assert "set PENNYPROOF_TRUST=always" in shown
    shown = prove("y\n")
    assert "? [y/N]" in shown
    assert "no unified diff found" in shown
    shown = prove("\n")
    assert "? [y/N]" not in shown
    assert "no unified diff found" in shown

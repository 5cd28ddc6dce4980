"""Wrong use ends with exit code 2 and one line on stderr that says what to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Run

DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


BAD_USES: list[tuple[list[str], str]] = [
    ([], "arguments are required: COMMAND"),
    (["mend"], "invalid choice: 'mend'"),
    (["fix", "--speed"], "unrecognized arguments: --speed"),
    (["fix", "--root", "nowhere"], "nowhere is not a folder"),
    (["fix", "--root", "a.py"], "a.py is not a folder"),
    (["fix", "--deadline", "0"], "0 is no time: give seconds, more than 0"),
    (["fix", "--deadline", "nan"], "nan is no time"),
    (["fix", "--deadline", "soon"], "argument --deadline"),
    (["fix", "--max-cost", "-1"], "argument --max-cost"),
    (["fix"], "set PENNYPROOF_TRUST=always"),
    (["prove"], "arguments are required: --diff"),
    (["prove", "--diff", "nowhere.diff"], "cannot read the diff nowhere.diff: No such file or directory"),
    (["prove", "--diff", "good.diff"], "set PENNYPROOF_TRUST=always"),
    (["explain", "a.py"], "'a.py' is neither FILE:LINE"),
    (["explain", "a.py:9"], "a.py has lines 1 to 2; 9-9 are not among them"),
    (["explain", "a.py:2-1"], "a.py has lines 1 to 2; 2-1 are not among them"),
    (["explain", "b.py:1"], "b.py: no such file"),
    (["explain", "../outside.py:1"], "is outside the root"),
    (["explain", "test_a.py::test_x"], "set PENNYPROOF_TRUST=always"),
    (["doctor", "--editor", "ed"], "invalid choice: 'ed'"),
    (["serve", "--tcp", "4173"], "--tcp takes HOST:PORT"),
    (["serve", "--tcp", "127.0.0.1:99999"], "--tcp takes HOST:PORT"),
    (["serve", "--tcp", "0.0.0.0:0"], "say so with --allow-remote"),
    (["serve", "--tcp", "0.0.0.0:0", "--allow-remote"], "set PENNYPROOF_TOKEN"),
]


def check(run: Run, argv: list[str], says: str) -> Ran:
    Path("a.py").write_text("x = 1\n")
    Path("good.diff").write_text(DIFF)
    Path("../outside.py").write_text("x = 1\n")
    ran = run(*argv)
    assert ran.code == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("pennyproof: ")
    assert says in ran.stderr
    return ran


@pytest.mark.parametrize(("argv", "says"), BAD_USES, ids=[" ".join(argv) for argv, _ in BAD_USES])
def test_bad_use(run: Run, argv: list[str], says: str) -> None:
    assert check(run, argv, says).stdout == ""


JSON_USES = [(argv, says) for argv, says in BAD_USES if argv[:1] in (["fix"], ["prove"], ["explain"], ["doctor"])]


@pytest.mark.parametrize(("argv", "says"), JSON_USES, ids=[" ".join(argv) for argv, _ in JSON_USES])
def test_bad_use_with_json(run: Run, argv: list[str], says: str) -> None:
    ran = check(run, [*argv, "--json"], says)
    assert says in ran.json["error"]


def test_settings_that_are_wrong_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_TESTS_TIMEOUT_SECONDS", "soon")
    ran = run("fix")
    assert ran.code == 2
    assert "timeout" in ran.stderr.splitlines()[0].lower()


def test_what_nobody_expected_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("pennyproof.cli.root.load", fail)
    ran = run("fix")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "pennyproof: unexpected ZeroDivisionError: division by zero (PENNYPROOF_LOG_LEVEL=debug shows where)\n"
    )
    monkeypatch.setenv("PENNYPROOF_LOG_LEVEL", "debug")
    assert "Traceback (most recent call last)" in run("fix").stderr


def test_an_interrupt_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pennyproof.cli.root.load", interrupt)
    ran = run("fix")
    assert (ran.code, ran.stdout, ran.stderr) == (130, "", "")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    command = [sys.executable, "-m", "pennyproof", "explain", "a.py:1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(f"\n    {command} " in ran.stdout for command in ("serve", "fix", "prove", "explain", "doctor", "demo"))


def test_serve_imports_nothing_but_the_server() -> None:
    """Editors wait for ``serve``: what it does not need must not be imported before it."""
    code = (
        "import sys, json\n"
        "from pennyproof import cli\n"
        "import pennyproof.lsp as lsp\n"
        "before = set(sys.modules)\n"
        "lsp.serve_stdio = lambda: print(json.dumps(sorted(set(sys.modules) - before))) or 0\n"
        "sys.exit(cli.main(['serve']))\n"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    imported = {name for name in json.loads(output) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert imported <= {"pennyproof.cli.serve"}

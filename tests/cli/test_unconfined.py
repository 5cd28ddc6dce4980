"""The command line where there is no sandbox for the platform."""

import sys
from pathlib import Path

import pytest

from pennyproof.assist.trust import TrustStore
from pennyproof.cli import root as cli_root
from pennyproof.proof import session
from pennyproof.proof.sandbox.off import Off
from tests.cli.conftest import Run, write

PROJECT = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "fix.diff": "--- a/calc.py\n+++ b/calc.py\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n",
}


@pytest.fixture
def bare(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command on a project whose code is trusted, on a platform without a sandbox and without forks."""
    monkeypatch.setattr("pennyproof.proof.sandbox.KINDS", {})
    monkeypatch.setattr(session, "find_sandbox", lambda kind: {"off": Off(forks=False)}[kind])
    monkeypatch.setattr("pennyproof.cli.doctor.find_sandbox", lambda kind: {"off": Off(forks=False)}[kind])
    monkeypatch.setenv("PENNYPROOF_TRUST", "always")
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", sys.executable)
    monkeypatch.setenv("PENNYPROOF_PROOF_WORKERS", "1")
    TrustStore(home / "state").forget(Path())
    write(PROJECT)
    return run


def test_nothing_runs_before_somebody_agrees(bare: Run) -> None:
    ran = bare("prove", "--diff", "fix.diff", "--json")
    assert ran.code == 2
    for part in ("no sandbox for", "PENNYPROOF_PROOF_SANDBOX=off and PENNYPROOF_TRUST=always"):
        assert part in ran.json["error"]


def test_who_agrees_is_asked_once_and_told_with_every_verdict(
    bare: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(cli_root, "_says_yes", agree)
    for _ in range(2):
        ran = bare("prove", "--diff", "fix.diff", "--json")
        assert (ran.code, ran.json["level"], ran.json["confined"]) == (0, "fixes", False)
    [question] = asked
    assert "unprotected, with all your rights?" in question
    assert TrustStore(home / "state").answer(Path(), unconfined=True) is True
    assert "run without a sandbox" in bare("prove", "--diff", "fix.diff").stdout


def test_the_doctor_says_that_nothing_protects(bare: Run, home: Path) -> None:
    TrustStore(home / "state").remember(Path(), True, unconfined=True)
    checks = {check["name"]: check for check in bare("doctor", "--offline", "--json").json["checks"]}
    assert "nothing protects" in checks["sandbox"]["detail"]
    assert "unprotected" in checks["trust"]["detail"]
    assert checks["memory"]["detail"] == "not limited"
    assert "never tried on Windows itself" in checks["speed"]["detail"]
    assert {checks[name]["state"] for name in ("sandbox", "filesystem", "network", "trust", "speed")} == {"note"}
    assert checks["pytest"]["state"] == "ok"

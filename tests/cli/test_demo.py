"""``pennyproof demo`` mends a copy of the sample by the real server, whatever bugs the sample has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pennyproof.cli.demo import SAMPLE
from pennyproof.tiers.hosted.ledger import Ledger
from tests.standin import Reply, Script, Standin

COMMAND = [sys.executable, "-m", "pennyproof", "demo"]


def demo(tmp_path: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment = {**kept, "TMPDIR": str(tmp_path), "HOME": str(tmp_path / "home"), **variables}
    return subprocess.run([*COMMAND, *argv], capture_output=True, text=True, env=environment, check=False)


def test_the_sample_is_mended_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ran = demo(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert "9 failed" in ran.stdout
    assert "the editor shows 9 diagnostics" in ran.stdout
    assert "+        if day >= self.end:" in ran.stdout
    assert "All tests pass after 5 edits" in ran.stdout
    assert "no key, no network" in ran.stdout
    assert "USD" not in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_mended_is_told(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    (sample / "tests").mkdir(parents=True)
    shutil.copy(SAMPLE / "pyproject.toml", sample)
    (sample / "tests/test_hopeless.py").write_text("def test_hopeless():\n    assert open('/dev/null').read()\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ran = demo(temporary, "--sample", str(sample))
    assert ran.returncode == 1
    assert "1 test still failing after 0 edits" in ran.stdout


IN_WORDS = """\
```python
def in_words(cents: int) -> str:
    \"\"\"Write an amount as cheques have it.

    >>> in_words(1250)
    '12 and 50/100'
    >>> in_words(-5)
    'minus 0 and 05/100'
    \"\"\"
    sign = "minus " if cents < 0 else ""
    whole, fraction = divmod(abs(cents), 100)
    return f"{sign}{whole} and {fraction:02d}/100"
```
"""


def test_with_a_key_the_model_has_its_part(tmp_path: Path) -> None:
    state, temporary = tmp_path / "state", tmp_path / "temporary"
    temporary.mkdir()
    replies = [
        Reply("A period ends *before* its last day.", when="You explain code to the programmer"),
        Reply(IN_WORDS, when="in_words", times=None),
    ]
    with Standin(Script(tuple(replies), key="recognisable-key-0123456789")) as standin:
        ran = demo(
            temporary,
            PENNYPROOF_HOME=str(state),
            PENNYPROOF_MODEL_BASE_URL=standin.url,
            DEEPSEEK_API_KEY=standin.key,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "deepseek-flash where the free tier does not do" in ran.stdout
    assert f"Do you agree to send code from {temporary}" in ran.stdout
    assert "A period ends *before* its last day." in ran.stdout
    assert ran.stdout.count("written by deepseek-flash, the fast tier, for 0.00") == 2
    assert "implement `in_words`: fixes" in ran.stdout
    assert "+    whole, fraction = divmod(abs(cents), 100)" in ran.stdout
    ledger = Ledger(state)
    spent = ledger.spent_today()
    assert {row.action for row in ledger.spent()} == {"explain", "edit"}
    ledger.close()
    assert "All tests pass after 6 edits and" in ran.stdout
    assert f"for {spent:.4f} USD; every edit was proved" in ran.stdout
    assert sorted(path.name for path in state.iterdir() if not path.name.startswith("ledger.sqlite-")) == [
        "ledger.sqlite"
    ]
    assert list(temporary.iterdir()) == []
    assert "recognisable" not in ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_model_that_fails_spoils_nothing(tmp_path: Path) -> None:
    with Standin([Reply(behaviour="auth_error", times=None)]) as standin:
        ran = demo(
            tmp_path,
            PENNYPROOF_HOME=str(tmp_path / "state"),
            PENNYPROOF_MODEL_BASE_URL=standin.url,
            DEEPSEEK_API_KEY=standin.key,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "does not accept the key from DEEPSEEK_API_KEY" in ran.stdout
    assert "for 0.0000 USD; every edit was proved" in ran.stdout

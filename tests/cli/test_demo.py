"""``pennyproof demo`` mends a copy of the sample by the real server, whatever bugs the sample has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pennyproof.cli.demo import SAMPLE

COMMAND = [sys.executable, "-m", "pennyproof", "demo"]


def demo(tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path / "home")}
    return subprocess.run([*COMMAND, *argv], capture_output=True, text=True, env=environment, check=False)


def test_the_sample_is_mended_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ran = demo(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert "9 failed" in ran.stdout
    assert "the editor shows 9 diagnostics" in ran.stdout
    assert "+        if day >= self.end:" in ran.stdout
    assert "All tests pass after 5 edits" in ran.stdout
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

"""Runs the command line as a shell would see it, with a state directory of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennyproof.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in ``tmp_path/project``, untrusted."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("PENNYPROOF_TRUST", raising=False)
    monkeypatch.delenv("PENNYPROOF_LOG_LEVEL", raising=False)

    def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = main(argv)
        output = capsys.readouterr()
        return Ran(code, output.out, output.err)

    return run

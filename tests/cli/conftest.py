"""Runs the command line as a shell would see it, with a state directory of its own."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennyproof.cli import main
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox


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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the tests of a module, so that what the state directory remembers saves them time."""
    return tmp_path_factory.mktemp("home").resolve()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in a folder ``project``, which is empty to begin with and untrusted."""
    project = home / "project"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("PENNYPROOF_HOME", str(home / "state"))
    monkeypatch.delenv("PENNYPROOF_TRUST", raising=False)
    monkeypatch.delenv("PENNYPROOF_LOG_LEVEL", raising=False)
    for name in ("DEEPSEEK_API_KEY", "PENNYPROOF_API_KEY"):  # Nothing here may reach a real provider.
        monkeypatch.delenv(name, raising=False)

    def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = main(argv)
        output = capsys.readouterr()
        return Ran(code, output.out, output.err)

    return run


@pytest.fixture(scope="session")
def sandbox() -> str:
    """The machine's sandbox; where there is none, the command line is tested without."""
    try:
        return find_sandbox().kind
    except NoSandbox:
        return "off"


@pytest.fixture
def trusted(run: Run, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command in the same folder, trusted, with this Python and its pytest."""
    monkeypatch.setenv("PENNYPROOF_TRUST", "always")
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", sys.executable)
    monkeypatch.setenv("PENNYPROOF_PROOF_SANDBOX", sandbox)
    monkeypatch.setenv("PENNYPROOF_PROOF_WORKERS", "1")
    return run


def write(files: Mapping[str, str]) -> None:
    """Write files into the current folder."""
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def tree() -> dict[str, bytes]:
    """Every file in the current folder."""
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}

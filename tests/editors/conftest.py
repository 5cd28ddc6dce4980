"""What the scenarios in real editors share: the sample project, the programs, the environment, and a stand-in model."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pennyproof.cli.demo import SAMPLE
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox
from tests.editors.installing import programs
from tests.standin import Reply, Script
from tests.standin.process import Process, standin_process

ROOT = Path(__file__).parents[2]
EDITORS = ROOT / "editors"

Environ = dict[str, str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the bookshop, whose tests fail for five bugs, as a repository."""
    root = tmp_path / "bookshop"
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("__pycache__"))
    # Some editors know projects by their version control alone.
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    """An environment with a home of its own, the server in the PATH, no key, and a workspace that is trusted."""
    try:
        sandbox = find_sandbox().kind
    except NoSandbox:
        sandbox = "off"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PENNYPROOF_", "XDG_"))}
    home = tmp_path / "home"
    home.mkdir()
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "server"),
        "PENNYPROOF_HOME": str(tmp_path / "state"),
        "PENNYPROOF_TRUST": "always",
        "PENNYPROOF_TESTS_PYTHON": sys.executable,
        "PENNYPROOF_TESTS_ON_SAVE": "all",
        "PENNYPROOF_PROOF_SANDBOX": sandbox,
    }


StartModel = Callable[..., Process]


@pytest.fixture
def start_model(tmp_path: Path, environ: Environ) -> Iterator[StartModel]:
    """``start_model(*replies)`` starts a stand-in for the hosted model, and puts it and its key into ``environ``."""
    with ExitStack() as started:

        def start(*replies: Reply) -> Process:
            model = started.enter_context(standin_process(Script(replies), tmp_path))
            environ["PENNYPROOF_MODEL_BASE_URL"] = model.url
            environ["DEEPSEEK_API_KEY"] = model.key
            return model

        yield start


def need(program: str) -> str:
    """The path of an editor that the tests drive; without it, the test is skipped and says how to get it."""
    path = shutil.which(program, path=f"{programs()}:{os.environ['PATH']}")
    if path is None:
        pytest.skip(f"{program} is not installed; `make editors` gets it")
    return path

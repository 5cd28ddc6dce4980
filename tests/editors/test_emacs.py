"""Emacs with its client, set up by the steps of its page, and the real server."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import EDITORS, ROOT, Environ, need

pytestmark = pytest.mark.editors

SCRIPTS = Path(__file__).parent / "emacs"
PATIENCE = 300
"""Seconds for a whole session on a slow machine."""


@pytest.fixture(autouse=True)
def init(environ: Environ) -> Path:
    """The page's first step, a checkout in the home, and its second, the client's lines in init.el."""
    home = Path(environ["HOME"])
    (home / "pennyproof").symlink_to(ROOT)
    path = home / ".emacs.d" / "init.el"
    path.parent.mkdir()
    shutil.copy(EDITORS / "emacs/init.el", path)
    return path


def play(name: str, project: Path, environ: Environ) -> None:
    """Run the tests that a script has, after the user's own init.el."""
    load = ["-l", str(Path(environ["HOME"]) / ".emacs.d/init.el"), "-L", str(SCRIPTS), "-l", str(SCRIPTS / f"{name}.el")]
    ran = subprocess.run(
        [need("emacs"), "-Q", "--batch", *load, "-f", "ert-run-tests-batch-and-exit"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_session_under_eglot(project: Path, environ: Environ) -> None:
    play("eglot-session", project, environ)


def test_the_core_of_a_session_under_lsp_mode(project: Path, environ: Environ, init: Path) -> None:
    init.write_text(init.read_text("utf-8").replace("#'eglot-ensure", "#'lsp-deferred"), "utf-8")
    play("lsp-session", project, environ)

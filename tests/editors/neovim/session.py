"""The plugin as its page says how to install it."""

import re
import subprocess
from pathlib import Path

from tests.editors.conftest import EDITORS, ROOT, Environ

PAGE = EDITORS / "neovim/README.md"


def install(environ: Environ) -> None:
    """Follow the page's steps for Neovim's own packages, from a checkout in the home folder."""
    home = Path(environ["HOME"])
    (home / "pennyproof").symlink_to(ROOT)
    steps = re.search(r"<!-- tested -->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert steps is not None
    subprocess.run(["sh", "-eu", "-c", steps[1]], env=environ, cwd=home, check=True)


def configure(environ: Environ, text: str) -> None:
    """Write the user's init.lua."""
    path = Path(environ["HOME"]) / ".config/nvim/init.lua"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
